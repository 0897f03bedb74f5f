"""`hipwise keys`: the keys that what members tell is kept under."""

import argparse
import asyncio
import sys

from bots import bootstrap
from bots.control import NoAnswer
from bots.key_file import KEY_FILE, KEYS
from content.loader import ContentError
from core.errors import SettingsError
from core.storage import StorageUnavailable
from core.vault import new_key_text

WHERE = f"""\
That line is a new key, shown only once. Keep a copy in a safe place, away from the database and its backups.
A first key: set {KEYS} to it, or make it the only line of the file that {KEY_FILE} names (mode 0600).
A newer key: put it in front of the old ones, {KEYS}=NEW,OLD, or a line each in the file, the new one first.
The first key writes. The old ones must stay, for they open what they once wrote,
until Hipwise was started with both and `hipwise keys rotate` has put everything under the first."""
DONE = """\
Put under the first key, {key}: {count}. Everything is under it now.
Only backups made before now still need the other keys."""
NOT_READ = """\
The Hipwise that runs does not know the key {new} yet, which is the first here: its own first key is {runs}.
Nothing was put under {new}. Restart Hipwise so that it reads it, and run this again."""


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
    """Put everything under the first key; return 2 where that could not be done, with everything under the key it was."""
    try:
        done = asyncio.run(bootstrap.operate("rotate"))
    except (SettingsError, ContentError, StorageUnavailable, NoAnswer) as error:
        print(error, file=sys.stderr)
        return 2
    if (set_first := _first_key()) not in (None, done["key"]):
        print(NOT_READ.format(runs=done["key"], new=set_first), file=sys.stderr)
        return 2
    print(DONE.format(**done))
    return 0


def _first_key() -> str | None:
    """Return the id of the key that the settings put first; None where this user cannot read the keys."""
    try:
        return bootstrap.ring().writer.id
    except SettingsError:
        return None
