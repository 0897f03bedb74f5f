"""No token, id, name, answer or free text is in any log, at any level; and every scan first finds what it looks for."""

import ast
import asyncio
import gc
import io
import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path

import aiosqlite
import pytest

from bots import logs
from bots.logs import HIDDEN, UNFIT, Lines, Redacting, loop_failed, redact, refuse_secrets_in_argv, set_up
from bots.settings import read_settings
from chat import Chat, JsonRecords
from core.dialogue import Inbound, Reply
from core.errors import SettingsError
from core.ledger import Delivery
from core.members import Address
from core.record import Change, Record

OURS = "5f0c9a1b22d3e4f6"
# Put together here, so that no scanner of secrets takes them for real ones.
TELEGRAM = "8123456789" + ":" + "AAF-canary_" + "k3Yb9Qw7Lm" * 3
DISCORD = "MTk4NjIyNDgzNDcxOTI1MjQ4" + "." + "Cl2FMQ" + "." + "ZnCjm1XVW7vRze4b7Cq4se7kKWs"
KEY = "c2VjcmV0IGtleSBvZiBleGFjdGx5IDMyIGJ5dGVzISE" + "="
SHORT_KEY = "c2l4dGVlbiBieXRlcyEhIQ" + "=="
HEX_KEY = "9f86d081884c7d659a2feaa0c55ad015" + "a3bf4f1b2b0b822cd15d6c15b0f00a08"
SNOWFLAKE = "198622483471925248"

TYPED = "wolpertinger"
NAME = "Zebedee"
MEMBER = "4815162342"
BROKEN = "basilisk"
FINDING = "age_18_44"
ANSWER = "groin"
CANARIES = (TYPED, NAME, MEMBER, BROKEN, FINDING, ANSWER, TELEGRAM)

log = logging.getLogger("core.companion")


@pytest.fixture(autouse=True)
def logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave logging, warnings and the hooks as they were found."""
    root = logging.getLogger()
    loggers = [root, log, *map(logging.getLogger, logs.LIBRARIES)]
    before = [(each, each.level, each.propagate) for each in loggers]
    for owner, name in ((logging, "raiseExceptions"), (threading, "excepthook")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    for name in ("excepthook", "unraisablehook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    yield
    logging.captureWarnings(False)
    for each, level, propagate in before:
        each.setLevel(level)
        each.propagate = propagate
        # Not the list of before: pytest has its own handlers there, others at each phase of a test.
        each.handlers[:] = [h for h in each.handlers if not isinstance(h, Redacting | Plain)]


@pytest.fixture
def out() -> io.StringIO:
    """Return what is logged, set up at DEBUG."""
    stream = io.StringIO()
    set_up("DEBUG", stream)
    return stream


class Plain(logging.StreamHandler[io.StringIO]):
    """What logging does by itself."""


def unprotected() -> io.StringIO:
    """Return what is logged at DEBUG by logging's own formatter, with no library capped."""
    handler = Plain(io.StringIO())
    handler.setFormatter(logging.Formatter())
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.DEBUG)
    for name in logs.LIBRARIES:
        logging.getLogger(name).setLevel(logging.NOTSET)
    return handler.stream


def written(out: io.StringIO) -> str:
    """Return the only line there is, without its time."""
    (line,) = out.getvalue().splitlines()
    time, _, rest = line.partition(" ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    return rest


def failure() -> RuntimeError:
    """Return an error that passed through our files, of which message, cause, note and locals hold canaries."""
    try:
        read_settings({"HIPWISE_LANGUAGE": BROKEN}, regions=(), languages=("en",))
    except SettingsError as cause:
        failure = RuntimeError(f"{TYPED} {TELEGRAM}")
        failure.__cause__ = cause
        failure.add_note(NAME)
        return failure
    raise AssertionError("no error")


TRACED = re.compile(r"at=bots/settings\.py:\d+ error=RuntimeError,SettingsError")


# ---------------------------------------------------------------- A full conversation


class SqliteRecords(JsonRecords):
    """A store on the real aiosqlite, which logs each statement with its values at DEBUG."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        super().__init__()
        self.db = db
        self.breaks = False

    async def load(self, address: Address) -> Record:
        if self.breaks:
            raise RuntimeError(f"no row of {BROKEN} {address}")
        rows = await self.db.execute_fetchall("SELECT plain FROM kept WHERE id = ?", (address.id,))
        return Record(None, next((json.loads(row[0]) for row in rows), None), self.default)

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...] | None:
        await self.db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (address.id, json.dumps(change.session)))
        return ()


class Overheard(Chat):
    """A conversation whose platform logs, as the real libraries do, all that comes and goes."""

    async def sends(self, inbound: Inbound) -> tuple[Reply, ...]:
        logging.getLogger("telegram.ext.Application").debug("Processing update %s of %s", inbound, NAME)
        replies = await super().sends(inbound)
        for reply in replies:
            logging.getLogger("discord.http").debug(f"POST with {reply} has returned 200")  # noqa: G004 - as it is done there
            logging.getLogger("httpx").info('POST https://api.telegram.org/bot%s/sendMessage "200 OK"', TELEGRAM)
        return replies


@asynccontextmanager
async def store() -> AsyncIterator[SqliteRecords]:
    async with aiosqlite.connect(":memory:") as db:
        await db.execute("CREATE TABLE kept (id TEXT PRIMARY KEY, plain TEXT)")
        yield SqliteRecords(db)


async def a_full_conversation() -> None:
    """Greet, type, answer to the end, read, type again; then the store breaks, and so does a job and a library."""
    async with store() as sessions:
        chat = Overheard(address=Address("telegram", MEMBER), sessions=sessions)
        await chat.says("/start")
        await chat.says(f"I am {NAME}, and my {TYPED} hurts in the groin")
        await chat.says("/hip")
        await chat.answers({FINDING, "place_groin_thigh", "dur_3_14d", "walk_fine"})
        await chat.says(f"thank you, said the {TYPED}")
        sessions.breaks = True
        await chat.says(TYPED)
        job = asyncio.ensure_future(sessions.load(chat.address))
        await asyncio.wait([job])
        error = job.exception()
        logging.getLogger("apscheduler.executors").error("Job %s of %s failed", OURS, MEMBER, exc_info=error)
        asyncio.get_running_loop().call_exception_handler({"message": f"never retrieved: {error}", "exception": error})


async def test_no_canary_of_a_full_conversation_is_logged() -> None:
    leaking = unprotected()
    await a_full_conversation()
    assert [c for c in CANARIES if c not in leaking.getvalue()] == []

    out = io.StringIO()
    set_up("DEBUG", out)
    await a_full_conversation()

    assert [c for c in CANARIES if c in out.getvalue()] == []
    assert [line.split(" ", 1)[1] for line in out.getvalue().splitlines()] == [
        "ERROR turn.failed error=RuntimeError",
        "ERROR library error=RuntimeError logger=apscheduler.executors",
        "ERROR library error=RuntimeError logger=asyncio",
    ]


async def test_a_formatter_that_lets_everything_through_is_still_redacted() -> None:
    leaking = unprotected()
    await a_full_conversation()
    assert TELEGRAM in leaking.getvalue()
    assert MEMBER in leaking.getvalue()

    out = unprotected()
    redacting = Redacting(out)
    redacting.setFormatter(logging.Formatter())
    logging.getLogger().handlers[:] = [redacting]
    await a_full_conversation()

    assert TYPED in out.getvalue()
    assert TELEGRAM not in out.getvalue()
    assert MEMBER not in out.getvalue()


# ---------------------------------------------------------------- Our own events


class Outcome(StrEnum):
    SENT = "sent"


def test_an_event_is_one_line_of_time_level_event_and_sorted_keys(out: io.StringIO) -> None:
    log.info("delivery.sent", extra={"seconds": 0.25, "outcome": Outcome.SENT, "delivery": OURS, "count": 2})

    assert written(out) == f"INFO delivery.sent count=2 delivery={OURS} outcome=sent seconds=0.250"


def test_a_time_is_in_utc() -> None:
    record = logging.makeLogRecord({"name": "core", "levelname": "INFO", "msg": "a.b", "created": 1795420800.5})

    assert Lines().format(record) == "2026-11-23T08:00:00.500Z INFO a.b"


@pytest.mark.parametrize(
    "extra",
    [{"text": TYPED}, {"finding": FINDING}, {"address": MEMBER}, {"user": NAME}, {"token": TELEGRAM}, {"member": None}],
)
def test_a_key_that_is_not_allowed_is_left_out(out: io.StringIO, extra: dict[str, object]) -> None:
    log.info("turn.done", extra=extra)

    assert written(out) == "INFO turn.done"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((key, value) for key in logs.IDS for value in (MEMBER, int(MEMBER), SNOWFLAKE, "member-1", NAME, OURS * 4, "", "1")),
        *((key, value) for key in logs.NUMBERS for value in ("7", True, object(), [7], {"a": 1})),
        *((key, value) for key in logs.NAMES for value in ("two words", "a\nINFO b.c", "ü", "a=b", "x" * 65, 7, object())),
        ("error", ValueError(BROKEN)),
        ("member", Address("telegram", MEMBER)),
    ],
)
def test_a_value_of_another_shape_is_a_question_mark(out: io.StringIO, key: str, value: object) -> None:
    log.info("turn.done", extra={key: value})

    assert written(out) == f"INFO turn.done {key}={UNFIT}"


@pytest.mark.parametrize("key", logs.NAMES)
def test_a_platform_id_as_a_word_is_hidden(out: io.StringIO, key: str) -> None:
    log.info("turn.done", extra={key: f"u{MEMBER}"})

    assert written(out) == f"INFO turn.done {key}=u{HIDDEN}"


@pytest.mark.parametrize(
    ("message", "args"),
    [
        (f"My {TYPED} hurts", ()),
        (TYPED, ()),
        ("turn.%s", (TYPED,)),
        ("turn.done", (TYPED,)),
        ("turn.done", ({"a": TYPED},)),
        ("%s %s", (TYPED,)),
        (f"turn.done\n{TYPED}.x", ()),
        (f"Turn.{TYPED}", ()),
        ("turn." + TYPED * 9, ()),
        (ValueError(TYPED), ()),
        ([TYPED], ()),
    ],
)
def test_a_message_of_another_shape_leaves_only_its_logger(out: io.StringIO, message: object, args: tuple[object, ...]) -> None:
    log.warning(message, *args, extra={"outcome": TYPED})

    assert written(out) == "WARNING library logger=core.companion"


def test_every_log_call_of_ours_is_an_event_with_allowed_keys() -> None:
    root = Path(__file__).parent.parent
    files = [path for package in ("bots", "content", "core", "scheduler") for path in (root / package).rglob("*.py")]
    calls = [(path, node) for path in files for node in ast.walk(ast.parse(path.read_text())) if is_log_call(node)]

    assert len(calls) > 3
    assert [f"{path}: {ast.unparse(call)}" for path, call in calls if not is_event(call)] == []


def is_log_call(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "logger" | "logging"), attr=attr)):
            return attr in ("debug", "info", "warning", "error", "exception", "critical", "log")
        case _:
            return False


def is_event(call: ast.AST) -> bool:
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log")), args=[ast.Constant(value=str(event))], keywords=keywords):
            return re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", event) is not None and all(map(is_allowed, keywords))
        case _:
            return False


def is_allowed(keyword: ast.keyword) -> bool:
    allowed = {*logs.IDS, *logs.NUMBERS, *logs.NAMES}
    match keyword:
        case ast.keyword(arg="extra", value=ast.Dict(keys=keys)):
            return all(isinstance(key, ast.Constant) and key.value in allowed for key in keys)
        case ast.keyword(arg=arg):
            return arg == "exc_info"


@pytest.mark.parametrize(
    ("source", "fits"),
    [
        ("log.info('a.b', extra={'count': 1})", True),
        ("log.error('a.b', exc_info=error)", True),
        ("log.info(f'a.{x}')", False),
        ("log.info('a.b %s', x)", False),
        ("log.info('a.b', extra={'text': x})", False),
        ("log.info('a.b', extra=x)", False),
        ("log.info('a.b', stack_info=True)", False),
        ("logging.info('a.b')", False),
    ],
)
def test_the_reading_of_our_calls_knows_a_wrong_one(source: str, fits: bool) -> None:
    (call,) = [node for node in ast.walk(ast.parse(source)) if is_log_call(node)]

    assert is_event(call) is fits


# ---------------------------------------------------------------- Libraries


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.ERROR])
@pytest.mark.parametrize("name", [*logs.LIBRARIES, "telegram.Bot", "discord.gateway", "httpcore.http11", "some.other"])
def test_a_library_says_its_name_at_most(name: str, level: int) -> None:
    def speaks() -> None:
        logging.getLogger(name).log(level, "POST /bot%s of %s", TELEGRAM, NAME, extra={"session": OURS})
        logging.getLogger(name).log(level, f"{TELEGRAM}.{NAME}")  # noqa: G004 - as some do

    leaking = unprotected()
    speaks()
    assert leaking.getvalue().count(TELEGRAM) == 2

    out = io.StringIO()
    set_up("DEBUG", out)
    speaks()

    lines = [line.split(" ", 1)[1] for line in out.getvalue().splitlines()]
    assert lines == ([f"ERROR library logger={name}"] * 2 if level == logging.ERROR else [])


@pytest.mark.parametrize("name", logs.LIBRARIES)
def test_no_other_handler_hears_a_library_below_warning(out: io.StringIO, name: str) -> None:
    logging.getLogger().addHandler(other := Plain(io.StringIO()))

    logging.getLogger(f"{name}.inner").info(TELEGRAM)

    assert other.stream.getvalue() == ""


@pytest.mark.parametrize("name", logs.LIBRARIES)
def test_a_library_stays_capped_when_its_level_is_set_afterwards(out: io.StringIO, name: str) -> None:
    logging.getLogger(name).setLevel(logging.DEBUG)

    logging.getLogger(name).debug(TELEGRAM)
    logging.getLogger(name).info("request.sent")

    assert out.getvalue() == ""


def test_a_library_that_logs_like_us_is_still_a_library(out: io.StringIO) -> None:
    logging.getLogger("telegram").error("groin.pain", extra={"outcome": TYPED})

    assert written(out) == "ERROR library logger=telegram"


def test_a_handler_that_a_library_brought_is_taken_away() -> None:
    theirs = Plain(io.StringIO())
    logging.getLogger("discord").addHandler(theirs)
    logging.getLogger("discord").propagate = False
    logging.getLogger("discord").error(NAME)
    assert NAME in theirs.stream.getvalue()

    out = io.StringIO()
    set_up("INFO", out)
    logging.getLogger("discord").error(BROKEN)

    assert BROKEN not in theirs.stream.getvalue()
    assert written(out) == "ERROR library logger=discord"


def test_a_warning_leaves_only_its_logger(out: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(TYPED, stacklevel=1)

    assert written(out) == "WARNING library logger=py.warnings"


def test_a_record_that_cannot_be_written_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(io.StringIO):
        def write(self, text: str, /) -> int:
            raise OSError(28, "No space left on device")

    logging.getLogger().handlers[:] = [Plain(Broken())]
    logging.raiseExceptions = True
    log.error("My %s hurts", TYPED)
    assert TYPED in capsys.readouterr().err

    set_up("INFO", Broken())
    log.error("My %s hurts", TYPED)

    assert capsys.readouterr().err == ""


# ---------------------------------------------------------------- Errors


def test_a_traceback_is_types_and_our_own_places(out: io.StringIO) -> None:
    leaking = unprotected()
    log.error("turn.failed", exc_info=failure())
    assert [c for c in (BROKEN, TYPED, NAME, TELEGRAM) if c not in leaking.getvalue()] == []

    set_up("INFO", out)
    log.error("turn.failed", exc_info=failure())

    assert re.fullmatch(rf"ERROR turn\.failed {TRACED.pattern}", written(out))


def test_a_stack_is_not_written(out: io.StringIO) -> None:
    wolpertinger = TYPED
    log.error("turn.failed", stack_info=True)

    assert wolpertinger not in out.getvalue()
    assert written(out) == "ERROR turn.failed"


def test_a_group_of_errors_names_each_type_once_for_each_error(out: io.StringIO) -> None:
    log.error("jobs.failed", exc_info=ExceptionGroup(TYPED, [failure(), KeyError(NAME)]))

    expected = "error=ExceptionGroup,RuntimeError,KeyError,SettingsError"
    assert re.fullmatch(rf"ERROR jobs\.failed at=bots/settings\.py:\d+ {expected}", written(out))


def test_a_ring_of_errors_and_a_long_chain_come_to_an_end(out: io.StringIO) -> None:
    first, second = ValueError(TYPED), KeyError(TYPED)
    first.__context__, second.__context__ = second, first
    log.error("ring.failed", exc_info=first)
    assert written(out) == "ERROR ring.failed error=ValueError,KeyError"

    set_up("INFO", long := io.StringIO())
    log.error("group.failed", exc_info=ExceptionGroup(TYPED, [ValueError(TYPED) for _ in range(99)]))
    assert written(long).count("Error") == 7


def test_a_type_with_a_strange_name_is_a_question_mark(out: io.StringIO) -> None:
    log.error("turn.failed", exc_info=type(f"No {TYPED}", (Exception,), {})())

    assert written(out) == f"ERROR turn.failed error={UNFIT}"


def process_fails() -> None:
    error = failure()
    sys.excepthook(type(error), error, error.__traceback__)


def thread_fails() -> None:
    error = failure()
    threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, threading.current_thread())))


def cleanup_fails() -> None:
    class Brittle:
        def __del__(self) -> None:
            raise failure()

    Brittle()
    gc.collect()


def loop_fails() -> None:
    error = failure()
    loop = asyncio.new_event_loop()
    if loop_failed_is_set():
        loop.set_exception_handler(loop_failed)
    loop.call_exception_handler({"message": TYPED, "exception": error, "future": NAME})
    loop.close()


def loop_failed_is_set() -> bool:
    return any(isinstance(handler, Redacting) for handler in logging.getLogger().handlers)


@pytest.mark.parametrize(
    ("fails", "line"),
    [
        (process_fails, r"CRITICAL process\.failed"),
        (thread_fails, r"ERROR thread\.failed"),
        (cleanup_fails, r"ERROR cleanup\.failed"),
        (loop_fails, r"ERROR loop\.failed"),
    ],
)
def test_what_nobody_caught_is_a_line_like_any_other(
    capsys: pytest.CaptureFixture[str], fails: Callable[[], None], line: str
) -> None:
    sys.excepthook, threading.excepthook, sys.unraisablehook = (
        sys.__excepthook__,
        threading.__excepthook__,
        sys.__unraisablehook__,
    )
    leaking = unprotected()
    fails()
    assert TYPED in leaking.getvalue() + capsys.readouterr().err

    set_up("INFO", out := io.StringIO())
    fails()

    assert re.fullmatch(rf"{line} {TRACED.pattern}", written(out))
    assert capsys.readouterr().err == ""


def test_a_thread_that_ends_itself_is_no_failure(out: io.StringIO) -> None:
    threading.excepthook(threading.ExceptHookArgs((SystemExit, SystemExit(0), None, None)))

    assert out.getvalue() == ""


def test_a_loop_without_an_error_to_show_still_says_that_it_failed(out: io.StringIO) -> None:
    loop = asyncio.new_event_loop()
    loop_failed(loop, {"message": TYPED})
    loop.close()

    assert written(out) == "ERROR loop.failed"


# ---------------------------------------------------------------- Redaction and the command line


@pytest.mark.parametrize(
    ("secret", "around"),
    [
        (TELEGRAM, "https://api.telegram.org/bot{}/getMe"),
        (TELEGRAM.replace(":", "%3A"), "https://api.telegram.org/bot{}/getMe"),
        (TELEGRAM, "Bot[token={}]"),
        (DISCORD, "token={}"),
        (DISCORD, "'{}'"),
        (SNOWFLAKE, "user {} has left"),
        (MEMBER, "chat_id=-100{}"),
        (MEMBER, "u{}x"),
        ("short-one", "Bearer {}"),
        ("short-one", "{{'Authorization': 'Bot {}'}}"),
        ("short-one", "authorization: {}"),
        (KEY, "HIPWISE_KEYS=a:{}"),
        (KEY.rstrip("="), "a:{}"),
        (SHORT_KEY, "key={}"),
        (HEX_KEY, "key={}"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(secret: str, around: str) -> None:
    text = around.format(secret)
    assert secret in text

    assert secret not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize(
    "line",
    [
        f"2026-11-23T08:00:00.123Z INFO delivery.sent count=12345 delivery={OURS} outcome=sent seconds=0.250",
        "2026-11-23T08:00:00.123Z ERROR a.b at=bots/console/json_lines.py:120,core/companion.py:38 error=ValueError,KeyError",
        f"2026-11-23T08:00:00.123Z INFO a.b member=123456789012345f session={OURS}{OURS}",
        "2026-11-23T08:00:00.123Z INFO bot.started kind=bot platform=telegram",
    ],
)
def test_a_line_of_ours_stays_as_it_is(line: str) -> None:
    assert redact(line) == line


@pytest.mark.parametrize(
    "word",
    [
        TELEGRAM,
        f"--token={TELEGRAM}",
        DISCORD,
        f"--token={DISCORD}",
        KEY,
        f"a:{KEY}",
        KEY[:-1],
        SHORT_KEY,
        HEX_KEY,
        f"-k{HEX_KEY}",
    ],
)
def test_a_secret_on_the_command_line_is_refused_without_repeating_it(word: str) -> None:
    with pytest.raises(SettingsError, match=r"word 2\b") as refusal:
        refuse_secrets_in_argv(["run", word])

    assert not any(secret in str(refusal.value) for secret in (TELEGRAM, DISCORD, KEY[:-1], SHORT_KEY, HEX_KEY))


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["chat", "--json"],
        ["audit", "--through-chat", "/home/Someone1/projects/Hipwise2026/tests/data/patients-of-a-very-long-name.jsonl"],
        ["audit", "--seed=1234567890123"],
        ["audit", "the-very-long-name-of-a-file-without-an-end-2026-11-23-morning"],
    ],
)
def test_an_ordinary_command_line_is_accepted(argv: list[str]) -> None:
    refuse_secrets_in_argv(argv)


# ---------------------------------------------------------------- Levels


@pytest.mark.parametrize("level", [*logs.LEVELS, *map(str.lower, logs.LEVELS)])
def test_a_level_holds_for_our_own_events(level: str) -> None:
    set_up(level, out := io.StringIO())

    for each in logs.LEVELS:
        log.log(getattr(logging, each), "turn.done")

    heard = [line.split()[1] for line in out.getvalue().splitlines()]
    assert heard == list(logs.LEVELS[logs.LEVELS.index(level.upper()) :])


@pytest.mark.parametrize("level", ["", "LOUD", "10", "NOTSET", TELEGRAM])
def test_a_level_that_is_none_is_refused_without_repeating_it(level: str) -> None:
    with pytest.raises(SettingsError, match=r"^HIPWISE_LOG_LEVEL: no such level\. Use one of DEBUG, INFO, WARNING, ERROR\.$"):
        set_up(level, io.StringIO())


def test_setting_up_twice_writes_each_event_once(out: io.StringIO) -> None:
    set_up("INFO", out)

    log.info("turn.done")

    assert written(out) == "INFO turn.done"


def test_logs_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("INFO")

    log.info("turn.done")

    assert capsys.readouterr().err.endswith("Z INFO turn.done\n")
