"""The one door in: every adapter hands what a member did to `Companion.handle` and sends what comes back."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any
from weakref import WeakValueDictionary

from core.dialogue import Command, Inbound, Notice, Reply, Session, Turn, UnreadableSession, advance, from_json, to_json
from core.dialogue.screens import safely
from core.library import Library
from core.members import Address, Preferences
from core.ownership import Ownership
from core.ports import FreshId, Now, Sessions

log = logging.getLogger(__name__)


class Companion:
    """Answers members, one turn at a time for each of them."""

    def __init__(
        self, library: Library, sessions: Sessions, now: Now, fresh_id: FreshId, ownership: Ownership | None = None
    ) -> None:
        self._ownership = ownership
        self._library, self._sessions, self._now, self._fresh_id = library, sessions, now, fresh_id
        # Weak, so that a member who has gone leaves nothing behind.
        self._locks: WeakValueDictionary[Address, asyncio.Lock] = WeakValueDictionary()

    async def handle(self, inbound: Inbound) -> tuple[Reply, ...]:
        """Return what to say to this inbound, after the session it led to has been kept.

        Two inbounds of one member are taken one after the other. A failure keeps the session as it was and is answered
        with a kind sentence and the safety line; the log has the kind of error and nothing that was said.
        """
        lock = self._locks.setdefault(inbound.address, asyncio.Lock())
        async with lock:
            try:
                return await self._turn(inbound)
            except Exception as error:  # noqa: BLE001 - the member must get an answer whatever went wrong
                # No traceback: its locals may hold what was said.
                log.error("turn.failed", extra={"error": type(error).__name__})  # noqa: TRY400
                return (self._safe("error"),)

    async def _turn(self, inbound: Inbound) -> tuple[Reply, ...]:
        kept, preferences = await self._sessions.load(inbound.address)
        session = _readable(kept)
        if self._ownership and (own := await self._ownership.answer(inbound, session, preferences)) is not None:
            await self._set_aside(inbound.address)
            return own
        turn = advance(self._library, session, preferences, inbound, now=self._now(), fresh=self._fresh_id())
        plain = None if turn.session is None else to_json(turn.session)
        await self._sessions.save(inbound.address, plain, turn.preferences)
        return (*turn.replies, *await self._owned(inbound, turn))

    async def _owned(self, inbound: Inbound, turn: Turn) -> tuple[Reply, ...]:
        """Do for the member's own what a turn calls for: keep its result, or take back what /stop takes back."""
        if self._ownership is None:
            return ()
        stops = isinstance(inbound, Command) and inbound.name == "stop" and turn.session is None
        try:
            await self._ownership.noted(inbound.address, turn.session, turn.replies)
            return await self._ownership.stopped(inbound.address) if stops else ()
        except Exception as error:  # noqa: BLE001 - a result must be read, whether or not a history of it can be kept
            log.error("ownership.failed", extra={"error": type(error).__name__})  # noqa: TRY400
            return (self._safe("error"),)

    async def _set_aside(self, address: Address) -> None:
        """Note that something else than the open check was shown, if it is still there."""
        kept, preferences = await self._sessions.load(address)
        session = _readable(kept)
        if session is not None:
            await self._sessions.save(address, to_json(replace(session, away=True)), preferences)

    def unreadable(self) -> Notice:
        """Return the answer to something that no adapter can make sense of."""
        return self._safe("unreadable")

    def _safe(self, key: str) -> Notice:
        return safely(self._library, Preferences(), self._library.words("ui", key))


class MemorySessions:
    """Sessions, and what else members own, that live as long as the process: for trying the bot, and for tests."""

    def __init__(self, preferences: Preferences | None = None) -> None:
        self._default = preferences or Preferences()
        self._kept: dict[Address, tuple[dict[str, Any] | None, Preferences]] = {}
        self._consents: dict[Address, list[Mapping[str, Any]]] = {}
        self._history: dict[Address, list[Mapping[str, Any]]] = {}

    async def load(self, address: Address) -> tuple[dict[str, Any] | None, Preferences]:
        """Return what was saved last."""
        return self._kept.get(address, (None, self._default))

    async def save(self, address: Address, session: dict[str, Any] | None, preferences: Preferences) -> None:
        """Keep it in memory."""
        self._kept[address] = (session, preferences)

    async def consents(self, address: Address) -> tuple[Mapping[str, Any], ...]:
        """Return what was agreed to and taken back, the oldest first."""
        return tuple(self._consents.get(address, ()))

    async def consent(self, address: Address, plain: Mapping[str, Any]) -> None:
        """Keep that something was agreed to, or taken back."""
        self._consents.setdefault(address, []).append(plain)

    async def history(self, address: Address) -> tuple[Mapping[str, Any], ...]:
        """Return the results that were kept, the oldest first."""
        return tuple(self._history.get(address, ()))

    async def remember(self, address: Address, entry: Mapping[str, Any]) -> None:
        """Keep a result."""
        self._history.setdefault(address, []).append(entry)

    async def forget_history(self, address: Address) -> None:
        """Erase the results that were kept."""
        self._history.pop(address, None)

    async def everything(self, address: Address) -> dict[str, Any] | None:
        """Return all that is kept, by table; None where nothing is."""
        session, preferences = await self.load(address)
        kept = {
            "settings": asdict(preferences) if preferences != self._default else {},
            "consents": list(await self.consents(address)),
            "sessions": [] if session is None else [session],
            "history": list(await self.history(address)),
        }
        return kept if any(kept.values()) else None

    async def forget(self, address: Address) -> tuple[Mapping[str, int], Mapping[str, int]] | None:
        """Erase all that is kept; return the rows of each table before and after, or None where there was nothing."""
        kept = await self.everything(address)
        self._kept.pop(address, None)
        self._consents.pop(address, None)
        self._history.pop(address, None)
        if kept is None:
            return None
        before = {name: len(rows) if isinstance(rows, list) else bool(rows) + 0 for name, rows in kept.items()}
        return before, dict.fromkeys(before, 0)


def _readable(kept: object) -> Session | None:
    if kept is None:
        return None
    try:
        return from_json(kept)
    except UnreadableSession:
        log.warning("session.unreadable")
        return None
