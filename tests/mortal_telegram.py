"""Hipwise on Telegram, in a process for each of its lives: `python tests/mortal_telegram.py`.

MORTAL_FOLDER and MORTAL_KEYS say where the store is and what opens it, MORTAL_API where the Bot API is. Each line of the
input, such as `save.before:3`, starts a process, and names the step at which it is killed, and the how manyth time it comes
there, as small_bot.py has it; one that is not killed ends with SIGTERM. All of them are forked from this one, which only
imports and waits: so a start takes little.

The steps are put in here, around the ports and the requests; the program itself knows nothing of them. Each request by
which a delivery is sent says in its address which one that is, and whether the server is to kill us once it has it.
"""

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch
from urllib.parse import urlencode

from bot_api import TOKEN
from bots import bootstrap, logs
from bots.telegram import connection
from bots.telegram.platform import Telegram
from bots.telegram.request import AiohttpRequest
from bots.telegram.settings import TelegramSettings
from bots.telegram.updates import PLATFORM
from content import loader
from core.companion import Companion
from core.enduring import EnduringRecords
from core.intake import Intake, Update
from core.ledger import Delivery, Kind
from core.library import Library
from core.memory import MemoryRecords
from core.outreach import Free, Outreach, Permit, at_once, not_known
from core.ownership import Ownership
from core.ports import Messenger
from core.storage.erased import ErasedList
from core.vault import KeyRing
from small_bot import MortalReader, MortalRecords, MortalStore, Steps

NOWHERE = "nowhere:0"
_about: ContextVar[dict[str, str] | None] = ContextVar("_about", default=None)
"""The delivery that is being sent."""


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
        about = _about.get()
        return await super().do_request(url if about is None else f"{url}?{urlencode(about)}", *given, **more)


@dataclass(frozen=True)
class MortalMessenger:
    """A messenger that may be killed before, within and after a send."""

    messenger: Messenger
    steps: Steps

    async def send(self, delivery: Delivery) -> str | None:
        """Send a delivery."""
        self.steps.come_to("send.before")
        kill = {"kill": str(os.getpid())} if self.steps.is_time("send.taken") else {}
        telling = _about.set(_told_of(delivery) | kill)
        try:
            message = await self.messenger.send(delivery)
        finally:
            _about.reset(telling)
        self.steps.come_to("send.after")
        return message


def _told_of(delivery: Delivery) -> dict[str, str]:
    screen = delivery.kind is Kind.QUESTION or bool(delivery.reply.get("fleeting"))
    return {
        "delivery": delivery.id,
        "kind": delivery.kind,
        "screen": str(screen),
        "marked": str(delivery.marked),
        "edits": str(delivery.edits is not None),
    }


class MortalOutreach(Outreach):
    """Sends with messengers that may be killed."""

    def __init__(self, store: MortalStore) -> None:
        super().__init__(store, {}, bootstrap.now)
        self._steps = store.steps

    def connect(self, platform: str, messenger: Messenger, permit: Permit = at_once, free: Free = not_known) -> None:
        """Have a platform's messages sent."""
        super().connect(platform, MortalMessenger(messenger, self._steps), permit, free)


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


@dataclass(frozen=True, slots=True)
class Hipwise:
    """What runs."""

    store: MortalStore
    telegram: MortalTelegram
    outreach: Outreach


@asynccontextmanager
async def hipwise(folder: Path, ring: KeyRing, api: str, steps: Steps, library: Library) -> AsyncIterator[Hipwise]:
    """Give a Hipwise that takes updates; in the end it finishes what is in hand."""
    erased = ErasedList(ring, (folder / "beside-the-backups", folder / "beside-the-keys"))
    async with MortalStore(folder / "hipwise.db", ring, bootstrap.now, erased=erased) as store:
        await store.purge(bootstrap.now())
        await store.watch(steps)
        records = EnduringRecords(MortalRecords(store, folder / "told"), MemoryRecords())
        ownership = Ownership(library, records, bootstrap.now, bootstrap.signed_off)
        telegram = MortalTelegram(
            TelegramSettings(TOKEN, api),
            store=store,
            companion=Companion(library, records, bootstrap.now, bootstrap.fresh_id, ownership),
            outreach=(outreach := MortalOutreach(store)),
            words=library.words,
            now=bootstrap.now,
            tell=lambda _: None,
        )
        runs = asyncio.create_task(telegram.run())
        try:
            yield Hipwise(store, telegram, outreach)
        finally:
            runs.cancel()
            await asyncio.wait({runs})
            await telegram.stop()
            await outreach.stop()


async def run(environment: Mapping[str, str], library: Library, die: str) -> None:
    """Run until told to end."""
    at, _, turn = die.partition(":")
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    folder, ring = Path(environment["MORTAL_FOLDER"]), KeyRing.parse(environment["MORTAL_KEYS"])
    steps = Steps(at, int(turn), merciless=False)
    async with hipwise(folder, ring, environment["MORTAL_API"], steps, library):
        await ended.wait()


def lives() -> None:
    """Live once for each line of the input, each time in a process of its own; say its id, and with which code it ended."""
    library = loader.load()
    for line in sys.stdin:
        if not (pid := os.fork()):
            _live(library, line.strip())
        _say(pid)
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _live(library: Library, die: str) -> NoReturn:
    code = 1
    try:
        asyncio.run(run(os.environ, library, die))
        code = 0
    except Exception:  # noqa: BLE001 - whatever it is, it is told and the code says so
        traceback.print_exc()
    finally:
        os._exit(code)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logs.set_up("WARNING")
    lives()
