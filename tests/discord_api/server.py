"""The server: a Discord on loopback, for one bot."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from discord_api import clubs, members
from discord_api.call import Call, Result, read
from discord_api.clubs import Club
from discord_api.commands import Commands
from discord_api.components import EPHEMERAL
from discord_api.content import Attachment, Content
from discord_api.faults import JSON, Answers, CutOff, Fault, Faults, Reset, Silence, Slow, bans
from discord_api.gateway import Gateway
from discord_api.interactions import Interaction, Interactions
from discord_api.limits import UNCOUNTED, Limits
from discord_api.members import PATIENCE, Member
from discord_api.messages import Channels
from discord_api.refusal import Json, Refusal, plain, refusal
from discord_api.routes import BASE, ROUTES, Route
from discord_api.world import Channel, Now, User, World

BOT_ID = 1_300_000_000_000_000_001
TOKEN = "MTMwMDAwMDAwMDAwMDAwMDAwMQ.GhXyZ1.abcdefghijklmnopqrstuvwxyz0123456789AB"
"""Of the bot."""
LARGEST_REQUEST = 25 * 2**20
_VIA = {"Via": "1.1 google"}
"""On what the API itself answers; discord.py takes a 429 without it for a ban."""


@dataclass(slots=True)
class Request:
    """One request of the bot, and what it got."""

    route: str
    """The name of the route; empty for a path that there is not."""
    call: Call
    at: datetime
    status: int | None = None
    """None while it is under way, and where it got no answer."""
    answer: Any = None
    """What came of it, also where the answer did not arrive."""
    done: bool = False
    """Whether it took place."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Json:
        """Return what was sent, empty where that was no object."""
        return self.call.body if isinstance(self.call.body, dict) else {}

    @property
    def data(self) -> Json:
        """Return the message that was sent, whether by itself or in answer to a member."""
        inner = self.json.get("data")
        return inner if isinstance(inner, dict) else self.json

    @property
    def ephemeral(self) -> bool:
        """Return whether it was asked that only one person sees it."""
        return bool(int(self.data.get("flags") or 0) & EPHEMERAL)


class DiscordApi:
    """A Discord on a free port of loopback: `async with DiscordApi() as api`.

    It knows one bot, `api.bot`. Its state lives in memory and outlives any number of processes of that bot.
    """

    def __init__(self, *, now: Now | None = None, port: int = 0) -> None:
        now = now or _now
        self.world = World(User(BOT_ID, "Hipwise", is_bot=True), now, self._tell)
        self.gateway = Gateway(now, self.world.changes)
        self.gateway.token, self.gateway.bot = TOKEN, self.world.bot.json
        self.commands = Commands(self.world)
        self.interactions = Interactions(self.world)
        self.limits = Limits()
        self.faults = Faults()
        self.requests: list[Request] = []
        self.broken: list[Exception] = []
        """Errors of the server itself; the test that they happen in fails."""
        self.channels = Channels(self.world)
        self.fetched: list[web.BaseRequest] = []
        """The requests for files that members have sent."""
        self._port = port
        self._ended = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[self._elsewhere()])
        self.app.router.add_get("/gateway/", self.gateway.serve)
        self.app.router.add_get("/resume/", self.gateway.serve)
        self.app.router.add_get("/attachments/{id}/{name}", self._file)
        for route in ROUTES:
            self.app.router.add_route(route.method, route.pattern, self._handler(route))

    # ---------------------------------------------------------------- running

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.gateway.resume_url = f"ws://127.0.0.1:{self._port}/resume/"
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            self._ended.set()
            await self.gateway.close()
        finally:
            if self._runner:
                await self._runner.cleanup()
        if self.broken:
            raise ExceptionGroup("the server itself went wrong", self.broken)

    @property
    def url(self) -> str:
        """Return the root of the REST API, as DISCORD_API_URL takes it."""
        return f"http://127.0.0.1:{self._port}{BASE}"

    def file_url(self, file: Attachment) -> str:
        """Return where a file is that a member has sent: here, and not on Discord's own hosts."""
        return f"http://127.0.0.1:{self._port}/attachments/{file.id}/{file.name}"

    @property
    def gateway_url(self) -> str:
        """Return where the gateway is, as DISCORD_GATEWAY_URL takes it."""
        return f"ws://127.0.0.1:{self._port}/gateway/"

    @property
    def token(self) -> str:
        """Return the token of the bot; change it, and the old one is revoked."""
        return self.gateway.token

    @token.setter
    def token(self, token: str) -> None:
        self.gateway.token = token

    # ---------------------------------------------------------------- the members' side

    @property
    def bot(self) -> User:
        """Return the bot."""
        return self.world.bot

    def user(self, id: int, name: str, *, locale: str = "en-GB") -> User:
        """Return a user of Discord; nobody has met the bot yet."""
        return self.world.users.setdefault(id, User(id, name, locale))

    def guild(self, name: str, *people: User, bot: bool = True) -> Club:
        """Return a server with a channel, with these people, and with the bot; the first of them owns it."""
        return clubs.club(self, name, *people, bot=bot)

    def dm(self, user: User) -> Member:
        """Return someone in their conversation with the bot, which they open."""
        return Member(self, user, self.world.open_dm(user))

    def group(self, *people: User) -> tuple[Member, ...]:
        """Return these people in a group without the bot; one who has installed the app can use it there."""
        return members.group(self, *people)

    def installs(self, user: User) -> None:
        """Let someone add the app to their own account."""
        self.world.installed.add(user.id)

    def inject(
        self, json: Json, *, user: User | None = None, channel: Channel | None = None, whole: bool = False
    ) -> Interaction:
        """Return an interaction of any shape, of which the bot is told.

        What the JSON does not say is as it would be for this person in this channel, or in a conversation with the bot;
        with `whole`, nothing is added to it. It can be answered by the id and the token that it has then.
        """
        return members.injected(self, json, user, channel, whole=whole)

    async def until(self, holds: Callable[[], bool], *, within: float = PATIENCE) -> None:
        """Wait until something holds; fail after so many seconds and say what the bot has asked for."""
        await members.until(self.world, holds, within, lambda: f"{[(r.route, r.status) for r in self.requests]}")

    # ---------------------------------------------------------------- what can be asserted

    def calls(self, *routes: str) -> list[Request]:
        """Return the requests so far of these routes, or of all, oldest first."""
        return [request for request in self.requests if not routes or request.route in routes]

    def said_in_public(self) -> tuple[Content, ...]:
        """Return all that the bot ever let more than one person read, also what it has since changed or deleted."""
        public = [channel for channel in self.world.channels.values() if not channel.private]
        return tuple(
            content
            for channel in public
            for message, content in self.world.ever(channel, self.bot)
            if message.reader is None and not content.thinking
        )

    def saw(self, user: User) -> tuple[str, ...]:
        """Return all that someone was ever shown by the bot: messages, forms, suggestions, each with all its words."""
        read = [
            content.words
            for channel in self.world.channels.values()
            if user.id in channel.readers
            for message, content in self.world.ever(channel, self.bot)
            if message.reader in (None, user) and not content.thinking
        ]
        forms = [modal.words for reader, modal in self.world.modals if reader == user]
        return (*read, *forms, *(choice for reader, choice in self.world.suggested if reader == user))

    def fastest(self, within: timedelta = timedelta(seconds=1)) -> int:
        """Return how many requests there were at most in any such time; answers to members do not count."""
        times = [request.at for request in self.requests if request.route not in UNCOUNTED]
        return max((sum(start <= at < start + within for at in times) for start in times), default=0)

    def invalid(self, within: timedelta = timedelta(minutes=10)) -> int:
        """Return how many requests of late were answered with 401, 403 or 429."""
        return self.limits.invalid_since(self.world.now() - within)

    # ---------------------------------------------------------------- one request

    def _tell(self, event: str, body: Json, intents: int) -> bool:
        return self.gateway.tell(event, body, intents)

    async def _file(self, http: web.Request) -> web.StreamResponse:
        self.fetched.append(http)
        fault = self.faults.next("file", {})
        if isinstance(fault, Answers):
            return _answered(fault)
        if isinstance(fault, Silence):
            await self._wait(3600)
        file = self.world.uploads.get(int(http.match_info["id"]))
        return web.Response(status=404) if file is None else web.Response(body=file.data, content_type=file.kind)

    def _handler(self, route: Route) -> Handler:
        async def handle(http: web.Request) -> web.StreamResponse:
            return await self._handle(route, http)

        return handle

    async def _handle(self, route: Route, http: web.Request) -> web.StreamResponse:
        try:
            call = await read(http)
        except ValueError:
            return _json(refusal(50109).json, 400, _VIA)
        request = Request(route.name, call, self.world.now())
        self.requests.append(request)
        self.world.changes.tell()
        fault = self.faults.next(route.name, call.place)
        if fault is None or fault.done:
            self._do(route, request, http.headers.get("Authorization"))
        response = await self._respond(http, request, fault)
        scope = response.headers.get("X-RateLimit-Scope")
        self.limits.count(request.status or 0, scope, self.world.now())
        self.world.changes.tell()
        return response

    def _do(self, route: Route, request: Request, authorization: str | None) -> None:
        """Let a request take place, or be held up or refused."""
        now = self.world.now()
        if self.limits.banned(now):
            banned = bans()
            request.status, request.answer, request.headers = 429, banned, dict(banned.headers)
            return
        request.headers, held = self.limits.check(route.name, route.major(request.call), now)
        if held:
            request.status, request.answer, request.headers = 429, held.json, held.headers
            return
        try:
            request.answer = self._called(route, request.call, authorization)
        except Refusal as refused:
            request.status, request.answer = refused.status, refused.json
        except Exception as error:  # noqa: BLE001 - raised at the end, whatever it is
            self.broken.append(error)
            request.status, request.answer = 500, plain(500, "Internal Server Error").json
        else:
            request.status, request.done = (204 if request.answer is None else 200), True

    def _called(self, route: Route, call: Call, authorization: str | None) -> Result:
        if not route.open and authorization != f"Bot {self.token}":
            raise plain(401, "Unauthorized")
        return route.answer(self, call)

    # ---------------------------------------------------------------- one answer

    async def _respond(self, http: web.Request, request: Request, fault: Fault | None) -> web.StreamResponse:
        if isinstance(request.answer, Answers):
            return _answered(request.answer)
        status, headers = request.status or 200, _VIA | request.headers
        match fault:
            case None:
                return _json(request.answer, status, headers)
            case Answers():
                request.status = fault.status
                return _answered(fault)
            case CutOff(whole=True):
                whole = json.dumps(request.answer).encode()
                return web.Response(body=whole[: len(whole) // 2], status=status, content_type=JSON, headers=headers)
            case Slow():
                await self._wait(fault.seconds)
                return _json(request.answer, status, headers)
            case CutOff():
                request.status = None
                return await _cut_off(http, request.answer, status)
            case Silence():
                request.status = None
                await self._wait(3600)
            case Reset():
                request.status = None
        return _reset(http, politely=isinstance(fault, Reset) and fault.closed)

    async def _wait(self, seconds: float) -> None:
        """Wait, but not beyond the end of the server."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)

    def _elsewhere(self) -> Middleware:
        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
                words = "Not Found" if error.status == 404 else "Method Not Allowed"
                self.requests.append(Request("", Call({"path": request.path}), self.world.now(), error.status))
                return _json(plain(error.status, words).json, error.status, _VIA)

        return answer


def _json(body: Any, status: int, headers: dict[str, str]) -> web.Response:
    if status == 204:
        return web.Response(status=204, headers=headers)
    return web.Response(body=json.dumps(body).encode(), status=status, content_type=JSON, headers=headers)


def _answered(fault: Answers) -> web.Response:
    """Return an answer as it was laid down; one that names no Via comes from the API."""
    headers = {name: value for name, value in (_VIA | fault.headers).items() if value}
    return web.Response(body=fault.body, status=fault.status, content_type=fault.content_type, headers=headers)


async def _cut_off(http: web.Request, answer: Any, status: int) -> web.StreamResponse:
    body = json.dumps(answer).encode()
    response = web.StreamResponse(status=status, headers={"Content-Type": JSON})
    response.content_length = len(body)
    await response.prepare(http)
    await response.write(body[: len(body) // 2])
    if http.transport:
        http.transport.close()
    return response


def _reset(http: web.Request, *, politely: bool) -> web.Response:
    """Break the connection: with a reset, or with a farewell."""
    if http.transport and politely:
        http.transport.close()
    elif http.transport:
        connection = http.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        http.transport.abort()
    return web.Response()


def _now() -> datetime:
    return datetime.now(UTC)
