"""The real python-telegram-bot, connected to this server."""

import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.request import HTTPXRequest

from bot_api.refusal import Json
from bot_api.server import TOKEN, BotApi

ONE_BUTTON = InlineKeyboardMarkup([[InlineKeyboardButton("Go on", callback_data="1")]])
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""To read those of the machine takes longer than most tests."""


@asynccontextmanager
async def connected(server: BotApi, token: str = TOKEN, read_timeout: float = 5) -> AsyncIterator[Bot]:
    """Give the library's bot, which has asked nothing yet."""
    kept = {"verify": _NO_CERTIFICATES}
    requests = [HTTPXRequest(connection_pool_size=64, read_timeout=read_timeout, httpx_kwargs=kept) for _ in range(2)]
    bot = Bot(
        token,
        base_url=server.base_url,
        base_file_url=f"{server.url}/file/bot",
        request=requests[0],
        get_updates_request=requests[1],
    )
    for request in requests:
        await request.initialize()
    try:
        yield bot
    finally:
        for request in requests:
            await request.shutdown()


async def asked(server: BotApi, method: str, params: Json) -> tuple[int, Json]:
    """Return the status and the body that a method answers, without the library."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.base_url}{TOKEN}/{method}", json=params) as response,
    ):
        return response.status, await response.json()


@contextmanager
def unheard(*names: str) -> Iterator[None]:
    """Keep these loggers quiet about what is meant to go wrong."""
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
