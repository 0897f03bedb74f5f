"""Whatever Telegram delivers means one of a few things here, or nothing can be made of it; it never does harm."""

import json
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.telegram.updates import (
    HAPPENINGS,
    Ignored,
    InGroup,
    Meaning,
    Moved,
    Opened,
    Pressed,
    Reachable,
    SentCalendar,
    Stray,
    Wrote,
    lane,
    number,
    read,
)
from core.dialogue import Command, Tap, Text
from core.intake import Unreadable
from core.limits import LONGEST_TEXT
from core.members import Address

BOT = "hipwise_bot"
ANNA = Address("telegram", "4711")
CLUB = Address("telegram", "-100200")
SENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

USER = {"id": 4711, "is_bot": False, "first_name": "Anna", "language_code": "en"}
BEN = {"id": 815, "is_bot": False, "first_name": "Ben"}
PRIVATE = {"id": 4711, "type": "private", "first_name": "Anna"}
GROUP = {"id": -100200, "type": "supergroup", "title": "Runners"}
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
TELEGRAM = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
CHANNEL = {"id": -100300, "type": "channel", "title": "News"}
OTHER_BOT = {"id": 99, "is_bot": True, "first_name": "Other"}


def message(**given: Any) -> dict[str, Any]:
    return {"message_id": 7, "date": int(SENT.timestamp()), "chat": PRIVATE, "from": USER, **given}


def in_group(**given: Any) -> dict[str, Any]:
    return message(**{"chat": GROUP, **given})


def press(**given: Any) -> dict[str, Any]:
    pressed = message(text="Where?", **{"from": {"id": 1, "is_bot": True, "first_name": "Hipwise"}})
    return {"id": "43820", "from": USER, "message": pressed, "chat_instance": "9", "data": "ab.cd.1.go", **given}


def raw(**update: Any) -> bytes:
    return json.dumps({"update_id": 871, **update}).encode()


def meaning(**update: Any) -> Meaning:
    return read(raw(**update), BOT)


def typed(text: str) -> Wrote:
    return Wrote(Text(ANNA, text), SENT)


def command(name: str, rest: str = "") -> Wrote:
    return Wrote(Command(ANNA, name, rest), SENT)


# ---------------------------------------------------------------- In private


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("groin", typed("groin")),
        ("/hip", command("hip")),
        ("/HIP", command("hip")),
        ("/hip@Hipwise_Bot", command("hip")),
        ("/care  sore groin ", command("care", "sore groin")),
        ("/care\nsore groin", command("care", "sore groin")),
        ("/hip@hipwise_bot\tnow", command("hip", "now")),
        ("/no_such_command", command("no_such_command")),
        ("/start", command("start")),
        ("/start abc_DEF-123", Opened(ANNA, "abc_DEF-123")),
        ("/start@hipwise_bot abc", Opened(ANNA, "abc")),
        ("/start@other_bot abc", typed("/start@other_bot abc")),
        ("/start I can't breathe", command("start", "I can't breathe")),
        ("/start " + "x" * 65, command("start", "x" * 65)),
        ("/", typed("/")),
        ("/ hip", typed("/ hip")),
        ("//hip", command("/hip")),
        ("/hip@", command("hip")),
        ("x" * 5000, typed("x" * LONGEST_TEXT)),
        ("/" + "x" * 5000, command("x" * LONGEST_TEXT)),
        ("/care " + "x" * 5000, command("care", "x" * LONGEST_TEXT)),
        ("\U0001f9b4\u202e\u0000", typed("\U0001f9b4\u202e\u0000")),
    ],
)
def test_what_a_member_types_is_a_command_a_link_or_text(text: str, means: Meaning) -> None:
    assert meaning(message=message(text=text)) == means


@pytest.mark.parametrize(
    ("sent", "means"),
    [
        ({"photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]}, typed("")),
        ({"voice": {"file_id": "a", "duration": 3}}, typed("")),
        ({"sticker": {"file_id": "a"}}, typed("")),
        ({"a_kind_of_next_year": {"x": 1}}, typed("")),
        ({}, typed("")),
        ({"photo": [{}], "caption": "I can't feel my legs"}, typed("I can't feel my legs")),
        ({"document": {}, "caption": "/hip"}, command("hip")),
        ({"text": "a", "forward_origin": {"type": "hidden_user", "sender_user_name": "Ben"}}, typed("a")),
        ({"text": "a", "reply_to_message": message(text="/hip")}, typed("a")),
        ({"text": "a", "entities": [{"type": "bot_command", "offset": 0, "length": 400}]}, typed("a")),
    ],
)
def test_what_a_member_sends_that_is_no_text_is_text_without_words(sent: dict[str, Any], means: Meaning) -> None:
    assert meaning(message=message(**sent)) == means


@pytest.mark.parametrize("happened", sorted(HAPPENINGS))
def test_what_telegram_notes_in_a_chat_is_not_something_said(happened: str) -> None:
    assert meaning(message=message(**{happened: {"x": 1}})) == Ignored()
    assert meaning(message=message(text="so?", **{happened: {"x": 1}})) == typed("so?")


@pytest.mark.parametrize(("date", "sent"), [(0, 0), (-5, 0), (2**70, 2**32)])
def test_a_date_that_nobody_can_have_is_brought_within_bounds(date: int, sent: int) -> None:
    means = meaning(message=message(text="a", date=date))

    assert isinstance(means, Wrote)
    assert means.sent == datetime.fromtimestamp(sent, UTC)


@pytest.mark.parametrize("sender", [None, OTHER_BOT])
def test_in_private_only_a_person_is_heard(sender: dict[str, Any] | None) -> None:
    assert meaning(message=message(text="/hip", **{"from": sender})) == Ignored()


# ---------------------------------------------------------------- Buttons


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ({}, Pressed(Tap(ANNA, "ab.cd.1.go"), "43820", "7")),
        ({"data": ""}, Pressed(Tap(ANNA, ""), "43820", "7")),
        ({"data": "\u0000\ufffd\U0001f9b4" * 50}, Pressed(Tap(ANNA, "\u0000\ufffd\U0001f9b4" * 50), "43820", "7")),
        # Of a message that is too old, or gone, only its place is known.
        ({"message": {"chat": PRIVATE, "message_id": 7, "date": 0}}, Pressed(Tap(ANNA, "ab.cd.1.go"), "43820", "7")),
        ({"message": {"chat": PRIVATE, "date": 0}}, Pressed(Tap(ANNA, "ab.cd.1.go"), "43820", None)),
        ({"message": None}, Stray("43820")),
        ({"message": None, "inline_message_id": "AAQ"}, Stray("43820")),
        ({"data": None, "game_short_name": "hipchess"}, Stray("43820")),
        ({"from": BEN}, Stray("43820")),
        ({"message": in_group(text="I only talk in private.")}, Stray("43820")),
    ],
)
def test_a_press_is_its_members_or_nobodys(given: dict[str, Any], means: Meaning) -> None:
    assert meaning(callback_query=press(**given)) == means


# ---------------------------------------------------------------- Groups and channels


def asked(group: Address, asker: str | None, command: str, **given: Any) -> InGroup:
    return InGroup(group, asker, command, **{"title": "Runners", **given})


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ({"text": "/hip"}, asked(CLUB, "4711", "hip", named=False)),
        ({"text": "/HIP@Hipwise_bot now"}, asked(CLUB, "4711", "hip", named=True)),
        ({"text": "/start@hipwise_bot abc"}, asked(CLUB, "4711", "start", named=True)),
        (
            {"text": "/hip", "chat": {"id": -5, "type": "group"}},
            asked(Address("telegram", "-5"), "4711", "hip", named=False, title=""),
        ),
        ({"text": "/hip", "from": ANONYMOUS, "sender_chat": GROUP}, asked(CLUB, None, "hip", named=False)),
        ({"text": "/hip", "from": CHANNEL_BOT, "sender_chat": CHANNEL}, asked(CLUB, None, "hip", named=False)),
        ({"text": "/hip", "from": TELEGRAM, "sender_chat": CHANNEL, "is_automatic_forward": True}, Ignored()),
        (
            {"text": "/hip", "is_topic_message": True, "message_thread_id": 9},
            asked(CLUB, "4711", "hip", named=False, topic=9),
        ),
        # Of a plain reply this is only the message replied to.
        ({"text": "/hip", "message_thread_id": 9}, asked(CLUB, "4711", "hip", named=False)),
        ({"text": "/hip", "from": OTHER_BOT}, Ignored()),
        ({"text": "/hip", "from": None}, Ignored()),
        ({"text": "/hip@other_bot"}, Ignored()),
        ({"text": "my hip hurts"}, Ignored()),
        ({"text": "@hipwise_bot my hip hurts"}, Ignored()),
        ({"photo": [{}]}, Ignored()),
        ({"new_chat_members": [USER]}, Ignored()),
        ({"left_chat_member": USER}, Ignored()),
        ({"migrate_from_chat_id": -5}, Ignored()),
        ({"migrate_to_chat_id": -100777}, Moved(CLUB, Address("telegram", "-100777"))),
    ],
)
def test_in_a_group_only_commands_and_a_move_are_heard(given: dict[str, Any], means: Meaning) -> None:
    assert meaning(message=in_group(**given)) == means


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ({"new_chat_member": {"status": "kicked", "user": OTHER_BOT, "until_date": 0}}, Reachable(ANNA, reachable=False)),
        ({"new_chat_member": {"status": "member", "user": OTHER_BOT}}, Reachable(ANNA, reachable=True)),
        ({"new_chat_member": {"status": "kicked"}, "chat": GROUP}, Ignored()),
        ({"new_chat_member": {"status": "member"}, "chat": CHANNEL}, Ignored()),
    ],
)
def test_who_blocks_the_bot_is_known(given: dict[str, Any], means: Meaning) -> None:
    assert meaning(my_chat_member={"chat": PRIVATE, "from": USER, "date": 1, **given}) == means


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"message": None},
        {"edited_message": message(text="/hip")},
        {"channel_post": message(text="/hip", chat=CHANNEL)},
        {"edited_channel_post": message(text="/hip", chat=CHANNEL)},
        {"message": message(text="/hip", chat=CHANNEL)},
        {"message": message(text="/hip", chat={"id": 4711, "type": "sender"})},
        {"message": message(text="/hip", chat={"id": 4711})},
        {"inline_query": {"id": "1", "from": USER, "query": "hip", "offset": ""}},
        {"business_message": message(text="/hip")},
        {"message_reaction": {"chat": PRIVATE, "message_id": 7}},
        {"poll_answer": "no object at all"},
        {"a_kind_of_next_year": message(text="/hip")},
    ],
)
def test_every_other_kind_of_update_is_ignored(update: dict[str, Any]) -> None:
    assert meaning(**update) == Ignored()


# ---------------------------------------------------------------- Calendar files


def file(**given: Any) -> dict[str, Any]:
    return {"file_id": "BQAC", "file_name": "runs.ics", "mime_type": "text/calendar", "file_size": 812, **given}


@pytest.mark.parametrize(
    "sent",
    [
        {"document": file()},
        {"document": file(mime_type="application/octet-stream")},
        {"document": file(file_name="RUNS.ICS", mime_type="")},
        {"document": file(file_name="", mime_type="Text/Calendar; charset=utf-8")},
        {"document": file(file_name="runs.txt")},
        {"document": file(), "forward_origin": {"type": "hidden_user", "sender_user_name": "Ben"}},
    ],
)
def test_a_file_with_the_name_or_the_kind_of_a_calendar_is_one(sent: dict[str, Any]) -> None:
    assert meaning(message=message(**sent)) == SentCalendar(ANNA, "BQAC", 812, "")


@pytest.mark.parametrize(
    ("caption", "means"),
    [
        ("our runs", SentCalendar(ANNA, "BQAC", 812, "our runs")),
        ("/club", SentCalendar(ANNA, "BQAC", 812, "/club")),
        ("/club@hipwise_bot", SentCalendar(ANNA, "BQAC", 812, "/club@hipwise_bot")),
        ("/club zone Berlin", command("club", "zone Berlin")),
        ("/hip", command("hip")),
        ("/club@other_bot", typed("/club@other_bot")),
        ("x" * 5000, SentCalendar(ANNA, "BQAC", 812, "x" * LONGEST_TEXT)),
    ],
)
def test_a_command_below_a_calendar_is_meant_as_one(caption: str, means: Meaning) -> None:
    assert meaning(message=message(document=file(), caption=caption)) == means


@pytest.mark.parametrize(
    "document",
    [
        {},
        file(file_name="runs.ics.pdf", mime_type="application/pdf"),
        file(file_name="ics", mime_type="text/plain"),
        file(file_name="", mime_type=""),
        {"file_id": "BQAC"},
    ],
)
def test_any_other_file_is_something_without_words(document: dict[str, Any]) -> None:
    assert meaning(message=message(document=document)) == typed("")


def test_a_calendar_in_a_group_is_not_heard() -> None:
    assert meaning(message=in_group(document=file())) == Ignored()
    assert meaning(message=in_group(document=file(), caption="/club")) == asked(CLUB, "4711", "club", named=False)


def test_a_calendar_is_handled_in_order_with_what_else_its_sender_does() -> None:
    assert lane(SentCalendar(ANNA, "BQAC", 812, "")) == ANNA


# ---------------------------------------------------------------- What cannot be read


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"null",
        b"[]",
        b'"hip"',
        b"{}",
        b"\x00\xff",
        b'{"update_id": 1',
        b'{"update_id": 1} and more',
        b'{"update_id": true}',
        b'{"update_id": 1, "message": 5}',
        b'{"update_id": 1, "message": {"text": "/hip"}}',
        b'{"update_id": 1, "message": {"chat": {"id": "4711", "type": "private"}}}',
        b'{"update_id": 1, "callback_query": {"id": 5, "from": {"id": 1}}}',
        b'{"update_id": 1, "callback_query": {"id": "5"}}',
        b'{"update_id": 1, "my_chat_member": {"chat": {"id": 1}}}',
        b'{"update_id": 1, "message": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"update_id": 1, "x": "\xff", "message": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        raw(message=message(text=["a", "list"])),
        raw(message=message(date="today")),
    ],
)
def test_of_what_has_another_shape_nothing_can_be_made(broken: bytes) -> None:
    with pytest.raises(Unreadable):
        read(broken, BOT)


@pytest.mark.parametrize("cut", [b"I can't feel my legs \xf0\x9f", rb"I can't feel my legs \ud83e"])
def test_a_text_cut_within_a_character_is_read_all_the_same(cut: bytes) -> None:
    means = read(raw(message=message(text="CUT")).replace(b"CUT", cut), BOT)

    assert isinstance(means, Wrote)
    assert isinstance(means.inbound, Text)
    assert means.inbound.text.startswith("I can't feel my legs ")
    assert means.inbound.text.encode().decode() == means.inbound.text
    assert number(raw(message=message(text="CUT")).replace(b"CUT", cut)) == 871


def test_whatever_has_a_number_is_known_by_it() -> None:
    assert number(b'{"update_id": 99999999999999999999, "message": 5}') == 99999999999999999999


def test_what_someone_said_or_who_they_are_is_in_no_repr() -> None:
    shown = [repr(meaning(message=message(text="/start secret_payload"))), repr(meaning(callback_query=press()))]

    assert not [each for each in shown if "secret_payload" in each or "43820" in each]


# ---------------------------------------------------------------- Any shape at all

SHAPES = (
    {"message": message(text="/hip@hipwise_bot 3", entities=[{"type": "bot_command", "offset": 0, "length": 4}])},
    {"message": message(text="/start abc")},
    {"message": message(caption="groin", photo=[{"file_id": "a"}], forward_origin={"type": "user", "sender_user": BEN})},
    {"message": message(document={"file_id": "a", "file_name": "a.ics", "mime_type": "text/calendar", "file_size": 5})},
    {"message": in_group(text="/hip", sender_chat=GROUP)},
    {"message": in_group(migrate_to_chat_id=-100777)},
    {"message": in_group(text="/hip", is_automatic_forward=True)},
    {"callback_query": press()},
    {"my_chat_member": {"chat": PRIVATE, "from": USER, "new_chat_member": {"status": "kicked"}}},
    {"edited_message": message(text="/hip", edit_date=5)},
    {"channel_post": message(text="/hip", chat=CHANNEL)},
)
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(min_value=2**62),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["private", "group", "supergroup", "channel", "kicked", "/hip", "/start x", "4711", ""]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def updates(draw: st.DrawFn) -> bytes:
    """Draw an update of the Bot API in which some values are missing, or are anything; now and then its bytes are damaged."""
    update: Any = json.loads(raw(**draw(st.sampled_from(SHAPES))))
    for _ in range(draw(st.integers(0, 4))):
        _damage(draw, update)
    written = json.dumps(update).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)):
        return written
    at = draw(st.integers(0, len(written)))
    return written[:at] + draw(st.binary(max_size=3)) + written[at + draw(st.integers(0, 5)) :]


def _damage(draw: st.DrawFn, update: Any) -> None:
    """Change or take away one value, at any depth."""
    within = update
    while True:
        keys = list(within) if isinstance(within, dict) else list(range(len(within)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        if isinstance(within[key], dict | list) and within[key] and draw(st.booleans()):
            within = within[key]
        elif draw(st.booleans()):
            within[key] = draw(ANYTHING)
            return
        else:
            del within[key]
            return


def means_something_or_is_unreadable(update: bytes) -> None:
    try:
        means = read(update, BOT)
    except Unreadable:
        return
    assert isinstance(means, get_args(Meaning))
    whose = lane(means)
    assert whose is None or (whose.platform == "telegram" and whose.id.lstrip("-").isdigit())
    if isinstance(means, Wrote | Pressed):
        assert means.inbound.address.id.lstrip("-").isdigit()


@given(updates())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_an_update_of_any_shape_means_something_or_is_unreadable(update: bytes) -> None:
    means_something_or_is_unreadable(update)


@pytest.mark.prove
@given(updates() | st.binary(max_size=200))
@settings(max_examples=10_000, suppress_health_check=list(HealthCheck), deadline=None)
def test_ten_thousand_updates_of_any_shape_mean_something_or_are_unreadable(update: bytes) -> None:
    means_something_or_is_unreadable(update)
