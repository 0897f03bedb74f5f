"""A result of /hip that someone asked to be asked about again: when, what is asked, and what the answers raise. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.checkins import CheckIns, Limit
from core.clinical import Disposition, Pathway
from core.diary import Diary, FollowUp
from core.occasions import Occasion, Window
from core.wallclock import first_allowed

FOR = timedelta(hours=24)
"""How long each occasion is worth asking on; while a check is open it waits so long."""
TO_BE_SEEN = frozenset({Disposition.EMERGENCY, Disposition.SAME_DAY, Disposition.WITHIN_DAYS})
"""Results after which it is asked whether they were seen."""
CARRIED = ("age", "place")
"""Groups of findings that still hold when it has got worse; the check asks about all else anew."""


class Ask(StrEnum):
    """A question of a follow-up."""

    SEEN = "seen"
    COURSE = "course"


class Seen(StrEnum):
    """Whether someone was seen."""

    YES = "yes"
    BOOKED = "booked"
    NO = "no"


class Course(StrEnum):
    """How it is against the first time."""

    GONE = "gone"
    BETTER = "better"
    SAME = "same"
    WORSE = "worse"


def windows(diary: Diary, checkins: CheckIns, follow_up: FollowUp) -> tuple[Window, ...]:
    """Return when it is asked about; raise UnknownZone for a diary whose zone the zone database does not know."""
    begins = (follow_up.began + timedelta(days=days) for days in checkins.again[Disposition(follow_up.urgency)])
    dues = (first_allowed(at, diary.quiet, diary.days, diary.zone) for at in begins)
    return tuple(Window(Occasion.FOLLOWUP, due, due + FOR) for due in dues)


def passed(diary: Diary, checkins: CheckIns, follow_up: FollowUp, now: datetime) -> FollowUp:
    """Return it without the occasions whose windows are over; closed with the last of them."""
    planned = windows(diary, checkins, follow_up)
    over = sum(window.until < now for window in planned)
    if over <= follow_up.asked:
        return follow_up
    later = replace(follow_up, asked=over, step=follow_up.step + 1, seen=_still_seen(follow_up))
    return as_kept(replace(later, closed=now) if over == len(planned) else later)


def as_kept(follow_up: FollowUp) -> FollowUp:
    """Return it as it is kept: of someone under 18, of whom there are no findings, that they answered and not what.

    Once all is over, only how it was at last: that says for a while whether a tip may be sent.
    """
    answers = follow_up.answers if follow_up.findings else ("",) * len(follow_up.answers)
    if follow_up.closed is None:
        return replace(follow_up, answers=answers)
    return replace(follow_up, findings=(), answers=tuple(answer for answer in answers[-1:] if answer))


def key_of(follow_up: FollowUp, number: int) -> str:
    """Return what the message of one of its occasions is the one and only message for, whatever is set meanwhile."""
    window = Window(Occasion.FOLLOWUP, follow_up.began, follow_up.began)
    return window.key(f"{follow_up.id}.{number}", follow_up.began.date())


def next_ask(follow_up: FollowUp) -> Ask | None:
    """Return what is asked next on the open occasion, or None for one that is closed."""
    if follow_up.closed is not None:
        return None
    urgent = Disposition(follow_up.urgency) in TO_BE_SEEN
    return Ask.SEEN if urgent and not follow_up.seen else Ask.COURSE


def answered(checkins: CheckIns, follow_up: FollowUp, ask: Ask, value: int, now: datetime) -> FollowUp | None:
    """Return it with an answer by its number, or None where the question has none such.

    How it is ends the occasion; that it is gone, that it is worse, or the last occasion ends all of it.
    An answer that comes after its occasion, and before the next, takes nothing from that one.
    """
    choices = tuple(Seen) if ask is Ask.SEEN else tuple(Course)
    if not 0 <= value < len(choices):
        return None
    told = replace(follow_up, step=follow_up.step + 1, touched=now)
    choice = choices[value]
    if isinstance(choice, Seen):
        return replace(told, seen=choice.value)
    asked = follow_up.asked + (0 if is_late(checkins, follow_up, now) else 1)
    over = replace(told, asked=asked, answers=(*follow_up.answers, choice.value), seen=_still_seen(follow_up))
    last = over.asked >= len(checkins.again[Disposition(follow_up.urgency)])
    return replace(over, closed=now) if last or choice in (Course.GONE, Course.WORSE) else over


def is_late(checkins: CheckIns, follow_up: FollowUp, now: datetime) -> bool:
    """Return whether an answer now would be to the occasion that went by without one: the next has not come."""
    days = checkins.again[Disposition(follow_up.urgency)]
    unanswered = len(follow_up.answers) < follow_up.asked < len(days)
    return unanswered and now < follow_up.began + timedelta(days=days[follow_up.asked])


def limit(checkins: CheckIns, follow_up: FollowUp, course: Course, now: datetime) -> Limit | None:
    """Return the limit that a hip that is no better has reached, the most urgent one."""
    if course in (Course.GONE, Course.BETTER):
        return None
    days, urgency = (now - follow_up.began).days, Disposition(follow_up.urgency)
    reached = [one for one in checkins.limits if one.urgency is urgency and one.days <= days]
    return max(reached, key=lambda one: one.to, default=None)


def raised(checkins: CheckIns, follow_up: FollowUp, course: Course, now: datetime) -> Disposition:
    """Return how soon they are to be seen now: never later than the result said, and sooner where it is worse."""
    urgency = Disposition(follow_up.urgency)
    reached = limit(checkins, follow_up, course, now)
    least = max(urgency, reached.to) if reached else urgency
    if course is not Course.WORSE:
        return least
    # To make it an emergency is for the check to say, which is begun at once.
    higher = next((d for d in Disposition if d > urgency), urgency)
    return max(least, min(higher, Disposition.SAME_DAY))


def given(pathway: Pathway, follow_up: FollowUp) -> tuple[str, ...]:
    """Return the findings with which a check is begun when it has got worse."""
    carried = {code for group in pathway.groups if group.id in CARRIED for code in group.codes}
    return (*(code for code in follow_up.findings if code in carried), "course_worse")


def _still_seen(follow_up: FollowUp) -> str:
    return follow_up.seen if follow_up.seen == Seen.YES else ""
