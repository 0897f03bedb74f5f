"""How fast a bot may send: overall, to one chat, to one group."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from bot_api.refusal import Refusal, too_many

SENDS = frozenset({"sendmessage", "senddocument"})
"""What counts; no limit on edits or answers to taps is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many in so many trailing seconds."""

    most: int
    seconds: float = 1.0


OVERALL = Limit(most=30)
ONE_CHAT = Limit(most=1)
ONE_GROUP = Limit(most=20, seconds=60)


@dataclass(kw_only=True)
class Limits:
    """A strict limiter, stricter than the real one, which lets short bursts pass; without limits, anything goes.

    A send counts when it is asked for, whatever comes of it then.
    What is over a limit is refused with how long to wait. With `lockout`, one send too many overall
    has every method refused for so many seconds; without it only the excess is.
    """

    overall: Limit | None = None
    chat: Limit | None = None
    group: Limit | None = None
    lockout: float | None = None
    refused: int = 0
    locked_until: datetime | None = None
    _sent: dict[int | None, deque[datetime]] = field(default_factory=dict)

    def check(self, method: str, chat: int | None, now: datetime) -> Refusal | None:
        """Return why a call is refused now, or None once it is counted."""
        wait = self._locked(now)
        if not wait and method in SENDS:
            wait = self._too_fast(chat, now)
        if wait:
            self.refused += 1
            return too_many(max(1, ceil(wait)))
        if method in SENDS:
            for key in (None, chat):
                self._of_key(key).append(now)
        return None

    def _locked(self, now: datetime) -> float:
        return max((self.locked_until - now).total_seconds(), 0) if self.locked_until else 0

    def _too_fast(self, chat: int | None, now: datetime) -> float:
        """Return how many seconds must pass before one more may be sent there."""
        if self.overall and (wait := self._wait(None, self.overall, now)):
            if self.lockout is not None:
                self.locked_until = now + timedelta(seconds=self.lockout)
                return self.lockout
            return wait
        return max((self._wait(chat, limit, now) for limit in self._of(chat)), default=0)

    def _of(self, chat: int | None) -> Iterator[Limit]:
        if self.chat:
            yield self.chat
        if self.group and chat is not None and chat < 0:
            yield self.group

    def _wait(self, key: int | None, limit: Limit, now: datetime) -> float:
        """Return how long until fewer than the most have been sent in the trailing time."""
        since = now - timedelta(seconds=limit.seconds)
        recent = [at for at in self._of_key(key) if at > since]
        if len(recent) < limit.most:
            return 0
        return (recent[-limit.most] - since).total_seconds()

    def _of_key(self, key: int | None) -> deque[datetime]:
        """Return when was sent, no more of it than a limit looks back on."""
        most = max((limit.most for limit in (self.overall, self.chat, self.group) if limit), default=0)
        return self._sent.setdefault(key, deque(maxlen=most))
