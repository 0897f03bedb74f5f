"""Content files to core types. Every error names the file and the key."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec
import tomli

from content import schema
from core.care import CarePage, Region, Source, Tip
from core.checkins import CheckIns, Limit, Scale
from core.clinical import (
    Advice,
    Choice,
    Condition,
    Findings,
    Group,
    Pathway,
    Question,
    Reassurance,
    Rule,
)
from core.library import Library
from core.load import Bound, Bounds
from core.words import Words

HERE = Path(__file__).parent
SHELVES = ("warning", "symptoms", "conditions", "treatment", "exercises", "physio", "prevention", "faq")
ABOUT = frozenset({"articles.toml", "glossary.toml", "signoffs.toml"})
"""Files about the content, not of it."""
T = TypeVar("T")


class ContentError(ValueError):
    """A content file cannot be used; the message names the file and the key."""


def load(language: str = "en", root: Path = HERE) -> Library:
    """Return the whole library in one language; raise ContentError for the first thing that is wrong."""
    return Library(
        pathway=load_pathway(root),
        words=load_words(language, root),
        pages=load_pages(root),
        sources=load_sources(root),
        regions=load_regions(root),
        checkins=load_checkins(root),
        tips=load_tips(root),
        bounds=load_bounds(root),
    )


def languages(root: Path = HERE) -> tuple[str, ...]:
    """Return the languages that have words: a folder each."""
    return tuple(sorted(p.name for p in (root / "locale").iterdir() if p.is_dir()))


def load_pathway(root: Path = HERE) -> Pathway:
    """Return the hip pathway. Its version ends in a hash of all content, so that any change of a rule or word is a new one."""
    head = _read(root / "hip/pathway.toml", schema.PathwayFile)
    groups = _read(root / "hip/findings.toml", dict[str, schema.GroupFile])
    rules = _read(root / "hip/rules.toml", schema.RulesFile)
    sets = _Sets(root / "hip/rules.toml", rules.sets)
    return Pathway(
        id=head.id,
        version=f"{head.version}.{_hash_of(root)}",
        groups=tuple(Group(id, g.kind, g.codes) for id, g in groups.items()),
        questions=_questions(root, sets),
        rules=_rules(rules, sets, groups),
        reassurances=tuple(_reassurance(r, sets) for r in rules.reassurance),
        conditions=_conditions(root),
        advice=_advice(root, sets),
        watch=head.watch,
        hip_places=sets.flat(head.hip_places),
        growing=sets.flat(head.growing),
        doctors=frozenset(head.doctors),
        skin=head.skin,
        look_again=head.look_again,
        not_the_hip={id: sets.flat(codes) for id, codes in head.not_the_hip.items()},
    )


def load_words(language: str, root: Path = HERE) -> Words:
    """Return the words of one language: one table per file, care pages and judgements each as one."""
    folder = root / "locale" / language
    if not folder.is_dir():
        raise ContentError(f"{folder}: no such language")
    tree: dict[str, Any] = {p.stem: _toml(p) for p in sorted(folder.glob("*.toml"))}
    tree["care"] = _merged(folder / "care")
    tree["judgements"] = _merged(folder / "judgements")
    return Words(language, tree)


def load_pages(root: Path = HERE) -> tuple[CarePage, ...]:
    """Return the care pages in the order of the shelves."""
    return tuple(
        CarePage(id=id, shelf=shelf, sources=p.sources, changed=p.changed, see_also=p.see_also)
        for shelf in SHELVES
        for id, p in _read(root / f"care/{shelf}.toml", dict[str, schema.CareFile]).items()
    )


def load_sources(root: Path = HERE) -> Mapping[str, Source]:
    """Return every source by id."""
    files = _read(root / "sources.toml", dict[str, schema.SourceFile])
    return {id: Source(id, s.title, s.by, str(s.year or ""), s.where, s.read) for id, s in files.items()}


def load_regions(root: Path = HERE) -> Mapping[str, Region]:
    """Return the emergency numbers by region."""
    files = _read(root / "regions.toml", dict[str, schema.RegionFile])
    return {id: Region(id, r.emergency, r.urgent, r.source, r.date) for id, r in files.items()}


def load_checkins(root: Path = HERE) -> CheckIns:
    """Return what is known about check-ins and about asking again."""
    file = _read(root / "checkins.toml", schema.CheckInsFile)
    return CheckIns(
        scale=Scale(file.scale.go, file.scale.hold, frozenset(file.scale.places), file.scale.sources),
        places=file.places,
        signs=file.signs,
        worst=tuple(sorted(((w.from_, w.gives) for w in file.worst), reverse=True)),
        sources=file.lights,
        again=file.again,
        limits=tuple(Limit(id=x.id, urgency=x.urgency, days=x.days, to=x.to, sources=x.sources) for x in file.limit),
    )


def load_tips(root: Path = HERE) -> tuple[Tip, ...]:
    """Return the tips in the order of the file."""
    files = _read(root / "tips.toml", dict[str, schema.TipFile])
    return tuple(
        Tip(
            id=id,
            topic=t.topic,
            states=frozenset(t.states),
            sources=t.sources,
            places=frozenset(t.places),
            loads=frozenset(t.loads),
            seasons=frozenset(t.seasons),
            ages=frozenset(t.ages),
        )
        for id, t in files.items()
    )


def load_bounds(root: Path = HERE) -> Bounds:
    """Return the bounds of load."""
    file = _read(root / "load.toml", schema.LoadFile)
    return Bounds(**{name: Bound(b.percent, b.days, b.sources) for name, b in msgspec.structs.asdict(file).items()})


def load_articles(root: Path = HERE) -> tuple[schema.ParagraphFile, ...]:
    """Return the ledger of the source articles' paragraphs."""
    return _read(root / "articles.toml", schema.ArticlesFile).paragraph


def load_signoffs(root: Path = HERE) -> tuple[schema.SignOffFile, ...]:
    """Return the sign-offs."""
    return _read(root / "signoffs.toml", schema.SignOffsFile).signoff


class _Sets:
    """The named sets of `rules.toml`; `@name` stands for its codes."""

    def __init__(self, path: Path, sets: Mapping[str, tuple[str, ...]]) -> None:
        self._path, self._sets = path, sets

    def flat(self, codes: Iterable[str]) -> Findings:
        """Return the codes with every `@name` replaced by what it stands for."""
        return frozenset(code for entry in codes for code in self._expand(entry))

    def _expand(self, entry: str) -> Findings:
        if not entry.startswith("@"):
            return frozenset({entry})
        if entry[1:] not in self._sets:
            raise ContentError(f"{self._path}: sets: no set {entry}")
        return self.flat(self._sets[entry[1:]])


def _questions(root: Path, sets: _Sets) -> tuple[Question, ...]:
    files = _read(root / "hip/questions.toml", schema.QuestionsFile).question
    opened = {c.opens for q in files for c in q.choices if c.opens}
    return tuple(
        Question(
            id=q.id,
            stage=q.stage,
            kind=q.kind,
            choices=tuple(Choice(c.id, c.gives, c.opens) for c in q.choices),
            when=sets.flat(q.when),
            red_flag=q.red_flag,
            detail=q.id in opened,
            fingerprint=_digest(repr((q.kind, [(c.id, c.gives, c.opens) for c in q.choices])), 8),
        )
        for q in files
    )


def _rules(file: schema.RulesFile, sets: _Sets, groups: Mapping[str, schema.GroupFile]) -> tuple[Rule, ...]:
    rules = [
        Rule(
            id=r.id,
            urgency=r.urgency,
            all=sets.flat(r.all),
            any=tuple(sets.flat(g) for g in r.any),
            sources=r.sources,
            stop_running=r.stop_running,
            first=r.first,
            item=r.item,
        )
        for r in file.rule
    ]
    for lift in file.raise_:
        ours = [r for r in rules if r.urgency is lift.from_ and not r.lifts]
        rules += [raised for r in ours if _possible(raised := _lifted(r, lift, sets), groups)]
    return tuple(rules)


def _possible(rule: Rule, groups: Mapping[str, schema.GroupFile]) -> bool:
    """Return whether the rule asks for at most one code of each group of which one code holds, such as one age."""
    for group in groups.values():
        needed = rule.all & frozenset(group.codes)
        others = [g for g in rule.any if g <= frozenset(group.codes) and not g & needed]
        if group.kind == "one" and needed and others:
            return False
    return True


def _lifted(rule: Rule, lift: schema.RaiseFile, sets: _Sets) -> Rule:
    """Return the rule one level up: it needs what it needed and what the raise names, and nothing absent.

    It is the age that makes it more urgent, not the condition that the rule names: that stays with the rule itself.
    """
    return replace(
        rule,
        first=(),
        id=f"{rule.id}+{lift.id}",
        urgency=lift.to,
        any=(*rule.any, *(sets.flat(g) for g in lift.any)),
        sources=(*rule.sources, *(s for s in lift.sources if s not in rule.sources)),
        stop_running=rule.stop_running or lift.stop_running,
        lifts=rule.id,
    )


def _reassurance(file: schema.ReassuranceFile, sets: _Sets) -> Reassurance:
    groups = tuple(sets.flat(g) for g in file.any)
    return Reassurance(file.id, sets.flat(file.all), groups, sets.flat(file.none), file.sources)


def _conditions(root: Path) -> tuple[Condition, ...]:
    files = _read(root / "hip/conditions.toml", dict[str, schema.ConditionFile])
    return tuple(
        Condition(
            id=id,
            strong=frozenset(c.strong),
            typical=frozenset(c.typical),
            possible=frozenset(c.possible),
            against=frozenset(c.against),
            expects=frozenset(c.expects),
            rare=c.rare,
            care=c.care,
            sources=c.sources,
        )
        for id, c in files.items()
    )


def _advice(root: Path, sets: _Sets) -> tuple[Advice, ...]:
    files = _read(root / "hip/advice.toml", dict[str, schema.AdviceFile])
    return tuple(
        Advice(
            id=id,
            do=a.kind == "do",
            urgencies=frozenset(a.urgencies),
            any=sets.flat(a.any),
            conditions=frozenset(a.conditions),
            none=sets.flat(a.none),
            needs=sets.flat(a.needs),
            sources=a.sources,
        )
        for id, a in files.items()
    )


def _read(path: Path, shape: type[T]) -> T:
    tables = _toml(path)
    try:
        return msgspec.convert(tables, shape)
    except msgspec.ValidationError as error:
        raise ContentError(f"{path}: {_named(str(error), tables, shape)}") from None


def _named(says: str, tables: Mapping[str, Any], shape: Any) -> str:
    """Return an error's words with what the file calls the place: "rule[3] (groin_limp)", or the table's own key."""
    kinds = get_args(shape)[1:]  # of dict[str, kind]: a file that is one table for each id
    for key, table in tables.items() if kinds else ():
        try:
            msgspec.convert(table, kinds[0])
        except msgspec.ValidationError as error:
            return f"{key}: {error}"

    def with_id(found: re.Match[str]) -> str:
        entries = tables.get(found[1])
        entry = entries[int(found[2])] if isinstance(entries, list) else None
        return f"{found[0]} ({entry['id']})" if isinstance(entry, dict) and "id" in entry else found[0]

    return re.sub(r"(\w+)\[(\d+)\]", with_id, says, count=1)


@lru_cache(maxsize=128)
def _toml_of(path: Path, stamp: int) -> dict[str, Any]:
    del stamp  # part of the key only: an edited file is read again
    try:
        return tomli.loads(path.read_text(encoding="utf-8"))
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContentError(f"{path}: {error}") from None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return _toml_of(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise ContentError(f"{path}: file not found") from None


def _merged(folder: Path) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for path in sorted(folder.glob("*.toml")):
        for key, value in _toml(path).items():
            if key in merged:
                raise ContentError(f"{path}: {key}: stands in another file of {folder.name}/ too")
            merged[key] = value
    return merged


def _hash_of(root: Path) -> str:
    """Return a hash of all that is said or decided; what is only about it (sign-offs, the ledger) does not count."""
    said = (p for p in sorted(root.rglob("*.toml")) if p.name not in ABOUT)
    return hashlib.sha256(b"".join(p.read_bytes() for p in said)).hexdigest()[:8]


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
