"""What a member sees of a message on Discord: its markdown as it is shown, its buttons, and what is ticked in its menus."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bots.discord.custom_ids import token_of
from core.dialogue import Button, Reply, Role
from discord_api.components import Kind, walk
from discord_api.refusal import Json

TICK = "\u2611 "

_HEADING = re.compile(r"(#{1,3}) +(?P<says>\S.*)")
_SMALL = re.compile(r"-# +(?P<says>\S.*)")
_ITEM = re.compile(r"(?P<space> *)(?P<bullet>[-*]|\d+\.) +(?P<says>.*)")
_QUOTE = re.compile(r" *>(>>)? ")
_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_MARK = re.compile(r"[*_~`\[]|\|\||<[@#:/a-z0-9]|@everyone|@here|(?:https?|steam)://|:[\w+~-]+:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class View:
    """A message as it is seen."""

    text: str
    """Its words, each container's below those of the one before."""
    headings: tuple[str, ...]
    buttons: tuple[str, ...]
    ticked: tuple[str, ...]
    open: tuple[str, ...]
    """The lines of its menus that are not ticked."""

    @property
    def lines(self) -> frozenset[str]:
        """Return each line of its words."""
        return frozenset(self.text.splitlines())

    @property
    def words(self) -> str:
        """Return all that can be read on it."""
        return "\n".join((self.text, *self.buttons, *self.ticked, *self.open))


def view(components: Iterable[Json]) -> View:
    """Return what is seen of the components of a message."""
    parts = list(walk(components))
    texts = [one["content"] for one in parts if one["type"] == Kind.TEXT]
    options = [option for one in parts if one["type"] == Kind.MENU for option in one["options"]]
    return View(
        text="\n\n".join(map(shown, texts)),
        headings=tuple(inline(found["says"]) for text in texts for line in text.split("\n") if (found := _HEADING.match(line))),
        buttons=tuple(one["label"] for one in parts if one["type"] == Kind.BUTTON),
        ticked=tuple(option["label"] for option in options if option.get("default")),
        open=tuple(option["label"] for option in options if not option.get("default")),
    )


def shown(markdown: str) -> str:
    """Return markdown as Discord shows it, in plain text; AssertionError for what is shown as more than text.

    Headings, small print and lists are; a list is shown with a dash in front of each of its lines.
    """
    lines = markdown.split("\n")
    return "\n".join(_line(line, lines[number + 1 :]) for number, line in enumerate(lines))


def inline(text: str) -> str:
    """Return a part of a line as it is shown; AssertionError for marks, links, faces and mentions."""
    return "".join(_pieces(text))


def _line(line: str, below: list[str]) -> str:
    assert not _QUOTE.match(line), f"a quote: {line!r}"
    if found := _HEADING.fullmatch(line) or _SMALL.fullmatch(line):
        return inline(found["says"])
    if found := _ITEM.fullmatch(line):
        assert (found["space"], found["bullet"]) == ("", "-"), f"a list of another kind: {line!r}"
        next_line = below[0] if below else ""
        assert not next_line or _ITEM.fullmatch(next_line), f"{next_line!r} would be a part of {line!r}"
        assert not re.match(r"#{1,3} |-# | *>|[-*] |\d+\. ", found["says"]), f"more than text in {line!r}"
        return f"- {inline(found['says'])}"
    return inline(line)


def _pieces(text: str) -> Iterator[str]:
    while text:
        if found := _ESCAPE.match(text):
            yield found[1]
            text = text[2:]
            continue
        assert not _MARK.match(text), f"more than text: {text!r}"
        yield text[0]
        text = text[1:]


# ---------------------------------------------------------------- Word for word


def differences(reply: Reply, container: Json) -> list[str]:
    """Return what is not the same in what the core says and in what is seen of it: words, buttons, ticks, tokens."""
    seen = view([container])
    lines = seen.ticked + seen.open
    ticks = [b for b in reply.choices if b.ticked is not None]
    pairs = {
        "the words": ([text for text in _texts(reply) if text == seen.text] or [reply.text], [seen.text]),
        "what is pressed": (
            _labels(b for b in reply.choices if b.ticked is None),
            _read(seen.buttons + (() if ticks else lines)),
        ),
        "what is ticked": (_labels(b for b in ticks if b.ticked), _read(seen.ticked)),
        "what can be ticked": (_labels(ticks), _read(lines if ticks else ())),
        "what is carried": (sorted(b.tap for b in reply.choices), sorted(carried(container))),
    }
    return [f"{what}: {said!r} is shown as {shown!r}" for what, (said, shown) in pairs.items() if said != shown]


def carried(component: Json) -> Iterator[str]:
    """Yield the tokens that a component and those in it carry."""
    for one in walk([component]):
        names = [one.get("custom_id"), *(option["value"] for option in one.get("options", ()))]
        yield from (token for name in names if name and (token := token_of(name)) is not None)


def _texts(reply: Reply) -> tuple[str, ...]:
    """Return the words of a reply, also with its answers as lines below them: with a dash, or with the number to type."""
    answers = [(n, f"{TICK if b.ticked else ''}{b.label}") for n, b in enumerate(reply.choices, 1) if b.role is Role.ANSWER]
    listed = ("\n".join(f"- {label}" for _, label in answers), "\n".join(f"{n}. {label}" for n, label in answers))
    return (reply.text, *(f"{reply.text}\n\n{lines}" for lines in listed))


def _labels(buttons: Iterable[Button]) -> list[str]:
    return sorted(_start(b.label) for b in buttons)


def _read(labels: Iterable[str]) -> list[str]:
    """Return labels without the number that stands in front of some of them."""
    return sorted(_start(re.sub(r"^\d+\. ", "", label).removesuffix("\u2026")) for label in labels)


def _start(label: str) -> str:
    """Return what is read of the longest label, whatever stands in front of it: all of it is read in the text."""
    return label[:70]
