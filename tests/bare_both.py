"""The baseline of a Hipwise on both platforms: what it imports, and with `connect` the bare libraries connecting."""

import asyncio
import os
import sys

# What a bot on this stack imports, whatever it does.
import aiosqlite  # noqa: F401
import apscheduler.schedulers.asyncio  # noqa: F401
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from telegram.ext import Application


async def connect() -> None:
    """Ask Telegram for updates, and listen to Discord, until killed."""
    url = os.environ["TELEGRAM_API_URL"]
    application = Application.builder().token(os.environ["TELEGRAM_BOT_TOKEN"]).base_url(f"{url}/bot").build()
    Route.BASE = os.environ["DISCORD_API_URL"]
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD_GATEWAY_URL"])
    client = discord.Client(intents=discord.Intents(guilds=True, dm_messages=True))
    async with application, client:
        await application.start()
        if application.updater is not None:
            await application.updater.start_polling()
        await client.start(os.environ["DISCORD_BOT_TOKEN"])


def main() -> None:
    """Connect, or say that all is imported; then wait to be killed."""
    if sys.argv[1:] == ["connect"]:
        asyncio.run(connect())
    print("imported", flush=True)  # noqa: T201 - whoever started it waits for that
    sys.stdin.read()


if __name__ == "__main__":
    main()
