"""One delivery as calls of the Bot API, and what became of it: https://core.telegram.org/bots/api#making-requests."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bots.telegram.render import Keyboard, caption, drawn
from bots.telegram.request import NotSent, retry_seconds
from bots.telegram.updates import PLATFORM
from core.dialogue import File
from core.errors import Gone, OutOfReach, Refused, RetryLater, Unreachable
from core.ledger import Delivery, Kind
from core.members import Address
from core.replies import reply_of

log = logging.getLogger(__name__)

SOON = 3.0
"""Seconds until what surely was not sent is tried again."""
NEW_TOKEN = 60.0
"""The same where the token is no longer good: someone has to see to it."""
NO_PREVIEW = {"is_disabled": True}

Refuse = Callable[[Address, float], None]
"""Told which chat Telegram refused, and for how many seconds."""
Move = Callable[[Address, Address], Awaitable[object]]
"""Told that a group has a new id."""


class Messenger:
    """Writes to members on Telegram. `mark` is what a message says that may be a repeat."""

    def __init__(self, bot: Bot, mark: str, refuse: Refuse, move: Move) -> None:
        self._bot, self._mark, self._refuse, self._move = bot, mark, refuse, move

    async def send(self, delivery: Delivery) -> str | None:
        """Return the id of the message that is now there; raise what core/errors.py names for an outcome that is known."""
        try:
            return await self._done(delivery, delivery.address.id)
        except ChatMigrated as migrated:
            new = Address(PLATFORM, str(migrated.new_chat_id))
            await self._move(delivery.address, new)
            return await self._done(delivery, new.id)

    async def _done(self, delivery: Delivery, chat: str) -> str | None:
        try:
            if delivery.kind is Kind.DELETION:
                await self._delete(chat, delivery.edits or "0")
                return None
            message = await self._write(delivery, chat)
        except ChatMigrated:
            raise
        except TelegramError as error:
            raise self._known(delivery.address, error) from None
        if delivery.closes is not None:
            await self._close(chat, delivery.closes)
        return message

    async def _write(self, delivery: Delivery, chat: str) -> str:
        if delivery.reply["is"] in ("link", "line"):
            return await self._point(chat, delivery.reply)
        reply = reply_of(delivery.reply)
        message = drawn(reply)
        html = f"{self._mark}\n\n{message.html}" if delivery.marked else message.html
        buttons = _buttons(message.keyboard)
        if isinstance(reply, File):
            file = InputFile(reply.content.encode(), reply.name)
            sent = await self._bot.send_document(
                chat, file, caption=caption(reply), parse_mode=ParseMode.HTML, api_kwargs=buttons
            )
            return str(sent.message_id)
        drawing = {"link_preview_options": NO_PREVIEW, **buttons}
        if delivery.edits is not None:
            await self._change(chat, delivery.edits, html, drawing)
            return delivery.edits
        sent = await self._bot.send_message(chat, html, parse_mode=ParseMode.HTML, api_kwargs=drawing)
        return str(sent.message_id)

    async def _point(self, chat: str, link: Mapping[str, Any]) -> str:
        button = InlineKeyboardButton(link["label"], url=link["url"]) if link["is"] == "link" else None
        keyboard = None if button is None else InlineKeyboardMarkup([[button]])
        sent = await self._bot.send_message(chat, link["text"], reply_markup=keyboard, message_thread_id=link["topic"])
        return str(sent.message_id)

    async def _change(self, chat: str, message: str, html: str, drawing: dict[str, Any]) -> None:
        """Have a message say this; raise Gone where it is not there, or cannot be changed."""
        try:
            await self._bot.edit_message_text(html, chat, int(message), parse_mode=ParseMode.HTML, api_kwargs=drawing)
        except BadRequest as refused:
            if _is_about_the_chat(refused):
                raise
            if "not modified" not in refused.message.casefold():
                raise Gone from None

    async def _delete(self, chat: str, message: str) -> None:
        """Delete a message, unless it is gone or too old to be deleted."""
        try:
            await self._bot.delete_message(chat, int(message))
        except BadRequest as refused:
            if _is_about_the_chat(refused):
                raise

    async def _close(self, chat: str, message: str) -> None:
        """Take the buttons off a question that is over. Where that fails they are answered politely."""
        try:
            await self._bot.edit_message_reply_markup(chat, int(message), reply_markup=None)
        except TelegramError as error:
            if isinstance(error, RetryAfter):
                self._refuse(Address(PLATFORM, chat), retry_seconds(error))
            log.info("keyboard.left", extra={"error": type(error).__name__})

    def _known(self, address: Address, error: TelegramError) -> Exception:
        """Return an error of the library as the outcome it means; one that means none as it is."""
        match error:
            case Forbidden():
                return Unreachable()
            case RetryAfter():
                seconds = retry_seconds(error)
                self._refuse(address, seconds)
                return RetryLater(seconds)
            case NotSent() | Conflict():
                return OutOfReach(SOON)
            case InvalidToken():
                return OutOfReach(NEW_TOKEN)
            case BadRequest() if _is_about_the_chat(error):
                return Unreachable()
            case BadRequest():
                return Refused()
            case NetworkError() if type(error) is NetworkError and error.__cause__ is None:
                return Refused()  # Telegram answered: another 4xx than those above
            case _:
                return error


def _is_about_the_chat(refused: BadRequest) -> bool:
    """Return whether there is nobody to write to, whatever is written."""
    why = refused.message.casefold()
    return any(words in why for words in ("chat not found", "user not found", "peer_id_invalid", "user_deactivated"))


def _buttons(keyboard: Keyboard) -> dict[str, Any]:
    """Return the buttons as the Bot API takes them: the library's objects for them cost as much as sending them."""
    rows = [[{"text": button.label, "callback_data": button.tap} for button in row] for row in keyboard]
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}
