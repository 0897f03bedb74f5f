"""The Discord of the tests and the real discord.py agree: on who asks, what members do and what they see."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import ui

from chat import Clock
from discord_api import (
    BOT_ID,
    EPHEMERAL,
    Answer,
    Call,
    Can,
    Club,
    Context,
    DiscordApi,
    Member,
    Request,
    What,
)
from discord_api.client import Asking, Client, screen
from discord_api.library import OnlyLoopback, asked, connecting, pointed, running

TESTS = Path(__file__).parent


@pytest.fixture
async def api(clock: Clock) -> AsyncIterator[DiscordApi]:
    """Return a Discord that goes by a clock that stands still."""
    async with DiscordApi(now=clock) as opened:
        yield opened


@pytest.fixture
def club(api: DiscordApi) -> Club:
    """Return a server with Anna, who runs it, Ben, and the bot."""
    return api.guild("Runners", api.user(7, "Anna"), api.user(8, "Ben"))


@pytest.fixture
def anna(api: DiscordApi, club: Club) -> Member:
    return club.member(api.user(7, "Anna"))


@pytest.fixture
def ben(api: DiscordApi, club: Club) -> Member:
    return club.member(api.user(8, "Ben"))


@pytest.fixture
async def bot(api: DiscordApi, club: Club) -> AsyncIterator[Client]:
    """Return a running client; a test sets what it answers."""
    async with running(api, Client(greets)) as client:
        assert isinstance(client, Client)
        yield client
    assert client.errors == []


async def greets(interaction: Asking) -> None:
    await interaction.response.send_message("Hello", ephemeral=True)


# ---------------------------------------------------------------- who asks


async def test_a_client_logs_in_and_learns_who_it_is(api: DiscordApi, bot: Client) -> None:
    assert bot.user is not None
    assert (bot.user.id, bot.user.name, bot.application_id) == (BOT_ID, "hipwise", BOT_ID)
    assert [guild.name for guild in bot.guilds] == ["Runners"]
    assert [request.route for request in api.requests] == ["me", "application", "sync"]


async def test_another_token_is_refused(api: DiscordApi) -> None:
    with pytest.raises(discord.LoginFailure):
        async with running(api, Client(greets), "nobody's"):
            pass

    assert api.invalid() == 1


async def test_a_token_can_be_revoked(api: DiscordApi, bot: Client) -> None:
    api.token = "x"

    with pytest.raises(discord.HTTPException, match="401: Unauthorized"):
        await bot.application_info()


async def test_where_the_library_asks_is_set_back(api: DiscordApi) -> None:
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY

    with pointed("http://127.0.0.1:1/api", "ws://127.0.0.1:1/"):
        assert discord.http.Route("GET", "/x").url == "http://127.0.0.1:1/api/x"

    assert before == (discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY)
    assert str(before[0]).startswith("https://discord.com/")


async def test_a_client_of_the_tests_reaches_nobody_else() -> None:
    client = discord.Client(intents=discord.Intents.none(), connector=OnlyLoopback())

    with pytest.raises(AssertionError, match=r"asked for discord\.com"):
        await client.login("x")
    await client.close()


async def test_a_path_that_is_not_there_is_not_found(api: DiscordApi) -> None:
    assert await asked(api, "GET", "/hugs") == (404, {"message": "404: Not Found", "code": 0})
    assert await asked(api, "DELETE", "/users/@me") == (405, {"message": "405: Method Not Allowed", "code": 0})
    assert await asked(api, "GET", "/applications/@me") == await asked(api, "GET", "/oauth2/applications/@me")


async def test_the_start_limit_counts_who_came_in(api: DiscordApi, bot: Client) -> None:
    _, body = await asked(api, "GET", "/gateway/bot")

    assert body["url"] == api.gateway_url
    assert body["session_start_limit"]["remaining"] == 999


# ---------------------------------------------------------------- commands


async def test_commands_are_registered_and_offered_where_they_may_be_used(
    api: DiscordApi, club: Club, bot: Client, anna: Member, ben: Member
) -> None:
    here = api.dm(ben.user)
    _, outside = api.group(anna.user, ben.user)

    assert sorted(api.commands.offered(anna.user, club.channel)) == ["care", "club", "hip"]
    assert sorted(api.commands.offered(ben.user, club.channel)) == ["care", "hip"]  # he does not run the club
    assert sorted(api.commands.offered(ben.user, here.channel)) == ["care", "hip"]
    assert sorted(api.commands.offered(ben.user, outside.channel)) == []

    api.installs(ben.user)
    assert sorted(api.commands.offered(ben.user, outside.channel)) == ["hip"]


async def test_a_second_sync_keeps_the_ids(api: DiscordApi, bot: Client) -> None:
    first = await bot.tree.fetch_commands()
    second = await bot.tree.sync()

    assert {one.name: one.id for one in first} == {one.name: one.id for one in second}
    assert api.commands.syncs == 2


async def test_commands_of_one_server_are_only_there(api: DiscordApi, club: Club, bot: Client, anna: Member) -> None:
    other = api.guild("Swimmers", anna.user)
    bot.tree.copy_global_to(guild=discord.Object(club.guild.id))
    bot.tree.clear_commands(guild=None)
    await bot.tree.sync(guild=discord.Object(club.guild.id))
    await bot.tree.sync()

    assert "hip" in api.commands.offered(anna.user, club.channel)
    assert api.commands.offered(anna.user, other.channel) == {}


async def test_a_command_comes_with_its_options(bot: Client, anna: Member) -> None:
    got: list[Any] = []

    async def note(interaction: Asking) -> None:
        got.append(interaction.namespace)
        await greets(interaction)

    bot.answer = note
    await anna.answered(anna.types("/care topic:pain at night pages:3"))

    assert (got[0].topic, got[0].pages) == ("pain at night", 3)


def test_the_app_lets_nobody_send_what_is_not_offered(api: DiscordApi, anna: Member) -> None:
    api.commands.register(None, [{"name": "care", "description": "x", "options": [{**TOPIC, "required": True}]}])

    for line in ("/hip", "care", "/care", "/care other:x"):
        with pytest.raises(AssertionError):
            anna.types(line)


TOPIC = {"name": "topic", "type": 3, "description": "x"}


async def test_suggestions_come_while_a_command_is_typed(api: DiscordApi, bot: Client, anna: Member) -> None:
    asked = await anna.answered(anna.begins("/care topic:pa"))

    assert asked.choices == ("Groin pain", "Night pain")
    assert api.saw(anna.user) == ("Groin pain", "Night pain")


async def test_subcommands_are_typed_in_order(api: DiscordApi, anna: Member) -> None:
    day = {"name": "day", "type": 3, "description": "x", "choices": [{"name": "Monday", "value": "mon"}]}
    add = {"name": "add", "type": 1, "description": "x", "options": [day, {"name": "at", "type": 4, "description": "x"}]}
    api.commands.register(None, [{"name": "plan", "description": "x", "options": [add]}])

    sent = anna.types("/plan add day:Monday at:19")

    inner = [{"name": "day", "type": 3, "value": "mon"}, {"name": "at", "type": 4, "value": 19}]
    assert sent.json["data"]["options"] == [{"name": "add", "type": 1, "options": inner}]


# ---------------------------------------------------------------- where


async def test_a_command_says_where_it_was_used_and_by_whose_installation(
    api: DiscordApi, club: Club, bot: Client, anna: Member
) -> None:
    got: list[Asking] = []

    async def note(interaction: Asking) -> None:
        got.append(interaction)
        await greets(interaction)

    bot.answer = note
    api.installs(anna.user)
    group, _ = api.group(anna.user, api.user(8, "Ben"))
    dm = api.dm(anna.user)
    for member in (anna, dm, group):
        await member.answered(member.types("/hip"))

    assert [one.context.guild for one in got] == [True, False, False]
    assert [one.context.dm_channel for one in got] == [False, True, False]
    assert [one.context.private_channel for one in got] == [False, False, True]
    assert [one.user.id for one in got] == [7, 7, 7]
    assert got[0].guild is not None
    assert [one.is_guild_integration() for one in got] == [True, False, False]
    assert [one.is_user_integration() for one in got] == [True, True, True]
    assert [type(one.channel).__name__ for one in got] == ["TextChannel", "DMChannel", "GroupChannel"]
    assert [str(one.locale) for one in got] == ["en-GB"] * 3


async def test_what_is_not_offered_can_be_forged(api: DiscordApi, bot: Client, ben: Member) -> None:
    outside, _ = api.group(ben.user, api.user(7, "Anna"))

    sent = outside.forges("hip")
    await outside.answered(sent)

    assert sent.channel.context is Context.PRIVATE_CHANNEL
    assert sent.json["authorizing_integration_owners"] == {}


async def test_an_interaction_of_any_shape_reaches_the_client(api: DiscordApi, bot: Client, anna: Member) -> None:
    got: list[Any] = []

    async def note(interaction: Asking) -> None:
        got.append(interaction.data)
        await greets(interaction)

    bot.answer = note
    sent = api.inject({"type": 3, "data": {"custom_id": "\x00" * 100, "component_type": 2}, "more": [1]}, user=anna.user)
    await anna.answered(sent)

    assert got == [{"custom_id": "\x00" * 100, "component_type": 2}]
    assert sent.messages[0].channel == api.world.dm(anna.user)


async def test_an_interaction_that_the_library_cannot_read_ends_it(api: DiscordApi, anna: Member) -> None:
    async with connecting(api, Client(greets)) as connected:
        sent = api.inject({"type": 99, "token": []}, user=anna.user, whole=True)
        with pytest.raises(KeyError, match="id"):
            await asyncio.wait_for(connected, 5)

    assert (sent.json, sent.kind, sent.delivered) == ({"type": 99, "token": []}, None, True)


def test_how_fast_the_bot_asked_at_most_is_known(api: DiscordApi, clock: Clock) -> None:
    for seconds, route in ((0, "send"), (0.5, "send"), (0.4, "callback"), (0.2, "edit"), (0.7, "send")):
        clock.moves(seconds=seconds)
        api.requests.append(Request(route, Call(), clock()))

    assert api.fastest() == 2


# ---------------------------------------------------------------- who sees what


async def test_only_its_reader_sees_an_ephemeral_answer(api: DiscordApi, bot: Client, anna: Member, ben: Member) -> None:
    sent = anna.types("/hip")
    event = await anna.sees()

    assert (event.what, event.content.text, event.message.reader) == (What.NEW, "Hello", anna.user)
    assert sent.name == "/hip"
    assert anna.texts == ("Hello",)
    assert ben.screen == ()
    assert api.said_in_public() == ()
    assert api.saw(anna.user) == ("Hello",)
    assert api.saw(ben.user) == ()


async def test_everyone_in_a_channel_sees_an_answer_that_is_not(
    api: DiscordApi, bot: Client, anna: Member, ben: Member
) -> None:
    async def says(interaction: Asking) -> None:
        await interaction.response.send_message("For all")
        await interaction.edit_original_response(content="Still for all")
        await interaction.delete_original_response()

    bot.answer = says
    anna.types("/hip")
    assert (await ben.sees()).content.text == "For all"
    assert [(await ben.sees()).what for _ in range(2)] == [What.EDITED, What.DELETED]

    assert [content.text for content in api.said_in_public()] == ["For all", "Still for all"]
    assert ben.screen == ()
    assert api.saw(ben.user) == ("For all", "Still for all")


async def test_a_conversation_with_the_bot_is_not_public(api: DiscordApi, bot: Client, anna: Member) -> None:
    async def says(interaction: Asking) -> None:
        await interaction.response.send_message("Between us")

    bot.answer = says
    dm = api.dm(anna.user)
    await dm.answered(dm.types("/hip"))

    assert dm.texts == ("Between us",)
    assert api.said_in_public() == ()


async def test_the_answer_says_what_was_asked(bot: Client, anna: Member) -> None:
    done: list[Any] = []

    async def says(interaction: Asking) -> None:
        done.append(await interaction.response.send_message("Hello", ephemeral=True))
        await interaction.followup.send("And more", ephemeral=True)

    bot.answer = says
    sent = anna.types("/hip")
    await anna.reads("And more")

    assert sent.original is not None
    assert (done[0].message_id, done[0].is_ephemeral(), done[0].is_thinking()) == (sent.original.id, True, False)
    assert done[0].resource.content == "Hello"
    assert done[0].resource.flags.value == EPHEMERAL


async def test_what_may_be_mentioned_is_noted(api: DiscordApi, bot: Client, anna: Member) -> None:
    await anna.answered(anna.types("/hip"))

    assert anna.last.content.mentions == {"parse": []}
    assert api.calls("callback")[0].data["allowed_mentions"] == {"parse": []}
    assert api.calls("callback")[0].ephemeral


async def test_who_has_left_sees_nothing_more(club: Club, bot: Client, anna: Member, ben: Member) -> None:
    async def says(interaction: Asking) -> None:
        await interaction.response.send_message("For all")

    bot.answer = says
    await anna.answered(anna.types("/hip"))
    club.leaves(ben.user)

    assert (len(anna.screen), len(ben.screen)) == (1, 0)


# ---------------------------------------------------------------- in time


async def test_a_deferred_answer_is_thinking_until_it_is_edited(
    api: DiscordApi, bot: Client, anna: Member, ben: Member
) -> None:
    go_on = asyncio.Event()

    async def defers(interaction: Asking) -> None:
        await interaction.response.defer(ephemeral=True)
        await go_on.wait()
        await interaction.edit_original_response(view=screen("At last"))

    bot.answer = defers
    sent = await anna.answered(anna.types("/hip"))

    assert sent.answer is Answer.DEFER
    assert (anna.thinking, ben.thinking, anna.texts) == (True, False, ())

    go_on.set()
    message = await anna.reads("At last")

    assert (anna.thinking, message.edited, message.reader) == (False, None, anna.user)


async def test_a_followup_right_after_a_deferral_is_what_was_deferred(bot: Client, anna: Member) -> None:
    async def defers(interaction: Asking) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.followup.send("First")
        await interaction.followup.send("Second", ephemeral=True)

    bot.answer = defers
    sent = anna.types("/hip")
    await anna.reads("Second")

    assert anna.texts == ("First", "Second")
    assert [message.reader for message in sent.messages] == [anna.user, anna.user]


async def test_a_deferred_update_shows_nothing_and_is_edited_in_place(bot: Client, anna: Member) -> None:
    async def defers(interaction: Asking) -> None:
        if interaction.type is discord.InteractionType.application_command:
            await interaction.response.send_message(view=screen("A question", buttons=(("Yes", "yes"),)), ephemeral=True)
        else:
            await interaction.response.defer()
            await interaction.edit_original_response(view=screen("The next"))

    bot.answer = defers
    anna.types("/hip")
    question = await anna.reads("A question")
    pressed = anna.clicks("Yes")
    await anna.reads("The next")

    assert pressed.answer is Answer.DEFER_UPDATE
    assert anna.screen == (question,)
    assert question.edited is not None
    assert pressed.messages == ()


async def test_how_long_an_answer_took_is_measured(api: DiscordApi, anna: Member) -> None:
    api.commands.register(None, [{"name": "hip", "description": "x"}])
    sent = anna.types("/hip")

    assert (sent.delivered, sent.took, sent.failed(api.world.now())) == (False, None, False)  # nobody is there

    await asked(api, "POST", f"/interactions/{sent.id}/{sent.token}/callback", {"type": 4, "data": {"content": "Hi"}})

    assert sent.took is not None
    assert 0 < sent.took < 5


async def test_nobody_who_answers_is_shown_as_a_failure(api: DiscordApi, clock: Clock, anna: Member) -> None:
    api.commands.register(None, [{"name": "hip", "description": "x"}])
    sent = anna.types("/hip")

    clock.moves(seconds=4)

    assert sent.failed(clock())


# ---------------------------------------------------------------- what messages are made of


async def test_a_layout_is_seen_as_it_stands(api: DiscordApi, bot: Client, anna: Member) -> None:
    async def shows(interaction: Asking) -> None:
        view = screen("# Hip", "How long?", buttons=(("A day", "d"), ("A week", "w")))
        view.add_item(ui.Separator())
        section: ui.Section[ui.LayoutView] = ui.Section(accessory=ui.Button(label="Source", url="https://a.b/"))
        view.add_item(section.add_item("-# Read more"))
        await interaction.response.send_message(view=view, ephemeral=True)

    bot.answer = shows
    anna.types("/hip")
    content = (await anna.sees()).content

    assert content.text == "# Hip\nHow long?\n-# Read more"
    assert content.labels == ("A day", "A week", "Source")
    assert content.colours == (0xAA0000,)
    assert content.v2
    assert anna.opens("Source") == "https://a.b/"
    assert [one["id"] for one in content.components] == [1, 7, 8]
    with pytest.raises(AssertionError, match="use opens"):
        anna.clicks("Source")


async def test_a_press_brings_its_message_and_changes_it_in_place(bot: Client, anna: Member, ben: Member) -> None:
    got: list[Any] = []

    async def turns(interaction: Asking) -> None:
        if interaction.type is discord.InteractionType.application_command:
            await interaction.response.send_message(view=screen("First", buttons=(("Go on", "7:x"),)))
        else:
            assert interaction.message is not None
            got.append((interaction.user.id, interaction.message.id, interaction.message.flags.components_v2, interaction.data))
            await interaction.response.edit_message(view=screen("Second"))

    bot.answer = turns
    anna.types("/hip")
    message = (await ben.sees()).message
    ben.clicks("go")
    event = await ben.sees()

    assert got == [(8, message.id, True, {"custom_id": "7:x", "component_type": 2, "id": 4})]
    assert (event.what, event.message, event.content.text) == (What.EDITED, message, "Second")
    assert [content.text for content in message.versions] == ["First", "Second"]


async def test_a_press_can_be_answered_by_a_new_message(bot: Client, anna: Member) -> None:
    async def turns(interaction: Asking) -> None:
        if interaction.type is discord.InteractionType.application_command:
            await interaction.response.send_message(view=screen("First", buttons=(("Go on", "x"),)), ephemeral=True)
        else:
            await interaction.response.send_message(view=screen("The result"), ephemeral=True)

    bot.answer = turns
    anna.types("/hip")
    first = await anna.reads("First")
    anna.clicks("Go on")
    result = await anna.reads("The result")

    assert anna.screen == (first, result)
    assert result.extra["message_reference"]["message_id"] == str(first.id)


async def test_an_old_button_can_still_be_pressed(api: DiscordApi, bot: Client, anna: Member) -> None:
    await anna.answered(anna.types("/hip"))

    pressed = anna.presses(anna.last, "long gone")
    await anna.answered(pressed)

    assert anna.texts == ("Hello", "Hello")


class Turned(ui.DynamicItem[ui.Item[Any]], template=r"hip:(?P<step>\d+)"):
    """What a client without a past makes of a custom id."""

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        data: Any = interaction.data
        await interaction.response.edit_message(view=screen(f"{data['custom_id']} {data.get('values')}"))

    @classmethod
    async def from_custom_id(cls, interaction: Any, item: ui.Item[Any], match: Any, /) -> "Turned":
        return cls(item)


@pytest.mark.parametrize("kind", ["button", "menu"])
async def test_the_library_finds_by_custom_id_what_a_process_before_it_has_shown(
    api: DiscordApi, club: Club, anna: Member, kind: str
) -> None:
    async def shows(interaction: Asking) -> None:
        view = screen("A question", buttons=(("Yes", "hip:1"),))
        menu: ui.Select[ui.LayoutView] = ui.Select(custom_id="hip:2", options=[discord.SelectOption(label="Groin")])
        await interaction.response.send_message(view=view.add_item(ui.ActionRow(menu)), ephemeral=True)

    async with running(api, Client(shows)):
        await anna.answered(anna.types("/hip"))
    silent = Client(lambda _: asyncio.sleep(0))
    async with running(api, silent):
        silent.add_dynamic_items(Turned)
        await anna.answered(anna.clicks("Yes") if kind == "button" else anna.selects("Groin"))

    assert anna.texts == ("hip:1 None" if kind == "button" else "hip:2 ['Groin']",)


async def test_a_button_that_is_off_cannot_be_pressed(api: DiscordApi, anna: Member, bot: Client) -> None:
    async def shows(interaction: Asking) -> None:
        view = ui.View(timeout=None)
        await interaction.response.send_message("x", view=view.add_item(ui.Button(label="Off", disabled=True)))

    bot.answer = shows
    await anna.answered(anna.types("/hip"))

    with pytest.raises(AssertionError, match="cannot be pressed"):
        anna.clicks("Off")
    with pytest.raises(AssertionError, match="no button 'On'"):
        anna.clicks("On")


async def test_a_menu_takes_as_many_as_it_says(bot: Client, anna: Member) -> None:
    got: list[Any] = []

    async def asks(interaction: Asking) -> None:
        if interaction.type is discord.InteractionType.application_command:
            menu: ui.Select[ui.LayoutView] = ui.Select(custom_id="where", placeholder="Where?", min_values=1, max_values=2)
            for place in ("Groin", "Buttock", "Thigh"):
                menu.add_option(label=place, value=place.lower(), description=f"The {place}")
            view = screen("Where does it hurt?")
            await interaction.response.send_message(view=view.add_item(ui.ActionRow(menu)), ephemeral=True)
        else:
            got.append(interaction.data)
            await interaction.response.edit_message(view=screen("Thank you"))

    bot.answer = asks
    anna.types("/hip")
    question = await anna.reads("Where")
    assert "The Groin" in question.content.words
    with pytest.raises(AssertionError, match="takes 1 to 2"):
        anna.selects("Groin", "Buttock", "Thigh")
    with pytest.raises(AssertionError, match="no menu"):
        anna.selects("Knee")
    anna.selects("Groin", "Thigh")
    await anna.reads("Thank you")

    assert got == [{"custom_id": "where", "component_type": 3, "id": 4, "values": ["groin", "thigh"]}]


async def test_a_form_is_filled_in_and_sent(api: DiscordApi, bot: Client, anna: Member) -> None:
    got: list[Any] = []

    async def asks(interaction: Asking) -> None:
        if interaction.type is discord.InteractionType.application_command:
            await interaction.response.send_modal(form())
        else:
            got.append(interaction.data)
            await interaction.response.send_message("Thank you", ephemeral=True)

    bot.answer = asks
    opened = await anna.answered(anna.types("/hip"))
    shown = anna.form
    assert opened.modal is not None
    assert opened.modal == shown
    assert (opened.modal.title, [f.label for f in opened.modal.fields]) == ("In your words", ["What happened?", "How bad?"])
    with pytest.raises(AssertionError, match="must be filled in"):
        anna.submits(bad="Bad")
    with pytest.raises(AssertionError, match="1 to 4000"):
        anna.submits("x" * 4001, "Bad")
    with pytest.raises(AssertionError, match="none of"):
        anna.submits("It clicks", "Terrible")
    anna.submits("It clicks", "Bad")
    await anna.reads("Thank you")

    assert anna.form is None
    assert got[0]["custom_id"] == "words"
    assert [part["component"] for part in got[0]["components"][1:]] == [
        {"type": 4, "id": 3, "custom_id": "said", "value": "It clicks"},
        {"type": 3, "id": 5, "custom_id": "bad", "values": ["2"]},
    ]
    assert "Not for emergencies" in opened.modal.words
    assert opened.modal.words in api.saw(anna.user)
    assert api.said_in_public() == ()


async def test_a_form_from_before_can_be_sent_again_and_changes_its_message(bot: Client, anna: Member) -> None:
    async def asks(interaction: Asking) -> None:
        if interaction.type is discord.InteractionType.application_command:
            await interaction.response.send_message(view=screen("A question", buttons=(("Type", "t"),)), ephemeral=True)
        elif interaction.type is discord.InteractionType.component:
            await interaction.response.send_modal(form())
        else:
            data: Any = interaction.data
            await interaction.response.edit_message(view=screen(data["components"][1]["component"]["value"]))

    bot.answer = asks
    anna.types("/hip")
    message = await anna.reads("A question")
    opened = await anna.answered(anna.clicks("Type"))
    anna.submits("once", "Bad")
    await anna.reads("once")
    anna.submits("twice", "Bad", modal=opened)
    await anna.reads("twice")

    assert anna.screen == (message,)


def form() -> ui.Modal:
    """Return a form with words, an input and a menu."""
    modal = ui.Modal(title="In your words", custom_id="words")
    modal.add_item(ui.TextDisplay("Not for emergencies"))
    said: ui.TextInput[ui.Modal] = ui.TextInput(custom_id="said", style=discord.TextStyle.paragraph, min_length=1)
    modal.add_item(ui.Label(text="What happened?", component=said))
    bad: ui.Select[ui.Modal] = ui.Select(custom_id="bad", options=[discord.SelectOption(label=x, value=y) for x, y in BAD])
    return modal.add_item(ui.Label(text="How bad?", component=bad))


BAD = (("Not very", "1"), ("Bad", "2"))


async def test_inputs_in_rows_and_other_choices_are_sent_as_well(api: DiscordApi, anna: Member) -> None:
    radio = {"type": 21, "custom_id": "r", "options": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]}
    box = {"type": 23, "custom_id": "c"}
    rows = [
        {"type": 1, "components": [{"type": 4, "custom_id": "t", "label": "Old", "style": 1, "required": False}]},
        {"type": 18, "label": "One", "component": radio},
        {"type": 18, "label": "Yes?", "component": box},
    ]
    api.commands.register(None, [{"name": "hip", "description": "x"}])
    sent = anna.types("/hip")
    body = {"type": 9, "data": {"custom_id": "m", "title": "Form", "components": rows}}
    assert (await asked(api, "POST", f"/interactions/{sent.id}/{sent.token}/callback", body))[0] == 204

    back = anna.submits(r="B", c="yes").json["data"]["components"]

    assert back[0]["components"][0]["value"] == ""
    assert back[1]["component"]["value"] == "b"
    assert back[2]["component"]["value"] is True


async def test_a_file_is_seen_where_a_component_shows_it(bot: Client, anna: Member) -> None:
    async def sends(interaction: Asking) -> None:
        view = ui.LayoutView(timeout=None)
        view.add_item(ui.TextDisplay("Yours")).add_item(ui.File("attachment://mine.json"))
        files = [discord.File(io.BytesIO(b"{}"), "mine.json"), discord.File(io.BytesIO(b"x"), "hidden.txt")]
        await interaction.response.send_message(view=view, files=files, ephemeral=True)

    bot.answer = sends
    anna.types("/hip")
    content = (await anna.sees()).content

    assert [(file.name, file.data) for file in content.files] == [("mine.json", b"{}")]
    assert [file.name for file in content.attachments] == ["mine.json", "hidden.txt"]
    assert "hidden.txt" in content.words


# ---------------------------------------------------------------- messages that nobody asked for


async def test_the_bot_writes_in_a_conversation_that_is_open(api: DiscordApi, bot: Client, anna: Member) -> None:
    dm = api.dm(anna.user)

    channel = await bot.create_dm(discord.Object(7))
    sent = await channel.send(view=screen("How was your run?"), nonce="d-1")

    assert dm.last.id == sent.id
    assert dm.texts == ("How was your run?",)
    await sent.edit(view=screen("How is it now?"))
    assert dm.texts == ("How is it now?",)
    await sent.delete()
    assert dm.screen == ()
    assert [request.route for request in api.requests[3:]] == ["open_dm", "send", "edit", "delete"]


async def test_what_is_said_in_a_conversation_reaches_the_bot(api: DiscordApi, club: Club, bot: Client, anna: Member) -> None:
    dm = api.dm(anna.user)
    said = dm.says("hello")
    anna.says("not for the bot")
    dm.deletes(said)
    await api.until(lambda: "raw_message_delete" in bot.told)

    assert [message.content for message in bot.messages] == ["hello"]


async def test_the_newest_messages_can_be_read_without_their_nonces(api: DiscordApi, bot: Client, anna: Member) -> None:
    channel = bot.get_partial_messageable(api.dm(anna.user).channel.id)
    sent = [await channel.send(text, nonce=text) for text in ("one", "two", "three")]
    read = [message async for message in channel.history(limit=2)]

    assert [message.content for message in read] == ["three", "two"]
    assert [message.nonce for message in sent] == ["one", "two", "three"]
    assert [message.nonce for message in read] == [None, None]
    assert [m.content async for m in channel.history(before=sent[1])] == ["one"]
    assert [m.content async for m in channel.history(after=sent[0])] == ["two", "three"]
    assert (await channel.fetch_message(sent[0].id)).content == "one"


async def test_the_bot_is_seen_typing(api: DiscordApi, bot: Client, anna: Member) -> None:
    dm = api.dm(anna.user)
    channel = bot.get_partial_messageable(dm.channel.id)

    async with channel.typing():
        assert len(dm.channel.typing) == 1


async def test_a_message_of_others_is_blank_in_a_server(api: DiscordApi, club: Club, bot: Client, anna: Member) -> None:
    said = anna.says("my hip hurts")
    channel = bot.get_partial_messageable(club.channel.id)

    assert (await channel.fetch_message(said.id)).content == ""
    api.world.message_content = True
    assert (await channel.fetch_message(said.id)).content == "my hip hurts"


# ---------------------------------------------------------------- servers come and go


async def test_the_bot_is_told_of_servers_and_channels(api: DiscordApi, club: Club, bot: Client, anna: Member) -> None:
    other = api.guild("Swimmers", anna.user, bot=False)
    assert len(bot.guilds) == 1
    other.adds_bot()
    quiet = other.adds_channel("quiet", bot_may=Can.VIEW_CHANNEL)
    await api.until(lambda: "guild_channel_create" in bot.told)
    assert [guild.name for guild in bot.guilds] == ["Runners", "Swimmers"]
    other.deletes_channel(quiet)
    other.removes_bot()
    await api.until(lambda: "guild_remove" in bot.told)

    assert [guild.name for guild in bot.guilds] == ["Runners"]
    assert "hip" in api.commands.offered(anna.user, club.channel)
    assert api.commands.offered(anna.user, other.channel) == {}


async def test_a_server_that_is_out_is_not_one_that_has_removed_the_bot(api: DiscordApi, club: Club, bot: Client) -> None:
    club.is_out()
    await api.until(lambda: "guild_unavailable" in bot.told)

    assert "guild_remove" not in bot.told
