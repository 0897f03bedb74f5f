"""Diaries, and when each is to be planned from again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from core import zones
from core.storage import sql
from core.storage.book import Book, minute

LONGEST_WAIT = timedelta(days=2)
"""No diary waits longer than this to be planned from."""


def kept(book: Book, member: str) -> dict[str, Any] | None:
    """Return a member's diary as plain JSON values; None where there is none, or it cannot be opened."""
    row = book.one(sql.DIARY, member)
    diary: dict[str, Any] | None = None if row is None else book.open("diaries.diary", member, member, row[0])
    return diary


def keep(book: Book, member: str, diary: Mapping[str, Any], look: datetime | None) -> None:
    """Keep a diary, to be planned from at a time; None: not before it changes."""
    sealed = book.seal("diaries.diary", member, member, dict(diary))
    book.run(sql.SAVE_DIARY, member, None if look is None else minute(look), sealed)


def look_later(book: Book, member: str, look: datetime | None) -> None:
    """Note when a diary is to be planned from again."""
    book.run(sql.LOOK_LATER, None if look is None else minute(look), member)


def forget(book: Book, member: str) -> None:
    """Erase a diary."""
    book.run(sql.ERASE_ROWS["diaries"], member)


def to_plan(book: Book, now: datetime, limit: int) -> tuple[str, ...]:
    """Return the members whose diaries are to be planned from by now, whoever has waited longest first.

    Those are all of them where the zone database is another one than before, and also whichever was to wait so long that
    the clock must have been put back since.
    """
    if book.one(sql.ZONES) != (zones.VERSION,):
        book.run(sql.ERASE_ZONES)
        book.run(sql.NEW_ZONES, zones.VERSION)
        look_at_once(book, now, later_than=now)
    look_at_once(book, now, later_than=now + LONGEST_WAIT)
    return tuple(member for (member,) in book.all(sql.TO_PLAN, minute(now), limit))


def look_at_once(book: Book, now: datetime, *, later_than: datetime) -> None:
    """Have all diaries be planned from by now that were to wait for longer than to a time."""
    book.run(sql.LOOK_AT_ONCE, minute(now), minute(later_than))
