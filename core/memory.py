"""What is kept about members for as long as the process lives: the port `Records` in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.club import Club
from core.errors import StorageUnavailable
from core.ledger import Delivery, Owed
from core.link import Outcome, Step
from core.members import Address, Preferences
from core.ports import Receipt
from core.record import Change, Erased, Plain, Record, timeless


@dataclass(slots=True)
class _Member:
    preferences: Preferences
    session: Plain | None = None
    consents: list[Plain] = field(default_factory=list)
    history: list[Plain] = field(default_factory=list)
    diary: Plain | None = None


class MemoryRecords:
    """For trying the bot, for tests, and for as long as nothing can be kept. Nothing is owed here: say it at once."""

    def __init__(self, preferences: Preferences | None = None) -> None:
        self._default = preferences or Preferences()
        self._members: dict[Address, _Member] = {}

    def __contains__(self, address: Address) -> bool:
        """Return whether there was a turn of this address."""
        return address in self._members

    async def load(self, address: Address) -> Record:
        """Return what was saved last."""
        at = self._members.get(address, _Member(self._default))
        session = None if at.session is None else dict(at.session)
        diary = None if at.diary is None else dict(at.diary)
        return Record(None, session, at.preferences, tuple(at.consents), diary=diary)

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...]:
        """Keep it in memory."""
        at = self._members.setdefault(address, _Member(self._default))
        at.session, at.preferences = change.session, change.preferences
        at.consents += change.consents
        if change.forget_history:
            at.history.clear()
        if change.forget_diary or change.diary is not None:
            at.diary = None if change.forget_diary else change.diary
        result = change.result
        if result is not None and all(timeless(result) != timeless(kept) for kept in at.history):
            at.history.append(result)
        return ()

    async def link(
        self, address: Address, step: Step, change: Callable[[Outcome, Record], Change], handled: str | None
    ) -> tuple[Delivery, ...]:
        """Raise StorageUnavailable: a code would not outlive the process, and nobody else is here."""
        raise StorageUnavailable("Nothing is kept beyond this process.")

    async def owe(self, address: Address, owed: Sequence[Owed], handled: str | None) -> tuple[Delivery, ...]:
        """Keep nothing."""
        return ()

    async def everything(self, address: Address) -> dict[str, Any] | None:
        """Return all that is kept, by table; None where nothing is."""
        at = self._members.get(address)
        if at is None:
            return None
        kept = {
            "settings": asdict(at.preferences) if at.preferences != self._default else {},
            "consents": list(at.consents),
            "sessions": [] if at.session is None else [at.session],
            "history": list(at.history),
            "diaries": [] if at.diary is None else [at.diary],
        }
        return kept if any(kept.values()) else None

    async def messages(self, address: Address) -> tuple[str, ...]:
        """Return nothing: no message of ours has an id here."""
        return ()

    async def forget(self, address: Address, receipt: Receipt, handled: str | None) -> Erased | None:
        """Erase all that is kept; return what there was, or None where there was nothing."""
        kept = await self.everything(address)
        self._members.pop(address, None)
        if kept is None:
            return None
        before = {name: _count(rows) for name, rows in kept.items()}
        after = dict.fromkeys(before, 0)
        receipt(before, after)
        return Erased(before, after)

    def drop(self, address: Address) -> None:
        """Keep nothing of this address any more."""
        self._members.pop(address, None)


def _count(rows: Mapping[str, Any] | Sequence[Any]) -> int:
    return len(rows) if isinstance(rows, list) else int(bool(rows))


class MemoryClubs:
    """The clubs of a bot that is being tried."""

    def __init__(self) -> None:
        self._clubs: dict[Address, Club] = {}

    async def clubs(self) -> tuple[Club, ...]:
        """Return all clubs."""
        return tuple(self._clubs.values())

    async def keep_club(self, club: Club) -> None:
        """Keep it in memory."""
        self._clubs[club.chat] = club

    async def end_club(self, club: Club) -> None:
        """Drop it."""
        self._clubs.pop(club.chat, None)
