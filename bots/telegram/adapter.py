"""Updates in: each is handed to the core as what its member did; what the core then owes is handed to the outreach."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from telegram import Bot
from telegram.error import TelegramError

from bots.telegram import updates
from bots.telegram.links import Links, link
from bots.telegram.render import owed
from bots.telegram.updates import Ignored, InGroup, Moved, Opened, Pressed, Reachable, Stray, Wrote
from core.companion import Companion
from core.dialogue import Command, Inbound, Reply
from core.ledger import Delivery, Kind, Owed
from core.limits import GROUP_BURST, GROUP_REFILL, Allowance
from core.members import Address
from core.outreach import Outreach
from core.ports import Now
from core.words import Words

log = logging.getLogger(__name__)

LATE = timedelta(minutes=2)
"""What was written longer ago than this, when it is first seen, is a backlog: nobody waits for each answer to it."""


class Addresses(Protocol):
    """What an update may change besides what its member said."""

    async def plan(self, address: Address, owed: Sequence[Owed], handled: str | None = None) -> tuple[Delivery, ...]:
        """Owe something to an address, and note an update as handled."""
        ...

    async def handled(self, row: str) -> None:
        """Note that an update needs no more."""
        ...

    async def move_address(self, old: Address, new: Address) -> bool:
        """Note that an address has a new id."""
        ...

    async def reachable(self, address: Address) -> None:
        """Note that an address can be written to."""
        ...

    async def unreachable(self, address: Address) -> None:
        """Note that nothing can be sent to an address."""
        ...


@dataclass(frozen=True, slots=True)
class _Received:
    """An inbound on its way to its answer."""

    inbound: Inbound
    row: str | None
    pressed: str | None = None
    joins: bool = False
    """Whether its answer may be left out for that of a later one."""


class Adapter:
    """Acts on updates, as the intake hands them over: one at a time for each sender."""

    def __init__(
        self, bot: Bot, *, words: Words, companion: Companion, outreach: Outreach, addresses: Addresses, now: Now
    ) -> None:
        self._bot, self._words, self._now = bot, words, now
        self._companion, self._outreach, self._addresses = companion, outreach, addresses
        self._links = Links()
        self._groups = Allowance(GROUP_BURST, GROUP_REFILL)
        self._held: defaultdict[Address, list[Delivery]] = defaultdict(list)
        self._answering: set[asyncio.Task[None]] = set()

    def sender(self, raw: bytes) -> Address | None:
        """Return whom an update is from; raise Unreadable where nothing can be made of it."""
        return updates.lane(updates.read(raw, self._bot.username))

    async def act(self, raw: bytes, row: str | None, *, more: bool) -> None:
        """Do what an update asks for."""
        match updates.read(raw, self._bot.username):
            case Wrote(inbound=inbound, sent=sent):
                late = self._now() - sent > LATE
                await self._answer(_Received(inbound, row, joins=late), more=more)
            case Pressed(inbound=inbound, query=query, message=message):
                self._stop_spinning(query)
                await self._answer(_Received(inbound, row, pressed=message, joins=True), more=more)
            case Opened(address=address, payload=payload):
                own = self._links.take(payload, address.id, self._now())
                await self._answer(_Received(Command(address, "hip" if own else "start"), row), more=more)
            case InGroup(group=group, asker=asker):
                await self._point_to_private(group, asker, row)
            case Moved(old=old, new=new):
                await self._addresses.move_address(old, new)
                await self._handled(row)
            case Reachable(address=address, reachable=reachable):
                await (self._addresses.reachable(address) if reachable else self._addresses.unreachable(address))
                await self._handled(row)
            case Stray(query=query):
                self._stop_spinning(query)
                await self._handled(row)
            case Ignored():
                await self._handled(row)

    # ---------------------------------------------------------------- In private

    async def _answer(self, received: _Received, *, more: bool) -> None:
        """Have an inbound answered; a screen that the next answer will replace waits for that one."""
        address = received.inbound.address

        def owe(replies: Sequence[Reply]) -> Sequence[Owed]:
            return owed(replies, self._now(), received.pressed)

        answer = await self._companion.answer(received.inbound, owe, received.row)
        if not answer.kept:
            await self._outreach.say(address, owe(answer.replies))
            return
        if more and received.joins:
            self._held[address] += answer.deliveries
            return
        needed, over = joined((*self._held.pop(address, ()), *answer.deliveries))
        await self._outreach.skip(over)
        self._outreach.send(needed)

    def _stop_spinning(self, query: str) -> None:
        """Answer a press at once, before anything that takes time; it carries no words."""
        task = asyncio.create_task(self._answer_query(query))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer_query(self, query: str) -> None:
        try:
            await self._bot.answer_callback_query(query)
        except TelegramError as error:  # it was answered, or is too old: the member has seen it end by itself
            log.info("press.not_answered", extra={"error": type(error).__name__})

    # ---------------------------------------------------------------- In a group

    async def _point_to_private(self, group: Address, asker: str | None, row: str | None) -> None:
        """Say in a group, once in a while, where the bot talks."""
        if row is None or not self._groups.takes(group, self._now()):
            await self._handled(row)
            return
        payload = None if asker is None else self._links.make(asker, self._now())
        line, label = self._words("platform", "group", "line"), self._words("platform", "group", "open")
        reply = link(line, label, self._bot.username, payload)
        self._outreach.send(await self._addresses.plan(group, [Owed(Kind.NOTICE, reply, self._now())], row))

    async def _handled(self, row: str | None) -> None:
        if row is not None:
            await self._addresses.handled(row)


def joined(deliveries: Sequence[Delivery]) -> tuple[tuple[Delivery, ...], tuple[Delivery, ...]]:
    """Return which answers to a backlog are needed, and which are over: all screens but the last."""
    screens = [d for d in deliveries if d.kind is Kind.QUESTION or d.reply.get("fleeting")]
    over = screens[:-1]
    return tuple(d for d in deliveries if d not in over), tuple(over)
