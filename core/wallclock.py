"""From the clock on a member's wall to ours, which shows UTC, and back; and their quiet hours. No clock of its own."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from core.diary import Quiet
from core.zones import rules

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


def instant(local: datetime, zone: str) -> datetime:
    """Return when a clock on a wall of the zone shows this, in UTC; raise UnknownZone.

    A time that the clock leaves out is shifted forward by as much as it leaves out; of one that it shows twice it is the first.
    """
    return local.replace(tzinfo=rules(zone), fold=0).astimezone(UTC)


def local(instant: datetime, zone: str) -> datetime:
    """Return what a clock on a wall of the zone shows at an instant; raise UnknownZone."""
    return instant.astimezone(rules(zone))


def day(instant: datetime, zone: str) -> date:
    """Return the date at an instant by the calendar on that wall; raise UnknownZone."""
    return local(instant, zone).date()


def in_quiet(instant: datetime, quiet: Quiet, zone: str) -> bool:
    """Return whether an instant lies in someone's quiet hours. They have none where these end when they start."""
    return _silent(local(instant, zone).time(), quiet)


def first_allowed(instant: datetime, quiet: Quiet, days: Iterable[int], zone: str) -> datetime:
    """Return the first minute, from an instant on, that is outside of quiet hours and on one of the weekdays.

    That is the instant itself where it is allowed already. Weekdays count from Monday, 0.
    Raise ValueError where none of them is allowed, and UnknownZone.
    """
    allowed = frozenset(days) & frozenset(range(7))
    if not allowed:
        raise ValueError("no weekday is allowed")
    at = instant.astimezone(UTC)
    while (wall := local(at, zone)).weekday() not in allowed or _silent(wall.time(), quiet):
        at = _next_boundary(at, quiet, zone)
    return at


def _silent(clock: time, quiet: Quiet) -> bool:
    if quiet.start <= quiet.end:
        return quiet.start <= clock < quiet.end
    return clock >= quiet.start or clock < quiet.end


def _next_boundary(at: datetime, quiet: Quiet, zone: str) -> datetime:
    """Return the next instant at which a day begins, quiet hours end, or the clock is changed."""
    wall = local(at, zone)
    shown = wall.replace(tzinfo=None)
    midnight = datetime.combine(shown.date() + _DAY, time())
    ends = (datetime.combine(shown.date() + ahead, quiet.end) for ahead in (timedelta(), _DAY))
    there = at + (min(midnight, *(end for end in ends if end > shown)) - shown)
    return there if local(there - _MINUTE, zone).utcoffset() == wall.utcoffset() else _change(at, there, zone)


def _change(since: datetime, until: datetime, zone: str) -> datetime:
    """Return the minute of a change of the clock between two instants."""
    before = local(since, zone).utcoffset()
    first = since.replace(second=0, microsecond=0)
    low, high = 0, (until - first) // _MINUTE
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if local(first + middle * _MINUTE, zone).utcoffset() == before else (low, middle)
    return first + high * _MINUTE
