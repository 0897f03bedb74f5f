"""Erasing a member: the wrapped key first, so that whatever follows is noise already; then the rows, then the log."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.storage import sql
from core.storage.book import Book
from core.storage.tallies import count_gone


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many rows there were about a member, table by table, and how many there are now."""

    before: Mapping[str, int]
    after: Mapping[str, int]
    overwritten: bool
    """Whether the write-ahead log is empty too; if not, because another program was reading, the next checkpoint empties it."""


def forget(book: Book, member: str) -> Receipt:
    """Erase a member and say what was erased. If it is cut short, the rows are noise and the next `purge` erases them.

    It makes its own transactions: the key is gone for good before the first row is.
    """
    with transaction(book.db):
        senders = [sender for (sender,) in book.all(sql.ADDRESS_DIGESTS, member)]
        before = _rows(book, member, senders)
        book.keys.erase(book.db, member)
    with transaction(book.db):
        erase_received(book, member)
        erase_rows(book, member)
        after = _rows(book, member, senders)
    return Receipt(before, after, overwritten=empty_log(book))


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


class transaction:  # noqa: N801 - used as a statement: `with transaction(db):`
    """A transaction of its own, kept whole or not at all."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._db.execute("COMMIT")
        elif self._db.in_transaction:
            self._db.execute("ROLLBACK")


def _rows(book: Book, member: str, senders: Sequence[bytes]) -> dict[str, int]:
    counted = {
        "keys": book.count(sql.COUNT_KEY, member),
        "members": book.count(sql.COUNT_MEMBER, member),
        "inbox": sum(book.count(sql.COUNT_RECEIVED_FROM, sender) for sender in senders),
    }
    return counted | {table: book.count(sql.COUNT_ROWS[table], member) for table in sql.ABOUT_MEMBERS}
