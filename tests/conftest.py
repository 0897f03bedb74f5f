"""Fixtures: a member who has not written yet; a Bot API, the library's bot on it, and someone who has written to that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from chat import Chat, Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telegram import Bot

    from bot_api import BotApi, Member

# The settings of whoever runs the tests are not theirs.
os.environ["HIPWISE_ENV_FILE"] = os.devnull


@pytest.fixture
def chat() -> Chat:
    """Return a fresh conversation."""
    return Chat()


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[BotApi]:
    """Return a Bot API that goes by the clock that stands still."""
    from bot_api import BotApi  # only the tests of Telegram wait for it

    async with BotApi(now=clock) as opened:
        yield opened


@pytest.fixture
async def bot(server: BotApi) -> AsyncIterator[Bot]:
    """Return the library's bot, which has asked nothing yet."""
    from bot_api.library import connected

    async with connected(server) as opened:
        yield opened


@pytest.fixture
def anna(server: BotApi) -> Member:
    """Return the private chat of someone who has written to the bot; the bot has been told."""
    chat = server.private(server.user(7, "Anna"))
    chat.says("/start")
    server.world.updates.drop()
    return chat
