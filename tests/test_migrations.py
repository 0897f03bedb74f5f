"""Migrations are applied whole or not at all, and every column they make is declared."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.members import Preferences
from core.storage import opening
from core.storage.columns import COLUMNS, undeclared
from core.storage.schema import FOLDER, migrate, migrations, version
from core.vault import DataKey, Lookup, Place, check_value
from fakes import ANNA, BEN, NOON, ring, store

SECOND = """-- Names: a second migration.
-- Reason: the test of one that builds on another's rows.
CREATE TABLE runs (id TEXT PRIMARY KEY, note TEXT NOT NULL); -- a comment; with a semicolon
INSERT INTO runs (id, note)
SELECT id, 'a; b' FROM members;
ALTER TABLE runs ADD COLUMN far INTEGER;
UPDATE runs SET far = 5;
"""


class Killed(BaseException):
    """The process ends here."""


class Mortal(sqlite3.Connection):
    """A connection whose process is killed before a given statement."""

    left = 10**9

    def execute(self, *args: Any) -> sqlite3.Cursor:
        if self.left == 0:
            raise Killed
        self.left -= 1
        return super().execute(*args)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the shipped first migration and a second one."""
    here = tmp_path / "migrations"
    here.mkdir()
    (here / "0001_start.sql").write_text((FOLDER / "0001_start.sql").read_text("utf-8"), "utf-8")
    return here


def connect(path: Path) -> Mortal:
    db = sqlite3.connect(path, isolation_level=None, factory=Mortal)
    assert isinstance(db, Mortal)
    return db


def schema(db: sqlite3.Connection) -> list[Any]:
    return db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()


def killed_at_every_statement(path: Path, folder: Path) -> Iterator[int]:
    """Yield after each attempt to migrate a copy of the database that was cut short; stop when one was not."""
    start = path.read_bytes() if path.exists() else b""
    for left in range(1, 10_000):
        path.write_bytes(start)
        with closing(connect(path)) as db:
            db.left = left
            try:
                migrate(db, folder)
            except Killed:
                pass
            else:
                return
        yield left


def test_a_start_killed_at_any_statement_is_done_the_next_time(tmp_path: Path, folder: Path) -> None:
    with closing(connect(tmp_path / "whole.db")) as db:
        migrate(db, folder)
        whole = schema(db)

    kills = 0
    for _ in killed_at_every_statement(tmp_path / "cut.db", folder):
        kills += 1
        with closing(connect(tmp_path / "cut.db")) as db:
            assert version(db) == 0
            assert schema(db) == []
            migrate(db, folder)
            assert (version(db), schema(db)) == (1, whole)
    assert kills > len(migrations(folder)[0].statements)


def test_an_upgrade_killed_at_any_statement_keeps_the_rows_and_is_done_the_next_time(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "old.db"
    with closing(connect(path)) as db:
        migrate(db, folder)
        db.execute("INSERT INTO members (id) VALUES ('abcdef12')")
    (folder / "0002_runs.sql").write_text(SECOND, "utf-8")

    kills = 0
    for _ in killed_at_every_statement(path, folder):
        kills += 1
        with closing(connect(path)) as db:
            assert version(db) == 1
            migrate(db, folder)
            assert version(db) == 2
            assert db.execute("SELECT id, note, far FROM runs").fetchall() == [("abcdef12", "a; b", 5)]
    assert kills > 4


# ---------------------------------------------------------------- from every version that there ever was

RING, HOUSE, MEMBER, DOOR, KEY = ring(), "a0" * 16, "b1" * 16, "c2" * 16, DataKey("d3" * 8, b"D" * 32)
GONE, THEIR_DOOR, JOINER, CLUB = "e4" * 16, "f5" * 16, "88" * 16, "cc" * 16
"""Someone who was erased, as far as their receipt still needs to reach them."""
LOOKUP = Lookup(b"L" * 32)
SESSION, CONSENT, ENTRY = {"format": 1, "answers": ["groin"]}, {"kind": "history", "given": True}, {"urgency": "routine"}
NOTICE = {"kind": "notice", "reply": {"text": "Rest today."}, "edits": None}
RECEIPT = {"kind": "receipt", "reply": {"text": "Nothing is left."}, "edits": None}


def sealed(column: str, row: str, value: object, member: str = MEMBER) -> bytes:
    table, _, name = column.partition(".")
    return KEY.seal(Place(table, name, member, row), value if isinstance(value, bytes) else json.dumps(value).encode())


def rows_of(number: int) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield what a version wrote that an older one could not: rows for each of its tables, as it wrote them."""
    wrapped, lookup = RING.wrap(KEY, MEMBER), RING.wrap_lookup(LOOKUP)
    minute, digest = "2026-11-23T12:00+00:00", LOOKUP.of(ANNA.platform, ANNA.id)
    match number:
        case 1:
            house: dict[str, object] = {
                "id": HOUSE,
                "key_check": check_value(RING),
                "lookup_ring_key": lookup.ring_key,
                "lookup": lookup.blob,
            }
            yield "house", house
            yield "keys", {"owner": HOUSE, "ring_key": "a", "wrapped": RING.wrap(KEY, HOUSE).blob}
            yield "keys", {"owner": MEMBER, "ring_key": "a", "wrapped": wrapped.blob}
            yield "members", {"id": MEMBER}
            address = sealed("addresses.address", DOOR, ANNA.id)
            yield "addresses", {"id": DOOR, "member": MEMBER, "platform": "telegram", "digest": digest, "address": address}
            yield "settings", {"member": MEMBER, "settings": sealed("settings.settings", MEMBER, {"region": "gb"})}
            consent = sealed("consents.consent", "11" * 16, CONSENT)
            yield "consents", {"id": "11" * 16, "member": MEMBER, "position": 1, "consent": consent}
            session = sealed("sessions.session", DOOR, SESSION)
            yield "sessions", {"address": DOOR, "member": MEMBER, "touched": minute, "session": session}
            yield (
                "history",
                {"id": "22" * 16, "member": MEMBER, "position": 1, "entry": sealed("history.entry", "22" * 16, ENTRY)},
            )
            update: dict[str, object] = {
                "position": 1,
                "platform": "telegram",
                "state": "waiting",
                "received": minute,
                "sender_digest": digest,
            }
            raw: dict[str, object] = {
                "update_digest": LOOKUP.of("update", "1"),
                "raw": sealed("inbox.raw", "33" * 16, b"1", HOUSE),
            }
            yield "inbox", {"id": "33" * 16, **update, **raw}
            yield "outbox", _owed("44" * 16, MEMBER, DOOR, minute, sealed("outbox.owed", "44" * 16, NOTICE))
        case 2:
            yield "keys", {"owner": GONE, "ring_key": "a", "wrapped": RING.wrap(KEY, GONE).blob}
            yield "members", {"id": GONE}
            address = sealed("addresses.address", THEIR_DOOR, BEN.id, GONE)
            nowhere = LOOKUP.of("receipt", THEIR_DOOR)
            yield "addresses", {"id": THEIR_DOOR, "member": GONE, "platform": "discord", "digest": nowhere, "address": address}
            yield "receipts", {"member": GONE, "made": minute}
            yield "outbox", _owed("55" * 16, GONE, THEIR_DOOR, minute, sealed("outbox.owed", "55" * 16, RECEIPT, GONE))
        case 3:
            blocked = LOOKUP.of("telegram", "blocked")
            address = sealed("addresses.address", "66" * 16, "blocked")
            left: dict[str, object] = {"digest": blocked, "address": address, "unreachable": minute}
            yield "addresses", {"id": "66" * 16, "member": MEMBER, "platform": "telegram", **left}
        case 4:  # an index, and so what was written before it finds its way in
            yield "outbox", _owed("77" * 16, MEMBER, DOOR, minute, sealed("outbox.owed", "77" * 16, NOTICE))
        case 5:  # of the newest version too, members and addresses are those of the first
            address = sealed("addresses.address", JOINER, "joiner")
            used: dict[str, object] = {"digest": LOOKUP.of("discord", "joiner"), "address": address, "used": 3}
            yield "addresses", {"id": JOINER, "member": MEMBER, "platform": "discord", **used}
            code: dict[str, object] = {"code_digest": LOOKUP.of("link", "K7QF2M9XT"), "until": minute, "joiner": JOINER}
            yield "links", {"id": "99" * 16, "member": MEMBER, "address": DOOR, **code}
            yield "former_members", {"id": "aa" * 16, "member": MEMBER, "joined": minute}
        case 6:
            diary = sealed("diaries.diary", MEMBER, {"zone": "Europe/Berlin"})
            yield "diaries", {"member": MEMBER, "look": minute, "diary": diary}
        case 7:
            found: dict[str, object] = {
                "digest": LOOKUP.of("discord", "found"),
                "address": sealed("addresses.address", "bb" * 16, "found"),
            }
            yield (
                "addresses",
                {
                    "id": "bb" * 16,
                    "member": MEMBER,
                    "platform": "discord",
                    "place": sealed("addresses.place", "bb" * 16, "5"),
                    **found,
                },
            )
        case 8:  # kept as a member is, with a key of its own
            yield "keys", {"owner": CLUB, "ring_key": "a", "wrapped": RING.wrap(KEY, CLUB).blob}
            yield "members", {"id": CLUB}
            kept = {"id": "0c0ffee0", "chat": {"platform": "telegram", "id": "-1001"}, "name": "Hill Runners"}
            club = sealed("clubs.club", CLUB, kept, CLUB)
            yield "clubs", {"member": CLUB, "chat_digest": LOOKUP.of("telegram", "-1001"), "club": club}
        case 9:
            yield "zones", {"version": "2026a"}
        case 10:
            yield "sendings", {"platform": "small", "alive": minute, "since": minute, "until": None}
        case _:  # nothing yet: a test says so
            return


def _owed(id: str, member: str, address: str, minute: str, owed: bytes) -> dict[str, object]:
    where: dict[str, object] = {
        "id": id,
        "member": member,
        "address": address,
        "position": 1,
        "due": minute,
        "changed": minute,
        "owed": owed,
    }
    return {**where, "state": "open", "attempt": 0, "scheduled": 0}


def written_by(number: int, path: Path) -> None:
    """Write a database as the version with so many migrations did, with a row in each of its tables."""
    shipped = path.parent / f"first-{number}"
    shipped.mkdir()
    for file in sorted(FOLDER.glob("*.sql"))[:number]:
        shutil.copy(file, shipped)
    with closing(connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        migrate(db, shipped)
        for table, row in (row for step in range(1, number + 1) for row in rows_of(step)):
            places = ", ".join("?" * len(row))
            db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))  # noqa: S608 - ours
        if number:
            db.execute("UPDATE tallies SET count = (SELECT COUNT(*) FROM outbox) WHERE name = 'planned'")


def content(path: Path, columns: dict[str, list[str]] | None = None) -> tuple[dict[str, list[str]], dict[str, list[Any]]]:
    """Return the columns of each table, or those given, and all rows as far as these go."""
    with closing(connect(path)) as db:
        if columns is None:
            tables = [table for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
            columns = {table: [c for _, c, *_ in db.execute(f"PRAGMA table_info({table})").fetchall()] for table in tables}
        of = {table: db.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall() for table, names in columns.items()}  # noqa: S608 - ours
        return columns, {table: sorted(rows, key=repr) for table, rows in of.items()}


class Crashing(Mortal):
    """A connection that leaves, where it is killed, what is on disk at that moment to whoever comes next."""

    path: Path
    left_behind: Path

    def execute(self, *args: Any) -> sqlite3.Cursor:
        if self.left == 0:
            for suffix in ("", "-wal"):
                if (file := self.path.with_name(self.path.name + suffix)).exists():
                    shutil.copy(file, self.left_behind / file.name)
        return super().execute(*args)


def crashes(path: Path, folder: Path) -> Iterator[Path]:
    """Yield what is on disk after opening was killed, at its first statement, its second, until it came through."""
    for left in range(10_000):
        here, there = folder / f"{left}", folder / f"{left}-after"
        for new in (here, there):
            new.mkdir()
        shutil.copy(path, here / path.name)
        with closing(sqlite3.connect(here / path.name, isolation_level=None, factory=Crashing)) as db:
            db.path, db.left_behind, db.left = here / path.name, there, left
            try:
                opening.opened(db, here / path.name, RING, 8)
            except Killed:
                yield there / path.name
            else:
                return


VERSIONS = range(len(migrations()) + 1)


@pytest.mark.parametrize("number", VERSIONS)
def test_every_version_is_tried_with_something_in_each_of_its_tables(tmp_path: Path, number: int) -> None:
    written_by(number, tmp_path / "old.db")

    _, rows = content(tmp_path / "old.db")

    assert [table for table, found in rows.items() if not found] == []
    assert number == 0 or list(rows_of(number))  # a new migration comes with rows that only it could write


@pytest.mark.parametrize("number", VERSIONS)
def test_an_upgrade_from_any_version_killed_at_any_statement_keeps_every_row(tmp_path: Path, number: int) -> None:
    path, kills = tmp_path / "old.db", 0
    written_by(number, path)
    columns, rows = content(path)
    with closing(connect(tmp_path / "new.db")) as db:
        migrate(db)
        newest = schema(db)

    for killed in crashes(path, tmp_path):
        kills += 1
        with closing(connect(killed)) as db:
            assert number <= version(db) <= len(migrations())
        assert content(killed, columns)[1] == rows
        with closing(connect(killed)) as db:
            opening.opened(db, killed, RING, 8)
            assert (version(db), schema(db)) == (len(migrations()), newest)
        if number:
            assert content(killed, columns)[1] == rows
    assert kills > sum(len(m.statements) for m in migrations()[number:])


@pytest.mark.parametrize("number", VERSIONS[1:])
async def test_what_any_version_kept_can_be_read_and_goes_on(tmp_path: Path, number: int) -> None:
    written_by(number, tmp_path / "hipwise.db")

    async with store(tmp_path, expected=True) as kept:
        found = await kept.load(ANNA)
        assert (found.session, found.preferences, found.consents) == (SESSION, Preferences("gb"), (CONSENT,))
        assert await kept.history(MEMBER) == (ENTRY,)
        assert [received.raw for received in await kept.unhandled("telegram")] == [b"1"]
        due = await kept.due(NOON, 9)
        assert {d.address for d in due} == ({ANNA, BEN} if number > 1 else {ANNA})
        assert (await kept.tallies()).conserved
        for delivery in due:
            claimed = await kept.claim(delivery)
            assert claimed is not None
            assert await kept.sent(claimed, "7")
        assert set((await kept.forget(MEMBER)).after.values()) == {0}
        assert (await kept.tallies()).conserved
        assert kept.unreadable == 0


# ---------------------------------------------------------------- as it is now


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "a.db")) as db:
        migrate(db)
        before = schema(db)
        migrate(db)

        assert schema(db) == before


def test_every_migration_says_why() -> None:
    assert all("-- Reason: " in file.read_text("utf-8") for file in FOLDER.glob("*.sql"))


def test_a_gap_in_the_numbers_is_a_mistake(folder: Path) -> None:
    (folder / "0003_far.sql").write_text("SELECT 1;", "utf-8")

    with pytest.raises(ValueError, match="0003_far"):
        migrations(folder)


def test_a_statement_without_its_end_is_a_mistake(folder: Path) -> None:
    (folder / "0002_open.sql").write_text("SELECT 1;\nSELECT 2", "utf-8")

    with pytest.raises(ValueError, match="without its end"):
        migrations(folder)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """Return an empty database of this version."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        opening.opened(connection, Path(":memory:"), ring(), 8)
        yield connection


def test_every_column_is_declared_and_every_declared_one_exists(db: sqlite3.Connection) -> None:
    there = {
        (table, column)
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for _, column, *_ in db.execute(f"PRAGMA table_info({table})").fetchall()
    }

    assert undeclared(db) == ()
    assert there == {(table, column) for table, columns in COLUMNS.items() for column in columns}


def test_an_undeclared_column_is_found(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE members ADD COLUMN nickname TEXT")
    db.execute("CREATE TABLE shoes (size INTEGER)")

    assert undeclared(db) == ("members.nickname", "shoes.size")


def test_what_is_sealed_or_digested_is_bytes(db: sqlite3.Connection) -> None:
    types = {
        (table, column): kind
        for table in COLUMNS
        for _, column, kind, *_ in db.execute(f"PRAGMA table_info({table})").fetchall()
    }
    clear = {(table, name) for table, columns in COLUMNS.items() for name, how in columns.items() if hasattr(how, "reason")}

    assert {place for place, kind in types.items() if kind != "BLOB"} == clear


def test_the_connection_is_as_safe_as_it_says(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "a.db")) as db:
        opening.opened(db, tmp_path / "a.db", ring(), 8)
        names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "trusted_schema")

        assert [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names] == ["wal", 2, 1, 1, 0]
