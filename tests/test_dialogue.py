"""The course of a check: which question comes next, and the way back from every screen."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import START, Chat, library
from core.clinical import Choice, Disposition, Findings, Kind, Question, Stage
from core.dialogue import Prompt, Role, UnreadableSession, Verdict, from_json
from core.library import Library

PATHWAY = library().pathway
TRIAGE = library().triage
words = library().words

CODES = sorted(c for c in PATHWAY.codes if not c.startswith("unsure_"))
PATIENTS = st.frozensets(st.sampled_from(CODES), max_size=12)
CALM = frozenset(
    {"age_18_44", "place_outer_hip", "dur_3_14d", "walk_fine", "run_warms_up", "pain_0_3", "one_side", "onset_gradual"}
)
SAME_DAY = frozenset({"age_18_44", "place_buttock", "leg_foot_drop"})


# ---------------------------------------------------------------- Where a member may be


async def at_the_first_question(chat: Chat) -> None:
    await chat.says("/hip")


async def at_a_question(chat: Chat) -> None:
    await at_the_first_question(chat)
    await chat.chooses()


async def at_a_detail(chat: Chat) -> None:
    await at_the_first_question(chat)
    await chat.chooses("ill")


async def at_the_plainer_question(chat: Chat) -> None:
    await at_a_question(chat)
    await chat.taps_role(Role.NOT_SURE)


async def at_which_is_right(chat: Chat) -> None:
    await at_a_question(chat)
    await ticks(chat, 0)
    await chat.taps_role(Role.NONE)


async def at_go_on_or_start_again(chat: Chat) -> None:
    await at_a_question(chat)
    await chat.says("/hip")


async def at_the_review(chat: Chat) -> None:
    await at_a_question(chat)
    await chat.taps(button("review"))


async def at_the_result(chat: Chat) -> None:
    await at_the_first_question(chat)
    await chat.answers(SAME_DAY)


STATES: dict[str, Callable[[Chat], Awaitable[None]]] = {
    "first question": at_the_first_question,
    "question": at_a_question,
    "detail": at_a_detail,
    "plainer question": at_the_plainer_question,
    "which is right": at_which_is_right,
    "go on or start again": at_go_on_or_start_again,
    "review": at_the_review,
    "result": at_the_result,
}
"""Every screen of a check, and the way to it."""


def button(key: str) -> str:
    return words("ui", "buttons", key)


def typed(key: str) -> str:
    return words.list("ui", "typed", key)[0]


async def ticks(chat: Chat, *positions: int) -> None:
    for position in positions:
        answers = [b for b in chat.prompt.choices if b.role is Role.ANSWER]
        await chat.taps(answers[position].label)


def ticked(chat: Chat) -> list[int]:
    return [i for i, b in enumerate(chat.prompt.choices) if b.ticked]


def kept(chat: Chat) -> str | None:
    """Return the stored session, as text."""
    text: str | None = chat.sessions.kept[chat.address][0]
    return text


def answered(chat: Chat) -> dict[str, list[str]]:
    """Return what the stored session says was answered to each question."""
    return {a["question"]: a["chosen"] for a in json.loads(kept(chat) or "{}").get("answers", [])}


def findings(chat: Chat) -> Findings:
    """Return what the answers of the stored session establish."""
    codes: set[str] = set()
    for answer in json.loads(kept(chat) or "{}")["answers"]:
        choices = PATHWAY.by_id[answer["question"]].choices
        codes |= {code for c in choices if c.id in answer["chosen"] for code in c.gives}
        codes |= {f"unsure_{item}" for item in answer["unsure"]}
    return frozenset(codes)


async def goes_to(chat: Chat, question: str, holds: Findings = frozenset()) -> None:
    """Open a check and answer as someone of whom these findings hold, up to a question; a detail is opened on the way."""
    await chat.says("/hip")
    wanted = PATHWAY.by_id[question]
    while chat.prompt.question != question:
        asked = PATHWAY.by_id[chat.prompt.question]
        fits = [c.id for c in asked.choices if c.opens == question or PATHWAY.leads_to[asked.id, c.id] & holds]
        needs = [c.id for c in asked.choices if wanted.when & set(c.gives)][:1]
        await chat.chooses(*(fits or needs)[: None if asked.kind is Kind.MANY else 1])


async def questions_of(chat: Chat, holds: Findings) -> list[Prompt]:
    """Play a whole check and return its questions, each as it was first shown."""
    await chat.says("/hip")
    await chat.answers(holds)
    shown: dict[str, Prompt] = {}
    for reply in chat.said:
        if isinstance(reply, Prompt):
            shown.setdefault(reply.question, reply)
    return list(shown.values())


# ---------------------------------------------------------------- What is asked


async def test_everybody_passes_three_safety_screens_and_150_words_at_most(chat: Chat) -> None:
    screens = [p for p in await questions_of(chat, CALM) if PATHWAY.by_id[p.question].stage is Stage.SAFETY]

    frame = (words("ui", "tick_all"), *(button(key) for key in ("back", "review", "why", "start_again", "stop")))
    said = sum(len(line.split()) for p in screens for line in p.text.splitlines()[1:] if line not in frame)
    offered = sum(len(b.label.split()) for p in screens for b in p.choices if b.label not in frame)
    assert len(screens) <= 3
    assert said + offered <= 150


@pytest.mark.parametrize(
    ("question", "choice"),
    [(q, c) for q in PATHWAY.questions for c in q.choices if c.opens],
    ids=lambda part: part.id,
)
async def test_a_tick_that_has_details_asks_for_them_next(chat: Chat, question: Question, choice: Choice) -> None:
    await goes_to(chat, question.id)

    await chat.chooses(choice.id)

    assert chat.prompt.question == choice.opens


async def test_two_ticks_with_details_are_asked_about_one_after_the_other(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.chooses("ill", "leg")

    assert chat.prompt.question == "ill"
    await chat.chooses("fever")
    assert chat.prompt.question == "leg_change"


@given(holds=PATIENTS)
@settings(max_examples=50, deadline=None)
async def test_whoever_answers_meets_the_questions_in_order_and_each_one_once(holds: Findings) -> None:
    chat = Chat()
    asked = [PATHWAY.by_id[p.question] for p in await questions_of(chat, holds)]

    stages = [q.stage for q in asked]
    assert stages == sorted(stages, key=lambda stage: _FIRST.get(stage, 2))
    assert set(answered(chat)) == {q.id for q in asked}
    assert all(not q.when or q.when & findings(chat) for q in asked)


_FIRST = {Stage.SAFETY: 0, Stage.SETTING: 1}


@given(holds=PATIENTS)
@settings(max_examples=50, deadline=None)
async def test_every_question_shows_progress_and_has_an_answer_that_adds_nothing(holds: Findings) -> None:
    latest, screens = 0, 0
    for prompt in await questions_of(Chat(), holds):
        screens += not PATHWAY.by_id[prompt.question].detail
        here, *about = map(int, re.findall(r"\d+", prompt.text.splitlines()[0]))
        assert all(max(latest, screens) <= here <= n for n in about)
        assert here == screens or PATHWAY.by_id[prompt.question].detail
        assert [b.findings for b in prompt.choices if b.role is Role.NONE] == [frozenset()]
        latest = here


@given(holds=PATIENTS)
@settings(max_examples=50, deadline=None)
async def test_at_most_three_questions_only_tell_patterns_apart_and_none_of_these_can_raise_the_urgency(
    holds: Findings,
) -> None:
    chat = Chat()
    await questions_of(chat, holds)

    answers = json.loads(kept(chat) or "{}")["answers"]
    apart = [PATHWAY.by_id[a["question"]] for a in answers if a["pattern"]]
    assert len(apart) <= 3
    for question in apart:
        others = findings(chat) - asked_in(question)
        # What an earlier screen asked about was told there, or denied.
        before = frozenset().union(*(asked_in(PATHWAY.by_id[q]) for q in answered(chat) if q != question.id))
        new = [set(c.gives) - before for c in question.choices]
        assert all(TRIAGE.urgency(others | codes) <= TRIAGE.urgency(others) for codes in new)


def asked_in(question: Question) -> Findings:
    """Return everything that a question asks about, the details that it may open included."""
    return frozenset().union(*(PATHWAY.leads_to[question.id, c.id] for c in question.choices))


# ---------------------------------------------------------------- When it stops


@pytest.mark.parametrize(
    ("question", "choice"),
    [
        (q, c)
        for q in PATHWAY.questions
        for c in q.choices
        if q.stage is Stage.SAFETY and TRIAGE.urgency(frozenset(c.gives)) is Disposition.EMERGENCY
    ],
    ids=lambda part: part.id,
)
async def test_an_emergency_ends_the_questions_at_once(chat: Chat, question: Question, choice: Choice) -> None:
    await goes_to(chat, question.id)

    await chat.chooses(choice.id)

    assert chat.verdict.urgency is Disposition.EMERGENCY


async def test_an_emergency_leaves_other_ticks_of_the_screen_without_their_details(chat: Chat) -> None:
    await chat.says("/hip")

    await chat.chooses("ill", "chest", "leg")

    assert chat.verdict.urgency is Disposition.EMERGENCY


@given(holds=PATIENTS, more=st.sampled_from([{"leg_foot_drop"}, {"fever_ill"}, {"hist_cancer"}, {"leg_swollen"}]))
@settings(max_examples=30, deadline=None)
async def test_a_same_day_result_comes_once_no_question_left_could_make_it_an_emergency(
    holds: Findings, more: set[str]
) -> None:
    chat = Chat()
    await questions_of(chat, frozenset(c for c in holds if TRIAGE.urgency(frozenset({c})) < Disposition.EMERGENCY) | more)

    told = findings(chat)
    denied = frozenset().union(*(asked_in(PATHWAY.by_id[q]) for q in answered(chat)))
    left = [q for q in PATHWAY.questions if q.id not in answered(chat) and not q.detail and (not q.when or q.when & told)]
    tellable = sorted({code for q in left for c in q.choices for code in c.gives} - denied)
    if chat.verdict.urgency is Disposition.SAME_DAY:
        raised = [p for p in combinations(tellable, 2) if TRIAGE.urgency(told.union(p)) is Disposition.EMERGENCY]
        assert not raised


async def test_a_same_day_answer_is_followed_by_the_questions_that_could_make_it_an_emergency(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.chooses("belly")
    await chat.chooses("moderate")
    await chat.chooses()
    await chat.chooses("adult")
    await chat.chooses("groin")

    while chat.prompt.question != "course":
        await chat.chooses()
    await chat.chooses("worse")

    assert chat.verdict.urgency is Disposition.EMERGENCY


async def test_a_check_in_which_nothing_fits_ends_in_a_result(chat: Chat) -> None:
    await chat.says("/hip")

    verdict = await chat.answers(())

    assert verdict.urgency is Disposition.ROUTINE


# ---------------------------------------------------------------- None of these


async def test_none_of_these_adds_no_finding(chat: Chat) -> None:
    await at_a_question(chat)

    assert findings(chat) == frozenset()


async def test_none_of_these_after_a_tick_asks_which_is_right(chat: Chat) -> None:
    await at_which_is_right(chat)

    health = PATHWAY.by_id["health"]
    assert words("questions", "health", "choices", health.choices[0].id) in chat.prompt.text
    assert [b.role for b in chat.prompt.choices][:2] == [Role.CONFIRM, Role.NONE]
    assert "health" not in answered(chat)


async def test_the_tick_was_right(chat: Chat) -> None:
    await at_which_is_right(chat)

    await chat.taps_role(Role.CONFIRM)

    assert answered(chat)["health"] == [PATHWAY.by_id["health"].choices[0].id]


async def test_none_of_these_was_right(chat: Chat) -> None:
    await at_which_is_right(chat)

    await chat.taps_role(Role.NONE)

    assert answered(chat)["health"] == []


async def test_back_from_which_is_right_shows_the_question_with_its_tick(chat: Chat) -> None:
    await at_which_is_right(chat)

    await chat.taps_role(Role.BACK)

    assert chat.prompt.question == "health"
    assert ticked(chat) == [0]


async def test_done_with_nothing_ticked_says_what_is_missing(chat: Chat) -> None:
    await at_a_question(chat)
    before = kept(chat)

    await chat.taps_role(Role.DONE)

    assert chat.notice.text.startswith(words("ui", "tick_or_none"))
    assert kept(chat) == before


# ---------------------------------------------------------------- Not sure

RED_FLAGS = [q for q in PATHWAY.questions if q.red_flag]


@pytest.mark.parametrize("question", RED_FLAGS, ids=lambda q: q.id)
async def test_not_sure_asks_one_plainer_question(chat: Chat, question: Question) -> None:
    await goes_to(chat, question.id)

    await chat.taps_role(Role.NOT_SURE)

    assert chat.prompt.question == question.id
    assert words("questions", question.id, "plain") in chat.prompt.text
    offered = [b.label for b in chat.prompt.choices if b.role is Role.ANSWER]
    assert offered == [words("questions", question.id, "plain_choices", c.id) for c in question.choices]


@pytest.mark.parametrize("question", RED_FLAGS, ids=lambda q: q.id)
async def test_still_not_sure_counts_and_the_result_names_what_to_check(chat: Chat, question: Question) -> None:
    await goes_to(chat, question.id)
    await chat.taps_role(Role.NOT_SURE)
    await chat.taps_role(Role.NOT_SURE)

    assert {f"unsure_{c.item}" for c in question.choices} <= findings(chat)
    verdict = await chat.answers(())
    assert verdict.urgency >= max(least_for(question, c) for c in question.choices)
    for choice in question.choices:
        told = words("questions", question.id, "choices", choice.id) if choice.opens else words("findings", choice.item)
        assert f"- {told}" in verdict.text


def least_for(question: Question, choice: Choice) -> Disposition:
    """Return the least urgent result that is safe for someone not sure of a choice."""
    alone = max(TRIAGE.urgency(frozenset({code})) for code in PATHWAY.leads_to[question.id, choice.id])
    return Disposition.SAME_DAY if alone is Disposition.EMERGENCY else Disposition.WITHIN_DAYS


@pytest.mark.parametrize("question", RED_FLAGS, ids=lambda q: q.id)
def test_each_red_flag_item_that_is_not_sure_is_urgent_by_itself(question: Question) -> None:
    for choice in question.choices:
        assert TRIAGE.urgency(frozenset({f"unsure_{choice.item}"})) >= least_for(question, choice)


async def test_a_tick_holds_while_the_rest_is_not_sure(chat: Chat) -> None:
    await goes_to(chat, "ill")
    await ticks(chat, 1)
    await chat.taps_role(Role.NOT_SURE)
    assert ticked(chat) == [1]
    await chat.taps_role(Role.NOT_SURE)

    assert findings(chat) == {"fever_ill", "unsure_very_ill"}


async def test_not_sure_can_become_a_clear_answer(chat: Chat) -> None:
    await at_the_plainer_question(chat)

    await chat.taps_role(Role.NONE)

    assert findings(chat) == frozenset()
    assert chat.prompt.question == "age"


# ---------------------------------------------------------------- In every state, by button and by typed word

WAYS = ["button", "typed word"]


async def uses(chat: Chat, key: str, way: str) -> None:
    if way == "button":
        await chat.taps(button(key))
    else:
        await chat.says(typed(key))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", STATES)
async def test_stop_ends_the_check(chat: Chat, state: str, way: str) -> None:
    await STATES[state](chat)

    await uses(chat, "stop", way)

    assert kept(chat) is None
    assert chat.notice.text.startswith(words("ui", "stopped"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", STATES)
async def test_start_again_begins_a_new_check(chat: Chat, state: str, way: str) -> None:
    await STATES[state](chat)
    before = json.loads(kept(chat) or "{}")["id"]
    chat.clock.moves(minutes=1)

    await uses(chat, "start_again", way)

    assert chat.prompt.question == "body"
    assert json.loads(kept(chat) or "{}")["id"] != before
    assert answered(chat) == {}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", STATES)
async def test_why_says_why_it_is_asked_or_why_the_result_is_so(chat: Chat, state: str, way: str) -> None:
    await STATES[state](chat)
    asking = json.loads(kept(chat) or "{}")["asking"]

    await uses(chat, "why", way)

    assert (words("questions", asking, "why") if asking else words("ui", "why_head")) in chat.notice.text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", [s for s in STATES if s not in ("first question", "review")])
async def test_the_review_card_opens(chat: Chat, state: str, way: str) -> None:
    await STATES[state](chat)

    await uses(chat, "review", way)

    assert chat.prompt.question == "review"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("state", "leads_to"),
    [
        ("question", "body"),
        ("detail", "body"),
        ("plainer question", "health"),
        ("which is right", "health"),
        ("go on or start again", "health"),
        ("review", "health"),
    ],
)
async def test_back_goes_one_screen_back(chat: Chat, state: str, leads_to: str, way: str) -> None:
    await STATES[state](chat)

    await uses(chat, "back", way)

    assert chat.prompt.question == leads_to


@pytest.mark.parametrize("way", WAYS)
async def test_back_from_the_result_asks_the_last_question_again(chat: Chat, way: str) -> None:
    await at_the_result(chat)
    last = list(answered(chat))[-1]

    await uses(chat, "back", way)

    assert [r.question for r in chat.last if isinstance(r, Prompt)] == [last]


async def test_back_on_the_first_question_says_that_it_is_the_first(chat: Chat) -> None:
    await at_the_first_question(chat)

    await chat.says(typed("back"))

    assert chat.notice.text.startswith(words("ui", "first_question"))
    assert chat.prompt.question == "body"


@pytest.mark.parametrize("state", ["first question", "question", "detail", "plainer question", "which is right"])
async def test_a_question_says_how_far_one_is(chat: Chat, state: str) -> None:
    await STATES[state](chat)

    assert re.match(r"\d+ of about \d+\n", chat.prompt.text)


@pytest.mark.parametrize("state", STATES)
async def test_the_stop_command_ends_the_check_and_keeps_nothing(chat: Chat, state: str) -> None:
    await STATES[state](chat)

    await chat.says("/stop")

    assert kept(chat) is None
    assert chat.notice.text.startswith(words("ui", "stopped"))


async def test_the_stop_command_with_nothing_open_says_so(chat: Chat) -> None:
    await chat.says("/stop")

    assert chat.notice.text.startswith(words("ui", "nothing_open"))


# ---------------------------------------------------------------- Back and edit


async def test_back_asks_again_with_what_was_ticked(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.chooses("ill", "walk")

    await chat.taps_role(Role.BACK)

    assert chat.prompt.question == "body"
    assert ticked(chat) == [0, 5]
    assert "body" not in answered(chat)


async def test_back_all_the_way_reaches_the_first_question(chat: Chat) -> None:
    await goes_to(chat, "thigh")
    await chat.chooses("front")

    for earlier in ("thigh", "place", "age", "health", "body"):
        await chat.taps_role(Role.BACK)
        assert chat.prompt.question == earlier
    assert answered(chat) == {}


async def test_the_review_card_lists_every_answer_in_words(chat: Chat) -> None:
    await goes_to(chat, "elsewhere")
    await chat.chooses("knee")
    await chat.taps(button("review"))

    for question, choices in answered(chat).items():
        told = "; ".join(words("questions", question, "choices", id) for id in choices)
        assert f"{words('ui', 'short', question)}: {told or words('questions', question, 'none')}" in chat.prompt.text


async def edits(chat: Chat, question: str) -> None:
    await chat.taps(button("review"))
    await chat.taps(words("ui", "change", what=words("ui", "short", question)))


async def test_a_changed_answer_asks_again_only_what_depended_on_it(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.answers({"age_18_44", "place_outer_hip", "dur_3_14d", "hurts_stairs_hills"})
    before = answered(chat)
    assert "outer" in before
    await edits(chat, "place")
    await chat.chooses("buttock")

    asked_before = [PATHWAY.by_id[q] for q in before if q != "place"]
    free = {q.id for q in asked_before if not q.when or q.when & {"place_buttock"}}
    after = answered(chat)
    assert chat.prompt.question not in free
    assert {q: c for q, c in after.items() if q in before} == {q: before[q] for q in free} | {"place": ["buttock"]}


async def test_unticking_drops_its_detail(chat: Chat) -> None:
    await goes_to(chat, "leg_change")
    await chat.chooses("foot_drop")
    await edits(chat, "body")
    assert ticked(chat) == [3]

    await ticks(chat, 3)
    await chat.taps_role(Role.NONE)

    assert findings(chat) == frozenset()
    assert "leg_change" not in answered(chat)
    assert chat.prompt.question == "health"


async def test_an_answer_changed_to_an_emergency_ends_the_check_at_once(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.answers(CALM)
    await edits(chat, "body")

    await chat.chooses("chest")

    assert chat.verdict.urgency is Disposition.EMERGENCY


async def test_an_earlier_answer_counts_until_it_is_answered_anew(chat: Chat) -> None:
    await at_the_result(chat)
    before = answered(chat)
    await edits(chat, "place")

    await chat.says(typed("review"))
    await chat.taps_role(Role.CONFIRM)

    assert answered(chat) == before
    assert chat.prompt.question == "place"


@given(holds=PATIENTS, data=st.data())
@settings(max_examples=25, deadline=None)
async def test_the_same_answer_given_again_changes_nothing(holds: Findings, data: st.DataObject) -> None:
    chat = Chat()
    await questions_of(chat, holds)
    before, told = answered(chat), chat.verdict
    question = data.draw(st.sampled_from([q for q in before if PATHWAY.by_id[q].kind is Kind.ONE or before[q]] or ["body"]))
    await edits(chat, question)

    if PATHWAY.by_id[question].kind is Kind.ONE:
        await chat.chooses(*before[question])
    elif before[question]:
        await chat.taps_role(Role.DONE)
    else:
        await chat.taps_role(Role.NONE)

    assert answered(chat) == before
    assert chat.verdict.urgency is told.urgency


# ---------------------------------------------------------------- A check that is open


async def test_hip_with_a_check_open_offers_to_go_on_or_to_start_again(chat: Chat) -> None:
    await at_go_on_or_start_again(chat)

    assert chat.prompt.text == words("ui", "resume")
    assert button("start_again") in [b.label for b in chat.prompt.choices]
    await chat.taps(button("go_on"))
    assert chat.prompt.question == "health"


async def test_going_on_keeps_what_was_ticked(chat: Chat) -> None:
    await at_a_question(chat)
    await ticks(chat, 2)
    await chat.says("/hip")

    await chat.taps(button("go_on"))

    assert ticked(chat) == [2]


async def test_hip_after_a_result_offers_to_see_it_again(chat: Chat) -> None:
    await at_the_result(chat)
    told = chat.verdict
    await chat.says("/hip")
    assert chat.prompt.text == words("ui", "resume_done")

    await chat.taps(button("see_result"))

    assert chat.verdict.text == told.text


@pytest.mark.parametrize("state", STATES)
async def test_a_check_is_kept_for_24_hours(chat: Chat, state: str) -> None:
    await STATES[state](chat)
    chat.clock.moves(hours=24)

    await chat.says("/hip")

    assert chat.prompt.question == "resume"


@pytest.mark.parametrize("state", STATES)
async def test_a_check_is_gone_after_24_hours(chat: Chat, state: str) -> None:
    await STATES[state](chat)
    old = chat.last[-1].choices[0].tap
    chat.clock.moves(hours=24, seconds=1)

    await chat.says("/help")
    assert kept(chat) is None
    await chat.says("/hip")
    assert chat.prompt.question == "body"
    assert old not in [b.tap for b in chat.prompt.choices]


async def test_an_answer_keeps_the_check_for_another_24_hours(chat: Chat) -> None:
    await at_a_question(chat)
    chat.clock.moves(hours=23)
    await chat.chooses()
    chat.clock.moves(hours=23)

    await chat.says("/hip")

    assert chat.prompt.question == "resume"


# ---------------------------------------------------------------- Plain JSON


@pytest.mark.parametrize("state", STATES)
async def test_a_session_is_plain_json_without_who_it_is(chat: Chat, state: str) -> None:
    await STATES[state](chat)

    text = kept(chat) or ""
    assert json.loads(text)["started"] == START.isoformat()
    assert chat.address.id not in text
    assert chat.address.platform not in json.loads(text).values()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(plain=_JSON)
@settings(max_examples=50, deadline=None)
def test_what_is_no_session_is_told_apart(plain: object) -> None:
    with pytest.raises(UnreadableSession):
        from_json(plain)


@given(state=st.sampled_from(sorted(STATES)), data=st.data(), plain=_JSON)
@settings(max_examples=50, deadline=None)
async def test_a_damaged_session_never_costs_the_member_an_answer(state: str, data: st.DataObject, plain: object) -> None:
    chat = Chat()
    await STATES[state](chat)
    session = json.loads(kept(chat) or "{}")
    session[data.draw(st.sampled_from(sorted(session)))] = plain
    chat.sessions.kept[chat.address] = (json.dumps(session), chat.sessions.default)

    await chat.says("/hip")

    assert chat.prompt.question in ("body", "resume")


# ---------------------------------------------------------------- Content that is newer than the check


def changed(question: str, **changes: object) -> Library:
    """Return the library after an update that changes one question."""
    pathway = library().pathway
    questions = tuple(replace(q, **changes) if q.id == question else q for q in pathway.questions)  # type: ignore[arg-type]
    return replace(library(), pathway=replace(pathway, version="1.bbbbbbbb", questions=questions))


async def test_a_check_goes_on_after_a_content_update(chat: Chat) -> None:
    await goes_to(chat, "age")
    before = answered(chat)

    later = Chat(changed("feel", fingerprint="new"), clock=chat.clock, sessions=chat.sessions)
    await later.says("/hip")
    await later.taps(button("go_on"))

    assert later.prompt.question == "age"
    assert answered(later) == before


async def test_a_question_whose_choices_changed_is_asked_again(chat: Chat) -> None:
    await goes_to(chat, "place")

    later = Chat(changed("health", fingerprint="new"), clock=chat.clock, sessions=chat.sessions)
    await later.says("/hip")
    await later.taps(button("go_on"))

    assert later.prompt.question == "health"
    assert set(answered(later)) == {"body", "age"}


async def test_a_button_from_before_the_update_is_an_old_one(chat: Chat) -> None:
    await goes_to(chat, "age")
    old = chat.prompt.choices[0]

    later = Chat(changed("feel", fingerprint="new"), clock=chat.clock, sessions=chat.sessions, last=chat.last)
    await later.taps(old.label)

    assert later.notice.text.startswith(words("ui", "old_button"))
    assert "age" not in answered(later)


async def test_what_was_known_before_the_check_is_not_asked_and_can_be_changed(chat: Chat) -> None:
    await goes_to(chat, "age")
    session = json.loads(kept(chat) or "{}") | {"given": ["age_10_17"], "asking": "place"}
    chat.sessions.kept[chat.address] = (json.dumps(session), chat.sessions.default)

    await chat.says(typed("review"))
    assert words("questions", "age", "choices", "teen") in chat.prompt.text
    await chat.taps(words("ui", "change", what=words("ui", "short", "age")))
    await chat.chooses("adult")

    assert json.loads(kept(chat) or "{}")["given"] == []
    assert answered(chat)["age"] == ["adult"]


async def test_the_day_of_looking_again_is_counted_from_the_last_answer(chat: Chat) -> None:
    await chat.says("/hip")
    verdict = await chat.answers(CALM)

    when = START + timedelta(days=PATHWAY.look_again[verdict.urgency])
    assert isinstance(verdict, Verdict)
    assert f"{when.day} {words.list('ui', 'months')[when.month - 1]}" in verdict.text
