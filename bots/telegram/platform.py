"""Telegram as one platform of the running bot."""

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
from typing import Never

from bots.telegram.adapter import Adapter
from bots.telegram.connection import Connection, Sleep
from bots.telegram.polling import Tell
from bots.telegram.settings import TelegramSettings
from bots.telegram.updates import PLATFORM
from core.companion import Companion
from core.intake import Intake
from core.ledger import Delivery
from core.outreach import Outreach
from core.ports import Now
from core.storage import Store
from core.words import Words

GRACE = 5.0
"""Seconds for what is in hand to come to its end. A host that stops us waits longer, ten at least."""


class Telegram:
    """Runs until it is cancelled; `stop` then lets what is in hand come to its end."""

    def __init__(
        self,
        settings: TelegramSettings,
        *,
        store: Store,
        companion: Companion,
        outreach: Outreach,
        words: Words,
        now: Now,
        tell: Tell,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._line = Connection(settings, tell, sleep=sleep)
        self._words, self._outreach = words, outreach
        self._adapter = Adapter(self._line.bot, words=words, companion=companion, outreach=outreach, addresses=store, now=now)
        self._intake = Intake(PLATFORM, store, self._adapter)
        outreach.connect(PLATFORM, self._line.messenger(words, store.move_address), self._permit)

    async def run(self) -> Never:
        """Say hello to Telegram, go on with what an earlier process left, then take what comes."""
        await self._line.greet()
        await self._intake.recover()
        await self._outreach.recover()
        await self._line.run(self._intake, self._words)

    async def settles(self) -> None:
        """Return once what was received is handled, and what is owed for it was sent."""
        await self._intake.done()
        await self._adapter.done()
        await self._outreach.done()

    async def stop(self, grace: float = GRACE) -> None:
        """Let what is in hand come to its end, for so many seconds, then let Telegram go: the rest is on disk."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.settles()
        await self._intake.stop()
        await self._line.close()

    def _permit(self, delivery: Delivery) -> AbstractAsyncContextManager[None]:
        return self._line.pacer.permit(delivery.address, bulk=delivery.until is not None)
