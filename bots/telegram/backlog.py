"""Answers that wait for a later one, so that whoever wrote much at once reads in one message where it has led."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from core.companion import Answer
from core.ledger import Delivery, Kind
from core.members import Address
from core.outreach import Outreach, Sleep

TOGETHER = 1.0
"""Seconds that an answer to something written long ago waits for the next one: a webhook brings updates one by one."""


class Backlog:
    """The answers that wait, by address. They are on disk: after a kill they are sent one by one."""

    def __init__(self, outreach: Outreach, sleep: Sleep) -> None:
        self._outreach, self._sleep = outreach, sleep
        self._waiting: defaultdict[Address, list[Answer]] = defaultdict(list)
        self._pauses: dict[Address, object] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __contains__(self, address: Address) -> bool:
        """Return whether an answer to an address waits."""
        return address in self._waiting

    def add(self, address: Address, answer: Answer) -> None:
        """Have an answer wait, behind those that wait already."""
        self._waiting[address].append(answer)
        self._outreach.hold(answer.deliveries)

    def release(self, address: Address) -> None:
        """Send what waits, without the screens that a later answer replaces."""
        self._pauses.pop(address, None)
        if address not in self._waiting:
            return
        needed, over = joined(self._waiting.pop(address))
        # Noted first: a process that is killed in between would else send an older screen after a newer one.
        self._outreach.skip(over)
        self._outreach.send(needed)

    def release_soon(self, address: Address) -> None:
        """Send what waits in a moment, with whatever is added meanwhile."""
        task = asyncio.create_task(self._release_after_a_pause(address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def done(self) -> None:
        """Return once nothing waits for a pause to end."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _release_after_a_pause(self, address: Address) -> None:
        pause = self._pauses[address] = object()
        await self._sleep(TOGETHER)
        # Where another has begun, that one releases this too.
        if self._pauses.get(address) is pause:
            self.release(address)


def joined(answers: Sequence[Answer]) -> tuple[tuple[Delivery, ...], tuple[Delivery, ...]]:
    """Return which messages of several answers are needed, and which are over: screens that a later answer replaces or ends."""
    ends = (n for n, answer in enumerate(answers) if not answer.open or any(map(_is_screen, answer.deliveries)))
    last = max(ends, default=0)
    over = tuple(delivery for answer in answers[:last] for delivery in answer.deliveries if _is_screen(delivery))
    return tuple(delivery for answer in answers for delivery in answer.deliveries if delivery not in over), over


def _is_screen(delivery: Delivery) -> bool:
    return delivery.kind is Kind.QUESTION or bool(delivery.reply.get("fleeting"))
