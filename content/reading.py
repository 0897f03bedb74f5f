"""How a text reads: its grade, and what the house style keeps out of it."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyphen

QUESTION_GRADE = 7
ADVICE_GRADE = 9
"""The highest US school grade that a question, and any other text, may read at."""
SHORT = 30
"""Words: a text with fewer has no grade of its own, as one long word would decide it."""
GLOSSARY_SYLLABLES = 2

_WORD = re.compile(r"\{\w+\}|\d+|[^\W\d_]+(?:['-][^\W\d_]+)*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")

_FEW = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twenty|hundred)"
_PEOPLE = r"(?:people|runners|members|patients|athletes|adults|women|men|children|teens|cases|times|hips|injuries)"
_ILLNESS = (
    r"(?:fracture|tear|strain|sprain|bursitis|arthritis|tend[io]n\w*|hernia|infection|clot|sciatica|impingement|cancer"
    r"|tumour|necrosis|osteoporosis|syndrome|dislocation)"
)
_LIKELIHOOD = "|".join(
    (
        rf"\b{_FEW} (?:in|of) (?:every )?{_FEW}\b",
        rf"\b{_FEW} (?:people )?out of (?!10\b){_FEW}\b",  # a pain of 3 out of 10 may be named
        rf"\bout of (?:10|ten) {_PEOPLE}\b",
        rf"\b(?:half|thirds?|quarters?|fifths?|tenths?) of (?:all |the )?{_PEOPLE}\b",
        rf"\b(?:{_FEW} times|twice|double|half) (?:as|more|less) likely\b",
        r"\b(?:doubles|triples|halves) the (?:risk|chance)\b",
    )
)
_DIAGNOSIS = (
    r"(?:^|[.!?:;,] |\bthat |\bso )you(?: probably| likely| may)? (?:have|have got|'ve got) (?!ever\b|had\b|been\b)"
    rf"(?:[\w-]+ ){{0,4}}?{_ILLNESS}\b"
)
_EVERYWHERE = (
    (r"^\s*$", "is empty"),
    (r"^\s|\s$|  |[^\S\n ]", "has a space too many"),
    (r"<[a-z/!]|&#?\w+;", "has HTML"),
    (r"https?:|www\.|\b[a-z0-9-]+\.(?:com|org|net|gov|edu|uk|ie|io)\b", "has a web address"),
    (r"[*_`~]|\]\(|^\s*(?:#|>|- )", "has Markdown"),
    ("[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]", "has an emoji or symbol"),
    (r"%|\bper ?cent\b", "has a likelihood in numbers"),
    (r"\d\s?(?:mg|mcg|g|ml|milli\w+|grams?|tablets?|pills?|capsules?|puffs?)\b", "has a dose"),
)
_ENGLISH = (
    ("[\u2018\u2019\u201c\u201d\u2013\u2014\u2026]", "has a curly quote, a long dash or an ellipsis"),
    (_LIKELIHOOD, "has a likelihood in numbers"),
    (_DIAGNOSIS, "reads as a diagnosis"),
)

_MOVE = r"(?:hop|jump|squat|stand|press|push|squeeze|lift|raise|bend|twist|turn|stretch|run|jog|walk|cough|move)"
_TO_SEE = r"(?:and|to) (?:see|check|test|find out|notice|feel|tell|show) (?:if|whether|what|where|how it|how much)"
_SELF_TESTS = (
    rf"\b{_MOVE}\b[^.!?]*\b{_TO_SEE}\b",
    r"(?:^|(?<=, )|\b(?:please|now|then|try to|can you|could you) )(?:hop|jump)\b(?!,| or\b)",
    r"\btry (?:a|one|some) (?:little )?(?:hops?|jumps?)\b",
    r"\b(?:if|when) you (?:hop|jump)\b",
    r"\b(?:test|try out|try) (?:it|the hip|your hip|the leg|your leg)\b",
    r"^(?:please |now |then |try to )?(?:press (?:hard |firmly |gently )?on|stand on one leg)\b",
)
_WARNING = re.compile(r"\b(?:not|never|no|nobody|without|avoid|nor|leave out)\b|n't\b", re.IGNORECASE)
_CONDITION = re.compile(r"^(?:if|when|once|unless|as long as)\b[^,]*,|[;:]|\bbut\b", re.IGNORECASE)

_BODY_WEIGHT = (
    r"\b(?:overweight|obes\w+|bmi|body ?(?:weight|mass|fat)|weight advice|slim(?:mer|ming)?|weight loss)\b"
    r"|\b(?:heavier|excess|extra|healthy|ideal) weight\b|\bheavier (?:body|people|runners)\b"
    r"|\b(?:keep|watch|manage|reduce|cut) (?:your|their) weight\b(?! (?:off|on|through)\b)"
    r"|\b(?:lose|loses|losing|lost|shed|drop) (?:some |a little )?(?:weight|pounds|kilos)\b"
)
_LOSS_AS_A_SIGN = re.compile(r"\b(?:without trying|on purpose|sweats?|tired|for no reason|unplanned)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Measure:
    """What a text is made of."""

    sentences: int
    words: int
    syllables: int


def grade(texts: Iterable[str], easy: Collection[str] = ()) -> float:
    """Return the Flesch-Kincaid grade of texts taken as one; each text ends a sentence, as a label or a paragraph does.

    Syllables are counted by pyphen's British and American patterns, whichever has more; a term in `easy` counts as two.
    """
    measures = [_measure(text, frozenset(easy)) for text in texts]
    words = sum(m.words for m in measures)
    if not words:
        return 0.0
    per_sentence = words / sum(m.sentences for m in measures)
    per_word = sum(m.syllables for m in measures) / words
    return 0.39 * per_sentence + 11.8 * per_word - 15.59


def longest(texts: Iterable[str], easy: Collection[str] = ()) -> list[str]:
    """Return the three words with most syllables: where a text that reads too hard is eased first."""
    words = sorted({word for text in texts for word in words_of(text)})
    return sorted(words, key=lambda word: -_syllables(word, easy))[:3]


@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case: a number, a hyphenated word and a placeholder are one each."""
    return tuple(_WORD.findall(text.lower()))


@lru_cache(maxsize=8192)
def faults(text: str, *, english: bool) -> tuple[str, ...]:
    """Return what the house style does not allow in a text, each with the place that shows it."""
    forbidden = (*_EVERYWHERE, *_ENGLISH) if english else _EVERYWHERE
    found = tuple(f"{says}: {_near(match)}" for pattern, says in forbidden if (match := _search(pattern, text)))
    return (*found, *_self_tests(text)) if english else found


@lru_cache(maxsize=8192)
def body_weight(text: str) -> str:
    """Return the words that speak of body weight, or nothing.

    Weight on a leg may be named, and so may weight that was lost, as a sign of illness.
    """
    for sentence in _SENTENCE.split(text):
        match = _search(_BODY_WEIGHT, sentence)
        if match and not _LOSS_AS_A_SIGN.search(sentence):
            return match[0]
    return ""


def _self_tests(text: str) -> Iterator[str]:
    """Yield what asks for a movement to see whether it hurts. To say not to is a warning, and allowed."""
    for sentence in _SENTENCE.split(text):
        for pattern in _SELF_TESTS:
            match = _search(pattern, sentence)
            if match and not _WARNING.search(_CONDITION.split(sentence[: match.start()])[-1]):
                yield f"asks for a movement as a test: {_near(match)}"


def _search(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(pattern, text, re.IGNORECASE)


def _near(match: re.Match[str]) -> str:
    return repr(match.string[max(0, match.start() - 15) : match.end() + 15].strip())


@lru_cache(maxsize=8192)
def _measure(text: str, easy: frozenset[str]) -> _Measure:
    sentences = [words for part in _SENTENCE.split(text) if (words := words_of(part))]
    syllables = sum(_syllables(word, easy) for words in sentences for word in words)
    return _Measure(len(sentences), sum(map(len, sentences)), syllables)


def _syllables(word: str, easy: Collection[str]) -> int:
    if word in easy or word.removesuffix("s").removesuffix("'") in easy:
        return GLOSSARY_SYLLABLES
    return _counted(word)


@lru_cache(maxsize=8192)
def _counted(word: str) -> int:
    if word.isdigit():
        return len(word)
    if word.startswith("{"):
        return 2
    return sum(max(len(patterns.positions(part)) for patterns in _patterns()) + 1 for part in word.split("-"))


@lru_cache(maxsize=1)
def _patterns() -> tuple[Any, ...]:
    return tuple(pyphen.Pyphen(lang=language) for language in ("en_GB", "en_US"))
