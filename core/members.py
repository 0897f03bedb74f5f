"""Who someone is to the bot, and what they prefer."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Address:
    """One private conversation on one platform."""

    platform: str
    id: str


class Units(StrEnum):
    """How a member thinks of distance."""

    KM = "km"
    MILES = "miles"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a member has set. A region of None shows the common emergency numbers."""

    region: str | None = None
    units: Units = Units.KM
    club: str | None = None
    """The club whose runs they looked at last, by its id."""


MILES_PER_KM = 0.621371


def distance(km: int, units: Units) -> str:
    """Return a distance given in whole kilometres, in the member's units, rounded to whole ones."""
    return f"{km} km" if units is Units.KM else f"{round(km * MILES_PER_KM)} miles"


METRES = {Units.KM: 1000, Units.MILES: 1609.344}


def covered(metres: int, units: Units, *, at_most: bool = False) -> str:
    """Return a distance in the member's units, to a tenth: the nearest one, or where it is a limit the one below it."""
    tenths = metres * 10 / METRES[units]
    far = (int(tenths) if at_most else round(tenths)) / 10
    name = "mile" if units is Units.MILES and far == 1 else units.value
    return f"{far:.1f} {name}".replace(".0 ", " ")
