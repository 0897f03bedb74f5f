"""`hipwise keys`: the keys that what members tell is kept under."""

import argparse
import sys

from bots.key_file import KEY_FILE, KEYS
from core.vault import new_key_text

WHERE = f"""\
That line is a new key, shown only once. Keep a copy in a safe place, away from the database and its backups.
A first key: set {KEYS} to it, or make it the only line of the file that {KEY_FILE} names (mode 0600).
A newer key: put it in front of the old ones, {KEYS}=NEW,OLD, or a line each in the file, the new one first.
The first key writes. The old ones must stay, for they open what they once wrote."""


def run(argv: list[str]) -> int:
    """Do what is asked with keys; the key goes to standard output, and where to put it to standard error."""
    parser = argparse.ArgumentParser(prog="hipwise keys", description="Make the keys that personal data is kept under.")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("new", help="print a new key").set_defaults(act=new)
    code: int = parser.parse_args(argv).act()
    return code


def new() -> int:
    """Print a new key, and where to put it."""
    print(new_key_text(), flush=True)
    print(WHERE, file=sys.stderr)
    return 0
