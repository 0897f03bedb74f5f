"""`hipwise` at a terminal of its own, with a home folder of its own."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
OURS = ("DATABASE_URL", "DISCORD_", "HIPWISE_", "TELEGRAM_", "XDG_")


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return this process's environment as someone has it who lives in this folder and has set nothing else."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**rest, "HOME": str(home), "TERM": "dumb", "HIPWISE_ENV_FILE": os.devnull, **more}


def at_a_terminal(home: Path, *typed_keys: bytes, **more: str) -> tuple[int, str]:
    """Run `hipwise run` at a terminal, type each time it waits for a line; return its exit code and all that was shown."""
    with running(environment(home, **more)) as (bot, ours):
        shown = shown_until_it_waits(ours, list(typed_keys))
        bot.kill()  # only where it still waits; the exit code of one that has left stays
        code = bot.wait()
    return code, shown


@contextmanager
def running(env: Mapping[str, str]) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Give a `hipwise run` and our end of its terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bots", "run"]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as bot:  # noqa: S603 - our own
        os.close(theirs)
        try:
            yield bot, ours
        finally:
            os.close(ours)
            bot.kill()


def shown_until_it_waits(terminal: int, keys: list[bytes]) -> str:
    """Return what is shown until it waits for more than these lines, or leaves."""
    shown = b""
    while chunk := _shown_next(terminal):
        shown += chunk
        if shown.endswith(b"> "):
            if not keys:
                break
            os.write(terminal, keys.pop(0))
    return shown.decode().replace("\r\n", "\n")


def _shown_next(terminal: int) -> bytes:
    """Return what a terminal shows next; nothing once the process at its other end has left, or is silent for too long."""
    ready, _, _ = select.select([terminal], [], [], 20)
    try:
        return os.read(terminal, 65_536) if ready else b""
    except OSError:
        return b""


def until(holds: Callable[[], bool]) -> None:
    """Return once it holds, which a process at its own pace brings about."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
