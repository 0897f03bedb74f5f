"""`hipwise run` on Discord, alone and beside Telegram, as a real process over real sockets."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import bot_api
from bot_api import BotApi
from chat import Clock
from discord_api import TOKEN, DiscordApi, Member
from discord_chat import words
from telegram_chat import running as running_telegram
from terminal import ROOT, environment
from test_telegram_run import KEY, process, refused

BODY, HEALTH = (words("questions", question, "ask").splitlines()[0] for question in ("body", "health"))
NONE = words("questions", "body", "none")


@pytest.fixture
async def api() -> AsyncIterator[DiscordApi]:
    """Give a Discord that goes by the real time, as the process does."""
    async with DiscordApi() as opened:
        yield opened


@pytest.fixture
def anna(api: DiscordApi) -> Member:
    return api.guild("Runners").member(api.user(4711, "Anna"))


def given(home: Path, api: DiscordApi | None = None, **more: str) -> dict[str, str]:
    url, gateway = ("http://127.0.0.1:1", "ws://127.0.0.1:1") if api is None else (api.url, api.gateway_url)
    ours = {"DISCORD_BOT_TOKEN": TOKEN, "DISCORD_API_URL": url, "DISCORD_GATEWAY_URL": gateway, "HIPWISE_KEYS": KEY}
    return environment(home, **(ours | more))


async def is_there(api: DiscordApi, *, times: int = 1) -> None:
    await api.until(lambda: len(api.gateway.identified) >= times and bool(api.commands.all[None]), within=20)


async def test_a_check_goes_on_after_a_stop_and_a_start(api: DiscordApi, anna: Member, tmp_path: Path) -> None:
    env = given(tmp_path, api)
    async with process(env) as bot:
        await is_there(api)
        anna.types("/hip")
        await anna.reads(BODY)
        bot.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(bot.wait(), 10) == 0

    async with process(env):
        await is_there(api, times=2)
        anna.clicks(NONE)
        await anna.reads(HEALTH)
    assert api.said_in_public() == ()


async def test_one_that_is_killed_loses_nothing_that_was_answered(api: DiscordApi, anna: Member, tmp_path: Path) -> None:
    env = given(tmp_path, api)
    async with process(env) as bot:
        await is_there(api)
        anna.types("/hip")
        await anna.reads(BODY)
        bot.kill()

    async with process(env, "worker"):
        await is_there(api, times=2)
        anna.clicks(NONE)
        await anna.reads(HEALTH)


async def test_a_token_in_a_file_is_enough(api: DiscordApi, anna: Member, tmp_path: Path) -> None:
    file = tmp_path / "club.env"
    file.write_text(
        f"DISCORD_BOT_TOKEN={TOKEN}\nDISCORD_API_URL={api.url}\nDISCORD_GATEWAY_URL={api.gateway_url}\n", encoding="utf-8"
    )
    async with process(environment(tmp_path, HIPWISE_KEYS=KEY, HIPWISE_ENV_FILE=str(file))):
        await is_there(api)
        anna.types("/help")
        await anna.reads(words("ui", "help").splitlines()[0])


async def test_both_platforms_run_in_one_process(api: DiscordApi, anna: Member, tmp_path: Path) -> None:
    async with BotApi() as telegram:
        ben = telegram.private(telegram.user(7, "Ben"))
        env = given(tmp_path, api, TELEGRAM_BOT_TOKEN=bot_api.TOKEN, TELEGRAM_API_URL=telegram.url)
        async with process(env) as bot:
            await is_there(api)
            ben.says("/hip")
            anna.types("/hip")
            await ben.reads(BODY, within=20)
            await anna.reads(BODY)
            bot.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(bot.wait(), 10) == 0


async def test_one_platform_that_cannot_be_reached_keeps_nobody_from_the_other(
    api: DiscordApi, anna: Member, tmp_path: Path
) -> None:
    env = given(tmp_path, api, TELEGRAM_BOT_TOKEN=bot_api.TOKEN, TELEGRAM_API_URL="http://127.0.0.1:1")
    async with process(env):
        await is_there(api)
        anna.types("/hip")
        await anna.reads(BODY)


async def test_the_start_of_one_platform_claims_nothing_of_the_other(tmp_path: Path, clock: Clock) -> None:
    """A line that comes late must not take what the other is just sending for lost."""
    from discord_chat import running  # the two drivers are named alike

    async with BotApi(now=clock) as telegram, DiscordApi(now=clock) as api:
        async with running_telegram(tmp_path, telegram, now=clock) as bot:
            ben = bot.member(7, "Ben")
            ben.says("/hip")
            await bot.rests()
        async with running(tmp_path, api, now=clock) as other:
            assert (await other.store.tallies()).sent == 1
            await other.rests()
    assert len(ben.heard) == 1


async def test_a_token_that_is_none_is_refused_and_never_shown(tmp_path: Path) -> None:
    shown = await refused(given(tmp_path, DISCORD_BOT_TOKEN="my-secret-token"))

    assert "DISCORD_BOT_TOKEN" in shown
    assert "my-secret-token" not in shown


async def test_without_a_key_and_a_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    assert "hipwise keys new" in await refused(given(tmp_path, HIPWISE_KEYS=""))


@pytest.mark.parametrize("platform", ["telegram", "discord"])
async def test_the_library_of_a_platform_is_loaded_only_with_its_token(tmp_path: Path, platform: str) -> None:
    code = (
        "import sys; from bots import bootstrap; s = bootstrap.settings();"
        " bootstrap.running(s, bootstrap.keeping(s));"
        " print('telegram' in sys.modules, 'discord' in sys.modules)"
    )
    env = environment(tmp_path, HIPWISE_KEYS=KEY, TELEGRAM_BOT_TOKEN=bot_api.TOKEN)
    if platform == "discord":
        env = given(tmp_path)
    found = subprocess.run(  # noqa: S603, ASYNC221 - our own, and nothing else goes on
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True, timeout=30
    )
    assert found.stdout.split() == [str(platform == "telegram"), str(platform == "discord")]
