"""What a turn about check-ins finds, and what it leads to. Plain data."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.dialogue.turn import Reply
from core.diary import Age, Diary
from core.members import Preferences
from core.record import Plain

OPEN_FOR = timedelta(hours=1)
"""How long an offer, or a setting that was asked for, may still be answered in words."""


AGES = {"18": Age.ADULT, "16": Age.UNDER_18, "15": Age.UNDER_16}
"""What a button of the age band carries."""


class Reach(StrEnum):
    """Whether someone can be written to first, where they are."""

    OPEN = "open"
    UNOPENED = "unopened"
    """Only once they have written in private."""
    NEVER = "never"
    """Here there is nobody who could send it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a member may agree to, as it was shown last, and what they have said to it so far.

    It is open for whatever they do next. Until they agree nothing is kept of it.
    """

    kind: str
    """The consent."""
    at: datetime
    yes: bool = False
    """Whether they said yes, and their age is still to be told."""
    age: Age | None = None
    """The age band that they told before a yes."""


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
    proposes: Proposal | None = None
    """What may be agreed to in words next."""

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
    reach: Reach = Reach.OPEN
    proposal: Proposal | None = None
    """What was proposed to them just before."""
