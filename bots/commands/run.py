"""`hipwise run`: start the bot."""

import argparse
import asyncio
import sys

from bots import bootstrap, logs
from bots.bootstrap import Keeping
from bots.commands import chat
from bots.settings import Settings
from content.loader import ContentError
from core.errors import SettingsError
from core.ports import Records
from core.storage import StorageUnavailable, back_up_if_due

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
        asyncio.run(_talk(settings, bootstrap.keeping(settings)))
    except (SettingsError, ContentError, StorageUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print()
    return 0


async def _talk(settings: Settings, keeping: Keeping) -> None:
    """Talk until the input ends, with the store open for as long, if there is one."""
    if keeping.notice:
        print(f"{keeping.notice}\n")
    if keeping.store is None:
        await _converse(settings, None)
        return
    async with keeping.store as store:
        await store.purge(bootstrap.now())
        await back_up_if_due(store, bootstrap.backups(), bootstrap.now())
        await _converse(settings, bootstrap.records(settings, store))


async def _converse(settings: Settings, records: Records | None) -> None:
    companion = bootstrap.companion(settings, records)
    print(CONNECT)
    await chat.converse(companion)
