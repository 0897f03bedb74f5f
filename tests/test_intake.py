"""What comes in is kept before it is acknowledged, and handled once, each sender's in the order it came."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from core import intake
from core.errors import StorageUnavailable
from core.intake import Intake, Unreadable, Update
from core.limits import LONGEST_UPDATE
from core.members import Address
from core.ports import Received
from core.storage import Store
from fakes import store

PLATFORM = "small"


class Reading:
    """A reader of updates such as `anna 1`. It remembers on what it acted, waits where it is told to, and fails at some."""

    def __init__(self, kept: Store) -> None:
        self.kept = kept
        self.begun: list[str] = []
        self.acted: list[str] = []
        self.more: dict[str, bool] = {}
        self.rows: dict[str, str | None] = {}
        self.gates: defaultdict[str, asyncio.Event] = defaultdict(_open)

    def sender(self, raw: bytes) -> Address | None:
        name, _, text = raw.decode().partition(" ")
        match name:
            case "garbled":
                raise Unreadable
            case "mistaken":
                raise KeyError(text)
            case "nobody":
                return None
            case _:
                return Address(PLATFORM, name)

    async def act(self, raw: bytes, row: str | None, *, more: bool) -> None:
        text = raw.decode()
        self.begun.append(text)
        self.rows[text] = row
        self.more[text] = more
        await self.gates[text].wait()
        if "fails" in text:
            raise ValueError("my secret knee")
        if "disk" in text:
            raise StorageUnavailable("There is no room left on the disk.")
        if row is not None:
            await self.kept.handled(row)
        self.acted.append(text)

    def holds(self, text: str) -> asyncio.Event:
        """Return what this update waits for, from now on."""
        self.gates[text].clear()
        return self.gates[text]


def _open() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


class Failing:
    """The inbox of a store, of which some methods can be made to fail."""

    def __init__(self, kept: Store) -> None:
        self.kept = kept
        self.fails: set[str] = set()

    async def receive(self, platform: str, update_id: str, raw: bytes, sender: Address | None = None) -> str | None:
        self._try("receive")
        return await self.kept.receive(platform, update_id, raw, sender)

    async def unhandled(self, platform: str) -> tuple[Received, ...]:
        self._try("unhandled")
        return await self.kept.unhandled(platform)

    async def handled(self, row: str) -> None:
        self._try("handled")
        await self.kept.handled(row)

    async def set_aside(self, row: str) -> None:
        self._try("set_aside")
        await self.kept.set_aside(row)

    def _try(self, name: str) -> None:
        if name in self.fails:
            raise StorageUnavailable("There is no room left on the disk.")


class Process:
    """One process on an open store: what takes updates, what reads them, and the inbox between."""

    def __init__(self, kept: Store) -> None:
        self.kept, self.reading, self.inbox = kept, Reading(kept), Failing(kept)
        self.intake = Intake(PLATFORM, self.inbox, self.reading)

    async def receives(self, *texts: str) -> None:
        """Take updates whose text is their id."""
        await self.intake.receive([update(text) for text in texts])

    async def left(self) -> list[str]:
        """Return what is on disk and not handled."""
        return [received.raw.decode() for received in await self.kept.unhandled(PLATFORM)]


def update(text: str) -> Update:
    return Update(text, text.encode())


async def turns() -> None:
    """Let whatever can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - it is not told of what happens on the database's thread
            await asyncio.sleep(0)


async def begun(process: Process, text: str) -> None:
    await until(lambda: text in process.reading.begun)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "core.intake"]


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    """Give a process on an empty store."""
    async with store(tmp_path) as kept:
        yield Process(kept)


# ---------------------------------------------------------------- in order, once


async def test_a_senders_updates_are_handled_in_the_order_they_came(process: Process) -> None:
    held = process.reading.holds("anna 1")

    await process.receives("anna 1", "anna 2")
    await process.receives("anna 3")
    await begun(process, "anna 1")
    await turns()
    assert process.reading.begun == ["anna 1"]
    held.set()
    await process.intake.done()

    assert process.reading.acted == ["anna 1", "anna 2", "anna 3"]
    assert await process.left() == []


async def test_it_is_known_what_else_of_a_sender_came_along(process: Process) -> None:
    await process.receives("anna 1", "ben 1", "anna 2", "anna 3")
    await process.intake.done()

    assert process.reading.more == {"anna 1": True, "anna 2": True, "anna 3": False, "ben 1": False}


async def test_nobody_waits_for_another_sender(process: Process) -> None:
    held = process.reading.holds("anna 1")

    await process.receives("anna 1", "ben 1", "nobody 1", "nobody 2", "ben 2")
    await until(lambda: len(process.reading.acted) == 4)

    assert sorted(process.reading.acted) == ["ben 1", "ben 2", "nobody 1", "nobody 2"]
    held.set()
    await process.intake.done()


async def test_an_update_is_on_disk_before_it_may_be_acknowledged(process: Process) -> None:
    held = process.reading.holds("anna 1")

    await process.receives("anna 1")

    assert await process.left() == ["anna 1"]
    held.set()
    await process.intake.done()


async def test_an_update_that_comes_again_is_handled_once(process: Process) -> None:
    held = process.reading.holds("anna 1")
    await process.receives("anna 1", "anna 1")
    await process.receives("anna 1")  # in hand
    held.set()
    await process.intake.done()
    await process.receives("anna 1")  # done
    await process.intake.done()

    assert process.reading.begun == ["anna 1"]


@pytest.mark.parametrize("steps", range(6))
async def test_an_update_whose_delivery_was_given_up_is_handled_when_it_comes_again(process: Process, steps: int) -> None:
    receiving = asyncio.create_task(process.receives("anna 1"))
    for _ in range(steps):
        await asyncio.sleep(0)
    receiving.cancel()  # the connection broke while it was being kept
    await asyncio.gather(receiving, return_exceptions=True)

    await process.receives("anna 1")
    await turns()
    await process.intake.done()

    assert process.reading.acted == ["anna 1"]


# ---------------------------------------------------------------- what cannot be handled


@pytest.mark.parametrize("bad", ["garbled 1", "mistaken 1"])
async def test_what_nothing_can_be_made_of_is_set_aside_and_the_next_goes_on(process: Process, bad: str) -> None:
    await process.receives(bad, "anna 1")
    await process.intake.done()

    assert process.reading.acted == ["anna 1"]
    assert await process.left() == []


async def test_a_longer_update_than_anyone_sends_is_not_kept_and_the_next_goes_on(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    await process.intake.receive([Update("long", b"anna " + b"x" * LONGEST_UPDATE), update("anna 1")])
    await process.intake.done()

    assert process.reading.acted == ["anna 1"]
    assert told(caplog) == ["update.too_long"]


async def test_one_that_fails_is_set_aside_and_its_senders_next_goes_on(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    await process.receives("anna fails", "anna 2")
    await process.intake.done()

    assert process.reading.acted == ["anna 2"]
    assert await process.left() == []
    assert told(caplog) == ["update.failed"]
    assert "secret" not in str([vars(record) for record in caplog.records if record.name == "core.intake"])


async def test_one_that_cannot_be_kept_as_handled_is_left_for_the_next_start(process: Process) -> None:
    await process.receives("anna disk", "anna 2")
    await process.intake.done()

    assert process.reading.acted == ["anna 2"]
    assert await process.left() == ["anna disk"]


@pytest.mark.parametrize("bad", ["garbled 1", "anna fails"])
async def test_one_that_cannot_even_be_set_aside_stops_nothing(
    process: Process, caplog: pytest.LogCaptureFixture, bad: str
) -> None:
    process.inbox.fails = {"set_aside"}

    await process.receives(bad, "ben 1")
    await process.intake.done()

    assert process.reading.acted == ["ben 1"]
    assert "update.not_set_aside" in told(caplog)


# ---------------------------------------------------------------- after a start


async def test_what_an_earlier_process_received_is_handled_in_its_order(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        for text in ("anna 1", "ben 1", "anna 2", "anna 3"):
            await kept.receive(PLATFORM, text, text.encode(), Address(PLATFORM, text.split()[0]))
        await kept.receive("elsewhere", "anna 9", b"anna 9")

    async with store(tmp_path, expected=True) as kept:
        process = Process(kept)
        await process.intake.recover()
        await process.receives("anna 3", "anna 4")  # one of them was not acknowledged
        await process.intake.done()

        assert [text for text in process.reading.acted if text.startswith("anna")] == [f"anna {n}" for n in (1, 2, 3, 4)]
        assert process.reading.acted.count("ben 1") == 1


@pytest.mark.parametrize("fails", [(), ("set_aside",)])
@pytest.mark.parametrize("bad", ["garbled 1", "mistaken 1"])
async def test_what_nothing_can_be_made_of_does_not_hold_up_the_start(
    process: Process, bad: str, fails: tuple[str, ...]
) -> None:
    process.inbox.fails = set(fails)
    for text in (bad, "anna 1"):
        await process.kept.receive(PLATFORM, text, text.encode())

    await process.intake.recover()
    await process.intake.done()

    assert process.reading.acted == ["anna 1"]


async def test_a_start_that_goes_on_late_handles_nothing_twice(process: Process) -> None:
    await process.kept.receive(PLATFORM, "anna 0", b"anna 0", Address(PLATFORM, "anna"))
    held = process.reading.holds("anna 1")
    await process.receives("anna 1", "ben disk")
    await begun(process, "ben disk")
    looks = process.inbox.unhandled

    async def while_it_looks(platform: str) -> tuple[Received, ...]:
        found = await looks(platform)
        held.set()
        await process.intake.done()
        return found

    process.inbox.unhandled = while_it_looks  # type: ignore[method-assign]
    for _ in range(2):
        await process.intake.recover()
        await process.intake.done()

    assert sorted(process.reading.begun) == ["anna 0", "anna 1", "ben disk"]


async def test_stopping_leaves_on_disk_what_was_not_done(process: Process) -> None:
    process.reading.holds("anna 1")
    await process.receives("anna 1", "anna 2", "ben 1")
    await begun(process, "ben 1")

    await process.intake.stop()
    await process.receives("anna 3")
    await turns()

    assert process.reading.begun == ["anna 1", "ben 1"]
    assert await process.left() == ["anna 1", "anna 2", "anna 3"]
    after = Process(process.kept)
    await after.intake.recover()
    await after.intake.done()
    assert after.reading.acted == ["anna 1", "anna 2", "anna 3"]


# ---------------------------------------------------------------- while nothing can be kept


async def test_while_nothing_can_be_kept_an_update_is_acted_on_before_it_may_be_acknowledged(process: Process) -> None:
    process.inbox.fails = {"receive"}
    held = process.reading.holds("anna 1")

    receiving = asyncio.create_task(process.receives("anna 1", "ben 1"))
    await begun(process, "anna 1")
    await turns()
    assert not receiving.done()
    held.set()
    await receiving

    assert process.reading.rows == {"anna 1": None, "ben 1": None}
    assert sorted(process.reading.acted) == ["anna 1", "ben 1"]


async def test_what_was_acted_on_without_being_kept_is_known_when_it_comes_again(process: Process) -> None:
    process.inbox.fails = {"receive"}
    await process.receives("anna 1")
    await process.receives("anna 1")
    process.inbox.fails = set()
    await process.receives("anna 1", "anna 2")
    await process.intake.done()

    assert process.reading.begun == ["anna 1", "anna 2"]


async def test_one_that_comes_again_while_it_is_acted_on_is_not_acknowledged_before(process: Process) -> None:
    process.inbox.fails = {"receive"}
    held = process.reading.holds("anna 1")
    first = asyncio.create_task(process.receives("anna 1"))
    await begun(process, "anna 1")

    again = asyncio.create_task(process.receives("anna 1"))
    await turns()
    assert not again.done()
    held.set()
    await asyncio.gather(first, again)

    assert process.reading.acted == ["anna 1"]


async def test_the_order_holds_between_what_is_kept_and_what_is_not(process: Process) -> None:
    held = process.reading.holds("anna 1")
    await process.receives("anna 1")
    process.inbox.fails = {"receive"}
    receiving = asyncio.create_task(process.receives("anna 2"))
    await turns()
    process.inbox.fails = set()
    await process.receives("anna 3")
    held.set()
    await receiving
    await process.intake.done()

    assert process.reading.acted == ["anna 1", "anna 2", "anna 3"]


@pytest.mark.parametrize("bad", ["anna fails", "garbled 1 fails", "mistaken 1 fails"])
async def test_one_that_fails_without_being_kept_does_not_come_again_for_ever(
    process: Process, caplog: pytest.LogCaptureFixture, bad: str
) -> None:
    process.inbox.fails = {"receive"}

    await process.receives(bad)

    assert told(caplog) == ["update.lost"]


async def test_so_many_are_known_without_being_kept_and_no_more(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "REMEMBERED", 3)
    process.inbox.fails = {"receive"}

    for number in (1, 2, 3, 4, 4, 2, 1):
        await process.receives(f"anna {number}")

    assert process.reading.acted == [f"anna {number}" for number in (1, 2, 3, 4, 1)]


async def test_what_was_not_acted_on_before_the_stop_is_not_acknowledged(process: Process) -> None:
    process.inbox.fails = {"receive"}
    process.reading.holds("anna 1")
    receiving = [asyncio.create_task(process.receives(f"anna {n}")) for n in (1, 2)]
    await begun(process, "anna 1")

    await process.intake.stop()

    outcomes: list[Any] = await asyncio.wait_for(asyncio.gather(*receiving, return_exceptions=True), 5)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [True, True]
    assert process.reading.acted == []


async def test_a_caller_that_goes_away_does_not_stop_what_is_acted_on(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    process.inbox.fails = {"receive"}
    held = process.reading.holds("anna 1")
    receiving = asyncio.create_task(process.receives("anna 1"))
    await begun(process, "anna 1")
    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)
    held.set()
    await process.intake.done()

    assert process.reading.acted == ["anna 1"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
