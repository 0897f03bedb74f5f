"""Which of a member's addresses is written to: the one used last, and another only where nothing can be sent to that."""

from collections.abc import Iterable
from datetime import datetime

from core.storage import sql
from core.storage.book import Book, Row, fresh_id, minute


def used(book: Book, member: str, address: str) -> None:
    """Note that an address, given as its row, was used; what is planned ahead goes there from now on."""
    if book.run(sql.USED, address):
        redirect(book, member, address, book.all(sql.SCHEDULED_ELSEWHERE, member, address))


def follow(book: Book, member: str) -> None:
    """Have what is planned ahead go where the member can be reached; where that is nowhere, it waits as it is."""
    to = book.one(sql.TO_WRITE_TO, member)
    if to is not None:
        redirect(book, member, to[0], book.all(sql.SCHEDULED_ELSEWHERE, member, to[0]))


def elsewhere(book: Book, delivery: str, now: datetime) -> bool:
    """Return whether a claim that surely was not sent is open again for another address, as the same occurrence."""
    claimed = book.one(sql.CLAIMED_AHEAD, delivery)
    to = None if claimed is None else book.one(sql.TO_WRITE_TO, claimed[0])
    if claimed is None or to is None or to[0] == claimed[1]:
        return False
    book.run(sql.REOPEN, minute(now), delivery)
    redirect(book, claimed[0], to[0], [(delivery, claimed[2])])
    return True


def redirect(book: Book, member: str, address: str, deliveries: Iterable[Row]) -> None:
    """Have deliveries, as rows of id and content, go to another address of the member.

    Each gets a new id, so that whoever has it in hand for the old address can no longer claim it.
    """
    for old, sealed in deliveries:
        row, owed = fresh_id(), book.open("outbox.owed", member, old, sealed)
        book.run(sql.REDIRECT, row, address, None if owed is None else book.seal("outbox.owed", member, row, owed), old)
