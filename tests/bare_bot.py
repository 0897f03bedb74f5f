"""The baseline of what Hipwise costs on Telegram: the same library as it comes, an echo with one inline keyboard."""

import os

# What a bot on this stack imports, whatever it does.
import aiohttp  # noqa: F401
import aiosqlite  # noqa: F401
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import Application, CallbackQueryHandler, ContextTypes, MessageHandler, filters

KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("None of these", callback_data="1:none")]])


async def echo(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    """Say what was said."""
    if update.message is not None and update.message.text is not None:
        await update.message.reply_text(update.message.text, reply_markup=KEYBOARD)


async def pressed(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    """Answer a press, and change its message."""
    query = update.callback_query
    if query is not None:
        await query.answer()
        await query.edit_message_text(f"You pressed {query.data}", reply_markup=KEYBOARD)


def main() -> None:
    """Run until killed."""
    url = os.environ["TELEGRAM_API_URL"]
    built = Application.builder().token(os.environ["TELEGRAM_BOT_TOKEN"]).base_url(f"{url}/bot").concurrent_updates(True)
    application = built.build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    application.add_handler(CallbackQueryHandler(pressed))
    application.run_polling()


if __name__ == "__main__":
    main()
