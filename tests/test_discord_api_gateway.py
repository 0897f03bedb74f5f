"""The gateway of the tests and the real discord.py agree: on who may come in, and on what a broken line costs."""

import asyncio
import json
import os
import signal
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from chat import Clock
from discord_api import TOKEN, Close, Club, DiscordApi, Intent, Member, Op
from discord_api.client import Asking, Client
from discord_api.library import connecting, hurried, pointed, running

TESTS = Path(__file__).parent


@pytest.fixture
async def api(clock: Clock) -> AsyncIterator[DiscordApi]:
    async with DiscordApi(now=clock) as opened:
        yield opened


@pytest.fixture
def club(api: DiscordApi) -> Club:
    return api.guild("Runners", api.user(7, "Anna"), api.user(8, "Ben"))


@pytest.fixture
def anna(api: DiscordApi, club: Club) -> Member:
    return club.member(api.user(7, "Anna"))


@pytest.fixture
async def bot(api: DiscordApi, club: Club) -> AsyncIterator[Client]:
    with hurried(lambda _: None):
        async with running(api, Client(greets)) as client:
            assert isinstance(client, Client)
            yield client


async def greets(interaction: Asking) -> None:
    await interaction.response.send_message(f"Hello {interaction.id}", ephemeral=True)


@asynccontextmanager
async def line(api: DiscordApi, url: str | None = None) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Give a connection to the gateway that the library knows nothing of."""
    address = url or api.gateway_url + "?v=10&encoding=json"
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        yield socket


async def heard(socket: aiohttp.ClientWebSocketResponse) -> tuple[int, Any]:
    """Return what a payload is and what is in it."""
    payload = await socket.receive_json()
    return payload["op"], payload["t"] or payload["d"]


async def comes_in(socket: aiohttp.ClientWebSocketResponse, **more: Any) -> None:
    await socket.send_json({"op": 2, "d": {"token": TOKEN, "intents": 1, "properties": {}, **more}})


# ---------------------------------------------------------------- who may come in


async def test_a_client_says_who_it_is_and_what_it_wants_to_hear(api: DiscordApi, bot: Client) -> None:
    [said] = api.gateway.identified

    assert said["intents"] == Intent.GUILDS | Intent.DIRECT_MESSAGES
    assert "token" not in said
    assert api.gateway.connection.query == {"v": "10", "encoding": "json", "compress": "zlib-stream"}
    assert api.gateway.ready


async def test_a_wrong_token_ends_it_for_good(api: DiscordApi) -> None:
    client = Client(greets)
    api.token = TOKEN[::-1]

    with pytest.raises(discord.ConnectionClosed) as caught:
        await connects_only(api, client)

    assert caught.value.code == Close.AUTHENTICATION_FAILED
    assert len(api.gateway.connections) == 1


async def connects_only(api: DiscordApi, client: Client) -> None:
    """Connect a client to the gateway, with a token that the rest of the API is content with."""
    api.token, before = TOKEN, api.token
    with pointed(api.url, api.gateway_url):
        await client.login(TOKEN)
        api.token = before
        async with client:
            await client.connect()


async def test_privileged_intents_must_be_switched_on(api: DiscordApi) -> None:
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with running(api, Client(greets, intents=discord.Intents(message_content=True))):
            pass

    api.gateway.privileged = Intent.MESSAGE_CONTENT
    async with running(api, Client(greets, intents=discord.Intents(message_content=True))) as client:
        assert client.is_ready()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"op": 2, "d": {"token": TOKEN, "intents": 1 << 30}}, Close.INVALID_INTENTS),
        ({"op": 2, "d": {"token": TOKEN, "intents": "all"}}, Close.INVALID_INTENTS),
        ({"op": 6, "d": {"token": "x", "session_id": "s", "seq": 1}}, Close.AUTHENTICATION_FAILED),
        ({"op": 3, "d": {}}, Close.NOT_AUTHENTICATED),
        ({"op": 99, "d": {}}, Close.UNKNOWN_OPCODE),
        ({"d": {}}, Close.DECODE_ERROR),
        ({"op": 1, "d": "x" * 5000}, Close.DECODE_ERROR),
    ],
)
async def test_what_the_gateway_does_not_take_closes_the_line(api: DiscordApi, said: Any, code: Close) -> None:
    async with line(api) as socket:
        assert (await heard(socket))[0] == Op.HELLO
        await socket.send_json(said)
        await socket.receive()

        assert socket.close_code == code


async def test_who_is_in_cannot_come_in_again(api: DiscordApi) -> None:
    async with line(api) as socket:
        await comes_in(socket)
        await comes_in(socket)
        while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass

        assert socket.close_code == Close.ALREADY_AUTHENTICATED


async def test_who_sends_too_much_is_cut_off(api: DiscordApi) -> None:
    async with line(api) as socket:
        for _ in range(121):
            await socket.send_json({"op": 1, "d": None})
        while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass

        assert socket.close_code == Close.RATE_LIMITED


@pytest.mark.parametrize("query", ["v=6&encoding=json", "v=10&encoding=etf", "v=10&encoding=json&compress=lzma"])
async def test_a_line_that_the_gateway_does_not_speak_is_closed(api: DiscordApi, query: str) -> None:
    async with line(api, f"{api.gateway_url}?{query}") as socket:
        await socket.receive()
        await socket.receive()

        assert socket.close_code == Close.INVALID_VERSION


async def test_without_compression_the_words_are_plain(api: DiscordApi, club: Club) -> None:
    async with line(api) as socket:
        await comes_in(socket)

        assert await heard(socket) == (Op.HELLO, {"heartbeat_interval": 41250})
        assert await heard(socket) == (Op.DISPATCH, "READY")
        assert await heard(socket) == (Op.DISPATCH, "GUILD_CREATE")


async def test_with_compression_one_stream_runs_through_all_payloads(api: DiscordApi, club: Club) -> None:
    async with line(api, api.gateway_url + "?v=10&encoding=json&compress=zlib-stream") as socket:
        await comes_in(socket)
        stream, events = zlib.decompressobj(), []
        for _ in range(3):
            data = await socket.receive_bytes()
            assert data.endswith(b"\x00\x00\xff\xff")
            events.append(json.loads(stream.decompress(data))["t"])

    assert events == [None, "READY", "GUILD_CREATE"]


async def test_what_was_not_asked_for_is_not_told(api: DiscordApi, club: Club, anna: Member) -> None:
    async with line(api) as socket:
        await comes_in(socket, intents=0)
        await api.until(lambda: api.gateway.ready)
        api.dm(anna.user).says("hello")
        anna.says("hello")
        club.adds_channel("more")
        api.commands.register(None, [{"name": "hip", "description": "x"}])
        anna.types("/hip")
        told = [await heard(socket) for _ in range(3)]

    assert [what for _, what in told[1:]] == ["READY", "INTERACTION_CREATE"]


async def test_what_others_say_in_a_server_is_told_without_its_words(api: DiscordApi, anna: Member) -> None:
    async with line(api) as socket:
        await comes_in(socket, intents=int(Intent.GUILD_MESSAGES))
        await api.until(lambda: api.gateway.ready)
        session = api.gateway.connection.session
        assert session is not None
        anna.says("my hip hurts")
        api.world.message_content = True
        anna.says("and my knee")

    assert [event["d"]["content"] for event in session.events[1:]] == ["", "and my knee"]


# ---------------------------------------------------------------- a heart that beats


async def test_heartbeats_are_acknowledged_and_can_be_asked_for(api: DiscordApi, bot: Client) -> None:
    before = beats(api)
    api.gateway.asks_for_heartbeat()
    await api.until(lambda: beats(api) == before + 1)

    assert before == 1  # the library sends one at once
    assert bot.latency < 1


def beats(api: DiscordApi) -> int:
    return sum(one["op"] == Op.HEARTBEAT for one in api.gateway.connection.heard)


async def test_a_gateway_that_does_not_acknowledge_is_left_and_resumed(api: DiscordApi, club: Club, anna: Member) -> None:
    api.gateway.heartbeat = 0.01
    async with running(api, Client(greets, heartbeat_timeout=0.04)) as bot:
        assert isinstance(bot, Client)
        api.gateway.acknowledges = False
        await api.until(lambda: api.gateway.resumed == 1)
        api.gateway.acknowledges = True

        assert api.gateway.connections[0].left == 4000
        await anna.answered(anna.types("/hip"))


# ---------------------------------------------------------------- a broken line


async def test_what_was_missed_comes_after_a_broken_line(api: DiscordApi, club: Club, bot: Client, anna: Member) -> None:
    dm = api.dm(anna.user)
    dm.says("before")
    await api.until(lambda: len(bot.messages) == 1)
    api.gateway.refuses = 503
    api.gateway.connection.drops()
    await api.until(lambda: not api.gateway.ready)
    dm.says("meanwhile")
    missed = anna.types("/hip")
    api.gateway.refuses = None
    await anna.answered(missed)
    dm.says("after")
    await api.until(lambda: len(bot.messages) == 3)

    assert missed.delivered
    assert [message.content for message in bot.messages] == ["before", "meanwhile", "after"]
    assert (len(api.gateway.identified), api.gateway.resumed) == (1, 1)
    assert bot.told.count("resumed") == 1
    assert api.gateway.connection.path == "/resume/"


async def test_a_gateway_can_ask_to_be_left(api: DiscordApi, bot: Client, anna: Member) -> None:
    api.gateway.asks_to_reconnect()
    await api.until(lambda: api.gateway.resumed == 1)

    assert len(api.gateway.identified) == 1
    await anna.answered(anna.types("/hip"))


@pytest.mark.parametrize(("resumable", "came"), [(True, (1, 1)), (False, (2, 0))])
async def test_an_invalid_session_is_resumed_or_begun_anew(
    api: DiscordApi, bot: Client, anna: Member, resumable: bool, came: tuple[int, int]
) -> None:
    api.gateway.invalidates(resumable=resumable)
    await api.until(lambda: len(api.gateway.connections) == 2 and api.gateway.ready)

    assert (len(api.gateway.identified), api.gateway.resumed) == came
    await anna.answered(anna.types("/hip"))


async def test_a_session_that_is_too_old_is_begun_anew(api: DiscordApi, clock: Clock, bot: Client, anna: Member) -> None:
    api.gateway.refuses = 0
    api.gateway.connection.drops()
    await api.until(lambda: not api.gateway.ready)
    clock.moves(minutes=4)
    lost = anna.types("/hip")
    api.gateway.refuses = None
    await api.until(lambda: len(api.gateway.identified) == 2)

    assert not lost.delivered
    assert api.gateway.resumed == 0
    await anna.answered(anna.types("/hip"))
    assert lost.answer is None


@pytest.mark.parametrize("code", [1000, 1001, 4000, 4007, 4009])
async def test_most_closings_are_resumed(api: DiscordApi, bot: Client, code: int) -> None:
    api.gateway.connection.closes(code)
    await api.until(lambda: api.gateway.resumed == 1)

    assert len(api.gateway.identified) == 1


@pytest.mark.parametrize(("code", "over"), [(1000, True), (1001, True), (4000, False)])
async def test_a_session_is_over_when_its_bot_says_farewell(api: DiscordApi, anna: Member, code: int, over: bool) -> None:
    api.commands.register(None, [{"name": "hip", "description": "x"}])
    async with line(api) as socket:
        await comes_in(socket)
        await api.until(lambda: api.gateway.ready)
        await socket.close(code=code)
        await api.until(lambda: not api.gateway.live)

    assert api.gateway.connection.left == code
    assert anna.types("/hip").delivered is not over


async def test_the_library_says_4000_where_it_means_farewell(api: DiscordApi, bot: Client, anna: Member) -> None:
    """So Discord keeps the session of a bot that was stopped, and for minutes takes it for one that will be back."""
    await bot.close()
    await api.until(lambda: not api.gateway.live)

    assert api.gateway.connection.left == 4000


async def test_a_line_that_goes_dead_without_a_word_is_left_in_time(api: DiscordApi, club: Club, anna: Member) -> None:
    async with running(api, Client(greets, heartbeat_timeout=0.04)) as bot:
        assert isinstance(bot, Client)
        dead = api.gateway.connection
        dead.freezes()
        lost = anna.types("/hip")
        await api.until(lambda: dead.left is not None)
        assert not api.gateway.ready
        dead.drops()  # the library waits up to 30 s for a farewell
        await anna.answered(lost)

        assert dead.left == 4000
        assert api.gateway.resumed == 1


async def test_a_resume_of_what_never_was_is_refused(api: DiscordApi, bot: Client) -> None:
    for session, seq in (("never", 1), ("session1", 999), ("session1", None)):
        async with line(api) as socket:
            await socket.receive_json()
            await socket.send_json({"op": 6, "d": {"token": TOKEN, "session_id": session, "seq": seq}})

            assert await heard(socket) == (Op.INVALID_SESSION, False)


async def test_the_library_follows_any_address_it_is_told_to_resume_at(api: DiscordApi, club: Club) -> None:
    api.gateway.resume_url = "wss://gateway.discord.gg/"

    async with connecting(api, Client(greets)) as connected:
        api.gateway.connection.drops()
        with pytest.raises(AssertionError, match=r"asked for gateway\.discord\.gg"):  # says the guard of the tests
            await asyncio.wait_for(connected, 5)


# ---------------------------------------------------------------- processes that die


async def test_the_server_outlives_a_client_that_is_killed() -> None:
    """The buttons carry all that there is, so a new process goes on where the old one was killed."""
    async with DiscordApi() as api:
        anna = api.dm(api.user(7, "Anna"))
        api.guild("Runners", anna.user)
        first = await process(api)
        await api.until(lambda: api.gateway.ready and api.commands.syncs == 1)
        anna.types("/hip")
        message = await anna.reads("Pressed 0 times")
        anna.clicks("More")
        await anna.reads("Pressed 1 times")

        first.send_signal(signal.SIGKILL)
        await first.wait()
        await api.until(lambda: not api.gateway.ready)
        lost = anna.clicks("More")
        second = await process(api)
        await api.until(lambda: api.gateway.ready and api.commands.syncs == 2)
        anna.clicks("More")
        await anna.reads("Pressed 2 times")
        second.kill()
        await second.wait()

    assert anna.screen == (message,)
    assert (lost.answer, len(api.gateway.identified), api.gateway.resumed) == (None, 2, 0)


async def process(api: DiscordApi) -> asyncio.subprocess.Process:
    """Return a client in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "discord_api.client", api.url, api.gateway_url, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
