"""`hipwise chat`: the conversation for a person at a terminal, and plain text when piped."""

import os
import shutil
import sys
import textwrap
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass
from datetime import date, datetime

from bots.console.days import NEXT, Advance, Came, Days, read_span
from bots.console.inbound import HERE, typed
from core.clinical import Disposition
from core.companion import Companion
from core.dialogue import Button, File, Inbound, Reply, Role, Tap, Verdict

WIDEST = 88
"""Columns: longer lines are hard to read, however wide the window."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the terminal is written to. Colour only ever repeats what the words say."""

    colour: bool
    width: int

    @classmethod
    def of_terminal(cls) -> "Style":
        """Return the style for the terminal that this runs in: no colour when piped or when NO_COLOR is set."""
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        return cls(colour, min(shutil.get_terminal_size().columns, WIDEST))

    def paint(self, text: str, code: str) -> str:
        """Return the text in a colour, where there is colour."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


HOW = (
    "These days pass when you say so. An empty line, or the word next, goes to the next message. "
    "+2h, +30m or +1d goes on by so much. /quit leaves, and nothing is kept."
)
NOTHING = "Nothing is to come: nobody has asked for anything. /checkins asks for check-ins, +1d goes on by a day."
OVER = "The days are over."
OPENS = "/checkins"
"""Said first: of what comes by itself nothing does before someone has agreed to it."""
BOLD, DIM, CYAN = "1", "2", "36"
URGENCY = {
    Disposition.EMERGENCY: "1;31",
    Disposition.SAME_DAY: "1;33",
    Disposition.WITHIN_DAYS: "1;35",
    Disposition.ROUTINE: "1;34",
    Disposition.SELF_CARE: "1;32",
}
_QUIET = (Role.BACK, Role.OTHER)


async def talk(companion: Companion, lines: AsyncIterable[str], write: Callable[[str], None], style: Style) -> None:
    """Open a check and answer every line until there are no more."""
    shown = await companion.handle(typed("/hip"))
    for reply in shown:
        write(drawn(reply, style))
    async for line in lines:
        if not line.strip():
            continue
        if _leaves(line):
            return
        shown = await companion.handle(_meant(line, shown))
        for reply in shown:
            write(drawn(reply, style))


async def live(days: Days, lines: AsyncIterable[str], write: Callable[[str], None], style: Style) -> None:
    """Live through days: answer every line, or move the clock by it, until there are no more or the days are over."""
    wall = _Wall(days, write, style)
    wall.say(HOW)
    await wall.show()
    shown = await days.companion.handle(typed(OPENS))
    for reply in shown:
        write(drawn(reply, style))
    async for line in lines:
        if _leaves(line):
            return
        if (how := _moved(line)) is None:
            shown = await days.companion.handle(_meant(line, shown))
            for reply in shown:
                write(drawn(reply, style))
            continue
        shown = await _move(days, how, wall) or shown
        if days.over:
            wall.say(OVER)
            return


async def _move(days: Days, how: Advance, wall: "_Wall") -> tuple[Reply, ...]:
    """Move the clock and show what comes meanwhile, each with its time; return what can be answered by number."""
    if how.by is None and await days.is_empty():
        wall.say(NOTHING)
        return ()
    came = await days.advance(how)
    for one in came:
        await wall.show(one)
    if how.by is not None and not days.over:
        await wall.show()
    return tuple(one.reply for one in came)


@dataclass(slots=True)
class _Wall:
    """The member's wall: a line for each day that begins, and one for each time that something comes."""

    days: Days
    write: Callable[[str], None]
    style: Style
    day: date | None = None

    async def show(self, came: Came | None = None) -> None:
        """Show the date where it has changed, and the time; with what came then, that too."""
        wall = await self.days.wall(self.days.clock.at if came is None else came.at)
        if wall.date() != self.day:
            self.day = wall.date()
            self.write(f"\n{self.style.paint(self._date(wall), BOLD)}")
        self.write(f"\n{self.style.paint(f'{wall:%H:%M}', BOLD)}")
        if came is not None:
            self.write(drawn(came.reply, self.style).removeprefix("\n"))

    def say(self, text: str) -> None:
        """Show a sentence about the days themselves."""
        self.write(f"\n{_wrapped(text, self.style)}")

    def _date(self, wall: datetime) -> str:
        words = self.days.words
        date = words("ui", "date", day=wall.day, month=words.list("ui", "months")[wall.month - 1])
        return f"{words.list('ui', 'days')[wall.weekday()]}, {date} {wall.year}"


def _leaves(line: str) -> bool:
    return line.strip().casefold() in ("/quit", "/exit")


def _moved(line: str) -> Advance | None:
    """Return how far a typed line moves the clock: nothing or "next" to the next message, "+2h" so far."""
    said = line.strip()
    if said.casefold() in ("", NEXT):
        return Advance()
    span = read_span(said.removeprefix("+")) if said.startswith("+") else None
    return Advance(span) if span else None


def _meant(line: str, shown: tuple[Reply, ...]) -> Inbound:
    """Return the press that a number stands for: the numbers are this terminal's, so it is the one to read them."""
    choices = shown[-1].choices if shown else ()
    number = line.strip()
    if number.isascii() and number.isdigit() and 1 <= int(number) <= len(choices):
        return Tap(HERE, choices[int(number) - 1].tap)
    return typed(line)


def drawn(reply: Reply, style: Style) -> str:
    """Return a reply as terminal text: its words wrapped, its choices numbered, the quieter ones on one line."""
    text = _wrapped(reply.text, style)
    if isinstance(reply, Verdict):
        head, _, rest = text.partition("\n")
        text = f"{style.paint(head, URGENCY[reply.urgency])}\n{rest}"
    if isinstance(reply, File):
        text = f"{text}\n\n{reply.content}"
    numbered = list(enumerate(reply.choices, start=1))
    loud = [_line(i, b, style) for i, b in numbered if b.role not in _QUIET]
    quiet = "  ".join(f"{i} {b.label}" for i, b in numbered if b.role in _QUIET)
    parts = [text, "\n".join(loud), style.paint(_wrapped(quiet, style), DIM) if quiet else ""]
    return "\n".join(("", *(p for p in parts if p)))


def _line(number: int, button: Button, style: Style) -> str:
    tick = "" if button.ticked is None else "[x] " if button.ticked else "[ ] "
    return f"  {style.paint(f'{number:>2}', CYAN)} {tick}{button.label}"


def _wrapped(text: str, style: Style) -> str:
    return "\n".join(
        textwrap.fill(line, style.width, subsequent_indent="  " if line.startswith("- ") else "", break_long_words=False)
        for line in text.split("\n")
    )
