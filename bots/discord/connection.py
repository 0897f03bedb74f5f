"""The bot's line to Discord: who it is, and what it is told, for as long as it runs.

discord.py connects, keeps the line alive and resumes it. What it gives up over, such as a token that is no longer good, is
told to the operator here, and tried again, slower each time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any, Never

import discord

from bots.discord import library
from bots.discord.library import Heard
from bots.discord.settings import OFFICIAL, TOKEN, DiscordSettings

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 120.0
"""Seconds between two attempts to connect. From the one to the other a pause is twice as long as the last.

Discord takes a thousand identifications a day: this leaves room for them, whatever goes wrong.
"""
FIRST_IDENTIFY = 5.0
"""Seconds before a session that is over is begun anew."""
HELD = 20.0
"""Seconds for which a connection is held without a session on it: the library gives one up after sixty."""
STEADY = 600.0
"""Seconds after which a session counts as one that lasts."""
AWAY = 30.0
"""Seconds without a line until the operator is told."""
READY_TIMEOUT = 0.01
"""Seconds for which discord.py would wait for servers to be told of: of those it keeps nothing here."""

CONNECTED = "Discord is connected now."
OTHER_SERVER = " If that is the one: is DISCORD_API_URL the address of a proxy for Discord's API?"
PROXY = " Or is it the proxy: are DISCORD_API_URL, with its version, and DISCORD_GATEWAY_URL its addresses?"

Tell = Callable[[str], object]
Sleep = Callable[[float], Awaitable[None]]


class Trouble(StrEnum):
    """What stands in the way."""

    TOKEN = "token"  # noqa: S105 - a word for what is wrong
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    REFUSED = "refused"


SENTENCES = {
    Trouble.TOKEN: (
        f"Discord does not know the token. Set {TOKEN} to the one that discord.com/developers shows for your application"
        ' under "Bot", and start Hipwise again. Hipwise keeps trying, every other minute.'
    ),
    Trouble.UNREACHABLE: (
        "Discord cannot be reached. Is this machine online, and does a firewall let it out to discord.com?"
        " Hipwise keeps trying, every other minute at least."
    ),
    Trouble.BUSY: "Discord says that it is asked too often. Hipwise waits, and tries again.",
    Trouble.REFUSED: (
        "Discord refuses the connection. Does the application still exist, with a bot?"
        " Hipwise keeps trying, every other minute."
    ),
}


class Unsteady(Exception):
    """Sessions end soon after they began: the next one has to wait for so many seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__()
        self.retry_after = retry_after


class Line(discord.Client):
    """discord.py as far as it is used: it logs in, connects, keeps alive and resumes. It caches nothing."""

    def __init__(self, gone: Callable[[], None], identifying: Callable[[], Awaitable[None]]) -> None:
        super().__init__(
            # Neither is privileged: what members write to the bot itself comes with the second.
            intents=discord.Intents(guilds=True, dm_messages=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            guild_ready_timeout=READY_TIMEOUT,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._gone, self._identifying = gone, identifying

    def dispatch(self, event: str, /, *_args: Any, **_kwargs: Any) -> None:
        """Tell of a line that is gone. Nothing else that the library dispatches is used."""
        if event == "disconnect":
            self._gone()

    async def before_identify_hook(self, _shard_id: int | None, *, initial: bool = False) -> None:
        """Wait before a session is begun anew."""
        if not initial:
            await self._identifying()


class Connection:
    """One bot's line to Discord; `run` holds it until cancelled."""

    def __init__(self, settings: DiscordSettings, tell: Tell, *, sleep: Sleep = asyncio.sleep) -> None:
        self._settings, self._tell, self._sleep = settings, tell, sleep
        self._told: Trouble | None = None
        self._away: asyncio.TimerHandle | None = None
        self._pause, self._identify_pause, self._since = FIRST_PAUSE, FIRST_IDENTIFY, 0.0
        self.ready = asyncio.Event()
        """Set once Discord has told who the bot is."""
        self.app = ""
        """The application's id, once ready."""

    async def run(self, heard: Mapping[str, Heard]) -> Never:
        """Hand over these events, by name, as raw JSON values, until cancelled."""
        library.point(self._settings.api, self._settings.gateway)
        library.leave_voice()
        while True:
            error = await self._held(heard)
            trouble = _trouble(error)
            log.warning("discord.not_connected", extra={"kind": trouble.value, "error": type(error).__name__})
            self._say(trouble)
            await self._sleep(max(self._pause, getattr(error, "retry_after", 0.0)))
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    async def _held(self, heard: Mapping[str, Heard]) -> Exception:
        """Hold the line for as long as the library can; return what it gave up over."""
        line = Line(self._gone, self._identifying)

        def ready(_told: Any) -> None:
            if self._settings.gateway is not None:
                library.resume_here(line)
            self.app = str(line.application_id)
            self._back()

        library.hear(line, {**heard, "READY": ready, "RESUMED": lambda _: self._back()})
        self._gone()
        try:
            await line.start(self._settings.token)
        except Exception as error:  # noqa: BLE001 - whatever it gave up over, it is to be tried again
            return error
        finally:
            if self._away is not None:
                self._away.cancel()
                self._away = None
            await line.close()
        return ConnectionError()

    async def _identifying(self) -> None:
        """Wait before a session is begun anew: longer each time, unless the last one lasted.

        Raise Unsteady where that is longer than a connection can wait for: then it takes a new one.
        """
        if asyncio.get_running_loop().time() - self._since > STEADY:
            self._identify_pause = FIRST_IDENTIFY
        pause, self._identify_pause = self._identify_pause, min(self._identify_pause * 2, LONGEST_PAUSE)
        if pause > HELD:
            raise Unsteady(pause)
        await self._sleep(pause)

    # ---------------------------------------------------------------- What the operator is told

    def _gone(self) -> None:
        """Note that the line is gone; the library tries to get it back."""
        if self._away is None and self._told is None:
            self._away = asyncio.get_running_loop().call_later(AWAY, self._say, Trouble.UNREACHABLE)

    def _back(self) -> None:
        if self._away is not None:
            self._away.cancel()
            self._away = None
        if self._told is not None or not self.ready.is_set():
            self._tell(CONNECTED)
        self._told, self._pause, self._since = None, FIRST_PAUSE, asyncio.get_running_loop().time()
        if not self.ready.is_set():
            log.info("discord.connected")
        self.ready.set()

    def _say(self, trouble: Trouble) -> None:
        """Say what stands in the way, once; of a server of their own, that it may not be one."""
        if trouble is not self._told:
            self._tell(SENTENCES[trouble] + self._where(trouble))
        self._told = trouble

    def _where(self, trouble: Trouble) -> str:
        """Return what else it may be where the operator has set an address."""
        match trouble:
            case Trouble.TOKEN if self._settings.api != OFFICIAL:
                return OTHER_SERVER
            case Trouble.UNREACHABLE | Trouble.REFUSED if (self._settings.api, self._settings.gateway) != (OFFICIAL, None):
                return PROXY
            case _:
                return ""


def _trouble(error: Exception) -> Trouble:
    match error:
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):
            return Trouble.TOKEN
        case discord.RateLimited() | discord.HTTPException(status=429):
            return Trouble.BUSY
        case discord.HTTPException() if error.status < 500:
            return Trouble.REFUSED
        case discord.PrivilegedIntentsRequired() | discord.ConnectionClosed():
            return Trouble.REFUSED
        case _:
            return Trouble.UNREACHABLE
