"""Two members as one: what is the newer's goes to the older, sealed anew under their key, and the newer's key is erased."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.diary import FOR, Diary, UnreadableDiary, from_json, to_json, without
from core.ledger import State
from core.link import Agreed
from core.storage import diaries, members, outbox, sql
from core.storage.book import Book, minute
from core.storage.erasure import erase_rows


@dataclass(frozen=True, slots=True)
class Merged:
    """What did not come along."""

    results: int
    """Results that were erased because only one of the two had agreed to a history."""
    check: bool
    """Whether both had a check, of which the one used last goes on."""


def merge(book: Book, older: str, newer: str, agreed: Agreed, now: datetime) -> Merged:
    """Return what was lost of two members, once the newer is no more. What cannot be opened is lost with their key."""
    moved = _take_addresses(book, older, newer)
    check = _merge_sessions(book, older, newer, moved)
    results = _merge_history(book, older, newer, agreed)
    _take_deliveries(book, older, newer, moved, now)
    members.take_settings(book, older, newer)
    members.note_consents(book, older, agreed.taken_back)
    _take_diary(book, older, newer, now)
    book.run(sql.TAKE_FORMER, older, newer)
    book.run(sql.NEW_FORMER, newer, older, minute(now))
    erase_rows(book, newer)
    return Merged(results, check)


def _take_addresses(book: Book, older: str, newer: str) -> Set[str]:
    """Return the rows of the addresses that are the older member's now."""
    moved = set()
    for row, _, sealed in book.all(sql.ADDRESSES, newer):
        id = book.open("addresses.address", newer, row, sealed)
        if id is not None:
            (sealed_place,) = book.one(sql.KEPT_PLACE, row) or (None,)
            place = book.open("addresses.place", newer, row, sealed_place)
            book.run(sql.TAKE_ADDRESS, older, book.seal("addresses.address", older, row, id), row)
            book.run(sql.KEEP_PLACE, None if place is None else book.seal("addresses.place", older, row, place), row)
            moved.add(row)
    return moved


def _merge_sessions(book: Book, older: str, newer: str, moved: Set[str]) -> bool:
    """Keep the check that was used last; return whether there was another, which has ended."""
    found = [
        (str(session.get("touched", touched)), row, touched, session)
        for member in (older, newer)
        for row, touched, sealed in book.all(sql.SESSION_ROWS, member)
        if (member == older or row in moved) and (session := book.open("sessions.session", member, row, sealed)) is not None
    ]
    if found:
        _, row, touched, session = max(found, key=lambda each: each[0])
        for member in (older, newer):
            book.run(sql.ERASE_ROWS["sessions"], member)
        book.run(sql.SAVE_SESSION, row, older, touched, book.seal("sessions.session", older, row, session))
    return len(found) > 1


def _merge_history(book: Book, older: str, newer: str, agreed: Agreed) -> int:
    """Return how many results were erased because only one of the two had agreed to a history."""
    if agreed.history:
        members.remember(book, older, *members.history(book, newer))
        return 0
    erased = book.run(sql.ERASE_ROWS["history"], newer)
    return erased + (book.run(sql.ERASE_ROWS["history"], older) if agreed.ends else 0)


def _take_diary(book: Book, older: str, newer: str, now: datetime) -> None:
    """Keep the older member's diary, or the newer's where there is none, as far as they still agree to what it is for."""
    kept = diaries.kept(book, older) or diaries.kept(book, newer)
    if kept is None:
        return
    agreed = {consent["kind"]: bool(consent["given"]) for consent in members.consents(book, older)}
    try:
        diary = from_json(kept)
    except UnreadableDiary:  # nothing can be taken out of it
        diary = Diary()
    for kind in FOR:
        diary = diary if agreed.get(kind) else without(diary, kind)
    if any(agreed.get(kind) for kind in FOR) and diary != Diary():
        diaries.keep(book, older, to_json(diary), look=now)
    else:
        diaries.forget(book, older)


def _take_deliveries(book: Book, older: str, newer: str, moved: Set[str], now: datetime) -> None:
    for row, address, state, sealed, sealed_message in book.all(sql.DELIVERY_ROWS, newer):
        if address not in moved:
            continue
        owed: Any = book.open("outbox.owed", newer, row, sealed)
        message = book.open("outbox.message", newer, row, sealed_message)
        again = None if owed is None else book.seal("outbox.owed", older, row, owed)
        again_message = None if message is None else book.seal("outbox.message", older, row, message)
        occurrence = None
        if owed is not None and "occurrence" in owed:
            digest = outbox.occurrence_digest(book, older, owed["kind"], owed["occurrence"])
            theirs = book.one(sql.OF_OCCURRENCE, digest)
            if theirs is None:
                occurrence = digest
            elif over := _not_needed((row, State(state)), (theirs[0], State(theirs[1]))):
                book.run(sql.SKIP, minute(now), over)
        book.run(sql.TAKE_DELIVERY, older, again, again_message, occurrence, row)


def _not_needed(newer: tuple[str, State], older: tuple[str, State]) -> str | None:
    """Return which of two deliveries for the same occurrence, each a row and its state, is skipped, if any."""
    for (row, state), (_, other) in ((newer, older), (older, newer)):
        if state is State.OPEN and other not in {State.DROPPED, State.SKIPPED}:
            return row
    return None
