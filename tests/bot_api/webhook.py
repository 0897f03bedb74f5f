"""Delivery of updates to a webhook: each until it is taken, those of one lane in order."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from bot_api.updates import Changes, Updates, Waiting
from bot_api.world import Now

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
LONGEST_WAIT = 60
"""Between two tries, in seconds of the server's own."""
LONGEST_RETRY_AFTER = 3600
PATIENCE = 60.0
"""How long a webhook may take to answer, in seconds."""


@dataclass(kw_only=True)
class Webhook:
    """Where updates go, and how that went so far."""

    url: str
    secret: str = ""
    max_connections: int = 40
    error: str | None = None
    failed: datetime | None = None


def wait_after(tries: int, asked: int = 0) -> int:
    """Return how long to wait after so many tries, in seconds: what the webhook asked for, else ever longer."""
    if asked:
        return min(asked, LONGEST_RETRY_AFTER)
    return 0 if tries == 1 else min(2 ** (tries - 1), LONGEST_WAIT)


class Delivery:
    """Brings updates to a webhook for as long as it is open.

    A refused update is tried again; the rest of its lane waits for it. Messages of one chat are a lane, so are the
    taps of one user, so that a tap may overtake a message.
    """

    def __init__(self, webhook: Webhook, updates: Updates, changes: Changes, now: Now, second: float) -> None:
        self.webhook = webhook
        self._updates = updates
        self._changes = changes
        self._now = now
        self._second = second
        self._free = asyncio.Semaphore(webhook.max_connections)
        self._lanes: dict[tuple[str, int], deque[Waiting]] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Deliver while this is entered."""
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def _run(self) -> None:
        seen: set[Waiting] = set()
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session, asyncio.TaskGroup() as lanes:
            while True:
                for one in self._updates.waiting(self._now()):
                    if one not in seen:
                        seen.add(one)
                        if one.lane not in self._lanes:
                            self._lanes[one.lane] = deque()
                            lanes.create_task(self._lane(one.lane, session))
                        self._lanes[one.lane].append(one)
                await self._changes.next()

    async def _lane(self, name: tuple[str, int], session: aiohttp.ClientSession) -> None:
        lane = self._lanes[name]
        while lane:
            await self._deliver(lane[0], session)
            self._updates.forget(lane.popleft())
        del self._lanes[name]

    async def _deliver(self, one: Waiting, session: aiohttp.ClientSession) -> None:
        tries = 1
        while (asked := await self._post(one, session)) is not None:
            await asyncio.sleep(wait_after(tries, asked) * self._second)
            tries += 1
            if self._now() >= one.until:
                return

    async def _post(self, one: Waiting, session: aiohttp.ClientSession) -> int | None:
        """Return None once an update is taken, else how long the webhook wants to be left alone, in seconds."""
        headers = {"Content-Type": "application/json"}
        if self.webhook.secret:
            headers[SECRET_HEADER] = self.webhook.secret
        body = json.dumps(one.json).encode()
        try:
            async with (
                self._free,
                session.post(self.webhook.url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                if 200 <= response.status <= 299:
                    return None
                self._failed(f"Wrong response from the webhook: {response.status} {response.reason}")
                asked = response.headers.get("Retry-After", "")
                return int(asked) if asked.isdecimal() else 0
        except TimeoutError:
            self._failed("Read timeout expired")
        except aiohttp.ClientConnectorError:
            self._failed("Connection refused")
        except aiohttp.ClientError:
            self._failed("Webhook connection closed")
        return 0

    def _failed(self, error: str) -> None:
        self.webhook.error = error
        self.webhook.failed = self._now()
        self._changes.tell()
