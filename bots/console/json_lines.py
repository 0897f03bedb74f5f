"""`hipwise chat --json`: one JSON object a line in, one a line out for every message, so that a script can play a patient."""

import json
from collections.abc import AsyncIterable, Callable
from datetime import datetime
from typing import Any

from bots.console.days import NEXT, Advance, Days, read_span
from bots.console.inbound import HERE, typed
from core.companion import Companion
from core.dialogue import Button, File, Inbound, Notice, Prompt, Reply, Tap, Verdict


async def talk(companion: Companion, lines: AsyncIterable[str], write: Callable[[str], None]) -> None:
    """Answer every line until there are no more; a line that cannot be read is answered too, and changes nothing."""
    async for line in lines:
        if not line.strip():
            continue
        for reply in await _answered(companion, line):
            write(json.dumps(as_json(reply), ensure_ascii=False))
        write(json.dumps({"kind": "end_of_turn"}))


async def live(days: Days, lines: AsyncIterable[str], write: Callable[[str], None]) -> None:
    """Answer every line until there are no more or the days are over; a line may move the clock. Every line out has a time."""

    def written(plain: dict[str, Any], at: datetime) -> None:
        write(json.dumps({**plain, "at": at.isoformat()}, ensure_ascii=False))

    async for line in lines:
        if not line.strip():
            continue
        if (how := read_advance(line)) is not None:
            for came in await days.advance(how):
                scheduled = {"occasion": came.occasion, "occurrence": came.occurrence}
                written({**as_json(came.reply), **scheduled}, came.at)
        else:
            for reply in await _answered(days.companion, line):
                written(as_json(reply), days.clock.at)
        if days.over:
            break
        written({"kind": "end_of_turn"}, days.clock.at)
    written({"kind": "end"}, days.clock.at)


async def _answered(companion: Companion, line: str) -> tuple[Reply, ...]:
    inbound = read_line(line)
    return (companion.unreadable(),) if inbound is None else await companion.handle(inbound)


def read_line(line: str) -> Inbound | None:
    """Return what a line means, or None where it is not one of the two objects."""
    match _read(line):
        case {"text": str(text)}:
            return typed(text)
        case {"tap": str(token)}:
            return Tap(HERE, token)
        case _:
            return None


def read_advance(line: str) -> Advance | None:
    """Return how far a line moves the clock, or None where it does not."""
    match _read(line):
        case {"text": str()} | {"tap": str()}:
            return None
        case {"advance": str(text)} if text.strip().casefold() == NEXT:
            return Advance()
        case {"advance": str(text)} if span := read_span(text):
            return Advance(span)
        case _:
            return None


def as_json(reply: Reply) -> dict[str, Any]:
    """Return a reply as the JSON object that docs/CONSOLE.md describes."""
    plain: dict[str, Any] = {
        "kind": type(reply).__name__.lower(),
        "text": reply.text,
        "question": None,
        "choices": [_choice(b) for b in reply.choices],
        "urgency": None,
        "conditions": [],
    }
    match reply:
        case Prompt(question=question):
            plain["question"] = question
        case Verdict(urgency=urgency, conditions=conditions):
            plain["urgency"], plain["conditions"] = urgency.value, list(conditions)
        case File(name=name, content=content):
            plain["name"], plain["content"] = name, content
        case Notice():
            pass
    return plain


def _choice(button: Button) -> dict[str, Any]:
    return {
        "tap": button.tap,
        "label": button.label,
        "findings": sorted(button.findings),
        "role": button.role.value,
        "ticked": button.ticked,
    }


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
