"""Updates that Telegram delivers: only whoever knows the secret is heard, and nothing is forgotten that was not kept."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot_api import SECRET_HEADER, BotApi, answers
from bots.telegram.connection import CONNECTED
from bots.telegram.settings import Webhook
from bots.telegram.webhook import HEALTH, Listening
from chat import Clock
from core.intake import Update
from core.limits import LONGEST_UPDATE
from telegram_chat import Running, Waits, asked, running, words

SECRET, OLD = "the-secret-that-is-new", "the-secret-that-was-old"
BODY, HEALTH_ASK = (words("questions", id, "ask").splitlines()[0] for id in ("body", "health"))
UPDATE = b'{"update_id": 5, "message": {}}'


@pytest.fixture
def webhook(unused_tcp_port: int) -> Webhook:
    return Webhook(f"http://127.0.0.1:{unused_tcp_port}/tg", unused_tcp_port, (SECRET, OLD))


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi(now=Clock()) as api:
        yield api


@asynccontextmanager
async def delivered_to(folder: Path, api: BotApi, webhook: Webhook) -> AsyncIterator[Running]:
    async with running(folder, api, now=api.world.now, webhook=webhook, sleep=Waits()) as bot:
        await api.until(lambda: asked(api) > bot.before)
        yield bot
        await bot.rests()
        assert (await bot.store.tallies()).conserved


class Taking:
    """What takes updates; it remembers them, and fails where it is told to."""

    def __init__(self) -> None:
        self.taken: list[Update] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False

    async def __call__(self, updates: Sequence[Update]) -> None:
        await self.gate.wait()
        if self.fails:
            raise OSError
        self.taken += updates


async def posted(
    webhook: Webhook, body: bytes = UPDATE, *, headers: Mapping[str, str] | None = None, path: str = "/tg", method: str = "POST"
) -> tuple[int, bytes, Mapping[str, str]]:
    """Return the status, the body and the headers of an answer."""
    address = f"http://127.0.0.1:{webhook.port}{path}"
    async with aiohttp.ClientSession() as session:
        try:
            async with session.request(method, address, data=io.BytesIO(body), headers=headers) as response:
                return response.status, await response.read(), response.headers
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            return 0, b"", {}  # refused before all of it was sent


def shown(secret: str = SECRET) -> dict[str, str]:
    return {SECRET_HEADER: secret}


@pytest.fixture
async def taking(webhook: Webhook) -> AsyncIterator[Taking]:
    """Give what takes updates behind a server that listens."""
    taking = Taking()
    async with Listening(webhook, taking, taking=lambda: True, healthy=lambda: True):
        yield taking


# ---------------------------------------------------------------- Who is heard


@pytest.mark.parametrize("secret", [SECRET, OLD])
async def test_whoever_knows_a_secret_is_heard(webhook: Webhook, taking: Taking, secret: str) -> None:
    assert (await posted(webhook, headers=shown(secret)))[:2] == (200, b"")
    assert taking.taken == [Update("5", UPDATE)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        shown(""),
        shown("wrong"),
        shown(SECRET[:-1]),
        shown(SECRET + "x"),
        shown(SECRET.upper()),
        shown(f"{SECRET},{OLD}"),
        shown("x" * 7000),
        shown("\u00e9\u0416"),
        {"Authorization": f"Bearer {SECRET}"},
    ],
    ids=lambda headers: next(iter(headers.values()), "none")[:30],
)
async def test_nobody_else_is_heard_or_learns_anything(
    webhook: Webhook, taking: Taking, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    status, body, answered = await posted(webhook, headers=headers)

    assert (status, body) == (403, b"")
    assert taking.taken == []
    told = [*answered.values(), *(str(vars(record)) for record in caplog.records if record.name.startswith("bots"))]
    assert not [each for each in told if SECRET in each or "wrong" in each or "update_id" in each]


async def test_a_header_of_any_bytes_is_refused(webhook: Webhook, taking: Taking) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", webhook.port)
    writer.write(
        b"POST /tg HTTP/1.1\r\nHost: x\r\nX-Telegram-Bot-Api-Secret-Token: \xff\xfe\x80\r\nContent-Length: 2\r\n\r\n{}"
    )
    status = await reader.readline()
    writer.close()

    assert status.split()[1] == b"403"


async def test_an_oversized_secret_is_refused(webhook: Webhook, taking: Taking) -> None:
    status, body, _ = await posted(webhook, headers=shown("x" * 100_000))

    assert status == 400  # aiohttp reads no header of that length
    assert SECRET.encode() not in body
    assert taking.taken == []


# ---------------------------------------------------------------- What is taken


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b"{}", 400),
        (UPDATE[:-3], 400),
        (b'{"update_id": "5"}', 400),
        (b'{"update_id": 5, "x": ' + b"[" * 50_000, 400),
        (b"[" * 500_000, 400),
        (b"\xff\xfe" * 100, 400),
        (b"x" * (LONGEST_UPDATE + 1), 413),
        (b"x" * 5 * 2**20, 413),
        (b'{"update_id": 5, "message": {"text": "a\xf0\x9f"}}', 200),
        (b'{"update_id": 5}', 200),
    ],
    ids=lambda case: str(case)[:30],
)
async def test_what_is_no_update_is_refused(webhook: Webhook, taking: Taking, body: bytes, status: int) -> None:
    answer, said, _ = await posted(webhook, body, headers=shown())

    assert answer in ({status, 0} if len(body) > LONGEST_UPDATE else {status})
    assert len(said) < 100
    assert [update.raw for update in taking.taken] == ([body] if status == 200 else [])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/tg", 405),
        ("PUT", "/tg", 405),
        ("DELETE", "/tg", 405),
        ("POST", "/", 404),
        ("POST", "/tg/", 404),
        ("POST", "/TG", 404),
        ("POST", "/bot123/getUpdates", 404),
        ("POST", "/../tg%00", 404),
        ("POST", HEALTH, 405),
        ("GET", HEALTH, 200),
    ],
)
async def test_there_is_nothing_else_there(webhook: Webhook, taking: Taking, method: str, path: str, status: int) -> None:
    answer, said, _ = await posted(webhook, b"", method=method, path=path, headers=shown())

    assert answer == status
    assert len(said) < 100
    assert taking.taken == []


async def test_nothing_is_acknowledged_before_it_is_kept(webhook: Webhook, taking: Taking) -> None:
    taking.gate.clear()
    posting = asyncio.create_task(posted(webhook, headers=shown()))
    await asyncio.sleep(0.1)
    assert not posting.done()

    taking.gate.set()
    assert (await posting)[0] == 200


async def test_what_could_not_be_kept_is_not_acknowledged(webhook: Webhook, taking: Taking) -> None:
    taking.fails = True
    assert (await posted(webhook, headers=shown()))[0] == 500

    taking.fails = False
    assert (await posted(webhook, headers=shown()))[0] == 200


async def test_health_says_when_the_webhook_is_set(webhook: Webhook) -> None:
    ready = False
    async with Listening(webhook, Taking(), taking=lambda: True, healthy=lambda: ready):
        assert (await posted(webhook, b"", method="GET", path=HEALTH))[:2] == (503, b"")
        ready = True
        assert (await posted(webhook, b"", method="GET", path=HEALTH))[:2] == (200, b"")


async def test_what_comes_before_it_can_be_taken_has_to_come_again(webhook: Webhook) -> None:
    taking, open_ = Taking(), False
    async with Listening(webhook, taking, taking=lambda: open_, healthy=lambda: True):
        assert (await posted(webhook, headers=shown()))[0] == 503
        open_ = True
        assert (await posted(webhook, headers=shown()))[0] == 200
    assert len(taking.taken) == 1


# ---------------------------------------------------------------- With Telegram


async def test_the_port_is_open_while_telegram_cannot_be_reached(tmp_path: Path, api: BotApi, webhook: Webhook) -> None:
    """Else a host that waits for the port would start the bot again and again."""
    api.faults.lay("getMe", answers(502), times=None)
    anna = api.private(api.user(7, "Anna"))
    async with running(tmp_path, api, now=api.world.now, webhook=webhook, sleep=Waits()) as bot:
        await api.until(lambda: bool(bot.told))
        assert (await posted(webhook, b"", method="GET", path=HEALTH))[0] == 503
        assert (await posted(webhook, headers=shown()))[0] == 503

        api.faults.clear()
        anna.says("/hip")
        await bot.rests()
        assert BODY in anna.last.text
        assert (await posted(webhook, b"", method="GET", path=HEALTH))[0] == 200


async def test_what_waited_while_the_bot_was_away_is_answered_in_one_message(tmp_path: Path, webhook: Webhook) -> None:
    """Telegram brings one update of a chat at a time, and the next once that is taken."""
    clock, over = Clock(), asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await over.wait()

    async with BotApi(now=clock) as api:
        anna = api.private(api.user(7, "Anna"))
        for text in ("/hip", "none of these", "none of these", "34"):
            anna.says(text)
        clock.moves(minutes=10)
        async with running(tmp_path, api, now=clock, webhook=webhook, sleep=sleep) as bot:
            await api.until(lambda: asked(api) > bot.before and not api.waiting)
            await bot.telegram._intake.done()
            over.set()
            await bot.rests()

            assert [words("questions", "place", "ask").splitlines()[0] in text for text in anna.texts] == [True]


async def test_a_check_goes_on_over_a_webhook(tmp_path: Path, api: BotApi, webhook: Webhook) -> None:
    async with delivered_to(tmp_path, api, webhook) as bot:
        anna = bot.member(7, "Anna")
        anna.says("/hip")
        await bot.rests()
        anna.taps(words("questions", "body", "none"))
        await bot.rests()

        assert HEALTH_ASK in anna.last.text
        assert api.receiving.webhook is not None
        assert api.receiving.webhook.secret == SECRET
        assert api.world.updates.allowed == {"message", "callback_query", "my_chat_member"}
        assert (await posted(webhook, b"", method="GET", path=HEALTH))[0] == 200


async def test_an_update_that_telegram_brings_again_is_known(tmp_path: Path, api: BotApi, webhook: Webhook) -> None:
    async with delivered_to(tmp_path, api, webhook) as bot:
        anna = bot.member(7, "Anna")
        message = anna.says("/hip")
        await bot.rests()
        update = {"update_id": api.world.updates.next_id - 1, "message": message.json()}
        for _ in range(3):
            assert (await posted(webhook, json.dumps(update).encode(), headers=shown()))[0] == 200
        await bot.rests()

        assert len(anna.heard) == 1


async def test_what_was_kept_and_not_acted_on_is_handled_at_the_next_start(
    tmp_path: Path, api: BotApi, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = api.private(api.user(7, "Anna"))
    async with running(tmp_path, api, now=api.world.now, webhook=webhook, sleep=Waits()) as bot:
        await api.until(lambda: asked(api) > bot.before)
        monkeypatch.setattr(bot.telegram._intake._lanes, "add", lambda *_: None)  # as if it died right after
        anna.says("/hip")
        await bot.rests()
        assert not anna.heard
        assert len(await bot.store.unhandled("telegram")) == 1

    async with delivered_to(tmp_path, api, webhook) as bot:
        await bot.rests()
        assert [BODY in text for text in anna.texts] == [True]


async def test_a_secret_is_changed_without_losing_an_update(tmp_path: Path, api: BotApi, webhook: Webhook) -> None:
    anna = api.private(api.user(7, "Anna"))
    before = Webhook(webhook.url, webhook.port, (OLD,))
    async with delivered_to(tmp_path, api, before) as bot:
        anna.says("/hip")
        await bot.rests()
        assert (await posted(webhook, headers=shown(SECRET)))[0] == 403

    anna.says("none of these")  # while it is down: Telegram tries, with the old secret
    async with delivered_to(tmp_path, api, webhook) as bot:
        await bot.rests()
        assert HEALTH_ASK in anna.last.text
        anna.says("/help")
        await bot.rests()
        assert api.receiving.webhook is not None
        assert (api.receiving.webhook.secret, api.receiving.webhook.error) == (SECRET, None)

    after = Webhook(webhook.url, webhook.port, (SECRET,))
    async with delivered_to(tmp_path, api, after):
        assert (await posted(webhook, headers=shown(OLD)))[0] == 403


async def test_going_back_to_asking_takes_the_webhook_away_and_loses_nothing(
    tmp_path: Path, api: BotApi, webhook: Webhook
) -> None:
    anna = api.private(api.user(7, "Anna"))
    async with delivered_to(tmp_path, api, webhook) as bot:
        anna.says("/hip")
        await bot.rests()
    anna.says("none of these")
    await asyncio.sleep(0.05)
    assert api.waiting == 1

    async with running(tmp_path, api, now=api.world.now, sleep=Waits()) as bot:
        await bot.rests()

        assert api.receiving.webhook is None
        assert HEALTH_ASK in anna.last.text
        assert bot.told == [CONNECTED]
    assert len(api.calls("deleteWebhook")) == 1

    async with running(tmp_path, api, now=api.world.now, sleep=Waits()) as bot:
        await bot.rests()
    assert len(api.calls("deleteWebhook")) == 1  # there was none to take away
