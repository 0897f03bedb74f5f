"""A member who talks to the bot over real sockets: the real client library against the Bot API of the tests."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from bot_api import TOKEN, BotApi, Member
from bots import bootstrap
from bots.telegram.connection import Sleep
from bots.telegram.platform import Telegram
from bots.telegram.settings import TelegramSettings, Webhook
from chat import Clock, library
from content import loader
from core.coaching import Coaching
from core.companion import Companion
from core.enduring import EnduringRecords
from core.linking import Linking
from core.memory import MemoryRecords
from core.organising import Organising
from core.outreach import Outreach
from core.ownership import Ownership
from core.ports import Rights
from core.storage import Store, StoreRecords
from core.timetable import Timetable
from fakes import ring

words = library().words
GRACE = 0.3
"""Seconds for a bot to end in: tests leave some that wait for an hour."""


@dataclass
class Waits:
    """A sleep that remembers for how long it was asked, and hardly takes any time."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0.001)


@dataclass
class Running:
    """A bot that runs, what it keeps, and what Telegram is to it."""

    api: BotApi
    store: Store
    telegram: Telegram
    outreach: Outreach
    running: asyncio.Task[None]
    told: list[str]
    """What its operator was told."""
    before: int
    """How often updates had been asked for before it ran."""

    def member(self, id: int, name: str) -> Member:
        """Return someone's private chat with the bot."""
        return self.api.private(self.api.user(id, name))

    async def rests(self) -> None:
        """Return once all that members did was handled, and all that is owed for it was sent."""
        await self.api.until(lambda: asked(self.api) > self.before and not self.api.waiting)
        async with asyncio.timeout(10):
            await self.telegram.settles()

    async def is_told(self, sentence: str) -> None:
        """Wait until the operator was told something."""
        await self.api.until(lambda: any(sentence in each for each in self.told))


def asked(api: BotApi) -> int:
    """Return how often a bot has asked for updates, one way or the other."""
    return len(api.calls("getUpdates")) + len(api.calls("setWebhook"))


@asynccontextmanager
async def running(
    folder: Path,
    api: BotApi,
    *,
    now: Callable[[], datetime] | None = None,
    fresh_id: Callable[[], str] | None = None,
    webhook: Webhook | None = None,
    token: str = TOKEN,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Running]:
    """Run the bot in this event loop, on a store in a folder, until the block ends."""
    now, before = now or Clock(), asked(api)
    numbers = count(1)
    async with Store(folder / "hipwise.db", ring(), now) as store:
        records = EnduringRecords(StoreRecords(store), MemoryRecords())
        ownership = Ownership(library(), records, now, bootstrap.signed_off)
        fresh = fresh_id or (lambda: f"{next(numbers):08x}{0:08x}")
        linking = Linking(library(), ownership, now, secrets.randbits)
        rights, timetable = dict[str, Rights](), Timetable()
        organising = Organising(
            library(), store, rights, timetable, now=now, fresh_id=fresh, languages=loader.languages(), region=None
        )
        companion = Companion(
            library(),
            records,
            now,
            fresh,
            ownership,
            linking=linking,
            coaching=Coaching(library(), timetable),
            organising=organising,
        )
        told: list[str] = []
        outreach = Outreach(store, {}, now, sleep=sleep)
        telegram = Telegram(
            TelegramSettings(token, api.url, webhook),
            store=store,
            companion=companion,
            outreach=outreach,
            words=words,
            rights=rights,
            now=now,
            tell=told.append,
            sleep=sleep,
        )
        task = asyncio.create_task(telegram.run())
        try:
            yield Running(api, store, telegram, outreach, task, told, before)
        finally:
            task.cancel()
            await asyncio.wait([task])
            await telegram.stop(GRACE)
            await outreach.stop()
        if not task.cancelled():
            task.result()
