"""Who has signed what: a sign-off holds for exactly what was read, so any change takes it away."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from content.schema import SignOffFile
from core.library import Library

KINDS = ("rule", "advice", "care", "condition", "question", "checkin", "limit", "tip", "load")
HASH_LENGTH = 16
_NOT_SIGNED = ("fingerprint",)
"""Fields that only repeat the others."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """An item that nobody has signed as it stands; `changed` says who had signed an earlier form of it."""

    item: str
    changed: str = ""


def items(library: Library) -> tuple[str, ...]:
    """Return everything that can be signed, as `kind:id`. A rule is also a reassurance or a raise of rules.toml."""
    return tuple(_logic(library))


def hash_of(library: Library, item: str) -> str:
    """Return the hash of an item's logic and words; raise KeyError for an item that is not there."""
    signed = {"item": item, "logic": _plain(_logic(library)[item]), "words": _words(library, *item.split(":"))}
    canonical = json.dumps(signed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:HASH_LENGTH]


def unsigned(library: Library, signoffs: Iterable[SignOffFile]) -> tuple[Unsigned, ...]:
    """Return what nobody has signed as it stands, in the order of the content."""
    by_item: dict[str, list[SignOffFile]] = {}
    for signoff in signoffs:
        by_item.setdefault(signoff.item, []).append(signoff)
    return tuple(found for item in items(library) for found in _unsigned(library, item, by_item.get(item, [])))


def _unsigned(library: Library, item: str, signoffs: list[SignOffFile]) -> Iterator[Unsigned]:
    if not signoffs:
        yield Unsigned(item)
    elif hash_of(library, item) not in {s.hash for s in signoffs}:
        last = max(signoffs, key=lambda s: s.date)
        yield Unsigned(item, f"changed since {last.name} ({last.role}) signed it on {last.date}")


def _logic(library: Library) -> dict[str, Any]:
    pathway = library.pathway
    rules: dict[str, Any] = {f"rule:{r.id}": r for r in pathway.rules if not r.lifts}
    for lifted in (r for r in pathway.rules if r.lifts):
        rules.setdefault(f"rule:{lifted.id.partition('+')[2]}", []).append(lifted)
    return {
        **rules,
        **{f"rule:{r.id}": r for r in pathway.reassurances},
        **{f"advice:{a.id}": a for a in pathway.advice},
        **{f"care:{p.id}": p for p in library.pages},
        **{f"condition:{c.id}": c for c in pathway.conditions},
        **{f"question:{q.id}": q for q in pathway.questions},
        **_check_ins(library),
        **{f"tip:{t.id}": t for t in library.tips},
        **{f"load:{f.name}": getattr(library.bounds, f.name) for f in fields(library.bounds)},
    }


def _check_ins(library: Library) -> dict[str, Any]:
    known = library.checkins
    return {
        "checkin:scale": [known.scale, known.places, known.signs, known.worst],
        "checkin:again": known.again,
        **{f"checkin:{light}": sources for light, sources in known.sources.items()},
        **{f"limit:{limit.id}": limit for limit in known.limits},
    }


def _words(library: Library, kind: str, name: str) -> Any:
    find = library.words.find
    match kind:
        case "question":
            return [find("questions", name), find("ui", "short", name)]
        case "tip":
            return find("tips", "say", name)
        case "care" | "advice":
            return find(kind, name)
        case "checkin":
            light, young = find("checkins", "lights", name), find("checkins", "young", name)
            # All that is read with a light: also what is said under 18, and why it is red.
            because = find("checkins", "because") if name == "red" else None
            return [light, young, because] if light else find("checkins", "lights")
        case "limit":
            return find("checkins", "limits", name)
        case _:
            return find(f"{kind}s", name)


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it; a set in one order, so that only what it holds counts."""
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.name not in _NOT_SIGNED}
    match value:
        case Enum():
            return value.value
        case frozenset():
            return sorted(_plain(v) for v in value)
        case list() | tuple():
            return [_plain(v) for v in value]
        case Mapping():
            return {str(k): _plain(v) for k, v in value.items()}
        case _:
            return value
