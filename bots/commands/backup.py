"""`hipwise backup`: what is kept, copied into one file and checked."""

import argparse
import asyncio
import sys

from bots import bootstrap
from bots.control import NoAnswer
from content.loader import ContentError
from core.errors import SettingsError, StorageUnavailable

MADE = """\
Backup made and checked: {path} ({size}; members: {members})
Now copy it off this machine, and the file `erased` beside it, to a place where the key is not: see docs/BACKUPS.md."""
UNREADABLE = (
    "Members whose key is damaged, in the backup as in the database: {count}.\n"
    "An older backup may still have them whole: keep one aside until you know."
)


def run(argv: list[str]) -> int:
    """Make a backup and say where it is; return 2 where none can be made, with nothing left of it."""
    argparse.ArgumentParser(prog="hipwise backup", description="Copy what is kept into one file.").parse_args(argv)
    try:
        made = asyncio.run(bootstrap.operate("backup"))
    except (SettingsError, ContentError, StorageUnavailable, NoAnswer) as error:
        print(error, file=sys.stderr)
        return 2
    print(MADE.format(path=made["path"], size=_in_words(made["bytes"]), members=made["members"]))
    if made["unreadable"]:
        print(UNREADABLE.format(count=made["unreadable"]), file=sys.stderr)
    return 0


def _in_words(size: int) -> str:
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{size / 2**10:.0f} kB"
