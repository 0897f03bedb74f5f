"""A patient who plays a check: reads the screen and presses what fits, as a script of the conversation would.

It knows its findings and sees what any script sees: each button's role, its findings and whether it is ticked. It never
looks into the session, so what it cannot reach, a member cannot reach.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.clinical import Findings
from core.dialogue import Button, Command, Inbound, Prompt, Reply, Role, Session, Tap, Verdict, advance
from core.library import Library
from core.members import Address, Preferences

AT_MOST = 300
"""Taps after which a check goes in circles; a long one has some thirty."""
_NOTHING_FITS = (Role.NONE, Role.NOT_SURE)
_HERE = Address("audit", "patient")
_FRESH = "0" * 16


class Lost(RuntimeError):
    """A patient found nothing to press, or pressed for ever, and came to no result."""


@dataclass(frozen=True, slots=True)
class Played:
    """A finished check: its result, and what it asked of the member."""

    verdict: Verdict
    taps: int
    """Everything pressed, ticks and Done included. `/hip` is a command, not a tap."""
    words: int
    """Words of every reply and of its buttons' labels; a screen that a tick draws again counts again."""
    asked: tuple[str, ...]
    """Ids of the questions, in the order in which they were first asked."""


def play(library: Library, findings: Findings, *, now: datetime) -> Played:
    """Return the check that a member with these findings comes through; raise Lost where it has no result."""
    session: Session | None = None
    inbound: Inbound = Command(_HERE, "hip")
    words, asked = 0, dict[str, None]()
    for taps in range(AT_MOST + 1):
        turn = advance(library, session, Preferences(), inbound, now=now, fresh=_FRESH)
        words += words_in(turn.replies)
        asked |= dict.fromkeys(r.question for r in turn.replies if isinstance(r, Prompt))
        if verdict := next((r for r in turn.replies if isinstance(r, Verdict)), None):
            return Played(verdict, taps, words, tuple(asked))
        session, inbound = turn.session, Tap(_HERE, _next(turn.replies, findings).tap)
    raise Lost(f"no result after {AT_MOST} taps; the last question was {list(asked)[-1]}")


def press(choices: Sequence[Button], findings: Findings) -> Button | None:
    """Return the button that a member with these findings presses next, or None where there is none to press.

    Of ticks, each that shares a finding, then Done; of answers of which one holds, the one that shares most; a
    confirmation is a yes. Where nothing fits: none of these, and where there is no such button, not sure.
    """
    if yes := _with_role(choices, Role.CONFIRM):
        return yes
    fitting = [b for b in choices if b.role is Role.ANSWER and b.findings & findings]
    if not fitting:
        return next((b for role in _NOTHING_FITS if (b := _with_role(choices, role))), None)
    if all(b.ticked for b in fitting):
        return _with_role(choices, Role.DONE)
    return max((b for b in fitting if not b.ticked), key=lambda b: len(b.findings & findings))


def words_in(replies: Sequence[Reply]) -> int:
    """Return how many words some replies have, the labels of their buttons included."""
    return sum(len(text.split()) for r in replies for text in (r.text, *(b.label for b in r.choices)))


def _next(replies: Sequence[Reply], findings: Findings) -> Button:
    """Return what to press on the newest screen that has something to press."""
    screen = next((r for r in reversed(replies) if r.choices), None)
    button = press(screen.choices, findings) if screen else None
    if button is None:
        raise Lost(f"nothing to press at: {replies[-1].text}" if replies else "no reply")
    return button


def _with_role(choices: Sequence[Button], role: Role) -> Button | None:
    return next((b for b in choices if b.role is role), None)
