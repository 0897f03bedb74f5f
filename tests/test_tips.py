"""Tips: the one that fits, or none. Never twice in eight weeks, never three in a week, never to someone who should be seen."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import library
from core.care import Hip, Tip, Topic
from core.coaching import tip as shown
from core.diary import REMEMBERED, Age, Asking, Diary, FollowUp, Given, Light, Place
from core.load import Load, Season
from core.tips import AGAIN, Chosen, asked_for, fitting, situation
from diaries import DIARIES, FOUND, NOW, diary, followed, ran, told

LIBRARY = library()
TIPS = LIBRARY.tips
HURT = Hip.SORE, Hip.HOLD, Hip.STEP_BACK, Hip.BETTER, Hip.FOLLOWED
DAY = timedelta(days=1)


def choose(kept: Diary, tips: tuple[Tip, ...] = TIPS) -> Chosen | None:
    return asked_for(replace(LIBRARY, tips=tips), kept, NOW)


def those(tip: Tip, state: Hip) -> Iterator[Diary]:
    """Yield the diaries of people in a state whom a tip should fit."""
    places: list[Place | None] = [*sorted(tip.places)] or [Place.OUTER_HIP if state in HURT else None]
    runs_of: list[Load | Season | None] = [*tip.loads, *tip.seasons] or [None]
    for place, runs, age in product(places, runs_of, sorted(tip.ages)):
        if state is not Hip.FOLLOWED or place in FOUND:
            yield diary(state, place, runs, age)


@pytest.mark.parametrize("tip", TIPS, ids=lambda tip: tip.id)
def test_every_tip_fits_somebody_in_each_of_its_states_and_says_why(tip: Tip) -> None:
    for state in tip.states:
        given = [chosen for kept in those(tip, state) if (chosen := choose(kept, (tip,)))]

        assert given, state
        for chosen in given:
            text = shown.told(chosen, LIBRARY)
            assert text.startswith(LIBRARY.words("tips", "say", tip.id))
            assert "\n\nWhy you get this: " in text
            assert text.count("Source: ") + text.count("Our cautious choice: ") == len(tip.sources)


def test_without_anything_known_there_is_no_tip() -> None:
    assert choose(Diary(age=Age.ADULT)) is None


@pytest.mark.parametrize("state", [Hip.WELL, *HURT])
def test_a_tip_speaks_of_the_state_that_chose_it(state: Hip) -> None:
    chosen = choose(diary(state, Place.OUTER_HIP))

    assert chosen is not None
    assert LIBRARY.words("tips", "states", state.value) in shown.told(chosen, LIBRARY)


def test_the_place_that_hurts_comes_before_what_is_general() -> None:
    chosen = choose(diary(Hip.SORE, Place.SIT_BONE))

    assert chosen is not None
    assert chosen.places == (Place.SIT_BONE,)


def test_topics_take_turns() -> None:
    kept, topics = diary(Hip.WELL, runs=Season.BUILDING), []
    for _ in range(4):
        chosen = choose(kept)
        assert chosen is not None
        topics.append(chosen.tip.topic)
        kept = replace(kept, tips=(*kept.tips, Given(chosen.tip.id, NOW - AGAIN / 2)))

    assert len(set(topics)) == 4


RED = [
    ("the light", [told(1, Light.RED, 2, Place.GROIN)], []),
    ("a light of last week, and a good run since", [told(7, Light.RED, 2, Place.GROIN), told(1, Light.GO, 0)], []),
    ("an old light that nothing came after", [told(50, Light.RED, 2, Place.GROIN)], []),
    ("the light alone", [told(1, Light.RED)], []),
    ("a limp", [replace(told(1, Light.GO, 1, Place.MUSCLE), limp=True)], []),
    ("a limp before there is a light", [replace(told(1, None, 1, Place.MUSCLE), limp=True)], []),
    ("pain at night", [replace(told(1, Light.HOLD, 1, Place.MUSCLE), night=True)], []),
    ("pain that built", [replace(told(1, Light.GO, 1, Place.MUSCLE), built=True)], []),
    ("pain where the scale does not speak", [told(1, Light.GO, 1, Place.THIGH)], []),
    ("a check-in that is not over", [replace(told(0, None, 3, Place.MUSCLE), closed=None)], []),
    ("a check-in with pain that was given up", [told(1, None, 3, Place.MUSCLE)], []),
    ("an urgent result", [told(1, Light.GO, 0)], [followed("same_day", days=2)]),
    ("a result of soon", [told(1, Light.GO, 0)], [followed("within_days", days=40)]),
    ("an urgent result that is over, but new", [told(1, Light.GO, 0)], [followed("emergency", days=10, closed=True)]),
    ("an urgent result that was not seen to", [], [replace(followed("routine"), seen="no")]),
    ("a result that got worse", [], [replace(followed("self_care", closed=True), answers=("better", "worse"))]),
    ("a result that was no better at the end", [], [replace(followed("routine", days=21, closed=True), answers=("same",))]),
]


@pytest.mark.parametrize(("askings", "follow_ups"), [r[1:] for r in RED], ids=[r[0].replace(" ", "-") for r in RED])
def test_whoever_should_be_seen_gets_no_tip(askings: list[Asking], follow_ups: list[FollowUp]) -> None:
    kept = diary(Hip.UNKNOWN, runs=Season.BUILDING)
    assert choose(kept) is not None

    assert choose(replace(kept, askings=tuple(askings), follow_ups=tuple(follow_ups))) is None


def test_a_red_light_is_over_after_two_weeks_and_a_good_run() -> None:
    kept = replace(diary(), askings=(told(15, Light.RED, 2, Place.GROIN), told(1, Light.GO, 0)))

    assert choose(kept) is not None


@pytest.mark.parametrize("age", [None, Age.UNDER_16])
def test_nobody_gets_a_tip_under_16_or_without_an_age(age: Age | None) -> None:
    for state in Hip:
        kept = diary(state, runs=Season.BUILDING, age=age)
        assert situation(LIBRARY, kept, NOW) is None
        assert choose(kept) is None


@pytest.mark.parametrize("runs", [*Load, *Season])
def test_nothing_is_said_of_load_under_18(runs: Load | Season) -> None:
    for state in Hip:
        kept = diary(state, runs=runs, age=Age.UNDER_18)
        here = situation(LIBRARY, kept, NOW)
        assert here is not None
        assert (here.loads, here.season) == (frozenset(), None)
        for tip in TIPS:
            chosen = choose(kept, (tip,))
            assert chosen is None or (chosen.tip.topic is not Topic.LOAD and not chosen.loads and not chosen.season)


@pytest.mark.parametrize("age", [Age.UNDER_18, Age.ADULT])
def test_a_tip_is_only_for_the_ages_that_it_names(age: Age) -> None:
    given = [chosen for tip in TIPS for state in tip.states if (chosen := choose(diary(state, age=age), (tip,)))]

    assert given
    assert all(age in chosen.tip.ages for chosen in given)


def test_a_tip_that_was_had_is_not_given_again_for_eight_weeks() -> None:
    tip = next(tip for tip in TIPS if tip.id == "pillow")
    kept = diary(Hip.SORE, Place.OUTER_HIP, tips=[Given(tip.id, NOW - AGAIN + DAY)])

    assert choose(kept, (tip,)) is None
    assert choose(replace(kept, tips=(Given(tip.id, NOW - AGAIN),)), (tip,)) is not None
    assert AGAIN < REMEMBERED


def test_what_comes_by_itself_leaves_some_peace_and_what_is_asked_for_does_not_wait() -> None:
    def after(*days: float) -> Chosen | None:
        return fitting(LIBRARY, diary(Hip.WELL, tips=[Given(f"t{d}", NOW - d * DAY) for d in days]), NOW)

    assert after() is not None
    assert after(1) is None
    assert after(2) is not None
    assert after(6, 3) is None
    assert after(7, 3) is not None
    assert choose(diary(Hip.WELL, tips=[Given("t", NOW)])) is not None


@settings(deadline=None)
@given(kept=DIARIES)
def test_what_is_given_fits_and_is_given_again_the_same(kept: Diary) -> None:
    chosen, here = choose(kept), situation(LIBRARY, kept, NOW)

    # The order of runs counts: of two that were told within hours of each other, the one told later is meant.
    assert chosen == choose(replace(kept, askings=kept.askings[::-1]))
    if chosen is None:
        return
    assert here is not None
    assert here.age in chosen.tip.ages
    assert chosen.hip in chosen.tip.states
    assert not chosen.tip.places or chosen.places
    assert not chosen.tip.loads or chosen.loads
    assert not chosen.tip.seasons or chosen.season in chosen.tip.seasons
    assert not any(a.light is Light.RED and NOW - a.run.start < 14 * DAY for a in kept.askings)


@settings(deadline=None)
@given(kept=DIARIES, light=st.sampled_from([Light.RED]), age=st.sampled_from(Age))
def test_a_red_light_now_silences_every_diary(kept: Diary, light: Light, age: Age) -> None:
    assert choose(replace(kept, age=age, askings=(*kept.askings, told(0, light, 1, Place.GROIN)))) is None


AGES = st.sampled_from([Age.ADULT, Age.ADULT, Age.UNDER_18])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**9), age=AGES)
def test_a_year_of_tips_repeats_nothing_in_eight_weeks_and_sends_two_a_week(seed: int, age: Age) -> None:
    live_a_year(seed, age)


@pytest.mark.prove
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 10**9), age=AGES)
def test_no_year_of_many_repeats_a_tip_or_sends_three_a_week(seed: int, age: Age) -> None:
    live_a_year(seed, age)


def live_a_year(seed: int, age: Age) -> None:
    """Run, answer and get tips for a year, and look at all that was sent."""
    year = random.Random(seed)
    kept, sent = Diary(age=age), list[Given]()
    for day in range(365):
        now = NOW + day * DAY
        if year.random() < 0.45:
            kept = after_a_run(kept, day, year)
        kept = kept.since(now - REMEMBERED)
        if chosen := fitting(LIBRARY, kept, now + year.random() * DAY / 4):
            assert not red_lately(kept, now)
            sent.append(Given(chosen.tip.id, now))
            kept = replace(kept, tips=(*kept.tips, sent[-1]))

    assert sent
    for i, one in enumerate(sent):
        later = [other for other in sent[i + 1 :] if other.at - one.at < AGAIN]
        assert one.tip not in {other.tip for other in later}
        assert len([other for other in later if other.at - one.at < 7 * DAY]) <= 1


def after_a_run(kept: Diary, day: int, year: random.Random) -> Diary:
    """Return the diary with a run of this day, its distance told and its check-in answered."""
    run = replace(ran(-day, year.randint(3, 12)), id=f"r{day}")
    light = year.choice(
        [Light.GO, Light.GO, Light.GO, Light.HOLD, Light.STEP_BACK, *([Light.RED] if year.random() < 0.1 else [])]
    )
    worst = {Light.GO: year.choice([0, 0, 2]), Light.HOLD: 4, Light.STEP_BACK: 7, Light.RED: 3}[light]
    place = Place.GROIN if light is Light.RED else year.choice([Place.OUTER_HIP, Place.SIT_BONE, Place.MUSCLE])
    asking = replace(told(-day, light, worst, place if worst else None), run=run)
    return replace(kept.with_asking(asking), runs=(*kept.runs, run))


def red_lately(kept: Diary, now: datetime) -> bool:
    return any(a.light is Light.RED and now - a.run.start < 13 * DAY for a in kept.askings)
