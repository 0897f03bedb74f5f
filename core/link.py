"""Two addresses as those of one member: what is asked of the store for it, and what comes of that. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from core.members import Address
from core.record import Plain, Record

# ---------------------------------------------------------------- What is asked for


@dataclass(frozen=True, slots=True)
class Offer:
    """A code was made here; one that was made here before is over, unless it was typed and waits for a yes or no."""

    code: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Join:
    """A code was typed here; where it was made, that is to be confirmed by then."""

    code: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Agreed:
    """What holds of two members who are one from now on."""

    taken_back: tuple[Plain, ...] = field(default=(), repr=False)
    """What is noted of consents that only one of the two had given."""
    history: bool = False
    """Whether both agreed to a history, so that it goes on whole."""
    ends: bool = False
    """Whether the older member's history ends with their consent to it."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Whoever made a code says whether it was themselves who typed it."""

    link: str
    """The beginning of the link's id, as it stands on the button."""
    yes: bool
    agreed: Callable[[Record, Record], Agreed] = field(repr=False)
    """Of the older member and the newer."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nothing is to come of a code that was made or typed here."""


@dataclass(frozen=True, slots=True)
class Look:
    """Which addresses there are."""


@dataclass(frozen=True, slots=True)
class Part:
    """An address of the member is to be theirs no longer."""

    place: str
    """The beginning of its id, as it stands on the button."""


Step = Offer | Join | Confirm | Cancel | Look | Part


# ---------------------------------------------------------------- What comes of it


class Refusal(Enum):
    """Why nothing was done."""

    WRONG = auto()
    EXPIRED = auto()
    USED = auto()
    OWN = auto()
    """The code was made here."""
    ALREADY = auto()
    """Both are the same member's."""
    FULL = auto()
    """One member would have too many addresses."""
    GONE = auto()
    """There is nothing to say yes or no to any more."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A code can be typed now."""

    linked: tuple[Address, ...] = ()
    """The other addresses of its member."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whoever made the code is to confirm it."""

    maker: Address
    link: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """They were asked before."""

    maker: Address


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A code that was made here was typed, and waits for a yes or no."""

    joiner: Address
    link: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The two are one member."""

    joiner: Address
    agreed: Agreed
    results_erased: int
    check_ended: bool
    """Whether both had a check, of which the one used last goes on."""


@dataclass(frozen=True, slots=True)
class Declined:
    """Whoever typed the code stays someone else."""

    joiner: Address


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The code, if there was one, is over."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address of the member."""

    key: str
    """The beginning of its id."""
    address: Address
    here: bool


@dataclass(frozen=True, slots=True)
class Places:
    """All addresses of the member, this one first."""

    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Parted:
    """An address is a stranger's now."""

    address: Address
    left: tuple[Address, ...]
    """Those that the member still has."""


Outcome = Offered | Asked | Waiting | Unanswered | Joined | Declined | Cancelled | Places | Parted | Refusal
