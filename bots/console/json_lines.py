"""`hipwise chat --json`: one JSON object a line in, one a line out for every message, so that a script can play a patient."""

import json
from collections.abc import AsyncIterable, Callable
from typing import Any

from bots.console.inbound import HERE, typed
from core.companion import Companion
from core.dialogue import Button, File, Inbound, Notice, Prompt, Reply, Tap, Verdict


async def talk(companion: Companion, lines: AsyncIterable[str], write: Callable[[str], None]) -> None:
    """Answer every line until there are no more; a line that cannot be read is answered too, and changes nothing."""
    async for line in lines:
        if not line.strip():
            continue
        inbound = read_line(line)
        replies: tuple[Reply, ...] = (companion.unreadable(),) if inbound is None else await companion.handle(inbound)
        for reply in replies:
            write(json.dumps(as_json(reply), ensure_ascii=False))
        write(json.dumps({"kind": "end_of_turn"}))


def read_line(line: str) -> Inbound | None:
    """Return what a line means, or None where it is not one of the two objects."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match said:
        case {"text": str(text)}:
            return typed(text)
        case {"tap": str(token)}:
            return Tap(HERE, token)
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
