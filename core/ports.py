"""What the core needs of the world, as small as it can be asked for."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from core.members import Address, Preferences

Now = Callable[[], datetime]
"""The present, as an aware UTC time."""

FreshId = Callable[[], str]
"""A new unguessable id in lower-case hexadecimal digits, at least eight of them."""


class Sessions(Protocol):
    """Where checks in progress are kept, as plain JSON values."""

    async def load(self, address: Address) -> tuple[dict[str, Any] | None, Preferences]:
        """Return the session kept for an address, if any, and its member's preferences."""
        ...

    async def save(self, address: Address, session: dict[str, Any] | None, preferences: Preferences) -> None:
        """Keep a session (None: keep none) and the preferences, before anything is sent."""
        ...
