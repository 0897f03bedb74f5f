"""What a message or a modal says, as people read it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from discord_api.components import COMPONENTS_V2, EPHEMERAL, LINK, LOADING, MENUS, Kind, walk
from discord_api.refusal import Json


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a message."""

    id: int
    name: str
    kind: str
    data: bytes

    @property
    def json(self) -> Json:
        """Return the file as a message shows it."""
        url = f"https://cdn.discordapp.com/attachments/{self.id}/{self.name}"
        size = len(self.data)
        return {
            "id": str(self.id),
            "filename": self.name,
            "content_type": self.kind,
            "size": size,
            "url": url,
            "proxy_url": url,
        }


@dataclass(frozen=True, slots=True)
class Button:
    """A button, as it is seen."""

    label: str
    custom_id: str | None
    url: str | None
    disabled: bool
    style: int


@dataclass(frozen=True, slots=True)
class Option:
    """An entry of a menu."""

    label: str
    value: str
    description: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu to choose from."""

    custom_id: str
    kind: int
    placeholder: str
    options: tuple[Option, ...]
    least: int
    most: int
    disabled: bool


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says at one time."""

    said: str = ""
    components: tuple[Json, ...] = ()
    embeds: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    flags: int = 0
    mentions: Json | None = None
    """What the bot allowed it to mention."""

    @property
    def v2(self) -> bool:
        """Return whether it is made of components alone."""
        return bool(self.flags & COMPONENTS_V2)

    @property
    def ephemeral(self) -> bool:
        """Return whether only one person reads it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def thinking(self) -> bool:
        """Return whether it says no more than that the bot is thinking."""
        return bool(self.flags & LOADING)

    @property
    def text(self) -> str:
        """Return its words, paragraph by paragraph, without those on buttons and in menus."""
        said = [self.said, *(one["content"] for one in walk(self.components) if one["type"] == Kind.TEXT)]
        return "\n".join(part for part in (*said, *self._embedded()) if part)

    @property
    def buttons(self) -> tuple[Button, ...]:
        """Return its buttons, from top to bottom."""
        return tuple(_button(one) for one in walk(self.components) if one["type"] == Kind.BUTTON)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return what stands on its buttons."""
        return tuple(button.label for button in self.buttons)

    @property
    def menus(self) -> tuple[Menu, ...]:
        """Return its menus, from top to bottom."""
        return tuple(_menu(one) for one in walk(self.components) if one["type"] in MENUS)

    @property
    def colours(self) -> tuple[int, ...]:
        """Return the colours of its containers."""
        return tuple(one["accent_color"] for one in walk(self.components) if one.get("accent_color") is not None)

    @property
    def files(self) -> tuple[Attachment, ...]:
        """Return the files that are seen: in the new layout only those that a component shows."""
        if not self.v2:
            return self.attachments
        shown = {one["file"]["url"] for one in walk(self.components) if one["type"] == Kind.FILE}
        return tuple(file for file in self.attachments if f"attachment://{file.name}" in shown)

    @property
    def words(self) -> str:
        """Return everything that can be read in it: also buttons, menus and names of files."""
        menus = [word for menu in self.menus for word in (menu.placeholder, *_option_words(menu.options))]
        return "\n".join([self.text, *self.labels, *menus, *(file.name for file in self.attachments)])

    def _embedded(self) -> Iterator[str]:
        for embed in self.embeds:
            yield embed.get("title") or ""
            yield embed.get("description") or ""
            for part in embed.get("fields") or ():
                yield f"{part.get('name')}\n{part.get('value')}"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a modal asks for."""

    label: str
    custom_id: str
    json: Json = field(repr=False)

    @property
    def kind(self) -> Kind:
        """Return what it is."""
        return Kind(self.json["type"])


@dataclass(frozen=True, slots=True)
class Modal:
    """A form that stands before everything else until it is sent or closed."""

    custom_id: str
    title: str
    components: tuple[Json, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """Return what it asks for, from top to bottom."""
        return tuple(_fields(self.components))

    @property
    def words(self) -> str:
        """Return everything that can be read in it."""
        said = [self.title]
        for one in walk(self.components):
            said += [one.get(name) or "" for name in ("content", "label", "description", "placeholder", "value")]
            said += _option_words(_options(one))
        return "\n".join(word for word in said if word)


def _fields(components: tuple[Json, ...]) -> Iterator[Field]:
    for part in components:
        if part["type"] == Kind.LABEL:
            yield Field(part["label"], part["component"]["custom_id"], part["component"])
        elif part["type"] == Kind.ROW:
            yield from (Field(one["label"], one["custom_id"], one) for one in part["components"])


def _button(one: Json) -> Button:
    label = one.get("label") or (one.get("emoji") or {}).get("name") or ""
    url = one.get("url") if one["style"] == LINK else None
    return Button(label, one.get("custom_id"), url, bool(one.get("disabled")), one["style"])


def _menu(one: Json) -> Menu:
    return Menu(
        custom_id=one["custom_id"],
        kind=one["type"],
        placeholder=one.get("placeholder") or "",
        options=_options(one),
        least=one.get("min_values", 1),
        most=one.get("max_values", 1),
        disabled=bool(one.get("disabled")),
    )


def _options(one: Json) -> tuple[Option, ...]:
    given = one.get("options") or ()
    return tuple(Option(o["label"], o["value"], o.get("description") or "", bool(o.get("default"))) for o in given)


def _option_words(options: tuple[Option, ...]) -> list[str]:
    return [word for option in options for word in (option.label, option.description) if word]
