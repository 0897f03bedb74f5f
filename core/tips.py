"""Which tip fits someone now, if any. What is known of them stands in their diary. No I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core import load
from core.care import Hip, Tip, Topic
from core.checkins import CheckIns, Scale, is_red
from core.diary import Age, Asking, Diary, FollowUp, Light, Place
from core.followups import TO_BE_SEEN, Course, Seen
from core.library import Library
from core.load import Load, Season

AGAIN = timedelta(weeks=8)
"""How long a tip that was sent is not sent again."""
WEEK = timedelta(days=7)
PER_WEEK = 2
"""Tips that come by themselves within any seven days, at most; those that were asked for count too."""
APART = timedelta(days=2)
"""How long there is peace after a tip before another comes by itself."""
KNOWN = timedelta(days=14)
"""How long a check-in says how someone is."""
PASSING = timedelta(days=21)
"""How long after a check-in that held someone back a better one counts as getting better."""
RED_HOLDS = timedelta(days=14)
"""How long a red light silences tips, whatever a later check-in says: one run without pain proves nothing about a bone."""
URGENT_HOLDS = timedelta(days=21)
"""How long a result that asked for care soon silences tips at least, or one that was no better when last asked about."""
URGENT = frozenset(urgency.value for urgency in TO_BE_SEEN)
NO_BETTER = frozenset({Course.SAME.value, Course.WORSE.value})


@dataclass(frozen=True, slots=True)
class Situation:
    """How someone's hip is doing, where it hurts, and their load and season of training."""

    age: Age
    hip: Hip
    places: frozenset[Place] = frozenset()
    loads: frozenset[Load] = frozenset()
    season: Season | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A tip that fits, and what chose it."""

    tip: Tip
    hip: Hip
    places: tuple[Place, ...] = ()
    loads: tuple[Load, ...] = ()
    season: Season | None = None


def fitting(library: Library, diary: Diary, now: datetime) -> Chosen | None:
    """Return the tip that may be sent by itself now, or None: nothing fits, or the last ones are too near."""
    lately = sorted(given.at for given in diary.tips if now - given.at < WEEK)
    if len(lately) >= PER_WEEK or (lately and now - lately[-1] < APART):
        return None
    return asked_for(library, diary, now)


def asked_for(library: Library, diary: Diary, now: datetime) -> Chosen | None:
    """Return the tip that fits best of those not given within eight weeks, or None where none does.

    The closest fit comes first, among equals the topic that was not had for longest, then the order of the file.
    """
    here = situation(library, diary, now)
    given = {one.tip for one in diary.tips if now - one.at < AGAIN}
    fit = [tip for tip in library.tips if here and tip.id not in given and _fits(tip, here)]
    if here is None or not fit:
        return None
    had = _topics_had(library, diary)
    return _chosen(min(fit, key=lambda tip: (-tip.closeness, tip.topic in had, had.get(tip.topic, now))), here)


def chosen(library: Library, diary: Diary, number: int, now: datetime) -> Chosen | None:
    """Return a tip by its place in the file, with what speaks for it by now; None where there is none such."""
    if not 0 <= number < len(library.tips):
        return None
    here = situation(library, diary, now)
    return Chosen(library.tips[number], Hip.UNKNOWN) if here is None else _chosen(library.tips[number], here)


def situation(library: Library, diary: Diary, now: datetime) -> Situation | None:
    """Return what is known of someone, or None where no tip may be given.

    That is so after a red light or an urgent result, while a check-in with pain is not over, under 16,
    and while no age was told.
    Under 18 nothing is said of their runs. Raise UnknownZone for a diary whose zone the zone database does not know.
    """
    if diary.age is None or diary.age is Age.UNDER_16:
        return None
    scale = library.checkins.scale
    if to_be_seen(scale, diary, now) or any(_unclear(asking, now) for asking in diary.askings):
        return None
    hip, places = _known(library.checkins, diary, now)
    if diary.age is not Age.ADULT:
        return Situation(diary.age, hip, places)
    loads, season = load.loads(diary, now, library.bounds), load.season(diary, now, library.bounds)
    return Situation(diary.age, hip, places, loads, season)


def to_be_seen(scale: Scale, diary: Diary, now: datetime) -> bool:
    """Return whether a check-in or a result of late asked for more than tips: a red light, or care soon."""
    told = answered(scale, diary)
    return (
        bool(told and _red(scale, told[-1]))
        or any(_red(scale, asking) and now - asking.run.start < RED_HOLDS for asking in told)
        or any(_urgent(one, now) for one in diary.follow_ups)
    )


def answered(scale: Scale, diary: Diary) -> tuple[Asking, ...]:
    """Return the check-ins that came to a light, the oldest first."""
    told = (asking for asking in diary.askings if asking.light or is_red(scale, asking))
    return tuple(sorted(told, key=lambda asking: (asking.run.start, asking.id)))


# ---------------------------------------------------------------- What is known


def _red(scale: Scale, asking: Asking) -> bool:
    return asking.light is Light.RED or is_red(scale, asking)


def _unclear(asking: Asking, now: datetime) -> bool:
    """Return whether pain was told of late, and not what it takes to say what that means."""
    return bool(asking.worst) and asking.light is None and now - asking.run.start < KNOWN


def _urgent(follow_up: FollowUp, now: datetime) -> bool:
    """Return whether a result asked for care soon, or what was told since does."""
    is_open, late = follow_up.closed is None, now - (follow_up.closed or now)
    if follow_up.urgency in URGENT or follow_up.seen == Seen.NO:
        return is_open or now - follow_up.began < URGENT_HOLDS
    return not is_open and late < URGENT_HOLDS and not NO_BETTER.isdisjoint(follow_up.answers[-1:])


def _known(checkins: CheckIns, diary: Diary, now: datetime) -> tuple[Hip, frozenset[Place]]:
    """Return how the hip is doing, and where it hurts as far as that is known; without pain, nowhere."""
    told = answered(checkins.scale, diary)
    last = next((asking for asking in reversed(told) if now - asking.run.start < KNOWN), None)
    if last and last.light is Light.HOLD:
        return Hip.HOLD, _places(last)
    if last and last.light is Light.STEP_BACK:
        return Hip.STEP_BACK, _places(last)
    if followed := [one for one in diary.follow_ups if one.closed is None]:
        return Hip.FOLLOWED, _found(checkins, {code for one in followed for code in one.findings})
    if last is None:
        return Hip.UNKNOWN, frozenset()
    if held := next((asking for asking in reversed(told) if _held_before(asking, last)), None):
        return Hip.BETTER, _places(held)
    return (Hip.SORE, _places(last)) if last.worst else (Hip.WELL, frozenset())


def _held_before(asking: Asking, last: Asking) -> bool:
    """Return whether a check-in held someone back, not long before the last one."""
    return asking.light in (Light.HOLD, Light.STEP_BACK) and last.run.start - asking.run.start < PASSING


def _found(checkins: CheckIns, findings: set[str]) -> frozenset[Place]:
    """Return the places that these findings name."""
    return frozenset(place for place, codes in checkins.places.items() if codes and findings.issuperset(codes))


def _places(asking: Asking) -> frozenset[Place]:
    return frozenset({asking.place}) if asking.place else frozenset()


# ---------------------------------------------------------------- What fits, and why


def _fits(tip: Tip, here: Situation) -> bool:
    return (
        here.age in tip.ages
        and here.hip in tip.states
        and (not tip.places or bool(tip.places & here.places))
        and (not tip.loads or bool(tip.loads & here.loads))
        and (not tip.seasons or here.season in tip.seasons)
    )


def _topics_had(library: Library, diary: Diary) -> dict[Topic, datetime]:
    """Return when each topic was last had."""
    topic_of = {tip.id: tip.topic for tip in library.tips}
    had = sorted((given.at, given.tip) for given in diary.tips)
    return {topic_of[id]: at for at, id in had if id in topic_of}


def _chosen(tip: Tip, here: Situation) -> Chosen:
    places, loads = sorted(tip.places & here.places), sorted(tip.loads & here.loads)
    return Chosen(tip, here.hip, tuple(places), tuple(loads), here.season if tip.seasons else None)
