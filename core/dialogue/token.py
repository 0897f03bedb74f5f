"""The token on every button: made and read here alone, and carried unread by the platforms.

`version.thread.step.act`: the content version it was drawn for, the check or menu it belongs to, the step it was shown at,
and what pressing it does. It holds positions, never a finding. At most 64 bytes (Telegram's callback data).
"""

import re
from dataclasses import dataclass

MAX_BYTES = 64
MENU = "menu"
"""The thread of everything that is not a check: help, care pages, settings."""
_SHAPE = re.compile(r"^([0-9a-z]{1,12})\.([0-9a-z]{1,20})\.([0-9]{1,5})\.([a-z]{1,9})(?:_([0-9A-Za-z]{1,8}))?([+-]?)$")


@dataclass(frozen=True, slots=True)
class Token:
    """What a button says when it is pressed."""

    version: str
    thread: str
    step: int
    act: str
    arg: str = ""
    state: str = ""
    """For a tick: "+" sets it, "-" clears it. Never "toggle", so that a repeat changes nothing."""

    def __str__(self) -> str:
        arg = f"_{self.arg}" if self.arg else ""
        return f"{self.version}.{self.thread}.{self.step}.{self.act}{arg}{self.state}"


def read(text: str) -> Token | None:
    """Return the token that a button carried, or None for anything that is not one of ours."""
    if len(text) > MAX_BYTES:  # what matches below is ASCII: a character is a byte
        return None
    found = _SHAPE.match(text)
    if not found:
        return None
    version, thread, step, act, arg, state = found.groups()
    return Token(version, thread, int(step), act, arg or "", state)
