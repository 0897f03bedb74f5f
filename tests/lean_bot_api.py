"""The least Bot API there can be, in a process of its own, with members who write and press: for measuring what a bot costs.

`GET /drive` has members do something and answers, once the bot has answered all of them, with the calls that it made and
how long each member waited. The members of `first` and on write /hip, or press the button whose label is `press`; so many
`at_once`, or one every so many seconds. A strict server takes LIMIT messages in any second, 50 to 70 ms away; `GET /did`
says what it did. A lenient one refuses those that are too many, one that locks out all that come in LOCKOUT seconds from then.
"""

import asyncio
import json
import math
import random
import re
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
TOKEN = "1234567890:AAFsYnthetic-Token_of-a-bot-0123456789"
LIMIT = 30
"""So many messages a strict server takes in any trailing second."""
LOCKOUT = 5.0
"""Seconds for which a server that locks out refuses every message, once there was one too many."""
KINDS = ("free", "lenient", "lockout")
TURNS = {"hip": {"sendMessage"}, "tap": {"answerCallbackQuery", "editMessageText"}}
"""The calls that answer what a member does."""
WRITES = {"sendMessage", "editMessageText"}
BOT = {"id": 1, "is_bot": True, "first_name": "Hipwise", "username": "hipwise_bot"}
ANSWERS: dict[str, Any] = {
    "getMe": BOT,
    "getWebhookInfo": {"url": "", "has_custom_certificate": False, "pending_update_count": 0},
    "getMyCommands": [],
    "getMyDescription": {"description": ""},
    "getMyShortDescription": {"short_description": ""},
    "getChatMenuButton": {"type": "commands"},
}
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@contextmanager
def server(kind: str = "free") -> Iterator[str]:
    """Run a server of one of KINDS, and yield its address."""
    command = [sys.executable, __file__, kind]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own script
        if process.stdout is None:
            raise RuntimeError
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def did(url: str) -> dict[str, int]:
    """Return how many messages a strict server refused, and how many chats it reached, and more than once."""
    with urlopen(f"{url}/did", timeout=60) as answer:  # noqa: S310 - our own server
        counts: dict[str, int] = json.load(answer)
    return counts


def drive(url: str, **asked: object) -> dict[str, Any]:
    """Have members do something; return the calls and the seconds that it took."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    with urlopen(f"{url}/drive?{query}".replace(" ", "%20"), timeout=120) as answer:  # noqa: S310 - our own server
        did: dict[str, Any] = json.load(answer)
    return did


async def serve(kind: str) -> None:
    """Serve until killed; print the port first."""
    api = Api({"free": None, "lenient": Limiter(), "lockout": Limiter(LOCKOUT)}[kind])
    listening = await asyncio.get_running_loop().create_server(lambda: Connection(api), "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - whoever started it reads where it is
    await listening.serve_forever()


@dataclass
class Limiter:
    """Takes so many messages in any trailing second and refuses the others: those alone, or for a while whatever comes."""

    lockout: float = 0.0
    refused: int = 0
    reached: Counter[int] = field(default_factory=Counter)
    recent: deque[float] = field(default_factory=deque)
    locked_until: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def wait(self, chat: int) -> int:
        """Return 0 where it takes a message for a chat, and else after how many seconds to try again."""
        now = time.monotonic()
        while self.recent and self.recent[0] <= now - 1:
            self.recent.popleft()
        if now >= self.locked_until and len(self.recent) < LIMIT:
            self.recent.append(now)
            self.reached[chat] += 1
            return 0
        self.refused += 1
        if now >= self.locked_until:
            self.locked_until = now + self.lockout
        return max(1, math.ceil(self.locked_until - now))

    def did(self) -> dict[str, int]:
        """Return what became of recipients: chats below a million."""
        recipients = [times for chat, times in self.reached.items() if chat < 10**6]
        return {"refused": self.refused, "reached": len(recipients), "twice": sum(times > 1 for times in recipients)}


@dataclass
class Turn:
    """Something that a member did, and what is still to come for it."""

    missing: set[str]
    answered: asyncio.Future[float]
    began: float = field(default_factory=time.monotonic)


class Api:
    """What is at Telegram: updates that wait, who asks for them, and what stands in each chat."""

    def __init__(self, limiter: Limiter | None) -> None:
        self._limiter = limiter
        self._calls: Counter[str] = Counter()
        self._updates: deque[dict[str, Any]] = deque()
        self._asking: Connection | None = None
        self._asked_until = asyncio.get_running_loop().call_later(0, self._end)
        self._number = 100
        self._turns: dict[int, Turn] = {}
        self._shown: dict[int, dict[str, Any]] = {}
        self._driving: set[asyncio.Task[None]] = set()

    def asked(self, connection: "Connection", path: str, given: dict[str, Any]) -> None:
        """Answer a request, at once or later."""
        method = path.rpartition("/")[2]
        if method == "drive":
            task = asyncio.create_task(self._drive(connection, given))
            self._driving.add(task)
            task.add_done_callback(self._driving.discard)
            return
        if method == "did" and self._limiter is not None:
            connection.says(self._limiter.did(), bare=True)
            return
        self._calls[method] += 1
        if method == "getUpdates":
            self._ask(connection, int(given.get("offset") or 0), float(given.get("timeout") or 0))
        elif method in WRITES and self._limiter is not None:
            half = self._limiter.chance.uniform(0.025, 0.035)
            asyncio.get_running_loop().call_later(half, self._decide, self._limiter, connection, method, given, half)
        else:
            connection.says(self._done(method, given))

    def _decide(self, limiter: Limiter, connection: "Connection", method: str, given: dict[str, Any], half: float) -> None:
        later = asyncio.get_running_loop().call_later
        if seconds := limiter.wait(int(given["chat_id"])):
            later(half, lambda: connection.refuses(seconds))
        else:
            later(half, lambda: connection.says(self._done(method, given)))

    def _done(self, method: str, given: dict[str, Any]) -> Any:
        if method not in TURNS["hip"] | TURNS["tap"]:
            return ANSWERS.get(method, True)
        chat = int(given.get("chat_id") or given["callback_query_id"])
        result: Any = self._write(chat, given) if method in WRITES else True
        turn = self._turns.get(chat)
        if turn is not None:
            turn.missing.discard(method)
            if not turn.missing and not turn.answered.done():
                turn.answered.set_result(time.monotonic() - turn.began)
        return result

    def _write(self, chat: int, given: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        number = int(given.get("message_id") or self._number)
        message = {"message_id": number, "date": int(time.time()), "from": BOT, "chat": _chat(chat), "text": given["text"]}
        if markup := given.get("reply_markup"):
            message["reply_markup"] = json.loads(markup) if isinstance(markup, str) else markup
        self._shown[chat] = message
        return message

    # ---------------------------------------------------------------- Updates

    def _ask(self, connection: "Connection", offset: int, seconds: float) -> None:
        while self._updates and self._updates[0]["update_id"] < offset:
            self._updates.popleft()
        self._asking = connection
        self._asked_until.cancel()
        self._asked_until = asyncio.get_running_loop().call_later(seconds, self._end)
        self._hand_over()

    def _end(self) -> None:
        """Answer a question that was held open for as long as it asked."""
        if self._asking is not None:
            asking, self._asking = self._asking, None
            asking.says([])

    def _hand_over(self) -> None:
        if self._asking is not None and self._updates:
            asking, self._asking = self._asking, None
            asking.says(list(self._updates)[:100])

    def _tell(self, kind: str, what: dict[str, Any]) -> None:
        self._number += 1
        self._updates.append({"update_id": self._number, kind: what})
        # After all that happens now, which so comes in one answer.
        asyncio.get_running_loop().call_soon(self._hand_over)

    # ---------------------------------------------------------------- Members

    async def _drive(self, connection: "Connection", given: dict[str, Any]) -> None:
        chats = deque(range(int(given["first"]), int(given["first"]) + int(given["number"])))
        before, seconds = Counter(self._calls), []

        async def members() -> None:
            while chats:
                seconds.append(await self._turn(given["kind"], chats.popleft(), given.get("press", "")))

        if "every" in given:
            later = []
            while chats:
                later.append(asyncio.ensure_future(self._turn(given["kind"], chats.popleft(), given.get("press", ""))))
                await asyncio.sleep(float(given["every"]) * random.uniform(0.5, 1.5))
            seconds += await asyncio.gather(*later)
        else:
            await asyncio.gather(*(members() for _ in range(int(given["at_once"]))))
        refused = 0 if self._limiter is None else self._limiter.refused
        reached = 0 if self._limiter is None else self._limiter.did()["reached"]
        connection.says({"calls": self._calls - before, "seconds": seconds, "refused": refused, "reached": reached}, bare=True)

    async def _turn(self, kind: str, chat: int, press: str) -> float:
        turn = self._turns[chat] = Turn(set(TURNS[kind]), asyncio.get_running_loop().create_future())
        if kind == "hip":
            self._number += 1
            entity = {"type": "bot_command", "offset": 0, "length": 4}
            message = {"message_id": self._number, "from": _user(chat), "chat": _chat(chat), "date": int(time.time())}
            self._tell("message", {**message, "text": "/hip", "entities": [entity]})
        else:
            shown = self._shown[chat]
            buttons = [button for row in shown["reply_markup"]["inline_keyboard"] for button in row]
            data = next((button for button in buttons if button["text"] == press), buttons[0])["callback_data"]
            query = {"id": str(chat), "from": _user(chat), "message": shown, "chat_instance": "7", "data": data}
            self._tell("callback_query", query)
        return await asyncio.wait_for(turn.answered, 60)


def _user(chat: int) -> dict[str, Any]:
    return {
        "id": chat,
        "is_bot": False,
        "first_name": "Sam",
        "last_name": "Runner",
        "username": f"sam{chat}",
        "language_code": "en",
    }


def _chat(chat: int) -> dict[str, Any]:
    return {"id": chat, "type": "private", "first_name": "Sam", "last_name": "Runner", "username": f"sam{chat}"}


class Connection(asyncio.Protocol):
    """The least HTTP there can be, so that the server is never what is waited for."""

    def __init__(self, api: Api) -> None:
        self._api, self._came = api, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, end, body = self._came.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if end and len(body) >= (int(length[1]) if length else 0):
            self._came = b""
            target = urlsplit(head.split(b" ", 2)[1].decode())
            self._api.asked(self, target.path, _given(target.query, body))

    def says(self, result: Any, *, bare: bool = False) -> None:
        self._answer(200, result if bare else {"ok": True, "result": result})

    def refuses(self, seconds: int) -> None:
        parameters = {"retry_after": seconds}
        self._answer(429, {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": parameters})

    def _answer(self, status: int, answer: Any) -> None:
        body = json.dumps(answer).encode()
        head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self._transport.write(head + body)


def _given(query: str, body: bytes) -> dict[str, Any]:
    """Return the parameters of a request, however they were written."""
    if body.startswith(b"{"):
        given: dict[str, Any] = json.loads(body)
        return given
    return {name: values[0] for name, values in {**parse_qs(query), **parse_qs(body.decode())}.items()}


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
