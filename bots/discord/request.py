"""How Discord is asked by us: over aiohttp, once, and within our own time limits.

discord.py's own client repeats what got a 5xx, so that a message may stand there twice, and waits up to minutes; and
it raises what it knows too little of. Here whoever calls can tell apart:

    NotSent    it surely never left, or may not leave now: ask again in so many seconds
    MaybeSent  no answer came back, or none that says what was done: it may have been done
    Refusal    Discord answered, and did not do it; its status and code say why

Interaction tokens are part of many addresses, and so of the text of errors of aiohttp. Ours hold one word for what
happened, and no other error hangs on them.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import msgspec

from bots import VERSION, patience
from bots.discord.limits import INVALID_FOR, MOST_AT_ONCE, MOST_INVALID, WITHIN

CONNECT, READ = 3.0, 10.0
"""Seconds to connect in, and for the whole of a request."""
KEEP_ALIVE = 15.0
"""Seconds that an idle connection is kept. Not longer: of a request on one that the server is just closing nothing is known."""
MAX_BYTES = 8 * 1024 * 1024
"""Above the largest answer: fifty messages."""
UNKNOWN_WAIT, LONGEST_WAIT = 5.0, 24 * 3600.0
"""Seconds to wait where a refusal does not say how long, and at most."""
SOON = 2.0
"""Seconds until what surely was not sent is tried again."""

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 401, 403, 404, 429

_AGENT = f"DiscordBot (hipwise, {VERSION})"
_JSON = {"Content-Type": "application/json"}

File = tuple[str, bytes]
Clock = Callable[[], float]
"""Seconds that never go back."""


class NotSent(Exception):
    """The request was surely not done, and can be in so many seconds."""

    def __init__(self, why: str, seconds: float = SOON, *, held: bool = False) -> None:
        super().__init__(why)
        self.seconds = seconds
        self.held = held
        """Whether Discord itself said to wait."""


class MaybeSent(Exception):
    """The request may have reached Discord: whether it was done is not known."""


class Refusal(Exception):
    """Discord answered, and did not do it."""

    def __init__(self, status: int, code: int) -> None:
        super().__init__(f"{status}_{code}")
        self.status, self.code = status, code


class Breaker:
    """Asks nothing more where too much was refused of late: whoever goes on is shut out, with all on the same machine.

    Whatever is under way may be refused as well: it counts until its answer is there.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refused: deque[float] = deque()
        self._under_way = 0
        self._back = asyncio.Event()
        """Set when something comes back that was under way; then there is another."""

    async def begin(self, *, token: bool) -> None:
        """Return when one more may be asked, and `end` is to be told of it; raise NotSent where one more refusal is too many.

        For what shows the bot's token half as many are: members who ask by themselves are answered still.
        """
        most = MOST_INVALID // 2 if token else MOST_INVALID - 1
        while True:
            oldest = self._clock() - INVALID_FOR.total_seconds()
            while self._refused and self._refused[0] <= oldest:
                self._refused.popleft()
            if len(self._refused) >= most:
                raise NotSent("Breaker", self._refused[-most] - oldest)
            if len(self._refused) + self._under_way < MOST_INVALID - 1:
                break
            await self._back.wait()
        self._under_way += 1

    def end(self, status: int | None) -> None:
        """Note what was answered, None where nothing was: some answers say that one should not have asked."""
        self._under_way -= 1
        if status in (UNAUTHORIZED, FORBIDDEN, TOO_MANY):
            self._refused.append(self._clock())
        self._back.set()
        self._back = asyncio.Event()


class Window:
    """Lets so many through in any time: the next one waits until that is so."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._let: deque[float] = deque(maxlen=MOST_AT_ONCE)

    async def wait(self) -> None:
        """Return when one more may go."""
        now = self._clock()
        at = max(now, self._let[0] + WITHIN) if len(self._let) == MOST_AT_ONCE else now
        self._let.append(at)
        if at > now:
            await asyncio.sleep(at - now)


class Requests:
    """Asks the API at a root over kept connections. What is asked with `token` shows the bot's own."""

    def __init__(self, root: str, token: str, clock: Clock) -> None:
        self._root, self._authorization = root, {"Authorization": f"Bot {token}"}
        self._breaker, self._window = Breaker(clock), Window(clock)
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def close(self) -> None:
        """Close every connection for good; a request still under way ends as MaybeSent."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        files: Sequence[File] = (),
        token: bool = False,
        within: float = READ,
    ) -> Any:
        """Return what Discord answers, None where that is nothing, within so many seconds.

        Raise NotSent, MaybeSent or Refusal.
        """
        if self._closed:
            raise NotSent("ShutDown")
        await self._breaker.begin(token=token)
        status = None
        try:
            if token:
                await self._window.wait()
            status, read, headers = await self._exchange(method, path, body, files, token=token, within=within)
        except Exception as error:  # noqa: BLE001 - the text of any of them may hold a token
            failure = _failure(error)
        else:
            return _answer(status, read, headers)
        finally:
            self._breaker.end(status)
        # Not where it was caught: what is raised there remembers what it was raised for.
        raise failure

    async def _exchange(
        self, method: str, path: str, body: object, files: Sequence[File], *, token: bool, within: float
    ) -> tuple[int, bytes, Mapping[str, str]]:
        data, headers = _encoded(body, files)
        asked = self._opened().request(
            method,
            self._root + path,
            data=data,
            headers=headers | self._authorization if token else headers,
            timeout=aiohttp.ClientTimeout(total=None, connect=min(CONNECT, within)),
            allow_redirects=False,
        )
        async with patience.within(within), asked as response:
            # Neither says that nothing was done: a gateway answers for a server that may have worked on.
            if response.status >= 500 or 300 <= response.status < 400:
                raise _NoAnswer(f"http_{response.status}")
            return response.status, await _bounded(response), response.headers

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE),
                cookie_jar=aiohttp.DummyCookieJar(),
                # An answer as it came has the length that was announced, so a small one cannot unfold into a large one.
                headers={"User-Agent": _AGENT, "Accept-Encoding": "identity"},
                auto_decompress=False,
            )
        return self._session


class _NoAnswer(Exception):
    """An answer came that says nothing about what was done; the message is one word for it."""


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            response.close()
            raise _NoAnswer("TooLarge")
    return bytes(body)


def _encoded(body: object, files: Sequence[File]) -> tuple[bytes | aiohttp.FormData | None, dict[str, str]]:
    """Return a body as JSON, or a form where files go with it."""
    if not files:
        return (None, {}) if body is None else (msgspec.json.encode(body), _JSON)
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", msgspec.json.encode(body).decode())
    for n, (name, content) in enumerate(files):
        form.add_field(f"files[{n}]", content, filename=name, content_type="application/octet-stream")
    return form, {}


def _failure(error: Exception) -> NotSent | MaybeSent:
    """Return what is known of a request that ended like this, without the error itself."""
    match error:
        case _NoAnswer():
            return MaybeSent(str(error))
        case (
            aiohttp.ClientConnectorError()  # the name is not known, refused, no route, no trust: no connection came about
            | aiohttp.ConnectionTimeoutError()
            | aiohttp.InvalidURL()
            | aiohttp.NonHttpUrlClientError()
        ):
            return NotSent(type(error).__name__)
        case _:
            return MaybeSent(type(error).__name__)


def _answer(status: int, read: bytes, headers: Mapping[str, str]) -> Any:
    """Return what an answer says; raise what a refusal means."""
    if status == TOO_MANY:
        raise NotSent("TooMany", _wait(_parsed(read), headers), held=True)
    if status >= 400:
        code = _parsed(read).get("code")
        raise Refusal(status, code if type(code) is int else 0)
    if not read:
        return None
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(read)
    raise MaybeSent("unreadable")


def _parsed(read: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(read)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _wait(answer: Mapping[str, Any], headers: Mapping[str, str]) -> float:
    """Return how many seconds a 429 says to wait; one from before the API says it in a header only."""
    for said in (answer.get("retry_after"), headers.get("Retry-After")):
        try:
            seconds = float(said)  # type: ignore[arg-type] # whatever is no number is an error that is caught
        except (TypeError, ValueError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return min(max(seconds, 0.05), LONGEST_WAIT)
    return UNKNOWN_WAIT
