"""Hipwise holds back where nobody answers: one nudge, then weekly, then a last message and silence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chat import library
from core import backing_off, checkins
from core.backing_off import Passed, asks, nudge, passed, wanted
from core.diary import Age, Asking, Diary, Light, Origin, Place, Rhythm, Run
from core.occasions import Occasion

MONDAY = datetime(2026, 11, 23, 17, tzinfo=UTC)
SCALE = library().checkins.scale
DIARY = Diary()


def run(days: int = 0, hour: int = 17) -> Run:
    return Run(f"run-{days}", (MONDAY + timedelta(days=days)).replace(hour=hour), Origin.USUAL, minutes=60)


def asked(days: int = 0, hour: int = 17) -> Asking:
    return checkins.opened(DIARY, run(days, hour))


PAIN = replace(asked(), ran=True, worst=2, place=Place.OUTER_HIP, built=False, limp=False, still=False, touched=MONDAY)
FINISHED = replace(PAIN, light=Light.GO)


def ignoring(diary: Diary, *days: int) -> Passed:
    """Return what becomes of check-ins that came and that nobody answered."""
    found = Passed(diary)
    for day in days:
        if asks(found.diary, run(day)):
            asking = asked(day)
            later = MONDAY + timedelta(days=day + 2)
            found = passed(found.diary.with_asking(asking), later, {asking.id})
    return found


def when(asking: Asking) -> str:
    window = nudge(DIARY, asking)
    return f"{window.due:%a %H:%M}" if window else "never"


# ---------------------------------------------------------------- One nudge at most


def test_what_nobody_answered_comes_again_next_morning_as_one() -> None:
    window = nudge(DIARY, asked())
    assert when(asked()) == "Tue 08:00"
    assert window
    assert window.together


@pytest.mark.parametrize(
    ("asking", "due"),
    [
        (asked(hour=19), "Tue 16:00"),  # asked next morning as one: that afternoon
        (replace(PAIN, place=None), "Tue 08:00"),  # left half-way
        (FINISHED, "Tue 16:00"),  # the morning's question, unanswered
        (replace(asked(), later=MONDAY + timedelta(hours=4)), "Mon 21:00"),
        (replace(asked(), later=MONDAY + timedelta(hours=5)), "Tue 08:00"),  # in quiet hours: when they end
        (replace(asked(), nudged=True), "never"),
        (replace(asked(), closed=MONDAY), "never"),
    ],
)
def test_when_it_is_asked_once_more(asking: Asking, due: str) -> None:
    assert when(asking) == due


@pytest.mark.parametrize(
    ("asking", "occasions"),
    [
        (asked(), "checkin nudge"),
        (asked(hour=19), "checkin morning nudge"),
        (FINISHED, "morning nudge"),
        (replace(PAIN, place=None), "nudge"),
        (replace(asked(), later=MONDAY), "nudge"),
        (replace(asked(), nudged=True), "checkin"),
        (replace(PAIN, place=Place.GROIN), ""),
        (replace(FINISHED, worst=0), ""),
        (replace(FINISHED, worse=False, night=False), ""),
        (replace(asked(), closed=MONDAY), ""),
        (replace(asked(), ran=False), ""),
    ],
)
def test_which_messages_still_ask_something(asking: Asking, occasions: str) -> None:
    assert [o.value for o in Occasion if wanted(DIARY, SCALE, asking, o, MONDAY)] == occasions.split()


def test_nothing_is_wanted_in_a_pause() -> None:
    paused = replace(DIARY, paused=MONDAY + timedelta(days=14))
    assert not wanted(paused, SCALE, asked(), Occasion.CHECKIN, MONDAY)
    assert not asks(paused, run(13))
    assert asks(paused, run(14))


# ---------------------------------------------------------------- Weekly, then silence


def test_three_ignored_in_a_row_make_it_weekly() -> None:
    assert ignoring(DIARY, 0, 2).diary.rhythm is Rhythm.EACH_RUN
    found = ignoring(DIARY, 0, 2, 4)
    assert found.diary.rhythm is Rhythm.WEEKLY
    assert not found.last
    assert [day for day in range(5, 12) if asks(found.diary, run(day))] == [11]


def test_two_weekly_ones_more_end_it_with_a_last_message_once() -> None:
    weekly = ignoring(DIARY, 0, 2, 4)
    assert ignoring(weekly.diary, 11).diary.rhythm is Rhythm.WEEKLY
    ended = ignoring(weekly.diary, 11, 18)
    assert (ended.diary.rhythm, ended.last) == (Rhythm.SILENT, True)
    assert not any(asks(ended.diary, run(day)) for day in range(19, 60))
    assert not passed(ended.diary, MONDAY + timedelta(days=60), ()).last


def test_any_answer_brings_it_back_to_each_run() -> None:
    for days in ((0, 2), (0, 2, 4), (0, 2, 4, 11, 18)):
        back = backing_off.answered(ignoring(DIARY, *days).diary)
        assert (back.rhythm, back.ignored) == (Rhythm.EACH_RUN, 0)


def test_nobody_ignores_what_never_came() -> None:
    diary = DIARY.with_asking(asked())
    found = passed(diary, MONDAY + timedelta(days=2), ())
    assert found.diary.ignored == 0
    assert found.diary.askings[-1].closed


def test_a_check_in_left_half_way_is_closed_and_not_ignored() -> None:
    diary = DIARY.with_asking(replace(PAIN, place=None))
    found = passed(diary, MONDAY + timedelta(days=2), {diary.askings[0].id})
    assert found.diary.ignored == 0
    assert found.diary.askings[-1].closed


def test_of_someone_under_18_nothing_is_left_of_one_that_was_not_finished() -> None:
    young = replace(DIARY, age=Age.UNDER_18).with_asking(FINISHED)
    [asking] = passed(young, MONDAY + timedelta(days=2), {FINISHED.id}).diary.askings
    assert (asking.closed is not None, asking.worst, asking.place, asking.light) == (True, None, None, None)


def test_it_is_not_over_before_its_nudge_is() -> None:
    diary = DIARY.with_asking(asked(hour=19))
    assert passed(diary, MONDAY + timedelta(hours=25), {asked(hour=19).id}).diary == diary
