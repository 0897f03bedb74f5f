"""/progress and /week agree with what was told, and the note on a long run is gentle, and only for those it is for."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import library
from core.diary import Age, Asking, Diary, Light, Origin, Place, Run
from core.load import Season, taken
from core.members import Units, covered
from core.progress import LATELY, WEEKS, load_note, progress, week, weeks
from diaries import DIARIES, NOW, RUN, diary, followed, ran, told

LIBRARY = library()
ADULTS = DIARIES.map(lambda kept: replace(kept, age=Age.ADULT))


def said(kept: Diary, units: Units = Units.KM) -> str:
    return progress(kept, LIBRARY, units, NOW)


def runner(*runs: Run, askings: tuple[Asking, ...] = (), age: Age = Age.ADULT) -> Diary:
    return Diary(age=age, runs=runs, askings=askings)


def test_the_last_weeks_are_told_in_sentences_and_then_in_numbers() -> None:
    hurt = (told(30, Light.HOLD, 5, Place.MUSCLE), told(9, Light.GO, 0), told(2, Light.GO, 2, Place.MUSCLE))
    kept = runner(ran(30, 5), ran(9, 6), ran(4, 8), ran(2, 10), askings=hurt)

    assert said(kept).splitlines() == [
        (
            "You told me of 4 runs in the last 6 weeks. They come to 29 km in all, and the longest was 10 km. "
            "The worst pain that you told me of was 5 out of 10 before, and 2 in the last two weeks. It is going down."
        ),
        "",
        "Runs in each week, the oldest first: 0, 1, 0, 0, 1, 2.",
        "▁▄▁▁▄█",
        "",
        "Worst pain in each week, from 0 to 10: not told, 5, not told, not told, 0, 2.",
        "·▄··▁▂",
    ]


def test_it_is_told_in_the_units_of_the_member() -> None:
    assert "It was 5 miles." in said(runner(ran(2, 8)), Units.MILES)


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (runner(), "You have not told me of a run in the last 6 weeks."),
        (runner(ran(3)), "You told me of one run in the last 6 weeks."),
        (runner(ran(3), ran(5, 4), ran(8, 6)), "Those with a distance come to 10 km in all, and the longest was 6 km."),
        (runner(askings=(told(3, Light.GO, 0),)), "Not one of the runs that you told me about hurt."),
        (runner(askings=(told(3, Light.GO, 2),)), "The worst pain that you told me of was 2 out of 10, in the last two weeks."),
        (runner(askings=(told(30, Light.GO, 2),)), "About the last two weeks I know nothing."),
        (
            runner(askings=(told(30, Light.GO, 2), told(2, Light.GO, 2))),
            "was 2 out of 10, both in the last two weeks and before.",
        ),
        (runner(askings=(told(30, Light.GO, 1), told(2, Light.HOLD, 4))), "It is going up, so take it easy, and send /hip"),
    ],
)
def test_each_course_has_its_words(kept: Diary, says: str) -> None:
    assert says in said(kept)


@pytest.mark.parametrize("age", [Age.UNDER_16, Age.UNDER_18])
def test_nothing_is_looked_back_on_under_18(age: Age) -> None:
    assert said(replace(diary(runs=Season.BUILDING), age=age)) == LIBRARY.words("progress", "no_history")


def test_a_hip_that_should_be_looked_at_comes_first() -> None:
    kept = runner(ran(9, 5), askings=(told(9, Light.RED, 3, Place.GROIN), told(1, Light.GO, 0)))

    assert said(kept).startswith("Not long ago, a check-in or a result asked you to have your hip looked at.")


def test_weeks_are_counted_by_the_days_of_the_member() -> None:
    night = Run("n", datetime.fromisoformat("2026-11-15T23:30:00+00:00"), Origin.TOLD)

    assert [len(w.runs) for w in weeks(Diary(runs=(night,)), NOW)][-2:] == [1, 0]
    assert [len(w.runs) for w in weeks(Diary(zone="Europe/Berlin", runs=(night,)), NOW)][-2:] == [0, 1]


@settings(deadline=None)
@given(kept=ADULTS, units=st.sampled_from(Units))
def test_the_sentences_agree_with_the_numbers(kept: Diary, units: Units) -> None:
    text, past = said(kept, units), weeks(kept, NOW)
    runs, pains = (row(text, name) for name in ("Runs in each week", "Worst pain in each week"))
    counted = re.search(r"You told me of (\d+|one) runs? in", text)

    assert sum(runs) == (0 if counted is None else 1 if counted[1] == "one" else int(counted[1]))
    assert runs == ([len(w.runs) for w in past] if any(w.runs for w in past) else [])
    known = [run.metres for w in past for run in w.runs if run.metres]
    assert (covered(sum(known), units) in text) or not known
    before, lately = worst(pains[:-LATELY]), worst(pains[-LATELY:])
    assert ("going down" in text) == (before is not None and lately is not None and lately < before)
    assert ("going up" in text) == (before is not None and lately is not None and lately > before)
    assert ("Not one of the runs" in text) == (lately == 0 and not before)
    drawn = [line for line in text.splitlines() if line and line[0] in "▁▂▃▄▅▆▇█·"]
    assert all(len(line) == WEEKS for line in drawn)


def row(text: str, name: str) -> list[int]:
    """Return the numbers of a line, -1 for what was not told; nothing where there is no such line."""
    found = re.search(rf"^{name}[^:]*: (.*)\.$", text, re.MULTILINE)
    return [-1 if n == "not told" else int(n) for n in found[1].split(", ")] if found else []


def worst(values: list[int]) -> int | None:
    return max((v for v in values if v >= 0), default=None)


# The week ahead

CLUB, OWN = ran(-2, id="c", origin=Origin.CLUB), ran(-1, 8, id="o", origin=Origin.USUAL)


def ahead(kept: Diary, *runs: Run) -> str:
    return week(kept, runs, LIBRARY, Units.KM, NOW)


def test_the_week_ahead_lists_the_runs_by_the_clock_of_the_member() -> None:
    text = ahead(Diary(zone="Europe/Berlin", age=Age.ADULT), CLUB, OWN, ran(1), ran(-8))

    assert text.splitlines() == ["Your next 7 days:", "Monday 16:00, your run (8 km)", "Tuesday 16:00, with the club"]


def test_a_week_without_runs_says_how_to_tell_of_one() -> None:
    assert "/ran" in ahead(Diary())


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (runner(ran(3, 10)), "Your longest run of the last 30 days was 10 km. Up to 11 km is a small step from there."),
        (runner(ran(3, 10), askings=(told(1, Light.HOLD, 4, Place.MUSCLE),)), "the advice was to hold."),
        (runner(ran(3, 10), askings=(told(1, Light.STEP_BACK, 6, Place.MUSCLE),)), "the advice was to step back."),
        (runner(ran(3, 10), askings=(told(1, Light.RED, 6, Place.GROIN),)), "to have your hip looked at."),
        (replace(runner(ran(3, 10)), follow_ups=(followed("same_day"),)), "to have your hip looked at."),
    ],
)
def test_the_week_ahead_says_what_to_mind_and_only_the_most_careful(kept: Diary, says: str) -> None:
    text = ahead(kept, OWN)

    assert says in text
    assert len(text.split("\n\n")) == 2


def test_nothing_of_load_is_said_under_18() -> None:
    assert "longest" not in ahead(runner(ran(3, 10), age=Age.UNDER_18), OWN)


@pytest.mark.parametrize("light", [Light.HOLD, Light.STEP_BACK])
def test_under_18_the_week_ahead_says_whom_to_tell_of_pain(light: Light) -> None:
    text = ahead(runner(askings=(told(1, light, 6, Place.MUSCLE),), age=Age.UNDER_18), OWN)

    assert text.endswith(LIBRARY.words("progress", "young"))
    assert "the advice was" not in text


@settings(deadline=None)
@given(metres=st.integers(1, 100_000), units=st.sampled_from(Units))
def test_what_is_said_to_be_a_small_step_is_never_more_than_one(metres: int, units: Units) -> None:
    kept = runner(replace(ran(3), metres=metres))
    [most] = re.findall(r"Up to ([\d.]+) ", week(kept, [OWN], LIBRARY, units, NOW))

    assert float(most) * {Units.KM: 1000, Units.MILES: 1609.344}[units] <= metres * 1.1 + 1e-6


# The note on a long run


def note(kept: Diary, run: Run) -> str | None:
    return load_note(replace(kept, runs=(*kept.runs, run)), run, LIBRARY, Units.KM)


def test_a_run_much_longer_than_those_before_gets_a_gentle_note() -> None:
    text = note(runner(ran(20, 10), ran(5, 8), ran(31, 30)), ran(0, 12))

    assert text is not None
    assert text.startswith("That was 12 km. Your longest run in the 30 days before was 10 km.")


@pytest.mark.parametrize(
    ("kept", "run"),
    [
        (runner(ran(20, 10)), ran(0, 11)),  # just a tenth
        (runner(ran(20, 10)), ran(0)),  # nobody knows how far
        (runner(ran(40, 10)), ran(0, 30)),  # nothing to compare with
        (runner(ran(20)), ran(0, 30)),
        (runner(ran(20, 10), age=Age.UNDER_18), ran(0, 30)),
        (runner(ran(20, 10), age=Age.UNDER_16), ran(0, 30)),
        (replace(runner(ran(20, 10)), age=None), ran(0, 30)),
    ],
)
def test_no_other_run_gets_one(kept: Diary, run: Run) -> None:
    assert note(kept, run) is None


@settings(deadline=None)
@given(kept=ADULTS, run=RUN)
def test_the_note_comes_exactly_above_a_tenth_more(kept: Diary, run: Run) -> None:
    before = [r.metres or 0 for r in taken(kept, run.start) if timedelta() < run.start - r.start <= timedelta(days=30)]
    much = (run.metres or 0) * 10 > max(before, default=0) * 11 > 0

    assert (load_note(kept, run, LIBRARY, Units.KM) is not None) == much


# Distances


@pytest.mark.parametrize(
    ("metres", "units", "says"),
    [
        (8000, Units.KM, "8 km"),
        (8450, Units.KM, "8.4 km"),
        (42195, Units.KM, "42.2 km"),
        (8047, Units.MILES, "5 miles"),
        (1609, Units.MILES, "1 mile"),
        (100, Units.MILES, "0.1 miles"),
        (10_000_000, Units.KM, "10000 km"),
    ],
)
def test_a_distance_is_said_to_a_tenth(metres: int, units: Units, says: str) -> None:
    assert covered(metres, units) == says
