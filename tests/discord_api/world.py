"""Who is there and what they see: people, servers, channels, messages."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, IntFlag, StrEnum

from discord_api.content import Attachment, Content, Modal
from discord_api.refusal import Json

Now = Callable[[], datetime]
Tell = Callable[[str, Json, int], bool]
"""Takes an event, its body and the intents any of which is enough for it, 0 for none; says whether somebody took it."""

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


class Intent(IntFlag):
    """What a bot asks to be told of."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    DIRECT_MESSAGES = 1 << 12
    MESSAGE_CONTENT = 1 << 15


class Can(IntFlag):
    """What someone may do in a channel."""

    ADMINISTRATOR = 1 << 3
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16


USUAL = Can.VIEW_CHANNEL | Can.SEND_MESSAGES | Can.EMBED_LINKS | Can.ATTACH_FILES | Can.READ_MESSAGE_HISTORY


class Context(IntEnum):
    """Where something happens."""

    GUILD = 0
    BOT_DM = 1
    PRIVATE_CHANNEL = 2


class ChannelKind(IntEnum):
    """What a channel is."""

    GUILD = 0
    DM = 1
    GROUP = 3


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot."""

    id: int
    name: str
    locale: str = "en-GB"
    is_bot: bool = False

    @property
    def json(self) -> Json:
        """Return the user as Discord shows them."""
        shown: Json = {"id": str(self.id), "username": self.name.lower(), "global_name": self.name, "discriminator": "0"}
        return {**shown, "avatar": None, "public_flags": 0, "bot": self.is_bot, "system": False}


@dataclass(eq=False, slots=True)
class Guild:
    """A server."""

    id: int
    name: str
    owner: User
    members: dict[int, User] = field(default_factory=dict)
    admins: set[int] = field(default_factory=set)
    managers: set[int] = field(default_factory=set)
    """Who may manage the server, and no more than that."""
    channels: dict[int, "Channel"] = field(default_factory=dict)
    has_bot: bool = True
    joined: datetime = _EPOCH

    def may(self, user: User) -> Can:
        """Return what someone may do here."""
        if user.id in self.admins or user == self.owner:
            return ~Can(0)
        return USUAL | Can.MANAGE_GUILD if user.id in self.managers else USUAL


@dataclass(eq=False, slots=True)
class Channel:
    """A channel of a server, a conversation with the bot, or a group of people; with every message in it."""

    id: int
    kind: ChannelKind
    name: str = ""
    guild: Guild | None = None
    people: dict[int, User] = field(default_factory=dict)
    """Who is in it, where it belongs to no server."""
    bot_may: Can = USUAL
    messages: dict[int, "Message"] = field(default_factory=dict)
    events: list["Event"] = field(default_factory=list)
    """All that ever happened here, in order."""
    typing: list[datetime] = field(default_factory=list)
    """When the bot was seen typing."""
    deleted: bool = False

    @property
    def context(self) -> Context:
        """Return what kind of place it is for a command."""
        return {ChannelKind.GUILD: Context.GUILD, ChannelKind.DM: Context.BOT_DM}.get(self.kind, Context.PRIVATE_CHANNEL)

    @property
    def private(self) -> bool:
        """Return whether only one person reads it."""
        return self.kind is ChannelKind.DM

    @property
    def readers(self) -> dict[int, User]:
        """Return who reads it."""
        return self.guild.members if self.guild else self.people

    @property
    def json(self) -> Json:
        """Return the channel as an event shows it."""
        last = next((str(message.id) for message in reversed(self.messages.values()) if message.reader is None), None)
        shown: Json = {"id": str(self.id), "type": int(self.kind), "last_message_id": last, "flags": 0}
        if self.guild is None:
            return {**shown, "recipients": [user.json for user in self.people.values()], "name": self.name or None}
        more = {"guild_id": str(self.guild.id), "name": self.name, "position": 0, "parent_id": None, "topic": None}
        return {**shown, **more, "nsfw": False, "permission_overwrites": [], "rate_limit_per_user": 0}

    def shown_to(self, user: User) -> tuple["Message", ...]:
        """Return the messages on someone's screen, oldest first."""
        return tuple(message for message in self.messages.values() if message.shown_to(user))


@dataclass(eq=False, slots=True)
class Message:
    """A message in a channel, and all that it has ever said."""

    id: int
    channel: Channel
    sender: User
    at: datetime
    versions: list[Content]
    reader: User | None = None
    """The only person who sees it, if it is ephemeral."""
    extra: Json = field(default_factory=dict)
    edited: datetime | None = None
    deleted: bool = False
    dismissed: bool = False
    """Whether its only reader has put it away; Discord tells the bot nothing of that."""

    @property
    def content(self) -> Content:
        """Return what it says now."""
        return self.versions[-1]

    @property
    def text(self) -> str:
        """Return its words now."""
        return self.content.text

    @property
    def labels(self) -> tuple[str, ...]:
        """Return what stands on its buttons now."""
        return self.content.labels

    def shown_to(self, user: User) -> bool:
        """Return whether it is on someone's screen now."""
        gone = self.deleted or self.dismissed
        return not gone and user.id in self.channel.readers and self.reader in (None, user)

    def json(self, *, whole: bool = True) -> Json:
        """Return the message as Discord shows it; without what is in it unless `whole`."""
        content = self.content if whole else Content(flags=self.content.flags)
        return {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "type": 0,
            "author": self.sender.json,
            "content": content.said,
            "timestamp": self.at.isoformat(),
            "edited_timestamp": self.edited.isoformat() if self.edited else None,
            "tts": False,
            "pinned": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "embeds": list(content.embeds),
            "attachments": [file.json for file in content.attachments],
            "components": list(content.components),
            "flags": content.flags,
            **self.extra,
        }


class What(StrEnum):
    """What can become of a message."""

    NEW = "new"
    EDITED = "edited"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a message, and what it said from then on, or until then."""

    what: What
    message: Message
    content: Content
    at: datetime


class Changes:
    """Tells whoever waits that something has changed."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        """Wake everyone who waits."""
        told, self._next = self._next, asyncio.Event()
        told.set()

    async def next(self, within: float | None = None) -> None:
        """Wait until something changes, or for so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._next.wait(), within)


class World:
    """Everything on the other side of the API."""

    def __init__(self, bot: User, now: Now, tell: Tell) -> None:
        self.bot = bot
        self.now = now
        self.tell = tell
        self.changes = Changes()
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.uploads: dict[int, Attachment] = {}
        """The files that members have sent behind commands."""
        self.closed_dms: set[int] = set()
        """Who lets no bot write to them."""
        self.installed: set[int] = set()
        """Who has added the app to their own account."""
        self.message_content = False
        """Whether the bot may read what is said in servers."""
        self.modals: list[tuple[User, Modal]] = []
        """Every form that was ever opened, and before whom."""
        self.suggested: list[tuple[User, str]] = []
        """Every suggestion that was ever made, and to whom."""
        self._counted = 0

    def new_id(self) -> int:
        """Return a new snowflake: the time in milliseconds, then a count."""
        self._counted += 1
        since = int((self.now() - _EPOCH).total_seconds() * 1000)
        return (since << 22) | (self._counted & 0x3FFFFF)

    def dm(self, user: User) -> Channel | None:
        """Return someone's conversation with the bot, if there is one."""
        found = (c for c in self.channels.values() if c.private and user.id in c.people)
        return next(found, None)

    def open_dm(self, user: User) -> Channel:
        """Return someone's conversation with the bot, which is opened if need be."""
        channel = self.dm(user)
        if channel is None:
            channel = Channel(self.new_id(), ChannelKind.DM, people={user.id: user})
            self.channels[channel.id] = channel
        return channel

    def shares_guild(self, user: User) -> bool:
        """Return whether someone is in a server with the bot."""
        return any(guild.has_bot and user.id in guild.members for guild in self.guilds.values())

    def post(
        self,
        channel: Channel,
        sender: User,
        content: Content,
        *,
        reader: User | None = None,
        extra: Json | None = None,
        nonce: object = None,
    ) -> Message:
        """Return a message that now stands at the end of a channel."""
        message = Message(self.new_id(), channel, sender, self.now(), [content], reader, extra or {})
        channel.messages[message.id] = message
        self._happened(What.NEW, message)
        self._tell_of(message, "MESSAGE_CREATE", {} if nonce is None else {"nonce": nonce})
        return message

    def edit(self, message: Message, content: Content) -> None:
        """Let a message say something else."""
        thinking = message.content.thinking
        message.versions.append(content)
        if not thinking:  # the first words of a deferred answer are no edit
            message.edited = self.now()
        self._happened(What.EDITED, message)
        self._tell_of(message, "MESSAGE_UPDATE", {})

    def delete(self, message: Message) -> None:
        """Take a message from everyone's screen."""
        message.deleted = True
        self._happened(What.DELETED, message)
        if message.reader is None:
            body: Json = {"id": str(message.id), "channel_id": str(message.channel.id)}
            self.tell("MESSAGE_DELETE", body | self._guild_of(message), self._intent(message.channel))

    def ever(self, channel: Channel, of: User | None = None) -> Iterator[tuple[Message, Content]]:
        """Yield all that was ever to be read in a channel, also before an edit or a deletion; with a sender, only theirs."""
        for message in channel.messages.values():
            if of is None or message.sender == of:
                yield from ((message, content) for content in message.versions)

    def _happened(self, what: What, message: Message) -> None:
        message.channel.events.append(Event(what, message, message.content, self.now()))
        self.changes.tell()

    def _tell_of(self, message: Message, event: str, more: Json) -> None:
        """Tell the bot of a message, if anyone but its reader may know of it."""
        if message.reader is not None or (message.channel.guild and not message.channel.guild.has_bot):
            return
        if message.channel.kind is ChannelKind.GROUP:
            return
        readable = self.message_content or message.channel.private or message.sender == self.bot
        body = message.json(whole=readable) | more | self._guild_of(message)
        self.tell(event, body, self._intent(message.channel))

    def _guild_of(self, message: Message) -> Json:
        return {"guild_id": str(message.channel.guild.id)} if message.channel.guild else {}

    def _intent(self, channel: Channel) -> int:
        return int(Intent.GUILD_MESSAGES if channel.guild else Intent.DIRECT_MESSAGES)
