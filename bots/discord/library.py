"""The one place that reaches into discord.py, for what it has no setting for.

Its addresses are attributes of its classes. And of what the gateway tells, it makes objects for everything it knows:
servers, channels, members, messages; an event that it cannot read ends the client. We need few events, and those raw.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import yarl
from discord import Client, VoiceClient
from discord.gateway import DiscordWebSocket
from discord.http import Route

log = logging.getLogger(__name__)

GATEWAY = DiscordWebSocket.DEFAULT_GATEWAY

Heard = Callable[[Any], None]
"""Told the data of an event."""


def point(api: str, gateway: str | None) -> None:
    """Have the library ask this API, and connect to this gateway, or to Discord's own."""
    Route.BASE = api
    DiscordWebSocket.DEFAULT_GATEWAY = GATEWAY if gateway is None else yarl.URL(gateway)


def leave_voice() -> None:
    """Have the library not warn at every start of what it would need for voice, which is not used here."""
    VoiceClient.warn_nacl = VoiceClient.warn_dave = False


def hear(client: Client, events: Mapping[str, Heard]) -> None:
    """Have a client that is not connected yet hand over these events, by name, and make nothing of any other.

    What a listener fails with is logged by its type: it must not end the client.
    """
    client._connection.parsers = {name: _guarded(heard) for name, heard in events.items()}  # noqa: SLF001


def resume_here(client: Client) -> None:
    """Have a client whose READY has just come resume where it is, and not where Discord says: behind a proxy."""
    client.ws.gateway = DiscordWebSocket.DEFAULT_GATEWAY


def _guarded(heard: Heard) -> Heard:
    def guarded(data: Any) -> None:
        try:
            heard(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next event is another
            log.error("event.failed", extra={"error": type(error).__name__})  # noqa: TRY400

    return guarded
