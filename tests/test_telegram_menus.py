"""What Telegram shows of the bot before anyone writes is set where it changed, and nowhere else."""

from pathlib import Path

import pytest

from bot_api import BotApi, Request, answers
from chat import Clock
from telegram_chat import Waits, asked, running, words

SETTING = ("setmycommands", "setmydescription", "setmyshortdescription", "setchatmenubutton")
LAST = "getchatmenubutton"
PRIVATE = tuple(words.table("platform", "commands"))


async def starts(folder: Path, api: BotApi) -> list[Request]:
    """Start the bot once, and return the calls by which it introduced itself."""
    before = len(api.calls())
    async with running(folder, api, now=api.world.now, sleep=Waits()) as bot:
        await api.until(lambda: asked(api) > bot.before)
        await api.until(lambda: any(call.method == LAST for call in api.calls()[before:]) and bool(api.profile.menu_buttons))
        await bot.rests()
    return [call for call in api.calls()[before:] if call.method in SETTING]


async def test_it_introduces_itself_once_for_each_kind_of_chat_and_language(tmp_path: Path) -> None:
    async with BotApi(now=Clock()) as api:
        first = await starts(tmp_path, api)
        second = await starts(tmp_path, api)

    scopes = [
        (call.params.json("scope", "")["type"], call.params.text("language_code"))
        for call in first
        if call.method == SETTING[0]
    ]
    kinds = ("all_chat_administrators", "all_group_chats", "all_private_chats")
    assert sorted(scopes) == [(kind, language) for kind in kinds for language in ("", "en")]
    assert second == []


@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_member_is_offered_the_commands_a_group_one_and_its_organisers_two(tmp_path: Path, language: str) -> None:
    async with BotApi(now=Clock()) as api:
        await starts(tmp_path, api)
        user, group = api.user(7, "Anna", language=language), api.group("Runners")

        assert api.profile.menu(api.private(user).chat, user) == PRIVATE
        assert api.profile.menu(group.member(user).chat, user) == ("hip",)
        assert api.profile.menu(group.admin(user).chat, user) == ("hip", "club")
        assert api.profile.descriptions[""] == words("platform", "about", "long")
        assert api.profile.short_descriptions[""] == words("platform", "about", "short")
        assert api.profile.menu_buttons == {None: {"type": "commands"}}


async def test_only_what_changed_is_set(tmp_path: Path) -> None:
    async with BotApi(now=Clock()) as api:
        await starts(tmp_path, api)
        scope = next(scope for scope in api.profile.commands if "group" in scope[0] and scope[1] == "en")
        api.profile.commands[scope] = [{"command": "hip", "description": "Something else"}]
        api.profile.descriptions[""] = "Something else"

        changed = await starts(tmp_path, api)

        assert [call.method for call in changed] == ["setmydescription", "setmycommands"]
        assert api.profile.commands[scope] == [{"command": "hip", "description": words("platform", "group", "hip")}]


async def test_what_could_not_be_set_stands_in_nobodys_way_and_is_set_at_the_next_start(tmp_path: Path) -> None:
    async with BotApi(now=Clock()) as api:
        api.faults.lay("setMyCommands", answers(500))
        async with running(tmp_path, api, now=api.world.now, sleep=Waits()) as bot:
            anna = bot.member(7, "Anna")
            anna.says("/hip")
            await bot.rests()
            await api.until(lambda: bool(api.calls("setMyCommands")))
            assert anna.heard
        assert await starts(tmp_path, api)
        assert await starts(tmp_path, api) == []


def test_every_command_is_one_that_telegram_takes_and_that_the_bot_knows() -> None:
    assert set(PRIVATE) >= {"hip", "care", "warning", "prevent", "physio", "faq", "why", "settings", "privacy", "mydata"}
    assert set(PRIVATE) >= {"forget", "stop", "help", "about"}
    in_groups = (words("platform", "group", "hip"), words("platform", "group", "club"))
    for says in (*words.table("platform", "commands").values(), *in_groups):
        assert 3 <= len(says) <= 256
    assert len(words("platform", "about", "short")) <= 120
    assert len(words("platform", "about", "long")) <= 512
