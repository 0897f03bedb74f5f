"""Replies as what is owed: as plain JSON values in a row of the outbox, and back when they are sent. No I/O."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.clinical import Disposition
from core.dialogue import Button, File, Notice, Prompt, Reply, Role, Verdict
from core.ledger import Kind, Owed


def owed(reply: Reply, due: datetime, edits: str | None = None) -> Owed:
    """Return a reply as a message owed from a time on; with the platform's id of the message that it may change."""
    return Owed(_kind(reply), plain(reply), due, edits=edits)


def plain(reply: Reply) -> dict[str, Any]:
    """Return a reply as plain JSON values, with all that is drawn of it."""
    drawn: dict[str, Any] = {"text": reply.text, "choices": [_plain_button(button) for button in reply.choices]}
    match reply:
        case Prompt(question=question):
            return {"is": "prompt", **drawn, "question": question}
        case Verdict(urgency=urgency, conditions=conditions):
            return {"is": "verdict", **drawn, "urgency": urgency.value, "conditions": list(conditions)}
        case Notice(fleeting=fleeting):
            return {"is": "notice", **drawn, "fleeting": fleeting}
        case File(name=name, content=content):
            return {"is": "file", **drawn, "name": name, "content": content}


def reply_of(given: Mapping[str, Any]) -> Reply:
    """Return the reply that `plain` wrote; raise ValueError, KeyError or TypeError for anything else."""
    text, choices = given["text"], tuple(_button(button) for button in given["choices"])
    match given["is"]:
        case "prompt":
            return Prompt(text, given["question"], choices)
        case "verdict":
            return Verdict(text, Disposition(given["urgency"]), tuple(given["conditions"]), choices)
        case "notice":
            return Notice(text, choices, given["fleeting"])
        case "file":
            return File(text, given["name"], given["content"], choices)
        case other:
            raise ValueError(f"no kind of reply is called {other!r}")


def _kind(reply: Reply) -> Kind:
    match reply:
        case Prompt():
            return Kind.QUESTION
        case Verdict():
            return Kind.VERDICT
        case Notice():
            return Kind.NOTICE
        case File():
            return Kind.FILE


def _plain_button(button: Button) -> list[Any]:
    """Return what is drawn of a button: its findings and typed words stay in the core."""
    return [button.tap, button.label, button.role.value, button.ticked]


def _button(given: list[Any]) -> Button:
    tap, label, role, ticked = given
    return Button(tap, label, Role(role), ticked=ticked)
