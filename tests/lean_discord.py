"""The least Discord there can be, in a process of its own, with members who type and click: for measuring what a bot costs.

`GET /drive` has members of a server do something and answers, once the bot has answered all of them, with the calls that it
made and after how many seconds each was answered. The members of `first` and on type /hip, or click the button whose label
is `press`; so many `at_once`, or one every so many seconds. Members who are answered that an answer comes wait for it.
"""

import asyncio
import base64
import hashlib
import json
import random
import re
import subprocess
import sys
import time
import zlib
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
TOKEN = "MTMwMDAwMDAwMDAwMDAwMDAwMQ.GhXyZ1.abcdefghijklmnopqrstuvwxyz0123456789AB"
"""Of any bot."""
APP, GUILD, CHANNEL = "1300000000000000001", "1300000000000000002", "1300000000000000003"
PERMISSIONS = "2222085186637377"
BASE = "/api/v10"
DEFERRED = (5, 6)
"""How a bot says that an answer comes."""
BOT = {"id": APP, "username": "hipwise", "global_name": None, "discriminator": "0", "avatar": None, "bot": True}
APPLICATION: dict[str, Any] = {
    "id": APP,
    "name": "Hipwise",
    "icon": None,
    "description": "",
    "rpc_origins": [],
    "bot_public": True,
    "bot_require_code_grant": False,
    "owner": {**BOT, "id": "1", "bot": False},
    "verify_key": "0" * 64,
    "team": None,
    "flags": 0,
}
_GREETING = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What a key is hashed with to open a websocket: RFC 6455, 1.3."""
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)


@contextmanager
def server() -> Iterator[str]:
    """Run a server, and yield its address."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own script
        if process.stdout is None:
            raise RuntimeError
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def drive(at: str, **asked: object) -> dict[str, Any]:
    """Have members do something; return the calls and the seconds that it took."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    with urlopen(f"http://{at}/drive?{query}".replace(" ", "%20"), timeout=120) as answer:  # noqa: S310 - our own server
        did: dict[str, Any] = json.load(answer)
    return did


async def serve() -> None:
    """Serve until killed; print the port first."""
    api = Api()
    listening = await asyncio.get_running_loop().create_server(lambda: Connection(api), "127.0.0.1", 0)
    api.port = listening.sockets[0].getsockname()[1]
    print(api.port, flush=True)  # noqa: T201 - whoever started it reads where it is
    await listening.serve_forever()


@dataclass(slots=True)
class Turn:
    """Something that a member did, and what came of it."""

    id: str
    member: int
    above: dict[str, Any] | None
    """The message that they pressed on."""
    answered: asyncio.Future[float]
    began: float = field(default_factory=time.monotonic)
    acknowledged: float = 0.0


class Api:
    """What is at Discord: who listens, and what each member sees."""

    def __init__(self) -> None:
        self.port = 0
        self._calls: Counter[str] = Counter()
        self._listening: Connection | None = None
        self._ready = asyncio.Event()
        self._number = 1_310_000_000_000_000_000
        self._told = 0
        self._turns: dict[str, Turn] = {}
        self._shown: dict[int, dict[str, Any]] = {}
        self._driving: set[asyncio.Task[None]] = set()

    def asked(self, connection: "Connection", method: str, target: str, body: bytes) -> None:
        """Answer a request, at once or later."""
        url = urlsplit(target)
        given = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/drive":
            task = asyncio.create_task(self._drive(connection, given))
            self._driving.add(task)
            task.add_done_callback(self._driving.discard)
            return
        match url.path.removeprefix(BASE).split("/")[1:]:
            case ["interactions", _, token, "callback"]:
                self._callback(connection, self._turns[token], _json(body), back="with_response" in given)
            case ["webhooks", _, token, "messages", _] if method == "PATCH":
                self._calls["edit"] += 1
                connection.says(200, self._show(self._turns[token], _json(body)))
            case rest:
                connection.says(200, self._other(method, rest, body))

    def _other(self, method: str, path: list[str], body: bytes) -> Any:
        match path:
            case ["gateway", *_]:
                starts = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
                return {"url": f"ws://127.0.0.1:{self.port}/gateway/", "shards": 1, "session_start_limit": starts}
            case ["users", "@me"]:
                return BOT
            case [*_, "applications", "@me"]:
                return APPLICATION
            case [*_, "commands"]:
                named = {"id": "1", "application_id": APP, "version": "1", "type": 1, "default_member_permissions": None}
                return [named | one for one in json.loads(body)] if method == "PUT" else []
            case _:
                raise ValueError(path)

    # ---------------------------------------------------------------- The gateway

    def opened(self, connection: "Connection") -> None:
        """Greet who has opened a websocket."""
        connection.tells({"op": 10, "d": {"heartbeat_interval": 41_250}, "s": None, "t": None})

    def heard(self, connection: "Connection", payload: dict[str, Any]) -> None:
        """Act on what a bot says over its websocket."""
        if payload["op"] == 1:
            connection.tells({"op": 11, "d": None, "s": None, "t": None})
        elif payload["op"] == 2:
            self._listening, self._told = connection, 0
            url = f"ws://127.0.0.1:{self.port}/gateway/"
            self._tell("READY", {"v": 10, "user": BOT, "guilds": [], "session_id": "s", "resume_gateway_url": url} | _APP)
            self._ready.set()

    def left(self, connection: "Connection") -> None:
        """Note that a websocket is gone."""
        if connection is self._listening:
            self._ready.clear()

    def _tell(self, event: str, what: dict[str, Any]) -> None:
        if self._listening is None:
            raise RuntimeError
        self._told += 1
        self._listening.tells({"op": 0, "t": event, "s": self._told, "d": what})

    # ---------------------------------------------------------------- Answers

    def _callback(self, connection: "Connection", turn: Turn, answer: dict[str, Any], *, back: bool) -> None:
        kind = int(answer["type"])
        self._calls["defer" if kind in DEFERRED else "callback"] += 1
        turn.acknowledged = time.monotonic() - turn.began
        message = None if kind in DEFERRED else self._show(turn, answer["data"])
        if not back:
            connection.says(204, None)
            return
        told = {"id": turn.id, "type": 2, "response_message_id": "1", "response_message_loading": message is None}
        resource = {"type": kind} if message is None else {"type": kind, "message": message}
        connection.says(200, {"interaction": told, "resource": resource})

    def _show(self, turn: Turn, data: dict[str, Any]) -> dict[str, Any]:
        message = _message(turn.above["id"] if turn.above else self._new_id(), data)
        self._shown[turn.member] = message
        if not turn.answered.done():
            turn.answered.set_result(turn.acknowledged)
        return message

    def _new_id(self) -> str:
        self._number += 1
        return str(self._number)

    # ---------------------------------------------------------------- Members

    async def _drive(self, connection: "Connection", given: dict[str, Any]) -> None:
        await self._ready.wait()
        waiting = deque(range(int(given["first"]), int(given["first"]) + int(given["number"])))
        before, seconds, kind, press = Counter(self._calls), [], given["kind"], given.get("press", "")

        async def members() -> None:
            while waiting:
                seconds.append(await self._turn(kind, waiting.popleft(), press))

        if "every" in given:
            later = []
            while waiting:
                later.append(asyncio.ensure_future(self._turn(kind, waiting.popleft(), press)))
                await asyncio.sleep(float(given["every"]) * random.uniform(0.5, 1.5))
            seconds += await asyncio.gather(*later)
        else:
            await asyncio.gather(*(members() for _ in range(int(given["at_once"]))))
        connection.says(200, {"calls": self._calls - before, "seconds": seconds})

    async def _turn(self, kind: str, member: int, press: str) -> float:
        above = self._shown[member] if kind == "tap" else None
        turn = Turn(self._new_id(), member, above, asyncio.get_running_loop().create_future())
        token = f"aW50ZXJhY3Rpb24{turn.id}{'x' * 160}"
        self._turns[token] = turn
        self._tell("INTERACTION_CREATE", _interaction(turn, token) | (_pressed(above, press) if above else _TYPED))
        seconds = await asyncio.wait_for(turn.answered, 60)
        del self._turns[token]
        return seconds


_APP = {"application": {"id": APP, "flags": 0}, "private_channels": [], "shard": [0, 1], "session_type": "normal"}
_TYPED = {"type": 2, "data": {"id": "1", "name": "hip", "type": 1, "options": []}}


def _interaction(turn: Turn, token: str) -> dict[str, Any]:
    id = str(turn.member)
    user = {"id": id, "username": f"sam{id}", "global_name": "Sam Runner", "discriminator": "0", "avatar": "f" * 32}
    shown = {"roles": [GUILD], "joined_at": "2024-05-01T10:00:00+00:00", "nick": None, "avatar": None, "flags": 0}
    member = {"user": {**user, "public_flags": 0}, "permissions": PERMISSIONS, **shown}
    channel = {"id": CHANNEL, "type": 0, "name": "club", "guild_id": GUILD, "permissions": PERMISSIONS}
    return {
        "id": turn.id,
        "application_id": APP,
        "token": token,
        "version": 1,
        "guild_id": GUILD,
        "guild": {"id": GUILD, "locale": "en-US", "features": ["COMMUNITY"]},
        "channel_id": CHANNEL,
        "channel": {**channel, "position": 1, "parent_id": None, "nsfw": False, "topic": None, "last_message_id": turn.id},
        "context": 0,
        "authorizing_integration_owners": {"0": GUILD},
        "member": {**member, "deaf": False, "mute": False, "pending": False, "premium_since": None},
        "locale": "en-GB",
        "guild_locale": "en-US",
        "app_permissions": PERMISSIONS,
        "entitlements": [],
        "attachment_size_limit": 10_485_760,
    }


def _pressed(above: dict[str, Any], press: str) -> dict[str, Any]:
    buttons = [one for one in _walk(above["components"]) if one["type"] == 2]
    button = next((one for one in buttons if one["label"] == press), buttons[0])
    return {"type": 3, "message": above, "data": {"component_type": 2, "custom_id": button["custom_id"], "id": button["id"]}}


def _message(id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return a message as it is shown, each of its components with a number."""
    for number, component in enumerate(_walk(data.get("components", [])), start=1):
        component.setdefault("id", number)
    return {
        "id": id,
        "type": 20,
        "channel_id": CHANNEL,
        "author": BOT,
        "content": data.get("content") or "",
        "components": data.get("components", []),
        "flags": data.get("flags", 0) | 64,
        "timestamp": "2026-05-01T10:00:00+00:00",
        "edited_timestamp": None,
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": False,
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "tts": False,
        "webhook_id": APP,
        "application_id": APP,
    }


def _walk(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in components:
        yield one
        yield from _walk(one.get("components", []))


def _json(body: bytes) -> dict[str, Any]:
    """Return what was sent as JSON; of a form with files, its part that is."""
    start = body.find(b"{")
    found: dict[str, Any] = json.JSONDecoder().raw_decode(body[start:].decode(errors="replace"))[0]
    return found


class Connection(asyncio.Protocol):
    """The least HTTP and websocket there can be, so that the server is never what is waited for."""

    def __init__(self, api: Api) -> None:
        self._api, self._came, self._zlib = api, b"", zlib.compressobj()
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._api.left(self)

    def data_received(self, data: bytes) -> None:
        self._came += data
        if self._open:
            while self._frame():
                pass
            return
        head, end, body = self._came.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and len(body) >= (int(length[1]) if length else 0):
            self._came = b""
            method, target = head.split(b" ", 2)[:2]
            if key := _KEY.search(head):
                self._upgrade(key[1])
            else:
                self._api.asked(self, method.decode(), target.decode(), body)

    def says(self, status: int, answer: Any) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        kind = b"Content-Type: application/json\r\nVia: 1.1 google\r\n"
        head = b"HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n" % (status, kind, len(body))
        self._transport.write(head.replace(b"Content-Length: 0\r\n", b"") + body if status == 204 else head + body)

    def tells(self, payload: dict[str, Any]) -> None:
        """Send a payload over the websocket, as a part of one compressed stream."""
        data = self._zlib.compress(json.dumps(payload).encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
        size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2)
        self._transport.write(b"\x82" + size + data)

    def _upgrade(self, key: bytes) -> None:
        accept = base64.b64encode(hashlib.sha1(key + _GREETING, usedforsecurity=False).digest())
        told = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        self._transport.write(b"HTTP/1.1 101 X\r\n" + told + accept + b"\r\n\r\n")
        self._open = True
        self._api.opened(self)

    def _frame(self) -> bool:
        """Take in a frame, which is masked; return whether there was a whole one."""
        if len(self._came) < 2:
            return False
        size, at = self._came[1] & 0x7F, 2
        if size == 126:
            size, at = int.from_bytes(self._came[2:4]), 4
        if len(self._came) < at + 4 + size:
            return False
        mask, masked = self._came[at : at + 4], self._came[at + 4 : at + 4 + size]
        kind, self._came = self._came[0] & 0xF, self._came[at + 4 + size :]
        if kind in (1, 2):
            self._api.heard(self, json.loads(bytes(byte ^ mask[n % 4] for n, byte in enumerate(masked))))
        return True


if __name__ == "__main__":
    asyncio.run(serve())
