"""The journeys of the core, word for word, on Discord: over real sockets, with the real client library."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import journey
from bots.discord.custom_ids import naming, token_of
from chat import Clock, library
from core.clinical import Disposition
from core.dialogue import Command, Inbound, Reply, Tap, Taps, Text, Upload
from core.members import Address
from discord_api import DiscordApi, Member, Message
from discord_api.components import Kind, walk
from discord_api.refusal import Json
from discord_chat import Running, running
from discord_view import differences, view
from journey import Member as Journey

PATHS = sorted(journey.ROOT.rglob("*.txt"))
SOME = PATHS[::12]
ANNA = 4711
MUCH = frozenset(c for c in library().pathway.codes if library().triage.urgency(frozenset({c})) <= Disposition.ROUTINE)
"""What someone may tell whose reasons fill many pages."""
PLACES = ("server", "conversation")
COMMANDS = library().words.table("platform", "commands")
NEXT, TYPE = (library().words("platform", "discord", key) for key in ("next", "type"))


@dataclass
class OnDiscord(Journey):
    """A journey that is taken twice at once: in the core alone, and on Discord. What is said must be the same."""

    bot: Running = field(init=False)
    phone: Member = field(init=False)
    """Where they are: in the club's server, or in their conversation with the bot."""
    dm: Member = field(init=False)
    """That conversation: only there something can be written without a button for it."""
    turned: int = 0
    """How often they turned a page."""

    async def sends(self, inbound: Inbound) -> tuple[Reply, ...]:
        seen = {one: len(one.channel.events) for one in (self.phone, self.dm)}
        replies = await super().sends(inbound)
        await self._does_so_on_discord(inbound)
        events = [(one, event) for one, before in seen.items() for event in one.channel.events[before:]]
        answers = {e.message.id: (one, e.message) for one, e in events if e.message.sender == self.bot.api.bot}
        ((member, message),) = answers.values()  # one, however much is said
        assert message.reader == (None if message.channel.private else self.phone.user)
        assert await self._reads_all(member, message, replies) == []
        return replies

    async def _does_so_on_discord(self, inbound: Inbound) -> None:
        match inbound:
            case Tap(token=token):
                presses(self.phone if self.phone.heard else self.dm, token)
            case Text(text=text) if self.phone.heard and self.phone is not self.dm:
                self.phone.clicks(TYPE)
                await self.bot.rests()
                self.phone.submits(text)
            case Text(text=text):
                self.dm.says(text)
            case Taps() | Upload():
                raise AssertionError("a journey taps each line by itself")
            case Command(name=name) if name not in COMMANDS:
                self.phone.forges(name)
            case Command():
                self.phone.types(f"/{inbound.name} topic:{inbound.rest}" if inbound.rest else f"/{inbound.name}")
        await self.bot.rests()

    async def _reads_all(self, member: Member, message: Message, replies: Sequence[Reply]) -> list[str]:
        """Return what is not the same in a message and in what the core said."""
        read = containers(message)
        if NEXT not in message.labels:
            assert len(read) == len(replies)
            return [each for pair in zip(replies, read, strict=True) for each in differences(*pair)]
        while NEXT in message.labels:
            member.clicks(NEXT, message)
            await self.bot.rests()
            read += containers(message)
            self.turned += 1
        said, shown = (squeezed(texts) for texts in ([r.text for r in replies], [view([one]).text for one in read]))
        return [] if said == shown else [f"{said!r} is shown as {shown!r}"]


def presses(member: Member, token: str) -> None:
    """Press what carries a token on the newest message that has it, or on the newest what was there before."""
    found = ((message, one) for message in reversed(member.heard) for one in walk(message.content.components))
    message, one = next(((m, one) for m, one in found if token in tokens(one)), (member.last, None))
    if one is None or one["type"] == Kind.BUTTON:
        member.presses(message, one["custom_id"] if one else naming()(token))
    else:
        member.presses(message, one["custom_id"], kind=Kind.MENU, values=list(chosen(one, token)))


def tokens(one: Json) -> tuple[str | None, ...]:
    """Return what a component carries itself."""
    options = one["options"] if one["type"] == Kind.MENU else ()
    return tuple(token_of(name) for name in (one.get("custom_id") or "", *(o["value"] for o in options)))


def chosen(menu: Json, token: str) -> Iterator[str]:
    """Yield what is chosen in a menu once its line with this token was tapped."""
    for option in menu["options"]:
        tapped, several = token_of(option["value"]) == token, menu["max_values"] > 1
        if tapped is not bool(option.get("default")) and (several or tapped):
            yield option["value"]


def containers(message: Message) -> list[Json]:
    """Return what each reply stands in, or goes on in."""
    return [one for one in message.content.components if one["type"] == Kind.CONTAINER]


def squeezed(texts: Sequence[str]) -> str:
    """Return texts as far as their words go: where one goes on over a page, spaces are not kept."""
    return "".join("".join(texts).split())


@asynccontextmanager
async def on_discord(folder: Path, place: str = "server") -> AsyncIterator[OnDiscord]:
    """Give a member of a bot that runs; whatever they do, nobody else reads of it."""
    clock = Clock()
    member = OnDiscord(clock=clock, address=Address("discord", str(ANNA)))
    async with (
        DiscordApi(now=clock) as api,
        running(folder, api, now=clock, fresh_id=lambda: f"{len(member.said):016x}") as bot,
    ):
        member.bot, member.dm = bot, bot.dm(ANNA, "Anna")
        member.phone = member.dm if place == "conversation" else bot.member(ANNA, "Anna")
        yield member
        assert (await bot.store.tallies()).conserved
        assert api.said_in_public() == ()


async def replayed(path: Path, folder: Path, place: str = "server") -> None:
    async with on_discord(folder, place) as member:
        for step in journey.steps(path):
            await member.does(step)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("path", SOME, ids=journey.name_of)
async def test_a_journey_is_the_same_on_discord(path: Path, place: str, tmp_path: Path) -> None:
    await asyncio.wait_for(replayed(path, tmp_path, place), 60)


@pytest.mark.prove
@pytest.mark.parametrize("path", [path for path in PATHS if path not in SOME], ids=journey.name_of)
async def test_every_journey_is_the_same_on_discord(path: Path, tmp_path: Path) -> None:
    await asyncio.wait_for(replayed(path, tmp_path), 60)


async def test_what_fills_many_pages_is_the_same_on_discord_too(tmp_path: Path) -> None:
    async with on_discord(tmp_path) as member:
        await member.says("/hip")
        await member.answers(MUCH)
        await member.presses("why", "reasons")

    assert member.turned > 9
