"""The Bot API of the tests and the real python-telegram-bot agree: on updates, asked for and brought."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from telegram import (
    Bot,
    Update,
)
from telegram.error import (
    Conflict,
)
from telegram.ext import Application, ApplicationBuilder, CallbackQueryHandler, CommandHandler, ContextTypes

from bot_api import (
    SECRET_HEADER,
    TOKEN,
    BotApi,
    Json,
    Member,
)
from bot_api.library import ONE_BUTTON, asked, connected
from bot_api.webhook import wait_after
from chat import Clock

SECRET = "s3cret-of-the-webhook"


# ---------------------------------------------------------------- polling


async def ids(bot: Bot, **asked: Any) -> list[int]:
    return [update.update_id for update in await bot.get_updates(**asked)]


async def test_updates_stay_until_an_offset_confirms_them(server: BotApi, bot: Bot, anna: Member) -> None:
    first = server.world.updates.next_id
    for n in range(3):
        anna.says(str(n))

    assert await ids(bot) == [first, first + 1, first + 2]
    assert await ids(bot, limit=1) == [first]
    assert await ids(bot, offset=first + 1) == [first + 1, first + 2]
    assert await ids(bot) == [first + 1, first + 2]
    assert await ids(bot, offset=first + 3) == []
    assert server.waiting == 0


async def test_a_negative_offset_counts_from_the_end_and_drops_the_rest(server: BotApi, bot: Bot, anna: Member) -> None:
    for n in range(5):
        anna.says(str(n))
    newest = server.world.updates.next_id - 1

    assert await ids(bot, offset=-2) == [newest - 1, newest]
    assert await ids(bot) == [newest - 1, newest]
    assert await ids(bot, offset=-1) == [newest]
    assert await ids(bot, offset=-99) == [newest]


async def test_an_offset_far_ahead_confirms_nothing(server: BotApi, bot: Bot, anna: Member) -> None:
    anna.says("x")
    newest = server.world.updates.next_id - 1

    assert await ids(bot, offset=newest + 1_000_000) == [newest]


async def test_a_poll_waits_for_the_next_update(server: BotApi, bot: Bot, anna: Member) -> None:
    asked = asyncio.create_task(bot.get_updates(timeout=10))
    await server.until(lambda: server.receiving.polled)
    anna.says("one")
    anna.says("two")

    assert [update.message and update.message.text for update in await asked] == ["one", "two"]


async def test_who_asks_for_the_same_at_once_is_made_to_wait_and_gets_nothing_in_the_end(bot: Bot) -> None:
    loop = asyncio.get_running_loop()
    assert await bot.get_updates() == ()
    asked = loop.time()

    assert await bot.get_updates() == ()

    assert loop.time() - asked >= 0.03  # three seconds at the pace of the tests


async def test_a_second_poller_sends_the_first_away(server: BotApi, bot: Bot, anna: Member) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=10))
    await server.until(lambda: server.receiving.polled)
    async with connected(server) as other:
        second = asyncio.create_task(other.get_updates(timeout=10))
        with pytest.raises(
            Conflict, match="terminated by other getUpdates request; make sure that only one bot instance is running"
        ):
            await first
        anna.says("x")
        assert len(await second) == 1


async def test_pollers_who_compete_do_not_spin(server: BotApi, bot: Bot) -> None:
    loop = asyncio.get_running_loop()
    server.receiving._next_conflict = float("inf")  # one has just been told
    first = asyncio.create_task(bot.get_updates(timeout=10))
    await server.until(lambda: server.receiving.polled)
    began = loop.time()
    second = asyncio.create_task(bot.get_updates(timeout=10))

    with pytest.raises(Conflict):
        await first

    second.cancel()
    assert loop.time() - began >= 0.03  # three seconds at the pace of the tests


async def test_a_poll_ends_with_the_server() -> None:
    async with BotApi() as server:
        poll = asyncio.create_task(asked(server, "getUpdates", {"timeout": 50}))
        await server.until(lambda: server.receiving.polled)

    assert await asyncio.wait_for(poll, 2) == (200, {"ok": True, "result": []})


async def test_only_the_kinds_asked_for_come(server: BotApi, bot: Bot, anna: Member) -> None:
    await bot.send_message(7, "x", reply_markup=ONE_BUTTON)
    await bot.get_updates(allowed_updates=["callback_query"])
    anna.says("not heard")
    tap = anna.taps("Go on")

    assert await ids(bot) == [tap.update_id]  # the kinds stay as they were asked for
    await bot.get_updates(offset=-1, allowed_updates=[])
    assert anna.blocks() is not None


async def test_what_waits_too_long_is_gone(server: BotApi, bot: Bot, anna: Member, clock: Clock) -> None:
    await bot.send_message(7, "x", reply_markup=ONE_BUTTON)
    anna.taps("Go on")
    anna.says("x")

    clock.moves(seconds=151)
    assert [update.message is not None for update in await bot.get_updates()] == [True]
    clock.moves(hours=24)
    assert await ids(bot) == []


async def test_ids_can_begin_anew_lower(server: BotApi, bot: Bot, anna: Member) -> None:
    anna.says("x")
    [old] = await ids(bot)
    await bot.get_updates(offset=old + 1)
    server.world.updates.next_id = 5_000
    anna.says("y")

    assert await ids(bot, offset=old + 1) == [5_000]


async def test_updates_of_any_shape_can_be_injected(server: BotApi, bot: Bot) -> None:
    id = server.inject({"purchased_hug": {"from": 7}})
    server.inject({"update_id": id + 5})

    [unknown, nothing] = await bot.get_updates()

    assert unknown.update_id == id
    assert unknown.to_dict() == {"update_id": id, "purchased_hug": {"from": 7}}
    assert nothing.update_id == id + 5


# ---------------------------------------------------------------- a webhook


HANGS_UP = 444
"""Instead of a status: the connection closes."""


class Receiver:
    """A webhook: what it was brought, and what it answers."""

    def __init__(self, statuses: list[int] | None = None, retry_after: str = "") -> None:
        self.brought: list[Json] = []
        self.secrets: list[str | None] = []
        self.statuses = statuses or []
        self.retry_after = retry_after
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.at_once = 0
        self.most_at_once = 0
        self.app: Application[Any, Any, Any, Any, Any, Any] | None = None

    async def handle(self, request: web.Request) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.brought.append(await request.json())
        self.secrets.append(request.headers.get(SECRET_HEADER))
        await self.let_go.wait()
        self.at_once -= 1
        status = self.statuses.pop(0) if self.statuses else 200
        if status == HANGS_UP and request.transport:
            request.transport.abort()
        if status == 200 and self.app:
            await self.app.update_queue.put(Update.de_json(self.brought[-1], self.app.bot))
        return web.Response(status=status, headers={"Retry-After": self.retry_after} if self.retry_after else {})

    @property
    def ids(self) -> list[int]:
        return [update["update_id"] for update in self.brought]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/telegram", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
        finally:
            self.let_go.set()
            await runner.cleanup()


async def test_what_a_webhook_refuses_comes_again_until_it_is_taken_and_in_order(
    server: BotApi, bot: Bot, anna: Member
) -> None:
    receiver = Receiver([500, 403, 302])
    async with receiver.open() as url:
        await bot.set_webhook(url)
        for n in range(3):
            anna.says(str(n))
        await server.until(lambda: server.waiting == 0)

    first = receiver.ids[0]
    assert receiver.ids == [first, first, first, first, first + 1, first + 2]
    assert receiver.secrets == [None] * 6


def test_a_webhook_is_left_alone_for_ever_longer() -> None:
    assert [wait_after(tries) for tries in range(1, 9)] == [0, 2, 4, 8, 16, 32, 60, 60]
    assert [wait_after(1, asked) for asked in (7, 9999)] == [7, 3600]


async def test_one_who_is_stuck_does_not_hold_up_another(server: BotApi, bot: Bot, anna: Member) -> None:
    receiver = Receiver([500] * 3, retry_after="3600")
    ben = server.private(server.user(8, "Ben"))
    async with receiver.open() as url:
        await bot.set_webhook(url)
        anna.says("stuck")
        await server.until(lambda: len(receiver.brought) == 1)
        receiver.statuses.clear()
        anna.says("behind it")
        ben.says("free")
        await server.until(lambda: server.waiting == 2)

    assert [update["message"]["text"] for update in receiver.brought] == ["stuck", "free"]


async def test_no_more_connections_are_used_than_allowed(server: BotApi, bot: Bot) -> None:
    receiver = Receiver()
    receiver.let_go.clear()
    async with receiver.open() as url:
        await bot.set_webhook(url, max_connections=3)
        for id in range(10, 20):
            server.private(server.user(id, "x")).says("x")
        await server.until(lambda: receiver.at_once == 3)
        await asyncio.sleep(0.02)
        assert receiver.at_once == 3
        receiver.let_go.set()
        await server.until(lambda: server.waiting == 0)

    assert receiver.most_at_once == 3


async def test_another_webhook_takes_the_place_of_the_first(server: BotApi, bot: Bot, anna: Member) -> None:
    first, second = Receiver(), Receiver()
    async with first.open() as old, second.open() as new:
        await bot.set_webhook(old, secret_token="one")
        await bot.set_webhook(new, secret_token="two")
        anna.says("x")
        await server.until(lambda: server.waiting == 0)
        await bot.delete_webhook()
        anna.says("y")
        await asyncio.sleep(0.02)

    assert (first.brought, second.secrets) == ([], ["two"])
    assert [update.message and update.message.text for update in await bot.get_updates()] == ["y"]


async def test_where_updates_go_can_be_asked_and_they_wait_while_nobody_is_there(
    server: BotApi, bot: Bot, anna: Member
) -> None:
    receiver = Receiver()
    async with receiver.open() as url:
        pass  # and gone again
    await bot.set_webhook(url, max_connections=7, allowed_updates=["message"])
    assert (await bot.get_webhook_info()).last_error_date is None
    anna.says("x")
    hook = server.receiving.webhook
    await server.until(lambda: hook is not None and hook.error is not None)

    info = await bot.get_webhook_info()
    assert (info.url, info.max_connections, info.pending_update_count) == (url, 7, 1)
    assert info.allowed_updates == ("message",)
    assert info.last_error_message == "Connection refused"


@pytest.mark.parametrize(
    ("status", "says"),
    [(500, "Wrong response from the webhook: 500 Internal Server Error"), (HANGS_UP, "Webhook connection closed")],
)
async def test_what_went_wrong_with_a_webhook_can_be_asked(
    status: int, says: str, server: BotApi, bot: Bot, anna: Member
) -> None:
    receiver = Receiver([status])
    async with receiver.open() as url:
        await bot.set_webhook(url)
        anna.says("x")
        await server.until(lambda: server.waiting == 0)

    info = await bot.get_webhook_info()
    assert (info.last_error_message, info.pending_update_count) == (says, 0)


async def test_a_webhook_that_does_not_answer_is_tried_again(
    server: BotApi, bot: Bot, anna: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot_api.webhook.PATIENCE", 0.03)
    receiver = Receiver()
    receiver.let_go.clear()
    async with receiver.open() as url:
        await bot.set_webhook(url)
        anna.says("x")
        await server.until(lambda: len(receiver.brought) == 2)
        info = await bot.get_webhook_info()

    assert info.last_error_message == "Read timeout expired"


async def test_who_has_a_webhook_cannot_poll_until_it_is_removed(server: BotApi, bot: Bot, anna: Member) -> None:
    polling = asyncio.create_task(bot.get_updates(timeout=10))
    await server.until(lambda: server.receiving.polled)
    await bot.set_webhook("https://127.0.0.1:9/")
    with pytest.raises(Conflict, match="terminated by setWebhook request"):
        await polling

    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()
    anna.says("x")
    await bot.delete_webhook()
    assert len(await bot.get_updates()) == 1
    await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == ()


# ---------------------------------------------------------------- the library's application


async def greet(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.message is not None
    await update.message.reply_text("Where does it hurt?", reply_markup=ONE_BUTTON)


async def go_on(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.callback_query is not None
    await update.callback_query.answer()
    await update.callback_query.edit_message_text("Since when?")


def application(server: BotApi, **more: Any) -> "Application[Any, Any, Any, Any, Any, Any]":
    builder = ApplicationBuilder().token(TOKEN).base_url(server.base_url)
    app = (builder.updater(None) if more.get("webhook") else builder).build()
    app.add_handler(CommandHandler("hip", greet))
    app.add_handler(CallbackQueryHandler(go_on))
    return app


async def test_a_polling_application_talks_with_a_member(server: BotApi) -> None:
    app = application(server)
    anna = server.private(server.user(7, "Anna"))
    async with app:
        assert app.updater is not None
        await app.updater.start_polling(timeout=5)
        await app.start()
        anna.says("/hip")
        await anna.reads("Where does it hurt?")
        tap = anna.taps("Go on")
        await anna.reads("Since when?")
        await app.updater.stop()
        await app.stop()

    assert tap.answer is not None
    assert server.waiting == 0
    assert [r.method for r in server.calls()] == [
        "getme",
        "deletewebhook",
        "sendmessage",
        "answercallbackquery",
        "editmessagetext",
    ]


async def test_an_application_behind_a_webhook_talks_with_a_member(server: BotApi) -> None:
    app = application(server, webhook=True)
    receiver = Receiver()
    receiver.app = app
    anna = server.private(server.user(7, "Anna"))
    async with app, receiver.open() as url:
        await app.start()
        await app.bot.set_webhook(url, secret_token=SECRET, allowed_updates=Update.ALL_TYPES)
        anna.says("/hip")
        await anna.reads("Where does it hurt?")
        anna.taps("Go on")
        await anna.reads("Since when?")
        await server.until(lambda: server.waiting == 0)
        await app.stop()

    assert receiver.secrets == [SECRET, SECRET]
