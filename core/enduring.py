"""Going on while nothing can be kept: a check is answered from memory, and kept as soon as that can be done again."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import StorageUnavailable
from core.ledger import Delivery, Owed
from core.link import Outcome, Step
from core.members import Address
from core.memory import MemoryRecords
from core.ports import Receipt, Records
from core.record import Change, Erased, Record

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Left:
    """What turns in memory leave to be done in the store."""

    handled: tuple[str, ...] = ()
    """The rows of updates that were answered."""
    forget_history: bool = False
    forget_diary: bool = False

    def after(self, handled: str | None, change: Change | None = None) -> "_Left":
        rows = self.handled if handled is None else (*self.handled, handled)
        if change is None:
            return replace(self, handled=rows)
        return _Left(rows, self.forget_history or change.forget_history, self.forget_diary or change.forget_diary)


class EnduringRecords:
    """Records that fall back to memory, turn by turn, whenever the store cannot be used."""

    def __init__(self, store: Records, spare: MemoryRecords) -> None:
        self._store, self._spare = store, spare
        self._left: defaultdict[Address, _Left] = defaultdict(_Left)
        self.failing = False
        """Whether the store could not be used the last time that it was tried."""

    async def load(self, address: Address) -> Record:
        """Return what is kept; where there was a turn since that could not be kept, as that left it."""
        try:
            record = await self._store.load(address)
        except StorageUnavailable as error:
            self._failed(error)
            return await self._spare.load(address)
        if address not in self._spare:
            return record
        since = await self._spare.load(address)
        diary = None if self._left[address].forget_diary else record.diary
        consents = (*record.consents, *since.consents)
        return replace(since, member=record.member, consents=consents, diary=diary, placed=record.placed)

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...] | None:
        """Return what is owed, once all that was in memory is kept with it; None where the change is in memory only."""
        try:
            deliveries = await self._store.save(address, await self._whole(address, change))
        except StorageUnavailable as error:
            self._failed(error)
            # Of a diary that cannot be read, nothing is known that a change of it could be made to.
            await self._spare.save(address, replace(change, diary=None))
            self._left[address] = self._left[address].after(change.handled, change)
            return None
        self._drop(address)
        self._works()
        return deliveries

    async def link(
        self, address: Address, step: Step, change: Callable[[Outcome, Record], Change], handled: str | None
    ) -> tuple[Delivery, ...]:
        """Return what is owed, once what was in memory is kept, and then the step; raise StorageUnavailable otherwise."""
        try:
            if address in self._spare:
                since = await self._spare.load(address)
                await self._store.save(address, await self._whole(address, Change(since.session, since.preferences)))
                self._drop(address)
            deliveries = await self._store.link(address, step, change, handled)
        except StorageUnavailable as error:
            self._failed(error)
            self._left[address] = self._left[address].after(handled)
            raise
        self._works()
        return deliveries

    async def owe(self, address: Address, owed: Sequence[Owed], handled: str | None) -> tuple[Delivery, ...] | None:
        """Return what is owed; None where that could not be kept."""
        try:
            return await self._store.owe(address, owed, handled)
        except StorageUnavailable as error:
            self._failed(error)
            self._left[address] = self._left[address].after(handled)
            return None

    async def everything(self, address: Address) -> dict[str, Any] | None:
        """Return all that is kept; where the store cannot be used, what is in memory."""
        try:
            return await self._store.everything(address)
        except StorageUnavailable as error:
            self._failed(error)
            return await self._spare.everything(address)

    async def messages(self, address: Address) -> tuple[str, ...]:
        """Return the messages sent there lately, as far as they are known."""
        try:
            return await self._store.messages(address)
        except StorageUnavailable as error:
            self._failed(error)
            return ()

    async def forget(self, address: Address, receipt: Receipt, handled: str | None) -> Erased | None:
        """Erase what is in memory, and what is kept; raise StorageUnavailable where that must be asked for again."""
        self._spare.drop(address)
        try:
            erased = await self._store.forget(address, receipt, handled)
        except StorageUnavailable as error:
            self._failed(error)
            self._left[address] = self._left[address].after(handled)
            raise
        for each in (address, *(() if erased is None else erased.addresses)):
            self._drop(each)
        return erased

    async def _whole(self, address: Address, change: Change) -> Change:
        """Return a change with what is to be kept of the turns before it that are in memory only."""
        since, left = await self._spare.load(address), self._left.get(address, _Left())
        return replace(
            change,
            consents=(*since.consents, *change.consents),
            also_handled=left.handled,
            forget_history=change.forget_history or left.forget_history,
            forget_diary=change.forget_diary or (left.forget_diary and change.diary is None),
        )

    def _drop(self, address: Address) -> None:
        self._spare.drop(address)
        self._left.pop(address, None)

    def _failed(self, error: StorageUnavailable) -> None:
        if not self.failing:
            log.error("storage.failed", extra={"error": type(error).__name__})
        self.failing = True

    def _works(self) -> None:
        if self.failing:
            log.warning("storage.works_again")
        self.failing = False
