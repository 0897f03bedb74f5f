"""What Discord needs of the environment. Every problem is reported at once, each with what to do."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bots.addresses import PLAIN_HTTP, problems_with

TOKEN, API_URL, GATEWAY_URL = "DISCORD_BOT_TOKEN", "DISCORD_API_URL", "DISCORD_GATEWAY_URL"
VARIABLES = (TOKEN, API_URL, GATEWAY_URL)

OFFICIAL = "https://discord.com/api/v10"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,40}\.[A-Za-z0-9_-]{5,10}\.[A-Za-z0-9_-]{20,100}")


@dataclass(frozen=True, slots=True)
class DiscordSettings:
    """A bot on Discord. A gateway of None is Discord's own."""

    token: str = field(repr=False)
    api: str = OFFICIAL
    gateway: str | None = None


def read(environment: Mapping[str, str]) -> tuple[DiscordSettings | None, tuple[str, ...]]:
    """Return the settings, None where Discord is not connected, and a line for everything that is wrong with them."""
    given = {name: environment.get(name, "").strip() for name in (*VARIABLES, PLAIN_HTTP)}
    if not given[TOKEN]:
        left_over = [name for name in (API_URL, GATEWAY_URL) if given[name]]
        return None, tuple(f"{name} is set, and {TOKEN} is not. Set both, or neither." for name in left_over)
    problems = tuple(_problems(given))
    if problems:
        return None, problems
    return DiscordSettings(given[TOKEN], given[API_URL].rstrip("/") or OFFICIAL, given[GATEWAY_URL] or None), ()


def _problems(given: Mapping[str, str]) -> Iterator[str]:
    if not _TOKEN.fullmatch(given[TOKEN]):
        yield (
            f'{TOKEN}: not a bot token. discord.com/developers shows it under "Bot", once, after "Reset Token":'
            " three parts with dots between them."
        )
    allowed = given[PLAIN_HTTP] == "1"
    if given[API_URL]:
        yield from problems_with(API_URL, given[API_URL], ("https", "http"), plain_allowed=allowed)
    if given[GATEWAY_URL]:
        yield from problems_with(GATEWAY_URL, given[GATEWAY_URL], ("wss", "ws"), plain_allowed=allowed)
