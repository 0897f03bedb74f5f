"""Hipwise starts in order, ends in time, and loses nothing that was said on the way."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from bots import running as module
from bots.control import socket_path
from bots.running import Running, bounded
from chat import library
from core.companion import Companion
from core.dialogue import Command
from core.ledger import Delivery
from core.members import Address
from core.memory import MemoryRecords
from core.record import Change
from fakes import NOON
from terminal import ROOT, at_a_terminal, environment, running, shown_until_it_waits

words = library().words
BODY = words("questions", "body", "ask").splitlines()[0]
HEALTH = words("questions", "health", "ask").splitlines()[0]
HERE = Address("test", "1")
IN_TIME = 10.0
"""Seconds that a host gives a process to end."""


class Slow(MemoryRecords):
    """Records that are saved once somebody lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.saving = asyncio.Event()
        self.may_save = asyncio.Event()

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...]:
        self.saving.set()
        await self.may_save.wait()
        return await super().save(address, change)


def companion(records: MemoryRecords | None = None) -> Companion:
    return Companion(library(), records or MemoryRecords(), lambda: NOON, lambda: "0123456789abcdef")


@asynccontextmanager
async def part(name: str, events: list[str]) -> AsyncIterator[None]:
    """Note when a part is opened and when it ends."""
    events.append(f"{name} opens")
    try:
        yield
    finally:
        events.append(f"{name} ends")


class Ours(Running):
    """A Hipwise that may go on in this process after it has ended."""

    def __init__(self, companion: Companion, parts: Sequence[AbstractAsyncContextManager[object]] = ()) -> None:
        super().__init__(companion, parts, leave=lambda code: None)


class Left(Exception):
    """Somebody left the process."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing take long before it is given up."""
    monkeypatch.setattr(module, "TURN_SECONDS", 0.05)
    monkeypatch.setattr(module, "PART_SECONDS", 0.05)


async def until_cancelled(_companion: Companion) -> None:
    await asyncio.Event().wait()


# ---------------------------------------------------------------- in order


async def test_parts_open_in_their_order_and_end_in_the_reverse() -> None:
    events: list[str] = []

    async def talk(_companion: Companion) -> None:
        events.append("talks")

    async with Ours(companion(), (part("store", events), bounded(part("jobs", events)))) as ours:
        await ours.attend(talk)

    assert events == ["store opens", "jobs opens", "talks", "jobs ends", "store ends"]


async def test_a_part_that_cannot_open_ends_those_that_are_open() -> None:
    events: list[str] = []

    class Broken(AbstractAsyncContextManager[None]):
        async def __aenter__(self) -> None:
            raise Left

        async def __aexit__(self, *_: object) -> None:
            """Do nothing."""

    with pytest.raises(Left):
        async with Ours(companion(), (part("store", events), Broken())):
            pytest.fail("it did not open")

    assert events == ["store opens", "store ends"]


async def test_it_goes_on_until_every_platform_has_ended() -> None:
    ended: list[str] = []
    go_on = asyncio.Event()

    async def waits(_companion: Companion) -> None:
        await go_on.wait()
        ended.append("waits")

    async def leaves(_companion: Companion) -> None:
        go_on.set()
        ended.append("leaves")

    async with Ours(companion()) as ours:
        await ours.attend(waits, leaves)

    assert ended == ["leaves", "waits"]


async def test_a_platform_that_fails_ends_the_others_and_is_told() -> None:
    events: list[str] = []

    async def fails(_companion: Companion) -> None:
        raise Left

    async def goes_on(_companion: Companion) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            events.append("platform ends")

    with pytest.raises(Left):
        async with Ours(companion(), (part("store", events),)) as ours:
            await ours.attend(goes_on, fails)

    assert events == ["store opens", "platform ends", "store ends"]


# ---------------------------------------------------------------- told to stop


async def test_the_turn_in_hand_is_finished_and_nothing_more_is_taken_in() -> None:
    records, said = Slow(), list[str]()

    async def platform(ours: Companion) -> None:
        turn = asyncio.create_task(ours.handle(Command(HERE, "hip")))
        try:
            await asyncio.shield(turn)
        except asyncio.CancelledError:
            said.extend(reply.text for reply in await turn)

    async with Ours(companion(records)) as ours:
        attending = asyncio.create_task(ours.attend(platform))
        await records.saving.wait()
        ours.stop()
        await asyncio.sleep(0.05)
        assert not attending.done()
        records.may_save.set()
        await attending

    assert BODY in said[-1]
    assert (await records.load(HERE)).session is not None


async def test_told_before_it_runs_it_ends_at_once() -> None:
    async with Ours(companion()) as ours:
        ours.stop()
        await ours.attend(until_cancelled)


@pytest.mark.usefixtures("quick")
async def test_a_turn_that_hangs_is_cancelled_and_the_store_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    events: list[str] = []

    async def platform(ours: Companion) -> None:
        turn = asyncio.create_task(ours.handle(Command(HERE, "hip")))
        try:
            await asyncio.shield(turn)
        except asyncio.CancelledError:
            await turn

    async with Ours(companion(Slow()), (part("store", events),)) as ours:
        attending = asyncio.create_task(ours.attend(platform))
        await asyncio.sleep(0.02)
        ours.stop()
        await attending

    assert events == ["store opens", "store ends"]
    assert caplog.records == []


@pytest.mark.usefixtures("quick")
async def test_a_platform_that_ignores_everything_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    events: list[str] = []
    end = asyncio.Event()

    async def platform(_companion: Companion) -> None:
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError:
                continue

    async with Ours(companion(), (part("store", events),)) as ours:
        attending = asyncio.create_task(ours.attend(platform))
        await asyncio.sleep(0.02)
        ours.stop()
        await attending
    end.set()

    assert events == ["store opens", "store ends"]
    assert [record.message for record in caplog.records] == ["platform.hung"]


@pytest.mark.usefixtures("quick")
async def test_a_part_that_hangs_is_left_behind_and_the_store_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    events: list[str] = []

    @asynccontextmanager
    async def hangs() -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()

    async with Ours(companion(), (part("store", events), bounded(hangs()))):
        pass

    assert events == ["store opens", "store ends"]
    assert [record.message for record in caplog.records] == ["part.hung"]


async def test_when_all_of_it_hangs_the_process_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.05)
    left: list[int] = []
    hung = threading.Event()

    def leave(code: int) -> None:
        left.append(code)
        hung.set()

    async with Running(companion(), leave=leave) as ours:
        ours.stop()
        hung.wait(5)  # the event loop itself is held up

    assert left == [module.HUNG]


# ---------------------------------------------------------------- a real process


def ends(bot: "subprocess.Popen[bytes]") -> float:
    """Return how many seconds it takes to end."""
    began = time.monotonic()
    bot.wait(timeout=IN_TIME + 5)
    return time.monotonic() - began


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_of_a_conversation_ends_it_in_time_and_the_check_goes_on(tmp_path: Path, told: int) -> None:
    with running(environment(tmp_path)) as (bot, ours):
        before = termios.tcgetattr(ours)
        assert BODY in shown_until_it_waits(ours, [])
        os.write(ours, b"no\n")
        assert HEALTH in shown_until_it_waits(ours, [])
        os.write(ours, b"half a li")
        bot.send_signal(told)

        assert ends(bot) < module.TURN_SECONDS  # nothing is in hand, so nothing is waited for
        assert bot.returncode == 0
        assert termios.tcgetattr(ours) == before
        rest = shown_until_it_waits(ours, [])

    assert "Traceback" not in rest
    code, shown = at_a_terminal(tmp_path, b"go on\n", b"/quit\n")
    assert code == 0
    assert words("ui", "resume") in shown.replace("\n", " ")
    assert HEALTH in shown


def test_a_turn_that_was_begun_is_answered_and_kept(tmp_path: Path) -> None:
    with running(environment(tmp_path)) as (bot, ours):
        shown_until_it_waits(ours, [])
        with closing(sqlite3.connect(tmp_path / ".local/share/hipwise/hipwise.db", isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")  # so that it cannot save
            os.write(ours, b"no\n")
            time.sleep(0.3)
            bot.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            db.execute("ROLLBACK")
        rest = shown_until_it_waits(ours, [])

        assert ends(bot) < IN_TIME
        assert bot.returncode == 0
    assert HEALTH in rest
    assert HEALTH in at_a_terminal(tmp_path, b"go on\n", b"/quit\n")[1]


def test_it_leaves_no_socket_and_no_log_behind(tmp_path: Path) -> None:
    folder = tmp_path / ".local" / "share" / "hipwise"
    # A long folder, as some have: the socket is then elsewhere.
    socket = socket_path(folder / "hipwise.db", Path(tempfile.gettempdir()), os.getuid())
    with running(environment(tmp_path)) as (bot, ours):
        shown_until_it_waits(ours, [])
        assert socket.is_socket()
        bot.send_signal(signal.SIGTERM)
        ends(bot)

    assert not socket.exists()
    assert {path.name for path in folder.iterdir()} - {"backups"} == {"hipwise.db", "hipwise.db.lock"}


SCRIPT = """
import asyncio, signal, threading, time
from bots import running

running.STOP_SECONDS, running.TURN_SECONDS, running.PART_SECONDS = {seconds}

async def forever():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

def deaf():
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

async def platform(companion):
    print("runs", flush=True)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("told", flush=True)
        {hangs}

async def main():
    async with running.Running(None) as ours:
        await ours.attend(platform)

asyncio.run(main())
"""


@contextmanager
def told_to_stop(hangs: str, seconds: tuple[float, float, float]) -> Iterator["subprocess.Popen[str]"]:
    """Give a process that was told to stop, in which something hangs then."""
    script = SCRIPT.format(hangs=hangs, seconds=seconds)
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "runs\n"
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == "told\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    "hangs",
    [
        "time.sleep(60)",
        "await forever()",
        "threading.Thread(target=time.sleep, args=(60,)).start()",
    ],
    ids=["the event loop", "a task", "a thread"],
)
def test_whatever_hangs_the_process_ends_in_time(hangs: str) -> None:
    with told_to_stop(hangs, (1.0, 0.2, 0.2)) as process:
        assert process.wait(timeout=10) == module.HUNG


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once_whatever_it_does(second: int) -> None:
    with told_to_stop("deaf()", (60.0, 60.0, 60.0)) as process:
        process.send_signal(second)

        assert process.wait(timeout=10) == -second
