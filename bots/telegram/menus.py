"""What Telegram shows of the bot before anyone writes: commands, descriptions, the menu button. Set when they changed."""

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    MenuButtonCommands,
)

from core.words import Words


async def set_menus(bot: Bot, words: Words) -> None:
    """Bring commands and descriptions up to date, for everyone and for the language of the words."""
    private = tuple(BotCommand(name, says) for name, says in words.table("platform", "commands").items())
    group = (BotCommand("hip", words("platform", "group", "hip")),)
    organisers = (*group, BotCommand("club", words("platform", "group", "club")))
    for language in ("", words.language):
        await _commands(bot, BotCommandScopeAllPrivateChats(), private, language)
        await _commands(bot, BotCommandScopeAllGroupChats(), group, language)
        await _commands(bot, BotCommandScopeAllChatAdministrators(), organisers, language)
        await _descriptions(bot, words, language)
    if not isinstance(await bot.get_chat_menu_button(), MenuButtonCommands):
        await bot.set_chat_menu_button(menu_button=MenuButtonCommands())


async def _commands(bot: Bot, scope: BotCommandScope, commands: tuple[BotCommand, ...], language: str) -> None:
    if await bot.get_my_commands(scope, language) != commands:
        await bot.set_my_commands(commands, scope, language)


async def _descriptions(bot: Bot, words: Words, language: str) -> None:
    short, long = words("platform", "about", "short"), words("platform", "about", "long")
    if (await bot.get_my_short_description(language)).short_description != short:
        await bot.set_my_short_description(short, language)
    if (await bot.get_my_description(language)).description != long:
        await bot.set_my_description(long, language)
