"""What must hold of the logic: every word in it is one of those allowed, and every id is there, once."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from content.checks.material import Material, entries_of, flat, read_table
from content.checks.problem import (
    ADVICE,
    CHECKINS,
    CONDITIONS,
    FINDINGS,
    PATHWAY,
    QUESTIONS,
    REGIONS,
    RULE_ARRAYS,
    RULES,
    TIPS,
    Problem,
    missing,
)
from core.care import Hip, Topic
from core.checkins import WORST, Sign
from core.clinical import Disposition, Kind, Stage
from core.diary import Age, Light, Place
from core.library import UNKNOWN_REGION
from core.load import Load, Season

URGENCIES = tuple(d.value for d in Disposition)
VALUES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (FINDINGS, "", "kind", tuple(Kind)),
    (QUESTIONS, "question", "kind", tuple(Kind)),
    (QUESTIONS, "question", "stage", tuple(Stage)),
    (RULES, "rule", "urgency", URGENCIES),
    (RULES, "raise", "from", URGENCIES),
    (RULES, "raise", "to", URGENCIES),
    (ADVICE, "", "kind", ("do", "dont")),
    (ADVICE, "", "urgencies", URGENCIES),
    (CHECKINS, "limit", "urgency", URGENCIES),
    (CHECKINS, "limit", "to", URGENCIES),
    (TIPS, "", "topic", tuple(Topic)),
    (TIPS, "", "states", tuple(Hip)),
    (TIPS, "", "places", tuple(Place)),
    (TIPS, "", "loads", tuple(Load)),
    (TIPS, "", "seasons", tuple(Season)),
    (TIPS, "", "ages", tuple(Age)),
)
"""File, array of tables in it (or its own tables), field, and what the field may say."""
CODES = (
    (QUESTIONS, "question", ("when",)),
    (RULES, "rule", ("all", "any")),
    (RULES, "raise", ("any",)),
    (RULES, "reassurance", ("all", "any", "none")),
    (CONDITIONS, "", ("strong", "typical", "possible", "against", "expects")),
    (ADVICE, "", ("any", "none")),
)
"""File, array of tables, and its fields that list findings."""


def values_allowed(root: Path) -> Iterator[Problem]:
    """Words that stand for one of a few things; checked first, as nothing can be loaded with another."""
    for file, array, field, allowed in VALUES:
        for name, entry in entries_of(read_table(root / file), array):
            yield from _none_of(file, f"{name}.{field}", flat(entry.get(field)), allowed)
    checkins = read_table(root / CHECKINS)
    for table, allowed in (("places", tuple(Place)), ("signs", tuple(Sign)), ("lights", tuple(Light)), ("again", URGENCIES)):
        yield from _none_of(CHECKINS, table, checkins.get(table, ()), allowed)
    if isinstance(days := read_table(root / PATHWAY).get("look_again"), dict):
        yield from _none_of(PATHWAY, "look_again", days, URGENCIES)


def codes_known(m: Material) -> Iterator[Problem]:
    for file, key, codes in _lists_of_codes(m):
        for code in sorted(set(codes) - m.library.pathway.codes):
            yield Problem(file, key, f"there is no finding {code!r}")


def once(m: Material) -> Iterator[Problem]:
    pathway = m.library.pathway
    rules = [name for array in RULE_ARRAYS for name, _ in m.entries(RULES, array)]
    yield from _twice(RULES, rules)
    yield from _twice(QUESTIONS, [q.id for q in pathway.questions])
    yield from _twice(CHECKINS, [limit.id for limit in m.library.checkins.limits])
    yield from _twice(FINDINGS, [code for group in pathway.groups for code in group.codes])
    for q in pathway.questions:
        yield from _twice(QUESTIONS, [f"{q.id}.{c.id}" for c in q.choices])
    for page, n in Counter(p.id for p in m.library.pages).items():
        if n > 1:
            yield Problem(f"care/{m.library.page_by_id[page].shelf}.toml", page, "stands on another shelf too")


def check_ins(m: Material) -> Iterator[Problem]:
    """Nothing is left open: every place, sign, light and urgency is there, and what is raised is raised."""
    known = m.library.checkins
    absent = [f"places.{place}" for place in Place if place not in known.places]
    absent += [f"signs.{sign}" for sign in Sign if sign not in known.signs]
    absent += [f"lights.{light}" for light in Light if light not in known.sources]
    absent += [f"again.{d.value}" for d in Disposition if not known.again.get(d)]
    yield from (Problem(CHECKINS, key, "is missing") for key in absent)
    if not 0 < known.scale.go < known.scale.hold < WORST:
        yield Problem(CHECKINS, "scale", "needs 0 < go < hold < 10")
    for limit in known.limits:
        if limit.to <= limit.urgency:
            yield Problem(CHECKINS, limit.id, "does not raise the urgency")
        if limit.days not in known.again.get(limit.urgency, ()):
            yield Problem(CHECKINS, limit.id, f"nobody is asked on day {limit.days}")


def references(m: Material) -> Iterator[Problem]:
    library, pathway = m.library, m.library.pathway
    conditions, pages = {c.id for c in pathway.conditions}, library.page_by_id.keys()
    for rule in pathway.rules:
        yield from missing(RULES, f"{rule.id}.first", "condition", rule.first if not rule.lifts else (), conditions)
    for advice in pathway.advice:
        yield from missing(ADVICE, f"{advice.id}.conditions", "condition", sorted(advice.conditions), conditions)
    for condition in pathway.conditions:
        yield from missing(CONDITIONS, f"{condition.id}.care", "care page", (condition.care,), pages)
    for page in library.pages:
        yield from missing(f"care/{page.shelf}.toml", f"{page.id}.see_also", "care page", page.see_also, pages)
    yield from missing(PATHWAY, "skin", "trouble", pathway.skin, pathway.not_the_hip.keys())
    yield from missing(REGIONS, UNKNOWN_REGION, "region", (UNKNOWN_REGION,), library.regions.keys())
    soon = [d.value for d in Disposition if d is not Disposition.EMERGENCY and d not in pathway.look_again]
    yield from (Problem(PATHWAY, f"look_again.{d}", "has no days") for d in soon)


def _none_of(file: str, key: str, values: Iterable[str], allowed: tuple[str, ...]) -> Iterator[Problem]:
    yield from (Problem(file, key, f"{v!r} is none of {', '.join(allowed)}") for v in values if v not in allowed)


def _lists_of_codes(m: Material) -> Iterator[tuple[str, str, list[str]]]:
    for file, array, fields in CODES:
        for name, entry in m.entries(file, array):
            for field in fields:
                yield file, f"{name}.{field}", _named(entry.get(field), sets=file != CONDITIONS)
    for q, entry in m.entries(QUESTIONS, "question"):
        for choice in entry["choices"]:
            yield QUESTIONS, f"{q}.{choice['id']}", flat(choice.get("gives"))
    for name, codes in m.table(RULES)["sets"].items():
        yield RULES, f"sets.{name}", _named(codes)
    for table in ("places", "signs"):
        for name, codes in m.table(CHECKINS)[table].items():
            yield CHECKINS, f"{table}.{name}", flat(codes)
    yield CHECKINS, "worst", [str(entry["gives"]) for entry in m.table(CHECKINS)["worst"]]
    for name in ("watch", "hip_places", "growing"):
        yield PATHWAY, name, _named(m.table(PATHWAY)[name])
    for name, codes in m.table(PATHWAY)["not_the_hip"].items():
        yield PATHWAY, f"not_the_hip.{name}", _named(codes)


def _named(value: Any, *, sets: bool = True) -> list[str]:
    """Return the findings that a list names itself. What a set stands for is checked where the set is written."""
    return [code for code in flat(value) if not (sets and code.startswith("@"))]


def _twice(file: str, keys: list[str]) -> Iterator[Problem]:
    yield from (Problem(file, key, "is there twice") for key, n in Counter(keys).items() if n > 1)
