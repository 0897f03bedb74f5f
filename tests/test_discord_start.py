"""From the start to the end on Discord: who the bot is, its addresses, its commands, and what its operator is told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yarl

from bots.discord import commands, library
from bots.discord.connection import AWAY, CONNECTED, OTHER_SERVER, PROXY, SENTENCES, Line, Trouble
from bots.discord.limits import CHOICES
from chat import Clock
from core.words import Words
from discord_api import BOT_ID, Answers, DiscordApi, Intent, Silence, answers
from discord_chat import Running, running, words
from telegram_chat import Waits

BODY = words("questions", "body", "ask").splitlines()[0]


async def hips(bot: Running, id: int = 4711) -> str:
    """Return what someone reads who asks for a check."""
    member = bot.member(id, "Anna")
    member.types("/hip")
    await bot.rests()
    return member.last.text


# ---------------------------------------------------------------- Who the bot is


async def test_nothing_privileged_is_asked_for(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock):
        assert api.gateway.identified[0]["intents"] == Intent.GUILDS | Intent.DIRECT_MESSAGES


async def test_whoever_starts_it_is_told_once_that_it_is_connected(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock) as bot:
        api.gateway.asks_to_reconnect()
        await api.until(lambda: api.gateway.resumed == 1)

        assert BODY in await hips(bot)
        assert bot.told == [CONNECTED]


async def test_a_token_that_is_wrong_is_told_once_and_tried_again(tmp_path: Path, clock: Clock) -> None:
    waits = Waits()
    async with DiscordApi(now=clock) as api:
        right, api.token = api.token, "another.token.altogether"
        async with running(tmp_path, api, now=clock, token=right, sleep=waits, ready=False) as bot:
            await api.until(lambda: len(api.calls("me")) >= 5)
            assert bot.told == [SENTENCES[Trouble.TOKEN] + OTHER_SERVER]
            api.token = right
            await bot.is_told(CONNECTED)
            await api.until(lambda: bool(api.commands.all[None]))
            assert BODY in await hips(bot)
    assert waits.seconds[:4] == [1, 2, 4, 8]
    assert max(waits.seconds) <= 120


async def test_a_token_that_is_taken_back_later_is_told(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        right, api.token = api.token, "another.token.altogether"
        api.gateway.invalidates(resumable=False)
        await bot.is_told(SENTENCES[Trouble.TOKEN])
        api.token = right
        await api.until(lambda: bot.told.count(CONNECTED) == 2)

        assert BODY in await hips(bot)


async def test_a_start_that_gets_no_answer_is_told(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.discord.connection.AWAY", 0.05)
    async with DiscordApi(now=clock) as api:
        api.faults.lay("me", Silence())
        async with running(tmp_path, api, now=clock, ready=False) as bot:
            await bot.is_told(SENTENCES[Trouble.UNREACHABLE])


@pytest.mark.parametrize("fault", [answers(403), answers(404)])
async def test_a_refusal_is_told(tmp_path: Path, clock: Clock, fault: Answers) -> None:
    async with DiscordApi(now=clock) as api:
        api.faults.lay("me", fault)
        async with running(tmp_path, api, now=clock, sleep=Waits(), ready=False) as bot:
            await bot.is_told(SENTENCES[Trouble.REFUSED] + PROXY)
            await bot.is_told(CONNECTED)


async def test_what_cannot_be_reached_is_told_and_tried_until_it_can(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api:
        api.gateway.refuses = 0
        async with running(tmp_path, api, now=clock, sleep=Waits(), ready=False) as bot:
            await bot.is_told(SENTENCES[Trouble.UNREACHABLE] + PROXY)
            api.gateway.refuses = None
            await bot.is_told(CONNECTED)
            await api.until(lambda: bool(api.commands.all[None]))

            assert BODY in await hips(bot)


@pytest.mark.parametrize("error", [ValueError("x"), RecursionError("x")])
async def test_an_event_that_goes_wrong_ends_nothing_and_is_named_by_its_type(
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    def fails(*_: object) -> None:
        raise error

    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock) as bot:
        with monkeypatch.context() as patched:
            patched.setattr("bots.discord.interactions.read", fails)
            bot.member(4711, "Anna").types("/hip")
            await bot.rests()

        assert BODY in await hips(bot)
    failed = [record for record in caplog.records if record.getMessage() == "event.failed"]
    assert [vars(record)["error"] for record in failed] == [type(error).__name__]
    assert failed[0].exc_info is None


# ---------------------------------------------------------------- Its addresses


async def test_behind_a_proxy_a_line_is_resumed_there_and_nothing_is_lost(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api:
        api.gateway.resume_url = "ws://127.0.0.1:9/nowhere/"
        async with running(tmp_path, api, now=clock) as bot:
            anna = bot.member(4711, "Anna")
            connection = api.gateway.connection
            connection.drops()
            anna.types("/hip")
            await api.until(lambda: api.gateway.resumed == 1)
            await bot.rests()

            assert BODY in anna.last.text
            assert [one.path for one in api.gateway.connections] == ["/gateway/", "/gateway/"]


async def test_a_line_is_resumed_where_discord_says(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    async with DiscordApi(now=clock) as api:
        monkeypatch.setattr(library, "GATEWAY", yarl.URL(api.gateway_url))  # as if it were Discord's own
        async with running(tmp_path, api, now=clock, gateway=None) as bot:
            api.gateway.asks_to_reconnect()
            await api.until(lambda: api.gateway.resumed == 1)

            assert [one.path for one in api.gateway.connections] == ["/gateway/", "/resume/"]
            assert BODY in await hips(bot)


async def test_a_line_that_goes_dead_without_a_word_is_left_and_what_came_meanwhile_is_told(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hasty(Line):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            assert self._connection.heartbeat_timeout <= 60  # a minute and a half at the most until it is noticed
            self._connection.heartbeat_timeout = 0.15

    monkeypatch.setattr("bots.discord.connection.Line", Hasty)
    async with DiscordApi(now=clock) as api:
        api.gateway.heartbeat = 0.05
        async with running(tmp_path, api, now=clock) as bot:
            anna, dead = bot.member(4711, "Anna"), api.gateway.connection
            dead.freezes()
            anna.types("/hip")
            await api.until(lambda: dead.left is not None)
            dead.drops()  # else the library waits half a minute for a farewell
            await anna.reads(BODY)

            assert (api.gateway.resumed, len(api.gateway.identified)) == (1, 1)


@pytest.mark.parametrize("resumable", [True, False])
async def test_a_session_that_is_over_is_begun_anew(tmp_path: Path, clock: Clock, resumable: bool) -> None:
    waits = Waits()
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=waits) as bot:
        for n in range(3):
            before = len(api.gateway.connections)
            api.gateway.invalidates(resumable=resumable)
            await api.until(lambda before=before: len(api.gateway.connections) > before and api.gateway.ready)  # type: ignore[misc]
            assert BODY in await hips(bot, 4711 + n)
        assert len(api.gateway.identified) == (1 if resumable else 4)
    assert waits.seconds == ([] if resumable else [5, 10, 20])


async def test_sessions_that_do_not_last_are_begun_on_a_new_line_once_the_wait_is_long(tmp_path: Path, clock: Clock) -> None:
    waits = Waits()
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=waits) as bot:
        for n in range(5):
            api.gateway.invalidates(resumable=False)
            await api.until(lambda n=n: len(api.gateway.identified) == n + 2)  # type: ignore[misc]
            await api.until(lambda: api.gateway.ready)
        assert waits.seconds == [5, 10, 20, 40, 80]
        assert len(api.calls("me")) == 3
        assert BODY in await hips(bot)


async def test_who_runs_it_is_told_when_the_line_stays_away(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert AWAY >= 10
    monkeypatch.setattr("bots.discord.connection.AWAY", 0.05)
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        api.gateway.refuses = 503
        api.gateway.connection.drops()
        await bot.is_told(SENTENCES[Trouble.UNREACHABLE])
        api.gateway.refuses = None
        await api.until(lambda: bot.told.count(CONNECTED) == 2)

        assert BODY in await hips(bot)


# ---------------------------------------------------------------- Its commands


async def test_commands_are_written_when_they_changed_and_only_then(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api:
        for n in range(3):
            async with running(tmp_path, api, now=clock) as bot:
                await api.until(lambda n=n: len(api.calls("commands")) == n + 1)  # type: ignore[misc]
                assert BODY in await hips(bot, 4711 + n)
        assert api.commands.syncs == 1
        api.commands.all[None][0]["description"] = "Something else"
        async with running(tmp_path, api, now=clock):
            await api.until(lambda: api.commands.syncs == 2)
        assert api.commands.all[None][0]["description"] == words("platform", "commands", "start")


async def test_commands_that_cannot_be_written_keep_nobody_from_a_check(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api:
        async with running(tmp_path, api, now=clock) as bot:
            pass
        api.faults.lay("commands", answers(500))
        async with running(tmp_path, api, now=clock) as bot:
            assert BODY in await hips(bot)


def test_every_command_of_the_words_is_there_for_every_place() -> None:
    shown = commands.tree(words)

    assert [one["name"] for one in shown] == list(words.table("platform", "commands"))
    assert all(one["contexts"] == [0, 1, 2] and one["integration_types"] == [0, 1] for one in shown)
    assert all(one["description_localizations"].keys() == {"en-GB", "en-US"} for one in shown)


def test_a_digest_knows_a_change_and_not_an_order() -> None:
    shown = commands.tree(words)
    changed = [{**shown[0], "description": "x"}, *shown[1:]]

    assert commands.digest(shown) == commands.digest(shown[::-1])
    assert commands.digest(shown) != commands.digest(changed)


@pytest.mark.parametrize("typed", ["", "groin", "GROIN", "qqqq", "x" * 4000])
def test_suggestions_fit_what_discord_takes(typed: str) -> None:
    found = commands.suggested(typed, commands.topics(words))

    assert len(found) <= CHOICES
    assert all(typed.casefold() in one["name"].casefold() for one in found)
    assert all(1 <= len(one["name"]) <= 100 for one in found)


def test_words_without_pages_suggest_nothing() -> None:
    assert commands.topics(Words("en", {})) == ()


# ---------------------------------------------------------------- To its end


async def test_a_line_on_which_nothing_comes_any_more_holds_up_no_stop(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock) as bot:
        api.gateway.connection.freezes()
        bot.running.cancel()
        _, hangs = await asyncio.wait([bot.running], timeout=4)

        assert not hangs


async def test_a_stop_lets_what_is_in_hand_come_to_its_end(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock) as bot:
        anna = bot.member(4711, "Anna")
        anna.types("/hip")
        await asyncio.sleep(0.02)
        bot.running.cancel()
        await asyncio.wait([bot.running])
        await bot.discord.stop()

        assert BODY in anna.last.text
    assert str(BOT_ID) not in "".join(bot.told)
