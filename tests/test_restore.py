"""A backup takes the place of the database whole or not at all, and brings nobody back who was erased since."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bots.commands import restore as command
from core.members import Address, Preferences
from core.record import Change
from core.sending import Sending
from core.storage import (
    Backup,
    Corrupt,
    ErasedList,
    NewerSchema,
    Restored,
    Step,
    StorageUnavailable,
    Store,
    Target,
    WrongKey,
    lists_in,
    put_back,
    schema,
    sql,
)
from core.storage.book import Book
from core.storage.opening import restoring
from core.vault import KeyRing
from fakes import ANNA, BEN, NOON, PLAIN, owed, ring
from terminal import ROOT, environment

CANARY = "canary-between-the-ribs"
SESSION = {"format": 1, "answers": [CANARY]}
LATER = NOON + timedelta(days=1)
posix_only = pytest.mark.skipif(os.name != "posix", reason="files have such modes only there")


class Machine:
    """A database, its backups and its keys, as an operator has them."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "data" / "hipwise.db"
        self.backups = self.database.parent / "backups"
        self.lists = lists_in(self.backups, folder / "config")

    def store(self, *keys: str, now: datetime = NOON) -> Store:
        return Store(self.database, ring(*keys), lambda: now, erased=ErasedList(ring(*keys), self.lists))

    def restores(self, backup: Path, keys: KeyRing | None = None, *, force: bool = False) -> Restored:
        keys = keys or ring()
        target = Target(self.database, self.backups, keys, ErasedList(keys, self.lists))
        return put_back(backup, target, LATER, force=force, tell=lambda *_: None)

    def refuses(self, backup: Path, keys: KeyRing | None = None, *, force: bool = False) -> str:
        """Return why a restore is refused, once sure that nothing was changed by it."""
        before = self.files()
        with pytest.raises(StorageUnavailable) as caught:
            self.restores(backup, keys, force=force)
        assert self.files() == before
        return f"{type(caught.value).__name__}: {caught.value}"

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.database.parent.parent.rglob("*") if path.is_file())
        # What SQLite makes in order to look is nothing that was kept.
        return {str(p): p.read_bytes() for p in found if p.stat().st_size and not p.name.endswith("-shm")}

    def raw(self) -> bytes:
        """Return every byte beside the database, without the backups."""
        return b"".join(path.read_bytes() for path in self.database.parent.iterdir() if path.is_file())

    async def filled(self) -> Backup:
        """Return the backup of a database with two members, of whom Ben goes on after it."""
        async with self.store() as kept:
            await kept.save_turn(ANNA, Change(SESSION, Preferences("gb"), [owed(text=CANARY)]))
            await kept.receive(ANNA.platform, "1", CANARY.encode(), sender=ANNA)
            await kept.save_turn(BEN, Change(SESSION, PLAIN))
            made = await kept.back_up(self.backups)
            await kept.save_turn(BEN, Change({"later": 1}, PLAIN))
        return made

    async def sessions(self) -> list[Any]:
        """Return what Anna and Ben have open when it is started again."""
        async with self.store() as kept:
            return [(await kept.load(address)).session for address in (ANNA, BEN)]

    def loses_its_database(self) -> None:
        self.database.unlink()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def damage(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[:4096] + bytes([255]) * 4096 + raw[8192:])


# ---------------------------------------------------------------- putting back


@pytest.mark.parametrize("lost", ["the file", "the folder"])
async def test_a_lost_database_is_put_back(machine: Machine, lost: str, tmp_path: Path) -> None:
    made = await machine.filled()
    backup = made.path.rename(tmp_path / "from a stick.db")
    machine.loses_its_database()
    if lost == "the folder":
        machine.lists[0].unlink()
        for left in (machine.backups, machine.database.with_name("hipwise.db.lock"), machine.database.parent):
            left.rmdir() if left.is_dir() else left.unlink()

    restored = machine.restores(backup)

    assert restored == Restored(members=2, unreadable=0, erased=0, unread=0, aside=None)
    assert await machine.sessions() == [SESSION, SESSION]


async def test_a_damaged_database_is_replaced_and_kept_as_it_was(machine: Machine) -> None:
    made = await machine.filled()
    damage(machine.database)
    log = machine.database.with_name("hipwise.db-wal")
    log.write_bytes(b"half a log")
    was = machine.database.read_bytes()

    aside = machine.restores(made.path).aside

    assert aside == machine.backups / "hipwise-20261124T120000Z-replaced.db"
    assert aside.read_bytes() == was
    assert aside.with_name(aside.name + "-wal").read_bytes() == b"half a log"
    assert not log.exists()
    assert await machine.sessions() == [SESSION, SESSION]


async def test_a_sound_database_that_is_replaced_can_be_put_back_too(machine: Machine) -> None:
    made = await machine.filled()

    aside = machine.restores(made.path, force=True).aside
    assert await machine.sessions() == [SESSION, SESSION]
    assert aside is not None
    machine.restores(aside, force=True)

    assert await machine.sessions() == [SESSION, {"later": 1}]


async def test_what_a_killed_process_left_in_the_log_is_kept_with_the_database(machine: Machine, tmp_path: Path) -> None:
    made = await machine.filled()
    async with machine.store() as kept:
        await kept.save_turn(BEN, Change({"in the log": 1}, PLAIN))
        copy = {path.name: path.read_bytes() for path in machine.database.parent.iterdir() if path.is_file()}
    for name, raw in copy.items():
        (machine.database.parent / name).write_bytes(raw)

    aside = machine.restores(made.path, force=True).aside
    assert aside is not None
    machine.restores(aside, force=True)

    assert (await machine.sessions())[1] == {"in the log": 1}


async def test_a_database_that_was_copied_by_hand_is_put_back_with_its_log(machine: Machine, tmp_path: Path) -> None:
    await machine.filled()
    async with machine.store() as kept:
        await kept.save_turn(BEN, Change({"in the log": 1}, PLAIN))
        for suffix in ("", "-wal"):
            source = machine.database.with_name(f"hipwise.db{suffix}")
            (tmp_path / f"copy.db{suffix}").write_bytes(source.read_bytes())
    machine.loses_its_database()

    machine.restores(tmp_path / "copy.db")

    assert (await machine.sessions())[1] == {"in the log": 1}


@posix_only
async def test_what_is_put_back_and_what_is_put_aside_is_for_this_user_only(machine: Machine) -> None:
    made = await machine.filled()
    made.path.chmod(0o644)
    umask = os.umask(0)
    try:
        aside = machine.restores(made.path, force=True).aside
    finally:
        os.umask(umask)

    assert aside is not None
    assert [stat.S_IMODE(path.stat().st_mode) for path in (machine.database, aside)] == [0o600] * 2


async def test_progress_is_told_step_by_step(machine: Machine) -> None:
    made = await machine.filled()
    told: list[tuple[Step, int, int]] = []
    target = Target(machine.database, machine.backups, ring(), ErasedList(ring(), machine.lists))

    put_back(made.path, target, LATER, force=True, tell=lambda *at: told.append(at))

    assert list(dict.fromkeys(step for step, _, _ in told)) == list(Step)
    assert (Step.COPY, made.bytes, made.bytes) in told


async def test_an_older_backup_is_brought_up_to_date(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await machine.filled()
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    for file in schema.FOLDER.glob("*.sql"):
        (migrations / file.name).write_bytes(file.read_bytes())
    number = len(list(migrations.iterdir())) + 1
    (migrations / f"{number:04}_more.sql").write_text("-- Reason: a test.\nCREATE TABLE more (id TEXT PRIMARY KEY);", "utf-8")
    monkeypatch.setattr(schema.migrate, "__defaults__", (migrations,))
    monkeypatch.setattr(schema.refuse_foreign, "__defaults__", (migrations,))
    await machine.sessions()  # the database is brought up to date

    assert "holds something" in machine.refuses(made.path)
    machine.restores(made.path, force=True)

    with closing(sqlite3.connect(machine.database)) as db:
        assert db.execute(sql.SCHEMA_VERSION).fetchone() == (number,)


# ---------------------------------------------------------------- erasures since


SEALED_OF = (
    "SELECT wrapped FROM keys WHERE owner = ?",
    "SELECT address FROM addresses WHERE member = ?",
    "SELECT settings FROM settings WHERE member = ?",
    "SELECT session FROM sessions WHERE member = ?",
    "SELECT owed FROM outbox WHERE member = ?",
    "SELECT raw FROM inbox WHERE raw IS NOT NULL AND sender_digest IN (SELECT digest FROM addresses WHERE member = ?)",
)


def rows(statement: str, member: str, book: Book) -> list[Any]:
    """Return what a statement finds about a member."""
    return book.all(statement, member)


@pytest.mark.parametrize("lost", ["", "the list beside the backups", "the list beside the key"])
async def test_a_member_who_was_erased_since_does_not_come_back_and_no_byte_opens(machine: Machine, lost: str) -> None:
    made = await machine.filled()
    async with machine.store() as kept:
        member = (await kept.load(ANNA)).member or ""
        sealed = [blob for query in SEALED_OF for (blob,) in await kept._read(partial(rows, query, member))]
        await kept.forget(member)
    assert len(sealed) == len(SEALED_OF)
    assert all(blob in made.path.read_bytes() for blob in sealed)  # until it ages out
    assert not [blob for blob in sealed if blob in machine.raw()]
    for file, name in zip(machine.lists, ("the list beside the backups", "the list beside the key"), strict=True):
        if lost == name:
            file.unlink()

    restored = machine.restores(made.path, force=True)

    assert (restored.members, restored.erased) == (1, 1)
    raw = machine.raw()
    assert not [blob for blob in sealed if blob in raw]
    assert member.encode() not in raw
    assert await machine.sessions() == [None, SESSION]
    assert not [blob for blob in sealed if blob in machine.raw()]
    async with machine.store() as kept:
        assert await kept.unhandled(ANNA.platform) == ()
        assert (await kept.tallies()).conserved


async def test_what_was_owed_when_the_backup_was_made_may_have_been_sent_since(machine: Machine) -> None:
    made = await machine.filled()
    machine.loses_its_database()

    machine.restores(made.path)

    async with machine.store() as kept:
        counts = await kept.tallies()
        assert (counts.open, counts.unknown, counts.conserved) == (0, 1, True)
        assert [(d.reply["text"], d.attempt) for d in await kept.repeats(NOON)] == [(CANARY, 1)]


async def test_the_time_since_a_backup_is_no_outage(machine: Machine) -> None:
    async with machine.store() as kept:
        await kept.keep_sending(Sending("small", NOON, NOON, NOON))
        made = await kept.back_up(machine.backups)
    machine.loses_its_database()
    machine.restores(made.path)

    async with machine.store() as kept:
        assert await kept.sending("small") is None


async def test_who_came_back_after_they_were_erased_stays(machine: Machine) -> None:
    await machine.filled()
    async with machine.store(now=LATER) as kept:
        await kept.forget((await kept.load(ANNA)).member or "")
        await kept.save_turn(ANNA, Change({"anew": 1}, PLAIN))
        newer = await kept.back_up(machine.backups)
        await kept.save_turn(ANNA, Change({"anew": 2}, PLAIN))

    assert machine.restores(newer.path, force=True).erased == 0
    assert await machine.sessions() == [{"anew": 1}, {"later": 1}]


async def test_a_restore_erases_who_was_listed_before_keys_were_changed(machine: Machine) -> None:
    made = await machine.filled()
    async with machine.store() as kept:
        await kept.forget((await kept.load(ANNA)).member or "")
    async with machine.store("b", "a") as kept:
        await kept.rewrap()

    restored = machine.restores(made.path, ring("b", "a"), force=True)

    assert (restored.erased, restored.unread) == (1, 0)


async def test_lines_that_these_keys_do_not_open_are_reported(machine: Machine) -> None:
    made = await machine.filled()
    ErasedList(ring("z"), machine.lists).add("ab" * 16, NOON)

    assert machine.restores(made.path, force=True).unread == 2


# ---------------------------------------------------------------- refusing


async def test_a_database_that_holds_more_is_replaced_by_force_only(machine: Machine) -> None:
    made = await machine.filled()

    assert "hipwise restore --force FILE" in machine.refuses(made.path)
    assert machine.restores(made.path, force=True).members == 2


@pytest.mark.parametrize("keep", ["the same", "less", "nobody"])
async def test_a_database_that_holds_no_more_is_replaced_without_force(machine: Machine, keep: str) -> None:
    made = await machine.filled()
    machine.restores(made.path, force=True)
    async with machine.store(now=LATER) as kept:
        made = await kept.back_up(machine.backups)
    if keep == "less":
        async with machine.store() as kept:
            await kept.forget((await kept.load(ANNA)).member or "")
    if keep == "nobody":
        machine.loses_its_database()
        elsewhere = Store(machine.database, ring(), lambda: NOON)  # which knows of no traces
        async with elsewhere:
            pass

    assert machine.restores(made.path).members == (1 if keep == "less" else 2)


async def test_a_database_under_other_keys_is_replaced_by_force_only(machine: Machine) -> None:
    made = await machine.filled()
    machine.loses_its_database()
    async with Store(machine.database, ring("z"), lambda: NOON) as kept:
        await kept.save_turn(ANNA, Change({"a": 1}, PLAIN))

    assert "holds something" in machine.refuses(made.path)
    machine.restores(made.path, force=True)
    assert await machine.sessions() == [SESSION, SESSION]


async def test_a_newer_versions_database_is_replaced_by_force_only(machine: Machine) -> None:
    made = await machine.filled()
    with closing(sqlite3.connect(machine.database, isolation_level=None)) as db:
        db.execute(sql.SET_SCHEMA_VERSION.format(999))
    with pytest.raises(NewerSchema):
        await machine.store().open()

    assert "holds something" in machine.refuses(made.path)
    machine.restores(made.path, force=True)
    assert await machine.sessions() == [SESSION, SESSION]


async def test_a_restore_is_refused_while_hipwise_runs(machine: Machine) -> None:
    made = await machine.filled()
    async with machine.store() as kept:
        with pytest.raises(StorageUnavailable, match="Another Hipwise is running"):
            machine.restores(made.path, force=True)
        assert (await kept.load(BEN)).session == {"later": 1}


async def test_a_restore_is_refused_while_another_program_reads_the_database(machine: Machine) -> None:
    made = await machine.filled()
    async with machine.store():  # so that it has a log
        reading = sqlite3.connect(machine.database, isolation_level=None)
        reading.execute("SELECT COUNT(*) FROM members").fetchone()
    with closing(reading), pytest.raises(StorageUnavailable, match="locked"):
        machine.restores(made.path, force=True)

    assert await machine.sessions() == [SESSION, {"later": 1}]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("Dear diary, " * 1000)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(sql.SET_SCHEMA_VERSION.format(999))


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")


def without_rows(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DELETE FROM members WHERE id = (SELECT MIN(member) FROM addresses)")


@pytest.mark.parametrize("database", ["sound", "damaged", "lost"])
@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (damage, Corrupt),
        (cut, Corrupt),
        (empty, Corrupt),
        (text, Corrupt),
        (without_rows, Corrupt),
        (newer, NewerSchema),
        (of_another_program, StorageUnavailable),
    ],
)
async def test_what_is_no_sound_backup_is_refused(
    machine: Machine, spoil: Callable[[Path], None], error: type[Exception], database: str
) -> None:
    made = await machine.filled()
    spoil(made.path)
    if database == "damaged":
        damage(machine.database)
    if database == "lost":
        machine.loses_its_database()

    told = machine.refuses(made.path, force=True)

    assert told.startswith(f"{error.__name__}: {made.path}")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("keys", [ring("z"), ring("a", secret=9)])
async def test_a_backup_under_other_keys_is_refused(machine: Machine, keys: KeyRing) -> None:
    made = await machine.filled()

    told = machine.refuses(made.path, keys, force=True)

    assert told.startswith(f"{WrongKey.__name__}: {made.path} was sealed with the key 'a'")


async def test_a_file_that_is_not_there_is_told_with_the_newest_backup(machine: Machine) -> None:
    made = await machine.filled()

    assert machine.refuses(machine.backups / "yesterday.db").endswith(f"The newest backup is {made.path}.")


@pytest.mark.parametrize("name", ["hipwise.db", "hipwise.db.restoring"])
async def test_the_database_itself_is_no_backup(machine: Machine, name: str) -> None:
    await machine.filled()
    restoring(machine.database).write_bytes(b"half a database")

    assert "is no backup" in machine.refuses(machine.database.with_name(name), force=True)


@pytest.mark.parametrize("at", list(Step))
async def test_a_disk_without_room_leaves_the_old_database(machine: Machine, at: Step) -> None:
    made = await machine.filled()
    target = Target(machine.database, machine.backups, ring(), ErasedList(ring(), machine.lists))

    def full(step: Step, done: int, whole: int) -> None:
        if step is at:
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageUnavailable, match="No space left on device"):
        put_back(made.path, target, LATER, force=True, tell=full)

    assert not restoring(machine.database).exists()
    assert not list(machine.backups.glob("*.part"))
    assert await machine.sessions() == [SESSION, {"later": 1}]


async def test_a_database_of_which_only_the_log_is_left_is_put_aside_too(machine: Machine) -> None:
    made = await machine.filled()
    machine.loses_its_database()
    machine.database.with_name("hipwise.db-wal").write_bytes(b"all that is left")

    aside = machine.restores(made.path).aside

    assert aside is not None
    assert aside.read_bytes() == b"all that is left"
    assert await machine.sessions() == [SESSION, SESSION]


# ---------------------------------------------------------------- killing

DRIVER = """
import os, signal, sys
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from core.storage import Step
import test_restore

def dies(*args, **kw):
    os.kill(os.getpid(), signal.SIGKILL)

{how}
test_restore.killed_restore(Path(sys.argv[1]), Path(sys.argv[2]), at)
"""

AT_A_STEP = "at = {0!r}"
AROUND_A_CALL = """
at, real, calls = None, {call}, [0]
def killed(*args, **kw):
    calls[0] += 1
    if calls[0] < {number}: return real(*args, **kw)
    if {after}: real(*args, **kw)
    dies()
{call} = killed
"""

CALLS = {"Path.replace": (1, 2, 3), "Path.unlink": (5, 6, 7), "os.fsync": (1, 2, 3, 4, 5)}
"""Which of them a restore makes; the first four of Path.unlink find nothing to remove."""
KILLS = [
    *(AT_A_STEP.format(step.value) for step in Step),
    *(
        AROUND_A_CALL.format(call=call, number=number, after=after)
        for call, numbers in CALLS.items()
        for number in numbers
        for after in (False, True)
    ),
]


def killed_restore(folder: Path, backup: Path, at: str | None) -> None:
    """Restore in this process, which is killed at a step."""
    machine = Machine(folder)
    target = Target(machine.database, machine.backups, ring(), ErasedList(ring(), machine.lists))

    def tell(step: Step, done: int, whole: int) -> None:
        if step.value == at:
            os.kill(os.getpid(), signal.SIGKILL)

    put_back(backup, target, LATER, force=True, tell=tell)


@pytest.mark.prove
@pytest.mark.parametrize("database", ["sound", "damaged"])
@pytest.mark.parametrize("how", KILLS, ids=lambda how: " ".join(how.split())[:90])
async def test_a_restore_killed_at_any_step_leaves_the_old_or_the_new_database(
    machine: Machine, tmp_path: Path, how: str, database: str
) -> None:
    made = await machine.filled()
    async with machine.store() as kept:
        member = (await kept.load(ANNA)).member or ""
        await kept.forget(member)
        await kept.save_turn(BEN, Change({"in the log": 1}, PLAIN))
        copy = {path.name: path.read_bytes() for path in machine.database.parent.iterdir() if path.is_file()}
    for name, raw in copy.items():  # with a log, as a hard kill leaves it
        (machine.database.parent / name).write_bytes(raw)
    if database == "damaged":
        damage(machine.database)

    driver = [sys.executable, "-c", DRIVER.format(how=how), str(tmp_path), str(made.path), *sys.path]
    ended = await asyncio.to_thread(subprocess.run, driver, check=False, timeout=60, capture_output=True, text=True)

    # A damaged database has a log to be put aside as well, and so one rename more.
    assert ended.returncode == -signal.SIGKILL or (database == "sound" and "Path.replace" in how), ended.stderr
    assert machine.database.exists()
    try:
        assert await machine.sessions() in ([None, SESSION], *([[None, {"in the log": 1}]] if database == "sound" else []))
        assert not restoring(machine.database).exists()
    except Corrupt:
        assert database == "damaged"
    machine.restores(made.path, force=True)
    assert await machine.sessions() == [None, SESSION]
    assert member.encode() not in machine.raw()
    with closing(sqlite3.connect(machine.database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# ---------------------------------------------------------------- the commands


def hipwise(home: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "bots", *words]
    env = environment(home, HIPWISE_KEYS="a:" + "A" * 43 + "=", **more)
    return subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=20)  # noqa: S603


async def lives(home: Path) -> Machine:
    """Return the machine of a home folder, with a database in it."""
    machine = Machine(home)
    machine.database = home / ".local" / "share" / "hipwise" / "hipwise.db"
    machine.backups = machine.database.parent / "backups"
    machine.lists = lists_in(machine.backups, None)
    keys = KeyRing.parse("a:" + "A" * 43 + "=")
    async with Store(machine.database, keys, lambda: NOON, erased=ErasedList(keys, machine.lists)) as kept:
        await kept.save_turn(Address("telegram", "1"), Change(SESSION, PLAIN))
    return machine


async def test_hipwise_backup_says_where_it_is_and_hipwise_restore_puts_it_back(tmp_path: Path) -> None:
    machine = await lives(tmp_path)

    backed_up = await asyncio.to_thread(hipwise, tmp_path, "backup")
    (backup,) = machine.backups.glob("*.db")
    machine.loses_its_database()
    restored = await asyncio.to_thread(hipwise, tmp_path, "restore", str(backup))

    assert (backed_up.returncode, backed_up.stderr) == (0, "")
    assert str(backup) in backed_up.stdout
    assert "off this machine" in backed_up.stdout
    assert (restored.returncode, restored.stderr) == (0, "")
    assert restored.stdout == f"Put back: {backup} (members: 1; erased again: 0)\n"
    assert machine.database.exists()


async def test_backups_go_where_they_are_told_to(tmp_path: Path) -> None:
    await lives(tmp_path)

    done = await asyncio.to_thread(hipwise, tmp_path, "backup", HIPWISE_BACKUPS=str(tmp_path / "stick"))

    assert done.returncode == 0
    assert len(list((tmp_path / "stick").glob("hipwise-*.db"))) == 1


@pytest.mark.parametrize("words", [("backup",), ("restore", "nowhere.db")])
async def test_where_there_is_nothing_the_commands_say_so_and_make_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = await asyncio.to_thread(hipwise, tmp_path, *words)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "There is no" in done.stderr
    assert not (tmp_path / ".local").exists()


async def test_a_key_file_among_the_backups_is_refused(tmp_path: Path) -> None:
    await lives(tmp_path)
    keys = tmp_path / "stick" / "keys"
    more = {"HIPWISE_KEYS": "", "HIPWISE_KEY_FILE": str(keys), "HIPWISE_BACKUPS": str(keys.parent)}
    env = environment(tmp_path, **more)
    line = [sys.executable, "-m", "bots", "backup"]
    done = await asyncio.to_thread(
        subprocess.run, line, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=20
    )

    assert done.returncode == 2
    assert "may not be in the backups' folder" in done.stderr


@pytest.mark.parametrize(
    ("terminal", "shown"),
    [
        (True, ["Copying the backup: 0 %", "Copying the backup: 40 %", "Copying the backup: 100 %", "Checking it ..."]),
        (False, []),
    ],
)
def test_a_terminal_is_shown_how_far_it_is_and_a_pipe_is_not(
    terminal: bool, shown: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    tell = command._teller()
    for done in (9, 49, 49, 40, 100):
        tell(Step.COPY, done, 100)
    tell(Step.CHECK, 0, 1)

    assert capsys.readouterr().out.splitlines() == shown


@pytest.mark.parametrize(
    ("restored", "out", "err"),
    [
        (Restored(3, 0, 1, 0, None), ["Put back: b.db (members: 3; erased again: 1)"], []),
        (
            Restored(3, 2, 0, 1, Path("aside.db")),
            ["Put back: b.db (members: 3; erased again: 0)", "What was there before is kept for 30 days: aside.db"],
            ["Members whose key was damaged when the backup was made: 2.", "do not open: 1."],
        ),
    ],
)
def test_what_was_done_is_said_and_what_must_be_looked_at_beside(
    restored: Restored, out: list[str], err: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command._say(Path("b.db"), restored)
    said = capsys.readouterr()

    assert said.out.splitlines() == out
    assert all(part in said.err for part in err)
    assert bool(said.err) == bool(err)
