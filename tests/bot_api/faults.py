"""What can go wrong between a bot and the Bot API, on demand: which call of which method, and how."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bot_api.refusal import Json, Refusal, bad_request, conflict, forbidden, too_many

_BAD_GATEWAY = b"""<html>\r
<head><title>502 Bad Gateway</title></head>\r
<body>\r
<center><h1>502 Bad Gateway</h1></center>\r
<hr><center>nginx/1.18.0</center>\r
</body>\r
</html>\r
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Another answer than what came of it."""

    done: bool = False
    """Whether what was asked for takes place all the same, as a sent message does whose answer is lost."""
    code: int
    body: bytes
    content_type: str = "application/json"


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
    """The connection is reset."""

    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip:
    """The answer comes a byte at a time."""

    done: bool = True
    seconds: float = 0.01
    """Between two bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """The answer comes late, whole."""

    done: bool = True
    seconds: float


Fault = Answers | CutOff | Silence | Reset | Drip | Slow


def refuses(refusal: Refusal, *, done: bool = False) -> Answers:
    """Return that a call is answered with a refusal."""
    return Answers(code=refusal.code, body=json.dumps(refusal.json).encode(), done=done)


def answers(code: int, *, done: bool = False) -> Answers:
    """Return what the real one sends with this status: 502 comes from a proxy, in HTML."""
    if code == 502:
        return Answers(code=code, body=_BAD_GATEWAY, content_type="text/html", done=done)
    return refuses(_USUAL[code], done=done)


def holds(retry_after: object) -> Answers:
    """Return a 429 with any `retry_after`, also one that is no number."""
    return refuses(too_many(retry_after))


_USUAL = {
    400: bad_request("wrong parameter"),
    401: Refusal(401, "Unauthorized"),
    403: forbidden("bot was blocked by the user"),
    404: Refusal(404, "Not Found"),
    409: conflict("terminated by other getUpdates request; make sure that only one bot instance is running"),
    429: too_many(1),
    500: Refusal(500, "Internal Server Error"),
    503: Refusal(503, "Service Unavailable"),
}


@dataclass(slots=True)
class _Laid:
    fault: Fault
    method: str
    chat: int | None
    skip: int
    left: int | None


@dataclass(slots=True)
class Faults:
    """The faults that wait for their call."""

    _laid: list[_Laid] = field(default_factory=list)

    def lay(self, method: str, fault: Fault, *, nth: int = 1, times: int | None = 1, chat: int | None = None) -> None:
        """Have the nth call of a method from now go wrong, and those after it: so many times in all, or None for ever.

        With `chat`, only calls for it are counted. The method `*` is any but getUpdates.
        """
        self._laid.append(_Laid(fault, method.lower(), chat, nth - 1, times))

    def clear(self) -> None:
        """Let everything go well from now on."""
        self._laid.clear()

    def next(self, method: str, chat: int | None) -> Fault | None:
        """Return what goes wrong with this call, the first that was laid for it."""
        found = None
        for laid in list(self._matching(method, chat)):
            if laid.skip:
                laid.skip -= 1
            elif found is None and laid.left != 0:
                found = laid.fault
                laid.left = None if laid.left is None else laid.left - 1
        self._laid = [laid for laid in self._laid if laid.left != 0]
        return found

    def _matching(self, method: str, chat: int | None) -> Iterator[_Laid]:
        for laid in self._laid:
            named = laid.method == method or (laid.method == "*" and method != "getupdates")
            if named and laid.chat in (None, chat):
                yield laid


def fault(asked: Json) -> Fault:
    """Return the fault that JSON describes: {"kind": "silence", "done": true}, {"kind": "answers", "code": 502}, and so on."""
    kind, rest = asked["kind"], {name: value for name, value in asked.items() if name != "kind"}
    return _KINDS[kind](**rest)


_KINDS: dict[str, Callable[..., Fault]] = {
    "answers": answers,
    "holds": holds,
    "cut-off": CutOff,
    "silence": Silence,
    "reset": Reset,
    "drip": Drip,
    "slow": Slow,
}
