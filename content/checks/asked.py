"""What the code asks for: its calls for words, read from its source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

from content.checks.material import Keys
from content.loader import HERE

NUMBERS = frozenset({"emergency", "urgent"})
"""The placeholders that `**` in a call fills: the numbers to call."""


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
def read_code() -> Code:
    """Return what the code of core, bots and scheduler says about words."""
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
        case "_safe" | "_passing":
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
