"""What members do and bots answer within three seconds: commands, presses, forms; and the token that this opens."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from discord_api.call import Call, Result
from discord_api.components import EPHEMERAL, LOADING, check_modal, numbered
from discord_api.content import Content, Modal
from discord_api.form import Form
from discord_api.refusal import Json, refusal
from discord_api.world import Channel, Message, User, World
from discord_api.writing import rewritten, written

ANSWERED_WITHIN = timedelta(seconds=3)
TOKEN_LASTS = timedelta(minutes=15)
MOST_FOLLOWUPS = 5
"""By an app that only the member has installed."""


class Asked(IntEnum):
    """What a member did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Answer(IntEnum):
    """How a bot can answer at first."""

    MESSAGE = 4
    DEFER = 5
    DEFER_UPDATE = 6
    UPDATE = 7
    SUGGEST = 8
    MODAL = 9


_ALLOWED = {
    Asked.COMMAND: (Answer.MESSAGE, Answer.DEFER, Answer.MODAL),
    Asked.COMPONENT: (Answer.MESSAGE, Answer.DEFER, Answer.DEFER_UPDATE, Answer.UPDATE, Answer.MODAL),
    Asked.AUTOCOMPLETE: (Answer.SUGGEST,),
    Asked.MODAL: (Answer.MESSAGE, Answer.DEFER, Answer.DEFER_UPDATE, Answer.UPDATE),
}


@dataclass(eq=False, slots=True)
class Interaction:
    """Something a member did that the bot is asked about, and all that came of it."""

    id: int
    token: str
    kind: Asked | None
    user: User
    channel: Channel
    json: Json
    at: datetime
    message: Message | None = None
    """On what they pressed."""
    delivered: bool = False
    """Whether a session of the bot was there to be told."""
    answer: Answer | None = None
    """How the bot answered at first."""
    took: float | None = None
    """Seconds of real time until the bot answered at first, also where it was too late."""
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Modal | None = None
    form_sent: bool = False
    """Whether the form that it opened has been sent."""
    choices: tuple[str, ...] = ()
    """What was suggested to go on with."""
    began: float = field(default_factory=time.perf_counter)

    @property
    def name(self) -> str:
        """Return the command, as it is shown above its answer."""
        return f"/{_name(self.json)}" if self.kind is Asked.COMMAND else ""

    @property
    def messages(self) -> tuple[Message, ...]:
        """Return what the bot has said in answer, oldest first; an updated message is none."""
        first = () if self.original in (None, self.message) else (self.original,)
        return tuple(one for one in (*first, *self.followups) if one is not None)

    def failed(self, now: datetime) -> bool:
        """Return whether the member is told that the app did not respond."""
        return self.answer is None and now - self.at > ANSWERED_WITHIN

    def thinking(self) -> bool:
        """Return whether the member sees that the bot is thinking."""
        return self.original is not None and not self.original.deleted and self.original.content.thinking


class Interactions:
    """Every interaction so far."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.all: list[Interaction] = []
        self._by_token: dict[str, Interaction] = {}

    def add(self, interaction: Interaction) -> Interaction:
        """Return an interaction of which the bot has now been told."""
        self.all.append(interaction)
        self._by_token[interaction.token] = interaction
        interaction.delivered = self.world.tell("INTERACTION_CREATE", interaction.json, 0)
        self.world.changes.tell()
        return interaction

    def known(self, id: int, token: str) -> Interaction:
        """Return the interaction that is to be answered; raise Refusal for one that is unknown, or is answered."""
        found = self._by_token.get(token)
        if found is None or found.id != id:
            raise refusal(10062)
        if found.took is None:
            found.took = time.perf_counter() - found.began
        if found.answer is not None:
            raise refusal(40060)
        if self.world.now() - found.at > ANSWERED_WITHIN:
            raise refusal(10062)
        return found

    def open(self, application: int, token: str) -> Interaction:
        """Return the interaction whose token may still be used; raise Refusal for one that is not answered, or too old."""
        found = self._by_token.get(token)
        if found is None or application != self.world.bot.id:
            raise refusal(10015)
        if self.world.now() - found.at > TOKEN_LASTS:
            raise refusal(50027)
        if found.answer is None:
            raise refusal(10015)
        return found


def callback(interactions: Interactions, call: Call) -> Result:
    """Answer for the first time."""
    world, given = interactions.world, call.json
    interaction = interactions.known(call.id("interaction_id"), call.place["token"])
    form = Form()
    form.one_of(("type",), given.get("type"), [int(one) for one in _allowed(interaction)])
    form.settle()
    answer, data = Answer(given["type"]), given.get("data") or {}
    _ANSWERS[answer](world, interaction, call, data)
    interaction.answer = answer
    world.changes.tell()
    return _told(interaction) if call.flag("with_response") else None


def get_message(interactions: Interactions, call: Call) -> Result:
    """Return a message that this token made."""
    return _meant(interactions, call).json()


def edit_message(interactions: Interactions, call: Call) -> Result:
    """Change a message that this token made."""
    world, message = interactions.world, _meant(interactions, call)
    world.edit(message, rewritten(world, call, call.json, message.content))
    return message.json()


def delete_message(interactions: Interactions, call: Call) -> Result:
    """Take back a message that this token made."""
    interactions.world.delete(_meant(interactions, call))
    return None


def follow_up(interactions: Interactions, call: Call) -> Result:
    """Say something more; right after a deferral, this is what was deferred."""
    world = interactions.world
    interaction = interactions.open(call.id("application_id"), call.place["token"])
    if interaction.thinking() and interaction.original:
        world.edit(interaction.original, rewritten(world, call, call.json, interaction.original.content))
        return interaction.original.json()
    owners = interaction.json.get("authorizing_integration_owners", {})
    if "0" not in owners and len(interaction.followups) >= MOST_FOLLOWUPS:
        raise refusal(40094)
    content = written(world, call, call.json, ephemeral=True)
    message = _say(world, interaction, content)
    interaction.followups.append(message)
    return message.json()


def _allowed(interaction: Interaction) -> tuple[Answer, ...]:
    """Return how an interaction may be answered; only what hangs on a message can change it."""
    allowed = _ALLOWED[interaction.kind] if interaction.kind else ()
    if interaction.message is None:
        return tuple(one for one in allowed if one not in (Answer.UPDATE, Answer.DEFER_UPDATE))
    return allowed


def _answer_message(world: World, interaction: Interaction, call: Call, data: Json) -> None:
    content = written(world, call, data, ("data",), ephemeral=True)
    interaction.original = _say(world, interaction, content)


def _answer_defer(world: World, interaction: Interaction, call: Call, data: Json) -> None:
    flags = int(data.get("flags") or 0) & EPHEMERAL
    interaction.original = _say(world, interaction, Content(flags=flags | LOADING))


def _answer_defer_update(world: World, interaction: Interaction, call: Call, data: Json) -> None:
    interaction.original = interaction.message


def _answer_update(world: World, interaction: Interaction, call: Call, data: Json) -> None:
    message = interaction.message
    if message is None or message.deleted:
        raise refusal(10008)
    world.edit(message, rewritten(world, call, data, message.content, ("data",)))
    interaction.original = message


def _answer_suggest(world: World, interaction: Interaction, call: Call, data: Json) -> None:
    form, choices = Form(), data.get("choices")
    if form.items(("data", "choices"), choices, 0, 25) and isinstance(choices, list):
        for place, choice in enumerate(choices):
            form.text(("data", "choices", place, "name"), choice.get("name"), 1, 100)
            if isinstance(choice.get("value"), str):
                form.text(("data", "choices", place, "value"), choice["value"], 0, 100)
    form.settle()
    interaction.choices = tuple(choice["name"] for choice in data["choices"])
    world.suggested += [(interaction.user, choice) for choice in interaction.choices]


def _answer_modal(world: World, interaction: Interaction, call: Call, data: Json) -> None:
    form = Form()
    check_modal(form, ("data",), data)
    form.settle()
    interaction.modal = Modal(data["custom_id"], data["title"], numbered(data["components"]))
    world.modals.append((interaction.user, interaction.modal))


_ANSWERS: dict[Answer, Callable[[World, Interaction, Call, Json], None]] = {
    Answer.MESSAGE: _answer_message,
    Answer.DEFER: _answer_defer,
    Answer.DEFER_UPDATE: _answer_defer_update,
    Answer.UPDATE: _answer_update,
    Answer.SUGGEST: _answer_suggest,
    Answer.MODAL: _answer_modal,
}


def _say(world: World, interaction: Interaction, content: Content) -> Message:
    """Return a message in answer, with what Discord shows above it: the command, or the message pressed on."""
    extra: Json = {"webhook_id": str(world.bot.id), "application_id": str(world.bot.id)}
    if interaction.message is not None:
        reference = {"type": 0, "message_id": str(interaction.message.id), "channel_id": str(interaction.channel.id)}
        extra |= {"type": 19, "message_reference": reference}
    elif interaction.kind is Asked.COMMAND:
        extra |= {"type": 20, "interaction_metadata": _metadata(interaction)}
    reader = interaction.user if content.ephemeral else None
    return world.post(interaction.channel, world.bot, content, reader=reader, extra=extra)


def _metadata(interaction: Interaction) -> Json:
    owners = interaction.json.get("authorizing_integration_owners", {})
    shown = {"id": str(interaction.id), "type": int(Asked.COMMAND), "user": interaction.user.json}
    return {**shown, "authorizing_integration_owners": owners, "name": _name(interaction.json)}


def _name(json: Json) -> str:
    """Return the command that an interaction is about, as far as it says so."""
    data = json.get("data")
    return str(data.get("name", "")) if isinstance(data, dict) else ""


def _told(interaction: Interaction) -> Json:
    """Return what came of the answer, as `with_response` asks for it."""
    told: Json = {"id": str(interaction.id), "type": int(interaction.kind or 0)}
    message = interaction.original
    if message is not None:
        told["response_message_id"] = str(message.id)
        told["response_message_loading"] = message.content.thinking
        told["response_message_ephemeral"] = message.reader is not None
    if message is not None and interaction.answer in (Answer.MESSAGE, Answer.UPDATE):
        return {"interaction": told, "resource": {"type": int(interaction.answer), "message": message.json()}}
    return {"interaction": told, "resource": {"type": int(interaction.answer or 0)}}


def _meant(interactions: Interactions, call: Call) -> Message:
    """Return the message that is meant by @original or by an id, if this token made it."""
    interaction = interactions.open(call.id("application_id"), call.place["token"])
    made = {str(one.id): one for one in (interaction.original, *interaction.followups) if one is not None}
    if interaction.original is not None:
        made["@original"] = interaction.original
    message = made.get(call.place["message_id"])
    if message is None or message.deleted:
        raise refusal(10008)
    return message


def kind_of(json: Json) -> Asked | None:
    """Return what kind of interaction JSON says that it is, if there is one."""
    kinds = {int(kind): kind for kind in Asked}
    asked = json.get("type")
    return kinds.get(asked) if isinstance(asked, int) else None
