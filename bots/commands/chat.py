"""`hipwise chat`: the conversation in the terminal."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from functools import partial

from bots import bootstrap, logs
from bots.console import chat, json_lines
from bots.console.days import Days
from bots.console.lines import TypedLines, left_as_found
from bots.settings import Settings
from content.loader import ContentError
from core.companion import Companion
from core.errors import SettingsError, StorageUnavailable

PROMPT = "\n> "
MOST_DAYS = 366


def run(argv: list[str]) -> int:
    """Talk until the input ends, keeping nothing beyond it; return 2 where settings or content cannot be used."""
    parser = argparse.ArgumentParser(prog="hipwise chat", description="Talk to Hipwise in the terminal.")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, in and out")
    says = f"live through so many days, 1 to {MOST_DAYS}, on a clock that you move, with all that is written first in them"
    parser.add_argument("--days", type=_number_of_days, metavar="N", help=says)
    given = parser.parse_args(argv)
    try:
        settings = bootstrap.settings()
        logs.set_up(settings.log_level)
        conversation = (
            _talk(settings, as_json=given.json) if given.days is None else _live(settings, given.days, as_json=given.json)
        )
        asyncio.run(conversation)
    except (SettingsError, ContentError, StorageUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print()
    return 0


async def converse(companion: Companion, lines: AsyncIterable[str]) -> None:
    """Talk to a person, by these lines and on standard output, until there are no more."""
    await chat.talk(companion, lines, _write, chat.Style.of_terminal())


async def _talk(settings: Settings, *, as_json: bool) -> None:
    companion = bootstrap.companion(settings)
    if as_json:
        await json_lines.talk(companion, _piped(), _write)
    else:
        await _by_lines(partial(converse, companion))


async def _live(settings: Settings, number: int, *, as_json: bool) -> None:
    async with bootstrap.days(settings, number) as days:
        if as_json:
            await json_lines.live(days, _piped(), _write)
        else:
            await _by_lines(partial(_live_on, days))


async def _live_on(days: Days, lines: AsyncIterable[str]) -> None:
    await chat.live(days, lines, _write, chat.Style.of_terminal())


async def _by_lines(converse: Callable[[AsyncIterable[str]], Awaitable[None]]) -> None:
    if not sys.stdin.isatty():
        await converse(_piped())
        return
    with left_as_found():
        await converse(TypedLines(PROMPT))


async def _piped() -> AsyncIterator[str]:
    """Yield standard input line by line; bytes that are not text are replaced, never fatal."""
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr] # standard input is always a text file here
    # A script waits for each answer, so there is nothing else for the loop to do meanwhile.
    while line := sys.stdin.readline():
        yield line


def _number_of_days(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{number} is not between 1 and {MOST_DAYS}")
    return number


def _write(text: str) -> None:
    print(text, flush=True)
