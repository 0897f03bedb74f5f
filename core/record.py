"""What is kept about someone as a turn finds it, and what the turn changes. No I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.ledger import Delivery, Kind, Owed
from core.members import Address, Preferences

Plain = Mapping[str, Any]
"""Plain JSON values."""


Sent = Callable[[Kind, str], bool]
"""Whether the message of an occurrence, by its kind and its key, went out, as far as is known."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept for an address. A member of None has not been here, or was erased."""

    member: str | None
    session: dict[str, Any] | None = field(repr=False)
    preferences: Preferences
    consents: tuple[Plain, ...] = field(default=(), repr=False)
    """What was agreed to and taken back, the oldest first."""
    damaged: bool = False
    """Whether there was a check that can no longer be opened."""
    linked: bool = False
    """Whether its member has other addresses too."""
    diary: dict[str, Any] | None = field(default=None, repr=False)
    """How they run, where they asked for check-ins or tips."""
    placed: bool = False
    """Whether it is known where on its platform the conversation at this address is."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one turn leaves, kept whole or not at all."""

    session: Plain | None = field(repr=False)
    """The check in progress; None: keep none."""
    preferences: Preferences
    owed: Sequence[Owed] = ()
    handled: str | None = None
    """The row of the update that it answers."""
    consents: Sequence[Plain] = field(default=(), repr=False)
    """What was newly agreed to, or taken back."""
    result: Plain | None = field(default=None, repr=False)
    """A result for the history, which takes each only once, whenever it was shown."""
    forget_history: bool = False
    diary: Plain | None = field(default=None, repr=False)
    """The diary as the turn leaves it, to be planned from at once; None: as it was."""
    forget_diary: bool = False
    also_handled: Sequence[str] = ()
    """The rows of updates that were answered before it, while nothing could be kept."""
    member: str | None = None
    """Whose record the turn found; should the address be someone else's by now, nothing of it is kept."""
    place: str | None = field(default=None, repr=False)
    """Where on its platform the conversation is, where the turn came from there; None: nothing is known of that."""
    elsewhere: Sequence[tuple[Address, Owed]] = ()
    """What is owed to other addresses by it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What follows from a diary at a time: what is owed, how the diary goes on, and when to look again."""

    owed: Sequence[Owed] = ()
    diary: Plain | None = field(default=None, repr=False)
    """None: as it was."""
    look: datetime | None = None
    """None: not before it changes."""


def timeless(entry: Plain) -> dict[str, Any]:
    """Return a result without its time: the same result shown again is the same entry of the history."""
    return {name: value for name, value in entry.items() if name != "time"}


@dataclass(frozen=True, slots=True)
class Erased:
    """That someone was erased: the rows of each table before and after, and the deliveries that say so."""

    before: Mapping[str, int]
    after: Mapping[str, int]
    deliveries: tuple[Delivery, ...] = ()
    addresses: tuple[Address, ...] = ()
    """All that the member had."""
