"""Random schedules of runners, and what is owed to them by the rules in words: an oracle that shares no code with the planner.

It knows minutes and a table of what the wall clock shows in each. At every minute at which something could begin or end it
asks of every run, from the beginning: what of it is owed now, and may it be said? It plans nothing ahead and keeps no ledger.
"""

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache, cached_property

from core.diary import Age, Diary, Quiet, Rhythm, Slot
from core.zones import names, rules

MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
"""Minutes are counted from here: so a day of the week is a remainder."""
HOUR, DAY, WEEK = 60, 1440, 7 * 1440
LIVED = 3 * DAY + 8 * HOUR
"""Minutes that a schedule is lived through: three mornings, and what comes of the runs before them."""
BEFORE, AFTER = 4 * DAY, 24 * DAY
"""How far around these the wall clock is looked at."""
QUARTER = 15
"""Minutes: no zone changes its clock in between, nor has in this century."""
STARTS = (
    datetime(2026, 11, 24, 9, tzinfo=UTC),  # nothing special
    datetime(2027, 3, 26, 12, tzinfo=UTC),  # Europe goes forward on the 28th
    datetime(2027, 10, 29, 12, tzinfo=UTC),  # and back on the 31st
    datetime(2027, 3, 12, 18, tzinfo=UTC),  # America goes forward on the 14th
    datetime(2027, 11, 5, 18, tzinfo=UTC),  # and back on the 7th
    datetime(2027, 4, 2, 6, tzinfo=UTC),  # Australia goes back on the 4th, Lord Howe by half an hour
    datetime(2027, 10, 1, 6, tzinfo=UTC),  # and forward on the 3rd
    datetime(2028, 2, 27, 0, tzinfo=UTC),  # a leap day; Ramadan in Casablanca, where the clock is put back for it
    datetime(2026, 12, 29, 20, tzinfo=UTC),  # over the year's end
    datetime(2027, 4, 22, 12, tzinfo=UTC),  # Cairo goes forward on a Friday at midnight
)
"""When the days begin that are lived through."""
CHANGING = ("Europe/", "America/", "Australia/", "Antarctica/", "Africa/Ca")
"""Zones with changes come up more often than by themselves."""

SILENT, NOT_RUN, NO_PAIN, PAIN, PAIN_ONCE = "silent", "not run", "no pain", "pain", "pain, then silent"
"""How someone answers: each message at once and to its end, or not at all; or the first one only."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a member does by themselves at a minute after the start."""

    at: int
    text: str


@dataclass(frozen=True)
class Schedule:
    """What decides when someone is written to: where they are, what they set, when they run, and what they tell."""

    start: datetime
    zone: str
    age: Age
    quiet: tuple[int, int]
    """From one minute of the day to another; none where they are the same."""
    days: frozenset[int]
    delay: int
    usual: tuple[tuple[int, int], ...]
    """Weekday and minute of the day of each usual run."""
    told: tuple[tuple[int, int], ...]
    """At which minute after the start a run was told with `/ran`, and how many minutes it took: it has just ended."""
    pause: tuple[int, int, int | None] | None
    """At which minute after the start `/pause` was said, for how many days, and at which it was ended by hand, if it was."""
    answers: str
    rhythm: Rhythm
    ignored: int
    """How far Hipwise had slowed down before."""
    lives: int = LIVED
    """Minutes that it is lived through."""

    @property
    def diary(self) -> Diary:
        """As it is kept at the start."""
        return Diary(
            zone=self.zone,
            age=self.age,
            quiet=Quiet(_time(self.quiet[0]), _time(self.quiet[1])),
            delay=self.delay,
            days=tuple(sorted(self.days)),
            plan=tuple(Slot(weekday, _time(at)) for weekday, at in self.usual),
            rhythm=self.rhythm,
            ignored=self.ignored,
        )

    @property
    def events(self) -> tuple[Event, ...]:
        """What the member does by themselves, in its order."""
        found = [Event(at, f"/ran {minutes} min") for at, minutes in self.told]
        if self.pause is not None:
            at, days, ended = self.pause
            found.append(Event(at, f"/pause {days} days"))
            found += [] if ended is None else [Event(ended, "/pause off")]
        return tuple(sorted(found, key=lambda event: event.at))


# ---------------------------------------------------------------- Any schedule


@cache
def _zones() -> tuple[tuple[str, ...], tuple[str, ...]]:
    every = tuple(sorted(names()))
    return every, tuple(zone for zone in every if zone.startswith(CHANGING))


def any_schedule(chance: random.Random, start: datetime) -> Schedule:
    """Return any schedule of someone who has agreed to check-ins."""
    every, changing = _zones()
    usual = frozenset((chance.randrange(7), 5 * chance.randrange(288)) for _ in range(chance.choice((0, 1, 2, 3, 5, 7, 9))))
    rhythm = chance.choice((Rhythm.EACH_RUN,) * 6 + (Rhythm.WEEKLY,) * 3 + (Rhythm.SILENT,))
    schedule = Schedule(
        start,
        chance.choice(changing if chance.random() < 0.6 else every),
        Age.UNDER_18 if chance.random() < 0.1 else Age.ADULT,
        chance.choice((_night(chance), _night(chance), (5 * chance.randrange(288), 5 * chance.randrange(288)), (0, 0))),
        frozenset(range(7)) if chance.random() < 0.5 else frozenset(chance.sample(range(7), chance.randint(1, 6))),
        chance.choice((30, 60, 120, 120, 120, 180, 240, 5 * chance.randint(6, 144))),
        tuple(sorted(usual)),
        (),
        _any_pause(chance),
        chance.choice((SILENT, SILENT, SILENT, NOT_RUN, NO_PAIN, PAIN, PAIN, PAIN_ONCE)),
        rhythm,
        0 if rhythm is Rhythm.SILENT else chance.randrange(3 if rhythm is Rhythm.EACH_RUN else 2),
    )
    return replace(schedule, told=tuple(_told(chance, schedule)))


def _night(chance: random.Random) -> tuple[int, int]:
    return 5 * chance.randint(20 * 12, 24 * 12 - 1), 5 * chance.randint(5 * 12, 10 * 12)


def _any_pause(chance: random.Random) -> tuple[int, int, int | None] | None:
    if chance.random() < 0.75:
        return None
    at, days = chance.randrange(2 * DAY), chance.choice((1, 1, 1, 2, 14))
    return at, days, None if chance.random() < 0.6 else at + chance.randrange(5, 2 * DAY)


def _told(chance: random.Random, schedule: Schedule) -> Iterator[tuple[int, int]]:
    """Yield runs as they are told, hours apart; one that is like a usual run is told before that is asked about."""
    if schedule.age is Age.UNDER_18:
        return
    oracle, kept = Oracle(schedule), list[int]()
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        at, minutes = chance.randrange(LIVED - DAY), chance.randrange(15, 180)
        start = oracle.begin + at - minutes
        near = [run for run in oracle.usual if abs(run.start - start) <= 3 * HOUR]
        late = any(run.start + HOUR + schedule.delay <= oracle.begin + at for run in near)
        if not late and all(abs(other - start) > 3 * HOUR for other in kept):
            kept.append(start)
            yield at, minutes


# ---------------------------------------------------------------- What is owed, by the rules in words


@dataclass(frozen=True, slots=True)
class Came:
    """A message: at which minute after the start, and why."""

    at: int
    occasion: str
    until: int = field(default=0, compare=False)
    """The last minute at which it might have come."""


@dataclass(slots=True)
class Run:
    """A run, in minutes, and what came of its check-in."""

    start: int
    end: int
    told: int | None = None
    """When it was told; None: it is a usual one."""
    sent: dict[str, int] = field(default_factory=dict)
    touched: bool = False
    sore: bool = False
    """Whether there was pain and the next morning's questions are still to come."""
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when a message may be sent, in minutes."""

    occasion: str
    due: int
    until: int
    together: bool = False


ORDERS = 16
"""In so many ways messages are put in order where several are late: four times one way or the other."""


def may_come(schedule: Schedule, gap: tuple[int, int] = (0, 0)) -> Iterator[tuple[Came, ...]]:
    """Yield what may come of a schedule: of several messages that are late at a minute it is left open which goes first."""
    return (Oracle(schedule, gap, order=order).expected() for order in range(ORDERS))


def is_owed(schedule: Schedule, got: Sequence[Came], gap: tuple[int, int] = (0, 0)) -> bool:
    """Return whether just this may come of a schedule; after a pause two that are late may also have changed places."""
    if got == next(may_come(schedule, gap)):
        return True
    ways = tuple(may_come(schedule, gap))
    changed = [_without_order(way) for way in ways] if schedule.pause is not None else []
    return got in ways or _without_order(got) in changed


def _without_order(came: Sequence[Came]) -> tuple[list[int], list[str]]:
    return sorted(each.at for each in came), sorted(each.occasion for each in came)


class Oracle:
    """What one schedule leads to."""

    def __init__(self, schedule: Schedule, gap: tuple[int, int] = (0, 0), *, order: int = 0) -> None:
        self._of, self._order = schedule, order
        self.begin = _minute(schedule.start)
        self._gap = range(self.begin + gap[0], self.begin + gap[1])
        """Minutes that nobody lives through, such as where the clock is put forward: what falls in them comes after."""
        self._offsets, self._steady = _offsets(schedule.zone, schedule.start, schedule.lives)
        self._spans: dict[tuple[int, int], tuple[Span, ...]] = {}
        self.usual = self._usual()
        self._runs = list(self.usual)
        self._rhythm, self._ignored = schedule.rhythm, schedule.ignored
        self._pause: int | None = None
        self._last: Span | None = None
        self._came: list[Came] = []
        self._at = self.begin - 1
        self._to_look: list[int] = []

    def expected(self) -> tuple[Came, ...]:
        """Return every message that is owed, at the first minute at which it may be said."""
        events = list(self._of.events)
        for at in (self.begin, *(self.begin + event.at for event in events)):
            self._look_at(at)
        for run in self._runs:
            self._look_at_all_of(run)
        while self._to_look:
            now = self._at = heapq.heappop(self._to_look)
            while self._to_look and self._to_look[0] == now:
                heapq.heappop(self._to_look)
            if now >= self.begin + self._of.lives:
                break
            while events and self.begin + events[0].at <= now:
                self._done(events.pop(0).text, now)
            self._now(now)
        return tuple(sorted(self._came, key=lambda came: (came.at, came.occasion)))

    # ---------------------------------------------------------------- The clock on the wall

    def _wall(self, at: int) -> int:
        return at + self._offsets[(at - self.begin + BEFORE) // QUARTER]

    @cached_property
    def _allowed_in_week(self) -> bytes:
        """Whether something may be said, for each minute of a week of the wall."""
        start, end = self._of.quiet
        quiet = {m for m in range(DAY) if (start <= m < end if start <= end else m >= start or m < end)}
        day = bytes(m not in quiet for m in range(DAY))
        return b"".join(day if weekday in self._of.days else bytes(DAY) for weekday in range(7))

    def is_quiet(self, at: int) -> bool:
        """Return whether nothing may be written at a minute after the start."""
        return not self._allowed(self.begin + at)

    def _allowed(self, at: int) -> bool:
        return bool(self._allowed_in_week[self._wall(at) % WEEK])

    def _first(self, at: int) -> int:
        """Return the first minute from this one on at which something may be said: minute by minute."""
        if self._steady:  # the same walk, on a wall whose clock is never changed
            begins = self._wall(at) % WEEK
            found = self._allowed_in_week.find(1, begins)
            if found < 0:
                found = self._allowed_in_week.find(1) + WEEK
            return at + found - begins if found >= begins else NEVER
        while not self._allowed(at):
            at += 1
        return at

    def _shows(self, wall: int) -> int:
        """Return when the wall first shows this; what it never shows is as long after the last minute before it."""
        if self._steady:
            return wall - self._offsets[0]
        at = wall - 15 * HOUR
        while self._wall(at) < wall:
            at += 1
        return at if self._wall(at) == wall else at - 1 + wall - self._wall(at - 1)

    def _quiet_after(self, at: int) -> int:
        """Return when quiet hours begin next; those who have none are left a day."""
        start, end = self._of.quiet
        if start == end:
            return at + DAY
        begins = self._shows(self._wall(at) // DAY * DAY + start)
        return begins if begins > at else self._shows((self._wall(at) // DAY + 1) * DAY + start)

    # ---------------------------------------------------------------- The runs

    def _usual(self) -> list[Run]:
        """Return the usual runs around these days, but those within three hours of one before."""
        first = self._wall(self.begin - 3 * DAY - 12 * HOUR) // DAY
        found = sorted(
            {
                self._shows(date * DAY + minute)
                for date in range(first, first + self._of.lives // DAY + 6)
                for weekday, minute in self._of.usual
                if weekday == date % 7
            }
        )
        kept = [at for at, before in zip(found, [NEVER, *found], strict=False) if abs(at - before) > 3 * HOUR]
        return [Run(at, at + HOUR) for at in kept if self.begin - 2 * DAY <= at < self.begin + self._of.lives]

    def _spans_of(self, run: Run) -> tuple[Span, ...]:
        found = self._spans.get((run.start, run.end))
        if found is None:
            found = self._spans[run.start, run.end] = tuple(self._asked_of(run))
        return found

    def _asked_of(self, run: Run) -> Iterator[Span]:
        """Yield when a run is asked about: after it and next morning, or where the first would wait too long, both as one."""
        target = run.end + self._of.delay
        after = self._first(target)
        eight = self._shows((self._wall(run.end - 4 * HOUR) // DAY + 1) * DAY + 8 * HOUR)
        morning = self._first(eight)
        has_morning = morning - eight <= 6 * HOUR
        if after - target <= 2 * HOUR and not (has_morning and after + 2 * HOUR > morning):
            ends = [after + 6 * HOUR, self._quiet_after(after), *([morning] if has_morning else [])]
            yield Span("checkin", after, min(ends))
            if has_morning:
                yield Span("morning", morning, min(morning + 5 * HOUR, self._quiet_after(morning)))
            return
        due = self._first(max(after, self._shows(self._wall(after) // DAY * DAY + 8 * HOUR)))
        if due - target <= 20 * HOUR:
            yield Span("morning", due, min(due + 5 * HOUR, self._quiet_after(due)), together=True)

    def _nudge(self, run: Run) -> Span | None:
        """Return when it is asked once more: with the next morning's, or in the afternoon of that."""
        spans = self._spans_of(run)
        if run.closed or not spans:
            return None
        if len(spans) == 2 and not run.sore:
            return Span("nudge", spans[1].due, spans[1].until)
        after = spans[-1].due + 8 * HOUR
        due = self._first(after)
        return Span("nudge", due, due + 3 * HOUR) if due - after <= 20 * HOUR else None

    # ---------------------------------------------------------------- What happens

    def _done(self, text: str, now: int) -> None:
        if text == "/pause off":
            self._pause = None
        elif text.startswith("/pause"):
            self._pause = now + DAY * int(text.split()[1])
            self._look_at(self._pause)
        else:
            run = Run(now - int(text.split()[1]), now, told=now)
            self._runs = [r for r in self._runs if abs(r.start - run.start) > 3 * HOUR]
            self._runs = sorted([*self._runs, run], key=lambda each: each.start)
            self._pause = None
            self._rhythm, self._ignored = Rhythm.EACH_RUN, 0
            self._look_at_all_of(run)

    def _now(self, now: int) -> None:
        """Send all that is owed now, answer it, and see what is owed then."""
        self._over(now)
        said = True
        while said:
            said = False
            for run, span in self._in_order(now):
                said |= self._say(run, span, now)
            self._over(now)

    def _in_order(self, now: int) -> Sequence[tuple[Run | None, Span]]:
        """Return what is owed by now in the order in which it is sent; where something of it is late, either way round."""
        found = sorted(self._owed(now), key=lambda owed: owed[1].due)
        silent = (self._pause is not None and now < self._pause) or not self._allowed(now)
        if silent or len(found) < 2 or now - found[0][1].due <= LATE:
            return found
        way, self._order = self._order & 1, self._order >> 1
        return found[::-1] if way else found

    def _over(self, now: int) -> None:
        """Take in which check-ins are over that nobody answered."""
        for run in self._runs:
            ends = [span.until for span in (*self._spans_of(run), self._nudge(run)) if span is not None]
            if run.sent and not run.closed and ends and now > max(ends):
                run.closed = True
                if not run.touched:
                    self._slow_down(now)

    def _slow_down(self, now: int) -> None:
        self._ignored += 1
        if self._rhythm is Rhythm.EACH_RUN and self._ignored >= 3:
            self._rhythm, self._ignored = Rhythm.WEEKLY, 0
        elif self._rhythm is Rhythm.WEEKLY and self._ignored >= 2:
            self._rhythm, self._ignored = Rhythm.SILENT, 0
            due = self._first(now)
            self._last = Span("last", due, due + DAY)
            self._look_at(due)

    def _owed(self, now: int) -> Iterator[tuple[Run | None, Span]]:
        """Yield what is owed by now of each run that is asked about."""
        if self._last is not None and self._rhythm is Rhythm.SILENT and self._last.due <= now <= self._last.until:
            yield None, self._last
        asked = list[int]()
        for run in self._runs:
            if run.told is None and not run.sent and not self._asks(run, asked):
                continue
            spans, nudge = self._spans_of(run), self._nudge(run)
            if run.sent or run.told or (spans and spans[-1].until >= now):
                asked.append(run.start)
            for span in spans:
                wanted = not run.touched if span.occasion == "checkin" or span.together else run.sore
                if wanted and not run.closed and self._in(span, run, now):
                    yield run, span
            unanswered = any(span.until < now and span.occasion in run.sent for span in spans)
            if nudge is not None and unanswered and self._in(nudge, run, now):
                yield run, nudge

    def _asks(self, run: Run, asked: Sequence[int]) -> bool:
        if self._pause is not None and run.end < self._pause:
            return False
        others = [*asked, *(other.start for other in self._runs if other.sent or other.told)]
        weekly = any(0 <= run.start - other < WEEK for other in others if other != run.start)
        return self._rhythm is Rhythm.EACH_RUN or (self._rhythm is Rhythm.WEEKLY and not weekly)

    def _in(self, span: Span, run: Run, now: int) -> bool:
        return span.occasion not in run.sent and span.due <= now <= span.until

    def _say(self, run: Run | None, span: Span, now: int) -> bool:
        if self._pause is not None and now < self._pause:
            self._look_at(self._pause)
            if run is None:  # it is planned once: put off, or given up
                self._last = replace(span, due=self._pause) if self._pause <= span.until else None
            return False
        if not self._allowed(now):
            self._look_at(self._first(now))
            return False
        if self._came and now - span.due > LATE and now < self._came[-1].at + self.begin + 2 * HOUR:
            self._look_at(self._came[-1].at + self.begin + 2 * HOUR)
            return False
        self._came.append(Came(now - self.begin, span.occasion, span.until - self.begin))
        if run is None:
            self._last = None
        else:
            run.sent[span.occasion] = now
            self._answer(run, now)
        return True

    def _answer(self, run: Run, now: int) -> None:
        if self._of.answers == SILENT or (self._of.answers == PAIN_ONCE and run.touched):
            return
        spans = self._spans_of(run)
        mornings = [span for span in spans if span.occasion == "morning"]
        waits = bool(mornings) and now < mornings[0].due
        run.touched, self._rhythm, self._ignored = True, Rhythm.EACH_RUN, 0
        run.sore = self._of.answers in (PAIN, PAIN_ONCE) and waits
        run.closed = not run.sore
        self._look_at_all_of(run)

    # ---------------------------------------------------------------- When to look

    def _look_at_all_of(self, run: Run) -> None:
        for span in (*self._spans_of(run), self._nudge(run)):
            if span is not None:
                self._look_at(span.due)
                self._look_at(span.until + 1)

    def _look_at(self, at: int) -> None:
        if at > self._at:
            heapq.heappush(self._to_look, self._gap.stop if at in self._gap else at)


LATE = 10
"""Minutes after its time from which on a message is late."""
NEVER = 1 << 40


def _minute(at: datetime) -> int:
    return (at - MONDAY) // timedelta(minutes=1)


def _time(minute: int) -> time:
    return time(minute // HOUR, minute % HOUR)


@cache
def _offsets(zone: str, start: datetime, lives: int) -> tuple[list[int], bool]:
    """Return by how many minutes the wall is ahead of UTC, for each quarter of an hour, and whether that stays the same."""
    wall, since, minute = rules(zone), start - timedelta(minutes=BEFORE), timedelta(minutes=1)
    quarters = range((BEFORE + lives + AFTER) // QUARTER)
    found = [(since + n * QUARTER * minute).astimezone(wall).utcoffset() // minute for n in quarters]  # type: ignore[operator]
    return found, len(set(found)) == 1
