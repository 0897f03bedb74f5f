"""The zones of the world: their rules, which come with the program, and which of them somebody meant. No clock."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from pathlib import Path

import tzdata

VERSION: str = tzdata.IANA_VERSION
"""The version of the zone database. It comes with the program, so that every machine has the same, whatever its system has.
What was planned with another one is planned anew."""

FOUND = 8
"""Zones that are offered at most: as many as fit on a screen."""
LIKENESS = 78
"""Below this likeness (0 to 100) two names are not the same: a typo or two pass, another place does not."""
SHORTEST_GUESSED = 4
"""Anything shorter must be spelled right: with one other letter it would be another."""
LONGEST_NAME = 80
"""Characters that are read of what somebody typed."""
TOLD_WITHIN = timedelta(minutes=15)
"""How far a clock may be off that somebody reads from the wall."""

COMMON = (
    *("Europe/London", "Europe/Berlin", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"),
    *("Europe/Dublin", "Europe/Paris", "Europe/Athens", "Europe/Moscow", "Europe/Istanbul", "Europe/Lisbon", "UTC"),
    *("Australia/Sydney", "Australia/Brisbane", "Australia/Adelaide", "Australia/Perth", "Pacific/Auckland"),
    *(
        "Asia/Kolkata",
        "Asia/Shanghai",
        "Asia/Tokyo",
        "Asia/Seoul",
        "Asia/Singapore",
        "Asia/Dubai",
        "Asia/Jakarta",
        "Asia/Manila",
    ),
    *("Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "Africa/Cairo", "Africa/Casablanca", "Asia/Karachi"),
    *("America/Toronto", "America/Vancouver", "America/Edmonton", "America/Winnipeg", "America/Halifax", "America/St_Johns"),
    *("America/Sao_Paulo", "America/Argentina/Buenos_Aires", "America/Mexico_City", "America/Bogota", "America/Santiago"),
    *("America/Phoenix", "America/Anchorage", "Pacific/Honolulu", "Atlantic/Azores", "Asia/Dhaka", "Asia/Tashkent"),
)
"""Zones that many people live in. Of several with the same clock the first is offered."""

ALSO: Mapping[str, str] = {
    "GB": "uk, united kingdom, great britain, england, scotland, wales, northern ireland",
    "US": "usa, america, united states of america",
    "NL": "holland",
    "CZ": "czechia",
    "AE": "uae",
    "MM": "burma",
    "Europe/London": "gmt, bst, manchester, birmingham, edinburgh, glasgow, cardiff, bristol, leeds, liverpool, sheffield",
    "UTC": "gmt",
    "Europe/Dublin": "ist, cork, galway",
    "Europe/Berlin": "cet, cest, central european time, munich, hamburg, cologne, frankfurt, stuttgart",
    "Europe/Paris": "lyon, marseille, toulouse, bordeaux",
    "Europe/Madrid": "barcelona, valencia, seville",
    "Europe/Rome": "milan, naples, turin, florence",
    "Europe/Athens": "eet, eest, eastern european time",
    "Europe/Lisbon": "wet, porto",
    "Europe/Moscow": "msk",
    "Europe/Zurich": "geneva, basel, bern",
    "America/New_York": "est, edt, et, eastern, eastern time, nyc, new york city, boston, philadelphia, atlanta, miami,"
    " washington, washington dc, florida, georgia, virginia, maryland, massachusetts, new jersey, pennsylvania, ohio, michigan,"
    " north carolina, south carolina",
    "America/Chicago": "cst, cdt, ct, central, central time, houston, dallas, austin, minneapolis, new orleans, nashville,"
    " texas, illinois, minnesota, wisconsin, missouri, louisiana, oklahoma, iowa, kansas, nebraska, alabama, tennessee",
    "America/Denver": "mst, mdt, mt, mountain, mountain time, salt lake city, colorado, utah, montana, wyoming, new mexico",
    "America/Phoenix": "mst, arizona, tucson",
    "America/Los_Angeles": "pst, pdt, pt, pacific, pacific time, san francisco, san diego, seattle, portland, las vegas,"
    " california, washington, washington state, oregon, nevada",
    "America/Toronto": "ottawa, ontario, quebec",
    "America/Edmonton": "calgary, alberta",
    "America/Vancouver": "british columbia",
    "America/Sao_Paulo": "rio de janeiro, brasilia",
    "Asia/Kolkata": "ist, mumbai, delhi, new delhi, bangalore, bengaluru, chennai, hyderabad",
    "Asia/Shanghai": "cst, beijing, shenzhen, guangzhou",
    "Asia/Tokyo": "jst, osaka, kyoto",
    "Asia/Dubai": "abu dhabi",
    "Asia/Tbilisi": "georgia",
    "Australia/Sydney": "aest, aedt, canberra",
    "Australia/Brisbane": "aest, gold coast",
    "Australia/Perth": "awst",
    "Pacific/Auckland": "nzst, nzdt, wellington, christchurch",
    "Africa/Johannesburg": "sast, cape town, durban, pretoria",
}
"""What people call a country, by its code, or a zone, and the database does not."""

_DATABASE = Path(tzdata.__file__).parent
_BRACKETS = re.compile(r"\(.*?\)")
_OFFSET = re.compile(r"\s*(?:utc|gmt|z)?\s*[+-]\s*\d", re.IGNORECASE)
_DAY = timedelta(days=1)


class UnknownZone(ValueError):
    """The zone database has no zone of this name."""


@cache
def names() -> frozenset[str]:
    """Return the name of every zone that the database has."""
    return frozenset((_DATABASE / "zones").read_text(encoding="utf-8").split())


@cache
def rules(zone: str) -> tzinfo:
    """Return the rules of a zone; raise UnknownZone."""
    from zoneinfo import ZoneInfo  # imported here: most starts of the program ask for no zone

    if zone not in names():
        raise UnknownZone(zone)
    with (_DATABASE / "zoneinfo" / zone).open("rb") as file:
        return ZoneInfo.from_file(file, key=zone)


def zones_at(told: time, now: datetime) -> tuple[str, ...]:
    """Return the zones in which a clock shows now what somebody told, the common ones first; none where no clock does."""
    off = {zone: _apart(now.astimezone(rules(zone)).time(), told) for zone in (*COMMON, *_zones_now())}
    nearest = min(off.values())
    return _one_of_each_clock(zone for zone in off if off[zone] == nearest <= TOLD_WITHIN)[:FOUND]


def zones_named(text: str) -> tuple[str, ...]:
    """Return the zones that somebody may have meant, best first: IANA names, cities, regions and countries, typos forgiven.

    What is spelled right is taken at its word; an offset such as "GMT+1" is no zone, as it says nothing of the summer.
    """
    if _OFFSET.match(text):
        return ()
    said = _plain(text[:LONGEST_NAME])
    spelled = next((part for part in _parts(said) if part in _called()), None)
    likely = (spelled,) if spelled else _alike(said)
    return _one_of_each_clock(zone for name in likely for zone in _called()[name])[:FOUND]


def _parts(said: str) -> Iterator[str]:
    """Yield what was said, and then what its words say together and alone: "new york city" names New York."""
    yield said
    words = re.findall(r"\w+", said)
    runs = (" ".join(words[at : at + length]) for length in range(len(words), 0, -1) for at in range(len(words) - length + 1))
    yield from (run for run in runs if len(run) >= SHORTEST_GUESSED)


def _alike(said: str) -> Iterator[str]:
    """Yield the names that are like what was said as a whole, best first, and then those like one of its words."""
    from rapidfuzz import fuzz, process  # imported here: only who sets a zone should wait for it

    guessed = [name for name in _called() if len(name) >= SHORTEST_GUESSED]
    for part in dict.fromkeys((said, *re.findall(r"\w+", said))):
        if len(part) >= SHORTEST_GUESSED:
            for name, _, _ in process.extract(part, guessed, scorer=fuzz.ratio, limit=FOUND, score_cutoff=LIKENESS):
                yield name


@cache
def _called() -> Mapping[str, tuple[str, ...]]:
    """Return every name, in plain letters, with the zones that it may stand for; what people say wins over the tables."""
    called: dict[str, list[str]] = {}
    said: dict[str, list[str]] = {}
    for name, zone in _in_tables():
        called.setdefault(_plain(name), []).append(zone)
    for meant, sayings in ALSO.items():
        for saying in sayings.split(", "):
            said.setdefault(saying, []).extend(_of_country().get(meant, [meant]))
    return {name: tuple(sorted(zones, key=_rank)) for name, zones in (called | said).items() if name}


def _in_tables() -> Iterator[tuple[str, str]]:
    """Yield every name that the database has for a zone: its own, its city, its regions and its country."""
    for zone in sorted(zone for zone in names() if "/" in zone and not zone.startswith("Etc/")):
        yield from ((zone, zone), (zone.rpartition("/")[2], zone))
    for _, _, zone, *comment in _table("zone.tab"):
        yield from ((region, zone) for region in re.split("[,;]| - ", _BRACKETS.sub("", "".join(comment))))
    for code, country in _table("iso3166.tab"):
        name, _, more = country.rstrip(")").partition(" (")
        for called in {code, country, name, f"{more} {name}"}:  # "Korea (South)" is Korea and South Korea
            yield from ((called, zone) for zone in _of_country().get(code, ()))
    yield "UTC", "UTC"


@cache
def _of_country() -> Mapping[str, list[str]]:
    """Return the zones of each country, by its code."""
    zones: dict[str, list[str]] = {}
    for code, _, zone, *_ in _table("zone.tab"):
        zones.setdefault(code, []).append(zone)
    return zones


def _rank(zone: str) -> int:
    return COMMON.index(zone) if zone in COMMON else len(COMMON)


def _plain(text: str) -> str:
    """Return a name in small letters without accents: "São_Paulo" and "sao  paulo" are one."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("_", " "))
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).strip(" .!?").split())


def _zones_now() -> Iterator[str]:
    """Yield a zone for each clock that people live by from now on."""
    return (zone for _, _, zone, *_ in _table("zonenow.tab"))


@cache
def _table(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a table that comes with the database."""
    lines = (_DATABASE / "zoneinfo" / name).read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))


def _apart(one: time, other: time) -> timedelta:
    """Return how far apart two times of day are, over midnight where that is nearer."""
    between = abs(datetime.combine(date.min, one) - datetime.combine(date.min, other))
    return min(between, _DAY - between)


def _one_of_each_clock(zones: Iterable[str]) -> tuple[str, ...]:
    """Return the first of those zones whose clocks show the same all through the year after that of the database."""
    first: dict[tuple[timedelta | None, ...], str] = {}
    for zone in zones:
        first.setdefault(_year(zone), zone)
    return tuple(first.values())


@cache
def _year(zone: str) -> tuple[timedelta | None, ...]:
    start = datetime(int(VERSION[:4]) + 1, 1, 1, tzinfo=UTC)
    return tuple((start + timedelta(weeks=week)).astimezone(rules(zone)).utcoffset() for week in range(52))
