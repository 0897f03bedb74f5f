"""What can be set: where, when, how often, and which runs are usual. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from core import backing_off, consents
from core.club import THREAD
from core.coaching.spoken import Spoken
from core.coaching.told import OPEN_FOR, Here, Told
from core.dialogue.screens import short_version
from core.dialogue.shelves import Shelves
from core.dialogue.token import MENU, Token, read
from core.dialogue.turn import Button, Notice, Prompt, Role
from core.dialogue.typed import read_typed
from core.diary import Diary, Quiet, Slot, Waiting
from core.library import Library
from core.record import Plain
from core.wallclock import local
from core.words import Words
from core.zones import zones_at, zones_named

KINDS = ("check_ins", "tips")
SETTINGS = ("zone", "quiet", "days", "delay", "plan", "pause")
OF_CHECK_INS = frozenset({"delay", "plan"})
"""Settings that mean nothing for tips and for asking about a result."""
DELAYS = (60, 120, 180, 240)
"""Minutes after a run that are offered."""
SHORTEST_DELAY, LONGEST_DELAY = 30, 720
QUIETS = ((time(21), time(7)), (time(21, 30), time(8)), (time(22), time(9)), (time(0), time(0)))
PAUSES = (7, 14, 28)
"""Days that are offered."""


@dataclass(frozen=True, slots=True)
class Arranging:
    """Draws the settings of check-ins and tips, and takes what a member sets."""

    library: Library
    here: Here
    kept: tuple[Plain, ...]
    """What was agreed to and taken back."""

    # ---------------------------------------------------------------- Settings

    def settings(self) -> Told:
        """Return all that can be set, each one tap."""
        base = Shelves(self.library, self.here.preferences).settings()
        lines = [base.text, self._words("checkins", "set", "language"), *self._standing()]
        extra = [self.menu_button("set", self._words("checkins", "buttons", what), what) for what in self._settable]
        for number, kind in enumerate(KINDS):
            extra.append(self.menu_button("optin", self._words("privacy", "consents", kind, "name"), str(number)))
        return Told((Prompt("\n".join(lines), "settings", (*base.choices, *extra)),))

    def asked(self, setting: str) -> Told | None:
        """Return the question for one setting, to be tapped or typed; None where nothing that it is for was agreed to."""
        return self._asked(setting) if setting in self._settable else None

    def set(self, token: Token) -> Told | None:
        """Take a value that was tapped; one of an older list changes nothing, and the setting is asked for anew.

        None where nothing that it is for was agreed to.
        """
        if token.act not in self._settable:
            return None
        waiting = self.here.diary.waiting
        match token.act, token.arg:
            case "zone", arg if waiting and arg.isdigit() and int(arg) < len(waiting.options) and self._is_of(token, waiting):
                return self._zoned(waiting.options[int(arg)])
            case "quiet", arg if arg.isdigit() and (quiet := _quiet_of(arg)):
                return self._changed("quiet", quiet=quiet)
            case "days", arg if arg.isdigit() and int(arg) < 7 and token.state:
                return self._day(int(arg), add=token.state == "+")
            case "delay", arg if arg.isdigit() and SHORTEST_DELAY <= int(arg) <= LONGEST_DELAY:
                return self._changed("delay", delay=int(arg))
            case "plan", "none":
                return self._changed("plan", plan=())
            case "pause", arg if arg.isdigit():
                return self.paused(int(arg))
            case act, _:
                return self._asked(act)

    def typed(self, text: str) -> Told:
        """Return what a typed value for the setting that waits leads to."""
        waiting = self.here.diary.waiting
        setting, spoken = waiting.setting if waiting else "", Spoken(self._words)
        if text.casefold().strip() in self._words.list("checkins", "typed", "cancel"):
            return Told((Notice(self._words("checkins", "left")),), diary=replace(self.here.diary, waiting=None))
        if setting == "zone":
            return self._line(setting, text) or self._typed_zone(text, spoken)
        if setting == "quiet" and (quiet := spoken.quiet(text)) is not None:
            return self._changed("quiet", quiet=quiet)
        if setting == "delay" and SHORTEST_DELAY <= (spoken.minutes(text) or 0) <= LONGEST_DELAY:
            return self._changed("delay", delay=spoken.minutes(text))
        if setting == "plan" and (plan := spoken.plan(text)) is not None:
            return self._changed("plan", plan=plan)
        if setting == "pause" and (days := spoken.days(text)) is not None:
            return self.paused(days)
        if (told := self._line(setting, text)) is not None:
            return told
        return self._asked(setting).after(Notice(self._words("checkins", "not_caught_setting"), fleeting=True))

    def _line(self, setting: str, text: str) -> Told | None:
        """Return what the line below a setting leads to that a text names, by its number or its words."""
        lines = self._below(setting)
        named = read_typed(text, lines) if lines else ()
        token = read(named[0].tap) if len(named) == 1 else None
        return self.set(token) if token is not None and token.act == setting else None

    def _asked(self, setting: str) -> Told:
        match setting:
            case "zone":
                return self._ask_zone(self.here.diary, self._near_region())
            case "days":
                return Told((self._days(self.here.diary),))
            case _:
                return self._ask(setting, self._below(setting))

    def _below(self, setting: str) -> tuple[Button, ...]:
        """Return the lines below a setting."""
        match setting:
            case "zone":
                return self._zones(self.here.diary.waiting or Waiting(setting, self.here.now))
            case "quiet":
                return self._quiets()
            case "delay":
                return self._delays()
            case "plan":
                return self._plans()
            case _:
                return self._pauses()

    def paused(self, days: int) -> Told:
        """Pause for some days; 0 ends a pause."""
        if days == 0:
            return self._changed("pause", paused=None)
        until = self.here.now + timedelta(days=min(days, 366))
        return self._changed("pause", paused=until)

    def still_unknown(self, diary: Diary, *, runs: bool) -> Told | None:
        """Return the next thing to ask of someone who has just begun, if there is any: where they are, and their usual runs."""
        if not diary.zone_known:
            return self._ask_zone(diary, self._near_region())
        if runs and not diary.plan and not diary.clubs and not diary.runs:
            told = self._ask("plan", self._plans())
            return replace(told, diary=replace(diary, waiting=Waiting("plan", self.here.now)))
        return None

    def where(self, told: Told) -> Told:
        """Return the same, and where they are asked for: nothing can be written at a fitting time before that is known."""
        asked = self._ask_zone(told.diary or self.here.diary, self._near_region())
        return replace(told, replies=(*told.replies, *asked.replies), diary=asked.diary)

    def agreed_to(self, kind: str) -> bool:
        """Return whether someone agreed to it."""
        return consents.agreed(self._words, self.kept, kind)

    @property
    def writes(self) -> bool:
        """Whether there is anything that is written first."""
        return any(self.agreed_to(kind) for kind in (*KINDS, "follow_up"))

    @property
    def _settable(self) -> tuple[str, ...]:
        """What there is to set for what was agreed to."""
        if self.agreed_to("check_ins"):
            return SETTINGS
        return tuple(setting for setting in SETTINGS if setting not in OF_CHECK_INS) if self.writes else ()

    @property
    def waits(self) -> Waiting | None:
        """The setting that may be typed now, if any."""
        waiting = self.here.diary.waiting
        return waiting if waiting and self.writes and self.here.now - waiting.since <= OPEN_FOR else None

    # ---------------------------------------------------------------- The zone

    def _typed_zone(self, text: str, spoken: Spoken) -> Told:
        told = spoken.clock(text)
        zones = zones_at(told, self.here.now) if told is not None else zones_named(text)
        if len(zones) == 1:
            return self._zoned(zones[0])
        if not zones:
            asked = self._ask_zone(self.here.diary, ())
            return asked.after(Notice(self._words("checkins", "no_such_place"), fleeting=True))
        return self._ask_zone(self.here.diary, zones, which=True)

    def _ask_zone(self, diary: Diary, zones: tuple[str, ...], *, which: bool = False) -> Told:
        waiting = Waiting("zone", self.here.now, zones)
        first = "ask_zone" if diary.zone_known else "ask_zone_first"
        text = self._words("checkins", "which_zone" if which else first)
        return Told((Prompt(text, "zone", self._zones(waiting)),), diary=replace(diary, waiting=waiting))

    def _zones(self, waiting: Waiting) -> tuple[Button, ...]:
        return tuple(
            Button(self._token("zone", str(i), step=_minute(waiting.since)), self._clock_in(zone), Role.ANSWER)
            for i, zone in enumerate(waiting.options)
        )

    def _zoned(self, zone: str) -> Told:
        diary = replace(self.here.diary, zone=zone, zone_known=True, waiting=None)
        again = self.menu_button("set", self._words("checkins", "buttons", "zone"), "zone")
        notice = Notice(self._words("checkins", "set", "zone", clock=self._clock_in(zone)), (again,))
        following = self.still_unknown(diary, runs=self.agreed_to("check_ins"))
        return following.after(notice) if following else Told((notice,), diary=diary)

    def _near_region(self) -> tuple[str, ...]:
        region = self.here.preferences.region
        return zones_named(region) if region else ()

    def _clock_in(self, zone: str) -> str:
        place = zone.rpartition("/")[2].replace("_", " ")
        return f"{place}, {local(self.here.now, zone):%H:%M}"

    # ---------------------------------------------------------------- What is offered

    def _ask(self, setting: str, choices: tuple[Button, ...]) -> Told:
        text = self._words("checkins", "settings", setting)
        waiting = Waiting(setting, self.here.now)
        return Told((Prompt(text, setting, choices),), diary=replace(self.here.diary, waiting=waiting))

    def _quiets(self) -> tuple[Button, ...]:
        return tuple(
            self.menu_button("quiet", self._hours(Quiet(start, end)), f"{start:%H%M}{end:%H%M}", role=Role.ANSWER)
            for start, end in QUIETS
        )

    def _delays(self) -> tuple[Button, ...]:
        labels = ((m, self._words("checkins", "hours" if m > 60 else "hour", number=m // 60)) for m in DELAYS)
        return tuple(self.menu_button("delay", label, str(m), role=Role.ANSWER) for m, label in labels)

    def _plans(self) -> tuple[Button, ...]:
        none = self.menu_button("plan", self._words("checkins", "buttons", "no_plan"), "none", role=Role.ANSWER)
        none = replace(none, words=self._words.list("checkins", "typed", "none"))
        club = self.here.preferences.club
        if club is None:
            return (none,)
        runs = str(Token(self._version, THREAD + club, 0, "show"))
        return (none, Button(runs, self._words("club", "buttons", "runs"), Role.OTHER))

    def _pauses(self) -> tuple[Button, ...]:
        labels = ((d, self._words("checkins", "weeks" if d > 7 else "week", number=d // 7)) for d in PAUSES)
        lengths = [self.menu_button("pause", label, str(days), role=Role.ANSWER) for days, label in labels]
        off = self.menu_button("pause", self._words("checkins", "buttons", "resume"), "0", role=Role.ANSWER)
        off = replace(off, words=self._words.list("checkins", "typed", "off"))
        return (*lengths, *((off,) if backing_off.is_paused(self.here.diary, self.here.now) else ()))

    def _days(self, diary: Diary) -> Prompt:
        names = self._words.list("ui", "days")
        buttons = [
            Button(
                self._token("days", str(day), "-" if day in diary.days else "+"), name, Role.ANSWER, ticked=day in diary.days
            )
            for day, name in enumerate(names)
        ]
        return Prompt(self._words("checkins", "settings", "days"), "days", (*buttons, self.to_settings()))

    def _day(self, day: int, *, add: bool) -> Told:
        days = tuple(sorted({*self.here.diary.days, day} if add else set(self.here.diary.days) - {day}))
        if not days:
            return Told((Notice(self._words("checkins", "one_day"), fleeting=True), self._days(self.here.diary)))
        diary = replace(self.here.diary, days=days)
        return Told((self._days(diary),), diary=diary)

    def _changed(self, setting: str, **values: object) -> Told:
        diary = replace(self.here.diary, waiting=None, **values)  # type: ignore[arg-type] # each is a field of it
        text = "\n".join((self._words("checkins", "done"), *self.lines(diary, setting)))
        return Told((Notice(text, (self.to_settings(),)),), diary=diary)

    # ---------------------------------------------------------------- How it stands

    def _standing(self) -> Iterator[str]:
        for setting in self._settable:
            yield from self.lines(self.here.diary, setting)

    def lines(self, diary: Diary, setting: str) -> Iterator[str]:
        match setting:
            case "zone" if diary.zone_known:
                yield self._words("checkins", "set", "zone", clock=self._clock_in(diary.zone))
            case "zone":
                yield self._words("checkins", "set", "zone_unknown")
            case "quiet":
                yield self._words("checkins", "set", "quiet", hours=self._hours(diary.quiet))
            case "days":
                names = self._words.list("ui", "days")
                every = len(diary.days) == len(names)
                days = self._words("checkins", "every_day") if every else ", ".join(names[d] for d in diary.days)
                yield self._words("checkins", "set", "days", days=days)
            case "delay":
                yield self._words("checkins", "set", "delay", minutes=diary.delay)
            case "plan":
                plan = ", ".join(self._slot(slot) for slot in diary.plan) or self._words("checkins", "none_told")
                yield self._words("checkins", "set", "plan", plan=plan)
            case "pause" if diary.paused and diary.paused > self.here.now:
                yield self._words("checkins", "set", "paused", date=self._date(local(diary.paused, diary.zone)))
            case "pause" if self.here.diary.paused and not diary.paused:
                yield self._words("checkins", "set", "resumed")
            case _:
                return

    def _slot(self, slot: Slot) -> str:
        return f"{self._words.list('ui', 'days')[slot.weekday]} {slot.at:%H:%M}"

    def _hours(self, quiet: Quiet) -> str:
        if quiet.start == quiet.end:
            return self._words("checkins", "no_hours")
        return self._words("checkins", "from_to", start=f"{quiet.start:%H:%M}", end=f"{quiet.end:%H:%M}")

    def _date(self, at: datetime) -> str:
        return self._words("ui", "date", day=at.day, month=self._words.list("ui", "months")[at.month - 1])

    # ---------------------------------------------------------------- Below

    @property
    def _words(self) -> Words:
        return self.library.words

    @property
    def _version(self) -> str:
        return short_version(self.library.pathway.version)

    def _is_of(self, token: Token, waiting: Waiting) -> bool:
        return token.step == _minute(waiting.since)

    def to_settings(self) -> Button:
        return self.menu_button("settings", self._words("ui", "buttons", "settings"))

    def menu_button(self, act: str, label: str, arg: str = "", *, role: Role = Role.OTHER) -> Button:
        return Button(self._token(act, arg), label, role)

    def _token(self, act: str, arg: str = "", state: str = "", *, step: int = 0) -> str:
        return str(Token(self._version, MENU, step, act, arg, state))


def _minute(now: datetime) -> int:
    return int(now.timestamp()) // 60 % 100_000


def _quiet_of(arg: str) -> Quiet | None:
    try:
        return Quiet(time(int(arg[:2]), int(arg[2:4])), time(int(arg[4:6]), int(arg[6:8]))) if len(arg) == 8 else None
    except ValueError:
        return None
