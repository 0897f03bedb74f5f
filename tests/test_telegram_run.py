"""`hipwise run` with a token, as a real process against the Bot API of the tests."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot_api import TOKEN, BotApi, Member
from bots.commands.run import A_WEBHOOK, NO_WEBHOOK
from chat import library
from core.vault import new_key_text
from terminal import ROOT, environment

words = library().words
KEY = new_key_text()
HOOK = {
    "TELEGRAM_WEBHOOK_URL": "https://club.example/tg",
    "TELEGRAM_WEBHOOK_SECRET": "a-secret-of-enough-letters",
    "PORT": "8443",
}


def given(home: Path, api: str = "http://127.0.0.1:1", **more: str) -> dict[str, str]:
    return environment(home, **({"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": api, "HIPWISE_KEYS": KEY} | more))


@asynccontextmanager
async def process(env: Mapping[str, str], *argv: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Give a `hipwise run` without a terminal."""
    bot = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bots", "run", *argv),
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield bot
    finally:
        if bot.returncode is None:
            bot.kill()
        await bot.communicate()


async def refused(env: Mapping[str, str], *argv: str) -> str:
    """Return what it says on ending with exit code 2."""
    async with process(env, *argv) as bot:
        shown, _ = await asyncio.wait_for(bot.communicate(), 20)
    assert bot.returncode == 2
    return shown.decode()


async def test_a_check_goes_on_after_a_stop_and_a_start(server: BotApi, anna: Member, tmp_path: Path) -> None:
    env = given(tmp_path, server.url)
    async with process(env) as bot:
        anna.says("/hip")
        await anna.reads(words("questions", "body", "ask").splitlines()[0], within=20)
        anna.taps(words("questions", "body", "none"))
        health = words("questions", "health", "ask").splitlines()[0]
        await anna.reads(health)
        bot.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(bot.wait(), 10) == 0

    anna.says("/hip")  # while nobody runs
    async with process(env):
        await anna.reads(words("ui", "resume"), within=20)


async def test_a_token_in_a_file_is_enough(server: BotApi, anna: Member, tmp_path: Path) -> None:
    file = tmp_path / "club.env"
    file.write_text(f"TELEGRAM_BOT_TOKEN={TOKEN}\nTELEGRAM_API_URL={server.url}\n")
    env = environment(tmp_path, HIPWISE_KEYS=KEY, HIPWISE_ENV_FILE=str(file))
    async with process(env, "worker"):
        anna.says("/help")
        await anna.reads(words("ui", "help").splitlines()[0], within=20)


async def test_one_that_is_killed_leaves_nothing_unanswered(server: BotApi, anna: Member, tmp_path: Path) -> None:
    env = given(tmp_path, server.url)
    async with process(env) as bot:
        anna.says("/hip")
        await anna.reads(words("questions", "body", "ask").splitlines()[0], within=20)
        anna.says("/care")
        bot.kill()

    async with process(env):
        await anna.reads(words("ui", "care"), within=20)


async def test_without_a_key_and_a_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    assert "hipwise keys new" in await refused(given(tmp_path, HIPWISE_KEYS=""))


@pytest.mark.parametrize(("argv", "more", "says"), [("web", {}, NO_WEBHOOK), ("worker", HOOK, A_WEBHOOK)])
async def test_each_kind_of_process_refuses_the_others_settings(
    tmp_path: Path, argv: str, more: dict[str, str], says: str
) -> None:
    assert await refused(given(tmp_path, **more), argv) == f"{says}\n"


def test_the_procfile_starts_both_kinds() -> None:
    lines = dict(line.split(": ") for line in (ROOT / "Procfile").read_text().splitlines())

    assert lines == {"worker": "python -m bots run worker", "web": "python -m bots run web"}


async def test_a_token_that_is_none_is_refused_and_never_shown(tmp_path: Path) -> None:
    shown = await refused(given(tmp_path, TELEGRAM_BOT_TOKEN="my-secret-token"))

    assert "TELEGRAM_BOT_TOKEN" in shown
    assert "my-secret-token" not in shown


async def test_the_library_of_a_platform_is_loaded_only_where_it_is_connected(tmp_path: Path) -> None:
    code = "import sys; from bots import bootstrap; bootstrap.companion(bootstrap.settings()); print('telegram' in sys.modules)"
    for connected in (False, True):
        env = given(tmp_path) if connected else environment(tmp_path)
        found = subprocess.run(  # noqa: S603, ASYNC221 - our own, and nothing else goes on
            [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True, timeout=30
        )
        assert found.stdout.strip() == "False"  # a conversation needs none; only `run` connects
