"""What must hold of the content before a member reads it. Every problem names the file and the key."""

import ast
import string
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache, partial
from itertools import product
from pathlib import Path
from typing import Any

from content import loader, reading, signoff
from content.loader import HERE, ContentError
from core.clinical import Choice, Disposition, Findings, Kind, Question, Stage
from core.dialogue.result import Result
from core.dialogue.screens import Screens
from core.dialogue.session import Answer, Session, View
from core.dialogue.shelves import PER_SCREEN, SHELVES, Shelves
from core.dialogue.token import MAX_BYTES, read
from core.dialogue.turn import Button, Notice, Prompt, Reply, Verdict
from core.dialogue.typed import plain
from core.library import UNKNOWN_REGION, Library
from core.members import Preferences, Units
from core.words import MissingWords

TELEGRAM_TEXT = 4096
DISCORD_TEXT = 2000
LABEL = 80
OPTIONS = 25
TITLE = 60
PARAGRAPH = 600
SAFETY_WORDS = 150
"""Words on the screens that everybody is asked first, all together, buttons included."""

QUESTIONS, RULES, PATHWAY = "hip/questions.toml", "hip/rules.toml", "hip/pathway.toml"
CONDITIONS, ADVICE, FINDINGS = "hip/conditions.toml", "hip/advice.toml", "hip/findings.toml"
ARTICLES, DANGER, GLOSSARY = "articles.toml", "danger.toml", "glossary.toml"
REGIONS, SIGNOFFS = "regions.toml", "signoffs.toml"

RULE_ARRAYS = ("rule", "raise", "reassurance")
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

TABLES = (
    *("advice", "conditions", "danger", "dispositions", "findings", "not_the_hip", "questions"),
    *("regions", "rules", "ui", "watch"),
)
"""Files that every language has, besides its care pages and judgements."""
TYPED = ("keywords", "phrases", "typed")
"""Lists of what members may type: matched, never shown, so no style applies to them."""
NUMBERS = frozenset({"emergency", "urgent"})
KM = frozenset({"km60"})
"""Any distance, such as `{km60}`, is written in the units of the member."""
FILLED = {
    ("questions", "*", "choices", "*"): KM,
    ("questions", "*", "plain_choices", "*"): KM,
    ("findings", "*"): KM,
    ("care", "*", "body", "*"): NUMBERS | KM,
    ("dispositions", "*", "if_worse"): NUMBERS,
}
"""Placeholders that the code fills otherwise than in its call for the words."""
GIVES_NUMBER = (("ui", "safety_line"), ("dispositions", "emergency", "first"))
"""What must always say which number to call."""
ABOUT_WEIGHT = (("care", "hip_osteoarthritis"), ("care", "prevent_weight"), ("judgements", "prevent_no_weight_advice"))
"""The pages that may speak of body weight, and the reason that one of them shows."""

WIDEST = Preferences(units=Units.MILES)
"""The preferences that make the longest texts: no country set, so that all common numbers are shown."""

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the content, and where: a file below `content/` and a key in it."""

    file: str
    key: str
    says: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.says) if part)


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a language: its file, its path in the words, and what it says."""

    file: str
    path: Keys
    says: str

    @property
    def key(self) -> str:
        """The key in its file."""
        return ".".join(self.path[1:])


@dataclass(frozen=True)
class Material:
    """What is checked: the files of the logic as they stand, the library in one language, and each of its texts."""

    root: Path
    library: Library
    texts: tuple[Text, ...]

    def table(self, file: str) -> Mapping[str, Any]:
        """Return a file of the logic as it stands."""
        return _table(self.root / file)

    def entries(self, file: str, array: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield (id, table) of an array of tables, or of the file's own tables."""
        yield from _entries(self.table(file), array)

    @cached_property
    def shown(self) -> tuple[Text, ...]:
        """The texts that members read; the others are what they may type."""
        return tuple(t for t in self.texts if not set(TYPED) & set(t.path))

    @cached_property
    def file_by_path(self) -> Mapping[Keys, str]:
        """The file of each text, a list being one."""
        return {_whole(t.path): t.file for t in self.texts}

    def file(self, *path: str) -> str:
        """Return the file in which the words of a path stand, or should stand."""
        return self.file_by_path.get(path) or f"locale/{self.library.words.language}/{self._place(path)}"

    def _place(self, path: Keys) -> str:
        if path[0] == "care":
            return f"care/{next((p.shelf for p in self.library.pages if p.id == path[1]), '*')}.toml"
        return "judgements/*.toml" if path[0] == "judgements" else f"{path[0]}.toml"


Check = Callable[[Material], Iterable[Problem]]


def check(root: Path = HERE) -> tuple[Problem, ...]:
    """Return everything that is wrong, in every language; raise ContentError for a file that cannot be read.

    Screens are drawn only once ids and words are in order, as others cannot be drawn.
    """
    if wrong := tuple(_unreadable(root)) or tuple(_values(root)):
        return wrong
    english = _material(root, "en")
    problems = _found((*LOGIC, *WORDED), english) or [*_fits(english)]
    problems += _found(ENGLISH, english)
    for language in loader.languages(root):
        if language != "en":
            problems += _translated(_material(root, language), english)
    return tuple(dict.fromkeys(problems))


def _found(checks: Iterable[Check], material: Material) -> list[Problem]:
    return [problem for each in checks for problem in each(material)]


def _translated(other: Material, english: Material) -> list[Problem]:
    problems = [*_same_keys(other, english), *_placeholders(other), *_typed_is_plain(other)] or [*_fits(other)]
    return [*problems, *_clean(other)]


def _material(root: Path, language: str) -> Material:
    return Material(root, loader.load(language, root), tuple(_texts(root, language)))


# Reading the files


def _texts(root: Path, language: str) -> Iterator[Text]:
    folder = root / "locale" / language
    for path in sorted(folder.rglob("*.toml")):
        table = path.stem if path.parent == folder else path.parent.name
        yield from _texts_of(path.relative_to(root).as_posix(), table, path.read_text(encoding="utf-8"))


@lru_cache(maxsize=128)
def _texts_of(file: str, table: str, toml: str) -> tuple[Text, ...]:
    return tuple(Text(file, path, says) for path, says in _leaves((table,), _parsed(toml)))


def _leaves(path: Keys, node: Any) -> Iterator[tuple[Keys, str]]:
    match node:
        case str():
            yield path, node
        case dict():
            for key, value in node.items():
                yield from _leaves((*path, key), value)
        case list():
            for i, value in enumerate(node):
                yield from _leaves((*path, str(i)), value)
        case _:
            pass  # a number or a date is no text; where a text is needed, it is missing


def _whole(path: Keys) -> Keys:
    """Return the path of the list that a text is an element of, or its own."""
    return path[:-1] if path[-1].isdigit() else path


def _unreadable(root: Path) -> Iterator[Problem]:
    for path in sorted(root.rglob("*.toml")):
        try:
            _table(path)
        except ValueError as error:  # not TOML, or not UTF-8
            yield Problem(path.relative_to(root).as_posix(), "", f"cannot be read: {error}")


def _table(path: Path) -> dict[str, Any]:
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContentError(f"{path}: file not found") from None


@lru_cache(maxsize=128)
def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _entries(table: Mapping[str, Any], array: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (id, table) of an array of tables, or of the file's own tables; the loader complains of anything else."""
    rows = table.get(array) if array else [{"id": name, **row} for name, row in table.items() if isinstance(row, dict)]
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            yield str(row.get("id", "?")), row


def _flat(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list() | tuple():
            return [text for part in value for text in _flat(part)]
        case _:
            return []


# The logic


def _values(root: Path) -> Iterator[Problem]:
    """Words that stand for one of a few things; checked first, as nothing can be loaded with another."""
    for file, array, field, allowed in VALUES:
        for name, entry in _entries(_table(root / file), array):
            yield from _none_of(file, f"{name}.{field}", _flat(entry.get(field)), allowed)
    if isinstance(days := _table(root / PATHWAY).get("look_again"), dict):
        yield from _none_of(PATHWAY, "look_again", days, URGENCIES)


def _none_of(file: str, key: str, values: Iterable[str], allowed: tuple[str, ...]) -> Iterator[Problem]:
    yield from (Problem(file, key, f"{v!r} is none of {', '.join(allowed)}") for v in values if v not in allowed)


def _codes_known(m: Material) -> Iterator[Problem]:
    for file, key, codes in _lists_of_codes(m):
        for code in sorted(set(codes) - m.library.pathway.codes):
            yield Problem(file, key, f"there is no finding {code!r}")


def _lists_of_codes(m: Material) -> Iterator[tuple[str, str, list[str]]]:
    for file, array, fields in CODES:
        for name, entry in m.entries(file, array):
            for field in fields:
                yield file, f"{name}.{field}", _named(entry.get(field), sets=file != CONDITIONS)
    for q, entry in m.entries(QUESTIONS, "question"):
        for choice in entry["choices"]:
            yield QUESTIONS, f"{q}.{choice['id']}", _flat(choice.get("gives"))
    for name, codes in m.table(RULES)["sets"].items():
        yield RULES, f"sets.{name}", _named(codes)
    for name in ("watch", "hip_places", "growing"):
        yield PATHWAY, name, _named(m.table(PATHWAY)[name])
    for name, codes in m.table(PATHWAY)["not_the_hip"].items():
        yield PATHWAY, f"not_the_hip.{name}", _named(codes)


def _named(value: Any, *, sets: bool = True) -> list[str]:
    """Return the findings that a list names itself. What a set stands for is checked where the set is written."""
    return [code for code in _flat(value) if not (sets and code.startswith("@"))]


def _once(m: Material) -> Iterator[Problem]:
    pathway = m.library.pathway
    rules = [name for array in RULE_ARRAYS for name, _ in m.entries(RULES, array)]
    yield from _twice(RULES, rules)
    yield from _twice(QUESTIONS, [q.id for q in pathway.questions])
    yield from _twice(FINDINGS, [code for group in pathway.groups for code in group.codes])
    for q in pathway.questions:
        yield from _twice(QUESTIONS, [f"{q.id}.{c.id}" for c in q.choices])
    for page, n in Counter(p.id for p in m.library.pages).items():
        if n > 1:
            yield Problem(f"care/{m.library.page_by_id[page].shelf}.toml", page, "stands on another shelf too")


def _twice(file: str, keys: list[str]) -> Iterator[Problem]:
    yield from (Problem(file, key, "is there twice") for key, n in Counter(keys).items() if n > 1)


def _references(m: Material) -> Iterator[Problem]:
    library, pathway = m.library, m.library.pathway
    conditions, pages = {c.id for c in pathway.conditions}, library.page_by_id.keys()
    for rule in pathway.rules:
        yield from _missing(RULES, f"{rule.id}.first", "condition", rule.first if not rule.lifts else (), conditions)
    for advice in pathway.advice:
        yield from _missing(ADVICE, f"{advice.id}.conditions", "condition", sorted(advice.conditions), conditions)
    for condition in pathway.conditions:
        yield from _missing(CONDITIONS, f"{condition.id}.care", "care page", (condition.care,), pages)
    for page in library.pages:
        yield from _missing(f"care/{page.shelf}.toml", f"{page.id}.see_also", "care page", page.see_also, pages)
    yield from _missing(PATHWAY, "skin", "trouble", pathway.skin, pathway.not_the_hip.keys())
    yield from _missing(REGIONS, UNKNOWN_REGION, "region", (UNKNOWN_REGION,), library.regions.keys())
    soon = [d.value for d in Disposition if d is not Disposition.EMERGENCY and d not in pathway.look_again]
    yield from (Problem(PATHWAY, f"look_again.{d}", "has no days") for d in soon)


def _missing(file: str, key: str, what: str, names: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    yield from (Problem(file, key, f"there is no {what} {name!r}") for name in names if name not in known)


def _carried(m: Material) -> Iterator[Problem]:
    """The ledger of the articles points at things that are there."""
    known = set(signoff.items(m.library)) | {f"finding:{c}" for c in m.library.pathway.codes}
    known |= {f"danger:{kind}" for kind, _ in m.entries(DANGER)}
    for paragraph in loader.load_articles(m.root):
        yield from _missing(ARTICLES, f"{paragraph.id}.carried_by", "place", paragraph.carried_by, known)


def _signed(m: Material) -> Iterator[Problem]:
    items = signoff.items(m.library)
    for entry in loader.load_signoffs(m.root):
        yield from _missing(SIGNOFFS, entry.item, "item", (entry.item,), items)


def _cited(m: Material) -> Iterator[Problem]:
    judgements = m.library.words.table("judgements")
    known = m.library.sources.keys() | {f"judgement.{name}" for name in judgements}
    used: set[str] = set()
    for file, name, sources in _citations(m):
        used |= set(sources)
        if not sources:
            yield Problem(file, f"{name}.sources", "cites nothing")
        yield from _missing(file, f"{name}.sources", "source", sources, known)
    for name in judgements:
        if f"judgement.{name}" not in used:
            yield Problem(m.file("judgements", name), name, "nothing cites this judgement")


def _citations(m: Material) -> Iterator[tuple[str, str, list[str]]]:
    files = [CONDITIONS, ADVICE, DANGER, *(f"care/{shelf}.toml" for shelf in loader.SHELVES)]
    for file, array in [*((RULES, array) for array in RULE_ARRAYS), *((file, "") for file in files)]:
        for name, entry in m.entries(file, array):
            yield file, name, _flat(entry.get("sources"))


def _leads_on(m: Material) -> Iterator[Problem]:
    """Each turn answers a question or ends: whatever is chosen gives a finding, or opens a question that does."""
    by_id = m.library.pathway.by_id
    for q in m.library.pathway.questions:
        if not q.choices:
            yield Problem(QUESTIONS, q.id, "has no choices")
        for c in q.choices:
            key = f"{q.id}.{c.id}"
            if c.opens and c.opens not in by_id:
                yield Problem(QUESTIONS, key, f"there is no question {c.opens!r} to open")
            elif c.opens and (q.detail or q.stage not in (Stage.SAFETY, Stage.SETTING)):
                yield Problem(QUESTIONS, key, "only a question of the safety or setting stage opens another, one deep")
            elif not (c.gives or c.opens):
                yield Problem(QUESTIONS, key, "gives no finding and opens no question")


def _reached(m: Material) -> Iterator[Problem]:
    """Every question is reached by some answers, and asked because its answers can change a result."""
    reached: set[str] = set()
    told: Findings = frozenset()
    questions = m.library.pathway.questions
    while more := [q for q in questions if q.id not in reached and _opens(q, questions, reached, told)]:
        reached |= {q.id for q in more}
        told = told.union(*(codes for q in more for codes in _tells(q)))
    telling = _telling(m)
    for q in questions:
        if q.id not in reached:
            yield Problem(QUESTIONS, q.id, "no answers lead to this question")
        elif q.stage in (Stage.URGENCY, Stage.PATTERN) and not telling & {g for c in q.choices for g in c.gives}:
            yield Problem(QUESTIONS, q.id, "no rule and no pattern uses its answers, so it is never asked")


def _opens(question: Question, questions: tuple[Question, ...], reached: set[str], told: Findings) -> bool:
    if question.detail:
        return any(c.opens == question.id for q in questions if q.id in reached for c in q.choices)
    return not question.when or bool(question.when & told)


def _tells(question: Question) -> Iterator[tuple[str, ...]]:
    for choice in question.choices:
        yield choice.gives
        yield (f"unsure_{_item(choice)}",) if question.red_flag else ()


def _item(choice: Choice) -> str:
    return choice.item if choice.gives or choice.opens else ""


def _telling(m: Material) -> Findings:
    """Return every finding that a rule, a reassurance or a pattern asks for."""
    p = m.library.pathway
    rules = (codes for r in p.rules for codes in (r.all, *r.any))
    reassurances = (codes for r in p.reassurances for codes in (r.all, *r.any, r.none))
    patterns = (codes for c in p.conditions for codes in (c.strong, c.typical, c.possible, c.against, c.expects))
    return frozenset().union(*rules, *reassurances, *patterns)


def _unsure_counts(m: Material) -> Iterator[Problem]:
    """Not being sure about a red flag is a finding of its own, and some rule acts on it."""
    acted_on = {code for r in m.library.pathway.rules for codes in (r.all, *r.any) for code in codes}
    for q in m.library.pathway.questions:
        for c in q.choices if q.red_flag else ():
            code = f"unsure_{_item(c)}"
            if code not in m.library.pathway.codes:
                yield Problem(FINDINGS, code, f"is missing, for not sure about {q.id}.{c.id}")
            elif code not in acted_on:
                yield Problem(RULES, code, "is in no rule, so not being sure changes nothing")


# The words


def _worded(m: Material) -> Iterator[Problem]:
    folder = f"locale/{m.library.words.language}"
    absent = [t for t in TABLES if not (m.root / folder / f"{t}.toml").exists()]
    yield from (Problem(f"{folder}/{t}.toml", "", "the file is missing") for t in absent)
    for path, shape in _needed(m):
        found = m.library.words.find(*path)
        if path[0] not in absent and not (isinstance(found, shape) and found):
            yield Problem(m.file(*path), ".".join(path[1:]), "has no words")


def _needed(m: Material) -> Iterator[tuple[Keys, type]]:
    """Yield the path and shape of all words that the logic asks for, under the keys that the code uses."""
    p = m.library.pathway
    yield from ((path, str) for q in p.questions for path in _needed_by(q))
    yield from ((("rules", name), str) for array in RULE_ARRAYS for name, _ in m.entries(RULES, array))
    yield from ((("conditions", c.id, part), str) for c in p.conditions for part in ("name", "short"))
    yield from ((("advice", a.id), str) for a in p.advice)
    yield from ((("findings", code), str) for code in sorted(p.codes) if not code.startswith("unsure_"))
    yield from ((("watch", code), str) for code in p.watch)
    yield from ((("not_the_hip", name), str) for name in p.not_the_hip)
    yield from ((("regions", name), str) for name in m.library.regions)
    yield from ((("dispositions", d.value, part), str) for d in Disposition for part in ("soon", "first"))
    yield from ((("dispositions", d.value, "look_again"), str) for d in Disposition if d is not Disposition.EMERGENCY)
    for page in m.library.pages:
        yield ("care", page.id, "title"), str
        yield from ((("care", page.id, part), list) for part in ("keywords", "body"))
    for kind, _ in m.entries(DANGER):
        yield ("danger", kind, "phrases"), list
        yield ("danger", kind, "answer"), str


def _needed_by(q: Question) -> Iterator[Keys]:
    yield "ui", "short", q.id
    yield from (("questions", q.id, part) for part in ("ask", "why", "none", *(("plain",) if q.red_flag else ())))
    for choices in ("choices", *(("plain_choices",) if q.red_flag else ())):
        yield from (("questions", q.id, choices, c.id) for c in q.choices)


def _owned(m: Material) -> Iterator[Problem]:
    """No words are left over: the logic or the code asks for each of them."""
    owned = {path for path, _ in _needed(m)} | {("dispositions", d, "if_worse") for d in URGENCIES}
    owned |= {("judgements", name) for name in m.library.words.table("judgements")}  # _cited sees to these
    for path, file in m.file_by_path.items():
        named_in_code = path[0] == "ui" and path[1] != "short" and path[-1] in _code().names
        if path not in owned and not named_in_code:
            yield Problem(file, ".".join(path[1:]), "nothing uses these words")


def _asked_for(m: Material) -> Iterator[Problem]:
    """Everything that the code asks for by name is there."""
    for path in sorted({a.path for a in _code().asks if "*" not in a.path}):
        if m.library.words.find(*path) is None:
            yield Problem(m.file(*path), ".".join(path[1:]), "has no words, and the code asks for them")


def _placeholders(m: Material) -> Iterator[Problem]:
    for text in m.texts:
        names = _names_in(text.says)
        if names is None:
            yield Problem(text.file, text.key, "has a brace without its partner")
        for name in sorted(names - _fills(text.path)) if names else ():
            yield Problem(text.file, text.key, f"{{{name}}} is not filled here")


def _names_in(text: str) -> frozenset[str] | None:
    if "{" not in text and "}" not in text:
        return frozenset()
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return None
    return frozenset("km60" if name.startswith("km") and name[2:].isdigit() else name for name in names)


@lru_cache(maxsize=1024)
def _fills(path: Keys) -> frozenset[str]:
    """Return the placeholders that are filled in this text, wherever it is asked for."""
    exact = [a.fills for a in _code().asks if a.path == path]
    if exact:
        return frozenset.intersection(*exact)
    pattern = [a.fills for a in _code().asks if _fit(a.path, path)]
    return frozenset().union(*pattern, *(fills for keys, fills in FILLED.items() if _fit(keys, path)))


def _fit(pattern: Keys, path: Keys) -> bool:
    return len(pattern) == len(path) and all(p in ("*", key) for p, key in zip(pattern, path, strict=True))


def _gives_number(m: Material) -> Iterator[Problem]:
    for path in GIVES_NUMBER:
        if "{emergency}" not in str(m.library.words.find(*path)):
            yield Problem(m.file(*path), ".".join(path[1:]), "does not say {emergency}")


def _typed_is_plain(m: Material) -> Iterator[Problem]:
    """What is compared with typed text is written as typed text is read."""
    for text in m.texts:
        if ("phrases" in text.path or text.path[:2] == ("ui", "typed")) and text.says != plain(text.says):
            yield Problem(text.file, text.key, f"is never matched: write it as {plain(text.says)!r}")


def _clean(m: Material) -> Iterator[Problem]:
    english = m.library.words.language == "en"
    for text in m.shown:
        yield from (Problem(text.file, text.key, fault) for fault in reading.faults(text.says, english=english))
        if text.path[0] == "care" and text.path[2:3] == ("body",) and len(text.says) > PARAGRAPH:
            yield Problem(text.file, text.key, f"has {len(text.says)} characters; a paragraph has {PARAGRAPH} at most")
        if text.path[0] == "care" and text.path[2:] == ("title",) and len(text.says) > TITLE:
            yield Problem(text.file, text.key, f"has {len(text.says)} characters; a title has {TITLE} at most")


# The words of English


def _about_weight(m: Material) -> Iterator[Problem]:
    for text in m.shown:
        if text.path[:2] not in ABOUT_WEIGHT and (says := reading.body_weight(text.says)):
            yield Problem(text.file, text.key, f"speaks of body weight: {says!r}")


def _says_what_changed(m: Material) -> Iterator[Problem]:
    for page in m.library.pages:
        body = " ".join(m.library.words.list("care", page.id, "body")).lower()
        if page.changed and "advice has changed" not in body:
            yield Problem(m.file("care", page.id, "body"), page.id, "does not say that advice has changed")


def _short_at_first(m: Material) -> Iterator[Problem]:
    words = m.library.words
    screens = [q for q in m.library.pathway.questions if q.stage is Stage.SAFETY and not q.detail and not q.when]
    texts = [words.find("questions", q.id, part) for q in screens for part in ("ask", "none")]
    texts += [label for q in screens for label in words.table("questions", q.id, "choices").values()]
    texts += [words.find("ui", "buttons", key) for key in ("done", "not_sure")] * len(screens)
    count = sum(len(reading.words_of(text)) for text in texts if isinstance(text, str))
    if count > SAFETY_WORDS:
        key = ", ".join(q.id for q in screens)
        yield Problem(m.file("questions"), key, f"{count} words on the first screens; {SAFETY_WORDS} at most")


def _easy_to_read(m: Material) -> Iterator[Problem]:
    """A question, a page and any other text has a grade of its own; texts under 30 words are read as one for each file.

    Otherwise a single long word would fail a sentence of five.
    """
    easy = frozenset(m.table(GLOSSARY))
    for file, passages in _passages(m).items():
        limit = reading.QUESTION_GRADE if file.endswith("/questions.toml") else reading.ADVICE_GRADE
        for key, texts in _graded(passages):
            grade = reading.grade(texts, easy)
            if grade > limit:
                long = ", ".join(reading.longest(texts, easy))
                yield Problem(file, key, f"reads at grade {grade:.1f}, the limit is {limit:.0f}; longest words: {long}")


def _passages(m: Material) -> dict[str, dict[str, list[str]]]:
    passages: dict[str, dict[str, list[str]]] = {}
    for text in m.shown:
        if text.path[0] != "regions":  # names of countries are not sentences
            whole = text.path[0] in ("questions", "care")
            key = text.path[1] if whole else text.key
            passages.setdefault(text.file, {}).setdefault(key, []).append(text.says)
    return passages


def _graded(passages: Mapping[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    short: list[str] = []
    for key, texts in passages.items():
        if sum(len(reading.words_of(text)) for text in texts) < reading.SHORT:
            short += texts
        else:
            yield key, texts
    if sum(len(reading.words_of(text)) for text in short) >= reading.SHORT:
        yield "(short texts together)", short


def _terms_used(m: Material) -> Iterator[Problem]:
    used = {word for text in m.shown for word in reading.words_of(text.says)}
    for term, reason in m.table(GLOSSARY).items():
        if not (isinstance(reason, str) and reason.strip()):
            yield Problem(GLOSSARY, term, "gives no reason")
        if not {term, f"{term}s", f"{term}'s"} & used:
            yield Problem(GLOSSARY, term, "no text uses this term")


# The other languages


def _same_keys(m: Material, english: Material) -> Iterator[Problem]:
    folder, ours = f"locale/{m.library.words.language}", "locale/en"
    here, there = m.file_by_path, english.file_by_path
    files = {file.replace(ours, folder, 1) for file in there.values()}
    absent = {file for file in files if not (m.root / file).exists()}
    yield from (Problem(file, "", "the file is missing") for file in sorted(absent))
    for path, file in there.items():
        if path not in here and (own := file.replace(ours, folder, 1)) not in absent:
            yield Problem(own, ".".join(path[1:]), "has no words; English has")
    for path, file in here.items():
        if path not in there:
            yield Problem(file, ".".join(path[1:]), "English has no such words")
        elif _all_names(m, path) != _all_names(english, path):
            yield Problem(file, ".".join(path[1:]), "has other placeholders than English")


def _all_names(m: Material, path: Keys) -> frozenset[str]:
    found = m.library.words.find(*path)
    return frozenset().union(*(_names_in(text) or () for text in _flat(found if found is not None else ())))


# What the code asks for


@dataclass(frozen=True, slots=True)
class Ask:
    """A call for words in the code: their path, "*" for what only a running check knows, and what it fills in."""

    path: Keys
    fills: frozenset[str]


@dataclass(frozen=True, slots=True)
class Code:
    """What the code says about words: its calls for them, and every name that stands in it."""

    asks: tuple[Ask, ...]
    names: frozenset[str]


@lru_cache(maxsize=1)
def _code() -> Code:
    nodes = [node for file in _modules() for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    names = frozenset(n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return Code(tuple(ask for n in nodes if isinstance(n, ast.Call) for ask in _asks(n)), names)


def _modules() -> Iterator[Path]:
    for package in ("core", "bots", "scheduler"):
        yield from sorted((HERE.parent / package).rglob("*.py"))


def _asks(call: ast.Call) -> Iterator[Ask]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    fills = frozenset(k.arg for k in call.keywords if k.arg).union(*(NUMBERS for k in call.keywords if not k.arg))
    if any(isinstance(a, ast.Starred) for a in call.args) or not call.args:
        return
    match name:
        case "_words" | "words":
            yield from (Ask(path, fills) for path in product(*map(_options, call.args)))
        case "_safe":
            yield from (Ask(("ui", key), frozenset()) for key in _options(call.args[0]))
        case "_button" | "button":
            yield from (Ask(("ui", "buttons", key), frozenset()) for key in _options(call.args[-1]))
        case _:
            pass


def _options(argument: ast.expr) -> tuple[str, ...]:
    match argument:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.IfExp(body=body, orelse=orelse):
            return (*_options(body), *_options(orelse))
        case _:
            return ("*",)


# What a platform can show


def _fits(m: Material) -> Iterator[Problem]:
    """Every screen, drawn by the code that draws it for members, within the limits of Telegram and Discord."""
    for file, key, draw in _drawings(m):
        try:
            reply = draw()
        except MissingWords as missing:
            path = str(missing.args[0]).split(".")
            yield Problem(m.file(*path), ".".join(path[1:]), f"has no words, and the screen of {key!r} asks for them")
            continue
        yield from (Problem(file, key, says) for says in _too_much(reply))


def _drawings(m: Material) -> Iterator[tuple[str, str, Callable[[], Reply]]]:
    """Yield (file, key, how to draw it) of every question, page and menu, and of a result."""
    library, ui, questions = m.library, m.file("ui"), m.file("questions")
    for q in library.pathway.questions:
        yield questions, q.id, _asking(library, q, View.QUESTION).question
        if q.kind is Kind.MANY:
            yield questions, q.id, _asking(library, q, View.CONFIRM_NONE).confirm_none
        if q.red_flag:
            yield questions, q.id, _asking(library, q, View.PLAIN).question
    shelves = Shelves(library, WIDEST)
    for page in library.pages:
        file = m.file("care", page.id, "body")
        yield from ((file, page.id, partial(draw, page)) for draw in (shelves.page, shelves.basis))
    for name in SHELVES:
        for start in range(0, len(library.shelf(name)), PER_SCREEN):
            yield ui, f"shelves.{name}", partial(shelves.shelf, name, start)
    yield from ((ui, name, getattr(shelves, name)) for name in ("help", "care", "settings", "regions"))
    yield ui, "buttons", Result(library, _session(library, None, View.VERDICT), WIDEST).verdict


def _asking(library: Library, question: Question, view: View) -> Screens:
    return Screens(library, _session(library, question, view), WIDEST)


def _session(library: Library, question: Question | None, view: View) -> Session:
    """Return a session with the longest tokens that there can be, everything ticked, and a way back."""
    first, now = library.pathway.questions[0], datetime(2000, 1, 1, tzinfo=UTC)
    return Session(
        id="z" * 20,
        pathway=library.pathway.id,
        version=library.pathway.version,
        started=now,
        touched=now,
        answers=(Answer(first.id, (), first.fingerprint),) if question else (),
        asking=question.id if question else None,
        ticked=tuple(c.id for c in question.choices) if question else (),
        view=view,
        step=99999,
    )


def _too_much(reply: Reply) -> Iterator[str]:
    match reply:
        case Prompt():
            yield from _too_long(reply.text, DISCORD_TEXT)
        case Notice():
            yield from _too_long(reply.text, TELEGRAM_TEXT)
        case Verdict():
            pass  # as long as its findings: the tests of whole conversations measure it
    if len(reply.choices) > OPTIONS:
        yield f"has {len(reply.choices)} buttons; {OPTIONS} at most"
    for button in reply.choices:
        yield from _bad_button(button)


def _too_long(text: str, limit: int) -> Iterator[str]:
    if len(text) > limit:
        yield f"has {len(text)} characters on the screen; {limit} at most"


def _bad_button(button: Button) -> Iterator[str]:
    if not 0 < len(button.label) <= LABEL:
        yield f"{button.label!r} has {len(button.label)} characters; a button has {LABEL} at most"
    if len(button.tap.encode()) > MAX_BYTES or read(button.tap) is None:
        yield f"the token {button.tap!r} does not fit, or cannot be read back"


LOGIC: tuple[Check, ...] = (
    *(_codes_known, _once, _references, _leads_on, _reached, _unsure_counts),
    *(_cited, _carried, _signed),
)
WORDED: tuple[Check, ...] = (_worded, _owned, _asked_for, _placeholders, _gives_number, _typed_is_plain)
ENGLISH: tuple[Check, ...] = (_clean, _about_weight, _says_what_changed, _short_at_first, _easy_to_read, _terms_used)
