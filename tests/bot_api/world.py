"""Who is there and what they see: users, chats, messages, taps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import count

from bot_api.keyboard import Button, Keyboard
from bot_api.refusal import Json
from bot_api.text import Formatted, shown
from bot_api.updates import Changes, Updates

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot."""

    id: int
    name: str
    language: str = "en"
    username: str | None = None
    is_bot: bool = False

    @property
    def json(self) -> Json:
        """Return the user as an update shows it."""
        shown: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.name}
        if self.username:
            shown["username"] = self.username
        return shown if self.is_bot else {**shown, "language_code": self.language}


ANONYMOUS = User(1087968824, "Group", username="GroupAnonymousBot", is_bot=True)
"""Who an admin is that writes in the name of the group."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file in a message."""

    id: str
    name: str
    kind: str
    data: bytes

    @property
    def json(self) -> Json:
        """Return the document as a message shows it."""
        size = len(self.data)
        return {
            "file_id": self.id,
            "file_unique_id": f"u{self.id}",
            "file_name": self.name,
            "mime_type": self.kind,
            "file_size": size,
        }


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says at one time."""

    words: Formatted = field(default_factory=Formatted)
    keyboard: Keyboard = ()
    document: Document | None = None
    preview: bool = False
    """Whether a link in it may show a preview of its page."""
    other_keyboard: Json | None = None
    """What it asks of the member's own keyboard: to be replaced, to come back, to reply."""

    @property
    def text(self) -> str:
        """Return the words as they are displayed."""
        return self.words.text

    @property
    def buttons(self) -> tuple[Button, ...]:
        """Return the buttons below it, row by row."""
        return tuple(button for row in self.keyboard for button in row)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return what stands on the buttons."""
        return tuple(button.label for button in self.buttons)


@dataclass(eq=False, slots=True)
class Message:
    """A message in a chat, and all it has ever said."""

    id: int
    chat: "Chat"
    sender: User | None
    date: datetime
    versions: list[Content]
    extra: Json = field(default_factory=dict)
    edited: datetime | None = None
    deleted: bool = False

    @property
    def content(self) -> Content:
        """Return what it says now."""
        return self.versions[-1]

    @property
    def text(self) -> str:
        """Return its words as they are displayed now."""
        return self.content.text

    @property
    def labels(self) -> tuple[str, ...]:
        """Return what stands on its buttons now."""
        return self.content.labels

    @property
    def document(self) -> Document | None:
        """Return the file in it."""
        return self.content.document

    def json(self) -> Json:
        """Return the message as the Bot API shows it."""
        shown: Json = {"message_id": self.id, "date": int(self.date.timestamp()), "chat": self.chat.json}
        if self.sender:
            shown["from"] = self.sender.json
        text, entities = ("caption", "caption_entities") if self.document else ("text", "entities")
        if self.text:
            shown[text] = self.text
        if self.content.words.entities:
            shown[entities] = list(self.content.words.entities)
        if self.document:
            shown["document"] = self.document.json
        if self.content.keyboard:
            rows = [[button.json for button in row] for row in self.content.keyboard]
            shown["reply_markup"] = {"inline_keyboard": rows}
        if self.edited:
            shown["edit_date"] = int(self.edited.timestamp())
        return {**shown, **self.extra}


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


@dataclass(eq=False, slots=True)
class Chat:
    """A private chat, a group, a supergroup or a channel, with every message in it."""

    id: int
    kind: str
    title: str = ""
    peer: User | None = None
    """Who a private chat is with."""
    members: dict[int, User] = field(default_factory=dict)
    admins: set[int] = field(default_factory=set)
    statuses: dict[int, str] = field(default_factory=dict)
    """Of those who are neither plain members nor plain administrators."""
    hides_members: bool = False
    """Whether only administrators are told who is in it."""
    messages: dict[int, Message] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    """All that ever happened here, in order."""
    bot: str = "member"
    """What the bot is there: member, administrator, left, kicked; in a private chat kicked means blocked."""
    begun: bool = True
    """Whether the member of a private chat has ever written to the bot."""
    migrated_to: int | None = None
    actions: list[str] = field(default_factory=list)
    """What the bot was seen to be doing, such as typing."""

    @property
    def private(self) -> bool:
        """Return whether only one member reads it."""
        return self.kind == "private"

    @property
    def json(self) -> Json:
        """Return the chat as a message shows it."""
        shown: Json = {"id": self.id, "type": self.kind}
        if self.peer:
            named = {"first_name": self.peer.name, "username": self.peer.username}
            return {**shown, **{name: value for name, value in named.items() if value}}
        return {**shown, "title": self.title}

    def status_of(self, user: User) -> str:
        """Return what a user is here; whoever was never here has left."""
        if self.peer == user:
            return "member"
        if self.migrated_to or user.id not in {*self.members, *self.statuses}:
            return "left"
        return self.statuses.get(user.id, "administrator" if user.id in self.admins else "member")

    @property
    def shown(self) -> tuple[Message, ...]:
        """Return the messages that a member sees now, oldest first."""
        return tuple(message for message in self.messages.values() if not message.deleted)

    def ever(self, of: User | None = None) -> Iterator[Content]:
        """Yield all that was ever to be read here, also before an edit or a deletion; with a sender, only of theirs."""
        for message in self.messages.values():
            if of is None or message.sender == of:
                yield from message.versions


@dataclass(frozen=True, slots=True)
class Answer:
    """What a member was shown in answer to a tap."""

    text: str
    alert: bool


@dataclass(eq=False, slots=True)
class Tap:
    """A tap on a button, as the bot learns of it."""

    id: str
    user: User
    message: Message
    data: str
    at: datetime
    update_id: int | None = None
    answer: Answer | None = None

    def json(self) -> Json:
        """Return the callback query; of a deleted message only its place is known."""
        message = self.message
        shown = {"chat": message.chat.json, "message_id": message.id, "date": 0} if message.deleted else message.json()
        return {
            "id": self.id,
            "from": self.user.json,
            "message": shown,
            "chat_instance": str(message.chat.id * 7919),
            "data": self.data,
        }


class World:
    """Everything on the other side of the Bot API."""

    def __init__(self, bot: User, now: Now) -> None:
        self.bot = bot
        self.now = now
        self.privacy_mode = True
        """Whether the bot hears in groups only what is meant for it."""
        self.changes = Changes()
        self.updates = Updates(self.changes)
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.taps: dict[str, Tap] = {}
        self.documents: dict[str, Document] = {}
        self._message_ids = count(1)
        self._tap_ids = count(4_382_000_000_000_000_001, 7)
        self._file_ids = count(1)
        self._group_ids = count(1)

    def group_id(self, below: int) -> int:
        """Return a new id below this one, for a chat of many."""
        return below - next(self._group_ids)

    def post(self, chat: Chat, sender: User | None, content: Content, extra: Json | None = None) -> Message:
        """Return a message that now stands at the end of a chat.

        Supergroups and channels count their messages themselves, as the real ones do; all other chats share a count.
        """
        own = chat.kind in ("supergroup", "channel")
        id = max(chat.messages, default=0) + 1 if own else next(self._message_ids)
        message = Message(id, chat, sender, self.now(), [content], extra or {})
        chat.messages[id] = message
        self._happened(What.NEW, message)
        return message

    def edit(self, message: Message, content: Content) -> None:
        """Let a message say something else."""
        message.versions.append(content)
        message.edited = self.now()
        self._happened(What.EDITED, message)

    def delete(self, message: Message) -> None:
        """Take a message from everyone's screen."""
        message.deleted = True
        self._happened(What.DELETED, message)

    def tap(self, user: User, message: Message, data: str, id: str | None = None) -> Tap:
        """Return a tap that the bot is told of."""
        tap = Tap(id or str(next(self._tap_ids)), user, message, data, self.now())
        self.taps[tap.id] = tap
        tap.update_id = self.tell("callback_query", tap.json(), ("tap", user.id))
        return tap

    def tell(self, kind: str, body: Json, lane: tuple[str, int]) -> int | None:
        """Return the id of the update that tells the bot of this, or None where it does not want to know."""
        return self.updates.add(kind, body, lane, self.now())

    def hears(self, message: Message) -> int | None:
        """Return the id of the update that tells the bot of a message, or None where it does not hear it."""
        chat = message.chat
        if chat.bot in ("left", "kicked") or not self._meant_for_bot(message):
            return None
        kind = "channel_post" if chat.kind == "channel" else "message"
        return self.tell(f"edited_{kind}" if message.edited else kind, message.json(), ("chat", chat.id))

    def document(self, name: str, kind: str, data: bytes) -> Document:
        """Return a file that is now kept."""
        document = Document(f"file{next(self._file_ids)}", name, kind, data)
        self.documents[document.id] = document
        return document

    def _happened(self, what: What, message: Message) -> None:
        message.chat.events.append(Event(what, message, message.content, self.now()))
        self.changes.tell()

    def _meant_for_bot(self, message: Message) -> bool:
        """Return whether privacy mode lets a message through: commands and mentions, replies to the bot, service messages."""
        chat = message.chat
        if chat.private or chat.kind == "channel" or not self.privacy_mode or chat.bot == "administrator":
            return True
        replied = message.extra.get("reply_to_message", {}).get("from", {}).get("id")
        service = not message.text and not message.document
        return service or replied == self.bot.id or self._addressed(message)

    def _addressed(self, message: Message) -> bool:
        name = (self.bot.username or "").lower()
        for entity in message.content.words.entities:
            _, _, addressee = shown(message.text, entity).lower().partition("@")
            if entity["type"] == "bot_command" and addressee in ("", name):
                return True
            if entity["type"] == "mention" and addressee == name:
                return True
        return False
