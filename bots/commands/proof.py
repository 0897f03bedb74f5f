"""`hipwise proof`: what can be shown of the rules without a patient."""

import argparse
import json
import random
import sys
from collections.abc import Iterator
from typing import Any

from content import loader
from content.loader import ContentError
from core.clinical import Findings, Pathway, Rule
from core.proof import Alone, Monotonicity, Proof, Reach, prove
from core.triage import Triage

TRIES = 20_000
SEED = 2026
MOST_TOLD = 12
"""Findings in a random set; someone with a sore hip tells about ten."""


def run(argv: list[str]) -> int:
    """Show every proof; return 1 where one fails, 2 where the content cannot be used."""
    parser = argparse.ArgumentParser(prog="hipwise proof", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--seed", type=int, default=SEED, help="of the random sets of findings (default: %(default)s)")
    parser.add_argument("--tries", type=int, default=TRIES, help="how many random sets (default: %(default)s)")
    args = parser.parse_args(argv)
    try:
        triage = Triage(loader.load_pathway())
    except ContentError as error:
        print(f"hipwise proof: {error}", file=sys.stderr)
        return 2
    proof = prove(triage, random_tries(triage.pathway, seed=args.seed, tries=args.tries))
    print(json.dumps(as_json(proof), indent=2) if args.json else "\n".join(as_text(proof)))
    return 0 if proof.holds else 1


def random_tries(pathway: Pathway, *, seed: int, tries: int) -> Iterator[tuple[Findings, str]]:
    """Yield sets of findings, each with one to add: by turns from the vocabulary, and from what the rules look for.

    The same seed yields the same sets.
    """
    chance = random.Random(seed)  # noqa: S311 - a proof must be repeatable, not unguessable
    vocabulary = sorted(pathway.codes)
    for number in range(tries):
        told = frozenset(chance.sample(vocabulary, chance.randint(0, MOST_TOLD)))
        added = chance.choice(vocabulary)
        if number % 2:
            told = told | _enough_for(chance.choice(pathway.rules), chance)
            added = chance.choice(sorted(_enough_for(chance.choice(pathway.rules), chance)))
        yield told, added


def as_json(proof: Proof) -> dict[str, Any]:
    """Return the proof as plain JSON values."""
    return {
        "holds": proof.holds,
        "version": proof.version,
        "rules": [_rule_json(r) for r in proof.rules],
        "red_flags_alone": [_alone_json(a) for a in proof.alone],
        "monotonicity": _monotonicity_json(proof.monotonicity),
        "fields_that_could_ask_for_absence": list(proof.absences),
        "without_source": list(proof.unsourced),
        "ungivable": {u.rule: list(u.codes) for u in proof.ungivable},
        "unreachable": list(proof.unreachable),
        "shadowed": {s.rule: s.by for s in proof.shadowed},
        "questions": [_reach_json(r) for r in proof.reach],
    }


def as_text(proof: Proof) -> Iterator[str]:
    """Yield the proof for a reader, the outcome last."""
    yield f"Pathway {proof.version}"
    yield f"\nRules ({len(proof.rules)}), each with its sources"
    yield from (_rule_line(r) for r in proof.rules)
    yield "\nRed-flag answers alone: no result is less urgent for someone who gave one"
    yield from (_alone_line(a) for a in proof.alone)
    yield "\nWhat each question can change"
    yield from (_reach_line(r) for r in proof.reach)
    yield f"\nRules that never decide alone ({len(proof.shadowed)}): not a fault"
    yield from (f"  {s.rule}: whenever it fires, so does {s.by}" for s in proof.shadowed)
    yield "\nOutcome"
    yield from (f"  {line}" for line in _outcome(proof))


def _enough_for(rule: Rule, chance: random.Random) -> Findings:
    """Return findings that fire a rule: all that it needs and one of each list."""
    return rule.all | {chance.choice(sorted(group)) for group in rule.any}


def _outcome(proof: Proof) -> Iterator[str]:
    m = proof.monotonicity
    yield f"Adding a finding: {m.tried} tried, in {m.fired} a rule had fired, urgency fell {len(m.falls)} times."
    for fall in m.falls[:5]:
        yield f"  FELL from {fall.before.value} to {fall.after.value} with {fall.added} on {', '.join(fall.findings)}"
    yield f"Fields of a rule that could ask for an absent finding: {', '.join(proof.absences) or 'none'}."
    yield f"Rules without a source: {', '.join(proof.unsourced) or 'none'}."
    yield f"Rules that no conversation can fire: {', '.join(proof.unreachable) or 'none'}."
    ungivable = "; ".join(f"{u.rule} ({', '.join(u.codes)})" for u in proof.ungivable)
    yield f"Rules on findings that no answer gives: {ungivable or 'none'}."
    yield f"Questions that can change nothing: {', '.join(r.question for r in proof.reach if r.nothing) or 'none'}."
    yield "The proof holds." if proof.holds else "THE PROOF FAILS."


def _rule_line(rule: Rule) -> str:
    return f"  {rule.urgency.value:12}{rule.item or '-':4}{rule.id}: {', '.join(rule.sources) or 'NO SOURCE'}"


def _alone_line(alone: Alone) -> str:
    return f"  {alone.floor.value:12}{alone.code} ({alone.question}): {', '.join(alone.rules) or 'no rule of its own'}"


def _reach_line(reach: Reach) -> str:
    if reach.nothing:
        return f"  {reach.question}: NOTHING"
    urgencies = ", ".join(u.value for u in reach.urgencies) or "no urgency"
    idle = f"; nothing looks at: {', '.join(reach.idle)}" if reach.idle else ""
    return f"  {reach.question}: {len(reach.rules)} rules ({urgencies}), {len(reach.conditions)} patterns{idle}"


def _rule_json(rule: Rule) -> dict[str, Any]:
    plain = {"id": rule.id, "urgency": rule.urgency.value, "item": rule.item, "lifts": rule.lifts}
    return {**plain, "sources": list(rule.sources)}


def _alone_json(alone: Alone) -> dict[str, Any]:
    plain = {"code": alone.code, "question": alone.question, "floor": alone.floor.value}
    return {**plain, "urgency": alone.urgency.value, "rules": list(alone.rules)}


def _monotonicity_json(m: Monotonicity) -> dict[str, Any]:
    falls = [
        {"findings": list(f.findings), "added": f.added, "before": f.before.value, "after": f.after.value} for f in m.falls
    ]
    return {"tried": m.tried, "fired": m.fired, "falls": falls}


def _reach_json(reach: Reach) -> dict[str, Any]:
    return {
        "question": reach.question,
        "rules": list(reach.rules),
        "urgencies": [u.value for u in reach.urgencies],
        "reassurances": list(reach.reassurances),
        "conditions": list(reach.conditions),
        "idle": list(reach.idle),
        "changes_nothing": reach.nothing,
    }
