"""Who may be sent to next: a permit for each send, replies before bulk, and no chat in the way of another.

A permit is held while a message is sent, and for a window (a second) from its answer on. The platform took the message
somewhere in between, so all that it took within the last second still hold a permit: never more than there are permits,
however late answers come. Bulk sends start a gap apart. So their permits come back a gap apart, and a reply, which takes
the next one, waits for no more than that.

No kept library does this: buckets (aiolimiter) let up to twice the rate into one second, sliding windows (throttled-py) count
when a send starts and not when the platform may take it, and none of them knows of replies and chats.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.members import Address

REPEATED = 60.0
"""A chat that is refused again within so many seconds of its hold is known to be at fault itself: others need not wait."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a platform may be sent to. All times are in seconds."""

    permits: int
    """So many sends it takes within any window."""
    bulk_gap: float
    """From the start of one bulk send to the next, at least: best a little less than window / permits."""
    window: float = 1.0
    bulk_pause: float = 1.0
    """After a refusal bulk rests so long, and then tries another chat."""
    suspicion: float = 5.0
    """A second chat refused so soon after the first means that it is not about the chats."""


@dataclass(eq=False, slots=True)
class Ticket:
    """One send that waits, is under way, or is over."""

    address: Address
    bulk: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """The platform would not take a message for a chat, and said how many seconds to wait."""

    address: Address
    time: float
    seconds: float


class Permits:
    """Decides who may send. It has no clock: the time, in seconds that never go back, comes with every call."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._free = pace.permits
        self._returning: deque[float] = deque()
        self._waiting: dict[bool, OrderedDict[Ticket, None]] = {False: OrderedDict(), True: OrderedDict()}
        self._sending: dict[Address, Ticket] = {}
        self._held: dict[Address, float] = {}
        self._bulk_from = float("-inf")
        self._refused: Refusal | None = None

    def ask(self, ticket: Ticket) -> None:
        """Wait in line: behind all that were asked for before it, of its kind."""
        self._waiting[ticket.bulk][ticket] = None

    def next(self, now: float) -> Ticket | float | None:
        """Give a permit to whoever is next and return their ticket; if no one may send yet, return when to ask again.

        None: not before something else is called.
        """
        while self._returning and self._returning[0] <= now:
            self._returning.popleft()
            self._free += 1
        if not (self._waiting[False] or self._waiting[True]):
            return None
        if not self._free:
            return self._returning[0] if self._returning else None
        ticket = self._first(bulk=False, now=now) or (self._first(bulk=True, now=now) if self._bulk_from <= now else None)
        return self._soonest(now) if ticket is None else self._start(ticket, now)

    def free(self, address: Address, now: float) -> bool:
        """Return whether a reply to an address would be given a permit now."""
        back = self._free or (self._returning and self._returning[0] <= now)
        return bool(back) and not self._waiting[False] and self._is_open(address, now)

    def finish(self, ticket: Ticket, now: float) -> None:
        """Note that a send was answered, or given up: its chat is free at once, its permit a window later."""
        del self._sending[ticket.address]
        self._returning.append(now + self._pace.window)

    def give_back(self, ticket: Ticket) -> None:
        """Note that nothing was sent, and nothing will be: a permit that was given is free at once."""
        if ticket in self._waiting[ticket.bulk]:
            del self._waiting[ticket.bulk][ticket]
        elif self._sending.get(ticket.address) is ticket:
            del self._sending[ticket.address]
            self._free += 1

    def refuse(self, refusal: Refusal) -> None:
        """Hold a chat that was refused for as long as the platform asks; hold bulk if it may be about more than this chat."""
        now = refusal.time
        held = {address: until for address, until in self._held.items() if now < until + REPEATED}
        repeated = refusal.address in held
        held[refusal.address] = max(now + refusal.seconds, held.get(refusal.address, now))
        self._held = held
        if not repeated:
            first, self._refused = self._refused, refusal
            self._bulk_from = max(self._bulk_from, now + self._rest(first, refusal))

    def _rest(self, first: Refusal | None, second: Refusal) -> float:
        """Return how long bulk rests after two refusals that came one after the other."""
        if first is None or second.time - first.time > self._pace.suspicion:
            return self._pace.bulk_pause
        return max(first.seconds, second.seconds, self._pace.bulk_pause)

    def _first(self, *, bulk: bool, now: float) -> Ticket | None:
        return next((ticket for ticket in self._waiting[bulk] if self._is_open(ticket.address, now)), None)

    def _is_open(self, address: Address, now: float) -> bool:
        return address not in self._sending and self._held.get(address, now) <= now

    def _start(self, ticket: Ticket, now: float) -> Ticket:
        del self._waiting[ticket.bulk][ticket]
        self._sending[ticket.address] = ticket
        self._free -= 1
        if ticket.bulk:
            self._bulk_from = now + self._pace.bulk_gap
        return ticket

    def _soonest(self, now: float) -> float | None:
        """Return when one that waits may first be free to go, sends that are under way aside."""
        return min((until for until in (self._bulk_from, *self._held.values()) if until > now), default=None)


class Pacer:
    """Hands out permits in an event loop, whose clock it goes by.

        async with pacer.permit(address, bulk=True):
            await send(...)

    Two sends to one address are never under way at once: replies to it go in the order they were asked for, and before bulk.
    """

    def __init__(self, pace: Pace) -> None:
        self._permits = Permits(pace)
        self._given: dict[Ticket, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def permit(self, address: Address, *, bulk: bool = False) -> AsyncIterator[None]:
        """Wait for a permit and hold it while one message is sent; whoever is cancelled gives it back."""
        ticket = Ticket(address, bulk)
        await self._wait(ticket)
        try:
            yield
        finally:
            self._permits.finish(ticket, asyncio.get_running_loop().time())
            self._look()

    def free(self, address: Address) -> bool:
        """Return whether a reply to an address would be permitted now."""
        return self._permits.free(address, asyncio.get_running_loop().time())

    def refused(self, address: Address, seconds: float) -> None:
        """Note that the platform refused a message for an address, and asks to wait so many seconds."""
        self._permits.refuse(Refusal(address, asyncio.get_running_loop().time(), seconds))
        self._look()

    async def _wait(self, ticket: Ticket) -> None:
        given = self._given[ticket] = asyncio.get_running_loop().create_future()
        self._permits.ask(ticket)
        try:
            self._look()
            await given
        except asyncio.CancelledError:
            self._permits.give_back(ticket)
            self._look()
            raise
        finally:
            del self._given[ticket]

    def _look(self) -> None:
        """Let everyone go whose turn it is, and come back when it is the next one's."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while isinstance(found := self._permits.next(loop.time()), Ticket):
            # One that was cancelled and has not run since gives its permit back when it does.
            if not self._given[found].done():
                self._given[found].set_result(None)
        if found is not None:
            self._timer = loop.call_at(found, self._look)
