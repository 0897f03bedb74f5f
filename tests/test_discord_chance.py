"""Members, and others, who do anything at all: nothing ends the line to Discord, and whatever is kept is well formed."""

import logging
import random
import string
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from bots.discord.connection import CONNECTED
from bots.discord.interactions import PLATFORM
from chat import Clock, library
from core.dialogue import from_json
from core.members import Address
from core.storage import StoreRecords
from discord_api import Can, Club, CutOff, DiscordApi, Interaction, Json, Member, Message, Reset, User, answers, holds
from discord_api.interactions import kind_of
from discord_api.telling import asked
from discord_chat import Running, running, words
from telegram_chat import Waits

COMMANDS = [*words.table("platform", "commands"), "start", "nothing"]
LABELS = [words("questions", q.id, "choices", c.id) for q in library().pathway.questions for c in q.choices]
HEALTH = words("questions", "health", "ask").splitlines()[0]
LONGEST = 4000
"""Characters of a form."""
SEEN = 50
"""Interactions of late, of which changed ones are made."""
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    2**53 + 1,
    1.5,
    float("1e300"),
    "",
    "0",
    "\0",
    "\ud83d",
    "/../",
    "x" * 5000,
    [],
    [[]],
    {},
    {"id": {}},
    [None, 1, "a", {"type": 1, "components": [{"type": 2}]}],
)
HARMLESS = (answers(502), answers(500, done=True), answers(503), CutOff(done=True), Reset(), Reset(done=True), holds(0.1))
ROUTES = ("callback", "edit_original", "send")


class Anyone:
    """A member who does whatever an app lets them do, or what no app would."""

    def __init__(self, bot: Running, club: Club, user: User, *, private: bool, clock: Clock, chance: random.Random) -> None:
        self.bot, self.club, self.user, self.clock, self.chance = bot, club, user, clock, chance
        there = club.member(user)
        self.member = bot.api.dm(user) if private else there

    def does_something(self) -> None:
        """Do one thing."""
        doing: list[tuple[Callable[[], object], int]] = [
            (self.types, 8),
            (self.presses, 25),
            (self.chooses, 12),
            (self.fills_in, 8),
            (self.begins_a_topic, 3),
            (self.writes, 6),
            (self.presses_an_old_one, 5),
            (self.presses_what_is_anothers, 4),
            (self.presses_what_never_was, 8),
            (self.changes_something, 20),
            (self.sends_nothing_that_is_one, 4),
            (self.comes_from_elsewhere, 4),
            (self.waits, 3),
            (self.loses_an_answer, 4),
        ]
        ((what, _),) = self.chance.choices(doing, [weight for _, weight in doing])
        what()

    # ---------------------------------------------------------------- What an app offers

    def types(self) -> None:
        self._asks({"type": 2, "data": {"id": "1", "name": self.chance.choice(COMMANDS), "type": 1, "options": []}})

    def presses(self) -> None:
        shown = [(m, b.custom_id) for m in self.member.heard[-2:] for b in m.content.buttons if b.custom_id]
        if shown:
            self._presses(*self.chance.choice(shown))

    def chooses(self) -> None:
        menus = [(message, menu) for message in self.member.heard[-2:] for menu in message.content.menus]
        if menus:
            message, menu = self.chance.choice(menus)
            values = [option.value for option in menu.options if self.chance.random() < 0.4]
            self._presses(message, menu.custom_id, menu.kind, values)

    def fills_in(self) -> None:
        """Send a form, which may be as long as Discord allows, or of any other custom id."""
        text = self.chance.choice(
            [*LABELS, "3", "none", "chest pain", self._characters(LONGEST), "\U0001f9b5" * (LONGEST // 2)]
        )
        field = {"type": 4, "id": 2, "custom_id": self.chance.choice(["typed", "other"]), "value": text}
        form = [{"type": 18, "id": 1, "component": field}]
        data = {"custom_id": self.chance.choice(["type", "type", self._token()]), "components": form}
        self._asks({"type": 5, "data": data}, self.chance.choice([None, *self.member.heard[-2:]]))

    def begins_a_topic(self) -> None:
        option = {"name": "topic", "type": 3, "value": self.chance.choice(["", "gro", self._characters(100)]), "focused": True}
        data: Json = {"id": "1", "name": "care", "type": 1, "options": [option]}
        self._asks({"type": self.chance.choice([2, 4]), "data": data})

    def writes(self) -> None:
        texts = [*LABELS, "/hip", "/", "/ care", "1", "", self._characters(30), "no chest pain"]
        self.bot.api.dm(self.user).says(self.chance.choice(texts))

    # ---------------------------------------------------------------- What no app would do

    def presses_an_old_one(self) -> None:
        ever = [(m, b.custom_id) for m in self._all() for c in m.versions for b in c.buttons if b.custom_id]
        if ever:
            self._presses(*self.chance.choice(ever))

    def presses_what_is_anothers(self) -> None:
        """Press what another member sees, as an app can that was changed."""
        others = [m for c in self.bot.api.world.channels.values() for m in c.messages.values() if m.sender.is_bot]
        found = [(m, b.custom_id) for m in others[-60:] for b in m.content.buttons if b.custom_id]
        if found:
            self._presses(*self.chance.choice(found))

    def presses_what_never_was(self) -> None:
        """Press something of another version, for another page or delivery, or of random characters."""
        if self.member.heard:
            message = self.chance.choice(self.member.heard)
            values = [self._token() for _ in range(self.chance.randrange(4))]
            kind, custom_id = self.chance.choice([(2, self._token()), (3, f"menu:{self._token()}"[:100])])
            self._presses(message, custom_id, kind, values if kind == 3 else None)

    def changes_something(self) -> None:
        """Send something like what was sent before: with a part left out, or of another shape."""
        seen = self.bot.api.interactions.all[-SEEN:]
        if seen:
            before = self.chance.choice(seen)
            body = deepcopy(before.json)
            for _ in range(self.chance.randrange(1, 4)):
                self._changes(body)
            self._tells(body, before.message, before)

    def sends_nothing_that_is_one(self) -> None:
        """Have the gateway tell of what is no interaction, no message or no event at all."""
        body: Any = self.chance.choice([*ODD, {"id": "1", "author": {"id": self._characters(3)}, "channel_id": "1"}])
        event = self.chance.choice(["INTERACTION_CREATE", "MESSAGE_CREATE", "GUILD_CREATE", "TYPING_START", "UNHEARD_OF"])
        self.bot.api.gateway.tell(event, body, 0)

    def comes_from_elsewhere(self) -> None:
        """Type a command where the bot was thrown out, after leaving, without permissions, or in a context of no kind."""
        more: Json = self.chance.choice(
            [
                {"app_permissions": "0"},
                {"authorizing_integration_owners": {}},
                {"context": self.chance.choice([2, 7, -1, None, "0"])},
                {"context": 0, "guild_id": "1", "guild": None, "channel": None},
                {"member": None},
                {"channel_id": None},
            ]
        )
        way = self.chance.randrange(4)
        if way == 0:
            self.club.removes_bot()
        elif way == 1:
            self.club.leaves(self.user)
        elif way == 2:
            self.club.channel.bot_may = Can(0)
        self._asks({"type": 2, "data": {"id": "1", "name": "hip", "type": 1}, **(more if way == 3 else {})})
        if not self.club.guild.has_bot:
            self.club.adds_bot()
        self.club.member(self.user)

    def waits(self) -> None:
        self.clock.moves(minutes=self.chance.choice([1, 10, 60 * 30]))

    def loses_an_answer(self) -> None:
        self.bot.api.faults.lay(self.chance.choice(ROUTES), self.chance.choice(HARMLESS))

    # ---------------------------------------------------------------- How

    def _all(self) -> list[Message]:
        return [m for m in self.member.channel.messages.values() if m.sender.is_bot and m.reader in (None, self.user)]

    def _presses(self, message: Message, custom_id: str, kind: int = 2, values: list[str] | None = None) -> None:
        data = {"component_type": kind, "custom_id": custom_id, "id": 1} | ({} if values is None else {"values": values})
        self._asks({"type": 3, "data": data, "message": message.json()}, message)

    def _asks(self, more: Json, message: Message | None = None) -> None:
        """Send an interaction that says what every one says, and more."""
        usual = asked(self.bot.api.world, self.user, self.member.channel, self.member._owners())
        self._tells({**usual, "id": "0", "token": "", **more}, message)

    def _tells(self, body: Json, message: Message | None, like: Interaction | None = None) -> None:
        api, id = self.bot.api, self.bot.api.world.new_id()
        if like is not None and self.chance.random() < 0.1:
            api.gateway.tell("INTERACTION_CREATE", body, 0)  # what looks like one that was told before
            return
        if isinstance(body.get("id"), str):
            body |= {"id": str(id), "token": f"token{id:x}"}
        user, channel = (self.user, self.member.channel) if like is None else (like.user, like.channel)
        made = Interaction(id, str(body.get("token")), kind_of(body), user, channel, body, api.world.now(), message)
        api.interactions.add(made)

    def _changes(self, body: Any) -> None:
        """Leave something out of this, or put something else there, at any depth."""
        while True:
            keys = list(body) if isinstance(body, dict) else list(range(len(body)))
            if not keys:
                return
            key = self.chance.choice(keys)
            inner = body[key]
            if isinstance(inner, dict | list) and inner and self.chance.random() < 0.7:
                body = inner
                continue
            if self.chance.random() < 0.3 and isinstance(body, dict):
                del body[key]
            else:
                body[key] = self.chance.choice(ODD)
            return

    def _token(self) -> str:
        """Return what a button may carry: something of ours changed a little, or anything."""
        ours = [b.custom_id for m in self.member.heard for b in m.content.buttons if b.custom_id]
        token = self.chance.choice([*ours, "hip:1.abc.0.done", "page:0:1", "type"])
        at = self.chance.randrange(len(token))
        return self.chance.choice(
            [
                token[:at] + self._characters(1) + token[at + 1 :],
                token[:at],
                token.replace("hip", f"hip{self.chance.randrange(10**5)}", 1),
                f"page:{self.chance.randrange(10**4)}:{self.chance.randbytes(16).hex()}",
                f"hip:{self.chance.randrange(100)}.menu.0.{self._characters(5)}",
                self._characters(100),
            ]
        )[:100]

    def _characters(self, most: int) -> str:
        some = [string.printable, "\u0301\u202e\u200b\U0001f9b5\u00df", string.ascii_lowercase]
        return "".join(self.chance.choices(self.chance.choice(some), k=self.chance.randint(1, most)))


async def lived(folder: Path, seed: int, steps: int) -> None:
    chance, clock = random.Random(seed), Clock()
    async with DiscordApi(now=clock) as api, running(folder, api, now=clock, sleep=Waits()) as bot:
        club = api.guild("Runners")
        people = [(api.user(id, f"Member {id}"), private) for id, private in ((4711, False), (815, True), (42, False))]
        everyone = [Anyone(bot, club, user, private=private, clock=clock, chance=chance) for user, private in people]
        while len(api.interactions.all) < steps:
            chance.choice(everyone).does_something()
            if chance.random() < 0.2:
                await bot.rests()
        await bot.rests()

        await is_whole(bot)
        api.faults.clear()
        clock.moves(minutes=60 * 30)
        for someone in everyone:
            await still_works(bot, someone.member)


async def is_whole(bot: Running) -> None:
    """Fail where something is owed, or said to others, where what is kept cannot be read, or the line was lost."""
    api = bot.api
    tallies = await bot.store.tallies()
    assert tallies.conserved
    assert (tallies.open, tallies.claimed) == (0, 0)
    assert bot.told == [CONNECTED]
    assert not bot.running.done()
    assert (len(api.gateway.connections), len(api.gateway.identified)) == (1, 1)
    assert {content.text for content in api.said_in_public()} == set()
    assert refused(api) == []
    for id in (4711, 815, 42):
        kept = await StoreRecords(bot.store).everything(Address(PLATFORM, str(id)))
        for session in (kept or {}).get("sessions", ()):
            from_json(session)


def refused(api: DiscordApi) -> list[Any]:
    """Return what the bot sent in a form that Discord does not take."""
    return [(request.route, request.answer, request.json) for request in api.requests if request.status == 400]


def errors(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """Return what was logged as an error: nothing that members or a gateway do is one."""
    return [(record.getMessage(), vars(record).get("error")) for record in caplog.records if record.levelno >= logging.ERROR]


async def still_works(bot: Running, member: Member) -> None:
    """After all of it a check begins afresh."""
    for line in ("/stop", "/hip"):
        member.types(line)
        await bot.rests()
    member.clicks(words("questions", "body", "none"), message=member.last)
    await bot.rests()
    assert HEALTH in member.last.text


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_told_members_are_answered(tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    await lived(tmp_path, seed, 150)

    assert errors(caplog) == []


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(100, 120))
async def test_whatever_is_told_ten_thousand_times_members_are_answered(
    tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    await lived(tmp_path, seed, 500)

    assert errors(caplog) == []
