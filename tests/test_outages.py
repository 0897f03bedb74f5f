"""Whoever runs a club learns that nothing could be sent for a day: once, and only after it works again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chat import Clock
from core.errors import Gone, OutOfReach, Refused, RetryLater, StorageUnavailable, Unreachable
from core.ledger import Delivery, Kind
from core.members import Address
from core.outages import Outages, log_over
from core.outreach import Outreach
from core.sending import Outage, Sending
from core.storage import Store
from fakes import NOON, owed, ring

ANNA = Address("small", "anna")
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def over(since: float, until: float) -> Outage:
    return Outage("small", at(since), at(until))


@dataclass
class Club:
    """A store, a platform that fails with what it is told to, and what was told of outages."""

    store: Store
    clock: Clock
    told: list[Outage] = field(default_factory=list)
    fails: Exception | None = None
    telling: Exception | None = None
    notes: int = 0

    def __post_init__(self) -> None:
        self.starts()

    def starts(self) -> None:
        """Begin a new process on the same store."""
        self.outages = Outages(self, ("small",), self._tell)
        self.outreach = Outreach(self.store, {"small": self}, self.clock, sleep=self._sleep, watch=self.outages)

    async def lives(self, *hours: float) -> None:
        """Go on to each time, with the job of every hour on the way."""
        for hour in hours:
            while self.clock.at < at(hour):
                self.clock.at = min(self.clock.at + HOUR, at(hour))
                await self.outages.alive(self.clock.at)

    async def tries(self, fails: Exception | None = None) -> None:
        """Have something sent, once; what would be tried again waits for the next time."""
        self.fails = fails
        self.outreach.send(await self.store.plan(ANNA, [owed(Kind.TIP, f"{self.clock.at}")]))
        await self.outreach.done()

    async def send(self, _delivery: Delivery) -> str | None:
        """Take a message, or fail."""
        if self.fails is not None:
            raise self.fails
        return "1"

    async def sending(self, platform: str) -> Sending | None:
        """Return what the store has, as it does."""
        return await self.store.sending(platform)

    async def keep_sending(self, sending: Sending) -> None:
        """Keep it in the store, and count how often."""
        self.notes += 1
        await self.store.keep_sending(sending)

    async def _tell(self, outage: Outage) -> None:
        if self.telling is not None:
            raise self.telling
        self.told.append(outage)

    async def _sleep(self, seconds: float) -> None:
        self.clock.moves(seconds=seconds)
        raise StorageUnavailable("It is left for the next time.")


@pytest.fixture
async def club(tmp_path: Path) -> AsyncIterator[Club]:
    """Give a club whose bot has just begun to run."""
    clock = Clock(NOON)
    async with Store(tmp_path / "hipwise.db", ring(), clock) as store:
        club = Club(store, clock)
        await club.outages.alive(clock.at)
        yield club
        assert (await store.tallies()).conserved


DOWN = [OutOfReach(3.0), ConnectionResetError(), TimeoutError()]
ANSWERED = [RetryLater(60.0), Refused(), Unreachable(), Gone()]


@pytest.mark.parametrize("error", DOWN, ids=repr)
async def test_a_day_without_reaching_the_platform_is_told_once_it_works(club: Club, error: Exception) -> None:
    await club.tries()
    for hour in (1, 2, 13, 25.5):
        await club.lives(hour)
        await club.tries(error)
        assert club.told == []
    await club.lives(26)
    await club.tries()
    await club.tries()

    assert club.told == [over(1, 25.5)]


async def test_less_than_a_day_is_told_to_nobody(club: Club) -> None:
    for hour in (1, 24.5):
        await club.lives(hour)
        await club.tries(OutOfReach(3.0))
    await club.tries()

    assert club.told == []


@pytest.mark.parametrize("error", [None, *ANSWERED], ids=repr)
async def test_whatever_the_platform_answered_ends_it(club: Club, error: Exception | None) -> None:
    for hour, fails in ((1, OutOfReach(3.0)), (13, error), (20, OutOfReach(3.0)), (30, OutOfReach(3.0)), (31, None)):
        await club.lives(hour)
        await club.tries(fails)

    assert club.told == []


async def test_one_try_that_failed_before_a_quiet_day_is_no_outage(club: Club) -> None:
    await club.lives(1)
    await club.tries(TimeoutError())
    await club.lives(40)
    await club.tries()

    assert club.told == []


async def test_a_machine_that_was_off_for_a_day_is_told_of(club: Club) -> None:
    await club.lives(5)
    club.clock.at = at(31)
    club.starts()
    await club.outages.alive(club.clock.at)
    await club.lives(33)
    await club.tries()
    await club.tries()

    assert club.told == [over(5, 31)]


async def test_a_night_off_is_told_to_nobody(club: Club) -> None:
    for hour in (1, 20, 40):
        club.clock.at = at(hour)
        club.starts()
        await club.outages.alive(club.clock.at)
    await club.tries()

    assert club.told == []


async def test_off_after_it_failed_is_one_outage_and_outlives_the_process(club: Club) -> None:
    await club.tries()
    await club.lives(3)
    await club.tries(OutOfReach(3.0))
    await club.lives(4)
    club.clock.at = at(40)
    club.starts()
    await club.outages.alive(club.clock.at)
    await club.tries(OutOfReach(3.0))
    club.starts()
    await club.lives(41)
    await club.tries()

    assert club.told == [over(3, 40)]


async def test_what_could_not_be_told_is_told_with_the_next_message(club: Club) -> None:
    await club.lives(1)
    await club.tries(OutOfReach(3.0))
    await club.lives(30)
    await club.tries(OutOfReach(3.0))
    club.telling = ValueError()
    await club.tries()
    assert (await club.store.tallies()).sent == 1
    club.telling = None
    await club.tries()
    await club.tries()

    assert club.told == [over(1, 30)]


async def test_a_storm_of_failures_costs_a_note_now_and_then(club: Club) -> None:
    before = club.notes
    for _ in range(100):
        club.clock.moves(seconds=10)
        await club.tries(OutOfReach(3.0))
    assert 1 <= club.notes - before <= 3

    await club.tries()
    before = club.notes
    for _ in range(100):
        await club.tries()
    assert club.notes == before


async def test_a_store_that_fails_hinders_no_message(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> None:
        raise StorageUnavailable("There is no room left on the disk.")

    monkeypatch.setattr(club, "keep_sending", full)
    await club.tries()
    await club.tries()
    await club.outages.alive(club.clock.at)

    assert (await club.store.tallies()).sent == 2


async def test_for_whoever_runs_it_the_log_has_it(caplog: pytest.LogCaptureFixture) -> None:
    await log_over(over(0, 25))

    (record,) = caplog.records
    assert (record.message, vars(record)["platform"], vars(record)["seconds"]) == ("outage.over", "small", 90_000.0)
