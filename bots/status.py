"""How a Hipwise is, in counts, and what about it must be looked at. Nothing here is about anybody in particular."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from core.storage import Health, Tallies

PURGE_WITHIN = timedelta(hours=2)
"""The purge is hourly: later than this it was missed, and not only late."""
BACKUP_WITHIN = timedelta(days=2)
"""The backup is daily: later than this one was missed."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a Hipwise has fared since it was started."""

    since: datetime
    purged: datetime | None
    """When what is too old was last erased."""
    failing: bool
    """Whether the last turn could not be kept, so that members are answered from memory."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a Hipwise is at one moment."""

    version: str
    content: str
    course: Course | None
    """None: none runs, and the file was read instead."""
    health: Health
    backed_up: datetime | None
    """When the newest backup was made."""


def problems(status: Status, now: datetime) -> tuple[str, ...]:
    """Return what must be looked at, a sentence or two each: what it is, and what to do."""
    return (*_of_course(status, now), *_of_store(status.health, runs=status.course is not None))


def plain(status: Status, now: datetime) -> dict[str, Any]:
    """Return the status as JSON values: times in UTC as ISO 8601, null for never."""
    health = status.health
    ledger = asdict(health.tallies)
    return {
        "version": status.version,
        "content": status.content,
        "running_since": _iso(status.course.since if status.course else None),
        "members": health.members,
        "checks_in_progress": health.checks,
        "checks_overdue": health.overdue,
        "received": {"waiting": health.waiting, "set_aside": health.set_aside},
        "ledger": {**ledger, "adds_up": health.tallies.conserved},
        "unreadable": health.unreadable,
        "members_without_key": health.keyless,
        "kept": not status.course.failing if status.course else None,
        "last_purge": _iso(status.course.purged if status.course else None),
        "last_backup": _iso(status.backed_up),
        "schema": health.schema,
        "sqlite": health.sqlite,
        "problems": list(problems(status, now)),
    }


def text(status: Status, now: datetime) -> str:
    """Return the status for a person: a fact or two a line, in plain words."""
    health, counts = status.health, status.health.tallies
    course = status.course
    return "\n".join(
        (
            f"Hipwise {status.version}. Content {status.content}.",
            f"Runs since {_when(course.since)}." if course else "Does not run.",
            f"Members: {health.members}. Checks in progress: {health.checks}.",
            f"Received and waiting: {health.waiting}. Set aside: {health.set_aside}.",
            f"Messages ever planned: {counts.planned}. {_added_up(counts)}",
            f"Values that could not be opened since the start: {health.unreadable}. Members without a key: {health.keyless}.",
            *((f"Last purge: {_when(course.purged)}.",) if course else ()),
            f"Last backup: {_when(status.backed_up)}.",
            f"Database schema: {health.schema}. SQLite: {health.sqlite}.",
            *_summed_up(problems(status, now)),
        )
    )


def _of_course(status: Status, now: datetime) -> Iterator[str]:
    course = status.course
    if course is None:
        yield "Hipwise does not run: nobody is answered, and nothing that is too old is erased. Start it."
        return
    if course.failing:
        yield "The last turn could not be kept: members are answered from memory. Run `hipwise doctor`: it says why."
    if _missed(course.purged, course.since, now, PURGE_WITHIN):
        yield "The hourly purge is not done: what is too old stays. Look for job=purge in the log."
    if _missed(status.backed_up, course.since, now, BACKUP_WITHIN):
        yield "The daily backup is not made. Look for backup.failed in the log, and run `hipwise backup`: it says why."


def _of_store(health: Health, *, runs: bool) -> Iterator[str]:
    purge = "The next hourly purge erases" if runs else "Start Hipwise: it erases"
    if not health.tallies.conserved:
        yield "The counts of messages do not add up. Keep a copy of the database and of the log, and report it as a bug."
    if health.unreadable:
        yield (
            f"Values that could not be opened: {health.unreadable}. They are damaged, or were sealed under another key."
            " Run `hipwise doctor`, and look for row.unreadable in the log. An earlier backup may have them whole."
        )
    if health.keyless:
        yield f"Members without a key: {health.keyless}. {purge} what is left of them."
    if health.overdue:
        yield f"Checks that are older than they may become: {health.overdue}. {purge} them."
    if health.set_aside:
        yield (
            f"Received and set aside, because nothing could be made of it: {health.set_aside}."
            " Look for errors in the log. It is erased after 7 days."
        )


def _missed(last: datetime | None, since: datetime, now: datetime, within: timedelta) -> bool:
    """Return whether something was not done for too long, though Hipwise ran for as long."""
    return now - max(since, last or since) > within


def _added_up(counts: Tallies) -> str:
    states = " + ".join(f"{count} {name}" for name, count in asdict(counts).items() if name != "planned")
    return f"That is {states}." if counts.conserved else f"That should be, and is not, {states}."


def _summed_up(found: tuple[str, ...]) -> Iterator[str]:
    yield ""
    if not found:
        yield "Nothing must be looked at."
        return
    yield f"To be looked at: {len(found)}."
    for number, problem in enumerate(found, start=1):
        yield f"{number}. {problem}"


def _when(time: datetime | None) -> str:
    return "never" if time is None else f"{time:%Y-%m-%d %H:%M} UTC"


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")
