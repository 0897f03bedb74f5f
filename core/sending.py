"""How sending on a platform goes: whether it works, and since when not. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LONG = timedelta(hours=24)
"""An outage that lasted so long is told of."""


@dataclass(frozen=True, slots=True)
class Outage:
    """That nothing could be sent on a platform, from the first try that failed to the last."""

    platform: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Sending:
    """How sending on one platform goes. All times are in UTC, to the minute."""

    platform: str
    alive: datetime
    """When Hipwise is last known to have run."""
    since: datetime | None = None
    """When the first try failed since the last that did not; where Hipwise was off, when it went off. None: it works."""
    until: datetime | None = None
    """When the last of them failed, or Hipwise was back."""

    @property
    def outage(self) -> Outage | None:
        """The outage that is over once something is sent; None where there was none that lasted."""
        if self.since is None or self.until is None or self.until - self.since < LONG:
            return None
        return Outage(self.platform, self.since, self.until)

    def failed(self, now: datetime) -> "Sending":
        """Return it after a try that failed because the platform could not be reached."""
        return replace(self, since=self.since or now, until=now)

    def worked(self) -> "Sending":
        """Return it after the platform has answered."""
        return replace(self, since=None, until=None)

    def ran(self, now: datetime) -> "Sending":
        """Return it with Hipwise known to run; where it had not for long, nothing was sent in all that time."""
        if now - self.alive < LONG:
            return replace(self, alive=now)
        return Sending(self.platform, now, min(self.since or self.alive, self.alive), now)
