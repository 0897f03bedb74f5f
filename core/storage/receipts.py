"""The receipt of an erasure: a message to someone about whom nothing else is kept, under a key of its own."""

from collections.abc import Sequence
from datetime import datetime

from core.ledger import Delivery, Owed
from core.members import Address
from core.storage import outbox, sql
from core.storage.book import Book, fresh_id, minute
from core.storage.erasure import erase_rows
from core.storage.members import Door


def make(book: Book, address: Address, owed: Sequence[Owed], now: datetime) -> tuple[Delivery, ...]:
    """Return the deliveries of what is owed to whoever was just erased."""
    if not owed:
        return ()
    member, row = fresh_id(), fresh_id()
    book.run(sql.NEW_MEMBER, member)
    book.keys.create(book.db, member)
    # Digested from a random id, so that whoever writes from this address is a stranger.
    nowhere = book.lookup.of("receipt", row)
    book.run(sql.NEW_ADDRESS, row, member, address.platform, nowhere, book.seal("addresses.address", member, row, address.id))
    book.run(sql.NEW_RECEIPT, member, minute(now))
    return outbox.owe(book, Door(row, member), owed, address, now)


def settle(book: Book, member: str) -> None:
    """Erase a receipt of which nothing is left to be sent."""
    if book.one(sql.IS_RECEIPT, member) is not None and not book.count(sql.UNSETTLED_OF_MEMBER, member):
        erase_rows(book, member)


def expire(book: Book, before: str, chunk: int) -> int:
    """Return how many receipts were erased because they were made before that minute."""
    rows = book.all(sql.OLD_RECEIPTS, before, chunk)
    for (member,) in rows:
        erase_rows(book, member)
    return len(rows)
