"""A club whose store is measured: members in mid-check, and the turns that they take."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bench_check import GB, LIBRARY, long_check, pressed
from bench_cost import Cost
from bots.bootstrap import fresh_id, now
from core.companion import Companion
from core.dialogue import Command, Inbound, Prompt, Reply, Tap, Verdict
from core.enduring import EnduringRecords
from core.ledger import Owed
from core.members import Address
from core.memory import MemoryRecords
from core.ownership import Ownership, SignedOff
from core.record import Change
from core.replies import owed
from core.storage import Store, StoreRecords
from core.vault import KeyRing

MEMBERS = 64
TURNS = 4
"""Turns of each member in a round of all at once."""
ALONE = 8
"""Members who play a whole check in a round of one after the other."""
CHECK = long_check()
SESSION = json.loads(CHECK[-1].kept)
OWED = (owed(CHECK[-2].reply, now()),)
"""The last question of the check."""
UPDATE = json.dumps({"update_id": 10**9, "callback_query": {"data": CHECK[-1].token, "message": "x" * 500}}).encode()
"""An update as a platform sends one: mostly about the message that was tapped."""

Keep = Callable[["Club", Address, str], Awaitable[None]]
"""The store's part of a turn: a member, and the row of the update that it answers."""


@dataclass(frozen=True, slots=True)
class Club:
    """An open store, with 64 members who have settings and a check in progress."""

    store: Store
    companion: Companion
    members: tuple[Address, ...]
    _ids: Iterator[int] = field(default_factory=count)

    async def one_by_one(self, keep: Keep) -> Cost:
        """Return what the store's part of a turn costs, one after the other."""
        rows = await asyncio.gather(*map(self._received, self.members))
        start = Cost.now()
        for member, row in zip(self.members, rows, strict=True):
            await keep(self, member, row)
        return (Cost.now() - start) / len(rows)

    async def at_once(self, keep: Keep) -> Cost:
        """Return what the store's part of a turn costs, all members at once."""
        rows = {member: await self._all_received(member, TURNS) for member in self.members}

        async def turns(member: Address) -> None:
            for row in rows[member]:
                await keep(self, member, row)

        start = Cost.now()
        await asyncio.gather(*(turns(member) for member in self.members))
        return (Cost.now() - start) / (MEMBERS * TURNS)

    async def checks_one_by_one(self) -> Cost:
        """Return what a whole turn costs, through the companion: checks from start to result, one after the other."""
        rows = await asyncio.gather(*map(self._ready, self.members[:ALONE]))
        start = Cost.now()
        for member, received in zip(self.members, rows, strict=False):
            await self._plays(member, received)
        return (Cost.now() - start) / sum(map(len, rows))

    async def checks_at_once(self) -> Cost:
        """Return what a whole turn costs, through the companion: the checks of all members at once."""
        rows = await asyncio.gather(*map(self._ready, self.members))
        start = Cost.now()
        await asyncio.gather(*map(self._plays, self.members, rows))
        return (Cost.now() - start) / sum(map(len, rows))

    async def _ready(self, member: Address) -> list[str]:
        """Return the rows of the updates of a whole check of a member who is in none."""
        await self.store.save_turn(member, Change(None, GB))
        return await self._all_received(member, len(CHECK) + 1)

    async def _plays(self, member: Address, rows: Sequence[str]) -> None:
        inbound: Inbound = Command(member, "hip")
        for row in rows:
            answer = await self.companion.answer(inbound, owing, row)
            if len(answer.deliveries) != len(answer.replies):
                raise ValueError("an answer was not kept")
            if isinstance(answer.replies[-1], Prompt):
                inbound = Tap(member, pressed(answer.replies[-1]))
        if not isinstance(answer.replies[-1], Verdict):
            raise TypeError("no result came")

    async def _all_received(self, member: Address, updates: int) -> list[str]:
        return await asyncio.gather(*(self._received(member) for _ in range(updates)))

    async def _received(self, member: Address) -> str:
        row = await self.store.receive(member.platform, str(next(self._ids)), UPDATE, member)
        if row is None:
            raise ValueError("the update was there")
        return row


async def keep(club: Club, member: Address, row: str) -> None:
    """Load what is kept, and save a turn: its session, one owed question, and its update as handled."""
    record = await club.store.load(member)
    await club.store.save_turn(member, Change(record.session, record.preferences, OWED, row))


def owing(replies: Sequence[Reply]) -> tuple[Owed, ...]:
    """Return replies as what is owed from now on."""
    return tuple(owed(reply, now()) for reply in replies)


@asynccontextmanager
async def opened(folder: Path, ring: KeyRing) -> AsyncIterator[Club]:
    """Open a club with a new database in a folder."""
    async with Store(folder / "hipwise.db", ring, now) as store:
        records = EnduringRecords(StoreRecords(store), MemoryRecords())
        ownership = Ownership(LIBRARY, records, now, lambda _: SignedOff(0, 0))
        members = tuple(Address("telegram", str(10**9 + number)) for number in range(MEMBERS))
        for member in members:
            await store.save_turn(member, Change(SESSION, GB))
        yield Club(store, Companion(LIBRARY, records, now, fresh_id, ownership), members)
