"""What the core needs of the world, as small as it can be asked for."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from core.club import Club, Standing
from core.ledger import Delivery, Going, Owed, Wait
from core.link import Outcome, Step
from core.members import Address
from core.record import Change, Erased, Planned, Record, Sent
from core.sending import Sending

Now = Callable[[], datetime]
"""The present, as an aware UTC time."""

FreshId = Callable[[], str]
"""A new unguessable id in lower-case hexadecimal digits, at least eight of them."""

Planner = Callable[[Record, Sent, datetime], Planned]
"""What is kept about a member, what went out to them, and the time in; what is to be written to them first out."""

Judge = Callable[[Record, Delivery, datetime, datetime | None], Going | Wait]
"""What is kept about a member, a message that was planned for them, the time, and when they were last written to first in;
whether it may go now out."""

Wanted = Callable[[str, str, bool], bool]
"""The id of what is due, its platform, and whether it was planned ahead in; whether it is to be taken in hand out.

It is asked while rows are read, in whichever thread reads them.
"""

Receipt = Callable[[Mapping[str, int], Mapping[str, int]], Sequence[Owed]]
"""The rows of each table before and after in; what is owed to whoever was erased out."""


class Records(Protocol):
    """Where what is kept about members is, by address."""

    async def load(self, address: Address) -> Record:
        """Return what is kept for an address."""
        ...

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...] | None:
        """Return what is owed, once all of the change is kept; None where nothing can be kept beyond this process."""
        ...

    async def link(
        self, address: Address, step: Step, change: Callable[[Outcome, Record], Change], handled: str | None
    ) -> tuple[Delivery, ...]:
        """Return what is owed, once a step of linking is kept with the turn that tells of it.

        That is made of what came of the step and of what is kept after it; it may be asked for again, and then counts anew.
        Raise StorageUnavailable where nothing can be kept beyond this process.
        """
        ...

    async def owe(self, address: Address, owed: Sequence[Owed], handled: str | None) -> tuple[Delivery, ...] | None:
        """Return what is owed, once that is kept and the update noted as handled, with nothing else changed; or None."""
        ...

    async def everything(self, address: Address) -> dict[str, Any] | None:
        """Return all that is kept, by table; None where nothing is."""
        ...

    async def messages(self, address: Address) -> tuple[str, ...]:
        """Return the platform's ids of the messages sent there lately, as far as they are known."""
        ...

    async def forget(self, address: Address, receipt: Receipt, handled: str | None) -> Erased | None:
        """Erase all that is kept; return what there was, or None where there was nothing."""
        ...


class Received(Protocol):
    """A raw update that has not been handled."""

    @property
    def row(self) -> str:
        """Return its row in the inbox."""
        ...

    @property
    def raw(self) -> bytes:
        """Return what the platform sent."""
        ...


class Inbox(Protocol):
    """Where what comes in is kept before it is acknowledged."""

    async def receive(self, platform: str, update_id: str, raw: bytes, sender: Address | None = None) -> str | None:
        """Return the row of an update that is now kept; None when it was kept before."""
        ...

    async def unhandled(self, platform: str) -> Sequence[Received]:
        """Return the updates that were kept and not handled, in the order they came."""
        ...

    async def handled(self, row: str) -> None:
        """Note that an update needs no more."""
        ...

    async def set_aside(self, row: str) -> None:
        """Stop handling an update that nothing can be made of."""
        ...


class Sendings(Protocol):
    """Where it is kept how sending on each platform goes."""

    async def sending(self, platform: str) -> Sending | None:
        """Return how it goes on a platform, as far as that was noted."""
        ...

    async def keep_sending(self, sending: Sending) -> None:
        """Keep how it goes."""
        ...


class Watch(Protocol):
    """Is told what becomes of tries to send."""

    async def failed(self, platform: str, now: datetime) -> None:
        """Note that a platform could not be reached."""
        ...

    async def worked(self, platform: str, now: datetime) -> None:
        """Note that a platform has answered."""
        ...


class Ledger(Protocol):
    """Where what is owed is kept before it is sent; see core/ledger.py for its states."""

    async def due(self, now: datetime, limit: int, wanted: Wanted) -> tuple[Delivery, ...]:
        """Return what is due and wanted, replies first and the oldest first."""
        ...

    async def claim(self, delivery: Delivery) -> Delivery | None:
        """Return the delivery as the caller's to send, or None when it is not to be had."""
        ...

    async def stands_alone(self, delivery: Delivery) -> Delivery | None:
        """Return a claim as one that changes no message any more, or None when it is not the caller's."""
        ...

    async def sent(self, delivery: Delivery, message_id: str | None) -> bool:
        """Note that the platform took it."""
        ...

    async def unknown(self, delivery: Delivery) -> bool:
        """Note that nobody knows what came of it."""
        ...

    async def skipped(self, delivery: Delivery) -> bool:
        """Note that it is not sent because nobody needs it any more."""
        ...

    async def dropped(self, delivery: Delivery) -> bool:
        """Note that it cannot be sent."""
        ...

    async def released(self, delivery: Delivery, due: datetime) -> bool:
        """Give it back: it surely was not sent."""
        ...

    async def unreachable(self, address: Address) -> None:
        """Note that nothing can be sent to an address until its member writes again."""
        ...

    async def elsewhere(self, delivery: Delivery) -> bool:
        """Return whether something planned ahead, claimed and surely not sent, is to go to another address of its member."""
        ...

    async def recover(self, platform: str, now: datetime) -> tuple[Delivery, ...]:
        """Return what is to be sent first on a platform that was left: repeats, then replies, in the order they were owed."""
        ...


class Messenger(Protocol):
    """One platform, as far as writing to a member goes."""

    async def send(self, delivery: Delivery) -> str | None:
        """Return the platform's id of the message that is now there.

        Raise what core/errors.py names for an outcome that is known; whatever else is raised leaves it unknown.
        """
        ...


class Clubs(Protocol):
    """Where the clubs are kept."""

    async def clubs(self) -> tuple[Club, ...]:
        """Return all clubs that can be read."""
        ...

    async def keep_club(self, club: Club) -> None:
        """Keep a club, instead of what was kept of it; whoever follows a run is planned for anew."""
        ...

    async def end_club(self, club: Club) -> None:
        """Erase a club."""
        ...


class Rights(Protocol):
    """What a platform says of who may do what in a chat of it."""

    async def standing(self, who: Address, chat: Address) -> Standing:
        """Return what someone is there at this moment; raise CannotTell where the platform does not say."""
        ...
