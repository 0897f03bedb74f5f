"""A club's group runs, typed in or read from its calendar file (.ics, RFC 5545), and when they are. No clock.

A file comes from anyone who organises, so all of it is bounded: what it may hold, and how long a look at it takes.
The libraries see only those lines of it that tell of runs, and only rules that surely come to a next day.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import blake2s
from typing import Any, TypeAlias

from core.club import GroupRun
from core.diary import Origin, Run, Slot
from core.wallclock import instant, local
from core.zones import names

LARGEST = 500_000
"""Bytes of a file: ten years of a busy club."""
MOST_EVENTS = 1_500
"""Events in a file, those that are over included: each takes a third of a millisecond to read."""
MOST_RUNS = 60
"""Group runs of a club that may be to come: more than eight for each day of a week. To find their days takes longest of all."""
MOST_EXCEPTIONS = 400
"""Days of one group run that are added, left out or moved, and are not long over."""
MOST_TIMES = 1_000
"""Repetitions where they are counted: 19 years of weeks. Each is gone through at every look."""
LONGEST_UID = 1_000
"""Characters. RFC 7986 says 255, which not all keep to."""
LONGEST_LINE = 20_000
"""Characters of an event's line, put together from its folds: a thousand dates in one."""
LONGEST_NAME = 60
"""Characters that are kept of a name or a place: as many as fit a button or a line."""
LONGEST_RUN = timedelta(hours=24)
"""What takes longer is a camp or a holiday, as is what takes whole days, and no run."""
LONGEST_SPAN = timedelta(days=400)
"""How far ahead runs are worked out at most: the next of a run once a year lies in it."""
SOON = timedelta(days=31)
"""Where most runs come again: one looks there first."""
OVER = timedelta(days=60)
"""What is over for longer is left out."""
FIRST_YEAR, LAST_YEAR = 2000, 2099
"""What begins before or after was not meant. Between them a year's calendar comes again every 28 years."""

_Event: TypeAlias = Any
"""An event of icalendar, which may hold anything that a file says: what is taken from one is looked at first."""

_LINES = ("UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE", "STATUS")
_TEXTS = ("SUMMARY", "LOCATION")
_TZID = "X-TZID"
"""What TZID is called before the library sees it: it would look for the zone in the files of the system."""
_OFTEN = frozenset({"HOURLY", "MINUTELY", "SECONDLY"})
_CLOCK = {"BYHOUR": "hour", "BYMINUTE": "minute", "BYSECOND": "second"}
_PARTS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "WKST"})
_LONG_PARTS = frozenset({"BYMONTHDAY", "BYSETPOS"})
"""What also says of months and years which days they have; of days and weeks it would leave next to none."""
_STEPS = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
_MONDAY = datetime(2024, 1, 1)  # noqa: DTZ001 - what a wall shows has no zone
_MINUTE = timedelta(minutes=1)


class Problem(StrEnum):
    """Why a calendar cannot be used; the words for each say what an organiser can do."""

    TOO_LARGE = "too_large"
    NO_CALENDAR = "no_calendar"
    TOO_MANY_EVENTS = "too_many_events"
    TOO_MANY_RUNS = "too_many_runs"
    TOO_MANY_EXCEPTIONS = "too_many_exceptions"
    TOO_LONG = "too_long"
    TOO_OFTEN = "too_often"
    TOO_STRANGE = "too_strange"
    NO_RUNS = "no_runs"


class UnusableCalendar(ValueError):
    """A calendar that is not taken; `event` is the name of the one at fault, where one is."""

    def __init__(self, problem: Problem, event: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.event = event


# ---------------------------------------------------------------- from what is typed or sent


def weekly(slot: Slot, zone: str, *, name: str = "", place: str = "", minutes: int = 60) -> GroupRun:
    """Return a run of every week that was typed in."""
    from icalendar import vRecur

    name = one_line(name)
    event = _timed(datetime.combine(_MONDAY + timedelta(days=slot.weekday), slot.at), minutes * _MINUTE)
    event.add("RRULE", vRecur(FREQ="WEEKLY"))
    return GroupRun(_id(f"{slot.weekday} {slot.at:%H:%M} {zone} {name}"), name, one_line(place), zone, _schedule([event]))


def read(data: bytes, zone: str, now: datetime) -> tuple[GroupRun, ...]:
    """Return the runs of a calendar file that are still to come; raise UnusableCalendar.

    `zone` is the club's, for times that name none or one that nobody knows.
    All-day events, longer ones than LONGEST_RUN and cancelled ones are no runs.
    """
    if len(data) > LARGEST:
        raise UnusableCalendar(Problem.TOO_LARGE)
    text = data.decode("utf-8-sig", "replace")
    if "BEGIN:VCALENDAR" not in text.upper():
        raise UnusableCalendar(Problem.NO_CALENDAR)
    series: dict[str, list[_Event]] = {}
    for event in _events(text):
        series.setdefault(str(event.get("UID") or _one(event, "SUMMARY") or ""), []).append(event)
    to_come = [(uid, events) for uid, events in series.items() if any(_may_come(event, now) for event in events)]
    if len(to_come) > MOST_RUNS:
        raise UnusableCalendar(Problem.TOO_MANY_RUNS)
    runs = [run for uid, events in to_come if (run := _group_run(uid, events, zone, now))]
    if not runs:
        raise UnusableCalendar(Problem.NO_RUNS)
    return tuple(sorted(runs, key=lambda run: run.id))


def occurrences(group: GroupRun, since: datetime, until: datetime) -> tuple[Run, ...]:
    """Return when a group run starts from one instant to before another, at most LONGEST_SPAN later, earliest first.

    An id says which of its days it is: the day as it was planned at first, so that it stays when the run is moved.
    """
    import recurring_ical_events  # imported here: most starts of the program ask for no club's calendar
    from icalendar import Calendar

    until = min(until, since + LONGEST_SPAN)
    first, last = (local(at, group.zone).replace(tzinfo=None) for at in (since, until))
    found = recurring_ical_events.of(Calendar.from_ical(group.schedule)).between(first - LONGEST_RUN, last + LONGEST_RUN)
    runs = (_run(event, group) for event in found if _one(event, "STATUS") != "CANCELLED")
    return tuple(sorted((run for run in runs if since <= run.start < until), key=lambda run: (run.start, run.id)))


def _run(event: _Event, group: GroupRun) -> Run:
    start, end, planned = event["DTSTART"].dt, event["DTEND"].dt, event["RECURRENCE-ID"]
    # From a day on that moves all later ones, RECURRENCE-ID names that day alone.
    day = start if "RANGE" in planned.params else planned.dt
    return Run(f"{group.id}-{day:%Y%m%dT%H%M}", instant(start, group.zone), Origin.CLUB, (end - start) // _MINUTE or None)


# ---------------------------------------------------------------- the lines of a file


def _events(text: str) -> Iterator[_Event]:
    """Yield the events of a file, of each only the lines that tell of runs."""
    from icalendar import Event

    unfolded = re.sub(r"(?:\r\n|\n|\r)[ \t]", "", text)
    for number, lines in enumerate(_blocks(re.split(r"\r\n|\n|\r", unfolded))):
        if number >= MOST_EVENTS:
            raise UnusableCalendar(Problem.TOO_MANY_EVENTS)
        try:
            yield Event.from_ical("\r\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT", "")))
        except ValueError as error:
            raise UnusableCalendar(Problem.NO_CALENDAR) from error


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    within: list[str] = []
    block: list[str] = []
    for line in (line.strip() for line in lines if line.strip()):
        name = re.split("[:;]", line, maxsplit=1)[0].upper()
        if name == "BEGIN":
            within.append(line[6:].strip().upper())
            block = [] if within == ["VCALENDAR", "VEVENT"] else block
        elif name == "END" and within and within[-1] == line[4:].strip().upper():
            if within == ["VCALENDAR", "VEVENT"]:
                yield block
            within.pop()
        elif name == "END" or not within or within[0] != "VCALENDAR":
            raise UnusableCalendar(Problem.NO_CALENDAR)
        elif within == ["VCALENDAR", "VEVENT"]:
            block += _kept(name, line)
    if within:
        raise UnusableCalendar(Problem.NO_CALENDAR)


def _kept(name: str, line: str) -> Iterator[str]:
    if name in _TEXTS:
        yield line[:LONGEST_UID]
    elif name in _LINES:
        if len(line) > (LONGEST_UID if name == "UID" else LONGEST_LINE):
            raise UnusableCalendar(Problem.TOO_LONG)
        yield re.sub(";TZID=", f";{_TZID}=", line, count=1, flags=re.IGNORECASE)


def _one(event: _Event, name: str) -> Any:
    """Return what an event says of something, the last of it; None where it says nothing."""
    said = event.get(name)
    return said[-1] if isinstance(said, list) and said else said


def _time(event: _Event, name: str) -> Any:
    """Return a time with its parameters, None where there is none that can be read."""
    from icalendar import vDDDTypes

    said = _one(event, name)
    return said if isinstance(said, vDDDTypes) else None


def one_line(text: object) -> str:
    """Return a name on one line, without anything that cannot be shown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in str(text or "")[: LONGEST_NAME * 10])
    return " ".join(shown.split())[:LONGEST_NAME].strip()


def _id(uid: str) -> str:
    return blake2s(uid.encode("utf-8", "replace"), digest_size=6).hexdigest()


# ---------------------------------------------------------------- an event and its exceptions as a group run


def _may_come(event: _Event, now: datetime) -> bool:
    """Return whether an event has a time of day and may be to come, as far as that is seen without looking for its days."""
    start, rule = getattr(_time(event, "DTSTART"), "dt", None), event.get("RRULE")
    last = start if rule is None else _one(rule, "UNTIL") if isinstance(rule, dict) else None
    over = isinstance(last, date) and last.timetuple() < (now - 2 * LONGEST_RUN).timetuple()
    return isinstance(start, datetime) and ("RDATE" in event or not over)


def _group_run(uid: str, events: list[_Event], home: str, now: datetime) -> GroupRun | None:
    """Return the run that events of one UID tell of; None where they tell of none that is still to come."""
    moved = [event for event in events if "RECURRENCE-ID" in event]
    planned = max((event for event in events if "RECURRENCE-ID" not in event), key=_sequence, default=None)
    told = planned or moved[0]
    name = one_line(_one(told, "SUMMARY"))
    start = _time(told, "DTSTART")
    if start is None or (planned and _one(planned, "STATUS") == "CANCELLED"):
        return None
    zone = _zone(start, home)
    try:
        written = list(_exceptions(moved, zone, now))
        written += [] if planned is None else [_floating(planned, zone, now)]
    except UnusableCalendar as error:
        raise UnusableCalendar(error.problem, name) from error
    if None in written:
        return None
    if len(written) > MOST_EXCEPTIONS:
        raise UnusableCalendar(Problem.TOO_MANY_EXCEPTIONS, name)
    run = GroupRun(_id(uid), name, one_line(_one(told, "LOCATION")), zone, _schedule(event for event in written if event))
    return run if occurrences(run, now, now + SOON) or occurrences(run, now, now + LONGEST_SPAN) else None


def _schedule(events: Iterable[_Event]) -> str:
    from icalendar import Calendar

    calendar = Calendar()
    for event in events:
        calendar.add_component(event)
    return str(calendar.to_ical().decode())


def _floating(event: _Event, zone: str, now: datetime) -> _Event | None:
    """Return an event with the times on a wall of the zone; None where it has no time of day, or is no run."""
    start = _wall(_time(event, "DTSTART"), zone)
    length = _length(event, start, zone)
    if start is None or length > LONGEST_RUN:
        return None
    rule = _rule(event, start, zone)
    begins = _brought_near(start, rule, local(now - OVER, zone).replace(tzinfo=None))
    written = _timed(begins, length)
    if rule:
        written.add("RRULE", rule)
    for name in ("RDATE", "EXDATE"):
        days = [day for day in _dates(event, name, zone) if day >= begins]
        if len(days) > MOST_EXCEPTIONS:
            raise UnusableCalendar(Problem.TOO_MANY_EXCEPTIONS)
        for day in days:
            written.add(name, day)
    return written


def _exceptions(events: Iterable[_Event], zone: str, now: datetime) -> Iterator[_Event]:
    """Yield the days that are moved or cancelled, with the times on a wall of the zone, but for those long over."""
    for event in events:
        planned = _time(event, "RECURRENCE-ID")
        day, start = _wall(planned, zone), _wall(_time(event, "DTSTART"), zone)
        if day and ("RANGE" in planned.params or instant(max(day, start or day), zone) > now - OVER):
            length = _length(event, start, zone)
            runs = start and length <= LONGEST_RUN and _one(event, "STATUS") != "CANCELLED"
            written = _timed(start if start and runs else day, length if runs else timedelta())
            written.add("RECURRENCE-ID", day, parameters=_later_ones_too(planned, written["DTSTART"].dt - day))
            written.add("SEQUENCE", _sequence(event))
            written.add("STATUS", "CONFIRMED" if runs else "CANCELLED")
            yield written


def _later_ones_too(planned: Any, moved: timedelta) -> dict[str, str]:
    """Return the parameter by which a day stands for all later ones; raise UnusableCalendar where it moves them far."""
    if "RANGE" not in planned.params:
        return {}
    if abs(moved) > OVER:
        raise UnusableCalendar(Problem.TOO_STRANGE)
    return {"RANGE": "THISANDFUTURE"}


def _timed(start: datetime, length: timedelta) -> _Event:
    from icalendar import Event

    event = Event()
    event.add("UID", "run")
    event.add("DTSTART", start)
    event.add("DTEND", start + length)
    return event


def _sequence(event: _Event) -> int:
    sequence = _one(event, "SEQUENCE")
    return int(sequence) if isinstance(sequence, int) and 0 <= sequence < 2**31 else 0


# ---------------------------------------------------------------- times


def _zone(start: Any, home: str) -> str:
    """Return the zone in which an event is planned: the club's for UTC, for none, and for one that nobody knows."""
    return _known(_tzid(start)) or home


def _tzid(said: Any) -> str:
    return str(said.params.get(_TZID, ""))


def _known(tzid: str) -> str | None:
    """Return the zone of the database that a file means: it may use the name of Windows, or put the maker's before it."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    parts = tzid.strip('"/ ').split("/")
    tails = ("/".join(parts[at:]) for at in range(len(parts)))
    return next((zone for tail in tails if (zone := WINDOWS_TO_OLSON.get(tail, tail)) in names()), None)


def _wall(said: Any, zone: str) -> datetime | None:
    """Return a time as a wall of the zone shows it; None for a date, and for years that were not meant."""
    return None if said is None else _shown(said.dt, _tzid(said), zone)


def _shown(time: object, tzid: str, zone: str) -> datetime | None:
    if not isinstance(time, datetime) or not FIRST_YEAR <= time.year <= LAST_YEAR:
        return None
    written_in = _known(tzid)
    if written_in == zone or (time.tzinfo is None and not written_in) or (tzid and not written_in):
        return time.replace(tzinfo=None)
    at = instant(time.replace(tzinfo=None), written_in) if written_in else time
    return local(at, zone).replace(tzinfo=None)


def _length(event: _Event, start: datetime | None, zone: str) -> timedelta:
    end, said = _wall(_time(event, "DTEND"), zone), getattr(_time(event, "DURATION"), "dt", None)
    length = end - start if start and end else said
    return max(length, timedelta()) if isinstance(length, timedelta) else timedelta()


def _dates(event: _Event, name: str, zone: str) -> Iterator[datetime]:
    """Yield the days that are added or left out."""
    from icalendar import vDDDLists

    said = event.get(name, [])
    for dates in said if isinstance(said, list) else [said]:
        for one in dates.dts if isinstance(dates, vDDDLists) else ():
            time = one.dt[0] if isinstance(one.dt, tuple) else one.dt
            if shown := _shown(time, _tzid(dates), zone):
                yield shown


# ---------------------------------------------------------------- rules


def _rule(event: _Event, start: datetime, zone: str) -> Any:
    """Return the rule by which an event repeats, None where it does not; raise UnusableCalendar for any that we do not take."""
    from icalendar import vRecur

    said = event.get("RRULE")
    if said is None:
        return None
    if not isinstance(said, vRecur) or not said.get("FREQ"):
        raise UnusableCalendar(Problem.TOO_STRANGE)
    parts = {
        name.upper(): values for name, values in said.items() if values != [getattr(start, _CLOCK.get(name.upper(), ""), None)]
    }
    if parts["FREQ"][0] in _OFTEN or parts.keys() & _CLOCK.keys():
        raise UnusableCalendar(Problem.TOO_OFTEN)
    if parts.keys() - (_PARTS if parts["FREQ"][0] in _STEPS else _PARTS | _LONG_PARTS):
        raise UnusableCalendar(Problem.TOO_STRANGE)
    if not 1 <= _number(parts, "INTERVAL") <= 400 or not 1 <= _number(parts, "COUNT") <= MOST_TIMES:
        raise UnusableCalendar(Problem.TOO_STRANGE)
    if {"COUNT", "UNTIL"} <= parts.keys() or not _comes_again(
        {name: values for name, values in parts.items() if name not in ("COUNT", "UNTIL")}, start
    ):
        raise UnusableCalendar(Problem.TOO_STRANGE)
    if "UNTIL" in parts:
        parts["UNTIL"] = [_until(parts["UNTIL"][0], zone)]
    return vRecur(parts)


def _shown_by(start: datetime, name: str) -> int | None:
    """Return what BYHOUR, BYMINUTE or BYSECOND says where it only repeats the start."""
    return getattr(start, _CLOCK[name]) if name in _CLOCK else None


def _number(parts: Mapping[str, Any], name: str) -> int:
    values = parts.get(name, [1])
    return int(values[0]) if len(values) == 1 else 0


def _until(last: Any, zone: str) -> datetime:
    if not isinstance(last, datetime):
        last = datetime(last.year, last.month, last.day, 23, 59, 59)  # noqa: DTZ001 - on the wall
    year = min(max(last.year, FIRST_YEAR), LAST_YEAR)
    return _shown(last, "", zone) or last.replace(year=year, day=min(last.day, 28), tzinfo=None)


def _comes_again(parts: Mapping[str, Any], start: datetime) -> bool:
    """Return whether a rule comes to any day within a lifetime.

    dateutil looks for the next day up to the year 9999, which takes it eight seconds where there is none. So a rule is tried
    in that calendar's last years, from one that is like its own: a year comes again after 8,000 years, and after 28.
    """
    from dateutil.rrule import rrulestr
    from icalendar import vRecur

    rule: Any = vRecur(parts)
    late = start.replace(year=9932 + (start.year - 1932) % 28)
    try:
        return next(iter(rrulestr(rule.to_ical().decode(), dtstart=late)), None) is not None
    except (ValueError, TypeError, IndexError):
        return False


def _brought_near(start: datetime, rule: Any, over: datetime) -> datetime:
    """Return a start of the same rule that is over for no longer than it must: it is gone through from there at every look."""
    step = _STEPS.get(rule["FREQ"][0]) if rule and "COUNT" not in rule else None
    if step is None or start > over:
        return start
    step *= _number(rule, "INTERVAL")
    return start + (over - start) // step * step
