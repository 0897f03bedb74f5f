"""`hipwise assess`: findings in, urgency and the rules behind it out, as JSON lines."""

import argparse
import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from content import loader
from content.loader import ContentError
from core.triage import Triage, UnknownFinding

STDIN = "-"


class BadLine(ValueError):
    """A line cannot be answered; the message says why."""


class _Case(msgspec.Struct, frozen=True):
    """A line of input; other keys are left alone."""

    id: str | int
    findings: tuple[str, ...]


def run(argv: list[str]) -> int:
    """Answer every line that can be; return 2 where one could not be, or there is nothing to read."""
    parser = argparse.ArgumentParser(prog="hipwise assess", description=__doc__)
    parser.add_argument("file", nargs="?", default=STDIN, help='JSON lines {"id", "findings"}; left out: standard input')
    name = parser.parse_args(argv).file
    try:
        triage = Triage(loader.load_pathway())
        with _opened(name) as lines:
            return 0 if _answer_all(triage, lines) else 2
    except (ContentError, OSError) as error:
        print(f"hipwise assess: {error}", file=sys.stderr)
        return 2


def answer(triage: Triage, line: str) -> dict[str, Any]:
    """Return what one line's findings call for; raise BadLine where it is no such line or has an unknown code."""
    try:
        case = msgspec.json.decode(line, type=_Case)
        assessed = triage.assess(frozenset(case.findings))
    except (msgspec.MsgspecError, UnknownFinding, RecursionError, UnicodeError) as error:
        raise BadLine(str(error)) from None
    return {
        "id": case.id,
        "urgency": assessed.urgency.value,
        "rules": [f.rule.id for f in assessed.fired],
        "conditions": [f.condition for f in assessed.differential],
        "because": {f.rule.id: list(f.because) for f in assessed.fired},
    }


def _answer_all(triage: Triage, lines: Iterable[str]) -> bool:
    """Answer each line at once, so that another program can wait for it; return whether all could be answered."""
    well = True
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            print(json.dumps(answer(triage, line)), flush=True)
        except BadLine as error:
            well = False
            print(f"line {number}: {error}", file=sys.stderr)
    return well


@contextmanager
def _opened(name: str) -> Iterator[Iterable[str]]:
    """Give the lines of a file or of standard input; a byte that is not text spoils its line alone."""
    if name != STDIN:
        with Path(name).open(encoding="utf-8-sig", errors="replace") as file:
            yield file
        return
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    yield sys.stdin
