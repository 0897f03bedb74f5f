"""Codes by which two addresses become those of one member, what they come to, and parting again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.limits import ADDRESSES
from core.link import (
    Agreed,
    Asked,
    Cancel,
    Cancelled,
    Confirm,
    Declined,
    Join,
    Joined,
    Look,
    Offer,
    Offered,
    Outcome,
    Part,
    Parted,
    Place,
    Places,
    Refusal,
    Step,
    Unanswered,
    Waiting,
)
from core.members import Address, Preferences
from core.storage import members, reaching, sql
from core.storage.book import Book, fresh_id, minute
from core.storage.members import Door
from core.storage.merging import Merged, merge
from core.storage.tallies import count_gone

KEY = 8
"""Characters of an id of ours that stand on a button: of one member's few, each begins otherwise."""


def take(book: Book, address: Address, step: Step, default: Preferences, now: datetime) -> Outcome:
    """Return what comes of a step that was taken at an address."""
    at = members.enter(book, address)
    match step:
        case Offer():
            return _offer(book, at, step, now)
        case Join():
            return _join(book, at, step, now)
        case Confirm():
            return _confirm(book, at, step, default, now)
        case Cancel():
            book.run(sql.ERASE_LINKS_AT, at.row, at.row)
            return Cancelled()
        case Look():
            return _look(book, at)
        case Part():
            return _part(book, at, step, now)


def pending(book: Book, member: str) -> tuple[str, ...]:
    """Return until when each code of a member holds."""
    return tuple(until for (until,) in book.all(sql.LINKS, member))


def former(book: Book, member: str) -> tuple[tuple[str, str], ...]:
    """Return the ids that members had whom this one took in, each with when that was."""
    return tuple((id, joined) for id, joined in book.all(sql.FORMER, member))


# ---------------------------------------------------------------- A code


def _offer(book: Book, at: Door, offer: Offer, now: datetime) -> Outcome:
    if (waiting := _waiting(book, at, now)) is not None:
        return Unanswered(waiting.address, waiting.link[:KEY])
    if book.count(sql.COUNT_ROWS["addresses"], at.member) >= ADDRESSES:
        return Refusal.FULL
    book.run(sql.ERASE_LINK_OF, at.row)
    book.run(sql.NEW_LINK, fresh_id(), at.member, at.row, _digest(book, offer.code), _end(offer.until))
    return Offered(tuple(place.address for place in _places(book, at) if not place.here))


def _join(book: Book, at: Door, join: Join, now: datetime) -> Outcome:
    found = book.one(sql.LINK_BY_CODE, _digest(book, join.code))
    if found is None:
        return Refusal.WRONG
    link, member, maker, until, joiner = found
    place = _address(book, member, maker)
    if maker == at.row:
        return Refusal.OWN
    if until <= minute(now) or place is None:
        return Refusal.EXPIRED
    if joiner is not None:
        return Waiting(place) if joiner == at.row else Refusal.USED
    if member == at.member:
        return Refusal.ALREADY
    if _together(book, member, at.member) > ADDRESSES:
        return Refusal.FULL
    book.run(sql.JOIN, at.row, _end(join.until), link)
    return Asked(place, link[:KEY])


def _confirm(book: Book, at: Door, confirm: Confirm, default: Preferences, now: datetime) -> Outcome:
    waiting = _waiting(book, at, now)
    if waiting is None or waiting.link[:KEY] != confirm.link:
        return Refusal.GONE
    book.run(sql.ERASE_LINK, waiting.link)
    if not confirm.yes:
        return Declined(waiting.address)
    if waiting.member == at.member:
        return Refusal.ALREADY
    if _together(book, waiting.member, at.member) > ADDRESSES:
        return Refusal.FULL
    agreed, merged = _merged(book, at.member, waiting.member, confirm, default=default, now=now)
    book.run(sql.USED_NOW, at.row)  # the yes was given here
    for each in (at.member, waiting.member):  # one of the two is no more
        reaching.follow(book, each)
    return Joined(waiting.address, agreed, merged.results, merged.check)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Who typed a code, and waits for a yes or no."""

    link: str
    member: str
    address: Address


def _waiting(book: Book, at: Door, now: datetime) -> _Waiting | None:
    """Return who typed the code that was made at an address, as long as that can be confirmed."""
    found = book.one(sql.LINK_OF, at.row)
    if found is None or found[1] <= minute(now) or found[2] is None:
        return None
    link, _, joiner = found
    (member,) = book.one(sql.MEMBER_OF, joiner) or ("",)
    address = _address(book, member, joiner)
    return None if address is None else _Waiting(link, member, address)


def _merged(
    book: Book, one: str, other: str, confirm: Confirm, *, default: Preferences, now: datetime
) -> tuple[Agreed, Merged]:
    """Take the newer of two members into the older; return what they agreed to, and what did not come along."""
    older, newer = sorted((one, other), key=lambda member: (book.count(sql.POSITION, member), member))
    agreed = confirm.agreed(members.recorded(book, older, default), members.recorded(book, newer, default))
    return agreed, merge(book, older, newer, agreed, now)


def _together(book: Book, one: str, other: str) -> int:
    """Return how many addresses two members have."""
    return sum(book.count(sql.COUNT_ROWS["addresses"], member) for member in (one, other))


# ---------------------------------------------------------------- Its addresses, and parting


def _look(book: Book, at: Door) -> Places:
    return Places(_places(book, at))


def _part(book: Book, at: Door, part: Part, now: datetime) -> Outcome:
    places = _places(book, at)
    gone = next((place for place in places if place.key == part.place), None)
    if gone is None or len(places) == 1:
        return Refusal.GONE
    door = members.door(book, gone.address)
    if door is not None:
        _leave(book, door, now)
    return Parted(gone.address, tuple(place.address for place in places if place is not gone))


def _leave(book: Book, gone: Door, now: datetime) -> None:
    """Make an address nobody's. What its member keeps stays theirs, and what is planned ahead goes to another of theirs."""
    (rest,) = book.one(sql.STAYS, gone.member, gone.row) or ("",)
    members.carry_session(book, gone, rest)
    book.run(sql.GIVE_UP_CLAIMS_AT, minute(now), gone.row)
    reaching.redirect(book, gone.member, rest, book.all(sql.SCHEDULED_AT, gone.row))
    count_gone(book, book.all(sql.STATES_OF_REPLIES_AT, gone.row))
    book.run(sql.ERASE_REPLIES_AT, gone.row)
    book.run(sql.ERASE_ADDRESS, gone.row)


def _places(book: Book, at: Door) -> tuple[Place, ...]:
    opened = ((row, _address(book, at.member, row)) for (row,) in book.all(sql.ADDRESS_ROWS, at.member))
    places = (Place(row[:KEY], address, here=row == at.row) for row, address in opened if address is not None)
    return tuple(sorted(places, key=lambda place: not place.here))


def _address(book: Book, member: str, row: str) -> Address | None:
    platform, sealed = book.one(sql.PLACE, row) or ("", None)
    id: str | None = book.open("addresses.address", member, row, sealed)
    return None if id is None else Address(platform, id)


def _end(time: datetime) -> str:
    """Return the minute from which on something is over that holds until a time: never sooner."""
    return minute(time + timedelta(seconds=59))


def _digest(book: Book, code: str) -> bytes:
    return book.lookup.of("link", code)
