"""The command line: `hipwise ...`, the same as `python -m bots ...`."""

import importlib
import sys

COMMANDS = {
    "run": "start the bot; without a token, the conversation opens here",
    "chat": "talk to it in the terminal (--json for scripts)",
    "assess": "findings in, urgency and rules out, as JSON lines",
    "audit": "score a file of patients (--through-chat plays them)",
    "proof": "every rule, its source and its floor; exits 1 if one cannot fire",
    "content": "check the content; lists what nobody has signed off",
    "status": "how it is, in counts (--json for scripts); exits 1 if something must be looked at",
    "doctor": "look at settings, keys, database, disk and clock; says what to do",
    "keys": "make a key for what members tell, or change to a newer one",
    "backup": "copy what is kept, sealed and checked, into one file",
    "restore": "put a backup in the place of what is kept",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 a finding that must be looked at, 2 wrong use or settings."""
    args = sys.argv[1:] if argv is None else argv
    name = args[0] if args else "--help"
    if name in ("-h", "--help", "help"):
        print(usage())
        return 0
    if name not in COMMANDS:
        print(f"hipwise: no command {name!r}\n\n{usage()}", file=sys.stderr)
        return 2
    # Imported by name, so that a command loads only what it needs.
    code: int = importlib.import_module(f"bots.commands.{name}").run(args[1:])
    return code


def usage() -> str:
    """Return the commands, a line each."""
    lines = (f"  hipwise {name:<8} {says}" for name, says in COMMANDS.items())
    return "\n".join(("Hipwise: a hip check for running clubs. Education, not diagnosis.", "", *lines))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        sys.exit(0)
