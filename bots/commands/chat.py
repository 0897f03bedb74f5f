"""`hipwise chat`: the conversation in the terminal."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterable, AsyncIterator

from bots import bootstrap, logs
from bots.console import chat, json_lines
from bots.console.lines import TypedLines, left_as_found
from content.loader import ContentError
from core.companion import Companion
from core.errors import SettingsError

PROMPT = "\n> "


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
        asyncio.run(json_lines.talk(companion, _piped(), _write) if as_json else _talk(companion))
    except KeyboardInterrupt:
        print()
    return 0


async def converse(companion: Companion, lines: AsyncIterable[str]) -> None:
    """Talk to a person, by these lines and on standard output, until there are no more."""
    await chat.talk(companion, lines, _write, chat.Style.of_terminal())


async def _talk(companion: Companion) -> None:
    if not sys.stdin.isatty():
        await converse(companion, _piped())
        return
    with left_as_found():
        await converse(companion, TypedLines(PROMPT))


async def _piped() -> AsyncIterator[str]:
    """Yield standard input line by line; bytes that are not text are replaced, never fatal."""
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr] # standard input is always a text file here
    # A script waits for each answer, so there is nothing else for the loop to do meanwhile.
    while line := sys.stdin.readline():
        yield line


def _write(text: str) -> None:
    print(text, flush=True)
