"""What it costs: `make bench`. Each figure beside its baseline, measured in the same run, and beside its limit.

It takes about ten minutes, and 3 GB in build/ meanwhile. `make bench ARGS=--large` also sends to 3,000 members.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

import bench_discord
import bench_growth
import bench_send
import bench_start
import bench_store
import bench_telegram
import bench_turns


def main(words: Sequence[str]) -> None:
    """Print every figure, its baseline and its limit."""
    _say_if_busy()
    bench_turns.report()
    bench_start.report()
    asyncio.run(bench_store.report())
    bench_send.report(*((600, 3000) if "--large" in words else (600,)))
    bench_telegram.report()
    bench_discord.report()
    bench_growth.report()


def _say_if_busy() -> None:
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load > processors / 2:
        print(f"This machine is busy (load {load:.1f}, {processors} processors): the figures are worse than they would be.")


if __name__ == "__main__":
    main(sys.argv[1:])
