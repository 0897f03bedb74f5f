"""A tip as a member reads it: what to do, why they get it, and what it rests on."""

from collections.abc import Iterator

from core.care import Hip
from core.coaching.sources import resting_on
from core.library import Library
from core.tips import Chosen
from core.words import Words


def told(chosen: Chosen, library: Library) -> str:
    """Return the words of a tip. It speaks of health: a message that comes by itself shows it only after a tap."""
    because = library.words("ui", "tip_because", because=" ".join(_reasons(chosen, library.words)))
    basis = "\n".join(resting_on(library, chosen.tip.sources))
    return "\n\n".join((library.words("tips", "say", chosen.tip.id), because, basis))


def _reasons(chosen: Chosen, words: Words) -> Iterator[str]:
    """Yield a sentence for each thing that chose the tip."""
    if chosen.hip is not Hip.UNKNOWN:
        yield words("tips", "states", chosen.hip.value)
    yield from (words("tips", "places", place.value) for place in chosen.places)
    yield from (words("tips", "loads", one.value) for one in chosen.loads)
    if chosen.season:
        yield words("tips", "seasons", chosen.season.value)
