"""One process per database: a lock on a file beside it, let go by the system however the process ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from core.errors import StorageUnavailable
from core.storage.errors import AlreadyRunning

if sys.platform == "win32":
    import msvcrt

    def _hold(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    @contextmanager
    def folder_held(_folder: Path) -> Iterator[None]:
        """Do nothing: here a folder cannot be held."""
        yield

else:
    import fcntl

    def _hold(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @contextmanager
    def folder_held(folder: Path) -> Iterator[None]:
        """Wait until no other process of ours holds this folder, and hold it: for the moment that a file in it changes."""
        opened = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield
        finally:
            os.close(opened)


class Lock:
    """Held from when it is made until `release`; making a second one, in any process, raises StorageUnavailable."""

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + ".lock")
        try:
            self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"{path} cannot be written ({error.strerror}). Make its folder writable.") from error
        try:
            _hold(self._file)
        except OSError as error:
            self.release()
            raise AlreadyRunning(
                f"Another Hipwise is running on {database}. Stop it first; two would write to members twice."
            ) from error

    def release(self) -> None:
        """Let go; a second time does nothing. The empty file stays: removing it could undo another's lock."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()
