"""100,000 random schedules: whatever is owed comes at the first minute at which it may, once, and nothing else ever comes.

A schedule (`schedules.Schedule`) is a zone, quiet hours, weekdays, the delay after a run, usual runs, runs that are told with
/ran, a pause that may be ended by hand, a way to answer or not to, and how far Hipwise had slowed down before. Each is lived
through for three days and eight hours, around changes of the clock. What is owed by the rules in words says an oracle.

All of them go through the planner, the judge and the conversation, with a ledger of a few lines; some of them through all of
Hipwise: the store, its jobs, the outreach and the companion, thousands of members in one database at a time.
"""

import os
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from core.dialogue import Command, Inbound, Reply, Tap
from core.diary import from_json as diary_of
from core.diary import to_json as plain_of
from core.ledger import Delivery, Going, Owed, State, Wait
from core.members import Address
from core.record import Record
from core.replies import reply_of
from crowd import COACHING, MINUTE, PLANNING, agreed, answers_to, came, crowd, next_tap, schedules
from fakes import PLAIN
from schedules import LIVED, STARTS, Schedule, is_owed, may_come

SCALE = float(os.environ.get("SCHEDULES", "1"))
"""Which part of them is tried."""
WHOLE, EACH = int(1_000 * SCALE), int(10_000 * SCALE)
"""Of each start, schedules that go through all of Hipwise, and all that are tried."""

pytestmark = pytest.mark.prove


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


@pytest.mark.parametrize("start", STARTS, ids=lambda start: f"{start:%Y-%m-%d}")
def test_what_is_owed_is_sent_at_the_first_minute_at_which_it_may(start: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    wrong, messages = [], Counter[str]()
    for schedule in schedules(EACH, start)[WHOLE:]:
        member = Alone(schedule)
        member.lives()
        got = came(start, member.came)
        messages.update(each.occasion for each in got)
        if not is_owed(schedule, got):
            wrong.append((schedule, next(may_come(schedule)), got))
    with capsys.disabled():
        print(f"\n{start:%Y-%m-%d}: {EACH - WHOLE} schedules, {dict(messages)}, {len(wrong)} wrong")  # noqa: T201 - what a proof is for
    assert wrong[:3] == []


# ---------------------------------------------------------------- All of Hipwise


@pytest.mark.parametrize("start", STARTS, ids=lambda start: f"{start:%Y-%m-%d}")
async def test_so_it_is_with_all_of_hipwise(start: datetime, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with crowd(tmp_path, schedules(EACH, start)[:WHOLE]) as world:
        await world.lives()
        wrong, tallies = world.faults(), await world.holds()
    with capsys.disabled():
        print(f"\n{start:%Y-%m-%d}: {WHOLE} schedules, {len(wrong)} wrong, {tallies}")  # noqa: T201 - what a proof is for
    assert wrong[:3] == []
