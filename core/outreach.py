"""The one door out: what is owed is claimed before it is sent, and its outcome noted after."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import timedelta

from core.errors import Gone, OutOfReach, Refused, RetryLater, StorageUnavailable, Unreachable
from core.lanes import Lanes
from core.ledger import Delivery, Owed, State, may_repeat
from core.members import Address
from core.ports import Ledger, Messenger, Now, Watch

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Deliveries that one look at the outbox takes in hand."""
ALL = 1_000_000_000
"""Replies that a start takes in hand, so that nothing new overtakes what was owed before."""
FEW = 60
"""Planned deliveries of one platform in hand, at which the next look is taken: two seconds' worth, which it is done in."""
AGAIN = 2.0
"""Seconds until something of unknown outcome is sent once more, where its kind allows that: the platform may recover.
After each further time, twice as many."""

SOON = 0.05
"""Seconds that the outcome of what was planned ahead waits at most for the next claim, which is on its way, to be one commit.
A commit and the way to the database's thread and back are a third of what sending takes."""
SAID_WITHIN = 10.0
"""Seconds that something which could not be kept is tried for: until it is over, nothing more may be taken in."""

Sleep = Callable[[float], Awaitable[None]]
Permit = Callable[[Delivery], AbstractAsyncContextManager[None]]
"""When a delivery may go: it is claimed only then, so that nothing is of unknown outcome that was merely waiting."""
Free = Callable[[Address], bool]
"""Whether a reply to an address would be permitted at this moment."""


def at_once(_delivery: Delivery) -> AbstractAsyncContextManager[None]:
    """Let a delivery go without waiting."""
    return nullcontext()


def not_known(_address: Address) -> bool:
    """Promise nothing of when a reply may go."""
    return False


class Outreach:
    """Sends what is owed, each address in order. Where it is stopped or killed, `recover` goes on."""

    def __init__(
        self,
        ledger: Ledger,
        messengers: Mapping[str, Messenger],
        now: Now,
        *,
        sleep: Sleep = asyncio.sleep,
        watch: Watch | None = None,
    ) -> None:
        self._ledger, self._now, self._sleep, self._watch = ledger, now, sleep, watch
        self._messengers = dict(messengers)
        self._permits: dict[str, Permit] = dict.fromkeys(messengers, at_once)
        self._free: dict[str, Free] = dict.fromkeys(messengers, not_known)
        self._lanes = Lanes()
        self._in_hand: set[str] = set()
        self._planned: defaultdict[str, set[str]] = defaultdict(set)
        """Those in hand that were planned ahead, by platform."""
        self._looking: asyncio.Task[None] | None = None
        self._waiting: set[str] = set()
        """Those that wait for a permit, and claim once they have it."""
        self._claims = asyncio.Event()
        self._held: set[str] = set()

    def connect(self, platform: str, messenger: Messenger, permit: Permit = at_once, free: Free = not_known) -> None:
        """Have what is owed on a platform sent by its messenger, each when it is permitted."""
        self._messengers[platform], self._permits[platform], self._free[platform] = messenger, permit, free

    def ready(self, address: Address) -> bool:
        """Return whether a reply to an address could go now: then it may be claimed as it is kept, which saves a commit."""
        return address not in self._lanes and self._free[address.platform](address)

    def send(self, deliveries: Iterable[Delivery]) -> None:
        """Have deliveries sent, after whatever is already in hand for their address. This never waits."""
        for delivery in deliveries:
            self._held.discard(delivery.id)
            if self._can_be_taken(delivery):
                self._take(delivery)
                self._lanes.add(delivery.address, lambda delivery=delivery: self._settle(delivery))  # type: ignore[misc]

    async def say(self, address: Address, owed: Iterable[Owed]) -> None:
        """Send what could not be kept, as far as that can be done: nobody knows of it after."""
        for one in owed:
            delivery = Delivery("unkept", "", address, one.kind, one.reply, one.due, None, one.edits, State.CLAIMED, 1, one.due)
            try:
                async with asyncio.timeout(SAID_WITHIN):
                    outcome = await self._said(delivery)
            except TimeoutError as error:
                outcome = error
            if isinstance(outcome, Exception):
                log.error("delivery.lost", extra={"error": type(outcome).__name__})

    def hold(self, deliveries: Iterable[Delivery]) -> None:
        """Leave deliveries, even where they are due, until they are handed to `send` or `skip`."""
        self._held.update(delivery.id for delivery in deliveries)

    def skip(self, deliveries: Iterable[Delivery]) -> None:
        """Leave unsent what nobody needs any more. This never waits; whatever is handed to `send` later goes after it."""
        for delivery in deliveries:
            self._held.discard(delivery.id)
            self._take(delivery)
            self._lanes.add(delivery.address, lambda delivery=delivery: self._leave(delivery))  # type: ignore[misc]

    async def send_due(self) -> None:
        """Have sent what is due by now and not in hand: so much of it at once, and the rest as that gets less."""
        due = await self._ledger.due(self._now(), AT_ONCE, self._is_wanted)
        self.send(delivery for delivery in due if delivery.id not in self._held)

    async def recover(self, platform: str) -> None:
        """Have sent what an earlier process owed: claims without an outcome as their kind allows, then all that is due."""
        self.send(await self._ledger.recover(platform, self._now()))
        self.send(await self._ledger.due(self._now(), ALL, self._is_wanted_reply))
        await self.send_due()

    async def done(self) -> None:
        """Return once all that is in hand has its outcome."""
        while self._looking is not None or self._lanes:
            await self._lanes.empty()
            await asyncio.gather(*([self._looking] if self._looking else []), return_exceptions=True)

    async def stop(self) -> None:
        """Leave what is in hand: what was claimed is of unknown outcome, the rest stays owed."""
        if self._looking is not None:
            self._looking.cancel()
        await self._lanes.stop()

    def _can_be_taken(self, delivery: Delivery) -> bool:
        return delivery.id not in self._in_hand and delivery.address.platform in self._messengers

    def _is_wanted(self, delivery: str, platform: str, planned: bool) -> bool:  # noqa: FBT001 - as the ledger asks
        """Return whether what is due is to be taken in hand. What one platform does not get rid of is in nobody's way."""
        if platform not in self._messengers or delivery in self._in_hand or delivery in self._held:
            return False
        return not planned or len(self._planned[platform]) < AT_ONCE

    def _is_wanted_reply(self, delivery: str, platform: str, planned: bool) -> bool:  # noqa: FBT001 - as the ledger asks
        return not planned and self._is_wanted(delivery, platform, planned)

    def _take(self, delivery: Delivery) -> None:
        self._in_hand.add(delivery.id)
        if delivery.until is not None:
            self._planned[delivery.address.platform].add(delivery.id)

    def _let_go(self, delivery: Delivery) -> None:
        self._in_hand.discard(delivery.id)
        self._planned[delivery.address.platform].discard(delivery.id)

    def _look_for_more(self, after: Delivery) -> None:
        """Have the outbox looked at again where few are left in hand of what was planned ahead."""
        few = after.until is not None and len(self._planned[after.address.platform]) == FEW
        if few and self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        try:
            await self.send_due()
        except StorageUnavailable as error:  # the next look of the ticker finds it
            log.error("delivery.not_looked", extra={"error": type(error).__name__})  # noqa: TRY400
        finally:
            self._looking = None

    # ---------------------------------------------------------------- One delivery

    async def _settle(self, delivery: Delivery) -> None:
        try:
            while (left := await self._tried(delivery)) is not None:
                delivery, seconds = left
                await self._sleep(seconds)
            self._let_go(delivery)
            self._look_for_more(delivery)  # not where the store fails: it would find the same again
        except StorageUnavailable as error:
            # It stays as it is on disk: open, or claimed and so of unknown outcome at the next start.
            log.error("delivery.not_noted", extra={"delivery": delivery.id, "error": type(error).__name__})  # noqa: TRY400
        finally:
            self._let_go(delivery)

    async def _leave(self, delivery: Delivery) -> None:
        try:
            await self._ledger.skipped(delivery)
        except StorageUnavailable as error:  # it is sent some day, and either way nothing is lost
            log.error("delivery.not_noted", extra={"delivery": delivery.id, "error": type(error).__name__})  # noqa: TRY400
        finally:
            self._let_go(delivery)

    async def _tried(self, delivery: Delivery) -> tuple[Delivery, float] | None:
        """Send a delivery and note the outcome; return it with the seconds to wait if it is to be tried again."""
        async with self._permit(delivery):
            claimed = delivery if delivery.state is State.CLAIMED else await self._claim(delivery)
            if claimed is None:
                return None
            outcome = await self._outcome(claimed)
            if isinstance(outcome, Gone):
                # Noted before it is sent: a message of its own may be repeated less often than a change.
                if (alone := await self._ledger.stands_alone(claimed)) is None:
                    return None
                claimed, outcome = alone, await self._outcome(alone)
        match outcome:
            case RetryLater(seconds=seconds):
                return await self._later(claimed, seconds)
            case Unreachable() | Refused():
                await self._dropped(claimed, outcome)
                return None
            case Exception():
                return await self._unknown(claimed, outcome)
            case message:
                try:
                    await self._next_claim(claimed)
                finally:  # also where it is cancelled: the platform has it
                    await self._ledger.sent(claimed, message)
                return None

    @asynccontextmanager
    async def _permit(self, delivery: Delivery) -> AsyncIterator[None]:
        self._waiting.add(delivery.id)
        try:
            async with self._permits[delivery.address.platform](delivery):
                self._waiting.discard(delivery.id)
                yield
        finally:
            self._waiting.discard(delivery.id)

    async def _claim(self, delivery: Delivery) -> Delivery | None:
        # Whoever waits for this asks the ledger right after it, and before the ledger begins.
        self._claims.set()
        self._claims = asyncio.Event()
        return await self._ledger.claim(delivery)

    async def _next_claim(self, sent: Delivery) -> None:
        """Wait for the next claim, where one is on its way and nobody waits for this outcome."""
        if sent.until is not None and self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout(SOON):
                    await self._claims.wait()

    async def _said(self, delivery: Delivery) -> str | Exception | None:
        while True:
            async with self._permits[delivery.address.platform](delivery):
                outcome = await self._outcome(delivery)
            if isinstance(outcome, Gone):
                delivery = replace(delivery, edits=None)
                continue
            if not isinstance(outcome, RetryLater) or outcome.seconds > SAID_WITHIN:
                return outcome
            await self._sleep(outcome.seconds)

    async def _outcome(self, claimed: Delivery) -> str | Exception | None:
        platform = claimed.address.platform
        try:
            outcome: str | Exception | None = await self._messengers[platform].send(claimed)
        except Exception as error:  # noqa: BLE001 - every error is an outcome; one that is not named is an unknown one
            outcome = error
        if self._watch is not None:
            reached = not isinstance(outcome, Exception) or _answered(outcome)
            await (self._watch.worked if reached else self._watch.failed)(platform, self._now())
        return outcome

    async def _dropped(self, claimed: Delivery, refusal: Exception) -> None:
        if isinstance(refusal, Unreachable):
            await self._ledger.unreachable(claimed.address)
            if await self._ledger.elsewhere(claimed):  # open again: `send_due` finds it
                log.info("delivery.elsewhere", extra={"delivery": claimed.id})
                return
        log.warning("delivery.dropped", extra={"delivery": claimed.id, "error": type(refusal).__name__})
        await self._ledger.dropped(claimed)

    async def _later(self, claimed: Delivery, seconds: float) -> tuple[Delivery, float] | None:
        due = self._now() + timedelta(seconds=seconds)
        if not await self._ledger.released(claimed, due):
            return None
        return replace(claimed, state=State.OPEN, attempt=claimed.attempt - 1), seconds

    async def _unknown(self, claimed: Delivery, error: Exception) -> tuple[Delivery, float] | None:
        log.warning("delivery.unknown", extra={"delivery": claimed.id, "error": type(error).__name__})
        if not await self._ledger.unknown(claimed):
            return None
        left = replace(claimed, state=State.UNKNOWN)
        return (left, AGAIN * 2 ** (left.attempt - 1)) if may_repeat(left, self._now()) else None


def _answered(outcome: Exception) -> bool:
    """Return whether a platform has answered, if only with a refusal."""
    named = isinstance(outcome, Gone | Refused | RetryLater | Unreachable)
    return named and not isinstance(outcome, OutOfReach)
