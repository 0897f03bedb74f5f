"""What a turn about check-ins finds, and what it leads to. Plain data."""

from dataclasses import dataclass, replace
from datetime import datetime

from core.dialogue.turn import Reply
from core.diary import Diary
from core.members import Preferences
from core.record import Plain


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and what it changes."""

    replies: tuple[Reply, ...]
    diary: Diary | None = None
    """The diary to keep; None: it stays as it is."""
    consents: tuple[Plain, ...] = ()
    given: tuple[str, ...] = ()
    """Findings with which a check of the hip is begun at once."""
    begins: bool = False
    """Whether a check of the hip is begun at once, whatever is given."""

    def after(self, *replies: Reply) -> "Told":
        """Return the same with something said before it."""
        return replace(self, replies=(*replies, *self.replies))


@dataclass(frozen=True, slots=True)
class Here:
    """Where a member stands as a turn begins."""

    diary: Diary
    preferences: Preferences
    now: datetime
    fresh: str
    """An unguessable lower-case hexadecimal id of at least eight digits."""
