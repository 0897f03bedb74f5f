"""What of a Hipwise writes first: it may be killed as it plans, claims, sends and records, while days pass.

The clock is that of its world (killed_days.py), which MORTAL_TIME is the port of. It stands still until everything is done
that is to be done at a time, and then goes on to when there is something to do again: so a day takes as long as its work.
At every commit the counts of the ledger are looked at, and a dot is put into the file `commits`, or an exclamation mark.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar
from unittest.mock import patch

import mortal
from core.club import Club
from core.coaching import Coaching
from core.ledger import Delivery, Owed
from core.library import Library
from core.organising import post
from core.pacer import Pace
from core.planning import Planning
from core.ports import Planner
from core.storage import tallies
from core.storage.book import Book
from core.storage.store import AHEAD
from core.storage.writer import Writer
from core.timetable import Timetable
from core.vault import KeyRing
from mortal import Core, MortalStore, Steps, labelled
from scheduler.jobs import planning, posting, purging, sending
from scheduler.runner import Runner

T = TypeVar("T")

STEPS = labelled(
    plan=("before", "written", "after"),
    claim=("before", "written", "after"),
    send=("before", "read", "taken", "after"),
    record=("before", "written", "after"),
)
"""Where it may be killed.

`written`: all of it stands in the transaction, which is not committed; `after`: it just was. `read`: the platform has read the
request and does nothing of it; `taken`: it has done it and not answered.
"""
PACE = Pace(permits=100, bulk_gap=0.004)
"""Loopback takes more than any platform, and so more is in flight at once."""
TICK, LOOK = timedelta(milliseconds=5), 0.002
"""How often it is asked what is due, and, in seconds, whether it is done."""
FURTHEST = timedelta(hours=1)
"""How far the clock goes at once: what is posted for clubs is planned only once it is due, and not in quiet hours."""
doing: ContextVar[str | None] = ContextVar("doing", default=None)
"""What a commit is for, where it may be killed in that."""


class PlannedStore(MortalStore):
    """The store, which may be killed within what is written first, and counts at every commit."""

    async def watch(self, steps: Steps) -> None:
        """Look out for commits from now on."""
        self._commits = os.open(self._path.with_name("commits"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        await super().watch(steps)

    async def plan_due(self, plan: Planner, now: datetime, limit: int) -> int:
        """Plan from diaries."""

        def planned(*given: Any) -> Any:
            self.steps.come_to("plan.before")
            return plan(*given)

        return await self._known_as("plan", super().plan_due(planned, now, limit))

    async def post(self, club: Club, owed: Owed) -> tuple[Delivery, ...]:
        """Plan what is posted for a club."""
        self.steps.come_to("plan.before")
        return await self._known_as("plan", super().post(club, owed))

    async def claim(self, delivery: Delivery) -> Delivery | None:
        """Claim a delivery."""
        if delivery.kind not in AHEAD:
            return await super().claim(delivery)
        self.steps.come_to("claim.before")
        return await self._known_as("claim", super().claim(delivery))

    async def sent(self, delivery: Delivery, message_id: str | None) -> bool:
        """Note that it was sent."""
        if delivery.kind not in AHEAD:
            return await super().sent(delivery, message_id)
        self.steps.come_to("record.before")
        return await self._known_as("record", super().sent(delivery, message_id))

    async def _known_as(self, step: str, work: Awaitable[T]) -> T:
        known = doing.set(step)
        try:
            outcome = await work
        finally:
            doing.reset(known)
        if outcome:
            self.steps.come_to(f"{step}.after")
        return outcome

    async def _ask(self, how: Any, work: Callable[[Book], Any]) -> Any:
        step = doing.get()

        def counted(book: Book) -> Any:
            outcome = work(book)
            os.write(self._commits, b"." if tallies.tallies(book).conserved else b"!")
            if step is not None and outcome:
                self.steps.come_to(f"{step}.written")
            return outcome

        return await super()._ask(how, counted if how is Writer.write and hasattr(self, "steps") else work)


class Days:
    """The clock of a world, as a Hipwise that lives in it sees it."""

    def __init__(self, read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        self._read, self._write = read, write
        self.at = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the present."""
        return self.at

    async def look(self) -> None:
        """Read the clock."""
        self.at = datetime.fromisoformat((await self._read.readline()).decode().strip())

    async def pass_to(self, due: datetime | None) -> None:
        """Have time pass until there is something to do again; all is done that was to be done by now."""
        self._write.write(f"{due or self.at}\n".encode())
        await self.look()


def hasty(module: ModuleType, time: int | None) -> AbstractContextManager[object]:
    """Let what is written first go faster than this module of a platform does, where days pass."""
    return patch.object(module, "PACE", PACE) if _port(time) else nullcontext()


def living(folder: Path, ring: KeyRing, steps: Steps, library: Library, time: int | None) -> AbstractAsyncContextManager[Core]:
    """Give a core: one that writes first where the time is told at a port, here or by MORTAL_TIME."""
    port = _port(time)
    return _in_days(folder, ring, steps, library, port) if port else mortal.core(folder, ring, steps, library)


def _port(time: int | None) -> int:
    return time or int(os.environ.get("MORTAL_TIME", "0"))


@asynccontextmanager
async def _in_days(folder: Path, ring: KeyRing, steps: Steps, library: Library, port: int) -> AsyncIterator[Core]:
    read, write = await asyncio.open_connection("127.0.0.1", port)
    days = Days(read, write)
    await days.look()
    try:
        async with mortal.core(
            folder, ring, steps, library, kind=PlannedStore, now=days, coaching=Coaching(library), kinds=AHEAD
        ) as built:
            yield built
    finally:
        write.close()


@asynccontextmanager
async def passing(built: Core, settles: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Have the jobs done, and time pass, where it does."""
    if not isinstance(built.now, Days):
        yield
        return
    timetable = Timetable()
    planned = Planning(built.library, timetable)
    built.store.judged_by(planned.may)
    posts = posting(built.store, timetable, partial(post, built.library))
    jobs = (purging(built.store), planning(built.store, planned.plan, timetable), posts, sending(built.outreach))
    async with Runner(jobs, built.now, tick=TICK) as runner:
        passes = asyncio.create_task(_pass(built, built.now, runner, settles))
        try:
            yield
        finally:
            passes.cancel()
            await asyncio.wait({passes})
    if not passes.cancelled():
        passes.result()


async def _pass(built: Core, days: Days, runner: Runner, settles: Callable[[], Awaitable[None]]) -> None:
    await built.outreach.recovered.wait()
    while True:
        while not all(runner.last(name) == days() for name in ("plan", "post", "send")):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(LOOK)
        await settles()
        due = await built.store.next_due()
        await days.pass_to(None if due is None else min(due, days() + FURTHEST))
