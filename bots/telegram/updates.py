"""Raw updates as what they mean here. Only what is needed of them is read: https://core.telegram.org/bots/api#update."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from core.dialogue import Command, Tap, Text
from core.intake import Unreadable
from core.limits import LONGEST_TEXT
from core.members import Address

PLATFORM = "telegram"
HAPPENINGS = frozenset(
    {
        "chat_background_set",
        "chat_shared",
        "connected_website",
        "forum_topic_closed",
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_reopened",
        "message_auto_delete_timer_changed",
        "pinned_message",
        "users_shared",
        "write_access_allowed",
    }
)
"""What Telegram notes in a private chat by itself, in the shape of a message. Whatever else is no text, someone has sent."""


@dataclass(frozen=True, slots=True)
class Wrote:
    """A member typed something in private, perhaps below a photo, or sent something without words."""

    inbound: Command | Text
    sent: datetime


@dataclass(frozen=True, slots=True)
class SentCalendar:
    """A member sent a calendar file in private."""

    address: Address
    file: str = field(repr=False)
    """By which Telegram knows it."""
    size: int
    """In bytes, as Telegram says."""
    beside: str = field(repr=False)
    """What was typed below it."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A member pressed a button in private."""

    inbound: Tap
    query: str = field(repr=False)
    message: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A member came through a link: what it carried."""

    address: Address
    payload: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class InGroup:
    """Someone used a command in a group."""

    group: Address
    asker: str | None = field(repr=False)
    """The asker's user id; None for an administrator who writes as the group, or someone who writes as a channel."""
    command: str
    named: bool
    """Whether it names our bot; else it may be meant for another one there."""
    topic: int | None = None
    """The topic of the group where that was."""
    title: str = field(default="", repr=False)
    """What the group is called."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A group has a new id."""

    old: Address
    new: Address


@dataclass(frozen=True, slots=True)
class Reachable:
    """A member blocked the bot, or let it write again."""

    address: Address
    reachable: bool


@dataclass(frozen=True, slots=True)
class Stray:
    """A button that was pressed where none of ours is: it only needs to stop spinning."""

    query: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing for us: channel posts, edits, talk in a group, kinds of update that we do not know."""


Meaning = Wrote | SentCalendar | Pressed | Opened | InGroup | Moved | Reachable | Stray | Ignored


class _Chat(msgspec.Struct):
    id: int
    type: str = ""
    title: str = ""


class _User(msgspec.Struct):
    id: int
    is_bot: bool = False


class _Document(msgspec.Struct):
    file_id: str = ""
    file_name: str = ""
    mime_type: str = ""
    file_size: int = 0

    @property
    def is_calendar(self) -> bool:
        return self.file_name.casefold().endswith(".ics") or self.mime_type.casefold().startswith("text/calendar")


class _Message(msgspec.Struct):
    chat: _Chat
    date: int = 0
    message_id: int | None = None
    sender: _User | None = msgspec.field(default=None, name="from")
    sender_chat: _Chat | None = None
    is_automatic_forward: bool = False
    is_topic_message: bool = False
    message_thread_id: int | None = None
    text: str | None = None
    caption: str | None = None
    document: _Document | None = None
    migrate_to_chat_id: int | None = None


class _Query(msgspec.Struct):
    id: str
    sender: _User = msgspec.field(name="from")
    message: _Message | None = None
    data: str | None = None


class _Standing(msgspec.Struct):
    status: str


class _MemberChange(msgspec.Struct):
    chat: _Chat
    new_chat_member: _Standing


class _Update(msgspec.Struct):
    update_id: int
    message: _Message | None = None
    callback_query: _Query | None = None
    my_chat_member: _MemberChange | None = None


class _Numbered(msgspec.Struct):
    update_id: int


class _Kinds(msgspec.Struct):
    message: dict[str, msgspec.Raw]


_update = msgspec.json.Decoder(_Update)
_number = msgspec.json.Decoder(_Numbered)

T = TypeVar("T")


def number(raw: bytes) -> int:
    """Return the id by which an update is known when it comes again; raise Unreadable where it is not one."""
    return _decoded(raw, _number).update_id


def read(raw: bytes, bot_name: str) -> Meaning:
    """Return what an update means to the bot of that user name; raise Unreadable where it is not one."""
    match _decoded(raw, _update):
        case _Update(callback_query=_Query() as query):
            return _pressed(query)
        case _Update(message=_Message() as message):
            return Ignored() if _happened(message, raw) else _written(message, bot_name)
        case _Update(my_chat_member=_MemberChange(chat=_Chat(type="private", id=id), new_chat_member=standing)):
            return Reachable(_address(id), standing.status not in ("kicked", "left"))
        case _:
            return Ignored()


def lane(meaning: Meaning) -> Address | None:
    """Return whose updates this one must be handled in order with."""
    match meaning:
        case Wrote(inbound=inbound) | Pressed(inbound=inbound):
            return inbound.address
        case Opened(address=address) | SentCalendar(address=address) | Reachable(address=address):
            return address
        case InGroup(group=group) | Moved(old=group):
            return group
        case Stray() | Ignored():
            return None


def _decoded(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Unreadable from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _mended(raw, decoder)


def _mended(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Return what was written where a character was cut in two, as Telegram does now and then."""
    try:
        whole = json.dumps(json.loads(raw.decode("utf-8", "replace")), ensure_ascii=False)
        return decoder.decode(whole.encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise Unreadable from error


def _pressed(query: _Query) -> Pressed | Stray:
    message = query.message
    # A private chat has its member's id: whoever else presses, presses nothing.
    if query.data is None or message is None or message.chat.id != query.sender.id:
        return Stray(query.id)
    pressed = None if message.message_id is None else str(message.message_id)
    return Pressed(Tap(_address(query.sender.id), query.data), query.id, pressed)


def _happened(message: _Message, raw: bytes) -> bool:
    """Return whether a message is only Telegram's note of something that happened in the chat."""
    if message.text is not None or message.caption is not None:
        return False
    try:
        return not HAPPENINGS.isdisjoint(msgspec.json.decode(raw, type=_Kinds).message)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _written(message: _Message, bot_name: str) -> Meaning:
    if message.migrate_to_chat_id is not None:
        return Moved(_address(message.chat.id), _address(message.migrate_to_chat_id))
    text = message.text or message.caption or ""
    name, named, rest = _command(text)
    ours = named.casefold() in ("", bot_name.casefold())
    if message.chat.type in ("group", "supergroup"):
        return _in_group(message, name, named=bool(named)) if name and ours else Ignored()
    if message.chat.type != "private" or message.sender is None or message.sender.is_bot:
        return Ignored()
    address = _address(message.chat.id)
    if name == "start" and ours and _PAYLOAD.fullmatch(rest):
        return Opened(address, rest)
    file = message.document
    # Any other command below a file is meant as one.
    if file is not None and file.is_calendar and (not name or (name, ours, rest) == ("club", True, "")):
        return SentCalendar(address, file.file_id, file.file_size, text[:LONGEST_TEXT])
    sent = datetime.fromtimestamp(min(max(message.date, 0), _LATEST), UTC)
    if name and ours:
        return Wrote(Command(address, name[:LONGEST_TEXT], rest[:LONGEST_TEXT]), sent)
    return Wrote(Text(address, text[:LONGEST_TEXT]), sent)


_LATEST = 2**32
"""Seconds: a later date is nobody's."""
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""All that a link can carry: https://core.telegram.org/api/links#bot-links. Anything else was typed."""


def _in_group(message: _Message, name: str, *, named: bool) -> InGroup | Ignored:
    sender, group = message.sender, _address(message.chat.id)
    topic = message.message_thread_id if message.is_topic_message else None
    if message.sender_chat is not None and not message.is_automatic_forward:
        return InGroup(group, None, name, named, topic, message.chat.title)
    # Bots that answer each other never end; and what a channel has published is nobody's question.
    if sender is None or sender.is_bot or message.is_automatic_forward:
        return Ignored()
    return InGroup(group, str(sender.id), name, named, topic, message.chat.title)


def _command(text: str) -> tuple[str, str, str]:
    """Return a command's name, the bot it names, and the rest; nothing for what is none."""
    if not text.startswith("/") or not text[1:2].strip():
        return "", "", ""
    head, *rest = text[1:].split(maxsplit=1)
    name, _, bot = head.partition("@")
    return name.casefold(), bot, "".join(rest).strip()


def _address(id: int) -> Address:
    return Address(PLATFORM, str(id))
