"""Fetches what a member has sent: from Discord's own hosts alone, without the bot's token, bounded in bytes and in time."""

import aiohttp
import yarl

from bots import VERSION
from bots.discord.settings import OFFICIAL
from core.calendar import LARGEST
from core.dialogue import Missing

HOSTS = ("https://cdn.discordapp.com", "https://media.discordapp.net")
"""Where files that members send are: docs.discord.com/developers/reference, "CDN"."""
FETCHED_WITHIN = 8.0
"""Seconds for a file: whoever sent it waits for what is said of it."""


class Files:
    """What members have sent. Where an operator has named another API, its host may have it too."""

    def __init__(self, api: str) -> None:
        self._origins = {yarl.URL(host).origin() for host in (*HOSTS, *(() if api == OFFICIAL else (api,)))}

    async def read(self, url: str, size: int) -> bytes | Missing:
        """Return what is in a file, or why it cannot be had; one that says that it is too large is not asked for."""
        if size > LARGEST:
            return Missing.TOO_LARGE
        try:
            address = yarl.URL(url)
            if address.user is not None or address.origin() not in self._origins:
                return Missing.NOT_FETCHED
            return await _fetched(address)
        except (ValueError, TimeoutError, aiohttp.ClientError):  # the first of an address that is none
            return Missing.NOT_FETCHED


async def _fetched(address: yarl.URL) -> bytes | Missing:
    """Return what is there; reading ends as soon as that is too much, whatever was said before of its size."""
    async with (
        aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=FETCHED_WITHIN),
            headers={"User-Agent": f"hipwise/{VERSION}", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        ) as session,
        session.get(address, allow_redirects=False) as response,
    ):
        if response.status != 200:
            return Missing.NOT_FETCHED
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > LARGEST:
                return Missing.TOO_LARGE
        return bytes(content)
