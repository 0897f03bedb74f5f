"""What comes in, what goes out, and what one turn gives back."""

from dataclasses import dataclass, field
from enum import StrEnum

from core.clinical import Disposition, Findings
from core.club import Chat
from core.dialogue.session import Session
from core.members import Address, Preferences


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command, such as /hip, with whatever was typed behind it."""

    address: Address
    name: str
    rest: str = ""
    at: Chat | None = None
    """The chat of the club where that was, where the platform says so."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A pressed button: the token that the core put on it, carried back unread."""

    address: Address
    token: str
    at: Chat | None = None
    """The chat of the club where that was, where the platform says so."""


@dataclass(frozen=True, slots=True)
class Text:
    """Something typed; without words where something else was sent, such as a photo."""

    address: Address
    text: str


@dataclass(frozen=True, slots=True)
class Taps:
    """Several buttons pressed as one, such as the lines chosen in a menu: what each leads to is kept with the others."""

    address: Address
    tokens: tuple[str, ...]
    """In order; at least one."""
    at: Chat | None = None
    """The chat of the club where that was, where the platform says so."""


class Missing(StrEnum):
    """Why nothing of a file is there; the words for each say what to do."""

    TOO_LARGE = "too_large"
    """It is larger than any that is read, so it was not fetched."""
    NOT_FETCHED = "not_fetched"


@dataclass(frozen=True, slots=True)
class Upload:
    """A calendar file that someone sent."""

    address: Address
    content: bytes | Missing = field(repr=False)
    at: Chat | None = None
    """The chat of the club where that was, where the platform says so."""


Inbound = Command | Tap | Taps | Text | Upload

MENUS = frozenset(
    {
        *("care", "regions", "settings", "zone", "quiet", "days", "delay", "plan", "pause"),
        *("check_ins", "tips", "follow_up", "club"),
    }
)
"""Prompts that are no part of a check: a number that is typed below one answers the check."""


class Role(StrEnum):
    """What a button does, for whoever draws or plays the conversation."""

    ANSWER = "answer"
    NONE = "none"
    NOT_SURE = "not_sure"
    DONE = "done"
    CONFIRM = "confirm"
    BACK = "back"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Button:
    """A choice on a screen. `findings` are all codes that pressing it may lead to; they never leave the core's token."""

    tap: str
    label: str
    role: Role
    findings: Findings = frozenset()
    ticked: bool | None = None
    words: tuple[str, ...] = ()
    """Plain words that mean the same when typed."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question, or a menu: something that waits for an answer."""

    text: str
    question: str
    choices: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a check."""

    text: str
    urgency: Disposition
    conditions: tuple[str, ...]
    choices: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something said that waits for nothing."""

    text: str
    choices: tuple[Button, ...] = ()
    fleeting: bool = False
    """Whether it is worth nothing once there is a later screen: a page, a menu, or how the screen below it came about."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to keep, with what is said beside it."""

    text: str
    name: str
    content: str = field(repr=False)
    choices: tuple[Button, ...] = ()


Reply = Prompt | Verdict | Notice | File


@dataclass(frozen=True, slots=True)
class Turn:
    """What one inbound led to: the session to keep (None: nothing is kept), the preferences, and the replies in order."""

    session: Session | None
    preferences: Preferences
    replies: tuple[Reply, ...] = field(default=())
