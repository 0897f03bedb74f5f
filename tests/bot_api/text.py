"""Text as members see it: markup read, its parts marked, its length in UTF-16 code units as the Bot API counts."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot_api.refusal import Json, bad_request

LONGEST = 4096
"""Of a message, in UTF-16 code units once its markup is read."""
LONGEST_CAPTION = 1024
LONGEST_RAW = 2**15
"""Of what is sent, markup and all, in bytes."""
MOST_ENTITIES = 100
"""More than these are left out, without a word."""

_TAGS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("span", "tg-spoiler"), "spoiler"),
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
_TAG = re.compile(r"""<(/?)([^\s>]*)((?:\s(?:[^>"']|"[^"]*"|'[^']*')*)?)(>?)""")
_ATTRIBUTE = re.compile(r"""([^\s=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[\w.-]+))?""")
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9a-fA-F]{1,6});?")
"""The only references that are read; others, such as &nbsp;, are shown as they stand."""
_FOUND = {
    "bot_command": re.compile(r"(?<![\w/])/\w{1,64}(?:@\w{3,32})?"),
    "mention": re.compile(r"(?<![\w@/])@\w{4,32}"),
    "url": re.compile(r"https?://[^\s<>\"]+"),
}
"""What is marked without markup; the real one finds more, such as bare domains and addresses."""


@dataclass(frozen=True, slots=True)
class Formatted:
    """Text without its markup, and what the markup said."""

    text: str = ""
    entities: tuple[Json, ...] = ()


def utf16(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def typed(text: str) -> Formatted:
    """Return what somebody typed, with the commands, mentions and links that are found in it."""
    return Formatted(text, _in_order(_found(text, ())))


def formatted(text: str, parse_mode: str = "", entities: str = "", longest: int = LONGEST) -> Formatted:
    """Return what a bot sends as it is shown; raise Refusal where it cannot be read, or is marked up in anything but HTML."""
    if len(text.encode()) > LONGEST_RAW:
        raise bad_request("text is too long")
    if parse_mode.lower() == "html":
        read = _html(text)
    elif parse_mode:
        raise bad_request("unsupported parse_mode")
    else:
        read = Formatted(text, tuple(json.loads(entities)) if entities else ())
    read = _trimmed(read)
    if utf16(read.text) > longest:
        raise bad_request("message is too long" if longest == LONGEST else "message caption is too long")
    return Formatted(read.text, _in_order((*read.entities, *_found(read.text, read.entities)))[:MOST_ENTITIES])


def shown(text: str, entity: Json) -> str:
    """Return the words that an entity marks."""
    start, end = entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2
    return text.encode("utf-16-le")[start:end].decode("utf-16-le")


@dataclass(slots=True)
class _Open:
    tag: str
    attributes: dict[str, str]
    offset: int


def _html(text: str) -> Formatted:
    """Return HTML as it is shown; errors and their places, in bytes, are worded as the real ones."""
    out: list[str] = []
    entities: list[Json] = []
    opened: list[_Open] = []
    at = 0
    while (start := text.find("<", at)) >= 0:
        out.append(_unescaped(text[at:start]))
        place = f"at byte offset {len(text[:start].encode())}"
        tag = _tag(text, start, place, opened)
        so_far = "".join(out)
        if tag[1]:
            entities.extend(_closed(tag[2].lower(), opened, so_far, place))
        else:
            opened.append(_Open(tag[2].lower(), _attributes(tag[2].lower(), tag[3], place), utf16(so_far)))
        at = tag.end()
    out.append(_unescaped(text[at:]))
    if opened:
        raise _unreadable(f'Can\'t find end tag corresponding to start tag "{opened[-1].tag}"')
    return Formatted("".join(out), tuple(entities))


def _tag(text: str, start: int, place: str, opened: list[_Open]) -> re.Match[str]:
    tag = _TAG.match(text, start)
    assert tag, "the pattern fits every <"
    name = tag[2].lower()
    if tag[1] and not opened:
        raise _unreadable(f"Unexpected end tag {place}")
    if not tag[1] and name not in _TAGS and tag.end(2) < len(text):
        raise _unreadable(f'Unsupported start tag "{name}" {place}')
    if not tag[4]:
        raise _unreadable(f"Unclosed {'end' if tag[1] else 'start'} tag {place}")
    return tag


def _attributes(tag: str, rest: str, place: str) -> dict[str, str]:
    found = {name: _unescaped(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(rest)}
    if tag == "span" and found.get("class") != "tg-spoiler":
        raise _unreadable(f'Tag "span" must have class "tg-spoiler" {place}')
    return found


def _closed(tag: str, opened: list[_Open], text: str, place: str) -> Iterator[Json]:
    """Yield the entity that an end tag completes, unless it is empty or leads nowhere."""
    start = opened.pop()
    if tag not in ("", start.tag):
        raise _unreadable(f'Unmatched end tag {place}, expected "</{start.tag}>", found "</{tag}>"')
    entity: Json = {"type": _TAGS[start.tag], "offset": start.offset, "length": utf16(text) - start.offset}
    if start.tag == "a":
        entity["url"] = start.attributes.get("href") or shown(text, entity)
    if start.tag == "blockquote" and "expandable" in start.attributes:
        entity["type"] = "expandable_blockquote"
    if entity["length"] and ("url" not in entity or is_link(entity["url"])):
        yield entity


def is_link(url: str) -> bool:
    """Return whether this can be opened."""
    return bool(re.fullmatch(r"(?:https?://|tg://)\S+|[\w-]+(?:\.[\w-]+)+(?:[/?#]\S*)?", url))


def _unescaped(text: str) -> str:
    return _REFERENCE.sub(lambda found: html.unescape(found[0].removesuffix(";") + ";"), text)


def _unreadable(why: str) -> Exception:
    return bad_request(f"can't parse entities: {why}")


def _trimmed(read: Formatted) -> Formatted:
    """Return the text without white space at its ends, its entities moved along."""
    text = read.text.strip()
    gone, length = utf16(read.text[: len(read.text) - len(read.text.lstrip())]), utf16(text)
    kept = []
    for entity in read.entities:
        start = max(entity["offset"] - gone, 0)
        end = min(entity["offset"] + entity["length"] - gone, length)
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    return Formatted(text, tuple(kept))


def _found(text: str, marked: tuple[Json, ...]) -> tuple[Json, ...]:
    """Return what can be found in a text outside of links, code and what is marked as such already."""
    taken = [
        range(e["offset"], e["offset"] + e["length"]) for e in marked if e["type"] in ("text_link", "code", "pre", *_FOUND)
    ]
    found = []
    for kind, pattern in _FOUND.items():
        for match in pattern.finditer(text):
            offset = utf16(text[: match.start()])
            if not any(offset in place for place in taken):
                found.append({"type": kind, "offset": offset, "length": utf16(match[0])})
    return tuple(found)


def _in_order(entities: tuple[Json, ...]) -> tuple[Json, ...]:
    return tuple(sorted(entities, key=lambda entity: (entity["offset"], -entity["length"], entity["type"])))
