"""How Telegram is asked: over aiohttp, which costs a fraction of the CPU of the library's own client.

Whoever calls can tell three things apart:

    NotSent            it surely never left: ask again
    MaybeSent          no answer came back, or none that says what was done: it may have been done
    every other error  Telegram answered, and did not do it: the library's own errors, such as Forbidden and RetryAfter

The token is part of every address that is asked, and so of the text of most errors of aiohttp. Ours hold one word for what
happened, such as the type of an error, and no other error hangs on them.

Of what was there already, the AiohttpRequest of ptbcontrib is on no package index, follows redirects, does not tell what was
sent from what was not, and puts the address into its errors; httpx-aiohttp costs twice as much, and does the last two too.
"""

import asyncio
import io
import json
import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeVar

import aiohttp
import msgspec
from telegram.error import NetworkError, RetryAfter
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bots.patience import within

# Else the library warns at every refusal that RetryAfter.retry_after will one day be a timedelta.
os.environ["PTB_TIMEDELTA"] = "true"

CONNECTIONS = 64
"""So many requests are under way at once; others wait for the pool timeout."""
MAX_BYTES = 16 * 1024 * 1024
"""Above the largest answer: a hundred updates of long messages. A larger one is not read."""
KEEP_ALIVE = 15.0
"""Seconds that an idle connection is kept. Not longer: of a request on one that the server is just closing nothing is known."""

UNKNOWN_WAIT = 5
"""Seconds to wait where a refusal does not say how long."""
LONGEST_WAIT = 24 * 3600
LONGEST_DESCRIPTION = 500

_JSON = {"Content-Type": "application/json"}

T = TypeVar("T")


class NotSent(NetworkError):
    """The request surely did not reach Telegram: it can be made again."""


class MaybeSent(NetworkError):
    """The request may have reached Telegram: whether it was done is not known."""


class AiohttpRequest(BaseRequest):
    """Asks over kept connections, within timeouts in seconds; None waits for ever.

    A call may replace each timeout but one: `upload_timeout` is the write timeout of whatever has a file. From connecting to
    the last byte of the answer, a POST takes at most the connect, write and read timeouts together; a download as long as
    it keeps coming. The proxy is an http or https address, and may hold a name and a password. It can be initialized again
    after it was shut down; doing either twice does nothing.
    """

    def __init__(
        self,
        *,
        connections: int = CONNECTIONS,
        read_timeout: float | None = 5.0,
        write_timeout: float | None = 5.0,
        connect_timeout: float | None = 5.0,
        pool_timeout: float | None = 1.0,
        upload_timeout: float | None = 20.0,
        proxy: str | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._connections, self._max_bytes = connections, max_bytes
        self._read, self._write, self._upload = read_timeout, write_timeout, upload_timeout
        self._connect, self._pool = connect_timeout, pool_timeout
        self._proxy = None if proxy is None else _proxy(proxy)
        self._open: _Open | None = None

    @property
    def read_timeout(self) -> float | None:
        """The read timeout of calls that bring none."""
        return self._read

    async def initialize(self) -> None:
        """Get ready for requests of the running event loop."""
        if self._open is None:
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE),
                cookie_jar=aiohttp.DummyCookieJar(),
                # An answer as it came has the length that was announced, so a small one cannot unfold into a large one.
                headers={"User-Agent": self.USER_AGENT, "Accept-Encoding": "identity"},
                auto_decompress=False,
                trace_configs=[_telling_what_was_written()],
            )
            self._open = _Open(session, asyncio.Semaphore(self._connections))

    async def shutdown(self) -> None:
        """Close every connection; a request still under way ends as MaybeSent."""
        closing, self._open = self._open, None
        if closing is not None:
            await closing.session.close()

    async def do_request(  # noqa: PLR0917 - the library's own signature
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Return the status and the body of an answer; of a refusal, a body that the library can read.

        Raise NotSent or MaybeSent.
        """
        uploads = request_data is not None and request_data.contains_files
        limits = _timeout(
            method,
            connect=_given(connect_timeout, self._connect),
            write=_given(write_timeout, self._upload if uploads else self._write),
            read=_given(read_timeout, self._read),
            uploads=uploads,
        )
        status, body = await self._connected(
            _given(pool_timeout, self._pool), lambda session: self._exchange(session, method, url, request_data, limits)
        )
        return status, body if status < 400 else _refusal(status, body)

    async def first_of(self, url: str, most: int) -> bytes:
        """Return what is at an address, of a long file the first so many bytes; raise NotSent or MaybeSent."""
        return await self._connected(self._pool, lambda session: self._downloaded(session, url, most))

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Return an answer that has a result; raise MaybeSent for anything else, and log none of it.

        The buttons of a message that was written are left out: they are ours, and cost more to read than all the rest.
        """
        answer = _parsed(payload)
        if "result" not in answer:
            raise MaybeSent("unreadable")
        if isinstance(answer["result"], dict):
            answer["result"].pop("reply_markup", None)
        return answer

    async def _connected(self, pool: float | None, exchange: Callable[[aiohttp.ClientSession], Awaitable[T]]) -> T:
        """Return what comes of an exchange over a connection that is free within so many seconds."""
        if self._open is None:
            raise NotSent("ShutDown")
        async with self._open.connection(pool) as session:
            try:
                return await exchange(session)
            except Exception as error:  # noqa: BLE001 - the text of any of them may hold the token
                failure = _failure(error)
        # Not where it was caught: what is raised there remembers what it was raised for.
        raise failure

    async def _exchange(
        self, session: aiohttp.ClientSession, method: str, url: str, data: RequestData | None, limits: "_Limits"
    ) -> tuple[int, bytes]:
        body, headers = _encoded(data)
        async with (
            within(limits.whole) as limit,
            session.request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=limits.each,
                proxy=self._proxy,
                allow_redirects=False,
                trace_request_ctx=partial(limit.end_in, limits.read),
            ) as response,
        ):
            limit.end_in(None)
            # Neither says that nothing was done: a gateway answers for a server that may have worked on.
            if response.status >= 500 or 300 <= response.status < 400:
                raise _NoAnswer(f"http_{response.status}")
            return response.status, await self._bounded(response)

    async def _downloaded(self, session: aiohttp.ClientSession, url: str, most: int) -> bytes:
        limits = _timeout("GET", connect=self._connect, write=self._write, read=self._read)
        async with session.get(url, timeout=limits.each, proxy=self._proxy, allow_redirects=False) as response:
            if response.status != 200:
                raise _NoAnswer(f"http_{response.status}")
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) >= most:
                    response.close()
                    break
            return bytes(body[:most])

    async def _bounded(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_bytes:
                response.close()
                raise _NoAnswer("TooLarge")
        return bytes(body)


def retry_seconds(refused: RetryAfter) -> float:
    """Return how long a refusal asks to wait, in seconds."""
    wait = refused.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else wait


@dataclass(frozen=True, slots=True)
class _Open:
    """What there is between initialize and shutdown."""

    session: aiohttp.ClientSession
    free: asyncio.Semaphore

    @asynccontextmanager
    async def connection(self, seconds: float | None) -> AsyncIterator[aiohttp.ClientSession]:
        """Wait until one more request may be under way; raise NotSent if that takes longer than so many seconds."""
        try:
            # Most often it may at once, and a timer would be for nothing.
            async with asyncio.timeout(seconds if self.free.locked() else None):
                await self.free.acquire()
        except TimeoutError:
            raise NotSent("PoolTimeout") from None
        try:
            if self.session.closed:
                raise NotSent("ShutDown")
            yield self.session
        finally:
            self.free.release()


class _NoAnswer(Exception):
    """An answer came that says nothing about what was done; the message is one word for it."""


def _proxy(address: str) -> URL:
    url = URL(address)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("the proxy must be an http:// or https:// address")
    return url


def _given(seconds: object, default: float | None) -> float | None:
    """Return the timeout that a call brings, or the default where it brings none; None is one that it may bring."""
    if seconds is BaseRequest.DEFAULT_NONE:
        return default
    return seconds if isinstance(seconds, int | float) else None


@dataclass(frozen=True, slots=True)
class _Limits:
    """How long the parts of a request may take, and the whole of it, in seconds."""

    each: aiohttp.ClientTimeout
    whole: float | None
    read: float | None
    """From when a message is written to the first byte of the answer; None: as long as the whole, such as with a file."""


def _timeout(method: str, *, connect: float | None, write: float | None, read: float | None, uploads: bool = False) -> _Limits:
    # aiohttp times the reading from the last byte written on, and the writing not at all.
    whole = None if method == "GET" or connect is None or write is None or read is None else connect + write + read
    # Its limits are over before it looks at what has come while the process was stopped: after those of a message, which may
    # have been sent, it would be sent again. To get something again does no harm. When a file is written, only it knows.
    own = None if method == "GET" or uploads else read
    return _Limits(aiohttp.ClientTimeout(total=None, connect=connect, sock_read=read if own is None else None), whole, own)


def _telling_what_was_written() -> aiohttp.TraceConfig:
    """Return what calls the context of a request whenever a part of it goes out."""

    async def tell(_session: aiohttp.ClientSession, context: SimpleNamespace, _part: object) -> None:
        if context.trace_request_ctx is not None:
            context.trace_request_ctx()

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(tell)
    trace.on_request_chunk_sent.append(tell)
    return trace


def _encoded(data: RequestData | None) -> tuple[bytes | aiohttp.FormData | None, dict[str, str] | None]:
    """Return a request's parameters as a body: JSON, which costs least, or a form where a file goes with them."""
    if data is None:
        return None, None
    if not data.contains_files:
        return msgspec.json.encode(data.parameters), _JSON
    form = aiohttp.FormData(data.json_parameters, quote_fields=False)
    for name, (filename, content, kind) in data.multipart_data.items():
        # aiohttp warns of bytes above a megabyte, as it would write them in one go.
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, stream, filename=filename, content_type=kind)
    return form, None


def _failure(error: Exception) -> NotSent | MaybeSent:
    """Return what is known of a request that ended like this, without the error itself."""
    match error:
        case _NoAnswer():
            return MaybeSent(str(error))
        case (
            aiohttp.ClientConnectorError()  # the name is not known, refused, no route, no trust: no connection came about
            | aiohttp.ConnectionTimeoutError()
            | aiohttp.ClientHttpProxyError()  # the proxy would not open the way
            | aiohttp.InvalidURL()
            | aiohttp.NonHttpUrlClientError()
        ):
            return NotSent(type(error).__name__)
        case _:
            return MaybeSent(type(error).__name__)


def _parsed(payload: bytes) -> dict[str, Any]:
    try:
        # Telegram cuts names and texts between bytes now and then.
        answer = json.loads(payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(status: int, body: bytes) -> bytes:
    """Return a refusal with nothing in it that the library stumbles over: it trusts every type, and quotes what it cannot read.

    A 429 always says how long to wait.
    """
    answer = _parsed(body)
    description, parameters = answer.get("description"), answer.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    kept: dict[str, Any] = {}
    if status == 429:
        kept["retry_after"] = _wait(parameters.get("retry_after"))
    elif type(chat := parameters.get("migrate_to_chat_id")) is int:
        kept["migrate_to_chat_id"] = chat
    text = description[:LONGEST_DESCRIPTION] if isinstance(description, str) else None
    return msgspec.json.encode({"ok": False, "result": None, "description": text, "parameters": kept})


def _wait(seconds: object) -> float:
    # True and False are numbers too.
    if type(seconds) not in {int, float} or not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        return UNKNOWN_WAIT
    return min(max(seconds, 1), LONGEST_WAIT)
