"""Hipwise on the small platform, as a process: `python tests/small_bot.py`, told by its environment where everything is.

SMALL_FOLDER and SMALL_KEYS say where the store is and what opens it, SMALL_PORT where the platform is. SMALL_DIE, such as
`save.before:3`, names the step at which this process is killed, and the how manyth time it comes there. The steps are put
in here, by wrapping the ports that are handed in; the program itself knows nothing of them. Whatever is being sent for the
second time is let through first, for it would not be sent a third time; with a SMALL_MERCILESS it is not.
"""

import asyncio
import json
import os
import secrets
import signal
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bots import bootstrap, logs
from content import loader
from core import replies
from core.companion import Companion
from core.dialogue import Command, Inbound, Prompt, Reply, Tap, Text
from core.enduring import EnduringRecords
from core.intake import Intake, Reader, Unreadable, Update
from core.ledger import Delivery, Owed
from core.linking import Linking
from core.members import Address
from core.memory import MemoryRecords
from core.outreach import Outreach
from core.ownership import Ownership
from core.ports import Receipt
from core.record import Change, Erased
from core.storage import Store, StoreRecords
from core.storage.erased import ErasedList
from core.storage.writer import Writer
from core.vault import KeyRing

T = TypeVar("T")
PLATFORM = "small"

STEPS = tuple(
    f"{step}.{when}"
    for step, whens in {
        "receive": ("before", "after"),
        "commit": ("before", "after"),
        "handle": ("before", "after"),
        "save": ("before", "after"),
        "send": ("before", "taken", "after"),
        "acknowledge": ("before", "taken", "after"),
    }.items()
    for when in whens
)
"""Where it may be killed. `taken`: the platform has it, and has not answered."""


# ---------------------------------------------------------------- An adapter, as of any platform


@dataclass(frozen=True, slots=True)
class Wire:
    """The way to the platform."""

    port: int

    async def ask(self, **request: Any) -> Any:
        """Return the platform's answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
        finally:
            writer.close()
        return json.loads(line)


class SmallMessenger:
    """Writes to members of the small platform."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def send(self, delivery: Delivery, kill: int | None = None) -> str | None:
        """Return the id of the message that is now there."""
        reply = delivery.reply
        answer = await self._wire.ask(
            do="send",
            kill=kill,
            delivery=delivery.id,
            to=delivery.address.id,
            kind=delivery.kind,
            text=reply.get("text", ""),
            buttons=reply.get("choices", []),
            marked=delivery.marked,
            edits=delivery.edits,
            closes=delivery.closes,
        )
        message: str = answer["message"]
        return message


class SmallReader:
    """Acts on updates of the small platform."""

    def __init__(self, companion: Companion, outreach: Outreach) -> None:
        self._companion, self._outreach = companion, outreach

    def sender(self, raw: bytes) -> Address | None:
        """Return whom an update is from."""
        try:
            return Address(PLATFORM, json.loads(raw)["from"])
        except ValueError as error:
            raise Unreadable from error

    async def act(self, raw: bytes, row: str | None, *, more: bool) -> None:
        """Answer an update."""
        inbound, above = inbound_of(raw)
        owe = Owing(above)
        answer = await self._companion.answer(inbound, owe, row)
        if answer.kept:
            self._outreach.send((*answer.deliveries, *answer.elsewhere))
        else:
            await self._outreach.say(inbound.address, owe(answer.replies))


def inbound_of(raw: bytes) -> tuple[Inbound, str | None]:
    """Return what a member did, and the message that they pressed a button of."""
    given = json.loads(raw)
    here = Address(PLATFORM, given["from"])
    if "tap" in given:
        return Tap(here, given["tap"]), given["on"]
    text: str = given["text"]
    if text.startswith("/"):
        name, _, rest = text[1:].partition(" ")
        return Command(here, name, rest), None
    return Text(here, text), None


@dataclass(frozen=True, slots=True)
class Owing:
    """Owes replies now; a question may take the place of the one that was pressed."""

    above: str | None

    def __call__(self, said: Sequence[Reply]) -> Sequence[Owed]:
        now = bootstrap.now()
        return [replies.owed(r, now, edits=self.above if isinstance(r, Prompt) else None) for r in said]


# ---------------------------------------------------------------- Where it may be killed


@dataclass
class Steps:
    """Counts how often each step was come to, and kills this process where it was told to."""

    at: str
    turn: int
    merciless: bool
    counts: Counter[str] = field(default_factory=Counter)
    repeated: set[str] = field(default_factory=set)
    """Deliveries that were claimed for a second time, and have no outcome yet."""

    def come_to(self, step: str) -> None:
        """Die here, if it is time."""
        if self.is_time(step):
            os.kill(os.getpid(), signal.SIGKILL)

    def is_time(self, step: str) -> bool:
        """Return whether it is time to die at this step."""
        self.counts[step] += 1
        return step == self.at and self.counts[step] >= self.turn and (self.merciless or not self.repeated)


class MortalStore(Store):
    """The store, which may be killed right before and right after any commit."""

    steps: Steps

    async def watch(self, steps: Steps) -> None:
        """Look out for commits from now on."""
        self.steps = steps

        def sees(statement: str) -> None:
            if statement == "COMMIT":
                steps.come_to("commit.before")

        await self._write(lambda book: book.db.set_trace_callback(sees))

    async def _ask(self, how: Any, work: Any) -> Any:
        outcome = await super()._ask(how, work)
        if how is Writer.write and hasattr(self, "steps"):
            self.steps.come_to("commit.after")
        return outcome

    async def claim(self, delivery: Delivery) -> Delivery | None:
        """Claim it, and mind that it is out for the second time."""
        if delivery.attempt:
            self.steps.repeated.add(delivery.id)
        claimed = await super().claim(delivery)
        if claimed is None:
            self.steps.repeated.discard(delivery.id)
        return claimed

    async def sent(self, delivery: Delivery, message_id: str | None) -> bool:
        """Note that it was sent."""
        noted = await super().sent(delivery, message_id)
        self.steps.repeated.discard(delivery.id)
        return noted


class MortalRecords(StoreRecords):
    """Records that may be killed before and after they are saved. Of whom they erase, id and wrapped key are told first."""

    def __init__(self, store: MortalStore, told: Path) -> None:
        super().__init__(store)
        self._kept, self._told = store, told

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...]:
        """Save a turn."""
        return await self._between(super().save(address, change))

    async def owe(self, address: Address, owed: Sequence[Owed], handled: str | None) -> tuple[Delivery, ...]:
        """Owe without a turn."""
        return await self._between(super().owe(address, owed, handled))

    async def forget(self, address: Address, receipt: Receipt, handled: str | None) -> Erased | None:
        """Erase a member."""
        member = (await self.load(address)).member
        keys = await self._kept._read(lambda book: book.all("SELECT wrapped FROM keys WHERE owner = ?", member))
        with self._told.open("a", encoding="ascii") as told:
            told.writelines(f"{member} {key.hex()}\n" for (key,) in keys)
        return await self._between(super().forget(address, receipt, handled))

    async def _between(self, work: Coroutine[Any, Any, T]) -> T:
        self._kept.steps.come_to("save.before")
        outcome = await work
        self._kept.steps.come_to("save.after")
        return outcome


@dataclass(frozen=True)
class MortalReader:
    """A reader that may be killed before and after it acts."""

    reader: Reader
    steps: Steps

    def sender(self, raw: bytes) -> Address | None:
        """Return whom an update is from."""
        return self.reader.sender(raw)

    async def act(self, raw: bytes, row: str | None, *, more: bool) -> None:
        """Act on an update."""
        self.steps.come_to("handle.before")
        await self.reader.act(raw, row, more=more)
        self.steps.come_to("handle.after")


@dataclass(frozen=True)
class MortalMessenger:
    """A messenger that may be killed before, within and after a send."""

    messenger: SmallMessenger
    steps: Steps

    async def send(self, delivery: Delivery) -> str | None:
        """Send a delivery."""
        self.steps.come_to("send.before")
        message = await self.messenger.send(delivery, os.getpid() if self.steps.is_time("send.taken") else None)
        self.steps.come_to("send.after")
        return message


# ---------------------------------------------------------------- The process


async def run(environment: Mapping[str, str]) -> None:
    """Run until the platform says that all is done."""
    at, _, turn = environment.get("SMALL_DIE", "nowhere:0").partition(":")
    steps, folder = Steps(at, int(turn), "SMALL_MERCILESS" in environment), Path(environment["SMALL_FOLDER"])
    wire, library = Wire(int(environment["SMALL_PORT"])), loader.load()
    ring = KeyRing.parse(environment["SMALL_KEYS"])
    erased = ErasedList(ring, (folder / "beside-the-backups", folder / "beside-the-keys"))
    async with MortalStore(folder / "hipwise.db", ring, bootstrap.now, erased=erased) as store:
        await store.purge(bootstrap.now())
        await store.watch(steps)
        records = EnduringRecords(MortalRecords(store, folder / "told"), MemoryRecords())
        ownership = Ownership(library, records, bootstrap.now, bootstrap.signed_off)
        linking = Linking(library, ownership, bootstrap.now, secrets.randbits)
        companion = Companion(library, records, bootstrap.now, bootstrap.fresh_id, ownership, linking=linking)
        outreach = Outreach(store, {PLATFORM: MortalMessenger(SmallMessenger(wire), steps)}, bootstrap.now)
        intake = Intake(PLATFORM, store, MortalReader(SmallReader(companion, outreach), steps))
        await outreach.recover(PLATFORM)
        await intake.recover()
        await poll(wire, intake, steps)
        await intake.done()
        await outreach.done()


async def poll(wire: Wire, intake: Intake, steps: Steps) -> None:
    """Take updates until there will be no more; asking for those after the last acknowledges it."""
    after = 0
    while True:
        if after:
            steps.come_to("acknowledge.before")
        kill = os.getpid() if after and steps.is_time("acknowledge.taken") else None
        answer = await wire.ask(do="updates", after=after, most=2, kill=kill)
        if after:
            steps.come_to("acknowledge.after")
        if answer["done"]:
            return
        if updates := [Update(str(number), raw.encode()) for number, raw in answer["updates"]]:
            steps.come_to("receive.before")
            await intake.receive(updates)
            steps.come_to("receive.after")
            after = int(updates[-1].id)


if __name__ == "__main__":
    logs.set_up("WARNING")
    asyncio.run(run(os.environ))
