"""Buttons: a repeat changes nothing, and an old, foreign or forged one gets a polite and correct answer."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import Chat, library
from core.dialogue import Notice, Reply, Role, Tap, Verdict
from core.dialogue.token import MAX_BYTES, Token, read
from core.members import Address
from test_dialogue import PATHWAY, PATIENTS, STATES, answered, at_a_question, at_the_first_question, button, kept, ticked

words = library().words


def taps_of(*replies: Reply) -> list[str]:
    return [b.tap for r in replies for b in r.choices]


async def presses(chat: Chat, token: str) -> None:
    await chat.sends(Tap(chat.address, token))


def safety_line() -> str:
    return words("ui", "safety_line", emergency=library().region(None).emergency)


# ---------------------------------------------------------------- What a token holds


@given(holds=PATIENTS)
@settings(max_examples=30, deadline=None)
async def test_a_token_has_64_bytes_at_most_and_tells_no_finding(holds: frozenset[str]) -> None:
    chat = Chat()
    await chat.says("/hip")
    await chat.answers(holds)
    await chat.taps(button("review"))

    for text in taps_of(*chat.said):
        token = read(text)
        assert token is not None
        assert str(token) == text
        assert len(text.encode()) <= MAX_BYTES == 64
        # Positions on the screen, and nothing that names a question, a choice or a finding.
        assert token.arg == "" or token.arg.isdigit()
        assert not any(code in text for code in PATHWAY.codes)


@pytest.mark.parametrize("arg", ["", "3", "yes", "messages", "miles"])
def test_a_token_can_be_read_whatever_it_says(arg: str) -> None:
    token = Token("abcdef", "menu", 99_999, "forget", arg)

    assert read(str(token)) == token


async def test_a_tick_says_the_state_that_it_sets(chat: Chat) -> None:
    await at_the_first_question(chat)
    off = chat.prompt.choices[0]
    assert off.tap.endswith("+")

    await presses(chat, off.tap)

    on = chat.prompt.choices[0]
    assert on.tap.endswith("-")
    assert read(on.tap) == replace(read(off.tap), state="-")  # type: ignore[type-var]


async def test_no_two_buttons_of_a_screen_share_a_token(chat: Chat) -> None:
    for go in STATES.values():
        await go(chat)

        for reply in chat.last:
            assert len(set(taps_of(reply))) == len(reply.choices)
        await chat.says("/stop")


# ---------------------------------------------------------------- Ticks


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_a_tick_that_is_repeated_stays_on(chat: Chat, times: int) -> None:
    await at_the_first_question(chat)
    tick = chat.prompt.choices[2].tap

    for _ in range(times):
        await presses(chat, tick)

    assert ticked(chat) == [2]


async def test_a_tick_taken_off_twice_stays_off(chat: Chat) -> None:
    await at_the_first_question(chat)
    await presses(chat, chat.prompt.choices[2].tap)
    off = chat.prompt.choices[2].tap

    await presses(chat, off)
    await presses(chat, off)

    assert ticked(chat) == []


async def test_two_quick_ticks_from_the_same_screen_both_hold(chat: Chat) -> None:
    await at_the_first_question(chat)
    first, second, done = chat.prompt.choices[0].tap, chat.prompt.choices[3].tap, chat.button(button("done")).tap

    for token in (first, second, done):
        await presses(chat, token)

    assert answered(chat)["body"] == [c.id for i, c in enumerate(PATHWAY.by_id["body"].choices) if i in (0, 3)]


async def test_the_step_counts_answered_questions_not_ticks(chat: Chat) -> None:
    await at_the_first_question(chat)
    steps = [json.loads(kept(chat) or "{}")["step"]]
    for position in (0, 1, 2):
        await presses(chat, chat.prompt.choices[position].tap)
        steps.append(json.loads(kept(chat) or "{}")["step"])
    await chat.taps_role(Role.DONE)
    steps.append(json.loads(kept(chat) or "{}")["step"])

    assert steps == [0, 0, 0, 0, 1]


async def test_done_pressed_twice_answers_one_question(chat: Chat) -> None:
    await at_the_first_question(chat)
    await presses(chat, chat.prompt.choices[0].tap)
    done = chat.button(button("done")).tap

    await presses(chat, done)
    await presses(chat, done)

    assert list(answered(chat)) == ["body"]
    assert chat.notice.text == f"{words('ui', 'old_button')}\n\n{safety_line()}"
    assert chat.prompt.question == "ill"


# ---------------------------------------------------------------- Old buttons


@pytest.mark.parametrize("role", [Role.ANSWER, Role.NONE, Role.DONE, Role.NOT_SURE])
async def test_a_button_of_an_answered_question_shows_where_one_is_now(chat: Chat, role: Role) -> None:
    await at_the_first_question(chat)
    old = next(b.tap for b in chat.prompt.choices if b.role is role)
    await chat.chooses()
    before = kept(chat)

    await presses(chat, old)

    assert chat.notice.text == f"{words('ui', 'old_button')}\n\n{safety_line()}"
    assert chat.prompt.question == "health"
    assert kept(chat) == before


async def test_no_old_button_of_a_whole_check_changes_its_result(chat: Chat) -> None:
    await chat.says("/hip")
    told = await chat.answers({"age_18_44", "place_buttock", "leg_foot_drop"})
    before = kept(chat)

    for token in taps_of(*[r for r in chat.said if r is not told]):
        chat.clock.moves(seconds=2)
        await presses(chat, token)
        assert kept(chat) == before
        assert chat.verdict.text == told.text


async def test_a_button_of_a_check_that_is_over_says_so(chat: Chat) -> None:
    await at_a_question(chat)
    old = chat.prompt.choices[0].tap
    await chat.says("/stop")

    await presses(chat, old)

    assert chat.notice.text == f"{words('ui', 'old_check_gone')}\n\n{safety_line()}"
    assert kept(chat) is None


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (0, words("ui", "old_check", day="Monday")),
        (1, words("ui", "old_check", day="Monday")),
        (6, words("ui", "old_check", day="Monday")),
        # A week later the name of the day would mislead.
        (7, words("ui", "old_button")),
        (400, words("ui", "old_button")),
    ],
)
async def test_a_button_of_an_earlier_check_names_its_day_while_that_is_clear(chat: Chat, days: int, says: str) -> None:
    await at_a_question(chat)
    old = chat.prompt.choices[0].tap
    await chat.says("/stop")
    chat.clock.moves(days=days, minutes=1)
    await chat.says("/hip")
    before = kept(chat)

    await presses(chat, old)

    assert chat.notice.text == f"{says}\n\n{safety_line()}"
    assert chat.prompt.question == "body"
    assert kept(chat) == before


async def test_a_button_of_another_member_changes_nothing_for_either(chat: Chat) -> None:
    await at_a_question(chat)
    chat.clock.moves(minutes=1)
    other = Chat(clock=chat.clock, sessions=chat.sessions, address=Address("test", "member-2"))
    await at_the_first_question(other)
    mine, theirs = kept(chat), kept(other)

    for token in taps_of(chat.prompt):
        await presses(other, token)
        assert other.prompt.question == "body"
    assert (kept(chat), kept(other)) == (mine, theirs)


async def test_a_button_of_another_member_at_the_same_step_changes_nothing_for_either(chat: Chat) -> None:
    other = Chat(clock=chat.clock, sessions=chat.sessions, address=Address("test", "member-2"))
    await at_a_question(chat)
    chat.clock.moves(minutes=1)
    await at_a_question(other)
    mine, theirs = kept(chat), kept(other)
    assert chat.prompt.question == other.prompt.question

    for token in taps_of(chat.prompt):
        await presses(other, token)
    assert (kept(chat), kept(other)) == (mine, theirs)


async def test_a_menu_button_still_works_when_its_check_is_over(chat: Chat) -> None:
    await chat.says("/care")
    shelf = chat.prompt.choices[0].tap
    chat.clock.moves(days=30)

    await presses(chat, shelf)

    assert chat.prompt.text == words("ui", "shelves", "warning")


# ---------------------------------------------------------------- Forged buttons

FORGED = ["", ".", "...", "x", "1.2.3", "1.2.3.4", "1.2.x.why", "a.b.0.tick_0+extra", "' OR 1=1 --", "\x00", "🦴", "a" * 10_000]
FORGED += ["1.menu.0.why\n\n", "1.menu.0.tick_\u0661+", "\ud800", "menu", "1.menu.99999999.care"]


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("state", ["question", "result"])
async def test_a_forged_button_is_told_so_and_changes_nothing(chat: Chat, state: str, forged: str) -> None:
    await STATES[state](chat)
    before, screen = kept(chat), chat.last[-1]

    await presses(chat, forged)

    assert chat.notice.text == f"{words('ui', 'forged_button')}\n\n{safety_line()}"
    assert chat.last[-1] == screen
    assert kept(chat) == before


@pytest.mark.parametrize(
    ("state", "act"),
    [
        ("first question", "tick_99+"),
        ("first question", "tick_0"),
        ("first question", "pick_0"),
        ("first question", "tick_x+"),
        ("first question", "mistap"),
        ("first question", "dance"),
        ("first question", "edit_999"),
        ("first question", "edit_x"),
        # A detail that no tick has opened.
        ("first question", "edit_1"),
        ("result", "tick_0+"),
        ("result", "pick_0"),
        ("result", "done"),
        ("result", "dance"),
    ],
)
async def test_a_forged_act_of_the_own_check_is_told_so_and_changes_nothing(chat: Chat, state: str, act: str) -> None:
    await STATES[state](chat)
    before, real = kept(chat), chat.last[-1].choices[0].tap

    await presses(chat, f"{real.rpartition('.')[0]}.{act}")

    assert chat.notice.text.startswith(words("ui", "forged_button"))
    assert kept(chat) == before


@pytest.mark.parametrize(
    "act", ["page_9999", "page_x", "shelf_99", "shelf_0x0x0", "shelf_x", "region_ZZ", "units_ells", "dance"]
)
async def test_a_menu_button_that_leads_nowhere_shows_the_library(chat: Chat, act: str) -> None:
    await chat.says("/care")

    await presses(chat, f"{chat.prompt.choices[0].tap.rpartition('.')[0]}.{act}")

    assert chat.notice.text == f"{words('ui', 'old_menu')}\n\n{safety_line()}"
    assert chat.prompt.text == words("ui", "care")
    assert chat.sessions.kept[chat.address] == (None, chat.sessions.default)


def is_polite(replies: tuple[Reply, ...]) -> bool:
    """Return whether there is an answer, and not the one for a failure on our side."""
    return bool(replies) and not any(words("ui", "error") in r.text for r in replies)


_PART = st.text(alphabet="0123456789abcdefgmnu_+-.xX", max_size=12)
_LOOKALIKE = st.tuples(_PART, _PART, _PART, _PART).map(".".join)


@given(state=st.sampled_from(sorted(STATES)), token=st.text() | _LOOKALIKE | st.text(alphabet=st.characters()))
@settings(max_examples=150, deadline=None)
async def test_any_text_as_a_button_is_answered_politely_and_changes_nothing(state: str, token: str) -> None:
    chat = Chat()
    await STATES[state](chat)
    before = chat.sessions.kept[chat.address]

    await presses(chat, token)

    assert is_polite(chat.last)
    assert chat.sessions.kept[chat.address] == before


@given(state=st.sampled_from(sorted(STATES)), data=st.data())
@settings(max_examples=100, deadline=None)
async def test_a_button_with_another_version_check_or_step_changes_nothing(state: str, data: st.DataObject) -> None:
    chat = Chat()
    await STATES[state](chat)
    before = chat.sessions.kept[chat.address]
    own = [t for b in chat.last[-1].choices if (t := read(b.tap)) and t.thread != "menu"]
    real = data.draw(st.sampled_from(own))
    hexadecimal = st.text(alphabet="0123456789abcdef", min_size=1, max_size=12)
    other = data.draw(
        st.one_of(
            hexadecimal.map(lambda version: replace(real, version=version)),
            hexadecimal.map(lambda thread: replace(real, thread=thread)),
            st.integers(min_value=0, max_value=99999).map(lambda step: replace(real, step=step)),
        ).filter(lambda token: token != real)
    )

    await presses(chat, str(other))

    assert is_polite(chat.last)
    assert any(isinstance(r, Notice) for r in chat.last)
    assert chat.sessions.kept[chat.address] == before


async def test_a_forged_button_without_a_check_leads_to_a_new_one(chat: Chat) -> None:
    await presses(chat, "12d8a0.1c8996000000000.0.tick_0+")

    assert chat.notice.text.startswith(words("ui", "old_check_gone"))
    assert not any(isinstance(r, Verdict) for r in chat.last)
