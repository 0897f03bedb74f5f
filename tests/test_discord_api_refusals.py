"""The Discord of the tests and the real discord.py agree: on what is refused, how fast one may ask, and what goes wrong."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from chat import Clock
from discord_api import (
    BOT_ID,
    COMPONENTS_V2,
    EPHEMERAL,
    TOKEN,
    USUAL,
    Asked,
    Can,
    Club,
    Content,
    CutOff,
    DiscordApi,
    Fault,
    Interaction,
    Json,
    Limit,
    Member,
    Reset,
    Silence,
    Slow,
    answers,
    bans,
    holds,
    refuses,
)
from discord_api.client import Asking, Client, screen
from discord_api.components import check_message, check_modal, numbered
from discord_api.form import Form
from discord_api.library import asked, hurried, pointed, running

TESTS = Path(__file__).parent
HIP: Json = {"name": "hip", "description": "Check your hip"}


@pytest.fixture
async def api(clock: Clock) -> AsyncIterator[DiscordApi]:
    async with DiscordApi(now=clock) as opened:
        opened.commands.register(None, [HIP])
        yield opened


@pytest.fixture
def club(api: DiscordApi) -> Club:
    return api.guild("Runners", api.user(7, "Anna"), api.user(8, "Ben"))


@pytest.fixture
def anna(api: DiscordApi, club: Club) -> Member:
    return club.member(api.user(7, "Anna"))


@pytest.fixture
def waits() -> list[float]:
    """Return how long the library has waited so far, in seconds; the clock has moved as much."""
    return []


@pytest.fixture
async def bot(api: DiscordApi, clock: Clock, club: Club, waits: list[float]) -> AsyncIterator[Client]:
    def waited(seconds: float) -> None:
        if seconds:
            waits.append(seconds)
            clock.moves(seconds=seconds)

    with hurried(waited):
        async with running(api, Client(greets)) as client:
            assert isinstance(client, Client)
            waits.clear()
            yield client


@pytest.fixture
def channel(api: DiscordApi, club: Club, bot: Client) -> discord.PartialMessageable:
    """Return the channel of the club, as the library writes to it."""
    return bot.get_partial_messageable(club.channel.id)


async def greets(interaction: Asking) -> None:
    await interaction.response.send_message("Hello", ephemeral=True)


# ---------------------------------------------------------------- what messages may be made of


def button(custom_id: str = "x", **more: Any) -> Json:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": custom_id, **more}


def row(*parts: Json) -> Json:
    return {"type": 1, "components": list(parts)}


def text(content: str = "Hello") -> Json:
    return {"type": 10, "content": content}


def menu(count: int = 2, **more: Any) -> Json:
    options = [{"label": f"L{number}", "value": f"v{number}"} for number in range(count)]
    return {"type": 3, "custom_id": "m", "options": options, **more}


def box(*parts: Json, **more: Any) -> Json:
    return {"type": 17, "components": list(parts), **more}


def section(*parts: Json, accessory: Json | None = None) -> Json:
    return {"type": 9, "components": list(parts), "accessory": accessory}


def wrongs(check: Callable[[Form], None]) -> list[tuple[str, str]]:
    """Return what a check finds wrong: where, and by which code."""
    form = Form()
    check(form)
    return [(".".join(map(str, at)), code) for at, code, _ in form.wrongs]


@pytest.mark.parametrize(
    "components",
    [
        [],
        [text("x" * 4000)],
        [text()] * 40,
        [box(text(), row(*(button(str(n)) for n in range(5))), {"type": 14, "spacing": 2}, accent_color=0xFFFFFF)],
        [section(text(), text(), text(), accessory=button()), row(menu(25, min_values=0, max_values=25))],
        [section(text(), accessory={"type": 11, "media": {"url": "https://a.b/c.png"}})],
        [row(button("x" * 100, label="x" * 80), {"type": 2, "style": 5, "label": "Read", "url": "https://a.b/"})],
        [row({"type": 5, "custom_id": "u", "placeholder": "x" * 150})],
        [{"type": 13, "file": {"url": "attachment://a.json"}}, {"type": 12, "items": [{}]}],
    ],
)
def test_a_layout_may_be_as_large_as_this(components: list[Json]) -> None:
    assert wrongs(lambda form: check_message(form, (), components, v2=True)) == []


@pytest.mark.parametrize(
    ("components", "where", "code"),
    [
        ([text()] * 41, "", "BASE_TYPE_BAD_LENGTH"),
        ([box(*[text()] * 40)], "", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED"),
        ([section(text(), accessory=button(str(n))) for n in range(14)], "", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED"),
        ([text("x" * 2000), box(text("y" * 2001))], "", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"),
        ([text("x" * 4001)], "0.content", "BASE_TYPE_BAD_LENGTH"),
        ([text("")], "0.content", "BASE_TYPE_BAD_LENGTH"),
        ([{"type": 10}], "0.content", "BASE_TYPE_REQUIRED"),
        ([text(7)], "0.content", "STRING_TYPE_CONVERT"),  # type: ignore[arg-type]
        ([button()], "0.type", "UNION_TYPE_CHOICES"),
        (["text"], "0", "MODEL_TYPE_CONVERT"),
        ([box(box(text()))], "0.components.0.type", "UNION_TYPE_CHOICES"),
        ([box()], "0.components", "BASE_TYPE_BAD_LENGTH"),
        ([box(text(), accent_color=0x1000000)], "0.accent_color", "NUMBER_TYPE_MAX"),
        ([row()], "0.components", "BASE_TYPE_BAD_LENGTH"),
        ([row(*(button(str(n)) for n in range(6)))], "0.components", "BASE_TYPE_BAD_LENGTH"),
        ([row(button(), menu())], "0.components.1", "COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
        ([row(text())], "0.components.0.type", "UNION_TYPE_CHOICES"),
        ([row(button(label="x" * 81))], "0.components.0.label", "BASE_TYPE_MAX_LENGTH"),
        ([row(button(label=""))], "0.components.0", "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED"),
        ([row(button(""))], "0.components.0.custom_id", "BASE_TYPE_BAD_LENGTH"),
        ([row(button("x" * 101))], "0.components.0.custom_id", "BASE_TYPE_BAD_LENGTH"),
        ([row({"type": 2, "style": 1, "label": "x"})], "0.components.0.custom_id", "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED"),
        ([row(button(style=9))], "0.components.0.style", "BASE_TYPE_CHOICES"),
        ([row(button(url="https://a.b"))], "0.components.0.url", "BASE_TYPE_FORBIDDEN"),
        ([row({"type": 2, "style": 5, "label": "x"})], "0.components.0.url", "BUTTON_COMPONENT_URL_REQUIRED"),
        ([row(button(), button())], "0.components.1.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"),
        ([section(text(), accessory=button()), row(button())], "1.components.0.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"),
        ([section(text())], "0.accessory", "BASE_TYPE_REQUIRED"),
        ([section(*[text()] * 4, accessory=button())], "0.components", "BASE_TYPE_BAD_LENGTH"),
        ([section(text(), accessory=menu())], "0.accessory.type", "UNION_TYPE_CHOICES"),
        ([row(menu(26))], "0.components.0.options", "BASE_TYPE_BAD_LENGTH"),
        ([row(menu(0))], "0.components.0.options", "BASE_TYPE_BAD_LENGTH"),
        ([row(menu(2, max_values=3))], "0.components.0.max_values", "NUMBER_TYPE_MAX"),
        ([row(menu(2, min_values=2))], "0.components.0.min_values", "NUMBER_TYPE_MAX"),
        ([row(menu(2, min_values=-1))], "0.components.0.min_values", "NUMBER_TYPE_MIN"),
        ([row(menu(2, placeholder="x" * 151))], "0.components.0.placeholder", "BASE_TYPE_MAX_LENGTH"),
        ([{"type": 14, "spacing": 3}], "0.spacing", "BASE_TYPE_CHOICES"),
        ([{"type": 13, "file": {"url": "https://a.b/c"}}], "0.file.url", "URL_TYPE_INVALID_SCHEME"),
        ([{"type": 4, "custom_id": "x", "style": 1}], "0.type", "UNION_TYPE_CHOICES"),
    ],
)
def test_a_layout_beyond_its_limits_is_refused(components: list[Json], where: str, code: str) -> None:
    assert wrongs(lambda form: check_message(form, (), components, v2=True)) == [(where, code)]


@pytest.mark.parametrize(
    ("option", "where", "code"),
    [
        ({"label": "x" * 101, "value": "x"}, "label", "BASE_TYPE_BAD_LENGTH"),
        ({"label": "x", "value": "x" * 101}, "value", "BASE_TYPE_BAD_LENGTH"),
        ({"label": "x", "value": "x", "description": "x" * 101}, "description", "BASE_TYPE_MAX_LENGTH"),
        ({"label": "x", "value": "v0"}, "value", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED"),
        ({"value": "x"}, "label", "BASE_TYPE_REQUIRED"),
    ],
)
def test_an_entry_of_a_menu_has_its_limits(option: Json, where: str, code: str) -> None:
    asked = menu(1)
    asked["options"].append(option)

    found = wrongs(lambda form: check_message(form, (), [row(asked)], v2=True))

    assert found == [(f"0.components.0.options.1.{where}", code)]


def test_without_the_flag_there_are_rows_only() -> None:
    rows = [row(button(str(number))) for number in range(5)]

    assert wrongs(lambda form: check_message(form, (), rows, v2=False)) == []
    assert wrongs(lambda form: check_message(form, (), [*rows, row(button())], v2=False)) == [("", "BASE_TYPE_BAD_LENGTH")]
    assert wrongs(lambda form: check_message(form, (), [text()], v2=False)) == [("0.type", "UNION_TYPE_CHOICES")]


def test_components_are_numbered_around_the_numbers_they_bring() -> None:
    made = numbered([box(text(), {"type": 14, "id": 0}, id=2), text()])

    assert [made[0]["id"], *(one["id"] for one in made[0]["components"]), made[1]["id"]] == [2, 1, 3, 4]


def label(**component: Any) -> Json:
    return {"type": 18, "label": "What?", "component": {"type": 4, "custom_id": "x", "style": 1, **component}}


def modal(*parts: Json, **more: Any) -> Json:
    return {"custom_id": "m", "title": "Form", "components": list(parts), **more}


@pytest.mark.parametrize(
    ("form", "where", "code"),
    [
        (modal(label(), title="x" * 46), "title", "BASE_TYPE_BAD_LENGTH"),
        (modal(label(), title=None), "title", "BASE_TYPE_REQUIRED"),
        (modal(label(), custom_id="x" * 101), "custom_id", "BASE_TYPE_BAD_LENGTH"),
        (modal(), "components", "BASE_TYPE_BAD_LENGTH"),
        (modal(*[text()] * 6), "components", "BASE_TYPE_BAD_LENGTH"),
        (modal(row(button())), "components.0.components.0.type", "UNION_TYPE_CHOICES"),
        (modal(box(text())), "components.0.type", "UNION_TYPE_CHOICES"),
        (modal(label(), label()), "components.1.component.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"),
        (modal({**label(), "label": "x" * 46}), "components.0.label", "BASE_TYPE_BAD_LENGTH"),
        (modal({**label(), "description": "x" * 101}), "components.0.description", "BASE_TYPE_MAX_LENGTH"),
        (modal(label(max_length=4001)), "components.0.component.max_length", "NUMBER_TYPE_MAX"),
        (modal(label(placeholder="x" * 101)), "components.0.component.placeholder", "BASE_TYPE_MAX_LENGTH"),
        (modal(label(value="x" * 4001)), "components.0.component.value", "BASE_TYPE_MAX_LENGTH"),
        (modal(label(style=3)), "components.0.component.style", "BASE_TYPE_CHOICES"),
        (modal({**label(), "component": menu(2, disabled=True)}), "components.0.component.disabled", "BASE_TYPE_FORBIDDEN"),
    ],
)
def test_a_form_beyond_its_limits_is_refused(form: Json, where: str, code: str) -> None:
    assert wrongs(lambda found: check_modal(found, (), form)) == [(where, code)]


# ---------------------------------------------------------------- commands


def command(**more: Any) -> Json:
    return {**HIP, **more}


def option(**more: Any) -> Json:
    return {"type": 3, "name": "topic", "description": "x", **more}


CHOICES = [{"name": f"{number:0100}", "value": f"{number:0100}"} for number in range(20)]
LARGE = command(options=[option(name=f"o{number}", choices=CHOICES) for number in range(3)])


@pytest.mark.parametrize(
    ("given", "where", "code"),
    [
        (command(name="Hip"), "0.name", "APPLICATION_COMMAND_INVALID_NAME"),
        (command(name="my hip"), "0.name", "APPLICATION_COMMAND_INVALID_NAME"),
        (command(name="x" * 33), "0.name", "BASE_TYPE_BAD_LENGTH"),
        (command(description="x" * 101), "0.description", "BASE_TYPE_BAD_LENGTH"),
        (command(description=""), "0.description", "BASE_TYPE_BAD_LENGTH"),
        (command(type=7), "0.type", "BASE_TYPE_CHOICES"),
        (command(contexts=[0, 3]), "0.contexts.1", "BASE_TYPE_CHOICES"),
        (command(integration_types=[2]), "0.integration_types.0", "BASE_TYPE_CHOICES"),
        (command(description_localizations={"de": "x" * 101}), "0.description_localizations.de", "BASE_TYPE_BAD_LENGTH"),
        (command(description_localizations={"tlh": "x"}), "0.description_localizations.tlh", "BASE_TYPE_CHOICES"),
        (command(options=[option(name=f"o{n}") for n in range(26)]), "0.options", "BASE_TYPE_BAD_LENGTH"),
        (command(options=[option(), option()]), "0.options.1", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"),
        (
            command(options=[option(), option(name="b", required=True)]),
            "0.options.1",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (command(options=[option(description="x" * 101)]), "0.options.0.description", "BASE_TYPE_BAD_LENGTH"),
        (command(options=[option(choices=CHOICES * 2)]), "0.options.0.choices", "BASE_TYPE_BAD_LENGTH"),
        (
            command(options=[option(autocomplete=True, choices=CHOICES[:1])]),
            "0.options.0.autocomplete",
            "APPLICATION_COMMAND_AUTOCOMPLETE_WITH_CHOICES",
        ),
        (LARGE, "0", "APPLICATION_COMMAND_TOO_LARGE"),
    ],
)
async def test_a_command_beyond_its_limits_is_refused(api: DiscordApi, given: Json, where: str, code: str) -> None:
    status, body = await asked(api, "PUT", f"/applications/{BOT_ID}/commands", [given])

    assert (status, body["code"], body["message"]) == (400, 50035, "Invalid Form Body")
    assert code in [one["code"] for one in at(body["errors"], where)["_errors"]]


def at(errors: Json, where: str) -> Json:
    """Return what stands at a place of an error."""
    for name in where.split("."):
        errors = errors[name]
    return errors


async def test_two_commands_have_two_names(api: DiscordApi) -> None:
    both = [HIP, command(type=2, description=""), HIP]

    _, body = await asked(api, "PUT", f"/applications/{BOT_ID}/commands", both)

    assert body["errors"]["2"]["_errors"][0]["code"] == "APPLICATION_COMMANDS_DUPLICATE_NAME"


async def test_commands_are_written_for_oneself_and_where_one_is(api: DiscordApi, club: Club, bot: Client) -> None:
    club.removes_bot()

    assert (await asked(api, "PUT", "/applications/5/commands", []))[1]["code"] == 20012
    assert (await asked(api, "PUT", f"/applications/{BOT_ID}/commands", {}))[1]["code"] == 50109
    with pytest.raises(discord.Forbidden) as caught:
        await bot.tree.sync(guild=discord.Object(club.guild.id))
    assert caught.value.code == 50001


# ---------------------------------------------------------------- answers


async def answer(api: DiscordApi, sent: Interaction, kind: int, data: Json | None = None) -> tuple[int, Any]:
    path = f"/interactions/{sent.id}/{sent.token}/callback"
    return await asked(api, "POST", path, {"type": kind, **({"data": data} if data else {})})


async def test_a_wrong_answer_is_told_at_its_place_and_can_be_put_right(api: DiscordApi, bot: Client, anna: Member) -> None:
    caught: list[discord.HTTPException] = []

    async def tries(interaction: Asking) -> None:
        try:
            await interaction.response.send_message(view=screen("Hi", buttons=(("x" * 81, "x"),)))
        except discord.HTTPException as error:
            caught.append(error)
        await greets(interaction)

    bot.answer = tries
    await anna.answered(anna.types("/hip"))

    assert (caught[0].status, caught[0].code) == (400, 50035)
    assert "In data.components.0.components.1.components.0.label: Must be 80 or fewer in length." in caught[0].text
    assert anna.texts == ("Hello",)


async def test_an_answer_that_is_late_finds_the_interaction_gone(
    api: DiscordApi, clock: Clock, bot: Client, anna: Member
) -> None:
    async def late(interaction: Asking) -> None:
        clock.moves(seconds=3.1)
        await greets(interaction)

    bot.answer = late
    sent = anna.types("/hip")
    await api.until(lambda: bot.errors != [])

    assert isinstance(bot.errors[0], discord.NotFound)
    assert bot.errors[0].code == 10062
    assert (sent.answer, anna.screen) == (None, ())
    assert sent.took is not None
    assert sent.failed(clock())


async def test_a_second_answer_is_one_too_many(api: DiscordApi, bot: Client, anna: Member) -> None:
    await anna.answered(sent := anna.types("/hip"))

    assert await answer(api, sent, 4, {"content": "Again"}) == (
        400,
        {"message": "Interaction has already been acknowledged.", "code": 40060},
    )
    assert anna.texts == ("Hello",)


@pytest.mark.parametrize(("id", "token"), [(0, 0), (1, 0), (0, 1)])
async def test_an_interaction_is_known_by_its_id_and_its_token(api: DiscordApi, anna: Member, id: int, token: int) -> None:
    one, other = anna.types("/hip"), anna.types("/hip")
    path = f"/interactions/{[one.id, other.id][id]}/{[one.token, other.token][token]}/callback"

    status, body = await asked(api, "POST", path, {"type": 4, "data": {"content": "Hi"}})

    assert (status, (body or {}).get("code")) == ((204, None) if id == token else (404, 10062))


@pytest.mark.parametrize(
    ("kind", "types"),
    [
        (Asked.COMMAND, {4, 5, 9}),
        (Asked.COMPONENT, {4, 5, 6, 7, 9}),
        (Asked.AUTOCOMPLETE, {8}),
        (Asked.MODAL, {4, 5}),  # of a form that no message opened
    ],
)
async def test_each_kind_has_its_answers(api: DiscordApi, anna: Member, kind: Asked, types: set[int]) -> None:
    taken = set()
    for number in range(1, 13):
        sent = ask(api, anna, kind)
        if (await answer(api, sent, number, DATA.get(number)))[0] == 204:
            taken.add(number)

    assert taken == types


def ask(api: DiscordApi, member: Member, kind: Asked) -> Interaction:
    message = api.world.post(member.channel, api.bot, Content("A question"))
    match kind:
        case Asked.COMMAND:
            return member.types("/hip")
        case Asked.AUTOCOMPLETE:
            return member.begins("/hip")
        case Asked.COMPONENT:
            return member.presses(message, "x")
        case Asked.MODAL:
            return api.inject(
                {"type": 5, "data": {"custom_id": "m", "components": []}}, user=member.user, channel=member.channel
            )


DATA: dict[int, Json] = {4: {"content": "x"}, 7: {"content": "x"}, 8: {"choices": []}, 9: modal(label())}


async def test_suggestions_have_their_limits(api: DiscordApi, anna: Member) -> None:
    for choices in (
        [{"name": "x", "value": "x"}] * 26,
        [{"name": "x" * 101, "value": "x"}],
        [{"name": "x", "value": "x" * 101}],
    ):
        status, body = await answer(api, anna.begins("/hip"), 8, {"choices": choices})

        assert (status, body["code"]) == (400, 50035)


async def test_the_new_layout_takes_no_words_beside_it_and_stays(api: DiscordApi, anna: Member) -> None:
    layout: Json = {"flags": COMPONENTS_V2 | EPHEMERAL, "components": [text()]}

    _, body = await answer(api, anna.types("/hip"), 4, {**layout, "content": "x", "embeds": [{"title": "x"}]})
    assert sorted(body["errors"]["data"]) == ["content", "embeds"]
    assert at(body["errors"], "data.content")["_errors"][0]["code"] == "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"

    await answer(api, sent := anna.types("/hip"), 4, layout)
    path = f"/webhooks/{BOT_ID}/{sent.token}/messages/@original"
    assert (await asked(api, "PATCH", path, {"content": "words"}))[0] == 400
    assert (await asked(api, "PATCH", path, {"components": [text("New")], "flags": 0}))[0] == 200
    assert (anna.last.text, anna.last.content.v2) == ("New", True)


async def test_a_message_of_words_becomes_a_layout_once_the_words_are_gone(api: DiscordApi, anna: Member) -> None:
    await answer(api, sent := anna.types("/hip"), 4, {"content": "Words"})
    path = f"/webhooks/{BOT_ID}/{sent.token}/messages/@original"
    layout: Json = {"flags": COMPONENTS_V2, "components": [text()]}

    assert (await asked(api, "PATCH", path, layout))[0] == 400
    assert (await asked(api, "PATCH", path, {**layout, "content": None}))[0] == 200


async def test_an_empty_answer_is_none(api: DiscordApi, anna: Member) -> None:
    assert (await answer(api, anna.types("/hip"), 4, {"content": ""}))[1]["code"] == 50006
    assert (await answer(api, anna.types("/hip"), 4, {"content": "x" * 2001}))[1]["code"] == 50035


async def test_a_file_that_is_shown_must_have_come_along(api: DiscordApi, anna: Member) -> None:
    file = {"type": 13, "file": {"url": "attachment://a.json"}}

    status, body = await answer(api, anna.types("/hip"), 4, {"flags": COMPONENTS_V2, "components": [file]})

    assert status == 400
    assert "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND" in json.dumps(body)


async def test_what_is_not_json_is_refused(api: DiscordApi) -> None:
    headers = {"Authorization": f"Bot {api.token}", "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(api.url + "/users/@me/channels", data=b"{") as response,
    ):
        assert (response.status, (await response.json())["code"]) == (400, 50109)
        assert response.headers["Content-Type"] == "application/json"


# ---------------------------------------------------------------- the token of an interaction


async def test_a_token_lasts_fifteen_minutes(api: DiscordApi, clock: Clock, bot: Client, anna: Member) -> None:
    kept: list[Asking] = []

    async def keeps(interaction: Asking) -> None:
        kept.append(interaction)
        await greets(interaction)

    bot.answer = keeps
    await anna.answered(anna.types("/hip"))
    clock.moves(minutes=14, seconds=59)
    assert (await kept[0].edit_original_response(content="Still here")).content == "Still here"

    clock.moves(seconds=2)
    for late in (kept[0].edit_original_response, kept[0].delete_original_response, lambda: kept[0].followup.send("x")):
        with pytest.raises(discord.HTTPException) as caught:
            await late()
        assert (caught.value.status, caught.value.code) == (401, 50027)
    assert api.invalid() == 3


async def test_a_token_opens_nothing_before_the_answer(api: DiscordApi, anna: Member) -> None:
    sent = anna.types("/hip")
    path = f"/webhooks/{BOT_ID}/{sent.token}"

    for way, to in (("POST", path), ("GET", f"{path}/messages/@original"), ("POST", "/webhooks/5/x")):
        assert await asked(api, way, to, {"content": "x"}) == (404, {"message": "Unknown Webhook", "code": 10015})


async def test_a_token_reaches_only_what_it_made(api: DiscordApi, bot: Client, anna: Member) -> None:
    await anna.answered(sent := anna.types("/hip"))
    await anna.answered(other := anna.types("/hip"))
    path = f"/webhooks/{BOT_ID}/{sent.token}/messages/"
    assert sent.original is not None
    assert other.original is not None

    assert (await asked(api, "GET", f"{path}{sent.original.id}"))[0] == 200
    assert (await asked(api, "GET", f"{path}{other.original.id}"))[1]["code"] == 10008
    assert (await asked(api, "DELETE", f"{path}@original"))[0] == 204
    assert (await asked(api, "PATCH", f"{path}@original", {"content": "x"}))[1]["code"] == 10008
    assert anna.screen == (other.original,)


async def test_what_only_one_sees_is_not_in_the_channel(api: DiscordApi, club: Club, bot: Client, anna: Member) -> None:
    await anna.answered(sent := anna.types("/hip"))
    assert sent.original is not None
    path = f"/channels/{club.channel.id}/messages"

    assert await asked(api, "GET", path) == (200, [])
    assert (await asked(api, "GET", f"{path}/{sent.original.id}"))[1]["code"] == 10008
    anna.dismisses(sent.original)
    assert anna.screen == ()


async def test_an_app_of_ones_own_says_no_more_than_five_things(api: DiscordApi, bot: Client, anna: Member) -> None:
    api.installs(anna.user)
    mine, _ = api.group(anna.user, api.user(8, "Ben"))
    await mine.answered(sent := mine.forges("hip"))
    path = f"/webhooks/{BOT_ID}/{sent.token}"

    codes = [(await asked(api, "POST", path, {"content": str(number)}))[0] for number in range(6)]

    assert codes == [200] * 5 + [400]


# ---------------------------------------------------------------- messages that nobody asked for


async def test_the_same_nonce_gives_the_same_message(
    api: DiscordApi, clock: Clock, channel: discord.PartialMessageable
) -> None:
    first = await channel.send("Once", nonce="n")
    again = await channel.send("Once more", nonce="n")
    clock.moves(minutes=2, seconds=1)
    later = await channel.send("Later", nonce="n")

    assert (again.id, again.content, again.nonce) == (first.id, "Once", "n")
    assert later.id != first.id
    assert [content.text for content in api.said_in_public()] == ["Once", "Later"]


async def test_without_enforcement_a_nonce_is_only_a_name(api: DiscordApi, club: Club) -> None:
    path = f"/channels/{club.channel.id}/messages"

    sent = [(await asked(api, "POST", path, {"content": "x", "nonce": 7}))[1] for _ in range(2)]

    assert sent[0]["id"] != sent[1]["id"]
    assert sent[0]["nonce"] == 7
    assert (await asked(api, "POST", path, {"content": "x", "nonce": "n" * 26}))[1]["code"] == 50035


async def test_a_flag_for_one_reader_counts_for_answers_only(api: DiscordApi, club: Club, anna: Member) -> None:
    _, body = await asked(api, "POST", f"/channels/{club.channel.id}/messages", {"content": "x", "flags": EPHEMERAL})

    assert body["flags"] == 0
    assert [content.text for content in api.said_in_public()] == ["x"]


@pytest.mark.parametrize(
    ("may", "code"), [(USUAL & ~Can.VIEW_CHANNEL, 50001), (USUAL & ~Can.SEND_MESSAGES, 50013)], ids=["see", "send"]
)
async def test_what_the_bot_may_not_it_cannot(channel: discord.PartialMessageable, club: Club, may: Can, code: int) -> None:
    club.channel.bot_may = may

    with pytest.raises(discord.Forbidden) as caught:
        await channel.send("x")
    assert caught.value.code == code


async def test_where_the_bot_is_not_it_cannot_write(
    api: DiscordApi, club: Club, bot: Client, channel: discord.PartialMessageable
) -> None:
    club.removes_bot()
    with pytest.raises(discord.Forbidden) as forbidden:
        await channel.send("x")
    with pytest.raises(discord.NotFound) as missing:
        await bot.get_partial_messageable(5).send("x")
    club.adds_bot()
    club.deletes_channel(gone := club.adds_channel("gone"))
    with pytest.raises(discord.NotFound) as deleted:
        await bot.get_partial_messageable(gone.id).send("x")

    assert [error.value.code for error in (forbidden, missing, deleted)] == [50001, 10003, 10003]


async def test_someone_who_lets_no_bot_write_cannot_be_written_to(api: DiscordApi, bot: Client, anna: Member) -> None:
    dm = await bot.create_dm(discord.Object(7))
    anna.closes_dms()
    with pytest.raises(discord.Forbidden) as caught:
        await dm.send("x")
    anna.opens_dms()
    await dm.send("y")

    assert caught.value.code == 50007
    assert api.dm(anna.user).texts == ("y",)


async def test_someone_who_has_left_every_server_cannot_be_written_to(
    api: DiscordApi, club: Club, bot: Client, anna: Member
) -> None:
    dm = await bot.create_dm(discord.Object(7))
    club.leaves(anna.user)
    with pytest.raises(discord.Forbidden) as caught:
        await dm.send("x")
    api.installs(anna.user)
    await dm.send("y")

    assert caught.value.code == 50278
    with pytest.raises(discord.HTTPException, match="50033"):
        await bot.create_dm(discord.Object(5))


async def test_what_others_said_is_theirs(
    api: DiscordApi, club: Club, channel: discord.PartialMessageable, anna: Member
) -> None:
    said = channel.get_partial_message(anna.says("mine").id)
    with pytest.raises(discord.Forbidden) as edited:
        await said.edit(content="x")
    with pytest.raises(discord.Forbidden) as deleted:
        await said.delete()
    club.channel.bot_may |= Can.MANAGE_MESSAGES
    await said.delete()

    assert (edited.value.code, deleted.value.code) == (50005, 50013)
    with pytest.raises(discord.NotFound) as gone:
        await said.fetch()
    assert gone.value.code == 10008


async def test_who_may_not_read_back_reads_nothing(api: DiscordApi, club: Club, channel: discord.PartialMessageable) -> None:
    await channel.send("x")
    club.channel.bot_may &= ~Can.READ_MESSAGE_HISTORY

    assert [message async for message in channel.history()] == []
    assert (await asked(api, "GET", f"/channels/{club.channel.id}/messages?limit=101"))[1]["code"] == 50035


# ---------------------------------------------------------------- too fast


async def test_the_library_waits_as_a_bucket_tells_it(
    api: DiscordApi, channel: discord.PartialMessageable, waits: list[float]
) -> None:
    api.limits.routes["send"] = Limit(most=2, seconds=5)

    for number in range(5):
        await channel.send(str(number))

    assert waits == [5, 5]
    assert (api.limits.held, api.invalid()) == (0, 0)  # it knew before it asked


async def test_a_bucket_is_counted_apart_for_each_channel(api: DiscordApi, club: Club) -> None:
    api.limits.routes["send"] = Limit(most=1, seconds=5)
    other = club.adds_channel("other")

    codes = [(await asked(api, "POST", f"/channels/{id}/messages", {"content": "x"}))[0] for id in (club.channel.id, other.id)]

    assert codes == [200, 200]
    status, body = await asked(api, "POST", f"/channels/{other.id}/messages", {"content": "x"})
    assert (status, body) == (429, {"message": "You are being rate limited.", "retry_after": 5.0, "global": False})


async def test_what_is_too_much_overall_waits_and_goes_through(
    api: DiscordApi, channel: discord.PartialMessageable, waits: list[float]
) -> None:
    api.limits.overall = Limit(most=3, seconds=2)

    for number in range(4):
        await channel.send(str(number))

    assert waits == [2]
    assert api.limits.held == 1
    assert [request.status for request in api.calls("send")] == [200, 200, 200, 429, 200]


async def test_answers_to_members_are_not_held_up_with_the_rest(api: DiscordApi, bot: Client, anna: Member) -> None:
    api.limits.overall = Limit(most=1, seconds=60)
    await asked(api, "GET", "/users/@me")

    await anna.answered(anna.types("/hip"))

    assert (await asked(api, "GET", "/users/@me"))[0] == 429


@pytest.mark.parametrize("bucket", [None, "abcd"])
@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_a_hold_is_waited_for(
    api: DiscordApi, channel: discord.PartialMessageable, waits: list[float], bucket: str | None, scope: str
) -> None:
    api.faults.lay("send", holds(1.5, scope=scope, bucket=bucket))

    await channel.send("x")

    assert waits == [1.5]
    assert api.invalid() == (0 if scope == "shared" else 1)


async def test_a_hold_on_an_answer_is_waited_for(api: DiscordApi, bot: Client, anna: Member, waits: list[float]) -> None:
    api.faults.lay("callback", holds(0.5))

    await anna.answered(anna.types("/hip"))

    assert waits == [0.5]


async def test_a_hold_that_comes_from_before_the_api_is_a_ban(
    api: DiscordApi, channel: discord.PartialMessageable, waits: list[float]
) -> None:
    api.faults.lay("send", bans())

    with pytest.raises(discord.HTTPException, match="1015") as caught:
        await channel.send("x")

    assert (caught.value.status, waits) == (429, [])
    assert "Via" not in caught.value.response.headers


async def test_who_asks_wrongly_too_often_is_shut_out(
    api: DiscordApi, clock: Clock, club: Club, channel: discord.PartialMessageable
) -> None:
    api.limits.invalid = Limit(most=3, seconds=600)
    club.channel.bot_may = Can(0)
    for _ in range(3):
        with pytest.raises(discord.Forbidden):
            await channel.send("x")
    with pytest.raises(discord.HTTPException, match="1015"):
        await channel.send("x")

    clock.moves(minutes=11)
    with pytest.raises(discord.Forbidden):
        await channel.send("x")


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_most_errors_of_the_server_are_tried_again_by_the_library(
    api: DiscordApi, channel: discord.PartialMessageable, waits: list[float], status: int
) -> None:
    api.faults.lay("send", answers(status, done=True), times=2)

    await channel.send("x")

    assert waits == [1, 3]
    assert len({request.json["nonce"] for request in api.calls("send")}) == 1  # it makes up one for each message
    assert [content.text for content in api.said_in_public()] == ["x"]


async def test_a_followup_that_is_tried_again_comes_twice(api: DiscordApi, bot: Client, anna: Member) -> None:
    async def says_more(interaction: Asking) -> None:
        await greets(interaction)
        await interaction.followup.send("More", ephemeral=True)

    bot.answer = says_more
    api.faults.lay("follow_up", answers(502, done=True))
    anna.types("/hip")
    await api.until(lambda: len(api.calls("follow_up")) == 2)

    assert anna.texts == ("Hello", "More", "More")


async def test_a_nonce_keeps_what_is_tried_again_from_coming_twice(
    api: DiscordApi, channel: discord.PartialMessageable, waits: list[float]
) -> None:
    api.faults.lay("send", answers(502, done=True), times=4)

    sent = await channel.send("x", nonce="n")

    assert waits == [1, 3, 5, 7]
    assert [content.text for content in api.said_in_public()] == ["x"]
    assert sent.content == "x"


async def test_after_five_tries_the_library_gives_up(api: DiscordApi, channel: discord.PartialMessageable) -> None:
    api.faults.lay("send", answers(500), times=None)

    with pytest.raises(discord.DiscordServerError):
        await channel.send("x")

    assert len(api.calls("send")) == 5


async def test_503_is_not_tried_again(api: DiscordApi, channel: discord.PartialMessageable, waits: list[float]) -> None:
    api.faults.lay("send", answers(503))

    with pytest.raises(discord.DiscordServerError):
        await channel.send("x")

    assert waits == []


async def test_503_on_an_answer_is_tried_again(api: DiscordApi, bot: Client, anna: Member, waits: list[float]) -> None:
    api.faults.lay("callback", answers(503))

    await anna.answered(anna.types("/hip"))

    assert waits == [1]


async def test_an_answer_that_was_taken_and_lost_is_found_taken(api: DiscordApi, bot: Client, anna: Member) -> None:
    api.faults.lay("callback", answers(502, done=True))

    sent = anna.types("/hip")
    await api.until(lambda: bot.errors != [])

    assert isinstance(bot.errors[0], discord.HTTPException)
    assert bot.errors[0].code == 40060
    assert anna.texts == ("Hello",)
    assert len(sent.messages) == 1


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Reset, aiohttp.ClientError),
        (lambda done: Reset(done=done, closed=True), aiohttp.ServerDisconnectedError),
        (CutOff, aiohttp.ClientPayloadError),
        (lambda done: CutOff(done=done, whole=True), json.JSONDecodeError),
    ],
    ids=["reset", "closed", "cut off", "cut off whole"],
)
async def test_a_line_that_breaks_leaves_open_whether_it_was_done(
    api: DiscordApi, channel: discord.PartialMessageable, fault: Callable[..., Fault], raised: type[Exception], done: bool
) -> None:
    api.faults.lay("send", fault(done=done))

    with pytest.raises((raised, OSError)):
        await channel.send("x")

    assert len(api.said_in_public()) == done
    assert [request.done for request in api.calls("send")] == [done]


async def test_silence_lasts_until_someone_gives_up(api: DiscordApi, channel: discord.PartialMessageable) -> None:
    api.faults.lay("send", Silence(done=True))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(channel.send("x"), 0.03)

    assert len(api.said_in_public()) == 1


async def test_an_answer_can_come_late_and_whole(api: DiscordApi, channel: discord.PartialMessageable) -> None:
    api.faults.lay("send", Slow(seconds=0.02))

    assert (await channel.send("x")).content == "x"


async def test_a_fault_is_laid_for_one_call_of_one_place(api: DiscordApi, club: Club, bot: Client) -> None:
    other = club.adds_channel("other")
    api.faults.lay("send", refuses(50013), nth=2, place=str(other.id))

    codes = []
    for id in (other.id, club.channel.id, other.id, other.id):
        codes.append((await asked(api, "POST", f"/channels/{id}/messages", {"content": "x"}))[0])  # noqa: PERF401 - in turn

    assert codes == [200, 200, 403, 200]
    api.faults.lay("*", answers(500), times=None)
    assert (await asked(api, "GET", "/gateway"))[0] == 500
    api.faults.clear()
    assert (await asked(api, "GET", "/gateway"))[0] == 200


async def test_a_share_of_the_answers_is_lost(api: DiscordApi, club: Club) -> None:
    api.faults.dropped = 0.1
    lost = 0
    for number in range(200):
        try:
            await asked(api, "POST", f"/channels/{club.channel.id}/messages", {"content": str(number)})
        except aiohttp.ClientError:
            lost += 1

    assert len(api.said_in_public()) == 200
    assert 10 <= lost <= 30


# ---------------------------------------------------------------- in a process of its own


async def test_the_server_runs_in_a_process_of_its_own() -> None:
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "discord_api", env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    rest, gateway = [(await process.stdout.readline()).decode().strip() for _ in range(2)]
    root = rest.removesuffix("/api/v10")

    async def drive(verb: str, **asked: Any) -> Any:
        async with aiohttp.ClientSession() as session, session.post(f"{root}/control/{verb}", json=asked) as response:
            return await response.json()

    async with away(rest, gateway):
        await drive("user", id=7, name="Anna")
        club = await drive("guild", name="Runners", members=[7])
        await until(lambda: drive("ready"), "ready")
        await drive("fault", route="callback", kind="answers", status=500)
        sent = await drive("types", user=7, channel=club["channel"], line="/hip")
        await until(lambda: drive("asked", id=sent["id"]), "answer")

        [shown] = await drive("shown", user=7, channel=club["channel"])
        assert (shown["text"], shown["reader"]) == ("Hello", 7)
        assert await drive("public") == []
        assert [call["status"] for call in await drive("calls", route="callback")] == [500, 200]
        assert "AssertionError" in (await drive("clicks", user=7, channel=club["channel"], label="Next"))["error"]
    process.terminate()
    assert await process.wait() == 0


@asynccontextmanager
async def away(rest: str, gateway: str) -> AsyncIterator[None]:
    """Run a client against a server elsewhere."""
    client = Client(greets)
    with hurried(lambda _: None), pointed(rest, gateway):
        started = asyncio.create_task(client.start(TOKEN))
        try:
            yield
        finally:
            await client.close()
            await started


async def until(ask: Callable[[], Awaitable[Json]], name: str) -> None:
    """Ask again until what comes has something by this name."""
    for _ in range(500):
        if (await ask())[name]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(name)
