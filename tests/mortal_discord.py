"""Hipwise on Discord, in a process for each of its lives: `python tests/mortal_discord.py`; mortal.py says how.

MORTAL_API and MORTAL_GATEWAY are where Discord is. Each request by which a delivery is sent says in its address which one
that is, and whether the server is to kill us once it has it. A process that is to die deferring defers everything at once.
A start takes no time here: an interaction can be answered for MORTAL_PATIENCE seconds, and not for three. And of a gateway
that says nothing the library thinks that it is gone after MORTAL_SILENCE seconds, and not after a minute.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from bots.discord import adapter, connection, exchange, platform
from bots.discord.adapter import Adapter
from bots.discord.connection import Line
from bots.discord.exchange import DEFER, DEFER_UPDATE
from bots.discord.interactions import Asked
from bots.discord.platform import Discord
from bots.discord.request import Requests
from bots.discord.settings import DiscordSettings
from core.dialogue import Inbound
from core.library import Library
from core.vault import KeyRing
from discord_api import TOKEN
from mortal import Hipwise, Steps, about, labelled, lives
from mortal_days import hasty, living, passing

STEPS = labelled(
    commit=("before", "after"),
    handle=("before", "after"),
    save=("before", "after"),
    send=("before", "taken", "after"),
    defer=("before", "taken", "after"),
)
"""Where it may be killed."""


class MortalRequests(Requests):
    """Requests that say what they are about; one that defers may be killed before, within and after it."""

    def __init__(self, steps: Steps, *given: Any) -> None:
        super().__init__(*given)
        self._steps = steps

    async def ask(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        """Ask."""
        if not (isinstance(body, dict) and body.get("type") in (DEFER, DEFER_UPDATE)):
            return await super().ask(method, _told(path, about.get()), body, **more)
        self._steps.come_to("defer.before")
        kill = {"kill": str(os.getpid())} if self._steps.is_time("defer.taken") else {}
        answer = await super().ask(method, _told(path, kill), body, **more)
        self._steps.come_to("defer.after")
        return answer


def _told(path: str, told: dict[str, str] | None) -> str:
    return f"{path}{'&' if '?' in path else '?'}{urlencode(told)}" if told else path


class HastyLine(Line):
    """A line that soon notices that nothing comes any more."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._connection.heartbeat_timeout = float(os.environ.get("MORTAL_SILENCE", "60"))


class MortalAdapter(Adapter):
    """An adapter that may be killed before and after it acts."""

    def __init__(self, steps: Steps, **given: Any) -> None:
        super().__init__(**given)
        self._steps = steps

    async def _answer(self, inbound: Inbound, to: Asked | str) -> None:
        self._steps.come_to("handle.before")
        await super()._answer(inbound, to)
        self._steps.come_to("handle.after")


@asynccontextmanager
async def hipwise(
    folder: Path,
    ring: KeyRing,
    steps: Steps,
    library: Library,
    *,
    api: str | None = None,
    gateway: str | None = None,
    time: int | None = None,
) -> AsyncIterator[Hipwise]:
    """Give a Hipwise that listens; in the end it finishes what is in hand."""
    patience = timedelta(seconds=float(os.environ.get("MORTAL_PATIENCE", "3")))
    settings = DiscordSettings(TOKEN, api or os.environ["MORTAL_API"], gateway or os.environ["MORTAL_GATEWAY"])
    with _mortal(steps, patience), hasty(platform, time):
        async with living(folder, ring, steps, library, time) as built:
            discord = Discord(
                settings,
                store=built.store,
                companion=built.companion,
                outreach=built.outreach,
                words=library.words,
                now=built.now,
                tell=lambda _: None,
            )
            runs = asyncio.create_task(discord.run())
            try:
                async with passing(built, discord.settles):
                    yield Hipwise(built.store, discord.settles)
            finally:
                runs.cancel()
                await asyncio.wait({runs})
                await discord.stop()
                await built.outreach.stop()


@contextmanager
def _mortal(steps: Steps, patience: timedelta) -> Iterator[None]:
    """Put the steps into what the platform is built of."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(exchange, "ANSWERED_WITHIN", patience))
        stack.enter_context(patch.object(platform, "Requests", partial(MortalRequests, steps)))
        stack.enter_context(patch.object(platform, "Adapter", partial(MortalAdapter, steps)))
        stack.enter_context(patch.object(connection, "Line", HastyLine))
        if steps.at.startswith("defer"):
            stack.enter_context(patch.object(adapter, "DEFER_AFTER", 0.0))
        yield


if __name__ == "__main__":
    lives(hipwise)
