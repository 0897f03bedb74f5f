"""Takes updates that Telegram delivers: https://core.telegram.org/bots/api#setwebhook."""

import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
from aiohttp import web

from bots.telegram.settings import Webhook
from core.intake import Update
from core.limits import LONGEST_UPDATE

log = logging.getLogger(__name__)

HEALTH = "/health"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header

Receive = Callable[[Sequence[Update]], Awaitable[None]]


class _Numbered(msgspec.Struct):
    update_id: int


_number = msgspec.json.Decoder(_Numbered)


class Listening(AbstractAsyncContextManager["Listening"]):
    """The server, for as long as it is entered. It answers 200 only after an update may be forgotten by Telegram."""

    def __init__(self, webhook: Webhook, receive: Receive, healthy: Callable[[], bool]) -> None:
        self._webhook, self._receive, self._healthy = webhook, receive, healthy
        app = web.Application(client_max_size=LONGEST_UPDATE)
        app.router.add_post(webhook.path, self._update)
        app.router.add_get(HEALTH, self._health)
        # No access log: the address may hold a secret.
        self._runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> "Listening":
        await self._runner.setup()
        await web.TCPSite(self._runner, port=self._webhook.port).start()
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
        raw = await request.read()  # over the bound, aiohttp answers 413
        try:
            update = _number.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            log.warning("webhook.unreadable")
            return web.Response(status=400)
        await self._receive([Update(str(update.update_id), raw)])
        return web.Response()

    def _knows(self, shown: str) -> bool:
        # Every secret is compared, each in constant time.
        return sum(hmac.compare_digest(shown.encode(), secret.encode()) for secret in self._webhook.secrets) > 0
