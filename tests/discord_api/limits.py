"""How fast a bot may ask: on each route, and overall; and when it is shut out for asking wrongly."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from zlib import crc32

from discord_api.refusal import Json


@dataclass(frozen=True, slots=True)
class Held:
    """A request that came too soon."""

    retry_after: float
    scope: str = "user"
    """`user` for the bucket of a route, `global` for all, `shared` for a place that others wear out too."""
    bucket: str | None = None
    limit: int = 5

    @property
    def json(self) -> Json:
        """Return the body of the answer."""
        what = "The resource is being rate limited." if self.scope == "shared" else "You are being rate limited."
        return {"message": what, "retry_after": self.retry_after, "global": self.scope == "global"}

    @property
    def headers(self) -> dict[str, str]:
        """Return what the answer says in its headers."""
        said = {"Retry-After": str(ceil(self.retry_after)), "X-RateLimit-Scope": self.scope}
        if self.scope == "global":
            said["X-RateLimit-Global"] = "true"
        if self.bucket is not None:
            said |= window(self.bucket, self.limit, 0, self.retry_after, datetime.now().astimezone())
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many in so many seconds; the count starts with the first and ends for all at once."""

    most: int
    seconds: float = 1.0


OVERALL = Limit(most=50)
INVALID = Limit(most=10_000, seconds=600)
UNCOUNTED = frozenset({"callback", "original", "edit_original", "delete_original", "follow_up"})
"""Routes of interactions: the limit overall is not for them."""


@dataclass(slots=True)
class _Bucket:
    limit: Limit
    ends: datetime | None = None
    used: int = 0

    def take(self, now: datetime) -> float:
        """Return 0 once a request is counted, or how many seconds it must wait."""
        if self.ends is None or now >= self.ends:
            self.ends, self.used = now + timedelta(seconds=self.limit.seconds), 0
        if self.used >= self.limit.most:
            return (self.ends - now).total_seconds()
        self.used += 1
        return 0


@dataclass(kw_only=True, slots=True)
class Limits:
    """Without limits, anything goes."""

    routes: dict[str, Limit] = field(default_factory=dict)
    """By the name of a route; each channel, server and token is counted on its own."""
    overall: Limit | None = None
    invalid: Limit | None = None
    """How many 401, 403 and 429 until the bot is shut out."""
    held: int = 0
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _wrong: deque[datetime] = field(default_factory=deque)

    def check(self, route: str, major: str, now: datetime) -> tuple[dict[str, str], Held | None]:
        """Return the headers that every answer of a route carries, and whether this request came too soon."""
        if self.overall and route not in UNCOUNTED and (wait := self._take("*", self.overall, now)):
            self.held += 1
            return {}, Held(wait, "global")
        limit = self.routes.get(route)
        if limit is None:
            return {}, None
        key, bucket = f"{route} {major}", f"{crc32(route.encode()):08x}"
        wait = self._take(key, limit, now)
        if wait:
            self.held += 1
            return {}, Held(wait, "user", bucket, limit.most)
        kept = self._buckets[key]
        left = (kept.ends - now).total_seconds() if kept.ends else 0
        return window(bucket, limit.most, limit.most - kept.used, left, now), None

    def count(self, status: int, scope: str | None, now: datetime) -> None:
        """Count an answer that says that the bot should not have asked."""
        if status in (401, 403, 429) and scope != "shared":
            self._wrong.append(now)

    def invalid_since(self, since: datetime) -> int:
        """Return how many such answers there were since then."""
        return sum(at > since for at in self._wrong)

    def banned(self, now: datetime) -> bool:
        """Return whether the bot is shut out."""
        if self.invalid is None:
            return False
        return self.invalid_since(now - timedelta(seconds=self.invalid.seconds)) >= self.invalid.most

    def _take(self, key: str, limit: Limit, now: datetime) -> float:
        return self._buckets.setdefault(key, _Bucket(limit)).take(now)


def window(bucket: str, limit: int, left: int, seconds: float, now: datetime) -> dict[str, str]:
    """Return the headers that tell where a bucket stands."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": f"{now.timestamp() + seconds:.3f}",
        "X-RateLimit-Reset-After": f"{seconds:.3f}",
        "X-RateLimit-Bucket": bucket,
    }
