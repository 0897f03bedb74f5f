"""Where others read along nothing is said on Discord, whoever does what there, but for the button after a club's run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.discord import adapter
from chat import Clock
from discord_api import CutOff, DiscordApi, Fault, Member, Reset, answers, refuses
from discord_chat import Running, running, words
from telegram_chat import Waits
from test_discord_journeys import TYPE
from test_telegram_groups import healthy, said_in_journeys

ANNA, BEN = 4711, 815
POSTED = f"{words('club', 'posted')}\n{words('club', 'buttons', 'tell')}"
COMMANDS = tuple(words.table("platform", "commands"))
FAULTS: tuple[Fault | None, ...] = (
    *(None, answers(500), answers(503), answers(403), refuses(50007), refuses(50013), refuses(10062), refuses(40060)),
    *(CutOff(done=True), CutOff(done=False), Reset(done=True), Reset(done=False)),
)


@pytest.fixture
async def bot(tmp_path: Path, clock: Clock) -> AsyncIterator[Running]:
    """Give a bot that runs; whatever was done where others read, they were shown nothing, not even that it thinks.

    But for what is posted after a run, which is the same for all. And nothing that was said anywhere calls anybody.
    """
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=Waits(), clubs=True) as bot:
        yield bot
        await bot.rests()
        assert (await bot.store.tallies()).conserved
        assert {said.words for said in api.said_in_public()} <= {POSTED}
        assert set(api.saw(api.user(BEN, "Ben"))) <= {POSTED}
        shared = (channel for channel in api.world.channels.values() if len(channel.readers) > 1)
        said = (message for channel in shared for message in channel.messages.values() if message.sender == api.bot)
        by_readers = [(message.reader, {content.words for content in message.versions}) for message in said]
        assert all(reader == api.user(ANNA, "Anna") or read == {POSTED} for reader, read in by_readers)
        everywhere = [message for channel in api.world.channels.values() for message in channel.messages.values()]
        by_us = [content for one in everywhere if one.sender == api.bot for content in one.versions]
        assert all(content.mentions == {"parse": []} for content in by_us if not content.thinking)
        assert {request.call.place["channel_id"] for request in api.calls("send")} <= {*own(api), *await posting(bot)}


def own(api: DiscordApi) -> set[str]:
    """Return the conversations with the bot that members have opened."""
    return {str(channel.id) for channel in api.world.channels.values() if len(channel.readers) == 1}


async def posting(bot: Running) -> set[str]:
    """Return the channels where organisers want a button after runs."""
    return {club.channel for club in await bot.store.clubs() if club.channel is not None}


@pytest.fixture
def anna(bot: Running) -> Member:
    bot.member(BEN, "Ben")
    return bot.member(ANNA, "Anna")


async def types_into_a_form(bot: Running, member: Member, text: str) -> None:
    member.clicks(TYPE)
    await bot.rests()
    if member.form:
        member.submits(text)
        await bot.rests()


async def does_everything(bot: Running, member: Member) -> None:
    """Use every command, press every button that comes, and leave every menu with everything chosen."""
    for name in COMMANDS:
        member.types(f"/{name} topic:groin" if name == "care" else f"/{name}")
        await bot.rests()
        for message in member.heard[-1:]:
            for menu in message.content.menus:
                member.presses(message, menu.custom_id, kind=menu.kind, values=[o.value for o in menu.options[: menu.most]])
            for button in message.content.buttons:
                member.presses(message, button.custom_id or "")
            await bot.rests()


async def test_no_journey_says_a_word_where_others_read(bot: Running, anna: Member) -> None:
    """Everything that is typed in a journey is typed into the form, of which some answers go wrong at first."""
    anna.types("/hip")
    await bot.rests()
    for number, text in enumerate(said_in_journeys()):
        fault = FAULTS[number % len(FAULTS)]
        if fault is not None:
            bot.api.faults.lay("callback", fault)
            bot.api.faults.lay("edit_original", fault)
        await types_into_a_form(bot, anna, text)
        bot.api.faults.clear()
        if not anna.last.content.buttons:
            anna.types("/hip")
            await bot.rests()

    assert len(healthy(list(bot.api.saw(anna.user)))) > 50  # they were told something


async def test_every_command_and_button_is_answered_to_its_member_alone(bot: Running, anna: Member) -> None:
    await does_everything(bot, anna)

    assert len(anna.heard) >= len(COMMANDS)


async def test_what_is_deferred_is_too(bot: Running, anna: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "DEFER_AFTER", 0)
    await does_everything(bot, anna)

    assert len(anna.heard) >= len(COMMANDS)


async def test_so_it_is_among_people_without_the_bot(bot: Running) -> None:
    anna, ben = (bot.api.user(id, name) for id, name in ((ANNA, "Anna"), (BEN, "Ben")))
    bot.api.installs(anna)
    (member, _) = bot.api.group(anna, ben)
    await does_everything(bot, member)

    assert len(member.heard) >= len(COMMANDS)


async def test_what_cannot_be_written_to_a_member_is_not_said_elsewhere(bot: Running, anna: Member) -> None:
    dm = bot.api.dm(anna.user)
    dm.closes_dms()
    dm.says("/hip")
    await bot.rests()

    assert not anna.heard
    assert not dm.heard


async def test_below_the_button_after_a_run_nothing_is_said_to_others_either(
    bot: Running, anna: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With everything deferred too, and with answers that go wrong."""
    next(iter(bot.api.world.guilds.values())).admins.add(ANNA)
    for line in ("change:zone Berlin", "change:run add Mon 7:00 Hip pain runners"):
        anna.types(f"/club {line}")
        await bot.rests()
    anna.clicks(words("club", "buttons", "post"))
    await bot.rests()
    await bot.ticks()
    (button,) = (message for message in anna.heard if message.reader is None)
    monkeypatch.setattr(adapter, "DEFER_AFTER", 0)
    for fault in FAULTS:
        if fault is not None:
            bot.api.faults.lay("callback", fault)
            bot.api.faults.lay("edit_original", fault)
        for _ in range(2):
            anna.clicks(words("club", "buttons", "tell"), button)
            await bot.rests()
            for one in anna.last.content.buttons[:3]:
                anna.presses(anna.last, one.custom_id or "")
                await bot.rests()
        bot.api.faults.clear()

    assert len(button.versions) == 1
    assert healthy(list(bot.api.saw(anna.user)))
