"""Who was erased: a list outside the database, so that a backup that is put back does not bring them back.

It is kept in a file beside the backups and in one beside the key file, and what either of them holds counts. A line is
the id of a key of the ring and, sealed under it, a member's random id and when they were erased; a dot at its end says that
it is whole. A line `database: PATH` says that there was a database, so that one that is gone is missed.
"""

import base64
import errno
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import Path

from core.errors import StorageUnavailable
from core.storage import files
from core.storage.book import minute, time_of
from core.storage.copies import copies_of
from core.storage.lock import folder_held
from core.vault import KeyRing, Unsealable, Wrapped

log = logging.getLogger(__name__)

WHOLE = "."
DATABASE = "database: "


@dataclass(frozen=True, slots=True)
class Listed:
    """What the list says: when each member was erased, and how many lines it could not be read from."""

    members: Mapping[str, datetime]
    unknown: int
    """Lines sealed under a key that the ring does not have."""
    damaged: int
    """Lines that are not what was sealed."""


class ErasedList:
    """The list of one database, in the files where it is kept."""

    def __init__(self, ring: KeyRing, lists: Sequence[Path]) -> None:
        self._ring, self._lists = ring, tuple(lists)

    def begin(self, database: Path) -> None:
        """Note in each file that there is a database, and in the log how many lines cannot be read.

        Raise StorageUnavailable for a file that is there and cannot be read.
        """
        naming = _naming(database)
        failed = _unwritten([file for file in self._lists if naming not in _lines(file)], naming)
        if failed:
            log.warning("erasure.untraced", extra={"count": failed})
        self.read()

    def traces(self, database: Path) -> tuple[Path, ...]:
        """Return what shows that there was a database."""
        return traces(database, self._lists)

    def add(self, member: str, time: datetime) -> None:
        """Return once it is on disk that a member is erased; where it cannot be, only the log says so, for erasing goes on."""
        failed = _unwritten(self._lists, self._line(member, time))
        if failed == len(self._lists):
            log.error("erasure.unlisted", extra={"count": failed})
        elif failed:
            log.warning("erasure.unlisted", extra={"count": failed})

    def read(self) -> Listed:
        """Return what all files say together; raise StorageUnavailable for one that is there and cannot be read."""
        found = [self._opened(line) for file in self._lists for line in _lines(file)]
        listed = Listed(
            {entry.member: entry.time for entry in found if isinstance(entry, _Entry)},
            found.count(_Fault.UNKNOWN_KEY),
            found.count(_Fault.DAMAGED),
        )
        if listed.unknown or listed.damaged:
            log.error("erasure.unreadable", extra={"count": listed.unknown + listed.damaged})
        return listed

    def prune(self, before: datetime) -> int:
        """Return how many lines about who was erased before a time were dropped; what cannot be read, or changed, stays."""

        def kept(line: str) -> str | None:
            entry = self._opened(line)
            return None if isinstance(entry, _Entry) and entry.time < before else line

        try:
            return self._changed(kept)
        except StorageUnavailable:
            log.warning("erasure.unpruned")
            return 0

    def reseal(self) -> int:
        """Return how many lines were sealed anew under the ring's first key; raise StorageUnavailable if some cannot be."""

        def resealed(line: str) -> str | None:
            entry = self._opened(line)
            return self._line(entry.member, entry.time) if isinstance(entry, _Entry) and entry.old else line

        return self._changed(resealed)

    def _changed(self, change: Callable[[str], str | None]) -> int:
        try:
            return sum(_rewrite(file, change) for file in self._lists if file.exists())
        except OSError as error:
            raise StorageUnavailable(f"The list of erased members cannot be written: {error}. Make it writable.") from error

    def _line(self, member: str, time: datetime) -> str:
        wrapped = self._ring.wrap_erased(f"{member}|{minute(time)}".encode())
        return f"{wrapped.ring_key} {base64.b64encode(wrapped.blob).decode()} {WHOLE}"

    def _opened(self, line: str) -> "_Entry | _Fault | None":
        """Return what a line says. None: nothing about a member, or it was cut short, and so never acknowledged."""
        match line.split(" "):
            case [ring_key, coded, end] if end == WHOLE and not line.startswith(DATABASE):
                return self._entry(ring_key, coded)
            case _:
                return None

    def _entry(self, ring_key: str, coded: str) -> "_Entry | _Fault":
        if self._ring.key(ring_key) is None:
            return _Fault.UNKNOWN_KEY
        try:
            wrapped = Wrapped(ring_key, base64.b64decode(coded, validate=True))
            member, _, time = self._ring.unwrap_erased(wrapped).decode().partition("|")
            return _Entry(member, time_of(time), old=self._ring.needs_rewrap(wrapped))
        except (Unsealable, ValueError):
            return _Fault.DAMAGED


def lists_in(backups: Path, key_folder: Path | None) -> tuple[Path, ...]:
    """Return the files of the list: beside the backups and, where keys are kept in a file, beside that."""
    return tuple(folder / "erased" for folder in (backups, key_folder) if folder is not None)


def traces(database: Path, lists: Sequence[Path]) -> tuple[Path, ...]:
    """Return what shows that there was a database: its copies, all in one pattern, and the lists that name it."""
    folders = dict.fromkeys(file.parent for file in lists)
    patterns = (folder / f"{database.stem}-*.db" for folder in folders if copies_of(folder, database))
    return (*patterns, *(file for file in lists if _naming(database) in _lines(file)))


# ---------------------------------------------------------------- Below


@dataclass(frozen=True, slots=True)
class _Entry:
    member: str
    time: datetime
    old: bool
    """Whether it is sealed under another key than the ring's first."""


class _Fault(Enum):
    UNKNOWN_KEY = auto()
    DAMAGED = auto()


def _naming(database: Path) -> str:
    return f"{DATABASE}{database.resolve()}"


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", "surrogateescape").split("\n")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StorageUnavailable(f"{file} cannot be read ({error.strerror}). Make it readable.") from error


def _unwritten(lists: Sequence[Path], line: str) -> int:
    """Return to how many of the files a line could not be added."""
    return sum(not _appended(file, line) for file in lists)


def _appended(file: Path, line: str) -> bool:
    """Return whether a line was added."""
    try:
        _append(file, line)
    except OSError:
        return False
    return True


def _append(file: Path, line: str) -> None:
    """Add a line in one write, and return once it is on disk."""
    files.make_folder(file.parent)
    with folder_held(file.parent):
        new = not file.exists()
        opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, files.OWNER_ONLY)
        try:
            text = f"{_end_of_torn(opened)}{line}\n".encode("utf-8", "surrogateescape")
            if os.write(opened, text) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(opened)
        finally:
            os.close(opened)
        if new:
            files.flush_folder(file.parent)


def _end_of_torn(opened: int) -> str:
    """Return what ends a last line that was cut short, so that it spoils no other."""
    if os.fstat(opened).st_size == 0:
        return ""
    os.lseek(opened, -1, os.SEEK_END)
    return "" if os.read(opened, 1) == b"\n" else "\n"


def _rewrite(file: Path, change: Callable[[str], str | None]) -> int:
    """Return how many lines were changed or, where the change is None, dropped; cut short, the file is as it was."""
    with folder_held(file.parent):
        before = [line for line in _lines(file) if line]
        after = [change(line) for line in before]
        changed = sum(new != old for new, old in zip(after, before, strict=True))
        if changed:
            text = "".join(f"{line}\n" for line in after if line is not None)
            files.replace(file, text.encode("utf-8", "surrogateescape"))
        return changed
