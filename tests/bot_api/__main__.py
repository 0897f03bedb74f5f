"""The server in a process of its own: `PYTHONPATH=tests python -m bot_api`.

Its first line of output is its root; control.py says how it is driven. It ends with SIGTERM.
"""

import argparse
import asyncio
import signal

from bot_api.control import add_control
from bot_api.limits import OVERALL, Limits
from bot_api.server import BotApi, Pace


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="bot_api", description="A Bot API on loopback")
    parser.add_argument("--port", type=int, default=0, help="a free one if it is 0")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds until something takes place")
    parser.add_argument("--jitter", type=float, default=0.0, help="up to so many seconds more")
    parser.add_argument("--limit", choices=("none", "lenient", "lockout"), default="none", help="30 sends a second")
    asyncio.run(_serve(parser.parse_args()))


async def _serve(asked: argparse.Namespace) -> None:
    server = BotApi(port=asked.port, pace=Pace(latency=asked.latency, jitter=asked.jitter))
    if asked.limit != "none":
        server.limits = Limits(overall=OVERALL, lockout=5.0 if asked.limit == "lockout" else None)
    add_control(server)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with server:
        print(server.url, flush=True)  # noqa: T201 - whoever started it reads where it is
        await ended.wait()


if __name__ == "__main__":
    main()
