"""Members with a schedule each, all of Hipwise around them, and a clock that goes from minute to minute: what really comes."""

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bots import bootstrap
from chat import Clock, library
from core import consents
from core.checkins import PLACES, Step
from core.coaching import Coaching
from core.companion import Companion
from core.dialogue import Command, Prompt, Reply, Tap
from core.dialogue.token import read
from core.diary import FollowUp, Place
from core.diary import to_json as plain_of
from core.errors import OutOfReach, StorageUnavailable
from core.ledger import Delivery, Tallies
from core.members import Address
from core.outreach import Outreach
from core.ownership import Ownership
from core.planning import Planning
from core.record import Change
from core.replies import reply_of
from core.storage import Store, StoreRecords
from core.timetable import Timetable
from core.wallclock import in_quiet, local
from fakes import PLAIN, ring
from scheduler.jobs import planning, sending
from schedules import NO_PAIN, NOT_RUN, PAIN_ONCE, SILENT, Came, Schedule, any_schedule, is_owed, may_come

SEED = 20261122
MINUTE = timedelta(minutes=1)
WORDS = library().words
PLANNING, COACHING = Planning(library()), Coaching(library())


def schedules(number: int, start: datetime) -> list[Schedule]:
    """Return so many schedules that begin at a time, the same ones each time."""
    chance = random.Random(f"{SEED} {start}")
    return [any_schedule(chance, start) for _ in range(number)]


def agreed(start: datetime, *also: str) -> tuple[Any, ...]:
    """Return a yes to check-ins, and to these."""
    return tuple(consents.as_kept(WORDS, kind, start, given=True) for kind in ("check_ins", *also))


def next_tap(replies: Iterable[Reply], answers: str) -> str | None:
    """Return the button by which someone answers in their way; None: there is nothing left to answer."""
    sore = answers not in (NOT_RUN, NO_PAIN)
    values = {Step.RAN: int(answers != NOT_RUN), Step.WORST: 3 if sore else 0, Step.PLACE: PLACES.index(Place.OUTER_HIP)}
    for reply in replies:
        for token in (read(choice.tap) for choice in reply.choices if isinstance(reply, Prompt)):
            if token is None or (token.act in set(Step) and token.arg != str(values.get(Step(token.act), 0))):
                continue
            if token.act in set(Step) or token.act == "go":
                return str(token)
    return None


def answers_to(schedule: Schedule, before: int) -> bool:
    """Return whether someone answers a message, by how many of the same run they have answered."""
    return schedule.answers != SILENT and not (schedule.answers == PAIN_ONCE and before)


def came(start: datetime, got: Sequence[tuple[datetime, Delivery]]) -> tuple[Came, ...]:
    """Return what came as the oracle tells of it."""
    found = (Came((at - start) // MINUTE, delivery.reply["occasion"]) for at, delivery in got)
    return tuple(sorted(found, key=lambda each: (each.at, each.occasion)))


# ---------------------------------------------------------------- All of Hipwise


@dataclass
class Crowd:
    """The whole of Hipwise for members with a schedule each, on one platform; it lives through their days."""

    schedules: Sequence[Schedule]
    store: Store
    clock: Clock
    steps: list[tuple[int, int]] = field(default_factory=list)
    """At which minute after the start the clock is set, and by how many minutes."""
    in_sends: bool = False
    """Whether it is set in the middle of a send: after a message was claimed, before its outcome is noted."""
    down: tuple[int, int] = (0, 0)
    """From which minute after the start until which the platform cannot be reached."""
    everything: bool = False
    """Whether they agreed to tips too, and every other one to be asked about a result of the day before."""
    each_minute: Callable[[int], None] | None = None
    """Called in each minute that is lived, before its jobs."""
    each_send: Callable[[Delivery], None] | None = None
    """Called with each message as it comes."""
    got: dict[str, list[tuple[datetime, Delivery]]] = field(default_factory=dict)
    _news: list[Delivery] = field(default_factory=list)
    _answered: Counter[tuple[str, str]] = field(default_factory=Counter)
    _asleep: list[tuple[datetime, asyncio.Future[None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start = self.clock.at
        self.store.judged_by(PLANNING.may)
        self.outreach = Outreach(self.store, {}, self.clock, sleep=self._sleep)
        self.outreach.connect("test", self, free=lambda _address: True)
        self._jobs = (planning(self.store, PLANNING.plan, Timetable()), sending(self.outreach))
        records = StoreRecords(self.store)
        fresh = (f"{number:08x}{0:08x}" for number in itertools.count(1))
        ownership = Ownership(library(), records, self.clock, bootstrap.signed_off)
        self._companion = Companion(library(), records, self.clock, lambda: next(fresh), ownership, coaching=COACHING)

    @property
    def at(self) -> int:
        """The minute after the start."""
        return (self.clock.at - self.start) // MINUTE

    async def send(self, delivery: Delivery) -> str:
        """Take a message, as a platform does."""
        if self.down[0] <= self.at < self.down[1]:
            raise OutOfReach(60)
        # By the clock as it was when it was claimed: that was the moment at which it might go.
        self.got.setdefault(delivery.address.id, []).append((delivery.changed, delivery))
        self._news.append(delivery)
        if self.in_sends:
            self._step()
        if self.each_send is not None:
            self.each_send(delivery)
        return delivery.id

    async def lives(self) -> None:
        """Have everybody enter, and live through the days."""
        await asyncio.gather(*(self._enters(number, schedule) for number, schedule in enumerate(self.schedules)))
        ends = max(schedule.lives for schedule in self.schedules)
        events = sorted((e.at, str(n), e.text) for n, schedule in enumerate(self.schedules) for e in schedule.events)
        while self.at < ends:
            if not self.in_sends:
                self._step()
            now: list[tuple[str, str]] = []
            while events and events[0][0] <= self.at:
                _, id, text = events.pop(0)
                now.append((id, text))
            await asyncio.gather(*(self._says(id, text) for id, text in now))
            if self.each_minute is not None:
                self.each_minute(self.at)
            await self._minute()
            times = [self.start + at * MINUTE for at in (*(e[0] for e in events[:1]), *(s[0] for s in self.steps[:1]))]
            times += [due] if (due := await self.store.next_due()) is not None else []
            times += [self.clock.at for _ in self._asleep[:1]]
            self.clock.at = max(self.clock.at + MINUTE, min(times, default=self.start + ends * MINUTE))

    def _step(self) -> None:
        if self.steps and self.steps[0][0] <= self.at:
            self.clock.at += self.steps.pop(0)[1] * MINUTE

    async def _enters(self, number: int, schedule: Schedule) -> None:
        diary, yes = schedule.diary, agreed(schedule.start, *(("tips", "follow_up") if self.everything else ()))
        if self.everything and number % 2:  # such a result silences tips
            result = FollowUp("0badcafe", "c", "same_day", ("place_outer_hip",), schedule.start - timedelta(days=1))
            diary = replace(diary, follow_ups=(result,))
        change = Change(None, PLAIN, consents=yes, diary=plain_of(diary))
        await self.store.save_turn(Address("test", str(number)), change)

    async def _minute(self) -> None:
        """Have the jobs done, and what came answered, until nothing more comes."""
        while True:
            for job in self._jobs:
                with contextlib.suppress(StorageUnavailable):  # it is tried again at the next tick
                    await job.what(self.clock.at)
            await self._settled()
            news, self._news = self._news, []
            if not news:
                return
            await asyncio.gather(*(self._answers(delivery) for delivery in news))

    async def _settled(self) -> None:
        """Wait until all that is in hand has its outcome, or waits for another minute."""
        for until, asleep in self._asleep:
            if until <= self.clock.at:
                asleep.set_result(None)
        self._asleep = [(until, asleep) for until, asleep in self._asleep if not asleep.done()]
        addresses = [Address("test", str(number)) for number in range(len(self.schedules))]
        if self.down == (0, 0):
            await self.outreach.done()
        while sum(not self.outreach.ready(address) for address in addresses) > len(self._asleep):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.001)

    async def _sleep(self, seconds: float) -> None:
        asleep = asyncio.get_running_loop().create_future()
        self._asleep.append((self.clock.at + timedelta(seconds=seconds), asleep))
        await asleep

    async def _answers(self, delivery: Delivery) -> None:
        id, thread = delivery.address.id, str(delivery.reply.get("thread", ""))
        schedule = self.schedules[int(id)]
        replies: tuple[Reply, ...] = (reply_of(delivery.reply),)
        if thread and answers_to(schedule, self._answered[id, thread]):
            self._answered[id, thread] += 1
            while tap := next_tap(replies, schedule.answers):
                replies = await self._companion.handle(Tap(delivery.address, tap))

    async def _says(self, id: str, text: str) -> None:
        name, _, rest = text[1:].partition(" ")
        await self._companion.handle(Command(Address("test", id), name, rest))

    # ---------------------------------------------------------------- What is held against it

    @property
    def messages(self) -> list[tuple[Schedule, list[tuple[datetime, Delivery]]]]:
        """What came to each member."""
        return [(schedule, self.got.get(str(number), [])) for number, schedule in enumerate(self.schedules)]

    def faults(self, *, gap: tuple[int, int] = (0, 0)) -> list[tuple[Schedule, tuple[Came, ...], tuple[Came, ...]]]:
        """Return each schedule with what was owed and what came, where these are not the same; in the gap nobody lived."""
        found = ((schedule, came(self.start, messages)) for schedule, messages in self.messages)
        return [(s, next(may_come(s, gap)), sent) for s, sent in found if not is_owed(s, sent, gap)]

    async def holds(self) -> Tallies:
        """Return the tallies; whatever was done, nothing came twice, nor at a wrong time, and all is accounted for."""
        keys = [(delivery.member, delivery.reply["occurrence"]) for _, messages in self.messages for _, delivery in messages]
        assert len(set(keys)) == len(keys)
        for schedule, messages in self.messages:
            for at, delivery in messages:
                assert not in_quiet(at, schedule.diary.quiet, schedule.zone)
                assert local(at, schedule.zone).weekday() in schedule.days
                assert delivery.until is not None
                assert delivery.due <= at <= delivery.until
        tallies = await self.store.tallies()
        assert tallies.conserved
        assert tallies.sent == len(keys)
        assert tallies.unknown == tallies.dropped == tallies.claimed == 0
        return tallies


@asynccontextmanager
async def crowd(folder: Path, lived: Sequence[Schedule], **more: Any) -> AsyncIterator[Crowd]:
    """Give a crowd at the start of its days."""
    clock = Clock(lived[0].start)
    async with Store(folder / "hipwise.db", ring(), clock) as store:
        yield Crowd(lived, store, clock, **more)
