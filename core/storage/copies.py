"""The copies of a database in the backups folder: what they are called, and which of them stay. No I/O but looking."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from core.storage.retention import BACKUP

DAYS = 7
"""Of so many days, today with them, the newest backup stays."""
WEEKS = 4
"""Of so many calendar weeks, this one with them, the newest backup stays."""

_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Copy:
    """A backup; or a database that a restore put aside, or a log that was beside it."""

    path: Path
    time: datetime
    replaced: bool = False


def backup_path(folder: Path, database: Path, time: datetime) -> Path:
    """Return where a backup of this time is kept, such as `hipwise-20261122T080000Z.db`."""
    return folder / f"{database.stem}-{time.astimezone(UTC):{_TIME}}.db"


def replaced_path(folder: Path, database: Path, time: datetime) -> Path:
    """Return where a database is kept that a restore put aside, such as `hipwise-20261122T080000Z-replaced.db`."""
    return folder / f"{database.stem}-{time.astimezone(UTC):{_TIME}}-replaced.db"


def copies_of(folder: Path, database: Path) -> tuple[Copy, ...]:
    """Return the copies of a database, the newest first; whatever else is in the folder is none of ours."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(_copies(folder, database), key=lambda copy: copy.time, reverse=True))


def unfinished(folder: Path, database: Path) -> tuple[Path, ...]:
    """Return what a copy that was cut short has left, with the files that SQLite kept beside it."""
    form = _form(database, r"(?:-replaced)?\.db(?:-wal|-journal)?\.part(?:-wal|-shm|-journal)?")
    return tuple(path for path in folder.iterdir() if form.fullmatch(path.name))


def outdated(found: Sequence[Copy], now: datetime) -> tuple[Copy, ...]:
    """Return the copies that do not stay: each older than a backup may be, and backups between those of days and weeks.

    One from the future stays: whose clock is wrong is not for us to guess.
    """
    staying = _newest_of_each(found, now)
    return tuple(copy for copy in found if now - copy.time > BACKUP or (copy not in staying and copy.time <= now))


def _newest_of_each(found: Sequence[Copy], now: datetime) -> set[Copy]:
    """Return the newest backup of each of the last days and weeks, and all databases that were put aside."""
    newest: dict[object, Copy] = {}
    for copy in sorted((copy for copy in found if not copy.replaced), key=lambda copy: copy.time):
        day = copy.time.astimezone(UTC).date()
        if (now.astimezone(UTC).date() - day).days < DAYS:
            newest[day] = copy
        # Weeks of the calendar: weeks that are counted back from today would move on every day, and none grow old.
        if _week(now) - _week(copy.time) < WEEKS:
            newest[_week(copy.time)] = copy
    return {*newest.values(), *(copy for copy in found if copy.replaced)}


def _week(time: datetime) -> int:
    """Return the number of its calendar week, Monday to Sunday, counted without a break at the new year."""
    return (time.astimezone(UTC).date() - date(2000, 1, 3)).days // 7


def _copies(folder: Path, database: Path) -> Iterator[Copy]:
    form = _form(database, r"(?:\.db|(-replaced)\.db(?:-wal|-journal)?)")
    for path in folder.iterdir():
        if found := form.fullmatch(path.name):
            try:
                time = datetime.strptime(found[1], _TIME).replace(tzinfo=UTC)
            except ValueError:  # such as a 31st of February: somebody else's name
                continue
            yield Copy(path, time, replaced=found[2] is not None)


def _form(database: Path, end: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(database.stem)}-(\d{{8}}T\d{{6}}Z){end}")
