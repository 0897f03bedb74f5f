"""What one member can make us keep or send, and how fast: each bound with its reason. No I/O."""

from collections import OrderedDict, deque
from datetime import datetime, timedelta

from core.members import Address

LONGEST_TEXT = 4_096
"""Characters of a typed text that are read: the longest message of Telegram, and more than a word search needs."""
LONGEST_UPDATE = 1_000_000
"""Bytes of one raw update that are kept: many times the largest that a person's message makes."""
CONSENTS = 200
"""Consents and withdrawals that are kept of a member, the newest: someone who taps to and fro fills no disk."""
RESULTS = 400
"""Results in a member's history, the newest: more than one a day for the year that they are kept."""

ADDRESSES = 5
"""Addresses of one member: more than anyone has apps, and a bound on what one message for all of them comes to."""
TRIES, TRIES_OF_ALL, TRIES_WITHIN = 5, 200, timedelta(hours=1)
"""Codes that one address, and all together, may try in an hour: of some 35 million million that there can be."""

BURST = 120
"""Turns at once outside of a check: someone who leafs through the whole library is not held up."""
REFILL = timedelta(seconds=2)
"""After which one more is to be had: quicker than anyone reads."""
REMEMBERED = 10_000
"""Addresses whose pace is known: more than write within a minute, and a bound on memory."""


GROUP_BURST, GROUP_REFILL = 5, timedelta(seconds=10)
"""Lines in one group: far below the 20 a minute that Telegram takes, and no nuisance to those who talk there."""


FILE_BURST, FILE_REFILL = 10, timedelta(seconds=30)
"""Files that are fetched for one member: an organiser sends one or two, and each is half a megabyte at most."""


class Allowance:
    """How many turns each address still has, a bucket that refills. Kept in memory: it is about seconds."""

    def __init__(self, burst: int = BURST, refill: timedelta = REFILL) -> None:
        self._burst, self._refill = burst, refill
        self._spent: OrderedDict[Address, tuple[float, datetime]] = OrderedDict()

    def takes(self, address: Address, now: datetime) -> bool:
        """Return whether the address has a turn left, which is then spent."""
        spent = self._spent_by(address, now)
        allowed = spent <= self._burst - 1
        self._spent[address] = (spent + 1 if allowed else spent, now)
        self._spent.move_to_end(address)
        if len(self._spent) > REMEMBERED:
            self._spent.popitem(last=False)
        return allowed

    def _spent_by(self, address: Address, now: datetime) -> float:
        spent, at = self._spent.get(address, (0.0, now))
        return max(0.0, spent - max(timedelta(), now - at) / self._refill)


class Tries:
    """Which codes were tried lately: so many for each address, and so many for all. Kept in memory, and bounded by that."""

    def __init__(self) -> None:
        self._made: deque[tuple[datetime, Address]] = deque()

    def takes(self, address: Address, now: datetime) -> bool:
        """Return whether the address has a try left, which is then spent."""
        while self._made and now - self._made[0][0] >= TRIES_WITHIN:
            self._made.popleft()
        if len(self._made) >= TRIES_OF_ALL or sum(made == address for _, made in self._made) >= TRIES:
            return False
        self._made.append((now, address))
        return True
