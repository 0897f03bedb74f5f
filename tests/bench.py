"""What it costs: `make bench`. Process CPU time, each figure beside its baseline measured in the same run."""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from content import loader
from core.dialogue import Command, Inbound, Prompt, Role, Session, Tap, Turn, Verdict, advance, from_json, to_json
from core.members import Address, Preferences

ROOT = Path(__file__).parent.parent
HERE = Address("bench", "1")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ROUNDS = 300
LIBRARY = loader.load()


def main() -> None:
    """Print every figure, its baseline and its limit."""
    journey = _a_long_check()
    question = [turn for turn in journey if not turn[2]]
    verdict = [turn for turn in journey if turn[2]]
    _turns("a question turn", question, limit_ms=0.5)
    _turns("a verdict turn", verdict, limit_ms=3.0)
    _assessments()
    _start()


def _a_long_check() -> list[tuple[str, str, bool]]:
    """Return (session as JSON, token pressed, whether a verdict came) for each turn of a routine check of the groin."""
    holds = {
        "age_18_44",
        "place_groin_front",
        "dur_2_6w",
        "run_warms_up",
        "hurts_knee_lift",
        "onset_gradual",
        "feel_tight",
    }
    turns: list[tuple[str, str, bool]] = []
    turn = _advance(None, Command(HERE, "hip"))
    while not isinstance(turn.replies[-1], Verdict):
        token = _press(turn, holds)
        kept = json.dumps(to_json(_session(turn)))
        turn = _advance(_session(turn), Tap(HERE, token))
        turns.append((kept, token, isinstance(turn.replies[-1], Verdict)))
    return turns


def _press(turn: Turn, holds: set[str]) -> str:
    prompt = turn.replies[-1]
    if not isinstance(prompt, Prompt):
        raise TypeError(prompt)
    fits = [b for b in prompt.choices if b.role is Role.ANSWER and b.findings & holds and not b.ticked]
    ticked = any(b.ticked for b in prompt.choices)
    role = Role.DONE if ticked else Role.NONE
    return fits[0].tap if fits else next(b.tap for b in prompt.choices if b.role is role)


def _advance(session: Session | None, inbound: Inbound) -> Turn:
    return advance(LIBRARY, session, Preferences(region="GB"), inbound, now=NOW, fresh="0123456789abcdef")


def _session(turn: Turn) -> Session:
    if turn.session is None:
        raise ValueError("no session is open")
    return turn.session


def _turns(name: str, turns: list[tuple[str, str, bool]], limit_ms: float) -> None:
    """Time whole turns, session decoded and encoded again, beside json.loads and dumps of the same sessions alone."""

    def whole() -> None:
        for kept, token, _ in turns:
            turn = _advance(from_json(json.loads(kept)), Tap(HERE, token))
            json.dumps(to_json(_session(turn)))

    def alone() -> None:
        for kept, _, _ in turns:
            json.dumps(json.loads(kept))

    cost, base = _cpu_ms(whole) / len(turns), _cpu_ms(alone) / len(turns)
    print(f"{name}: {cost:.3f} ms CPU (limit {limit_ms} ms); json alone {base:.3f} ms; {cost / base:.0f}x")


def _cpu_ms(work: Callable[[], None]) -> float:
    """Return the median CPU time of one call, in milliseconds, over rounds of calls after a warm-up."""
    work()
    samples = []
    for _ in range(9):
        start = time.process_time()
        for _ in range(ROUNDS // 9):
            work()
        samples.append((time.process_time() - start) / (ROUNDS // 9) * 1000)
    return statistics.median(samples)


def _assessments() -> None:
    lines = (ROOT / "tests/data/vignettes.jsonl").read_text(encoding="utf-8").splitlines()
    sets = [frozenset(json.loads(line)["findings"]) for line in lines]
    thousand = (sets * (1000 // len(sets) + 1))[:1000]

    def whole() -> None:
        for findings in thousand[:100]:
            LIBRARY.triage.assess(findings)

    def alone() -> None:
        for findings in thousand[:100]:
            json.dumps(sorted(findings))

    cost, base = _cpu_ms(whole) * 10, _cpu_ms(alone) * 10
    print(f"1,000 assessments: {cost:.0f} ms CPU; json.dumps of the same findings {base:.1f} ms")


def _start() -> None:
    chat = _children_cpu([sys.executable, "-m", "bots", "chat"])
    bare = _children_cpu([sys.executable, "-c", "import asyncio, json"])
    print(f"start of hipwise chat to the first prompt: {chat:.2f} s CPU (limit 0.5 s); bare Python with asyncio {bare:.2f} s")


def _children_cpu(command: list[str]) -> float:
    """Return the median CPU seconds of a process that finds its input at its end, from start to exit."""
    samples = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=ROOT, check=True)  # noqa: S603 - our own command
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        samples.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(samples)


if __name__ == "__main__":
    main()
