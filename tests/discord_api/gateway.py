"""The gateway: a bot says who it is, hears what happens, and after a broken line goes on where it was."""

import asyncio
import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import count

from aiohttp import WSMsgType, web

from discord_api.refusal import Json
from discord_api.world import Changes, Intent, Now

RESUMABLE_FOR = timedelta(minutes=3)
"""Discord says "a few minutes"."""
MOST_SENT = (120, timedelta(seconds=60))
"""On one connection; while the clock stands still, the time is not over."""
LARGEST = 4096
STARTS_A_DAY = 1000
_PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
_ALL_INTENTS = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))


class Op(IntEnum):
    """What a payload is."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE = 4
    RESUME = 6
    RECONNECT = 7
    MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    ACK = 11


class Close(IntEnum):
    """Why the gateway ends a connection."""

    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    RATE_LIMITED = 4008
    INVALID_VERSION = 4012
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


@dataclass(eq=False, slots=True)
class Session:
    """What a bot has been told since it said who it is. It outlives its connections."""

    id: str
    intents: int
    events: list[Json] = field(default_factory=list)
    """Every event as it was or would have been sent, in order; the first has the number 1."""
    connection: "Connection | None" = None
    left: datetime | None = None
    ended: bool = False

    def tell(self, event: str, body: Json) -> None:
        """Send an event, now or when the bot resumes."""
        self.events.append({"op": int(Op.DISPATCH), "t": event, "s": len(self.events) + 1, "d": body})
        if self.connection:
            self.connection.send(self.events[-1])


@dataclass(eq=False)
class Connection:
    """One connection of a bot, and what was heard on it."""

    http: web.Request
    socket: web.WebSocketResponse
    path: str
    query: dict[str, str]
    gone: Callable[["Connection"], None]
    """Is told when it has ended, once or more."""
    session: Session | None = None
    heard: list[Json] = field(default_factory=list)
    frozen: bool = False
    """Whether nothing comes through any more, though the line stays open."""
    left: int | None = None
    """With which code the bot closed it."""
    closed_with: int | None = None
    """With which code the gateway closed it."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _outgoing: asyncio.Queue[Json | int] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self._zlib = zlib.compressobj() if self.query.get("compress") == "zlib-stream" else None

    def send(self, payload: Json | int) -> None:
        """Send a payload, or close with a code, after everything before."""
        self._outgoing.put_nowait(payload)

    def freezes(self) -> None:
        """Let the line go dead without a word: what either side sends is lost."""
        self.frozen = True

    def drops(self) -> None:
        """Break the line, without a farewell."""
        self.gone(self)
        if self.http.transport:
            self.http.transport.abort()

    def closes(self, code: int) -> None:
        """Close the line with a code."""
        self.send(code)

    async def write(self) -> None:
        """Send what is to be sent, until the line is closed."""
        while True:
            payload = await self._outgoing.get()
            if self.frozen:
                continue
            if isinstance(payload, int):
                self.closed_with = payload
                await self.socket.close(code=payload)
                return
            text = json.dumps(payload)
            with suppress(ConnectionError):
                if self._zlib is None:
                    await self.socket.send_str(text)
                else:
                    await self.socket.send_bytes(self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH))


class Gateway:
    """The gateway of one bot."""

    def __init__(self, now: Now, changes: Changes) -> None:
        self.now = now
        self.changes = changes
        self.token = ""
        self.bot: Json = {}
        self.resume_url = ""
        """Where a bot is told to resume."""
        self.guilds: dict[int, Json] = {}
        """What a bot is told after it has said who it is: the servers it is in."""
        self.heartbeat = 41.25
        """Seconds between two heartbeats."""
        self.acknowledges = True
        """Whether heartbeats are answered."""
        self.privileged = 0
        """The privileged intents that are switched on for the bot."""
        self.refuses: int | None = None
        """The status that whoever connects is refused with; 0 breaks the line instead."""
        self.connections: list[Connection] = []
        self.sessions: dict[str, Session] = {}
        self.identified: list[Json] = []
        """What bots have said of themselves, with the token cut out."""
        self.resumed = 0
        self._ids = count(1)

    # ---------------------------------------------------------------- what tests look at and do

    @property
    def live(self) -> tuple[Connection, ...]:
        """Return the connections that are open and through which something comes."""
        return tuple(one for one in self.connections if not one.over.is_set() and not one.frozen)

    @property
    def ready(self) -> bool:
        """Return whether a bot is listening."""
        return any(one.session for one in self.live)

    @property
    def connection(self) -> Connection:
        """Return the newest connection."""
        assert self.connections, "no bot has connected"
        return self.connections[-1]

    def asks_to_reconnect(self) -> None:
        """Ask every bot to connect anew and resume."""
        for one in self.live:
            one.send({"op": int(Op.RECONNECT), "d": None, "s": None, "t": None})

    def invalidates(self, *, resumable: bool) -> None:
        """Tell every bot that its session is over, or that it should try to resume it."""
        for one in self.live:
            if one.session and not resumable:
                one.session.ended = True
            one.send({"op": int(Op.INVALID_SESSION), "d": resumable, "s": None, "t": None})

    def asks_for_heartbeat(self) -> None:
        """Ask every bot for a heartbeat at once."""
        for one in self.live:
            one.send({"op": int(Op.HEARTBEAT), "d": None, "s": None, "t": None})

    def tell(self, event: str, body: Json, intents: int) -> bool:
        """Tell every session of an event that it asked for; return whether there was one that may still hear it."""
        told = False
        for session in self.sessions.values():
            wants = not intents or bool(session.intents & intents)
            if wants and self._resumable(session):
                session.tell(event, body)
                told = True
        return told

    # ---------------------------------------------------------------- one connection

    async def serve(self, http: web.Request) -> web.StreamResponse:
        """Take a connection, until it ends."""
        if self.refuses is not None:
            return self._refused(http, self.refuses)
        socket = web.WebSocketResponse(autoclose=False, max_msg_size=0)
        await socket.prepare(http)
        connection = Connection(http, socket, http.path, dict(http.query), self._gone)
        self.connections.append(connection)
        connection.send({"op": int(Op.HELLO), "d": {"heartbeat_interval": self.heartbeat * 1000}, "s": None, "t": None})
        if not self._speaks(connection):
            connection.closes(Close.INVALID_VERSION)
        writer = asyncio.create_task(connection.write())
        try:
            await self._listen(connection)
        finally:
            writer.cancel()
            self._gone(connection)
        return socket

    async def close(self) -> None:
        """End every connection."""
        for one in self.connections:
            if not one.over.is_set():
                one.drops()

    async def _listen(self, connection: Connection) -> None:
        while not connection.over.is_set():
            message = await connection.socket.receive()
            if message.type is WSMsgType.CLOSE:
                connection.left = message.data
                self.changes.tell()
                if connection.frozen:
                    await connection.over.wait()
                else:
                    await connection.socket.close()
                return
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            if not connection.frozen:
                self._hear(connection, message.data)

    def _hear(self, connection: Connection, data: str | bytes) -> None:
        try:
            payload = json.loads(data)
            op, body = int(payload["op"]), payload.get("d")
        except (ValueError, KeyError, TypeError):
            return connection.closes(Close.DECODE_ERROR)
        if len(data) > LARGEST:
            return connection.closes(Close.DECODE_ERROR)
        connection.heard.append({"op": op, "d": _without_token(body), "at": self.now()})
        self.changes.tell()
        most, within = MOST_SENT
        if sum(one["at"] > self.now() - within for one in connection.heard) > most:
            return connection.closes(Close.RATE_LIMITED)
        return self._do(connection, op, body)

    def _do(self, connection: Connection, op: int, body: Json) -> None:
        match op:
            case Op.HEARTBEAT:
                if self.acknowledges:
                    connection.send({"op": int(Op.ACK), "d": None, "s": None, "t": None})
            case Op.IDENTIFY:
                self._identify(connection, body)
            case Op.RESUME:
                self._resume(connection, body)
            case Op.PRESENCE | Op.VOICE | Op.MEMBERS:
                if connection.session is None:
                    connection.closes(Close.NOT_AUTHENTICATED)
            case _:
                connection.closes(Close.UNKNOWN_OPCODE)

    def _identify(self, connection: Connection, body: Json) -> None:
        self.identified.append(_without_token(body))
        if wrong := self._wrong(connection, body):
            return connection.closes(wrong)
        session = Session(f"session{next(self._ids)}", body["intents"], connection=connection)
        self.sessions[session.id] = session
        connection.session = session
        session.tell("READY", self._ready(session))
        if session.intents & Intent.GUILDS:
            for guild in self.guilds.values():
                session.tell("GUILD_CREATE", guild)
        return self.changes.tell()

    def _wrong(self, connection: Connection, body: Json) -> Close | None:
        """Return why someone may not come in."""
        intents = body.get("intents")
        if connection.session is not None:
            return Close.ALREADY_AUTHENTICATED
        if body.get("token") != self.token:
            return Close.AUTHENTICATION_FAILED
        if not isinstance(intents, int) or intents & ~_ALL_INTENTS:
            return Close.INVALID_INTENTS
        if intents & _PRIVILEGED & ~self.privileged:
            return Close.DISALLOWED_INTENTS
        return None

    def _ready(self, session: Session) -> Json:
        return {
            "v": 10,
            "user": self.bot,
            "guilds": [{"id": str(id), "unavailable": True} for id in self.guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.resume_url,
            "private_channels": [],
            "shard": [0, 1],
            "application": {"id": self.bot["id"], "flags": 0},
        }

    def _resume(self, connection: Connection, body: Json) -> None:
        if body.get("token") != self.token:
            return connection.closes(Close.AUTHENTICATION_FAILED)
        session = self.sessions.get(str(body.get("session_id")))
        seq = body.get("seq")
        if session is None or not self._resumable(session) or not isinstance(seq, int) or seq > len(session.events):
            return connection.send({"op": int(Op.INVALID_SESSION), "d": False, "s": None, "t": None})
        if session.connection and session.connection is not connection:
            session.connection.session = None
        session.connection, session.left, connection.session = connection, None, session
        for missed in session.events[seq:]:
            connection.send(missed)
        self.resumed += 1
        session.tell("RESUMED", {})
        return self.changes.tell()

    def _resumable(self, session: Session) -> bool:
        if session.ended:
            return False
        return session.left is None or self.now() - session.left <= RESUMABLE_FOR

    def _gone(self, connection: Connection) -> None:
        """Note that a connection has ended; the bot's own 1000 or 1001 ends its session too."""
        connection.over.set()
        session = connection.session
        if session and session.connection is connection:
            session.connection, session.left = None, self.now()
            session.ended = session.ended or connection.left in (1000, 1001)
        self.changes.tell()

    def _speaks(self, connection: Connection) -> bool:
        query = connection.query
        known = query.get("encoding", "json") == "json" and query.get("compress") in (None, "zlib-stream")
        return known and query.get("v") in ("9", "10")

    def _refused(self, http: web.Request, status: int) -> web.Response:
        if status == 0 and http.transport:
            http.transport.abort()
        return web.Response(status=status or 500)


def _without_token(body: object) -> Json:
    """Return what was said without what nobody may read again."""
    return {name: value for name, value in body.items() if name != "token"} if isinstance(body, dict) else {"": body}
