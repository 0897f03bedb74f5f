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


MILES_PER_KM = 0.621371


def distance(km: int, units: Units) -> str:
    """Return a distance given in whole kilometres, in the member's units, rounded to whole ones."""
    return f"{km} km" if units is Units.KM else f"{round(km * MILES_PER_KM)} miles"
