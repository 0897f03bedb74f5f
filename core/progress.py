"""How the last weeks went and what the next one holds, in words: /progress, /week and the note on a long run. No I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core import load, tips
from core.diary import Age, Diary, Light, Origin, Run
from core.library import Library
from core.members import Units, covered
from core.wallclock import day, local
from core.words import Words

WEEKS = 6
"""Weeks that /progress tells of: fewer than are remembered, so that the first is whole."""
LATELY = 2
"""The last ones of them, which are compared with those before."""
AHEAD = timedelta(days=7)
STEPS = "▁▂▃▄▅▆▇█"
UNTOLD = "·"
MOST_PAIN = 10


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days: the runs that took place, how far they went where that is known, and the worst pain where it was told."""

    runs: tuple[Run, ...] = ()
    worst: int | None = None

    @property
    def metres(self) -> int:
        """How far the runs went whose distance is known."""
        return sum(run.metres or 0 for run in self.runs)


def weeks(diary: Diary, now: datetime) -> tuple[Week, ...]:
    """Return the last weeks, the oldest first; the last one ends today, by the member's calendar."""
    zone = diary.zone
    runs = load.taken(diary, now)
    hurt = [asking for asking in diary.askings if asking.ran and asking.worst is not None]
    return tuple(
        Week(
            tuple(run for run in runs if _back(run, now, zone) == back),
            max((asking.worst or 0 for asking in hurt if _back(asking.run, now, zone) == back), default=None),
        )
        for back in reversed(range(WEEKS))
    )


def progress(diary: Diary, library: Library, units: Units, now: datetime) -> str:
    """Return what /progress says: sentences first, then each number with its line.

    Of someone under 18, or who has asked for no check-ins, nothing is kept.
    """
    words = library.words
    if diary.age is None:
        return words("progress", "nothing_kept")
    if diary.age is not Age.ADULT:
        return words("progress", "no_history")
    past = weeks(diary, now)
    said = " ".join((*_of_runs(past, words, units), *_of_pain(past, words)))
    seen = [words("progress", "to_be_seen")] if tips.to_be_seen(library.checkins.scale, diary, now) else []
    return "\n\n".join((*seen, said, *_lines(past, words)))


def week(diary: Diary, ahead: Sequence[Run], library: Library, units: Units, now: datetime) -> str:
    """Return what /week says: the runs of the next seven days, which are handed in, and what to mind in them."""
    words, zone = library.words, diary.zone
    runs = sorted((run for run in ahead if now <= run.start < now + AHEAD), key=lambda run: run.start)
    if not runs:
        return words("progress", "nothing_ahead")
    minded = _to_mind(diary, library, units, now)
    listed = "\n".join((words("progress", "ahead"), *(_planned(run, words, zone, units) for run in runs)))
    return "\n\n".join((listed, *minded))


def load_note(diary: Diary, run: Run, library: Library, units: Units) -> str | None:
    """Return a gentle word on a run that was much longer than the longest of the days before it, or None.

    None as well for anyone under 18, and where no distance is known. A red light comes without it.
    """
    bound = library.bounds.longest_run
    before = load.taken(diary, run.start)
    if diary.age is not Age.ADULT or not load.went_longer(before, run, bound):
        return None
    longest = covered(load.longest(before, run.start, bound), units)
    return library.words("progress", "load_note", run=covered(run.metres or 0, units), longest=longest, days=bound.days)


# ---------------------------------------------------------------- The last weeks


def _back(run: Run, now: datetime, zone: str) -> int:
    """Return how many weeks ago a run was, 0 for the seven days that end today."""
    return (day(now, zone) - day(run.start, zone)).days // 7


def _of_runs(past: Sequence[Week], words: Words, units: Units) -> Iterator[str]:
    runs = [run for week in past for run in week.runs]
    known = [run.metres for run in runs if run.metres]
    match len(runs):
        case 0:
            yield words("progress", "no_runs", weeks=WEEKS)
        case 1:
            yield words("progress", "one_run", weeks=WEEKS)
        case many:
            yield words("progress", "runs", weeks=WEEKS, runs=many)
    if known and len(runs) == 1:
        yield words("progress", "it_was", distance=covered(known[0], units))
    elif known:
        key = "in_all" if len(known) == len(runs) else "known_in_all"
        yield words("progress", key, distance=covered(sum(known), units), longest=covered(max(known), units))


def _of_pain(past: Sequence[Week], words: Words) -> Iterator[str]:
    before, lately = _worst(past[:-LATELY]), _worst(past[-LATELY:])
    match before, lately:
        case None, None:
            pass
        case None, worst:
            yield words("progress", "pain_lately" if worst else "no_pain", worst=worst)
        case worst, None:
            yield words("progress", "pain_before", worst=worst)
        case 0, 0:
            yield words("progress", "no_pain")
        case worst, now_worst if worst == now_worst:
            yield words("progress", "pain_same", worst=worst)
        case worst, now_worst:
            yield words("progress", "pain_less" if now_worst < worst else "pain_more", before=worst, lately=now_worst)


def _worst(part: Sequence[Week]) -> int | None:
    return max((week.worst for week in part if week.worst is not None), default=None)


def _lines(past: Sequence[Week], words: Words) -> Iterator[str]:
    """Yield each row of numbers, the oldest first, with its line below: whoever listens has heard it all by then."""
    runs, pains = [len(week.runs) for week in past], [week.worst for week in past]
    if any(runs):
        yield _line(words("progress", "runs_line", numbers=_numbers(runs, words)), runs, max(runs))
    if any(worst is not None for worst in pains):
        yield _line(words("progress", "pain_line", numbers=_numbers(pains, words)), pains, MOST_PAIN)


def _numbers(values: Sequence[int | None], words: Words) -> str:
    return ", ".join(words("progress", "untold") if value is None else str(value) for value in values)


def _line(said: str, values: Sequence[int | None], most: int) -> str:
    drawn = (UNTOLD if value is None else STEPS[value * (len(STEPS) - 1) // most] for value in values)
    return f"{said}\n{''.join(drawn)}"


# ---------------------------------------------------------------- The week ahead


def _planned(run: Run, words: Words, zone: str, units: Units) -> str:
    at = local(run.start, zone)
    key = "club_run" if run.origin is Origin.CLUB else "own_run"
    line = words("progress", key, day=words.list("ui", "days")[at.weekday()], time=f"{at:%H:%M}")
    return f"{line} ({covered(run.metres, units)})" if run.metres else line


def _to_mind(diary: Diary, library: Library, units: Units, now: datetime) -> Iterator[str]:
    """Yield the one thing to mind: the most careful of what is known. Under 18 nothing is said of load."""
    words, bound = library.words, library.bounds.longest_run
    longest = load.longest(load.taken(diary, now), now, bound)
    match _last_light(library, diary, now):
        case _ if tips.to_be_seen(library.checkins.scale, diary, now):
            yield words("progress", "to_be_seen")
        case Light.STEP_BACK | Light.HOLD if diary.age is Age.UNDER_18:
            yield words("progress", "young")
        case Light.STEP_BACK:
            yield words("progress", "step_back")
        case Light.HOLD:
            yield words("progress", "hold")
        case _ if longest and diary.age is Age.ADULT:
            most = covered(longest * bound.percent // 100, units, at_most=True)
            yield words("progress", "small_step", longest=covered(longest, units), most=most, days=bound.days)
        case _:
            pass


def _last_light(library: Library, diary: Diary, now: datetime) -> Light | None:
    """Return the light of the last check-in, where it is not long ago."""
    told = tips.answered(library.checkins.scale, diary)
    return next((one.light for one in reversed(told) if now - one.run.start < tips.KNOWN), None)
