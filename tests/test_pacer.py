"""Who may be sent to next, in simulated time: the platform's limit is held, replies go first, no chat delays another."""

import asyncio
import random
import statistics
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.telegram.limits import PACE
from core.members import Address
from core.pacer import Pace, Pacer, Permits, Refusal, Ticket
from virtual_time import run

LIMIT = 30


def chat(number: int) -> Address:
    return Address("telegram", str(number))


def now() -> float:
    return asyncio.get_running_loop().time()


class Refused(Exception):
    """A 429."""


@dataclass
class Platform:
    """A platform that takes 30 messages in any trailing second, 60 ms away, give or take ten.

    Beyond that it refuses what is too much, or with a `lockout` everything for so many seconds.
    """

    lockout: float = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    refuses: dict[Address, float] = field(default_factory=dict)
    """Chats that are always refused, and for how long."""
    silent: set[Address] = field(default_factory=set)
    """Chats that are answered after ten seconds."""
    taken: list[tuple[float, Address]] = field(default_factory=list)
    refusals: int = 0
    _recent: deque[float] = field(default_factory=deque)
    _locked: float = 0

    async def send(self, to: Address) -> None:
        await asyncio.sleep(self.chance.uniform(0.025, 0.035))
        taken = self._takes(to)
        await asyncio.sleep(10 if to in self.silent else self.chance.uniform(0.025, 0.035))
        if not taken:
            self.refusals += 1
            raise Refused

    def _takes(self, to: Address) -> bool:
        if to in self.refuses:
            return False
        while self._recent and self._recent[0] <= now() - 1:
            self._recent.popleft()
        if now() < self._locked or len(self._recent) >= LIMIT:
            self._locked = max(self._locked, now() + self.lockout)
            return False
        self._recent.append(now())
        self.taken.append((now(), to))
        return True


async def deliver(pacer: Pacer, platform: Platform, to: Address, *, bulk: bool = True, tries: int = 100) -> float:
    """Return how many seconds it took until a message was answered, refusals and waits included."""
    asked = now()
    for _ in range(tries):
        try:
            async with pacer.permit(to, bulk=bulk):
                await platform.send(to)
                return now() - asked
        except Refused:
            pacer.refused(to, platform.refuses.get(to, 1))
    return now() - asked


async def fan_out(pacer: Pacer, platform: Platform, chats: Iterable[Address]) -> float:
    """Return how many seconds it took to send one message to each."""
    start = now()
    await asyncio.gather(*(deliver(pacer, platform, to) for to in chats))
    return now() - start


# ---------------------------------------------------------------- A fan-out


@pytest.mark.parametrize("lockout", [0, 5])
@pytest.mark.parametrize("recipients", [600, 3000])
def test_a_fan_out_runs_at_nearly_the_limit_and_is_never_refused(recipients: int, lockout: float) -> None:
    platform = Platform(lockout)

    took = run(fan_out(Pacer(PACE), platform, map(chat, range(recipients))))

    assert sorted(to.id for _, to in platform.taken) == sorted(str(n) for n in range(recipients))
    assert platform.refusals == 0
    assert took <= 1.10 * recipients / LIMIT


@pytest.mark.parametrize("recipients", [600, 3000])
def test_a_reply_during_a_fan_out_waits_for_the_next_permit_only(recipients: int) -> None:
    async def scene() -> list[float]:
        pacer = Pacer(PACE)
        sending = asyncio.create_task(fan_out(pacer, platform, map(chat, range(recipients))))
        replies: list[asyncio.Task[float]] = []
        while not sending.done():
            await asyncio.sleep(platform.chance.uniform(0.1, 0.6))
            replies.append(asyncio.create_task(deliver(pacer, platform, chat(10_000 + len(replies)), bulk=False)))
        return list(await asyncio.gather(*replies))

    platform = Platform()
    waits = sorted(run(scene()))

    assert waits[int(0.99 * len(waits))] <= 0.11
    assert waits[-1] <= 0.15
    assert statistics.median(waits) <= 0.09
    assert platform.refusals == 0


def test_bulk_sends_start_the_gap_apart() -> None:
    async def scene() -> list[float]:
        starts: list[float] = []
        pacer = Pacer(Pace(permits=30, bulk_gap=0.035))

        async def send(number: int) -> None:
            async with pacer.permit(chat(number), bulk=True):
                starts.append(now())

        await asyncio.gather(*(send(n) for n in range(10)))
        return starts

    assert run(scene()) == pytest.approx([0.035 * n for n in range(10)])


def test_a_platform_may_have_other_numbers() -> None:
    async def scene() -> float:
        pacer = Pacer(Pace(permits=4, bulk_gap=0, window=2))
        async with asyncio.TaskGroup() as group:
            for number in range(12):
                group.create_task(hold(pacer, chat(number), 0.5))
        return now()

    async def hold(pacer: Pacer, to: Address, seconds: float) -> None:
        async with pacer.permit(to):
            await asyncio.sleep(seconds)

    assert run(scene()) == pytest.approx(2 * 2.5 + 0.5)


# ---------------------------------------------------------------- The limit, whatever happens


@dataclass(frozen=True, slots=True)
class Send:
    """A send and what comes of it; times in seconds."""

    asked: float
    number: int
    bulk: bool
    out: float
    back: float
    how: str


SENDS = st.builds(
    Send,
    asked=st.floats(0, 3),
    number=st.integers(0, 6),
    bulk=st.booleans(),
    out=st.floats(0, 4),
    back=st.floats(0, 4),
    how=st.sampled_from(["answered", "answered", "refused", "cancelled"]),
)


@settings(max_examples=300, deadline=None)
@given(sends=st.lists(SENDS, max_size=60), permits=st.integers(1, 4), gap=st.sampled_from([0, 0.035, 0.4]))
def test_no_trailing_second_takes_more_than_there_are_permits(sends: list[Send], permits: int, gap: float) -> None:
    taken: list[float] = []
    under_way: set[int] = set()

    async def carry_out(pacer: Pacer, send: Send) -> None:
        await asyncio.sleep(send.asked)
        async with pacer.permit(chat(send.number), bulk=send.bulk):
            assert send.number not in under_way
            under_way.add(send.number)
            try:
                await asyncio.sleep(send.out)
                taken.append(now())
                await asyncio.sleep(send.back)
            finally:
                under_way.discard(send.number)
            if send.how == "refused":
                pacer.refused(chat(send.number), send.back)

    async def scene() -> None:
        pacer = Pacer(Pace(permits=permits, bulk_gap=gap))
        tasks = [asyncio.create_task(carry_out(pacer, send)) for send in sends]
        for task, send in zip(tasks, sends, strict=True):
            if send.how == "cancelled":
                asyncio.get_running_loop().call_at(send.asked + send.back, task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        # Whatever happened, every permit is there again a second later.
        await asyncio.sleep(1)
        later = now()
        new = [Send(0, 100 + n, bulk=False, out=0, back=0, how="answered") for n in range(permits)]
        await asyncio.gather(*(carry_out(pacer, send) for send in new))
        assert now() == later

    run(scene())

    for index, last in enumerate(taken):
        assert sum(last - 1 + 1e-6 < time <= last for time in taken[: index + 1]) <= permits


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), slowest=st.sampled_from([0.02, 0.2, 2.0, 8.0]))
def test_telegrams_limit_is_held_at_any_latency(seed: int, slowest: float) -> None:
    chance = random.Random(seed)
    taken: deque[float] = deque()

    async def send(pacer: Pacer, number: int) -> None:
        await asyncio.sleep(chance.uniform(0, 5))
        async with pacer.permit(chat(number), bulk=chance.random() < 0.8):
            await asyncio.sleep(chance.uniform(0, slowest) * chance.random())
            taken.append(now())
            await asyncio.sleep(chance.uniform(0, slowest) * chance.random())

    async def scene() -> None:
        pacer = Pacer(PACE)
        await asyncio.gather(*(send(pacer, n) for n in range(200)))

    run(scene())

    assert all(later - earlier >= 1 - 1e-6 for earlier, later in zip(taken, list(taken)[LIMIT:], strict=False))


# ---------------------------------------------------------------- Order


def test_replies_go_before_bulk_and_each_in_the_order_asked() -> None:
    async def scene() -> list[str]:
        went: list[str] = []
        pacer = Pacer(Pace(permits=1, bulk_gap=0))

        async def send(name: str, bulk: bool) -> None:
            async with pacer.permit(Address("telegram", name), bulk=bulk):
                went.append(name)

        await asyncio.gather(*(send(name, name.startswith("b")) for name in ["b1", "b2", "r1", "b3", "r2"]))
        return went

    assert run(scene()) == ["b1", "r1", "r2", "b2", "b3"]


def test_one_chat_gets_its_messages_one_after_the_other() -> None:
    async def scene() -> list[str]:
        went: list[str] = []
        pacer = Pacer(PACE)

        async def send(name: str, seconds: float) -> None:
            async with pacer.permit(chat(1)):
                went.append(f"{name} starts")
                await asyncio.sleep(seconds)
                went.append(f"{name} ends")

        await asyncio.gather(send("long", 3), send("short", 0.1), send("last", 0))
        return went

    assert run(scene()) == ["long starts", "long ends", "short starts", "short ends", "last starts", "last ends"]


def test_a_reply_to_a_chat_goes_before_bulk_that_waits_for_it() -> None:
    async def scene() -> list[str]:
        went: list[str] = []
        pacer = Pacer(PACE)

        async def send(name: str, bulk: bool) -> None:
            async with pacer.permit(chat(1), bulk=bulk):
                went.append(name)
                await asyncio.sleep(0.1)

        await asyncio.gather(send("first", True), send("tip", True), send("answer", False))
        return went

    assert run(scene()) == ["first", "answer", "tip"]


# ---------------------------------------------------------------- Refusals


def delays(platform: Platform, poisoned: Platform, chats: Iterable[Address]) -> list[float]:
    """Return how much later each chat got its message where some are poisoned."""
    plain = {to: time for time, to in platform.taken}
    later = {to: time for time, to in poisoned.taken}
    return [later[to] - plain[to] for to in chats]


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param(Platform(silent={chat(50)}), id="dead"),
        pytest.param(Platform(refuses={chat(50): 1}), id="refused again and again"),
        pytest.param(Platform(refuses={chat(50): 0}), id="refused at once, again and again"),
        pytest.param(Platform(refuses={chat(50): 3600}), id="refused for an hour"),
    ],
)
def test_one_poisoned_chat_delays_none_of_500_by_more_than_a_second(poison: Platform) -> None:
    chats = [chat(n) for n in range(500)]
    others = [to for to in chats if to != chat(50)]
    plain = Platform()

    run(fan_out(Pacer(PACE), plain, chats))
    run(fan_out(Pacer(PACE), poison, chats))

    assert max(delays(plain, poison, others)) <= 1.0


def starts_of(pace: Pace, refusals: dict[float, list[tuple[int, float]]], until: float) -> list[float]:
    """Return when bulk sends started, as many as could, to chats from 1000 on, while these chats were refused."""

    async def scene() -> list[float]:
        pacer, starts = Pacer(pace), list[float]()

        async def send(number: int) -> None:
            async with pacer.permit(chat(number), bulk=True):
                starts.append(now())

        tasks = [asyncio.create_task(send(1000 + n)) for n in range(int(until / pace.bulk_gap) + 1)]
        for time, refused in sorted(refusals.items()):
            await asyncio.sleep(time - now())
            for number, seconds in refused:
                pacer.refused(chat(number), seconds)
        await asyncio.sleep(until - now())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return starts

    return run(scene())


QUICK = Pace(permits=1000, bulk_gap=0.1)


@pytest.mark.parametrize(
    ("refusals", "pauses"),
    [
        pytest.param({2.05: [(1, 30)]}, [(2.0, 3.05)], id="one chat: bulk rests a second"),
        pytest.param({2.05: [(1, 30), (2, 7)]}, [(2.0, 32.05)], id="two chats: bulk is held for the longer of the two"),
        pytest.param({2.05: [(1, 30), (2, 7)], 10.05: [(3, 1)]}, [(2.0, 32.05)], id="a third one meanwhile"),
        pytest.param({2.05: [(1, 7)], 6.95: [(2, 30)]}, [(2.0, 3.05), (6.95, 36.95)], id="a second one within five seconds"),
        pytest.param({2.05: [(1, 7)], 7.55: [(2, 30)]}, [(2.0, 3.05), (7.55, 8.55)], id="a second one later"),
        pytest.param({2.05: [(1, 0), (2, 0)]}, [(2.0, 3.05)], id="two chats that say nothing of how long"),
        pytest.param({2.05: [(1, 1)], 4.05: [(1, 1)], 6.05: [(1, 30)]}, [(2.0, 3.05)], id="the same chat again"),
        pytest.param({2.05: [(1, 3)], 3.05: [(1, 30)], 4.55: [(2, 4)]}, [(2.0, 3.05), (4.55, 8.55)], id="then another"),
    ],
)
def test_bulk_rests_after_a_refusal(refusals: dict[float, list[tuple[int, float]]], pauses: list[tuple[float, float]]) -> None:
    starts = starts_of(QUICK, refusals, until=45)

    gaps = [(a, b) for a, b in pairwise(starts) if b - a > 0.15]
    assert [b for _, b in gaps] == pytest.approx([b for _, b in pauses])
    assert [a for a, _ in gaps] == pytest.approx([a for a, _ in pauses], abs=0.1)


def test_a_refused_chat_waits_as_long_as_it_is_told_and_replies_to_others_go_on() -> None:
    async def scene() -> tuple[float, float]:
        pacer = Pacer(PACE)
        pacer.refused(chat(1), 35)
        pacer.refused(chat(2), 20)
        async with pacer.permit(chat(3)):
            other = now()
        async with pacer.permit(chat(1)):
            return other, now()

    assert run(scene()) == pytest.approx((0, 35))


def test_a_chat_is_not_held_for_less_because_it_is_refused_again() -> None:
    async def scene() -> float:
        pacer = Pacer(PACE)
        pacer.refused(chat(1), 35)
        pacer.refused(chat(1), 2)
        async with pacer.permit(chat(1)):
            return now()

    assert run(scene()) == pytest.approx(35)


# ---------------------------------------------------------------- Cancellation


def test_whoever_stops_waiting_takes_no_permit() -> None:
    async def scene() -> float:
        pacer = Pacer(Pace(permits=1, bulk_gap=0))

        async def take(number: int) -> float:
            async with pacer.permit(chat(number)):
                return now()

        first = asyncio.create_task(take(1))
        waits = [asyncio.create_task(take(n)) for n in range(2, 12)]
        last = asyncio.create_task(take(12))
        await asyncio.sleep(0.5)
        for task in waits:
            task.cancel()
        await first
        return await last

    assert run(scene()) == pytest.approx(1)


@pytest.mark.parametrize("steps", [0, 1])
def test_whoever_is_cancelled_as_the_permit_comes_leaves_it_to_the_next(steps: int) -> None:
    async def scene() -> list[float]:
        pacer = Pacer(Pace(permits=1, bulk_gap=0))
        loop = asyncio.get_running_loop()

        async def take(number: int) -> float:
            async with pacer.permit(chat(number)):
                return now()

        def cancel_after(steps: int) -> None:
            if steps:
                loop.call_soon(cancel_after, steps - 1)
            else:
                unlucky.cancel()

        await take(1)
        # Set before the pacer sets its own timer for then: the cancelling runs first, or that many steps later.
        loop.call_at(1, cancel_after, steps)
        unlucky, other, same = (asyncio.create_task(take(number)) for number in (2, 3, 2))
        return [await other, await same]

    assert run(scene()) == pytest.approx([1, 2])


def test_a_send_that_is_cancelled_or_fails_keeps_its_permit_for_the_second_in_which_it_may_have_been_taken() -> None:
    async def scene() -> list[float]:
        pacer = Pacer(Pace(permits=2, bulk_gap=0))

        async def send(number: int, seconds: float) -> float:
            async with pacer.permit(chat(number)):
                started = now()
                await asyncio.sleep(seconds)
                if number == 2:
                    raise Refused
            return started

        cancelled, failed = asyncio.create_task(send(1, 60)), asyncio.create_task(send(2, 0.7))
        later = [asyncio.create_task(send(n, 0)) for n in (3, 4)]
        await asyncio.sleep(0.5)
        cancelled.cancel()
        started = await asyncio.gather(*later)
        await asyncio.gather(cancelled, failed, return_exceptions=True)
        return list(started)

    assert run(scene()) == pytest.approx([1.5, 1.7])


# ---------------------------------------------------------------- The decisions alone


def test_the_decision_needs_no_clock_and_no_event_loop() -> None:
    permits = Permits(Pace(permits=1, bulk_gap=0.5))
    tip, answer = Ticket(chat(1), bulk=True), Ticket(chat(2), bulk=False)

    assert permits.next(0) is None
    permits.ask(tip)
    permits.ask(answer)
    assert permits.next(0) is answer
    assert permits.next(0) is None
    permits.finish(answer, 0.25)
    assert permits.next(0.25) == 1.25
    assert permits.next(1.25) is tip
    assert permits.next(1.25) is None


def test_what_was_held_is_forgotten_in_time() -> None:
    pacer = Pacer(PACE)

    async def scene() -> None:
        for number in range(1000):
            pacer.refused(chat(number), 1)
            await asyncio.sleep(1)

    run(scene())

    assert len(pacer._permits._held) < 70


def test_a_permit_is_free_for_a_chat_that_is_not_written_to_and_not_held() -> None:
    permits, answer = Permits(Pace(permits=1, bulk_gap=0.5)), Ticket(chat(1), bulk=False)
    assert permits.free(chat(1), 0)
    permits.ask(answer)
    assert not permits.free(chat(2), 0)  # one that asked before is first
    permits.next(0)
    assert not permits.free(chat(2), 0)
    permits.finish(answer, 0.25)
    assert not permits.free(chat(2), 1)
    assert permits.free(chat(2), 1.25)
    permits.refuse(Refusal(chat(2), 1.25, 10))
    assert not permits.free(chat(2), 2)
    assert permits.free(chat(3), 2)
