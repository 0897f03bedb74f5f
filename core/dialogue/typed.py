"""What a member typed, read as a press of one of the buttons on the screen. Offline, forgiving, never guessing."""

import re
from collections.abc import Sequence

from core.dialogue.turn import Button, Role
from core.words import Words

LONGEST_READ = 300
"""Characters of a typed message that are read as an answer; a longer one is a story, and is not guessed at."""
LONGEST_NUMBER = 3
DENIES = 4
"""Words before words of danger among which a denial counts: "no fever or chest pain"."""
NEVER_DENIED = frozenset({"self_harm"})
"""Words of danger that get their answer even when they stand behind a "no"."""
_OF_TEN = re.compile(r"^\s*(10|\d)\s*/\s*10\s*$")
_SPLIT = re.compile(r"[\s,;.&+]+|\band\b")


def plain(text: str) -> str:
    """Return text in lower case without punctuation, apostrophes or control characters, words one space apart."""
    kept = re.sub(r"['\u2019`]", "", text.casefold())
    return re.sub(r"[\W_]+", " ", kept).strip()


def danger_in(words: Words, text: str) -> str | None:
    """Return the kind of danger that a typed text speaks of, or None. Read before anything else, in every state."""
    if not text:
        return None
    said = f" {plain(text)} "
    for kind, entry in words.table("danger").items():
        denied = () if kind in NEVER_DENIED else words.list("ui", "denials")
        if any(phrase in said and _speaks_of(said, f" {phrase} ", denied) for phrase in entry["phrases"]):
            return str(kind)
    return None


def _speaks_of(said: str, phrase: str, denials: tuple[str, ...]) -> bool:
    """Return whether a phrase stands in the text other than soon after a denial, such as "no chest pain"."""
    before, found, after = said.partition(phrase)
    if not found:
        return False
    if not set(before.split()[-DENIES:]) & set(denials):
        return True
    return _speaks_of(f" {after}", phrase, denials)


def read_typed(text: str, buttons: Sequence[Button]) -> tuple[Button, ...]:
    """Return the buttons that the text names by number, by label or by plain word; none where that is not clear."""
    said = plain(text)
    if not said or len(text) > LONGEST_READ:
        return ()
    if of_ten := _OF_TEN.match(text):
        return _by_range(of_ten[1], buttons)
    numbered = _numbers(said, buttons)
    # A number that is no answer's may be meant as what the answers speak of: 34 years, or 7 out of 10.
    if numbered and not any(b.role is Role.ANSWER for b in numbered):
        numbered = _by_range(said, buttons) or numbered
    if numbered:
        return numbered
    for button in buttons:
        if said == plain(button.label) or said in button.words:
            return (button,)
    return _by_range(said, buttons) or _by_word(said, buttons) or _by_likeness(said, buttons)


def read_one(text: str, buttons: Sequence[Button], *, numbered: bool = True) -> Button | None:
    """Return the one button that the text names, None where that is not clear.

    A number alone names an answer at most, and no way back or out; with `numbered` false nothing: it may be how much it hurts.
    """
    if plain(text).isdecimal():
        buttons = [button for button in buttons if numbered and button.role is Role.ANSWER]
    named = read_typed(text, buttons)
    return named[0] if len(named) == 1 else None


def _numbers(said: str, buttons: Sequence[Button]) -> tuple[Button, ...]:
    parts = [p for p in _SPLIT.split(said) if p]
    if not parts or not all(p.isascii() and p.isdigit() and len(p) <= 2 for p in parts):
        return ()
    positions = [int(p) - 1 for p in parts]
    if not all(0 <= p < len(buttons) for p in positions):
        return ()
    return tuple(buttons[p] for p in dict.fromkeys(positions))


def _by_range(said: str, buttons: Sequence[Button]) -> tuple[Button, ...]:
    """A number on a screen of ranges, such as 34 for "18 to 44": a label with one number is the lowest or the highest."""
    answers = [b for b in buttons if b.role is Role.ANSWER]
    spans = [(b, [int(n) for n in re.findall(r"\d+", b.label)]) for b in answers]
    spans = [(b, span) for b, span in spans if span]
    ranged = sum(len(span) == 2 for _, span in spans)
    if not said.isdecimal() or len(said) > LONGEST_NUMBER or not ranged or any(len(span) > 2 for _, span in spans):
        return ()
    number = int(said)
    for i, (button, span) in enumerate(spans):
        low, high = (span[0], span[-1]) if len(span) > 1 else (0, span[0] - 1) if i == 0 else (span[0], number)
        if low <= number <= high:
            return (button,)
    return ()


def _by_word(said: str, buttons: Sequence[Button]) -> tuple[Button, ...]:
    """A word or two that stand on one button only, or on one that says least, such as "groin" beside "groin and thigh"."""
    wanted = said.split()
    found = [b for b in buttons if b.role is Role.ANSWER and all(_stands_in(word, b.label) for word in wanted)]
    least = [b for b in found if all(b.findings <= other.findings for other in found)]
    return (least[0],) if len(least) == 1 else ()


def _stands_in(word: str, label: str) -> bool:
    """Return whether a typed word is one of a label's, or begins one: "fever" for "Feverish"."""
    return any(w == word or (len(word) >= 4 and w.startswith(word)) for w in plain(label).split())


def _by_likeness(said: str, buttons: Sequence[Button]) -> tuple[Button, ...]:
    if len(said) < 4:
        return ()
    # Imported here: only a typing error needs it.
    from rapidfuzz import fuzz

    scores = sorted(((fuzz.ratio(said, plain(b.label)), i) for i, b in enumerate(buttons)), reverse=True)
    clear = scores[0][0] >= 85 and (len(scores) == 1 or scores[0][0] - scores[1][0] >= 10)
    return (buttons[scores[0][1]],) if clear else ()
