"""Telegram as one platform of the running bot."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Never

from bots.telegram.adapter import Adapter
from bots.telegram.connection import Connection, Sleep
from bots.telegram.polling import Tell
from bots.telegram.rights import Standings
from bots.telegram.settings import TelegramSettings
from bots.telegram.updates import PLATFORM
from core.companion import Companion
from core.errors import StorageUnavailable
from core.intake import Intake
from core.ledger import Delivery
from core.outreach import Outreach
from core.ports import Now, Rights
from core.storage import Store
from core.words import Words

FIRST_LOOK, LOOK_AGAIN = 5.0, 30.0
"""Seconds: how long updates wait at the start for what was left, and how soon a store that fails is looked into again."""
GRACE = 4.0
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
        rights: dict[str, Rights],
        now: Now,
        tell: Tell,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._line = Connection(settings, tell, sleep=sleep)
        self._words, self._outreach = words, outreach
        rights[PLATFORM] = standings = Standings(self._line.bot)
        self._adapter = Adapter(
            self._line.bot,
            files=self._line.files,
            rights=standings,
            words=words,
            companion=companion,
            outreach=outreach,
            addresses=store,
            now=now,
            sleep=sleep,
        )
        self._intake = Intake(PLATFORM, store, self._adapter)
        outreach.connect(PLATFORM, self._line.messenger(words, store.move_address), self._permit, self._line.pacer.free)

    async def run(self) -> Never:
        """Say hello to Telegram, go on with what an earlier process left, then take what comes."""
        async with self._line.listening(self._intake):
            await self._line.greet()
            going_on = asyncio.create_task(self._go_on())
            try:
                # What was left comes first, unless the store cannot be used: then nobody waits for it.
                await asyncio.wait({going_on}, timeout=FIRST_LOOK)
                await self._line.run(self._intake, self._words)
            finally:
                going_on.cancel()

    async def _go_on(self) -> None:
        """Have sent what was owed, and handled what was received, by an earlier process: as soon as the store can be used."""
        while True:
            try:
                # What is owed goes first: it answers what came before.
                await self._outreach.recover(PLATFORM)
                await self._intake.recover()
            except StorageUnavailable:
                await asyncio.sleep(LOOK_AGAIN)
            else:
                return

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


def platform(
    settings: TelegramSettings,
    *,
    store: Store,
    outreach: Outreach,
    words: Words,
    rights: dict[str, Rights],
    now: Now,
    tell: Tell,
) -> Callable[[Companion], Coroutine[Any, Any, None]]:
    """Return Telegram as what the running bot attends to: it takes in what members do until it is cancelled."""

    async def attend(companion: Companion) -> None:
        telegram = Telegram(
            settings, store=store, companion=companion, outreach=outreach, words=words, rights=rights, now=now, tell=tell
        )
        try:
            await telegram.run()
        finally:
            await telegram.stop()

    return attend
