"""Members to whom one Hipwise writes first, over real sockets, on Telegram, on Discord or on both, by a clock that is moved."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import bot_api
import discord_api
from bots import bootstrap
from bots.discord import library as discord_library
from bots.discord.interactions import PLATFORM as DISCORD
from bots.discord.platform import Discord
from bots.discord.settings import OFFICIAL, DiscordSettings
from bots.telegram.platform import Telegram
from bots.telegram.settings import TelegramSettings
from bots.telegram.updates import PLATFORM as TELEGRAM
from chat import Clock, library
from core import consents
from core.coaching import Coaching
from core.companion import Companion
from core.diary import Diary
from core.diary import from_json as diary_of
from core.diary import to_json as plain_of
from core.enduring import EnduringRecords
from core.ledger import Tallies
from core.linking import Linking
from core.members import Address, Preferences
from core.memory import MemoryRecords
from core.outreach import Outreach, Sleep
from core.ownership import Ownership
from core.planning import Planning
from core.record import Change
from core.storage import Store, StoreRecords
from core.timetable import Timetable
from discord_api import Kind
from discord_chat import only_loopback
from fakes import ring

words = library().words
GRACE = 0.3
"""Seconds for a platform to end in."""


# ---------------------------------------------------------------- Members


class Hands(Protocol):
    """Someone's app on a platform."""

    @property
    def address(self) -> Address:
        """Where they are."""
        ...

    @property
    def place(self) -> str | None:
        """Where their conversation is, where the address does not say that."""
        ...

    @property
    def texts(self) -> tuple[str, ...]:
        """What was said to them and stands there still."""
        ...

    def says(self, text: str) -> None:
        """Write something."""
        ...

    def presses(self, label: str, message: Any | None = None) -> None:
        """Press a button as it was on a message at first, or the newest with this label."""
        ...

    def looks(self, message: Any) -> tuple[str, ...]:
        """Return what a message first said, and what its buttons carry."""
        ...

    def found(self, text: str) -> list[Any]:
        """Return the messages that said this at first, also those that were changed since."""
        ...


class Phone:
    """Someone's private chat on Telegram."""

    place: str | None = None

    def __init__(self, member: bot_api.Member) -> None:
        self.member, self.address = member, Address(TELEGRAM, str(member.chat.id))
        member.chat.begun = True

    @property
    def texts(self) -> tuple[str, ...]:
        """What was said to them and stands there still."""
        return self.member.texts

    def says(self, text: str) -> None:
        """Write something."""
        self.member.says(text)

    def presses(self, label: str, message: Any | None = None) -> None:
        """Press a button."""
        for one in [message] if message else reversed(self.member.heard):
            for button in (one.versions[0] if message else one.content).buttons:
                if button.label == label and button.data:
                    self.member.forges(one, button.data)
                    return
        raise AssertionError(f"no {label!r} in {self.texts}")

    def looks(self, message: Any) -> tuple[str, ...]:
        """Return what a message said at first."""
        return (message.versions[0].text, *(button.data or "" for button in message.versions[0].buttons))

    def found(self, text: str) -> list[Any]:
        """Return the messages that said this at first."""
        return [message for message in self.member.heard if text in message.versions[0].text]


class Conversation:
    """Someone's conversation with the bot on Discord."""

    def __init__(self, member: discord_api.Member) -> None:
        self.member, self.address, self.place = member, Address(DISCORD, str(member.user.id)), str(member.channel.id)

    @property
    def texts(self) -> tuple[str, ...]:
        """What was said to them and stands there still."""
        return self.member.texts

    def says(self, text: str) -> None:
        """Write something, or use a command."""
        if text.startswith("/"):
            self.member.types(text)
        else:
            self.member.says(text)

    def presses(self, label: str, message: Any | None = None) -> None:
        """Press a button, or choose a line."""
        for one in [message] if message else reversed(self.member.heard):
            content = one.versions[0] if message else one.content
            for button in content.buttons:
                if button.label == label and button.custom_id:
                    self.member.presses(one, button.custom_id)
                    return
            for menu in content.menus:
                for option in menu.options:
                    if option.label == label:
                        self.member.presses(one, menu.custom_id, kind=Kind(menu.kind), values=[option.value])
                        return
        raise AssertionError(f"no {label!r} in {self.texts}")

    def looks(self, message: Any) -> tuple[str, ...]:
        """Return what a message said at first."""
        return (message.versions[0].text, *(button.custom_id or "" for button in message.versions[0].buttons))

    def found(self, text: str) -> list[Any]:
        """Return the messages that said this at first."""
        return [message for message in self.member.heard if text in message.versions[0].text]


# ---------------------------------------------------------------- A Hipwise


@dataclass
class Writing:
    """A Hipwise that writes first, what it keeps, and its clock."""

    store: Store
    outreach: Outreach
    planning: Planning
    clock: Clock
    settling: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def has(self, hands: Hands, diary: Diary, *kinds: str) -> None:
        """Have someone with a diary, who has agreed to these."""
        given = [consents.as_kept(words, kind, self.clock(), given=True) for kind in kinds]
        change = Change(None, Preferences(), consents=given, diary=plain_of(diary), place=hands.place)
        await self.store.save_turn(hands.address, change)

    async def diary(self, hands: Hands) -> Diary | None:
        """Return the diary of someone as it is kept."""
        kept = (await self.store.load(hands.address)).diary
        return None if kept is None else diary_of(kept)

    async def ticks(self) -> None:
        """Have the jobs done that are due now, and what they lead to."""
        while await self.store.plan_due(self.planning.plan, self.clock(), 50):
            pass
        await self.outreach.send_due()
        await self.rests()

    async def lives(self, until: datetime, *, by: timedelta = timedelta(minutes=30)) -> None:
        """Let the time pass."""
        while self.clock() < until:
            await self.ticks()
            self.clock.at = min(self.clock() + by, until)
        await self.ticks()

    async def rests(self) -> None:
        """Return once all that members did was handled, and all that is owed for it was sent."""
        for _ in range(2):  # an event is there once its platform was heard; what it led to is there a moment later
            await asyncio.sleep(0.02)
            async with asyncio.timeout(30):
                for settles in self.settling:
                    await settles()

    async def does(self, *deeds: Callable[[], None]) -> None:
        """Do something, each once what came before is done."""
        for deed in deeds:
            deed()
            await self.rests()

    async def tallies(self) -> Tallies:
        """Return the counts, which add up."""
        found = await self.store.tallies()
        assert found.conserved
        return found


@asynccontextmanager
async def writing(
    folder: Path,
    clock: Clock,
    telegram: bot_api.BotApi | None,
    discord: discord_api.DiscordApi | None,
    *,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Writing]:
    """Run a Hipwise on these platforms until the block ends; it is connected by then, and its jobs are done when asked for."""
    async with Store(folder / "hipwise.db", ring(), clock) as store:
        timetable, kept = Timetable(), EnduringRecords(StoreRecords(store), MemoryRecords())
        planning, coaching = Planning(library(), timetable), Coaching(library(), timetable)
        store.judged_by(planning.may)
        ownership = Ownership(library(), kept, clock, bootstrap.signed_off)
        linking = Linking(library(), ownership, clock, secrets.randbits)
        companion = Companion(library(), kept, clock, bootstrap.fresh_id, ownership, linking=linking, coaching=coaching)
        outreach = Outreach(store, {}, clock, sleep=sleep)
        given: dict[str, Any] = {
            "store": store,
            "companion": companion,
            "outreach": outreach,
            "words": words,
            "now": clock,
            "tell": lambda _: None,
            "sleep": sleep,
        }
        world, platforms = Writing(store, outreach, planning, clock), list[Any]()
        with only_loopback():
            if telegram is not None:
                platforms.append(Telegram(TelegramSettings(bot_api.TOKEN, telegram.url), rights={}, **given))
            if discord is not None:
                settings = DiscordSettings(discord_api.TOKEN, discord.url, discord.gateway_url)
                platforms.append(Discord(settings, **given))
            tasks = [asyncio.create_task(platform.run()) for platform in platforms]
            world.settling += [_confirmed(telegram)] if telegram is not None else []
            world.settling += [platform.settles for platform in platforms]
            try:
                if telegram is not None:
                    await telegram.until(lambda: bool(telegram.calls("getUpdates")))
                if discord is not None:
                    await discord.until(lambda: discord.gateway.ready and bool(discord.commands.all[None]))
                yield world
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                for platform in platforms:
                    await platform.stop(GRACE)
                await outreach.stop()
                discord_library.point(OFFICIAL, None)


def _confirmed(telegram: bot_api.BotApi) -> Callable[[], Awaitable[None]]:
    async def confirmed() -> None:
        await telegram.until(lambda: not telegram.waiting)

    return confirmed
