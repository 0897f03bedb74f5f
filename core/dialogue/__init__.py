"""The conversation as a pure function: session and inbound in, turn out. No I/O, no clock, no chance."""

from core.dialogue.advance import advance, begun, beside
from core.dialogue.session import Session, UnreadableSession, from_json, to_json
from core.dialogue.turn import (
    MENUS,
    Button,
    Command,
    File,
    Inbound,
    Missing,
    Notice,
    Prompt,
    Reply,
    Role,
    Tap,
    Taps,
    Text,
    Turn,
    Upload,
    Verdict,
)

__all__ = [
    "MENUS",
    "Button",
    "Command",
    "File",
    "Inbound",
    "Missing",
    "Notice",
    "Prompt",
    "Reply",
    "Role",
    "Session",
    "Tap",
    "Taps",
    "Text",
    "Turn",
    "UnreadableSession",
    "Upload",
    "Verdict",
    "advance",
    "begun",
    "beside",
    "from_json",
    "to_json",
]
