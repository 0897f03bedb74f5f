"""What it costs to decide: turns of a check without a store, and rules. Processor time beside that of the JSON alone."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench_check import HERE, LIBRARY, Step, long_check, session, step
from bench_cost import ROUNDS, reached
from core.dialogue import Tap, from_json, to_json

VIGNETTES = Path(__file__).parent / "data/vignettes.jsonl"
CALLS = 33


def report() -> None:
    """Print the cost of a question, of a result, and of the rules."""
    check = long_check()
    _turns("a question turn", [one for one in check if not one.ends], limit_ms=0.5)
    _turns("a verdict turn", [one for one in check if one.ends], limit_ms=3.0)
    _assessments()


def _turns(name: str, steps: Sequence[Step], limit_ms: float) -> None:
    """Time whole turns, session decoded and encoded again, beside json.loads and dumps of the same sessions alone."""

    def whole() -> None:
        for one in steps:
            turn = step(from_json(json.loads(one.kept)), Tap(HERE, one.token))
            json.dumps(to_json(session(turn)))

    def alone() -> None:
        for one in steps:
            json.dumps(json.loads(one.kept))

    cost, base = _cpu_ms(whole) / len(steps), _cpu_ms(alone) / len(steps)
    limit = f"limit {limit_ms} ms: {reached(cost <= limit_ms)}"
    print(f"{name}: {cost:.3f} ms CPU ({limit}); json alone {base:.3f} ms; {cost / base:.0f}x")


def _assessments() -> None:
    sets = [frozenset(json.loads(line)["findings"]) for line in VIGNETTES.read_text(encoding="utf-8").splitlines()]
    hundred = (sets * (100 // len(sets) + 1))[:100]

    def whole() -> None:
        for findings in hundred:
            LIBRARY.triage.assess(findings)

    def alone() -> None:
        for findings in hundred:
            json.dumps(sorted(findings))

    cost, base = _cpu_ms(whole) * 10, _cpu_ms(alone) * 10
    print(f"1,000 assessments: {cost:.0f} ms CPU; json.dumps of the same findings {base:.1f} ms")


def _cpu_ms(work: Callable[[], None]) -> float:
    """Return the median processor time of one call, in milliseconds, over rounds of calls after a warm-up."""
    work()
    samples = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(CALLS):
            work()
        samples.append((time.process_time() - start) / CALLS * 1000)
    return median(samples)
