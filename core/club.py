"""A club: its chat, what its organisers have set, and its group runs. Plain data, no I/O."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from core.members import Address

THREAD = "club"
"""What the threads of a club's tokens begin with; its id follows."""
MOST_CLUBS = 20
"""Clubs on one machine: whoever adds the bot to a group could claim one, and the days of each are worked out."""
LONGEST_NAME = 60
"""Characters that are kept of a club's name."""


class Standing(StrEnum):
    """What someone is in a club's chat, as its platform says at this moment."""

    STRANGER = "stranger"
    MEMBER = "member"
    ORGANISER = "organiser"


@dataclass(frozen=True, slots=True)
class Chat:
    """A club's chat, a group of Telegram or a server of Discord, as someone does something there."""

    address: Address
    title: str
    standing: Standing
    """That of whoever did it."""
    channel: str | None = None
    """The channel of it where that was, where it has channels."""
    closed: bool = False
    """Whether the bot may not write in that channel."""


@dataclass(frozen=True, slots=True)
class GroupRun:
    """A run of a club, once or again and again, as a member follows it."""

    id: str
    """The same at each import of the same event, and whenever the same run is typed in."""
    name: str
    place: str
    zone: str
    schedule: str
    """When it is, as iCalendar: times are those on a wall of the zone."""


@dataclass(frozen=True, slots=True)
class Club:
    """A club that an organiser has claimed a chat for. Nothing in it is a member's, but who organises."""

    id: str
    """Eight hexadecimal digits."""
    chat: Address
    name: str
    organisers: tuple[Address, ...] = ()
    """Where to write to those who have set something here."""
    zone: str = ""
    """An IANA name; empty until it is known. Without it there are no runs."""
    region: str | None = None
    language: str = "en"
    typed: tuple[GroupRun, ...] = ()
    """The group runs that were typed in."""
    imported: tuple[GroupRun, ...] = ()
    """Those of the calendar file that was sent last."""
    channel: str | None = None
    """Where a button is posted after each run."""

    @property
    def runs(self) -> tuple[GroupRun, ...]:
        """All its group runs. The id of each is the club's, and then the run's own."""
        return (*self.typed, *self.imported)

    def run(self, id: str) -> GroupRun | None:
        """Return the group run whose own id begins so."""
        return next((run for run in self.runs if run.id.startswith(self.id + id)), None)

    def with_typed(self, *runs: GroupRun) -> "Club":
        """Return the club with these too; one that is there already is there once."""
        ours = [replace(run, id=self.id + run.id) for run in runs]
        known = {(run.name, run.zone, run.schedule) for run in ours}
        others = (run for run in self.typed if (run.name, run.zone, run.schedule) not in known)
        return replace(self, typed=(*others, *ours))

    def with_imported(self, runs: tuple[GroupRun, ...]) -> "Club":
        """Return the club with these in the place of what was imported before."""
        return replace(self, imported=tuple(replace(run, id=self.id + run.id) for run in runs))

    def without(self, run: GroupRun) -> "Club":
        """Return the club without one of its runs."""
        return replace(
            self,
            typed=tuple(each for each in self.typed if each != run),
            imported=tuple(each for each in self.imported if each != run),
        )


class UnreadableClub(ValueError):
    """What was kept of a club is not one."""


def to_json(club: Club) -> dict[str, Any]:
    """Return a club as plain JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(club)
    return plain


def from_json(plain: object) -> Club:
    """Return the club that `to_json` wrote; raise UnreadableClub."""
    try:
        return msgspec.convert(plain, Club)
    except msgspec.ValidationError as error:
        raise UnreadableClub from error
