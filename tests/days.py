"""A script that lives through days with `hipwise chat --days --json`: the command itself, in this process, line by line."""

import io
import json
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest import mock

from bots import bootstrap
from bots.commands import chat as chat_command
from chat import library
from core.wallclock import local

Plain = dict[str, Any]
Turn = list[Plain]
Script = Generator[Plain | str, Turn, None]
"""Yields each line in, and is sent the lines of its turn."""

NEXT: Plain = {"advance": "next"}
USUAL = "Tue and Thu 18:30, long run Sunday 9"
words = library().words


@dataclass
class Typing(io.TextIOBase):
    """Standard input that a script types into, which reads the answer to each line before it types the next."""

    script: Script
    out: io.StringIO
    seen: int = 0
    begun: bool = False

    def reconfigure(self, **_settings: str) -> None:
        """Be read as it is."""

    def readline(self, _size: int | None = -1) -> str:  # type: ignore[override] # text, as of any open file
        """Return the next line, or nothing at the end of the script."""
        written = self.out.getvalue()
        turn = [json.loads(line) for line in written[self.seen :].splitlines()]
        self.seen = len(written)
        try:
            line = self.script.send(turn) if self.begun else next(self.script)
        except StopIteration:
            return ""
        finally:
            self.begun = True
        return (line if isinstance(line, str) else json.dumps(line)) + "\n"


def lived(script: Script, *, days: int = 30, since: datetime) -> Turn:
    """Return every line out of the days that a script lives through."""
    out = io.StringIO()
    with (
        mock.patch("sys.stdout", out),
        mock.patch("sys.stdin", Typing(script, out)),
        mock.patch.object(bootstrap, "now", return_value=since),
    ):
        assert chat_command.run(["--json", "--days", str(days)]) == 0
    return [json.loads(line) for line in out.getvalue().splitlines()]


def taps(turn: Turn, *labels: str) -> Generator[Plain, Turn, Turn]:
    """Press one button after the other, by how its label begins; return the last turn."""
    for label in labels:
        tap = next(c["tap"] for plain in reversed(turn) for c in plain.get("choices", ()) if c["label"].startswith(label))
        turn = yield {"tap": tap}
    return turn


def opted_in(place: str = "Berlin", plan: str = USUAL, age: str = "adult") -> Generator[Plain, Turn, Turn]:
    """Ask for check-ins, and tell where one is and when one runs."""
    turn = yield {"text": "/checkins"}
    yield from taps(turn, words("checkins", "ages", age))
    yield {"text": place}
    return (yield {"text": plan})


def scheduled(lines: Iterable[Plain]) -> Turn:
    """Return the lines of what came by itself."""
    return [line for line in lines if "occasion" in line]


def came(lines: Iterable[Plain], zone: str = "Europe/Berlin") -> list[str]:
    """Return what came by itself: when, by the member's clock, and why."""
    return [f"{local(datetime.fromisoformat(x['at']), zone):%a %d %H:%M} {x['occasion']}" for x in scheduled(lines)]


def checked(turn: Turn, *holds: str) -> Generator[Plain, Turn, Turn]:
    """Answer an open check of the hip with what holds, and none of these else, to its result; return the last turn."""
    while not any(plain["kind"] == "verdict" for plain in turn):
        choices = turn[-2]["choices"]
        by_role = {choice["role"]: choice for choice in choices}
        fits = [c for c in choices if c["role"] == "answer" and set(holds) & set(c["findings"]) and not c["ticked"]]
        ticked = [c for c in choices if c["ticked"]]
        pressed = (fits or [by_role["done"] if ticked else by_role.get("confirm") or by_role["none"]])[0]
        turn = yield {"tap": pressed["tap"]}
    return turn
