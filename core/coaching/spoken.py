"""What members type about runs, times and days, read forgivingly and never guessed at. Pure."""

import re
from collections.abc import Iterator
from datetime import time

from core.dialogue.typed import LONGEST_READ, plain
from core.diary import Age, Quiet, Slot
from core.members import MILES_PER_KM, Units
from core.words import Words

LONGEST_RUN = 300_000
"""Metres."""
LONGEST_TIME = 48 * 60
"""Minutes of one run."""
LONGEST_PAUSE = 366
"""Days."""
MOST_SLOTS = 14
"""Usual runs of a week: two a day."""
NEAR, NEARER = 75, 85
"""Percent of two words that are alike: where both begin the same, and where they need not."""
_DISTANCE = re.compile(r"(\d{1,4}(?:[.,]\d{1,3})?)\s*([^\W\d_]+)?")
_CLOCKED = re.compile(r"\b(\d{1,2}):(\d{2})(?::(\d{2}))?\b")
_CLOCK = re.compile(r"^(\d{1,2})(?:[:.h]?(\d{2}))?\s*(am|pm)?$")
_TIME = re.compile(r"\b\d{1,2}(?:[:.]\d{2})?\s*(?:[ap]m)?(?![\w:.])", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,4}")
OLDEST = 120
"""Years."""
SHORT = 6
"""Words: more than that are a story, and no answer to an offer."""


class Spoken:
    """Reads what was typed, in the words of one language."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def run(self, text: str, units: Units) -> tuple[int | None, int | None] | None:
        """Return a run's metres and minutes, each as far as it was told; None where the text says neither, or nonsense.

        A number alone is a distance in the member's units.
        """
        rest = text.casefold().strip()
        if len(rest) > LONGEST_READ or not rest:
            return None
        metres = minutes = None
        if clocked := _CLOCKED.search(rest):
            minutes = _of_clock(clocked)
            rest = rest.replace(clocked[0], " ", 1)
        of = ""
        for number, unit in _DISTANCE.findall(rest):
            value = float(number.replace(",", "."))
            of = "minutes" if of == "hours" and not unit else self._unit(unit, units)
            match of:
                case "km":
                    metres = round(value * 1000)
                case "miles":
                    metres = round(value / MILES_PER_KM * 1000)
                case "minutes":
                    minutes = (minutes or 0) + round(value)
                case "hours":
                    minutes = (minutes or 0) + round(value * 60)
                case _:
                    return None
        if metres is None and minutes is None:
            return None
        fits = (metres is None or 0 < metres <= LONGEST_RUN) and (minutes is None or 0 < minutes <= LONGEST_TIME)
        return (metres, minutes) if fits else None

    def agreement(self, text: str) -> tuple[bool | None, Age | None] | None:
        """Return a yes or no and the band of an age, each as far as it was told: "yes, I am 34".

        None where anything else is said: nobody agrees by a guess.
        """
        said = plain(text).split()
        numbers = [word for word in said if word.isdecimal()]
        spoken = [word for word in said if word not in (*numbers, *self._list("beside_age"))]
        yes, no = ({*self._list("agree")}, {*self._list("decline")})
        if not said or len(said) > SHORT + len(numbers) or len(numbers) > 1 or not (spoken or numbers):
            return None
        age = _band(numbers[0]) if numbers else None
        if numbers and age is None:
            return None
        if not spoken:
            # One digit by itself may be the number of a line, which not everybody sees.
            return (None, age) if len(numbers[0]) > 1 else None
        if set(spoken) <= yes:
            return True, age
        return (False, None) if " ".join(spoken) in no or set(spoken) <= no else None

    def may_be_agreement(self, text: str) -> bool:
        """Return whether a short text has a word of a yes or a no in it, or a number, and so may be an answer to an offer."""
        said = plain(text).split()
        known = {*self._list("agree"), *self._list("decline")}
        return len(said) <= SHORT and any(word in known or word.isdecimal() for word in said)

    def minutes(self, text: str) -> int | None:
        """Return a time of some minutes or hours; a number up to 12 alone is hours."""
        told = self.run(text if _has_letter(text) else f"{text.strip()} {'h' if _small(text) else 'min'}", Units.KM)
        return told[1] if told and told[0] is None else None

    def days(self, text: str) -> int | None:
        """Return how many days a text such as "2 weeks" or "a month" says; a number alone is days."""
        said = plain(text)
        number = next((int(n) for n in _NUMBER.findall(said)), 1)
        if said.isdecimal():
            return number if 0 < number <= LONGEST_PAUSE else None
        for key, each in (("days", 1), ("weeks", 7), ("months", 30)):
            if set(said.split()) & set(self._words.list("checkins", "typed", key)):
                return number * each if 0 < number * each <= LONGEST_PAUSE else None
        return None

    def clock(self, text: str) -> time | None:
        """Return a time of day, such as 14:35, 2.35 pm or 9."""
        found = _CLOCK.match(text.casefold().strip())
        if not found:
            return None
        hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
        if half and not 1 <= hour <= 12:
            return None
        if half:
            hour = hour % 12 + (12 if half == "pm" else 0)
        return time(hour, minute) if hour < 24 and minute < 60 else None

    def quiet(self, text: str) -> Quiet | None:
        """Return quiet hours, such as "22 to 7:30"; words for none give hours that end where they start."""
        if plain(text) in self._words.list("checkins", "typed", "none"):
            return Quiet(time(0), time(0))
        times = [self.clock(found) for found in _TIME.findall(text)]
        match times:
            case [time() as start, time() as end]:
                return Quiet(start, end)
            case _:
                return None

    def plan(self, text: str) -> tuple[Slot, ...] | None:
        """Return usual runs, such as "Tue and Thu 18:30, long run Sunday 9"; None where a day has no time or a time no day."""
        if len(text) > LONGEST_READ:
            return None
        slots: list[Slot] = []
        waiting: list[int] = []
        for part in self._parts(text):
            if isinstance(part, int):
                waiting.append(part)
            elif not waiting:
                return None
            else:
                slots += [Slot(day, part) for day in waiting]
                waiting = []
        unique = tuple(sorted(set(slots), key=lambda slot: (slot.weekday, slot.at)))
        return unique if unique and not waiting and len(unique) <= MOST_SLOTS else None

    def _list(self, key: str) -> tuple[str, ...]:
        return self._words.list("checkins", "typed", key)

    def _parts(self, text: str) -> Iterator[int | time]:
        """Yield weekdays and times in the order in which they stand."""
        for found in re.finditer(rf"[^\W\d_]{{2,}}|{_TIME.pattern}", text, re.IGNORECASE):
            said = found[0].strip()
            if said[0].isdigit():
                if at := self.clock(said):
                    yield at
            elif (day := self._weekday(said)) is not None:
                yield day
            elif plain(said) in self._words.list("checkins", "typed", "daily"):
                yield from range(7)

    def _weekday(self, said: str) -> int | None:
        """Return the weekday that a word names, or begins: three letters are enough. One that may be two of them is none."""
        word = plain(said).removesuffix("s") or said
        names = [plain(name) for name in self._words.list("ui", "days")]
        for day, name in enumerate(names):
            if len(word) >= 3 and (name.startswith(word) or (word.startswith(name[:3]) and _near(word, name))):
                return day
        alike = [day for day, name in enumerate(names) if word[:1] == name[:1] and _near(word, name, NEARER)]
        return alike[0] if len(alike) == 1 else None

    def _unit(self, said: str, units: Units) -> str:
        if not said:
            return units.value
        for key in ("km", "miles", "minutes", "hours"):
            if said in self._words.list("checkins", "typed", key):
                return key
        return ""


def _of_clock(found: re.Match[str]) -> int:
    """Return the minutes of 45:00 or 1:05:00; 1:10 with two parts is hours where that is a time that one runs for."""
    first, second = int(found[1]), int(found[2])
    if found[3] is not None:
        return first * 60 + second
    return first * 60 + second if first < 10 else first


def _band(years: str) -> Age | None:
    """Return the age band of so many years; None where nobody is as old."""
    if len(years) > len(str(OLDEST)) or not 0 < int(years) <= OLDEST:
        return None
    return Age.ADULT if int(years) >= 18 else Age.UNDER_18 if int(years) >= 16 else Age.UNDER_16


def _has_letter(text: str) -> bool:
    return any(c.isalpha() for c in text)


def _small(text: str) -> bool:
    return text.strip().isdecimal() and int(text) <= 12


def _near(word: str, name: str, least: int = NEAR) -> bool:
    """Return whether a word is a name with a typing error."""
    # Imported here: only a typing error needs it.
    from rapidfuzz import fuzz

    return fuzz.ratio(word, name) >= least
