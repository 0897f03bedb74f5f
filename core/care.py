"""The care library's nouns: pages, sources and regions."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CarePage:
    """One page a member can read at any time; its words are in the locale under the same id."""

    id: str
    shelf: str
    sources: tuple[str, ...]
    changed: tuple[str, ...]
    see_also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Something that was read, and how much of it."""

    id: str
    title: str
    by: str
    year: str
    where: str
    read: str


@dataclass(frozen=True, slots=True)
class Region:
    """A place's emergency number and, where it has one, the number of its urgent line."""

    id: str
    emergency: str
    urgent: str
    source: str
    date: dt.date
