"""The result: urgent words first and behind no button, what it rests on, and the rest on tap."""

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings

from chat import START, Chat, library
from core.clinical import Disposition, Findings
from core.dialogue import Notice, Prompt, Role, Verdict
from core.members import Preferences, Units
from test_dialogue import PATHWAY, PATIENTS, TRIAGE, answered, button, findings, goes_to, typed

words = library().words
REGIONS = library().regions

TOLD: dict[Disposition, Findings] = {
    Disposition.EMERGENCY: frozenset({"breathless_chest_pain"}),
    Disposition.SAME_DAY: frozenset({"age_18_44", "place_buttock", "leg_foot_drop"}),
    Disposition.WITHIN_DAYS: frozenset({"age_18_44", "place_groin_front", "run_builds", "dur_3_14d", "course_same"}),
    Disposition.ROUTINE: frozenset({"age_18_44", "place_outer_hip", "dur_2_6w", "hurts_stairs_hills", "walk_sore"}),
    Disposition.SELF_CARE: frozenset(
        {"age_18_44", "place_outer_hip", "dur_under_3d", "course_better", "walk_fine", "pain_0_3", "run_after_only", "one_side"}
    ),
}


async def comes_to(chat: Chat, urgency: Disposition) -> Verdict:
    await chat.says("/hip")
    verdict = await chat.answers(TOLD[urgency])
    assert verdict.urgency is urgency
    return verdict


def set_region(chat: Chat, region: str | None) -> None:
    chat.sessions.default = Preferences(region=region)


# ---------------------------------------------------------------- The first lines


@pytest.mark.parametrize("region", [None, *REGIONS])
async def test_an_emergency_shows_the_emergency_number_in_its_first_line(chat: Chat, region: str | None) -> None:
    set_region(chat, region)

    verdict = await comes_to(chat, Disposition.EMERGENCY)

    assert library().region(region).emergency in verdict.text.splitlines()[0]
    assert verdict.text.splitlines()[0].startswith("Call ")


@pytest.mark.parametrize("region", [None, *REGIONS])
async def test_a_same_day_result_shows_the_urgent_line_first_and_then_the_emergency_number(
    chat: Chat, region: str | None
) -> None:
    set_region(chat, region)

    verdict = await comes_to(chat, Disposition.SAME_DAY)

    numbers = library().region(region)
    first, second = verdict.text.splitlines()[:2]
    assert (numbers.urgent or "an urgent-care doctor") in first
    assert "today" in first
    assert numbers.emergency in second
    assert "worse" in second


async def test_without_a_country_the_common_numbers_are_shown(chat: Chat) -> None:
    verdict = await comes_to(chat, Disposition.EMERGENCY)

    assert all(number in verdict.text.splitlines()[0] for number in ("112", "999", "911"))


@pytest.mark.parametrize("urgency", Disposition)
async def test_the_first_line_says_how_soon(chat: Chat, urgency: Disposition) -> None:
    verdict = await comes_to(chat, urgency)

    numbers = {"emergency": "112, 999 or 911", "urgent": "an urgent-care doctor"}
    assert verdict.text.splitlines()[0] == words("dispositions", urgency.value, "first", **numbers)


@pytest.mark.parametrize("urgency", Disposition)
async def test_every_result_says_when_to_call_for_help(chat: Chat, urgency: Disposition) -> None:
    verdict = await comes_to(chat, urgency)

    assert "112, 999 or 911" in verdict.text


# ---------------------------------------------------------------- What it rests on


@pytest.mark.parametrize("urgency", [Disposition.EMERGENCY, Disposition.SAME_DAY])
async def test_an_urgent_result_says_what_it_rests_on_with_a_way_to_undo_a_mistap(chat: Chat, urgency: Disposition) -> None:
    verdict = await comes_to(chat, urgency)

    rule = TRIAGE.assess(findings(chat)).fired[0]
    assert words("rules", rule.rule.id) in verdict.text
    assert all(words("findings", code) in verdict.text for code in rule.because)
    assert button("mistap") in [b.label for b in verdict.choices]


@pytest.mark.parametrize("way", ["button", "typed word"])
async def test_a_mistap_that_made_an_emergency_is_put_right_with_one_press(chat: Chat, way: str) -> None:
    await comes_to(chat, Disposition.EMERGENCY)

    await (chat.taps(button("mistap")) if way == "button" else chat.says(typed("mistap")))

    assert chat.prompt.question == "body"
    assert [b.ticked for b in chat.prompt.choices].count(True) == 1
    await chat.taps(next(b.label for b in chat.prompt.choices if b.ticked))
    await chat.taps_role(Role.NONE)
    assert chat.prompt.question == "health"
    assert findings(chat) == frozenset()


@pytest.mark.parametrize("question", ["ill", "saddle", "weight", "broken", "leg_change", "belly"])
async def test_i_mis_tapped_leads_to_the_answer_that_alarmed(chat: Chat, question: str) -> None:
    await goes_to(chat, question)
    choice = max(PATHWAY.by_id[question].choices, key=lambda c: TRIAGE.urgency(frozenset(c.gives)))
    await chat.chooses(choice.id)
    assert chat.verdict.urgency is Disposition.EMERGENCY

    await chat.taps(button("mistap"))

    assert chat.prompt.question == question


@given(holds=PATIENTS)
@settings(max_examples=40, deadline=None)
async def test_whoever_must_be_seen_today_or_now_can_undo_a_mistap(holds: Findings) -> None:
    chat = Chat()
    await chat.says("/hip")
    verdict = await chat.answers(holds)

    offered = button("mistap") in [b.label for b in verdict.choices]
    assert offered is (verdict.urgency >= Disposition.SAME_DAY)
    if offered:
        await chat.taps(button("mistap"))
        because = TRIAGE.assess(findings(chat)).fired[0].because
        question = PATHWAY.by_id[chat.prompt.question]
        assert {g for c in question.choices if c.id in answered(chat)[question.id] for g in c.gives} & set(because)


async def test_a_result_that_rests_on_not_being_sure_can_be_undone_too(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.taps_role(Role.NOT_SURE)
    await chat.taps_role(Role.NOT_SURE)
    verdict = await chat.answers(())
    assert verdict.urgency is Disposition.SAME_DAY

    await chat.taps(button("mistap"))

    assert chat.prompt.question == "body"


# ---------------------------------------------------------------- Patterns


@given(holds=PATIENTS)
@settings(max_examples=30, deadline=None)
async def test_the_patterns_of_a_result_are_those_of_the_rules_in_an_emergency_too(holds: Findings) -> None:
    chat = Chat()
    await chat.says("/hip")
    verdict = await chat.answers(holds)

    assessment = TRIAGE.assess(findings(chat))
    assert verdict.conditions == tuple(f.condition for f in assessment.differential)
    assert verdict.urgency is assessment.urgency


async def test_an_emergency_names_its_pattern_for_those_who_ask(chat: Chat) -> None:
    verdict = await comes_to(chat, Disposition.EMERGENCY)
    assert verdict.conditions

    await chat.taps(button("patterns"))

    assert words("conditions", verdict.conditions[0], "name") in chat.notice.text


@pytest.mark.parametrize("urgency", [u for u in Disposition if u is not Disposition.EMERGENCY])
async def test_the_first_patterns_are_named_as_patterns(chat: Chat, urgency: Disposition) -> None:
    verdict = await comes_to(chat, urgency)

    assert words("ui", "patterns_short") in verdict.text
    assert words("conditions", verdict.conditions[0], "name") in verdict.text


async def test_each_pattern_on_tap_says_what_speaks_for_it_and_leads_to_its_page(chat: Chat) -> None:
    verdict = await comes_to(chat, Disposition.ROUTINE)

    await chat.taps(button("patterns"))

    first = TRIAGE.assess(findings(chat)).differential[0]
    assert all(words("findings", code) in chat.notice.text for code in first.supports)
    await chat.taps(words("conditions", verdict.conditions[0], "name"))
    page = next(c.care for c in PATHWAY.conditions if c.id == verdict.conditions[0])
    assert chat.notice.text.startswith(words("care", page, "title"))


# ---------------------------------------------------------------- On tap


@pytest.mark.parametrize("urgency", [Disposition.EMERGENCY, Disposition.SAME_DAY, Disposition.WITHIN_DAYS])
async def test_why_names_every_rule_that_decided_with_its_source(chat: Chat, urgency: Disposition) -> None:
    await comes_to(chat, urgency)

    await chat.taps(button("why"))

    fired = [f.rule for f in TRIAGE.assess(findings(chat)).fired if f.rule.urgency is urgency]
    assert fired
    for rule in fired:
        assert words("ui", "why_id", id=rule.id) in chat.notice.text
        for source in rule.sources:
            kind, _, name = source.partition(".")
            told = words("judgements", name) if kind == "judgement" else library().sources[source].title
            assert told in chat.notice.text


@pytest.mark.parametrize("urgency", Disposition)
async def test_the_why_command_says_the_same_as_the_button(chat: Chat, urgency: Disposition) -> None:
    await comes_to(chat, urgency)
    await chat.taps(button("why"))
    told = chat.notice.text

    await chat.says("/why")

    assert chat.notice.text == told


async def test_the_why_command_without_a_result_says_how_to_get_one(chat: Chat) -> None:
    await chat.says("/why")

    assert chat.notice.text.startswith(words("ui", "no_result_yet"))


@pytest.mark.parametrize("key", ["patterns", "advice", "changes", "clinician", "why", "review"])
@pytest.mark.parametrize("way", ["button", "typed word"])
async def test_what_is_on_tap_can_be_opened_again_and_again(chat: Chat, key: str, way: str) -> None:
    verdict = await comes_to(chat, Disposition.WITHIN_DAYS)
    shown = []
    for _ in range(2):
        await (chat.taps(button(key)) if way == "button" else chat.says(typed(key)))
        shown.append(chat.last[0].text)
        chat.last = (verdict,)
        if key == "review":
            break

    assert len(set(shown)) == 1
    assert words("ui", "not_understood") not in shown[0]


async def test_what_would_change_this_lists_what_raises_it_and_to_what(chat: Chat) -> None:
    await comes_to(chat, Disposition.ROUTINE)

    await chat.taps(button("changes"))

    code, to = TRIAGE.assess(findings(chat)).would_raise[0]
    line = words("ui", "would_become", what=words("watch", code), soon=words("dispositions", to.value, "soon"))
    assert f"- {line}" in chat.notice.text


async def test_the_clinicians_text_has_what_was_told_what_was_denied_and_the_rules(chat: Chat) -> None:
    await comes_to(chat, Disposition.SAME_DAY)

    await chat.taps(button("clinician"))

    text = chat.notice.text
    assert all(words("findings", code) in text for code in findings(chat))
    assert f"- {words('questions', 'body', 'choices', 'chest')}" in text.partition(words("ui", "clinician_denied"))[2]
    assert all(f.rule.id in text for f in TRIAGE.assess(findings(chat)).fired)
    assert PATHWAY.version in text
    assert f"{START:%Y-%m-%d}" in text


async def test_all_advice_is_what_the_rules_show_and_no_more(chat: Chat) -> None:
    await comes_to(chat, Disposition.ROUTINE)

    await chat.taps(button("advice"))

    shown = [line.removeprefix("- ") for line in chat.notice.text.splitlines() if line.startswith("- ")]
    ids = TRIAGE.assess(findings(chat)).advice
    assert sorted(shown) == sorted(words("advice", id, emergency="112, 999 or 911", urgent="") for id in ids)


@pytest.mark.parametrize("urgency", [u for u in Disposition if u is not Disposition.EMERGENCY])
async def test_a_result_says_on_which_day_to_look_again(chat: Chat, urgency: Disposition) -> None:
    verdict = await comes_to(chat, urgency)

    day = START + timedelta(days=PATHWAY.look_again[urgency])
    assert words("ui", "date", day=day.day, month=words.list("ui", "months")[day.month - 1]) in verdict.text


# ---------------------------------------------------------------- The country


@pytest.mark.parametrize("urgency", [Disposition.EMERGENCY, Disposition.SAME_DAY])
async def test_one_tap_on_a_country_sets_it_and_draws_the_result_with_its_numbers(chat: Chat, urgency: Disposition) -> None:
    await comes_to(chat, urgency)
    await chat.taps(button("set_region"))
    assert chat.prompt.question == "regions"

    await chat.taps(words("regions", "NZ"))

    numbers = REGIONS["NZ"]
    told = words("ui", "region_set", region=words("regions", "NZ"), emergency=numbers.emergency, urgent=numbers.urgent)
    assert chat.notice.text == told
    number = numbers.emergency if urgency is Disposition.EMERGENCY else numbers.urgent
    assert number in chat.verdict.text.splitlines()[0]
    assert button("set_region") not in [b.label for b in chat.verdict.choices]


async def test_every_country_can_be_picked(chat: Chat) -> None:
    await chat.says("/settings")
    await chat.taps(button("set_region"))

    labels = [b.label for b in chat.prompt.choices]
    assert labels == [words("regions", id) for id in REGIONS if id != "XX"]


async def test_a_country_set_in_the_middle_of_a_check_changes_no_answer(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.chooses()
    before = answered(chat)
    await chat.says("/settings")
    await chat.taps(button("set_region"))

    await chat.taps(words("regions", "GB"))

    assert answered(chat) == before
    await chat.says("asdfgh")
    assert "call 999" in chat.notice.text
    assert chat.prompt.question == "health"


async def test_a_country_that_was_set_holds_for_the_next_check(chat: Chat) -> None:
    await chat.says("/settings")
    await chat.taps(button("set_region"))
    await chat.taps(words("regions", "AU"))

    verdict = await comes_to(chat, Disposition.EMERGENCY)

    assert "000" in verdict.text.splitlines()[0]


async def test_a_country_that_is_not_known_any_more_shows_the_common_numbers(chat: Chat) -> None:
    set_region(chat, "ZZ")

    verdict = await comes_to(chat, Disposition.EMERGENCY)

    assert "112, 999 or 911" in verdict.text.splitlines()[0]


# ---------------------------------------------------------------- Units


@pytest.mark.parametrize("units", Units)
async def test_distances_are_in_the_members_units(chat: Chat, units: Units) -> None:
    chat.sessions.default = Preferences(units=units)
    await goes_to(chat, "load", frozenset({"age_18_44", "place_buttock", "dur_2_6w", "both_sides"}))

    labels = " ".join(b.label for b in chat.prompt.choices)
    assert ("60 km" in labels, "37 miles" in labels) == (units is Units.KM, units is Units.MILES)


# ---------------------------------------------------------------- Not the hip


@pytest.mark.parametrize(
    ("place", "trouble"),
    [("place_knee", "knee"), ("place_lower_leg", "shin"), ("place_testicle", "testicle"), ("place_elsewhere", "elsewhere")],
)
async def test_trouble_that_is_not_the_hip_is_said_to_be_so(chat: Chat, place: str, trouble: str) -> None:
    await chat.says("/hip")

    verdict = await chat.answers({"age_18_44", place, "dur_3_14d"})

    assert words("not_the_hip", trouble) in verdict.text


async def test_a_red_flag_is_honoured_where_it_is_not_the_hip(chat: Chat) -> None:
    await chat.says("/hip")

    verdict = await chat.answers({"age_18_44", "place_lower_leg", "leg_swollen"})

    assert verdict.urgency is Disposition.SAME_DAY


# ---------------------------------------------------------------- For scripts


async def test_a_result_is_kept_as_answers_and_worked_out_again(chat: Chat) -> None:
    verdict = await comes_to(chat, Disposition.WITHIN_DAYS)

    session = json.loads(chat.sessions.kept[chat.address][0] or "{}")
    assert "urgency" not in session
    assert not set(verdict.conditions) & set(session)
    await chat.says("/hip")
    await chat.taps(button("see_result"))
    assert chat.verdict == Verdict(verdict.text, verdict.urgency, verdict.conditions, chat.verdict.choices)


async def test_every_screen_of_a_result_is_a_notice_a_prompt_or_the_result(chat: Chat) -> None:
    verdict = await comes_to(chat, Disposition.SAME_DAY)

    for choice in [b for b in verdict.choices if b.label not in (button("start_again"), button("stop"))]:
        chat.last = (verdict,)
        await chat.taps(choice.label)

        assert all(isinstance(r, Notice | Prompt | Verdict) for r in chat.last)
        assert not any(words("ui", "error") in r.text for r in chat.last)
