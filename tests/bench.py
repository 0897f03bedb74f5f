"""What it costs: `make bench`. Each figure beside its baseline, measured in the same run, and beside its limit.

It takes about half an hour, and 4 GB in build/ meanwhile; longest of all a fan-out to 3,000 members, at 30 a second.
`make bench ARGS=outreach` measures what is written first alone: fan-outs and claims, in twelve minutes or so.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

import bench_claims
import bench_discord
import bench_fanout
import bench_growth
import bench_send
import bench_start
import bench_store
import bench_telegram
import bench_turns


def main(words: Sequence[str]) -> None:
    """Print every figure, its baseline and its limit."""
    _say_if_busy()
    if "outreach" in words:
        _outreach()
        return
    bench_turns.report()
    bench_start.report()
    asyncio.run(bench_store.report())
    bench_send.report()
    bench_telegram.report()
    bench_discord.report()
    bench_growth.report()
    _outreach()


def _outreach() -> None:
    bench_claims.report()
    bench_fanout.report()


def _say_if_busy() -> None:
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load > processors / 2:
        print(f"This machine is busy (load {load:.1f}, {processors} processors): the figures are worse than they would be.")


if __name__ == "__main__":
    main(sys.argv[1:])
