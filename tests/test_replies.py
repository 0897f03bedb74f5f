"""A reply is the same after it was a row: everything that is drawn of it comes back."""

import json
from dataclasses import replace

import pytest

from chat import START, Chat, library
from core.dialogue import Button, File, Notice, Prompt, Reply, Role, Verdict
from core.ledger import Kind
from core.replies import owed, plain, reply_of

words = library().words


def as_drawn(reply: Reply) -> Reply:
    """Return a reply without what only the core knows of its buttons."""
    return replace(reply, choices=tuple(replace(b, findings=frozenset(), words=()) for b in reply.choices))


async def test_every_reply_of_a_whole_check_comes_back(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.answers({"age_18_44", "place_groin_front", "dur_2_6w", "run_warms_up"})
    await chat.says("/care")

    kinds = {type(reply) for reply in chat.said}
    assert {Prompt, Verdict, Notice} <= kinds
    for reply in (*chat.said, File("Here.", "hipwise.json", "{}", (Button("t", "Back", Role.BACK),))):
        assert reply_of(json.loads(json.dumps(plain(reply)))) == as_drawn(reply)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"text": "a"},
        {"text": "a", "choices": []},
        {"text": "a", "choices": [], "is": "song"},
        {"text": "a", "choices": [[]], "is": "notice"},
    ],
)
def test_what_is_no_reply_is_refused(given: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        reply_of(given)


def test_a_reply_is_owed_as_what_it_is() -> None:
    kinds: dict[Reply, Kind] = {Prompt("a", "q", ()): Kind.QUESTION, Notice("a"): Kind.NOTICE, File("a", "b", "c"): Kind.FILE}

    assert {reply: owed(reply, START).kind for reply in kinds} == kinds
    assert owed(Notice("a"), START, edits="7").edits == "7"
