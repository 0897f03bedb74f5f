"""The server: a Bot API on loopback, for one bot."""

import asyncio
import json
import random
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from bot_api import looking, members, messages, profile, receiving
from bot_api.faults import Answers, CutOff, Drip, Fault, Faults, Reset, Silence, Slow
from bot_api.limits import Limits
from bot_api.members import PATIENCE, Channel, Group, Member
from bot_api.params import Params, read
from bot_api.profile import Profile
from bot_api.receiving import Receiving
from bot_api.refusal import Json, Refusal
from bot_api.world import Chat, Content, Now, User, World

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawx"
"""Of the bot."""
LARGEST_REQUEST = 64 * 2**20
LARGEST_FILE = 50 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the server takes, in seconds."""

    latency: float = 0
    """Until what was asked for takes place; getUpdates has none."""
    jitter: float = 0
    """Up to so much more, spread evenly."""
    second: float = 0.01
    """How long a second of its own waits lasts: between two tries of a webhook, between two conflicts."""


@dataclass(slots=True)
class Request:
    """One request of the bot, and what it got."""

    method: str
    """In lower case; names of methods are not case-sensitive."""
    params: Params
    at: datetime
    code: int | None = None
    """None while it is under way, and where it got no answer."""
    answer: Json = field(default_factory=dict)
    """What came of it, also where the answer did not arrive."""
    file: bytes | None = None
    """What it got instead, where it fetched a file: such a request has the method `file`."""

    @property
    def chat(self) -> int | None:
        """Return the chat that it was about."""
        return self.params.chat()


class BotApi:
    """A Bot API on a free port of loopback: `async with BotApi() as server`.

    It knows one bot, `server.bot`. Its state lives in memory and outlives any number of processes of that bot.
    """

    def __init__(self, *, now: Now | None = None, pace: Pace | None = None, port: int = 0) -> None:
        bot = User(int(TOKEN.partition(":")[0]), "Hipwise", username="hipwise_bot", is_bot=True)
        self.token = TOKEN
        """A request with another is refused; change it, and the old one is revoked."""
        self.world = World(bot, now or _now)
        self.pace = pace or Pace()
        self.limits = Limits()
        self.faults = Faults()
        self.profile = Profile()
        self.receiving = Receiving(self.world, self.pace.second)
        self.requests: list[Request] = []
        self.logged_out = False
        self.broken: list[Exception] = []
        """Errors of the server itself; the test that they happen in fails."""
        self._port = port
        self._chance = random.Random(0)
        self._runner: web.AppRunner | None = None
        self.app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[_nothing_elsewhere])
        self.app.router.add_route("*", "/bot{token}/{method}", self._handle)
        self.app.router.add_get("/file/bot{token}/{path:.+}", self._hand_out)

    # ---------------------------------------------------------------- running

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.receiving.close()
        finally:
            if self._runner:
                await self._runner.cleanup()
        if self.broken:
            raise ExceptionGroup("the server itself went wrong", self.broken)

    @property
    def url(self) -> str:
        """Return the root, as TELEGRAM_API_URL takes it."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        """Return what python-telegram-bot calls `base_url`."""
        return f"{self.url}/bot"

    # ---------------------------------------------------------------- the members' side

    @property
    def bot(self) -> User:
        """Return the bot."""
        return self.world.bot

    def user(self, id: int, name: str, *, language: str = "en", username: str | None = None) -> User:
        """Return a user of Telegram; nobody has met the bot yet."""
        return self.world.users.setdefault(id, User(id, name, language, username))

    def private(self, user: User) -> Member:
        """Return a user's private chat with the bot."""
        return members.private(self.world, user)

    def group(self, title: str, *people: User, bot: str = "member", supergroup: bool = False) -> Group:
        """Return a group with these members, and with the bot unless it is "left"."""
        return members.group(self.world, title, *people, bot=bot, supergroup=supergroup)

    def channel(self, title: str) -> Channel:
        """Return a channel in which the bot is."""
        return members.channel(self.world, title)

    def inject(self, update: Json) -> int:
        """Return the id of an update of any shape; one without an id gets the next."""
        return self.world.updates.inject(update, datetime.max.replace(tzinfo=UTC))

    async def until(self, holds: Callable[[], bool], *, within: float = PATIENCE) -> None:
        """Wait until something holds; fail after so many seconds and say what the bot has asked for."""
        await members.until(self.world, holds, within, lambda: f"{[(r.method, r.code) for r in self.requests]}")

    # ---------------------------------------------------------------- what can be asserted

    @property
    def waiting(self) -> int:
        """Return how many updates the bot has not confirmed."""
        return len(self.world.updates)

    def calls(self, method: str | None = None, chat: int | None = None) -> list[Request]:
        """Return the requests so far, oldest first: of a method, or all but those for updates; for a chat, or for any."""
        wanted = [r for r in self.requests if (r.method != "getupdates" if method is None else r.method == method.lower())]
        return [r for r in wanted if chat in (None, r.chat)]

    @property
    def groups(self) -> tuple[Chat, ...]:
        """Return the chats that many read."""
        return tuple(chat for chat in self.world.chats.values() if not chat.private)

    def said_in_groups(self) -> tuple[Content, ...]:
        """Return all that the bot ever let many read, also what it has since changed or deleted."""
        return tuple(content for chat in self.groups for content in chat.ever(self.bot))

    # ---------------------------------------------------------------- one request

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        try:
            params = await read(http)
        except ValueError:
            return _json(Refusal(400, "Bad Request: can't parse JSON object").json, 400)
        request = Request(http.match_info["method"].lower(), params, self.world.now())
        self.requests.append(request)
        self.world.changes.tell()
        fault = self.faults.next(request.method, request.chat)
        if fault is None or fault.done:
            await self._do(request, http.match_info["token"])
        response = await self._respond(http, request, fault)
        self.world.changes.tell()
        return response

    async def _hand_out(self, http: web.Request) -> web.StreamResponse:
        """Let a file be fetched from where getFile said that it is."""
        request = Request("file", Params({"path": http.match_info["path"]}), self.world.now())
        self.requests.append(request)
        fault = self.faults.next(request.method, None)
        documents = {looking.path_of(document): document for document in self.world.documents.values()}
        document = documents.get(http.match_info["path"]) if http.match_info["token"] == self.token else None
        if document is None:
            request.code, request.answer = 404, Refusal(404, "Not Found").json
        else:
            request.code, request.file = 200, document.data
        response = await self._respond(http, request, fault)
        self.world.changes.tell()
        return response

    async def _do(self, request: Request, token: str) -> None:
        """Let a request take place, or be refused."""
        try:
            result = await self._called(request, token)
        except Refusal as refusal:
            request.code, request.answer = refusal.code, refusal.json
        except Exception as error:  # noqa: BLE001 - raised at the end, whatever it is
            self.broken.append(error)
            request.code, request.answer = 500, Refusal(500, "Internal Server Error").json
        else:
            request.code, request.answer = 200, {"ok": True, "result": result}

    async def _called(self, request: Request, token: str) -> Any:
        self._check(request, token)
        method, params = request.method, request.params
        if method in receiving.METHODS:
            return await receiving.METHODS[method](self.receiving, params)
        if self.pace.latency or self.pace.jitter:
            await asyncio.sleep(self.pace.latency + self._chance.random() * self.pace.jitter)
        if method in messages.METHODS:
            return messages.METHODS[method](self.world, params)
        if method in looking.METHODS:
            return looking.METHODS[method](self.world, params)
        if method in profile.METHODS:
            return profile.METHODS[method](self.world, self.profile, params)
        if method == "logout":
            self.logged_out = True
        return True

    def _check(self, request: Request, token: str) -> None:
        """Raise Refusal for who may not ask at all, and for what nobody can ask."""
        if not re.fullmatch(r"\d{3,}:[\w-]{30,}", token, re.ASCII):
            raise Refusal(404, "Not Found")
        if token != self.token:
            raise Refusal(401, "Unauthorized")
        if self.logged_out:
            raise Refusal(400, "Logged out")
        if request.method not in METHODS:
            raise Refusal(404, "Not Found: method not found")
        if any(len(file.data) > LARGEST_FILE for file in request.params.files.values()):
            raise Refusal(413, "Request Entity Too Large")
        if refusal := self.limits.check(request.method, request.chat, self.world.now()):
            raise refusal

    # ---------------------------------------------------------------- one answer

    async def _respond(self, http: web.Request, request: Request, fault: Fault | None) -> web.StreamResponse:
        body = request.file
        if body is None:
            body = json.dumps(request.answer or {"ok": True, "result": True}).encode()
        code = request.code or 200
        match fault:
            case None if request.file is not None:
                return web.Response(body=body)
            case None:
                return _json(request.answer, code)
            case Answers():
                request.code = fault.code
                return web.Response(body=fault.body, status=fault.code, content_type=fault.content_type)
            case CutOff(whole=True):
                return web.Response(body=body[: len(body) // 2], status=code, content_type="application/json")
            case Slow():
                await self._wait(fault.seconds)
                return web.Response(body=body, status=code, content_type="application/json")
            case Drip():
                return await self._drip(http, body, code, fault.seconds)
            case CutOff():
                request.code = None
                return await _cut_off(http, body, code)
            case Silence():
                request.code = None
                await self._wait(float("inf"))
            case Reset():
                request.code = None
        return _reset(http)

    async def _wait(self, seconds: float) -> None:
        """Wait, but not beyond the end of the server."""
        end = asyncio.get_running_loop().time() + seconds
        while not self.receiving.closed and (left := end - asyncio.get_running_loop().time()) > 0:
            await self.world.changes.next(min(left, 3600))

    async def _drip(self, http: web.Request, body: bytes, code: int, seconds: float) -> web.StreamResponse:
        response = await _begin(http, body, code)
        for at in range(len(body)):
            await self._wait(seconds)
            await response.write(body[at : at + 1])
        return response


METHODS = frozenset({*messages.METHODS, *looking.METHODS, *profile.METHODS, *receiving.METHODS, "logout", "close"})


@web.middleware
async def _nothing_elsewhere(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return _json(Refusal(404, "Not Found").json, 404)


def _json(body: Json, code: int) -> web.Response:
    headers = {}
    if code == 429:
        headers["Retry-After"] = str(body["parameters"]["retry_after"])
    return web.Response(body=json.dumps(body).encode(), status=code, content_type="application/json", headers=headers)


async def _begin(http: web.Request, body: bytes, code: int) -> web.StreamResponse:
    response = web.StreamResponse(status=code, headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(http)
    return response


async def _cut_off(http: web.Request, body: bytes, code: int) -> web.StreamResponse:
    response = await _begin(http, body, code)
    await response.write(body[: len(body) // 2])
    if http.transport:
        http.transport.close()
    return response


def _reset(http: web.Request) -> web.Response:
    """Break the connection with a reset, not a farewell."""
    if http.transport:
        connection = http.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        http.transport.abort()
    return web.Response()


def _now() -> datetime:
    return datetime.now(UTC)
