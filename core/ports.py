"""What the core needs of the world, as small as it can be asked for."""

from collections.abc import Callable, Mapping
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


class Belongings(Protocol):
    """What is kept about members beyond the turn, by address, as plain JSON values."""

    async def consents(self, address: Address) -> tuple[Mapping[str, Any], ...]:
        """Return what was agreed to and taken back, the oldest first."""
        ...

    async def consent(self, address: Address, plain: Mapping[str, Any]) -> None:
        """Keep that something was agreed to, or taken back."""
        ...

    async def history(self, address: Address) -> tuple[Mapping[str, Any], ...]:
        """Return the results that were kept, the oldest first."""
        ...

    async def remember(self, address: Address, entry: Mapping[str, Any]) -> None:
        """Keep a result."""
        ...

    async def forget_history(self, address: Address) -> None:
        """Erase the results that were kept."""
        ...

    async def everything(self, address: Address) -> dict[str, Any] | None:
        """Return all that is kept, by table; None where nothing is."""
        ...

    async def forget(self, address: Address) -> tuple[Mapping[str, int], Mapping[str, int]] | None:
        """Erase all that is kept; return the rows of each table before and after, or None where there was nothing."""
        ...
