"""Long polling against a small Bot API server: kept before it is forgotten, and every trouble is said, once."""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bots.telegram.polling import AGAIN, BATCH, LONGEST_PAUSE, SENTENCES, Keep, Polling, Trouble, split, split_off
from bots.telegram.request import AiohttpRequest
from core.intake import Update
from scripted_server import ScriptedServer, hang_up

TOKEN = "1234567890:AAFsYnthetic-Token_of-a-bot-0123456789"


def update(number: int, text: str = "/hip") -> bytes:
    return json.dumps({"update_id": number, "message": {"text": text}}, ensure_ascii=False).encode()


class BotApi:
    """Hands over updates as the Bot API does: holds a question open, and forgets what is before its offset."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, bytes]] = []
        self.troubles: deque[web.Response] = deque()
        """What it answers before it gets to that."""
        self.asked: list[dict[str, str]] = []
        self._came = asyncio.Event()

    def comes(self, *updates: bytes, numbers: Sequence[int] | None = None) -> None:
        ids = [json.loads(raw)["update_id"] for raw in updates] if numbers is None else numbers
        self.waiting += zip(ids, updates, strict=True)
        self._came.set()

    async def get_updates(self, asked: web.Request) -> web.Response:
        self.asked.append(dict(asked.query))
        if self.troubles:
            return self.troubles.popleft()
        if "offset" in asked.query:
            self.waiting = [each for each in self.waiting if each[0] >= int(asked.query["offset"])]
        if not self.waiting:
            self._came.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), float(asked.query["timeout"]))
        found = [raw for _, raw in self.waiting[: int(asked.query["limit"])]]
        return web.Response(body=b'{"ok":true,"result":[' + b",".join(found) + b"]}", content_type="application/json")


@dataclass
class Scene:
    """A loop that polls, and what it did."""

    api: BotApi
    kept: list[Update] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    keeping_fails: deque[Exception] = field(default_factory=deque)
    offsets_when_kept: list[str | None] = field(default_factory=list)

    async def keep(self, updates: Sequence[Update]) -> None:
        if self.keeping_fails:
            raise self.keeping_fails.popleft()
        self.offsets_when_kept.append(self.api.asked[-1].get("offset"))
        # As long as a commit may take: nothing may be asked meanwhile.
        asked = len(self.api.asked)
        await asyncio.sleep(0.02)
        assert len(self.api.asked) == asked
        self.kept += updates
        self.batches.append(len(updates))

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not holds():  # noqa: ASYNC110 - what is waited for is another program's doing
                await asyncio.sleep(0.005)

    async def until_kept(self, count: int) -> None:
        await self.until(lambda: len(self.kept) >= count)

    async def until_paused(self, times: int) -> None:
        await self.until(lambda: len(self.pauses) >= times)

    async def until_told(self, sentences: int) -> None:
        await self.until(lambda: len(self.told) >= sentences)

    async def until_asked(self, times: int) -> None:
        await self.until(lambda: len(self.api.asked) >= times)

    @property
    def numbers(self) -> list[int]:
        return [int(each.id) for each in self.kept]


@asynccontextmanager
async def polling(
    api: BotApi, *, fails: Sequence[Exception] = (), poll: int = 2, keep: Keep | None = None
) -> AsyncIterator[Scene]:
    """Poll a server meanwhile."""
    app = web.Application()
    app.router.add_get(f"/bot{TOKEN}/getUpdates", api.get_updates)
    scene = Scene(api, keeping_fails=deque(fails))
    # A question held open must not hold up the end of a test.
    async with TestServer(app, shutdown_timeout=0) as server, AiohttpRequest(connections=1) as request:
        root = str(server.make_url(f"/bot{TOKEN}"))
        loop = Polling(request, root, keep or scene.keep, scene.told.append, kinds=["message"], poll=poll, sleep=scene.sleep)
        task = asyncio.create_task(loop.run())
        try:
            yield scene
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def trouble(status: int, description: str = "", **parameters: object) -> web.Response:
    body = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
    return web.json_response(body, status=status)


# ---------------------------------------------------------------- Kept before it is forgotten


async def test_updates_are_kept_as_they_came_and_in_their_order() -> None:
    api = BotApi()
    strange = b'{ "update_id":12 ,\n"who_knows": [1e400, "\\ud83d\\ude42", {"update_id": 99}] }'
    api.comes(update(10), update(11, "Hüfte \U0001f642"), strange, numbers=[10, 11, 12])
    async with polling(api) as scene:
        await scene.until_kept(3)

    assert scene.kept == [Update("10", update(10)), Update("11", update(11, "Hüfte \U0001f642")), Update("12", strange)]
    assert scene.batches == [3]


async def test_telegram_may_forget_only_what_was_kept() -> None:
    api = BotApi()
    api.comes(*(update(n) for n in range(10, 15)))
    async with polling(api) as scene:
        await scene.until_kept(5)
        api.comes(update(20))
        await scene.until_kept(6)
        await scene.until_asked(3)

    assert [asked.get("offset") for asked in api.asked[:3]] == [None, "15", "21"]
    assert scene.offsets_when_kept == [None, "15"]
    assert scene.numbers == [10, 11, 12, 13, 14, 20]


async def test_what_could_not_be_kept_comes_again() -> None:
    api = BotApi()
    api.comes(update(10), update(11))
    async with polling(api, fails=[OSError("disk full"), OSError("disk full")]) as scene:
        await scene.until_kept(2)

    assert [asked.get("offset") for asked in api.asked[:3]] == [None, None, None]
    assert scene.numbers == [10, 11]
    assert scene.pauses == [1, 2]
    assert scene.told == [SENTENCES[Trouble.UNKEPT], AGAIN]


async def test_a_backlog_is_taken_in_as_large_parts_as_there_are() -> None:
    api = BotApi()
    api.comes(*(update(n) for n in range(250)))
    async with polling(api) as scene:
        await scene.until_kept(250)

    assert scene.batches == [BATCH, BATCH, 50]
    assert scene.numbers == list(range(250))


async def test_numbers_that_start_again_lower_are_followed() -> None:
    api = BotApi()
    api.troubles += [web.json_response({"ok": True, "result": [{"update_id": number}]}) for number in (900, 5)]
    async with polling(api) as scene:
        await scene.until_asked(3)

    assert [asked.get("offset") for asked in api.asked[:3]] == [None, "901", "6"]
    assert scene.numbers == [900, 5]


async def test_it_asks_for_the_kinds_it_is_told_and_holds_the_line_as_long() -> None:
    api = BotApi()
    api.comes(update(1))
    async with polling(api, poll=7) as scene:
        await scene.until_kept(1)

    assert api.asked[0] == {"timeout": "7", "limit": "100", "allowed_updates": '["message"]'}


# ---------------------------------------------------------------- One that cannot be read


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b'{"update_id":13,"message":{"text":"half a \\ud83d"}}', id="half a character"),
        pytest.param(b'{"update_id":13,"reply":{"update_id":99},"text":}', id="a value left out"),
        pytest.param(b'{"message":{"text":"\x01"},"update_id": 13}', id="a control character"),
        pytest.param(b'{"update_id":13,"deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="too deep"),
        pytest.param(b'{"update_id":13,"message":{"text":"\xff\xfe"}}', id="no UTF-8"),
    ],
)
async def test_one_that_is_no_json_is_kept_as_it_is_and_the_others_too(broken: bytes) -> None:
    api = BotApi()
    api.comes(update(11), update(12), broken, update(14), update(15), numbers=range(11, 16))
    async with polling(api) as scene:
        await scene.until_kept(5)

    assert scene.numbers == [11, 12, 13, 14, 15]
    assert scene.kept[2].raw == broken
    assert scene.batches[-1] >= 2
    assert scene.told == []


async def test_what_has_no_number_is_left_out_and_the_others_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    api = BotApi()
    api.comes(update(11), b'{"strange": 1}', b"7", b'{"update_id": "14"}', update(15), numbers=range(11, 16))
    async with polling(api) as scene:
        await scene.until_kept(2)

    assert scene.numbers == [11, 15]
    assert [(record.msg, vars(record)["count"]) for record in caplog.records] == [("poll.unnumbered", 3)]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>Welcome to this hotel</html>",
        b"[]",
        b'{"ok":true}',
        b'{"ok":true,"result":{}}',
        b'{"ok":true,"result":[7]}',
    ],
)
async def test_an_answer_that_is_none_is_asked_for_again_after_a_while(answer: bytes) -> None:
    api = BotApi()
    api.troubles += [web.Response(body=answer) for _ in range(4)]
    api.comes(update(1))
    async with polling(api) as scene:
        await scene.until_kept(1)

    # First at once, for one update only: it may be that one of them is broken.
    assert [asked["limit"] for asked in api.asked[:5]] == ["100", "1", "1", "1", "1"]
    assert scene.pauses == [1, 2, 4]
    assert scene.told == [SENTENCES[Trouble.UNREADABLE], AGAIN]


@pytest.mark.parametrize("cut", [b'{"ok":true,"result":[{"update_id":7,"a":[1', b'{"ok":true,"result":[{"update_id":7,"a":[1]'])
def test_half_an_answer_is_not_taken_for_an_update(cut: bytes) -> None:
    assert split(cut) is None
    assert split_off(cut) is None


# ---------------------------------------------------------------- Trouble


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((401, "Unauthorized"), Trouble.TOKEN),
        ((404, "Not Found"), Trouble.TOKEN),
        ((409, "Conflict: terminated by other getUpdates request; make sure only one runs"), Trouble.CONFLICT),
        ((409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"), Trouble.WEBHOOK),
        ((429, "Too Many Requests"), Trouble.BUSY),
        ((403, "Forbidden"), Trouble.REFUSED),
        ((400, "Bad Request"), Trouble.REFUSED),
        ((500, "Internal Server Error"), Trouble.UNREACHABLE),
        ((502, "Bad Gateway"), Trouble.UNREACHABLE),
        ((307, ""), Trouble.UNREACHABLE),
        ((418, "I'm a teapot"), Trouble.UNREACHABLE),
    ],
)
async def test_every_trouble_is_said_once_and_so_is_its_end(
    answer: tuple[int, str], kind: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bots")
    api = BotApi()
    api.troubles += [trouble(*answer) for _ in range(4)]
    async with polling(api, poll=1) as scene:
        await scene.until_paused(4)
        if kind is not Trouble.CONFLICT:
            api.comes(update(1))
        await scene.until_told(2)

    assert scene.told == [SENTENCES[kind], AGAIN]
    assert [(r.msg, vars(r).get("kind")) for r in caplog.records] == [("poll.failed", kind.value), ("poll.recovered", None)]
    assert TOKEN not in caplog.text + "".join(scene.told)


async def test_a_trouble_that_passes_at_once_is_not_worth_a_word() -> None:
    api = BotApi()
    api.troubles.append(trouble(502))
    api.comes(update(1))
    async with polling(api) as scene:
        await scene.until_kept(1)

    assert scene.pauses == [1]
    assert scene.told == []


async def test_troubles_that_pass_do_not_add_up() -> None:
    api = BotApi()
    for number in range(3):
        api.troubles += [trouble(502), web.json_response({"ok": True, "result": [{"update_id": number}]})]
    async with polling(api) as scene:
        await scene.until_kept(3)

    assert scene.pauses == [1, 1, 1]
    assert scene.told == []


async def test_a_trouble_that_comes_back_is_said_again() -> None:
    api = BotApi()
    async with polling(api, poll=1) as scene:
        for number in range(2):
            api.troubles += [trouble(401), trouble(401)]
            api.comes(update(number))
            await scene.until_told(2 * number + 2)

    assert scene.told == [SENTENCES[Trouble.TOKEN], AGAIN] * 2


async def test_another_trouble_is_said_too() -> None:
    api = BotApi()
    api.troubles += [trouble(502), trouble(502), trouble(401), trouble(502)]
    api.comes(update(1))
    async with polling(api) as scene:
        await scene.until_kept(1)

    kinds = [Trouble.UNREACHABLE, Trouble.TOKEN, Trouble.UNREACHABLE]
    assert scene.told == [*(SENTENCES[kind] for kind in kinds), AGAIN]


async def test_two_programs_that_take_turns_are_said_once_until_the_other_is_gone() -> None:
    api = BotApi()
    async with polling(api, poll=1) as scene:
        for number in range(5):
            api.troubles.append(trouble(409, "Conflict: terminated by other getUpdates request"))
            api.comes(update(number))
            await scene.until_kept(number + 1)
        said_meanwhile = list(scene.told)
        await scene.until_told(2)

    assert said_meanwhile == [SENTENCES[Trouble.CONFLICT]]
    assert scene.told == [SENTENCES[Trouble.CONFLICT], AGAIN]


async def test_it_asks_less_and_less_often_while_nobody_is_there() -> None:
    pauses: list[float] = []
    told: list[str] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 9:
            raise asyncio.CancelledError

    async def keep(updates: Sequence[Update]) -> None:
        raise AssertionError(updates)

    async with ScriptedServer(hang_up) as server, AiohttpRequest() as request:
        with pytest.raises(asyncio.CancelledError):
            await Polling(request, server.url, keep, told.append, kinds=[], sleep=sleep).run()

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, LONGEST_PAUSE]
    assert told == [SENTENCES[Trouble.UNREACHABLE]]


async def test_it_waits_as_long_as_telegram_says() -> None:
    api = BotApi()
    api.troubles += [trouble(429, retry_after=35), trouble(429, retry_after="?"), trouble(429, retry_after=3600)]
    async with polling(api) as scene:
        await scene.until_paused(3)

    assert scene.pauses == [35, 5, 3600]


async def test_a_server_that_does_not_hold_the_line_is_not_asked_in_haste() -> None:
    api = BotApi()
    api.troubles += [web.json_response({"ok": True, "result": []}) for _ in range(5)]
    async with polling(api) as scene:
        await scene.until_paused(5)

    assert scene.pauses == [1] * 5
    assert scene.told == []


# ---------------------------------------------------------------- The end, and the cost


@pytest.mark.parametrize("poll", [2, 30])
async def test_it_ends_at_once_when_it_is_cancelled(poll: int) -> None:
    async with polling(BotApi(), poll=poll) as scene:
        await scene.until_asked(1)
        start = time.monotonic()

    assert time.monotonic() - start < 1


async def test_what_is_being_kept_when_it_is_cancelled_comes_again() -> None:
    api = BotApi()
    api.comes(update(1))
    keeping = asyncio.Event()

    async def keep(updates: Sequence[Update]) -> None:
        keeping.set()
        await asyncio.sleep(60)

    async with polling(api, keep=keep):
        await keeping.wait()
    async with polling(api) as scene:
        await scene.until_kept(1)

    assert scene.numbers == [1]


async def test_while_nothing_happens_it_does_next_to_nothing() -> None:
    async with polling(BotApi(), poll=30) as scene:
        await scene.until_asked(1)
        await asyncio.sleep(0.2)

    assert len(scene.api.asked) == 1
    assert scene.pauses == []
