"""What the kill proofs of all platforms share: the lives and deaths of a process, and what must hold after them."""

import asyncio
import base64
import contextlib
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from core.members import Address
from core.storage import Store, StoreRecords
from core.storage.erased import ErasedList
from core.vault import KeyRing
from mortal import NOWHERE

KILLS = 20
"""Kills at each step: at its first time after a start, its second, and so on, shuffled."""
LOST_AFTER = 1
"""Seconds after which something is cancelled once more."""
LIFE = 60
"""Seconds that a process may take: it is stuck then."""
RING = f"a:{base64.b64encode(b'k' * 32).decode()}"


def turns(step: str, most: int = KILLS) -> list[int]:
    """Return at which times it comes to a step a process is killed, one process after the other: no later than so many."""
    found = [n % most + 1 for n in range(KILLS)]
    random.Random(step).shuffle(found)
    return found


# ---------------------------------------------------------------- The lives and deaths of one process


class Crowd(Protocol):
    """A platform with members on it."""

    closing: bool
    """Set once nobody new is to come."""

    @property
    def done(self) -> bool:
        """Whether nobody has anything left to do or to be told."""
        ...

    async def until(self, holds: Callable[[], bool], *, within: float) -> None:
        """Wait until something holds; raise AssertionError after so many seconds."""
        ...

    async def is_awake(self) -> None:
        """Go on with what hangs on a process that has just started, until cancelled."""
        ...

    async def is_dead(self, folder: Path) -> None:
        """Take in that the process is dead which kept its store in a folder."""
        ...

    def stuck(self) -> Iterable[str]:
        """Return who waits, and for what."""
        ...


@dataclass
class World:
    """A platform, the folder of one Hipwise, and what became of both. Its processes are forked from another: see mortal.py."""

    step: str
    folder: Path
    crowd: Crowd
    process: asyncio.subprocess.Process
    most: int = KILLS
    """How often it comes to its step at most before it is killed."""
    kills: int = 0

    async def lives(self) -> None:
        """Have Hipwise killed at its step so many times, then let it finish."""
        for turn in turns(self.step, self.most):
            await self.dies(f"{self.step}:{turn}")
        await self.ends()

    async def dies(self, how: str) -> None:
        """Have Hipwise started and killed."""
        async with self._life(how):
            code = await asyncio.wait_for(self._said(), LIFE)
        assert code == -signal.SIGKILL, f"{self.step}: it ended with {code} before it could be killed: {self._log()}"
        self.kills += 1
        await self.crowd.is_dead(self.folder)

    async def ends(self) -> None:
        """Have Hipwise started, and end when all is done."""
        self.crowd.closing = True
        async with self._life(NOWHERE) as pid:
            await self.crowd.until(lambda: self.crowd.done, within=LIFE)
            os.kill(pid, signal.SIGTERM)
            code = await asyncio.wait_for(self._said(), LIFE)
        assert code == 0, f"{self.step}: it ended with {code}"

    @contextlib.asynccontextmanager
    async def _life(self, how: str) -> AsyncIterator[int]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{how}\n".encode())
        pid = await self._said()
        awake = asyncio.create_task(self.crowd.is_awake())
        try:
            yield pid
        except (TimeoutError, AssertionError):
            os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"{self.step}: stuck after {self.kills} kills: {list(self.crowd.stuck())}") from None
        finally:
            while not awake.done():  # a cancellation is lost where what is waited for happens at that moment
                awake.cancel()
                await asyncio.wait({awake}, timeout=LOST_AFTER)
        if not awake.cancelled():
            awake.result()

    def _log(self) -> str:
        return (self.folder / "log").read_text()[-5000:]

    async def _said(self) -> int:
        assert self.process.stdout is not None
        return int(await self.process.stdout.readline())


@contextlib.asynccontextmanager
async def world(step: str, folder: Path, script: str, crowd: Crowd, **where: str) -> AsyncIterator[World]:
    """Give a world in which nothing has happened: a script of ours that is told where the platform is, in a new folder."""
    (folder / step).mkdir()
    root = Path(__file__).parent
    # Whatever ends a process but a kill has to say where.
    kept = {"PYTHONFAULTHANDLER": "1", "MORTAL_FOLDER": str(folder / step), "MORTAL_KEYS": RING}
    environment = {"PYTHONPATH": f"{root.parent}{os.pathsep}{root}", **kept, **where}
    pipe = asyncio.subprocess.PIPE
    with (folder / step / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, root / script, env=environment, stdin=pipe, stdout=pipe, stderr=log
        )
    try:
        yield World(step, folder / step, crowd, process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


# ---------------------------------------------------------------- What must hold


@dataclass(frozen=True, slots=True)
class Account:
    """What happened in a world, and everything about it that must not be."""

    step: str
    kills: int
    members: int
    updates: int
    deliveries: int
    repeated: int
    marked: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        numbers = (self.kills, self.members, self.updates, self.deliveries, self.repeated, self.marked, len(self.faults))
        return f"{self.step:<20}" + "".join(f"{number:>11}" for number in numbers)


HEAD = f"{'step':<20}" + "".join(
    f"{name:>11}" for name in ("kills", "members", "updates", "deliveries", "repeated", "marked", "faults")
)


class Told(Protocol):
    """An account of any proof."""

    @property
    def kills(self) -> int:
        """How often a process was killed."""
        ...

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that must not be."""
        ...


def proved(accounts: Sequence[Told], steps: Sequence[str], capsys: pytest.CaptureFixture[str], head: str = HEAD) -> None:
    """Print what happened at every step; fail where there is a fault, or was not killed so often."""
    with capsys.disabled():
        print("\n".join(("", head, *map(str, accounts))))  # noqa: T201 - what a proof is for
    assert [fault for account in accounts for fault in account.faults] == []
    assert Counter(account.kills for account in accounts) == {KILLS: len(steps)}


async def kept_of(store: Store, address: Address) -> Any:
    """Return what is kept about a member, without what differs each time; None where there is nothing."""
    everything = await StoreRecords(store).everything(address)
    if everything is None:
        return None
    return {
        "sessions": [
            ([(a["question"], a["chosen"]) for a in s["answers"]], s["asking"], s["ticked"], s["step"])
            for s in everything["sessions"]
        ],
        "history": [(e["urgency"], e["findings"], e["patterns"]) for e in everything["history"]],
        "consents": [(c["kind"], c["given"]) for c in everything["consents"]],
        "settings": everything["settings"],
    }


def left_of_the_erased(members: frozenset[str], folder: Path) -> list[str]:
    """Return what is left of whom was erased: a row, a wrapped key in any file, or no line on the list of the erased."""
    told = dict(line.split() for line in (folder / "told").read_text("ascii").splitlines())
    files = b"".join(path.read_bytes() for path in folder.glob("hipwise.db*"))
    faults = [f"member {member} is left" for member in told.keys() & members]
    faults += [f"the key of {member} is left" for member, key in told.items() if bytes.fromhex(key) in files]
    for name in ("beside-the-backups", "beside-the-keys"):
        listed = ErasedList(KeyRing.parse(RING), (folder / name,)).read()
        if listed.members.keys() != told.keys() or not told:
            faults.append(f"{len(listed.members)} on the list {name}, not {len(told)}")
    return faults
