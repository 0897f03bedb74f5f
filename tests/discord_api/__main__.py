"""The server in a process of its own: `PYTHONPATH=tests python -m discord_api`.

Its first line of output is the address of its REST API, the second that of its gateway; control.py says how it is
driven. It ends with SIGTERM.
"""

import argparse
import asyncio
import signal

from discord_api.control import add_control
from discord_api.limits import OVERALL, Limits
from discord_api.server import DiscordApi


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="discord_api", description="A Discord on loopback")
    parser.add_argument("--port", type=int, default=0, help="a free one if it is 0")
    parser.add_argument("--dropped", type=float, default=0.0, help="the share of responses that are lost")
    parser.add_argument("--limit", action="store_true", help="50 requests a second")
    asyncio.run(_serve(parser.parse_args()))


async def _serve(asked: argparse.Namespace) -> None:
    api = DiscordApi(port=asked.port)
    api.faults.dropped = asked.dropped
    api.limits = Limits(overall=OVERALL if asked.limit else None)
    add_control(api)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with api:
        print(api.url, api.gateway_url, sep="\n", flush=True)  # noqa: T201 - whoever started it reads where it is
        await ended.wait()


if __name__ == "__main__":
    main()
