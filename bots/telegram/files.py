"""Files that members send: fetched from Telegram, and never more of one than is read of it."""

import asyncio
import logging

from telegram import Bot
from telegram.error import BadRequest, TelegramError

from bots.telegram.request import AiohttpRequest
from core.dialogue import Missing

log = logging.getLogger(__name__)

WITHIN = 10.0
"""Seconds for a file to arrive in: what its sender does next waits as long."""


class Files:
    """Fetches files: https://core.telegram.org/bots/api#getfile."""

    def __init__(self, bot: Bot, request: AiohttpRequest) -> None:
        self._bot, self._request = bot, request

    async def fetched(self, file: str, most: int) -> bytes | Missing:
        """Return a file; of one that is longer than so many bytes, one byte more than that."""
        try:
            async with asyncio.timeout(WITHIN):
                place = (await self._bot.get_file(file)).file_path
                return await self._request.first_of(place or "", most + 1)
        except (TelegramError, TimeoutError) as error:
            log.info("file.not_fetched", extra={"error": type(error).__name__})
            return Missing.TOO_LARGE if _is_too_large(error) else Missing.NOT_FETCHED


def _is_too_large(error: Exception) -> bool:
    """Return whether Telegram gives bots no file of that size; it is far above any that is read."""
    return isinstance(error, BadRequest) and "too big" in error.message.casefold()
