"""How Hipwise holds back: one nudge at most, weekly after three that nobody answered, then a last message and silence. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.checkins import LATEST, Scale, Step, closed, next_step, windows
from core.diary import Asking, Diary, Rhythm, Run
from core.occasions import Occasion, Window
from core.wallclock import first_allowed

IGNORED = 3
"""Check-ins in a row that nobody answered, after which it is asked once a week."""
IGNORED_WEEKLY = 2
"""Of the weekly ones in a row, after which a last message goes out and then none."""
WEEK = timedelta(days=7)
NUDGED_AFTER, NUDGED_FOR = timedelta(hours=8), timedelta(hours=3)
"""A nudge to the next morning's questions, which have no later occurrence to come with."""
BEING_ANSWERED = timedelta(hours=1)
"""After an answer: so long the next one is waited for, however late it is."""
SNOOZED = timedelta(hours=2)
"""How much later "ask me later" is."""


@dataclass(frozen=True, slots=True)
class Passed:
    """The diary without waiting for what was ignored, and whether the last message is owed for that."""

    diary: Diary
    last: bool = False


def asks(diary: Diary, run: Run) -> bool:
    """Return whether a run is asked about at all: not in a pause or in silence, and once a week in the weekly rhythm."""
    if not diary.zone_known:
        return False
    if diary.paused is not None and run.end < diary.paused:
        return False
    match diary.rhythm:
        case Rhythm.EACH_RUN:
            return True
        case Rhythm.WEEKLY:
            others = (asking.run.start for asking in diary.askings if asking.run.id != run.id)
            return not any(timedelta() <= run.start - start < WEEK for start in others)
        case Rhythm.SILENT:
            return False


def nudge(diary: Diary, asking: Asking) -> Window | None:
    """Return when an open check-in is asked once more: when they asked for that, or else once by itself.

    A first occurrence that nobody finished comes again as the next morning's, both as one; a morning's that afternoon, or
    after the night that it falls in, but not days later.
    """
    planned = windows(diary, asking.run)
    if asking.closed is not None or asking.nudged or not planned:
        return None
    if asking.later is not None:
        due = first_allowed(asking.later, diary.quiet, diary.days, diary.zone)
        return Window(Occasion.NUDGE, due, due + NUDGED_FOR, asking.together)
    if len(planned) > 1 and asking.light is None:
        return replace(planned[-1], occasion=Occasion.NUDGE, together=True)
    after = planned[-1].due + NUDGED_AFTER
    due = first_allowed(after, diary.quiet, diary.days, diary.zone)
    if due - after > LATEST:
        return None
    return Window(Occasion.NUDGE, due, due + NUDGED_FOR, asking.together)


def wanted(diary: Diary, scale: Scale, asking: Asking, occasion: Occasion, now: datetime) -> bool:
    """Return whether a message of a check-in still asks something. To be asked again at the moment of sending."""
    step = next_step(scale, asking, morning=True)
    if asking.closed is not None or is_paused(diary, now) or step is None:
        return False
    match occasion:
        case Occasion.CHECKIN:
            return asking.touched is None and asking.later is None
        case Occasion.MORNING:
            return step is Step.WORSE or (asking.together and asking.touched is None and asking.later is None)
        case Occasion.NUDGE:
            return not asking.nudged
        case _:
            return False


def is_paused(diary: Diary, now: datetime) -> bool:
    """Return whether nothing is written first at this time."""
    return diary.paused is not None and now < diary.paused


def answered(diary: Diary) -> Diary:
    """Return the diary of someone who answers: nothing counts as ignored any more, and each run is asked about again."""
    return replace(diary, ignored=0, rhythm=Rhythm.EACH_RUN)


def passed(diary: Diary, now: datetime, received: Collection[str]) -> Passed:
    """Return what becomes of check-ins that are over by now without an answer to their end.

    `received` holds the ids of those of which a message went out: nobody ignores what never came.
    """
    found = Passed(diary)
    for asking in sorted(diary.askings, key=lambda asking: asking.run.start):
        if asking.closed is None and now > _end(found.diary, asking):
            over = found.diary.with_asking(closed(found.diary, asking, now))
            ignored = asking.touched is None and asking.id in received
            found = _slowed(replace(found, diary=over)) if ignored else replace(found, diary=over)
    return found


def _end(diary: Diary, asking: Asking) -> datetime:
    once_more = nudge(diary, asking)
    planned = (*windows(diary, asking.run), *((once_more,) if once_more else ()))
    ends: list[datetime] = [window.until for window in planned] or [asking.run.end]
    if asking.touched is not None:
        ends.append(asking.touched + BEING_ANSWERED)
    return max(ends)


def _slowed(found: Passed) -> Passed:
    diary = replace(found.diary, ignored=found.diary.ignored + 1)
    match diary.rhythm:
        case Rhythm.EACH_RUN if diary.ignored >= IGNORED:
            return replace(found, diary=replace(diary, rhythm=Rhythm.WEEKLY, ignored=0))
        case Rhythm.WEEKLY if diary.ignored >= IGNORED_WEEKLY:
            return Passed(replace(diary, rhythm=Rhythm.SILENT, ignored=0), last=True)
        case _:
            return replace(found, diary=diary)
