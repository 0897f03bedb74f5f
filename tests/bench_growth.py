"""What many members cost: the size of the file, and the memory of a process that serves them."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

from bench_check import GB
from bench_club import SESSION
from bench_store import BUILD
from bots.bootstrap import now
from core.members import Address, Preferences
from core.record import Change
from core.storage import Store, members, sql
from core.storage.book import Book, fresh_id
from core.vault import KeyRing, new_key_text

SIZES = (10_000, 100_000, 1_000_000)
TOGETHER = 100_000
"""Members who are written in one transaction."""
IN_A_CHECK = 10
"""One member in so many has a check in progress."""
CONSENT = {"kind": "check_ins", "text_hash": "0" * 16, "language": "en", "given": True, "time": "2026-11-23T08:00:00+00:00"}
QUICKLY = ("PRAGMA synchronous = OFF", "PRAGMA foreign_keys = OFF", "PRAGMA cache_size = -500000")
"""For filling alone: nobody is waiting for these members, and their rows go to all ends of the file."""
SERVING = Path(__file__).with_name("bench_serving.py")


def report() -> None:
    """Print the size of the file, and what memory grows by, for more and more members."""
    key = new_key_text()
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        database = Path(folder) / "hipwise.db"
        for had, wanted in pairwise((0, *SIZES)):
            start = time.perf_counter()
            asyncio.run(_fill(database, KeyRing.parse(key), had, wanted))
            filled = time.perf_counter() - start
            _print(wanted, filled, database, key)


def _print(wanted: int, filled: float, database: Path, key: str) -> None:
    size = database.stat().st_size
    command = [sys.executable, str(SERVING), str(database), str(wanted)]
    done = subprocess.run(command, input=key, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    serving = json.loads(done.stdout)
    print(
        f"{wanted:,} members: the file has {size / 1e6:,.0f} MB, {size / wanted:,.0f} bytes each; "
        f"memory grew by {serving['opened_mb']:.1f} MB on opening it, in {serving['opening_s']:.1f} s, and by "
        f"{serving['grown_mb']:.1f} MB with {serving['turns']:,} turns, of {serving['turn_ms']:.2f} ms CPU each, and a purge; "
        f"filled in {filled:.0f} s"
    )


async def _fill(database: Path, ring: KeyRing, had: int, wanted: int) -> None:
    async with Store(database, ring, now) as store:
        if store._writer is None:
            raise ValueError("the store is not open")
        await store._writer.alone(_hurry)
        for first in range(had, wanted, TOGETHER):
            await store._write(partial(_enter, range(first, min(first + TOGETHER, wanted))))


def _hurry(db: sqlite3.Connection) -> None:
    for pragma in QUICKLY:
        db.execute(pragma)


def _enter(numbers: range, book: Book) -> None:
    """Enter members as a first turn does, but for the look whether they are there."""
    for number in numbers:
        member = fresh_id()
        book.run(sql.NEW_MEMBER, member)
        book.keys.create(book.db, member)
        at = members.join(book, member, Address("telegram", str(10**9 + number)))
        session = SESSION if number % IN_A_CHECK == 0 else None
        members.save(book, at, Change(session, GB, consents=[CONSENT]), default=Preferences(), now=now())
