"""What a piece of work costs: measured by wall and by processor time, beside a baseline, in rounds, by their medians."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import Self

ROUNDS = 9


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds: of the wall clock, and of the processor in all threads of this process."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Self:
        """Return both clocks, to be taken from a later reading."""
        return cls(time.perf_counter(), time.process_time())

    def __sub__(self, earlier: "Cost") -> "Cost":
        return Cost(self.wall - earlier.wall, self.cpu - earlier.cpu)

    def __truediv__(self, turns: int) -> "Cost":
        return Cost(self.wall / turns, self.cpu / turns)

    def __str__(self) -> str:
        return f"{self.wall * 1000:.2f} ms ({self.cpu * 1000:.2f} ms CPU)"


@dataclass(frozen=True, slots=True)
class Beside:
    """What two works cost, round by round."""

    one: tuple[Cost, ...]
    other: tuple[Cost, ...]

    @property
    def typical(self) -> tuple[Cost, Cost]:
        """The median of each."""
        return _median(self.one), _median(self.other)

    @property
    def times(self) -> Cost:
        """How many times the other the one costs: the median over rounds, since a machine is faster in some."""
        pairs = list(zip(self.one, self.other, strict=True))
        return Cost(median(a.wall / b.wall for a, b in pairs), median(a.cpu / b.cpu for a, b in pairs))


Measured = Callable[[], Awaitable[Cost]]
"""Makes ready, does the work, and returns what the work alone cost, for one turn."""


async def side_by_side(one: Measured, other: Measured, rounds: int = ROUNDS) -> Beside:
    """Return what both cost, in turns, each of them first in every other round, after a round that does not count."""
    costs = []
    for number in range(rounds + 1):
        first, second = (one, other) if number % 2 else (other, one)
        pair = await first(), await second()
        costs.append(pair if number % 2 else pair[::-1])
    ones, others = zip(*costs[1:], strict=True)
    return Beside(ones, others)


def reached(yes: bool) -> str:
    """Return the word that stands beside a limit."""
    return "reached" if yes else "NOT REACHED"


def _median(costs: tuple[Cost, ...]) -> Cost:
    return Cost(median(cost.wall for cost in costs), median(cost.cpu for cost in costs))
