"""Typing instead of tapping: numbers, labels, plain words, and words of danger at any moment."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import Chat, library
from core.dialogue import Role, typed
from core.members import Preferences
from test_dialogue import PATHWAY, STATES, answered, at_the_first_question, button, findings, goes_to, kept, ticked

words = library().words
ASKED_HOW_BAD = frozenset({"age_18_44", "place_all_over", "dur_3_14d", "walk_fine"})
"""Someone who is asked how bad it is, from 0 to 10."""
DANGER = {kind: words.list("danger", kind, "phrases") for kind in words.table("danger")}


def safety_line(region: str | None = None) -> str:
    return words("ui", "safety_line", emergency=library().region(region).emergency)


# ---------------------------------------------------------------- An answer


@pytest.mark.parametrize(
    "said",
    ["3", " 3 ", "3.", "18 to 44", "18 TO 44", "18-44", "34", "18", "44"],
)
async def test_a_question_with_one_answer_takes_its_number_its_label_or_the_age_itself(chat: Chat, said: str) -> None:
    await goes_to(chat, "age")

    await chat.says(said)

    assert answered(chat)["age"] == ["adult"]


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        # The oldest and the youngest range have one number in their label.
        ("60", "older"),
        ("99", "older"),
        ("17", "teen"),
        ("59", "middle"),
        # A child types its age: none of these is a wish to see the answers, to start again or to stop.
        ("10", "teen"),
        ("11", "teen"),
    ],
)
async def test_an_age_is_read_as_an_age(chat: Chat, said: str, choice: str) -> None:
    await goes_to(chat, "age")

    await chat.says(said)

    assert answered(chat).get("age") == [choice]


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("5", "medium"),
        ("6", "medium"),
        ("7", "severe"),
        ("8", "severe"),
        ("9", "severe"),
        ("10", "severe"),
        ("2/10", "mild"),
        ("5/10", "medium"),
        ("7 / 10", "severe"),
        ("10/10", "severe"),
    ],
)
async def test_pain_from_0_to_10_is_read_as_pain(chat: Chat, said: str, choice: str) -> None:
    await goes_to(chat, "now", ASKED_HOW_BAD)

    await chat.says(said)

    assert answered(chat).get("now") == [choice]


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("groin", "groin"),
        ("GROIN!!", "groin"),
        ("buttock", "buttock"),
        ("sit bone", "sit_bone"),
        ("outside of hip", "outer"),
        # A slip of the finger.
        ("outside of hpi", "outer"),
        ("grion or front of hip", "groin"),
    ],
)
async def test_a_plain_word_answers_where_it_means_one_thing(chat: Chat, said: str, choice: str) -> None:
    await goes_to(chat, "place")

    await chat.says(said)

    assert answered(chat).get("place") == [choice]


@pytest.mark.parametrize("said", ["2, 4", "2 4", "2 and 4", "2,4", "4; 2", "2 & 4"])
async def test_several_numbers_tick_several_and_done_is_still_to_come(chat: Chat, said: str) -> None:
    await at_the_first_question(chat)

    await chat.says(said)
    assert ticked(chat) == [1, 3]
    await chat.says("done")

    choices = PATHWAY.by_id["body"].choices
    assert answered(chat)["body"] == [choices[1].id, choices[3].id]


async def test_a_typed_number_joins_what_was_ticked_by_tap(chat: Chat) -> None:
    await goes_to(chat, "leg_change")
    await chat.taps(chat.prompt.choices[4].label)

    await chat.says("6")

    assert ticked(chat) == [4, 5]


async def test_a_number_typed_twice_leaves_the_tick_on(chat: Chat) -> None:
    await at_the_first_question(chat)

    await chat.says("2")
    await chat.says("2")

    assert ticked(chat) == [1]


async def test_a_label_ticks(chat: Chat) -> None:
    await at_the_first_question(chat)

    await chat.says(chat.prompt.choices[0].label.upper())

    assert ticked(chat) == [0]


@pytest.mark.parametrize("said", [*words.list("ui", "typed", "none"), "No", "NONE", "none of these", "nope."])
async def test_no_means_none_of_these(chat: Chat, said: str) -> None:
    await at_the_first_question(chat)

    await chat.says(said)

    assert answered(chat) == {"body": []}


@pytest.mark.parametrize("said", [*words.list("ui", "typed", "not_sure"), "I don't know", "Not sure"])
async def test_not_sure_can_be_typed_and_asks_the_plainer_question(chat: Chat, said: str) -> None:
    await at_the_first_question(chat)

    await chat.says(said)
    assert words("questions", "body", "plain") in chat.prompt.text
    await chat.says(said)
    assert f"unsure_{PATHWAY.by_id['body'].choices[0].item}" in findings(chat)


async def test_done_can_be_typed(chat: Chat) -> None:
    await at_the_first_question(chat)
    await chat.taps(chat.prompt.choices[0].label)

    await chat.says("done")

    assert answered(chat) == {"body": [PATHWAY.by_id["body"].choices[0].id]}


@pytest.mark.parametrize(("said", "keeps"), [("yes", True), ("1", True), ("no", False), ("2", False), ("none", False)])
async def test_which_is_right_can_be_typed(chat: Chat, said: str, keeps: bool) -> None:
    await STATES["which is right"](chat)

    await chat.says(said)

    assert bool(answered(chat)["health"]) is keeps


async def test_two_answers_where_one_fits_are_asked_about(chat: Chat) -> None:
    await goes_to(chat, "age")
    before = kept(chat)

    await chat.says("1, 2")

    assert chat.notice.text == f"{words('ui', 'one_only')}\n\n{safety_line()}"
    assert chat.prompt.question == "age"
    assert kept(chat) == before


@pytest.mark.parametrize(
    "said", ["asdf", "0", "99, 100", "1.5.9.77", "the thing with the leg", "1 x", "\u0662", "it hurts when I laugh", "?"]
)
@pytest.mark.parametrize("state", STATES)
async def test_what_was_not_understood_is_said_and_the_choices_are_shown_again(chat: Chat, state: str, said: str) -> None:
    await STATES[state](chat)
    before, choices = kept(chat), chat.last[-1].choices

    await chat.says(said)

    assert chat.notice.text == f"{words('ui', 'not_understood')}\n\n{safety_line()}"
    assert chat.last[-1].choices == choices
    assert kept(chat) == before


@given(position=st.integers(min_value=0, max_value=6), state=st.sampled_from(["first question", "plainer question"]))
@settings(max_examples=15, deadline=None)
async def test_the_number_of_a_choice_is_its_place_on_the_screen(position: int, state: str) -> None:
    chat = Chat()
    await STATES[state](chat)

    await chat.says(str(position + 1))

    assert ticked(chat) == [position]


async def test_the_numbers_of_the_other_buttons_count_on_after_the_choices(chat: Chat) -> None:
    await goes_to(chat, "weight")
    position = [b.role for b in chat.prompt.choices].index(Role.BACK)

    await chat.says(str(position + 1))

    assert chat.prompt.question == "body"
    assert ticked(chat) == [5]


async def test_what_is_typed_without_a_check_is_looked_up_in_the_library(chat: Chat) -> None:
    await chat.says("bursitis")

    assert words("care", "gtps", "title") in [chat.text.splitlines()[0], *(b.label for r in chat.last for b in r.choices)]


async def test_what_means_nothing_without_a_check_says_how_to_begin(chat: Chat) -> None:
    await chat.says("qqqq")

    assert chat.notice.text == f"{words('ui', 'say_hip')}\n\n{safety_line()}"


# ---------------------------------------------------------------- Words of danger


@pytest.mark.parametrize("kind", DANGER)
@pytest.mark.parametrize("state", ["none", *STATES])
async def test_words_of_danger_get_the_safety_answer_in_every_state(chat: Chat, state: str, kind: str) -> None:
    if state != "none":
        await STATES[state](chat)
    before = chat.sessions.kept.get(chat.address)

    await chat.says(f"Um, hello. I think... {DANGER[kind][0].upper()}, since this morning!")

    emergency = library().region(None).emergency
    assert chat.notice.text == words("danger", kind, "answer", emergency=emergency)
    assert emergency in chat.notice.text.splitlines()[0]
    if kind in typed.NEVER_DENIED or state in ("none", "result"):
        assert chat.sessions.kept[chat.address] == (before or (None, chat.sessions.default))


@pytest.mark.parametrize("kind", DANGER)
async def test_every_phrase_of_danger_is_heard_at_once(chat: Chat, kind: str) -> None:
    heard = [phrase for phrase in DANGER[kind] if words("danger", kind, "answer")[:4] in (await says_alone(chat, phrase))[:4]]

    assert heard == list(DANGER[kind])


async def says_alone(chat: Chat, text: str) -> str:
    await chat.says(text)
    return chat.notice.text


@pytest.mark.parametrize(
    "said",
    [
        "/care chest pain",
        "/faq i cant walk",
        "/hip numb between my legs",
        "/stop i want to die",
        "/nonsense chest pain",
        # Who is in danger does not think about what a slash means.
        "/chest pain",
        "/suicidal",
    ],
)
async def test_words_of_danger_behind_a_slash_come_first_too(chat: Chat, said: str) -> None:
    await at_the_first_question(chat)
    before = kept(chat)

    await chat.says(said)

    assert chat.notice.text.startswith(("Call ", "Please call "))
    assert library().region(None).emergency in chat.notice.text
    assert json.loads(kept(chat) or "")["answers"] == json.loads(before or "")["answers"]


@pytest.mark.parametrize(
    "said",
    [
        "can't   pee",
        "Can\u2019t pee",
        "CANT PEE",
        "i can't, pee",
        "chest\npain",
        "chest\x00pain",
        "chest-pain",
        "*chest pain*",
        "chest pain" + " x" * 4_900,
        "x " * 4_900 + "chest pain",
        "no chest pain before but now chest pain",
    ],
)
async def test_words_of_danger_are_heard_however_they_are_written(chat: Chat, said: str) -> None:
    await chat.says(said)

    assert library().region(None).emergency in chat.notice.text
    assert chat.notice.text.startswith("Call ")


@pytest.mark.parametrize("said", ["no chest pain", "It began without chest pain", "I don't have chest pain", "suicide sprints"])
async def test_danger_that_is_denied_is_no_danger(chat: Chat, said: str) -> None:
    await at_the_first_question(chat)

    await chat.says(said)

    assert not chat.notice.text.startswith("Call ")
    assert chat.prompt.question == "body"


async def test_words_of_self_harm_are_never_denied(chat: Chat) -> None:
    await chat.says("I would not kill myself")

    assert chat.notice.text == words("danger", "self_harm", "answer", emergency=library().region(None).emergency)


async def test_the_safety_answer_has_the_number_of_the_members_country(chat: Chat) -> None:
    chat.sessions.default = Preferences(region="NZ")

    await chat.says("chest pain")

    assert chat.notice.text.startswith("Call 111 now")


@pytest.mark.parametrize("state", [s for s in STATES if s != "result"])
async def test_after_the_safety_answer_the_check_can_go_on(chat: Chat, state: str) -> None:
    await STATES[state](chat)

    await chat.says("chest pain")
    await chat.taps(button("go_on"))

    assert chat.prompt.question == "body"
