"""The table of jobs, and which of them are due. No timer and no clock is in it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from core.club import Club
from core.ledger import Owed
from core.organising import refresh
from core.outages import Outages
from core.outreach import Outreach
from core.ports import Planner
from core.storage import Store, back_up_if_due
from core.timetable import Days, Timetable

HOURLY = timedelta(hours=1)
OFTEN = timedelta(seconds=20)
TOGETHER = 50
"""Diaries that are planned from in one commit."""

Post = Callable[[Club, Days, datetime], Owed | None]
"""A club, the days of its runs, and the time in; what is owed to its channel out, None where that is nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is done again and again, and at the start. One that was cut short can simply be done again."""

    name: str
    every: timedelta
    what: Callable[[datetime], Awaitable[object]]
    """It is given the present."""


def upkeep(store: Store, backups: Path) -> tuple[Job, ...]:
    """Return what keeps the store in order, and a backup of every day."""
    return (
        purging(store),
        # It makes one where there is none of the day yet: asked hourly, it tries soon again when that failed.
        Job("backup", HOURLY, partial(back_up_if_due, store, backups)),
    )


def purging(store: Store) -> Job:
    """Return what erases what is older than it may become."""
    return Job("purge", HOURLY, store.purge)


def sending(outreach: Outreach) -> Job:
    """Return what hands over everything that is owed and due; it waits for no message to be sent."""
    return Job("send", OFTEN, lambda _now: outreach.send_due())


def watching(outages: Outages) -> Job:
    """Return what notes that Hipwise runs: so it is known after how long it was off."""
    return Job("alive", HOURLY, outages.alive)


def planning(store: Store, plan: Planner, timetable: Timetable) -> Job:
    """Return what plans ahead from every diary whose time has come, so many in each commit that no answer waits.

    The days of the clubs' runs are worked out before. Where a club changed meanwhile, all is planned from anew.
    """
    seen: list[tuple[Club, ...]] = []

    async def every(now: datetime) -> None:
        clubs = await store.clubs()
        await refresh(timetable, clubs, now)
        if seen and seen[-1] != clubs:
            await store.look_at_all(now)
        seen[:] = [clubs]
        while await store.plan_due(plan, now, TOGETHER) == TOGETHER:
            pass

    return Job("plan", OFTEN, every)


def posting(store: Store, timetable: Timetable, post: Post) -> Job:
    """Return what posts in the channels of clubs after their runs, as the timetable has them."""
    posted: dict[str, tuple[str | None, str | None]] = {}

    async def every(now: datetime) -> None:
        for club in await store.clubs():
            owed = post(club, timetable.days, now)
            # Asked of the store once for each, and not each time until its window is over.
            if owed is not None and posted.get(club.id) != (club.channel, owed.occurrence):
                await store.post(club, owed)
                posted[club.id] = club.channel, owed.occurrence

    return Job("post", OFTEN, every)


def due(jobs: Iterable[Job], last: Mapping[str, datetime], now: datetime) -> tuple[Job, ...]:
    """Return the jobs that are due, by when each was last done.

    One that was never done is due. So is one that was last done in the future: the clock was put back since.
    """
    return tuple(job for job in jobs if job.name not in last or not last[job.name] <= now < last[job.name] + job.every)
