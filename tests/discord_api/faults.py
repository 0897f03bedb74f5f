"""What can go wrong between a bot and the API, on demand: which call of which route, and how."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from discord_api.limits import Held
from discord_api.refusal import Json, Refusal, plain, refusal

JSON = "application/json"
"""Exactly so: discord.py reads nothing else as JSON."""
_BAD_GATEWAY = b"""<html>\r
<head><title>502 Bad Gateway</title></head>\r
<body>\r
<center><h1>502 Bad Gateway</h1></center>\r
<hr><center>cloudflare</center>\r
</body>\r
</html>\r
"""
_UNAVAILABLE = b"upstream connect error or disconnect/reset before headers. reset reason: overflow"
_BANNED = b"error code: 1015"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Another answer than what came of it."""

    done: bool = False
    """Whether what was asked for takes place all the same, as a sent message does whose answer is lost."""
    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """The answer breaks off half way: the connection closes, or with `whole` the length is right and the JSON is not."""

    done: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """No answer, ever; the connection stays open."""

    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """The connection is reset; with `closed` it ends politely, and as early."""

    done: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """The answer comes late, whole; so many real seconds."""

    done: bool = True
    seconds: float


Fault = Answers | CutOff | Silence | Reset | Slow


def refuses(code: Refusal | int, *, done: bool = False) -> Answers:
    """Return that a call is answered with a refusal, or with the one of this code."""
    given = refusal(code) if isinstance(code, int) else code
    return Answers(status=given.status, body=json.dumps(given.json).encode(), done=done)


def answers(status: int, *, done: bool = False) -> Answers:
    """Return what comes with this status: JSON from the API itself; HTML or text from the proxies before it."""
    match status:
        case 502 | 504 | 520 | 524:
            return Answers(status=status, body=_BAD_GATEWAY, content_type="text/html", done=done)
        case 503:
            return Answers(status=status, body=_UNAVAILABLE, content_type="text/plain", done=done)
        case _:
            return refuses(plain(status, _WORDS.get(status, "Error")), done=done)


def holds(retry_after: float, *, scope: str = "user", bucket: str | None = None) -> Answers:
    """Return a 429 that says to wait so many seconds: `user`, `global` or `shared`; with the headers of a bucket, if one."""
    held = Held(retry_after, scope, bucket)
    return Answers(status=429, body=json.dumps(held.json).encode(), headers=held.headers)


def bans() -> Answers:
    """Return the 429 of someone who made too many invalid requests: it comes from before the API, without `Via`."""
    return Answers(status=429, body=_BANNED, content_type="text/plain", headers={"Retry-After": "600", "Via": ""})


_WORDS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}


@dataclass(slots=True)
class _Laid:
    fault: Fault
    route: str
    place: str | None
    skip: int
    left: int | None


@dataclass(slots=True)
class Faults:
    """The faults that wait for their call."""

    dropped: float = 0.0
    """The share of calls, spread by chance, that take place and whose answer is lost."""
    _laid: list[_Laid] = field(default_factory=list)
    _chance: random.Random = field(default_factory=lambda: random.Random(0))

    def lay(self, route: str, fault: Fault, *, nth: int = 1, times: int | None = 1, place: str | None = None) -> None:
        """Have the nth call of a route from now go wrong, and those after it: so many times in all, or None for ever.

        With `place`, only calls are counted that have this id in their path. The route `*` is any.
        """
        self._laid.append(_Laid(fault, route, place, nth - 1, times))

    def clear(self) -> None:
        """Let everything go well from now on."""
        self._laid.clear()
        self.dropped = 0.0

    def next(self, route: str, place: dict[str, str]) -> Fault | None:
        """Return what goes wrong with this call, the first that was laid for it."""
        found: Fault | None = None
        for laid in list(self._matching(route, place)):
            if laid.skip:
                laid.skip -= 1
            elif found is None and laid.left != 0:
                found = laid.fault
                laid.left = None if laid.left is None else laid.left - 1
        self._laid = [laid for laid in self._laid if laid.left != 0]
        if found is None and self.dropped and self._chance.random() < self.dropped:
            return Reset(done=True)
        return found

    def _matching(self, route: str, place: dict[str, str]) -> Iterator[_Laid]:
        for laid in self._laid:
            if laid.route in (route, "*") and (laid.place is None or laid.place in place.values()):
                yield laid


def fault(asked: Json) -> Fault:
    """Return the fault that JSON describes: {"kind": "silence", "done": true}, {"kind": "answers", "status": 502}, ..."""
    kind, rest = asked["kind"], {name: value for name, value in asked.items() if name != "kind"}
    return _KINDS[kind](**rest)


_KINDS: dict[str, Callable[..., Fault]] = {
    "answers": answers,
    "refuses": refuses,
    "holds": holds,
    "bans": bans,
    "cut-off": CutOff,
    "silence": Silence,
    "reset": Reset,
    "slow": Slow,
}
