"""The care library's nouns: pages, sources, regions and tips."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from core.diary import Age, Place
from core.load import Load, Season


@dataclass(frozen=True, slots=True)
class CarePage:
    """One page a member can read at any time; its words are in the locale under the same id."""

    id: str
    shelf: str
    sources: tuple[str, ...]
    changed: tuple[str, ...]
    see_also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Something that was read, and how much of it."""

    id: str
    title: str
    by: str
    year: str
    where: str
    read: str


@dataclass(frozen=True, slots=True)
class Region:
    """A place's emergency number and, where it has one, the number of its urgent line."""

    id: str
    emergency: str
    urgent: str
    source: str
    date: dt.date


class Topic(StrEnum):
    """What a tip is about. Topics take turns."""

    LOAD = "load"
    LISTEN = "listen"
    HABITS = "habits"
    STRENGTH = "strength"
    RECOVERY = "recovery"
    WARM_UP = "warm_up"
    CARE = "care"
    FUEL = "fuel"
    FORM = "form"
    SHOES = "shoes"
    MYTH = "myth"


class Hip(StrEnum):
    """How the hip is doing, as far as a tip needs to know. There is none for a red light: nothing fits it."""

    WELL = "well"
    """The last check-in was free of pain."""
    SORE = "sore"
    """It told of a little pain, and let them go on."""
    HOLD = "hold"
    STEP_BACK = "step_back"
    BETTER = "better"
    """It let them go on, after one that did not."""
    FOLLOWED = "followed"
    """A result that can wait is being followed up."""
    UNKNOWN = "unknown"
    """Nothing was told lately."""


@dataclass(frozen=True, slots=True)
class Tip:
    """A tip, and whom it fits: someone for whom one of each kind that it names holds."""

    id: str
    topic: Topic
    states: frozenset[Hip]
    sources: tuple[str, ...]
    places: frozenset[Place] = frozenset()
    loads: frozenset[Load] = frozenset()
    seasons: frozenset[Season] = frozenset()
    ages: frozenset[Age] = frozenset({Age.ADULT})

    @property
    def closeness(self) -> int:
        """How closely it fits: the kinds that it names besides the state."""
        return sum(map(bool, (self.places, self.loads, self.seasons)))
