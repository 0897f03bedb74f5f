"""What must hold of the words: all that is asked for is there, nothing is left over, and languages agree."""

from collections.abc import Iterator

from content.checks.asked import read_code
from content.checks.material import Keys, Material, flat, key_of
from content.checks.placeholders import names_in
from content.checks.problem import DANGER, RULE_ARRAYS, RULES, Problem
from core.care import Hip
from core.clinical import Disposition, Question
from core.dialogue.typed import plain
from core.diary import Place
from core.load import Load, Season

TABLES = (
    *("advice", "checkins", "club", "conditions", "danger", "dispositions", "findings", "link", "not_the_hip", "questions"),
    *("platform", "privacy", "progress", "regions", "rules", "tips", "ui", "watch"),
)
"""Files that every language has, besides its care pages and judgements."""
BY_NAME = ("checkins", "club", "link", "ui", "platform", "privacy", "progress")
"""Those whose words the code asks for by name."""


def worded(m: Material) -> Iterator[Problem]:
    folder = f"locale/{m.library.words.language}"
    absent = [t for t in TABLES if not (m.root / folder / f"{t}.toml").exists()]
    yield from (Problem(f"{folder}/{t}.toml", "", "the file is missing") for t in absent)
    for path, shape in _needed(m):
        found = m.library.words.find(*path)
        if path[0] not in absent and not (isinstance(found, shape) and found):
            yield Problem(m.file(*path), key_of(path), "has no words")


def owned(m: Material) -> Iterator[Problem]:
    """No words are left over: the logic or the code asks for each of them."""
    known = {path for path, _ in _needed(m)} | {
        ("dispositions", d.value, key) for d in Disposition for key in ("if_worse", "first_doctor")
    }
    known |= {("judgements", name) for name in m.library.words.table("judgements")}  # records.cited sees to these
    for path, file in m.file_by_path.items():
        named_in_code = path[0] in BY_NAME and path[1] != "short" and path[-1] in read_code().names
        if path not in known and not named_in_code:
            yield Problem(file, key_of(path), "nothing uses these words")


def asked_for(m: Material) -> Iterator[Problem]:
    """Everything that the code asks for by name is there."""
    for path in sorted({a.path for a in read_code().asks if "*" not in a.path}):
        if m.library.words.find(*path) is None:
            yield Problem(m.file(*path), key_of(path), "has no words, and the code asks for them")


def typed_is_plain(m: Material) -> Iterator[Problem]:
    """What is compared with typed text is written as typed text is read."""
    for text in m.texts:
        if ("phrases" in text.path or text.path[1:2] == ("typed",)) and text.says != plain(text.says):
            yield Problem(text.file, text.key, f"is never matched: write it as {plain(text.says)!r}")


def same_keys(m: Material, english: Material) -> Iterator[Problem]:
    """Another language has the keys of English and the same placeholders, no more and no fewer."""
    folder, ours = f"locale/{m.library.words.language}", "locale/en"
    here, there = m.file_by_path, english.file_by_path
    files = {file.replace(ours, folder, 1) for file in there.values()}
    absent = {file for file in files if not (m.root / file).exists()}
    yield from (Problem(file, "", "the file is missing") for file in sorted(absent))
    for path, file in there.items():
        if path not in here and (own := file.replace(ours, folder, 1)) not in absent:
            yield Problem(own, key_of(path), "has no words; English has")
    for path, file in here.items():
        if path not in there:
            yield Problem(file, key_of(path), "English has no such words")
        elif _all_names(m, path) != _all_names(english, path):
            yield Problem(file, key_of(path), "has other placeholders than English")


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
    yield from ((("checkins", "limits", limit.id), str) for limit in m.library.checkins.limits)
    yield from ((("checkins", "places", place.value), str) for place in Place)
    yield from ((("dispositions", d.value, part), str) for d in Disposition for part in ("soon", "first"))
    yield from ((("dispositions", d.value, "look_again"), str) for d in Disposition if d is not Disposition.EMERGENCY)
    yield from ((path, str) for path in _needed_by_tips(m))
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


def _needed_by_tips(m: Material) -> Iterator[Keys]:
    tips = m.library.tips
    yield from (("tips", "say", tip.id) for tip in tips)
    yield from (("tips", "states", state) for state in sorted(set(Hip) - {Hip.UNKNOWN}))
    yield from (("tips", "places", place) for place in sorted({place for tip in tips for place in tip.places}))
    yield from (("tips", "loads", one) for one in Load)
    yield from (("tips", "seasons", one) for one in Season)


def _all_names(m: Material, path: Keys) -> frozenset[str]:
    found = m.library.words.find(*path)
    return frozenset().union(*(names_in(text) or () for text in flat(found if found is not None else ())))
