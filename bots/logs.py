"""Logs that hold nobody's secrets: our own random ids, events and outcomes, one line for each event.

    log.info("delivery.sent", extra={"delivery": delivery.id, "seconds": 0.2})
    2026-11-23T08:00:00.000Z INFO delivery.sent delivery=5f0c9a1b22d3e4f6 seconds=0.200

Two things keep everything else out. `Lines` writes only what it knows to be harmless, so a message of a library, whose
text may be a whole update or an address with the bot's token in it, leaves no more than the library's name. Should that
ever fail, `Redacting` takes out what looks like a token, a key or a platform id, whatever wrote the line.
"""

import asyncio
import logging
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from core.errors import SettingsError

log = logging.getLogger(__name__)

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
"""What HIPWISE_LOG_LEVEL may be."""
LIBRARIES = ("aiohttp", "aiosqlite", "apscheduler", "asyncio", "discord", "httpcore", "httpx", "telegram")
"""Loggers that write tokens, requests or statements below WARNING."""

IDS = ("delivery", "inbox", "member", "row", "session")
"""Keys for random ids of our own."""
NUMBERS = ("count", "seconds")
NAMES = ("column", "error", "job", "kind", "outcome", "platform", "sqlite")
"""Keys for one word of a fixed list of ours, or the name of an exception type."""

HIDDEN = "[hidden]"
UNFIT = "?"

_ROOT = Path(__file__).parent.parent
_PACKAGES = ("bots", "content", "core", "scheduler")
_EVENT = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
# The letter tells it from a platform's id, which is digits only.
_ID = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{16,32}")
_ERRORS = 8
"""So many errors of one chain are named."""
_FRAMES = 5
"""So many frames of each are, the innermost."""

_BOT_TOKENS = (
    r"\d{6,}(?::|%3[Aa])[A-Za-z0-9_-]{30,}"  # Telegram, also as part of an address
    r"|[A-Za-z0-9_-]{23,30}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}"  # Discord
)
_HEADERS = r"(?i:\bbearer\s+\S+|\bauthorization\W{1,4}(?:[a-z]+\s+)?\S+)"
_SECRET = re.compile(
    rf"{_BOT_TOKENS}|{_HEADERS}"
    r"|[A-Za-z0-9+/_-]{40,}={0,2}"  # keys, in base64 or hexadecimal
    r"|[A-Za-z0-9+/_-]{20,}={1,2}(?![A-Za-z0-9])"  # shorter ones, padded
    rf"|(?P<ours>(?<![A-Za-z0-9]){_ID.pattern}(?![A-Za-z0-9]))"
    r"|\d{6,}"  # a platform's id, a telephone number
)
_SECRET_WORD = re.compile(
    rf"{_BOT_TOKENS}|{_HEADERS}"
    # A word of the command line may be a long path, so a key must be padded, hexadecimal, or of mixed characters.
    r"|(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{22,}={1,2}(?![A-Za-z0-9])"
    r"|[0-9a-fA-F]{64}"
    r"|(?=[A-Za-z_-]*[0-9])(?=[a-z0-9_-]*[A-Z])(?=[A-Z0-9_-]*[a-z])(?<![A-Za-z0-9_/.-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_/.-])"
)


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Send every log, warning and uncaught exception of this process to a stream (standard error) in our form, and only there.

    In an event loop also call `loop.set_exception_handler(loop_failed)`. Raise SettingsError where there is no such level.
    """
    if level.upper() not in LEVELS:
        raise SettingsError(f"HIPWISE_LOG_LEVEL: no such level. Use one of {', '.join(LEVELS)}.")
    handler = Redacting(stream)
    handler.setFormatter(Lines())
    handler.addFilter(_is_wanted)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING)
    # What logging says of a record that it cannot write is the record.
    logging.raiseExceptions = False
    logging.captureWarnings(True)  # noqa: FBT003 - the standard library's own signature
    sys.excepthook = _process_failed
    sys.unraisablehook = _cleanup_failed
    threading.excepthook = _thread_failed


def loop_failed(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what an event loop could give to nobody."""
    log.error("loop.failed", exc_info=context.get("exception"))


def refuse_secrets_in_argv(argv: Sequence[str]) -> None:
    """Raise SettingsError if a word of the command line looks like a token or a key."""
    found = [str(n) for n, word in enumerate(argv, 1) if _SECRET_WORD.search(word)]
    if found:
        raise SettingsError(
            f"The command line has what looks like a token or a key (word {', '.join(found)}). Everyone on this machine can"
            " read it there, and the shell remembers it: replace it, and set the new one as an environment variable."
        )


def redact(text: str) -> str:
    """Return the text without what looks like a token, a key or a platform's id; our own ids stay."""
    return _SECRET.sub(lambda found: found["ours"] or HIDDEN, text)


class Redacting(logging.StreamHandler[TextIO]):
    """Writes what the formatter made, redacted."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class Lines(logging.Formatter):
    """One line for each record: time, level, event, and the keys we allow, sorted. Of an exception, types and places."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if _is_event(record):
            event, pairs = str(record.msg), _allowed(vars(record))
        else:
            event, pairs = "library", {"logger": _name(record.name)}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            pairs |= _traced(error)
        return " ".join((time, _name(record.levelname), event, *(f"{key}={pairs[key]}" for key in sorted(pairs))))


def _is_wanted(record: logging.LogRecord) -> bool:
    """Return whether to write a record: whoever else sets levels, no library is heard below WARNING."""
    return record.levelno >= logging.WARNING or _is_ours(record.name)


def _is_ours(logger: str) -> bool:
    return logger.partition(".")[0] in _PACKAGES


def _is_event(record: logging.LogRecord) -> bool:
    message: object = record.msg
    fits = isinstance(message, str) and len(message) <= 64 and _EVENT.fullmatch(message) is not None
    return fits and not record.args and _is_ours(record.name)


def _allowed(given: dict[str, object]) -> dict[str, str]:
    shapes = {**dict.fromkeys(IDS, _id), **dict.fromkeys(NUMBERS, _number), **dict.fromkeys(NAMES, _name)}
    return {key: shape(given[key]) for key, shape in shapes.items() if given.get(key) is not None}


def _id(value: object) -> str:
    return _fitting(_ID, value)


def _name(value: object) -> str:
    return _fitting(_NAME, value)


def _fitting(shape: re.Pattern[str], value: object) -> str:
    found = shape.fullmatch(value) if isinstance(value, str) else None
    return found[0] if found else UNFIT


def _number(value: object) -> str:
    match value:
        case bool():
            return UNFIT
        case int():
            return f"{value:d}"
        case float():
            return f"{value:.3f}"
        case _:
            return UNFIT


def _traced(error: BaseException) -> dict[str, str]:
    """Return the types of an error and of those behind it, and where in our files they passed; never what they say."""
    chain = _chain(error)
    places = dict.fromkeys(place for e in chain for place in list(_places(e.__traceback__))[-_FRAMES:])
    types = ",".join(_name(type(e).__name__) for e in chain)
    return {"error": types, "at": ",".join(places)} if places else {"error": types}


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error, those it came from and those it groups, the outermost first."""
    chain: list[BaseException] = [error]
    for each in chain:
        behind = [each.__cause__, None if each.__suppress_context__ else each.__context__]
        if isinstance(each, BaseExceptionGroup):
            behind += each.exceptions
        chain += [e for e in behind if e is not None and not any(e is known for known in chain)]
        if len(chain) >= _ERRORS:
            break
    return chain[:_ERRORS]


def _places(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _PACKAGES:
            yield f"{path.relative_to(_ROOT).as_posix()}:{traceback.tb_lineno}"
        traceback = traceback.tb_next


def _process_failed(_type: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
    log.critical("process.failed", exc_info=error)


def _cleanup_failed(args: "sys.UnraisableHookArgs") -> None:
    log.error("cleanup.failed", exc_info=args.exc_value)


def _thread_failed(args: threading.ExceptHookArgs) -> None:
    if not isinstance(args.exc_value, SystemExit):
        log.error("thread.failed", exc_info=args.exc_value)
