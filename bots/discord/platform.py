"""Discord as one platform of the running bot."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from typing import Any, Never

from bots.discord import commands
from bots.discord.adapter import Adapter
from bots.discord.connection import Connection, Sleep, Tell
from bots.discord.exchange import Exchanges
from bots.discord.files import Files
from bots.discord.interactions import PLATFORM
from bots.discord.limits import PACE
from bots.discord.messenger import Messenger
from bots.discord.request import MaybeSent, NotSent, Refusal, Requests
from bots.discord.settings import DiscordSettings
from core.companion import Companion
from core.errors import StorageUnavailable
from core.ledger import Delivery
from core.outreach import Outreach
from core.pacer import Pacer
from core.ports import Now
from core.storage import Store
from core.words import Words

log = logging.getLogger(__name__)

LOOK_AGAIN = 30.0
"""Seconds: how soon a store that fails is looked into again."""
GRACE = 4.0
"""Seconds for what is in hand to come to its end. A host that stops us waits longer, ten at least."""


class Discord:
    """Runs until it is cancelled; `stop` then lets what is in hand come to its end."""

    def __init__(
        self,
        settings: DiscordSettings,
        *,
        store: Store,
        companion: Companion,
        outreach: Outreach,
        words: Words,
        now: Now,
        tell: Tell,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._words, self._outreach = words, outreach
        self._line = Connection(settings, tell, sleep=sleep)
        self._requests = Requests(settings.api, settings.token, asyncio.get_running_loop().time)
        exchanges = Exchanges(self._requests, now, sleep)
        self._adapter = Adapter(
            words=words,
            companion=companion,
            outreach=outreach,
            exchanges=exchanges,
            files=Files(settings.api),
            sent=store,
            now=now,
        )
        self._pacer = Pacer(PACE)
        messenger = Messenger(self._requests, exchanges, words, self._pacer.refused)
        outreach.connect(PLATFORM, messenger, self._permit, self._pacer.free)

    async def run(self) -> Never:
        """Connect, go on with what an earlier process left, and take what comes."""
        beside = [asyncio.create_task(doing) for doing in (self._go_on(), self._show_commands())]
        try:
            adapter = self._adapter
            guilds = dict.fromkeys(("GUILD_CREATE", "GUILD_UPDATE"), adapter.guild)
            await self._line.run({"INTERACTION_CREATE": adapter.interaction, "MESSAGE_CREATE": adapter.message, **guilds})
        finally:
            for task in beside:
                task.cancel()

    async def _go_on(self) -> None:
        """Have sent what was owed by an earlier process: as soon as the store can be used."""
        while True:
            try:
                await self._outreach.recover(PLATFORM)
            except StorageUnavailable:
                await asyncio.sleep(LOOK_AGAIN)
            else:
                return

    async def _show_commands(self) -> None:
        await self._line.ready.wait()
        try:
            await commands.sync(self._requests, self._line.app, self._words)
        except (NotSent, MaybeSent, Refusal) as error:  # those of an earlier start are there; the next one tries again
            log.warning("menus.not_set", extra={"error": type(error).__name__})

    async def settles(self) -> None:
        """Return once what was received is handled, and what is owed for it was sent."""
        await self._adapter.done()
        await self._outreach.done()

    async def stop(self, grace: float = GRACE) -> None:
        """Let what is in hand come to its end, for so many seconds, then let Discord go: the rest is on disk."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.settles()
        await self._adapter.stop()
        await self._requests.close()

    def _permit(self, delivery: Delivery) -> AbstractAsyncContextManager[None]:
        """Let answers to interactions go at once: Discord does not count them, and they have three seconds."""
        if "interaction" in delivery.reply:
            return nullcontext()
        return self._pacer.permit(delivery.address, bulk=delivery.until is not None)


def platform(
    settings: DiscordSettings, *, store: Store, outreach: Outreach, words: Words, now: Now, tell: Tell
) -> Callable[[Companion], Coroutine[Any, Any, None]]:
    """Return Discord as what the running bot attends to: it takes in what members do until it is cancelled."""

    async def attend(companion: Companion) -> None:
        discord = Discord(settings, store=store, companion=companion, outreach=outreach, words=words, now=now, tell=tell)
        try:
            await discord.run()
        finally:
            await discord.stop()

    return attend
