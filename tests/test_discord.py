"""A member on Discord, end to end: the real discord.py, real sockets, a strict Discord."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat import Clock
from discord_api import Answer, DiscordApi, Member
from discord_chat import Running, running, words

ANNA, BEN = 4711, 815
BODY = words("questions", "body", "ask").splitlines()[0]
HEALTH = words("questions", "health", "ask").splitlines()[0]
DONE, WHY = words("ui", "buttons", "done"), words("ui", "buttons", "why")
NONE = words("questions", "body", "none")
EMERGENCY = words("dispositions", "emergency", "first").partition("{")[0]


@pytest.fixture
async def bot(tmp_path: Path, clock: Clock) -> AsyncIterator[Running]:
    """Give a bot that runs; nothing that was owed may be unaccounted for in the end, and nothing read by others."""
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock) as bot:
        yield bot
        await bot.rests()
        assert (await bot.store.tallies()).conserved
        assert api.said_in_public() == ()


@pytest.fixture
def anna(bot: Running) -> Member:
    """Give a member in the club's server."""
    return bot.member(ANNA, "Anna")


async def types(bot: Running, member: Member, *lines: str) -> None:
    for line in lines:
        member.types(line)
        await bot.rests()


async def clicks(bot: Running, member: Member, *labels: str) -> None:
    for label in labels:
        member.clicks(label)
        await bot.rests()


async def ticks(bot: Running, member: Member, *labels: str) -> None:
    """Leave the menu with these entries chosen."""
    member.selects(*(next(o for o in options(member) if label in o) for label in labels))
    await bot.rests()


def options(member: Member) -> list[str]:
    return [option.label for menu in member.last.content.menus for option in menu.options]


def ticked(member: Member) -> list[str]:
    return [option.label for menu in member.last.content.menus for option in menu.options if option.chosen]


# ---------------------------------------------------------------- In a server, for the member alone


async def test_a_check_in_a_server_is_seen_by_its_member_alone(bot: Running, anna: Member) -> None:
    ben = bot.member(BEN, "Ben")
    await types(bot, anna, "/hip")
    await ticks(bot, anna, "Numb")
    await clicks(bot, anna, DONE)
    await ticks(bot, anna, "1.")
    await clicks(bot, anna, DONE)

    assert EMERGENCY in anna.last.text
    assert len(anna.heard) == 2  # the questions are one message, the result is another
    assert {message.reader for message in anna.heard} == {anna.user}
    assert ben.heard == ()


async def test_questions_are_one_message_that_is_updated_in_place(bot: Running, anna: Member) -> None:
    await types(bot, anna, "/hip")
    await ticks(bot, anna, "Breathless", "Numb")
    assert len(ticked(anna)) == 2
    await ticks(bot, anna, "Numb")

    assert [label.split(" ")[1] for label in ticked(anna)] == ["Numb/tingly"]
    assert len(anna.heard) == 1
    assert [request.json["type"] for request in bot.api.calls("callback")] == [Answer.MESSAGE, Answer.UPDATE, Answer.UPDATE]


async def test_in_the_bots_conversation_nothing_is_ephemeral(bot: Running) -> None:
    anna = bot.dm(ANNA, "Anna")
    await types(bot, anna, "/hip")
    await clicks(bot, anna, NONE)

    assert HEALTH in anna.last.text
    assert [(message.reader, message.content.ephemeral) for message in anna.heard] == [(None, False)]
