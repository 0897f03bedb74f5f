"""A backup is one file that opens, made while turns go on; old ones go in their time."""

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chat import Clock
from core.members import Address
from core.ownership import BACKUP_DAYS
from core.record import Change
from core.storage import Backup, Copy, Corrupt, StorageUnavailable, Store, back_up_if_due, copies_of, retention
from core.storage import backup as module
from core.storage.book import Book
from core.storage.copies import backup_path, outdated, replaced_path
from core.storage.soundness import contents, readable
from fakes import ANNA, BEN, NOON, PLAIN, owed, ring, store

CANARY = "canary-between-the-ribs"
SESSION = {"format": 1, "answers": [CANARY]}
posix_only = pytest.mark.skipif(os.name != "posix", reason="files have such modes only there")


def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


async def filled(kept: Store, members: int = 50) -> None:
    await asyncio.gather(
        *(kept.save_turn(Address("telegram", str(n)), Change(SESSION, PLAIN, [owed()])) for n in range(members))
    )


async def in_place(tmp_path: Path, made: Backup) -> Store:
    """Return a store of another folder whose database is the backup, yet to be opened."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "hipwise.db").write_bytes(made.path.read_bytes())
    return store(tmp_path / "elsewhere", expected=True)


class Held:
    """The progress of a backup that goes no further than its first pages until it is let go."""

    def __init__(self) -> None:
        self._began, self._go_on = threading.Event(), threading.Event()

    def __call__(self, done: int, whole: int) -> None:
        self._began.set()
        assert self._go_on.wait(20)

    async def began(self) -> None:
        assert await asyncio.to_thread(self._began.wait, 20)

    def let_go(self) -> None:
        self._go_on.set()


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy few pages at once, so that a small database takes many steps."""
    monkeypatch.setattr(module, "PAGES_AT_ONCE", 4)


# ---------------------------------------------------------------- making one


async def test_a_backup_opens_as_a_database_with_all_that_was_kept(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await filled(kept)
        made = await kept.back_up(folder(tmp_path))
        counts = await kept.tallies()

    assert made.path == folder(tmp_path) / "hipwise-20261123T120000Z.db"
    assert (made.bytes, made.time, made.members, made.unreadable) == (made.path.stat().st_size, NOON, 50, 0)
    async with await in_place(tmp_path, made) as kept:
        assert (await kept.load(Address("telegram", "7"))).session == SESSION
        assert await kept.tallies() == counts


async def test_a_backup_is_one_file_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await filled(kept)
        made = await kept.back_up(folder(tmp_path))

    assert list(folder(tmp_path).iterdir()) == [made.path]
    with closing(readable(made.path)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert list(folder(tmp_path).iterdir()) == [made.path]


@posix_only
async def test_a_backup_is_for_this_user_only(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        async with store(tmp_path) as kept:
            made = await kept.back_up(folder(tmp_path))
    finally:
        os.umask(umask)

    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700


async def test_nothing_personal_can_be_read_from_a_backup(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN, [owed(text=CANARY)]))
        made = await kept.back_up(folder(tmp_path))

    raw = made.path.read_bytes()
    assert [told for told in (CANARY, ANNA.id) if told.encode() in raw] == []


async def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    async with store(tmp_path) as kept:
        await filled(kept)
        await kept.back_up(folder(tmp_path), lambda done, whole: told.append((done, whole)))

    assert len(told) > 3
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


# ---------------------------------------------------------------- while turns go on


async def test_turns_go_on_while_a_backup_is_made_and_it_shows_the_moment_it_began(tmp_path: Path) -> None:
    held = Held()
    async with store(tmp_path) as kept:
        await filled(kept)
        making = asyncio.create_task(kept.back_up(folder(tmp_path), held))
        await held.began()

        # The copy stands still in the middle: would a turn wait for it, this would never end.
        await asyncio.gather(*(kept.save_turn(Address("discord", str(n)), Change(SESSION, PLAIN, [owed()])) for n in range(64)))
        await kept.save_turn(Address("telegram", "7"), Change({"later": 1}, PLAIN))
        assert not making.done()
        held.let_go()
        made = await making

    assert made.members == 50
    async with await in_place(tmp_path, made) as kept:
        assert (await kept.load(Address("telegram", "7"))).session == SESSION
        assert (await kept.tallies()).open == 50


async def test_a_backup_of_a_store_that_64_write_to_is_consistent(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await filled(kept, 64)
        busy = True

        async def writes(n: int) -> int:
            turn = 0
            while busy:
                turn += 1
                await kept.save_turn(Address("telegram", str(n)), Change({"turn": turn}, PLAIN, [owed()]))
            return turn

        writers = [asyncio.create_task(writes(n)) for n in range(64)]
        made = [await kept.back_up(folder(tmp_path)) for _ in range(3)]
        busy = False
        turns = await asyncio.gather(*writers)

    assert min(turns) >= 1
    async with await in_place(tmp_path, made[-1]) as kept:
        sessions = [(await kept.load(Address("telegram", str(n)))).session for n in range(64)]
        counts = await kept.tallies()
        # No half turn: as many replies as turns, and those of the first of each member.
        assert counts.open == sum(session["turn"] for session in sessions if session and "turn" in session) + 64
        assert counts.conserved


async def test_an_erasure_waits_for_the_copy_and_then_leaves_no_byte_in_the_log(tmp_path: Path) -> None:
    held = Held()
    async with store(tmp_path) as kept:
        await filled(kept)
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
        member = (await kept.load(ANNA)).member or ""
        making = asyncio.create_task(kept.back_up(folder(tmp_path), held))
        await held.began()
        erasing = asyncio.create_task(kept.forget(member))
        for _ in range(5):
            await kept.save_turn(BEN, Change(SESSION, PLAIN))

        assert not erasing.done()
        held.let_go()
        await asyncio.gather(erasing, making)
        assert (await kept.load(ANNA)).member is None
        assert (tmp_path / "hipwise.db-wal").stat().st_size == 0


async def test_a_purge_waits_for_the_copy_with_emptying_the_log(tmp_path: Path) -> None:
    held = Held()
    async with store(tmp_path) as kept:
        await filled(kept)
        making = asyncio.create_task(kept.back_up(folder(tmp_path), held))
        await held.began()
        purging = asyncio.create_task(kept.purge(NOON + timedelta(days=2)))
        while (await kept.load(Address("telegram", "7"))).session is not None:
            await kept.save_turn(BEN, Change(SESSION, PLAIN))
        for _ in range(20):
            await kept.load(BEN)

        assert not purging.done()
        held.let_go()
        assert (await purging)["sessions"] >= 50
        await making
        assert (tmp_path / "hipwise.db-wal").stat().st_size == 0


async def test_the_backups_own_connection_never_writes(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await filled(kept)
        log = (tmp_path / "hipwise.db-wal").stat().st_size
        await kept.back_up(folder(tmp_path))

        assert (tmp_path / "hipwise.db-wal").stat().st_size == log > 0
        with closing(readable(tmp_path / "hipwise.db")) as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.execute("DELETE FROM members")


async def test_two_backups_at_once_are_made_one_after_the_other(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await filled(kept)
        first, second = await asyncio.gather(kept.back_up(folder(tmp_path)), kept.back_up(folder(tmp_path)))

    assert first == second  # of the same second, and so of the same name
    assert list(folder(tmp_path).iterdir()) == [second.path]
    async with await in_place(tmp_path, second) as kept:
        assert (await kept.tallies()).open == 50


@pytest.mark.parametrize("when", ["while it copies", "while it is checked"])
async def test_a_backup_that_is_called_off_leaves_nothing_and_the_next_is_made(
    tmp_path: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held()

    def lengthy(db: sqlite3.Connection, *_: object) -> None:
        held(0, 1)
        db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n").fetchone()

    async with store(tmp_path) as kept:
        await filled(kept)
        if when == "while it is checked":
            monkeypatch.setattr(module, "contents", lengthy)
            monkeypatch.setattr(module, "STEPS_AT_ONCE", 10)
        making = asyncio.create_task(kept.back_up(folder(tmp_path), held if when == "while it copies" else None))
        await held.began()
        making.cancel()
        await asyncio.sleep(0)
        held.let_go()

        with pytest.raises(asyncio.CancelledError):
            await making
        assert list(folder(tmp_path).iterdir()) == []
        monkeypatch.undo()
        assert (await kept.back_up(folder(tmp_path))).members == 50


# ---------------------------------------------------------------- where none can be made


async def test_what_a_killed_backup_left_is_removed_by_the_next(tmp_path: Path) -> None:
    folder(tmp_path).mkdir()
    part = folder(tmp_path) / "hipwise-20261122T080000Z.db.part"
    others = folder(tmp_path) / "other-20261122T080000Z.db.part"
    for left in (part, part.with_name(part.name + "-journal"), others):
        left.write_bytes(b"half")
    async with store(tmp_path) as kept:
        made = await kept.back_up(folder(tmp_path))

    assert set(folder(tmp_path).iterdir()) == {made.path, others}


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder(tmp_path).write_text("a file where a folder should be")
    async with store(tmp_path) as kept:
        with pytest.raises(StorageUnavailable, match=r"No backup was made: .*backups cannot be written"):
            await kept.back_up(folder(tmp_path))
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))


async def test_a_disk_without_room_is_named_and_no_backup_is_lost_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store(tmp_path) as kept:
        await filled(kept)
        earlier = await kept.back_up(folder(tmp_path))
    connect = sqlite3.connect

    def of_a_full_disk(*args: Any, **more: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(*args, **more)
        if str(args[0]).endswith(".part"):
            db.execute("PRAGMA max_page_count = 3")
        return db

    async with store(tmp_path, now=NOON + timedelta(hours=1)) as kept:
        monkeypatch.setattr(sqlite3, "connect", of_a_full_disk)
        with pytest.raises(StorageUnavailable, match="no room left on the disk"):
            await kept.back_up(folder(tmp_path))
        monkeypatch.undo()

    assert list(folder(tmp_path).iterdir()) == [earlier.path]


def garble(part: Path) -> None:
    """Overwrite the last page with rows in it."""
    raw = part.read_bytes()
    part.write_bytes(raw[: -8 * 4096] + bytes([255]) * 4096 + raw[-7 * 4096 :])


def lose_a_row(part: Path) -> None:
    with closing(sqlite3.connect(part, isolation_level=None)) as db:
        db.execute("DELETE FROM members WHERE id = (SELECT MIN(member) FROM sessions)")


def lose_the_house(part: Path) -> None:
    with closing(sqlite3.connect(part, isolation_level=None)) as db:
        db.execute("DELETE FROM house")


def change_the_house(part: Path) -> None:
    with closing(sqlite3.connect(part, isolation_level=None)) as db:
        db.execute("UPDATE house SET lookup = zeroblob(61)")


def change_the_houses_key(part: Path) -> None:
    with closing(sqlite3.connect(part, isolation_level=None)) as db:
        db.execute("UPDATE keys SET wrapped = zeroblob(61) WHERE owner = (SELECT id FROM house)")


@pytest.mark.parametrize("spoil", [garble, lose_a_row, lose_the_house, change_the_house, change_the_houses_key])
async def test_a_copy_that_is_not_sound_never_becomes_a_backup(
    tmp_path: Path, spoil: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = module.copied

    def spoilt(*args: Any) -> Path:
        part = copied(*args)
        spoil(part)
        return part

    async with store(tmp_path) as kept:
        await filled(kept)
        monkeypatch.setattr(module, "copied", spoilt)
        with pytest.raises(StorageUnavailable, match=r"damaged|was sealed with"):
            await kept.back_up(folder(tmp_path))

    assert list(folder(tmp_path).iterdir()) == []


def damage_keys(book: Book, how_many: int) -> int:
    """Damage the keys of so many members; the house's own stays whole."""
    others = "SELECT owner FROM keys WHERE owner <> ? ORDER BY owner DESC LIMIT ?"
    return book.run(f"UPDATE keys SET wrapped = x'00' WHERE owner IN ({others})", book.house, how_many)  # noqa: S608 - our words


async def test_a_members_damaged_key_is_counted_and_does_not_stop_backups(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with store(tmp_path) as kept:
        await filled(kept, 3)
        await kept._write(lambda book: damage_keys(book, 1))
        made = await kept.back_up(folder(tmp_path))

    assert (made.members, made.unreadable) == (3, 1)
    assert [vars(r)["count"] for r in caplog.records if r.msg == "backup.unreadable"] == [1]


async def test_only_so_many_keys_are_unwrapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.storage.soundness.KEYS_CHECKED", 2)
    async with store(tmp_path) as kept:
        await filled(kept, 5)
        await kept._write(lambda book: damage_keys(book, 5))
        made = await kept.back_up(folder(tmp_path))

    assert made.members == 5
    assert made.unreadable in (1, 2)  # the house's may be one of the two


def test_what_a_copy_holds_is_looked_at_with_its_keys(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "empty.db")) as db, pytest.raises(Corrupt, match="holds nothing"):
        contents(db, tmp_path / "empty.db", ring())


# ---------------------------------------------------------------- which stay


def backups(*times: datetime) -> tuple[Copy, ...]:
    return tuple(Copy(Path(f"{time:%Y%m%d%H}"), time) for time in times)


def staying(found: tuple[Copy, ...], now: datetime) -> list[datetime]:
    gone = outdated(found, now)
    return sorted(copy.time for copy in found if copy not in gone)


def at(day: int, hour: int = 8, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


MONDAY = at(23, 12)
"""NOON of the other tests is a Monday too."""


@pytest.mark.parametrize(
    ("made", "stay"),
    [
        # the newest of a day
        ([at(23, 6), at(23, 7), at(23, 8)], [at(23, 8)]),
        # seven days, today with them; of the eighth the newest of its week
        ([at(day) for day in range(16, 24)], [at(day) for day in range(17, 24)]),
        ([at(day) for day in range(15, 24)], [at(15), *(at(day) for day in range(17, 24))]),
        # weeks end on Sundays, and four of them stay: of 2 to 8, 9 to 15, 16 to 22, and this one
        ([at(2), at(4), at(8), at(9), at(15), at(16)], [at(8), at(15), at(16)]),
        # the fifth week does not, and nothing that is older than 30 days
        ([at(1), at(8)], [at(8)]),
        # a clock that was ahead decides nothing
        ([at(23), at(24), at(9, month=12)], [at(23), at(24), at(9, month=12)]),
        ([], []),
    ],
)
def test_the_newest_of_seven_days_and_four_weeks_stay(made: list[datetime], stay: list[datetime]) -> None:
    assert staying(backups(*made), MONDAY) == stay


def test_a_year_of_daily_backups_always_leaves_seven_days_and_four_weeks() -> None:
    kept: list[datetime] = []
    for day in range(400):
        now = datetime(2026, 11, 2, 3, tzinfo=UTC) + timedelta(days=day)
        kept = staying(backups(*kept, now), now)
        dates = {time.date() for time in kept}
        weeks = {(date.toordinal(d) - 1) // 7 for d in dates}
        this_week = (date.toordinal(now.date()) - 1) // 7
        if day >= 28:
            assert {now.date() - timedelta(days=n) for n in range(7)} <= dates
            assert {this_week - n for n in range(4)} == weeks
        assert len(kept) <= 7 + 4
        assert now - kept[0] <= timedelta(days=BACKUP_DAYS)


def test_a_database_that_was_put_aside_stays_for_30_days() -> None:
    aside = (Copy(Path("a"), MONDAY - timedelta(days=30), replaced=True), Copy(Path("b"), MONDAY, replaced=True))

    assert outdated(aside, MONDAY) == ()
    assert outdated(aside, MONDAY + timedelta(minutes=1)) == aside[:1]


def test_members_are_told_how_long_backups_stay() -> None:
    assert timedelta(days=BACKUP_DAYS) == retention.BACKUP


async def test_old_backups_are_removed_with_the_next_and_nothing_else_is(tmp_path: Path) -> None:
    database = tmp_path / "hipwise.db"
    folder(tmp_path).mkdir()
    old = [backup_path(folder(tmp_path), database, NOON - timedelta(days=days)) for days in (31, 40)]
    old += [folder(tmp_path) / f"hipwise-20260101T080000Z-replaced.db{suffix}" for suffix in ("", "-wal")]
    others = [folder(tmp_path) / name for name in ("erased", "other-20200101T000000Z.db", "hipwise-20260231T000000Z.db")]
    others.append(replaced_path(folder(tmp_path), database, NOON - timedelta(days=2)))
    for path in (*old, *others):
        path.write_bytes(b"x")
    async with store(tmp_path) as kept:
        made = await kept.back_up(folder(tmp_path))

    assert set(folder(tmp_path).iterdir()) == {made.path, *others}
    assert [copy.path for copy in copies_of(folder(tmp_path), database)] == [made.path, others[-1]]


async def test_old_backups_go_even_where_no_new_one_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path).mkdir()
    old = backup_path(folder(tmp_path), tmp_path / "hipwise.db", NOON - timedelta(days=31))
    old.write_bytes(b"x")

    def fails(*_: object) -> Path:
        raise StorageUnavailable("no room")

    monkeypatch.setattr(module, "copied", fails)
    async with store(tmp_path) as kept:
        with pytest.raises(StorageUnavailable):
            await kept.back_up(folder(tmp_path))

    assert not old.exists()


# ---------------------------------------------------------------- every day


async def test_there_is_a_backup_of_every_day(tmp_path: Path) -> None:
    clock, made = Clock(NOON), []
    async with Store(tmp_path / "hipwise.db", ring(), clock) as kept:
        for _ in range(24 * 3):
            if await back_up_if_due(kept, folder(tmp_path), clock()):
                made.append(clock())
            clock.moves(hours=1)

    assert made == [NOON, *(datetime(2026, 11, day, tzinfo=UTC) for day in (24, 25, 26))]


async def test_a_daily_backup_that_fails_is_logged_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder(tmp_path).write_text("a file where a folder should be")
    async with store(tmp_path) as kept:
        assert [await back_up_if_due(kept, folder(tmp_path), NOON) for _ in range(3)] == [None] * 3
        assert [record.msg for record in caplog.records if record.levelname == "ERROR"] == ["backup.failed"] * 3

        folder(tmp_path).unlink()
        assert await back_up_if_due(kept, folder(tmp_path), NOON) is not None
        assert await back_up_if_due(kept, folder(tmp_path), NOON) is None
