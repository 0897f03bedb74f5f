"""Replies as Telegram messages: HTML text within its limits, and the keyboard. No I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape

from core.dialogue import MENUS, Button, File, Notice, Prompt, Reply, Role, Verdict
from core.ledger import Owed
from core.replies import owed as owed_as

LONGEST = 4096
"""UTF-16 code units of one message, as Telegram counts: https://core.telegram.org/bots/api#sendmessage."""
LONGEST_MARK = 160
"""Of what stands above a message that may be a repeat: there is always room left for it."""
CAPTION = 1024
"""The same for what stands beside a file."""
ABREAST = 3
"""Buttons beside each other at most, where they are short enough to be read on a phone."""
SHORT = 12
"""Characters of a button that may stand beside others."""
ONE_LINE = 30
"""Characters of a button that a narrow phone shows. It cuts a longer one by itself, and a screen reader says all of it."""
TICKED = {True: "\u2611 ", False: "\u2610 ", None: ""}
QUIET = (Role.BACK, Role.OTHER)

Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A message as it is sent."""

    html: str
    keyboard: Keyboard


def owed(replies: Sequence[Reply], now: datetime, pressed: str | None) -> tuple[Owed, ...]:
    """Return the messages of a turn: a question may change the message on which a button was pressed."""
    said = tuple(part for reply in _joined(replies) for part in _split(reply))
    return tuple(owed_as(reply, now, pressed if isinstance(reply, Prompt) and len(said) == 1 else None) for reply in said)


def drawn(reply: Reply) -> Drawn:
    """Return a reply as a message. Its text is escaped; of a result the first line stands out.

    Where answers are too long for a button, all stand in the text too, as lines. In a check these are numbered, and so are
    the buttons; the numbers can be typed, for the core counts the answers of a screen as they stand here.
    """
    listed = any(len(b.label) > ONE_LINE for b in _answers(reply.choices))
    text = escape(f"{reply.text}\n\n{_listed(reply)}" if listed else reply.text, quote=False)
    if isinstance(reply, Verdict):
        head, line, rest = text.partition("\n")
        text = f"<b>{head}</b>{line}{rest}"
    return Drawn(text, _keyboard(_numbered(reply.choices) if listed and _is_counted(reply) else reply.choices))


def caption(file: File) -> str:
    """Return what is said beside a file."""
    return escape(_cut(file.text, CAPTION), quote=False)


def length(text: str) -> int:
    """Return the length of a text as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


# ---------------------------------------------------------------- Which messages


def _joined(replies: Sequence[Reply]) -> Iterator[Reply]:
    """Yield the replies, what is only about how a question came about in one message with it."""
    before: Notice | None = None
    for reply in replies:
        if before is not None and isinstance(reply, Prompt) and length(before.text) + length(reply.text) + 2 <= _room(reply):
            yield replace(reply, text=f"{before.text}\n\n{reply.text}")
            before = None
            continue
        if before is not None:
            yield before
        before = reply if isinstance(reply, Notice) and reply.fleeting and not reply.choices else None
        if before is None:
            yield reply
    if before is not None:
        yield before


def _split(reply: Reply) -> Iterator[Reply]:
    """Yield a reply in as many messages as its text needs, cut between paragraphs; the buttons below the last.

    A result is one in its first message, where its first line stands; a question in its last, where it is answered.
    """
    if isinstance(reply, File) or length(reply.text) <= _room(reply):
        yield reply
        return
    first, *more, last = _pieces(reply.text, _room(reply))
    if isinstance(reply, Verdict):
        yield replace(reply, text=first, choices=())
        yield from (Notice(piece) for piece in more)
        yield Notice(last, reply.choices)
    else:
        yield from (Notice(piece) for piece in (first, *more))
        yield replace(reply, text=last)


def _room(reply: Reply) -> int:
    """Return how long the text of a message may be, beside the answers that may stand in it."""
    return LONGEST - LONGEST_MARK - length(_listed(reply)) - 2


def _pieces(text: str, most: int) -> list[str]:
    """Return a text in pieces that fit: cut between paragraphs, else between lines, else between words, else anywhere."""
    pieces, text = [], text.strip()
    while length(text) > most:
        fits = _cut(text, most)
        ends = (fits.rfind(gap) for gap in ("\n\n", "\n", " "))
        at = next((end for end in ends if end > 0), len(fits))
        pieces.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*pieces, text]


def _cut(text: str, most: int) -> str:
    """Return as much of a text as so many UTF-16 code units hold."""
    return text if length(text) <= most else text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")


# ---------------------------------------------------------------- Which buttons


def _keyboard(choices: Sequence[Button]) -> Keyboard:
    """Return the buttons in rows: an answer each, unless they are short; the ways out beside each other below them."""
    answers = [_labelled(b) for b in _answers(choices)]
    quiet = [_labelled(b) for b in choices if b.role in QUIET]
    short = all(len(b.label) <= SHORT for b in answers)
    return (*_rows(answers, ABREAST if short and len(answers) > ABREAST else 1), *_rows(quiet, ABREAST))


def _answers(choices: Sequence[Button]) -> list[Button]:
    return [b for b in choices if b.role not in QUIET]


def _is_counted(reply: Reply) -> bool:
    return isinstance(reply, Prompt) and reply.question not in MENUS


def _listed(reply: Reply) -> str:
    """Return the answers as lines, in a check numbered as they stand. An empty box would only be noise where it is read out."""
    counted = _is_counted(reply)
    answers = ((n, b) for n, b in enumerate(reply.choices, start=1) if b.role is Role.ANSWER)
    return "\n".join(f"{f'{n}.' if counted else '-'} {TICKED[b.ticked or None]}{b.label}" for n, b in answers)


def _numbered(choices: Sequence[Button]) -> tuple[Button, ...]:
    """Return the buttons, those of the answers with their number in front."""
    return tuple(replace(b, label=f"{n}. {b.label}") if b.role is Role.ANSWER else b for n, b in enumerate(choices, start=1))


def _labelled(button: Button) -> Button:
    return button if button.ticked is None else replace(button, label=f"{TICKED[button.ticked]}{button.label}")


def _rows(buttons: Sequence[Button], abreast: int) -> Iterator[tuple[Button, ...]]:
    """Yield rows of at most so many; a long label has a row of its own."""
    row: list[Button] = []
    for button in buttons:
        if row and (len(row) == abreast or len(button.label) > SHORT or len(row[-1].label) > SHORT):
            yield tuple(row)
            row = []
        row.append(button)
    if row:
        yield tuple(row)
