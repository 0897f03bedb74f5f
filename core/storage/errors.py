"""What can go wrong with the database, each with a sentence that tells the operator what to do."""

import sqlite3
from pathlib import Path

from core.errors import StorageUnavailable


class AlreadyRunning(StorageUnavailable):
    """Another process has the database."""


class Corrupt(StorageUnavailable):
    """The database file is damaged."""


class NewerSchema(StorageUnavailable):
    """The database was written by a newer version of this program."""


class DatabaseMissing(StorageUnavailable):
    """A database was expected and there is none; an empty one is not put in its place."""


class WrongKey(StorageUnavailable):
    """The keys in the settings are not those that this database was sealed with."""


def explained(error: sqlite3.Error, path: Path) -> Exception:
    """Return the error as one with a sentence for the operator; a mistake of ours, such as bad SQL, as it is.

    >>> locked = sqlite3.OperationalError("database is locked")
    >>> locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
    >>> type(explained(locked, Path("hipwise.db"))).__name__
    'StorageUnavailable'
    """
    # The extended codes keep the plain one in their lowest byte; an error that Python itself raises has none.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _DAMAGED:
        return damaged(path)
    if code in _ADVICE:
        return StorageUnavailable(_ADVICE[code].format(path=path))
    return error


def unwritable(path: Path) -> StorageUnavailable:
    """Return the error for a file that this user may not write."""
    return StorageUnavailable(_UNWRITABLE.format(path=path))


def damaged(path: Path) -> Corrupt:
    """Return the error for a file that is not, or no longer, a sound database."""
    return Corrupt(
        f"{path} is damaged or not a database. Put a backup in its place: hipwise restore FILE. "
        "What is there now is kept beside the backups."
    )


def damaged_key(path: Path) -> Corrupt:
    """Return the error for a data key that does not open: what it sealed can neither be read nor added to."""
    return Corrupt(
        f"A key in {path} is damaged. Keep the file aside and put the newest good backup in its place; until then "
        "whoever's key it is can use Hipwise, and nothing about them is kept."
    )


_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

_LOCKED = "Another program holds {path} locked. Close it (a database browser, a second Hipwise, a backup)."
_UNWRITABLE = "{path} cannot be opened or written. Make the file and its folder writable for the user that runs Hipwise."

_ADVICE = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: "There is no room left on the disk of {path}. Free some; nothing else needs doing.",
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: _UNWRITABLE,
    sqlite3.SQLITE_IOERR: "The disk of {path} failed to read or write. Check the disk, then start again.",
}
