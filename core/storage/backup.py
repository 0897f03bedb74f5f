"""A backup of the running store: one file, sealed as the store is, that was opened and checked before it has its name.

SQLite's backup of pages is used, within one read of one moment: writers go on, and it takes half the time of VACUUM INTO or
less, so that the log, which cannot be emptied as long as that read lasts, grows less. Erased bytes need no vacuum to go: the
store overwrites them (secure_delete). The connection only reads: it never moves the log into the database.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import StorageUnavailable
from core.storage import files, sql
from core.storage.copies import backup_path, copies_of, outdated, unfinished
from core.storage.errors import Corrupt, explained
from core.storage.files import Progress, beside
from core.storage.soundness import contents, readable
from core.vault import KeyRing

log = logging.getLogger(__name__)

PAGES_AT_ONCE = 1024
"""Pages of 4 KiB that are copied before the progress is told, and a stop is looked for."""
STEPS_AT_ONCE = 100_000
"""SQLite's own steps of a check before a stop is looked for: a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made and checked."""

    path: Path
    bytes: int
    time: datetime
    """The moment that it shows."""
    members: int
    unreadable: int
    """Data keys that do not open, in the store either."""


class Stopped(Exception):
    """The backup was called off; nothing of it is left."""


def copied(database: Path, folder: Path, time: datetime, progress: Progress, stop: threading.Event) -> Path:
    """Return a copy of an open database as it is at this moment, not yet to be relied on; what others left unfinished goes."""
    part = backup_path(folder, database, time).with_suffix(".db.part")
    try:
        files.make_folder(folder)
        for left in unfinished(folder, database):
            left.unlink()
        files.make_file(part)
    except OSError as error:
        raise StorageUnavailable(f"No backup was made: {folder} cannot be written ({error.strerror}).") from error
    with _whole_or_gone(part, database):
        _copy(database, part, progress, stop)
    return part


def kept(part: Path, database: Path, time: datetime, ring: KeyRing, stop: threading.Event) -> Backup:
    """Return the backup that a copy now is: checked, on disk, and under its name."""
    path = part.with_suffix("")
    with _whole_or_gone(part, database):
        with closing(readable(part)) as db:
            db.set_progress_handler(stop.is_set, STEPS_AT_ONCE)
            held = contents(db, path, ring)
        files.flush_file(part)
        part.replace(path)
        files.flush_folder(path.parent)
    if held.unreadable:
        log.error("backup.unreadable", extra={"count": held.unreadable})
    log.info("backup.made", extra={"count": held.members})
    return Backup(path, path.stat().st_size, time, held.members, held.unreadable)


def prune(folder: Path, database: Path, now: datetime) -> int:
    """Return how many copies were removed because they do not stay; one that cannot be is logged and tried the next time."""
    removed = 0
    for copy in outdated(copies_of(folder, database), now):
        try:
            copy.path.unlink()
            removed += 1
        except OSError as error:
            log.warning("backup.stays", extra={"error": type(error).__name__})
    return removed


# ---------------------------------------------------------------- Below


def _copy(database: Path, part: Path, progress: Progress, stop: threading.Event) -> None:
    def told(_status: int, left: int, whole: int) -> None:
        if stop.is_set():
            raise Stopped
        progress(whole - left, whole)

    with closing(readable(database)) as source, closing(sqlite3.connect(part, isolation_level=None)) as target:
        target.execute(sql.FLUSH_LATER)
        # One view for the whole of it: else every commit meanwhile would make it begin again.
        source.execute("BEGIN")
        source.execute(sql.LOOK)
        source.backup(target, pages=PAGES_AT_ONCE, progress=told)
        source.execute("ROLLBACK")
        target.execute(sql.USE_ONE_FILE)


@contextmanager
def _whole_or_gone(part: Path, database: Path) -> Iterator[None]:
    """Leave nothing of a copy that failed, and say what to do."""
    try:
        yield
    except BaseException as error:
        for suffix in ("", "-wal", "-shm", "-journal"):
            beside(part, suffix).unlink(missing_ok=True)
        reason = _explained(error, part, database)
        if reason is error:
            raise
        raise reason from error


def _explained(error: BaseException, part: Path, database: Path) -> BaseException:
    match error:
        case sqlite3.OperationalError(sqlite_errorcode=sqlite3.SQLITE_INTERRUPT):
            return Stopped()
        case Corrupt():
            return Corrupt(f"No backup was made: a copy of {database} is damaged, so the database or the disk of the copy is.")
        case sqlite3.Error() if (told := explained(error, part)) is not error:
            return _explained(told, part, database)
        case OSError():
            return StorageUnavailable(f"No backup was made: {part.parent} cannot be written ({error.strerror}).")
        case _:
            return error
