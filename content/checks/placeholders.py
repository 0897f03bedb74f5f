"""What must hold of the placeholders in the words: the code fills every one."""

import string
from collections.abc import Iterator
from functools import lru_cache

from content.checks.asked import NUMBERS, read_code
from content.checks.material import Keys, Material, key_of
from content.checks.problem import Problem

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


def filled(m: Material) -> Iterator[Problem]:
    for text in m.texts:
        names = names_in(text.says)
        if names is None:
            yield Problem(text.file, text.key, "has a brace without its partner")
        for name in sorted(names - _fills(text.path)) if names else ():
            yield Problem(text.file, text.key, f"{{{name}}} is not filled here")


def gives_number(m: Material) -> Iterator[Problem]:
    for path in GIVES_NUMBER:
        if "{emergency}" not in str(m.library.words.find(*path)):
            yield Problem(m.file(*path), key_of(path), "does not say {emergency}")


def names_in(text: str) -> frozenset[str] | None:
    """Return the placeholders of a text, any distance as `km60`; None where a brace has no partner."""
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
    exact = [a.fills for a in read_code().asks if a.path == path]
    if exact:
        return frozenset.intersection(*exact)
    pattern = [a.fills for a in read_code().asks if _fit(a.path, path)]
    return frozenset().union(*pattern, *(fills for keys, fills in FILLED.items() if _fit(keys, path)))


def _fit(pattern: Keys, path: Keys) -> bool:
    return len(pattern) == len(path) and all(p in ("*", key) for p, key in zip(pattern, path, strict=True))
