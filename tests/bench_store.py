"""What it costs to keep turns: sealed beside the same store with an identity sealer, and 64 at once beside a commit each."""

import asyncio
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench_club import MEMBERS, OWED, Club, keep, opened
from bench_cost import Beside, reached, side_by_side
from bots.bootstrap import now
from core.members import Address
from core.storage import members, sql
from core.storage.book import fresh_id, minute
from core.storage.writer import Writer
from core.vault import DataKey, KeyRing, Place, Sealed, Wrapped, new_key_text

BUILD = Path(__file__).parent.parent / "build"
MOST = 1.3
"""Times the cost of the same store with an identity sealer."""
LEAST = 8
"""Times the throughput of one commit each."""


class Identity(DataKey):
    """A data key that seals nothing: what it is given, it gives back."""

    def seal(self, place: Place, plaintext: bytes) -> Sealed:
        return plaintext

    def open(self, place: Place, sealed: Sealed) -> bytes:
        return sealed


class IdentityRing(KeyRing):
    """A key ring whose data keys seal nothing. The store makes, finds and remembers them like any others."""

    def unwrap(self, wrapped: Wrapped, member: str) -> DataKey:
        key = super().unwrap(wrapped, member)
        return Identity(key.id, key.secret)


class OneEach(Writer):
    """The store's own writer with group commit turned off, and nothing else: each work has a commit of its own.

    That is the strictest baseline, for it keeps what else the writer saves: one hop to the thread for a whole work.
    """

    def _next_batch(self) -> list[Any]:
        return [self._waiting.popleft()]


class Awaited:
    """The same rows, sealed in the same way, kept as aiosqlite is meant to be used, without a writer of one's own.

    Each statement is awaited, each turn has a commit of its own, and a lock keeps turns out of each other's transactions.
    """

    def __init__(self, club: Club) -> None:
        if club.store._writer is None or club.store._book is None:
            raise ValueError("the store is not open")
        self._db, self._book = club.store._writer._thread, club.store._book
        self._lock = asyncio.Lock()

    async def keep(self, _club: Club, member: Address, row: str) -> None:
        digest = members.digest(self._book, member)
        async with self._lock:
            session = await self._load(digest)
        async with self._lock:
            await self._db.execute("BEGIN IMMEDIATE")
            await self._save(digest, session, row)
            await self._db.execute("COMMIT")

    async def _load(self, digest: bytes) -> Any:
        _, member = await self._one(sql.ADDRESS, digest)
        address, session = await self._one(sql.SESSION, member)
        (settings,) = await self._one(sql.SETTINGS, member)
        await self._one(sql.CONSENTS, member)
        self._book.open("settings.settings", member, member, settings)
        return self._book.open("sessions.session", member, address, session)

    async def _save(self, digest: bytes, session: Any, row: str) -> None:
        seal, time = self._book.seal, minute(now())
        address, member = await self._one(sql.ADDRESS, digest)
        await self._db.execute(sql.SAVE_SESSION, (address, member, time, seal("sessions.session", member, address, session)))
        (settings,) = await self._one(sql.SETTINGS, member)
        self._book.open("settings.settings", member, member, settings)
        for owed in OWED:
            (position,) = await self._one(sql.PLANNED)
            id, plain = fresh_id(), {"kind": owed.kind, "reply": owed.reply, "edits": owed.edits}
            sealed = seal("outbox.owed", member, id, plain)
            await self._db.execute(sql.OWE, (id, member, address, position + 1, 0, time, None, time, None, sealed))
            await self._db.execute(sql.COUNT_PLANNED, (1,))
        await self._db.execute(sql.HANDLED, (row,))

    async def _one(self, statement: str, *values: object) -> Any:
        async with self._db.execute(statement, values) as cursor:
            return await cursor.fetchone()


# ---------------------------------------------------------------- The figures


async def report() -> None:
    """Print what sealing costs, and what committing together saves."""
    BUILD.mkdir(exist_ok=True)  # and not the system's folder for such things, which may be in memory
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        await _sealing(Path(folder))
        await _together(Path(folder))


async def _sealing(folder: Path) -> None:
    ring = KeyRing.parse(new_key_text())
    async with opened(folder / "sealed", ring) as ours, opened(folder / "identity", IdentityRing(ring.keys)) as bare:
        kept = await side_by_side(partial(ours.one_by_one, keep), partial(bare.one_by_one, keep), rounds=25)
        whole = await side_by_side(ours.checks_one_by_one, bare.checks_one_by_one)
    limit = f"limit {MOST}x: {reached(max(kept.times.wall, kept.times.cpu) <= MOST)}"
    print(f"a durable sealed turn in the store, one at a time: {_dearer(kept)} ({limit})")
    print(f"a whole turn, kept in it, one at a time: {_dearer(whole)}")


def _dearer(costs: Beside) -> str:
    ours, bare = costs.typical
    return f"{ours}; with an identity sealer {bare}: {costs.times.wall:.2f}x, CPU {costs.times.cpu:.2f}x"


async def _together(folder: Path) -> None:
    ring = KeyRing.parse(new_key_text())
    async with opened(folder / "together", ring) as ours, opened(folder / "each", ring) as each:
        _turn_group_commit_off(each)
        sync = _sync(folder)
        kept = await side_by_side(partial(each.at_once, keep), partial(ours.at_once, keep))
        whole = await side_by_side(each.checks_at_once, ours.checks_at_once)
    async with opened(folder / "beside", ring) as ours, opened(folder / "awaited", ring) as plain:
        awaited = await side_by_side(partial(plain.at_once, Awaited(plain).keep), partial(ours.at_once, keep))
    print(f"64 writers at once, the store's part of a turn: {_faster(kept)} ({_limit(kept, sync)})")
    print(f"the same, beside aiosqlite with each statement awaited: {_faster(awaited)} ({_limit(awaited, sync)})")
    print(f"64 writers at once, the whole turn: {_faster(whole)}")


def _faster(costs: Beside) -> str:
    each, ours = costs.typical
    times = f"{costs.times.wall:.1f}x, CPU {costs.times.cpu:.1f}x"
    return f"{1 / ours.wall:,.0f}/s; with a commit for each {1 / each.wall:,.0f}/s: {times}"


def _limit(costs: Beside, sync: float) -> str:
    """Return whether the limit is reached; if not, on which disks it would be: what is saved is syncs."""
    limit = f"limit {LEAST}x: {reached(costs.times.wall >= LEAST)}"
    if costs.times.wall >= LEAST:
        return limit
    each, ours = costs.typical
    slower = (LEAST * ours.wall - each.wall) / (1 - LEAST / MEMBERS)
    return f"{limit}; a sync takes {sync * 1000:.2f} ms here, and would have to take {(sync + slower) * 1000:.1f} ms"


def _turn_group_commit_off(club: Club) -> None:
    if club.store._writer is None:
        raise ValueError("the store is not open")
    club.store._writer = OneEach(club.store._writer._thread)


def _sync(folder: Path) -> float:
    """Return how many seconds this disk takes to have a page for good: the median."""
    took = []
    with (folder / "page").open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(b"x" * 4096)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - start)
    return median(took)
