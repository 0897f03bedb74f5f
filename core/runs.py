"""When someone runs: what they told, what is usual and what their club runs, each run once, by an id that stays. No clock."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.diary import Diary, Origin, Run
from core.wallclock import day, instant

NEAR = timedelta(hours=3)
"""Runs that start no further apart are one run."""
AROUND = timedelta(days=2)
"""How far before and after a span its runs must be known: they settle which runs near its ends are one."""
LONGEST_SPAN = timedelta(days=100)
"""More than anyone plans ahead or looks back on: as runs lie more than NEAR apart, it bounds their number too."""
MOST_TOLD = 300
"""Told runs that are looked at, the newest: more than four a day for as long as they are remembered."""
MOST_SLOTS = 28
"""Usual runs in a week: four a day."""


def between(
    diary: Diary, since: datetime, until: datetime, clubs: Mapping[str, Sequence[Run]] | None = None
) -> tuple[Run, ...]:
    """Return the runs that start from one instant to before another, at most LONGEST_SPAN later, earliest first.

    `clubs` has the runs of each group run by its id, from AROUND before to AROUND after; the member's count who follow it.
    Of runs that are one, what was told is taken, then what is usual, then what the club runs; of several told, the newest.
    A run that was asked about keeps the id under which it was, however it is known by now.
    """
    until = min(until, since + LONGEST_SPAN)
    known = list(_told(diary))
    club = [run for id in diary.clubs for run in (clubs or {}).get(id, ())]
    for runs in (_usual(diary, since - AROUND, until + AROUND), club):
        known += [run for run in _first_of_near(runs) if not any(_near(run, other) for other in known)]
    return tuple(sorted((run for run in _as_asked(diary, known) if since <= run.start < until), key=lambda run: run.start))


def _told(diary: Diary) -> Iterator[Run]:
    kept: list[Run] = []
    for run in reversed(diary.runs[-MOST_TOLD:]):
        if not any(_near(run, newer) for newer in kept):
            kept.append(run)
            yield run


def _usual(diary: Diary, since: datetime, until: datetime) -> Iterator[Run]:
    """Yield the usual runs. Their ids are what the wall shows: so they stay the same when the member's zone changes."""
    first = day(since, diary.zone)
    for date in (first + timedelta(days=ahead) for ahead in range((until - since).days + 2)):
        for slot in diary.plan[:MOST_SLOTS]:
            if slot.weekday == date.weekday():
                wall = datetime.combine(date, slot.at)
                yield Run(wall.isoformat(timespec="minutes"), instant(wall, diary.zone), Origin.USUAL)


def _first_of_near(runs: Iterable[Run]) -> Iterator[Run]:
    """Yield each run but those soon after another: which ones is the same in whatever span one looks."""
    before: Run | None = None
    for run in sorted(runs, key=lambda run: (run.start, run.id)):
        if before is None or not _near(run, before):
            yield run
        before = run


def _as_asked(diary: Diary, runs: Sequence[Run]) -> Iterator[Run]:
    """Yield the runs by the ids under which they were asked about, but for one that a change of zone moved away from there."""
    asked: dict[str, str] = {}
    for asking in diary.askings:
        nearest = min(runs, key=lambda run: abs(run.start - asking.run.start), default=None)
        if nearest and _near(nearest, asking.run):
            asked[nearest.id] = asking.run.id
    taken = set(asked.values())
    return (replace(run, id=asked.get(run.id, run.id)) for run in runs if run.id in asked or run.id not in taken)


def _near(one: Run, other: Run) -> bool:
    return abs(one.start - other.start) <= NEAR
