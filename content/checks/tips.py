"""What must hold of the tips: each fits somebody and not everybody, says nothing of load to the young, and is short."""

from collections.abc import Iterator

from content.checks.material import Material
from content.checks.problem import TIPS, Problem
from core.care import Hip, Tip, Topic
from core.checkins import CheckIns
from core.diary import Age, Place

LONGEST = 200
"""Characters of a tip: two or three short sentences."""
HURTING = frozenset(Hip) - {Hip.WELL, Hip.UNKNOWN}


def fits_somebody(m: Material) -> Iterator[Problem]:
    """A tip waits for something that was told; one that fits whoever it is does nothing for anybody."""
    for tip in m.library.tips:
        if not tip.states:
            yield Problem(TIPS, f"{tip.id}.states", "names no state, so it fits nobody")
        elif Hip.UNKNOWN in tip.states and not (tip.loads or tip.seasons):
            yield Problem(TIPS, f"{tip.id}.states", "fits whoever it is: name loads or seasons as well")
        for place in _nowhere(tip, m.library.checkins):
            yield Problem(TIPS, f"{tip.id}.places", f"{place.value!r} fits nobody with these states")


def fits_no_child(m: Material) -> Iterator[Problem]:
    """Under 16 there are no tips, and under 18 none about load."""
    for tip in m.library.tips:
        if not tip.ages or Age.UNDER_16 in tip.ages:
            yield Problem(TIPS, f"{tip.id}.ages", "nobody under 16 gets tips: name under_18, adult or both")
        elif Age.UNDER_18 in tip.ages and (tip.topic is Topic.LOAD or tip.loads or tip.seasons):
            yield Problem(TIPS, f"{tip.id}.ages", "nobody under 18 gets advice about load")


def short(m: Material) -> Iterator[Problem]:
    for text in m.shown:
        if text.path[:2] == ("tips", "say") and len(text.says) > LONGEST:
            yield Problem(text.file, text.key, f"has {len(text.says)} characters; a tip has {LONGEST} at most")


def _nowhere(tip: Tip, checkins: CheckIns) -> list[Place]:
    """Return the places that no one can tell of who is in one of the tip's states."""
    told = checkins.scale.places if tip.states & (HURTING - {Hip.FOLLOWED}) else frozenset()
    followed = frozenset(p for p, codes in checkins.places.items() if codes) if Hip.FOLLOWED in tip.states else frozenset()
    return sorted(tip.places - told - followed)
