"""The check-in of a run: what is asked in its two occurrences, the light that the answers give, and what a red one tells /hip.

Pure. The cut-points and their sources are content (`content/checkins.toml`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from core.clinical import Disposition
from core.diary import Age, Asking, Diary, Light, Origin, Place, Run
from core.occasions import Occasion, Window
from core.wallclock import day, first_allowed, instant

LIGHTS = tuple(Light)
"""From the least to the most careful."""
PLACES = tuple(Place)
"""A button names a place by its position here: add at the end only."""
WORST = 10
"""The scale goes from 0 to this."""

MORNING = time(8)
"""By the member's clock: when the next morning's questions are due, or as soon after as they may be sent."""
AFTER_FOR, MORNING_FOR = timedelta(hours=6), timedelta(hours=5)
"""How long each occurrence is worth asking for."""
PUT_OFF = timedelta(hours=2)
"""The first is asked so much later at most, and so long before the next morning's at least; otherwise both are asked as one."""
NIGHT_ENDS = timedelta(hours=4)
"""After midnight: a run that ends before belongs to the evening before, so that its next morning is that very morning."""
LATEST = timedelta(hours=20)
"""Both as one are asked so long after the first was due at most, such as on a day that was ruled out."""


class Step(StrEnum):
    """A question of a check-in. The last two belong to the next morning."""

    RAN = "ran"
    WORST = "worst"
    PLACE = "place"
    BUILT = "built"
    LIMP = "limp"
    WORSE = "worse"
    NIGHT = "night"


class Sign(StrEnum):
    """Something told besides where and how bad."""

    BUILT = "built"
    LIMP = "limp"
    STILL = "still"
    WORSE = "worse"
    NIGHT = "night"
    LYING = "lying"


RED_SIGNS = frozenset({Sign.BUILT, Sign.LIMP, Sign.STILL, Sign.NIGHT, Sign.LYING})
"""Whatever the number: pain that builds may come from bone; a limp, pain at rest or at night goes to the safety questions."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The pain scale: up to `go` go, up to `hold` hold, above it step back; and the places that it serves."""

    go: int
    hold: int
    places: frozenset[Place]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """A result that is no better by a number of days calls for this urgency."""

    id: str
    urgency: Disposition
    days: int
    to: Disposition
    sources: tuple[str, ...]


@dataclass(frozen=True)
class CheckIns:
    """What is known about check-ins and about asking again, each part with its sources."""

    scale: Scale
    places: Mapping[Place, tuple[str, ...]]
    """The findings that a place establishes for a check of the hip; none where /hip has to ask."""
    signs: Mapping[Sign, tuple[str, ...]]
    worst: tuple[tuple[int, str], ...]
    """(from this number, this finding), the highest first."""
    sources: Mapping[Light, tuple[str, ...]]
    again: Mapping[Disposition, tuple[int, ...]]
    """Days after a result on which it is asked about."""
    limits: tuple[Limit, ...]


def windows(diary: Diary, run: Run) -> tuple[Window, ...]:
    """Return when the occurrences of a run are asked: two, both as one next morning, or none on days that were ruled out.

    Raise UnknownZone for a diary whose zone the zone database does not know.
    """
    return _windows(Diary(zone=diary.zone, quiet=diary.quiet, delay=diary.delay, days=diary.days), run.end)


@lru_cache(maxsize=4096)  # whoever plans asks for those of each run again and again
def _windows(diary: Diary, ended: datetime) -> tuple[Window, ...]:
    first = ended + timedelta(minutes=diary.delay)
    allowed = first_allowed(first, diary.quiet, diary.days, diary.zone)
    morning = _next_morning(diary, ended)
    if allowed - first <= PUT_OFF and (morning is None or allowed + PUT_OFF <= morning.due):
        ends = min(x for x in (allowed + AFTER_FOR, _silence(diary, allowed), morning and morning.due) if x)
        after = Window(Occasion.CHECKIN, allowed, ends)
        return (after, morning) if morning else (after,)
    due = max(allowed, instant(datetime.combine(day(allowed, diary.zone), MORNING), diary.zone))
    due = first_allowed(due, diary.quiet, diary.days, diary.zone)
    if due - first > LATEST:
        return ()
    return (Window(Occasion.MORNING, due, min(due + MORNING_FOR, _silence(diary, due)), together=True),)


def opened(diary: Diary, run: Run) -> Asking:
    """Return the check-in of a run, with nothing asked yet. Of a run that was told, it is known that they ran."""
    both = any(window.together for window in windows(diary, run))
    ran = True if run.origin is Origin.TOLD else None
    return Asking(thread_of(run), run, day(run.start, diary.zone), together=both, ran=ran)


def thread_of(run: Run) -> str:
    """Return the id of a run's check-in: the same whenever it is planned."""
    return sha256(run.id.encode()).hexdigest()[:8]


def signs_of(asking: Asking) -> frozenset[Sign]:
    """Return the signs that were told."""
    return frozenset(_signs(asking))


def is_red(scale: Scale, asking: Asking) -> bool:
    """Return whether what was told so far is red, whatever may still be told. Telling more never takes it back."""
    if signs_of(asking) & RED_SIGNS:
        return True
    return bool(asking.worst) and asking.place is not None and asking.place not in scale.places


def light(scale: Scale, asking: Asking) -> Light | None:
    """Return the light, or None while too little is told. The number counts only where nothing is red."""
    if is_red(scale, asking):
        return Light.RED
    if not asking.ran or asking.worst is None:
        return None
    if asking.worst == 0 and not asking.worse:
        return Light.GO
    if asking.place is None and asking.worst > 0:
        return None
    return Light.STEP_BACK if asking.worse else _by_number(scale, asking.worst)


def next_step(scale: Scale, asking: Asking, *, morning: bool = False) -> Step | None:
    """Return what is asked next, or None: it is over, or the rest is asked next morning (`morning`: that has come).

    Red ends the questions: what is left to ask, the check of the hip asks.
    """
    if asking.ran is None:
        return Step.RAN
    if not asking.ran or is_red(scale, asking) or asking.worst == 0:
        return None
    told = {Step.WORST: asking.worst, Step.PLACE: asking.place, Step.BUILT: asking.built, Step.LIMP: asking.limp}
    if first := next((step for step, value in told.items() if value is None), None):
        return first
    if not (morning or asking.together or asking.worse is not None):
        return None
    return Step.WORSE if asking.worse is None else Step.NIGHT if asking.night is None else None


def answered(asking: Asking, step: Step, value: int, now: datetime) -> Asking | None:
    """Return the check-in with an answer by its number, or None where the question has no such answer.

    Of a yes or no, 1 is yes. LIMP: 1 a limp, 2 pain when still, 3 both. NIGHT: 1 on that side only, 2 however they lay.
    """
    most = {Step.WORST: WORST, Step.PLACE: len(PLACES) - 1, Step.LIMP: 3, Step.NIGHT: 2}.get(step, 1)
    if not 0 <= value <= most:
        return None
    told = replace(asking, step=asking.step + 1, touched=now, later=None)
    match step:
        case Step.RAN:
            return replace(told, ran=bool(value))
        case Step.WORST:
            return replace(told, ran=True, worst=value)
        case Step.PLACE:
            return replace(told, place=PLACES[value])
        case Step.BUILT:
            return replace(told, built=bool(value))
        case Step.LIMP:
            return replace(told, limp=value in (1, 3), still=value in (2, 3))
        case Step.WORSE:
            return replace(told, worse=bool(value))
        case Step.NIGHT:
            return replace(told, night=value > 0, lying=value == 1)


def without(asking: Asking, step: Step, now: datetime) -> Asking:
    """Return the check-in with one answer taken back."""
    told = replace(asking, step=asking.step + 1, touched=now, light=None, closed=None)
    match step:
        case Step.RAN:
            return replace(told, ran=None)
        case Step.WORST:
            return replace(told, worst=None)
        case Step.PLACE:
            return replace(told, place=None)
        case Step.BUILT:
            return replace(told, built=None)
        case Step.LIMP:
            return replace(told, limp=None, still=None)
        case Step.WORSE:
            return replace(told, worse=None)
        case Step.NIGHT:
            return replace(told, night=None, lying=None)


def closed(diary: Diary, asking: Asking, now: datetime) -> Asking:
    """Return the check-in as it is kept once it is over: of someone under 18 only that it was, without any answer."""
    if diary.age is not Age.UNDER_18:
        return replace(asking, closed=now)
    bare = Asking(asking.id, replace(asking.run, minutes=None, metres=None), asking.day, together=asking.together)
    return replace(bare, step=asking.step, touched=asking.touched, closed=now)


def last_step(asking: Asking) -> Step | None:
    """Return the question that was answered last, if any."""
    told = {
        Step.NIGHT: asking.night,
        Step.WORSE: asking.worse,
        Step.LIMP: asking.limp,
        Step.BUILT: asking.built,
        Step.PLACE: asking.place,
        Step.WORST: asking.worst,
        Step.RAN: asking.ran,
    }
    return next((step for step, value in told.items() if value is not None), None)


def findings_of(checkins: CheckIns, asking: Asking) -> tuple[str, ...]:
    """Return what the answers establish for a check of the hip, each once."""
    place = checkins.places[asking.place] if asking.place and asking.worst else ()
    worst = [code for low, code in checkins.worst if asking.worst and asking.worst >= low][:1]
    signs = [code for sign in Sign if sign in signs_of(asking) for code in checkins.signs[sign]]
    return tuple(dict.fromkeys((*place, *worst, *signs)))


def _next_morning(diary: Diary, ended: datetime) -> Window | None:
    date = day(ended - NIGHT_ENDS, diary.zone) + timedelta(days=1)
    target = instant(datetime.combine(date, MORNING), diary.zone)
    due = first_allowed(target, diary.quiet, diary.days, diary.zone)
    if due - target > AFTER_FOR:
        return None
    return Window(Occasion.MORNING, due, min(due + MORNING_FOR, _silence(diary, due)))


def _silence(diary: Diary, since: datetime) -> datetime:
    """Return when the next quiet hours begin; far away where there are none."""
    if diary.quiet.start == diary.quiet.end:
        return since + timedelta(days=1)
    begins = instant(datetime.combine(day(since, diary.zone), diary.quiet.start), diary.zone)
    if begins <= since:
        begins = instant(datetime.combine(day(since, diary.zone) + timedelta(days=1), diary.quiet.start), diary.zone)
    return begins


def _signs(asking: Asking) -> Iterator[Sign]:
    told = {
        Sign.BUILT: asking.built,
        Sign.LIMP: asking.limp,
        Sign.STILL: asking.still,
        Sign.WORSE: asking.worse,
        Sign.LYING: asking.lying,
        Sign.NIGHT: asking.night and not asking.lying,
    }
    yield from (sign for sign, value in told.items() if value)


def _by_number(scale: Scale, worst: int) -> Light:
    if worst <= scale.go:
        return Light.GO
    return Light.HOLD if worst <= scale.hold else Light.STEP_BACK
