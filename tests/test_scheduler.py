"""Jobs run when they are due, whatever the clock does, and none is in another's way."""

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots import logs
from fakes import NOON, store
from scheduler import jobs, runner
from scheduler.jobs import HOURLY, Job, due
from scheduler.runner import Runner

FAST = timedelta(milliseconds=20)
MINUTE = timedelta(minutes=1)
DAILY = timedelta(days=1)


async def nothing(_now: datetime) -> None:
    """Do nothing."""


PURGE = Job("purge", HOURLY, nothing)
BACKUP = Job("backup", DAILY, nothing)


class Counted:
    """A job that remembers when it was done, and fails while it is told to."""

    def __init__(self, name: str = "purge", every: timedelta = HOURLY) -> None:
        self.times: list[datetime] = []
        self.fails = False
        self.job = Job(name, every, self)

    async def __call__(self, now: datetime) -> None:
        self.times.append(now)
        if self.fails:
            raise ZeroDivisionError("what went wrong")


class Clock:
    """A clock that goes on by itself, and can be put back or forward."""

    def __init__(self) -> None:
        self.off = timedelta()

    def now(self, _zone: object = None) -> datetime:
        return datetime.now(UTC) + self.off


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock of this machine, as far as the ticker and its library can see."""
    clock = Clock()

    class Shown(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return clock.now()

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Shown)
    monkeypatch.setattr("apscheduler.triggers.interval.datetime", Shown)
    monkeypatch.setattr(runner, "datetime", Shown)
    return clock


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Return what is logged from now on."""
    stream = io.StringIO()
    log = logging.getLogger("scheduler")
    handler = logs.Redacting(stream)
    handler.setFormatter(logs.Lines())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield stream
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


async def until(holds: Callable[[], object]) -> None:
    """Return once it holds."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - it looks from outside, as an operator would
            await asyncio.sleep(0.005)


# ---------------------------------------------------------------- what is due


@pytest.mark.parametrize(
    ("last", "names"),
    [
        ({}, ["purge", "backup"]),
        ({"purge": NOON, "backup": NOON}, []),
        ({"purge": NOON - HOURLY + MINUTE, "backup": NOON - DAILY + MINUTE}, []),
        ({"purge": NOON - HOURLY, "backup": NOON - DAILY + MINUTE}, ["purge"]),
        ({"purge": NOON - MINUTE, "backup": NOON - DAILY}, ["backup"]),
        ({"purge": NOON - 40 * DAILY, "backup": NOON}, ["purge"]),
        ({"purge": NOON + MINUTE, "backup": NOON + 40 * DAILY}, ["purge", "backup"]),
    ],
    ids=["never done", "just done", "almost", "an hour ago", "a day ago", "long ago", "the clock was put back"],
)
def test_a_job_is_due_once_its_time_has_passed_or_the_clock_was_put_back(last: dict[str, datetime], names: list[str]) -> None:
    assert [job.name for job in due((PURGE, BACKUP), last, NOON)] == names


@given(st.lists(st.timedeltas(timedelta(seconds=-90_000), timedelta(seconds=90_000)), max_size=60))
def test_whatever_the_clock_does_no_job_waits_longer_than_its_time_after_a_tick(steps: list[timedelta]) -> None:
    now, last = NOON, dict[str, datetime]()
    for step in steps:
        now += step
        for job in due((PURGE, BACKUP), last, now):
            last[job.name] = now

        assert all(timedelta() <= now - last[job.name] < job.every for job in (PURGE, BACKUP))


# ---------------------------------------------------------------- running


async def test_every_job_is_done_at_the_start_and_not_again_before_its_time() -> None:
    purge, backup = Counted(), Counted("backup", DAILY)
    async with Runner((purge.job, backup.job), lambda: NOON, tick=FAST) as running:
        await until(lambda: purge.times and backup.times)
        await asyncio.sleep(0.1)

    assert (purge.times, backup.times) == ([NOON], [NOON])
    assert (running.last("purge"), running.last("backup"), running.last("other")) == (NOON, NOON, None)


async def test_each_job_is_done_again_at_its_own_time() -> None:
    purge, backup, present = Counted(), Counted("backup", DAILY), [NOON]
    async with Runner((purge.job, backup.job), lambda: present[0], tick=FAST):
        await until(lambda: purge.times and backup.times)
        present[0] = NOON + HOURLY
        await until(lambda: len(purge.times) == 2)
        present[0] = NOON + DAILY
        await until(lambda: len(backup.times) == 2)

    assert purge.times == [NOON, NOON + HOURLY, NOON + DAILY]
    assert backup.times == [NOON, NOON + DAILY]


async def test_what_was_done_before_the_start_is_not_done_again() -> None:
    purge, backup = Counted(), Counted("backup", DAILY)
    async with Runner((purge.job, backup.job), lambda: NOON, last={"backup": NOON - HOURLY}, tick=FAST):
        await until(lambda: purge.times)
        await asyncio.sleep(0.05)

    assert backup.times == []


async def test_a_job_that_fails_is_logged_without_its_words_and_tried_again_at_the_next_tick(out: io.StringIO) -> None:
    purge, backup = Counted(), Counted("backup", DAILY)
    purge.fails = True
    async with Runner((purge.job, backup.job), lambda: NOON, tick=FAST) as running:
        await until(lambda: len(purge.times) > 2)
        assert running.last("purge") is None
        purge.fails = False
        await until(lambda: running.last("purge"))

    assert backup.times == [NOON]
    assert "ERROR job.failed error=ZeroDivisionError job=purge\n" in out.getvalue()
    assert "INFO job.done job=purge seconds=0.0" in out.getvalue()
    assert "what went wrong" not in out.getvalue()


async def test_a_job_that_takes_long_holds_up_no_other_and_is_not_begun_again() -> None:
    begun, purge, present = [NOON][:0], Counted(), [NOON]

    async def forever(now: datetime) -> None:
        begun.append(now)
        await asyncio.Event().wait()

    async with Runner((Job("backup", MINUTE, forever), purge.job), lambda: present[0], tick=FAST):
        await until(lambda: begun and purge.times)
        present[0] = NOON + HOURLY
        await until(lambda: len(purge.times) == 2)

    assert begun == [NOON]


async def test_leaving_cancels_what_is_under_way_and_nothing_is_begun_after() -> None:
    ended: list[str] = []

    async def forever(_now: datetime) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    purge, present = Counted(), [NOON]
    async with Runner((Job("backup", DAILY, forever), purge.job), lambda: present[0], tick=FAST):
        await until(lambda: purge.times)
    present[0] = NOON + 2 * DAILY
    await asyncio.sleep(0.1)

    assert ended == ["ended"]
    assert purge.times == [NOON]


async def test_a_tick_that_is_on_its_way_as_it_is_left_begins_nothing() -> None:
    class Left(Runner):
        async def __aexit__(self, *given: Any) -> None:
            tick = asyncio.create_task(self._start_due())  # its turn comes once leaving has begun
            await super().__aexit__(*given)
            await tick

    purge, present = Counted(), [NOON]
    async with Left((purge.job,), lambda: present[0], tick=timedelta(hours=1)):
        await until(lambda: purge.times)
        present[0] = NOON + DAILY
    await asyncio.sleep(0)

    assert purge.times == [NOON]


# ---------------------------------------------------------------- the clock


@pytest.mark.parametrize("step", [-40 * DAILY, -HOURLY, HOURLY, 40 * DAILY], ids=["back far", "back", "on", "on far"])
async def test_a_clock_that_was_put_right_holds_up_no_job(clock: Clock, step: timedelta) -> None:
    purge = Counted()
    async with Runner((purge.job,), clock.now, tick=FAST):
        await until(lambda: purge.times)
        clock.off = step
        await until(lambda: len(purge.times) == 2)
        await asyncio.sleep(0.1)

    assert len(purge.times) == 2


# ---------------------------------------------------------------- the table


async def test_the_store_is_purged_hourly_and_backed_up_daily(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        table = {job.name: job for job in jobs.upkeep(kept, tmp_path / "backups")}
        assert [(name, job.every) for name, job in table.items()] == [("purge", HOURLY), ("backup", HOURLY)]

        purged: Callable[[datetime], Awaitable[Any]] = table["purge"].what
        assert "sessions" in await purged(NOON)
        for _ in range(2):
            await table["backup"].what(NOON)

    assert [path.suffix for path in (tmp_path / "backups").iterdir()] == [".db"]
