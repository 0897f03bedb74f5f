"""What Telegram needs of the environment. Every problem is reported at once, each with what to do."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bots.addresses import PLAIN_HTTP, problems_with

TOKEN, API_URL = "TELEGRAM_BOT_TOKEN", "TELEGRAM_API_URL"
WEBHOOK_URL, WEBHOOK_SECRET, PORT = "TELEGRAM_WEBHOOK_URL", "TELEGRAM_WEBHOOK_SECRET", "PORT"
VARIABLES = (TOKEN, API_URL, WEBHOOK_URL, WEBHOOK_SECRET, PORT, PLAIN_HTTP)

HTTP = ("https", "http")
OFFICIAL = "https://api.telegram.org"
_TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{20,100}")
_PATH = re.compile(r"[A-Za-z0-9/_.~-]*")
_PORTS = (None, 443, 80, 88, 8443)
"""To others Telegram does not deliver: https://core.telegram.org/bots/webhooks. A server of one's own does."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Telegram delivers updates: its address for us, our port, and the secrets that it may show."""

    url: str
    port: int
    secrets: tuple[str, ...] = field(repr=False)
    """The first is the one that Telegram is given; a second is still taken, while it changes."""

    @property
    def path(self) -> str:
        """Return the path of the address."""
        return urlsplit(self.url).path or "/"


@dataclass(frozen=True, slots=True)
class TelegramSettings:
    """A bot on Telegram; without a webhook it asks for updates."""

    token: str = field(repr=False)
    api: str = OFFICIAL
    webhook: Webhook | None = None


def read(environment: Mapping[str, str]) -> tuple[TelegramSettings | None, tuple[str, ...]]:
    """Return the settings, None where Telegram is not connected, and a line for everything that is wrong with them."""
    given = {name: environment.get(name, "").strip() for name in VARIABLES}
    if not given[TOKEN]:
        left_over = [name for name in (API_URL, WEBHOOK_URL, WEBHOOK_SECRET) if given[name]]
        return None, tuple(f"{name} is set, and {TOKEN} is not. Set both, or neither." for name in left_over)
    problems = tuple(_problems(given))
    if problems:
        return None, problems
    return TelegramSettings(given[TOKEN], given[API_URL].rstrip("/") or OFFICIAL, _webhook(given)), ()


def _webhook(given: Mapping[str, str]) -> Webhook | None:
    if not given[WEBHOOK_URL]:
        return None
    return Webhook(given[WEBHOOK_URL], int(given[PORT]), tuple(given[WEBHOOK_SECRET].split(",")))


def _problems(given: Mapping[str, str]) -> Iterator[str]:
    plain = given[PLAIN_HTTP] == "1"
    if not _TOKEN.fullmatch(given[TOKEN]):
        yield f"{TOKEN}: not a bot token. @BotFather on Telegram shows it: digits, a colon, then letters and digits."
    if given[API_URL]:
        yield from problems_with(API_URL, given[API_URL], HTTP, plain_allowed=plain)
    if given[WEBHOOK_URL]:
        yield from problems_with(WEBHOOK_URL, given[WEBHOOK_URL], HTTP, plain_allowed=plain)
        yield from _webhook_address_problems(given)
        yield from _webhook_problems(given)
    elif given[WEBHOOK_SECRET]:
        yield f"{WEBHOOK_SECRET} is set, and {WEBHOOK_URL} is not. Set both for a webhook, or neither."


def _webhook_address_problems(given: Mapping[str, str]) -> Iterator[str]:
    try:
        address = urlsplit(given[WEBHOOK_URL])
        port = address.port
    except ValueError:
        return  # that was told
    if not _PATH.fullmatch(address.path):
        yield f"{WEBHOOK_URL}: behind the name of the host only A-Z, a-z, 0-9, /, _, ., ~ and - may stand."
    if port not in _PORTS and not given[API_URL]:
        yield f"{WEBHOOK_URL}: Telegram delivers to port 443, 80, 88 or 8443 only."


def _webhook_problems(given: Mapping[str, str]) -> Iterator[str]:
    secrets = given[WEBHOOK_SECRET].split(",")
    if not all(_SECRET.fullmatch(secret) for secret in secrets) or len(secrets) > 2:
        yield (
            f"{WEBHOOK_SECRET}: a webhook needs a secret of 16 to 256 characters of A-Z, a-z, 0-9, _ and -."
            " While it changes: NEW,OLD."
        )
    if not (given[PORT].isascii() and given[PORT].isdigit() and 0 < int(given[PORT]) < 65_536):
        yield f"{PORT}: a webhook needs the port to listen on, 1 to 65535."
