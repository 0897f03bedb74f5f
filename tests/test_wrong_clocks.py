"""Whatever is done to the clock or to the platform, nothing comes twice, at a wrong time or in a burst, and nothing is lost.

Members with random schedules, with all of Hipwise around them. What is owed says the same oracle as in test_schedules.py;
a clock that is put forward leaves minutes out that nobody lives through, one that is put back has some lived through twice.
"""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from core.diary import Rhythm
from core.ledger import Delivery
from crowd import Crowd, came, crowd, schedules
from schedules import DAY, HOUR, SILENT, STARTS, Oracle, Schedule

MEMBERS = 150

pytestmark = pytest.mark.prove


def quiet_ones(start: datetime, days: float) -> list[Schedule]:
    """Return schedules of people who only answer, and live so many days."""
    return [replace(s, told=(), pause=None, lives=int(days * DAY)) for s in schedules(MEMBERS, start)]


def late(world: Crowd, at: int, within: int) -> Sequence[int]:
    """Return how many messages that were due well before a minute came to each member soon after it."""
    return [
        sum(
            at <= (when - world.start).total_seconds() / 60 < at + within
            and (delivery.until is not None and (delivery.due - world.start).total_seconds() / 60 < at - 10)
            for when, delivery in messages
        )
        for _, messages in world.messages
    ]


@pytest.mark.parametrize("in_sends", [False, True], ids=["between", "in a send"])
@pytest.mark.parametrize("start", STARTS[:4], ids=lambda start: f"{start:%Y-%m-%d}")
async def test_a_clock_that_is_put_back_an_hour_changes_nothing(tmp_path: Path, start: datetime, *, in_sends: bool) -> None:
    chance = random.Random(f"back {start} {in_sends}")
    steps = [(at, -HOUR) for at in sorted(chance.sample(range(HOUR, 3 * DAY, 2 * HOUR), 6))]
    lived = schedules(MEMBERS, start)
    if in_sends:  # an answer given before a question's time, by the clock as it is by then, would answer something else
        lived = [replace(schedule, answers=SILENT) for schedule in lived]
    async with crowd(tmp_path, lived, steps=steps, in_sends=in_sends) as world:
        await world.lives()
        assert world.steps == []
        assert world.faults()[:2] == []
        await world.holds()


@pytest.mark.parametrize("by", [HOUR, 40 * DAY], ids=["an hour", "40 days"])
@pytest.mark.parametrize("start", STARTS[:4], ids=lambda start: f"{start:%Y-%m-%d}")
async def test_what_a_clock_that_is_put_forward_leaves_out_comes_if_its_window_is_open(
    tmp_path: Path, start: datetime, by: int
) -> None:
    at = random.Random(f"forward {start} {by}").randrange(HOUR, 2 * DAY)
    async with crowd(tmp_path, quiet_ones(start, 3 + by / DAY), steps=[(at, by)]) as world:
        before = await world.store.tallies()
        await world.lives()
        assert world.steps == []
        assert world.faults(gap=(at, at + by))[:2] == []
        assert max(late(world, at + by, 2 * HOUR)) <= 1
        tallies = await world.holds()
    if by > DAY:
        assert tallies.skipped > before.skipped


@pytest.mark.parametrize("start", STARTS[:6], ids=lambda start: f"{start:%Y-%m-%d}")
async def test_however_often_and_whenever_the_clock_is_set_nothing_comes_twice_or_at_a_wrong_time(
    tmp_path: Path, start: datetime
) -> None:
    chance = random.Random(f"any {start}")
    steps = [(chance.randrange(HOUR, 2 * DAY), chance.choice((-HOUR, HOUR, -HOUR, HOUR, 2 * DAY))) for _ in range(8)]
    steps.append((3 * DAY, 40 * DAY))
    lived = [replace(s, told=(), pause=None, lives=45 * DAY) for s in schedules(MEMBERS, start)]
    async with crowd(tmp_path, lived, steps=sorted(steps), in_sends=True, everything=True) as world:
        await world.lives()
        assert world.steps == []
        await world.holds()
        occasions = {delivery.reply["occasion"] for _, messages in world.messages for _, delivery in messages}
        assert occasions >= {"checkin", "morning"}  # and what there is still time for


@pytest.mark.parametrize("start", STARTS[1:3], ids=lambda start: f"{start:%Y-%m-%d}")
async def test_after_three_days_without_the_platform_one_message_comes_and_what_is_too_late_is_counted(
    tmp_path: Path, start: datetime
) -> None:
    down = (6 * HOUR, 6 * HOUR + 3 * DAY)
    lived = [replace(s, rhythm=Rhythm.EACH_RUN, ignored=0) for s in quiet_ones(start, 4)[: MEMBERS // 2]]
    async with crowd(tmp_path, lived, down=down) as world:
        await world.lives()
        assert world.faults(gap=down)[:2] == []
        assert max(late(world, down[1], 2 * HOUR)) <= 1
        assert (await world.holds()).skipped > 0


# ---------------------------------------------------------------- The disk


class Disk(sqlite3.Connection):
    """A database on a disk that may be full: then every third change fails, and with some of them SQLite undoes the rest."""

    full = False
    chance = random.Random(0)

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement."""
        if Disk.full and statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE", "COMMIT")) and Disk.chance.random() < 0.3:
            if self.in_transaction and Disk.chance.random() < 0.3:
                super().execute("ROLLBACK")
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().execute(statement, *values)


@pytest.mark.parametrize("start", STARTS[:4], ids=lambda start: f"{start:%Y-%m-%d}")
async def test_while_the_disk_is_full_nothing_is_sent_without_a_claim_on_it_and_then_it_goes_on(
    tmp_path: Path, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes, claims, of = 8, list[str](), attrgetter("occasion", "at")

    def fills(at: int) -> None:
        Disk.full = at > 0 and at % 15 < minutes

    def looks(delivery: Delivery) -> None:
        with closing(sqlite3.connect(tmp_path / "hipwise.db", factory=sqlite3.Connection)) as db:
            claims.extend(state for (state,) in db.execute("SELECT state FROM outbox WHERE id = ?", (delivery.id,)))

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Disk))
    lived = [replace(schedule, answers=SILENT) for schedule in quiet_ones(start, 3)[:100]]
    async with crowd(tmp_path, lived, each_minute=fills, each_send=looks) as world:
        try:
            await world.lives()
        finally:
            Disk.full = False
        tallies = await world.store.tallies()
        for schedule, messages in world.messages:
            got, owed = (sorted(each, key=of) for each in (came(start, messages), Oracle(schedule).expected()))
            oracle = Oracle(schedule)
            if any(each.until - each.at < minutes or oracle.is_quiet(each.at + minutes) for each in owed):
                continue  # its window was over before there was room, or what was left of it was quiet hours
            assert [each.occasion for each in got] == [each.occasion for each in owed]
            assert all(0 <= each.at - once.at <= minutes for each, once in zip(got, owed, strict=True))

    sent = sum(len(messages) for _, messages in world.messages)
    assert set(claims) == {"claimed"}
    assert len(claims) == sent == tallies.sent + tallies.claimed
    assert tallies.claimed > 0  # of some it could not be noted that they were sent
    assert tallies.conserved
    assert tallies.unknown == tallies.dropped == 0
