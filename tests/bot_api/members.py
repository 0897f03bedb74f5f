"""The members' side: what people do on their phones, and what they see there. Everything takes effect at once."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from bot_api.keyboard import Button
from bot_api.refusal import Json
from bot_api.text import Formatted, typed
from bot_api.world import ANONYMOUS, Chat, Content, Event, Message, Tap, User, World

PATIENCE = 5.0
"""How long a test waits for the bot, in seconds, before it fails."""
LOOK_AGAIN = 0.01
"""After so many seconds without a change, for what hangs on something else than this server."""


class Member:
    """One person in one chat."""

    def __init__(self, world: World, user: User, chat: Chat, *, anonymous: bool = False) -> None:
        self.world = world
        self.user = user
        self.chat = chat
        self.anonymous = anonymous
        """Whether this is an admin who writes in the name of the group."""
        self._seen = len(chat.events)

    # ---------------------------------------------------------------- doing

    def says(self, text: str, *, reply_to: Message | None = None) -> Message:
        """Write something: words, a command."""
        return self._posts(Content(typed(text)), {} if reply_to is None else {"reply_to_message": reply_to.json()})

    def sends(self, document: str, data: bytes = b"x", kind: str = "text/plain") -> Message:
        """Send a file."""
        return self._posts(Content(document=self.world.document(document, kind, data)), {})

    def forwards(self, message: Message) -> Message:
        """Forward a message, from any chat, into this one; it loses its buttons."""
        date = int(message.date.timestamp())
        origin: Json = {"type": "hidden_user", "sender_user_name": "Someone", "date": date}
        if message.sender:
            origin = {"type": "user", "sender_user": message.sender.json, "date": date}
        return self._posts(replace(message.content, keyboard=()), {"forward_origin": origin})

    def edits(self, message: Message, text: str) -> None:
        """Change the words of a message of one's own."""
        assert message.sender in (self.user, ANONYMOUS), "one edits only what is one's own"
        self.world.edit(message, Content(typed(text)))
        self.world.hears(message)

    def deletes(self, message: Message) -> None:
        """Delete a message; the bot is told nothing."""
        self.world.delete(message)

    def taps(self, label: str, message: Message | None = None) -> Tap:
        """Tap the button with this label (or its beginning) on a message, or on the newest that has it."""
        message, button = self._button(label, message)
        assert button.data is not None, f"{label!r} opens {button.url}: use opens()"
        return self.world.tap(self.user, message, button.data)

    def forges(self, message: Message, data: str) -> Tap:
        """Tap a button that is not there, as a changed app can."""
        return self.world.tap(self.user, message, data)

    def taps_again(self, tap: Tap, *, same_id: bool = False) -> Tap:
        """Let the app send a tap once more whose answer never arrived: a new update, and unless `same_id` a new query."""
        return self.world.tap(tap.user, tap.message, tap.data, tap.id if same_id else None)

    def opens(self, where: str | Button) -> Message:
        """Open a deep link to the bot, or a button that is one, and press Start; return what that writes to the bot."""
        url = where if isinstance(where, str) else where.url or ""
        parts = urlsplit(url)
        payload = parse_qs(parts.query).get("start", [""])[0]
        assert parts.netloc == "t.me", f"{url} is no link into Telegram"
        assert parts.path.strip("/").lower() == (self.world.bot.username or "").lower(), f"{url} leads to another bot"
        assert re.fullmatch(r"[\w-]{1,64}", payload, re.ASCII), f"Telegram takes no such payload: {payload!r}"
        return private(self.world, self.user).says(f"/start {payload}")

    def blocks(self) -> int | None:
        """Block the bot."""
        return self._sees_bot("kicked")

    def unblocks(self) -> int | None:
        """Let the bot write again."""
        return self._sees_bot("member")

    # ---------------------------------------------------------------- seeing

    @property
    def shown(self) -> tuple[Message, ...]:
        """Return the messages on the screen, oldest first."""
        return self.chat.shown

    @property
    def heard(self) -> tuple[Message, ...]:
        """Return those that the bot wrote."""
        return tuple(message for message in self.chat.shown if message.sender == self.world.bot)

    @property
    def last(self) -> Message:
        """Return the newest that the bot wrote."""
        assert self.heard, "the bot has written nothing here"
        return self.heard[-1]

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the words of all that the bot wrote and that still stands."""
        return tuple(message.text for message in self.heard)

    def button(self, label: str) -> Button:
        """Return the button with this label, or its beginning, on the newest message that has it."""
        return self._button(label, None)[1]

    async def sees(self, *, within: float = PATIENCE) -> Event:
        """Return the next thing that the bot did here, once there is one: each is returned once, in order."""
        events = self.chat.events

        def next_event() -> bool:
            while self._seen < len(events) and events[self._seen].message.sender != self.world.bot:
                self._seen += 1
            return self._seen < len(events)

        await until(self.world, next_event, within, lambda: "anything new from the bot")
        self._seen += 1
        return events[self._seen - 1]

    async def reads(self, text: str, *, within: float = PATIENCE) -> Message:
        """Return the newest message of the bot with these words in it, once there is one."""
        await until(self.world, lambda: any(text in shown for shown in self.texts), within, lambda: f"{text!r} in {self.texts}")
        return next(message for message in reversed(self.heard) if text in message.text)

    def _posts(self, content: Content, extra: Json) -> Message:
        assert not (self.chat.private and self.chat.bot == "kicked"), "blocked: unblock the bot first"
        self.chat.begun = True
        sender = self.user
        if self.anonymous:
            sender, extra = ANONYMOUS, {**extra, "sender_chat": self.chat.json}
        message = self.world.post(self.chat, sender, content, extra)
        self.world.hears(message)
        return message

    def _button(self, label: str, message: Message | None) -> tuple[Message, Button]:
        messages = [message] if message else [m for m in reversed(self.chat.shown) if m.content.keyboard]
        for fits in (str.__eq__, str.startswith):
            for one in messages:
                for button in one.content.buttons:
                    if fits(button.label.casefold(), label.casefold()):
                        return one, button
        raise AssertionError(f"no button {label!r} among {[m.labels for m in messages]}")

    def _sees_bot(self, status: str) -> int | None:
        was, self.chat.bot = self.chat.bot, status
        return tell_status(self.world, self.chat, self.user, was)


class Group:
    """A group or a supergroup."""

    def __init__(self, world: World, chat: Chat) -> None:
        self.world = world
        self.chat = chat

    @property
    def id(self) -> int:
        """Return the id of the chat."""
        return self.chat.id

    def member(self, user: User) -> Member:
        """Return a user who is in the group from now on."""
        self.chat.members[user.id] = user
        return Member(self.world, user, self.chat)

    def admin(self, user: User) -> Member:
        """Return a user who is an admin of the group from now on."""
        self.chat.admins.add(user.id)
        return self.member(user)

    def demotes(self, user: User) -> None:
        """Let an admin be a plain member; the bot is told nothing, for it has not asked for that."""
        self.chat.admins.discard(user.id)
        self.chat.statuses.pop(user.id, None)

    def becomes(self, user: User, status: str) -> None:
        """Let somebody be the creator, or restricted, whether in the group or not; or kicked, who is in it no more."""
        self.chat.statuses[user.id] = status
        if status == "kicked":
            self.removes(user)

    def removes(self, user: User) -> None:
        """Let somebody leave the group."""
        self.chat.members.pop(user.id, None)
        self.chat.admins.discard(user.id)

    def anonymous(self, user: User) -> Member:
        """Return an admin who writes in the name of the group; taps come from the person all the same."""
        self.admin(user)
        return Member(self.world, user, self.chat, anonymous=True)

    def adds_bot(self, by: User, *, as_admin: bool = False) -> None:
        """Let somebody bring the bot in; it is told twice, as it is."""
        was, self.chat.bot = self.chat.bot, "administrator" if as_admin else "member"
        tell_status(self.world, self.chat, by, was)
        joined = [self.world.bot.json]
        self.world.hears(self.world.post(self.chat, by, Content(), {"new_chat_members": joined}))

    def removes_bot(self, by: User) -> None:
        """Let somebody throw the bot out."""
        was, self.chat.bot = self.chat.bot, "kicked"
        tell_status(self.world, self.chat, by, was)

    def migrates(self) -> "Group":
        """Return the supergroup that takes the place of this group; both say so, and the old id no longer takes messages."""
        old = self.chat
        chat = Chat(-1_000_000_000_000 + old.id, "supergroup", old.title, members=old.members, admins=old.admins, bot=old.bot)
        self.world.chats[chat.id] = chat
        old.migrated_to = chat.id
        self.world.hears(self.world.post(old, ANONYMOUS, Content(), {"migrate_to_chat_id": chat.id}))
        self.world.hears(self.world.post(chat, ANONYMOUS, Content(), {"migrate_from_chat_id": old.id}))
        return Group(self.world, chat)


class Channel:
    """A channel in which the bot is."""

    def __init__(self, world: World, chat: Chat) -> None:
        self.world = world
        self.chat = chat

    def posts(self, text: str) -> Message:
        """Publish something."""
        message = self.world.post(self.chat, None, Content(typed(text)), {"sender_chat": self.chat.json})
        self.world.hears(message)
        return message

    def edits(self, message: Message, text: str) -> None:
        """Change what was published."""
        self.world.edit(message, Content(Formatted(text)))
        self.world.hears(message)


def private(world: World, user: User) -> Member:
    """Return a user's private chat with the bot; until they write there, the bot may not."""
    chat = world.chats.setdefault(user.id, Chat(user.id, "private", peer=user, begun=False))
    return Member(world, user, chat)


def group(world: World, title: str, *members: User, bot: str = "member", supergroup: bool = False) -> Group:
    """Return a group with these members in it, of which the bot has been told nothing yet."""
    id = world.group_id(-1_004_000_000_000 if supergroup else -4_000_000_000)
    kind = "supergroup" if supergroup else "group"
    chat = world.chats[id] = Chat(id, kind, title, members={user.id: user for user in members}, bot=bot)
    return Group(world, chat)


def channel(world: World, title: str) -> Channel:
    """Return a channel."""
    id = world.group_id(-1_005_000_000_000)
    chat = world.chats[id] = Chat(id, "channel", title, bot="administrator")
    return Channel(world, chat)


def tell_status(world: World, chat: Chat, by: User, was: str) -> int | None:
    """Return the id of the update that tells the bot what it has become in a chat."""
    change: Json = {
        "chat": chat.json,
        "from": by.json,
        "date": int(world.now().timestamp()),
        "old_chat_member": _bot_as(world, was),
        "new_chat_member": _bot_as(world, chat.bot),
    }
    return world.tell("my_chat_member", change, ("status", chat.id))


def _bot_as(world: World, status: str) -> Json:
    shown: Json = {"user": world.bot.json, "status": status}
    if status == "kicked":
        shown["until_date"] = 0
    if status == "administrator":
        shown |= {"can_be_edited": False, "is_anonymous": False} | dict.fromkeys(_RIGHTS, False)
    return shown


_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


async def until(world: World, holds: Callable[[], bool], within: float, wanted: Callable[[], str]) -> None:
    """Wait until something holds; fail after so many seconds and say what was wanted."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not holds():
        if loop.time() >= end:
            raise AssertionError(f"not within {within} s: {wanted()}")
        await world.changes.next(LOOK_AGAIN)
