"""Hipwise on Telegram, in a process for each of its lives: `python tests/mortal_telegram.py`; mortal.py says how.

MORTAL_API is where the Bot API is. Each request by which a delivery is sent says in its address which one that is, and
whether the server is to kill us once it has it.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from bot_api import TOKEN
from bots.telegram import connection
from bots.telegram.platform import Telegram
from bots.telegram.request import AiohttpRequest
from bots.telegram.settings import TelegramSettings
from bots.telegram.updates import PLATFORM
from core.intake import Intake, Update
from core.library import Library
from core.vault import KeyRing
from mortal import Hipwise, MortalReader, MortalStore, Steps, about, lives
from mortal_days import hasty, living, passing


class MortalRequest(AiohttpRequest):
    """Requests that say what they are about; one that acknowledges may be killed before, within and after it."""

    def __init__(self, steps: Steps, **given: Any) -> None:
        super().__init__(**given)
        self._steps = steps

    async def do_request(self, url: str, *given: Any, **more: Any) -> tuple[int, bytes]:
        """Ask."""
        if "/getUpdates?" in url and "&offset=" in url:
            self._steps.come_to("acknowledge.before")
            kill = {"kill": str(os.getpid())} if self._steps.is_time("acknowledge.taken") else {}
            answer = await super().do_request(f"{url}&{urlencode(kill)}", *given, **more)
            self._steps.come_to("acknowledge.after")
            return answer
        told = about.get()
        return await super().do_request(url if told is None else f"{url}?{urlencode(told)}", *given, **more)


class MortalIntake(Intake):
    """Takes updates, and may be killed before and after it did."""

    def __init__(self, store: MortalStore, reader: MortalReader) -> None:
        super().__init__(PLATFORM, store, reader)
        self._steps = store.steps

    async def receive(self, updates: Sequence[Update]) -> None:
        """Take some."""
        self._steps.come_to("receive.before")
        await super().receive(updates)
        self._steps.come_to("receive.after")


class MortalTelegram(Telegram):
    """Telegram, with an intake that may be killed."""

    def __init__(self, settings: TelegramSettings, *, store: MortalStore, **given: Any) -> None:
        with patch.object(connection, "AiohttpRequest", partial(MortalRequest, store.steps)):
            super().__init__(settings, store=store, **given)
        self._intake = MortalIntake(store, MortalReader(self._adapter, store.steps))


@asynccontextmanager
async def hipwise(
    folder: Path, ring: KeyRing, steps: Steps, library: Library, *, api: str | None = None, time: int | None = None
) -> AsyncIterator[Hipwise]:
    """Give a Hipwise that takes updates; in the end it finishes what is in hand."""
    async with living(folder, ring, steps, library, time) as built:
        with hasty(connection, time):
            telegram = MortalTelegram(
                TelegramSettings(TOKEN, api or os.environ["MORTAL_API"]),
                store=built.store,
                companion=built.companion,
                outreach=built.outreach,
                words=library.words,
                rights={},
                now=built.now,
                tell=lambda _: None,
            )
        runs = asyncio.create_task(telegram.run())
        try:
            async with passing(built, telegram.settles):
                yield Hipwise(built.store, telegram.settles)
        finally:
            runs.cancel()
            await asyncio.wait({runs})
            await telegram.stop()
            await built.outreach.stop()


if __name__ == "__main__":
    lives(hipwise)
