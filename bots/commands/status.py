"""`hipwise status`: how it is, in counts."""

import argparse
import asyncio
import json
import sys

from bots import bootstrap
from bots.control import NoAnswer
from content.loader import ContentError
from core.errors import SettingsError
from core.storage import StorageUnavailable


def run(argv: list[str]) -> int:
    """Print how Hipwise is; return 0 where all is well, 1 where something must be looked at, 2 where it cannot be told."""
    parser = argparse.ArgumentParser(prog="hipwise status", description="How Hipwise is, in counts.")
    parser.add_argument("--json", action="store_true", help="the same as one JSON object")
    as_json: bool = parser.parse_args(argv).json
    try:
        answer = asyncio.run(bootstrap.operate("status"))
    except (SettingsError, ContentError, StorageUnavailable, NoAnswer) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(answer["status"], indent=2) if as_json else answer["text"])
    return 1 if answer["status"]["problems"] else 0
