"""What it costs to find, judge and claim what is due among many members: `PYTHONPATH=.:tests python tests/bench_claims.py`.

Of 10,000, 100,000 and a million members 10,000 are due a check-in, and everybody else later. Ours and the bare SQL take turns
on the same file, each in a process of its own, and it is put back as it was in between. Every figure is a median.
"""

import asyncio
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench_check import LIBRARY
from bench_cost import Cost, reached
from bench_due import PLATFORM, fill
from bench_store import BUILD
from bots.bootstrap import now
from core.ledger import Delivery
from core.outreach import Outreach
from core.planning import Planning
from core.storage import Store, outbox, sql
from core.storage.book import Book, minute
from core.storage.writer import TOGETHER
from core.vault import KeyRing, new_key_text

SIZES = (10_000, 100_000, 1_000_000)
DUE = 10_000
ROUNDS = 3
MOST = 1.5
"""Times the bare SQL."""
POLLS = 50
BATCH = 500
"""Rows that the bare SQL claims in one statement."""
BARE = f"""
UPDATE outbox SET state = 'claimed', attempt = attempt + 1, changed = ?
WHERE id IN (SELECT id FROM outbox WHERE state = 'open' AND scheduled = 1 AND due <= ? ORDER BY due, position LIMIT {BATCH})
RETURNING id, member, address, attempt, due, until, owed
"""  # noqa: S608 - our own
PUT_BACK = "UPDATE outbox SET state = 'open', attempt = 0, message = NULL WHERE state IN ('claimed', 'sent')"


def main(words: Sequence[str]) -> None:
    """Print every figure, its baseline and its limit; or do one of the things that are measured."""
    match list(words):
        case ["bare", database]:
            took = bare(Path(database))
        case ["ours", database]:
            took = asyncio.run(ours(Path(database), KeyRing.parse(sys.stdin.read())))
        case ["sends", database]:
            took = asyncio.run(sends(Path(database), KeyRing.parse(sys.stdin.read())))
        case _:
            report()
            return
    print(json.dumps(took))


def report() -> None:
    """Print what it costs to find, judge and claim what is due, and what is done of that on the event loop."""
    BUILD.mkdir(exist_ok=True)  # and not the system's folder for such things, which may be in memory
    for size in SIZES:
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            database, key = Path(folder) / "hipwise.db", new_key_text()
            start = time.perf_counter()
            fill(database, KeyRing.parse(key), size, DUE, datetime.now(UTC))
            filled = time.perf_counter() - start
            taken = [{how: _measured(how, database, key) for how in ("bare", "ours", "sends")} for _ in range(ROUNDS)]
            _print(size, filled, {how: _medians([each[how] for each in taken]) for how in taken[0]})


def _print(size: int, filled: float, took: dict[str, dict[str, float]]) -> None:
    base, mine, sent = took["bare"], took["ours"], took["sends"]
    ratio, cpu = (mine[name] / base[name] for name in ("claimed", "claimed_cpu"))
    print(f"{DUE:,} due among {size:,} members (filled in {filled:.0f} s)")
    print(
        f"  claimed in {mine['claimed']:.2f} s; the bare SQL {base['claimed']:.2f} s:"
        f" {ratio:.2f}x, CPU {cpu:.2f}x (at most {MOST}x): {reached(ratio <= MOST)}"
    )
    print(
        f"  besides, found and unsealed in {mine['found']:.2f} s, records read, unsealed and judged in {mine['judged']:.2f} s;"
        f" a look that finds nothing {mine['poll'] * 1000:.2f} ms, the bare SQL {base['poll'] * 1000:.2f} ms"
    )
    print(
        f"  the whole way to a messenger that does nothing: {sent['whole']:.1f} s, {sent['cpu'] / DUE * 1e6:.0f} us CPU each;"
        f" the event loop was held up for {sent['held'] * 1000:.0f} ms at most"
    )


def _measured(how: str, database: Path, key: str) -> dict[str, float]:
    command = [sys.executable, __file__, how, str(database)]
    given = None if how == "bare" else key
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    with closing(_connected(database)) as db:
        db.execute(PUT_BACK)
        db.execute(sql.CHECKPOINT).fetchone()
    took: dict[str, float] = json.loads(done.stdout)
    return took


def _medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


# ---------------------------------------------------------------- The bare SQL


def bare(database: Path) -> dict[str, float]:
    """Claim all that is due in one thread by as few statements as that takes, with nothing unsealed and nobody asked."""
    with closing(_connected(database)) as db:
        start, claimed = Cost.now(), 0
        while found := _claimed(db):
            claimed += found
        took = Cost.now() - start
        if claimed != DUE:
            raise ValueError(claimed)
        poll = statistics.median(_times(lambda: _claimed(db)))
        return {"claimed": took.wall, "claimed_cpu": took.cpu, "poll": poll}


def _claimed(db: sqlite3.Connection) -> int:
    db.execute("BEGIN IMMEDIATE")
    rows = db.execute(BARE, (minute(now()), minute(now()))).fetchall()
    db.execute("COMMIT")
    return len(rows)


def _times(work: Callable[[], object]) -> Iterator[float]:
    for _ in range(POLLS):
        start = time.perf_counter()
        work()
        yield time.perf_counter() - start


def _connected(database: Path) -> sqlite3.Connection:
    """Return a connection that is as careful as the store's."""
    db = sqlite3.connect(database, isolation_level=None)
    for statement in sql.ON_OPENING:
        db.execute(statement)
    return db


# ---------------------------------------------------------------- Ours


async def ours(database: Path, ring: KeyRing) -> dict[str, float]:
    """Find all that is due, judge it, and claim it: each by itself, so that it can be told what it costs."""
    async with Store(database, ring, now, expected=True) as store:
        store.judged_by(Planning(LIBRARY).may)
        found: dict[str, Delivery] = {}

        async def look() -> None:
            while due := await store.due(now(), 200, lambda id, *_: id not in found):
                found.update((delivery.id, delivery) for delivery in due)

        async def judge() -> None:
            await _in_batches(store, tuple(found.values()), lambda book, one: store._judged(book, one, now()))

        async def claim() -> None:
            await _in_batches(store, tuple(found.values()), lambda book, one: outbox.claim(book, one, now()))

        looked, judged, claimed = await _took(look), await _took(judge), await _took(claim)
        if len(found) != DUE:
            raise ValueError(len(found))
        polls = [(await _took(lambda: store.due(now(), 200))).wall for _ in range(POLLS)]
        times = {"found": looked.wall, "judged": judged.wall, "claimed": claimed.wall, "claimed_cpu": claimed.cpu}
        return {**times, "poll": statistics.median(polls)}


async def _in_batches(store: Store, due: Sequence[Delivery], work: Callable[[Book, Delivery], object]) -> None:
    """Do a work for each, so many in a commit as the store commits together; raise ValueError where one is not to be had."""
    for first in range(0, len(due), TOGETHER):
        batch = due[first : first + TOGETHER]
        done = await store._note(lambda book, batch=batch: [work(book, one) for one in batch])  # type: ignore[misc]
        if not all(done):
            raise ValueError("nothing may be left")


async def _took(work: Callable[[], Awaitable[Any]]) -> Cost:
    start = Cost.now()
    await work()
    return Cost.now() - start


class Nowhere:
    """A messenger that does nothing."""

    async def send(self, delivery: Delivery) -> str:
        return "7"


async def sends(database: Path, ring: KeyRing) -> dict[str, float]:
    """Have all that is due sent, as the ticker does; nobody waits for a permit."""
    async with Store(database, ring, now, expected=True) as store:
        store.judged_by(Planning(LIBRARY).may)
        outreach, held = Outreach(store, {PLATFORM: Nowhere()}, now), [0.0]
        watching = asyncio.create_task(_watch(held))
        start = Cost.now()
        await outreach.send_due()
        await outreach.done()
        took = Cost.now() - start
        watching.cancel()
        tallies = await store.tallies()
        if tallies.sent != DUE or tallies.claimed:
            raise ValueError(tallies)
        return {"whole": took.wall, "cpu": took.cpu, "held": held[0]}


async def _watch(held: list[float]) -> None:
    """Note how late the event loop comes back at most."""
    while True:
        start = time.perf_counter()
        await asyncio.sleep(0.001)
        held[0] = max(held[0], time.perf_counter() - start - 0.001)


if __name__ == "__main__":
    main(sys.argv[1:])
