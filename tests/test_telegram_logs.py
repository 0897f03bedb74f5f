"""On Telegram too no token, id, name, answer or text is in any log at any level; and the scan finds what it looks for."""

import asyncio
import io
import logging
from pathlib import Path

import pytest

import journey
import test_telegram_journeys
from bot_api import TOKEN, BotApi, CutOff, Reset, answers, holds, refuses
from bot_api.faults import Fault
from bot_api.refusal import bad_request
from bots.logs import HIDDEN, LIBRARIES, set_up
from bots.telegram.settings import Webhook
from chat import Clock, library
from telegram_chat import Waits, asked, running, words
from test_calendar import event as run
from test_calendar import file
from test_logs import Plain, logging_as_it_was
from test_telegram_journeys import PATHS, replayed
from test_telegram_webhook import posted, shown

__all__ = ["logging_as_it_was"]

ANNA, BEN = 4815162342, 2342160815
NAME, TITLE, TYPED, FORGED, SECRET, WRONG = (
    "Zebedee",
    "Wolpertinger",
    "basilisk",
    "cockatrice",
    "manticore-secret-x",
    "chimaera-secret",
)
WRONG_TOKEN = "987654321:" + "BBcanary_" + "k3Yb9Qw7Lm" * 3
FAULTS: tuple[Fault, ...] = (
    answers(400),
    answers(401),
    answers(403),
    answers(404),
    answers(500),
    answers(502),
    refuses(bad_request(f"can't parse {TYPED}")),
    CutOff(done=True),
    CutOff(whole=True, done=True),
    Reset(),
    holds(3600),
)
RUNS = file(run(f"UID:{TYPED}", f"SUMMARY:{TYPED}", "DTSTART:20261124T183000"))
LABELS = {words("questions", q.id, "choices", c.id) for q in library().pathway.questions for c in q.choices}
CANARIES = (
    *(str(ANNA), str(BEN), NAME, TITLE, TYPED, FORGED, SECRET, WRONG),
    *(TOKEN, TOKEN.partition(":")[2], WRONG_TOKEN, "-1004000000", "438200000", "t.me/", "?start="),
    *(label for label in LABELS if len(label) > 8),
)


@pytest.fixture
def out() -> io.StringIO:
    """Return what is logged, set up at DEBUG."""
    stream = io.StringIO()
    set_up("DEBUG", stream)
    return stream


def found(stream: io.StringIO) -> list[str]:
    return [canary for canary in CANARIES if canary in stream.getvalue()]


async def everything_happens(folder: Path) -> None:
    """Do what members, strangers, groups and networks do."""
    async with BotApi(now=Clock()) as api:
        async with running(folder, api, token=WRONG_TOKEN, sleep=Waits()) as bot:
            await api.until(lambda: bool(bot.told))
        async with running(folder, api, now=api.world.now, sleep=Waits()) as bot:
            anna, ben = bot.member(ANNA, NAME), bot.member(BEN, NAME)
            club = api.group(TITLE, anna.user, supergroup=True)
            for text in ("/start", TYPED, f"/care {TYPED}", "/hip", "3", "done"):
                anna.says(text)
                await bot.rests()
            anna.forges(anna.last, FORGED)
            ben.forges(anna.last, FORGED)
            club.member(anna.user).says("/hip")
            api.inject({"message": {"text": [TYPED], "from": anna.user.json}})
            api.inject({"message": TYPED})
            api.inject({"callback_query": {"id": TYPED, "from": ben.user.json, "data": FORGED}})
            await bot.rests()
            anna.opens(club.member(anna.user).last.content.buttons[0])
            anna.sends(f"{TYPED}.pdf")
            await bot.rests()
            club.admin(anna.user).says("/club")
            await bot.rests()
            anna.opens(club.member(anna.user).last.content.buttons[0])
            anna.says("/club zone Berlin")
            for method in ("getFile", "file", "getChatMember"):
                for fault in FAULTS:
                    api.faults.lay(method, fault)
                    anna.sends(f"{TYPED}.ics", RUNS, "text/calendar")
                    await bot.rests()
                    api.world.now.moves(minutes=1)  # type: ignore[attr-defined]
            for fault in FAULTS:
                ben.says(f"/care {TYPED}")
                await bot.rests()
                api.faults.lay("*", fault, chat=BEN)
                api.faults.lay("answerCallbackQuery", fault)
                api.faults.lay("getUpdates", fault)
                ben.says(f"/hip {TYPED}")
                anna.forges(anna.last, FORGED)
                await asyncio.sleep(0.02)
            anna.blocks()
            api.faults.clear()


async def somebody_posts(folder: Path, port: int) -> None:
    """Deliver to the webhook, with the secret and without."""
    webhook = Webhook(f"http://127.0.0.1:{port}/tg", port, (SECRET,))
    async with BotApi(now=Clock()) as api, running(folder, api, webhook=webhook, sleep=Waits()) as bot:
        await api.until(lambda: asked(api) > bot.before)
        for secret in (SECRET, WRONG, WRONG * 1000):
            for body in (TYPED.encode(), b'{"update_id": 7, "message": "' + TYPED.encode() + b'"}', TYPED.encode() * 200_000):
                await posted(webhook, body, headers=shown(secret))
        bot.member(ANNA, NAME).says(TYPED)
        await bot.rests()


async def test_without_the_filter_the_scan_finds_what_it_looks_for(tmp_path: Path) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    root.addHandler(Plain(stream))
    root.setLevel(logging.DEBUG)
    for name in LIBRARIES:  # an earlier test may have capped them
        logging.getLogger(name).setLevel(logging.NOTSET)
    await everything_happens(tmp_path)

    assert {str(ANNA), NAME, TYPED, TOKEN} <= set(found(stream))
    assert any(label in found(stream) for label in LABELS)


async def test_nothing_of_a_member_or_a_token_is_in_any_log(tmp_path: Path, out: io.StringIO) -> None:
    await everything_happens(tmp_path)

    assert found(out) == []
    assert HIDDEN not in out.getvalue()  # nor was there anything to be taken out
    for event in (
        *("telegram.connected", "telegram.not_connected", "delivery.dropped", "delivery.unknown", "update.unreadable"),
        *("club.claimed", "file.not_fetched"),
    ):
        assert event in out.getvalue()


async def test_nothing_that_is_posted_is_in_any_log(tmp_path: Path, out: io.StringIO, unused_tcp_port: int) -> None:
    await somebody_posts(tmp_path, unused_tcp_port)

    assert found(out) == []
    for event in ("webhook.refused", "webhook.unreadable"):
        assert event in out.getvalue()


async def scanned(path: Path, folder: Path, out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_telegram_journeys, "ANNA", ANNA)
    await asyncio.wait_for(replayed(path, folder), 60)

    typed = [step.partition(": ")[2] for step in journey.steps(path)]
    assert found(out) == []
    assert not [text for text in typed if len(text) > 8 and text in out.getvalue()]
    assert out.getvalue().count("telegram.connected") == 1


@pytest.mark.parametrize("path", PATHS[6::60], ids=journey.name_of)
async def test_a_journey_leaves_nothing_in_the_logs(
    path: Path, tmp_path: Path, out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scanned(path, tmp_path, out, monkeypatch)


@pytest.mark.prove
@pytest.mark.parametrize("path", PATHS, ids=journey.name_of)
async def test_no_journey_leaves_anything_in_the_logs(
    path: Path, tmp_path: Path, out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scanned(path, tmp_path, out, monkeypatch)
