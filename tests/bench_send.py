"""What sending one message costs, and waiting: `PYTHONPATH=.:tests python tests/bench_send.py`.

The server is another process on this machine. CPU is that of this process alone; every figure stands beside its baseline,
measured in the same run.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.request import BaseRequest, HTTPXRequest

from bots.telegram.polling import Polling
from bots.telegram.request import AiohttpRequest
from core.intake import Update
from lean_bot_api import TOKEN, server

TEXT = "Does it hurt when you put your full weight on that leg, for example on stairs? " * 3
KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton(f"Answer {n}", callback_data=f"1:{n:032x}")] for n in range(4)])
ROUNDS = 5
IDLE_SECONDS = 5


def report() -> None:
    """Print what a message costs, and what waiting costs."""
    with server() as url:
        costs(url, 1, limit=0.7)
        costs(url, 64, limit=0.35)
        idle(url)


# ---------------------------------------------------------------- CPU


def costs(url: str, at_once: int, *, limit: float) -> None:
    """Print the CPU of one message with our request and with the library's own, so many of them at once."""
    ours, own = [], []
    for _ in range(ROUNDS):
        ours.append(asyncio.run(cpu_of_messages(url, AiohttpRequest(), at_once)))
        own.append(asyncio.run(cpu_of_messages(url, HTTPXRequest(), at_once)))
    cost, base = statistics.median(ours), statistics.median(own)
    base_and_ratio = f"{base:.0f} us; {cost / base:.2f}x (limit {limit}x)"
    print(f"a message, {at_once} at once: {cost:.0f} us CPU; the library's own request {base_and_ratio}")


async def cpu_of_messages(url: str, request: BaseRequest, at_once: int) -> float:
    """Return the CPU of one message in microseconds."""
    number = max(200, at_once * 8)

    async def sends() -> None:
        for _ in range(number // at_once):
            await bot.send_message(5, TEXT, reply_markup=KEYBOARD)

    async with request:
        bot = Bot(TOKEN, base_url=f"{url}/bot", request=request, get_updates_request=request)
        await asyncio.gather(*(bot.send_message(5, TEXT) for _ in range(at_once)))
        start = time.process_time()
        await asyncio.gather(*(sends() for _ in range(at_once)))
        return (time.process_time() - start) / (number // at_once * at_once) * 1e6


def idle(url: str) -> None:
    """Print how much of a core it takes to wait for members who say nothing."""
    used = asyncio.run(cpu_of_waiting(url)) / IDLE_SECONDS
    print(f"waiting for updates: {used:.3%} of a core, its first question included (limit 0.1%)")


async def cpu_of_waiting(url: str) -> float:
    async def keep(updates: Sequence[Update]) -> None:
        raise AssertionError(updates)

    async with AiohttpRequest(connections=1) as request:
        start = time.process_time()
        task = asyncio.create_task(Polling(request, f"{url}/bot{TOKEN}", keep, print, kinds=["message"]).run())
        await asyncio.sleep(IDLE_SECONDS)
        used = time.process_time() - start
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return used


def at(sorted_seconds: Sequence[float], part: float) -> float:
    """Return the value that this part of all lies below, in milliseconds."""
    return sorted_seconds[min(int(part * len(sorted_seconds)), len(sorted_seconds) - 1)] * 1000


if __name__ == "__main__":
    report()
