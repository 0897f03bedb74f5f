"""Updates in: each is handed to the core as what its member did; what the core then owes is handed to the outreach."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from telegram import Bot
from telegram.error import TelegramError

from bots.telegram import updates
from bots.telegram.backlog import Backlog
from bots.telegram.files import Files
from bots.telegram.groups import Groups, Planned
from bots.telegram.render import owed
from bots.telegram.updates import (
    Ignored,
    InGroup,
    Meaning,
    Moved,
    Opened,
    Pressed,
    Reachable,
    SentCalendar,
    Stray,
    Wrote,
)
from core.calendar import LARGEST
from core.companion import Companion
from core.dialogue import Inbound, Missing, Reply, Text, Upload
from core.dialogue.typed import danger_in
from core.ledger import Owed
from core.limits import FILE_BURST, FILE_REFILL, Allowance
from core.members import Address
from core.outreach import Outreach, Sleep
from core.ports import Now, Rights
from core.words import Words

log = logging.getLogger(__name__)

LATE = timedelta(minutes=2)
"""What was written longer ago than this, when it is first seen, is a backlog: nobody waits for each answer to it."""


class Addresses(Planned, Protocol):
    """What an update may change besides what its member said."""

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
    """Whether its answer waits for that of the next one."""


class Adapter:
    """Acts on updates, as the intake hands them over: one at a time for each sender."""

    def __init__(
        self,
        bot: Bot,
        *,
        files: Files,
        rights: Rights,
        words: Words,
        companion: Companion,
        outreach: Outreach,
        addresses: Addresses,
        now: Now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._bot, self._files, self._words, self._now = bot, files, words, now
        self._companion, self._outreach, self._addresses = companion, outreach, addresses
        self._groups = Groups(
            bot, words=words, companion=companion, outreach=outreach, addresses=addresses, rights=rights, now=now
        )
        self._fetches = Allowance(FILE_BURST, FILE_REFILL)
        self._commands = frozenset({"start", *words.table("platform", "commands")})
        self._backlog = Backlog(outreach, sleep)
        self._answering: set[asyncio.Task[None]] = set()

    def sender(self, raw: bytes) -> Address | None:
        """Return whom an update is from; raise Unreadable where nothing can be made of it."""
        return updates.lane(updates.read(raw, self._bot.username))

    async def act(self, raw: bytes, row: str | None, *, more: bool) -> None:
        """Do what an update asks for."""
        meaning = updates.read(raw, self._bot.username)
        late = isinstance(meaning, Wrote) and self._now() - meaning.sent > LATE
        try:
            await self._do(meaning, row, more=more, late=late)
        finally:
            if not more and (address := updates.lane(meaning)) is not None:
                self._end_of(address, late=late)

    async def done(self) -> None:
        """Return once every press that was taken has its answer, and no answer waits for another."""
        while self._answering:
            await asyncio.wait(self._answering)
        await self._backlog.done()

    def _end_of(self, address: Address, *, late: bool) -> None:
        """Send what waits where nothing more of an address is there; what is late anyway may wait a moment longer."""
        if late:
            self._backlog.release_soon(address)
        else:
            self._backlog.release(address)

    async def _do(self, meaning: Meaning, row: str | None, *, more: bool, late: bool) -> None:
        match meaning:
            case Wrote(inbound=inbound):
                await self._answer(_Received(inbound, row, joins=late))
            case Pressed(inbound=inbound, query=query, message=message):
                self._stop_spinning(query)
                await self._answer(_Received(inbound, row, pressed=message, joins=more))
            case SentCalendar(address=address, beside=beside):
                content = Text(address, beside) if danger_in(self._words, beside) else await self._calendar(meaning)
                await self._answer(_Received(content, row))
            case Opened(address=address, payload=payload):
                await self._answer(_Received(self._groups.led_to(address, payload), row))
            case InGroup(named=named, command=command) if named or command in self._commands:
                await self._groups.answer(meaning, row)
            case Moved(old=old, new=new):
                await self._addresses.move_address(old, new)
                await self._handled(row)
            case Reachable(address=address, reachable=reachable):
                await (self._addresses.reachable(address) if reachable else self._addresses.unreachable(address))
                await self._handled(row)
            case Stray(query=query):
                self._stop_spinning(query)
                await self._handled(row)
            case InGroup() | Ignored():
                await self._handled(row)

    # ---------------------------------------------------------------- In private

    async def _answer(self, received: _Received) -> None:
        """Have an inbound answered; an answer that joins the next one waits for it."""
        address = received.inbound.address
        waits = received.joins or address in self._backlog  # for a later answer, or behind an earlier one
        ready = not waits and self._outreach.ready(address)

        def owe(replies: Sequence[Reply]) -> Sequence[Owed]:
            said = owed(replies, self._now(), received.pressed)
            return [replace(one, claimed=ready and n == 0) for n, one in enumerate(said)]

        answer = await self._companion.answer(received.inbound, owe, received.row)
        self._outreach.send(answer.elsewhere)
        self._backlog.add(address, answer)
        if not received.joins:
            self._backlog.release(address)
        if not answer.kept:
            await self._outreach.say(address, owe(answer.replies))

    async def _calendar(self, sent: SentCalendar) -> Upload:
        """Return what someone sent, as far as it can be had."""
        if sent.size > LARGEST:
            return Upload(sent.address, Missing.TOO_LARGE)
        if not self._fetches.takes(sent.address, self._now()):
            return Upload(sent.address, Missing.NOT_FETCHED)
        return Upload(sent.address, await self._files.fetched(sent.file, LARGEST))

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

    async def _handled(self, row: str | None) -> None:
        if row is not None:
            await self._addresses.handled(row)
