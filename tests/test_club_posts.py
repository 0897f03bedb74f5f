"""What is posted in a club's channel: one neutral button for each run, by the club's clock, kept as all that is owed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import Clock, library
from core.calendar import weekly
from core.club import Club
from core.diary import Slot
from core.errors import Refused
from core.ledger import Delivery
from core.members import Address
from core.organising import post, told_of
from core.organising.posting import QUIET
from core.outreach import Outreach
from core.planning import Planning
from core.replies import reply_of
from core.sending import Outage
from core.storage import Store
from core.timetable import Timetable, worked_out
from core.wallclock import in_quiet, local
from fakes import ring
from scheduler.jobs import planning, posting

BERLIN = "Europe/Berlin"
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
SERVER = Address("discord", "guild/1")
words = library().words


def club(*at: tuple[int, time], zone: str = BERLIN, channel: str | None = "5") -> Club:
    """Return a club that posts, with a weekly run of an hour at each of these times."""
    runs = (weekly(Slot(day, clock), zone, name=f"Run {number}") for number, (day, clock) in enumerate(at))
    return replace(Club("0123abcd", SERVER, "Hill Runners", zone=zone, channel=channel)).with_typed(*runs)


TUESDAYS = club((1, time(18, 30)))


@dataclass
class World:
    """A store with clubs, the jobs, and a channel that takes what is posted."""

    store: Store
    clock: Clock
    got: list[tuple[datetime, Delivery]] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.starts()

    def starts(self) -> None:
        """Begin anew, as another process does: what was in memory is gone."""
        timetable = Timetable()
        planned = planning(self.store, Planning(library(), timetable).plan, timetable)
        self.jobs = (planned, posting(self.store, timetable, partial(post, library())))
        self.outreach = Outreach(self.store, {"discord": self}, self.clock, sleep=self._sleep)

    async def send(self, delivery: Delivery) -> str | None:
        if self.fails:
            raise self.fails.pop(0)
        self.got.append((self.clock.at, delivery))
        return f"5/{len(self.got)}"

    async def plans(self) -> None:
        for job in self.jobs:
            await job.what(self.clock.at)

    async def ticks(self) -> None:
        await self.plans()
        await self.outreach.send_due()
        await self.outreach.done()

    async def lives(self, until: datetime, *, by: timedelta = timedelta(minutes=10)) -> list[str]:
        """Let the time pass; return when something was posted until then, by the clock on the wall."""
        while self.clock.at < until:
            await self.ticks()
            self.clock.at += by
        return [f"{local(at, BERLIN):%a %H:%M}" for at, _ in self.got]

    async def _sleep(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = Clock(MONDAY)
    async with Store(tmp_path / "hipwise.db", ring(), clock) as store:
        store.judged_by(Planning(library()).may)
        yield World(store, clock)
        assert (await store.tallies()).conserved


async def test_one_button_a_run_a_quarter_of_an_hour_after_it(world: World) -> None:
    await world.store.keep_club(TUESDAYS)

    assert await world.lives(MONDAY + timedelta(days=15), by=timedelta(minutes=5)) == ["Tue 19:45", "Tue 19:45"]
    (_, delivery) = world.got[0]
    assert (delivery.address, delivery.place) == (SERVER, "5")
    assert delivery.reply["text"] == words("club", "posted")
    assert [button.label for button in reply_of(delivery.reply).choices] == [words("club", "buttons", "tell")]


@pytest.mark.parametrize(
    ("runs", "posted"),
    [
        (((1, time(20, 45)),), ["Wed 08:00"]),
        (((1, time(20, 44)),), ["Tue 21:59"]),
        (((1, time(5)),), ["Tue 08:00"]),
        (((1, time(18, 30)), (1, time(18, 30))), ["Tue 19:45"]),  # one button where two groups start together
        (((1, time(18, 30)), (1, time(19))), ["Tue 19:45", "Tue 20:15"]),
        (((1, time(20, 45)), (1, time(21))), ["Wed 08:00"]),  # and no burst in the morning
        (((1, time(7)), (1, time(18, 30))), ["Tue 08:15", "Tue 19:45"]),
    ],
)
async def test_it_is_never_posted_in_quiet_hours_and_never_twice(
    world: World, runs: tuple[tuple[int, time], ...], posted: list[str]
) -> None:
    await world.store.keep_club(club(*runs))
    world.clock.at = MONDAY + timedelta(hours=16)  # Tuesday, 5:00

    assert await world.lives(MONDAY + timedelta(days=1, hours=22), by=timedelta(minutes=1)) == posted


async def test_whatever_starts_anew_posts_nothing_again(world: World) -> None:
    await world.store.keep_club(TUESDAYS)
    for _ in range(400):
        await world.ticks()
        world.starts()
        world.clock.at += timedelta(minutes=15)

    assert len(world.got) == 1


async def test_after_an_outage_there_is_one_and_what_is_too_late_is_none(world: World) -> None:
    await world.store.keep_club(club((1, time(7)), (1, time(18, 30)), (2, time(9))))
    world.clock.at = MONDAY + timedelta(days=1, hours=7, minutes=50)  # Tuesday, 20:50

    assert await world.lives(world.clock.at + timedelta(hours=1)) == ["Tue 20:50"]
    world.clock.at = MONDAY + timedelta(days=3)

    assert await world.lives(world.clock.at + timedelta(hours=1)) == ["Tue 20:50"]


async def test_what_finds_quiet_hours_at_the_moment_of_sending_waits(world: World) -> None:
    await world.store.keep_club(club((1, time(20, 30))))
    world.clock.at = MONDAY + timedelta(days=1, hours=10)  # Tuesday, 23:00

    assert await world.lives(world.clock.at + timedelta(hours=15)) == ["Wed 08:00"]


async def test_a_club_that_posts_nowhere_or_has_ended_owes_nothing(world: World) -> None:
    await world.store.keep_club(TUESDAYS)
    await world.store.keep_club(replace(TUESDAYS, channel=None))
    assert await world.lives(MONDAY + timedelta(days=2)) == []

    await world.store.keep_club(TUESDAYS)
    await world.store.end_club(TUESDAYS)
    assert await world.lives(MONDAY + timedelta(days=10)) == []


async def test_what_is_owed_when_the_channel_changes_goes_to_the_new_one(world: World) -> None:
    await world.store.keep_club(TUESDAYS)
    world.clock.at = MONDAY + timedelta(days=1, hours=6, minutes=50)
    await world.plans()
    elsewhere = replace(TUESDAYS, channel="6")
    (owed,) = await world.store.due(world.clock.at, 10)
    await world.store.keep_club(elsewhere)

    assert await world.store.claim(owed) is None
    assert (await world.store.tallies()).skipped == 1
    assert await world.lives(world.clock.at + timedelta(days=8)) == ["Tue 19:50", "Tue 19:50"]
    assert [delivery.place for _, delivery in world.got] == ["6", "6"]


async def test_what_was_posted_in_one_channel_is_not_posted_in_the_next(world: World) -> None:
    await world.store.keep_club(TUESDAYS)
    world.clock.at = MONDAY + timedelta(days=1, hours=6, minutes=50)
    await world.ticks()
    await world.store.keep_club(replace(TUESDAYS, channel="6"))

    assert await world.lives(world.clock.at + timedelta(hours=20)) == ["Tue 19:50"]
    assert [delivery.place for _, delivery in world.got] == ["5"]


async def test_what_a_channel_refuses_is_dropped_and_the_next_run_is_tried_again(world: World) -> None:
    await world.store.keep_club(TUESDAYS)
    world.fails.append(Refused())

    assert await world.lives(MONDAY + timedelta(days=9)) == ["Tue 19:50"]
    assert (await world.store.tallies()).dropped == 1


async def test_a_post_for_a_channel_of_before_is_not_owed(world: World) -> None:
    await world.store.keep_club(TUESDAYS)
    evening = MONDAY + timedelta(days=1, hours=6, minutes=50)
    owed = post(library(), TUESDAYS, worked_out([TUESDAYS], evening), evening)
    assert owed is not None

    assert await world.store.post(replace(TUESDAYS, channel="6"), owed) == ()
    assert await world.store.post(replace(TUESDAYS, chat=Address("discord", "guild/2")), owed) == ()
    assert len(await world.store.post(TUESDAYS, owed)) == 1
    assert await world.store.post(TUESDAYS, owed) == ()


@settings(max_examples=25)
@given(
    st.integers(0, 6),
    st.times(),
    st.sampled_from((BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")),
    st.integers(0, 400),
)
def test_every_run_has_a_window_that_begins_outside_of_quiet_hours(day: int, clock: time, zone: str, later: int) -> None:
    of = club((day, clock.replace(second=0, microsecond=0)), zone=zone)
    now = MONDAY + timedelta(days=later)
    days = worked_out([of], now)
    hours = [now + timedelta(hours=hour) for hour in range(-24, 8 * 24)]
    owed = {one.occurrence: one for at in hours if (one := post(library(), of, days, at)) is not None}

    assert len(owed) in (1, 2)
    assert not any(in_quiet(one.due, QUIET, zone) for one in owed.values())


# ---------------------------------------------------------------- A zone that the zone database has no more

LOST = "Europe/Atlantis"


def test_a_club_whose_zone_is_gone_takes_nothing_from_the_others() -> None:
    [run] = TUESDAYS.runs
    lost = replace(TUESDAYS, id="89abcdef", zone=LOST, typed=(replace(run, id="89abcdef" + run.id[8:], zone=LOST),))
    evening = MONDAY + timedelta(days=1, hours=8)
    days = worked_out([lost, TUESDAYS], evening)

    assert days[run.id]
    assert days[lost.runs[0].id] == ()
    assert post(library(), replace(lost, typed=TUESDAYS.typed), days, evening) is None


def test_its_organisers_are_told_of_an_outage_all_the_same() -> None:
    lost = replace(TUESDAYS, zone=LOST, organisers=(Address("discord", "7"),))
    outage = Outage("discord", MONDAY - timedelta(days=2), MONDAY)

    [(who, owed)] = told_of(outage, [lost], words, MONDAY)

    assert who == Address("discord", "7")
    assert owed.reply["zone"] == "UTC"
