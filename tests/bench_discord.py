"""What a turn on Discord costs, and how fast it is: `PYTHONPATH=.:tests python tests/bench_discord.py`.

Ours is `hipwise run worker` itself, sealed and durable, on a store of its own. The baseline is tests/bare_discord.py, which
makes the same calls. Both are processes that hear of members from a third one; CPU is that of the bot's process, all
threads of it, as the system counts it. The two take turns, and every figure is a median.
"""

import os
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

from bench_telegram import cpu, says
from core.vault import new_key_text
from lean_discord import BASE, ROOT, TOKEN, drive, server
from terminal import environment

ROUNDS = 5
MEMBERS = 64
"""Members of one round, each of whom does the same."""
PRESS = "None of these"
SETTLED = 0.3
"""Seconds after which nothing is left to be noted of the last turn."""
BARE = [sys.executable, "tests/bare_discord.py"]
OURS = [sys.executable, "-m", "bots", "run", "worker"]

members = count(1000, MEMBERS)
"""The first of each round's members, whom the bot has never met."""


def main() -> None:
    """Print every figure, its baseline and its limit."""
    report()


def report() -> None:
    """Print what turns cost."""
    print(f"Discord, load average {os.getloadavg()[0]:.1f}")
    with server() as here, server() as there:
        turns(here, there)


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
