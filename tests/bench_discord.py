"""What a turn on Discord costs, and how fast it is: `PYTHONPATH=.:tests python tests/bench_discord.py`.

Ours is `hipwise run worker` itself, sealed and durable, on a store of its own. The baseline is tests/bare_discord.py, which
makes the same calls. Both are processes that hear of members from a third one; CPU is that of the bot's process, all
threads of it, as the system counts it. The two take turns, and every figure is a median.
"""

import asyncio
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from bench_send import at
from bench_telegram import cpu, says
from bot_api import TOKEN as TELEGRAM_TOKEN
from bot_api import BotApi
from bots import bootstrap
from core.vault import new_key_text
from discord_api import Answer, DiscordApi, Member
from lean_discord import BASE, ROOT, TOKEN, drive, server
from terminal import environment

ROUNDS = 5
MEMBERS = 64
"""Members of one round, each of whom does the same."""
PRESS = "None of these"
ANSWERS = (PRESS, PRESS, "18 to 44")
"""To the first questions of a check."""
SETTLED = 0.3
"""Seconds after which nothing is left to be noted of the last turn."""
BARE = [sys.executable, "tests/bare_discord.py"]
IMPORTS = [sys.executable, "tests/bare_both.py"]
OURS = [sys.executable, "-m", "bots", "run", "worker"]
ACKNOWLEDGED, HELD = 300, 60
"""Interactions that are timed: with the database free, and with it locked."""
DROPPED, PEOPLE = 0.1, 40
"""Of the answers to the bot so many are lost, while so many people each type /hip and answer the first questions."""
STARTS = 5

members = count(1000, MEMBERS)
"""The first of each round's members, whom the bot has never met."""


def main() -> None:
    """Print every figure, its baseline and its limit."""
    report()


def report() -> None:
    """Print what turns cost, how soon members are answered, and what becomes of what was dropped."""
    print(f"Discord, load average {os.getloadavg()[0]:.1f}")
    with server() as here, server() as there:
        turns(here, there)
        acknowledged(here)
    asyncio.run(dropped())
    asyncio.run(both())


# ---------------------------------------------------------------- What a turn costs


def turns(here: str, there: str) -> None:
    """Print the CPU of turns, of one member after the other and of many at once."""
    with process(OURS, here) as ours, process(BARE, there) as bare:
        for at_once in (1, 64):
            mine, base = [], []
            for _ in range(ROUNDS + 1):
                first = next(members)
                mine.append(costs(ours, here, first, at_once))
                base.append(costs(bare, there, first, at_once))
            for n, kind in enumerate(("/hip", "click")):
                # The first round warms up.
                cost, other = (statistics.median(each[n] for each in some[1:]) for some in (mine, base))
                figure = f"{cost:.0f} us CPU; the bare bot {other:.0f} us"
                says(f"a {kind} turn, {at_once} at once", figure, cost / other, 1.5)


def costs(bot: int, where: str, first: int, at_once: int) -> tuple[float, float]:
    """Return the CPU of a /hip turn and of a click turn, in microseconds."""
    whole = {"first": first, "number": MEMBERS, "at_once": at_once}
    hip = cpu_of(bot, where, kind="hip", **whole)
    taps = [cpu_of(bot, where, kind="tap", press=PRESS, **whole) for _ in range(2)]
    return hip, statistics.mean(taps)


def cpu_of(bot: int, where: str, **asked: object) -> float:
    """Return the CPU of one turn; raise ValueError where it took other calls than one callback."""
    before = cpu(bot)
    did = drive(where, **asked)
    time.sleep(SETTLED)
    used = cpu(bot) - before
    if did["calls"] != {"callback": MEMBERS}:
        raise ValueError(did["calls"])
    return used / MEMBERS * 1e6


# ---------------------------------------------------------------- In time


def acknowledged(where: str) -> None:
    """Print how soon members are answered, or told that an answer comes: as usual, and with the database locked."""
    with tempfile.TemporaryDirectory() as home:
        env = given(Path(home), where)
        with started(OURS, env):
            drive(where, kind="hip", first=next(members), number=1, at_once=1)
            time.sleep(1)
            timed = {"first": 10**6, "number": ACKNOWLEDGED, "every": 0.02, "press": PRESS}
            free = sorted(second for kind in ("hip", "tap") for second in drive(where, kind=kind, **timed)["seconds"])
            with locked(bootstrap.database(env)):
                did = drive(where, kind="hip", first=2 * 10**6, number=HELD, every=0.03)
    held = sorted(did["seconds"])
    figure = f"p50 {at(free, 0.5):.1f} ms, p99 {at(free, 0.99):.1f} ms"
    says("acknowledged, on loopback", figure, at(free, 0.99), 50, " ms")
    figure = f"p50 {at(held, 0.5):.0f} ms, p99 {at(held, 0.99):.0f} ms, {did['calls'].get('defer', 0)} of {HELD} deferred"
    says("acknowledged, with the database locked", figure, at(held, 0.99), 1500, " ms")


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the database as another program would that is about to write."""
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


# ---------------------------------------------------------------- What is dropped


async def dropped() -> None:
    """Print what became of turns where answers to the bot were lost on the way, after they had taken place."""
    with tempfile.TemporaryDirectory() as home:
        async with DiscordApi() as api:
            club = api.guild("Runners")
            with started(OURS, given(Path(home), "") | _urls(api)):
                await api.until(lambda: api.gateway.ready and bool(api.commands.all[None]), within=20)
                api.faults.dropped = DROPPED
                people = [club.member(api.user(n, f"Runner {n}")) for n in range(1, PEOPLE + 1)]
                await asyncio.gather(*(talks(api, person) for person in people))
        lost = sum(one.answer is None or one.thinking() for one in api.interactions.all)
        doubled = sum(len(person.heard) - 1 for person in people)
        failed = sum(request.status is None for request in api.requests)
    figure = f"{failed} of {len(api.requests)} answers dropped in {len(api.interactions.all)} turns"
    says("doubled", figure, doubled, 0, "")
    says("lost", figure, lost, 0, "")


async def talks(api: DiscordApi, person: Member) -> None:
    """Type /hip, and click through the first questions; each answer takes the place of the one before."""
    done = await person.answered(person.types("/hip"), within=20)
    for answer in ANSWERS:
        before = person.last.text
        done = await person.answered(person.clicks(answer), within=20)
        await api.until(lambda before=before: person.last.text != before, within=20)  # type: ignore[misc]
    assert done.answer in (Answer.UPDATE, Answer.DEFER_UPDATE)


# ---------------------------------------------------------------- Both platforms


async def both() -> None:
    """Print what a Hipwise on both platforms takes: of time until it is connected to both, and of memory then."""
    ours, bare = [], []
    for _ in range(STARTS + 1):
        ours.append(await start(OURS))
        bare.append(await start([*IMPORTS, "connect"]))
    (cpu_ours, wall, memory), (cpu_bare, wall_bare, _) = (
        [statistics.median(column) for column in zip(*some[1:], strict=True)] for some in (ours, bare)
    )
    says("start to ready, by the clock", f"{wall:.2f} s; the bare libraries {wall_bare:.2f} s", wall / wall_bare, 1.3)
    says("start to ready, CPU", f"{cpu_ours:.2f} s; the bare libraries {cpu_bare:.2f} s", cpu_ours / cpu_bare, 1.3)
    imports = statistics.median(imported() for _ in range(STARTS))
    figure = f"{memory:.1f} MB; the bare import set {imports:.1f} MB"
    says("memory after ready, both platforms", figure, memory / imports, 1.25)


async def start(command: Sequence[str]) -> tuple[float, float, float]:
    """Return the CPU and the seconds until a bot is connected to both platforms, and its megabytes a second later."""
    with tempfile.TemporaryDirectory() as home:
        async with BotApi() as telegram, DiscordApi() as discord:
            discord.guild("Runners")
            token, urls = {"TELEGRAM_BOT_TOKEN": TELEGRAM_TOKEN, "TELEGRAM_API_URL": telegram.url}, _urls(discord)
            began = time.monotonic()
            with started(command, given(Path(home), "") | token | urls) as bot:
                await discord.until(lambda: discord.gateway.ready and bool(telegram.calls("getUpdates")), within=30)
                took = cpu(bot), time.monotonic() - began
                await asyncio.sleep(1)
                return *took, megabytes(bot)


def imported() -> float:
    """Return the megabytes of a process that has imported what both platforms need, and done nothing with it."""
    pipe = subprocess.PIPE
    with subprocess.Popen(IMPORTS, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603 - our own
        if process.stdout is not None:
            process.stdout.readline()
        found = megabytes(process.pid)
        process.kill()
    return found


def megabytes(process: int) -> float:
    """Return how much memory a process has in use."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def _urls(api: DiscordApi) -> dict[str, str]:
    return {"DISCORD_API_URL": api.url, "DISCORD_GATEWAY_URL": api.gateway_url}


# ---------------------------------------------------------------- Processes


@contextmanager
def process(command: Sequence[str], where: str) -> Iterator[int]:
    """Run a bot that has answered someone, and yield its id."""
    with tempfile.TemporaryDirectory() as home, started(command, given(Path(home), where)) as bot:
        drive(where, kind="hip", first=next(members), number=1, at_once=1)
        time.sleep(1)  # its commands are there
        yield bot


@contextmanager
def started(command: Sequence[str], env: dict[str, str]) -> Iterator[int]:
    """Start a bot, and yield its id."""
    null = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=null, stdout=null) as bot:  # noqa: S603 - our own
        try:
            yield bot.pid
        finally:
            bot.kill()
            bot.wait(20)


def given(home: Path, where: str) -> dict[str, str]:
    """Return the environment of a bot."""
    more: dict[str, Any] = {"PYTHONPATH": str(ROOT), "HIPWISE_KEYS": new_key_text()}
    api, gateway = f"http://{where}{BASE}", f"ws://{where}/gateway/"
    return environment(home, DISCORD_BOT_TOKEN=TOKEN, DISCORD_API_URL=api, DISCORD_GATEWAY_URL=gateway, **more)


if __name__ == "__main__":
    main()
