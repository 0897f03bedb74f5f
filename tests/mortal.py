"""A Hipwise that may be killed at any labelled step, for the kill proofs of every platform.

The steps are put in here, by wrapping the ports that are handed in; the program itself knows nothing of them. A script that
calls `lives` has a process for each of its lives: each line of its input, such as `save.before:3`, starts one, and names the
step at which it is killed, and the how manyth time it comes there; one that is not killed ends with SIGTERM. All of them are
forked from the script, which only imports and waits: so a start takes little. MORTAL_FOLDER and MORTAL_KEYS say where the
store is and what opens it. Whatever is being sent for the second time is let through first, for it may not be sent a third.
"""

import asyncio
import os
import secrets
import signal
import sys
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from bots import bootstrap, logs
from content import loader
from core.coaching import Coaching
from core.companion import Companion
from core.enduring import EnduringRecords
from core.intake import Reader
from core.ledger import Delivery, Kind, Owed
from core.library import Library
from core.linking import Linking
from core.members import Address
from core.memory import MemoryRecords
from core.outreach import Free, Outreach, Permit, at_once, not_known
from core.ownership import Ownership
from core.ports import Messenger, Now, Receipt
from core.record import Change, Erased
from core.storage import Store, StoreRecords
from core.storage.erased import ErasedList
from core.storage.store import AHEAD
from core.storage.writer import Writer
from core.vault import KeyRing

T = TypeVar("T")
NOWHERE = "nowhere:0"
about: ContextVar[dict[str, str] | None] = ContextVar("about", default=None)
"""What a request is to say of the delivery that is being sent; with `kill`, whom the platform is to kill once it has it."""


def labelled(**whens: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of steps: of what, and when. `taken`: the platform has it, and has not answered."""
    return tuple(f"{step}.{when}" for step, several in whens.items() for when in several)


@dataclass
class Steps:
    """Counts how often each step was come to, and kills this process where it was told to."""

    at: str
    turn: int
    merciless: bool
    counts: Counter[str] = field(default_factory=Counter)
    repeated: set[str] = field(default_factory=set)
    """Deliveries that were claimed for a second time, and have no outcome yet."""
    dying: bool = False
    """Whether it was time to die, which the platform may see to a moment later."""

    def come_to(self, step: str) -> None:
        """Die here, if it is time."""
        if self.is_time(step):
            os.kill(os.getpid(), signal.SIGKILL)

    def is_time(self, step: str) -> bool:
        """Return whether it is time to die at this step."""
        self.counts[step] += 1
        is_time = step == self.at and self.counts[step] >= self.turn and (self.merciless or not self.repeated)
        self.dying |= is_time
        return is_time


UNHARMED = Steps("nowhere", 0, merciless=False)
"""Nothing is killed."""


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
            if self.steps.dying and not self.steps.merciless:
                await asyncio.Event().wait()  # nothing is begun for the second time that cannot be let through
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

    messenger: Messenger
    steps: Steps
    kinds: frozenset[Kind]
    """What is being sent when it is killed."""

    async def send(self, delivery: Delivery) -> str | None:
        """Send a delivery."""
        steps = self.steps if delivery.kind in self.kinds else UNHARMED
        steps.come_to("send.before")
        kill = {"kill": str(os.getpid())} if steps.is_time("send.taken") else {}
        unread = {"kill": str(os.getpid()), "undone": "True"} if steps.is_time("send.read") else {}
        telling = about.set(_told_of(delivery) | kill | unread)
        try:
            message = await self.messenger.send(delivery)
        finally:
            about.reset(telling)
        steps.come_to("send.after")
        return message


def _told_of(delivery: Delivery) -> dict[str, str]:
    screen = delivery.kind is Kind.QUESTION or bool(delivery.reply.get("fleeting"))
    first = {"occasion": delivery.reply["occasion"], "until": f"{delivery.until}"} if delivery.kind in AHEAD else {}
    return first | {
        "delivery": delivery.id,
        "to": delivery.address.id,
        "kind": delivery.kind,
        "screen": str(screen),
        "marked": str(delivery.marked),
        "edits": str(delivery.edits is not None),
    }


class MortalOutreach(Outreach):
    """Sends with messengers that may be killed."""

    def __init__(self, store: MortalStore, now: Now, kinds: frozenset[Kind]) -> None:
        super().__init__(store, {}, now)
        self._steps, self._kinds = store.steps, kinds
        self.recovered = asyncio.Event()
        """Set once it goes on with what an earlier process left."""

    def connect(self, platform: str, messenger: Messenger, permit: Permit = at_once, free: Free = not_known) -> None:
        """Have a platform's messages sent."""
        super().connect(platform, MortalMessenger(messenger, self._steps, self._kinds), permit, free)

    async def recover(self, platform: str) -> None:
        """Go on with what an earlier process left."""
        await super().recover(platform)
        self.recovered.set()


# ---------------------------------------------------------------- The process


@dataclass(frozen=True, slots=True)
class Core:
    """What every platform is built on."""

    store: MortalStore
    companion: Companion
    outreach: MortalOutreach
    library: Library
    now: Now


@dataclass(frozen=True, slots=True)
class Hipwise:
    """What runs."""

    store: MortalStore
    settles: Callable[[], Coroutine[Any, Any, None]]
    """Returns once what was received is handled, and what is owed for it was sent."""


Running = Callable[[Path, KeyRing, Steps, Library], AbstractAsyncContextManager[Hipwise]]
"""Gives a Hipwise that runs; in the end it finishes what is in hand."""


@asynccontextmanager
async def core(
    folder: Path,
    ring: KeyRing,
    steps: Steps,
    library: Library,
    *,
    kind: type[MortalStore] = MortalStore,
    now: Now = bootstrap.now,
    coaching: Coaching | None = None,
    kinds: frozenset[Kind] = frozenset(Kind),
) -> AsyncIterator[Core]:
    """Give a core with its store, of this kind; of what is sent, only these kinds may be killed."""
    erased = ErasedList(ring, (folder / "beside-the-backups", folder / "beside-the-keys"))
    async with kind(folder / "hipwise.db", ring, now, erased=erased) as store:
        await store.purge(now())
        await store.watch(steps)
        records = EnduringRecords(MortalRecords(store, folder / "told"), MemoryRecords())
        ownership = Ownership(library, records, now, bootstrap.signed_off)
        linking = Linking(library, ownership, now, secrets.randbits)
        companion = Companion(library, records, now, bootstrap.fresh_id, ownership, linking=linking, coaching=coaching)
        yield Core(store, companion, MortalOutreach(store, now, kinds), library, now)


def lives(running: Running) -> None:
    """Live once for each line of the input, each time in a process of its own; say its id, and with which code it ended."""
    logs.set_up("WARNING")
    library = loader.load()
    for line in sys.stdin:
        if not (pid := os.fork()):
            _live(running, library, line.strip())
        _say(pid)
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


async def _run(running: Running, library: Library, die: str) -> None:
    """Run until told to end."""
    at, _, turn = die.partition(":")
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    folder, ring = Path(os.environ["MORTAL_FOLDER"]), KeyRing.parse(os.environ["MORTAL_KEYS"])
    async with running(folder, ring, Steps(at, int(turn), merciless=False), library):
        await ended.wait()


def _live(running: Running, library: Library, die: str) -> NoReturn:
    code = 1
    try:
        asyncio.run(_run(running, library, die))
        code = 0
    except Exception:  # noqa: BLE001 - whatever it is, it is told and the code says so
        traceback.print_exc()
    finally:
        os._exit(code)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()
