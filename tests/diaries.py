"""Diaries to decide over: written ones, and any that may be kept."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from chat import library
from core.care import Hip
from core.diary import Age, Asking, Diary, FollowUp, Given, Light, Origin, Place, Run
from core.followups import Course, Seen
from core.load import Load, Season

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)
KM = 1000

RUNS: dict[Load | Season | None, tuple[tuple[float, int], ...]] = {
    None: (),
    Season.STEADY: tuple((day, 6) for day in (1, 4, 8, 12, 15, 18, 22, 26)),
    Season.BUILDING: tuple((day, 6 if day < 14 else 5) for day in (1, 4, 8, 12, 15, 18, 22, 26)),
    Season.RETURNING: ((2, 5), (5, 5), (40, 5), (43, 5)),
    Season.AWAY: ((20, 5), (24, 5)),
    Load.LONGER: ((1, 12), (4, 10), (8, 10)),
    Load.MORE: ((1, 7), (4, 7), (8, 7), (15, 7), (19, 7)),
    Load.DAILY: tuple((day, 5) for day in range(5)),
}
"""Days before now and kilometres of the runs that make a load or a season."""
TOLD = {
    Hip.WELL: ((1, Light.GO, 0),),
    Hip.SORE: ((1, Light.GO, 2),),
    Hip.HOLD: ((1, Light.HOLD, 4),),
    Hip.STEP_BACK: ((1, Light.STEP_BACK, 6),),
    Hip.BETTER: ((9, Light.HOLD, 4), (1, Light.GO, 1)),
}
"""Days before now, the light and the worst pain of the check-ins that make a state."""
FOUND = {place: codes[0] for place, codes in library().checkins.places.items() if codes}
"""What a result found where it hurts there."""


def ran(days: float, km: int | None = None, *, id: str = "", origin: Origin = Origin.TOLD) -> Run:
    """Return a run so many days before now."""
    return Run(id or f"r{days}", NOW - timedelta(days=days, hours=2), origin, metres=None if km is None else km * KM)


def told(days: float, light: Light | None, worst: int | None = 0, place: Place | None = None) -> Asking:
    """Return a check-in that was answered, of a run so many days before now."""
    run = ran(days)
    return Asking(f"a{days}", run, run.start.date(), ran=True, worst=worst, place=place, light=light, closed=NOW)


def followed(urgency: str = "routine", *found: str, days: float = 2, closed: bool = False) -> FollowUp:
    """Return a result that is followed up."""
    return FollowUp("f", "c", urgency, found, NOW - timedelta(days=days), closed=NOW if closed else None)


def diary(
    state: Hip = Hip.UNKNOWN,
    place: Place | None = None,
    runs: Load | Season | None = None,
    age: Age | None = Age.ADULT,
    tips: Iterable[Given] = (),
) -> Diary:
    """Return a diary of someone in a state, with the runs that make a load or a season."""
    known = tuple(ran(days, km) for days, km in RUNS[runs])
    askings = tuple(
        replace(told(days, light, worst, place if worst else None), run=_nearest(known, days))
        for days, light, worst in TOLD.get(state, ())
    )
    follow_ups = (followed("routine", *([FOUND[place]] if place else [])),) if state is Hip.FOLLOWED else ()
    return Diary(age=age, runs=known, askings=askings, follow_ups=follow_ups, tips=tuple(tips))


def _nearest(runs: Iterable[Run], days: float) -> Run:
    """Return the run nearest to so many days before now, so that a check-in adds none; one of its own where none is."""
    wanted = ran(days)
    return min(runs, key=lambda run: abs(run.start - wanted.start), default=wanted)


def _any_of(values: type[Light | Place | Age | Origin]) -> st.SearchStrategy[object]:
    return st.none() | st.sampled_from(list(values))


AGO = st.floats(0, 70).map(lambda days: NOW - timedelta(days=days))
RUN = st.builds(
    Run,
    id=st.uuids().map(str),
    start=AGO,
    origin=st.sampled_from(Origin),
    minutes=st.none() | st.integers(1, 300),
    metres=st.none() | st.integers(100, 60_000),
)
ASKING = st.builds(
    lambda asking, run: replace(asking, run=run, day=run.start.date()),
    st.builds(
        Asking,
        id=st.uuids().map(str),
        run=st.just(ran(0)),
        day=st.just(NOW.date()),
        ran=st.none() | st.booleans(),
        worst=st.none() | st.integers(0, 10),
        place=_any_of(Place),
        light=_any_of(Light),
        built=st.none() | st.booleans(),
        limp=st.none() | st.booleans(),
        night=st.none() | st.booleans(),
        closed=st.none() | st.just(NOW),
    ),
    RUN,
)
FOLLOW_UP = st.builds(
    FollowUp,
    id=st.just("f"),
    check=st.just("c"),
    urgency=st.sampled_from(["self_care", "routine", "within_days", "same_day", "emergency"]),
    findings=st.lists(st.sampled_from(["place_outer_hip", "place_groin_front", "walk_limp"]), max_size=2).map(tuple),
    began=AGO,
    seen=st.sampled_from(["", *Seen]),
    answers=st.lists(st.sampled_from(list(Course)), max_size=3).map(lambda told: tuple(course.value for course in told)),
    closed=st.none() | st.just(NOW),
)
DIARIES = st.builds(
    Diary,
    zone=st.sampled_from(["UTC", "America/New_York", "Pacific/Apia"]),
    age=_any_of(Age),
    runs=st.lists(RUN, max_size=8).map(tuple),
    askings=st.lists(ASKING, max_size=4).map(tuple),
    follow_ups=st.lists(FOLLOW_UP, max_size=1).map(tuple),
)
"""Any diary that may be kept, and some that may not."""
