"""Days that pass on a clock of their own, and what is written first in them: planned, judged and sent as everywhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bots.console.inbound import HERE
from core.companion import Companion
from core.dialogue import Reply
from core.diary import from_json
from core.ledger import Delivery
from core.outreach import Outreach
from core.replies import reply_of
from core.storage import Store
from core.wallclock import local
from core.words import Words
from scheduler.jobs import Job

MINUTE = timedelta(minutes=1)
"""Nothing is due at a finer time."""
NEXT = "next"
UNITS = {"m": timedelta(minutes=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_SPAN = re.compile(rf"([1-9][0-9]{{0,4}}) ?({'|'.join(UNITS)})")


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved, but for a microsecond at each reading: what comes later is later."""

    at: datetime
    """What it shows."""
    read: int = 0

    def __call__(self) -> datetime:
        """Return the present."""
        self.read += 1
        return self.at + timedelta(microseconds=self.read)


@dataclass(frozen=True, slots=True)
class Advance:
    """How far the clock is to be moved; None: to the next message."""

    by: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """A message that came by itself."""

    at: datetime
    reply: Reply
    occasion: str
    occurrence: str


class Arrivals:
    """The member's end of the line: a `Messenger` that holds what came until it is taken."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._came = clock, list[Came]()

    async def send(self, delivery: Delivery) -> None:
        """Take a message; it has no id here."""
        said = delivery.reply
        self._came.append(Came(self._clock.at, reply_of(said), said["occasion"], said["occurrence"]))

    def taken(self) -> tuple[Came, ...]:
        """Return what came since this was last asked."""
        came, self._came = tuple(self._came), []
        return came


@dataclass(frozen=True, slots=True)
class Days:
    """A Hipwise whose days pass when someone says so. What is due in them comes in its order, at its time."""

    companion: Companion
    words: Words
    clock: Clock
    ends: datetime
    store: Store
    outreach: Outreach
    jobs: Sequence[Job]
    arrivals: Arrivals

    @property
    def over(self) -> bool:
        """Whether the last day is over."""
        return self.clock.at >= self.ends

    async def advance(self, how: Advance) -> tuple[Came, ...]:
        """Return what comes as the clock is moved, never past the end; without a next message it is moved to the end."""
        until = self.ends if how.by is None else min(self.ends, self.clock.at + how.by)
        came: tuple[Came, ...] = ()
        while True:
            came += await self._due()
            if (how.by is None and came) or self.clock.at >= until:
                return came
            self.clock.at = min(until, await self._next() or until)

    async def is_empty(self) -> bool:
        """Return whether nothing is planned, nor to be planned, whatever time passes."""
        return await self.store.next_due() is None

    async def wall(self, at: datetime) -> datetime:
        """Return what the clock on the member's wall shows at a time; UTC while they have not told where they are."""
        diary = (await self.store.load(HERE)).diary
        return at if diary is None else local(at, from_json(diary).zone)

    async def _due(self) -> tuple[Came, ...]:
        for job in self.jobs:
            await job.what(self.clock.at)
        await self.outreach.done()
        return self.arrivals.taken()

    async def _next(self) -> datetime | None:
        """Return when there is something to do again, later than now: what could not be done waits like everything."""
        due = await self.store.next_due()
        return None if due is None else max(due, self.clock.at + MINUTE)


def read_span(text: str) -> timedelta | None:
    """Return the time that a text such as "30m", "2h" or "1d" says; None where it says nothing of that."""
    found = _SPAN.fullmatch(text.strip().casefold())
    return int(found[1]) * UNITS[found[2]] if found else None
