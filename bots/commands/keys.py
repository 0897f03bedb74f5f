"""`hipwise keys`: the keys that what members tell is kept under."""

import argparse
import asyncio
import sys

from bots import bootstrap
from bots.key_file import KEY_FILE, KEYS
from core.errors import SettingsError
from core.storage import StorageUnavailable
from core.vault import new_key_text

WHERE = f"""\
That line is a new key, shown only once. Keep a copy in a safe place, away from the database and its backups.
A first key: set {KEYS} to it, or make it the only line of the file that {KEY_FILE} names (mode 0600).
A newer key: put it in front of the old ones, {KEYS}=NEW,OLD, or a line each in the file, the new one first.
The first key writes. The old ones must stay, for they open what they once wrote,
until nothing runs and `hipwise keys rotate` has put everything under the first."""


def run(argv: list[str]) -> int:
    """Do what is asked with keys; the key goes to standard output, and where to put it to standard error."""
    parser = argparse.ArgumentParser(prog="hipwise keys", description="The keys that personal data is kept under.")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("new", help="print a new key").set_defaults(act=new)
    actions.add_parser("rotate", help="put everything under the first key").set_defaults(act=rotate)
    code: int = parser.parse_args(argv).act()
    return code


def new() -> int:
    """Print a new key, and where to put it."""
    print(new_key_text(), flush=True)
    print(WHERE, file=sys.stderr)
    return 0


def rotate() -> int:
    """Put everything under the first key; return 2 where the store cannot be used, with nothing changed."""
    try:
        count = asyncio.run(_rewrapped())
    except (SettingsError, StorageUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Put under the first key: {count}. Only backups made before now still need the other keys.")
    return 0


async def _rewrapped() -> int:
    async with bootstrap.existing_store() as store:
        return await store.rewrap()
