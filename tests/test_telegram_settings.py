"""What is wrong with the settings of Telegram is said at once, with what to do, and never with what was set."""

import pytest

from bots.telegram.settings import OFFICIAL, TelegramSettings, Webhook, read

TOKEN = "123456789:ABCdef-ghIJKlmnOPQrstuVWxyz0123456789"
SECRET = "a-secret-of-enough-letters"
HOOK = {"TELEGRAM_WEBHOOK_URL": "https://club.example/tg", "TELEGRAM_WEBHOOK_SECRET": SECRET, "PORT": "8080"}


def problems(**given: str) -> str:
    settings, lines = read({"TELEGRAM_BOT_TOKEN": TOKEN, **given})
    assert (settings is None) == bool(lines)
    return "\n".join(lines)


def test_without_a_token_telegram_is_not_connected() -> None:
    assert read({}) == (None, ())


def test_a_token_is_enough() -> None:
    assert read({"TELEGRAM_BOT_TOKEN": f" {TOKEN} "}) == (TelegramSettings(TOKEN, OFFICIAL), ())


def test_a_webhook_has_an_address_a_port_and_a_secret_or_two() -> None:
    settings, _ = read({"TELEGRAM_BOT_TOKEN": TOKEN, **HOOK, "TELEGRAM_WEBHOOK_SECRET": f"{SECRET},{SECRET[::-1]}"})

    assert settings is not None
    assert settings.webhook == Webhook("https://club.example/tg", 8080, (SECRET, SECRET[::-1]))
    assert settings.webhook.path == "/tg"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"TELEGRAM_BOT_TOKEN": "my token"}, "TELEGRAM_BOT_TOKEN"),
        ({"TELEGRAM_API_URL": "api.telegram.org"}, "TELEGRAM_API_URL"),
        ({"TELEGRAM_API_URL": "http://bot-api.club:8081"}, "HIPWISE_ALLOW_PLAIN_HTTP"),
        ({"TELEGRAM_API_URL": "http://127.0.0.1:port"}, "TELEGRAM_API_URL"),
        ({"TELEGRAM_API_URL": "https://a:b@club.example"}, "TELEGRAM_API_URL"),
        ({"TELEGRAM_WEBHOOK_SECRET": SECRET}, "TELEGRAM_WEBHOOK_URL"),
        ({**HOOK, "TELEGRAM_WEBHOOK_SECRET": ""}, "TELEGRAM_WEBHOOK_SECRET"),
        ({**HOOK, "TELEGRAM_WEBHOOK_SECRET": "short"}, "TELEGRAM_WEBHOOK_SECRET"),
        ({**HOOK, "TELEGRAM_WEBHOOK_SECRET": f"{SECRET},{SECRET},{SECRET}"}, "TELEGRAM_WEBHOOK_SECRET"),
        ({**HOOK, "PORT": "eighty"}, "PORT"),
        ({**HOOK, "PORT": "0"}, "PORT"),
        ({**HOOK, "PORT": ""}, "PORT"),
        ({**HOOK, "TELEGRAM_WEBHOOK_URL": "http://club.example/tg"}, "TELEGRAM_WEBHOOK_URL"),
        ({**HOOK, "TELEGRAM_WEBHOOK_URL": "https://club.example/{tg}"}, "TELEGRAM_WEBHOOK_URL"),
        ({**HOOK, "TELEGRAM_WEBHOOK_URL": "https://club.example/t%67"}, "TELEGRAM_WEBHOOK_URL"),
        ({**HOOK, "TELEGRAM_WEBHOOK_URL": "https://club.example:8080/tg"}, "8443"),
        ({**HOOK, "TELEGRAM_WEBHOOK_URL": "https://club.example:port/tg"}, "TELEGRAM_WEBHOOK_URL"),
    ],
)
def test_what_is_wrong_is_named_and_never_shown(given: dict[str, str], named: str) -> None:
    lines = problems(**given)

    assert named in lines
    assert not [value for name, value in given.items() if ("SECRET" in name or "TOKEN" in name) and value and value in lines]


@pytest.mark.parametrize(
    "api", ["http://127.0.0.1:8081", "http://localhost:8081", "http://[::1]:8081", "https://api.club.example"]
)
def test_plain_http_is_for_this_machine(api: str) -> None:
    assert problems(TELEGRAM_API_URL=api) == ""


def test_a_server_of_ones_own_delivers_to_any_port() -> None:
    own = {"TELEGRAM_API_URL": "http://127.0.0.1:8081", **HOOK, "TELEGRAM_WEBHOOK_URL": "http://127.0.0.1:8080/tg"}

    assert problems(**own) == ""


def test_plain_http_elsewhere_has_to_be_said() -> None:
    assert problems(TELEGRAM_API_URL="http://bot-api.club:8081", HIPWISE_ALLOW_PLAIN_HTTP="1") == ""


def test_every_problem_is_told_at_once() -> None:
    assert len(problems(TELEGRAM_BOT_TOKEN="x", TELEGRAM_API_URL="y", TELEGRAM_WEBHOOK_URL="z").splitlines()) == 5


@pytest.mark.parametrize("name", ["TELEGRAM_API_URL", "TELEGRAM_WEBHOOK_URL", "TELEGRAM_WEBHOOK_SECRET"])
def test_settings_of_telegram_without_its_token_are_named(name: str) -> None:
    assert read({name: "x"})[1] == (f"{name} is set, and TELEGRAM_BOT_TOKEN is not. Set both, or neither.",)


def test_nothing_secret_is_in_a_repr() -> None:
    settings, _ = read({"TELEGRAM_BOT_TOKEN": TOKEN, **HOOK})

    assert TOKEN not in repr(settings)
    assert SECRET not in repr(settings)
