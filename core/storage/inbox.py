"""What came in, kept before it is acknowledged to the platform."""

from dataclasses import dataclass
from datetime import datetime

from core.members import Address
from core.storage import sql
from core.storage.book import Book, fresh_id, minute
from core.storage.members import digest


@dataclass(frozen=True, slots=True)
class Received:
    """A raw update that has not been handled."""

    row: str
    raw: bytes


def receive(book: Book, platform: str, update_id: str, raw: bytes, *, sender: Address | None, now: datetime) -> str | None:
    """Return the row of a new update, or None when it was received before."""
    row = fresh_id()
    new = book.run(
        sql.RECEIVE,
        row,
        platform,
        book.lookup.of("update", f"{platform}|{update_id}"),
        None if sender is None else digest(book, sender),
        minute(now),
        book.seal_bytes("inbox.raw", book.house, row, raw),
    )
    return row if new else None


def unhandled(book: Book, platform: str) -> tuple[Received, ...]:
    """Return the updates that wait to be handled, in the order they came; one that cannot be opened is set aside."""
    found = []
    for row, sealed in book.all(sql.UNHANDLED, platform):
        raw = book.open_bytes("inbox.raw", book.house, row, sealed)
        if raw is None:
            set_aside(book, row)
        else:
            found.append(Received(row, raw))
    return tuple(found)


def handled(book: Book, row: str) -> None:
    """Forget what an update said; that it came stays known."""
    book.run(sql.HANDLED, row)


def set_aside(book: Book, row: str) -> None:
    """Stop handling an update that nothing can be made of; the operator may look at it until it expires."""
    book.run(sql.SET_ASIDE, row)


def received_from(book: Book, member: str) -> tuple[str, ...]:
    """Return what came from a member and is still kept."""
    found = (
        book.open_bytes("inbox.raw", book.house, row, sealed)
        for (sender,) in book.all(sql.ADDRESS_DIGESTS, member)
        for row, sealed in book.all(sql.RECEIVED_FROM, sender)
    )
    return tuple(raw.decode("utf-8", "replace") for raw in found if raw is not None)
