"""The members' side: what people do in their apps, and what they see there. Everything takes effect at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from discord_api.commands import ATTACHMENT, typed
from discord_api.components import Kind, walk
from discord_api.content import Attachment, Button, Content, Menu, Modal
from discord_api.filling import filled
from discord_api.interactions import Asked, Interaction, kind_of
from discord_api.refusal import Json
from discord_api.telling import asked
from discord_api.world import Channel, ChannelKind, Event, Message, User, World

if TYPE_CHECKING:
    from discord_api.server import DiscordApi

PATIENCE = 5.0
"""How long a test waits for the bot, in seconds, before it fails."""
NO_FILES: Mapping[str, bytes] = {}
LOOK_AGAIN = 0.01
"""After so many seconds without a change, for what hangs on something else than this server."""


class Member:
    """One person in one channel."""

    def __init__(self, api: DiscordApi, user: User, channel: Channel) -> None:
        self.api = api
        self.world = api.world
        self.user = user
        self.channel = channel
        self._seen = len(channel.events)

    # ---------------------------------------------------------------- doing

    def types(self, line: str, files: Mapping[str, bytes] | None = None) -> Interaction:
        """Use a slash command as the app offers it: `/hip`, `/care topic:groin pain`; a file is named as `files` has it."""
        return self._commands(Asked.COMMAND, line, files or {})

    def begins(self, line: str) -> Interaction:
        """Type a command as far as this, so that the bot is asked what could come next."""
        return self._commands(Asked.AUTOCOMPLETE, line)

    def forges(self, name: str, options: Iterable[Json] = ()) -> Interaction:
        """Use a command that is not offered here, as a changed app can try."""
        data: Json = {"id": str(self.world.new_id()), "name": name, "type": 1, "options": list(options)}
        return self._asks(Asked.COMMAND, data, self._owners())

    def clicks(self, label: str, message: Message | None = None) -> Interaction:
        """Press the button with this label (or its beginning) on a message, or on the newest that has it."""
        message, button = self._button(label, message)
        assert not button.disabled, f"{label!r} cannot be pressed"
        assert button.custom_id is not None, f"{label!r} opens {button.url}: use opens()"
        return self.presses(message, button.custom_id)

    def opens(self, label: str, message: Message | None = None) -> str:
        """Return where a button leads that is a link."""
        _, button = self._button(label, message)
        assert button.url is not None, f"{label!r} is no link"
        return button.url

    def selects(self, *labels: str, message: Message | None = None) -> Interaction:
        """Choose these entries of the menu that has them all, and close it."""
        message, menu = self._menu(labels, message)
        assert not menu.disabled, "the menu cannot be opened"
        assert menu.least <= len(labels) <= menu.most, f"the menu takes {menu.least} to {menu.most}"
        values = {option.label: option.value for option in menu.options}
        return self.presses(message, menu.custom_id, kind=menu.kind, values=[values[label] for label in labels])

    def presses(
        self, message: Message, custom_id: str, *, kind: int = Kind.BUTTON, values: list[str] | None = None
    ) -> Interaction:
        """Press what has this custom id, also what is no longer there: an old screen, a changed app."""
        ids = {one.get("custom_id"): one["id"] for one in walk(message.content.components)}
        data: Json = {"component_type": int(kind), "custom_id": custom_id, "id": ids.get(custom_id, 0)}
        if values is not None:
            data["values"] = values
        owners = message.extra.get("interaction_metadata", {}).get("authorizing_integration_owners")
        return self._asks(Asked.COMPONENT, data, owners or self._owners(), message)

    def submits(self, *values: str, modal: Interaction | None = None, **fields: str) -> Interaction:
        """Fill in the form that is open, or one from before, and send it: by order, or by custom id of each field."""
        opener = modal or self._open_form()
        assert opener is not None, "no form is open"
        assert opener.modal is not None, "that opened no form"
        given = dict(zip((field.custom_id for field in opener.modal.fields), values, strict=False)) | fields
        data: Json = {"custom_id": opener.modal.custom_id, "components": filled(opener.modal, given)}
        opener.form_sent = True
        owners = opener.json.get("authorizing_integration_owners") or self._owners()
        return self._asks(Asked.MODAL, data, owners, opener.message)

    def says(self, text: str) -> Message:
        """Write something; in a conversation with the bot it is told of it."""
        return self.world.post(self.channel, self.user, Content(text))

    def deletes(self, message: Message) -> None:
        """Delete a message of one's own."""
        assert message.sender == self.user, "one deletes only what is one's own"
        self.world.delete(message)

    def dismisses(self, message: Message) -> None:
        """Put away a message that only oneself sees; the bot is told nothing."""
        assert message.reader == self.user, "only what nobody else sees can be put away"
        message.dismissed = True

    def closes_dms(self) -> None:
        """Let no bot write to oneself."""
        self.world.closed_dms.add(self.user.id)

    def opens_dms(self) -> None:
        """Let bots write again."""
        self.world.closed_dms.discard(self.user.id)

    # ---------------------------------------------------------------- seeing

    @property
    def screen(self) -> tuple[Message, ...]:
        """Return the messages that this person sees here, oldest first."""
        return self.channel.shown_to(self.user)

    @property
    def heard(self) -> tuple[Message, ...]:
        """Return those of the bot that say something."""
        return tuple(one for one in self.screen if one.sender == self.world.bot and not one.content.thinking)

    @property
    def last(self) -> Message:
        """Return the newest of the bot."""
        assert self.heard, "the bot has said nothing here"
        return self.heard[-1]

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the words of all that the bot said and that still stands."""
        return tuple(message.text for message in self.heard)

    @property
    def thinking(self) -> bool:
        """Return whether the bot is seen to be thinking."""
        return any(one.content.thinking for one in self.screen)

    @property
    def form(self) -> Modal | None:
        """Return the form that stands before everything else."""
        opener = self._open_form()
        return opener.modal if opener else None

    async def sees(self, *, within: float = PATIENCE) -> Event:
        """Return the next thing that the bot did here for this person to see, once there is one: each once, in order."""
        events = self.channel.events

        def next_event() -> bool:
            while self._seen < len(events) and not self._meant(events[self._seen]):
                self._seen += 1
            return self._seen < len(events)

        await until(self.world, next_event, within, lambda: "anything new from the bot")
        self._seen += 1
        return events[self._seen - 1]

    async def reads(self, text: str, *, within: float = PATIENCE) -> Message:
        """Return the newest message of the bot with these words in it, once there is one."""
        await until(self.world, lambda: any(text in shown for shown in self.texts), within, lambda: f"{text!r} in {self.texts}")
        return next(message for message in reversed(self.heard) if text in message.text)

    async def answered(self, interaction: Interaction, *, within: float = PATIENCE) -> Interaction:
        """Return an interaction once the bot has answered it for the first time."""
        await until(self.world, lambda: interaction.answer is not None, within, lambda: f"an answer to {interaction.json}")
        return interaction

    # ---------------------------------------------------------------- how

    def _open_form(self) -> Interaction | None:
        """Return what opened the form that is open: the newest of this person's that opened one, unless it was sent."""
        mine = (one for one in reversed(self.api.interactions.all) if one.user == self.user and one.channel == self.channel)
        newest = next((one for one in mine if one.modal), None)
        return None if newest is None or newest.form_sent else newest

    def _meant(self, event: Event) -> bool:
        message = event.message
        return message.sender == self.world.bot and message.reader in (None, self.user)

    def _commands(self, kind: Asked, line: str, files: Mapping[str, bytes] = NO_FILES) -> Interaction:
        name = line.removeprefix("/").partition(" ")[0]
        offered = self.api.commands.offered(self.user, self.channel)
        assert line.startswith("/"), f"{line!r} is no command"
        assert name in offered, f"the app offers {sorted(offered)} here, not {name!r}"
        command = offered[name]
        options = typed(line, command, focused=kind is Asked.AUTOCOMPLETE)
        data: Json = {"id": command["id"], "name": name, "type": command["type"], "options": options}
        attached = [option for option in options if option["type"] == ATTACHMENT]
        if attached:
            data["resolved"] = {"attachments": dict(self._uploads(option, files) for option in attached)}
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        owners = self.api.commands.owners(command, self.user, self.channel)
        return self._asks(kind, data, owners or self._owners())

    def _uploads(self, option: Json, files: Mapping[str, bytes]) -> tuple[str, Json]:
        """Send the file that an option names, which is known by its id from then on; return what is told of it."""
        name, id = option["value"], self.world.new_id()
        file = self.world.uploads[id] = Attachment(id, name, "text/calendar", files[name])
        option["value"] = str(id)
        return str(id), {**file.json, "url": self.api.file_url(file), "ephemeral": True}

    def _owners(self) -> Json:
        return {str(kind): owner for kind, owner in self.api.commands.installations(self.user, self.channel).items()}

    def _asks(self, kind: Asked, data: Json, owners: Json, message: Message | None = None) -> Interaction:
        id = self.world.new_id()
        body: Json = {
            **asked(self.world, self.user, self.channel, owners),
            "id": str(id),
            "token": f"aW50ZXJhY3Rpb24{id:x}",
            "type": int(kind),
            "data": data,
        }
        if message is not None:
            body["message"] = message.json()
        made = Interaction(id, body["token"], kind, self.user, self.channel, body, self.world.now(), message)
        return self.api.interactions.add(made)

    def _button(self, label: str, message: Message | None) -> tuple[Message, Button]:
        messages = [message] if message else [one for one in reversed(self.screen) if one.content.buttons]
        for fits in (str.__eq__, str.startswith):
            for one in messages:
                for button in one.content.buttons:
                    if fits(button.label.casefold(), label.casefold()):
                        return one, button
        raise AssertionError(f"no button {label!r} among {[one.labels for one in messages]}")

    def _menu(self, labels: tuple[str, ...], message: Message | None) -> tuple[Message, Menu]:
        messages = [message] if message else [one for one in reversed(self.screen) if one.content.menus]
        for one in messages:
            for menu in one.content.menus:
                if {option.label for option in menu.options} >= set(labels):
                    return one, menu
        raise AssertionError(f"no menu with {labels} among {[m.options for one in messages for m in one.content.menus]}")


def group(api: DiscordApi, *people: User) -> tuple[Member, ...]:
    """Return people in a group of their own."""
    world = api.world
    channel = Channel(world.new_id(), ChannelKind.GROUP, "", people={user.id: user for user in people})
    world.channels[channel.id] = channel
    return tuple(Member(api, user, channel) for user in people)


def injected(api: DiscordApi, json: Json, user: User | None, channel: Channel | None, *, whole: bool) -> Interaction:
    """Return an interaction of any shape, with what it does not say unless it is `whole`."""
    world = api.world
    user = user or User(1, "Somebody")
    channel = channel or world.open_dm(user)
    id = world.new_id()
    usual = {"id": str(id), "token": f"injected{id:x}", **asked(world, user, channel, {"0": "0"})}
    body = json if whole else {**usual, **json}
    shown = str(body.get("id"))
    made = Interaction(
        id=int(shown) if shown.isascii() and shown.isdigit() else id,
        token=str(body.get("token")),
        kind=kind_of(body),
        user=user,
        channel=channel,
        json=body,
        at=world.now(),
    )
    return api.interactions.add(made)


async def until(world: World, holds: Callable[[], bool], within: float, wanted: Callable[[], str]) -> None:
    """Wait until something holds; fail after so many seconds and say what was wanted."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not holds():
        if loop.time() >= end:
            raise AssertionError(f"not within {within} s: {wanted()}")
        await world.changes.next(LOOK_AGAIN)
