"""The days of all group runs, worked out once and not for each who follows them. No clock."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from core.calendar import occurrences
from core.club import Club, GroupRun
from core.diary import Run
from core.runs import AROUND

BEFORE = timedelta(days=2) + AROUND
"""As far back as check-ins may be open, and what settles which runs there are one."""
AFTER = timedelta(days=8) + AROUND
"""The week ahead, and as much."""
FRESH = timedelta(hours=6)
"""How long they hold: the week ahead is told of to its end all the while."""

Days = Mapping[str, Sequence[Run]]
"""The runs of each group run by its id."""


def worked_out(clubs: Sequence[Club], now: datetime) -> Days:
    """Return when the group runs of clubs are, from BEFORE to AFTER; of one that cannot be worked out, no day."""
    return {run.id: _days(run, now) for club in clubs for run in club.runs}


def _days(run: GroupRun, now: datetime) -> Sequence[Run]:
    try:
        return occurrences(run, now - BEFORE, now + AFTER)
    except Exception:  # noqa: BLE001 - a run that cannot be worked out, such as in a zone that is gone, is one club's, not everybody's
        return ()


class Timetable:
    """When the group runs are, as was worked out last. `core.organising.refresh` does that."""

    def __init__(self) -> None:
        self.days: Days = {}
        self._of: tuple[Club, ...] | None = None
        self._since: datetime | None = None

    def holds(self, clubs: tuple[Club, ...], now: datetime) -> bool:
        """Return whether it is still right: no club has changed since, and the week ahead lies in it to its end."""
        return clubs == self._of and self._since is not None and self._since <= now < self._since + FRESH

    def take(self, clubs: tuple[Club, ...], days: Days, now: datetime) -> None:
        """Have these from now on."""
        self.days, self._of, self._since = days, clubs, now
