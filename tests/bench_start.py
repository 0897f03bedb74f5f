"""What it costs to start, in a process of its own."""

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench_cost import reached

ROOT = Path(__file__).parent.parent
LIMIT = 0.5


def report() -> None:
    """Print the processor time from the start of the program to its first prompt."""
    chat = _cpu([sys.executable, "-m", "bots", "chat"])
    bare = _cpu([sys.executable, "-c", "import asyncio, json"])
    limit = f"limit {LIMIT} s: {reached(chat <= LIMIT)}"
    print(f"start of hipwise chat to the first prompt: {chat:.2f} s CPU ({limit}); bare Python with asyncio {bare:.2f} s")


def _cpu(command: Sequence[str]) -> float:
    """Return the median processor seconds of a process that finds its input at its end, from start to exit."""
    samples = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=ROOT, check=True)  # noqa: S603 - our own command
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        samples.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return median(samples)
