"""What it takes to write to many members at once: `PYTHONPATH=.:tests python tests/bench_fanout.py`.

Ours goes the whole way: rows of the outbox in a store, each claimed, judged, sent as permitted and its outcome noted, by the
parts that `hipwise run` has. The baselines send the same message: python-telegram-bot with its own AIORateLimiter and five
retries, and with a loop that waits for each answer. Each has a process and a server of its own, and all of them run at the
same time, so that they find the machine alike. CPU is that of the process that sends.
"""

import asyncio
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import ParseMode
from telegram.error import TelegramError
from telegram.ext import AIORateLimiter, Application

from bench_check import LIBRARY
from bench_cost import reached
from bench_due import due_now, fill
from bots import bootstrap
from bots.telegram.connection import Connection
from bots.telegram.render import drawn
from bots.telegram.settings import TelegramSettings
from bots.telegram.updates import PLATFORM
from core.ledger import Delivery
from core.outreach import Outreach
from core.planning import Planning
from core.replies import reply_of
from core.storage import Store
from core.vault import KeyRing, new_key_text
from lean_bot_api import LIMIT, ROOT, TOKEN, did, server

NUMBERS = (600, 3000)
MODES = ("lenient", "lockout")
ROUNDS = 3
"""Of the smaller number; of the larger one there is one."""
WALL, CPU, FLAT = 1.10, 0.4, 1.1
PATIENCE = 2.5
"""Times the limit, after which a baseline is stopped."""
RETRIES = 5
"""Of the limiter, which by itself makes none."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What it took to write to so many: seconds, CPU milliseconds a message, and what the server saw."""

    wall: float
    cpu: float
    refused: int
    missing: int
    twice: int


def main(words: Sequence[str]) -> None:
    """Print every figure, its baseline and its limit; or send, as one of those that are measured."""
    match list(words):
        case ["ours", url, database]:
            said = asyncio.run(ours(url, Path(database), KeyRing.parse(sys.stdin.read())))
        case ["limiter" | "loop" as how, url, number]:
            said = asyncio.run(theirs(url, int(number), {"limiter": through_limiter, "loop": one_by_one}[how]))
        case _:
            report()
            return
    print(json.dumps(said))


def report() -> None:
    """Print what writing to 600 and to 3,000 takes, with a server that refuses the excess, and one that locks out."""
    few, many = NUMBERS
    costs = {}
    for mode in MODES:
        rounds = [side_by_side(few, mode) for _ in range(ROUNDS)]
        costs[few, mode] = {how: _median([each[how] for each in rounds]) for how in rounds[0]}
    costs |= {(many, mode): one for mode, one in zip(MODES, at_once([(many, mode) for mode in MODES]), strict=True)}
    for (number, mode), sent in costs.items():
        _print(number, mode, sent)
    for mode in MODES:
        ratio, base = (costs[many, mode][how].cpu / costs[few, mode][how].cpu for how in ("ours", "limiter"))
        print(
            f"CPU a message at {many:,} over that at {few}, {mode}: {ratio:.2f}x; the limiter {base:.2f}x"
            f" (at most {FLAT}x): {reached(ratio <= FLAT)}"
        )


def _print(number: int, mode: str, sent: dict[str, Sent]) -> None:
    mine = sent["ours"]
    print(f"a fan-out to {number:,}, {mode}; at {LIMIT} a second it takes {number / LIMIT:.0f} s")
    for how, one in sent.items():
        print(
            f"  {how:8} {one.wall:6.1f} s, {one.wall * LIMIT / number:.2f}x; {one.refused} refused, {one.missing} missing,"
            f" {one.twice} twice; {one.cpu:.2f} ms CPU each"
        )
    times, ratio = mine.wall * LIMIT / number, mine.cpu / sent["limiter"].cpu
    whole = mine.refused == mine.missing == mine.twice == 0
    print(f"  time {times:.2f}x (at most {WALL}x): {reached(times <= WALL)}; none refused, missing or twice: {reached(whole)}")
    print(f"  CPU {ratio:.2f}x of the limiter's (at most {CPU}x): {reached(ratio <= CPU)}")


# ---------------------------------------------------------------- Side by side


def side_by_side(number: int, mode: str) -> dict[str, Sent]:
    """Return what ours and the baselines took, all at the same time."""
    (sent,) = at_once([(number, mode)])
    return sent


def at_once(cases: Sequence[tuple[int, str]]) -> list[dict[str, Sent]]:
    """Return what ours and the baselines took for each number and kind of server, all at the same time."""
    with ExitStack() as stack:
        going = [{how: _started(stack, how, *case) for how in ("ours", "limiter", "loop")} for case in cases]
        return [{how: ends() for how, ends in one.items()} for one in going]


def _started(stack: ExitStack, how: str, number: int, mode: str) -> Callable[[], Sent]:
    """Start a process that sends, and return what waits for its end."""
    url = stack.enter_context(server(mode))
    given, to = "", str(number)
    if how == "ours":
        given, folder = new_key_text(), stack.enter_context(tempfile.TemporaryDirectory(dir=ROOT / "build"))
        to = str(Path(folder, "hipwise.db"))
        fill(Path(to), KeyRing.parse(given), number, number, datetime.now(UTC))
    command, pipe = [sys.executable, __file__, how, url, to], subprocess.PIPE
    process = stack.enter_context(
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)  # noqa: S603 - our own
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError
    process.stdin.write(given)
    process.stdin.close()
    said = process.stdout

    def ends() -> Sent:
        took, saw = json.loads(said.read()), did(url)
        return Sent(took["wall"], took["cpu"] / number * 1000, saw["refused"], number - saw["reached"], saw["twice"])

    return ends


def _median(sent: Sequence[Sent]) -> Sent:
    """Return the medians of what it took, and the worst of what must not be."""
    wall, cpu = (statistics.median(each) for each in ([one.wall for one in sent], [one.cpu for one in sent]))
    worst = (max(each) for each in zip(*((one.refused, one.missing, one.twice) for one in sent), strict=True))
    return Sent(wall, cpu, *worst)


async def took(sending: Awaitable[object]) -> dict[str, float]:
    """Return what it takes until all is sent, in seconds."""
    start, cpu = time.monotonic(), time.process_time()
    await sending
    return {"wall": time.monotonic() - start, "cpu": time.process_time() - cpu}


# ---------------------------------------------------------------- Ours


async def ours(url: str, database: Path, ring: KeyRing) -> dict[str, float]:
    """Send what a store owes, by the parts that `hipwise run` has."""
    async with Store(database, ring, bootstrap.now, expected=True) as store:
        store.judged_by(Planning(LIBRARY).may)
        outreach, line = Outreach(store, {}, bootstrap.now), Connection(TelegramSettings(TOKEN, url), print)

        def permit(delivery: Delivery) -> AbstractAsyncContextManager[None]:
            return line.pacer.permit(delivery.address, bulk=delivery.until is not None)

        outreach.connect(PLATFORM, line.messenger(LIBRARY.words, store.move_address), permit, line.pacer.free)
        await line.bot.initialize()

        async def all_due() -> None:
            await outreach.send_due()
            await outreach.done()

        took_it = await took(all_due())
        tallies = await store.tallies()
        if tallies.sent != tallies.planned:
            raise ValueError(tallies)
        await line.close()
        return took_it


# ---------------------------------------------------------------- The baselines


async def theirs(url: str, number: int, send: Callable[[Any, int, dict[str, Any]], Awaitable[object]]) -> dict[str, float]:
    """Send the same message to as many, by the library's own means."""
    logging.disable()  # it logs each refusal with a traceback, which is no part of sending
    drawing = drawn(reply_of(due_now(datetime.now(UTC)).owed.reply))
    rows = [[InlineKeyboardButton(one.label, callback_data=one.tap) for one in row] for row in drawing.keyboard]
    message = {"text": drawing.html, "parse_mode": ParseMode.HTML, "reply_markup": InlineKeyboardMarkup(rows)}
    built: Any = Application.builder().token(TOKEN).base_url(f"{url}/bot")
    if send is through_limiter:
        built = built.rate_limiter(AIORateLimiter(max_retries=RETRIES))
    async with built.build() as application:

        async def within() -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(send(application.bot, number, message), PATIENCE * number / LIMIT)

        return await took(within())


async def through_limiter(bot: Any, number: int, message: dict[str, Any]) -> None:
    """Hand everything to the limiter at once."""
    sends = (bot.send_message(chat, **message) for chat in range(1, number + 1))
    await asyncio.gather(*sends, return_exceptions=True)


async def one_by_one(bot: Any, number: int, message: dict[str, Any]) -> None:
    """Wait for each answer before the next is sent."""
    for chat in range(1, number + 1):
        with suppress(TelegramError):
            await bot.send_message(chat, **message)


if __name__ == "__main__":
    main(sys.argv[1:])
