"""The methods by which a bot introduces itself: commands, descriptions, the menu button."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from bot_api.messages import known
from bot_api.params import Params
from bot_api.refusal import Json, bad_request
from bot_api.world import Chat, User, World

SCOPES = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}
MOST_COMMANDS = 100
LONGEST_DESCRIPTION = 512
LONGEST_SHORT_DESCRIPTION = 120
LONGEST_OF_A_COMMAND = 256
DEFAULT_SCOPE: Json = {"type": "default"}


@dataclass
class Profile:
    """What a bot has said of itself: by scope and language, by language, by chat."""

    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)
    menu_buttons: dict[int | None, Json] = field(default_factory=dict)

    def menu(self, chat: Chat, user: User) -> tuple[str, ...]:
        """Return the commands that a member is offered: of the narrowest scope that has any, in their language first."""
        for scope in _scopes(chat, user):
            for language in (user.language, ""):
                if commands := self.commands.get((_key(scope), language)):
                    return tuple(command["command"] for command in commands)
        return ()


def get_me(world: World, _: Profile, __: Params) -> Json:
    """Return who the bot is."""
    return {
        **world.bot.json,
        "can_join_groups": True,
        "can_read_all_group_messages": not world.privacy_mode,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def set_my_commands(world: World, profile: Profile, params: Params) -> bool:
    """Set the commands of a scope and language; an empty list removes them."""
    commands = params.json("commands", "bot commands")
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > MOST_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        _check(command)
    key = (_key(_scope(world, params)), _language(params))
    profile.commands[key] = commands
    return True


def delete_my_commands(world: World, profile: Profile, params: Params) -> bool:
    """Remove the commands of a scope and language."""
    profile.commands.pop((_key(_scope(world, params)), _language(params)), None)
    return True


def get_my_commands(world: World, profile: Profile, params: Params) -> list[Json]:
    """Return the commands of exactly this scope and language."""
    return profile.commands.get((_key(_scope(world, params)), _language(params)), [])


def set_my_description(_: World, profile: Profile, params: Params) -> bool:
    """Set what an empty chat with the bot shows."""
    return _describe(profile.descriptions, params, "description", LONGEST_DESCRIPTION)


def get_my_description(_: World, profile: Profile, params: Params) -> Json:
    """Return what an empty chat with the bot shows in a language, or in any."""
    return {"description": _described(profile.descriptions, params)}


def set_my_short_description(_: World, profile: Profile, params: Params) -> bool:
    """Set what the bot's page shows."""
    return _describe(profile.short_descriptions, params, "short_description", LONGEST_SHORT_DESCRIPTION)


def get_my_short_description(_: World, profile: Profile, params: Params) -> Json:
    """Return what the bot's page shows in a language, or in any."""
    return {"short_description": _described(profile.short_descriptions, params)}


def set_chat_menu_button(world: World, profile: Profile, params: Params) -> bool:
    """Set the button beside the input field, in one private chat or in all."""
    button = params.object("menu_button", "menu button") or {"type": "default"}
    if button.get("type") not in ("default", "commands", "web_app"):
        raise bad_request("MenuButton has unsupported type")
    profile.menu_buttons[_private(world, params)] = button
    return True


def get_chat_menu_button(world: World, profile: Profile, params: Params) -> Json:
    """Return the button beside the input field."""
    everywhere = profile.menu_buttons.get(None, {"type": "default"})
    return profile.menu_buttons.get(_private(world, params), everywhere)


def _private(world: World, params: Params) -> int | None:
    return known(world, params).id if params.text("chat_id") else None


def _check(command: Any) -> None:
    if not isinstance(command, dict):
        raise bad_request("expected an Object as BotCommand")
    if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", "")).removeprefix("/"), re.ASCII):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(str(command.get("description", "")).strip()) <= LONGEST_OF_A_COMMAND:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")


def _scope(world: World, params: Params) -> Json:
    scope = params.object("scope", "BotCommandScope") or DEFAULT_SCOPE
    if scope.get("type") not in SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    needed = SCOPES[scope["type"]]
    if needed:
        known(world, Params({"chat_id": str(scope.get("chat_id", ""))}))
    return {"type": scope["type"], **{name: int(scope[name]) for name in needed}}


def _language(params: Params) -> str:
    language = params.text("language_code")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad_request("LANG_CODE_INVALID")
    return language


def _key(scope: Json) -> str:
    return json.dumps(scope, sort_keys=True)


def _scopes(chat: Chat, user: User) -> list[Json]:
    """Return the scopes that may apply, narrowest first."""
    if chat.private:
        return [{"type": "chat", "chat_id": chat.id}, {"type": "all_private_chats"}, DEFAULT_SCOPE]
    admin = user.id in chat.admins
    return [
        {"type": "chat_member", "chat_id": chat.id, "user_id": user.id},
        *([{"type": "chat_administrators", "chat_id": chat.id}] if admin else []),
        {"type": "chat", "chat_id": chat.id},
        *([{"type": "all_chat_administrators"}] if admin else []),
        {"type": "all_group_chats"},
        DEFAULT_SCOPE,
    ]


def _describe(kept: dict[str, str], params: Params, name: str, longest: int) -> bool:
    if len(params.text(name)) > longest:
        raise bad_request(f"{name.replace('_', ' ')} is too long")
    kept[_language(params)] = params.text(name)
    return True


def _described(kept: dict[str, str], params: Params) -> str:
    return kept.get(_language(params)) or kept.get("", "")


METHODS = {
    "getme": get_me,
    "setmycommands": set_my_commands,
    "deletemycommands": delete_my_commands,
    "getmycommands": get_my_commands,
    "setmydescription": set_my_description,
    "getmydescription": get_my_description,
    "setmyshortdescription": set_my_short_description,
    "getmyshortdescription": get_my_short_description,
    "setchatmenubutton": set_chat_menu_button,
    "getchatmenubutton": get_chat_menu_button,
}
