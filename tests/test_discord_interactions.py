"""What the gateway tells, read: whose it is, where it was, what it means; of any shape, and never with an error of its own."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord.interactions import (
    Asked,
    Did,
    Ignored,
    Turned,
    Typing,
    WantsToType,
    Wrote,
    asked_of,
    is_lasting,
    mark,
    mark_of,
    read,
    read_message,
)
from chat import library
from core.clinical import Disposition
from core.dialogue import Command, Notice, Prompt, Tap, Text, Verdict
from core.intake import Unreadable
from core.limits import LONGEST_TEXT
from core.members import Address

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
ANNA = Address("discord", "7")
PRIVATE = {"flags": 64, "components": [{"type": 17, "id": mark("abcdef0", screen=True)}]}
words = library().words


def asked(kind: int, data: object, **more: Any) -> dict[str, Any]:
    """Return an interaction of Anna's in a server."""
    there = {"channel_id": "5", "context": 0, "member": {"user": {"id": "7"}}}
    return {"id": "1", "application_id": "2", "token": "t", "type": kind, "data": data, **there, **more}


def meant(kind: int, data: object, **more: Any) -> Any:
    return read(asked(kind, data, **more), NOW)


# ---------------------------------------------------------------- What it means


def test_a_command_carries_what_was_typed_behind_it() -> None:
    said = meant(2, {"name": "care", "options": [{"name": "topic", "type": 3, "value": " groin pain "}]})

    assert said.inbound == Command(ANNA, "care", "groin pain")


def test_a_button_carries_its_token_unread() -> None:
    assert meant(3, {"custom_id": "hip:a.b.1.none"}).inbound == Tap(ANNA, "a.b.1.none")
    assert meant(3, {"custom_id": "whatever"}).inbound == Tap(ANNA, "whatever")


def test_a_menu_taps_what_is_chosen_anew_and_what_is_chosen_no_more() -> None:
    options = [{"value": "hip:one", "default": True}, {"value": "hip:two"}, {"value": "hip:three", "default": True}]
    above = {"flags": 64, "components": [{"type": 1, "components": [{"custom_id": "menu:x", "options": options}]}]}
    said = meant(3, {"custom_id": "menu:x", "values": ["hip:two", "hip:three", "hip:forged"]}, message=above)

    assert set(said.inbound.tokens) == {"one", "two"}


def test_a_form_carries_what_was_typed_into_it_and_no_more_than_is_read() -> None:
    filled = [{"type": 18, "component": {"type": 4, "custom_id": "typed", "value": "x" * 4000}}]

    assert meant(5, {"custom_id": "type", "components": filled}).inbound == Text(ANNA, "x" * 4000)
    rows = [{"type": 1, "components": [{"type": 4, "value": "y" * 9000}]}]
    assert meant(5, {"custom_id": "type", "components": rows}).inbound == Text(ANNA, "y" * LONGEST_TEXT)
    assert meant(5, {"custom_id": "type"}).inbound == Text(ANNA, "")


def test_what_is_our_own_is_not_the_cores() -> None:
    assert isinstance(meant(3, {"custom_id": "type"}), WantsToType)
    assert meant(3, {"custom_id": "page:2:abc"}) == Turned(ANNA, meant(3, {"custom_id": "x"}).asked, "abc", 2)
    assert meant(4, {"name": "care", "options": [{"name": "topic", "value": "gro"}]}).text == "gro"
    assert isinstance(meant(4, {"name": "care"}), Typing)


@pytest.mark.parametrize("kind", [0, 1, 6, 99])
def test_a_kind_that_is_not_known_is_nothing_for_us(kind: int) -> None:
    assert meant(kind, {}) == Ignored()


# ---------------------------------------------------------------- Where it was, and who reads it there


@pytest.mark.parametrize(
    ("more", "own", "changes", "screen"),
    [
        ({}, False, False, False),
        ({"message": PRIVATE}, False, True, True),
        ({"message": {**PRIVATE, "flags": 0}}, False, False, False),  # a message that others read is never changed
        ({"message": {"flags": 64, "components": []}}, False, True, False),
        ({"context": 1}, True, False, False),
        ({"context": 1, "message": {**PRIVATE, "flags": 0}}, True, True, True),
        ({"context": 2, "message": {**PRIVATE, "flags": 0}}, False, False, False),
        ({"context": None}, False, False, False),
        ({"context": 1, "member": None, "user": {"id": "7"}}, True, False, False),
    ],
)
def test_only_what_nobody_else_reads_is_written_without_care(
    more: dict[str, Any], own: bool, changes: bool, screen: bool
) -> None:
    said = meant(3, {"custom_id": "hip:x"}, **more)

    assert said.address == ANNA
    assert ((said.asked.channel is not None), said.asked.changes, said.asked.screen) == (own, changes, screen)


def test_whose_it_is_says_the_member_and_not_the_message() -> None:
    told = asked(3, {"custom_id": "hip:x"}, message={**PRIVATE, "author": {"id": "8"}}, user={"id": "9"})

    assert read(told, NOW).address == ANNA  # type: ignore[union-attr]


def test_what_is_needed_to_answer_comes_back_from_the_outbox() -> None:
    one = Asked("1", "t", "2", NOW, "5", changes=True, screen=True)

    assert asked_of(one.plain()) == one
    assert "'t'" not in repr(one)


# ---------------------------------------------------------------- Messages


def written(content: str, **more: Any) -> dict[str, Any]:
    return {"id": "1", "channel_id": "5", "author": {"id": "7"}, "content": content, "type": 0, **more}


@pytest.mark.parametrize(
    ("content", "inbound"),
    [
        ("my hip hurts", Text(ANNA, "my hip hurts")),
        ("", Text(ANNA, "")),
        ("/hip", Command(ANNA, "hip")),
        ("/Care groin  pain", Command(ANNA, "care", "groin  pain")),
        ("/ hip", Text(ANNA, "/ hip")),
        ("/", Text(ANNA, "/")),
        ("x" * 9000, Text(ANNA, "x" * LONGEST_TEXT)),
    ],
)
def test_what_is_written_to_the_bot_is_a_text_or_a_command(content: str, inbound: Command | Text) -> None:
    assert read_message(written(content)) == Wrote(inbound, "5")


@pytest.mark.parametrize(
    "more",
    [
        {"guild_id": "3"},
        {"webhook_id": "3"},
        {"author": {"id": "2", "bot": True}},
        {"type": 6},
        {"type": 20},
    ],
)
def test_what_others_say_elsewhere_is_nothing_for_us(more: dict[str, Any]) -> None:
    assert read_message(written("x", **more)) == Ignored()


# ---------------------------------------------------------------- Of any shape

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(("id", "application_id", "token", "type", "data", "member", "user", "message", "context", "channel_id"))


@given(JSON)
def test_whatever_is_told_is_read_or_set_aside(told: Any) -> None:
    with suppress(Unreadable):
        read(told, NOW)
    with suppress(Unreadable):
        read_message(told)


@given(KEYS, JSON)
def test_an_interaction_with_one_strange_part_is_read_or_set_aside(key: str, strange: Any) -> None:
    try:
        said = read({**asked(3, {"custom_id": "menu:x", "values": ["a"]}, message=PRIVATE), key: strange}, NOW)
    except Unreadable:
        return
    assert isinstance(said, Did | Ignored | Typing)


@given(st.dictionaries(st.sampled_from(("name", "custom_id", "values", "options", "components")), JSON), st.integers(2, 5))
def test_data_of_any_shape_is_read_or_set_aside(data: Any, kind: int) -> None:
    with suppress(Unreadable):
        meant(kind, data, message={"flags": 64, "components": [data]})


def test_half_a_character_is_read_as_none() -> None:
    half = json.loads('"a\\ud800"')

    assert meant(3, {"custom_id": half}).inbound == Tap(ANNA, "a?")
    assert meant(3, {"custom_id": f"page:0:{half}"}).delivery == "a?"
    assert meant(2, {"name": half, "options": [{"name": "topic", "value": half}]}).inbound == Command(ANNA, "a?", "a?")
    assert meant(5, {"components": [{"value": half}]}).inbound == Text(ANNA, "a?")
    assert read_message(written(half)) == Wrote(Text(ANNA, "a?"), "5")


@pytest.mark.parametrize(
    "strange",
    [
        {"id": "../../1"},
        {"id": "1" * 30},
        {"id": "\u0661"},
        {"application_id": "x"},
        {"token": ""},
        {"token": "a\nb"},
        {"member": None, "user": None},
        {"member": {"user": {"id": "seven"}}},
        {"context": 1, "channel_id": "../x"},
    ],
)
def test_nobody_gets_something_into_an_address_that_is_asked(strange: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        meant(2, {"name": "hip"}, **strange)


# ---------------------------------------------------------------- The mark


@given(st.text(max_size=20), st.booleans())
def test_a_mark_is_an_id_that_discord_takes_and_tells_a_screen(delivery: str, screen: bool) -> None:
    made = mark(delivery, screen=screen)

    assert (1 << 30) <= made < (1 << 31)
    assert mark_of([{"id": made}]) == made
    assert bool(made & 1) is screen


@pytest.mark.parametrize("components", [None, [], {}, [1], [{}], [{"id": 7}], [{"id": "7"}], [{"id": True}]])
def test_what_is_not_marked_has_no_mark(components: object) -> None:
    assert mark_of(components) is None


def test_screens_may_be_replaced_and_the_rest_stays() -> None:
    assert not is_lasting(Prompt("x", "y", ()))
    assert not is_lasting(Notice("x", fleeting=True))
    assert is_lasting(Notice("x"))
    assert is_lasting(Verdict("x", Disposition.ROUTINE, (), ()))


def test_half_a_character_in_a_name_makes_an_interaction_unreadable_and_no_more() -> None:
    with pytest.raises(Unreadable):
        read({"\ud83d": 1, "id": "\ud83d"}, NOW)
    with pytest.raises(Unreadable):
        read_message({"\ud83d": 1, "channel_id": 5})
