"""Whether a copy of a database is whole: looked at in full, and opened with the keys, before anyone relies on it."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from core.storage import sql
from core.storage.book import Keys
from core.storage.errors import Corrupt
from core.storage.opening import check_own_key, forgiving_text, known_house
from core.storage.schema import refuse_foreign, version
from core.vault import KeyRing, Unsealable, Wrapped

KEYS_CHECKED = 100_000
"""So many data keys are unwrapped, which takes seconds; of a larger club the rest are taken on trust."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a sound copy holds."""

    schema: int
    members: int
    unreadable: int
    """Data keys that do not open: damaged in the database already, for the copy is what was there."""


def contents(db: sqlite3.Connection, path: Path, ring: KeyRing) -> Contents:
    """Return what a copy holds; raise what `errors` says where it is damaged, another program's, or of other keys."""
    refuse_foreign(db, path)
    if db.execute(sql.INTEGRITY_CHECK).fetchone()[0] != "ok" or db.execute(sql.FOREIGN_KEY_CHECK).fetchone() is not None:
        raise _unsound(path)
    house = known_house(db, path, ring) if version(db) else None
    if house is None:
        raise Corrupt(f"{path} holds nothing: it is no copy of a database.")
    check_own_key(db, path, Keys(ring, 1), house[0])
    return Contents(version(db), db.execute(sql.MEMBERS).fetchone()[0], _unreadable(db, ring))


def readable(path: Path) -> sqlite3.Connection:
    """Return a connection that can only read, and so moves nothing out of the write-ahead log."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    db.text_factory = forgiving_text
    return db


def _unsound(path: Path) -> Corrupt:
    return Corrupt(f"{path} is damaged: its tables and keys do not fit together.")


def _unreadable(db: sqlite3.Connection, ring: KeyRing) -> int:
    return sum(not _unwraps(ring, Wrapped(*wrapped), owner) for owner, *wrapped in db.execute(sql.SOME_KEYS, (KEYS_CHECKED,)))


def _unwraps(ring: KeyRing, wrapped: Wrapped, owner: str) -> bool:
    try:
        ring.unwrap(wrapped, owner)
    except (Unsealable, ValueError):
        return False
    return True
