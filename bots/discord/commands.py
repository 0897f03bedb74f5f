"""The commands that Discord shows, and what it suggests behind them. Written only when they changed."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from bots.discord.interactions import FILE, TEXT
from bots.discord.limits import CHOICES, LONGEST_CHOICE
from bots.discord.request import Requests
from core.words import Words

SLASH = 1
"""The type of a command."""
EVERYWHERE, ANYHOW = [0, 1, 2], [0, 1]
"""Contexts: servers, the conversation with the bot, other conversations. Installed on a server, or for one's own account."""
BEHIND = {
    "care": {"topic": TEXT},
    "club": {"change": TEXT, "calendar": FILE},
    "link": {"code": TEXT},
    "pause": {"how_long": TEXT},
    "ran": {"run": TEXT},
}
"""What can stand behind each command, and of which type it is."""
SUGGESTED = "topic"
"""What Hipwise suggests as it is typed."""
LOCALES = {"en": ("en-GB", "en-US"), "es": ("es-ES", "es-419"), "pt": ("pt-BR",), "sv": ("sv-SE",)}
"""Discord's names of languages that are not called as ours are."""


def tree(words: Words) -> list[dict[str, Any]]:
    """Return the commands as the API takes them."""
    return [_command(name, says, words) for name, says in words.table("platform", "commands").items()]


async def sync(requests: Requests, app: str, words: Words) -> bool:
    """Have Discord show the commands as they are now; return whether they had to be written."""
    path, ours = f"/applications/{app}/commands", tree(words)
    shown = await requests.ask("GET", f"{path}?with_localizations=true", token=True)
    if digest(ours) == digest(_as_shown(ours, shown)):
        return False
    await requests.ask("PUT", path, ours, token=True)
    return True


def digest(commands: Iterable[Mapping[str, Any]]) -> str:
    """Return a digest that is the same for the same commands, in whatever order they come."""
    each = sorted(msgspec.json.encode(command, order="deterministic") for command in commands)
    return hashlib.sha256(b"\n".join(each)).hexdigest()


def topics(words: Words) -> tuple[str, ...]:
    """Return the titles of all care pages."""
    pages = words.table("care").values()
    return tuple(page["title"] for page in pages if isinstance(page, Mapping) and "title" in page)


def suggested(typed: str, titles: Sequence[str]) -> list[dict[str, str]]:
    """Return the titles that fit what was typed so far, those first that begin with it."""
    sought = typed.casefold()
    found = sorted((t for t in titles if sought in t.casefold()), key=lambda t: not t.casefold().startswith(sought))
    return [{"name": title[:LONGEST_CHOICE], "value": title[:LONGEST_CHOICE]} for title in found[:CHOICES]]


def _command(name: str, says: str, words: Words) -> dict[str, Any]:
    command = {"type": SLASH, "name": name, **_described(says, words)}
    options = [_option(option, kind, words) for option, kind in BEHIND.get(name, {}).items()]
    if options:
        command["options"] = options
    return {**command, "contexts": EVERYWHERE, "integration_types": ANYHOW}


def _option(name: str, kind: int, words: Words) -> dict[str, Any]:
    option = {"type": kind, "name": name, **_described(words("platform", "discord", name), words)}
    return {**option, "autocomplete": True} if name == SUGGESTED else option


def _described(says: str, words: Words) -> dict[str, Any]:
    """Return a description for everyone, and for the language of the words."""
    locales = LOCALES.get(words.language, (words.language,))
    return {"description": says, "description_localizations": dict.fromkeys(locales, says)}


def _as_shown(ours: list[dict[str, Any]], shown: object) -> list[dict[str, Any]]:
    """Return what is shown, of each command only what ours say of it."""
    names = {command["name"]: command for command in ours}
    theirs = [one for one in shown if isinstance(one, dict)] if isinstance(shown, list) else []
    return [_projected(names.get(one.get("name"), {}), one) for one in theirs]


def _projected(ours: Any, theirs: Any) -> Any:
    match ours, theirs:
        case dict(), dict():
            return {key: _projected(value, theirs.get(key)) for key, value in ours.items()}
        case [dict(), *_], list() if len(ours) == len(theirs):
            return [_projected(one, other) for one, other in zip(ours, theirs, strict=True)]
        case list(), list() if set(map(repr, ours)) == set(map(repr, theirs)):
            return ours
        case _:
            return theirs
