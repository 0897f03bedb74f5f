"""A process that serves the members of a database for a while, and says what its memory grew by: for bench_growth.py."""

import asyncio
import json
import os
import random
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.ledger import Kind, Owed
from core.members import Address
from core.record import Change
from core.storage import Store
from core.vault import KeyRing

TURNS = 2_000


@dataclass(frozen=True, slots=True)
class Served:
    """What it took, and what resident memory grew by."""

    opening_s: float
    opened_mb: float
    turns: int
    turn_ms: float
    grown_mb: float


def main(database: Path, members: int) -> None:
    """Serve members chosen at random; the key ring comes in on the input, and what it took goes out."""
    print(json.dumps(asdict(asyncio.run(_serve(database, KeyRing.parse(sys.stdin.read()), members)))))


async def _serve(database: Path, ring: KeyRing, members: int) -> Served:
    chosen = random.Random(members).choices(range(members), k=TURNS)
    before, start = _resident_mb(), time.perf_counter()
    async with Store(database, ring, _now, expected=True) as store:
        opening, opened, cpu = time.perf_counter() - start, _resident_mb(), time.process_time()
        for number in chosen:
            await _turn(store, Address("telegram", str(10**9 + number)))
        turn = (time.process_time() - cpu) / TURNS
        await store.purge(_now())
        return Served(opening, opened - before, TURNS, turn * 1000, _resident_mb() - opened)


async def _turn(store: Store, member: Address) -> None:
    record = await store.load(member)
    if record.member is None:
        raise ValueError("the member is not there")
    owed = Owed(Kind.NOTICE, {"is": "notice", "text": "x" * 600, "choices": []}, _now())
    await store.save_turn(member, Change(record.session, record.preferences, [owed]))


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
