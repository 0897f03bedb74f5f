"""What Hipwise writes first on Telegram and on Discord: killed hard at any step, nothing is lost, and nothing comes twice.

But on Telegram, which knows no way to ask whether a message is there, a check-in that was in flight comes once more, with the
same buttons and inside its window. A tip that was in flight is never sent again, on either.
"""

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import time as clock
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import mortal_discord
import mortal_telegram
from bot_api import BotApi, Request
from bots.discord.interactions import PLATFORM as DISCORD
from chat import library
from core.calendar import weekly
from core.club import Club
from core.diary import Slot
from core.members import Address
from core.organising.posting import AFTER, POSTED_FOR
from core.storage import Store
from core.vault import KeyRing
from discord_api import DiscordApi
from discord_api import Request as DiscordRequest
from discord_api.messages import Nonces
from discord_api.routes import Route
from killed import LIFE, RING, proved, world
from killed_days import HEAD, PARTS, START, Cast, DaysAccount, Lived, Time, accounted, rehearsed
from mortal import UNHARMED
from mortal_days import STEPS
from planned_chat import Conversation, Phone

AT_ONCE = 2
"""Processes that run at the same time."""
MOST = 10
"""How often a process comes to its step at most before it is killed."""
LATENCY = 0.02
"""Seconds in which a message is on its way, so that several are when a process dies."""
PATIENCE = 300
"""Seconds for which an interaction on Discord can be answered in this proof."""
SETTLES = 0.05
"""Seconds after which nothing is on its way any more from a process that is dead."""
HOURS, LONDON, DAY = range(7, 19, 2), "Europe/London", timedelta(days=1)
"""At which hours clubs run, by a clock that shows UTC at this time of the year."""
SAYS = ("callback", "edit_original", "send")
"""The calls of Discord by which something is said."""

pytestmark = pytest.mark.prove


# ---------------------------------------------------------------- Telegram


class Staged:
    """A platform with a cast on it."""

    cast: Cast

    @property
    def closing(self) -> bool:
        """Whether nobody new is to come."""
        return self.cast.closing

    @closing.setter
    def closing(self, closing: bool) -> None:
        self.cast.closing = closing

    @property
    def done(self) -> bool:
        """Whether everybody has come to their end."""
        return self.cast.done

    def stuck(self) -> Any:
        """Yield who waits, and for what."""
        return self.cast.stuck()


class Telegram(Staged, BotApi):
    """A Bot API with a cast on it. It kills whoever asks for that: before it does what is asked for, or before it answers."""

    def __init__(self, time: Time) -> None:
        super().__init__(now=time)
        self.cast = Cast(time, lambda n: Phone(self.private(self.user(1000 + n, f"Member {n}"))))
        time.rests = lambda: self.cast.rests and not self.waiting

    async def is_founded(self, folder: Path) -> None:
        """Leave it at that: nothing is posted in a group."""

    def otherwise(self) -> Iterator[str]:
        """Yield nothing."""
        yield from ()

    @property
    def posts(self) -> int:
        """How many buttons there are in groups."""
        return 0

    async def is_awake(self) -> None:
        """Leave it at that: Telegram hands over again what was not acknowledged."""

    async def is_dead(self, folder: Path) -> None:
        """Have its members take that in, once nothing is on its way any more."""
        await asyncio.sleep(SETTLES)
        await self.cast.changes(folder)

    async def _do(self, request: Request, token: str) -> None:
        about = request.params
        pid, says = about.number("kill"), request.method in ("sendmessage", "editmessagetext")
        if about.text("occasion"):
            await asyncio.sleep(LATENCY)
        if not (pid and says and about.text("undone")):
            await super()._do(request, token)
            if says and about.text("delivery") and request.code == 200:
                self._show(request)
        if pid and says:
            _kill(pid)

    def _show(self, request: Request) -> None:
        message = self.world.chats[request.chat or 0].messages[request.answer["result"]["message_id"]]
        told = {name: request.params.text(name) for name in ("delivery", "to", "kind", "occasion", "until")}
        self.cast.sees(told, message.text, message)


# ---------------------------------------------------------------- Discord


class Discord(Staged, DiscordApi):
    """A Discord with a cast on it, which kills as Telegram does; and with clubs that want a button after their runs."""

    def __init__(self, time: Time) -> None:
        super().__init__(now=time)
        self._club, self._deaths = self.guild("Runners"), 0
        self._posting = {hour: self._club.adds_channel(f"runs-{hour}") for hour in HOURS}
        self.cast = Cast(time, self._appears)
        time.rests = lambda: self.cast.rests

    async def is_founded(self, folder: Path) -> None:
        """Keep the clubs: each has a run every day, at an hour of its own."""
        async with Store(folder / "hipwise.db", KeyRing.parse(RING), self.world.now) as store:
            for hour, channel in self._posting.items():
                runs = (weekly(Slot(day, clock(hour)), LONDON) for day in range(7))
                club = Club(f"{hour:08x}", Address(DISCORD, f"guild/{hour}"), "Runners", zone=LONDON, channel=str(channel.id))
                await store.keep_club(club.with_typed(*runs))

    def otherwise(self) -> Iterator[str]:
        """Yield after which run there is no button in its channel, or more than one."""
        for hour, channel in self._posting.items():
            first = START + timedelta(hours=hour + 1) + AFTER
            came = Counter((message.at - first) // DAY for message in channel.messages.values())
            over = (self.world.now() - first - POSTED_FOR) // DAY + 1
            yield from (f"{came[day]} came after the run of {hour}, day {day}" for day in range(over) if came[day] != 1)
            yield from (f"{number} came after the run of {hour}, day {day}" for day, number in came.items() if number > 1)

    @property
    def posts(self) -> int:
        """How many buttons there are."""
        return sum(len(channel.messages) for channel in self._posting.values())

    def _appears(self, number: int) -> Conversation:
        user = self.user(1000 + number, f"Member {number}")
        self._club.member(user)
        return Conversation(self.dm(user))

    async def is_awake(self) -> None:
        """Have members press again what was lost, once a process listens."""
        await self.until(lambda: self.gateway.ready and bool(self.commands.all[None]), within=LIFE)
        self.cast.presses_again()

    async def is_dead(self, folder: Path) -> None:
        """Have its members take that in, once nothing is on its way any more."""
        await self.until(lambda: not self.gateway.live, within=LIFE)
        await asyncio.sleep(SETTLES)
        self._deaths += 1
        if self._deaths % 2:  # as where it was down for longer than Discord remembers what was sent under which nonce
            self.channels.nonces = Nonces()
        await self.cast.changes(folder)

    async def _respond(self, http: Any, request: DiscordRequest, fault: Any) -> Any:
        if "occasion" in request.call.query:
            await asyncio.sleep(LATENCY)
        return await super()._respond(http, request, fault)

    def _do(self, route: Route, request: DiscordRequest, authorization: str | None) -> None:
        about = request.call.query
        pid, says = int(about.get("kill", 0)), route.name in SAYS
        if not (pid and says and about.get("undone")):
            super()._do(route, request, authorization)
            if says and "delivery" in about and request.done:
                self._show(request, about)
        if pid and says:
            _kill(pid)

    def _show(self, request: DiscordRequest, about: Mapping[str, str]) -> None:
        place = request.call.place
        if "channel_id" in place:
            message = self.world.channels[int(place["channel_id"])].messages[int(request.answer["id"])]
        else:
            found = next(one.original for one in self.interactions.all if one.token == place["token"])
            assert found is not None
            message = found
        if message.channel in self._posting.values():
            self.cast.time.touched = True
            return
        self.cast.sees(about, message.text, message)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # two of its requests were on their way
        os.kill(pid, signal.SIGKILL)


# ---------------------------------------------------------------- The proofs


@contextlib.asynccontextmanager
async def telegram() -> AsyncIterator[tuple[Telegram, dict[str, str]]]:
    """Give a Telegram, and how a process is told where it is."""
    async with Time() as time, Telegram(time) as api:
        yield api, {"MORTAL_API": api.url, "MORTAL_TIME": str(time.port)}


@contextlib.asynccontextmanager
async def discord() -> AsyncIterator[tuple[Discord, dict[str, str]]]:
    """Give a Discord, and how a process is told where it is."""
    async with Time() as time, Discord(time) as api:
        where = {"MORTAL_API": api.url, "MORTAL_GATEWAY": api.gateway_url, "MORTAL_TIME": str(time.port)}
        yield api, {**where, "MORTAL_PATIENCE": str(PATIENCE)}


async def without_kills(folder: Path, platform: Any, hipwise: Any) -> Mapping[str, Lived]:
    """Return what members live through where nobody is killed."""
    (folder / "rehearsal").mkdir()
    async with platform() as (api, where):
        await api.cast.changes(folder / "rehearsal")
        more = {"gateway": where["MORTAL_GATEWAY"]} if "MORTAL_GATEWAY" in where else {}
        at = {"api": api.url, "time": int(where["MORTAL_TIME"]), **more}
        async with hipwise(folder / "rehearsal", KeyRing.parse(RING), UNHARMED, library(), **at) as runs:
            return await rehearsed(api.cast, runs, api.until)


@pytest.mark.parametrize(
    ("platform", "script", "may_double"),
    [(telegram, mortal_telegram, True), (discord, mortal_discord, False)],
    ids=["telegram", "discord"],
)
async def test_what_is_written_first_is_not_lost_and_not_doubled_wherever_a_process_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], platform: Any, script: Any, may_double: bool
) -> None:
    expected, turn = await without_kills(tmp_path, platform, script.hipwise), asyncio.Semaphore(AT_ONCE)
    assert {name for name, lived in expected.items() if lived.heard} == {part.name for part in PARTS}

    posts: list[int] = []

    async def killed(step: str) -> DaysAccount:
        name = Path(script.__file__).name
        async with turn, platform() as (api, where), world(step, tmp_path, name, api, **where) as here:
            api.cast.expected = expected
            await api.cast.changes(here.folder)
            await api.is_founded(here.folder)
            here.most = MOST
            await here.lives()
            account = await accounted(here, api.cast, may_double=may_double)
            posts.append(api.posts)
            return replace(account, faults=(*account.faults, *api.otherwise()))

    accounts = await asyncio.gather(*(killed(step) for step in STEPS))

    proved(accounts, STEPS, capsys, HEAD)
    assert all(account.in_flight for account in accounts if account.step.startswith("send"))
    assert sum(account.unknown for account in accounts) > 0
    assert all(posts) is not may_double
    assert (sum(account.pressed for account in accounts) > 0) is may_double
