"""The two ways in which a bot gets its updates: it asks and waits, or it has them brought."""

import asyncio
import json
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot_api.params import Params
from bot_api.refusal import Json, Refusal, bad_request, conflict
from bot_api.updates import KINDS
from bot_api.webhook import Delivery, Webhook
from bot_api.world import World

LONGEST_POLL = 50
REPEATED_POLL = 3
"""Somebody who asks for the same again at once, without waiting, is made to wait: in seconds of the server's own."""
CONFLICTS_APART = 3
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(eq=False, slots=True)
class _Poll:
    refusal: Refusal | None = None


class Receiving:
    """How the bot receives now. `second` says how long a second of the server's own waits lasts, in seconds."""

    def __init__(self, world: World, second: float) -> None:
        self.world = world
        self.webhook: Webhook | None = None
        self.closed = False
        self._second = second
        self._poll: _Poll | None = None
        self._last_poll = (0, float("-inf"))
        self._next_conflict = float("-inf")
        self._delivery = AsyncExitStack()

    @property
    def polled(self) -> bool:
        """Return whether the bot waits for updates at this moment."""
        return self._poll is not None

    async def close(self) -> None:
        """Let go of whoever waits."""
        self.closed = True
        self.world.changes.tell()
        await self._delivery.aclose()

    async def get_updates(self, params: Params) -> list[Json]:
        """Return updates, or wait for one; a second who waits sends the first away."""
        if self.webhook:
            await self._conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        offset, limit = params.number("offset"), params.number("limit", 100, 1, 100)
        self._allow(params)
        end = self._waits_until(offset, params.number("timeout", 0, 0, LONGEST_POLL))
        updates = self._take(offset, limit)
        if updates or end <= _clock():
            return updates
        self._send_away("terminated by other getUpdates request; make sure that only one bot instance is running")
        poll = self._poll = _Poll()
        try:
            while not updates and not self.closed and (left := end - _clock()) > 0:
                await self.world.changes.next(left)
                if poll.refusal:
                    await self._conflict(poll.refusal.description.removeprefix("Conflict: "))
                updates = self._take(offset, limit)
        finally:
            self._poll = None if self._poll is poll else self._poll
        return updates

    async def set_webhook(self, params: Params) -> bool:
        """Have updates brought; with an empty address, no longer."""
        url, secret = params.text("url"), params.text("secret_token")
        if not url:
            return await self.delete_webhook(params)
        if not re.fullmatch(r"[\w-]*", secret, re.ASCII):
            raise bad_request("secret token contains unallowed characters")
        if len(secret) > 256:
            raise bad_request("secret token is too long")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise bad_request("invalid webhook URL specified")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        self._send_away("terminated by setWebhook request")
        await self.delete_webhook(params)
        self._allow(params)
        self.webhook = Webhook(url=url, secret=secret, max_connections=params.number("max_connections", 40, 1, 100))
        world = self.world
        delivery = Delivery(self.webhook, world.updates, world.changes, world.now, self._second)
        await self._delivery.enter_async_context(delivery.open())
        return True

    async def delete_webhook(self, params: Params) -> bool:
        """No longer have updates brought."""
        self.webhook = None
        await self._delivery.aclose()
        if params.flag("drop_pending_updates"):
            self.world.updates.drop()
        return True

    async def get_webhook_info(self, _: Params) -> Json:
        """Return where updates are brought, and how many wait."""
        hook = self.webhook
        waiting = len(self.world.updates.waiting(self.world.now()))
        info: Json = {"url": hook.url if hook else "", "has_custom_certificate": False, "pending_update_count": waiting}
        if hook:
            info["max_connections"] = hook.max_connections
            info["ip_address"] = urlsplit(hook.url).hostname
            info["allowed_updates"] = [kind for kind in KINDS if kind in self.world.updates.allowed]
        if hook and hook.failed:
            info |= {"last_error_date": int(hook.failed.timestamp()), "last_error_message": hook.error}
        return info

    def _allow(self, params: Params) -> None:
        try:
            kinds = json.loads(params.text("allowed_updates") or "null")
        except ValueError:
            return
        if kinds is None or isinstance(kinds, list):
            self.world.updates.allow(kinds)

    def _waits_until(self, offset: int, timeout: int) -> float:
        now, (last_offset, last) = _clock(), self._last_poll
        self._last_poll = (offset, now)
        again = REPEATED_POLL * self._second
        return now + (max(timeout, again) if offset == last_offset and now < last + again else timeout)

    def _take(self, offset: int, limit: int) -> list[Json]:
        return self.world.updates.take(offset, limit, self.world.now())

    def _send_away(self, why: str) -> None:
        if self._poll:
            self._poll.refusal = conflict(why)
            self._poll = None
            self.world.changes.tell()

    async def _conflict(self, why: str) -> None:
        """Raise Refusal; one that comes soon after another waits, so that two who compete do not spin."""
        now, apart = _clock(), CONFLICTS_APART * self._second
        if now < self._next_conflict:
            await asyncio.sleep(apart)
        else:
            self._next_conflict = now + apart
        raise conflict(why)


def _clock() -> float:
    return asyncio.get_running_loop().time()


METHODS = {
    "getupdates": Receiving.get_updates,
    "setwebhook": Receiving.set_webhook,
    "deletewebhook": Receiving.delete_webhook,
    "getwebhookinfo": Receiving.get_webhook_info,
}
