"""`hipwise chat`: the conversation in the terminal."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator

from bots import bootstrap, logs
from bots.console import chat, json_lines
from content.loader import ContentError
from core.companion import Companion
from core.errors import SettingsError


def run(argv: list[str]) -> int:
    """Talk until the input ends, keeping nothing beyond it; return 2 where settings or content cannot be used."""
    parser = argparse.ArgumentParser(prog="hipwise chat", description="Talk to Hipwise in the terminal.")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, in and out")
    as_json: bool = parser.parse_args(argv).json
    try:
        settings = bootstrap.settings()
        logs.set_up(settings.log_level)
        companion = bootstrap.companion(settings)
    except (SettingsError, ContentError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        asyncio.run(json_lines.talk(companion, _lines(), _write) if as_json else converse(companion))
    except KeyboardInterrupt:
        print()
    return 0


async def converse(companion: Companion) -> None:
    """Talk to a person on standard input and output until the input ends."""
    await chat.talk(companion, _lines("> "), _write, chat.Style.of_terminal())


async def _lines(prompt: str = "") -> AsyncIterator[str]:
    """Yield standard input line by line; bytes that are not text are replaced, never fatal."""
    interactive = sys.stdin.isatty()
    if interactive:
        import readline  # noqa: F401 - importing it is what gives input() its line editing
    else:
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr] # standard input is always a text file here
    while True:
        try:
            # One person talks to one terminal, so there is nothing else for the loop to do meanwhile.
            line = input(f"\n{prompt}") if interactive else sys.stdin.readline()  # noqa: ASYNC250
        except EOFError:
            return
        if not interactive and not line:
            return
        yield line


def _write(text: str) -> None:
    print(text, flush=True)
