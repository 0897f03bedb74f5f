"""The one connection and its thread: whatever is asked for at the same time is committed together."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Self, TypeVar

import aiosqlite

from core.errors import StorageUnavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
"""What one caller wants done: it runs on the connection's thread, and may run again from the start."""

TOGETHER = 128
"""How many works share one commit at most, so that the first of them does not wait long for the last."""


class Thread(aiosqlite.Connection):
    """aiosqlite's connection, with a way to run a whole function on its thread: one hop for many statements."""

    def __await__(self) -> Generator[Any, None, Self]:
        """Return the connection, once it is open."""
        yield from super().__await__()
        return self

    async def call(self, work: Work[T]) -> T:
        """Return what the function gives for the connection, or raise what it raises."""
        # A lambda, because aiosqlite logs what it runs: the log must not show the arguments of a partial.
        outcome: T = await self._execute(lambda: work(self._conn))  # type: ignore[no-untyped-call]  # aiosqlite's own is untyped
        return outcome


class _How(Enum):
    READ = auto()
    WRITE = auto()
    ALONE = auto()


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    how: _How
    work: Work[Any]
    asked: asyncio.Future[Any]

    def settle(self, outcome: "_Outcome") -> None:
        if self.asked.done():  # its caller was cancelled: the work was done whole, and nobody waits for it
            return
        if isinstance(outcome, _Failed):
            self.asked.set_exception(outcome.error)
        else:
            self.asked.set_result(outcome.value)


@dataclass(frozen=True, slots=True)
class _Done:
    value: Any


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


_Outcome = _Done | _Failed


class Writer:
    """Runs works in the order they were asked for. A caller that is cancelled stops waiting, and tears nothing."""

    def __init__(self, thread: Thread) -> None:
        self._thread = thread
        self._waiting: deque[_Job] = deque()
        self._running: asyncio.Task[None] | None = None
        self._open = True

    async def write(self, work: Work[T]) -> T:
        """Return what the work gives, once it is committed; raise what it raises, with nothing of it kept."""
        return await self._ask(_How.WRITE, work)

    async def read(self, work: Work[T]) -> T:
        """Return what the work gives from one moment's view of the database."""
        return await self._ask(_How.READ, work)

    async def alone(self, work: Work[T]) -> T:
        """Return what a work gives that makes its own transactions."""
        return await self._ask(_How.ALONE, work)

    async def close(self) -> None:
        """Finish what was asked for, then close the connection and end its thread."""
        self._open = False
        try:
            while self._running is not None:
                await asyncio.shield(self._running)
        finally:
            await self._thread.close()

    async def _ask(self, how: _How, work: Work[T]) -> T:
        if not self._open:
            raise StorageUnavailable("The database is closed: Hipwise is stopping.")
        asked: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(how, work, asked))
        if self._running is None:
            # It starts after whatever is ready to run now, which so has the time to ask too.
            self._running = asyncio.create_task(self._run())
        return await asked

    async def _run(self) -> None:
        batch: list[_Job] = []
        try:
            while self._waiting:
                batch = self._next_batch()
                outcomes = await self._thread.call(_together(batch))
                for job, outcome in zip(batch, outcomes, strict=True):
                    job.settle(outcome)
        except Exception as error:  # noqa: BLE001 - it is handed to whoever asked
            for job in (*batch, *self._waiting):
                job.settle(_Failed(error))
        finally:
            # Only when the event loop ends in the middle is anybody still waiting here.
            for job in (*batch, *self._waiting):
                job.asked.cancel()
            self._waiting.clear()
            self._running = None

    def _next_batch(self) -> list[_Job]:
        batch = [self._waiting.popleft()]
        if batch[0].how is _How.ALONE:
            return batch
        while self._waiting and len(batch) < TOGETHER and self._waiting[0].how is not _How.ALONE:
            batch.append(self._waiting.popleft())
        return batch


def _together(batch: Sequence[_Job]) -> Work[list[_Outcome]]:
    """Return the work that does a batch. Its reads come after its writes, and do not depend on their success."""
    if batch[0].how is _How.ALONE:
        return lambda db: [_tried(db, batch[0].work)]
    writes = [job for job in batch if job.how is _How.WRITE]
    reads = [job for job in batch if job.how is _How.READ]

    def work(db: sqlite3.Connection) -> list[_Outcome]:
        outcomes = dict(zip(writes, _written(db, [job.work for job in writes]), strict=True))
        outcomes |= zip(reads, _read(db, [job.work for job in reads]), strict=True)
        return [outcomes[job] for job in batch]

    return work


def _written(db: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[_Outcome]:
    """Do works in one transaction. If SQLite gives the whole of it up, each is done again in one of its own."""
    if not works:
        return []
    try:
        db.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        return [_Failed(error)] * len(works)
    try:
        outcomes: list[_Outcome] = [_Done(works[0](db))] if len(works) == 1 else [_saved(db, work) for work in works]
        db.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - it is handed to whoever asked
        if db.in_transaction:
            db.execute("ROLLBACK")
        if len(works) == 1:
            return [_Failed(error)]
        return [outcome for work in works for outcome in _written(db, [work])]
    return outcomes


def _saved(db: sqlite3.Connection, work: Work[Any]) -> _Outcome:
    """Do a work within the transaction, so that its failure undoes what it did and nothing else."""
    db.execute("SAVEPOINT work")
    outcome = _tried(db, work)
    if isinstance(outcome, _Failed):
        if not db.in_transaction:  # SQLite has undone everything by itself, as it may on a full disk
            raise outcome.error
        db.execute("ROLLBACK TO work")
    db.execute("RELEASE work")
    return outcome


def _read(db: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[_Outcome]:
    if not works:
        return []
    db.execute("BEGIN")
    try:
        return [_tried(db, work) for work in works]
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _tried(db: sqlite3.Connection, work: Work[Any]) -> _Outcome:
    try:
        return _Done(work(db))
    except Exception as error:  # noqa: BLE001 - it is handed to whoever asked
        return _Failed(error)
