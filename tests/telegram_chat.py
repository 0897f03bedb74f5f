"""A member who talks to the bot over real sockets: the real client library against the Bot API of the tests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from bot_api import TOKEN, BotApi
from bots import bootstrap
from bots.telegram.platform import Telegram
from bots.telegram.settings import TelegramSettings, Webhook
from chat import Clock, library
from core.companion import Companion
from core.enduring import EnduringRecords
from core.memory import MemoryRecords
from core.outreach import Outreach
from core.ownership import Ownership
from core.storage import Store, StoreRecords
from fakes import ring

words = library().words


@dataclass
class Running:
    """A bot that runs, what it keeps, and what Telegram is to it."""

    api: BotApi
    store: Store
    telegram: Telegram
    told: list[str]
    """What its operator was told."""

    async def rests(self) -> None:
        """Return once all that members did was handled, and all that is owed for it was sent."""
        await self.api.until(lambda: not self.api.waiting)
        await self.telegram.settles()


@asynccontextmanager
async def running(
    folder: Path,
    api: BotApi,
    *,
    now: Callable[[], datetime] | None = None,
    fresh_id: Callable[[], str] | None = None,
    webhook: Webhook | None = None,
) -> AsyncIterator[Running]:
    """Run the bot in this event loop, on a store in a folder, until the block ends."""
    now = now or Clock()
    numbers = count(1)
    async with Store(folder / "hipwise.db", ring(), now) as store:
        records = EnduringRecords(StoreRecords(store), MemoryRecords())
        ownership = Ownership(library(), records, now, bootstrap.signed_off)
        companion = Companion(library(), records, now, fresh_id or (lambda: f"{next(numbers):08x}{0:08x}"), ownership)
        told: list[str] = []
        settings = TelegramSettings(TOKEN, api.url, webhook)
        telegram = Telegram(
            settings,
            store=store,
            companion=companion,
            outreach=Outreach(store, {}, now),
            words=words,
            now=now,
            tell=told.append,
        )
        task = asyncio.create_task(telegram.run())
        try:
            yield Running(api, store, telegram, told)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await telegram.stop()
