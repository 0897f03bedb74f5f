"""The ledger of everything owed: its states, its counts, and what may be sent a second time. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.members import Address


class State(StrEnum):
    """Where a delivery stands. `open` is planned until its time and due from then on."""

    OPEN = "open"
    CLAIMED = "claimed"
    SENT = "sent"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    DROPPED = "dropped"


class Kind(StrEnum):
    """What a delivery is, as far as sending it again is concerned."""

    QUESTION = "question"
    VERDICT = "verdict"
    NOTICE = "notice"
    FILE = "file"
    RECEIPT = "receipt"
    DELETION = "deletion"
    """Not a message but the end of one: of the message that it names in `edits`."""
    CHECK_IN = "check_in"
    TIP = "tip"


class Repeat(StrEnum):
    """What to do with a delivery that may or may not have arrived."""

    ONCE_MORE = "once_more"
    """Either copy works: it carries the same tokens."""
    ONCE_MORE_MARKED = "once_more_marked"
    """With a line that it may be a repeat."""
    ONCE_MORE_IN_WINDOW = "once_more_in_window"
    """An answer to either copy closes both."""
    NEVER = "never"


REPEATS: Mapping[Kind, Repeat] = {
    Kind.QUESTION: Repeat.ONCE_MORE,
    Kind.NOTICE: Repeat.ONCE_MORE,
    Kind.FILE: Repeat.ONCE_MORE,
    Kind.VERDICT: Repeat.ONCE_MORE_MARKED,
    Kind.RECEIPT: Repeat.ONCE_MORE_MARKED,
    Kind.DELETION: Repeat.ONCE_MORE,
    Kind.CHECK_IN: Repeat.ONCE_MORE_IN_WINDOW,
    Kind.TIP: Repeat.NEVER,
}

ATTEMPTS = 2
"""A delivery is tried once and, where its kind allows it, once more."""
REPLY = timedelta(hours=24)
"""A reply that could not be sent for so long answers nothing any more."""
EDITS = 5
"""An edit is idempotent, and is tried more often; but what comes after it for the same address does not wait for ever."""


class Going(StrEnum):
    """Whether what is written first may go at this moment."""

    GO = "go"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Wait:
    """It may go later, and not before this time."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Owed:
    """A message owed to an address, before it has a row."""

    kind: Kind
    reply: Mapping[str, Any] = field(repr=False)
    """The reply as plain JSON values; it is rendered when it is sent."""
    due: datetime
    until: datetime | None = None
    """The end of its window, after which it is skipped. None: a reply, which has none."""
    occurrence: str | None = field(default=None, repr=False)
    """What it is the one and only message for: the kind, and the run or plan with its local date."""
    edits: str | None = field(default=None, repr=False)
    """The platform's id of the message that it changes; a question does only while that is the last message there."""
    claimed: bool = False
    """Whether it is claimed as it is kept: it may go at once, and nothing is in front of it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message owed to one address: a row of the outbox, opened. Its repr may be logged."""

    id: str
    member: str
    address: Address = field(repr=False)
    kind: Kind
    reply: Mapping[str, Any] = field(repr=False)
    due: datetime
    until: datetime | None
    edits: str | None = field(repr=False)
    state: State
    attempt: int
    """How often it was claimed."""
    changed: datetime
    """When its state changed, rounded down to the minute: a claim is never older than it looks."""
    closes: str | None = field(default=None, repr=False)
    """Of a claim: the platform's id of the question above, whose buttons are over once this message is there."""

    place: str | None = field(default=None, repr=False)
    """Where on its platform the conversation is, where the address does not say that and it is known."""

    def claimed(self, time: datetime) -> "Delivery":
        """Return it as it is once it was claimed."""
        # Spelt out, for `replace` takes twice as long, and there may be thousands.
        return Delivery(
            id=self.id,
            member=self.member,
            address=self.address,
            kind=self.kind,
            reply=self.reply,
            due=self.due,
            until=self.until,
            edits=self.edits,
            state=State.CLAIMED,
            attempt=self.attempt + 1,
            changed=time,
            closes=self.closes,
            place=self.place,
        )

    @property
    def marked(self) -> bool:
        """Whether it has to say that it may be a repeat."""
        return self.attempt > 1 and self.edits is None and REPEATS[self.kind] is Repeat.ONCE_MORE_MARKED


def may_repeat(delivery: Delivery, now: datetime) -> bool:
    """Return whether a delivery of unknown outcome is to be sent again."""
    if delivery.state is not State.UNKNOWN or (delivery.until is None and now - delivery.due > REPLY):
        return False
    if delivery.edits is not None:
        return delivery.attempt < EDITS
    repeat = REPEATS[delivery.kind]
    if repeat is Repeat.NEVER or delivery.attempt >= ATTEMPTS:
        return False
    return repeat is not Repeat.ONCE_MORE_IN_WINDOW or (delivery.until is not None and now <= delivery.until)


@dataclass(frozen=True, slots=True)
class Tallies:
    """How many deliveries there ever were, and how many stand where. They survive expiry and erasure."""

    planned: int
    open: int
    claimed: int
    sent: int
    unknown: int
    skipped: int
    dropped: int

    @property
    def conserved(self) -> bool:
        """Whether every delivery that was ever planned is accounted for."""
        return self.planned == self.open + self.claimed + self.sent + self.unknown + self.skipped + self.dropped
