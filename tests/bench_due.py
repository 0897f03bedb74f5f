"""A database of members by the million, some of whom are due a check-in now: its rows as the store makes them, by direct SQL.

Those who are due are real: what is kept about them can be opened, and judged. Of everybody else there are as many rows, just as
long, with nothing in them: nobody opens those.
"""

import asyncio
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench_check import GB, LIBRARY
from core import consents
from core.diary import Age, Diary, Origin, Run, to_json
from core.ledger import Owed
from core.members import Address
from core.planning import Planning
from core.record import Plain, Record
from core.storage import Store, members, opening, outbox, sql
from core.storage.book import Book, fresh_id, minute
from core.storage.diaries import keep
from core.storage.members import Door
from core.vault import KeyRing

PLATFORM = "telegram"
AGO = timedelta(minutes=10)
"""So long ago the check-ins became due."""
QUICKLY = ("PRAGMA synchronous = OFF", "PRAGMA foreign_keys = OFF", "PRAGMA cache_size = -500000", "PRAGMA secure_delete = OFF")
"""For filling alone."""

_SOME = "WITH RECURSIVE some(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM some WHERE n < :last)"
_ID = "printf('%08x%024x', n, 0)"
"""The id of a member who is not due, and of each row that is theirs. All ids go up, which fills the quickest."""
_OUTBOX = "id, member, address, position, state, attempt, scheduled, due, until, changed, occurrence_digest, owed, message"
_LATER = "'open', 0, 1, :later, :until, :changed, randomblob(32), zeroblob(:owed), NULL"
_OF_OTHERS = {
    "members (id, position)": f"{_ID}, n",
    "keys (owner, ring_key, wrapped)": f"{_ID}, :ring_key, zeroblob(77)",
    "addresses (id, member, platform, digest, address)": f"{_ID}, {_ID}, 'telegram', randomblob(32), zeroblob(41)",
    "settings (member, settings)": f"{_ID}, zeroblob(44)",
    "consents (id, member, position, consent)": f"{_ID}, {_ID}, 1, zeroblob(200)",
    "diaries (member, look, diary)": f"{_ID}, :look, zeroblob(:diary)",
    f"outbox ({_OUTBOX})": f"{_ID}, {_ID}, {_ID}, n, {_LATER}",
}
OTHERS = [f"{_SOME} INSERT INTO {rows} SELECT {values} FROM some" for rows, values in _OF_OTHERS.items()]  # noqa: S608 - our own
"""Each member has a check-in ahead. For those who are not due that is tomorrow's."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is kept about someone who is due a check-in now, and what is owed to them."""

    consents: tuple[Plain, ...]
    diary: Plain
    owed: Owed
    look: datetime


def due_now(now: datetime) -> Due:
    """Return what is planned for someone who told of a run that is over for two hours, where it is early afternoon."""
    start = now - AGO - timedelta(hours=3)
    diary = Diary(zone=_afternoon(now), age=Age.ADULT, runs=(Run("r1", start, Origin.TOLD, 60, 8000),))
    agreed = (consents.as_kept(LIBRARY.words, "check_ins", start, given=True),)
    record = Record(fresh_id(), None, GB, agreed, diary=to_json(diary))
    planned = Planning(LIBRARY).plan(record, lambda _kind, _key: False, start)
    (owed,) = planned.owed
    if planned.diary is None or planned.look is None:
        raise ValueError("nothing was planned")
    return Due(agreed, planned.diary, owed, planned.look)


def fill(database: Path, ring: KeyRing, everybody: int, due: int, now: datetime) -> None:
    """Make a database of so many members, so many of whom are due, evenly among the others."""
    asyncio.run(_made(database, ring))
    connection = sqlite3.connect(database, isolation_level=None)
    book = opening.opened(connection, database, ring, 1)
    for pragma in QUICKLY:
        connection.execute(pragma)
    connection.execute("BEGIN")
    one = due_now(now)
    like = _sizes(book, one, now)
    each = everybody // due
    for number in range(due):
        _enter(book, str(number + 1), one, number * each + 1, now)
        if each > 1:
            for statement in OTHERS:
                connection.execute(statement, {**like, "first": number * each + 2, "last": number * each + each})
    book.run(sql.COUNT_PLANNED, everybody)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()


async def _made(database: Path, ring: KeyRing) -> None:
    async with Store(database, ring, lambda: datetime.now(UTC)):
        pass


def _enter(book: Book, platform_id: str, one: Due, position: int, now: datetime) -> None:
    """Enter someone who is due."""
    member = _id(position)
    at = Door(_id(position), member)
    book.db.execute("INSERT INTO members (id, position) VALUES (?, ?)", (member, position))
    book.keys.create(book.db, member)
    digest = members.digest(book, Address(PLATFORM, platform_id))
    book.run(sql.NEW_ADDRESS, at.row, member, PLATFORM, digest, book.seal("addresses.address", member, at.row, platform_id))
    book.run(sql.SAVE_SETTINGS, member, book.seal("settings.settings", member, member, {"region": GB.region}))
    for consent in one.consents:
        row = _id(position)
        book.run(sql.NEW_CONSENT, row, member, book.seal("consents.consent", member, row, dict(consent)), member)
    keep(book, member, one.diary, one.look)
    row, owed = _id(position), one.owed
    until = None if owed.until is None else minute(owed.until)
    sealed = outbox._sealed(book, member, row, owed)
    digest = outbox.occurrence_digest(book, member, owed.kind, owed.occurrence or "")
    book.run(sql.OWE, row, member, at.row, position, 1, minute(owed.due), until, minute(now), digest, sealed)


def _id(number: int) -> str:
    """Return an id of ours that stands among those of everybody else."""
    return f"{number:08x}{secrets.token_hex(12)}"


def _sizes(book: Book, one: Due, now: datetime) -> dict[str, Any]:
    """Return what everybody else's rows are filled with: as much as of those who are due, and due tomorrow."""
    tomorrow = now + timedelta(days=1)
    return {
        "ring_key": book.keys.ring.writer.id,
        "look": minute(tomorrow),
        "later": minute(tomorrow),
        "until": minute(tomorrow + timedelta(hours=6)),
        "changed": minute(now),
        "diary": len(book.seal("diaries.diary", book.house, book.house, one.diary)),
        "owed": len(outbox._sealed(book, book.house, book.house, one.owed)),
    }


def _afternoon(now: datetime) -> str:
    """Return a zone in which it is early afternoon."""
    ahead = 14 - now.hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"
