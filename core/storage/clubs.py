"""Clubs. Each is kept as a stranger is, with a key and rows of its own, so that a channel of it can be written to."""

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from core.club import Club, UnreadableClub, from_json, to_json
from core.ledger import Delivery, Owed
from core.members import Address
from core.storage import members, outbox, sql
from core.storage.book import Book, fresh_id, minute
from core.storage.erasure import erase_rows

log = logging.getLogger(__name__)


def kept(book: Book) -> tuple[Club, ...]:
    """Return all clubs that can be read, in the order in which they were claimed."""
    return tuple(club for owner, sealed in book.all(sql.CLUBS) if (club := _read(book, owner, sealed)) is not None)


def keep(book: Book, club: Club) -> str:
    """Keep a club, and return whose rows it has."""
    digest = members.digest(book, club.chat)
    found = book.one(sql.CLUB_OWNER, digest)
    owner = found[0] if found is not None else _new(book)
    book.run(sql.SAVE_CLUB, owner, digest, book.seal("clubs.club", owner, owner, to_json(club)))
    return owner


def post_in(book: Book, owner: str, club: Club, now: datetime) -> None:
    """Have posts go to the club's channel from now on; what was owed to another one is skipped."""
    at = members.door(book, club.chat)
    if channel(book, at) != club.channel:
        book.run(sql.SKIP_OPEN_OF, minute(now), owner)
        members.keep_place(book, at or members.join(book, owner, club.chat), club.channel)


def owe(book: Book, club: Club, owed: Owed, now: datetime) -> tuple[Delivery, ...]:
    """Return a delivery for what is newly owed to a club's channel; nothing where it posts there no more."""
    at = members.door(book, club.chat)
    return () if at is None or channel(book, at) != club.channel else outbox.owe(book, at, [owed], club.chat, now)


def channel(book: Book, at: members.Door | None) -> str | None:
    """Return the channel where a club posts, whose door that is."""
    return None if at is None else members.place(book, at)


def end(book: Book, chat: Address) -> None:
    """Erase the club of a chat."""
    found = book.one(sql.CLUB_OWNER, members.digest(book, chat))
    if found is not None:
        erase_rows(book, found[0])


def leave(book: Book, addresses: Collection[Address]) -> None:
    """Have nobody at these addresses be an organiser any more."""
    for club in kept(book):
        if not set(club.organisers).isdisjoint(addresses):
            keep(book, replace(club, organisers=tuple(one for one in club.organisers if one not in addresses)))


def organised(book: Book, addresses: Collection[Address]) -> tuple[str, ...]:
    """Return the names of the clubs whose organisers have one of these addresses."""
    return tuple(club.name for club in kept(book) if not set(club.organisers).isdisjoint(addresses))


def move(book: Book, old: Address, new: Address) -> None:
    """Have a club's chat be known by its new id."""
    found = book.one(sql.CLUB_OWNER, members.digest(book, old))
    club = next((club for club in kept(book) if club.chat == old), None)
    if found is not None and club is not None and book.one(sql.CLUB_OWNER, members.digest(book, new)) is None:
        book.run(sql.MOVE_CLUB, members.digest(book, new), found[0])
        keep(book, replace(club, chat=new))


def _new(book: Book) -> str:
    owner = fresh_id()
    book.run(sql.NEW_MEMBER, owner)
    book.keys.create(book.db, owner)
    return owner


def _read(book: Book, owner: str, sealed: bytes) -> Club | None:
    try:
        plain = book.open("clubs.club", owner, owner, sealed)
        return None if plain is None else from_json(plain)
    except UnreadableClub:
        log.error("club.unreadable", extra={"row": owner})  # noqa: TRY400 - no text of it
        return None
