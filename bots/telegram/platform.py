"""Telegram as one platform of the running bot."""

from contextlib import AbstractAsyncContextManager
from typing import Never

from bots.telegram.adapter import Adapter
from bots.telegram.connection import Connection
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
    ) -> None:
        self._line = Connection(settings, tell)
        self._words, self._outreach = words, outreach
        adapter = Adapter(self._line.bot, words=words, companion=companion, outreach=outreach, addresses=store, now=now)
        self._intake = Intake(PLATFORM, store, adapter)
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
        await self._outreach.done()

    async def stop(self) -> None:
        """Let what is in hand come to its end, then let Telegram go."""
        await self.settles()
        await self._line.close()

    def _permit(self, delivery: Delivery) -> AbstractAsyncContextManager[None]:
        return self._line.pacer.permit(delivery.address, bulk=delivery.until is not None)
