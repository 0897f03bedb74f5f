"""How long things are kept, and erasing what is older, a chunk at a time so that no answer waits."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from core.ledger import REPLY
from core.storage import receipts, sql
from core.storage.book import Book, minute
from core.storage.erasure import erase_received, erase_rows
from core.storage.tallies import count_gone

SESSION = timedelta(hours=24)
"""A check, after its last answer."""
CLAIM = timedelta(hours=24)
"""A claim whose outcome could not be noted: nobody will know any more."""
CONTENT = timedelta(hours=24)
"""What a delivery said, after it was sent or given up."""
OCCURRENCE = timedelta(days=7)
"""That an occurrence had its message, after its window."""
RECEIPT = timedelta(hours=24)
"""The receipt of an erasure that could not be sent."""
RECEIVED = timedelta(days=7)
"""What came in and was set aside, and the digest of what was handled."""
HISTORY = timedelta(days=365)
"""A result, where its member agreed that it is kept."""
BACKUP = timedelta(days=30)
"""A copy of the database, as members are told when they are erased."""
ERASED = timedelta(days=365)
"""That a member was erased. Our own backups are long gone by then, but an operator may have put one away for longer."""

CHUNK = 250

Step = Callable[[Book, datetime], int]


def sessions(book: Book, now: datetime) -> int:
    """Erase checks that ended, or were left, too long ago."""
    rows = book.all(sql.OLD_SESSIONS, minute(now - SESSION), CHUNK)
    for address, _member in rows:
        book.run(sql.ERASE_SESSION, address)
    erase_idle(book, {member for _address, member in rows})
    return len(rows)


def late_replies(book: Book, now: datetime) -> int:
    """Skip replies that nobody waits for any more."""
    rows = book.all(sql.OLD_REPLIES, minute(now - REPLY), CHUNK)
    for (delivery,) in rows:
        book.run(sql.SKIP, minute(now), delivery)
    return len(rows)


def lost_claims(book: Book, now: datetime) -> int:
    """Note of claims that nobody will tell the outcome of any more that it is unknown."""
    rows = book.all(sql.OLD_CLAIMS, minute(now - CLAIM), CHUNK)
    for (delivery,) in rows:
        book.run(sql.UNKNOWN, minute(now), delivery)
    return len(rows)


def contents(book: Book, now: datetime) -> int:
    """Erase what settled deliveries said."""
    rows = book.all(sql.OLD_CONTENT, minute(now - CONTENT), minute(now), CHUNK)
    for (delivery,) in rows:
        book.run(sql.EMPTY, delivery)
    return len(rows)


def deliveries(book: Book, now: datetime) -> int:
    """Erase deliveries without content whose occurrence cannot come again; their tallies stay."""
    rows = book.all(sql.OLD_DELIVERIES, minute(now - CONTENT), minute(now - OCCURRENCE), CHUNK)
    for delivery, _member, state in rows:
        count_gone(book, [(state, 1)])
        book.run(sql.ERASE_DELIVERY, delivery)
    erase_idle(book, {member for _delivery, member, _state in rows})
    return len(rows)


def unsent_receipts(book: Book, now: datetime) -> int:
    """Erase receipts that could not be sent."""
    return receipts.expire(book, minute(now - RECEIPT), CHUNK)


def received(book: Book, now: datetime) -> int:
    """Erase what came in long ago."""
    rows = book.all(sql.OLD_RECEIVED, minute(now - RECEIVED), CHUNK)
    for (row,) in rows:
        book.run(sql.ERASE_RECEIVED, row)
    return len(rows)


def links(book: Book, now: datetime) -> int:
    """Erase codes that nobody can use any more."""
    rows = book.all(sql.OLD_LINKS, minute(now), CHUNK)
    for link, _maker, _joiner in rows:
        book.run(sql.ERASE_LINK, link)
    erase_idle(book, {member for _link, *both in rows for member in both if member is not None})
    return len(rows)


def former_members(book: Book, now: datetime) -> int:
    """Forget who someone was before they were taken in, so long ago that no backup is left of then."""
    rows = book.all(sql.OLD_FORMER, minute(now - ERASED), CHUNK)
    for (former,) in rows:
        book.run(sql.ERASE_FORMER, former)
    return len(rows)


def history(book: Book, now: datetime) -> int:
    """Erase results that are too old. Their time is sealed, so each is opened; one that cannot be is left as it is."""
    oldest, gone = now - HISTORY, 0
    for row, member, sealed in book.all(sql.ALL_HISTORY):
        entry = book.open("history.entry", member, row, sealed)
        if isinstance(entry, dict) and "time" in entry and datetime.fromisoformat(entry["time"]) < oldest:
            gone += book.run(sql.ERASE_ENTRY, row)
    return gone


def keyless(book: Book, now: datetime) -> int:  # noqa: ARG001 - a step like the others
    """Erase what is left of members whose key is gone, as after an erasure that was cut short."""
    if book.count(sql.MEMBERS) + 1 == book.count(sql.KEYS):  # every member has one, and the house
        return 0
    members = book.all(sql.WITHOUT_KEY, CHUNK)
    for (member,) in members:
        erase_received(book, member)
        erase_rows(book, member)
    return len(members)


STEPS: Mapping[str, Step] = {
    "sessions": sessions,
    "late_replies": late_replies,
    "lost_claims": lost_claims,
    "contents": contents,
    "deliveries": deliveries,
    "unsent_receipts": unsent_receipts,
    "received": received,
    "links": links,
    "former_members": former_members,
    "history": history,
    "keyless": keyless,
}


def erase_idle(book: Book, members: set[str]) -> None:
    """Erase those of the members about whom nothing is kept any more but how to reach them."""
    for member in members:
        if book.one(sql.KEPT_ABOUT, *[member] * sql.KEPT_ABOUT.count("?")) is None:
            erase_rows(book, member)
