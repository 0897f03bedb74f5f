"""What comes in from a platform: kept before it is acknowledged, handled once, each sender's in the order it came."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.errors import StorageUnavailable
from core.lanes import Lanes
from core.limits import LONGEST_UPDATE
from core.members import Address
from core.ports import Inbox

log = logging.getLogger(__name__)

REMEMBERED = 10_000
"""Updates that were handled while nothing could be kept, by id: so many are known if they come again."""


@dataclass(frozen=True, slots=True)
class Update:
    """Something that a platform delivers until it is acknowledged."""

    id: str
    raw: bytes = field(repr=False)


class Unreadable(Exception):
    """Nothing can be made of an update."""


class Reader(Protocol):
    """What an adapter does with a raw update."""

    def sender(self, raw: bytes) -> Address | None:
        """Return whom an update is from, if from one member; raise Unreadable where nothing can be made of it."""
        ...

    async def act(self, raw: bytes, row: str | None, *, more: bool) -> None:
        """Do what an update asks for, and note its row as handled in the same commit; without a row nothing can be kept.

        `more`: whether further updates of the same sender are there, to be handled next.
        """
        ...


class Intake:
    """Takes the updates of one platform."""

    def __init__(self, platform: str, inbox: Inbox, reader: Reader) -> None:
        self._platform, self._inbox, self._reader = platform, inbox, reader
        self._lanes = Lanes()
        self._unkept: OrderedDict[str, asyncio.Future[None]] = OrderedDict()
        self._recovered = False
        self._taken: set[str] = set()
        """Rows that this process queued before it had recovered: they are none of an earlier one."""

    async def receive(self, updates: Sequence[Update]) -> None:
        """Return when the updates may be acknowledged: each is on disk, or, where nothing can be kept, was acted on."""
        # Shielded: a caller that goes away must not leave an update on disk that nobody handles before the next start.
        await asyncio.shield(asyncio.gather(*(self._receive(update) for update in updates)))

    async def recover(self) -> None:
        """Have handled what an earlier process received, once, however late that can be done."""
        if self._recovered:
            return
        for received in await self._inbox.unhandled(self._platform):
            if received.row not in self._taken:
                await self._queue(received.raw, received.row)
        self._recovered = True
        self._taken.clear()

    async def done(self) -> None:
        """Return once all that was received is handled."""
        await self._lanes.empty()

    async def stop(self) -> None:
        """Leave what was not done: it is on disk, or `receive` is cancelled, so that it is not acknowledged."""
        await self._lanes.stop()
        for acted in self._unkept.values():
            acted.cancel()

    # ---------------------------------------------------------------- One update

    async def _receive(self, update: Update) -> None:
        if (acted := self._unkept.get(update.id)) is not None:
            await asyncio.shield(acted)
            return
        if len(update.raw) > LONGEST_UPDATE:
            log.warning("update.too_long", extra={"platform": self._platform})
            return
        try:
            row = await self._inbox.receive(self._platform, update.id, update.raw, self._sender(update.raw))
        except StorageUnavailable:
            await self._without_keeping(update)
            return
        if row is not None:
            await self._queue(update.raw, row)

    async def _queue(self, raw: bytes, row: str) -> None:
        if not self._recovered:
            self._taken.add(row)
        try:
            lane = self._reader.sender(raw)
        except Exception as error:  # noqa: BLE001 - a mistake of the reader's must not hold up all that comes after
            log.warning("update.unreadable", extra={"inbox": row, "error": type(error).__name__})
            await self._set_aside(row)
            return
        self._lanes.add(lane or row, lambda: self._act(raw, row, lane))

    async def _act(self, raw: bytes, row: str, lane: Address | None) -> None:
        try:
            await self._reader.act(raw, row, more=self._lanes.more(lane))
        except StorageUnavailable:
            log.error("update.not_handled", extra={"platform": self._platform, "inbox": row})  # noqa: TRY400 - at the next start
        except Exception as error:  # noqa: BLE001 - it would fail again: it is set aside, and the next one goes on
            log.error("update.failed", extra={"inbox": row, "error": type(error).__name__})  # noqa: TRY400
            await self._set_aside(row)

    async def _set_aside(self, row: str) -> None:
        try:
            await self._inbox.set_aside(row)
        except StorageUnavailable:
            log.error("update.not_set_aside", extra={"inbox": row})  # noqa: TRY400 - it fails once more at the next start

    async def _without_keeping(self, update: Update) -> None:
        """Act on an update that cannot be kept, in its lane, and remember its id in case it comes again."""
        acted = self._unkept[update.id] = asyncio.get_running_loop().create_future()
        if len(self._unkept) > REMEMBERED:
            self._unkept.popitem(last=False)

        async def act() -> None:
            try:
                await self._reader.act(update.raw, None, more=False)
            except Exception as error:  # noqa: BLE001 - nothing of it can be kept, and it must not come again for ever
                log.error("update.lost", extra={"platform": self._platform, "error": type(error).__name__})  # noqa: TRY400
            if not acted.done():
                acted.set_result(None)

        lane = self._sender(update.raw)
        self._lanes.add(lane or update.id, act)
        await asyncio.shield(acted)

    def _sender(self, raw: bytes) -> Address | None:
        try:
            return self._reader.sender(raw)
        except Exception:  # noqa: BLE001 - it is kept all the same, and set aside after that
            return None
