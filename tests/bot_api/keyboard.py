"""Keyboards below a message: what may be on them, and what is."""

import json
from dataclasses import dataclass
from typing import Any

from bot_api.refusal import Json, bad_request
from bot_api.text import is_link

LONGEST_DATA = 64
"""Of what a button carries back, in bytes."""
MOST_BUTTONS = 100

_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
_FLAGS = {
    "resize_keyboard": "ReplyKeyboardMarkup",
    "one_time_keyboard": "ReplyKeyboardMarkup",
    "is_persistent": "ReplyKeyboardMarkup",
    "remove_keyboard": "ReplyKeyboardRemove",
    "force_reply": "ForceReply",
    "selective": "reply markup",
}


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a message, as it was sent."""

    json: Json

    @property
    def label(self) -> str:
        """Return the words on it."""
        return str(self.json["text"])

    @property
    def data(self) -> str | None:
        """Return what a tap on it carries back."""
        return self.json.get("callback_data") or None

    @property
    def url(self) -> str | None:
        """Return the page that it opens."""
        return self.json.get("url") or None


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Markup:
    """What a message brings: buttons below it, or a keyboard in the place of the member's own."""

    inline: Keyboard = ()
    other: Json | None = None


def markup(raw: str) -> Markup:
    """Return what `reply_markup` asks for; raise Refusal where it has not the shape."""
    if not raw:
        return Markup()
    try:
        asked = json.loads(raw)
    except ValueError:
        raise bad_request("can't parse reply keyboard markup JSON object") from None
    if asked is None:
        return Markup()
    if not isinstance(asked, dict):
        raise bad_request("object expected as reply markup")
    for name, value in asked.items():
        if name in _FLAGS and not isinstance(value, bool):
            raise bad_request(f'field "{name}" of the {_FLAGS[name]} must be of the type Boolean')
    inline = _rows(asked.get("inline_keyboard", []), "inline_keyboard", "InlineKeyboardMarkup")
    keys = _rows(asked.get("keyboard", []), "keyboard", "ReplyKeyboardMarkup")
    if keys or not inline:
        return Markup(other=asked if keys or asked.get("remove_keyboard") or asked.get("force_reply") else None)
    return Markup(tuple(tuple(_button(button) for button in row) for row in inline))


def inline(raw: str) -> Keyboard:
    """Return the buttons that an edit asks for: it can bring no other keyboard."""
    asked = markup(raw)
    if asked.other is not None:
        raise bad_request("inline keyboard expected")
    return asked.inline


def check_data(keyboard: Keyboard) -> None:
    """Raise Refusal for what only the far end finds wrong, after the chat and the text."""
    buttons = [button for row in keyboard for button in row]
    if len(buttons) > MOST_BUTTONS:
        raise bad_request("reply markup is too long")
    for button in buttons:
        if button.data is not None and len(button.data.encode()) > LONGEST_DATA:
            raise bad_request("BUTTON_DATA_INVALID")
        if button.url is not None and not is_link(button.url):
            raise bad_request(f"inline keyboard button URL '{button.url}' is invalid: Wrong HTTP URL")


def _rows(value: Any, field: str, of: str) -> list[list[Any]]:
    if not isinstance(value, list):
        raise bad_request(f'field "{field}" of the {of} must be an Array')
    if not all(isinstance(row, list) for row in value):
        raise bad_request(f'field "{field}" of the {of} must be an Array of Arrays')
    return [row for row in value if row]


def _button(value: Any) -> Button:
    if not isinstance(value, dict):
        raise _unreadable("InlineKeyboardButton must be an Object")
    if "text" not in value:
        raise _unreadable('Can\'t find field "text"')
    for name in ("text", "url", "callback_data"):
        if not isinstance(value.get(name, ""), str):
            raise _unreadable(f'Field "{name}" must be of type String')
    if not value["text"].strip():
        raise bad_request("inline keyboard button text must be non-empty")
    if not any(name in value and value[name] != "" for name in _ACTIONS):
        raise _unreadable("Text buttons are not allowed in the inline keyboard")
    return Button(value)


def _unreadable(why: str) -> Exception:
    return bad_request(f"can't parse InlineKeyboardButton: {why}")
