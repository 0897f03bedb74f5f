"""What sending costs, and how fast it is: `PYTHONPATH=. python tests/bench_send.py`; with --large also to 3,000 members.

The server is another process on this machine. CPU is that of this process alone; every figure stands beside its baseline,
measured in the same run.
"""

import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import RetryAfter
from telegram.request import BaseRequest, HTTPXRequest

from bots.telegram.limits import PACE
from bots.telegram.polling import Polling
from bots.telegram.request import AiohttpRequest, retry_seconds
from core.intake import Update
from core.members import Address
from core.pacer import Pacer

ROOT = Path(__file__).parent.parent
TOKEN = "1234567890:AAFsYnthetic-Token_of-a-bot-0123456789"
TEXT = "Does it hurt when you put your full weight on that leg, for example on stairs? " * 3
KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton(f"Answer {n}", callback_data=f"1:{n:032x}")] for n in range(4)])
LIMIT = 30
"""So many messages the strict server takes in any trailing second."""
ROUNDS = 5
IDLE_SECONDS = 5


def main(words: Sequence[str]) -> None:
    """Print every figure, its baseline and its limit."""
    match list(words):
        case ["serve", kind]:
            asyncio.run(serve(strict=kind == "strict"))
        case ["--large"]:
            report(600, 3000)
        case _:
            report(600)


def report(*recipients: int) -> None:
    """Print what a message costs, what waiting costs, and how long a fan-out to so many recipients takes."""
    with server("free") as url:
        costs(url, 1, limit=0.7)
        costs(url, 64, limit=0.35)
        idle(url)
    for number in recipients:
        with server("strict") as url:
            asyncio.run(fan_out(url, number))


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


# ---------------------------------------------------------------- A fan-out


async def fan_out(url: str, recipients: int) -> None:
    """Send to so many, answer members meanwhile, and print how that went."""
    async with AiohttpRequest() as request:
        bot = Bot(TOKEN, base_url=f"{url}/bot", request=request, get_updates_request=request)
        pacer = Pacer(PACE)
        alone = sorted([await deliver(bot, pacer, 10**6 + n, bulk=False) for n in range(20)])
        await asyncio.sleep(1.5)
        start, cpu = time.monotonic(), time.process_time()
        sending = asyncio.gather(*(deliver(bot, pacer, n, bulk=True) for n in range(recipients)))
        replies = await answers_until(sending, lambda n: deliver(bot, pacer, 2 * 10**6 + n, bulk=False))
        wall, cpu = time.monotonic() - start, time.process_time() - cpu
        did = await request.post(f"{url}/did")
    if not isinstance(did, dict):
        raise TypeError(did)
    sent = recipients + len(replies)
    print(
        f"a fan-out to {recipients}, {len(replies)} replies meanwhile: {wall:.1f} s, {wall / (sent / LIMIT):.2f}x of"
        f" the limit for {sent} (at most 1.10x); {did['refused']} refused, {recipients - did['reached']} missing,"
        f" {did['twice']} twice; {cpu / sent * 1000:.2f} ms CPU each"
    )
    print(
        f"  replies: p50 {at(replies, 0.5):.0f} ms, p99 {at(replies, 0.99):.0f} ms, longest {replies[-1] * 1000:.0f} ms;"
        f" alone p50 {at(alone, 0.5):.0f} ms; p99 {at(replies, 0.99) / at(alone, 0.5):.1f}x (limit 2x)"
    )


async def answers_until(sending: "asyncio.Future[Any]", answer: Callable[[int], Awaitable[float]]) -> list[float]:
    """Return how long answers took, the shortest first, one of them begun every third of a second or so."""
    replies: list[asyncio.Future[float]] = []
    chance = random.Random(1)
    while not sending.done():
        replies.append(asyncio.ensure_future(answer(len(replies))))
        await asyncio.sleep(chance.uniform(0.2, 0.5))
    await sending
    return sorted(await asyncio.gather(*replies))


async def deliver(bot: Bot, pacer: Pacer, chat: int, *, bulk: bool) -> float:
    """Return how many seconds it took until a message was there."""
    start = time.monotonic()
    address = Address("telegram", str(chat))
    while True:
        async with pacer.permit(address, bulk=bulk):
            try:
                await bot.send_message(chat, TEXT)
            except RetryAfter as refused:
                pacer.refused(address, retry_seconds(refused))
            else:
                return time.monotonic() - start


def at(sorted_seconds: Sequence[float], part: float) -> float:
    """Return the value that this part of all lies below, in milliseconds."""
    return sorted_seconds[min(int(part * len(sorted_seconds)), len(sorted_seconds) - 1)] * 1000


# ---------------------------------------------------------------- The server


@contextmanager
def server(kind: str) -> Iterator[str]:
    """Run a server in a process of its own, and yield its address."""
    command = [sys.executable, __file__, "serve", kind]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own script
        if process.stdout is None:
            raise RuntimeError
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


async def serve(*, strict: bool) -> None:
    """Serve until killed; print the port first."""
    limiter = Limiter() if strict else None
    listening = await asyncio.get_running_loop().create_server(lambda: Connection(limiter), "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


@dataclass
class Limiter:
    """Takes so many messages in any trailing second and refuses the others, between 50 and 70 ms away."""

    refused: int = 0
    reached: Counter[int] = field(default_factory=Counter)
    recent: deque[float] = field(default_factory=deque)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def takes(self, chat: int) -> bool:
        now = time.monotonic()
        while self.recent and self.recent[0] <= now - 1:
            self.recent.popleft()
        if len(self.recent) >= LIMIT:
            self.refused += 1
            return False
        self.recent.append(now)
        self.reached[chat] += 1
        return True

    def did(self) -> dict[str, int]:
        recipients = [times for chat, times in self.reached.items() if chat < 10**6]
        return {"refused": self.refused, "reached": len(recipients), "twice": sum(times > 1 for times in recipients)}


class Connection(asyncio.Protocol):
    """The least HTTP there can be, so that the server is never what is waited for."""

    _LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
    _CHAT = re.compile(rb'"?chat_id"?[:=] *(\d+)')
    _SENT = json.dumps(
        {
            "message_id": 7,
            "date": 1795420800,
            "from": {"id": 1, "is_bot": True, "first_name": "Hipwise"},
            "chat": {"id": 5, "type": "private", "first_name": "Sam"},
            "text": TEXT,
            "reply_markup": KEYBOARD.to_dict(),
        }
    ).encode()

    def __init__(self, limiter: Limiter | None) -> None:
        self._limiter = limiter
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, end, body = self._came.partition(b"\r\n\r\n")
        length = self._LENGTH.search(head)
        if end and len(body) >= (int(length[1]) if length else 0):
            self._came = b""
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        line = head.partition(b"\r\n")[0]
        if b"/getUpdates" in line:
            return
        if self._limiter is None:
            self._says(200, self._SENT)
        elif b"/did" in line:
            self._says(200, json.dumps(self._limiter.did()).encode())
        else:
            found = self._CHAT.search(body)
            half = self._limiter.chance.uniform(0.025, 0.035)
            asyncio.get_running_loop().call_later(half, self._decide, self._limiter, int(found[1]) if found else 0, half)

    def _decide(self, limiter: Limiter, chat: int, half: float) -> None:
        status = 200 if limiter.takes(chat) else 429
        asyncio.get_running_loop().call_later(half, self._says, status, self._SENT)

    def _says(self, status: int, result: bytes) -> None:
        body = b'{"ok":true,"result":' + result + b"}" if status == 200 else b'{"ok":false,"parameters":{"retry_after":1}}'
        head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self._transport.write(head + body)


if __name__ == "__main__":
    main(sys.argv[1:])
