"""How the store is: counts about nobody in particular, and whether its file is whole."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.ledger import Tallies
from core.storage import schema, sql
from core.storage.book import Book, minute, time_of
from core.storage.columns import undeclared
from core.storage.retention import SESSION
from core.storage.tallies import tallies

OVERDUE = SESSION + timedelta(minutes=90)
"""A check that is still there after that was missed by the hourly purge, with half an hour to spare."""


@dataclass(frozen=True, slots=True)
class Health:
    """Counts and versions. Nothing in it is about anybody in particular."""

    schema: int
    sqlite: str
    members: int
    checks: int
    """In progress: not yet as old as a check may become."""
    overdue: int
    """Checks that should have been erased by now."""
    waiting: int
    """Updates that were received and not yet handled."""
    set_aside: int
    """Updates that nothing could be made of."""
    unreadable: int
    """Values that could not be opened since the store was opened."""
    keyless: int
    """Members whose key is gone and whose rows are not: the next purge erases them."""
    tallies: Tallies


@dataclass(frozen=True, slots=True)
class Integrity:
    """What is wrong with the file, if anything."""

    schema: int
    faults: tuple[str, ...]
    """In SQLite's words: tables, indexes and row numbers, never a value."""
    dangling: int
    """Rows that point at a row that is not there."""
    undeclared: tuple[str, ...]
    """Columns that `columns` does not know, so that nobody has said whether they are sealed."""
    newest: datetime | None
    """The newest time in the file: the clock was once there."""


def health(book: Book, now: datetime) -> Health:
    """Return how the store is."""
    return Health(
        schema=schema.version(book.db),
        sqlite=sqlite3.sqlite_version,
        members=book.count(sql.MEMBERS),
        checks=book.count(sql.CHECKS_SINCE, minute(now - SESSION)),
        overdue=book.count(sql.CHECKS_BEFORE, minute(now - OVERDUE)),
        waiting=book.count(sql.RECEIVED_AS, "waiting"),
        set_aside=book.count(sql.RECEIVED_AS, "set_aside"),
        unreadable=book.unreadable,
        keyless=book.count(sql.MEMBERS_WITHOUT_KEY),
        tallies=tallies(book),
    )


def integrity(book: Book) -> Integrity:
    """Return what is wrong with the file. It reads all of it, and nothing else is done meanwhile."""
    found = tuple(str(fault) for (fault,) in book.all(sql.INTEGRITY_CHECK))
    (newest,) = book.one(sql.NEWEST) or (None,)
    return Integrity(
        schema=schema.version(book.db),
        faults=() if found == ("ok",) else found,
        dangling=len(book.all(sql.FOREIGN_KEY_CHECK)),
        undeclared=undeclared(book.db),
        newest=None if newest is None else time_of(newest),
    )
