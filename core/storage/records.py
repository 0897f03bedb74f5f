"""What is kept in the store, by address: the port `Records` on disk."""

from collections.abc import Callable, Sequence
from typing import Any

from core.ledger import Delivery, Owed
from core.link import Outcome, Step
from core.members import Address
from core.ports import Receipt
from core.record import Change, Erased, Record
from core.storage.store import Store

RECENT = 200
"""Messages of ours that are deleted on request at most: as many as a long check takes, several times over."""


class StoreRecords:
    """Checks, and what else is kept about members, that outlive the process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self, address: Address) -> Record:
        """Return what was kept, as far as it can be opened."""
        return await self._store.load(address)

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...]:
        """Return what is owed, once all is on disk; where there is nothing to keep, nothing is."""
        return await self._store.save_turn(address, change)

    async def link(
        self, address: Address, step: Step, change: Callable[[Outcome, Record], Change], handled: str | None
    ) -> tuple[Delivery, ...]:
        """Return what is owed, once a step of linking and its turn are on disk."""
        return await self._store.link(address, step, change, handled)

    async def owe(self, address: Address, owed: Sequence[Owed], handled: str | None) -> tuple[Delivery, ...]:
        """Return what is owed, once that is on disk."""
        return await self._store.plan(address, owed, handled)

    async def everything(self, address: Address) -> dict[str, Any] | None:
        """Return all that is kept, by table; None where nothing is."""
        member = (await self._store.load(address)).member
        return None if member is None else await self._store.everything(member)

    async def messages(self, address: Address) -> tuple[str, ...]:
        """Return the platform's ids of the messages sent there lately, the newest first."""
        return await self._store.messages(address, RECENT)

    async def forget(self, address: Address, receipt: Receipt, handled: str | None) -> Erased | None:
        """Erase all that is kept; return what there was, or None where there was nothing."""
        member = (await self._store.load(address)).member
        if member is None:
            return None
        return await self._store.forget(member, address=address, receipt=receipt, handled=handled)
