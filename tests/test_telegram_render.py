"""A reply as Telegram shows it: whole, within its limits, escaped, and readable on a narrow phone."""

from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.telegram.render import LONGEST, LONGEST_MARK, caption, drawn, length, owed
from chat import START, Chat, library
from core.clinical import Disposition
from core.dialogue import Button, File, Notice, Prompt, Reply, Role, Verdict
from core.ledger import Kind
from core.replies import reply_of


def button(label: str, role: Role = Role.ANSWER, *, ticked: bool | None = None) -> Button:
    return Button(f"token.{label[:9]}", label, role, ticked=ticked)


def rows(reply: Reply) -> list[list[str]]:
    return [[b.label for b in row] for row in drawn(reply).keyboard]


def said(*replies: Reply, pressed: str | None = None) -> list[tuple[Kind, str, str | None]]:
    return [(one.kind, one.reply["text"], one.edits) for one in owed(replies, START, pressed)]


# ---------------------------------------------------------------- Text


def test_text_is_escaped() -> None:
    assert drawn(Notice("a < b & c > d")).html == "a &lt; b &amp; c &gt; d"
    assert caption(File("<b>", "a", "b")) == "&lt;b&gt;"


def test_of_a_result_the_first_line_stands_out() -> None:
    assert drawn(Verdict("Call 999 <now>.\nWhy", Disposition.EMERGENCY, (), ())).html == "<b>Call 999 &lt;now&gt;.</b>\nWhy"


async def test_every_screen_of_a_check_fits_and_says_every_word(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.answers({"age_18_44", "place_groin_front", "dur_2_6w", "run_warms_up"})

    for reply in chat.said:
        message = drawn(reply)
        shown = unescape(message.html)
        assert length(shown) <= LONGEST
        assert all(len(b.tap.encode()) <= 64 for row in message.keyboard for b in row)
        labels = "\n".join(b.label for row in message.keyboard for b in row)
        for choice in reply.choices:
            assert choice.label in shown or choice.label in labels  # nothing that is asked is cut off


# ---------------------------------------------------------------- Buttons


def test_short_answers_stand_beside_each_other_and_long_ones_below() -> None:
    assert rows(Prompt("?", "q", tuple(button(str(n)) for n in range(5)))) == [["0", "1", "2"], ["3", "4"]]
    assert rows(Prompt("?", "q", (button("When I walk on it"), button("At rest in a chair")))) == [
        ["When I walk on it"],
        ["At rest in a chair"],
    ]


def test_the_ways_out_stand_beside_each_other_below_the_answers() -> None:
    ways = (button("Back", Role.BACK), button("Why?", Role.OTHER), button("Stop", Role.OTHER), button("Again", Role.OTHER))

    assert rows(Prompt("?", "q", (button("Yes"), *ways))) == [["Yes"], ["Back", "Why?", "Stop"], ["Again"]]


def test_a_tick_is_seen_and_heard() -> None:
    choices = (button("Night", ticked=True), button("Rest", ticked=False))

    assert rows(Prompt("?", "q", choices)) == [["☑ Night"], ["☐ Rest"]]


def test_an_answer_too_long_for_a_button_is_read_in_the_text_by_number() -> None:
    long = "Leg weak, numb, tingly, swollen, cold, off-colour, dragging; pain down both"
    prompt = Prompt("Any of these?", "q", (button("Fever", ticked=True), button(long, ticked=False), button("Done", Role.DONE)))

    assert drawn(prompt).html == f"Any of these?\n\n1. ☑ Fever\n2. {long}"
    assert rows(prompt) == [["☑ 1. Fever"], [f"☐ 2. {long}"], ["Done"]]  # a phone cuts it; a screen reader does not


def test_a_list_whose_numbers_mean_nothing_has_none() -> None:
    """A number that is typed answers the check, so the care library shows no numbers."""
    pages = (button("Pain on the outside of the hip at night"), button("Rest"))

    assert drawn(Prompt("Pages:", "care", pages)).html == "Pages:\n\n- Pain on the outside of the hip at night\n- Rest"
    assert drawn(Notice("See also:", pages)).html == "See also:\n\n- Pain on the outside of the hip at night\n- Rest"
    assert rows(Notice("See also:", pages)) == [["Pain on the outside of the hip at night"], ["Rest"]]


# ---------------------------------------------------------------- Messages


def test_what_only_leads_to_a_question_is_one_message_with_it() -> None:
    welcome, question = Notice("Hello.", fleeting=True), Prompt("Where?", "q", ())

    assert said(welcome, question) == [(Kind.QUESTION, "Hello.\n\nWhere?", None)]
    assert said(replace(welcome, fleeting=False), question) == [(Kind.NOTICE, "Hello.", None), (Kind.QUESTION, "Where?", None)]


def test_a_question_changes_the_message_that_was_pressed_and_nothing_else_does() -> None:
    question, notice = Prompt("Where?", "q", ()), Notice("Because.")

    assert said(question, pressed="7") == [(Kind.QUESTION, "Where?", "7")]
    assert said(notice, pressed="7") == [(Kind.NOTICE, "Because.", None)]
    assert said(notice, question, pressed="7")[1] == (Kind.QUESTION, "Where?", None)  # it stands below what was said


def test_a_long_result_is_cut_between_paragraphs_with_its_buttons_last() -> None:
    text = "\n\n".join(f"{n} {'word ' * 100}".strip() for n in range(20))
    parts = [reply_of(one.reply) for one in owed([Verdict(text, Disposition.ROUTINE, (), (button("Why?"),))], START, None)]

    assert "\n\n".join(part.text for part in parts) == text
    assert [bool(part.choices) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert [type(part) for part in parts] == [Verdict, Notice, Notice]  # what stands out is its first line


def test_a_long_question_is_one_in_its_last_message() -> None:
    parts = [reply_of(one.reply) for one in owed([Prompt("word " * 1500, "q", (button("Yes"),))], START, "7")]

    assert [type(part) for part in parts] == [Notice, Prompt]
    assert [bool(part.choices) for part in parts] == [False, True]


def test_the_longest_message_has_room_for_the_line_that_it_may_be_a_repeat() -> None:
    mark = library().words("platform", "may_repeat")
    parts = owed([Verdict("word " * 1500, Disposition.ROUTINE, (), ())], START, None)

    assert length(mark) + 2 <= LONGEST_MARK
    assert all(length(unescape(drawn(reply_of(one.reply)).html)) + LONGEST_MARK <= LONGEST for one in parts)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=9000).filter(lambda text: text.strip()))
def test_whatever_is_said_fits_and_no_word_of_it_is_lost(text: str) -> None:
    parts = owed([Notice(text)], START, None)

    assert all(0 < length(one.reply["text"]) <= LONGEST for one in parts)
    assert "".join("".join(one.reply["text"].split()) for one in parts) == "".join(text.split())


@pytest.mark.parametrize("text", ["x" * 5000, "\U0001f9b4" * 3000, "\n" * 3 + "y" * 9000])
def test_a_text_without_a_place_to_cut_is_cut_anyway(text: str) -> None:
    assert all(0 < length(one.reply["text"]) <= LONGEST for one in owed([Notice(text)], START, None))
