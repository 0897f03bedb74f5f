"""Time limits that read first what has come while nobody could look: the process was stopped, or the machine slept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

GRACE = 0.1
"""Seconds, after a limit is over, in which what has come already is still taken in."""


class Limit:
    """Until when something may take. It may end sooner for a while."""

    def __init__(self, timeout: asyncio.Timeout, seconds: float | None) -> None:
        self._timeout, self._loop = timeout, asyncio.get_running_loop()
        self._whole = None if seconds is None else self._loop.time() + seconds
        self._over: asyncio.TimerHandle | None = None
        self.end_in(None)

    def end_in(self, seconds: float | None) -> None:
        """Let it end in so many seconds, if that is sooner than the whole; None: with that."""
        self.cancel()
        ends = [at for at in (self._whole, None if seconds is None else self._loop.time() + seconds) if at is not None]
        if ends:
            self._over = self._loop.call_at(min(ends), self._end)

    def cancel(self) -> None:
        """Let it never end."""
        if self._over is not None:
            self._over.cancel()

    def _end(self) -> None:
        # To a process that was stopped for longer, the end of the limit and what has come are there at once.
        self._timeout.reschedule(self._loop.time() + GRACE)


@asynccontextmanager
async def within(seconds: float | None) -> AsyncIterator[Limit]:
    """Raise TimeoutError where it takes longer than so many seconds, and a moment; None: however long it takes."""
    async with asyncio.timeout(None) as timeout:
        limit = Limit(timeout, seconds)
        try:
            yield limit
        finally:
            limit.cancel()
