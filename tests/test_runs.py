"""The runs of a diary: each once, under the same id however often it is worked out."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.diary import Asking, Diary, Origin, Run, Slot
from core.runs import AROUND, LONGEST_SPAN, MOST_SLOTS, NEAR, between

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
"""The start of a week in which Berlin is an hour ahead."""
WEEK = timedelta(days=7)
TUESDAY = Slot(1, time(18, 30))
SUNDAY = Slot(6, time(9))
USUAL = Diary(zone="Europe/Berlin", plan=(TUESDAY, SUNDAY))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def told(start: datetime, id: str = "told") -> Run:
    return Run(id, start, Origin.TOLD, 45, 8_000)


def club(start: datetime, id: str = "club") -> Run:
    return Run(id, start, Origin.CLUB, 60)


def of_the_week(diary: Diary, *clubs: Run) -> list[tuple[str, datetime]]:
    return [(run.id, run.start) for run in between(diary, MONDAY, MONDAY + WEEK, {"tempo": clubs})]


def test_usual_runs_are_at_the_same_time_on_the_wall() -> None:
    assert of_the_week(USUAL) == [("2026-11-24T18:30", at(1, 17, 30)), ("2026-11-29T09:00", at(6, 8))]
    summer = between(USUAL, MONDAY - 20 * WEEK, MONDAY - 19 * WEEK)
    assert [run.start.hour for run in summer] == [16, 7]


def test_a_usual_run_in_the_hour_that_is_left_out_is_run_once() -> None:
    diary = Diary(zone="Europe/Berlin", plan=(Slot(6, time(2, 30)),))
    spring, autumn = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)

    assert [run.start.hour for run in between(diary, spring, spring + timedelta(days=2))] == [1]
    assert [run.start.hour for run in between(diary, autumn, autumn + timedelta(days=2))] == [0]


@pytest.mark.parametrize("off", [-NEAR, timedelta(), NEAR])
def test_a_told_run_replaces_the_usual_one_within_three_hours(off: timedelta) -> None:
    run = told(at(1, 17, 30) + off)

    assert between(replace(USUAL, runs=(run,)), MONDAY, MONDAY + timedelta(days=3)) == (run,)


def test_two_runs_a_day_are_two() -> None:
    run = told(at(1, 17, 30) - NEAR - timedelta(minutes=1))

    assert [id for id, _ in of_the_week(replace(USUAL, runs=(run,)))] == ["told", "2026-11-24T18:30", "2026-11-29T09:00"]


def test_of_a_run_told_twice_the_newer_telling_counts() -> None:
    tellings = (told(at(0, 8), "a"), told(at(0, 18), "b"), told(at(0, 17), "c"), told(at(0, 13), "d"))

    assert of_the_week(Diary(runs=tellings)) == [("a", at(0, 8)), ("d", at(0, 13)), ("c", at(0, 17))]


def test_only_the_group_runs_that_a_member_follows_are_theirs() -> None:
    assert of_the_week(Diary(), club(at(2, 18))) == []
    assert of_the_week(Diary(clubs=("tempo", "gone")), club(at(2, 18))) == [("club", at(2, 18))]


def test_a_member_s_own_schedule_wins_over_the_club_s() -> None:
    diary = replace(USUAL, clubs=("tempo",))
    runs = between(diary, MONDAY, MONDAY + WEEK, {"tempo": [club(at(1, 17)), club(at(3, 17), "thursday")]})

    assert [(run.id, run.origin) for run in runs] == [
        ("2026-11-24T18:30", Origin.USUAL),
        ("thursday", Origin.CLUB),
        ("2026-11-29T09:00", Origin.USUAL),
    ]


def test_a_run_just_before_the_span_counts_too() -> None:
    diary = replace(USUAL, clubs=("tempo",))

    assert between(diary, at(1, 18), at(2, 0), {"tempo": [club(at(1, 19))]}) == ()


def test_what_a_told_run_replaced_hides_no_run_of_the_club() -> None:
    diary = replace(USUAL, plan=(TUESDAY,), clubs=("tempo",), runs=(told(at(1, 15)),))

    assert of_the_week(diary, club(at(1, 20))) == [("told", at(1, 15)), ("club", at(1, 20))]


def test_of_two_group_runs_at_about_the_same_time_one_counts() -> None:
    assert of_the_week(Diary(clubs=("tempo",)), club(at(2, 18, 30), "fast"), club(at(2, 18), "slow")) == [("slow", at(2, 18))]


def test_a_change_of_zone_moves_usual_runs_and_leaves_told_ones() -> None:
    diary = replace(USUAL, runs=(told(at(3, 6)),))
    moved = of_the_week(replace(diary, zone="America/New_York"))

    assert [id for id, _ in moved] == [id for id, _ in of_the_week(diary)]
    assert [start for _, start in moved] == [at(1, 23, 30), at(3, 6), at(6, 14)]


def test_a_run_that_was_asked_about_keeps_its_id_however_it_is_known() -> None:
    (usual,) = between(USUAL, at(1, 0), at(2, 0))
    asked = replace(USUAL, askings=(Asking("1234abcd", usual, at(1, 0).date()),))

    assert between(asked, at(1, 0), at(2, 0)) == (usual,)
    assert of_the_week(replace(asked, runs=(told(at(1, 16)),)))[0] == (usual.id, at(1, 16))
    assert of_the_week(replace(asked, plan=(Slot(1, time(20)),)))[0] == (usual.id, at(1, 19))
    assert of_the_week(replace(asked, plan=(), clubs=("tempo",)), club(at(1, 15))) == [(usual.id, at(1, 15))]
    assert of_the_week(replace(asked, plan=(), runs=(told(at(1, 6)),))) == [("told", at(1, 6))]


def test_what_was_asked_about_is_not_asked_again_after_a_change_of_zone() -> None:
    (usual,) = between(USUAL, at(1, 0), at(2, 0))
    moved = replace(USUAL, zone="America/New_York", plan=(TUESDAY,), askings=(Asking("1234abcd", usual, at(1, 0).date()),))

    assert of_the_week(moved) == [(usual.id, at(1, 23, 30))]
    assert of_the_week(replace(moved, runs=(told(at(1, 16)),))) == [(usual.id, at(1, 16))]


def test_a_span_and_a_plan_of_any_size_have_a_bounded_number_of_runs() -> None:
    slots = tuple(Slot(weekday, time(hour, minute)) for weekday in range(7) for hour in range(24) for minute in (0, 1, 30))
    tellings = tuple(told(MONDAY + hours * timedelta(minutes=20), str(hours)) for hours in range(50_000))
    far = datetime(2999, 1, 1, tzinfo=UTC)

    assert len(between(Diary(plan=slots), MONDAY, far)) <= MOST_SLOTS * 16
    assert 10 < len(between(Diary(plan=slots, runs=tellings), MONDAY, far)) <= LONGEST_SPAN / NEAR


STARTS = st.integers(0, 6 * 24 * 4).map(lambda quarters: MONDAY + quarters * timedelta(minutes=15))
DIARIES = st.builds(
    Diary,
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
    plan=st.lists(st.builds(Slot, st.integers(0, 6), st.builds(time, st.integers(0, 23))), max_size=12).map(tuple),
    runs=st.lists(STARTS, max_size=5).map(lambda starts: tuple(told(start, f"t{i}") for i, start in enumerate(starts))),
    askings=st.lists(STARTS, max_size=3).map(
        lambda starts: tuple(Asking(f"{i}", told(start, f"a{i}"), start.date()) for i, start in enumerate(starts))
    ),
    clubs=st.just(("tempo",)),
)


@settings(deadline=None)
@given(diary=DIARIES, clubs=st.lists(STARTS, max_size=5), split=STARTS)
def test_the_same_runs_are_found_in_whatever_span_one_looks(diary: Diary, clubs: list[datetime], split: datetime) -> None:
    """So nothing is planned twice or forgotten between two plannings."""
    group = {"tempo": [club(start, f"c{i}") for i, start in enumerate(clubs)]}
    start, end = MONDAY - AROUND, MONDAY + WEEK + AROUND
    whole = between(diary, start, end, group)

    assert between(diary, start, split, group) + between(diary, split, end, group) == whole
    assert all(later.start - earlier.start > NEAR for earlier, later in pairwise(whole))
    assert len({run.id for run in whole}) == len(whole)
