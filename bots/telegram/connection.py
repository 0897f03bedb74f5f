"""The bot on Telegram, from its start to its end: who it is, how updates come, and what is shown of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Never

from telegram import Bot
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter, TelegramError

from bots.telegram import menus
from bots.telegram.files import Files
from bots.telegram.limits import PACE
from bots.telegram.messenger import Messenger, Move
from bots.telegram.polling import POLL, SENTENCES, Polling, Tell, Trouble
from bots.telegram.request import AiohttpRequest, retry_seconds
from bots.telegram.settings import OFFICIAL, TelegramSettings, Webhook
from core.intake import Intake
from core.pacer import Pacer
from core.words import Words

log = logging.getLogger(__name__)

KINDS = ("message", "callback_query", "my_chat_member")
"""The updates that are asked for: https://core.telegram.org/bots/api#update."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two attempts to start. From the one to the other a pause is twice as long as the last."""

CONNECTED = "Telegram is connected now."
WEBHOOK_REFUSED = (
    "Telegram does not take the webhook. TELEGRAM_WEBHOOK_URL must be an https address that Telegram can reach from outside,"
    " on port 443, 80, 88 or 8443. Hipwise keeps trying, at least once a minute."
)
OTHER_SERVER = " If that is the one: is TELEGRAM_API_URL the address of a Bot API server?"

Sleep = Callable[[float], Awaitable[None]]


class Connection:
    """One bot's line to Telegram: `greet` opens it, `run` takes what comes in, `close` lets it go.

    A webhook's port is open as long as `listening` is entered, for a host may wait for that; updates are taken in `run`.
    """

    def __init__(self, settings: TelegramSettings, tell: Tell, *, poll: int = POLL, sleep: Sleep = asyncio.sleep) -> None:
        self._settings, self._tell, self._poll, self._sleep = settings, tell, poll, sleep
        self._polled, asked = AiohttpRequest(connections=1, read_timeout=poll + 10.0), AiohttpRequest()
        self.pacer = Pacer(PACE)
        self.bot = Bot(
            settings.token,
            base_url=f"{settings.api}/bot",
            base_file_url=f"{settings.api}/file/bot",
            request=asked,
            get_updates_request=self._polled,
        )
        self.files = Files(self.bot, asked)
        self._taking = self._ready = False

    def messenger(self, words: Words, move: Move) -> Messenger:
        """Return what writes to members here."""
        return Messenger(self.bot, words("platform", "may_repeat"), self.pacer.refused, move)

    def listening(self, intake: Intake) -> AbstractAsyncContextManager[object]:
        """Return the server that a webhook needs, and nothing where there is none."""
        webhook = self._settings.webhook
        if webhook is None:
            return nullcontext()
        from bots.telegram.webhook import Listening  # a web server, which asking for updates does without

        return Listening(webhook, intake.receive, taking=lambda: self._taking, healthy=lambda: self._ready)

    async def greet(self) -> None:
        """Return once Telegram has said who the bot is: whatever stands in the way, it is told, and tried again."""
        await self._until_done(self.bot.initialize, connects=self._settings.webhook is None)
        log.info("telegram.connected")

    async def run(self, intake: Intake, words: Words) -> Never:
        """Hand over updates until cancelled, and bring the menus up to date meanwhile."""
        self._taking = True
        menus_set = asyncio.create_task(self._set_menus(words))
        try:
            if self._settings.webhook is None:
                await self._ask(intake)
            await self._be_told(self._settings.webhook)
        finally:
            menus_set.cancel()

    async def close(self) -> None:
        """Let every connection go."""
        await self.bot.shutdown()

    # ---------------------------------------------------------------- How updates come

    async def _ask(self, intake: Intake) -> Never:
        """Ask for updates. A webhook of an earlier start is taken away first; what it did not deliver comes now."""
        await self._until_done(self._without_webhook)
        root = f"{self._settings.api}/bot{self._settings.token}"
        keep = intake.receive
        await Polling(self._polled, root, keep, self._tell, kinds=KINDS, poll=self._poll, sleep=self._sleep).run()

    async def _without_webhook(self) -> None:
        if (await self.bot.get_webhook_info()).url:
            await self.bot.delete_webhook(drop_pending_updates=False)

    async def _be_told(self, webhook: Webhook) -> Never:
        """Have updates brought, with the secret that is the first now."""
        await self._until_done(
            lambda: self.bot.set_webhook(
                webhook.url, secret_token=webhook.secrets[0], allowed_updates=KINDS, drop_pending_updates=False
            ),
            refused=WEBHOOK_REFUSED,
            connects=True,
        )
        self._ready = True
        while True:
            await asyncio.Event().wait()

    # ---------------------------------------------------------------- Below

    async def _set_menus(self, words: Words) -> None:
        try:
            await menus.set_menus(self.bot, words)
        except TelegramError as error:  # the bot works without them; the next start tries again
            log.warning("menus.not_set", extra={"error": type(error).__name__})

    async def _until_done(
        self, attempt: Callable[[], Awaitable[object]], *, refused: str = SENTENCES[Trouble.REFUSED], connects: bool = False
    ) -> None:
        """Try something until it is done, slower each time; say once what stands in the way, and when nothing does.

        What connects the bot is told in any case: whoever has just set it up waits for that.
        """
        told: Trouble | None = None
        pause = FIRST_PAUSE
        while (error := await _failure_of(attempt)) is not None:
            trouble = _trouble(error)
            if trouble is not told:
                log.warning("telegram.not_connected", extra={"kind": trouble.value, "error": type(error).__name__})
                self._tell(refused if trouble is Trouble.REFUSED else self._sentence(trouble))
            told = trouble
            await self._sleep(max(pause, retry_seconds(error)) if isinstance(error, RetryAfter) else pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        if connects or told is not None:
            self._tell(CONNECTED)

    def _sentence(self, trouble: Trouble) -> str:
        """Return what the operator is told; of a server of their own, that it may not be one."""
        may_be_another = trouble is Trouble.TOKEN and self._settings.api != OFFICIAL
        return SENTENCES[trouble] + (OTHER_SERVER if may_be_another else "")


async def _failure_of(attempt: Callable[[], Awaitable[object]]) -> TelegramError | None:
    try:
        await attempt()
    except TelegramError as error:
        return error
    return None


def _trouble(error: TelegramError) -> Trouble:
    match error:
        case InvalidToken():
            return Trouble.TOKEN
        case RetryAfter():
            return Trouble.BUSY
        case NetworkError() if not isinstance(error, BadRequest):
            return Trouble.UNREACHABLE
        case _:
            return Trouble.REFUSED
