"""Checks in progress, kept in the store: the port `Sessions` on disk."""

from typing import Any

from core.members import Address, Preferences
from core.storage.store import Store


class StoreSessions:
    """Sessions that outlive the process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self, address: Address) -> tuple[dict[str, Any] | None, Preferences]:
        """Return what was saved last, as far as it can be opened."""
        kept = await self._store.load(address)
        return kept.session, kept.preferences

    async def save(self, address: Address, session: dict[str, Any] | None, preferences: Preferences) -> None:
        """Return once the session and the preferences are on disk; where there is nothing to keep, nothing is."""
        await self._store.save_turn(address, session, preferences)
