"""Putting a backup in the place of the database. Cut short at any point, the old database is there or the new one, whole.

A copy of the backup is made ready beside the database: checked, brought up to date, rid of whoever was erased since. What
is there now is copied to the backups folder. Then one rename puts the new in the place of the old.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from pathlib import Path

from core.errors import StorageUnavailable
from core.storage import files, sql
from core.storage.book import minute
from core.storage.copies import copies_of, replaced_path, unfinished
from core.storage.erased import ErasedList, Listed
from core.storage.erasure import erase_received, erase_rows
from core.storage.errors import Corrupt, explained
from core.storage.files import beside, has_content
from core.storage.lock import Lock
from core.storage.opening import database_exists, opened, remove_unfinished, restoring
from core.storage.schema import version
from core.storage.soundness import Contents, contents, readable
from core.vault import KeyRing


class Step(StrEnum):
    """What a restore is at."""

    COPY = "copy"
    CHECK = "check"
    ERASE = "erase"
    PUT_ASIDE = "put_aside"
    REPLACE = "replace"


Tell = Callable[[Step, int, int], None]
"""Told at which step it is, how much of that is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Target:
    """The database whose place a backup is to take, and what belongs to it."""

    database: Path
    folder: Path
    """Where its backups are."""
    ring: KeyRing
    erased: ErasedList


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    members: int
    unreadable: int
    """Members whose key does not open: it was damaged when the backup was made."""
    erased: int
    """Members who were in the backup, and had been erased since."""
    unread: int
    """Lines of the list of erased members that could not be read: whoever they name may be back."""
    aside: Path | None
    """Where the database is kept that was there before."""


def put_back(backup: Path, target: Target, now: datetime, *, force: bool, tell: Tell) -> Restored:
    """Put a backup in the place of the database; raise what `errors` says, with the old database in its place.

    A sound database that holds anything the backup does not is replaced by `force` only.
    """
    _must_be_a_backup(backup, target)
    with _explaining(target.database):
        files.make_folder(target.database.parent)
        with Lock(target.database):
            remove_unfinished(target.database)
            try:
                return _restored(backup, target, now, force=force, tell=tell)
            finally:
                remove_unfinished(target.database)


# ---------------------------------------------------------------- Steps


class _Old(Enum):
    MISSING = auto()
    DAMAGED = auto()
    SOUND = auto()


def _restored(backup: Path, target: Target, now: datetime, *, force: bool, tell: Tell) -> Restored:
    database, new = target.database, restoring(target.database)
    old = _old(database)
    _copy(backup, new, lambda done, whole: tell(Step.COPY, done, whole))
    tell(Step.CHECK, 0, 1)
    held = _checked(new, backup, target.ring)
    if old is _Old.SOUND and not force and _would_lose(database, new):
        raise StorageUnavailable(
            f"{database} holds something that {backup} does not, so nothing was changed. To put the backup in its place "
            f"all the same: hipwise restore --force FILE. What is there now is then kept in {target.folder}."
        )
    tell(Step.ERASE, 0, 1)
    listed = target.erased.read()
    again = _made_ready(new, target.ring, listed, now)
    aside = _put_aside(target, now, old, lambda done, whole: tell(Step.PUT_ASIDE, done, whole))
    tell(Step.REPLACE, 0, 1)
    _replace(database, new)
    return Restored(held.members - again, held.unreadable, again, listed.unknown + listed.damaged, aside)


def _must_be_a_backup(backup: Path, target: Target) -> None:
    """Raise StorageUnavailable for what is no file, or a file that is in use here."""
    database = target.database
    if not backup.is_file():
        found = [copy.path for copy in copies_of(target.folder, database) if not copy.replaced]
        raise StorageUnavailable(f"There is no file {backup}." + (f" The newest backup is {found[0]}." if found else ""))
    if any(ours.exists() and ours.samefile(backup) for ours in (database, restoring(database))):
        raise StorageUnavailable(f"{backup} is no backup, but the database itself. Name a backup.")


def _old(database: Path) -> _Old:
    """Return how the database is that is there now; it is only looked at."""
    if not database_exists(database):
        return _Old.MISSING
    if not has_content(database):  # only its log is left
        return _Old.DAMAGED
    try:
        with closing(readable(database)) as db:
            return _Old.SOUND if db.execute(sql.QUICK_CHECK).fetchone()[0] == "ok" else _Old.DAMAGED
    except sqlite3.Error as error:
        if isinstance(explained(error, database), Corrupt):
            return _Old.DAMAGED
        raise


def _copy(backup: Path, new: Path, progress: files.Progress) -> None:
    """Copy a backup, with the log that is beside a database that was copied by hand."""
    files.copy(backup, new, progress)
    if has_content(beside(backup, "-wal")):
        files.copy(beside(backup, "-wal"), beside(new, "-wal"), progress)


def _checked(new: Path, backup: Path, ring: KeyRing) -> Contents:
    try:
        with closing(readable(new)) as db:
            return contents(db, backup, ring)
    except (Corrupt, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and not isinstance(explained(error, backup), Corrupt):
            raise
        raise Corrupt(f"{backup} is damaged, or no backup of Hipwise. Nothing was changed. Take another backup.") from error


def _would_lose(database: Path, new: Path) -> bool:
    """Return whether the database has a row about anybody that its successor does not have just so."""
    with closing(readable(new)) as db:
        db.execute(sql.ATTACH_OLD, (f"{database.absolute().as_uri()}?mode=ro",))
        if db.execute(sql.OLD_SCHEMA_VERSION).fetchone()[0] != version(db):
            return True
        tables = [table for (table,) in db.execute(sql.OLD_TABLES).fetchall() if table not in sql.ABOUT_NOBODY]
        return any(db.execute(sql.ONLY_IN_OLD.format(table)).fetchone()[0] for table in tables)


def _made_ready(new: Path, ring: KeyRing, listed: Listed, now: datetime) -> int:
    """Return how many erased members were in it; now no byte of them is, and all of it is in one file, on disk."""
    with closing(sqlite3.connect(new, isolation_level=None)) as db:
        book = opened(db, new, ring, 1)
        again = [member for member in listed.members if book.count(sql.COUNT_MEMBER, member)]
        db.execute("BEGIN")
        for member in again:
            erase_received(book, member)
            erase_rows(book, member)
        # What was due by now may have been sent since the backup: the ledger's rule says what may be repeated.
        book.run(sql.ALL_DUE_UNKNOWN, minute(now))
        # How sending went then says nothing of the time since the backup.
        book.run(sql.ERASE_SENDINGS)
        db.execute("COMMIT")
        db.execute(sql.USE_ONE_FILE)
    files.flush_file(new)
    return len(again)


def _put_aside(target: Target, now: datetime, old: _Old, progress: files.Progress) -> Path | None:
    """Return the copy of what is there now, if anything: of a sound database in one file, of a damaged one just as it is."""
    database, folder = target.database, target.folder
    if old is _Old.MISSING:
        return None
    if old is _Old.SOUND:
        with closing(sqlite3.connect(database, isolation_level=None)) as db:
            db.execute(sql.USE_ONE_FILE)
    files.make_folder(folder)
    for left in unfinished(folder, database):
        left.unlink()
    aside = replaced_path(folder, database, now)
    for suffix in ("-wal", "-journal", ""):
        source, part = beside(database, suffix), beside(aside, f"{suffix}.part")
        if has_content(source):
            files.copy(source, part, progress)
            part.replace(part.with_suffix(""))
    files.flush_folder(folder)
    return aside if has_content(database) else beside(aside, "-wal")


def _replace(database: Path, new: Path) -> None:
    """Put the new in the place of the old. What SQLite keeps beside a database goes first: it would spoil another.

    A sound database has nothing beside it any more, so that it stays whole until the rename; a damaged one loses nothing
    by it but what its copy has.
    """
    for suffix in ("-wal", "-journal", "-shm"):
        beside(database, suffix).unlink(missing_ok=True)
    new.replace(database)
    files.flush_folder(database.parent)


@contextmanager
def _explaining(database: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise explained(error, database) from error
    except OSError as error:
        raise StorageUnavailable(f"Nothing was put back, and the old database is in its place: {error}.") from error
