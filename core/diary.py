"""What is kept of how someone runs and how their hip is doing, once they asked for check-ins or tips. Plain data, no I/O."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import msgspec

REMEMBERED = timedelta(days=60)
"""Runs, askings and tips older than this are forgotten: twice the 30 days of the longest run, and the 8 weeks of a tip."""


class Age(StrEnum):
    """The age band that was told with the consent."""

    UNDER_16 = "under_16"
    UNDER_18 = "under_18"
    ADULT = "adult"


class Place(StrEnum):
    """Where it hurt most. The scale of 0 to 10 speaks of the first three only."""

    OUTER_HIP = "outer_hip"
    SIT_BONE = "sit_bone"
    MUSCLE = "muscle"
    GROIN = "groin"
    FRONT = "front"
    DEEP = "deep"
    THIGH = "thigh"
    PUBIC = "pubic"
    BUTTOCK = "buttock"
    SACRUM = "sacrum"
    UNKNOWN = "unknown"


class Light(StrEnum):
    """What the pain of a run means for the next one."""

    GO = "go"
    HOLD = "hold"
    STEP_BACK = "step_back"
    RED = "red"


class Origin(StrEnum):
    """How a run is known. What a member told wins over what is usual, and that over the club's."""

    TOLD = "told"
    USUAL = "usual"
    CLUB = "club"


class Rhythm(StrEnum):
    """How often someone is asked: it slows down by itself where nobody answers."""

    EACH_RUN = "each_run"
    WEEKLY = "weekly"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which nothing is written first, by the member's clock; they may go over midnight."""

    start: time = time(22)
    end: time = time(8, 0)


@dataclass(frozen=True, slots=True)
class Slot:
    """A usual run: its weekday, Monday being 0, and when it starts by the member's clock."""

    weekday: int
    at: time


@dataclass(frozen=True, slots=True)
class Run:
    """A run: when it starts, in UTC, and as much as is known of it."""

    id: str
    start: datetime
    origin: Origin
    minutes: int | None = None
    metres: int | None = None

    @property
    def end(self) -> datetime:
        """When it is over; an hour later where nothing else is known."""
        return self.start + timedelta(minutes=self.minutes or 60)


@dataclass(frozen=True, slots=True)
class Asking:
    """The check-in of one run: what was asked in its two occurrences, and what was told."""

    id: str
    """Eight hexadecimal digits: the thread of its tokens."""
    run: Run
    day: date
    """The local day of the run: with the run's id, the key of its occurrences."""
    together: bool = False
    """Whether both occurrences are asked as one, next morning, because the first would fall in quiet hours."""
    step: int = 0
    ran: bool | None = None
    worst: int | None = None
    """The worst pain during the run or since, 0 to 10."""
    place: Place | None = None
    built: bool | None = None
    """Whether it built up as they ran."""
    limp: bool | None = None
    """Whether they limp."""
    still: bool | None = None
    """Whether it hurts when still."""
    worse: bool | None = None
    """Next morning: whether it is worse than usual."""
    night: bool | None = None
    """Next morning: whether it hurt at night."""
    lying: bool | None = None
    """Next morning: whether it hurt at night only when they lay on that side."""
    light: Light | None = None
    nudged: bool = False
    later: datetime | None = None
    """When it is to be asked once more, because they asked for that."""
    touched: datetime | None = None
    """When it was last answered."""
    closed: datetime | None = None
    """When it was answered to its end, skipped, or given up."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A result that someone asked to be asked about again."""

    id: str
    """Eight hexadecimal digits: the thread of its tokens."""
    check: str
    urgency: str
    """The disposition of the result."""
    findings: tuple[str, ...]
    began: datetime
    step: int = 0
    asked: int = 0
    """How many of its occasions are over."""
    seen: str = ""
    """On the open occasion: whether they were seen; that they were holds for all that come after."""
    answers: tuple[str, ...] = ()
    """How it was on each occasion that is over."""
    touched: datetime | None = None
    """When it was last answered."""
    closed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A tip that was sent, or is on its way."""

    tip: str
    at: datetime
    occurrence: str | None = None
    """Of one on its way: what its message is the one and only message for. None: it went out, or was asked for."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A setting whose value may be typed next."""

    setting: str
    since: datetime
    options: tuple[str, ...] = ()
    """What is offered for it; a button names one by its position."""


@dataclass(frozen=True, slots=True)
class Diary:
    """All of it for one member. What they agreed to stands in their consents, not here."""

    zone: str = "UTC"
    """An IANA name."""
    zone_known: bool = True
    """Whether they told where they are. Until then nothing is written first."""
    age: Age | None = None
    quiet: Quiet = Quiet()
    delay: int = 120
    """Minutes from the end of a run to its check-in."""
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """The weekdays on which they may be written to first, Monday being 0."""
    plan: tuple[Slot, ...] = ()
    clubs: tuple[str, ...] = ()
    """The ids of the group runs that they follow."""
    runs: tuple[Run, ...] = ()
    askings: tuple[Asking, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    tips: tuple[Given, ...] = ()
    paused: datetime | None = None
    """Until when nothing is written first."""
    ignored: int = 0
    """Check-ins in a row that nobody answered."""
    rhythm: Rhythm = Rhythm.EACH_RUN
    waiting: Waiting | None = None

    def asking(self, id: str) -> Asking | None:
        """Return a check-in by its thread."""
        return next((asking for asking in self.askings if asking.id == id), None)

    def with_asking(self, asking: Asking) -> "Diary":
        """Return the diary with this check-in in the place of an earlier state of it, or at the end."""
        if self.asking(asking.id) is None:
            return replace(self, askings=(*self.askings, asking))
        return replace(self, askings=tuple(asking if a.id == asking.id else a for a in self.askings))

    def follow_up(self, id: str) -> FollowUp | None:
        """Return a result to be asked about by its thread."""
        return next((one for one in self.follow_ups if one.id == id), None)

    def with_follow_up(self, follow_up: FollowUp) -> "Diary":
        """Return the diary with this result to be asked about in the place of an earlier state of it, or at the end."""
        if self.follow_up(follow_up.id) is None:
            return replace(self, follow_ups=(*self.follow_ups, follow_up))
        return replace(self, follow_ups=tuple(follow_up if f.id == follow_up.id else f for f in self.follow_ups))

    def since(self, time: datetime) -> "Diary":
        """Return the diary without what was over before a time."""
        return replace(
            self,
            runs=tuple(run for run in self.runs if run.start >= time),
            askings=tuple(asking for asking in self.askings if asking.run.start >= time),
            follow_ups=tuple(one for one in self.follow_ups if one.closed is None or one.closed >= time),
            tips=tuple(given for given in self.tips if given.at >= time),
        )


FOR = ("check_ins", "follow_up", "tips")
"""The consents that a diary is kept for."""


def without(diary: Diary, kind: str) -> Diary:
    """Return the diary without what was kept for one consent. Without any, nothing is left of it."""
    match kind:
        case "check_ins":
            left = replace(diary, plan=(), clubs=(), runs=(), askings=(), paused=None, ignored=0, rhythm=Rhythm.EACH_RUN)
        case "follow_up":
            left = replace(diary, follow_ups=())
        case "tips":
            left = replace(diary, tips=())
        case _:
            left = diary
    return replace(left, waiting=None)


class UnreadableDiary(ValueError):
    """What is kept is no diary of ours, or one from a newer version of this program."""


# msgspec works out a type when it first meets it. In two threads at once, as where the store plans while a member is answered,
# that crashes the process (0.22): so it has met it before there are any.
msgspec.convert({}, Diary)


def to_json(diary: Diary) -> dict[str, Any]:
    """Return the diary as plain JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(diary)
    return plain


def from_json(plain: Any) -> Diary:
    """Return the diary that `to_json` wrote; raise UnreadableDiary for anything else."""
    try:
        return msgspec.convert(plain, Diary, strict=True)
    except msgspec.ValidationError as error:
        raise UnreadableDiary from error
