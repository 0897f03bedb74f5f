"""The open database of one process: from its file, its lock and its keys to transactions."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from core.errors import StorageUnavailable
from core.members import Preferences
from core.ports import Judge, Now
from core.storage import opening
from core.storage.book import Book
from core.storage.erased import ErasedList
from core.storage.errors import damaged_key, explained
from core.storage.known import Known
from core.storage.lock import Lock
from core.storage.writer import Thread, Writer
from core.vault import KeyRing, Unsealable

log = logging.getLogger(__name__)

T = TypeVar("T")

REMEMBERED_KEYS = 1024


class Database:
    """`async with` opens it, and lets it go whatever happens. Every error it raises on purpose is in `errors`."""

    def __init__(
        self,
        path: Path,
        ring: KeyRing,
        now: Now,
        *,
        expected: bool = False,
        default: Preferences | None = None,
        erased: ErasedList | None = None,
        remembered_keys: int = REMEMBERED_KEYS,
    ) -> None:
        self._path, self._ring, self._now, self._expected = path, ring, now, expected
        self._default = default or Preferences()
        self._erased = erased
        self._judge: Judge | None = None
        self._remembered_keys = remembered_keys
        self._known = Known()
        self._lock: Lock | None = None
        self._writer: Writer | None = None
        self._book: Book | None = None
        self._log_in_use = asyncio.Lock()
        """Held while a backup reads, and while the log is emptied, which would have to wait for that."""
        self._backing_up = asyncio.Lock()

    async def open(self) -> None:
        """Open the database, or make it where none is expected; raise what `errors` says, with nothing changed."""
        traces = () if self._erased is None else self._erased.traces(self._path)
        opening.prepare_folder(self._path, expected=self._expected, traces=traces)
        self._lock = Lock(self._path)
        try:
            opening.remove_unfinished(self._path)
            opening.prepare_file(self._path)
            thread = await Thread(partial(sqlite3.connect, self._path, isolation_level=None), 64)
            try:
                self._book = await thread.call(lambda db: opening.opened(db, self._path, self._ring, self._remembered_keys))
                if self._erased is not None:
                    await asyncio.to_thread(self._erased.begin, self._path)
            except BaseException:
                await thread.close()
                raise
        except BaseException as error:
            self._lock.release()
            if isinstance(error, sqlite3.Error):
                raise explained(error, self._path) from error
            raise
        self._writer = Writer(thread)
        log.info("storage.opened", extra={"sqlite": sqlite3.sqlite_version})

    async def close(self) -> None:
        """Finish what was asked for and let the database go; a second time does nothing."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await asyncio.shield(self._let_go(writer))

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def first_key(self) -> str:
        """The id of the key of the ring that wraps what is wrapped from now on."""
        return self._ring.writer.id

    @property
    def unreadable(self) -> int:
        """How many values could not be opened since the start."""
        return 0 if self._book is None else self._book.unreadable

    async def _read(self, work: Callable[[Book], T]) -> T:
        return await self._ask(Writer.read, work)

    async def _let_go(self, writer: Writer) -> None:
        try:
            await writer.close()
        finally:
            if self._lock is not None:
                self._lock.release()

    async def _ask(self, how: Callable[..., Any], work: Callable[[Book], T]) -> T:
        writer, book = self._writer, self._book
        if writer is None or book is None:
            raise StorageUnavailable("The database is not open.")
        try:
            value: T = await how(writer, lambda _db: work(book))
        except sqlite3.Error as error:
            raise explained(error, self._path) from error
        except Unsealable as error:
            book.unreadable += 1
            raise damaged_key(self._path) from error
        return value
