"""What the gateway tells of, as what it means here: https://docs.discord.com/developers/interactions. No I/O.

Only what is needed of it is read, and nothing of it is trusted: an id that is no number is nobody's.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, IntFlag
from typing import Any

import msgspec

from bots.discord import custom_ids
from core.club import Chat, Standing
from core.dialogue import Command, Inbound, Notice, Prompt, Reply, Tap, Taps, Text
from core.intake import Unreadable
from core.limits import LONGEST_TEXT
from core.members import Address

PLATFORM = "discord"
EPHEMERAL = 1 << 6
"""The flag of a message that only one person sees."""
BOT_DM = 1
"""The context of a conversation with the bot, which nobody else reads."""
TEXT_MESSAGES = (0, 19)
"""The types of message that someone wrote: by itself, or in reply."""


TEXT, FILE = 3, 11
"""The types of what stands behind a command: something typed, and a file."""
THREADS = (10, 11, 12)
"""The types of channel in which something is written by another right."""


class Can(IntFlag):
    """What someone may do in a channel, as far as it is asked for here."""

    ADMINISTRATOR = 1 << 3
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    READ_MESSAGE_HISTORY = 1 << 16
    SEND_MESSAGES_IN_THREADS = 1 << 38


ORGANISES = Can.ADMINISTRATOR | Can.MANAGE_GUILD
"""Either is enough. Who owns a server has every right there."""
READS = Can.VIEW_CHANNEL | Can.READ_MESSAGE_HISTORY


class Kind(IntEnum):
    """What a member did."""

    COMMAND = 2
    PRESS = 3
    AUTOCOMPLETE = 4
    MODAL = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """An interaction, as far as it is needed to answer it, also after a restart."""

    id: str = field(repr=False)
    token: str = field(repr=False)
    app: str = field(repr=False)
    at: datetime
    """When we were told of it."""
    channel: str | None = field(default=None, repr=False)
    """The conversation with the bot, where that is the place: only there others read nothing of a plain message."""
    changes: bool = False
    """Whether it hangs on a private message of ours, which an answer may change."""
    screen: bool = False
    """Whether that message is worth nothing once there is a later screen."""

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        said = {"id": self.id, "token": self.token, "app": self.app, "at": int(self.at.timestamp())}
        return said | {"channel": self.channel, "changes": self.changes, "screen": self.screen}


def asked_of(plain: Mapping[str, Any]) -> Asked:
    """Return what `Asked.plain` wrote; raise KeyError, TypeError or ValueError for anything else."""
    return Asked(
        plain["id"],
        plain["token"],
        plain["app"],
        datetime.fromtimestamp(plain["at"], UTC),
        plain["channel"],
        plain["changes"],
        plain["screen"],
    )


@dataclass(frozen=True, slots=True)
class Did:
    """A member did something that the core answers; nothing where an open menu was closed as it was."""

    address: Address
    asked: Asked
    inbound: Inbound | None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A member sent a file behind a command; what is in it is still to be fetched."""

    address: Address
    asked: Asked
    at: Chat | None
    url: str = field(repr=False)
    size: int
    """Bytes, as Discord says."""


@dataclass(frozen=True, slots=True)
class Wrote:
    """A member wrote something in their conversation with the bot."""

    inbound: Command | Text
    channel: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WantsToType:
    """A member pressed the button below which they can type."""

    address: Address
    asked: Asked


@dataclass(frozen=True, slots=True)
class Turned:
    """A member turned to another page of a message that we sent."""

    address: Address
    asked: Asked
    delivery: str
    page: int


@dataclass(frozen=True, slots=True)
class Typing:
    """A member types behind a command, and may be helped."""

    asked: Asked
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing for us."""


Meaning = Did | Uploaded | Wrote | WantsToType | Turned | Typing | Ignored


class _User(msgspec.Struct):
    id: str
    bot: bool = False


class _Member(msgspec.Struct):
    user: _User
    permissions: Any = None
    """All that they may do in the channel, as Discord worked it out for this interaction: a number in digits."""


class _Channel(msgspec.Struct):
    type: int = 0


class _Message(msgspec.Struct):
    flags: int = 0
    components: list[Any] = []


class _Option(msgspec.Struct):
    name: str
    type: int = TEXT
    value: Any = None


class _File(msgspec.Struct):
    url: str
    size: int


class _Resolved(msgspec.Struct):
    attachments: dict[str, _File] = {}


class _Data(msgspec.Struct):
    name: str = ""
    custom_id: str = ""
    values: list[str] = []
    options: list[_Option] = []
    components: list[Any] = []
    resolved: _Resolved | None = None


class _Interaction(msgspec.Struct):
    id: str
    application_id: str
    token: str
    type: int
    channel_id: str | None = None
    channel: _Channel | None = None
    guild_id: str | None = None
    app_permissions: Any = None
    """What we may do in the channel."""
    context: int | None = None
    member: _Member | None = None
    user: _User | None = None
    message: _Message | None = None
    data: _Data | None = None


class _Written(msgspec.Struct):
    channel_id: str
    author: _User
    content: str = ""
    type: int = 0
    guild_id: str | None = None
    webhook_id: str | None = None


class _Guild(msgspec.Struct):
    id: str
    name: str


_TOKEN = re.compile(r"[\x21-\x7e]{1,2000}")
_ID = re.compile(r"[0-9]{1,20}")
_KNOWN = sum(Can)
LONGEST_NAME = 100
"""Characters of a server's name, as Discord has it."""


NO_NAMES: Mapping[str, str] = {}


def read(told: object, now: datetime, names: Mapping[str, str] = NO_NAMES) -> Meaning:
    """Return what an interaction means; raise Unreadable where nothing can be made of it.

    `names` are those of servers, by id, as far as they are known: an interaction does not say how its server is called.
    """
    try:
        given = msgspec.convert(told, _Interaction)
        return _meaning(given, _asked(given, now), _address(given), _chat(given, names))
    except (ValueError, RecursionError) as error:  # also of a name with half a character in it
        raise Unreadable from error


def read_message(told: object) -> Wrote | Ignored:
    """Return what a message means, wherever it was written; raise Unreadable where nothing can be made of it."""
    try:
        given = msgspec.convert(told, _Written)
    except (ValueError, RecursionError) as error:  # also of a name with half a character in it
        raise Unreadable from error
    author = given.author
    if given.guild_id or given.webhook_id or author.bot or given.type not in TEXT_MESSAGES:
        return Ignored()
    address, channel = Address(PLATFORM, _checked(author.id)), _checked(given.channel_id)
    text = _whole(given.content).strip()
    if text.startswith("/") and text[1:2].strip():
        name, *rest = text[1:].split(maxsplit=1)
        return Wrote(Command(address, name.casefold()[:LONGEST_TEXT], "".join(rest)[:LONGEST_TEXT]), channel)
    return Wrote(Text(address, text[:LONGEST_TEXT]), channel)


def read_guild(told: object) -> tuple[str, str]:
    """Return the id and the name of a server; raise Unreadable where nothing can be made of it."""
    try:
        given = msgspec.convert(told, _Guild)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error
    return _checked(given.id), _whole(given.name)[:LONGEST_NAME]


def _meaning(given: _Interaction, asked: Asked, address: Address, at: Chat | None) -> Meaning:
    data = given.data
    if data is None:
        return Ignored()
    match given.type:
        case Kind.COMMAND:
            if (file := _file(data)) is not None:
                return Uploaded(address, asked, at, file.url, file.size)
            return Did(address, asked, Command(address, _whole(data.name).casefold()[:LONGEST_TEXT], _option(data), at))
        case Kind.AUTOCOMPLETE:
            return Typing(asked, _option(data))
        case Kind.PRESS:
            return _pressed(given, data, asked, address, at)
        case Kind.MODAL:
            text = next(_fields(data.components), "")
            return Did(address, asked, Text(address, text[:LONGEST_TEXT]))
        case _:
            return Ignored()


def _pressed(given: _Interaction, data: _Data, asked: Asked, address: Address, at: Chat | None) -> Meaning:
    custom_id = _whole(data.custom_id)
    if custom_id == custom_ids.TYPE:
        return WantsToType(address, asked)
    if (turned := custom_ids.page_of(custom_id)) is not None:
        page, delivery = turned
        return Turned(address, asked, delivery, page)
    if custom_id.startswith(custom_ids.MENU):
        above = given.message.components if given.message is not None else []
        tokens = custom_ids.taps(data.values, custom_id, above)
        return Did(address, asked, Taps(address, tokens, at) if tokens else None)
    # What carries no token of the core's is for the core to refuse.
    return Did(address, asked, Tap(address, custom_ids.token_of(custom_id) or custom_id, at))


def _asked(given: _Interaction, now: datetime) -> Asked:
    if not _TOKEN.fullmatch(given.token):
        raise Unreadable
    own = given.context == BOT_DM
    message = given.message
    private = message is not None and (own or bool(message.flags & EPHEMERAL))
    return Asked(
        id=_checked(given.id),
        token=given.token,
        app=_checked(given.application_id),
        at=now,
        channel=_checked(given.channel_id) if own and given.channel_id is not None else None,
        changes=private,
        screen=message is not None and private and _is_screen(message.components),
    )


def _chat(given: _Interaction, names: Mapping[str, str]) -> Chat | None:
    """Return the server in which it was, with who they are there; None for a conversation."""
    if given.guild_id is None or given.member is None or given.channel_id is None:
        return None
    guild, may = _checked(given.guild_id), _rights(given.app_permissions)
    writes = Can.SEND_MESSAGES_IN_THREADS if given.channel and given.channel.type in THREADS else Can.SEND_MESSAGES
    return Chat(
        # No member has an address like this: theirs are digits.
        Address(PLATFORM, f"guild/{guild}"),
        names.get(guild, ""),
        Standing.ORGANISER if _rights(given.member.permissions) & ORGANISES else Standing.MEMBER,
        _checked(given.channel_id),
        closed=(READS | writes) not in may,
    )


def _rights(given: object) -> Can:
    """Return what someone may do; nothing, where that is not said."""
    return Can(int(given) & _KNOWN) if isinstance(given, str) and _ID.fullmatch(given) else Can(0)


def _address(given: _Interaction) -> Address:
    user = given.user if given.member is None else given.member.user
    if user is None:
        raise Unreadable
    return Address(PLATFORM, _checked(user.id))


def _checked(id: str) -> str:
    if not _ID.fullmatch(id):
        raise Unreadable
    return id


def _whole(text: str) -> str:
    """Return a text without halves of characters, which JSON can hold and nothing else."""
    return text.encode("utf-8", "replace").decode()


def _option(data: _Data) -> str:
    """Return what was typed behind a command: of that there is one at most."""
    value = next((option.value for option in data.options if option.type == TEXT), "")
    return _whole(value).strip()[:LONGEST_TEXT] if isinstance(value, str) else ""


def _file(data: _Data) -> _File | None:
    """Return the file behind a command, if there is one."""
    sent = {} if data.resolved is None else data.resolved.attachments
    return next(
        (sent.get(option.value) for option in data.options if option.type == FILE and isinstance(option.value, str)), None
    )


def _fields(components: list[Any]) -> Iterator[str]:
    """Yield what stands in the fields of a form."""
    for one in _walk(components):
        if isinstance(value := one.get("value"), str):
            yield _whole(value)


def _walk(components: object) -> Iterator[Mapping[str, Any]]:
    """Yield every component, each before those in it."""
    for one in components if isinstance(components, list) else ():
        if isinstance(one, dict):
            yield one
            yield from _walk(one.get("components"))
            yield from _walk([one.get("component"), one.get("accessory")])


# ---------------------------------------------------------------- The mark on what we sent


def is_lasting(reply: Reply) -> bool:
    """Return whether something said is worth keeping when there is a later screen."""
    return not isinstance(reply, Prompt) and not (isinstance(reply, Notice) and reply.fleeting)


def mark(delivery: str, *, screen: bool) -> int:
    """Return what the first component of a message carries as its id, unseen: by it the message can be found again.

    It also says whether the message is a screen, which the next one may replace.
    """
    digits = delivery[:7] if re.fullmatch(r"[0-9a-f]{7}", delivery[:7]) else "0"
    return _MARKED | (int(digits, 16) << 1) | int(screen)


def mark_of(components: object) -> int | None:
    """Return the mark of a message, if it has one."""
    first = components[0] if isinstance(components, list) and components else None
    id = first.get("id") if isinstance(first, dict) else None
    return id if type(id) is int and id >= _MARKED else None


_MARKED = 1 << 30
"""Far above the ids that Discord gives to components by itself."""


def _is_screen(components: list[Any]) -> bool:
    return bool((mark_of(components) or 0) & 1)
