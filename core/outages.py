"""Since when nothing could be sent on a platform, and how that is told once it can be again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from core.errors import StorageUnavailable
from core.ports import Sendings
from core.sending import LONG, Outage, Sending

log = logging.getLogger(__name__)

NOTED_AGAIN = timedelta(minutes=10)
"""Of a platform that cannot be reached every try fails, every few seconds: each is not worth a commit."""

Tell = Callable[[Outage], Awaitable[None]]
"""Told of an outage once it is over. It may be told of the same one twice where Hipwise is killed meanwhile."""


class Outages:
    """Notes what becomes of tries to send, and tells of an outage that lasted as soon as something was sent again."""

    def __init__(self, kept: Sendings, platforms: Collection[str], tell: Tell) -> None:
        self._kept, self._platforms, self._tell = kept, platforms, tell
        self._works: set[str] = set()
        """Platforms of which it is known to be noted that they work: for those a success costs nothing."""
        self._failed: dict[str, datetime] = {}
        self._one_at_a_time = asyncio.Lock()

    async def failed(self, platform: str, now: datetime) -> None:
        """Note that a platform could not be reached."""
        last = self._failed.get(platform)
        if platform not in self._works and last is not None and last <= now < last + NOTED_AGAIN:
            return
        self._works.discard(platform)
        self._failed[platform] = now
        await self._noting(platform, lambda sending: sending.failed(now), now)

    async def worked(self, platform: str, now: datetime) -> None:
        """Note that a platform has answered; tell of the outage that is over by that."""
        if platform in self._works:
            return
        self._works.add(platform)
        self._failed.pop(platform, None)
        try:
            async with self._one_at_a_time:
                sending = await self._kept.sending(platform) or Sending(platform, now)
                if sending.outage is not None:
                    await self._tell(sending.outage)
                await self._kept.keep_sending(sending.worked())
        except StorageUnavailable:
            self._works.discard(platform)
        except Exception as error:  # noqa: BLE001 - what was sent was sent; it is told with the next
            self._works.discard(platform)
            log.error("outage.not_told", extra={"platform": platform, "error": type(error).__name__})  # noqa: TRY400

    async def alive(self, now: datetime) -> None:
        """Note that Hipwise runs: to be called every hour or so, and soon after the start."""
        for platform in self._platforms:
            if (sending := await self._kept.sending(platform)) is not None and now - sending.alive >= LONG:
                self._works.discard(platform)
            await self._noting(platform, lambda sending: sending.ran(now), now)

    async def _noting(self, platform: str, change: Callable[[Sending], Sending], now: datetime) -> None:
        try:
            async with self._one_at_a_time:
                before = await self._kept.sending(platform)
                after = change(before or Sending(platform, now))
                if after != before:
                    await self._kept.keep_sending(after)
        except StorageUnavailable:
            return  # while nothing can be kept, that is what the operator is told


async def log_over(outage: Outage) -> None:
    """Log that an outage is over."""
    log.warning("outage.over", extra={"platform": outage.platform, "seconds": (outage.until - outage.since).total_seconds()})
