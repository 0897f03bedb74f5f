"""What is written first, and from when until when. Plain data, no I/O."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Occasion(StrEnum):
    """Why something is written first."""

    CHECKIN = "checkin"
    MORNING = "morning"
    FOLLOWUP = "followup"
    NUDGE = "nudge"
    TIP = "tip"
    LAST = "last"
    POSTED = "posted"
    OUTAGE = "outage"


@dataclass(frozen=True, slots=True)
class Window:
    """When one message is owed: from the first minute of it on, and not after its end. Aware, UTC."""

    occasion: Occasion
    due: datetime
    until: datetime
    together: bool = False
    """Whether both occurrences of a run are asked in it."""

    def key(self, of: str, day: date) -> str:
        """Return what it is the one and only message for: its occasion, the run or plan, and the local date."""
        return f"{self.occasion}:{of}:{day.isoformat()}"
