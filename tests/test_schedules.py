"""100,000 random schedules: whatever is owed comes at the first minute at which it may, once, and nothing else ever comes.

A schedule (`schedules.Schedule`) is a zone, quiet hours, weekdays, the delay after a run, usual runs, runs that are told with
/ran, a pause that may be ended by hand, a way to answer or not to, and how far Hipwise had slowed down before. Each is lived
through for three days and eight hours, around changes of the clock. What is owed by the rules in words says an oracle.

All of them go through the planner, the judge and the conversation, with a ledger of a few lines; some of them through all of
Hipwise: the store, its jobs, the outreach and the companion, thousands of members in one database at a time.
"""

import asyncio
import itertools
import os
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bots import bootstrap
from chat import Clock, library
from core import consents
from core.checkins import PLACES, Step
from core.coaching import Coaching
from core.companion import Companion
from core.dialogue import Command, Inbound, Prompt, Reply, Tap
from core.dialogue.token import read
from core.diary import Place
from core.diary import from_json as diary_of
from core.diary import to_json as plain_of
from core.ledger import Delivery, Going, Owed, State, Wait
from core.members import Address
from core.outreach import Outreach
from core.ownership import Ownership
from core.planning import Planning
from core.record import Change, Record
from core.replies import reply_of
from core.storage import Store, StoreRecords
from core.timetable import Timetable
from fakes import PLAIN, ring
from scheduler.jobs import planning, sending
from schedules import LIVED, NO_PAIN, NOT_RUN, STARTS, Came, Oracle, Schedule, any_schedule

SEED = 20261122
SCALE = float(os.environ.get("SCHEDULES", "1"))
"""Which part of them is tried."""
ALONE, WHOLE = int(10_000 * SCALE), int(1_000 * SCALE)
"""Schedules of each start that go through planner and judge, and through all of Hipwise."""
MINUTE = timedelta(minutes=1)

WORDS = library().words
PLANNING, COACHING = Planning(library()), Coaching(library())

pytestmark = pytest.mark.prove


def schedules(number: int, start: datetime) -> list[Schedule]:
    """Return so many schedules that begin at a time, the same ones each time."""
    chance = random.Random(f"{SEED} {start}")
    return [any_schedule(chance, start) for _ in range(number)]


def agreed(start: datetime) -> tuple[Any, ...]:
    return (consents.as_kept(WORDS, "check_ins", start, given=True),)


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
    return schedule.answers != "silent" and not (schedule.answers == "pain, then silent" and before)


# ---------------------------------------------------------------- Planner and judge alone


@dataclass
class Row:
    """A message in a ledger of a few lines."""

    delivery: Delivery
    due: datetime


class Alone:
    """One member, whose diary is planned from and whose messages are judged at their minutes."""

    def __init__(self, schedule: Schedule) -> None:
        self._of = schedule
        self.record = Record("m", None, PLAIN, agreed(schedule.start), diary=plain_of(schedule.diary))
        self.rows: dict[str, Row] = {}
        self.came: list[tuple[datetime, Delivery]] = []
        self._look: datetime | None = schedule.start
        self._answered = Counter[str]()
        self._number = 0

    def lives(self) -> None:
        """Live through the days."""
        now, ends = self._of.start, self._of.start + LIVED * MINUTE
        events = list(self._of.events)
        while now < ends:
            while events and self._of.start + events[0].at * MINUTE <= now:
                name, _, rest = events.pop(0).text[1:].partition(" ")
                self._does(Command(ADDRESS, name, rest), now)
            while self._minute(now):
                pass
            times = [row.due for row in self.rows.values() if row.delivery.state is State.OPEN]
            times += [self._of.start + event.at * MINUTE for event in events]
            times += [] if self._look is None else [self._look]
            now = max(now + MINUTE, min(times, default=ends))

    def _minute(self, now: datetime) -> bool:
        """Do what is due; return whether anything was sent."""
        while self._look is not None and self._look <= now:
            self._plan(now)
        due = [row for row in self.rows.values() if row.delivery.state is State.OPEN and row.due <= now]
        due.sort(key=lambda row: row.due)
        sent = [row.delivery for row in due if self._sent(row, now)]
        for delivery in sent:
            self._answers(delivery, now)
        return bool(sent)

    def _plan(self, now: datetime) -> None:
        planned = PLANNING.plan(self.record, lambda _kind, key: key in self.rows and self._went(key), now)
        for owed in planned.owed:
            self._owe(owed, now)
        self._look = planned.look
        if planned.diary is not None:
            self.record = replace(self.record, diary=dict(planned.diary))

    def _went(self, key: str) -> bool:
        return self.rows[key].delivery.state is State.SENT

    def _owe(self, owed: Owed, now: datetime) -> None:
        assert owed.occurrence is not None
        row = self.rows.get(owed.occurrence)
        if row is None or row.delivery.state in (State.OPEN, State.SKIPPED):
            times = (owed.due, owed.until, None)
            delivery = Delivery("", "m", ADDRESS, owed.kind, owed.reply, *times, State.OPEN, 0, now)
            self.rows[owed.occurrence] = Row(delivery, owed.due)

    def _sent(self, row: Row, now: datetime) -> bool:
        delivery = row.delivery
        late = delivery.until is not None and delivery.until < now
        last = self.came[-1][0] if self.came else None
        match Going.LEAVE if late else PLANNING.may(self.record, delivery, now, last):
            case Wait(until=until):
                row.due = until
            case Going.LEAVE:
                row.delivery = replace(delivery, state=State.SKIPPED)
            case Going.GO:
                row.delivery = replace(delivery, state=State.SENT)
                self.came.append((now, delivery))
                return True
        return False

    def _answers(self, delivery: Delivery, now: datetime) -> None:
        thread = str(delivery.reply.get("thread", ""))
        replies: tuple[Reply, ...] = (reply_of(delivery.reply),)
        if thread and answers_to(self._of, self._answered[thread]):
            self._answered[thread] += 1
            while tap := next_tap(replies, self._of.answers):
                replies = self._does(Tap(ADDRESS, tap), now)

    def _does(self, inbound: Inbound, now: datetime) -> tuple[Reply, ...]:
        self._number += 1
        diary = diary_of(self.record.diary)
        told = COACHING.answer(inbound, self.record, diary, None, now=now, fresh=f"{self._number:08x}{0:08x}")
        assert told is not None
        if told.diary is not None:
            self.record, self._look = replace(self.record, diary=plain_of(told.diary)), now
        return told.replies


ADDRESS = Address("test", "m")


def came(start: datetime, got: Sequence[tuple[datetime, Delivery]]) -> tuple[Came, ...]:
    """Return what came as the oracle tells of it."""
    found = (Came((at - start) // MINUTE, delivery.reply["occasion"]) for at, delivery in got)
    return tuple(sorted(found, key=lambda each: (each.at, each.occasion)))


@pytest.mark.parametrize("start", STARTS, ids=lambda start: f"{start:%Y-%m-%d}")
def test_what_is_owed_is_sent_at_the_first_minute_at_which_it_may(start: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    wrong, messages = [], Counter[str]()
    for schedule in schedules(ALONE, start):
        member = Alone(schedule)
        member.lives()
        expected = Oracle(schedule).expected()
        messages.update(each.occasion for each in expected)
        if came(start, member.came) != expected:
            wrong.append((schedule, expected, came(start, member.came)))
    with capsys.disabled():
        print(f"\n{start:%Y-%m-%d}: {ALONE} schedules, {dict(messages)}, {len(wrong)} wrong")  # noqa: T201 - what a proof is for
    assert wrong[:3] == []


# ---------------------------------------------------------------- All of Hipwise


@dataclass
class Crowd:
    """Members with a schedule each on one platform, the whole of Hipwise, and a clock that goes from minute to minute."""

    schedules: Sequence[Schedule]
    store: Store
    clock: Clock
    got: dict[str, list[tuple[datetime, Delivery]]] = field(default_factory=dict)
    _news: list[Delivery] = field(default_factory=list)
    _answered: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.store.judged_by(PLANNING.may)
        self.outreach = Outreach(self.store, {"test": self}, self.clock)
        self._jobs = (planning(self.store, PLANNING.plan, Timetable()), sending(self.outreach))
        records = StoreRecords(self.store)
        fresh = (f"{number:08x}{0:08x}" for number in itertools.count(1))
        ownership = Ownership(library(), records, self.clock, bootstrap.signed_off)
        self._companion = Companion(library(), records, self.clock, lambda: next(fresh), ownership, coaching=COACHING)

    async def send(self, delivery: Delivery) -> str:
        """Take a message, as a platform does."""
        self.got.setdefault(delivery.address.id, []).append((self.clock.at, delivery))
        self._news.append(delivery)
        return delivery.id

    async def lives(self) -> None:
        """Have everybody enter, and live through the days."""
        start = self.clock.at
        await asyncio.gather(*(self._enters(number, schedule) for number, schedule in enumerate(self.schedules)))
        events = sorted((e.at, str(n), e.text) for n, schedule in enumerate(self.schedules) for e in schedule.events)
        while self.clock.at < start + LIVED * MINUTE:
            now: list[tuple[str, str]] = []
            while events and start + events[0][0] * MINUTE <= self.clock.at:
                _, id, text = events.pop(0)
                now.append((id, text))
            await asyncio.gather(*(self._says(id, text) for id, text in now))
            await self._minute()
            times = [start + events[0][0] * MINUTE] if events else []
            due = await self.store.next_due()
            times += [] if due is None else [due]
            self.clock.at = max(self.clock.at + MINUTE, min(times, default=start + LIVED * MINUTE))

    async def _enters(self, number: int, schedule: Schedule) -> None:
        change = Change(None, PLAIN, consents=agreed(schedule.start), diary=plain_of(schedule.diary))
        await self.store.save_turn(Address("test", str(number)), change)

    async def _minute(self) -> None:
        """Have the jobs done, and what came answered, until nothing more comes."""
        while True:
            for job in self._jobs:
                await job.what(self.clock.at)
            await self.outreach.done()
            news, self._news = self._news, []
            if not news:
                return
            await asyncio.gather(*(self._answers(delivery) for delivery in news))

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


@pytest.mark.parametrize("start", STARTS, ids=lambda start: f"{start:%Y-%m-%d}")
async def test_so_it_is_with_all_of_hipwise(start: datetime, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock, lived = Clock(start), schedules(WHOLE, start)
    async with Store(tmp_path / "hipwise.db", ring(), clock) as store:
        crowd = Crowd(lived, store, clock)
        await crowd.lives()
        tallies = await store.tallies()

    got = [crowd.got.get(str(number), []) for number in range(len(lived))]
    wrong = [
        (schedule, expected, came(start, messages))
        for schedule, messages in zip(lived, got, strict=True)
        if (expected := Oracle(schedule).expected()) != came(start, messages)
    ]
    keys = [(delivery.member, delivery.reply["occurrence"]) for messages in got for _, delivery in messages]
    with capsys.disabled():
        print(f"\n{start:%Y-%m-%d}: {WHOLE} schedules, {len(keys)} messages, {len(wrong)} wrong, {tallies}")  # noqa: T201 - what a proof is for
    assert wrong[:3] == []
    assert len(set(keys)) == len(keys) == tallies.sent
    assert tallies.conserved
    assert tallies.unknown == tallies.dropped == tallies.claimed == 0
