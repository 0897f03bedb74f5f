"""A diary goes to JSON and back as it was."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.diary import Asking, Diary, FollowUp, Given, Origin, Run, Slot, UnreadableDiary, from_json, to_json

ROOT = Path(__file__).parent.parent
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RUN = Run("1", NOON, Origin.TOLD)
TIMES = st.datetimes(timezones=st.just(UTC))
DIARIES = st.builds(
    Diary,
    runs=st.lists(st.builds(Run, start=TIMES), max_size=2).map(tuple),
    plan=st.lists(st.builds(Slot), max_size=2).map(tuple),
    askings=st.lists(st.builds(Asking, run=st.builds(Run, start=TIMES), closed=st.none() | TIMES), max_size=2).map(tuple),
    follow_ups=st.lists(st.builds(FollowUp, began=TIMES, closed=st.none() | TIMES), max_size=2).map(tuple),
    tips=st.lists(st.builds(Given, at=TIMES), max_size=2).map(tuple),
    paused=st.none() | TIMES,
)


@given(diary=DIARIES)
def test_it_goes_to_json_and_back(diary: Diary) -> None:
    assert from_json(json.loads(json.dumps(to_json(diary)))) == diary


@pytest.mark.parametrize("plain", [None, [], "x", {"zone": 1}, {"runs": [{"id": "1"}]}, {"quiet": {"start": "late"}}])
def test_what_is_no_diary_is_refused(plain: Any) -> None:
    with pytest.raises(UnreadableDiary):
        from_json(plain)


def test_all_that_a_diary_is_made_of_is_known_before_two_threads_read_one_at_once() -> None:
    asks = "from core import diary; print([name for name in %r if '__msgspec_cache__' not in vars(vars(diary)[name])])"
    made_of = ["Diary", "Quiet", "Slot", "Run", "Asking", "FollowUp", "Given", "Waiting"]
    made_of += ["Age", "Place", "Light", "Origin", "Rhythm"]

    command = [sys.executable, "-c", asks % made_of]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 - ours

    assert said.stdout.strip() == "[]"


def test_a_check_in_takes_the_place_of_its_earlier_state() -> None:
    first, second = Asking("a", RUN, NOON.date()), Asking("b", RUN, NOON.date())
    diary = Diary().with_asking(first).with_asking(second).with_asking(replace(first, worst=3))
    assert diary.askings == (replace(first, worst=3), second)
    assert diary.asking("c") is None


def test_what_is_over_is_forgotten_and_what_is_open_stays() -> None:
    old = NOON - timedelta(days=90)
    asked = FollowUp("1", "c", "routine", (), old)
    diary = Diary(
        runs=(RUN, replace(RUN, start=old)),
        askings=(Asking("a", replace(RUN, start=old), NOON.date()),),
        follow_ups=(asked, replace(asked, closed=old)),
        tips=(Given("t", old), Given("u", NOON)),
    )
    kept = diary.since(NOON - timedelta(days=60))
    assert (kept.runs, kept.askings, kept.follow_ups, kept.tips) == ((RUN,), (), (asked,), (Given("u", NOON),))
