"""What an examination makes of what it found: a point each, with what to do where something is wrong. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from bots import YEAR
from bots.status import BACKUP_WITHIN

ROOM = 500_000_000
"""Bytes that must be free beside the database at least: its log, a backup, and time to do something about it."""
COPIES = 2
"""So many times the database must fit beside itself: once for a backup that is being made, once for a restore."""
SLACK = timedelta(hours=1)
"""A clock may be put back by so much: more than any drift, less than a mistake that matters."""


class Mark(StrEnum):
    """How something is."""

    OK = "ok"
    LOOK = "look at this"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Point:
    """What was looked at, how it is, and what to do."""

    what: str
    mark: Mark
    says: str

    def __str__(self) -> str:
        return f"{self.what}: {self.mark}. {' '.join(self.says.split())}"


def of_database(database: Path, found: Mapping[str, Any]) -> Point:
    """Return what an answer of `Operations.integrity` means."""
    if found["faults"] or found["dangling"]:
        faults = "; ".join(found["faults"]) or "sound in itself"
        return Point(
            "Database",
            Mark.BROKEN,
            f"{database} is damaged. SQLite says: {faults}. Rows that point nowhere: {found['dangling']}. "
            "Stop Hipwise, and put the newest backup in its place: hipwise restore FILE. What is there now is kept.",
        )
    if found["undeclared"]:
        return Point(
            "Database",
            Mark.LOOK,
            f"{database} has columns that this version does not know: {', '.join(found['undeclared'])}. "
            "Nobody knows whether they are sealed. Another program or version made them: find out which.",
        )
    return Point("Database", Mark.OK, f"{database} is whole, and opens with its key. Schema {found['schema']}.")


def of_disk(what: str, folder: Path, *, free: int, database: int) -> Point:
    """Return whether there is room enough, in bytes, for a database of this size."""
    needed = max(ROOM, COPIES * database)
    if free < needed:
        return Point(
            what,
            Mark.LOOK,
            f"{_megabytes(free)} are free in {folder}, and {_megabytes(needed)} should be. Make room: "
            "on a full disk nothing can be kept, and members are answered from memory.",
        )
    return Point(what, Mark.OK, f"{_megabytes(free)} are free in {folder}.")


def of_clock(now: datetime, newest: datetime | None) -> Point:
    """Return whether the clock can be right, by this version's year and the newest time in the database."""
    shows = f"It shows {now:%Y-%m-%d %H:%M} UTC"
    right = "Put it right, best by the network (NTP): what is kept is erased by the clock."
    if now.year < YEAR:
        return Point("Clock", Mark.BROKEN, f"{shows}, and this version was made in {YEAR}. {right}")
    if newest is not None and now < newest - SLACK:
        return Point("Clock", Mark.BROKEN, f"{shows}, and something was kept at {newest:%Y-%m-%d %H:%M} UTC. {right}")
    return Point("Clock", Mark.OK, f"{shows}.")


def of_sqlite(version: str) -> Point:
    """Return the version of SQLite, and why an old one does no harm."""
    return Point(
        "SQLite",
        Mark.OK,
        f"Version {version}. A bug of 3.7.0 to 3.51.2 can damage a database that two connections write; Hipwise has one.",
    )


def of_backups(folder: Path, newest: datetime | None, now: datetime, *, writable: bool) -> Point:
    """Return whether backups are made and can be."""
    made = "There is none" if newest is None else f"The newest is of {newest:%Y-%m-%d %H:%M} UTC"
    if not writable:
        return Point("Backups", Mark.BROKEN, f"{folder} cannot be written. {made}. Make it writable for this user.")
    if newest is None or now - newest > BACKUP_WITHIN:
        return Point("Backups", Mark.LOOK, f"{made} in {folder}. Run `hipwise backup`, or let Hipwise run: it makes one a day.")
    return Point("Backups", Mark.OK, f"{made} in {folder}.")


def of_running(*, running: bool) -> Point:
    """Return whether a Hipwise runs on the database."""
    if running:
        says = "A Hipwise runs, and answers. Settings and key above are those of this command; look that it has the same."
        return Point("Hipwise", Mark.OK, says)
    return Point("Hipwise", Mark.LOOK, "None runs: nobody is answered, and nothing that is too old is erased. Start it.")


def summed_up(points: Iterable[Point]) -> str:
    """Return how many points are not well."""
    marks = [point.mark for point in points]
    if set(marks) <= {Mark.OK}:
        return "All is well."
    return f"To be looked at: {marks.count(Mark.LOOK)}. Broken: {marks.count(Mark.BROKEN)}."


def exit_code(points: Iterable[Point]) -> int:
    """Return 0 where all is well, 1 where something must be looked at, 2 where something is broken."""
    marks = {point.mark for point in points}
    return 2 if Mark.BROKEN in marks else 1 if Mark.LOOK in marks else 0


def _megabytes(size: int) -> str:
    return f"{size // 1_000_000:,} MB"
