"""The light of a check-in over all answers there can be, and what a red one tells the check of the hip."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import library
from core import checkins
from core.checkins import LIGHTS, PLACES, Step
from core.diary import Asking, Light, Origin, Place, Run

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RUN = Run("run", NOON, Origin.TOLD)
NEW = Asking(checkins.thread_of(RUN), RUN, NOON.date())
KNOWN = library().checkins
SCALE = KNOWN.scale
ALARMING = frozenset(Place) - {Place.OUTER_HIP, Place.SIT_BONE, Place.MUSCLE}
SIGNS = tuple(product((False, True), repeat=6))
"""Built, limp, still, worse, night, lying."""


def told(place: Place, worst: int, signs: tuple[bool, ...]) -> Asking:
    ran = replace(NEW, ran=True, worst=worst, place=place)
    built, limp, still, worse, night, lying = signs
    return replace(ran, built=built, limp=limp, still=still, worse=worse, night=night, lying=lying)


@cache
def table() -> tuple[Asking, ...]:
    """Return every check-in that can be told: where x worst x built x limp x still x worse x night x lying."""
    return tuple(told(place, worst, signs) for place, worst, signs in product(Place, range(11), SIGNS))


def rank(asking: Asking) -> int:
    found = checkins.light(SCALE, asking)
    assert found is not None
    return LIGHTS.index(found)


def more(asking: Asking) -> list[Asking]:
    """Return what the same member would have told with one thing more, or worse."""
    worse = [] if asking.worst == 10 else [replace(asking, worst=(asking.worst or 0) + 1)]
    signs = [
        replace(asking, built=True),
        replace(asking, limp=True),
        replace(asking, still=True),
        replace(asking, worse=True),
        replace(asking, night=True),
        replace(asking, lying=True),
    ]
    return [*worse, *(one for one in signs if one != asking)]


# ---------------------------------------------------------------- The light


def test_the_table_is_whole() -> None:
    assert len(table()) == 11 * 11 * 64


def test_any_pain_in_an_alarming_or_unknown_place_is_red() -> None:
    assert {checkins.light(SCALE, a) for a in table() if a.place in ALARMING and a.worst} == {Light.RED}


@pytest.mark.parametrize("sign", ["built", "limp", "still", "night", "lying"])
def test_a_red_sign_is_red_whatever_the_number_and_the_place(sign: str) -> None:
    assert {checkins.light(SCALE, a) for a in table() if getattr(a, sign)} == {Light.RED}


def test_the_scale_serves_the_three_places_where_nothing_is_red() -> None:
    calm = (False,) * 6
    lights = {(p, w): checkins.light(SCALE, told(p, w, calm)) for p, w in product(SCALE.places, range(11))}
    expected = [*[Light.GO] * 4, *[Light.HOLD] * 2, *[Light.STEP_BACK] * 5]
    assert lights == {(place, worst): expected[worst] for place, worst in lights}


def test_worse_next_morning_is_at_least_a_step_back() -> None:
    assert {checkins.light(SCALE, a) for a in table() if a.worse} == {Light.STEP_BACK, Light.RED}


def test_telling_more_or_worse_never_makes_the_light_greener() -> None:
    greener = [(a, b) for a in table() for b in more(a) if rank(b) < rank(a)]
    assert greener == []


def test_an_alarming_place_is_never_greener_than_one_that_the_scale_serves() -> None:
    for worst, signs in product(range(11), SIGNS):
        served = max(rank(told(place, worst, signs)) for place in SCALE.places)
        assert min(rank(told(place, worst, signs)) for place in ALARMING) >= served


def test_too_little_gives_no_light_unless_it_is_red_already() -> None:
    assert checkins.light(SCALE, NEW) is None
    assert checkins.light(SCALE, replace(NEW, ran=True)) is None
    assert checkins.light(SCALE, replace(NEW, ran=True, worst=2)) is None
    assert checkins.light(SCALE, replace(NEW, ran=True, worst=2, built=True)) is Light.RED
    assert checkins.light(SCALE, replace(NEW, ran=False)) is None


# ---------------------------------------------------------------- What a red one tells /hip


def test_all_that_was_told_goes_along_and_nothing_else() -> None:
    codes = library().pathway.codes
    for asking in table():
        given_codes = checkins.findings_of(KNOWN, asking)
        assert set(given_codes) <= codes
        assert ("walk_limp" in given_codes) is bool(asking.limp)
        assert ("rest_pain" in given_codes) is bool(asking.still)
        assert ("run_builds" in given_codes) is bool(asking.built)
        assert ("course_worse" in given_codes) is bool(asking.worse)
        assert ("night_side_lying" in given_codes) is bool(asking.lying)
        assert ("night_any_position" in given_codes) is bool(asking.night and not asking.lying)


def test_the_check_begins_with_no_less_urgency_for_more_that_was_told() -> None:
    """Of what is told over and above; a worse number takes the place of a smaller one."""
    triage = library().triage
    urgency = {a: triage.urgency(frozenset(checkins.findings_of(KNOWN, a))) for a in table()}
    told_more = [(a, b) for a in table() if a.worst for b in more(a) if b.lying == a.lying or b.night == a.night is False]
    assert [(a, b) for a, b in told_more if urgency[b] < urgency[a]] == []


# ---------------------------------------------------------------- The questions


def taps(asking: Asking, answers: dict[Step, int], *, morning: bool = False) -> tuple[Asking, list[Step]]:
    """Return the check-in answered as far as it goes, and the questions that were asked."""
    asked: list[Step] = []
    while step := checkins.next_step(SCALE, asking, morning=morning):
        answered = checkins.answered(asking, step, answers[step], NOON)
        assert answered
        asking, asked = answered, [*asked, step]
    return asking, asked


ANSWERS = st.fixed_dictionaries(
    {
        Step.RAN: st.integers(0, 1),
        Step.WORST: st.integers(0, 10),
        Step.PLACE: st.integers(0, len(PLACES) - 1),
        Step.BUILT: st.integers(0, 1),
        Step.LIMP: st.integers(0, 3),
        Step.WORSE: st.integers(0, 1),
        Step.NIGHT: st.integers(0, 2),
    }
)


@given(answers=ANSWERS)
def test_one_tap_if_not_run_two_without_pain_five_with_and_two_next_morning(answers: dict[Step, int]) -> None:
    evening, asked = taps(NEW, answers)

    assert len(asked) <= (1 if not answers[Step.RAN] else 2 if not answers[Step.WORST] else 5)
    morning, asked = taps(evening, answers, morning=True)
    assert len(asked) <= (2 if evening.worst else 0)
    assert checkins.next_step(SCALE, morning, morning=True) is None


@given(answers=ANSWERS)
def test_red_ends_the_questions_at_once_and_waits_for_no_morning(answers: dict[Step, int]) -> None:
    asking, _ = taps(NEW, answers)

    if checkins.light(SCALE, asking) is Light.RED:
        assert checkins.next_step(SCALE, asking, morning=True) is None
    before = checkins.without(asking, last, NOON) if (last := checkins.last_step(asking)) else asking
    assert not checkins.is_red(SCALE, before)


@given(answers=ANSWERS)
def test_both_occurrences_as_one_come_to_the_same_light(answers: dict[Step, int]) -> None:
    apart, _ = taps(taps(NEW, answers)[0], answers, morning=True)
    together, _ = taps(replace(NEW, together=True), answers)

    assert checkins.light(SCALE, together) is checkins.light(SCALE, apart)
    assert checkins.findings_of(KNOWN, together) == checkins.findings_of(KNOWN, apart)


@given(answers=ANSWERS)
def test_going_back_takes_exactly_the_last_answer(answers: dict[Step, int]) -> None:
    asking = NEW
    while step := checkins.next_step(SCALE, asking, morning=True):
        answered = checkins.answered(asking, step, answers[step], NOON)
        assert answered
        assert checkins.last_step(answered) is step
        back = checkins.without(answered, step, NOON)
        assert replace(back, step=0, touched=None, ran=asking.ran) == replace(asking, step=0, touched=None)
        asking = answered


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("value", [-1, 11, 99])
def test_an_answer_that_the_question_does_not_have_changes_nothing(step: Step, value: int) -> None:
    assert checkins.answered(NEW, step, value, NOON) is None
