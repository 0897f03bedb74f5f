"""A Hipwise that is stopped for longer than any of its timeouts and goes on: what it writes first comes once to everybody.

A real process, stopped by SIGSTOP in the middle of its sends and continued by SIGCONT, against the Bot API of the tests.
"""

import asyncio
import os
import signal
from collections import Counter
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path

import pytest

from bot_api import BotApi, Request
from bots import bootstrap
from bots.telegram.updates import PLATFORM
from chat import library
from core import consents
from core.diary import Age, Diary, Quiet, Slot, to_json
from core.members import Address
from core.planning import Planning
from core.record import Change
from core.storage import Store
from core.vault import KeyRing
from fakes import PLAIN
from test_telegram_run import KEY, given, process

MEMBERS = 40
STOPPED = 17.0
"""Seconds: more than a request may take from its beginning to its end."""
LATENCY = 0.3
"""Seconds in which a message is on its way, so that several are."""
WORDS = library().words

pytestmark = pytest.mark.prove


@dataclass
class Stopping(BotApi):
    """A Bot API that stops whoever asks it for so many messages: before it does the last of them, or before it answers."""

    number: int = 1
    done_first: bool = True
    pid: int = 0
    messages: Counter[int] = field(default_factory=Counter)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        super().__init__()

    async def _do(self, request: Request, token: str) -> None:
        if request.method != "sendmessage":
            await super()._do(request, token)
            return
        if not self.done_first:
            self._stop()
        await asyncio.sleep(LATENCY)
        await super()._do(request, token)
        assert request.chat is not None
        self.messages[request.chat] += 1
        if self.done_first:
            self._stop()

    def _stop(self) -> None:
        self.number -= 1
        if self.number == 0:
            os.kill(self.pid, signal.SIGSTOP)
            self.stopped.set()


async def due_now(store: Store, chats: list[int]) -> None:
    """Keep members who ran a while ago and are to be asked about it now."""
    now = bootstrap.now()
    ran = now - timedelta(minutes=92)
    diary = Diary(age=Age.ADULT, quiet=Quiet(time(), time()), delay=30, plan=(Slot(ran.weekday(), time(ran.hour, ran.minute)),))
    agreed = (consents.as_kept(WORDS, "check_ins", now, given=True),)
    for chat in chats:
        await store.save_turn(Address(PLATFORM, str(chat)), Change(None, PLAIN, consents=agreed, diary=to_json(diary)))
    await store.plan_due(Planning(library()).plan, now, MEMBERS)


@pytest.mark.parametrize("done_first", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("number", [1, 20])
async def test_a_process_that_is_stopped_and_goes_on_writes_to_everybody_once(
    tmp_path: Path, number: int, *, done_first: bool
) -> None:
    file = tmp_path / "hipwise.db"
    async with Stopping(number=number, done_first=done_first) as api:
        phones = [api.private(api.user(1000 + n, f"Member {n}")) for n in range(MEMBERS)]
        for phone in phones:
            phone.chat.begun = True
        chats = [phone.chat.id for phone in phones]
        async with Store(file, KeyRing.parse(KEY), bootstrap.now) as store:
            await due_now(store, chats)
        async with process(given(tmp_path, api.url, DATABASE_URL=f"sqlite:///{file}")) as bot:
            api.pid = bot.pid
            await asyncio.wait_for(api.stopped.wait(), 30)
            await asyncio.sleep(STOPPED)
            bot.send_signal(signal.SIGCONT)
            await api.until(lambda: len(api.messages) == MEMBERS, within=60)
            await asyncio.sleep(5)
            bot.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(bot.wait(), 15) == 0
        async with Store(file, KeyRing.parse(KEY), bootstrap.now) as store:
            tallies = await store.tallies()
    assert tallies.conserved
    assert tallies.sent == MEMBERS
    assert api.messages == dict.fromkeys(chats, 1)
