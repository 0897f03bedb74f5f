"""The real discord.py, pointed at this server, kept from every other, and not made to wait."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any
from unittest.mock import patch

import aiohttp
import yarl
from discord import Client
from discord.gateway import DiscordWebSocket
from discord.http import Route

from discord_api.server import TOKEN, DiscordApi


@contextmanager
def pointed(rest: str, gateway: str) -> Iterator[None]:
    """Point discord.py at these addresses; it has no setting for them, so its classes are set, and set back."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = rest, yarl.URL(gateway)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


class OnlyLoopback(aiohttp.TCPConnector):
    """Connects to 127.0.0.1 and nowhere else: `Client(connector=OnlyLoopback())`."""

    async def connect(self, req: aiohttp.ClientRequest, *rest: Any, **more: Any) -> Any:
        """Raise AssertionError for any other host, before its name is looked up."""
        assert req.url.host == "127.0.0.1", f"a test asked for {req.url.host}"
        return await super().connect(req, *rest, **more)


@asynccontextmanager
async def running(api: DiscordApi, client: Client, token: str = TOKEN) -> AsyncIterator[Client]:
    """Run a client once it is ready; it is closed in the end, and what ended it before that is raised."""
    async with connecting(api, client, token) as connected:
        yield client
        await client.close()
        await connected


@asynccontextmanager
async def connecting(api: DiscordApi, client: Client, token: str = TOKEN) -> AsyncIterator[asyncio.Task[None]]:
    """Give the connection of a client that is ready; raise what keeps it from that."""
    with pointed(api.url, api.gateway_url):
        async with client:
            await client.login(token)
            connected = asyncio.create_task(client.connect())
            ready = asyncio.create_task(client.wait_until_ready())
            await asyncio.wait((connected, ready), return_when=asyncio.FIRST_COMPLETED)
            if connected.done():
                ready.cancel()
                connected.result()
            try:
                yield connected
            finally:
                await client.close()
                await asyncio.wait((connected,))


@contextmanager
def hurried(waited: Callable[[float], None]) -> Iterator[None]:
    """Let the library's own waits, in seconds, be told to `waited` and be over at once."""

    class Hurried:
        def __getattr__(self, name: str) -> Any:
            return getattr(asyncio, name)

        async def sleep(self, seconds: float) -> None:
            waited(seconds)
            await asyncio.sleep(0)

    with ExitStack() as stack:
        for module in ("discord.http", "discord.webhook.async_", "discord.client"):
            stack.enter_context(patch(f"{module}.asyncio", Hurried()))
        yield


async def asked(api: DiscordApi, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Return the status and the body that a path answers, without the library."""
    headers = {"Authorization": f"Bot {api.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, api.url + path, json=body) as response,
    ):
        text = await response.read()
        return response.status, json.loads(text) if text else None
