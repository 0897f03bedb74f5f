"""The routes of channels: messages that a bot sends by itself, and conversations that it opens."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from discord_api.call import Call, Result
from discord_api.form import Form
from discord_api.refusal import refusal
from discord_api.world import Can, Channel, Message, World
from discord_api.writing import rewritten, written

NONCE_LASTS = timedelta(minutes=2)
"""Discord says "the past few minutes"; two is the least that can mean."""
LONGEST_NONCE = 25


@dataclass(slots=True)
class Nonces:
    """What the bot has sent of late under a nonce that may not come twice."""

    _sent: dict[str, tuple[datetime, Message]] = field(default_factory=dict)

    def find(self, nonce: str, now: datetime) -> Message | None:
        """Return the message that was sent under a nonce, if that is not too long ago."""
        at, message = self._sent.get(nonce, (None, None))
        return message if at is not None and now - at <= NONCE_LASTS else None

    def note(self, nonce: str, message: Message) -> None:
        """Remember what was sent under a nonce."""
        self._sent.setdefault(nonce, (message.at, message))


@dataclass(slots=True)
class Channels:
    """What the routes of channels need."""

    world: World
    nonces: Nonces = field(default_factory=Nonces)


def send(channels: Channels, call: Call) -> Result:
    """Post a message; with `enforce_nonce`, one that was posted under the same nonce comes back instead."""
    world, given = channels.world, call.json
    channel = _writable(world, call)
    nonce = given.get("nonce")
    form = Form()
    form.text(("nonce",), None if nonce is None else str(nonce), 0, LONGEST_NONCE)
    form.settle()
    if nonce is not None and given.get("enforce_nonce"):
        sent = channels.nonces.find(str(nonce), world.now())
        if sent is not None:
            return {**sent.json(), "nonce": nonce}
    content = written(world, call, given)
    _check_reachable(world, channel)
    message = world.post(channel, world.bot, content, nonce=nonce)
    if nonce is not None:
        channels.nonces.note(str(nonce), message)
    return message.json() | ({} if nonce is None else {"nonce": nonce})


def edit(channels: Channels, call: Call) -> Result:
    """Change a message of one's own."""
    world, message = channels.world, _own(channels, call)
    world.edit(message, rewritten(world, call, call.json, message.content))
    return message.json()


def delete(channels: Channels, call: Call) -> Result:
    """Take a message back; of others only where one may."""
    world = channels.world
    channel, message = _found(channels, call)
    if message.sender != world.bot:
        if channel.guild is None:
            raise refusal(50005)
        if Can.MANAGE_MESSAGES not in channel.bot_may:
            raise refusal(50013)
    world.delete(message)
    return None


def get_one(channels: Channels, call: Call) -> Result:
    """Read one message."""
    _, message = _found(channels, call)
    return _readable(channels.world, message)


def get_many(channels: Channels, call: Call) -> Result:
    """Read the newest messages, newest first; the nonce of one is not shown again."""
    channel = _visible(channels.world, call)
    form, limit = Form(), call.query.get("limit", "50")
    form.whole(("limit",), int(limit) if limit.isdigit() else limit, 1, 100)
    form.settle()
    if Can.READ_MESSAGE_HISTORY not in channel.bot_may:
        return []
    found = [message for message in channel.messages.values() if message.reader is None and not message.deleted]
    return [_readable(channels.world, one) for one in _between(found, call.query, int(limit))]


def type_on(channels: Channels, call: Call) -> Result:
    """Be seen typing."""
    channel = _writable(channels.world, call)
    channel.typing.append(channels.world.now())
    channels.world.changes.tell()
    return None


def get_channel(channels: Channels, call: Call) -> Result:
    """Read what a channel is."""
    return _visible(channels.world, call).json


def open_dm(channels: Channels, call: Call) -> Result:
    """Open the conversation with someone; whether they can be written to is seen only then."""
    world = channels.world
    text = str(call.json.get("recipient_id"))
    user = world.users.get(int(text)) if text.isdigit() else None
    if user is None or user == world.bot:
        raise refusal(50033)
    return world.open_dm(user).json


def _visible(world: World, call: Call) -> Channel:
    """Return the channel that is meant; raise Refusal for one that is not there, or that the bot cannot see."""
    channel = world.channels.get(call.id("channel_id"))
    if channel is None or channel.deleted:
        raise refusal(10003)
    seen = channel.guild.has_bot and Can.VIEW_CHANNEL in channel.bot_may if channel.guild else channel.private
    if not seen:
        raise refusal(50001)
    return channel


def _writable(world: World, call: Call) -> Channel:
    channel = _visible(world, call)
    if channel.guild and Can.SEND_MESSAGES not in channel.bot_may:
        raise refusal(50013)
    return channel


def _check_reachable(world: World, channel: Channel) -> None:
    """Raise Refusal where a person cannot be written to."""
    if not channel.private:
        return
    user = next(iter(channel.people.values()))
    if user.id in world.closed_dms:
        raise refusal(50007)
    if not world.shares_guild(user) and user.id not in world.installed:
        raise refusal(50278)


def _found(channels: Channels, call: Call) -> tuple[Channel, Message]:
    """Return the message that is meant; one that only its reader sees is not known here."""
    channel = _visible(channels.world, call)
    message = channel.messages.get(call.id("message_id"))
    if message is None or message.deleted or message.reader is not None:
        raise refusal(10008)
    return channel, message


def _own(channels: Channels, call: Call) -> Message:
    _, message = _found(channels, call)
    if message.sender != channels.world.bot:
        raise refusal(50005)
    return message


def _readable(world: World, message: Message) -> dict[str, object]:
    own = message.sender == world.bot or message.channel.private
    return message.json(whole=own or world.message_content)


def _between(messages: Iterable[Message], query: dict[str, str], limit: int) -> list[Message]:
    """Return so many, newest first: the newest of all or of those before another, or those right after it."""
    before, after = int(query.get("before", 1 << 63)), int(query.get("after", 0))
    found = [message for message in messages if after < message.id < before]
    kept = found[:limit] if "after" in query else found[-limit:]
    return kept[::-1]
