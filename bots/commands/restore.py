"""`hipwise restore`: a backup in the place of what is kept."""

import argparse
import sys
from pathlib import Path

from bots import bootstrap
from core.errors import SettingsError
from core.storage import Restored, Step, StorageUnavailable, Tell

SAYS = {
    Step.COPY: "Copying the backup",
    Step.CHECK: "Checking it",
    Step.ERASE: "Erasing again whoever was erased since",
    Step.PUT_ASIDE: "Putting aside what was there",
    Step.REPLACE: "Putting the backup in its place",
}
TOLD_EVERY = 10
"""Per cent."""

UNREAD = """\
Lines of the list of erased members that these keys do not open: {count}. Whoever they name may be back.
If you have an older key, add it behind the others and restore once more."""
UNREADABLE = "Members whose key was damaged when the backup was made: {count}. They start anew."
ASIDE = "What was there before is kept for 30 days: {path}"


def run(argv: list[str]) -> int:
    """Put a backup in the place of the database; return 2 where that cannot be, with the old one in its place."""
    parser = argparse.ArgumentParser(prog="hipwise restore", description="Put a backup in the place of what is kept.")
    parser.add_argument("file", metavar="FILE", type=Path, help="the backup")
    parser.add_argument("--force", action="store_true", help="even where what is there now holds something that it does not")
    args = parser.parse_args(argv)
    try:
        restored = bootstrap.restore(args.file, force=args.force, tell=_teller())
    except (SettingsError, StorageUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    _say(args.file, restored)
    return 0


def _say(backup: Path, restored: Restored) -> None:
    print(f"Put back: {backup} (members: {restored.members}; erased again: {restored.erased})")
    if restored.aside:
        print(ASIDE.format(path=restored.aside))
    if restored.unreadable:
        print(UNREADABLE.format(count=restored.unreadable), file=sys.stderr)
    if restored.unread:
        print(UNREAD.format(count=restored.unread), file=sys.stderr)


def _teller() -> Tell:
    """Return what shows on a terminal how far it is, and says nothing into a pipe."""
    told: set[tuple[Step, int]] = set()

    def tell(step: Step, done: int, whole: int) -> None:
        percent = done * 100 // whole // TOLD_EVERY * TOLD_EVERY
        if sys.stdout.isatty() and (step, percent) not in told:
            told.add((step, percent))
            print(f"{SAYS[step]}: {percent} %" if whole > 1 else f"{SAYS[step]} ...", flush=True)

    return tell
