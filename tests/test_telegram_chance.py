"""Members who do anything at all, in any order: nobody is left without an answer, and nothing is left unsent."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bot_api import BotApi, CutOff, Group, Member, Message, Reset, answers
from bot_api.keyboard import Button
from bots.telegram.connection import CONNECTED
from chat import Clock, library
from core.dialogue.token import MENU, read
from telegram_chat import Running, Waits, running, words

LABELS = [words("questions", q.id, "choices", c.id) for q in library().pathway.questions for c in q.choices]
COMMANDS = ["start", *words.table("platform", "commands")]
TYPED = [
    "1",
    "3",
    "2 and 4",
    "none",
    "not sure",
    "done",
    "back",
    "why",
    "my answers",
    "go on",
    "start again",
    "stop",
    "groin",
    "34",
    "?",
]
ON_A_QUESTION = ("tick", "pick", "done", "none", "unsure", "keep", "clear")
HARMLESS = (answers(502), answers(500, done=True), CutOff(), Reset(), Reset(done=True), answers(409))


class Someone:
    """A member who does anything that an app lets them do, or that a changed app could."""

    def __init__(self, bot: Running, member: Member, club: Group, clock: Clock, chance: random.Random) -> None:
        self.bot, self.member, self.club, self.clock, self.chance = bot, member, club, clock, chance
        self.blocked = False

    def does_something(self) -> None:
        """Do one thing."""
        doing: list[tuple[Callable[[], object], int]] = [
            (self.taps, 40),
            (self.types, 15),
            (self.commands, 8),
            (self.taps_again, 6),
            (self.presses_an_old_one, 6),
            (self.deletes_something, 2),
            (self.sends_something, 2),
            (self.asks_in_the_group, 2),
            (self.forges, 2),
            (self.waits, 3),
            (self.loses_an_answer, 4),
        ]
        ((what, _),) = self.chance.choices(doing, [weight for _, weight in doing])
        what()

    def taps(self) -> None:
        shown = [(m, b) for m in self.member.heard[-2:] for b in m.content.buttons if b.data]
        if shown:
            message, button = self.chance.choice(shown)
            self.member.forges(message, button.data or "")

    def types(self) -> None:
        self.member.says(self.chance.choice([*TYPED, self.chance.choice(LABELS)]))

    def commands(self) -> None:
        self.member.says(f"/{self.chance.choice(COMMANDS)}")

    def taps_again(self) -> None:
        mine = [tap for tap in self.bot.api.world.taps.values() if tap.user == self.member.user]
        if mine:
            self.member.taps_again(mine[-1], same_id=self.chance.random() < 0.5)

    def presses_an_old_one(self) -> None:
        ever = [(m, b) for m in self.member.chat.messages.values() for c in m.versions for b in c.buttons if b.data]
        if ever:
            message, button = self.chance.choice(ever)
            self.member.forges(message, button.data or "")

    def forges(self) -> None:
        if self.member.heard:
            self.member.forges(self.member.last, self.chance.randbytes(20).hex())

    def deletes_something(self) -> None:
        if self.member.heard:
            self.member.deletes(self.chance.choice(self.member.heard))

    def sends_something(self) -> None:
        self.member.sends("scan.pdf")

    def asks_in_the_group(self) -> None:
        self.club.member(self.member.user).says("/hip")

    def waits(self) -> None:
        self.clock.moves(minutes=self.chance.choice([1, 10, 60 * 30]))

    def loses_an_answer(self) -> None:
        method = self.chance.choice(["sendMessage", "editMessageText", "editMessageReplyMarkup", "answerCallbackQuery"])
        self.bot.api.faults.lay(method, self.chance.choice(HARMLESS))


def open_questions(member: Member) -> list[Message]:
    """Return the messages on which a question of a check can be answered."""
    return [message for message in member.heard if any(map(_answers_a_question, message.content.buttons))]


def _answers_a_question(button: Button) -> bool:
    token = read(button.data or "")
    return token is not None and token.thread != MENU and token.act in ON_A_QUESTION


async def lived(folder: Path, seed: int, steps: int) -> None:
    chance, clock = random.Random(seed), Clock()
    async with BotApi(now=clock) as api, running(folder, api, now=clock, sleep=Waits()) as bot:
        people = [bot.member(id, name) for id, name in ((4711, "Anna"), (815, "Ben"))]
        club = api.group("Runners", *(member.user for member in people))
        everyone = [Someone(bot, member, club, clock, chance) for member in people]
        for _ in range(steps):
            chance.choice(everyone).does_something()
            if chance.random() < 0.7:
                await bot.rests()
        await bot.rests()

        tallies = await bot.store.tallies()
        assert tallies.conserved
        assert (tallies.open, tallies.claimed) == (0, 0)
        assert await bot.store.unhandled("telegram") == ()
        assert bot.told == [CONNECTED]
        assert {content.text for content in api.said_in_groups()} <= {words("platform", "group", "line")}
        for member in people:
            assert words("ui", "error") not in "".join(member.texts)
            api.faults.clear()
            await still_works(bot, member, clock)


async def still_works(bot: Running, member: Member, clock: Clock) -> None:
    """After all of it a check begins afresh, on the only message that can be answered."""
    for text in ("/stop", "/hip", "none of these"):
        clock.moves(seconds=1)  # words answer what was asked last
        member.says(text)
        await bot.rests()
    assert words("questions", "health", "ask").splitlines()[0] in member.last.text
    assert open_questions(member)[-1] == member.last


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_members_do_they_are_answered(tmp_path: Path, seed: int) -> None:
    await lived(tmp_path, seed, 40)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(100, 200))
async def test_whatever_members_do_for_long_they_are_answered(tmp_path: Path, seed: int) -> None:
    await lived(tmp_path, seed, 120)
