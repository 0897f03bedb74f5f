"""Work in order for each address, of different addresses at once."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

Work = Callable[[], Awaitable[None]]
"""Something to be done. It deals with its own failures: what it raises ends nothing but itself, and is the loop's to report."""


class Lanes:
    """One lane for each key, made when there is work in it and gone when there is none."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[Work]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._stopped = False

    def add(self, key: Hashable, work: Work) -> None:
        """Have work done after what is already in its lane; once stopped, leave it."""
        if self._stopped:
            return
        if key in self._waiting:
            self._waiting[key].append(work)
            return
        self._waiting[key] = deque([work])
        task = asyncio.create_task(self._run(key))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def __contains__(self, key: Hashable) -> bool:
        """Return whether something is done, or waits, in a lane."""
        return key in self._waiting

    def __len__(self) -> int:
        """Return in how many lanes something is done, or waits."""
        return len(self._waiting)

    def more(self, key: Hashable) -> bool:
        """Return whether something waits in a lane behind what is being done."""
        return len(self._waiting.get(key, ())) > 1

    async def empty(self) -> None:
        """Return once nothing is left to do."""
        while self._running:
            await asyncio.wait(self._running)

    async def stop(self) -> None:
        """Leave what waits, cancel what is being done, and begin nothing more."""
        self._stopped = True
        self._waiting.clear()
        for task in tuple(self._running):
            task.cancel()
        await self.empty()

    async def _run(self, key: Hashable) -> None:
        while waiting := self._waiting.get(key):
            try:
                await waiting[0]()
            except Exception as error:  # noqa: BLE001 - one work must not take the rest of its lane with it
                asyncio.get_running_loop().call_exception_handler({"message": "lane", "exception": error})
            finally:
                if waiting:
                    waiting.popleft()
        self._waiting.pop(key, None)
