"""What an organiser types behind /club, as what it changes. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.calendar import MOST_RUNS, one_line, weekly
from core.care import Region
from core.club import LONGEST_NAME, Club, GroupRun
from core.coaching.spoken import Spoken
from core.diary import Slot
from core.words import Words
from core.zones import zones_named

MOST_WORDS = 40
"""Words of a run that are read: a day, a time, a name and a place are far fewer."""
MOST_ZONES = 6
"""Zones that are named where several are meant."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a line came to: a club that is to be kept, or as it was; and what is said of it."""

    said: str
    club: Club | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads what was typed, in the words of one language."""

    words: Words
    regions: Mapping[str, Region]
    languages: tuple[str, ...]

    @property
    def _words(self) -> Words:
        return self.words

    def changed(self, club: Club, line: str) -> Changed | None:
        """Return what a line changes of a club, or why it changes nothing; None where it names nothing that can be set."""
        what, rest = _first(line)
        match what:
            case "name":
                return self._named(club, rest)
            case "zone":
                return self._zoned(club, rest)
            case "region" | "country":
                return self._in_region(club, rest)
            case "language":
                return self._speaks(club, rest)
            case "run":
                return self._run(club, rest)
            case _:
                return None

    def _named(self, club: Club, rest: str) -> Changed:
        name = one_line(rest)[:LONGEST_NAME]
        if not name:
            return self._said("how_name")
        return Changed(self._words("club", "set_name", name=name), replace(club, name=name))

    def _zoned(self, club: Club, rest: str) -> Changed:
        zones = zones_named(rest) if rest else ()
        if len(zones) != 1:
            named = "\n".join(f"/club zone {zone}" for zone in zones[:MOST_ZONES])
            return Changed(self._words("club", "which_zone", zones=named)) if zones else self._said("how_zone")
        moved = tuple(self._moved(run, club.zone, zones[0]) for run in club.typed)
        return Changed(self._words("club", "set_zone", zone=shown_zone(zones[0])), replace(club, zone=zones[0], typed=moved))

    def _moved(self, run: GroupRun, old: str, new: str) -> GroupRun:
        """Return a typed run at the same time on the wall of another zone."""
        return replace(run, zone=new) if run.zone == old else run

    def _in_region(self, club: Club, rest: str) -> Changed:
        told = rest.casefold()
        code = next((c for c in self.regions if told in (c.casefold(), self._words("regions", c).casefold())), None)
        if code is None:
            return Changed(self._words("club", "how_region", regions=", ".join(sorted(self.regions))))
        return Changed(self._words("club", "set_region", region=self._words("regions", code)), replace(club, region=code))

    def _speaks(self, club: Club, rest: str) -> Changed:
        if rest.casefold() not in self.languages:
            return Changed(self._words("club", "how_language", languages=", ".join(self.languages)))
        return Changed(self._words("club", "set_language", language=rest.casefold()), replace(club, language=rest.casefold()))

    # ---------------------------------------------------------------- Group runs

    def _run(self, club: Club, line: str) -> Changed:
        what, rest = _first(line)
        if what in ("remove", "delete"):
            return self._removed(club, rest)
        if what != "add":
            return self._said("how_run")
        if not club.zone:
            return self._said("zone_first")
        slots, rest, minutes = self._told(rest)
        if not slots:
            return self._said("how_run")
        name, place = _name_and_place(rest)
        runs = [weekly(slot, club.zone, name=name, place=place, minutes=minutes) for slot in slots]
        added = club.with_typed(*runs)
        if len(added.runs) > MOST_RUNS:
            return Changed(self._words("club", "too_many_runs", most=MOST_RUNS))
        return Changed(self._words("club", "added"), added)

    def _removed(self, club: Club, rest: str) -> Changed:
        number = int(rest) if rest.isdecimal() and len(rest) < 4 else 0
        if not 1 <= number <= len(club.runs):
            return self._said("how_remove")
        return Changed(self._words("club", "removed"), club.without(club.runs[number - 1]))

    def _told(self, rest: str) -> tuple[tuple[Slot, ...], str, int]:
        """Return the days and times with which a line begins, what stands after them, and how many minutes it says."""
        spoken, words = Spoken(self.words), rest.split()[:MOST_WORDS]
        minutes = None
        if len(words) > 1 and re.fullmatch(r"\d{1,3}", words[-2]):
            minutes = spoken.minutes(" ".join(words[-2:]))
            words = words[:-2] if minutes else words
        # The shortest beginning that is a whole plan, and then as long as a further word adds to it.
        best = 0
        slots: tuple[Slot, ...] = ()
        for length in range(1, len(words) + 1):
            plan = spoken.plan(" ".join(words[:length]))
            if plan is not None and len(plan) > len(slots):
                best, slots = length, plan
        return slots, " ".join(words[best:]), minutes or 60

    def _said(self, key: str) -> Changed:
        return Changed(self._words("club", key))


def shown_zone(zone: str) -> str:
    """Return a zone as it is shown: its city."""
    return zone.rpartition("/")[2].replace("_", " ")


def _first(line: str) -> tuple[str, str]:
    """Return the first word of a line, and the rest."""
    what, _, rest = line.strip().partition(" ")
    return what.casefold(), rest.strip()


def _name_and_place(rest: str) -> tuple[str, str]:
    """Return a name, and the place behind "at" or a comma."""
    name, *place = re.split(r"\s*,\s*|(?:^|\s+)(?:at|@)\s+", rest.strip(" ,"), maxsplit=1)
    return name, " ".join(place)
