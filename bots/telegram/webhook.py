"""Takes updates that Telegram delivers: https://core.telegram.org/bots/api#setwebhook."""

import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from aiohttp import web

from bots.telegram import updates
from bots.telegram.settings import PORT, Webhook
from core.errors import SettingsError
from core.intake import Unreadable, Update
from core.limits import LONGEST_UPDATE

log = logging.getLogger(__name__)

HEALTH = "/health"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
FAREWELL = 3.0
"""Seconds that an update on its way has to be taken, once we stop. Telegram brings it again otherwise."""

Receive = Callable[[Sequence[Update]], Awaitable[None]]
Asked = Callable[[], bool]


class Listening(AbstractAsyncContextManager["Listening"]):
    """The server, for as long as it is entered. It answers 200 only after an update may be forgotten by Telegram.

    Until we are `taking` updates, Telegram is asked to bring them again.
    """

    def __init__(self, webhook: Webhook, receive: Receive, *, taking: Asked, healthy: Asked) -> None:
        self._webhook, self._receive, self._taking, self._healthy = webhook, receive, taking, healthy
        app = web.Application(client_max_size=LONGEST_UPDATE)
        app.router.add_post(webhook.path, self._update)
        app.router.add_get(HEALTH, self._health)
        # No access log: the address may hold a secret.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=FAREWELL)

    async def __aenter__(self) -> "Listening":
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, port=self._webhook.port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise SettingsError(
                f"{PORT}={self._webhook.port}: no port to listen on ({error.strerror}). Set {PORT} to a free one."
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(status=200 if self._healthy() else 503)

    async def _update(self, request: web.Request) -> web.Response:
        """Take one update. Whoever does not know the secret learns nothing, and nothing of theirs is read."""
        if not self._knows(request.headers.get(SECRET_HEADER, "")):
            log.warning("webhook.refused")
            return web.Response(status=403)
        if not self._taking():
            return web.Response(status=503)
        raw = await request.read()  # over the bound, aiohttp answers 413
        try:
            number = updates.number(raw)
        except Unreadable:
            # Telegram brings it again, whole if it was cut off on the way.
            log.warning("webhook.unreadable")
            return web.Response(status=400)
        await self._receive([Update(str(number), raw)])
        return web.Response()

    def _knows(self, shown: str) -> bool:
        # Every secret is compared, each in constant time. A header may hold any byte.
        given = shown.encode("utf-8", "surrogateescape")
        return sum(hmac.compare_digest(given, secret.encode()) for secret in self._webhook.secrets) > 0
