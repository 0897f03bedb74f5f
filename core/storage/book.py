"""The open database as its own thread sees it: rows, and the keys that open them."""

import logging
import secrets
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from core.storage import sql
from core.vault import DataKey, KeyRing, Lookup, Place, Unsealable, Wrapped

log = logging.getLogger(__name__)

T = TypeVar("T")
Row = tuple[Any, ...]

_encoded = msgspec.json.Encoder().encode
_decoded = msgspec.json.Decoder().decode


class Keys:
    """The data keys of the members seen last; all others are unwrapped again when they are needed."""

    def __init__(self, ring: KeyRing, remembered: int) -> None:
        self.ring = ring
        self._remembered = remembered
        self._known: OrderedDict[str, DataKey] = OrderedDict()

    def of(self, db: sqlite3.Connection, owner: str) -> DataKey | None:
        """Return the key of a member, or None when it was erased; raise Unsealable when the ring does not open it."""
        key = self._known.get(owner)
        if key is not None:
            self._known.move_to_end(owner)
            return key
        row = db.execute(sql.KEY, (owner,)).fetchone()
        return None if row is None else self._know(owner, self.ring.unwrap(Wrapped(*row), owner))

    def create(self, db: sqlite3.Connection, owner: str) -> None:
        """Keep a new key for a member."""
        wrapped = self.ring.wrap(DataKey.fresh(), owner)
        db.execute(sql.NEW_KEY, (owner, wrapped.ring_key, wrapped.blob))

    def erase(self, db: sqlite3.Connection, owner: str) -> None:
        """Erase a member's key: whatever it sealed is noise from here on."""
        self._known.pop(owner, None)
        db.execute(sql.ERASE_KEY, (owner,))

    def _know(self, owner: str, key: DataKey) -> DataKey:
        self._known[owner] = key
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)
        return key


@dataclass(slots=True)
class Book:
    """What every function of this package reads and writes with."""

    db: sqlite3.Connection
    keys: Keys
    lookup: Lookup
    house: str
    """Whose key seals what came in, before it is known whom it is from."""
    unreadable: int = field(default=0)
    """How many values could not be opened since the start."""

    def one(self, statement: str, *values: object) -> Row | None:
        """Return the first row, if any."""
        row: Row | None = self.db.execute(statement, values).fetchone()
        return row

    def all(self, statement: str, *values: object) -> list[Row]:
        """Return all rows."""
        return self.db.execute(statement, values).fetchall()

    def count(self, statement: str, *values: object) -> int:
        """Return the one number that the statement asks for."""
        return int(self.db.execute(statement, values).fetchone()[0])

    def run(self, statement: str, *values: object) -> int:
        """Return how many rows the statement changed."""
        return self.db.execute(statement, values).rowcount

    def seal(self, column: str, member: str, row: str, value: object) -> bytes:
        """Return a value, given as plain JSON, sealed to its `table.column`, member and row."""
        return self.seal_bytes(column, member, row, _encoded(value))

    def seal_bytes(self, column: str, member: str, row: str, value: bytes) -> bytes:
        """Return bytes sealed to their `table.column`, member and row."""
        key = self.keys.of(self.db, member)
        if key is None:
            raise UnknownMember
        return key.seal(_place(column, member, row), value)

    def open(self, column: str, member: str, row: str, sealed: bytes | None) -> Any:
        """Return what was sealed there; None, and one more that is unreadable, where it cannot be opened."""
        return self._opened(column, member, row, sealed, _decoded)

    def open_bytes(self, column: str, member: str, row: str, sealed: bytes | None) -> bytes | None:
        """Return the bytes that were sealed there; None, and one more that is unreadable, where they cannot be opened."""
        return self._opened(column, member, row, sealed, bytes)

    def _opened(self, column: str, member: str, row: str, sealed: bytes | None, read: Callable[[bytes], T]) -> T | None:
        if sealed is None:
            return None
        try:
            key = self.keys.of(self.db, member)
            if key is not None:
                return read(key.open(_place(column, member, row), sealed))
        except (Unsealable, ValueError):
            pass
        self.unreadable += 1
        log.error("row.unreadable", extra={"column": column, "row": row})
        return None


class UnknownMember(Exception):
    """There is no such member, or no longer: they were erased in the meantime."""


def fresh_id() -> str:
    """Return a new id of ours."""
    return secrets.token_hex(16)


@lru_cache(maxsize=16)  # a turn asks it of the same time again and again
def minute(time: datetime) -> str:
    """Return an aware time as it is stored in clear: in UTC, without its seconds."""
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return time.astimezone(UTC).isoformat(timespec="minutes")


def time_of(text: str) -> datetime:
    """Return the time that `minute` wrote."""
    return datetime.fromisoformat(text)


def _place(column: str, member: str, row: str) -> Place:
    table, _, name = column.partition(".")
    return Place(table, name, member, row)
