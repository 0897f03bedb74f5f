"""`hipwise audit`: score a file of patients, by the rules alone or played through the conversation."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from content import loader
from content.loader import ContentError
from core.audit import NAMED_FIRST, Outcome, Tally, Vignette, by_level, share, tally
from core.clinical import Disposition, Findings
from core.library import Library
from core.patient import Lost, Played, play
from core.triage import Triage, UnknownFinding
from core.words import MissingWords

NOT_URGENT = (Disposition.SELF_CARE, Disposition.ROUTINE, Disposition.WITHIN_DAYS)
"""Labels of the checks that are asked to the end: here few taps matter most."""
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""A fixed present, so that two audits of the same content are the same."""
COLUMNS = ("n", "danger", "under", "over", "2 over", "right", "safe", "top-1", "top-3")


class Unreadable(ValueError):
    """The file cannot be scored; each line of the message says what is wrong and where."""


class _Line(msgspec.Struct, frozen=True):
    """A vignette as it stands in the file; other keys are left alone."""

    id: str | int
    findings: tuple[str, ...]
    urgency: Disposition
    floor: Disposition
    ceiling: Disposition
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """One patient with what came of it; `played` only through the chat, `rules` only without."""

    outcome: Outcome
    rules: tuple[str, ...] = ()
    played: Played | None = None


Ask = Callable[[Vignette], Scored]


def run(argv: list[str]) -> int:
    """Score every patient; return 1 on a dangerous miss, 2 where the file or the content cannot be used."""
    args = _arguments(argv)
    try:
        ask, vocabulary = _asker(through_chat=args.through_chat)
        vignettes = read(Path(args.file), vocabulary)
        scored = tuple(_with_progress(vignettes, ask))
    except (Unreadable, ContentError, MissingWords, OSError) as error:
        print(f"hipwise audit: {error}", file=sys.stderr)
        return 2
    except Lost as error:
        print(f"hipwise audit: {error}", file=sys.stderr)
        return 1
    print(json.dumps(as_json(scored), indent=2) if args.json else "\n".join(as_text(scored)))
    return 1 if any(s.outcome.dangerous for s in scored) else 0


def read(path: Path, vocabulary: Findings) -> tuple[Vignette, ...]:
    """Return the patients of a file; raise Unreadable with every line that is wrong, for half a file has no score."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: {error}") from None
    found, wrong = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(_vignette(line, vocabulary))
        except (msgspec.MsgspecError, UnknownFinding, RecursionError) as error:
            wrong.append(f"{path}: line {number}: {error}")
    if wrong or not found:
        raise Unreadable("\n".join(wrong) or f"{path}: no patients in this file")
    return tuple(found)


def as_json(scored: Sequence[Scored]) -> dict[str, Any]:
    """Return all that is known, each patient included, as plain JSON values."""
    outcomes = [s.outcome for s in scored]
    return {
        "overall": _tally_json(tally(outcomes)),
        "by_level": {level.value: _tally_json(t) for level, t in by_level(outcomes).items()},
        "chat": _effort(scored),
        "misses": [s.outcome.vignette.id for s in scored if s.outcome.faults],
        "patients": [_patient_json(s) for s in scored],
    }


def as_text(scored: Sequence[Scored]) -> Iterator[str]:
    """Yield the report: the scores, each miss by name, and what the chat asked of a member."""
    outcomes = [s.outcome for s in scored]
    yield f"{'':12}" + "".join(f"{name:>8}" for name in COLUMNS)
    yield _row("all", tally(outcomes))
    yield from (_row(level.value, t) for level, t in by_level(outcomes).items())
    if misses := [s for s in scored if s.outcome.faults]:
        yield "\nMisses"
        yield from (_miss(s) for s in misses)
    if effort := _effort(scored):
        yield f"\nTaps, median: {effort['taps']:g} ({effort['taps_not_urgent']:g} where nobody must be seen today)"
        yield f"Words, median: {effort['words']:g} ({effort['words_not_urgent']:g})"


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hipwise audit", description=__doc__)
    parser.add_argument("file", metavar="FILE", help="patients, as JSON lines")
    parser.add_argument("--json", action="store_true", help="one JSON object, with every patient")
    parser.add_argument("--through-chat", action="store_true", help="play each patient through the conversation")
    return parser.parse_args(argv)


def _asker(*, through_chat: bool) -> tuple[Ask, Findings]:
    """Return how a patient is asked, and the codes that one may have."""
    if not through_chat:
        triage = Triage(loader.load_pathway())
        return partial(by_rules, triage), triage.pathway.codes
    library = loader.load()
    return partial(by_chat, library), library.pathway.codes


def by_rules(triage: Triage, vignette: Vignette) -> Scored:
    """Return what the rules alone say to all that is written of a patient."""
    assessed = triage.assess(vignette.findings)
    named = tuple(f.condition for f in assessed.differential)
    return Scored(Outcome(vignette, assessed.urgency, named), rules=tuple(f.rule.id for f in assessed.fired))


def by_chat(library: Library, vignette: Vignette) -> Scored:
    """Return what a patient who plays the whole conversation is told; raise Lost, naming them, where it has no end."""
    try:
        played = play(library, vignette.findings, now=NOW)
    except Lost as error:
        raise Lost(f"{vignette.id}: {error}") from None
    return Scored(Outcome(vignette, played.verdict.urgency, played.verdict.conditions), played=played)


def _vignette(line: str, vocabulary: Findings) -> Vignette:
    plain = msgspec.json.decode(line, type=_Line)
    findings = frozenset(plain.findings)
    if unknown := findings - vocabulary:
        raise UnknownFinding(unknown)
    return Vignette(str(plain.id), findings, plain.urgency, plain.floor, plain.ceiling, frozenset(plain.conditions))


def _with_progress(vignettes: Sequence[Vignette], ask: Ask) -> Iterator[Scored]:
    """Yield what comes of each patient, with a count for whoever waits at a terminal."""
    shown = sys.stderr.isatty()
    try:
        for number, vignette in enumerate(vignettes, start=1):
            if shown:
                print(f"\r{number} of {len(vignettes)}", end="", file=sys.stderr, flush=True)
            yield ask(vignette)
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _row(name: str, t: Tally) -> str:
    shares = (share(t.right, t.patients), share(t.safe, t.patients), share(t.top_1, t.scored), share(t.top_3, t.scored))
    counts = (t.patients, t.dangerous, t.under, t.over, t.far_over)
    return f"{name:12}" + "".join((*(f"{c:>8}" for c in counts), *(f"{s:>6.0f} %" for s in shares)))


def _miss(scored: Scored) -> str:
    o, v = scored.outcome, scored.outcome.vignette
    accepted = v.floor.value if v.floor is v.ceiling else f"{v.floor.value} to {v.ceiling.value}"
    lines = [f"  {v.id}: {', '.join(o.faults)}. Told {o.told.value}; accepted {accepted}."]
    if scored.rules:
        lines.append(f"      rules: {', '.join(scored.rules)}")
    if o.scored and not o.named_in(NAMED_FIRST):
        named = ", ".join(o.conditions[:NAMED_FIRST]) or "nothing"
        lines.append(f"      named: {named}; right: {', '.join(sorted(v.conditions))}")
    return "\n".join(lines)


def _effort(scored: Sequence[Scored]) -> dict[str, float]:
    """Return the median taps and words of the checks that were played; of rules alone, nothing."""
    every = [s.played for s in scored if s.played]
    calm = [s.played for s in scored if s.played and s.outcome.vignette.urgency in NOT_URGENT] or every
    if not every:
        return {}
    return {
        "taps": median(p.taps for p in every),
        "taps_not_urgent": median(p.taps for p in calm),
        "words": median(p.words for p in every),
        "words_not_urgent": median(p.words for p in calm),
    }


def _tally_json(t: Tally) -> dict[str, float]:
    shares = {"right_percent": share(t.right, t.patients), "safe_percent": share(t.safe, t.patients)}
    shares |= {"top_1_percent": share(t.top_1, t.scored), "top_3_percent": share(t.top_3, t.scored)}
    return {**asdict(t), **{name: round(value, 1) for name, value in shares.items()}}


def _patient_json(scored: Scored) -> dict[str, Any]:
    o, v, played = scored.outcome, scored.outcome.vignette, scored.played
    plain: dict[str, Any] = {
        "id": v.id,
        "label": v.urgency.value,
        "floor": v.floor.value,
        "ceiling": v.ceiling.value,
        "urgency": o.told.value,
        "faults": list(o.faults),
        "conditions": list(o.conditions),
    }
    if played is None:
        return {**plain, "rules": list(scored.rules)}
    return {**plain, "taps": played.taps, "words": played.words, "asked": list(played.asked)}
