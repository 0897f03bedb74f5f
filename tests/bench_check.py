"""The check that is measured: a long one, of the groin, with what it keeps and what was pressed at each turn."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from content import loader
from core.dialogue import Command, Inbound, Prompt, Reply, Role, Session, Tap, Turn, Verdict, advance, to_json
from core.members import Address, Preferences

HERE = Address("bench", "1")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
GB = Preferences(region="GB")
LIBRARY = loader.load()
HOLDS = {
    "age_18_44",
    "place_groin_front",
    "dur_2_6w",
    "run_warms_up",
    "hurts_knee_lift",
    "onset_gradual",
    "feel_tight",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One press: the session before it as JSON, the token that was pressed, and what was said."""

    kept: str
    token: str
    reply: Reply

    @property
    def ends(self) -> bool:
        """Whether the result came."""
        return isinstance(self.reply, Verdict)


def long_check() -> tuple[Step, ...]:
    """Return each press of a routine check, from the first screen to the result."""
    return tuple(_steps(step(None, Command(HERE, "hip"))))


def step(before: Session | None, inbound: Inbound) -> Turn:
    """Return the turn of an inbound, decided and drawn, with nothing loaded and nothing kept."""
    return advance(LIBRARY, before, GB, inbound, now=NOW, fresh="0123456789abcdef")


def session(turn: Turn) -> Session:
    """Return the session that a turn left open."""
    if turn.session is None:
        raise ValueError("no session is open")
    return turn.session


def pressed(prompt: Reply) -> str:
    """Return the token of the button that someone with these findings presses."""
    if not isinstance(prompt, Prompt):
        raise TypeError(prompt)
    fits = [b for b in prompt.choices if b.role is Role.ANSWER and b.findings & HOLDS and not b.ticked]
    role = Role.DONE if any(b.ticked for b in prompt.choices) else Role.NONE
    return fits[0].tap if fits else next(b.tap for b in prompt.choices if b.role is role)


def _steps(turn: Turn) -> Iterator[Step]:
    while not isinstance(turn.replies[-1], Verdict):
        token, before = pressed(turn.replies[-1]), session(turn)
        turn = step(before, Tap(HERE, token))
        yield Step(json.dumps(to_json(before)), token, turn.replies[-1])
