"""`hipwise run`: start the bot."""

import argparse
import sys

from bots.commands import chat

CONNECT = (
    "No platform is connected: this is the conversation itself, in your terminal.\n"
    'To connect Telegram or Discord, see "Connect it" in README.md.'
)
NOWHERE = (
    "Nothing to run: no platform is connected and there is no terminal to talk in.\n"
    'See "Connect it" in README.md, or start this from a terminal.'
)


def run(argv: list[str]) -> int:
    """Open the conversation where there is a terminal; return 2, and say why, where there is none."""
    argparse.ArgumentParser(prog="hipwise run", description="Start Hipwise.").parse_args(argv)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(NOWHERE, file=sys.stderr)
        return 2
    print(CONNECT)
    return chat.talk()
