"""The one door in: every adapter hands what a member did to `Companion.handle` and sends what comes back."""

import asyncio
import logging
from weakref import WeakValueDictionary

from core.dialogue import Inbound, Notice, Reply, Session, UnreadableSession, advance, from_json, to_json
from core.library import Library
from core.members import Address, Preferences
from core.ports import FreshId, Now, Sessions

log = logging.getLogger(__name__)


class Companion:
    """Answers members, one turn at a time for each of them."""

    def __init__(self, library: Library, sessions: Sessions, now: Now, fresh_id: FreshId) -> None:
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
        turn = advance(self._library, session, preferences, inbound, now=self._now(), fresh=self._fresh_id())
        plain = None if turn.session is None else to_json(turn.session)
        await self._sessions.save(inbound.address, plain, turn.preferences)
        return turn.replies

    def unreadable(self) -> Notice:
        """Return the answer to something that no adapter can make sense of."""
        return self._safe("unreadable")

    def _safe(self, key: str) -> Notice:
        words, region = self._library.words, self._library.region(None)
        return Notice(f"{words('ui', key)}\n\n{words('ui', 'safety_line', emergency=region.emergency)}")


class MemorySessions:
    """Sessions that live as long as the process: for trying the bot, and for tests."""

    def __init__(self, preferences: Preferences | None = None) -> None:
        self._default = preferences or Preferences()
        self._kept: dict[Address, tuple[dict[str, object] | None, Preferences]] = {}

    async def load(self, address: Address) -> tuple[dict[str, object] | None, Preferences]:
        """Return what was saved last."""
        return self._kept.get(address, (None, self._default))

    async def save(self, address: Address, session: dict[str, object] | None, preferences: Preferences) -> None:
        """Keep it in memory."""
        self._kept[address] = (session, preferences)


def _readable(kept: object) -> Session | None:
    if kept is None:
        return None
    try:
        return from_json(kept)
    except UnreadableSession:
        log.warning("session.unreadable")
        return None
