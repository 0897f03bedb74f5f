"""What stands between the bot and Telegram is said once, with what to do; meanwhile it tries again, ever slower."""

from pathlib import Path

import pytest

from bot_api import TOKEN, BotApi, Reset, Silence, answers, holds
from bot_api.faults import Fault
from bots.telegram.connection import CONNECTED, OTHER_SERVER, WEBHOOK_REFUSED
from bots.telegram.polling import AGAIN, SENTENCES, Trouble
from bots.telegram.settings import Webhook
from chat import Clock
from core.errors import SettingsError
from telegram_chat import Running, Waits, running

WRONG = "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
SECRET = "a-secret-of-enough-letters"


async def answers_anna(bot: Running) -> bool:
    anna = bot.member(7, "Anna")
    anna.says("/hip")
    await bot.rests()
    return bool(anna.heard)


async def test_a_wrong_token_is_told_and_a_right_one_connects(tmp_path: Path) -> None:
    async with BotApi(now=Clock()) as api:
        waits = Waits()
        async with running(tmp_path, api, token=WRONG, sleep=waits) as bot:
            await api.until(lambda: len(waits.seconds) > 7)
            assert bot.told == [SENTENCES[Trouble.TOKEN] + OTHER_SERVER]
            assert waits.seconds[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
            assert not bot.running.done()
            assert {call.method for call in api.calls()} == {"getme"}

            api.token = WRONG
            await bot.is_told(CONNECTED)
            assert await answers_anna(bot)
        assert not [sentence for sentence in bot.told if WRONG in sentence or TOKEN in sentence]


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (Reset(), Trouble.UNREACHABLE),
        (answers(500), Trouble.UNREACHABLE),
        (answers(502), Trouble.UNREACHABLE),
        (answers(404), Trouble.TOKEN),
        (holds(7), Trouble.BUSY),
        (answers(400), Trouble.REFUSED),
    ],
    ids=repr,
)
async def test_what_is_in_the_way_at_the_start_is_told_once_and_so_is_that_it_is_over(
    tmp_path: Path, fault: Fault, trouble: Trouble
) -> None:
    async with BotApi(now=Clock()) as api:
        api.faults.lay("getMe", fault, times=3)
        waits = Waits()
        async with running(tmp_path, api, sleep=waits) as bot:
            assert await answers_anna(bot)

        assert [sentence.removesuffix(OTHER_SERVER) for sentence in bot.told] == [SENTENCES[trouble], CONNECTED]
        assert waits.seconds[:3] == ([7, 7, 7] if trouble is Trouble.BUSY else [1, 2, 4])


async def test_whoever_starts_it_is_told_that_it_is_connected(tmp_path: Path, unused_tcp_port: int) -> None:
    webhook = Webhook(f"http://127.0.0.1:{unused_tcp_port}/tg", unused_tcp_port, (SECRET,))
    async with BotApi(now=Clock()) as api:
        for settings in (None, webhook):
            async with running(tmp_path, api, webhook=settings, sleep=Waits()) as bot:
                await bot.is_told(CONNECTED)
                assert await answers_anna(bot)
            assert bot.told == [CONNECTED]


async def test_where_nobody_listens_the_bot_waits(tmp_path: Path) -> None:
    async with BotApi(now=Clock()) as api:
        closed = BotApi(now=Clock(), port=int(api.url.rpartition(":")[2]))
    waits = Waits()
    async with running(tmp_path, closed, sleep=waits) as bot:
        await closed.until(lambda: len(waits.seconds) > 3)

        assert bot.told == [SENTENCES[Trouble.UNREACHABLE]]
        assert not bot.running.done()


async def test_one_trouble_after_another_is_told(tmp_path: Path) -> None:
    async with BotApi(now=Clock()) as api:
        api.faults.lay("getMe", Reset(), times=2)
        api.faults.lay("getMe", answers(401), nth=3, times=2)
        async with running(tmp_path, api, sleep=Waits()) as bot:
            await bot.is_told(CONNECTED)

        kinds = [sentence.removesuffix(OTHER_SERVER) for sentence in bot.told]
        assert kinds == [SENTENCES[Trouble.UNREACHABLE], SENTENCES[Trouble.TOKEN], CONNECTED]


async def test_a_second_poller_is_told_and_is_no_reason_to_end(tmp_path: Path) -> None:
    async with BotApi(now=Clock()) as api, running(tmp_path / "a", api, sleep=Waits()) as bot:
        await bot.rests()
        async with running(tmp_path / "b", api, sleep=Waits()) as other:
            await bot.is_told(SENTENCES[Trouble.CONFLICT])
            assert not other.running.done()
        assert not bot.running.done()
        assert await answers_anna(bot)


async def test_a_webhook_that_somebody_set_is_told(tmp_path: Path) -> None:
    async with BotApi(now=Clock()) as api, running(tmp_path, api, sleep=Waits()) as bot:
        await bot.rests()
        await bot.telegram._line.bot.set_webhook("https://somebody.example/else")
        await bot.is_told(SENTENCES[Trouble.WEBHOOK])
        assert not bot.running.done()


async def test_an_outage_while_it_runs_is_told_and_so_is_its_end(tmp_path: Path) -> None:
    async with BotApi(now=Clock()) as api, running(tmp_path, api, sleep=Waits()) as bot:
        assert await answers_anna(bot)
        api.faults.lay("getUpdates", answers(502), times=4)
        bot.member(7, "Anna").says("/help")
        await bot.is_told(SENTENCES[Trouble.UNREACHABLE])
        bot.member(7, "Anna").says("/help")
        await bot.is_told(AGAIN)

        assert bot.told == [CONNECTED, SENTENCES[Trouble.UNREACHABLE], AGAIN]


async def test_a_webhook_that_telegram_does_not_take_is_told(tmp_path: Path, unused_tcp_port: int) -> None:
    webhook = Webhook(f"http://127.0.0.1:{unused_tcp_port}/tg", unused_tcp_port, (SECRET,))
    async with BotApi(now=Clock()) as api:
        api.faults.lay("setWebhook", answers(400), times=3)
        async with running(tmp_path, api, webhook=webhook, sleep=Waits()) as bot:
            await bot.is_told(CONNECTED)

        assert bot.told == [WEBHOOK_REFUSED, CONNECTED]


async def test_a_port_that_is_taken_ends_the_start_with_a_clear_line(tmp_path: Path) -> None:
    async with BotApi(now=Clock()) as api:
        port = int(api.url.rpartition(":")[2])
        webhook = Webhook(f"http://127.0.0.1:{port}/tg", port, (SECRET,))
        with pytest.raises(SettingsError, match=f"PORT={port}"):
            async with running(tmp_path, api, webhook=webhook, sleep=Waits()) as bot:
                await api.until(bot.running.done)


async def test_a_server_that_falls_silent_at_the_start_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with BotApi(now=Clock()) as api:
        api.faults.lay("getMe", Silence())
        async with running(tmp_path, api, sleep=Waits()) as bot:
            monkeypatch.setattr(bot.telegram._line.bot._request[1], "_read", 0.1)
            await bot.is_told(CONNECTED)
        assert bot.told == [SENTENCES[Trouble.UNREACHABLE], CONNECTED]
