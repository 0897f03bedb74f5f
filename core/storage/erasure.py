"""Erasing a member: the wrapped key, then the rows, then what the disk still holds of them."""

from collections.abc import Mapping, Sequence

from core.storage import sql
from core.storage.book import Book
from core.storage.tallies import count_gone

_TABLES = (*(table for table in sql.KEEPING if table not in sql.OF_CLUBS), "addresses")
Rows = Mapping[str, int]
"""How many rows there are about a member, table by table."""


def erase(book: Book, member: str) -> tuple[Rows, Rows]:
    """Erase all rows about a member; return how many there were, and how many there are."""
    senders = [sender for (sender,) in book.all(sql.ADDRESS_DIGESTS, member)]
    before = _rows(book, member, senders)
    book.keys.erase(book.db, member)
    erase_received(book, member)
    erase_rows(book, member)
    return before, _rows(book, member, senders)


def erase_received(book: Book, member: str) -> None:
    """Erase what came in from a member."""
    for (sender,) in book.all(sql.ADDRESS_DIGESTS, member):
        book.run(sql.ERASE_RECEIVED_FROM, sender)


def erase_rows(book: Book, member: str) -> None:
    """Erase all rows about a member but what came in; deliveries that were open count as dropped."""
    count_gone(book, book.all(sql.STATES_OF_MEMBER, member))
    for table in sql.ABOUT_MEMBERS:
        book.run(sql.ERASE_ROWS[table], member)
    book.keys.erase(book.db, member)
    book.run(sql.ERASE_MEMBER, member)


def empty_log(book: Book) -> bool:
    """Return whether everything was moved out of the write-ahead log and the log cut to nothing."""
    busy, _pages, _moved = book.db.execute(sql.CHECKPOINT).fetchone()
    return not busy


def _rows(book: Book, member: str, senders: Sequence[bytes]) -> dict[str, int]:
    counted = {
        "keys": book.count(sql.COUNT_KEY, member),
        "members": book.count(sql.COUNT_MEMBER, member),
        "inbox": sum(book.count(sql.COUNT_RECEIVED_FROM, sender) for sender in senders),
    }
    return counted | {table: book.count(sql.COUNT_ROWS[table], member) for table in _TABLES}
