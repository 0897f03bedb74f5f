"""What tests of the store need: keys, a member, things owed, and a clock that stands still."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.members import Address, Preferences
from core.storage import Kind, Owed, Store
from core.vault import KeyRing, RingKey

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANNA = Address("telegram", "4711000815")
BEN = Address("discord", "901234567890")
PLAIN = Preferences()


def ring(*ids: str, secret: int = 7) -> KeyRing:
    """Return a key ring whose secrets follow from their ids."""
    return KeyRing(tuple(RingKey(id, bytes([secret]) * 31 + id.encode()[:1]) for id in ids or ("a",)))


def store(folder: Path, keys: KeyRing | None = None, *, expected: bool = False, now: datetime = NOON) -> Store:
    """Return the store of a folder, yet to be opened."""
    return Store(folder / "hipwise.db", keys or ring(), lambda: now, expected=expected)


def owed(kind: Kind = Kind.NOTICE, text: str = "Rest today.", **more: Any) -> Owed:
    """Return something owed, due at noon."""
    given: dict[str, Any] = {"reply": {"text": text}, "due": NOON}
    return Owed(kind, **(given | more))
