"""Draws a club: for its organisers with what can be set, for its members the runs to follow. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.club import THREAD, Club, GroupRun, Standing
from core.dialogue.screens import short_version
from core.dialogue.token import Token
from core.dialogue.turn import Button, Notice, Prompt, Role
from core.diary import Diary, Run
from core.library import Library
from core.organising.reading import shown_zone
from core.wallclock import local
from core.words import Words

OWN = 8
"""Letters of a run's own id in a token."""
FOLLOWED = 30
"""Group runs that one member can follow."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A club as someone sees it."""

    library: Library
    club: Club
    standing: Standing
    diary: Diary
    days: Mapping[str, Sequence[Run]]
    """When its runs are next, by their ids."""
    now: datetime
    channel: str | None = None
    """The channel where this is, where a button can be posted."""

    def drawn(self) -> Prompt:
        """Return the club, its runs each with a tick to follow it, and for an organiser what can be set."""
        lines = [self.club.name, *(self._settings() if self.organises else ()), "", *self._runs()]
        choices = [self._follow(run) for run in self.club.runs[:FOLLOWED]]
        if self.organises:
            lines += ["", self._words("club", "how" if self.channel is None else "how_change")]
            choices += self._of_organisers()
        return Prompt("\n".join(lines), "club", tuple(choices))

    def ending(self) -> Prompt:
        """Return the question whether the club is to be erased."""
        yes = self._tap("endyes", self._words("club", "buttons", "end_yes"), role=Role.CONFIRM)
        return Prompt(self._words("club", "end"), "club", (yes, self._tap("show", self._words("club", "buttons", "keep"))))

    def posted(self, run: Run) -> Notice:
        """Return what is posted in the club's channel after a run. It says nothing of health, and is the same for all."""
        minutes = int(run.start.timestamp()) // 60
        return Notice(
            self._words("club", "posted"), (self._tap("ran", self._words("club", "buttons", "tell"), _in_36(minutes)),)
        )

    @property
    def organises(self) -> bool:
        """Whether it is drawn for an organiser."""
        return self.standing is Standing.ORGANISER

    def _settings(self) -> Iterator[str]:
        club, unknown = self.club, self._words("club", "unknown")
        zone = shown_zone(club.zone) if club.zone else unknown
        region = self._words("regions", club.region) if club.region else unknown
        yield self._words("club", "settings", zone=zone, region=region, language=club.language)
        if not club.zone:
            yield self._words("club", "zone_first")

    def _runs(self) -> Iterator[str]:
        if not self.club.runs:
            yield self._words("club", "no_runs")
            return
        yield self._words("club", "runs")
        for number, run in enumerate(self.club.runs, start=1):
            yield f"{number}. {self._label(run)}{self._place(run)}"
        yield self._words("club", "private")

    def _label(self, run: GroupRun) -> str:
        next_day = next((day for day in self.days.get(run.id, ()) if day.start > self.now), None)
        name = run.name or self._words("club", "a_run")
        if next_day is None:
            return name
        at = local(next_day.start, run.zone)
        return self._words("club", "run", name=name, day=self._words.list("ui", "days")[at.weekday()], at=f"{at:%H:%M}")

    def _place(self, run: GroupRun) -> str:
        return f", {run.place}" if run.place else ""

    def _follow(self, run: GroupRun) -> Button:
        follows = run.id in self.diary.clubs
        return self._tap("follow", self._label(run), run.id[OWN : 2 * OWN], ticked=follows, state="-" if follows else "+")

    def _of_organisers(self) -> Iterator[Button]:
        if self.channel is not None and self.club.zone:
            on = self.club.channel == self.channel
            yield self._tap("post", self._words("club", "buttons", "post_no" if on else "post"), "no" if on else "yes")
        yield self._tap("end", self._words("club", "buttons", "end"))

    def _tap(
        self, act: str, label: str, arg: str = "", *, role: Role = Role.OTHER, ticked: bool | None = None, state: str = ""
    ) -> Button:
        version = short_version(self.library.pathway.version)
        role = Role.ANSWER if ticked is not None else role
        return Button(str(Token(version, THREAD + self.club.id, 0, act, arg, state)), label, role, ticked=ticked)

    @property
    def _words(self) -> Words:
        return self.library.words


def start_of(arg: str) -> int | None:
    """Return the minute, since 1970, that the button of a posted message names."""
    try:
        return int(arg, 36)
    except ValueError:
        return None


def _in_36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, rest = divmod(number, 36)
        text = digits[rest] + text
    return text or "0"
