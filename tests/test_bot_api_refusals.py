"""The Bot API of the tests and the real python-telegram-bot agree: on what is refused, held back, and goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot_api import (
    ONE_CHAT,
    ONE_GROUP,
    TOKEN,
    BotApi,
    CutOff,
    Drip,
    Fault,
    Json,
    Limit,
    Limits,
    Member,
    Pace,
    Reset,
    Silence,
    Slow,
    answers,
    holds,
    utf16,
)
from bot_api.library import ONE_BUTTON, asked, connected, unheard
from chat import Clock

Call = Callable[[Bot], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _waits_are_timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the library tell waits as it will in its next major version; the old way is a warning, and so an error."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


def keyboard(*rows: list[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(rows)


# ---------------------------------------------------------------- refusals


def sends(text: str, **more: Any) -> Call:
    return lambda bot: bot.send_message(7, text, **more)


REFUSALS: dict[str, tuple[Call, str]] = {
    "too long": (sends("x" * 4097), "Message is too long"),
    "too long in UTF-16": (sends("🦵" * 2049), "Message is too long"),
    "too long raw": (sends("x" * 40_000), "Text is too long"),
    "empty": (sends(""), "Message text is empty"),
    "only spaces": (sends(" \n "), "Text must be non-empty"),
    "only markup": (sends("<b></b>", parse_mode="HTML"), "Text must be non-empty"),
    "unclosed tag": (
        sends("<b>hip", parse_mode="HTML"),
        "Can't parse entities: can't find end tag corresponding to start tag \"b\"",
    ),
    "unclosed start": (sends("é <b", parse_mode="HTML"), "Can't parse entities: unclosed start tag at byte offset 3"),
    "unknown tag": (
        sends("<p>hip</p>", parse_mode="HTML"),
        'Can\'t parse entities: unsupported start tag "p" at byte offset 0',
    ),
    "a bare sign": (sends("3 < 5", parse_mode="HTML"), 'Can\'t parse entities: unsupported start tag "" at byte offset 2'),
    "crossed tags": (
        sends("<b><i>x</b></i>", parse_mode="HTML"),
        'Can\'t parse entities: unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
    ),
    "end without start": (sends("x</b>", parse_mode="HTML"), "Can't parse entities: unexpected end tag at byte offset 1"),
    "64 bytes": (sends("x", reply_markup=keyboard([InlineKeyboardButton("x", callback_data="é" * 33)])), "Button_data_invalid"),
    "no action": (
        sends("x", reply_markup=keyboard([InlineKeyboardButton("x")])),
        "Can't parse inlinekeyboardbutton: text buttons are not allowed in the inline keyboard",
    ),
    "no label": (
        sends("x", reply_markup=keyboard([InlineKeyboardButton(" ", callback_data="x")])),
        "Inline keyboard button text",
    ),
    "bad link": (sends("x", reply_markup=keyboard([InlineKeyboardButton("x", url="nowhere")])), "Inline keyboard button URL"),
    "101 buttons": (
        sends("x", reply_markup=keyboard(*([InlineKeyboardButton("x", callback_data="x")] for _ in range(101)))),
        "Reply markup is too long",
    ),
    "markup is no JSON": (sends("x", api_kwargs={"reply_markup": "{"}), "Can't parse reply keyboard markup JSON object"),
    "markup is a list": (sends("x", api_kwargs={"reply_markup": "[]"}), "Object expected as reply markup"),
    "keyboard is a list": (
        sends("x", api_kwargs={"reply_markup": '{"inline_keyboard": [{}]}'}),
        'Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
    ),
    "unknown chat": (lambda bot: bot.send_message(99, "x"), "Chat not found"),
    "no chat": (lambda bot: bot.send_message("", "x"), "Chat_id is empty"),
    "unknown reply": (sends("x", reply_to_message_id=999), "Message to be replied not found"),
    "edit of nothing": (lambda bot: bot.edit_message_text("x", 7, 999), "Message to edit not found"),
    "edit of another's": (lambda bot: bot.edit_message_text("x", 7, 1), "Message can't be edited"),
    "deletion of nothing": (lambda bot: bot.delete_message(7, 999), "Message to delete not found"),
    "unknown tap": (
        lambda bot: bot.answer_callback_query("1"),
        "Query is too old and response timeout expired or query id is invalid",
    ),
    "empty file": (lambda bot: bot.send_document(7, b""), "File must be non-empty"),
    "unknown file": (lambda bot: bot.send_document(7, "file99"), "Wrong file identifier/http url specified"),
    "file of nothing": (lambda bot: bot.get_file("file99"), "Invalid file_id"),
    "member of nothing": (lambda bot: bot.get_chat_member(99, 7), "Chat not found"),
    "member without an id": (lambda bot: bot.get_chat_member(7, -7), "Invalid user_id specified"),
    "unknown member": (lambda bot: bot.get_chat_member(7, 99), "User not found"),
    "long caption": (lambda bot: bot.send_document(7, b"x", caption="x" * 1025), "Message caption is too long"),
    "unknown action": (lambda bot: bot.send_chat_action(7, "sleeping"), "Wrong parameter action in request"),
    "bad command": (lambda bot: bot.set_my_commands([("Hip", "x")]), "Bot_command_invalid"),
    "bad language": (lambda bot: bot.set_my_commands([("hip", "x")], language_code="english"), "Lang_code_invalid"),
    "plain webhook": (
        lambda bot: bot.set_webhook("http://example.org/"),
        "Bad webhook: An HTTPS URL must be provided for webhook",
    ),
    "bad secret": (
        lambda bot: bot.set_webhook("https://127.0.0.1/", secret_token="ö"),
        "Secret token contains unallowed characters",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_wrong_is_refused_in_the_real_words(name: str, bot: Bot, anna: Member) -> None:
    call, says = REFUSALS[name]

    with pytest.raises(BadRequest) as refused:
        await call(bot)

    assert says.casefold() in str(refused.value).casefold()
    assert anna.texts == ()


def under(*buttons: Any) -> Json:
    return {"chat_id": 7, "text": "x", "reply_markup": {"inline_keyboard": [list(buttons)]}}


NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
RAW_REFUSALS: list[tuple[str, Json, str]] = [
    ("sendMessage", {"chat_id": 7, "text": "x" * 4097}, "message is too long"),
    (
        "sendMessage",
        {"chat_id": 7, "text": "<b>x", "parse_mode": "HTML"},
        "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
    ),
    ("sendMessage", {"chat_id": 7, "text": "x", "parse_mode": "Wiki"}, "unsupported parse_mode"),
    ("sendMessage", {"chat_id": 7, "text": "x", "reply_parameters": 5}, "object expected as reply parameters"),
    (
        "sendMessage",
        {"chat_id": 7, "text": "x", "reply_markup": {"inline_keyboard": {}}},
        'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array',
    ),
    (
        "sendMessage",
        {"chat_id": 7, "text": "x", "reply_markup": {"force_reply": "yes"}},
        'field "force_reply" of the ForceReply must be of the type Boolean',
    ),
    ("sendMessage", under(5), "can't parse InlineKeyboardButton: InlineKeyboardButton must be an Object"),
    ("sendMessage", under({"url": "https://a.b"}), "can't parse InlineKeyboardButton: Can't find field \"text\""),
    ("sendMessage", under({"text": "x", "url": None}), 'can\'t parse InlineKeyboardButton: Field "url" must be of type String'),
    (
        "sendMessage",
        under({"text": "x", "callback_data": ""}),
        "can't parse InlineKeyboardButton: Text buttons are not allowed in the inline keyboard",
    ),
    ("sendMessage", under({"text": "x", "callback_data": "x" * 65}), "BUTTON_DATA_INVALID"),
    ("sendDocument", {"chat_id": 7}, "there is no document in the request"),
    ("sendDocument", under({"text": "x", "callback_data": "x" * 65}) | {"document": "file1"}, "BUTTON_DATA_INVALID"),
    ("editMessageText", {"chat_id": 7, "text": "x"}, "message identifier is not specified"),
    ("editMessageText", {"chat_id": 7, "message_id": 3, "text": "x"}, "there is no text in the message to edit"),
    ("editMessageText", under({"text": "x", "callback_data": "x" * 65}) | {"message_id": 2}, "BUTTON_DATA_INVALID"),
    (
        "editMessageText",
        {"chat_id": 7, "message_id": 2, "text": "A text"},
        NOT_MODIFIED,
    ),
    ("answerCallbackQuery", {"callback_query_id": "the tap", "text": "x" * 201}, "MESSAGE_TOO_LONG"),
    ("setMyCommands", {"commands": {}}, "expected an Array of BotCommand"),
    ("setMyCommands", {"commands": [5]}, "expected an Object as BotCommand"),
    ("setMyCommands", {"commands": [{"command": "hip", "description": ""}]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
    ("setMyCommands", {"commands": [{"command": f"c{n}", "description": "x"} for n in range(101)]}, "BOT_COMMANDS_TOO_MUCH"),
    ("setMyCommands", {"commands": [], "scope": {"type": "world"}}, "can't parse BotCommandScope: Unsupported type specified"),
    ("setMyCommands", {"commands": [], "scope": {"type": "chat", "chat_id": 99}}, "chat not found"),
    ("setMyDescription", {"description": "x" * 513}, "description is too long"),
    ("setMyShortDescription", {"short_description": "x" * 121}, "short description is too long"),
    ("setChatMenuButton", {"menu_button": {"type": "doorbell"}}, "MenuButton has unsupported type"),
    ("setWebhook", {"url": "gopher://127.0.0.1"}, "invalid webhook URL specified"),
    ("setWebhook", {"url": "https://"}, "invalid webhook URL specified"),
    ("setWebhook", {"url": "https://127.0.0.1", "secret_token": "x" * 257}, "secret token is too long"),
]


@pytest.mark.parametrize("case", RAW_REFUSALS, ids=[f"{method} {says[:40]}" for method, _, says in RAW_REFUSALS])
async def test_the_body_of_a_refusal_is_the_real_one(
    case: tuple[str, Json, str], server: BotApi, bot: Bot, anna: Member
) -> None:
    method, params, says = case
    await bot.send_message(7, "A text")
    await bot.send_document(7, b"x")
    server.world.tap(anna.user, anna.last, "x", "the tap")

    refused = await asked(server, method, params)

    assert refused == (400, {"ok": False, "error_code": 400, "description": f"Bad Request: {says}"})
    assert len(anna.heard) == 2


async def test_a_file_can_be_too_large(bot: Bot, anna: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot_api.server.LARGEST_FILE", 10)
    await bot.send_document(7, b"x" * 10)

    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_document(7, b"x" * 11)


async def test_a_body_that_is_no_object_is_refused(server: BotApi) -> None:
    at = f"{server.base_url}{TOKEN}/sendMessage"
    async with aiohttp.ClientSession() as session:
        for data in ("[]", "{"):
            async with session.post(at, data=data, headers={"Content-Type": "application/json"}) as response:
                assert response.status == 400
        async with session.get(server.url) as response:
            assert (await response.json())["error_code"] == 404


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("sendChatAction", {"chat_id": 7, "action": "typing"}),
        ("setMyCommands", {"commands": [{"command": f"c{n}", "description": "x"} for n in range(100)]}),
        ("deleteMyCommands", {}),
        ("setMyDescription", {"description": "x" * 512}),
        ("setMyShortDescription", {"short_description": "x" * 120}),
        ("setChatMenuButton", {}),
        ("answerCallbackQuery", {"callback_query_id": "the tap", "text": "x" * 200}),
        ("setWebhook", {"url": "https://127.0.0.1", "secret_token": "x" * 256}),
        ("setWebhook", {"url": ""}),
        ("deleteWebhook", {}),
        ("close", {}),
    ],
)
async def test_what_says_only_that_it_was_done_says_so(method: str, params: Json, server: BotApi, anna: Member) -> None:
    server.world.tap(anna.user, anna.shown[0], "x", "the tap")

    assert await asked(server, method, params) == (200, {"ok": True, "result": True})


async def test_a_hundred_buttons_and_a_keyboard_of_the_members_own_are_sent(bot: Bot, anna: Member) -> None:
    button = InlineKeyboardButton("x", callback_data="x")
    await bot.send_message(7, "many", reply_markup=keyboard(*([button] * 10 for _ in range(10))))
    await bot.send_message(7, "own", reply_markup=ReplyKeyboardMarkup([["Yes", "No"]]))
    await bot.send_message(7, "gone", reply_markup=ReplyKeyboardRemove())

    assert [len(message.labels) for message in anna.heard] == [100, 0, 0]
    assert [message.content.other_keyboard is not None for message in anna.heard] == [False, True, True]


@pytest.mark.parametrize(("bot_is", "can"), [("member", False), ("administrator", True)])
async def test_in_a_group_only_an_admin_deletes_what_others_wrote(bot_is: str, *, can: bool, server: BotApi, bot: Bot) -> None:
    ben = server.user(8, "Ben")
    member = server.group("Runners", ben, bot=bot_is).member(ben)
    theirs = member.says("/hip")
    own = await bot.send_message(member.chat.id, "x")

    assert await bot.delete_message(member.chat.id, own.message_id)
    if can:
        assert await bot.delete_message(member.chat.id, theirs.id)
    else:
        with pytest.raises(BadRequest, match="Message can't be deleted"):
            await bot.delete_message(member.chat.id, theirs.id)


async def test_in_a_private_chat_the_bot_deletes_what_the_member_wrote(bot: Bot, anna: Member) -> None:
    theirs = anna.says("my hip hurts")

    assert await bot.delete_message(7, theirs.id)
    assert theirs.deleted


@pytest.mark.parametrize(
    "text",
    ["x" * 4096, "🦵" * 2048, "<b>" + "x" * 4096 + "</b>", "&lt;" * 4096],
    ids=["letters", "pairs", "markup is not counted", "references count as one"],
)
async def test_what_just_fits_is_sent(text: str, bot: Bot, anna: Member) -> None:
    await bot.send_message(7, text, parse_mode="HTML")

    assert utf16(anna.last.text) == 4096


async def test_callback_data_of_64_bytes_is_sent(bot: Bot, anna: Member) -> None:
    await bot.send_message(7, "x", reply_markup=keyboard([InlineKeyboardButton("x", callback_data="é" * 32)]))

    assert anna.last.content.buttons[0].data == "é" * 32


@pytest.mark.parametrize("text", ["First", "<b>First</b>", " First "])
async def test_an_edit_that_changes_nothing_is_refused(text: str, bot: Bot, anna: Member) -> None:
    sent = await bot.send_message(7, text, parse_mode="HTML", reply_markup=ONE_BUTTON)

    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text(text, 7, sent.message_id, parse_mode="HTML", reply_markup=ONE_BUTTON)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_reply_markup(7, sent.message_id, reply_markup=ONE_BUTTON)


async def test_what_was_deleted_cannot_be_edited_or_deleted(bot: Bot, anna: Member) -> None:
    sent = await bot.send_message(7, "x")
    anna.deletes(anna.last)

    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("y", 7, sent.message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(7, sent.message_id)


async def test_what_is_older_than_two_days_cannot_be_deleted(bot: Bot, anna: Member, clock: Clock) -> None:
    sent = await bot.send_message(7, "x")
    clock.moves(hours=49)

    with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
        await bot.delete_message(7, sent.message_id)


async def test_a_tap_is_answered_once(bot: Bot, anna: Member) -> None:
    await bot.send_message(7, "x", reply_markup=ONE_BUTTON)
    tap = anna.taps("Go on")

    assert await bot.answer_callback_query(tap.id, "Noted", show_alert=True)

    assert tap.answer is not None
    assert (tap.answer.text, tap.answer.alert) == ("Noted", True)
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(tap.id)


async def test_a_tap_is_answered_in_time(bot: Bot, anna: Member, clock: Clock) -> None:
    await bot.send_message(7, "x", reply_markup=ONE_BUTTON)
    tap = anna.taps("Go on")
    clock.moves(seconds=16)

    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(tap.id)


@pytest.mark.parametrize(
    "call",
    [
        lambda bot, sent: bot.send_message(7, "x"),
        lambda bot, sent: bot.send_document(7, b"x"),
        lambda bot, sent: bot.send_chat_action(7, "typing"),
        lambda bot, sent: bot.edit_message_text("y", 7, sent.message_id),
    ],
    ids=["message", "document", "action", "edit"],
)
async def test_who_blocked_the_bot_hears_nothing(
    call: Callable[[Bot, Message], Awaitable[Any]], bot: Bot, anna: Member
) -> None:
    sent = await bot.send_message(7, "x")
    anna.blocks()

    with pytest.raises(Forbidden, match="Forbidden: bot was blocked by the user"):
        await call(bot, sent)
    anna.unblocks()
    await call(bot, sent)


async def test_who_never_wrote_hears_nothing(server: BotApi, bot: Bot) -> None:
    ben = server.user(8, "Ben")

    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(8, "x")
    server.private(ben)
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(8, "x")


async def test_a_group_that_became_a_supergroup_says_where_it_went(server: BotApi, bot: Bot) -> None:
    ben = server.user(8, "Ben")
    group = server.group("Runners", ben)
    group.member(ben).says("/hip")
    moved = group.migrates()

    with pytest.raises(ChatMigrated) as refused:
        await bot.send_message(group.id, "x")

    assert refused.value.new_chat_id == moved.id
    await bot.send_message(moved.id, "x")
    assert moved.member(ben).texts == ("x",)
    said = [update.message for update in await bot.get_updates()]
    assert [m and (m.migrate_to_chat_id, m.migrate_from_chat_id) for m in said] == [
        (None, None),
        (moved.id, None),
        (None, group.id),
    ]


async def test_a_group_that_threw_the_bot_out_hears_nothing(server: BotApi, bot: Bot) -> None:
    ben = server.user(8, "Ben")
    group = server.group("Runners", ben, supergroup=True)
    group.removes_bot(ben)

    with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
        await bot.send_message(group.id, "x")


# ---------------------------------------------------------------- limits and faults


async def test_only_what_is_too_much_is_refused_and_only_for_a_while(
    server: BotApi, bot: Bot, anna: Member, clock: Clock
) -> None:
    server.limits = Limits(overall=Limit(most=3))
    for n in range(3):
        await bot.send_message(7, str(n))

    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(7, "too much")
    assert refused.value.retry_after == timedelta(seconds=1)
    await bot.edit_message_text("edits are not counted", 7, anna.last.id)
    clock.moves(seconds=1)
    await bot.send_message(7, "3")
    assert server.limits.refused == 1


async def test_a_lockout_refuses_every_method(server: BotApi, bot: Bot, anna: Member, clock: Clock) -> None:
    server.limits = Limits(overall=Limit(most=1), lockout=5)
    await bot.send_message(7, "x")
    with pytest.raises(RetryAfter):
        await bot.send_message(7, "too much")
    clock.moves(seconds=2)

    with pytest.raises(RetryAfter) as refused:
        await bot.get_me()

    assert refused.value.retry_after == timedelta(seconds=3)
    clock.moves(seconds=3)
    await bot.get_me()


async def test_one_chat_and_one_group_have_limits_of_their_own(server: BotApi, bot: Bot, anna: Member, clock: Clock) -> None:
    server.limits = Limits(chat=ONE_CHAT, group=ONE_GROUP)
    group = server.group("Runners")
    await bot.send_message(7, "x")
    with pytest.raises(RetryAfter):
        await bot.send_message(7, "y")

    for _ in range(20):
        await bot.send_message(group.id, "x")
        clock.moves(seconds=1)
    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(group.id, "y")

    assert refused.value.retry_after == timedelta(seconds=40)


FAULTS: dict[str, tuple[Fault, type[TelegramError], bool]] = {
    "400": (answers(400), BadRequest, False),
    "401": (answers(401), InvalidToken, False),
    "403": (answers(403), Forbidden, False),
    "404": (answers(404), InvalidToken, False),
    "409": (answers(409), Conflict, False),
    "429": (holds(3600), RetryAfter, False),
    "429 without a wait": (holds(0), TelegramError, False),
    "500": (answers(500), NetworkError, False),
    "502 in HTML": (answers(502), NetworkError, False),
    "502 after it was done": (answers(502, done=True), NetworkError, True),
    "503": (answers(503), NetworkError, False),
    "cut off": (CutOff(), NetworkError, False),
    "cut off after it was done": (CutOff(done=True), NetworkError, True),
    "half the JSON": (CutOff(done=True, whole=True), TelegramError, True),
    "silence": (Silence(), TimedOut, False),
    "silence after it was done": (Silence(done=True), TimedOut, True),
    "reset": (Reset(), NetworkError, False),
    "reset after it was done": (Reset(done=True), NetworkError, True),
    "slow": (Slow(seconds=60), TimedOut, True),
    "drip": (Drip(seconds=60), TimedOut, True),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_what_can_go_wrong_goes_wrong_at_the_call_asked_for(name: str, server: BotApi, anna: Member) -> None:
    fault, raised, done = FAULTS[name]
    server.faults.lay("sendMessage", fault, nth=2)
    async with connected(server) as bot:
        await bot.send_message(7, "first")
        with pytest.raises(raised), unheard("telegram.request.BaseRequest"):
            await bot.send_message(7, "second", read_timeout=0.04 if raised is TimedOut else 5)
        await bot.send_message(7, "third")

    assert anna.texts == (("first", "second", "third") if done else ("first", "third"))
    assert len(server.calls("sendMessage")) == 3


@pytest.mark.parametrize("retry_after", ["soon", -1, 1.5, None])
async def test_a_wait_can_be_malformed(retry_after: object, server: BotApi) -> None:
    server.faults.lay("*", holds(retry_after))
    async with aiohttp.ClientSession() as session, session.get(f"{server.base_url}{TOKEN}/getMe") as response:
        assert response.status == 429
        assert (await response.json())["parameters"]["retry_after"] == retry_after


async def test_a_fault_can_be_for_one_chat_and_for_ever(server: BotApi, bot: Bot, anna: Member) -> None:
    ben = server.private(server.user(8, "Ben"))
    ben.says("hi")
    server.faults.lay("sendMessage", answers(500), chat=8, times=None)

    for _ in range(2):
        with pytest.raises(NetworkError):
            await bot.send_message(8, "x")
        await bot.send_message(7, "x")
    server.faults.clear()
    await bot.send_message(8, "x")


async def test_faults_for_the_same_call_come_one_after_the_other_and_leave_polls_alone(
    server: BotApi, bot: Bot, anna: Member
) -> None:
    server.faults.lay("*", answers(500))
    server.faults.lay("sendMessage", answers(403))

    assert await bot.get_updates() == ()
    with pytest.raises(NetworkError, match="Internal Server Error"):
        await bot.send_message(7, "x")
    with pytest.raises(Forbidden):
        await bot.send_message(7, "x")
    await bot.send_message(7, "x")


async def test_slow_and_dripping_answers_arrive_whole(server: BotApi, bot: Bot, anna: Member) -> None:
    server.faults.lay("sendMessage", Slow(seconds=0.02))
    server.faults.lay("sendMessage", Drip(seconds=0))

    assert (await bot.send_message(7, "slow")).text == "slow"
    assert (await bot.send_message(7, "drip")).text == "drip"


async def test_every_request_is_kept_with_its_time_and_outcome(server: BotApi, bot: Bot, anna: Member, clock: Clock) -> None:
    await bot.send_message(7, "x")
    clock.moves(minutes=1)
    with pytest.raises(BadRequest):
        await bot.send_message(99, "x")

    assert [(r.method, r.chat, r.code) for r in server.calls()] == [("sendmessage", 7, 200), ("sendmessage", 99, 400)]
    assert server.calls()[1].at - server.calls()[0].at == timedelta(minutes=1)


async def test_an_effect_takes_place_though_who_asked_has_gone(clock: Clock) -> None:

    async with BotApi(now=clock, pace=Pace(latency=0.03)) as slow:
        chat = slow.private(slow.user(7, "Anna"))
        chat.says("/start")
        async with connected(slow, read_timeout=0.01) as bot:
            with pytest.raises(TimedOut):
                await bot.send_message(7, "x")
        await chat.reads("x")


async def test_answers_take_their_time() -> None:
    loop = asyncio.get_running_loop()
    async with BotApi(pace=Pace(latency=0.01, jitter=0.02)) as slow, connected(slow) as bot:
        took = []
        for _ in range(4):
            began = loop.time()
            await bot.get_me()
            took.append(loop.time() - began)

    assert min(took) >= 0.01
    assert max(took) - min(took) > 0.002


async def test_an_error_of_the_server_itself_fails_the_test() -> None:
    server = await BotApi().__aenter__()
    server.profile.commands = None  # type: ignore[assignment]
    async with connected(server) as bot:
        with pytest.raises(NetworkError):
            await bot.get_my_commands()

    with pytest.raises(ExceptionGroup, match="the server itself went wrong"):
        await server.__aexit__()
