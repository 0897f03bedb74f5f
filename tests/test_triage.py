"""How soon someone should be seen: the principles above the rules, over every combination that they speak of."""

from itertools import combinations, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat import library
from core.clinical import Assessment, Disposition, Findings, Group, Kind, Reassurance, Rule
from core.triage import Triage, UnknownFinding

PATHWAY = library().pathway
TRIAGE = Triage(PATHWAY)
CODES = sorted(PATHWAY.codes)
ONSETS = next(g.codes for g in PATHWAY.groups if g.id == "onset")
TWO_WEEKS = ["dur_2_6w", "dur_6_12w", "dur_over_3m"]
CHILD = ["age_under_10", "age_10_17"]
STRAINS = {c.id for c in PATHWAY.conditions if "strain" in c.id}
ANY = st.frozensets(st.sampled_from(CODES), max_size=15)


def conditions(assessment: Assessment) -> list[str]:
    return [f.condition for f in assessment.differential]


def enough_for(rule: Rule | Reassurance, data: st.DataObject) -> Findings:
    return rule.all | {data.draw(st.sampled_from(sorted(group))) for group in rule.any}


# ---------------------------------------------------------------- Any rules


@given(findings=ANY, added=st.sampled_from(CODES))
@settings(max_examples=200, deadline=None)
def test_one_more_finding_never_lowers_the_urgency_once_a_rule_has_fired(findings: Findings, added: str) -> None:
    before, after = TRIAGE.assess(findings), TRIAGE.assess(findings | {added})

    assert after.urgency >= before.urgency or not before.fired
    assert after.urgency >= before.urgency or (before.urgency, after.urgency) == (Disposition.ROUTINE, Disposition.SELF_CARE)


@given(data=st.data(), others=ANY, rule=st.sampled_from(PATHWAY.rules))
@settings(max_examples=200, deadline=None)
def test_a_rule_that_has_what_it_needs_fires_whatever_else_is_told(data: st.DataObject, others: Findings, rule: Rule) -> None:
    findings = others | enough_for(rule, data)

    assert TRIAGE.urgency(findings) >= rule.urgency


@given(findings=ANY)
@settings(max_examples=100, deadline=None)
def test_every_rule_that_fired_says_which_findings_fired_it(findings: Findings) -> None:
    assessment = TRIAGE.assess(findings)

    for fired in assessment.fired:
        assert set(fired.because) <= findings
        assert TRIAGE.urgency(frozenset(fired.because)) >= fired.rule.urgency


@given(findings=ANY)
@settings(max_examples=100, deadline=None)
def test_what_would_raise_the_urgency_does_raise_it(findings: Findings) -> None:
    assessment = TRIAGE.assess(findings)

    for code, to in assessment.would_raise:
        assert TRIAGE.urgency(findings | {code}) is to
        assert to > assessment.urgency


@pytest.mark.parametrize("unknown", ["walk_unabel", "", "WALK_UNABLE", "place", "\u0647", "@groin", "unsure_"])
def test_an_unknown_code_is_an_error_and_never_ignored(unknown: str) -> None:
    for ask in (TRIAGE.assess, TRIAGE.urgency, TRIAGE.mask):
        with pytest.raises(UnknownFinding) as refused:
            ask(frozenset({"walk_unable", unknown}))
        assert refused.value.codes == (unknown,)


@pytest.mark.parametrize("group", [g for g in PATHWAY.groups if g.kind is Kind.ONE], ids=lambda g: g.id)
def test_two_codes_of_a_group_that_is_one_are_accepted_and_each_counts(group: Group) -> None:
    for one, other in combinations(group.codes, 2):
        both = TRIAGE.assess(frozenset({one, other}))

        assert {f.rule.id for f in both.fired} >= {f.rule.id for code in (one, other) for f in alone(code).fired}


def alone(code: str) -> Assessment:
    return TRIAGE.assess(frozenset({code}))


def test_nothing_told_is_routine() -> None:
    nothing = TRIAGE.assess(frozenset())

    assert nothing.urgency is Disposition.ROUTINE
    assert not nothing.fired
    assert not nothing.differential


@given(data=st.data(), reassurance=st.sampled_from(PATHWAY.reassurances))
@settings(max_examples=50, deadline=None)
def test_home_care_is_said_only_where_no_rule_fired(data: st.DataObject, reassurance: Reassurance) -> None:
    assessment = TRIAGE.assess(enough_for(reassurance, data) | data.draw(ANY))

    assert (assessment.urgency is Disposition.SELF_CARE) == (assessment.reassurance is not None)
    assert not (assessment.fired and assessment.reassurance)


# ---------------------------------------------------------------- The principles


@pytest.mark.parametrize("onset", [None, *ONSETS])
@given(others=ANY)
@settings(max_examples=20, deadline=None)
def test_cannot_bear_weight_is_an_emergency_whatever_the_onset(onset: str | None, others: Findings) -> None:
    began = {onset} if onset else set()

    assert TRIAGE.urgency(others | {"walk_unable", *began}) is Disposition.EMERGENCY


@pytest.mark.parametrize("lasting", TWO_WEEKS)
@given(others=ANY)
@settings(max_examples=50, deadline=None)
def test_two_weeks_or_longer_is_at_least_routine(lasting: str, others: Findings) -> None:
    assert TRIAGE.urgency(others | {lasting}) >= Disposition.ROUTINE


PAINLESS = "painless_click"
"""A click that never hurt is no pain that lasts: it alone may be years old and stay at home [SHS]."""


@pytest.mark.parametrize("reassurance", [r for r in PATHWAY.reassurances if r.id != PAINLESS], ids=lambda r: r.id)
@pytest.mark.parametrize("lasting", TWO_WEEKS)
def test_no_reassurance_sends_someone_home_after_two_weeks(lasting: str, reassurance: Reassurance) -> None:
    told = [reassurance.all | set(one_of_each) for one_of_each in product(*reassurance.any)]

    assert [sorted(t) for t in told if TRIAGE.urgency(t | {lasting}) < Disposition.ROUTINE] == []


BONE_PLACES = {
    "groin": ["place_groin_front"],
    "deep hip": ["place_deep"],
    "thigh": ["place_front_thigh", "place_inner_thigh", "place_outer_thigh", "place_back_thigh", "place_thigh"],
    "sacral": ["place_low_back", "place_buttock"],
}
BONE_SIGNS = {
    "builds with running": "run_builds",
    "limp": "walk_limp",
    "at night": "night_any_position",
    "at rest": "rest_pain",
}
BONE_PAIN = [(place, sign) for places in BONE_PLACES.values() for place in places for sign in BONE_SIGNS.values()]
FOR_STRAIN = sorted({code for c in PATHWAY.conditions if c.id in STRAINS for code in c.strong | c.typical | c.possible})
"""What speaks for a strain, and so could push bone aside."""
CLEARLY_FOR_STRAIN = sorted({code for c in PATHWAY.conditions if c.id in STRAINS for code in c.strong})
OTHERS = st.frozensets(st.sampled_from(FOR_STRAIN) | st.sampled_from(CODES), max_size=8)


@pytest.mark.parametrize(("place", "sign"), BONE_PAIN)
@given(others=OTHERS)
@example(others=frozenset())
@settings(max_examples=8, deadline=None)
def test_bone_like_pain_is_never_for_home_care(place: str, sign: str, others: Findings) -> None:
    assert TRIAGE.urgency(others | {place, sign}) > Disposition.SELF_CARE


@pytest.mark.parametrize(("place", "sign"), BONE_PAIN)
def test_bone_like_pain_is_never_called_a_strain_first_with_any_two_clear_signs_of_one(place: str, sign: str) -> None:
    pairs = combinations([place, *CLEARLY_FOR_STRAIN], 2)

    assert [pair for pair in pairs if first_named(frozenset({place, sign, *pair})) in STRAINS] == []


@pytest.mark.parametrize(("place", "sign"), BONE_PAIN)
@given(others=OTHERS)
@example(others=frozenset({"onset_pop", "bruise_big"}))
@example(others=frozenset({"place_back_thigh"}))
@example(others=frozenset())
@settings(max_examples=12, deadline=None)
def test_bone_like_pain_is_never_called_a_strain_first(place: str, sign: str, others: Findings) -> None:
    assert first_named(others | {place, sign}) not in STRAINS


def first_named(findings: Findings) -> str | None:
    return next(iter(conditions(TRIAGE.assess(findings))), None)


@pytest.mark.parametrize("rule", [r for r in PATHWAY.rules if r.first], ids=lambda r: r.id)
@given(data=st.data(), others=ANY)
@settings(max_examples=5, deadline=None)
def test_a_red_flag_condition_comes_first_when_its_own_rule_fires(rule: Rule, data: st.DataObject, others: Findings) -> None:
    told = enough_for(rule, data) | others
    named = conditions(TRIAGE.assess(told))

    naming = [r for r in PATHWAY.rules if r.first and r.because(told)]
    most = max(r.urgency for r in naming)
    assert named[0] in {c for r in naming if r.urgency is most for c in r.first}
    assert set(rule.first) <= set(named) or rule.urgency < most


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        ("saddle_numb", "cauda_equina"),
        ("bladder_bowel_change", "cauda_equina"),
        ("leg_both_nerve", "cauda_equina"),
        ("breathless_chest_pain", "dvt"),
        ("leg_swollen", "dvt"),
        ("leg_deformed", "hip_fracture_dislocation"),
        ("fever_ill", "joint_infection"),
        ("hip_hot_red_swollen", "joint_infection"),
        ("dark_urine", "rhabdomyolysis"),
        ("lump_groin_stuck", "inguinal_hernia"),
        ("testicle_severe", "abdominal_pelvic_cause"),
        ("hist_cancer", "bone_tumour"),
        ("hist_hip_replacement", "implant_problem"),
    ],
)
@given(others=st.frozensets(st.sampled_from(FOR_STRAIN), max_size=8))
@settings(max_examples=10, deadline=None)
def test_what_must_not_be_missed_is_named_before_what_is_harmless(code: str, condition: str, others: Findings) -> None:
    told = others | {code}
    named = conditions(TRIAGE.assess(told))

    assert condition in named
    before = named[: named.index(condition)]
    assert set(before) <= {c for r in PATHWAY.rules if r.because(told) for c in r.first}


LOAD_ADVICE = {
    *("ease_off", "soreness_move", "side_strength", "itb_cut", "arthritis_exercise", "keep_active", "click_fine", "two_weeks"),
    *("tendon_scale", "longest_run", "one_change", "strength_later", "stop_if_it_builds", "check_before_running"),
}
"""Advice that lets someone run or load the hip, now or later."""


@pytest.mark.parametrize("age", CHILD)
@given(others=ANY)
@settings(max_examples=150, deadline=None)
def test_under_18_nobody_gets_advice_on_load(age: str, others: Findings) -> None:
    assert not LOAD_ADVICE & set(TRIAGE.assess(others | {age}).advice)


@pytest.mark.parametrize("id", sorted(LOAD_ADVICE))
def test_advice_on_load_is_shown_to_adults_only(id: str) -> None:
    advice = next(a for a in PATHWAY.advice if a.id == id)

    assert set(CHILD) <= advice.none


@given(age=st.sampled_from(CHILD), others=ANY)
@settings(max_examples=100, deadline=None)
def test_a_child_is_told_no_less_than_an_adult_with_the_same_answers(age: str, others: Findings) -> None:
    same = others - {c for g in PATHWAY.groups if g.id == "age" for c in g.codes}

    assert TRIAGE.urgency(same | {age}) >= TRIAGE.urgency(same | {"age_18_44"})
