"""What is written first: planned from the diary, sent once, in time, never in quiet hours, and judged anew as it is sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat import Chat, Clock, library
from core import checkins, consents, wallclock, zones
from core.dialogue import Notice
from core.diary import Age, Asking, Diary, FollowUp, Light, Origin, Place, Quiet, Rhythm, Run, Slot
from core.diary import from_json as diary_of
from core.diary import to_json as plain_of
from core.errors import Refused
from core.ledger import Delivery, Going, Kind, Owed
from core.members import Address
from core.outreach import Outreach
from core.planning import Planning
from core.record import Change
from core.replies import plain, reply_of
from core.storage import Store, StoreRecords
from core.wallclock import in_quiet, local
from fakes import PLAIN, ring

words = library().words
ANNA = Address("test", "member-1")
TUESDAY = datetime(2026, 11, 24, 9, tzinfo=UTC)
EVENINGS = (Slot(1, time(18, 30)), Slot(3, time(18, 30)))
BERLIN = Diary(zone="Europe/Berlin", age=Age.ADULT, plan=EVENINGS, quiet=Quiet(time(22), time(7)))
GOOD_MORNING, HOW_WAS_IT = words("checkins", "open", "morning"), words("checkins", "open", "today")


@dataclass
class World:
    """One member, the real store, and a clock that jobs follow as it moves."""

    store: Store
    clock: Clock
    planning: Planning
    chat: Chat
    got: list[tuple[datetime, Delivery]] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outreach = Outreach(self.store, {"test": self}, self.clock, sleep=self._sleep)

    async def send(self, delivery: Delivery) -> str | None:
        """Take a message, as a platform does, and show it in the chat."""
        if self.fails:
            raise self.fails.pop(0)
        self.got.append((self.clock.at, delivery))
        self.chat.last = (reply_of(delivery.reply),)
        return f"{len(self.got)}"

    async def ticks(self) -> None:
        """Have the jobs done that are due now."""
        while await self.store.plan_due(self.planning.plan, self.clock.at, 50):
            pass
        await self.outreach.send_due()
        await self.outreach.done()

    async def lives(self, until: datetime, *, by: timedelta = timedelta(minutes=10)) -> None:
        """Let the time pass."""
        while self.clock.at < until:
            await self.ticks()
            self.clock.at = min(self.clock.at + by, until)
        await self.ticks()

    async def diary(self) -> Diary:
        """Return the diary as it is kept."""
        kept = (await self.store.load(ANNA)).diary
        assert kept is not None
        return diary_of(kept)

    async def has(self, diary: Diary, *kinds: str) -> None:
        """Have a diary kept, and these agreed to."""
        given = [consents.as_kept(words, kind, self.clock.at, given=True) for kind in kinds]
        session = (await self.store.load(ANNA)).session
        await self.store.save_turn(ANNA, Change(session, PLAIN, consents=given, diary=plain_of(diary)))

    @property
    def texts(self) -> list[str]:
        """The first line of each message, with the member's own time."""
        return [f"{local(at, 'Europe/Berlin'):%a %H:%M} {d.reply['text'].splitlines()[0]}" for at, d in self.got]

    async def _sleep(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def lived(folder: Path, at: datetime = TUESDAY) -> AsyncIterator[World]:
    """Give a world of someone in Berlin."""
    clock, planning = Clock(at), Planning(library())
    async with Store(folder / "hipwise.db", ring(), clock) as store:
        store.judged_by(planning.may)
        chat = Chat(sessions=StoreRecords(store), clock=clock, address=ANNA)
        yield World(store, clock, planning, chat)
        assert (await store.tallies()).conserved


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Give a world."""
    async with lived(tmp_path) as world:
        yield world


def answer(step: str, which: str) -> str:
    return words("checkins", "answers", step, which)


def days(number: float) -> datetime:
    return TUESDAY + timedelta(days=number)


# ---------------------------------------------------------------- A run, and what follows


async def test_a_run_is_asked_about_after_it_and_next_morning_where_there_was_pain(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    await world.lives(days(0.5))
    assert world.texts == ["Tue 21:30 How did today's run feel?"]

    await world.chat.taps(answer("ran", "yes"), "3", words("checkins", "places", "outer_hip"))
    await world.chat.taps(answer("built", "no"), answer("limp", "no"))
    await world.lives(days(1))

    assert world.texts[1:] == [f"Wed 08:00 {GOOD_MORNING}"]
    assert (await world.diary()).askings[0].worst == 3


async def test_without_pain_there_is_nothing_to_ask_next_morning(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    await world.lives(days(0.5))
    await world.chat.taps(answer("ran", "yes"), answer("worst", "none"))
    await world.lives(days(2))
    assert world.texts == ["Tue 21:30 How did today's run feel?"]


async def test_of_someone_under_18_even_that_there_were_runs_is_forgotten_soon(world: World) -> None:
    await world.has(replace(BERLIN, age=Age.UNDER_18), "check_ins")
    await world.lives(days(0.5))
    await world.chat.taps(answer("ran", "no"))
    tuesday = (await world.diary()).askings[0].id
    await world.lives(days(8), by=timedelta(hours=1))
    assert (await world.diary()).asking(tuesday)
    await world.lives(days(11), by=timedelta(hours=1))
    assert not (await world.diary()).asking(tuesday)


async def test_who_has_not_agreed_or_told_no_age_is_not_written_to(world: World) -> None:
    for diary, kinds in ((BERLIN, ()), (BERLIN, ("tips",)), (replace(BERLIN, age=None), ("check_ins",))):
        await world.has(diary, *kinds)
        await world.lives(world.clock.at + timedelta(days=2), by=timedelta(hours=1))
    assert world.texts == []


async def test_a_message_in_quiet_hours_comes_with_the_next_morning_as_one(world: World) -> None:
    await world.has(replace(BERLIN, quiet=Quiet(time(20), time(9))), "check_ins")
    await world.lives(days(1.5))
    assert world.texts == ["Wed 09:00 How did yesterday's run feel?", "Wed 17:00 How did yesterday's run feel?"]
    assert [delivery.reply["occasion"] for _, delivery in world.got] == ["morning", "nudge"]


async def test_what_nobody_answers_is_asked_once_more_then_weekly_then_a_last_time(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    await world.lives(days(70), by=timedelta(minutes=30))

    occasions = [delivery.reply["occasion"] for _, delivery in world.got]
    assert occasions[-1] == "last"
    assert occasions.count("last") == 1
    assert occasions.count("nudge") == occasions.count("checkin") == 5  # three in a row, and two of the weekly ones
    assert (await world.diary()).rhythm is Rhythm.SILENT


async def test_after_an_outage_there_is_one_message_and_not_a_burst(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    await world.ticks()
    world.clock.at = days(9)  # Thursday morning, nine days on
    await world.lives(days(9.2))
    assert len(world.got) <= 1


async def test_of_several_that_an_outage_has_made_late_one_comes_and_the_next_hours_later(world: World) -> None:
    follow_up = FollowUp("0badcafe", "c", "self_care", ("age_18_34", "place_outer"), days(-6.9))
    await world.has(replace(BERLIN, follow_ups=(follow_up,), quiet=Quiet(time(3), time(7))), "check_ins", "follow_up")
    await world.ticks()
    assert (await world.store.tallies()).open == 2
    world.clock.at = TUESDAY.replace(hour=21)  # 22:00 in Berlin: the check-in was due at 21:30, the follow-up in the morning
    await world.lives(days(0.75))
    assert [text[:9] for text in world.texts] == ["Tue 22:00", "Wed 00:00"]


# ---------------------------------------------------------------- At the moment of sending


@pytest.mark.parametrize("how", ["/stop", "pause"])
async def test_whoever_takes_it_back_gets_nothing_that_was_planned(world: World, how: str) -> None:
    await world.has(BERLIN, "check_ins")
    await world.ticks()
    assert (await world.store.tallies()).open == 1
    if how == "/stop":
        await world.chat.says("/stop")
    else:
        await world.has(replace(await world.diary(), paused=days(30)))
    await world.lives(days(3), by=timedelta(minutes=30))
    assert world.texts == []
    assert (await world.store.tallies()).skipped >= 1


async def test_what_was_agreed_to_is_judged_anew_as_it_is_sent(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    await world.lives(days(0.5))
    [(at, delivery)] = world.got
    record = await world.store.load(ANNA)

    assert world.planning.may(record, delivery, at) is Going.GO
    assert world.planning.may(replace(record, consents=()), delivery, at) is Going.LEAVE


async def test_nothing_is_left_of_a_diary_once_all_it_was_for_is_taken_back(world: World) -> None:
    await world.has(replace(BERLIN, runs=(Run("r", TUESDAY, Origin.TOLD),)), "check_ins")
    await world.chat.says("/stop")
    assert (await world.store.load(ANNA)).diary is None


async def test_quiet_hours_that_were_set_later_hold_for_what_was_planned_before(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    await world.ticks()
    await world.has(replace(await world.diary(), quiet=Quiet(time(21), time(21, 50))))
    await world.lives(days(0.7))
    assert world.texts == ["Tue 21:50 How did today's run feel?"]


async def test_while_a_check_is_open_it_waits_inside_its_window(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    world.clock.at = TUESDAY.replace(hour=20, minute=25)  # 21:25 in Berlin
    await world.chat.says("/hip")
    await world.lives(world.clock.at + timedelta(minutes=15))
    assert world.texts == []
    await world.store.save_turn(ANNA, Change(None, PLAIN))
    await world.lives(world.clock.at + timedelta(minutes=20))
    assert [text[4:] for text in world.texts] == [f"21:50 {HOW_WAS_IT}"]


async def test_it_waits_for_a_check_to_the_last_minute_of_its_window(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    world.clock.at = TUESDAY.replace(hour=20, minute=25)
    await world.chat.says("/hip")
    await world.lives(TUESDAY.replace(hour=20, minute=55), by=timedelta(minutes=1))
    await world.store.save_turn(ANNA, Change(None, PLAIN))
    await world.lives(TUESDAY.replace(hour=21, minute=5), by=timedelta(minutes=1))
    assert world.texts == [f"Tue 21:59 {HOW_WAS_IT}"]


async def test_a_pause_that_ends_within_the_window_puts_it_off(world: World) -> None:
    await world.has(replace(BERLIN, paused=TUESDAY.replace(hour=18)), "check_ins")
    await world.lives(days(0.5))
    assert world.texts == [f"Tue 21:30 {HOW_WAS_IT}"]


async def test_what_a_pause_has_skipped_comes_where_the_pause_is_ended_within_its_window(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    await world.ticks()
    await world.chat.says("/pause 2 weeks")
    await world.lives(TUESDAY.replace(hour=20, minute=40))
    assert (await world.store.tallies()).skipped == 1
    await world.chat.says("/pause off")
    await world.lives(days(0.5))
    assert world.texts == [f"Tue 21:40 {HOW_WAS_IT}"]


# ---------------------------------------------------------------- The clock is wrong


async def test_a_tip_is_not_given_again_where_the_clock_is_put_back(world: World) -> None:
    await world.has(replace(BERLIN, plan=(), askings=(replace(SORE, worst=1, light=Light.GO),)), "tips")
    await world.lives(TUESDAY.replace(hour=16, minute=30))
    (given,) = (await world.diary()).tips
    world.clock.moves(hours=-1)
    later = replace(SORE.run, id="s", start=TUESDAY + timedelta(hours=4))
    worse = replace(SORE, id="0badcaff", run=later, worst=7, light=Light.STEP_BACK)
    await world.has((await world.diary()).with_asking(worse))
    await world.lives(days(0.9))
    assert replace(given, occurrence=None) in (await world.diary()).tips
    assert [text[:9] for text in world.texts] == ["Tue 17:00"]


async def test_what_was_planned_goes_by_the_wall_as_a_newer_zone_database_shows_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.has(BERLIN, "check_ins")
    await world.ticks()
    monkeypatch.setattr(zones, "VERSION", "2031a")
    monkeypatch.setattr(wallclock, "rules", lambda _zone: timezone(timedelta(hours=2)))
    checkins._windows.cache_clear()  # what is known of times is known for as long as a process runs
    await world.lives(days(0.5))
    checkins._windows.cache_clear()
    assert [f"{at:%H:%M}" for at, _ in world.got] == ["19:30"]


async def test_what_was_skipped_while_the_clock_was_far_ahead_comes_once_it_is_right(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    await world.ticks()
    world.clock.moves(days=40)
    await world.ticks()
    assert (await world.store.tallies()).skipped == 1
    world.clock.moves(days=-40)
    await world.lives(days(0.5))
    assert world.texts == [f"Tue 21:30 {HOW_WAS_IT}"]


async def test_what_may_have_arrived_is_asked_once_more_inside_its_window_and_either_copy_closes_both(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    world.fails = [ConnectionResetError()]
    await world.lives(days(0.55))
    assert len(world.got) == 1
    assert (await world.store.tallies()).sent == 1


async def test_what_cannot_be_judged_is_not_sent_and_holds_up_nobody(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    strange = Owed(Kind.TIP, plain(Notice("What is this?")), TUESDAY, days(1), "strange")
    await world.store.plan(ANNA, [strange, Owed(Kind.NOTICE, plain(Notice("Hello.")), TUESDAY)])
    await world.ticks()
    assert [d.reply["text"] for _, d in world.got] == ["Hello."]
    assert (await world.store.tallies()).skipped == 1


# ---------------------------------------------------------------- A result that is asked about again


async def test_a_result_is_asked_about_on_its_days_until_it_is_closed(world: World) -> None:
    follow_up = FollowUp("0badcafe", "c", "self_care", ("age_18_34", "place_outer"), TUESDAY)
    await world.has(replace(BERLIN, follow_ups=(follow_up,)), "follow_up")
    await world.lives(days(40), by=timedelta(hours=1))
    assert {d.reply["occasion"] for _, d in world.got} == {"followup"}
    assert all(text.endswith(words("checkins", "open", "again")) for text in world.texts)
    assert len(world.got) == len(library().checkins.again[next(k for k in library().checkins.again if k.value == "self_care")])


# ---------------------------------------------------------------- Tips


SORE = Asking(
    "0badcafe",
    Run("r", TUESDAY, Origin.TOLD, 40, 8000),
    TUESDAY.date(),
    ran=True,
    worst=4,
    place=Place.OUTER_HIP,
    built=False,
    limp=False,
    still=False,
    light=Light.HOLD,
    closed=TUESDAY,
)


async def test_a_tip_that_fits_comes_before_an_evening_shows_itself_after_a_tap_and_never_again_so_soon(world: World) -> None:
    await world.has(replace(BERLIN, plan=(), askings=(SORE,)), "tips")
    await world.lives(days(7), by=timedelta(minutes=30))

    assert [text[4:] for text in world.texts] == [f"17:00 {words('checkins', 'open', 'tip')}"] * 2
    await world.chat.taps(words("checkins", "buttons", "show"))
    given = [one.tip for one in (await world.diary()).tips]
    assert len(set(given)) == len(given)
    assert words("tips", "say", given[1]) in world.chat.text


async def test_a_tip_that_was_planned_is_left_where_a_run_turned_red_meanwhile(world: World) -> None:
    await world.has(replace(BERLIN, plan=(), askings=(SORE,)), "tips")
    await world.ticks()
    assert (await world.store.tallies()).open == 1
    red = replace(SORE, id="0badcaff", worst=2, place=Place.GROIN, light=Light.RED)
    await world.has((await world.diary()).with_asking(red))
    await world.lives(days(3), by=timedelta(hours=1))
    assert world.texts == []


TEA = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
"""Half an hour before a tip in Berlin."""


async def quiet_in_the_evening(world: World) -> None:
    await world.has(replace(await world.diary(), quiet=Quiet(time(16), time(9))))


async def a_check_is_open(world: World) -> None:
    await world.chat.says("/hip")


async def no_tip_today(world: World) -> None:
    await world.has(replace(await world.diary(), days=(0, 2, 3, 4, 5, 6)))


async def it_is_refused(world: World) -> None:
    world.fails += [Refused()]


async def nobody_knows(world: World) -> None:
    world.fails += [ConnectionResetError()]


@pytest.mark.parametrize("why", [quiet_in_the_evening, a_check_is_open, no_tip_today, it_is_refused])
async def test_a_tip_that_never_went_was_not_given(world: World, why: Callable[[World], Awaitable[None]]) -> None:
    await world.has(replace(BERLIN, plan=(), askings=(SORE,)), "tips")
    await world.lives(TEA)
    (chosen,) = (await world.diary()).tips
    await why(world)
    await world.lives(TEA + timedelta(hours=5))

    assert world.got == []
    (coming,) = (await world.diary()).tips
    assert (coming.tip, coming.at > world.clock.at) == (chosen.tip, True)


async def test_a_tip_that_may_have_come_was_given(world: World) -> None:
    await world.has(replace(BERLIN, plan=(), askings=(SORE,)), "tips")
    await world.lives(TEA)
    (chosen,) = (await world.diary()).tips
    await nobody_knows(world)
    await world.lives(TEA + timedelta(days=1))

    assert [one.tip for one in (await world.diary()).tips] == [chosen.tip]


async def test_a_tip_that_went_out_counts_whatever_zone_follows(world: World) -> None:
    await world.has(replace(BERLIN, plan=(), askings=(SORE,)), "tips")
    await world.lives(TEA + timedelta(hours=1))
    assert len(world.got) == 1
    await world.has(replace(await world.diary(), zone="Pacific/Auckland"))
    await world.lives(TEA + timedelta(hours=8))

    (given,) = (await world.diary()).tips
    assert given.at < world.clock.at


async def test_a_tip_for_now_counts_and_tells_why_and_without_one_that_fits_it_says_so(world: World) -> None:
    await world.has(BERLIN, "tips")
    await world.chat.says("/tip")
    assert world.chat.text == words("checkins", "no_tip")
    await world.has(replace(BERLIN, askings=(SORE,)))
    await world.chat.says("/tip")
    (given,) = (await world.diary()).tips
    assert words("tips", "say", given.tip) in world.chat.text


async def test_a_run_that_was_much_longer_gets_a_gentle_word(world: World) -> None:
    before = tuple(Run(f"r{n}", days(-2 * n), Origin.TOLD, 30, 5000) for n in range(1, 8))
    await world.has(replace(BERLIN, runs=before), "check_ins")
    await world.chat.says("/ran 5 km 30 min")
    assert "\n\n" not in world.chat.text
    world.clock.at = days(2)
    await world.chat.says("/ran 9 km 60 min")
    assert world.chat.text.count("\n\n") == 1
    assert "5 km" in world.chat.text


async def test_progress_and_the_week_are_told(world: World) -> None:
    await world.has(BERLIN, "check_ins")
    await world.chat.says("/week")
    assert "18:30" in world.chat.text
    await world.chat.says("/progress")
    assert world.chat.text


# ---------------------------------------------------------------- Whatever is set


TIMES = st.builds(time, hour=st.integers(0, 23), minute=st.sampled_from([0, 15, 30]))
SLOTS = st.lists(st.builds(Slot, weekday=st.integers(0, 6), at=TIMES), max_size=4).map(tuple)
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"])
DIARIES = st.builds(
    Diary,
    zone=ZONES,
    age=st.just(Age.ADULT),
    quiet=st.builds(Quiet, TIMES, TIMES),
    delay=st.integers(0, 24).map(lambda n: 10 * n),
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda found: tuple(sorted(found))),
    plan=SLOTS,
    runs=st.lists(st.integers(0, 9 * 24), max_size=4).map(
        lambda hours: tuple(Run(f"r{h}", TUESDAY + timedelta(hours=h), Origin.TOLD) for h in hours)
    ),
)


@pytest.mark.parametrize("seed", range(2))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(diary=DIARIES, start=st.integers(0, 24 * 300))
def test_nothing_comes_in_quiet_hours_or_twice_whatever_is_set(
    tmp_path_factory: pytest.TempPathFactory, seed: int, diary: Diary, start: int
) -> None:
    async def scene() -> None:
        async with lived(tmp_path_factory.mktemp(f"w{seed}"), TUESDAY + timedelta(hours=start)) as world:
            await world.has(diary, "check_ins")
            await world.lives(world.clock.at + timedelta(days=9), by=timedelta(minutes=30))
            for at, delivery in world.got:
                assert not in_quiet(at, diary.quiet, diary.zone)
                assert local(at, diary.zone).weekday() in diary.days
                assert delivery.until is not None
                assert delivery.due <= at <= delivery.until
            keys = [delivery.reply["occurrence"] for _, delivery in world.got]
            assert len(keys) == len(set(keys))

    asyncio.run(scene())
