"""A member who talks to the bot over real sockets: the real discord.py against the Discord of the tests."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp

from bots import bootstrap
from bots.discord import library
from bots.discord.connection import Sleep
from bots.discord.platform import Discord
from bots.discord.settings import OFFICIAL, DiscordSettings
from chat import Clock
from chat import library as the_library
from core.coaching import Coaching
from core.companion import Companion
from core.enduring import EnduringRecords
from core.linking import Linking
from core.memory import MemoryRecords
from core.organising import Organising, post
from core.outreach import Outreach
from core.ownership import Ownership
from core.planning import Planning
from core.ports import Records
from core.storage import Store, StoreRecords
from core.timetable import Timetable
from discord_api import TOKEN, Club, DiscordApi, Member
from fakes import ring
from scheduler.jobs import Job, planning, posting, sending

words = the_library().words
GRACE = 0.3
"""Seconds for a bot to end in: tests leave some that wait for an hour."""


@dataclass
class Running:
    """A bot that runs, what it keeps, and what Discord is to it."""

    api: DiscordApi
    store: Store
    discord: Discord
    outreach: Outreach
    running: asyncio.Task[None]
    told: list[str]
    """What its operator was told."""
    now: Callable[[], datetime]
    jobs: tuple[Job, ...]

    def dm(self, id: int, name: str) -> Member:
        """Return someone in their conversation with the bot; they are in a server with it."""
        user = self.api.user(id, name)
        self._club().member(user)
        return self.api.dm(user)

    def member(self, id: int, name: str) -> Member:
        """Return someone in the club's server."""
        return self._club().member(self.api.user(id, name))

    async def rests(self) -> None:
        """Return once all that members did was handled, and all that is owed for it was sent."""
        # An event is there once the gateway was heard; what it led to is there a moment later.
        for _ in range(2):
            await asyncio.sleep(0.02)
            async with asyncio.timeout(60):
                await self.discord.settles()

    async def ticks(self) -> None:
        """Have done what is due now."""
        for job in self.jobs:
            await job.what(self.now())
        await self.rests()

    async def is_told(self, sentence: str) -> None:
        """Wait until the operator was told something."""
        await self.api.until(lambda: any(sentence in each for each in self.told))

    def _club(self) -> Club:
        guild = next(iter(self.api.world.guilds.values()), None)
        return self.api.guild("Runners") if guild is None else Club(self.api, guild)


@contextmanager
def only_loopback() -> Iterator[None]:
    """Fail where anything is asked of another host, before its name is looked up."""
    connect = aiohttp.TCPConnector.connect

    async def checked(self: aiohttp.TCPConnector, req: aiohttp.ClientRequest, *rest: Any, **more: Any) -> Any:
        assert req.url.host == "127.0.0.1", f"a test asked for {req.url.host}"
        return await connect(self, req, *rest, **more)

    with patch.object(aiohttp.TCPConnector, "connect", checked):
        yield


@asynccontextmanager
async def running(
    folder: Path,
    api: DiscordApi,
    *,
    now: Callable[[], datetime] | None = None,
    fresh_id: Callable[[], str] | None = None,
    token: str = TOKEN,
    sleep: Sleep = asyncio.sleep,
    gateway: str | None = "",
    records: Callable[[Records], Records] = lambda kept: kept,
    ready: bool = True,
    coaching: Coaching | None = None,
    clubs: bool = False,
) -> AsyncIterator[Running]:
    """Run the bot in this event loop, on a store in a folder, until the block ends; by default it is connected by then.

    With `clubs` it knows of clubs, coaches, and does what is to be done by the clock whenever it is asked to.
    """
    now = now or Clock()
    numbers = count(1)
    settings = DiscordSettings(token, api.url, api.gateway_url if gateway == "" else gateway)
    async with Store(folder / "hipwise.db", ring(), now) as store, AsyncExitStack() as stack:
        stack.enter_context(only_loopback())
        kept = records(EnduringRecords(StoreRecords(store), MemoryRecords()))
        ownership = Ownership(the_library(), kept, now, bootstrap.signed_off)
        linking = Linking(the_library(), ownership, now, secrets.randbits)
        fresh = fresh_id or (lambda: f"{next(numbers):08x}{0:08x}")
        timetable, planned = Timetable(), Planning(the_library())
        organising = None
        if clubs:
            coaching, planned = Coaching(the_library(), timetable), Planning(the_library(), timetable)
            organising = Organising(
                the_library(), store, {}, timetable, now=now, fresh_id=fresh, languages=("en",), region=None
            )
            store.judged_by(planned.may)
        companion = Companion(
            the_library(), kept, now, fresh, ownership, linking=linking, coaching=coaching, organising=organising
        )
        told: list[str] = []
        outreach = Outreach(store, {}, now, sleep=sleep)
        discord = Discord(
            settings,
            store=store,
            companion=companion,
            outreach=outreach,
            words=words,
            now=now,
            tell=told.append,
            sleep=sleep,
        )
        task = asyncio.create_task(discord.run())
        try:
            if ready:
                await api.until(lambda: task.done() or (api.gateway.ready and bool(api.commands.all[None])))
            jobs = (planning(store, planned.plan, timetable), posting(store, timetable, partial(post, the_library())))
            yield Running(api, store, discord, outreach, task, told, now, (*jobs, sending(outreach)) if clubs else ())
        finally:
            task.cancel()
            await asyncio.wait([task])
            await discord.stop(GRACE)
            await outreach.stop()
            library.point(OFFICIAL, None)
        if not task.cancelled():
            task.result()
