"""`hipwise run`: start the bot."""

import argparse
import asyncio
import sys

from bots import bootstrap, logs
from bots.bootstrap import Keeping
from bots.commands.chat import PROMPT, converse
from bots.console.lines import TypedLines, left_as_found
from bots.settings import Settings
from bots.telegram.settings import WEBHOOK_URL
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
STOP = "Ctrl-C stops it."
WORKER, WEB = "worker", "web"
NO_WEBHOOK = f"This is the process that listens for a webhook, and none is set: set {WEBHOOK_URL}, or run `hipwise run worker`."
A_WEBHOOK = f"This is the process that asks for updates, and {WEBHOOK_URL} is set: take it out, or run `hipwise run web`."


def run(argv: list[str]) -> int:
    """Run what is connected, or the conversation where there is a terminal; return 2, and say why, where neither can be."""
    parser = argparse.ArgumentParser(prog="hipwise run", description="Start Hipwise.")
    says = "on a host with several kinds of process: worker asks Telegram for updates, web listens for its webhook"
    parser.add_argument("process", nargs="?", choices=(WORKER, WEB), help=says)
    process = parser.parse_args(argv).process
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    try:
        settings = bootstrap.settings()
        if refusal := _refusal(settings, process, terminal=terminal):
            print(refusal, file=sys.stderr)
            return 2
        logs.set_up(settings.log_level)
        asyncio.run(_run(settings, bootstrap.keeping(settings, terminal=terminal)))
    except (SettingsError, ContentError, StorageUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print()
    return 0


def _refusal(settings: Settings, process: str | None, *, terminal: bool) -> str | None:
    """Return why this is not to be run here, if it is not."""
    webhook = settings.telegram is not None and settings.telegram.webhook is not None
    if process == WEB and not webhook:
        return NO_WEBHOOK
    if process == WORKER and webhook:
        return A_WEBHOOK
    return None if settings.connected or terminal else NOWHERE


async def _run(settings: Settings, keeping: Keeping) -> None:
    """Run until told to stop, or until the conversation ends."""
    asyncio.get_running_loop().set_exception_handler(logs.loop_failed)
    if keeping.notice:
        print(f"{keeping.notice}\n")
    async with bootstrap.running(settings, keeping, tell=_tell) as running:
        print(STOP if running.platforms else CONNECT, flush=True)
        await running.attend(*(running.platforms or (_terminal,)))


def _tell(sentence: str) -> None:
    """Say something to the operator, who may be talking in the same terminal."""
    print(sentence, file=sys.stderr, flush=True)


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
