"""The updates that wait for the bot, and how they are confirmed."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot_api.refusal import Json

FIRST_ID = 871_000_001
KINDS = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "message_reaction",
    "message_reaction_count",
)
UNASKED = frozenset(KINDS) - {"chat_member", "message_reaction", "message_reaction_count"}
"""What is sent to a bot that named no kinds."""
LASTING = timedelta(hours=24)
LASTING_TAP = timedelta(seconds=150)
AHEAD = 10
"""An offset further than this beyond the newest update counts as none."""


class Changes:
    """Tells whoever waits that something has changed."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        """Wake everyone who waits."""
        told, self._next = self._next, asyncio.Event()
        told.set()

    async def next(self, within: float | None = None) -> None:
        """Wait until something changes, or for so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._next.wait(), within)


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """An update that is not confirmed. A webhook gets those of one lane one by one, in order."""

    id: int
    json: Json
    lane: tuple[str, int]
    until: datetime


class Updates:
    """The updates that wait, oldest first."""

    def __init__(self, changes: Changes) -> None:
        self.allowed = UNASKED
        self.next_id = FIRST_ID
        self._changes = changes
        self._waiting: list[Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, kind: str, body: Json, lane: tuple[str, int], now: datetime) -> int | None:
        """Return the id of a new update, or None where the bot has not asked for its kind."""
        if kind not in self.allowed:
            return None
        lasting = LASTING_TAP if kind == "callback_query" else LASTING
        return self.inject({"update_id": self.next_id, kind: body}, now + lasting, lane)

    def inject(self, update: Json, until: datetime, lane: tuple[str, int] = ("raw", 0)) -> int:
        """Return the id of an update of any shape: its own, or the next."""
        id = update.get("update_id", self.next_id)
        self.next_id = id + 1
        self._waiting.append(Waiting(id, {"update_id": id, **update}, lane, until))
        self._changes.tell()
        return int(id)

    def take(self, offset: int, limit: int, now: datetime) -> list[Json]:
        """Return the updates from an offset on; all below it are confirmed and gone.

        A negative offset counts from the end. Nothing is confirmed by 0, or by an offset far beyond the newest.
        """
        if offset < 0:
            offset = max(self.next_id + offset, 1)
        elif offset > self.next_id + AHEAD:
            offset = 0
        self._waiting = [one for one in self._waiting if one.id >= offset and one.until > now]
        return [one.json for one in self._waiting[:limit]]

    def waiting(self, now: datetime) -> list[Waiting]:
        """Return what waits, without what has waited too long."""
        self._waiting = [one for one in self._waiting if one.until > now]
        return self._waiting

    def forget(self, one: Waiting) -> None:
        """Drop an update that a webhook has taken."""
        self._waiting = [other for other in self._waiting if other is not one]
        self._changes.tell()

    def drop(self) -> None:
        """Drop all that waits."""
        self._waiting.clear()

    def allow(self, kinds: Iterable[str] | None) -> None:
        """Take in only these kinds from now on; an empty list means the usual ones, None changes nothing."""
        if kinds is not None:
            self.allowed = frozenset(kinds) & frozenset(KINDS) or UNASKED
