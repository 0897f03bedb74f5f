"""Asks Telegram for updates, and has each kept as it came before Telegram may forget it.

A question for updates tells Telegram, by its offset, that everything before it can be forgotten. The library asks it before
anything was done with the updates, and lets go of a whole batch when one of them cannot be read. So this loop asks
instead: the raw updates of an answer are kept first, all of them, whatever is in them, and only then does it ask on.
Of a crash in between, the same updates come again, and whoever keeps them knows them by their number.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Never
from urllib.parse import urlencode

import msgspec
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.request import BaseRequest

from bots.telegram.request import retry_seconds
from core.intake import Update

log = logging.getLogger(__name__)

POLL = 30
"""Seconds that Telegram holds a question open when there is nothing to hand over."""
ANSWER = 10
"""Seconds more until the answer to one must be there."""
HELD = 0.5
"""A server that has nothing to hand over sooner than that does not hold questions open: it is asked once a second."""
BATCH = 100
"""Telegram hands over no more at once."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds. From the one to the other a pause is twice as long as the last."""


Keep = Callable[[Sequence[Update]], Awaitable[None]]
"""Returns when all of these may be forgotten by Telegram, such as `Intake.receive`. What it has already it knows by the ids."""
Tell = Callable[[str], object]
"""Says a sentence to the operator."""
Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""


class Trouble(StrEnum):
    """Why no updates come."""

    TOKEN = "token"  # noqa: S105 - the name of a trouble
    WEBHOOK = "webhook"
    CONFLICT = "conflict"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    UNKEPT = "unkept"


SENTENCES = {
    Trouble.TOKEN: "Telegram does not know this bot token. Set TELEGRAM_BOT_TOKEN to the one that @BotFather shows,"
    " and start Hipwise again.",
    Trouble.WEBHOOK: "Something else has set a webhook with the same token, and Telegram sends it what members write."
    " Stop it, and start Hipwise again.",
    Trouble.CONFLICT: "Another program asks Telegram for updates with the same token, and only one can. Stop it;"
    " Hipwise then goes on by itself.",
    Trouble.BUSY: "Telegram asks Hipwise to wait. Nothing is lost and nothing needs doing: Hipwise goes on by itself.",
    Trouble.UNREACHABLE: "Telegram cannot be reached. Is the network there? Hipwise keeps trying, at least once a minute."
    " What members write waits at Telegram for 24 hours.",
    Trouble.REFUSED: "Telegram refuses to hand over what members write. Hipwise keeps trying, at least once a minute.",
    Trouble.UNREADABLE: "The answers of Telegram make no sense. Is TELEGRAM_API_URL the address of a Bot API server?"
    " Hipwise keeps trying, at least once a minute.",
    Trouble.UNKEPT: "What members write cannot be stored, so it is left at Telegram, which keeps it for 24 hours."
    " Hipwise keeps trying, at least once a minute.",
}
"""What the operator is told of each."""
AGAIN = "Telegram hands over what members write again."
PASSING = {Trouble.BUSY, Trouble.UNREACHABLE}
"""These come and go: they are told when the second attempt fails too."""


class Polling:
    """The loop that asks. `root` is the address of the bot's methods, with its token."""

    def __init__(
        self,
        request: BaseRequest,
        root: str,
        keep: Keep,
        tell: Tell,
        *,
        kinds: Sequence[str],
        poll: int = POLL,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._request, self._root, self._keep, self._tell = request, root, keep, tell
        self._kinds, self._poll, self._sleep = json.dumps(list(kinds)), poll, sleep
        self._offset: int | None = None
        self._limit = BATCH
        self._failures = 0
        self._told: Trouble | None = None

    async def run(self) -> Never:
        """Ask until cancelled. Nothing that Telegram, the network or the store does ends it, or makes it ask in haste."""
        while True:
            updates = await self._ask()
            if updates is not None:
                await self._take(updates)

    async def _ask(self) -> tuple[Update, ...] | None:
        """Return what came in, or None after a pause, or where it is to be asked for in smaller parts."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            # As if it were a file: the library hands those over unread.
            answer = await self._request.retrieve(self._question(), read_timeout=self._poll + ANSWER)
        except TelegramError as error:
            await self._pause(_trouble(error), error)
            return None
        updates = split(answer)
        if updates is None and self._limit > 1:
            self._limit = 1
            return None
        updates = split_off(answer) if updates is None else updates
        if updates is None:
            await self._pause(Trouble.UNREADABLE)
        elif not updates and loop.time() - asked < HELD:
            await self._sleep(FIRST_PAUSE)
        return updates

    def _question(self) -> str:
        offset = {} if self._offset is None else {"offset": self._offset}
        query = urlencode({"timeout": self._poll, "limit": self._limit, "allowed_updates": self._kinds, **offset})
        return f"{self._root}/getUpdates?{query}"

    async def _take(self, updates: Sequence[Update]) -> None:
        """Have updates kept, and only then move on; pause where they cannot be."""
        if updates:
            try:
                await self._keep(updates)
            except Exception as error:  # noqa: BLE001 - whatever it was, they are still at Telegram and come again
                await self._pause(Trouble.UNKEPT, error)
                return
            self._offset = max(int(update.id) for update in updates) + 1
        self._limit = BATCH
        self._well(quiet=not updates)

    async def _pause(self, trouble: Trouble, error: Exception | None = None) -> None:
        self._failures += 1
        if trouble is not self._told and (self._failures > 1 or trouble not in PASSING):
            self._told = trouble
            log.warning("poll.failed", extra={"kind": trouble.value, "error": None if error is None else type(error).__name__})
            self._tell(SENTENCES[trouble])
        pause = min(FIRST_PAUSE * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE)
        await self._sleep(max(pause, retry_seconds(error)) if isinstance(error, RetryAfter) else pause)

    def _well(self, *, quiet: bool) -> None:
        self._failures = 0
        # Of two programs that ask, each gets some updates; the other is gone when a question is left open to its end.
        if self._told is None or (self._told is Trouble.CONFLICT and not quiet):
            return
        self._told = None
        log.warning("poll.recovered")
        self._tell(AGAIN)


def split(answer: bytes) -> tuple[Update, ...] | None:
    """Return the updates of an answer, each as it stands there; None if it is not JSON throughout, or has none with a number.

    What has no number among others that do is left out: it is no update.
    """
    try:
        elements = msgspec.json.decode(answer, type=_Answer).result
    except (msgspec.DecodeError, RecursionError):
        return None
    numbered = tuple(Update(str(number), bytes(raw)) for raw in elements if (number := _number(raw)) is not None)
    if len(numbered) < len(elements):
        log.error("poll.unnumbered", extra={"count": len(elements) - len(numbered)})
    return numbered if numbered or not elements else None


def split_off(answer: bytes) -> tuple[Update, ...] | None:
    """Return the one update of an answer that is not JSON throughout, if its number can be found."""
    found = _UPDATE.search(answer)
    return None if found is None else (Update(str(int(found["id"])), found["raw"]),)


class _Answer(msgspec.Struct):
    result: list[msgspec.Raw]


class _Numbered(msgspec.Struct):
    update_id: int


_UPDATE = re.compile(rb'"result"\s*:\s*\[(?P<raw>.*?"update_id"\s*:\s*(?P<id>\d{1,18})\b.*)\]\s*\}\s*\Z', re.DOTALL)


def _number(raw: msgspec.Raw) -> int | None:
    try:
        return msgspec.json.decode(raw, type=_Numbered).update_id
    except msgspec.DecodeError:
        return None


def _trouble(error: TelegramError) -> Trouble:
    match error:
        case InvalidToken():
            return Trouble.TOKEN
        case Conflict() if "webhook" in error.message:
            return Trouble.WEBHOOK
        case Conflict():
            return Trouble.CONFLICT
        case RetryAfter():
            return Trouble.BUSY
        case NetworkError() if not isinstance(error, BadRequest):
            return Trouble.UNREACHABLE
        case _:
            return Trouble.REFUSED
