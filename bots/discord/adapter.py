"""Interactions in: each is handed to the core as what its member did; what the core then owes is handed to the outreach.

A turn runs at once. Where its answer is not on its way within a second, the member sees that one comes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol

from bots.discord import interactions
from bots.discord.commands import suggested, topics
from bots.discord.exchange import FORM, SUGGEST, Exchange, Exchanges
from bots.discord.files import Files
from bots.discord.interactions import Asked, Did, Ignored, Turned, Typing, Uploaded, WantsToType, Wrote
from bots.discord.messenger import drawn, owed
from bots.discord.render import modal
from bots.discord.request import MaybeSent, NotSent, Refusal
from core.club import Standing
from core.companion import Companion
from core.dialogue import Inbound, Missing, Reply, Tap, Upload
from core.errors import Refused, StorageUnavailable
from core.intake import Unreadable
from core.lanes import Lanes
from core.ledger import Delivery, Owed
from core.members import Address
from core.outreach import Outreach
from core.ports import Now
from core.words import Words

log = logging.getLogger(__name__)

DEFER_AFTER = 1.0
"""Seconds until an interaction whose answer is not on its way is deferred: two are left for that."""
MOST_NAMES = 1_000
"""Servers whose names are known: many times those of one club's bot."""


class Sent(Protocol):
    """Where what was sent is kept for a while."""

    async def delivery(self, id: str, address: Address) -> Delivery | None:
        """Return what was sent to an address, as long as its content is kept."""
        ...


class Adapter:
    """Acts on what the gateway tells. Nothing that it tells may make this fail."""

    def __init__(
        self,
        *,
        words: Words,
        companion: Companion,
        outreach: Outreach,
        exchanges: Exchanges,
        files: Files,
        sent: Sent,
        now: Now,
    ) -> None:
        self._words, self._now, self._sent, self._files = words, now, sent, files
        self._companion, self._outreach, self._exchanges = companion, outreach, exchanges
        self._topics = topics(words)
        self._names: dict[str, str] = {}
        self._lanes = Lanes()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unanswered: deque[tuple[float, Exchange]] = deque()
        self._deferring: asyncio.TimerHandle | None = None

    def interaction(self, told: object) -> None:
        """Take an interaction, and act on it as soon as those of its member before it are done. This never waits."""
        try:
            meaning = interactions.read(told, self._now(), self._names)
        except Unreadable as error:
            log.warning("update.unreadable", extra={"platform": interactions.PLATFORM, "error": type(error).__name__})
            return
        if not isinstance(meaning, Ignored | Wrote) and (exchange := self._exchanges.begin(meaning.asked)) is not None:
            self._take(meaning, exchange)

    def message(self, told: object) -> None:
        """Take a message, as an interaction is taken."""
        try:
            meaning = interactions.read_message(told)
        except Unreadable as error:
            log.warning("update.unreadable", extra={"platform": interactions.PLATFORM, "error": type(error).__name__})
            return
        if isinstance(meaning, Wrote):
            inbound, channel = meaning.inbound, meaning.channel
            self._lanes.add(inbound.address, lambda: self._answer(inbound, channel))

    def guild(self, told: object) -> None:
        """Take the name of a server: a club that is claimed there is called so at first."""
        try:
            id, name = interactions.read_guild(told)
        except Unreadable:
            return
        if id in self._names or len(self._names) < MOST_NAMES:
            self._names[id] = name

    async def done(self) -> None:
        """Return once every interaction that was taken is with the outreach, or answered."""
        await self._lanes.empty()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Leave what was not done: its members see no answer, and their check is where it was."""
        if self._deferring is not None:
            self._deferring.cancel()
        await self._lanes.stop()

    # ---------------------------------------------------------------- One interaction

    def _take(self, meaning: Did | Uploaded | WantsToType | Turned | Typing, exchange: Exchange) -> None:
        match meaning:
            case Typing(text=text):
                self._begin(self._suggest(exchange, text))
            case WantsToType():
                self._begin(self._answer_at_once(exchange, {"type": FORM, "data": modal(self._words)}))
            case Turned():
                self._defer_later(exchange)
                self._lanes.add(meaning.address, lambda: self._turn(meaning, exchange))
            case Did():
                self._defer_later(exchange)
                self._lanes.add(meaning.address, lambda: self._act(meaning, exchange))
            case Uploaded():
                self._defer_later(exchange)
                self._lanes.add(meaning.address, lambda: self._open(meaning))

    async def _act(self, did: Did, exchange: Exchange) -> None:
        """Have what a member did answered."""
        if did.inbound is None:
            await exchange.defer()  # nothing has changed, and nothing is to be said
        else:
            await self._answer(did.inbound, did.asked)

    async def _open(self, uploaded: Uploaded) -> None:
        """Have a file answered; of whoever may change nothing it is not fetched."""
        at = uploaded.at
        content: bytes | Missing = b""
        if at is not None and at.standing is Standing.ORGANISER:
            content = await self._files.read(uploaded.url, uploaded.size)
        await self._answer(Upload(uploaded.address, content, at), uploaded.asked)

    async def _answer(self, inbound: Inbound, to: Asked | str) -> None:
        ready = self._outreach.ready(inbound.address)

        def owe(replies: Sequence[Reply]) -> Sequence[Owed]:
            return [replace(one, claimed=ready) for one in owed(replies, self._now(), to)]

        # Only the conversation that a member has opened may be written to first.
        place = to if isinstance(to, str) else to.channel
        answer = await self._companion.answer(inbound, owe, place=place, apart=place is None)
        self._outreach.send((*answer.deliveries, *answer.elsewhere))
        if not answer.kept:
            await self._outreach.say(inbound.address, owe(answer.replies))

    async def _turn(self, turned: Turned, exchange: Exchange) -> None:
        """Show another page of a message; where that is no longer kept, the button is an old one."""
        delivery = await self._kept(turned)
        if delivery is None:
            await self._answer(Tap(turned.address, turned.delivery), turned.asked)
            return
        try:
            await exchange.say(drawn(delivery, self._words, turned.page), update=turned.asked.changes)
        except (Refused, NotSent, MaybeSent) as error:
            log.info("page.not_shown", extra={"error": type(error).__name__})

    async def _kept(self, turned: Turned) -> Delivery | None:
        try:
            delivery = await self._sent.delivery(turned.delivery, turned.address)
        except StorageUnavailable:
            return None
        return delivery if delivery is not None and delivery.reply.get("is") == "layout" else None

    # ---------------------------------------------------------------- In time

    def _defer_later(self, exchange: Exchange) -> None:
        self._unanswered.append((asyncio.get_running_loop().time() + DEFER_AFTER, exchange))
        if self._deferring is None:
            self._look_later()

    def _look_later(self) -> None:
        """Have the oldest looked at in time. One timer serves them all: hardly any is still without an answer by then."""
        self._deferring = asyncio.get_running_loop().call_at(self._unanswered[0][0], self._defer)

    def _defer(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._unanswered and (self._unanswered[0][0] <= now or not self._unanswered[0][1].open):
            exchange = self._unanswered.popleft()[1]
            if exchange.open:
                self._begin(exchange.defer())
        self._deferring = None
        if self._unanswered:
            self._look_later()

    async def _suggest(self, exchange: Exchange, typed: str) -> None:
        await self._answer_at_once(exchange, {"type": SUGGEST, "data": {"choices": suggested(typed, self._topics)}})

    async def _answer_at_once(self, exchange: Exchange, body: dict[str, Any]) -> None:
        try:
            await exchange.answer(body)
        except (NotSent, MaybeSent, Refusal) as error:  # the member can press, or type on, once more
            log.info("interaction.not_answered", extra={"error": type(error).__name__})

    def _begin(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
