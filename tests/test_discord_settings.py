"""What is wrong with the settings of Discord is said at once, with what to do, and never with what was set."""

import pytest

from bots.discord.settings import OFFICIAL, DiscordSettings, read
from discord_api import TOKEN


def problems(**given: str) -> str:
    settings, lines = read({"DISCORD_BOT_TOKEN": TOKEN, **given})
    assert (settings is None) == bool(lines)
    return "\n".join(lines)


def test_without_a_token_discord_is_not_connected() -> None:
    assert read({}) == (None, ())


def test_a_token_is_enough() -> None:
    assert read({"DISCORD_BOT_TOKEN": f" {TOKEN} "}) == (DiscordSettings(TOKEN, OFFICIAL, None), ())


def test_a_token_is_never_shown() -> None:
    assert TOKEN not in repr(DiscordSettings(TOKEN))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"DISCORD_BOT_TOKEN": "my token"}, "DISCORD_BOT_TOKEN"),
        ({"DISCORD_BOT_TOKEN": f"Bot {TOKEN}"}, "DISCORD_BOT_TOKEN"),
        ({"DISCORD_API_URL": "discord.com/api"}, "https://"),
        ({"DISCORD_API_URL": "http://proxy.club:8080/api/v10"}, "HIPWISE_ALLOW_PLAIN_HTTP"),
        ({"DISCORD_API_URL": "ws://127.0.0.1:8080"}, "https://"),
        ({"DISCORD_API_URL": "http://127.0.0.1:port"}, "DISCORD_API_URL"),
        ({"DISCORD_API_URL": "https://a:b@club.example"}, "DISCORD_API_URL"),
        ({"DISCORD_API_URL": "https://club.example/?x=y"}, "DISCORD_API_URL"),
        ({"DISCORD_GATEWAY_URL": "ws://proxy.club:8081"}, "HIPWISE_ALLOW_PLAIN_HTTP"),
        ({"DISCORD_GATEWAY_URL": "http://127.0.0.1:8081"}, "wss://"),
        ({"DISCORD_GATEWAY_URL": "http://[::1"}, "DISCORD_GATEWAY_URL"),
    ],
)
def test_what_is_wrong_is_named_and_never_shown(given: dict[str, str], named: str) -> None:
    lines = problems(**given)

    assert named in lines
    assert given.get("DISCORD_BOT_TOKEN", "\n\n") not in lines


@pytest.mark.parametrize(
    "given",
    [
        {"DISCORD_API_URL": "http://127.0.0.1:8080/api/v10"},
        {"DISCORD_API_URL": "https://proxy.club/api/v10/"},
        {"DISCORD_GATEWAY_URL": "ws://localhost:8081"},
        {"DISCORD_GATEWAY_URL": "ws://[::1]:8081/"},
        {"DISCORD_GATEWAY_URL": "wss://proxy.club"},
        {
            "DISCORD_API_URL": "http://proxy.club/api/v10",
            "DISCORD_GATEWAY_URL": "ws://proxy.club",
            "HIPWISE_ALLOW_PLAIN_HTTP": "1",
        },
    ],
)
def test_plain_http_is_for_this_machine_or_for_who_asks_for_it(given: dict[str, str]) -> None:
    assert problems(**given) == ""


@pytest.mark.parametrize("name", ["DISCORD_API_URL", "DISCORD_GATEWAY_URL"])
def test_an_address_without_a_token_is_left_over(name: str) -> None:
    settings, lines = read({name: "https://proxy.club"})

    assert settings is None
    assert name in "".join(lines)
