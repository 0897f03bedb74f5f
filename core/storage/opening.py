"""Opening the database: every reason to refuse comes before anything is changed."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from core.errors import StorageUnavailable
from core.storage import sql
from core.storage.book import Book, Keys, fresh_id
from core.storage.errors import Corrupt, DatabaseMissing, WrongKey, damaged, unwritable
from core.storage.files import beside, has_content
from core.storage.schema import migrate, refuse_foreign, version
from core.vault import KeyRing, Lookup, Unsealable, Wrapped, check_value, checked_key, opens


def database_exists(path: Path) -> bool:
    """Return whether a database is there, or something is left of one."""
    return has_content(path) or has_content(beside(path, "-wal"))


def restoring(path: Path) -> Path:
    """Return where a backup is made ready to take the place of the database."""
    return beside(path, ".restoring")


def remove_unfinished(path: Path) -> None:
    """Remove what a restore left that was cut short; only who holds the database's lock may."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        beside(restoring(path), suffix).unlink(missing_ok=True)


def can_be_written(path: Path) -> bool:
    """Return whether this user can write a database there, or make one; nothing is made to find out."""
    folder = next((above for above in path.absolute().parents if above.exists()), Path("/"))
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) and (not path.exists() or os.access(path, os.W_OK))


def prepare_folder(path: Path, *, expected: bool, traces: Sequence[Path] = ()) -> None:
    """Make the folder for a new database; raise DatabaseMissing where an old one should be, as its traces say."""
    if path.exists() and not path.is_file():
        raise StorageUnavailable(f"{path} is not a file. Name a file in DATABASE_URL.")
    if not has_content(path):
        left = (beside(path, "-wal"), *traces) if has_content(beside(path, "-wal")) else tuple(traces)
        if expected or left:
            raise DatabaseMissing(_missing(path, left))
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"The folder {path.parent} cannot be made ({error.strerror}).") from error


def prepare_file(path: Path) -> None:
    """Make sure of a file that can be written; a new one is for this user's eyes only."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise unwritable(path) from error


def opened(db: sqlite3.Connection, path: Path, ring: KeyRing, remembered: int) -> Book:
    """Return the book of a sound database of ours that the ring opens, up to date; raise what `errors` says otherwise."""
    for statement in sql.ON_OPENING:
        db.execute(statement)
    # One forged value must not fail every statement that comes across it.
    db.text_factory = forgiving_text
    refuse_foreign(db, path)
    if db.execute(sql.QUICK_CHECK).fetchone()[0] != "ok":
        raise damaged(path)
    if version(db):
        known_house(db, path, ring)
    db.execute(sql.USE_WAL)
    migrate(db)
    # After a kill the log may still hold what was erased.
    db.execute(sql.CHECKPOINT).fetchone()
    house = known_house(db, path, ring) or _new_house(db, ring)
    keys = Keys(ring, remembered)
    check_own_key(db, path, keys, house[0])
    return Book(db, keys, lookup=house[1], house=house[0])


def forgiving_text(raw: bytes) -> str:
    """Return text as it is in the database; what is no text in it is replaced."""
    return raw.decode("utf-8", "replace")


def known_house(db: sqlite3.Connection, path: Path, ring: KeyRing) -> tuple[str, Lookup] | None:
    """Return the house's id and look-up key, None where nothing was ever kept; raise WrongKey where the ring opens them not."""
    row = db.execute(sql.HOUSE).fetchone()
    if row is None:
        if db.execute(sql.KEYS).fetchone()[0]:
            raise Corrupt(f"{path} has lost its key check. Put a backup in its place: hipwise restore FILE.")
        return None
    house, key_check, *lookup = row
    if not opens(ring, key_check):
        raise _wrong_key(path, checked_key(key_check))
    try:
        # Of the others that are in use, one data key of each shows whether the ring has the right one.
        for ring_key, owner, blob in db.execute(sql.SAMPLES, (checked_key(key_check),)):
            needed = ring_key
            ring.unwrap(Wrapped(ring_key, blob), owner)
        needed = lookup[0]
        return house, ring.unwrap_lookup(Wrapped(*lookup))
    except Unsealable as error:
        raise _wrong_key(path, needed) from error


def check_own_key(db: sqlite3.Connection, path: Path, keys: Keys, house: str) -> None:
    """Raise Corrupt where the house's data key does not open: nothing that comes in could be kept."""
    try:
        whole = keys.of(db, house) is not None
    except Unsealable:
        whole = False
    if not whole:
        raise damaged(path)


def _missing(path: Path, traces: Sequence[Path]) -> str:
    anew = f" To start anew on purpose, move away: {', '.join(map(str, traces))}" if traces else ""
    return (
        f"There is no database at {path}, and there was one. Check DATABASE_URL and that the disk is there, "
        f"or put a backup in its place: hipwise restore FILE. Hipwise does not start an empty one over it.{anew}"
    )


def _wrong_key(path: Path, needed: str | None) -> WrongKey:
    return WrongKey(
        f"{path} was sealed with the key {needed!r}, and the key ring has no such key, or another of that name. "
        "Put that key back. Nothing was changed; without it nobody can read what members told."
    )


def _new_house(db: sqlite3.Connection, ring: KeyRing) -> tuple[str, Lookup]:
    house, lookup = fresh_id(), Lookup.fresh()
    wrapped = ring.wrap_lookup(lookup)
    db.execute("BEGIN IMMEDIATE")
    db.execute(sql.NEW_HOUSE, (house, check_value(ring), wrapped.ring_key, wrapped.blob))
    Keys(ring, 1).create(db, house)
    db.execute("COMMIT")
    return house, lookup
