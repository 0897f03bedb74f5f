"""How much someone runs: the runs that took place, what stands out of them, and their season of training. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from core import runs
from core.diary import Diary, Run
from core.wallclock import day

LATELY = timedelta(days=7)
"""For how long a run that stood out is spoken of."""
COMING_BACK = timedelta(days=21)
"""For how long after its first run someone is coming back."""
ENOUGH = 2
"""Runs with a distance from which a time counts as one in which somebody ran."""


class Load(StrEnum):
    """What stands out of the runs of the last days."""

    LONGER = "longer"
    """A run much longer than the longest of the days before it."""
    MORE = "more"
    """Much more distance in the last days than in those before them."""
    DAILY = "daily"
    """No day without a run."""


class Season(StrEnum):
    """Where someone is in their training."""

    AWAY = "away"
    """No run for some time, after runs before it."""
    RETURNING = "returning"
    BUILDING = "building"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Bound:
    """A number that a source gives: how much, in percent of what was before, over how many days."""

    percent: int
    days: int
    sources: tuple[str, ...]

    @property
    def time(self) -> timedelta:
        """The days, as a length of time."""
        return timedelta(days=self.days)

    def passed(self, now: int, before: int) -> bool:
        """Return whether a distance is more than so many percent of the one before; never where that is none."""
        return 0 < before * self.percent < now * 100


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of load, each with its sources."""

    longest_run: Bound
    """A run, against the longest of the days before it."""
    more: Bound
    """The distance of so many days, against as many before them."""
    building: Bound
    """The same, from which someone is said to build up."""
    daily: Bound
    """Days in a row."""
    away: Bound
    """Days without a run that make a break."""


def taken(diary: Diary, now: datetime) -> tuple[Run, ...]:
    """Return the runs before now that took place, oldest first: those that were told, and those that a check-in confirmed."""
    told = runs.between(replace(diary, plan=(), clubs=()), now - runs.LONGEST_SPAN, now)
    asked = sorted((a for a in diary.askings if a.run.start < now), key=lambda a: (a.run.start, a.id))
    denied = {asking.run.id for asking in asked if asking.ran is False}
    known = [run for run in told if run.id not in denied]
    for run in (asking.run for asking in asked if asking.ran):
        if not any(abs(run.start - other.start) <= runs.NEAR for other in known):
            known.append(run)
    return tuple(sorted(known, key=lambda run: (run.start, run.id)))


def longest(past: Sequence[Run], until: datetime, bound: Bound) -> int:
    """Return the metres of the longest run that began in the days before a time, 0 where none is known."""
    return max((run.metres or 0 for run in _between(past, until - bound.time, until)), default=0)


def went_longer(past: Sequence[Run], run: Run, bound: Bound) -> bool:
    """Return whether a run was much longer than the longest of the days before it."""
    return bound.passed(run.metres or 0, longest(past, run.start, bound))


def loads(diary: Diary, now: datetime, bounds: Bounds) -> frozenset[Load]:
    """Return what stands out of the runs of the last days."""
    past = taken(diary, now)
    found = {
        Load.LONGER: any(went_longer(past, run, bounds.longest_run) for run in _between(past, now - LATELY, now)),
        Load.MORE: _grew(past, now, bounds.more),
        Load.DAILY: _daily(past, now, diary.zone, bounds.daily.days),
    }
    return frozenset(load for load, holds in found.items() if holds)


def season(diary: Diary, now: datetime, bounds: Bounds) -> Season | None:
    """Return the season of training as the runs show it, or None where there are too few of them to say."""
    past = taken(diary, now)
    if past and now - past[-1].start >= bounds.away.time:
        return Season.AWAY
    if _came_back(past, now, bounds.away.time):
        return Season.RETURNING
    if min(len(part) for part in _two(past, now, bounds.building.time)) < ENOUGH:
        return None
    return Season.BUILDING if _grew(past, now, bounds.building) else Season.STEADY


def _between(past: Sequence[Run], start: datetime, end: datetime) -> tuple[Run, ...]:
    """Return the runs that began at `start` or later, and before `end`."""
    return tuple(run for run in past if start <= run.start < end)


def _two(past: Sequence[Run], now: datetime, time: timedelta) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Return the runs of the time that ends now, and of the one before it."""
    return _between(past, now - time, now), _between(past, now - 2 * time, now - time)


def _grew(past: Sequence[Run], now: datetime, bound: Bound) -> bool:
    """Return whether the distance grew past a bound. Where a distance is not known, nothing is said of it."""
    lately, before = (tuple(run.metres for run in part) for part in _two(past, now, bound.time))
    if len(before) < ENOUGH or None in (*lately, *before):
        return False
    return bound.passed(sum(m or 0 for m in lately), sum(m or 0 for m in before))


def _daily(past: Sequence[Run], now: datetime, zone: str, days: int) -> bool:
    """Return whether there was a run on each of so many days in a row, the last of them today or yesterday."""
    ran = {day(run.start, zone) for run in past}
    today = day(now, zone)
    return any(ran >= _row(today - timedelta(days=late), days) for late in (0, 1))


def _row(last: date, days: int) -> frozenset[date]:
    return frozenset(last - timedelta(days=back) for back in range(days))


def _came_back(past: Sequence[Run], now: datetime, away: timedelta) -> bool:
    return any(late.start - early.start >= away and now - late.start < COMING_BACK for early, late in pairwise(past))
