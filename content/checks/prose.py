"""What must hold of the sentences: easy to read, short, and nothing in them that the house style forbids."""

from collections.abc import Iterator, Mapping

from content import reading
from content.checks.material import Material
from content.checks.problem import GLOSSARY, Problem
from core.clinical import Stage

TITLE = 60
PARAGRAPH = 600
SAFETY_WORDS = 150
"""Words on the screens that everybody is asked first, all together, buttons included."""
ABOUT_WEIGHT = (("care", "hip_osteoarthritis"), ("care", "prevent_weight"), ("judgements", "prevent_no_weight_advice"))
"""The pages that may speak of body weight, and the reason that one of them shows."""


def clean(m: Material) -> Iterator[Problem]:
    english = m.library.words.language == "en"
    for text in m.shown:
        yield from (Problem(text.file, text.key, fault) for fault in reading.faults(text.says, english=english))
        if text.path[0] == "care" and text.path[2:3] == ("body",) and len(text.says) > PARAGRAPH:
            yield Problem(text.file, text.key, f"has {len(text.says)} characters; a paragraph has {PARAGRAPH} at most")
        if text.path[0] == "care" and text.path[2:] == ("title",) and len(text.says) > TITLE:
            yield Problem(text.file, text.key, f"has {len(text.says)} characters; a title has {TITLE} at most")


def about_weight(m: Material) -> Iterator[Problem]:
    for text in m.shown:
        if text.path[:2] not in ABOUT_WEIGHT and (says := reading.body_weight(text.says)):
            yield Problem(text.file, text.key, f"speaks of body weight: {says!r}")


def says_what_changed(m: Material) -> Iterator[Problem]:
    for page in m.library.pages:
        body = " ".join(m.library.words.list("care", page.id, "body")).lower()
        if page.changed and "advice has changed" not in body:
            yield Problem(m.file("care", page.id, "body"), page.id, "does not say that advice has changed")


def short_at_first(m: Material) -> Iterator[Problem]:
    words = m.library.words
    screens = [q for q in m.library.pathway.questions if q.stage is Stage.SAFETY and not q.detail and not q.when]
    texts = [words.find("questions", q.id, part) for q in screens for part in ("ask", "none")]
    texts += [label for q in screens for label in words.table("questions", q.id, "choices").values()]
    texts += [words.find("ui", "buttons", key) for key in ("done", "not_sure")] * len(screens)
    count = sum(len(reading.words_of(text)) for text in texts if isinstance(text, str))
    if count > SAFETY_WORDS:
        key = ", ".join(q.id for q in screens)
        yield Problem(m.file("questions"), key, f"{count} words on the first screens; {SAFETY_WORDS} at most")


def easy_to_read(m: Material) -> Iterator[Problem]:
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


def terms_used(m: Material) -> Iterator[Problem]:
    used = {word for text in m.shown for word in reading.words_of(text.says)}
    for term, reason in m.table(GLOSSARY).items():
        if not (isinstance(reason, str) and reason.strip()):
            yield Problem(GLOSSARY, term, "gives no reason")
        if not {term, f"{term}s", f"{term}'s"} & used:
            yield Problem(GLOSSARY, term, "no text uses this term")


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
