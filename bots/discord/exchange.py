"""How one interaction is answered: by its callback within three seconds, or deferred by that, and by edits from then on.

Nothing is said twice. What may or may not have been said is settled by an edit of the original, which says the same
again; only where there is no original yet the callback is made once more.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote

from bots.discord.interactions import EPHEMERAL, Asked
from bots.discord.limits import ANSWERED_WITHIN, TOKEN_LASTS
from bots.discord.request import NOT_FOUND, SOON, File, MaybeSent, NotSent, Refusal, Requests
from core.errors import Refused
from core.outreach import Sleep
from core.ports import Now

COMPONENTS_V2 = 1 << 15
MESSAGE, DEFER, DEFER_UPDATE, UPDATE, SUGGEST, FORM = 4, 5, 6, 7, 8, 9
"""How an interaction can be answered at first."""
ACKNOWLEDGED = 40060
"""The code of the refusal to answer for the first time what was answered before."""
UNKNOWN_MESSAGE = 10008
"""The code of the refusal to change what is no longer there."""

CALLBACK_SECONDS = 1.2
"""For the callback: what has no answer by then can be settled while the interaction is still known."""
EDIT_SECONDS = 4.0
"""For an edit, which can be repeated at will: a member's next answer waits behind it."""
TRIES, PAUSE = 6, 0.05
"""So many requests in a row are made to get one answer through before it has to wait, the first so many seconds apart."""
REMEMBERED = 5_000
"""Interactions whose state is known: many times those of a quarter of an hour in a large club."""

NO_MENTIONS = {"parse": list[str]()}


@dataclass(frozen=True, slots=True)
class Message:
    """What is said: components of the new layout, and the files that they show."""

    components: Sequence[dict[str, Any]]
    files: Sequence[File] = ()

    @property
    def body(self) -> dict[str, Any]:
        """Return it as the API takes it, in the place of whatever stood there."""
        attached = [{"id": n, "filename": name} for n, (name, _) in enumerate(self.files)]
        said = {"components": self.components, "attachments": attached}
        return {"flags": COMPONENTS_V2, "allowed_mentions": NO_MENTIONS, **said}


class Gone(Refused):
    """The message that an answer was to change is no longer there."""


class _State(Enum):
    NEW = "new"
    """Nothing has answered it."""
    ANSWERED = "answered"
    """There is an original, which can be edited."""
    UNSURE = "unsure"
    """There may be one."""
    LOST = "lost"
    """Nothing can be said to it any more."""


class Exchange:
    """One interaction and what became of its answers. One request at a time is made for it."""

    def __init__(self, asked: Asked, requests: Requests, now: Now, sleep: Sleep, *, new: bool) -> None:
        self._asked, self._requests, self._now, self._sleep = asked, requests, now, sleep
        self._state = _State.NEW if new else _State.UNSURE
        self._lock = asyncio.Lock()

    @property
    def open(self) -> bool:
        """Whether nothing has answered it, as far as is known."""
        return self._state is _State.NEW

    async def defer(self) -> None:
        """Let the member know that an answer comes, unless something is being said already."""
        async with self._lock:
            if self._state is not _State.NEW:
                return
            update = self._asked.changes
            flags = {} if self._asked.channel is not None else {"flags": EPHEMERAL}
            try:
                await self._callback({"type": DEFER_UPDATE if update else DEFER, "data": flags})
            except (NotSent, MaybeSent, Refusal):
                return  # what is known of it now is noted

    async def answer(self, body: dict[str, Any]) -> None:
        """Answer at once with what is no message: a form, or suggestions. What comes too late for that is left."""
        async with self._lock:
            if self._state is _State.NEW:
                await self._callback(body)

    async def say(self, message: Message, *, update: bool) -> str | None:
        """Say something in answer; return the id of the message where it is in the conversation with the bot and new.

        With `update` it takes the place of the message that the interaction hangs on. What was deferred is edited.
        Raise Gone where that message is there no more, Refused where nothing can be said any more, and NotSent or MaybeSent
        as they come.
        """
        async with self._lock:
            for attempt in range(TRIES):
                if self._state is _State.LOST or self._now() - self._asked.at >= TOKEN_LASTS:
                    raise Refused
                last = attempt == TRIES - 1
                try:
                    if self._state is _State.NEW:
                        return self._id(await self._said_first(message, update=update))
                    return self._id(await self._edited(message))
                except MaybeSent:
                    if last:
                        raise
                except NotSent as error:
                    if last or error.seconds > SOON or error.held:
                        raise
                except Refusal as refusal:
                    self._refused(refusal)
                await self._sleep(PAUSE * 2**attempt)
        raise MaybeSent("Tries")

    async def _said_first(self, message: Message, *, update: bool) -> Any:
        private = self._asked.channel is not None
        body = message.body
        if not private:
            body["flags"] |= EPHEMERAL
        asks_back = private and not update
        return await self._callback({"type": UPDATE if update else MESSAGE, "data": body}, message.files, asks_back=asks_back)

    async def _callback(self, body: dict[str, Any], files: Sequence[File] = (), *, asks_back: bool = False) -> Any:
        path = f"/interactions/{self._asked.id}/{quote(self._asked.token, safe='')}/callback"
        try:
            said = await self._requests.ask(
                "POST", f"{path}?with_response=true" if asks_back else path, body, files=files, within=CALLBACK_SECONDS
            )
        except MaybeSent:
            self._state = _State.UNSURE
            raise
        except Refusal as refusal:
            self._state = _State.ANSWERED if refusal.code == ACKNOWLEDGED else _State.LOST
            raise
        self._state = _State.ANSWERED
        return _message_of(said)

    async def _edited(self, message: Message) -> Any:
        path = f"/webhooks/{self._asked.app}/{quote(self._asked.token, safe='')}/messages/@original"
        said = await self._requests.ask("PATCH", path, message.body, files=message.files, within=EDIT_SECONDS)
        self._state = _State.ANSWERED
        return said

    def _refused(self, refusal: Refusal) -> None:
        """Note what a refusal says; raise Refused where nothing can be done about it."""
        if refusal.code == ACKNOWLEDGED:
            return
        young = self._now() - self._asked.at < ANSWERED_WITHIN
        if self._state is _State.UNSURE and refusal.status == NOT_FOUND and young:
            self._state = _State.NEW
            return
        raise Gone if refusal.code == UNKNOWN_MESSAGE else Refused

    def _id(self, message: Any) -> str | None:
        """Return the id of a message that may be deleted some day: what only one person sees, no bot can find again."""
        channel = self._asked.channel
        return f"{channel}/{message['id']}" if channel is not None and isinstance(message, dict) else None


class Exchanges:
    """The interactions of late, by id. Of those before a restart it is not known whether anything answered them."""

    def __init__(self, requests: Requests, now: Now, sleep: Sleep) -> None:
        self._requests, self._now, self._sleep = requests, now, sleep
        self._known: OrderedDict[str, Exchange] = OrderedDict()

    def begin(self, asked: Asked) -> Exchange | None:
        """Return the exchange of a new interaction; None where it is known: a gateway that resumes may tell of it again."""
        if asked.id in self._known:
            return None
        exchange = self._known[asked.id] = Exchange(asked, self._requests, self._now, self._sleep, new=True)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return exchange

    def of(self, asked: Asked) -> Exchange:
        """Return the exchange of an interaction."""
        return self._known.get(asked.id) or Exchange(asked, self._requests, self._now, self._sleep, new=False)


def _message_of(said: object) -> Any:
    """Return the message in the answer to a callback that asked for it."""
    resource = said.get("resource") if isinstance(said, dict) else None
    return resource.get("message") if isinstance(resource, dict) else None
