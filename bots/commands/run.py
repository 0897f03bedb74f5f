"""`hipwise run`: start the bot."""

import argparse
import asyncio
import sys

from bots import bootstrap, logs
from bots.bootstrap import Keeping
from bots.commands.chat import PROMPT, converse
from bots.console.lines import TypedLines, left_as_found
from bots.settings import Settings
from content.loader import ContentError
from core.companion import Companion
from core.errors import SettingsError
from core.storage import StorageUnavailable

CONNECT = (
    "No platform is connected: this is the conversation itself, in your terminal.\n"
    'To connect Telegram or Discord, see "Connect it" in README.md.'
)
NOWHERE = (
    "Nothing to run: no platform is connected and there is no terminal to talk in.\n"
    'See "Connect it" in README.md, or start this from a terminal.'
)


def run(argv: list[str]) -> int:
    """Open the conversation where there is a terminal; return 2, and say why, where there is none or nothing can be kept."""
    argparse.ArgumentParser(prog="hipwise run", description="Start Hipwise.").parse_args(argv)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(NOWHERE, file=sys.stderr)
        return 2
    try:
        settings = bootstrap.settings()
        logs.set_up(settings.log_level)
        asyncio.run(_run(settings, bootstrap.keeping(settings)))
    except (SettingsError, ContentError, StorageUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print()
    return 0


async def _run(settings: Settings, keeping: Keeping) -> None:
    """Run until told to stop, or until the conversation ends."""
    asyncio.get_running_loop().set_exception_handler(logs.loop_failed)
    if keeping.notice:
        print(f"{keeping.notice}\n")
    async with bootstrap.running(settings, keeping, tell=_tell) as running:
        print(CONNECT)
        await running.attend(_terminal)


def _tell(sentence: str) -> None:
    """Say something to the operator, who may be talking in the same terminal."""
    print(sentence, file=sys.stderr)


async def _terminal(companion: Companion) -> None:
    """Talk in the terminal until the input ends. Cancelled, it finishes the turn in hand and reads no further line."""
    lines = TypedLines(PROMPT)
    with left_as_found():
        talk = asyncio.create_task(converse(companion, lines))
        try:
            await asyncio.shield(talk)
        except asyncio.CancelledError:
            lines.end()
            await talk
            print()
