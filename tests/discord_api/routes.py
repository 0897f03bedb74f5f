"""The paths of the API, and what answers on each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from discord_api import commands, interactions, messages
from discord_api.call import Call, Result
from discord_api.commands import Commands
from discord_api.gateway import STARTS_A_DAY
from discord_api.interactions import Interactions
from discord_api.messages import Channels
from discord_api.world import User

if TYPE_CHECKING:
    from discord_api.server import DiscordApi

Answering = Callable[["DiscordApi", Call], Result]
BASE = "/api/v10"


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the API, and the name that calls of it go by in tests."""

    name: str
    method: str
    path: str
    answer: Answering
    open: bool = False
    """Whether a token in the path is enough."""

    @property
    def pattern(self) -> str:
        """Return the path as aiohttp takes it: an id or a token is anything up to the next stroke."""
        return BASE + re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", self.path)

    def major(self, call: Call) -> str:
        """Return what in a call's path limits are counted apart by."""
        return "/".join(call.place[name] for name in ("channel_id", "guild_id", "token") if name in call.place)


def _gateway(api: DiscordApi, _: Call) -> Result:
    return {"url": api.gateway_url}


def _gateway_bot(api: DiscordApi, _: Call) -> Result:
    left = STARTS_A_DAY - len(api.gateway.identified)
    starts = {"total": STARTS_A_DAY, "remaining": left, "reset_after": 14_400_000, "max_concurrency": 1}
    return {"url": api.gateway_url, "shards": 1, "session_start_limit": starts}


def _me(api: DiscordApi, _: Call) -> Result:
    return {**api.bot.json, "verified": True, "mfa_enabled": True, "flags": 0}


def _application(api: DiscordApi, _: Call) -> Result:
    return {
        "id": str(api.bot.id),
        "name": api.bot.name,
        "icon": None,
        "description": "",
        "rpc_origins": [],
        "bot_public": True,
        "bot_require_code_grant": False,
        "owner": User(1, "Owner").json,
        "verify_key": "0" * 64,
        "team": None,
        "flags": 0,
        "integration_types_config": {"0": {}, "1": {}},
    }


def _of_commands(answer: Callable[[Commands, Call], Result]) -> Answering:
    return lambda api, call: answer(api.commands, call)


def _of_interactions(answer: Callable[[Interactions, Call], Result]) -> Answering:
    return lambda api, call: answer(api.interactions, call)


def _of_channels(answer: Callable[[Channels, Call], Result]) -> Answering:
    return lambda api, call: answer(api.channels, call)


_APP = "/applications/{application_id}"
_WEBHOOK = "/webhooks/{application_id}/{token}"
_ORIGINAL = _WEBHOOK + "/messages/{message_id}"
_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = _MESSAGES + "/{message_id}"
ROUTES = (
    Route("gateway", "GET", "/gateway", _gateway, open=True),
    Route("gateway_bot", "GET", "/gateway/bot", _gateway_bot),
    Route("me", "GET", "/users/@me", _me),
    Route("application", "GET", "/oauth2/applications/@me", _application),
    Route("own_application", "GET", "/applications/@me", _application),
    Route("commands", "GET", _APP + "/commands", _of_commands(commands.get_all)),
    Route("sync", "PUT", _APP + "/commands", _of_commands(commands.put_all)),
    Route("guild_commands", "GET", _APP + "/guilds/{guild_id}/commands", _of_commands(commands.get_all)),
    Route("guild_sync", "PUT", _APP + "/guilds/{guild_id}/commands", _of_commands(commands.put_all)),
    Route(
        "callback",
        "POST",
        "/interactions/{interaction_id}/{token}/callback",
        _of_interactions(interactions.callback),
        open=True,
    ),
    Route("follow_up", "POST", _WEBHOOK, _of_interactions(interactions.follow_up), open=True),
    Route("original", "GET", _ORIGINAL, _of_interactions(interactions.get_message), open=True),
    Route("edit_original", "PATCH", _ORIGINAL, _of_interactions(interactions.edit_message), open=True),
    Route("delete_original", "DELETE", _ORIGINAL, _of_interactions(interactions.delete_message), open=True),
    Route("open_dm", "POST", "/users/@me/channels", _of_channels(messages.open_dm)),
    Route("channel", "GET", "/channels/{channel_id}", _of_channels(messages.get_channel)),
    Route("typing", "POST", "/channels/{channel_id}/typing", _of_channels(messages.type_on)),
    Route("send", "POST", _MESSAGES, _of_channels(messages.send)),
    Route("read", "GET", _MESSAGES, _of_channels(messages.get_many)),
    Route("read_one", "GET", _MESSAGE, _of_channels(messages.get_one)),
    Route("edit", "PATCH", _MESSAGE, _of_channels(messages.edit)),
    Route("delete", "DELETE", _MESSAGE, _of_channels(messages.delete)),
)
