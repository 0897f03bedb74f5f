"""One delivery as calls of the API, and what became of it.

What answers an interaction goes out by that: see exchange.py. What answers a message goes into the conversation under a
nonce, by which Discord knows it for a few minutes, and with a mark, by which we find it after that.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bots.discord.exchange import REMEMBERED, Exchanges, Gone, Message
from bots.discord.interactions import Asked, asked_of, is_lasting, mark, mark_of
from bots.discord.limits import EPOCH, LAST_MESSAGES, LONGEST_NONCE, MOST_PAGES, PAGE
from bots.discord.render import layout, posted
from bots.discord.request import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, MaybeSent, NotSent, Refusal, Requests
from core.dialogue import Reply
from core.errors import OutOfReach, Refused, RetryLater, Unreachable
from core.ledger import Delivery, Kind, Owed
from core.members import Address
from core.occasions import Occasion
from core.replies import owed as owed_as
from core.replies import plain, reply_of
from core.words import Words

LAYOUT = "layout"
ORIGINAL = "@original"
"""What the answer to an interaction changes: it can be tried again as often as need be."""
NEW_TOKEN = 60.0
"""Seconds until what surely was not sent is tried again where the token is no longer good: someone has to see to it."""
SENDS = 3
"""So often in a row a message is sent under its nonce until its outcome is known."""
SEND_SECONDS = 5.0
"""For each time: a member's next answer waits behind it."""
CLOSED = (50007, 50278)
"""The codes of the refusal to write to someone; the first also comes with a status of 400."""
FIRST = (Kind.CHECK_IN, Kind.TIP)
"""What is written first: only into the conversation that a member has opened."""
SKEW = timedelta(minutes=5)
"""How much Discord's clock may differ from ours."""
_WEIGHTS = (Kind.NOTICE, Kind.QUESTION, Kind.FILE, Kind.VERDICT)
"""The kinds of reply; the weightiest says what may be done where the outcome is unknown."""

Refuse = Callable[[Address, float], None]
"""Told for which address Discord said to wait, and for how many seconds."""


def owed(replies: Sequence[Reply], now: datetime, to: Asked | str) -> tuple[Owed, ...]:
    """Return all that is said in a turn as one message: in answer to an interaction, or into a conversation by its id."""
    if not replies:
        return ()
    kind = max((owed_as(reply, now).kind for reply in replies), key=_WEIGHTS.index)
    where = {"channel": to} if isinstance(to, str) else {"interaction": to.plain()}
    said = {"is": LAYOUT, "replies": [plain(reply) for reply in replies], **where}
    return (Owed(kind, said, now, edits=None if isinstance(to, str) else ORIGINAL),)


def drawn(delivery: Delivery, words: Words, page: int = 0) -> Message:
    """Return a page of what a delivery says, a turn or one reply, marked as that delivery; raise where it is neither."""
    said = delivery.reply["replies"] if delivery.reply.get("is") == LAYOUT else [delivery.reply]
    replies = tuple(reply_of(one) for one in said)
    shown = posted(replies[0], words) if is_public(delivery) else layout(replies, words, page, delivery.id)
    shown.components[0]["id"] = mark(delivery.id, screen=not any(map(is_lasting, replies)))
    return Message(shown.components, shown.files)


def is_public(delivery: Delivery) -> bool:
    """Return whether a delivery is for a channel where others read."""
    return delivery.reply.get("occasion") == Occasion.POSTED


class Messenger:
    """Writes to members on Discord."""

    def __init__(self, requests: Requests, exchanges: Exchanges, words: Words, refuse: Refuse) -> None:
        self._requests, self._exchanges, self._words, self._refuse = requests, exchanges, words, refuse
        self._passing: OrderedDict[Address, Asked] = OrderedDict()
        """What was answered last with nothing but what passes, such as a code: something from another chat may replace it."""

    async def send(self, delivery: Delivery) -> str | None:
        """Return `channel/message` of what is now there, where that can be deleted some day.

        Raise what core/errors.py names for an outcome that is known; MaybeSent leaves it unknown.
        """
        try:
            if delivery.kind is Kind.DELETION:
                await self._delete(delivery.edits or "")
                return None
            if (interaction := delivery.reply.get("interaction")) is not None:
                return await self._answer(delivery, asked_of(interaction))
            channel = delivery.reply.get("channel") or (delivery.place if delivery.kind in FIRST else None)
            return await (self._unasked(delivery) if channel is None else self._post(delivery, channel))
        except NotSent as error:
            if error.held:
                self._refuse(delivery.address, error.seconds)
            raise (RetryLater if error.held else OutOfReach)(error.seconds) from None
        except Refusal as refusal:
            raise _known(refusal, public=is_public(delivery)) from None

    async def _answer(self, delivery: Delivery, asked: Asked) -> str | None:
        message = drawn(delivery, self._words)
        replaces = asked.screen and bool(message.components[0]["id"] & 1)
        try:
            said = await self._exchanges.of(asked).say(message, update=replaces)
        except Gone:  # such as the message on which someone has all messages deleted: the receipt comes all the same
            if asked.channel is None:
                raise
            said = await self._post(delivery, asked.channel)
        self._note(delivery, asked)
        return said

    def _note(self, delivery: Delivery, asked: Asked) -> None:
        self._passing.pop(delivery.address, None)
        if all(one["is"] == "notice" and one["fleeting"] for one in delivery.reply["replies"]):
            self._passing[delivery.address] = asked
        if len(self._passing) > REMEMBERED:
            self._passing.popitem(last=False)

    async def _unasked(self, delivery: Delivery) -> str | None:
        """Say what another chat led to, in the conversation where the member is, or in the place of what passes."""
        asked = None if delivery.kind in FIRST else self._passing.pop(delivery.address, None)
        if asked is None:
            raise Unreachable  # nobody is written to who has not opened the conversation
        if asked.channel is not None:
            return await self._post(delivery, asked.channel)
        return await self._exchanges.of(asked).say(drawn(delivery, self._words), update=False)

    # ---------------------------------------------------------------- In the conversation with the bot

    async def _post(self, delivery: Delivery, channel: str) -> str:
        message = drawn(delivery, self._words)
        if delivery.attempt > 1 and (there := await self._there(delivery, channel, message.components[0]["id"])) is not None:
            return f"{channel}/{there}"
        body = message.body | {"nonce": delivery.id[:LONGEST_NONCE], "enforce_nonce": True}
        unknown: MaybeSent | None = None
        for _ in range(SENDS):
            try:
                sent = await self._requests.ask(
                    "POST", f"/channels/{channel}/messages", body, files=message.files, token=True, within=SEND_SECONDS
                )
                return f"{channel}/{sent['id']}"
            except MaybeSent as error:
                unknown = error
            except NotSent:
                if unknown is None:
                    raise
                break  # this one surely was not sent, and of the one before it that is not known
        raise unknown or MaybeSent("Sends")

    async def _there(self, delivery: Delivery, channel: str, mark: int) -> str | None:
        """Return the message of a delivery that may have been sent before, if it is there."""
        if is_public(delivery):
            return await self._found_among_others(channel, mark, delivery.due - SKEW)
        return await self._found(channel, mark)

    async def _found_among_others(self, channel: str, mark: int, since: datetime) -> str | None:
        """Return the message with a mark, if it is among those since a time in a channel where others write too.

        Raise MaybeSent where that cannot be told: too much was said since, or nothing can be read, for want of the right.
        """
        before = ""
        for _ in range(MOST_PAGES):
            path = f"/channels/{channel}/messages?limit={PAGE}{before}"
            messages = _mappings(await self._requests.ask("GET", path, token=True))
            found = next((one["id"] for one in messages if mark_of(one.get("components")) == mark), None)
            if found is not None:
                return str(found)
            if not messages and not before and not await self._is_empty(channel):
                break
            if len(messages) < PAGE or written_at(messages[-1]["id"]) < since:
                return None
            before = f"&before={messages[-1]['id']}"
        raise MaybeSent("Unread")

    async def _is_empty(self, channel: str) -> bool:
        """Return whether nobody ever wrote in a channel: without the right to read what was said, it looks so too."""
        about = await self._requests.ask("GET", f"/channels/{channel}", token=True)
        return isinstance(about, dict) and about.get("last_message_id") is None

    async def _found(self, channel: str, mark: int) -> str | None:
        """Return the message with a mark, if it is among the last in a conversation."""
        messages = await self._requests.ask("GET", f"/channels/{channel}/messages?limit={LAST_MESSAGES}", token=True)
        found = (one["id"] for one in _mappings(messages) if mark_of(one.get("components")) == mark)
        return next(found, None)

    async def _delete(self, message: str) -> None:
        """Delete a message, unless it is gone."""
        channel, _, id = message.partition("/")
        try:
            await self._requests.ask("DELETE", f"/channels/{channel}/messages/{id}", token=True)
        except Refusal as refusal:
            if refusal.status not in (FORBIDDEN, NOT_FOUND):
                raise


def _known(refusal: Refusal, *, public: bool) -> Exception:
    """Return a refusal to write somewhere as the outcome that it means; where others read, the next run is tried again."""
    if refusal.status == UNAUTHORIZED:
        return OutOfReach(NEW_TOKEN)
    if not public and (refusal.status in (FORBIDDEN, NOT_FOUND) or refusal.code in CLOSED):
        return Unreachable()
    return Refused()


def written_at(id: str) -> datetime:
    """Return when something on Discord came about: its id says so, docs.discord.com/developers/reference."""
    return EPOCH + timedelta(milliseconds=int(id) >> 22)


def _mappings(given: object) -> list[Mapping[str, Any]]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
