"""What is kept in the store by address: the ports `Sessions` and `Belongings` on disk."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.members import Address, Preferences
from core.storage.store import Store


class StoreSessions:
    """Sessions, and what else members own, that outlive the process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self, address: Address) -> tuple[dict[str, Any] | None, Preferences]:
        """Return what was saved last, as far as it can be opened."""
        kept = await self._store.load(address)
        return kept.session, kept.preferences

    async def save(self, address: Address, session: dict[str, Any] | None, preferences: Preferences) -> None:
        """Return once the session and the preferences are on disk; where there is nothing to keep, nothing is."""
        await self._store.save_turn(address, session, preferences)

    async def consents(self, address: Address) -> tuple[Mapping[str, Any], ...]:
        """Return what was agreed to and taken back, the oldest first."""
        member = await self._member(address)
        return () if member is None else await self._store.consents(member)

    async def consent(self, address: Address, plain: Mapping[str, Any]) -> None:
        """Keep that something was agreed to, or taken back."""
        time = datetime.fromisoformat(plain["time"])
        rest = {name: value for name, value in plain.items() if name != "time"}
        await self._store.consent(await self._store.enter(address), **rest, time=time)

    async def history(self, address: Address) -> tuple[Mapping[str, Any], ...]:
        """Return the results that were kept, the oldest first."""
        member = await self._member(address)
        return () if member is None else await self._store.history(member)

    async def remember(self, address: Address, entry: Mapping[str, Any]) -> None:
        """Keep a result."""
        await self._store.remember(await self._store.enter(address), entry)

    async def forget_history(self, address: Address) -> None:
        """Erase the results that were kept."""
        member = await self._member(address)
        if member is not None:
            await self._store.forget_history(member)

    async def everything(self, address: Address) -> dict[str, Any] | None:
        """Return all that is kept, by table; None where nothing is."""
        member = await self._member(address)
        return None if member is None else await self._store.everything(member)

    async def forget(self, address: Address) -> tuple[Mapping[str, int], Mapping[str, int]] | None:
        """Erase all that is kept; return the rows of each table before and after, or None where there was nothing."""
        member = await self._member(address)
        if member is None:
            return None
        receipt = await self._store.forget(member)
        return receipt.before, receipt.after

    async def _member(self, address: Address) -> str | None:
        return (await self._store.load(address)).member
