"""What buttons and menus carry: the core's tokens, unread, and a few names of our own. No I/O."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

TYPE = "type"
"""The button that opens the form for a typed answer, and that form."""
TYPED = "typed"
"""The field of that form."""
PAGE = "page:"
"""How the buttons begin that turn the pages of a message."""
MENU = "menu:"
"""How a menu begins. What it offers are tokens."""
LONGEST_KEPT = 80
"""Characters of that under which the pages can be found."""
_TOKEN = re.compile(r"hip\d{0,4}:(.*)", re.DOTALL)
_PAGE = re.compile(rf"{PAGE}(\d{{1,3}}):(.{{0,{LONGEST_KEPT}}})", re.DOTALL)


def naming() -> Callable[[str], str]:
    """Return what names a button after its token: differently each time, for no two in a message may have the same name."""
    given: dict[str, Iterator[int]] = {}

    def named(token: str) -> str:
        number = next(given.setdefault(token, count()))
        return f"hip{number or ''}:{token}"

    return named


def token_of(custom_id: str) -> str | None:
    """Return the token that a button carries, unread; None where it carries none."""
    found = _TOKEN.fullmatch(custom_id)
    return found[1] if found else None


def page(number: int, kept: str) -> str:
    """Return the custom id that asks for a page, counted from 0, of what is kept under an id."""
    return f"{PAGE}{number}:{kept[:LONGEST_KEPT]}"


def page_of(custom_id: str) -> tuple[int, str] | None:
    """Return the page that a button asks for and under what it is kept; None where it asks for none."""
    found = _PAGE.fullmatch(custom_id)
    return (int(found[1]), found[2]) if found else None


def taps(values: Sequence[str], custom_id: str, components: Sequence[Any]) -> tuple[str, ...]:
    """Return the tokens that are tapped by leaving a menu with these values chosen.

    `components` are those of the message with the menu, as Discord hands them back. Tapped is whatever is chosen now and was
    not, or was and is not: the token of a line says which of the two it does. What the menu does not offer is not tapped.
    """
    chosen = set(values)
    menus = (one for one in _walk(components) if one.get("custom_id") == custom_id)
    offered = [one for menu in menus for one in _mappings(menu.get("options")) if isinstance(one.get("value"), str)]
    changed = (one["value"] for one in offered if (one["value"] in chosen) is not bool(one.get("default")))
    return tuple(token for value in changed if (token := token_of(value)) is not None)


def _walk(components: object) -> Iterator[Mapping[str, Any]]:
    for one in _mappings(components):
        yield one
        yield from _walk(one.get("components"))


def _mappings(given: object) -> Iterator[Mapping[str, Any]]:
    return (one for one in given if isinstance(one, Mapping)) if isinstance(given, Sequence) else iter(())
