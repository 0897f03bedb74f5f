"""A Hipwise that runs: its parts, its platforms, and how it comes to an end.

It ends when it is told to (SIGTERM, SIGINT), when its platforms have ended, or when one of them has failed. Then it takes
nothing more in, lets the turns in hand finish, and ends its parts, the store last. Whatever hangs is cancelled, and then
left behind. Nothing that was acknowledged is lost by that, for it was saved before.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self

from core.companion import Companion

log = logging.getLogger(__name__)

Platform = Callable[[Companion], Coroutine[Any, Any, None]]
"""Takes in what members do, and sends what the companion answers, until it is cancelled.

Then it takes in nothing more, finishes the turns in hand and returns. Where that takes too long it is cancelled again.
"""

TURN_SECONDS = 5.0
"""How long the turns in hand may take to finish."""
PART_SECONDS = 1.0
"""How long a part may take to end, and a platform that was cancelled again."""
STOP_SECONDS = 9.0
"""How long all of it may take, once told: many a host kills a process 10 seconds after SIGTERM."""
HUNG = 1
"""The exit code of a process that could not end because something in it hung."""


class Running:
    """`async with` starts the parts in their order, and ends them in the reverse. `attend` runs platforms in between."""

    def __init__(
        self,
        companion: Companion,
        parts: Sequence[AbstractAsyncContextManager[object]] = (),
        platforms: Sequence[Platform] = (),
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        self._companion, self._parts, self._leave = companion, parts, leave
        self.platforms = tuple(platforms)
        """The platforms that are connected."""
        self._stopping = asyncio.Event()
        self._open = AsyncExitStack()
        # A thread, so that it comes to its turn whatever holds up the event loop, or the interpreter's end.
        self._patience = threading.Timer(STOP_SECONDS, self._hung)
        self._patience.daemon = True

    async def __aenter__(self) -> Self:
        self._listen()
        async with AsyncExitStack() as opening:
            for part in self._parts:
                await opening.enter_async_context(part)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def attend(self, *platforms: Platform) -> None:
        """Run the platforms; return when Hipwise is to end and they have, or raise what one of them failed with."""
        tasks = [asyncio.create_task(platform(self._companion)) for platform in platforms]
        ended = asyncio.create_task(asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION))
        told = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            told.cancel()
            await _end(tasks)
        for task in tasks:
            if task.done() and not task.cancelled():
                task.result()

    def stop(self) -> None:
        """End: `attend` returns, and whoever opened this closes it. A process that goes on for STOP_SECONDS more is left."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._patience.start()

    def _listen(self) -> None:
        """Stop at the first signal; the second ends the process at once, as if nobody listened."""
        if sys.platform == "win32":  # there Ctrl-C is a KeyboardInterrupt, and there is no SIGTERM
            return
        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(one, self._told)

    def _told(self) -> None:
        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(one)
            signal.signal(one, signal.SIG_DFL)
        self.stop()

    def _hung(self) -> None:
        log.error("process.hung", extra={"seconds": STOP_SECONDS})
        self._leave(HUNG)


@asynccontextmanager
async def bounded(part: AbstractAsyncContextManager[object]) -> AsyncIterator[None]:
    """Open a part; when it does not end within PART_SECONDS, it is cancelled and left behind."""
    await part.__aenter__()
    try:
        yield
    finally:
        ending = asyncio.ensure_future(part.__aexit__(None, None, None))
        if not (await asyncio.wait({ending}, timeout=PART_SECONDS))[0]:
            ending.cancel()
            log.error("part.hung", extra={"kind": type(part).__name__})


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel what still goes on and wait for it to finish; whatever takes too long is cancelled again, then left behind."""
    for seconds in (TURN_SECONDS, PART_SECONDS):
        if going := [task for task in tasks if not task.done()]:
            for task in going:
                task.cancel()
            await asyncio.wait(going, timeout=seconds)
    for task in tasks:
        if not task.done():
            log.error("platform.hung")
