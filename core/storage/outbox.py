"""The outbox: everything owed is a row before it is sent, and its state says how far it came."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from typing import Any

from core.ledger import Delivery, Kind, Owed, State, may_repeat
from core.members import Address
from core.ports import Wanted
from core.storage import sql
from core.storage.book import Book, Row, fresh_id, minute, time_of
from core.storage.members import Door

LOOK_BACK = 8
"""Messages among which the question above is looked for: more than are said between two questions."""


def owe(book: Book, at: Door, owed: Sequence[Owed], address: Address, now: datetime) -> tuple[Delivery, ...]:
    """Return a delivery for each message that is newly owed. An occurrence that has its message gets no second one.

    While that is still open it is made to what is owed now: the same occurrence, planned anew. So is one that was skipped
    before it ever went, such as in a pause that is over by now, as long as its window is not.
    """
    if not owed:
        return ()
    position = book.count(sql.PLANNED)
    found = (_owe(book, at, one, address, position=position + n, now=now) for n, one in enumerate(owed, start=1))
    deliveries = tuple(delivery for delivery in found if delivery is not None)
    book.run(sql.COUNT_PLANNED, len(deliveries))
    return deliveries


def due(book: Book, now: datetime, limit: int, wanted: Wanted) -> tuple[Delivery, ...]:
    """Return what is due and wanted, replies first and the oldest first. What is past its window is skipped."""
    book.run(sql.SKIP_LATE, minute(now), minute(now), minute(now))
    found: list[Delivery] = []
    for scheduled in (0, 1):
        found += _readable(book, _due(book, scheduled, now, limit - len(found), wanted), now)
    return tuple(found)


def claim(book: Book, delivery: Delivery, now: datetime) -> Delivery | None:
    """Return the delivery as the caller's to send, or None when it is no longer to be had, or not to be sent again."""
    if delivery.state is not State.OPEN and not may_repeat(delivery, now):
        return None
    placed = _placed(book, delivery)
    member = delivery.member if placed.edits == delivery.edits else owner(book, delivery)
    if member is None:
        return None
    changed = None if placed.edits == delivery.edits else _sealed(book, member, placed.id, placed)
    # It must stand where the caller believes it does: an older view of it decides nothing.
    if not book.run(sql.CLAIM, minute(now), changed, delivery.id, delivery.state, delivery.attempt, minute(now)):
        book.run(sql.SKIP_IF_LATE, minute(now), delivery.id, minute(now))
        return None
    return placed.claimed(time_of(minute(now)))


def stand_alone(book: Book, delivery: Delivery) -> Delivery | None:
    """Return a claim that changes no message any more, or None where there is no such claim."""
    member = owner(book, delivery)
    if member is None:  # erased while it was under way
        return None
    alone = replace(delivery, edits=None, attempt=1)
    sealed = _sealed(book, member, delivery.id, alone)
    return alone if book.run(sql.STAND_ALONE, sealed, delivery.id, delivery.attempt) else None


def sent(book: Book, delivery: Delivery, message: str | None, now: datetime) -> bool:
    """Return whether it is noted that the platform took a delivery, and under which id."""
    member = owner(book, delivery)
    if member is None:  # erased while it was under way
        return False
    sealed = None if message is None else book.seal("outbox.message", member, delivery.id, message)
    return bool(book.run(sql.SENT, minute(now), sealed, delivery.id))


def move(book: Book, statement: str, delivery: Delivery, now: datetime) -> bool:
    """Return whether a delivery went where the statement moves it."""
    return bool(book.run(statement, minute(now), delivery.id))


def postpone(book: Book, delivery: Delivery, due: datetime) -> None:
    """Have what is open be due later."""
    book.run(sql.POSTPONE, minute(due), delivery.id)


def leave(book: Book, delivery: Delivery, now: datetime) -> None:
    """Give up what is not wanted any more: skipped where it never went, dropped where nobody knows."""
    book.run(sql.SKIP if delivery.state is State.OPEN else sql.DROP, minute(now), delivery.id)


def went_out(book: Book, member: str, kind: Kind, occurrence: str) -> bool:
    """Return whether the message of an occurrence was sent, or may have been."""
    return book.one(sql.WENT_OUT, occurrence_digest(book, member, kind, occurrence)) is not None


def last_ahead(book: Book, member: str, beside: Delivery) -> datetime | None:
    """Return when something planned ahead besides this last went out to a member, or may have; None: never, as is known."""
    (last,) = book.one(sql.LAST_AHEAD, member, beside.id) or (None,)
    return None if last is None else time_of(last)


def release(book: Book, delivery: Delivery, due: datetime, now: datetime) -> bool:
    """Return whether a claim was given back, as if it had never been made."""
    return bool(book.run(sql.RELEASE, minute(due), minute(now), delivery.id, delivery.attempt))


def recover(book: Book, platform: str, now: datetime) -> int:
    """Return how many claims on a platform have no outcome because the process ended: what came of them is unknown."""
    return book.run(sql.CLAIMS_UNKNOWN, minute(now), platform)


def repeats(book: Book, now: datetime) -> tuple[Delivery, ...]:
    """Return the deliveries of unknown outcome that are to be sent again."""
    found = _readable(book, book.all(sql.OF_UNKNOWN_OUTCOME), now)
    return tuple(delivery for delivery in found if may_repeat(delivery, now))


def replies(book: Book, platform: str, now: datetime) -> tuple[Delivery, ...]:
    """Return the replies that are still owed on a platform, in the order they were owed, whenever they may be tried again."""
    return tuple(_readable(book, book.all(sql.REPLIES, platform), now))


def messages(book: Book, at: Door, limit: int) -> tuple[str, ...]:
    """Return the platform's ids of the messages sent to an address, the newest first, as long as they are kept."""
    rows = book.all(sql.MESSAGES, at.row, limit)
    opened = (book.open("outbox.message", member, row, sealed) for row, member, sealed in rows)
    return tuple(dict.fromkeys(id for id in opened if id is not None))


def delivery(book: Book, at: Door, id: str) -> Delivery | None:
    """Return one of the deliveries to an address, as long as its content is kept."""
    row = book.one(sql.DELIVERY, id, at.row)
    return None if row is None else _delivery(book, row)


def deliveries(book: Book, member: str) -> tuple[Delivery, ...]:
    """Return what a member was sent or is owed, as long as its content is kept."""
    found = (_delivery(book, row) for row in book.all(sql.DELIVERIES, member))
    return tuple(delivery for delivery in found if delivery is not None)


def _due(book: Book, scheduled: int, now: datetime, limit: int, wanted: Wanted) -> list[Row]:
    with closing(book.db.execute(sql.DUE, (scheduled, minute(now)))) as rows:
        # What is not wanted is passed over without being opened.
        return list(islice((row for row in rows if wanted(row[0], row[9], bool(scheduled))), limit))


def _placed(book: Book, delivery: Delivery) -> Delivery:
    """Return a delivery as it fits below what was sent last: an older question is not changed, but its buttons are over."""
    if not delivery.reply.get("choices"):
        return delivery
    rows = book.all(sql.LATEST, delivery.id, LOOK_BACK)
    if not rows and delivery.edits is None:
        return delivery  # nothing is above it, as there is not above most that are written first
    latest = _opened(book, rows)
    newest = next(latest, None)
    question = delivery.kind is Kind.QUESTION
    if question and newest == _Said(delivery.edits, Kind.QUESTION, buttons=True):
        return delivery
    # Whatever else has buttons has closed the question above it.
    above = next((said for said in chain([newest], latest) if said is not None and said.buttons), None)
    closes = above.message if above is not None and above.kind is Kind.QUESTION else None
    edits = None if question else delivery.edits
    return delivery if (edits, closes) == (delivery.edits, delivery.closes) else replace(delivery, edits=edits, closes=closes)


@dataclass(frozen=True, slots=True)
class _Said:
    """A message that was sent: its id on the platform, and what it was."""

    message: str | None
    kind: Kind
    buttons: bool


def _opened(book: Book, rows: Sequence[Row]) -> Iterator[_Said]:
    """Yield what was sent, as far as it can be opened."""
    for row, member, sealed, sealed_message in rows:
        message = book.open("outbox.message", member, row, sealed_message)
        owed: Any = book.open("outbox.owed", member, row, sealed)
        if message is not None and owed is not None:
            yield _Said(message, Kind(owed["kind"]), buttons=bool(owed["reply"].get("choices")))


def occurrence_digest(book: Book, member: str, kind: str, occurrence: str) -> bytes:
    """Return what a member's one and only message for something is known by."""
    return book.lookup.of("occurrence", f"{member}|{kind}|{occurrence}")


def owner(book: Book, delivery: Delivery) -> str | None:
    """Return whose a delivery is: by now perhaps that of the member who took its own in. None: erased."""
    if book.keys.of(book.db, delivery.member) is not None:
        return delivery.member
    found = book.one(sql.OWNER, delivery.id)
    return None if found is None else str(found[0])


def _sealed(book: Book, member: str, row: str, owed: Owed | Delivery) -> bytes:
    occurrence = owed.occurrence if isinstance(owed, Owed) else None
    plain = {"kind": owed.kind, "reply": owed.reply, "edits": owed.edits}
    return book.seal("outbox.owed", member, row, plain if occurrence is None else {**plain, "occurrence": occurrence})


def _owe(book: Book, at: Door, owed: Owed, address: Address, *, position: int, now: datetime) -> Delivery | None:
    row = fresh_id()
    until = None if owed.until is None else minute(owed.until)
    scheduled = owed.until is not None or owed.occurrence is not None
    digest = None if owed.occurrence is None else occurrence_digest(book, at.member, owed.kind, owed.occurrence)
    new = book.run(
        sql.OWE,
        row,
        at.member,
        at.row,
        position,
        int(scheduled),
        minute(owed.due),
        until,
        minute(now),
        digest,
        _sealed(book, at.member, row, owed),
    )
    if not new:
        _plan_anew(book, at.member, owed, digest, now)
        return None
    times = (time_of(minute(owed.due)), None if until is None else time_of(until))
    delivery = Delivery(row, at.member, address, owed.kind, owed.reply, *times, owed.edits, State.OPEN, 0, time_of(minute(now)))
    return claim(book, delivery, now) if owed.claimed else delivery


def _plan_anew(book: Book, member: str, owed: Owed, digest: bytes | None, now: datetime) -> None:
    """Have what never went for an occurrence be open, and be due, and say, what is owed for it now."""
    open_still = book.one(sql.OPEN_FOR, digest)
    if open_still is not None and (owed.until is None or owed.until >= now):
        until = None if owed.until is None else minute(owed.until)
        (row,) = open_still
        book.run(sql.PLAN_ANEW, minute(owed.due), until, _sealed(book, member, row, owed), row)


def _readable(book: Book, rows: Sequence[Row], now: datetime) -> list[Delivery]:
    """Return the deliveries of rows; one that cannot be opened can never be sent, and is dropped."""
    found = []
    for row in rows:
        delivery = _delivery(book, row)
        if delivery is None:
            book.run(sql.DROP, minute(now), row[0])
        else:
            found.append(delivery)
    return found


def _delivery(book: Book, row: Row) -> Delivery | None:
    id, member, address_row, state, attempt, due, until, changed, sealed, platform, address, place = row
    content: Any = book.open("outbox.owed", member, id, sealed)
    to = book.open("addresses.address", member, address_row, address)
    if content is None or to is None:
        return None
    return Delivery(
        id=id,
        member=member,
        address=Address(platform, to),
        kind=Kind(content["kind"]),
        reply=content["reply"],
        due=time_of(due),
        until=None if until is None else time_of(until),
        edits=content["edits"],
        state=State(state),
        attempt=attempt,
        changed=time_of(changed),
        place=book.open("addresses.place", member, address_row, place),
    )
