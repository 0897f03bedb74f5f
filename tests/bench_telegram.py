"""What a turn on Telegram costs, and how fast it is: `PYTHONPATH=.:tests python tests/bench_telegram.py`.

Ours is `hipwise run worker` itself, sealed and durable, on a store of its own. The baseline is tests/bare_bot.py, which
makes the same calls. Both are processes that ask a third one for updates; CPU is that of the bot's process, all threads
of it, as the system counts it. The two take turns, and every figure is a median.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from bench_send import at
from bots import bootstrap
from core.dialogue import Notice
from core.ledger import Kind, Owed
from core.members import Address
from core.replies import plain
from core.vault import new_key_text
from lean_bot_api import LIMIT, ROOT, TOKEN, drive, server
from terminal import environment

ROUNDS = 5
MEMBERS = 64
"""Members of one round, each of whom does the same."""
PRESS = "None of these"
BULK = 600
IDLE_SECONDS = 20
STARTS = 5
SETTLED = 0.3
"""Seconds after which nothing is left to be noted of the last turn."""
BARE = [sys.executable, "tests/bare_bot.py"]
OURS = [sys.executable, "-m", "bots", "run", "worker"]

members = count(1000, MEMBERS)
"""The first of each round's members, whom the bot has never met."""


def main() -> None:
    """Print every figure, its baseline and its limit."""
    report()


def report() -> None:
    """Print what turns, a start and idling cost, and how long members wait during a fan-out."""
    print(f"Telegram, load average {os.getloadavg()[0]:.1f}")
    with server() as url, server() as bare_url:
        turns(url, bare_url)
    starts()
    fan_out()


def says(name: str, figure: str, ratio: float, limit: float, unit: str = "x") -> None:
    """Print a figure and whether it is within its limit."""
    print(f"{name}: {figure}; {ratio:.2f}{unit} (at most {limit}{unit}): {'reached' if ratio <= limit else 'NOT REACHED'}")


# ---------------------------------------------------------------- What a turn costs


def turns(url: str, bare_url: str) -> None:
    """Print the CPU of turns, of one member after the other and of many at once, and that of waiting."""
    with process(OURS, url) as ours, process(BARE, bare_url) as bare:
        for at_once, limits in ((1, (0.7, 0.7)), (64, (0.35, 0.35))):
            mine, base = [], []
            for _ in range(ROUNDS + 1):
                first = next(members)
                mine.append(costs(ours, url, first, at_once))
                base.append(costs(bare, bare_url, first, at_once))
            for n, (kind, limit) in enumerate(zip(("/hip", "tap"), limits, strict=True)):
                # The first round warms up.
                cost, other = (statistics.median(each[n] for each in some[1:]) for some in (mine, base))
                figure = f"{cost:.0f} us CPU; the bare bot {other:.0f} us"
                says(f"a {kind} turn, {at_once} at once", figure, cost / other, limit)
        idle(ours)


def costs(bot: int, url: str, first: int, at_once: int) -> tuple[float, float]:
    """Return the CPU of a /hip turn and of a tap turn, in microseconds."""
    whole = {"first": first, "number": MEMBERS, "at_once": at_once}
    hip = cpu_of(bot, url, {"sendMessage": 1}, kind="hip", **whole)
    taps = [
        cpu_of(bot, url, {"answerCallbackQuery": 1, "editMessageText": 1}, kind="tap", press=PRESS, **whole) for _ in range(2)
    ]
    return hip, statistics.mean(taps)


def cpu_of(bot: int, url: str, calls: dict[str, int], **asked: object) -> float:
    """Return the CPU of one turn; raise ValueError where other calls were made for it than these."""
    before = cpu(bot)
    did = drive(url, **asked)
    time.sleep(SETTLED)
    used = cpu(bot) - before
    made = {method: number for method, number in did["calls"].items() if method != "getUpdates"}
    if made != {method: each * MEMBERS for method, each in calls.items()}:
        raise ValueError(made)
    return used / MEMBERS * 1e6


def idle(bot: int) -> None:
    """Print how much of a core it takes to wait for members who say nothing."""
    before = cpu(bot)
    time.sleep(IDLE_SECONDS)
    used = (cpu(bot) - before) / IDLE_SECONDS * 100
    says("idle", f"over {IDLE_SECONDS} s", used, 0.1, " % of a core")


# ---------------------------------------------------------------- A start


def starts() -> None:
    """Print what it costs and how long it takes until someone who has written is answered for the first time."""
    with server() as url:
        ours, bare = [], []
        for _ in range(STARTS + 1):
            ours.append(start(OURS, url))
            bare.append(start(BARE, url))
    (cpu_ours, ours_wall), (cpu_bare, bare_wall) = (
        [statistics.median(column) for column in zip(*some[1:], strict=True)] for some in (ours, bare)
    )
    figure = f"{cpu_ours:.2f} s CPU in {ours_wall:.2f} s; the bare bot {cpu_bare:.2f} s in {bare_wall:.2f} s"
    says("start to first reply", figure, cpu_ours / cpu_bare, 1.3)
    print(f"  by the clock {ours_wall / bare_wall:.2f}x")


def start(command: Sequence[str], url: str) -> tuple[float, float]:
    """Return the CPU and the seconds that a start takes."""
    with tempfile.TemporaryDirectory() as home:
        began = time.monotonic()
        with started(command, url, Path(home)) as bot:
            drive(url, kind="hip", first=next(members), number=1, at_once=1)
            return cpu(bot), time.monotonic() - began


# ---------------------------------------------------------------- A fan-out


def fan_out() -> None:
    """Print how long replies take while many others are written to, which an earlier process owed; and while none are."""
    with tempfile.TemporaryDirectory() as home, server("lenient") as url:
        env = given(Path(home), url)
        with started(OURS, url, Path(home), env) as bot:
            drive(url, kind="hip", first=10**6, number=1, at_once=1)
            time.sleep(2)  # its menus are set
            alone = sorted(drive(url, kind="hip", first=10**7, number=60, every=0.15)["seconds"])
            end(bot)
        asyncio.run(owe_many(env))
        with started(OURS, url, Path(home), env):
            drive(url, kind="hip", first=2 * 10**7, number=1, at_once=1)  # it is there, and sends
            began = drive(url, kind="hip", first=3 * 10**7, number=1, at_once=1)["reached"]
            did = drive(url, kind="hip", first=4 * 10**7, number=50, every=0.35)
            ended = did["reached"]
    replies = sorted(did["seconds"])
    figure = (
        f"p50 {at(replies, 0.5):.0f} ms, p99 {at(replies, 0.99):.0f} ms; idle {at(alone, 0.5):.0f} and {at(alone, 0.99):.0f}"
    )
    says(f"replies during a fan-out to {BULK}", figure, at(replies, 0.99) / at(alone, 0.99), 2)
    if ended == began:
        raise ValueError(ended)
    print(f"  {began} to {ended} of {BULK} were reached meanwhile, {did['refused']} sends refused, at most {LIMIT} a second")


async def owe_many(env: dict[str, str]) -> None:
    """Owe a message to many, as bulk: it can wait until tomorrow. It is no tip, which only goes to whoever agreed to tips."""
    now = datetime.now(UTC)
    one = Owed(Kind.NOTICE, plain(Notice("Rest is part of training. " * 8)), now, now + timedelta(days=1))
    async with bootstrap.existing_store(env) as store:
        await asyncio.gather(*(store.plan(Address("telegram", str(number)), [one]) for number in range(1, BULK + 1)))


# ---------------------------------------------------------------- Processes


@contextmanager
def process(command: Sequence[str], url: str) -> Iterator[int]:
    """Run a bot that has answered someone, and yield its id."""
    with tempfile.TemporaryDirectory() as home, started(command, url, Path(home)) as bot:
        drive(url, kind="hip", first=next(members), number=1, at_once=1)
        time.sleep(1)  # its menus are set
        yield bot


@contextmanager
def started(command: Sequence[str], url: str, home: Path, env: dict[str, str] | None = None) -> Iterator[int]:
    """Start a bot, and yield its id."""
    env, null = env or given(home, url), subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=null, stdout=null) as bot:  # noqa: S603 - our own
        try:
            yield bot.pid
        finally:
            bot.kill()
            bot.wait(20)


def end(bot: int) -> None:
    """Ask a bot to end, so that its store can be opened."""
    os.kill(bot, 15)
    os.waitid(os.P_PID, bot, os.WEXITED | os.WNOWAIT)


def given(home: Path, url: str) -> dict[str, str]:
    """Return the environment of a bot."""
    more: dict[str, Any] = {"PYTHONPATH": str(ROOT), "HIPWISE_KEYS": new_key_text()}
    return environment(home, TELEGRAM_BOT_TOKEN=TOKEN, TELEGRAM_API_URL=url, **more)


def cpu(process: int) -> float:
    """Return the CPU seconds of a process so far: its clock, as pthread_getcpuclockid(3) names it."""
    return time.clock_gettime((~process << 3) | 2)


if __name__ == "__main__":
    main()
