"""The store as a part of the running bot: open, or opened as soon as that can be done.

A database that cannot be used is no reason to leave a runner in pain without an answer. The operator is told, nothing is
put in its place, and checks are answered from memory until it can be opened. Two things end the start all the same: another
Hipwise on the same database, and keys that do not fit, for with those nothing will ever open.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from core.errors import StorageUnavailable
from core.storage import AlreadyRunning, Store, WrongKey

log = logging.getLogger(__name__)

AGAIN = 30.0
"""Seconds until a database that could not be opened is tried again."""
GOES_ON = "Hipwise goes on without it: checks are answered, nothing is kept, and members are told so. It keeps trying."
WORKS = "The database can be used again: what members tell is kept from now on."

Tell = Callable[[str], object]
"""Says a sentence to the operator."""


class Reopening(AbstractAsyncContextManager["Reopening"]):
    """Opens a store, at the latest when that is possible; closes it at the end."""

    def __init__(self, store: Store, tell: Tell, again: float = AGAIN) -> None:
        self._store, self._tell, self._again = store, tell, again
        self._trying: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._store.open()
        except (AlreadyRunning, WrongKey):
            raise
        except StorageUnavailable as error:
            log.error("storage.not_opened", extra={"error": type(error).__name__})  # noqa: TRY400 - its places say nothing
            self._tell(f"{error}\n{GOES_ON}")
            self._trying = asyncio.create_task(self._until_open())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.gather(self._trying, return_exceptions=True)
        await self._store.close()

    async def _until_open(self) -> None:
        while True:
            await asyncio.sleep(self._again)
            try:
                await self._store.open()
            except StorageUnavailable:
                continue
            log.warning("storage.opened_late")
            self._tell(WORKS)
            return
