"""What messages are made of: which components may stand where, how many, and how long their words may be."""

from collections.abc import Callable, Collection, Iterable, Iterator
from enum import IntEnum
from itertools import count

from discord_api.form import LARGEST_COLOUR, Form
from discord_api.refusal import Json, Path

EPHEMERAL = 1 << 6
LOADING = 1 << 7
COMPONENTS_V2 = 1 << 15

MOST_COMPONENTS = 40
MOST_TEXT = 4000
MOST_ROWS = 5


class Kind(IntEnum):
    """What a component is."""

    ROW = 1
    BUTTON = 2
    MENU = 3
    INPUT = 4
    USERS = 5
    ROLES = 6
    MENTIONABLES = 7
    CHANNELS = 8
    SECTION = 9
    TEXT = 10
    THUMBNAIL = 11
    GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    UPLOAD = 19
    RADIO = 21
    CHECKBOXES = 22
    CHECKBOX = 23


MENUS = frozenset({Kind.MENU, Kind.USERS, Kind.ROLES, Kind.MENTIONABLES, Kind.CHANNELS})
LINK, PREMIUM = 5, 6
"""The styles of button that tell the bot nothing."""
_IN_CONTAINER = frozenset({Kind.ROW, Kind.SECTION, Kind.TEXT, Kind.GALLERY, Kind.FILE, Kind.SEPARATOR})
_ON_TOP = _IN_CONTAINER | {Kind.CONTAINER}
_IN_LABEL = MENUS | {Kind.INPUT, Kind.UPLOAD, Kind.RADIO, Kind.CHECKBOXES, Kind.CHECKBOX}


def walk(components: Iterable[Json]) -> Iterator[Json]:
    """Yield every component, each before those in it."""
    for one in components:
        yield one
        yield from walk(one.get("components") or ())
        yield from walk(one[name] for name in ("accessory", "component") if one.get(name))


def numbered(components: Iterable[Json]) -> tuple[Json, ...]:
    """Return the components with an id for each that came without; 0 counts as none."""
    copies = tuple(_copy(one) for one in components)
    taken = {one["id"] for one in walk(copies) if one.get("id")}
    free = (number for number in count(1) if number not in taken)
    for one in walk(copies):
        one["id"] = one.get("id") or next(free)
    return copies


def check_message(form: Form, at: Path, components: object, *, v2: bool) -> None:
    """Note what is wrong with the components of a message, in the new layout or in rows below its words."""
    if not form.items(at, components, 0, MOST_COMPONENTS if v2 else MOST_ROWS):
        return
    assert isinstance(components, list)
    before = len(form.wrongs)
    _each(form, at, components, _ON_TOP if v2 else {Kind.ROW})
    if len(form.wrongs) == before:  # the whole is looked at when every part is sound
        _check_whole(form, at, components, v2=v2)


def check_modal(form: Form, at: Path, modal: Json) -> None:
    """Note what is wrong with a modal."""
    form.text((*at, "custom_id"), modal.get("custom_id"), 1, 100)
    form.text((*at, "title"), modal.get("title"), 1, 45)
    components = modal.get("components")
    at = (*at, "components")
    if not form.items(at, components, 1, 5):
        return
    assert isinstance(components, list)
    before = len(form.wrongs)
    for place, one in enumerate(components):
        _modal_part(form, (*at, place), one)
    if len(form.wrongs) == before:
        _check_ids(form, at, components)


def _check_whole(form: Form, at: Path, components: list[Json], *, v2: bool) -> None:
    if v2 and sum(1 for _ in walk(components)) > MOST_COMPONENTS:
        form.wrong(at, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", f"Total number of components cannot exceed {MOST_COMPONENTS}")
    if sum(len(one["content"]) for one in walk(components) if one["type"] == Kind.TEXT) > MOST_TEXT:
        says = f"Components displayable text size exceeds maximum size of {MOST_TEXT}"
        form.wrong(at, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", says)
    _check_ids(form, at, components)


def _check_ids(form: Form, at: Path, components: list[Json]) -> None:
    seen = set()
    for path, one in _paths(at, components):
        custom_id = one.get("custom_id")
        if custom_id is not None and custom_id in seen:
            form.wrong((*path, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        seen.add(custom_id)


def _paths(at: Path, components: list[Json]) -> Iterator[tuple[Path, Json]]:
    for place, one in enumerate(components):
        path = (*at, place)
        yield path, one
        yield from _paths((*path, "components"), one.get("components") or [])
        for name in ("accessory", "component"):
            if one.get(name):
                yield (*path, name), one[name]


def _each(form: Form, at: Path, components: list[Json], allowed: Collection[int]) -> None:
    for place, one in enumerate(components):
        _one(form, (*at, place), one, allowed)


def _one(form: Form, at: Path, one: object, allowed: Collection[int]) -> None:
    """Note what is wrong with one component, and with those in it."""
    if not isinstance(one, dict):
        form.wrong(at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return
    if one.get("type") not in allowed:
        shown = ", ".join(f"{kind:d}" for kind in sorted(allowed))
        form.wrong((*at, "type"), "UNION_TYPE_CHOICES", f'Value of field "type" must be one of ({shown},).')
        return
    _CHECKS[Kind(one["type"])](form, at, one)


def _row(form: Form, at: Path, row: Json) -> None:
    at, parts = (*at, "components"), row.get("components")
    if not form.items(at, parts, 1, 5):
        return
    assert isinstance(parts, list)
    _each(form, at, parts, MENUS | {Kind.BUTTON})
    widths = [5 if isinstance(one, dict) and one.get("type") in MENUS else 1 for one in parts]
    for place in range(len(parts)):
        if sum(widths[: place + 1]) > 5:
            form.wrong((*at, place), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")


def _button(form: Form, at: Path, button: Json) -> None:
    form.text((*at, "label"), button.get("label"), 0, 80)
    if not form.one_of((*at, "style"), button.get("style"), range(1, 7)):
        return
    wants = {LINK: "url", PREMIUM: "sku_id"}.get(button["style"], "custom_id")
    if button.get(wants) is None:
        code, says = _WITHOUT[wants]
        form.wrong((*at, wants), code, says)
    for other in {"url", "sku_id", "custom_id"} - {wants}:
        if button.get(other) is not None:
            form.wrong((*at, other), "BASE_TYPE_FORBIDDEN", f"A {other} cannot be used with this style of button")
    form.text((*at, "url"), button.get("url"), 0, 512)
    if button.get("custom_id") is not None:
        form.text((*at, "custom_id"), button["custom_id"], 1, 100)
    if wants != "sku_id" and not button.get("label") and not button.get("emoji"):
        form.wrong(at, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A label or an emoji is required")


_WITHOUT = {
    "custom_id": ("BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id required"),
    "url": ("BUTTON_COMPONENT_URL_REQUIRED", "A url is required"),
    "sku_id": ("BUTTON_COMPONENT_SKU_ID_REQUIRED", "A sku id is required"),
}


def _menu(form: Form, at: Path, menu: Json) -> None:
    form.text((*at, "custom_id"), menu.get("custom_id"), 1, 100)
    form.text((*at, "placeholder"), menu.get("placeholder"), 0, 150)
    least, most = menu.get("min_values", 1), menu.get("max_values", 1)
    form.whole((*at, "min_values"), least, 0, 25)
    form.whole((*at, "max_values"), most, 1, 25)
    if menu["type"] == Kind.MENU:
        options = menu.get("options")
        if _options(form, (*at, "options"), options, 1, 25) and isinstance(options, list):
            form.whole((*at, "max_values"), most, 1, len(options))
    if isinstance(least, int) and isinstance(most, int) and least > most:
        form.wrong((*at, "min_values"), "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")


def _options(form: Form, at: Path, options: object, least: int, most: int) -> bool:
    if not form.items(at, options, least, most):
        return False
    assert isinstance(options, list)
    values = set()
    for place, option in enumerate(options):
        form.text((*at, place, "label"), option.get("label"), 1, 100)
        form.text((*at, place, "value"), option.get("value"), 1, 100)
        form.text((*at, place, "description"), option.get("description"), 0, 100)
        if option.get("value") in values:
            says = "The specified option value is already used"
            form.wrong((*at, place, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", says)
        values.add(option.get("value"))
    return True


def _section(form: Form, at: Path, section: Json) -> None:
    parts = section.get("components")
    if form.items((*at, "components"), parts, 1, 3) and isinstance(parts, list):
        _each(form, (*at, "components"), parts, {Kind.TEXT})
    if section.get("accessory") is None:
        form.wrong((*at, "accessory"), "BASE_TYPE_REQUIRED", "This field is required")
    else:
        _one(form, (*at, "accessory"), section["accessory"], {Kind.BUTTON, Kind.THUMBNAIL})


def _text(form: Form, at: Path, text: Json) -> None:
    form.text((*at, "content"), text.get("content"), 1, MOST_TEXT)


def _thumbnail(form: Form, at: Path, thumbnail: Json) -> None:
    form.text((*at, "media", "url"), (thumbnail.get("media") or {}).get("url"), 1, 2048)


def _gallery(form: Form, at: Path, gallery: Json) -> None:
    form.items((*at, "items"), gallery.get("items"), 1, 10)


def _file(form: Form, at: Path, file: Json) -> None:
    url = (file.get("file") or {}).get("url")
    if form.text((*at, "file", "url"), url, 1, 2048) and not str(url).startswith("attachment://"):
        form.wrong((*at, "file", "url"), "URL_TYPE_INVALID_SCHEME", "Scheme must be one of ('attachment',).")


def _separator(form: Form, at: Path, separator: Json) -> None:
    form.one_of((*at, "spacing"), separator.get("spacing", 1), (1, 2))


def _container(form: Form, at: Path, container: Json) -> None:
    parts = container.get("components")
    if form.items((*at, "components"), parts, 1, MOST_COMPONENTS) and isinstance(parts, list):
        _each(form, (*at, "components"), parts, _IN_CONTAINER)
    if container.get("accent_color") is not None:
        form.whole((*at, "accent_color"), container["accent_color"], 0, LARGEST_COLOUR)


def _modal_part(form: Form, at: Path, part: object) -> None:
    """Note what is wrong with a top component of a modal: words, a label, or a row with one input."""
    if isinstance(part, dict) and part.get("type") == Kind.ROW:
        rows = part.get("components")
        if form.items((*at, "components"), rows, 1, 1) and isinstance(rows, list):
            _one(form, (*at, "components", 0), rows[0], {Kind.INPUT})
            form.text((*at, "components", 0, "label"), rows[0].get("label"), 1, 45)
    else:
        _one(form, at, part, {Kind.LABEL, Kind.TEXT})


def _label(form: Form, at: Path, label: Json) -> None:
    form.text((*at, "label"), label.get("label"), 1, 45)
    form.text((*at, "description"), label.get("description"), 0, 100)
    _one(form, (*at, "component"), label.get("component"), _IN_LABEL)
    inner = label.get("component")
    if isinstance(inner, dict) and inner.get("disabled"):
        form.wrong((*at, "component", "disabled"), "BASE_TYPE_FORBIDDEN", "A component of a modal cannot be disabled")


def _input(form: Form, at: Path, field: Json) -> None:
    form.text((*at, "custom_id"), field.get("custom_id"), 1, 100)
    form.one_of((*at, "style"), field.get("style"), (1, 2))
    form.text((*at, "placeholder"), field.get("placeholder"), 0, 100)
    form.text((*at, "value"), field.get("value"), 0, 4000)
    form.whole((*at, "min_length"), field.get("min_length") or 0, 0, 4000)
    form.whole((*at, "max_length"), field.get("max_length") or 4000, 1, 4000)


def _choices(form: Form, at: Path, field: Json) -> None:
    form.text((*at, "custom_id"), field.get("custom_id"), 1, 100)
    if field["type"] in (Kind.RADIO, Kind.CHECKBOXES):
        _options(form, (*at, "options"), field.get("options"), 2 if field["type"] == Kind.RADIO else 1, 10)


_CHECKS: dict[Kind, Callable[[Form, Path, Json], None]] = {
    Kind.ROW: _row,
    Kind.BUTTON: _button,
    Kind.INPUT: _input,
    Kind.SECTION: _section,
    Kind.TEXT: _text,
    Kind.THUMBNAIL: _thumbnail,
    Kind.GALLERY: _gallery,
    Kind.FILE: _file,
    Kind.SEPARATOR: _separator,
    Kind.CONTAINER: _container,
    Kind.LABEL: _label,
    Kind.UPLOAD: _choices,
    Kind.RADIO: _choices,
    Kind.CHECKBOXES: _choices,
    Kind.CHECKBOX: _choices,
    **dict.fromkeys(MENUS, _menu),
}


def _copy(one: Json) -> Json:
    """Return a component that shares nothing with this one."""
    copy = dict(one)
    if isinstance(copy.get("components"), list):
        copy["components"] = [_copy(inner) for inner in copy["components"]]
    for name in ("accessory", "component"):
        if copy.get(name):
            copy[name] = _copy(copy[name])
    return copy
