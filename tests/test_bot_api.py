"""The Bot API of the tests and the real python-telegram-bot agree: on who asks, what members do and what they see."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MenuButtonCommands,
    Message,
    Update,
)
from telegram.error import (
    BadRequest,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
)

from bot_api import (
    TOKEN,
    BotApi,
    Json,
    Member,
    Refusal,
)
from bot_api.library import ONE_BUTTON, asked, connected, unheard
from bot_api.text import Formatted, formatted

TESTS = Path(__file__).parent


def keyboard(*rows: list[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(rows)


# ---------------------------------------------------------------- who asks


async def test_the_bot_learns_who_it_is(bot: Bot) -> None:
    me = await bot.get_me()

    assert (me.username, me.is_bot, me.can_read_all_group_messages) == ("hipwise_bot", True, False)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawy", "Unauthorized"),  # well formed, and nobody's
        ("nonsense", "Not Found"),
    ],
)
async def test_another_token_is_refused(server: BotApi, token: str, says: str) -> None:
    async with connected(server, token) as stranger:
        with pytest.raises(InvalidToken, match=says):
            await stranger.get_me()


async def test_the_refusal_of_a_token_is_the_real_one(server: BotApi) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.base_url}123456789:{'x' * 35}/getMe") as response,
    ):
        assert response.status == 401
        assert await response.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}


async def test_a_token_can_be_revoked(server: BotApi, bot: Bot) -> None:
    server.token = "123456789:" + "B" * 35

    with pytest.raises(InvalidToken):
        await bot.get_me()


async def test_a_method_that_is_not_there_is_not_found(server: BotApi, bot: Bot) -> None:
    refused = {"ok": False, "error_code": 404, "description": "Not Found: method not found"}
    assert await asked(server, "sendHug", {"chat_id": 7}) == (404, refused)
    async with bot:
        with pytest.raises(EndPointNotFound):
            await bot.do_api_request("sendHug", {"chat_id": 7})


async def test_names_of_methods_are_not_case_sensitive_and_every_form_is_read(server: BotApi, anna: Member) -> None:
    at = f"{server.base_url}{TOKEN}"
    given = {"chat_id": "7", "text": "hi"}
    async with aiohttp.ClientSession() as session:
        for asked in (
            session.get(f"{at}/SENDMESSAGE", params=given),
            session.post(f"{at}/sendmessage", data=given),
            session.post(f"{at}/sendMessage", json={"chat_id": 7, "text": "hi"}),
        ):
            async with asked as response:
                assert (await response.json())["ok"]

    assert anna.texts == ("hi", "hi", "hi")


async def test_after_it_logs_out_the_bot_gets_nothing(bot: Bot) -> None:
    assert await bot.log_out()

    with pytest.raises(BadRequest, match="Logged out"):
        await bot.get_me()


# ---------------------------------------------------------------- what a member sees


async def test_a_message_is_seen_as_it_is_displayed(bot: Bot, anna: Member) -> None:
    sent = await bot.send_message(
        7, "<b>Hip &amp; groin</b>\n\n<i>Since when?</i> 🦵", parse_mode="HTML", reply_markup=ONE_BUTTON
    )

    assert anna.last.text == sent.text == "Hip & groin\n\nSince when? 🦵"
    assert anna.last.labels == ("Go on",)
    assert [(e.type, sent.parse_entity(e)) for e in sent.entities] == [("bold", "Hip & groin"), ("italic", "Since when?")]


def entity(kind: str, offset: int, length: int, **more: str) -> Json:
    return {"type": kind, "offset": offset, "length": length, **more}


LINK = {"url": "https://a.b/?c&d"}


@pytest.mark.parametrize(
    ("sent", "displayed", "entities"),
    [
        ("<b>a <i>b</i></b>", "a b", [entity("bold", 0, 3), entity("italic", 2, 1)]),
        ("<STRONG>a</strong>", "a", [entity("bold", 0, 1)]),
        ("<u>a</u><s>b</s>", "ab", [entity("underline", 0, 1), entity("strikethrough", 1, 1)]),
        ('<span class="tg-spoiler">a</span>', "a", [entity("spoiler", 0, 1)]),
        ("<blockquote expandable>a</blockquote>", "a", [entity("expandable_blockquote", 0, 1)]),
        ("<blockquote>a</blockquote>", "a", [entity("blockquote", 0, 1)]),
        ("<pre>/hip</pre>", "/hip", [entity("pre", 0, 4)]),  # nothing else is found in code
        ('🦵 <a href="https://a.b/?c&amp;d">leg</a>', "🦵 leg", [entity("text_link", 3, 3, **LINK)]),
        ("🦵 <a>https://a.b</a>", "🦵 https://a.b", [entity("text_link", 3, 11, url="https://a.b")]),
        ('<a href="nowhere">a</a>', "a", []),
        ("<b></b>a<i> </i>", "a", []),  # what is empty, also once its spaces are gone, marks nothing
        ("  <b> a </b>  ", "a", [entity("bold", 0, 1)]),
        ("a &lt;b&gt; &#38; &#x26; &quot;", 'a <b> & & "', []),
        ("a&nbsp;b &copy; &", "a&nbsp;b &copy; &", []),  # read by no client
        ("🦵 /hip @hipwise_bot https://a.b", "🦵 /hip @hipwise_bot https://a.b", None),
    ],
)
def test_markup_is_displayed_as_it_is(sent: str, displayed: str, entities: list[Json] | None) -> None:
    found = [entity("bot_command", 3, 4), entity("mention", 8, 12), entity("url", 21, 11)]

    assert formatted(sent, "HTML") == Formatted(displayed, tuple(found if entities is None else entities))


@pytest.mark.parametrize("tag", ['<span class="big">', "<span>"])
def test_a_span_is_a_spoiler_or_refused(tag: str) -> None:
    with pytest.raises(Refusal, match='Tag "span" must have class "tg-spoiler" at byte offset 0'):
        formatted(f"{tag}x</span>", "HTML")


async def test_an_edit_changes_what_is_seen_and_what_was_seen_is_kept(server: BotApi, bot: Bot, anna: Member) -> None:
    sent = await bot.send_message(7, "First", reply_markup=ONE_BUTTON)
    edited = await bot.edit_message_text("Second", 7, sent.message_id)

    assert isinstance(edited, Message)
    assert edited.reply_markup is None
    assert anna.texts == ("Second",)
    assert anna.last.labels == ()
    assert [content.text for content in anna.chat.ever(server.bot)] == ["First", "Second"]


async def test_buttons_alone_can_be_changed(bot: Bot, anna: Member) -> None:
    sent = await bot.send_message(7, "A question", reply_markup=ONE_BUTTON)

    await bot.edit_message_reply_markup(7, sent.message_id, reply_markup=None)

    assert (anna.last.text, anna.last.labels) == ("A question", ())


async def test_a_deleted_message_is_gone(bot: Bot, anna: Member) -> None:
    sent = await bot.send_message(7, "Gone soon")

    assert await bot.delete_message(7, sent.message_id)

    assert anna.texts == ()


async def test_all_that_happens_is_seen_once_and_in_order(server: BotApi, bot: Bot, anna: Member) -> None:
    sent = await bot.send_message(7, "First", reply_markup=ONE_BUTTON)
    await bot.edit_message_text("Second", 7, sent.message_id)
    anna.says("what?")
    await bot.delete_message(7, sent.message_id)

    seen = [await anna.sees() for _ in range(3)]

    assert [(e.what, e.content.text) for e in seen] == [("new", "First"), ("edited", "Second"), ("deleted", "Second")]
    with pytest.raises(AssertionError, match="anything new from the bot"):
        await anna.sees(within=0.01)


async def test_what_replaces_the_members_own_keyboard_is_seen_and_cannot_be_edited(bot: Bot, anna: Member) -> None:
    sent = await bot.send_message(7, "Say more", reply_markup=ForceReply())

    assert anna.last.content.other_keyboard == {"force_reply": True}
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", 7, sent.message_id)
    with pytest.raises(BadRequest, match="Inline keyboard expected"):
        await bot.edit_message_text("x", 7, sent.message_id, reply_markup=ForceReply())  # type: ignore[arg-type]


async def test_a_file_arrives_whole(bot: Bot, anna: Member) -> None:
    data = bytes(range(256)) * 300
    sent = await bot.send_document(
        7, data, caption="<b>Yours</b>", parse_mode="HTML", filename="hip.json", reply_markup=ONE_BUTTON
    )

    document = anna.last.document
    assert document is not None
    assert (document.name, document.data) == ("hip.json", data)
    assert (anna.last.text, anna.last.labels) == ("Yours", ("Go on",))
    assert sent.document is not None
    again = await bot.send_document(7, sent.document.file_id)
    assert again.document is not None
    assert again.document.file_name == "hip.json"


async def test_a_file_that_a_member_sends_can_be_fetched(server: BotApi, bot: Bot, anna: Member) -> None:
    sent = anna.sends("runs.ics", b"BEGIN:VCALENDAR", "text/calendar").document
    assert sent is not None
    file = await bot.get_file(sent.id)

    assert file.file_size == 15
    assert bytes(await file.download_as_bytearray()) == b"BEGIN:VCALENDAR"
    assert [(call.method, call.code) for call in server.calls()[-2:]] == [("getfile", 200), ("file", 200)]


async def test_a_file_is_handed_out_to_the_bot_alone(server: BotApi, anna: Member) -> None:
    anna.sends("runs.ics", b"BEGIN:VCALENDAR", "text/calendar")
    places = (f"bot{TOKEN}/documents/file1.ics", f"bot{TOKEN}/documents/file2.ics", "bot1:A/documents/file1.ics")
    async with aiohttp.ClientSession() as session:
        codes = [(await session.get(f"{server.url}/file/{place}")).status for place in places]

    assert codes == [200, 404, 404]


async def test_what_someone_is_in_a_group_is_told(server: BotApi, bot: Bot) -> None:
    group, user = server.group("Runners"), server.user(7, "Anna")

    async def status() -> str:
        return (await bot.get_chat_member(group.id, 7)).status

    assert await status() == "left"
    group.member(user)
    assert await status() == "member"
    group.admin(user)
    assert await status() == "administrator"
    for becomes in ("creator", "restricted"):
        group.becomes(user, becomes)
        assert await status() == becomes
    group.demotes(user)
    assert await status() == "member"
    group.becomes(user, "kicked")
    assert await status() == "kicked"


async def test_who_is_in_a_group_is_told_to_those_who_may_know(server: BotApi, bot: Bot) -> None:
    group = server.group("Runners", user := server.user(7, "Anna"))
    group.chat.hides_members = True
    with pytest.raises(BadRequest, match="Chat_admin_required"):
        await bot.get_chat_member(group.id, 7)

    group.chat.bot = "administrator"
    assert (await bot.get_chat_member(group.id, 7)).status == "member"

    group.removes_bot(user)
    with pytest.raises(Forbidden, match="bot was kicked from the group chat"):
        await bot.get_chat_member(group.id, 7)


async def test_typing_is_seen(bot: Bot, anna: Member) -> None:
    await bot.send_chat_action(7, "typing")

    assert anna.chat.actions == ["typing"]


@pytest.mark.parametrize(("off", "seen"), [(True, False), (False, True)])
async def test_whether_a_link_shows_a_preview_is_seen(bot: Bot, anna: Member, *, off: bool, seen: bool) -> None:
    await bot.send_message(7, "See https://example.org", link_preview_options=LinkPreviewOptions(is_disabled=off))

    assert anna.last.content.preview is seen


async def test_a_reply_names_the_message_it_answers(bot: Bot, anna: Member) -> None:
    theirs = anna.says("Does it matter?")
    sent = await bot.send_message(7, "Yes", reply_to_message_id=theirs.id)

    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "Does it matter?"


# ---------------------------------------------------------------- what members do


async def only(bot: Bot) -> Update:
    """Return the one update that waits, and confirm it."""
    [update] = await bot.get_updates()
    await bot.get_updates(offset=update.update_id + 1)
    return update


async def test_a_command_is_marked_as_one(bot: Bot, anna: Member) -> None:
    anna.says("🦵 /hip@hipwise_bot now")

    message = (await only(bot)).message
    assert message is not None
    assert [message.parse_entity(entity) for entity in message.entities] == ["/hip@hipwise_bot"]


async def test_a_tap_brings_what_stands_there(bot: Bot, anna: Member) -> None:
    await bot.send_message(7, "old", reply_markup=keyboard([InlineKeyboardButton("Go on", callback_data="old")]))
    await bot.send_message(7, "new", reply_markup=keyboard([InlineKeyboardButton("Go on", callback_data="new")]))

    anna.taps("go")
    newest = (await only(bot)).callback_query
    anna.taps("Go on", anna.heard[0])
    older = (await only(bot)).callback_query

    assert newest is not None
    assert older is not None
    assert newest.from_user.id == 7
    assert isinstance(newest.message, Message)
    assert (newest.data, newest.message.text) == ("new", "new")
    assert older.data == "old"


async def test_two_taps_in_one_millisecond_are_two(bot: Bot, anna: Member) -> None:
    await bot.send_message(7, "x", reply_markup=ONE_BUTTON)
    first, second = anna.taps("Go on"), anna.taps("Go on")

    queries = [update.callback_query for update in await bot.get_updates()]

    assert [query and query.id for query in queries] == [first.id, second.id]
    assert first.id != second.id
    assert first.at == second.at


@pytest.mark.parametrize("same_id", [True, False])
async def test_a_tap_can_come_again_under_another_update(bot: Bot, anna: Member, *, same_id: bool) -> None:
    await bot.send_message(7, "x", reply_markup=ONE_BUTTON)
    first = anna.taps("Go on")
    second = anna.taps_again(first, same_id=same_id)

    updates = await bot.get_updates()

    assert [update.update_id for update in updates] == [first.update_id, second.update_id]
    assert (first.id == second.id) is same_id


async def test_a_tap_on_a_deleted_message_shows_only_where_it_was(bot: Bot, anna: Member) -> None:
    await bot.send_message(7, "x", reply_markup=ONE_BUTTON)
    message = anna.last
    anna.deletes(message)
    anna.taps("Go on", message)

    query = (await only(bot)).callback_query
    assert query is not None
    assert query.message is not None
    assert not query.message.is_accessible


async def test_a_button_that_is_not_there_cannot_be_tapped(bot: Bot, anna: Member) -> None:
    await bot.send_message(7, "x", reply_markup=ONE_BUTTON)

    with pytest.raises(AssertionError, match="no button 'Stop' among"):
        anna.taps("Stop")
    assert anna.forges(anna.last, "\x00").data == "\x00"


async def test_a_deep_link_opens_the_private_chat(server: BotApi, bot: Bot) -> None:
    ben = server.user(8, "Ben")
    group = server.group("Runners", ben)
    link = "https://t.me/hipwise_bot?start=abc-1_2"
    await bot.send_message(group.id, "In private:", reply_markup=keyboard([InlineKeyboardButton("Open", url=link)]))

    there = group.member(ben)
    there.opens(there.button("Open"))

    message = (await only(bot)).message
    assert message is not None
    assert (message.text, message.chat.type) == ("/start abc-1_2", "private")
    await bot.send_message(8, "Hello")


async def test_forwards_edits_and_replies_are_told(bot: Bot, anna: Member) -> None:
    await bot.send_message(7, "A result", reply_markup=ONE_BUTTON)
    anna.forwards(anna.last)
    forwarded = (await only(bot)).message
    mine = anna.says("groin")
    await only(bot)
    anna.edits(mine, "buttock")
    edited = (await only(bot)).edited_message
    anna.says("why?", reply_to=anna.last)
    reply = (await only(bot)).message

    assert forwarded is not None
    assert forwarded.forward_origin is not None
    assert forwarded.reply_markup is None
    assert edited is not None
    assert edited.text == "buttock"
    assert reply is not None
    assert reply.reply_to_message is not None
    assert reply.reply_to_message.text == "A result"


async def test_blocking_is_told(bot: Bot, anna: Member) -> None:
    anna.blocks()
    blocked = (await only(bot)).my_chat_member
    anna.unblocks()
    back = (await only(bot)).my_chat_member

    assert blocked is not None
    assert (blocked.old_chat_member.status, blocked.new_chat_member.status) == ("member", "kicked")
    assert back is not None
    assert back.new_chat_member.status == "member"


async def test_an_anonymous_admin_writes_as_the_group(server: BotApi, bot: Bot) -> None:
    group = server.group("Runners", supergroup=True)
    group.anonymous(server.user(9, "Cleo")).says("/hip")

    message = (await only(bot)).message
    assert message is not None
    assert message.from_user is not None
    assert (message.from_user.username, message.sender_chat and message.sender_chat.id) == ("GroupAnonymousBot", group.id)


async def test_a_channel_post_has_no_sender(server: BotApi, bot: Bot) -> None:
    channel = server.channel("News")
    post = channel.posts("/hip")
    channel.edits(post, "/hip now")

    updates = await bot.get_updates()

    assert post.text == "/hip now"
    assert [(u.channel_post or u.edited_channel_post) is not None for u in updates] == [True, True]
    assert updates[0].effective_user is None


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("/hip", True),
        ("/hip@hipwise_bot", True),
        ("/hip@another_bot", False),
        ("my hip hurts", False),
        ("@hipwise_bot hello", True),
        ("mail me@hipwise_bot", False),
    ],
)
async def test_in_a_group_privacy_mode_lets_only_through_what_is_meant_for_the_bot(
    text: str, heard: bool, server: BotApi, bot: Bot
) -> None:
    ben = server.user(8, "Ben")
    member = server.group("Runners", ben).member(ben)
    member.says(text)
    assert bool(await bot.get_updates()) is heard

    server.world.privacy_mode = False
    member.says(text)
    assert len(await bot.get_updates()) == heard + 1


async def test_a_reply_to_the_bot_passes_privacy_mode(server: BotApi, bot: Bot) -> None:
    ben = server.user(8, "Ben")
    member = server.group("Runners", ben).member(ben)
    await bot.send_message(member.chat.id, "x")
    member.says("what?", reply_to=member.last)

    assert len(await bot.get_updates()) == 1


async def test_the_bot_is_told_that_it_was_brought_in(server: BotApi, bot: Bot) -> None:
    ben = server.user(8, "Ben")
    group = server.group("Runners", ben, bot="left")
    with pytest.raises(Forbidden, match="bot is not a member of the group chat"):
        await bot.send_message(group.id, "x")

    group.adds_bot(ben, as_admin=True)

    [status, joined] = await bot.get_updates()
    assert status.my_chat_member is not None
    assert status.my_chat_member.new_chat_member.status == "administrator"
    assert joined.message is not None
    assert [user.id for user in joined.message.new_chat_members] == [server.bot.id]


async def test_supergroups_count_their_messages_themselves(server: BotApi, bot: Bot, anna: Member) -> None:
    group = server.group("Runners", supergroup=True)

    there = await bot.send_message(group.id, "x")
    await bot.send_message(7, "y")

    assert there.message_id == 1
    assert [content.text for content in server.said_in_groups()] == ["x"]


# ---------------------------------------------------------------- profile


async def test_commands_are_kept_per_scope_and_language(server: BotApi, bot: Bot, anna: Member) -> None:
    german = server.private(server.user(8, "Ben", language="de"))
    group = server.group("Runners", german.user)
    admin = group.anonymous(server.user(9, "Cleo"))
    await bot.set_my_commands([BotCommand("hip", "Check"), BotCommand("faq", "Ask")], BotCommandScopeAllPrivateChats())
    await bot.set_my_commands([BotCommand("hip", "Prüfen")], BotCommandScopeAllPrivateChats(), language_code="de")
    await bot.set_my_commands([BotCommand("about", "About")], BotCommandScopeAllGroupChats())
    await bot.set_my_commands([BotCommand("stop", "Stop")], BotCommandScopeChat(7))
    await bot.set_my_commands([BotCommand("status", "Status")], BotCommandScopeAllChatAdministrators())

    assert [c.command for c in await bot.get_my_commands(BotCommandScopeAllPrivateChats())] == ["hip", "faq"]
    assert await bot.get_my_commands() == ()
    assert server.profile.menu(anna.chat, anna.user) == ("stop",)
    assert server.profile.menu(german.chat, german.user) == ("hip",)
    assert server.profile.menu(group.chat, german.user) == ("about",)
    assert server.profile.menu(group.chat, admin.user) == ("status",)
    await bot.delete_my_commands(BotCommandScopeChat(7))
    assert server.profile.menu(anna.chat, anna.user) == ("hip", "faq")


async def test_descriptions_and_the_menu_button_are_kept(bot: Bot, anna: Member) -> None:
    await bot.set_my_description("A hip check")
    await bot.set_my_description("Hüfte", language_code="de")
    await bot.set_my_short_description("Hips")
    await bot.set_chat_menu_button(menu_button=MenuButtonCommands())

    assert (await bot.get_my_description()).description == "A hip check"
    assert (await bot.get_my_description("de")).description == "Hüfte"
    assert (await bot.get_my_short_description()).short_description == "Hips"
    assert (await bot.get_chat_menu_button(7)).type == "commands"


# ---------------------------------------------------------------- in a process of its own


async def test_the_server_runs_in_a_process_of_its_own() -> None:
    env = {**os.environ, "PYTHONPATH": str(TESTS)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot_api", env=env, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()

    async with aiohttp.ClientSession(url) as session, Bot(TOKEN, base_url=f"{url}/bot") as bot:

        async def control(verb: str, **asked: Any) -> Any:
            async with session.post(f"/control/{verb}", json=asked) as response:
                return await response.json()

        await control("user", id=7, name="Anna")
        await control("says", user=7, text="/hip")
        assert (await control("waiting"))["updates"] == 1
        await bot.send_message(7, "Where?", reply_markup=ONE_BUTTON)
        shown = [(m["bot"], m["text"], m["labels"]) for m in await control("shown", chat=7)]
        assert shown == [(False, "/hip", []), (True, "Where?", ["Go on"])]
        tap = await control("taps", user=7, label="Go on")
        assert await bot.answer_callback_query(tap["id"])
        await control("fault", method="sendMessage", kind="answers", code=502)
        with pytest.raises(NetworkError), unheard("telegram.request.BaseRequest"):
            await bot.send_message(7, "lost")
        assert [r["code"] for r in await control("calls", method="sendMessage")] == [200, 502]
        assert "no button" in (await control("taps", user=7, label="Stop"))["error"]
        group = await control("group", title="Runners", members=[7])
        assert (await control("migrates", chat=group["id"]))["id"] < group["id"]
        await control("blocks", user=7)
        with pytest.raises(Forbidden):
            await bot.send_message(7, "x")
        assert (await control("inject", hug={}))["id"] > 0
    process.send_signal(signal.SIGTERM)

    assert await asyncio.wait_for(process.wait(), 5) == 0
