"""What is held until a later answer, and what could not be kept."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core import outreach as outreach_module
from core.errors import RetryLater
from core.ledger import Delivery, Kind
from core.outreach import Outreach
from core.storage import Store
from fakes import ANNA, NOON, owed, store

CARLA = type(ANNA)("telegram", "5322000111")


@dataclass
class Phone:
    """A messenger that remembers what it was given, and does as it is told for the next ones to an address."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    next: defaultdict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    async def send(self, delivery: Delivery) -> str | None:
        self.begun.set()
        await self.gate.wait()
        self.sent.append((delivery.address.id, delivery.reply["text"]))
        if self.next[delivery.address.id]:
            raise self.next[delivery.address.id].pop(0)
        return f"message {len(self.sent)}"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Out:
    """An open store, a phone, and what sends from the one to the other."""

    kept: Store
    phone: Phone
    outreach: Outreach

    async def owes(self, *texts: str, to: str = ANNA.id, kind: Kind = Kind.NOTICE) -> tuple[Delivery, ...]:
        return await self.kept.plan(type(ANNA)("telegram", to), [owed(kind, text) for text in texts])

    async def states(self) -> dict[str, int]:
        tallies = await self.kept.tallies()
        assert tallies.conserved
        names = ("open", "claimed", "sent", "unknown", "skipped", "dropped")
        return {name: count for name in names if (count := getattr(tallies, name))}


@asynccontextmanager
async def sending(folder: Path) -> AsyncIterator[Out]:
    async with store(folder) as kept:
        phone = Phone()
        outreach = Outreach(kept, {"telegram": phone}, lambda: NOON, sleep=phone.sleep)
        yield Out(kept, phone, outreach)
        await outreach.stop()


@pytest.fixture
async def out(tmp_path: Path) -> AsyncIterator[Out]:
    async with sending(tmp_path) as out:
        yield out


async def test_what_is_held_is_left_until_it_is_handed_over(out: Out) -> None:
    first, second = await out.owes("one", "two")
    out.outreach.hold([first, second])
    await out.outreach.send_due()
    await out.outreach.done()
    assert out.phone.sent == []

    out.outreach.send([second])
    out.outreach.skip([first])
    await out.outreach.send_due()
    await out.outreach.done()
    assert out.phone.sent == [(ANNA.id, "two")]
    assert await out.states() == {"sent": 1, "skipped": 1}


async def test_what_could_not_be_kept_is_said_as_soon_as_it_can_be(out: Out) -> None:
    out.phone.next[ANNA.id] = [RetryLater(3), RetryLater(5)]
    await out.outreach.say(ANNA, [owed(text="one"), owed(text="two")])

    assert [text for _, text in out.phone.sent] == ["one", "one", "one", "two"]
    assert out.phone.waits == [3, 5]
    assert await out.states() == {}


async def test_what_could_not_be_kept_is_said_once_where_nobody_knows(out: Out, caplog: pytest.LogCaptureFixture) -> None:
    out.phone.next[ANNA.id] = [OSError()]
    await out.outreach.say(ANNA, [owed(text="one")])

    assert len(out.phone.sent) == 1
    assert [record.message for record in caplog.records if record.name == "core.outreach"] == ["delivery.lost"]


async def test_what_could_not_be_kept_holds_up_nobody_for_long(
    out: Out, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    out.phone.next[ANNA.id] = [RetryLater(3600)]
    await out.outreach.say(ANNA, [owed(text="one")])
    monkeypatch.setattr(outreach_module, "SAID_WITHIN", 0.05)
    out.phone.gate.clear()
    await out.outreach.say(ANNA, [owed(text="two")])

    assert out.phone.waits == []
    lost = [vars(record)["error"] for record in caplog.records if record.message == "delivery.lost"]
    assert lost == ["RetryLater", "TimeoutError"]
