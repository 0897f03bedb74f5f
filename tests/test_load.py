"""What took place, what stands out of it, and the season of training: said only where enough is known."""

from dataclasses import replace

import pytest

from chat import library
from core.diary import Diary, Light, Origin
from core.load import Load, Season, loads, season, taken
from diaries import NOW, RUNS, diary, ran, told

BOUNDS = library().bounds


@pytest.mark.parametrize("which", RUNS)
def test_each_load_and_each_season_is_seen(which: Load | Season | None) -> None:
    kept = diary(runs=which)

    assert not isinstance(which, Load) or which in loads(kept, NOW, BOUNDS)
    assert not isinstance(which, Season) or season(kept, NOW, BOUNDS) is which
    assert which is not None or (loads(kept, NOW, BOUNDS), season(kept, NOW, BOUNDS)) == (frozenset(), None)


def test_one_run_before_says_nothing_of_more() -> None:
    two, one = (ran(1, 8), ran(4, 8), ran(15, 5), ran(18, 5)), (ran(1, 8), ran(4, 8), ran(15, 5))

    assert Load.MORE in loads(Diary(runs=two), NOW, BOUNDS)
    assert Load.MORE not in loads(Diary(runs=one), NOW, BOUNDS)
    assert season(Diary(runs=one), NOW, BOUNDS) is None


@pytest.mark.parametrize("unknown", [0, 3])
def test_where_a_distance_is_not_known_nothing_is_said_of_more(unknown: int) -> None:
    runs = [ran(1, 8), ran(4, 8), ran(15, 5), ran(18, 5), ran(21, 1)]
    runs[unknown] = replace(runs[unknown], metres=None)

    assert Load.MORE not in loads(Diary(runs=tuple(runs)), NOW, BOUNDS)


def test_days_in_a_row_are_those_of_the_member_and_end_today_or_yesterday() -> None:
    row = tuple(ran(day, 5) for day in range(5))

    assert Load.DAILY in loads(Diary(runs=row), NOW, BOUNDS)
    assert Load.DAILY in loads(Diary(runs=tuple(ran(day, 5) for day in range(1, 6))), NOW, BOUNDS)
    assert Load.DAILY not in loads(Diary(runs=tuple(ran(day, 5) for day in range(2, 8))), NOW, BOUNDS)
    assert Load.DAILY not in loads(Diary(runs=row[:2] + row[3:]), NOW, BOUNDS)
    assert Load.DAILY not in loads(Diary(runs=tuple(ran(day / 2, 5) for day in range(5))), NOW, BOUNDS)


def test_what_stood_out_is_spoken_of_for_a_week() -> None:
    def after(days: float) -> frozenset[Load]:
        return loads(Diary(runs=(ran(days, 12), ran(days + 3, 10))), NOW, BOUNDS)

    assert Load.LONGER in after(6)
    assert Load.LONGER not in after(7)


def test_runs_take_place_when_they_are_told_or_confirmed() -> None:
    usual, told_of = ran(3, id="u", origin=Origin.USUAL), ran(5, 7)
    asked = replace(told(3, Light.GO), run=usual)
    kept = Diary(runs=(told_of, ran(-1)))

    assert taken(kept, NOW) == (told_of,)
    assert taken(kept.with_asking(asked), NOW) == (told_of, usual)
    assert taken(kept.with_asking(replace(asked, ran=None)), NOW) == (told_of,)
    assert taken(kept.with_asking(replace(asked, run=told_of, ran=False)), NOW) == ()


def test_a_run_that_is_told_and_confirmed_is_one_and_two_a_day_are_two() -> None:
    usual, evening = ran(3.1, id="u", origin=Origin.USUAL), ran(2.8, 5)
    confirmed = replace(told(3, Light.GO), run=usual)

    both = taken(Diary(runs=(ran(3, 7), evening), askings=(confirmed,)), NOW)

    assert [run.metres for run in both] == [7000, 5000]
