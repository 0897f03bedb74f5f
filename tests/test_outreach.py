"""What is owed goes out once, each address in order, and whatever becomes of it is noted."""

import asyncio
import logging
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chat import Clock
from core import outreach
from core.errors import Gone, Refused, RetryLater, StorageUnavailable, Unreachable
from core.ledger import EDITS, Delivery, Kind, Owed, State
from core.members import Address
from core.outreach import Outreach
from core.storage import Store
from fakes import NOON, owed, ring

ANNA, BEN = Address("small", "anna"), Address("small", "ben")
GONE = ConnectionResetError("my secret knee")
WINDOW = NOON + timedelta(hours=3)


class Platform:
    """A platform that remembers what it was given, waits where it is told to, and fails at what it is told to."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.deliveries: list[Delivery] = []
        self.fails: defaultdict[str, list[Exception]] = defaultdict(list)
        self.gates: defaultdict[str, asyncio.Event] = defaultdict(_open)
        self.sees: Callable[[Delivery], None] = lambda _: None

    async def send(self, delivery: Delivery) -> str | None:
        text = str(delivery.reply["text"])
        self.given.append(text)
        self.deliveries.append(delivery)
        self.sees(delivery)
        await self.gates[text].wait()
        if self.fails[text]:
            raise self.fails[text].pop(0)
        return delivery.edits or f"message {len(self.given)}"

    def holds(self, text: str) -> asyncio.Event:
        """Return what this message waits for, from now on."""
        self.gates[text].clear()
        return self.gates[text]


def _open() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


class Failing:
    """The ledger of a store, of which some methods can be made to fail."""

    def __init__(self, kept: Store) -> None:
        self._kept = kept
        self.fails: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return _unavailable if name in self.fails else getattr(self._kept, name)


async def _unavailable(*_: object) -> None:
    raise StorageUnavailable("There is no room left on the disk.")


class Process:
    """One process on an open store: what sends, the platform, and a clock that only sleeping moves."""

    def __init__(self, kept: Store, clock: Clock) -> None:
        self.kept, self.clock, self.platform, self.ledger = kept, clock, Platform(), Failing(kept)
        self.slept: list[float] = []
        self.outreach = Outreach(self.ledger, {"small": self.platform}, clock, sleep=self._sleep)

    async def owes(self, *texts: str, address: Address = ANNA, **more: Any) -> list[Delivery]:
        """Return a delivery for each text."""
        kind = more.pop("kind", Kind.NOTICE)
        return [d for text in texts for d in await self.kept.plan(address, [owed(kind, text, **more)])]

    async def sends(self, *texts: str, **more: Any) -> None:
        """Send each text and wait for what becomes of it."""
        self.outreach.send(await self.owes(*texts, **more))
        await self.outreach.done()

    async def counts(self) -> dict[str, int]:
        """Return the tallies that are not nought, after a look that they add up."""
        found = await self.kept.tallies()
        assert found.conserved
        return {name: getattr(found, name) for name in found.__slots__ if getattr(found, name)}

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.moves(seconds=seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def started(folder: Path, clock: Clock) -> AsyncIterator[Process]:
    """Give a process on the store of a folder, which ends without a word: whatever it had in hand stays as it was."""
    async with Store(folder / "hipwise.db", ring(), clock) as kept:
        process = Process(kept, clock)
        yield process
        await process.outreach.stop()


@pytest.fixture
def clock() -> Clock:
    """Return a clock that shows noon."""
    return Clock(NOON)


@pytest.fixture
async def process(tmp_path: Path, clock: Clock) -> AsyncIterator[Process]:
    """Give a process on an empty store."""
    async with started(tmp_path, clock) as process:
        yield process


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - it is not told of what happens on the database's thread
            await asyncio.sleep(0)


def states(folder: Path) -> list[str]:
    """Return the states of all deliveries as another program sees them on disk."""
    with closing(sqlite3.connect(folder / "hipwise.db")) as db:
        return [state for (state,) in db.execute("SELECT state FROM outbox ORDER BY position")]


# ---------------------------------------------------------------- in order, once


async def test_each_address_gets_what_it_is_owed_in_order_and_nobody_waits_for_another(process: Process) -> None:
    held = process.platform.holds("anna 1")

    process.outreach.send(await process.owes("anna 1", "anna 2"))
    process.outreach.send(await process.owes("ben 1", "ben 2", address=BEN))
    process.outreach.send(await process.owes("anna 3"))
    await until(lambda: "ben 2" in process.platform.given)
    assert sorted(process.platform.given) == ["anna 1", "ben 1", "ben 2"]
    held.set()
    await process.outreach.done()

    assert [text for text in process.platform.given if text.startswith("anna")] == ["anna 1", "anna 2", "anna 3"]
    assert await process.counts() == {"planned": 5, "sent": 5}


async def test_a_claim_is_on_disk_before_the_platform_hears_of_it(process: Process, tmp_path: Path) -> None:
    seen: list[list[str]] = []
    process.platform.sees = lambda _: seen.append(states(tmp_path))

    await process.sends("one")

    assert seen == [["claimed"]]
    assert states(tmp_path) == ["sent"]
    assert await process.kept.messages(ANNA, 9) == ("message 1",)


async def test_nothing_is_claimed_before_it_may_go(process: Process, tmp_path: Path) -> None:
    permits = asyncio.Semaphore(0)

    def permit(_: Delivery) -> AbstractAsyncContextManager[None]:
        return permits

    process.outreach.connect("small", process.platform, permit)
    process.outreach.send(await process.owes("one"))
    await asyncio.sleep(0.01)
    assert states(tmp_path) == ["open"]
    permits.release()
    await process.outreach.done()

    assert states(tmp_path) == ["sent"]


async def test_what_is_in_hand_is_not_taken_again_by_a_look_at_what_is_due(process: Process) -> None:
    held = process.platform.holds("one")
    process.outreach.send(await process.owes("one", "two"))

    for _ in range(3):
        await process.outreach.send_due()
    held.set()
    await process.outreach.done()

    assert process.platform.given == ["one", "two"]


async def test_an_older_view_of_a_delivery_sends_nothing(process: Process) -> None:
    await process.owes("one")
    due = await process.kept.due(NOON, 9)
    await process.outreach.send_due()
    await process.outreach.done()

    process.outreach.send(due)
    await process.outreach.done()

    assert process.platform.given == ["one"]


async def test_what_is_due_is_sent_and_what_is_not_yet_waits(process: Process) -> None:
    await process.owes("now", "later")
    await process.owes("tomorrow", kind=Kind.TIP, due=NOON + timedelta(days=1), until=NOON + timedelta(days=2))

    await process.outreach.send_due()
    await process.outreach.done()

    assert process.platform.given == ["now", "later"]
    assert await process.counts() == {"planned": 3, "sent": 2, "open": 1}


# ---------------------------------------------------------------- known outcomes


async def test_what_cannot_be_sent_yet_waits_and_is_sent_once_before_what_comes_after_it(process: Process) -> None:
    process.platform.fails["one"] = [RetryLater(7), RetryLater(90)]

    await process.sends("one", "two", kind=Kind.VERDICT)

    assert process.platform.given == ["one", "one", "one", "two"]
    assert process.slept == [7, 90]
    assert not any(delivery.marked for delivery in process.platform.deliveries)  # it surely was not there before
    assert await process.counts() == {"planned": 2, "sent": 2}


async def test_while_it_waits_it_is_open_and_due_when_the_platform_said(process: Process, tmp_path: Path) -> None:
    process.platform.fails["one"] = [RetryLater(3600)]
    seen: list[Any] = []

    async def killed(seconds: float) -> None:
        with closing(sqlite3.connect(tmp_path / "hipwise.db")) as db:
            seen.extend(db.execute("SELECT state, attempt, due FROM outbox").fetchall())
        raise StorageUnavailable

    process.outreach._sleep = killed
    await process.sends("one")

    assert seen == [("open", 0, "2026-11-23T13:00+00:00")]
    assert await process.counts() == {"planned": 1, "open": 1}


@pytest.mark.parametrize("refusal", [Refused("my secret knee"), Unreachable("my secret knee")], ids=["refused", "unreachable"])
async def test_what_the_platform_refuses_is_dropped_and_the_next_goes_on(
    process: Process, refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    process.platform.fails["one"] = [refusal]

    await process.sends("one", "two")

    assert process.platform.given == ["one", "two"]
    assert await process.counts() == {"planned": 2, "dropped": 1, "sent": 1}
    assert [record.message for record in caplog.records] == ["delivery.dropped"]
    assert "secret" not in str([vars(record) for record in caplog.records])


async def test_nothing_more_is_tried_at_an_address_that_cannot_be_reached_until_its_member_writes(process: Process) -> None:
    await process.owes("tip", kind=Kind.TIP, due=NOON + timedelta(hours=1), until=NOON + timedelta(hours=9))
    process.platform.fails["one"] = [Unreachable()]
    await process.sends("one")
    process.clock.moves(hours=2)

    await process.outreach.send_due()
    await process.outreach.done()
    assert process.platform.given == ["one"]
    await process.kept.reachable(ANNA)
    await process.outreach.send_due()
    await process.outreach.done()

    assert process.platform.given == ["one", "tip"]


async def test_what_is_planned_goes_to_another_address_where_the_first_turns_out_unreachable(process: Process) -> None:
    member = await process.kept.enter(ANNA)
    await process.kept.add_address(member, BEN)
    (planned,) = await process.kept.plan_ahead(member, [CHECK_IN])
    process.platform.fails["x"] = [Unreachable()]

    process.outreach.send([planned])
    await process.outreach.done()
    await process.outreach.send_due()
    await process.outreach.done()

    assert {d.address for d in process.platform.deliveries} == {ANNA, BEN}
    assert await process.counts() == {"planned": 1, "sent": 1}


async def test_what_can_be_sent_nowhere_is_dropped_once(process: Process) -> None:
    member = await process.kept.enter(ANNA)
    await process.kept.add_address(member, BEN)
    (planned,) = await process.kept.plan_ahead(member, [CHECK_IN])
    process.platform.fails["x"] = [Unreachable(), Unreachable()]

    process.outreach.send([planned])
    for _ in range(3):
        await process.outreach.done()
        await process.outreach.send_due()

    assert await process.counts() == {"planned": 1, "dropped": 1}


# ---------------------------------------------------------------- unknown outcomes

QUESTION, VERDICT, RECEIPT = owed(Kind.QUESTION, "x"), owed(Kind.VERDICT, "x"), owed(Kind.RECEIPT, "x")
CHECK_IN = owed(Kind.CHECK_IN, "x", until=WINDOW, occurrence="run 1")
TIP = owed(Kind.TIP, "x", until=WINDOW, occurrence="tip 1")
ONCE_MORE: list[Any] = [
    pytest.param(QUESTION, 2, False, id="question"),
    pytest.param(owed(Kind.NOTICE, "x"), 2, False, id="notice"),
    pytest.param(owed(Kind.FILE, "x"), 2, False, id="file"),
    pytest.param(VERDICT, 2, True, id="verdict"),
    pytest.param(RECEIPT, 2, True, id="receipt"),
    pytest.param(CHECK_IN, 2, False, id="check-in"),
    pytest.param(TIP, 1, False, id="tip"),
]
"""What is owed, how often it is sent at most where nobody knows what comes of it, and whether the repeat says so."""


@pytest.mark.parametrize(("one", "sends", "marked"), ONCE_MORE)
async def test_what_may_or_may_not_have_arrived_is_repeated_as_its_kind_allows(
    process: Process, one: Owed, sends: int, marked: bool
) -> None:
    process.platform.fails["x"] = [GONE] * 9

    process.outreach.send(await process.kept.plan(ANNA, [one, owed(text="next")]))
    await process.outreach.done()

    assert process.platform.given == ["x"] * sends + ["next"]
    assert process.slept == [outreach.AGAIN] * (sends - 1)
    assert [delivery.marked for delivery in process.platform.deliveries[:sends]] == [False, marked][:sends]
    assert await process.counts() == {"planned": 2, "unknown": 1, "sent": 1}


@pytest.mark.parametrize(("one", "sends", "marked"), ONCE_MORE)
async def test_after_a_kill_between_claim_and_outcome_it_is_repeated_as_its_kind_allows(
    tmp_path: Path, clock: Clock, one: Owed, sends: int, marked: bool
) -> None:
    async with started(tmp_path, clock) as killed:
        killed.platform.holds("x")
        killed.outreach.send(await killed.kept.plan(ANNA, [one]))
        await until(lambda: killed.platform.given == ["x"])

    async with started(tmp_path, clock) as process:
        await process.outreach.recover("small")
        await process.outreach.done()

        assert len(process.platform.given) == sends - 1
        assert [delivery.marked for delivery in process.platform.deliveries] == [marked] * (sends - 1)
        assert await process.counts() == {"planned": 1, ("unknown" if sends == 1 else "sent"): 1}


async def test_a_check_in_is_not_repeated_past_its_window(tmp_path: Path, clock: Clock) -> None:
    async with started(tmp_path, clock) as killed:
        killed.platform.holds("x")
        killed.outreach.send(await killed.kept.plan(ANNA, [CHECK_IN]))
        await until(lambda: killed.platform.given == ["x"])
    clock.moves(hours=3, minutes=1)

    async with started(tmp_path, clock) as process:
        await process.outreach.recover("small")
        await process.outreach.done()

        assert process.platform.given == []
        assert await process.counts() == {"planned": 1, "unknown": 1}


@pytest.mark.parametrize("kind", [Kind.QUESTION, Kind.VERDICT])
async def test_an_answer_of_yesterday_is_not_repeated(tmp_path: Path, clock: Clock, kind: Kind) -> None:
    async with started(tmp_path, clock) as killed:
        killed.platform.holds("x")
        killed.outreach.send(await killed.owes("x", kind=kind, edits="message 7"))
        await until(lambda: killed.platform.given == ["x"])
    clock.moves(hours=24, minutes=1)

    async with started(tmp_path, clock) as process:
        await process.outreach.recover("small")
        await process.outreach.done()

        assert process.platform.given == []  # nobody waits for it any more
        assert await process.counts() == {"planned": 1, "unknown": 1}


@pytest.mark.parametrize("failures", [1, 2, EDITS - 1])
async def test_an_edit_is_made_again_until_it_is_done(process: Process, failures: int) -> None:
    process.platform.fails["x"] = [GONE] * failures

    await process.sends("x", kind=Kind.VERDICT, edits="message 7")

    assert [delivery.edits for delivery in process.platform.deliveries] == ["message 7"] * (failures + 1)
    assert not any(delivery.marked for delivery in process.platform.deliveries)
    assert await process.counts() == {"planned": 1, "sent": 1}


async def test_an_edit_that_never_gets_through_does_not_hold_up_what_comes_after_it(process: Process) -> None:
    process.platform.fails["x"] = [GONE] * 99

    await asyncio.wait_for(process.sends("x", "next", kind=Kind.VERDICT, edits="message 7"), 5)

    assert process.platform.given == ["x"] * EDITS + ["next"]
    assert sum(process.slept) < 60
    assert await process.counts() == {"planned": 2, "unknown": 1, "sent": 1}


# ---------------------------------------------------------------- while the store fails


async def test_what_cannot_be_claimed_is_not_sent_and_goes_out_later(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    process.ledger.fails = {"claim"}
    await process.sends("one", "two")
    assert process.platform.given == []
    assert {record.message for record in caplog.records} == {"delivery.not_noted"}

    process.ledger.fails = set()
    await process.outreach.send_due()
    await process.outreach.done()

    assert process.platform.given == ["one", "two"]
    assert await process.counts() == {"planned": 2, "sent": 2}


@pytest.mark.parametrize("kind", [Kind.QUESTION, Kind.VERDICT, Kind.TIP])
async def test_what_was_sent_but_not_noted_is_of_unknown_outcome_at_the_next_start(
    tmp_path: Path, clock: Clock, kind: Kind
) -> None:
    async with started(tmp_path, clock) as failing:
        failing.ledger.fails = {"sent"}
        await failing.sends("one", kind=kind)
        assert await failing.counts() == {"planned": 1, "claimed": 1}
        await failing.outreach.send_due()
        await failing.outreach.done()
        assert failing.platform.given == ["one"]

    async with started(tmp_path, clock) as process:
        await process.outreach.recover("small")
        await process.outreach.done()

        assert process.platform.given == ([] if kind is Kind.TIP else ["one"])
        assert [delivery.marked for delivery in process.platform.deliveries] == ([True] if kind is Kind.VERDICT else [False])[
            : len(process.platform.given)
        ]


@pytest.mark.parametrize(
    ("outcome", "method"),
    [(GONE, "unknown"), (Refused(), "dropped"), (RetryLater(3), "released"), (Unreachable(), "unreachable")],
)
async def test_any_outcome_that_cannot_be_noted_stops_nothing(process: Process, outcome: Exception, method: str) -> None:
    process.ledger.fails = {method}
    process.platform.fails["one"] = [outcome]

    await process.sends("one", "two")

    assert process.platform.given == ["one", "two"]
    counts = await process.counts()
    assert counts["sent"] == 1


async def test_a_claim_whose_outcome_was_never_noted_is_no_claim_for_ever(process: Process) -> None:
    process.ledger.fails = {"sent"}
    await process.sends("one")
    process.clock.moves(hours=24, minutes=1)

    await process.kept.purge(process.clock())

    assert await process.counts() == {"planned": 1, "unknown": 1}
    process.clock.moves(hours=24, minutes=1)
    await process.kept.purge(process.clock())
    assert (await process.kept.load(ANNA)).member is None  # nor is what it said kept for ever


# ---------------------------------------------------------------- many, and from before


async def test_an_address_with_more_than_is_looked_at_at_once_hides_nobody_else(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outreach, "AT_ONCE", 3)
    held = process.platform.holds("anna 0")
    process.outreach.send(await process.owes(*(f"anna {n}" for n in range(9))))
    await until(lambda: process.platform.given == ["anna 0"])
    await process.owes("ben 1", address=BEN)

    await process.outreach.send_due()
    await until(lambda: "ben 1" in process.platform.given)

    assert process.platform.given == ["anna 0", "ben 1"]
    held.set()
    await process.outreach.done()


async def test_what_is_owed_on_a_platform_that_is_not_there_waits_and_hides_nothing(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outreach, "AT_ONCE", 3)
    elsewhere = Address("elsewhere", "carla")
    process.outreach.send(await process.owes(*(f"carla {n}" for n in range(9)), address=elsewhere))
    await process.owes("anna 1")

    await process.outreach.send_due()
    await process.outreach.done()
    assert process.platform.given == ["anna 1"]
    assert await process.counts() == {"planned": 10, "sent": 1, "open": 9}

    process.outreach.connect("elsewhere", process.platform)
    await process.outreach.recover("small")
    await process.outreach.done()
    assert process.platform.given[1:] == [f"carla {n}" for n in range(9)]


@pytest.fixture
def a_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a look take four planned deliveries of a platform in hand, and the next one come when one is left."""
    monkeypatch.setattr(outreach, "AT_ONCE", 4)
    monkeypatch.setattr(outreach, "FEW", 1)


async def plans(process: Process, platform: str, number: int) -> None:
    """Plan a tip, due now, for so many members of a platform."""
    for n in range(number):
        await process.owes(f"{platform} {n}", address=Address(platform, str(n)), kind=Kind.TIP, until=WINDOW)


async def test_one_look_has_all_sent_that_is_due_and_little_of_it_in_hand(process: Process, a_few_at_once: None) -> None:
    await plans(process, "small", 21)
    in_hand: list[int] = []
    process.platform.sees = lambda _: in_hand.append(len(process.outreach._in_hand))

    await process.outreach.send_due()
    await process.outreach.done()

    assert process.platform.given == [f"small {n}" for n in range(21)]
    assert max(in_hand) < 8
    assert await process.counts() == {"planned": 21, "sent": 21}


async def test_what_a_platform_does_not_get_rid_of_is_in_nobody_elses_way(process: Process, a_few_at_once: None) -> None:
    stuck = Platform()
    process.outreach.connect("elsewhere", stuck)
    await plans(process, "elsewhere", 30)
    held = [stuck.holds(f"elsewhere {n}") for n in range(30)]
    await plans(process, "small", 9)

    for _ in range(2):  # ticks
        await process.outreach.send_due()
    await until(lambda: len(process.platform.given) == 9)

    assert process.platform.given == [f"small {n}" for n in range(9)]
    assert len(stuck.given) < 8
    for gate in held:
        gate.set()
    await process.outreach.done()
    assert await process.counts() == {"planned": 39, "sent": 39}


async def test_a_store_that_fails_at_a_look_leaves_the_rest_to_the_next_tick(process: Process, a_few_at_once: None) -> None:
    await plans(process, "small", 9)
    await process.outreach.send_due()
    process.ledger.fails = {"due"}
    await process.outreach.done()
    assert len(process.platform.given) == 4

    process.ledger.fails = set()
    await process.outreach.send_due()
    await process.outreach.done()

    assert await process.counts() == {"planned": 9, "sent": 9}


async def test_nothing_is_looked_for_again_and_again_while_it_cannot_be_claimed(process: Process, a_few_at_once: None) -> None:
    await plans(process, "small", 9)
    process.ledger.fails = {"claim"}

    await process.outreach.send_due()
    await asyncio.wait_for(process.outreach.done(), 5)

    assert process.platform.given == []
    assert await process.counts() == {"planned": 9, "open": 9}


async def test_what_waited_past_its_window_for_its_turn_is_skipped(process: Process) -> None:
    permits = asyncio.Semaphore(0)

    def permit(_: Delivery) -> AbstractAsyncContextManager[None]:
        return permits

    process.outreach.connect("small", process.platform, permit)
    await process.owes("tip", kind=Kind.TIP, until=NOON + timedelta(minutes=1))
    await process.owes("other tip", kind=Kind.TIP, until=NOON + timedelta(minutes=2), address=BEN)
    await process.outreach.send_due()
    process.clock.moves(minutes=2)
    for _ in range(2):
        permits.release()
    await process.outreach.done()

    assert process.platform.given == ["other tip"]
    assert await process.counts() == {"planned": 2, "skipped": 1, "sent": 1}


class Turns:
    """A permit for each planned delivery, handed out one by one."""

    def __init__(self, process: Process) -> None:
        self._free = asyncio.Semaphore(0)
        process.outreach.connect("small", process.platform, self.permit)

    @asynccontextmanager
    async def permit(self, _: Delivery) -> AsyncIterator[None]:
        """Wait for the next turn; it is not given back."""
        await self._free.acquire()
        yield

    def next(self) -> None:
        """Let one more go."""
        self._free.release()


async def commits(process: Process) -> list[str]:
    """Return a list that grows with every commit from now on that changes something."""
    seen: list[str] = []
    begun: list[str] = []

    def sees(statement: str) -> None:
        if statement == "COMMIT" and any(one.startswith("UPDATE") for one in begun):
            seen.append(statement)
        begun[:] = [] if statement == "COMMIT" else [*begun, statement.strip()]

    await process.kept._write(lambda book: book.db.set_trace_callback(sees))
    return seen


async def test_the_outcome_of_one_and_the_claim_of_the_next_are_one_commit(
    process: Process, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(outreach, "SOON", 60)
    turns, seen = Turns(process), list[list[str]]()
    process.platform.sees = lambda _: seen.append(states(tmp_path))
    await plans(process, "small", 3)
    await process.outreach.send_due()
    made = await commits(process)

    for number in range(1, 4):
        turns.next()
        await until(lambda number=number: len(process.platform.given) == number)  # type: ignore[misc]
    await process.outreach.done()

    assert seen == [["claimed", "open", "open"], ["sent", "claimed", "open"], ["sent", "sent", "claimed"]]
    assert len(made) == 4
    assert await process.counts() == {"planned": 3, "sent": 3}


async def test_an_outcome_does_not_wait_long_for_the_next_claim(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outreach, "SOON", 0.01)
    turns = Turns(process)
    await plans(process, "small", 2)
    await process.outreach.send_due()

    turns.next()
    await sent(process, 1)

    assert process.platform.given == ["small 0"]


async def sent(process: Process, number: int) -> None:
    """Wait until so many are noted as sent."""
    async with asyncio.timeout(5):
        while (await process.counts()).get("sent") != number:  # noqa: ASYNC110 - it is not told of what is committed
            await asyncio.sleep(0.001)


async def test_an_outcome_that_waits_for_the_next_claim_is_noted_where_it_is_stopped(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outreach, "SOON", 60)
    turns = Turns(process)
    await plans(process, "small", 2)
    await process.outreach.send_due()
    turns.next()
    await until(lambda: process.platform.given == ["small 0"])
    await asyncio.sleep(0.01)
    assert await process.counts() == {"planned": 2, "claimed": 1, "open": 1}

    await process.outreach.stop()

    assert await process.counts() == {"planned": 2, "sent": 1, "open": 1}


async def test_the_outcome_of_a_reply_waits_for_no_claim(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outreach, "SOON", 60)
    turns = Turns(process)
    await process.owes("one")
    await plans(process, "small", 1)
    await process.outreach.send_due()

    turns.next()
    await sent(process, 1)

    assert process.platform.given == ["one"]


async def test_all_that_an_earlier_process_owed_goes_out_before_anything_new(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outreach, "AT_ONCE", 3)
    async with started(tmp_path, clock) as killed:
        killed.platform.holds("0")
        killed.outreach.send(await killed.owes(*map(str, range(9))))
        await until(lambda: killed.platform.given == ["0"])

    async with started(tmp_path, clock) as process:
        await process.outreach.recover("small")
        process.outreach.send(await process.owes("new"))
        await process.outreach.done()

        assert process.platform.given == [*map(str, range(9)), "new"]
        assert await process.counts() == {"planned": 10, "sent": 10}


@pytest.mark.parametrize("outcome", [None, GONE, RetryLater(7), Refused()], ids=["sent", "unknown", "later", "refused"])
async def test_a_start_that_goes_on_late_leaves_what_is_in_hand_to_its_outcome(
    process: Process, outcome: Exception | None
) -> None:
    process.platform.fails["one"] = [] if outcome is None else [outcome]
    held = process.platform.holds("one")
    process.outreach.send(await process.owes("one", kind=Kind.QUESTION))
    await until(lambda: process.platform.given == ["one"])

    await process.outreach.recover("small")
    held.set()
    await process.outreach.done()

    again = isinstance(outcome, RetryLater | ConnectionResetError)
    assert process.platform.given == ["one"] * (2 if again else 1)
    assert await process.counts() == {"planned": 1, ("dropped" if isinstance(outcome, Refused) else "sent"): 1}


async def test_stopping_leaves_what_was_claimed_unknown_and_the_rest_owed(tmp_path: Path, clock: Clock) -> None:
    async with started(tmp_path, clock) as stopped:
        stopped.platform.holds("one")
        stopped.outreach.send(await stopped.owes("one", "two"))
        await until(lambda: stopped.platform.given == ["one"])
        await stopped.outreach.stop()
        stopped.outreach.send(await stopped.owes("three"))
        await asyncio.sleep(0.01)

        assert await stopped.counts() == {"planned": 3, "claimed": 1, "open": 2}
        assert stopped.platform.given == ["one"]


# ---------------------------------------------------------------- what is no longer, or could not be, kept


async def test_what_is_owed_to_someone_who_was_erased_is_not_sent(process: Process) -> None:
    held = process.platform.holds("one")
    process.outreach.send(await process.owes("one", "two"))
    await until(lambda: process.platform.given == ["one"])
    await process.kept.forget((await process.kept.load(ANNA)).member or "")
    held.set()
    await process.outreach.done()

    assert process.platform.given == ["one"]
    assert await process.counts() == {"planned": 2, "unknown": 1, "dropped": 1}


async def test_what_could_not_be_kept_is_said_as_far_as_that_can_be_done(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    process.ledger.fails = {"claim", "sent", "unknown", "dropped", "released", "due"}
    process.platform.fails["two"] = [GONE]

    await process.outreach.say(ANNA, [owed(text="one"), owed(text="two"), owed(text="three")])

    assert process.platform.given == ["one", "two", "three"]
    assert [(d.address, d.state, d.marked) for d in process.platform.deliveries] == [(ANNA, State.CLAIMED, False)] * 3
    assert [record.message for record in caplog.records if record.name == "core.outreach"] == ["delivery.lost"]


async def test_what_nobody_needs_any_more_is_skipped_and_counted(process: Process) -> None:
    deliveries = await process.owes("one", "two")

    process.outreach.skip(deliveries[:1])
    process.outreach.send(deliveries)
    await process.outreach.done()

    assert process.platform.given == ["two"]
    assert await process.counts() == {"planned": 2, "skipped": 1, "sent": 1}


# ---------------------------------------------------------------- Claimed as it is kept


async def test_a_delivery_that_was_claimed_as_it_was_kept_is_sent_without_another_commit(process: Process) -> None:
    (delivery,) = await process.kept.plan(ANNA, [owed(Kind.NOTICE, "one", claimed=True)])
    assert (delivery.state, delivery.attempt) == (State.CLAIMED, 1)
    process.ledger.fails = {"claim"}

    process.outreach.send([delivery])
    await process.outreach.done()

    assert process.platform.given == ["one"]
    assert await process.counts() == {"planned": 1, "sent": 1}


async def test_what_was_claimed_as_it_was_kept_and_then_killed_is_of_unknown_outcome(tmp_path: Path, clock: Clock) -> None:
    async with started(tmp_path, clock) as process:
        await process.kept.plan(ANNA, [owed(Kind.NOTICE, "one", claimed=True), owed(Kind.NOTICE, "two")])

    async with started(tmp_path, clock) as process:
        await process.outreach.recover("small")
        await process.outreach.done()
        assert process.platform.given == ["one", "two"]
        assert await process.counts() == {"planned": 2, "sent": 2}


async def test_only_a_lane_that_is_free_where_a_permit_is_free_is_ready(process: Process) -> None:
    permitted = {ANNA, BEN}
    process.outreach.connect("small", process.platform, free=lambda address: address in permitted)
    assert process.outreach.ready(ANNA)
    permitted.clear()
    assert not process.outreach.ready(ANNA)
    permitted.add(ANNA)
    process.outreach.send(await process.owes("one"))
    assert not process.outreach.ready(ANNA)
    await process.outreach.done()
    assert process.outreach.ready(ANNA)


async def test_what_one_platform_has_in_hand_stays_so_when_another_is_recovered(process: Process) -> None:
    await process.kept.plan(ANNA, [owed(Kind.NOTICE, "one", claimed=True)])
    await process.outreach.recover("another")
    assert await process.counts() == {"planned": 1, "claimed": 1}


async def test_what_was_to_change_a_message_that_is_gone_is_one_of_its_own_and_repeated_as_such(process: Process) -> None:
    process.platform.fails["x"] = [TimeoutError(), TimeoutError(), Gone(), TimeoutError(), TimeoutError()]
    (delivery,) = await process.kept.plan(ANNA, [owed(Kind.VERDICT, "x", edits="message 7")])
    process.outreach.send([delivery])
    await process.outreach.done()

    assert [d.edits for d in process.platform.deliveries] == ["message 7"] * 3 + [None] * 2
    assert [d.attempt for d in process.platform.deliveries] == [1, 2, 3, 1, 2]
    assert await process.counts() == {"planned": 1, "unknown": 1}


async def test_whoever_was_erased_while_a_change_was_under_way_gets_no_message_instead(process: Process) -> None:
    process.platform.fails["x"] = [Gone()]
    gate = process.platform.holds("x")
    (delivery,) = await process.kept.plan(ANNA, [owed(text="x", edits="message 7")])
    process.outreach.send([delivery])
    await until(lambda: process.platform.given == ["x"])
    await process.kept.forget(delivery.member)
    gate.set()
    await process.outreach.done()
    assert process.platform.given == ["x"]


async def test_what_could_not_be_kept_is_said_in_a_message_of_its_own_where_the_old_one_is_gone(process: Process) -> None:
    process.platform.fails["x"] = [Gone()]
    await process.outreach.say(ANNA, [owed(text="x", edits="message 7")])
    assert [d.edits for d in process.platform.deliveries] == ["message 7", None]


async def test_a_reply_that_was_held_up_still_goes_before_a_later_one_after_a_kill(tmp_path: Path, clock: Clock) -> None:
    async with started(tmp_path, clock) as killed:
        held, _ = await killed.owes("held", "later")
        claimed = await killed.kept.claim(held)
        assert claimed is not None
        await killed.kept.released(claimed, clock() + timedelta(minutes=10))

    async with started(tmp_path, clock) as process:
        await process.outreach.recover("small")
        await process.outreach.done()
        assert process.platform.given == ["held", "later"]
