"""A bot that was away acts on all that waited for it, and says in one message where that has led."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot_api import BotApi, Member
from bots.telegram.adapter import LATE
from bots.telegram.backlog import Backlog
from chat import Clock
from core.companion import Answer
from core.dialogue import Notice
from core.ledger import Delivery, Kind, Owed
from core.members import Address
from core.outreach import Outreach
from core.replies import plain
from core.storage import Store
from fakes import ANNA as STORED
from fakes import owed as owing
from fakes import store as opened
from telegram_chat import Waits, running, words

ANNA, BEN = 4711, 815
BODY, HEALTH, AGE, PLACE = (words("questions", id, "ask").splitlines()[0] for id in ("body", "health", "age", "place"))
DANGER = "Call 112, 999 or 911 now, or go to an emergency department."
EMERGENCY = words("dispositions", "emergency", "first").partition("{")[0]
FOLLOW_UP = words("privacy", "consents", "follow_up", "name")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def api(clock: Clock) -> AsyncIterator[BotApi]:
    async with BotApi(now=clock) as api:
        yield api


@pytest.fixture
def anna(api: BotApi) -> Member:
    return api.private(api.user(ANNA, "Anna"))


async def comes_back(folder: Path, api: BotApi, clock: Clock, after: timedelta = LATE * 2) -> None:
    """Let the bot run, some time after all that waits for it was written, until there is nothing left to do."""
    clock.at += after
    async with running(folder, api, now=clock, sleep=Waits()) as bot:
        await bot.rests()
        tallies = await bot.store.tallies()
    assert tallies.conserved
    assert (tallies.open, tallies.claimed, tallies.unknown, tallies.dropped) == (0, 0, 0, 0)


def firsts(member: Member) -> list[str]:
    """Return the first line of each message of the bot."""
    return [message.text.splitlines()[0] for message in member.heard]


@pytest.mark.parametrize(
    "case",
    [
        (["/hip"], [BODY]),
        (["/hip", "none of these", "none of these", "34"], [PLACE]),
        (["/hip", "/hip", "hello?", "go on", "are you there"], [BODY]),
        (["/start", "/help", "/care", "/privacy", "/mydata", "/settings", "/hip"], [BODY]),
        (["/hip", "none of these", "/care", "/care bursitis"], [words("care", "gtps", "title")]),
        (["/hip", "I can't feel my legs", "/hip", "go on"], [DANGER, BODY]),
        (["/hip", "/stop"], [words("ui", "stopped")]),
        (["/hip", "3", "done", "1", "done", "/help"], [EMERGENCY, "/hip checks a sore hip"]),
        (["/hip", "3", "done", "1", "done", "/hip", "start again"], [EMERGENCY, BODY]),
        (["no sense at all"] * 150, [words("ui", "too_fast")]),
    ],
    ids=lambda case: " ".join(case[0])[:60],
)
async def test_what_waited_is_answered_in_one_message_and_what_matters_is_always_said(
    tmp_path: Path, api: BotApi, anna: Member, clock: Clock, case: tuple[list[str], list[str]]
) -> None:
    typed, shown = case
    for text in typed:
        anna.says(text)

    await comes_back(tmp_path, api, clock)

    assert len(anna.heard) == len(shown)
    assert [want in message.text for want, message in zip(shown, anna.heard, strict=True)] == [True] * len(shown)


async def test_every_update_is_acted_on(tmp_path: Path, api: BotApi, anna: Member, clock: Clock) -> None:
    for text in ("/hip", "3", "done", "2", "done"):
        anna.says(text)
    await comes_back(tmp_path, api, clock)
    anna.says("my answers")

    await comes_back(tmp_path, api, clock)

    assert "Numb/tingly between legs, toilet trouble" in anna.last.text


async def test_each_member_has_an_answer_of_their_own(tmp_path: Path, api: BotApi, anna: Member, clock: Clock) -> None:
    ben = api.private(api.user(BEN, "Ben"))
    for member in (anna, ben, anna, ben):
        member.says("/hip")

    await comes_back(tmp_path, api, clock)

    assert [len(anna.heard), len(ben.heard)] == [1, 1]


async def test_what_was_written_just_now_is_answered_one_by_one(
    tmp_path: Path, api: BotApi, anna: Member, clock: Clock
) -> None:
    for text in ("/hip", "none of these", "none of these"):
        anna.says(text)

    await comes_back(tmp_path, api, clock, after=timedelta(seconds=90))

    assert len(anna.heard) == 3


async def test_a_withdrawal_is_always_said(tmp_path: Path, api: BotApi, anna: Member, clock: Clock) -> None:
    async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        anna.says("/privacy")
        await bot.rests()
        for label in (words("ui", "buttons", "consents"), FOLLOW_UP, words("privacy", "consents", "follow_up", "give")):
            anna.taps(label)
            await bot.rests()
        anna.taps(words("ui", "buttons", "consents"))
        await bot.rests()
        anna.taps(FOLLOW_UP)
        await bot.rests()
    seen = len(anna.heard)
    anna.taps(words("privacy", "consents", "follow_up", "withdraw"))
    anna.says("/hip")
    anna.says("/care")

    await comes_back(tmp_path, api, clock, after=timedelta(seconds=140))

    assert words("privacy", "consents", "follow_up", "withdrawn") in [m.text for m in anna.heard[seen:]]


@pytest.mark.parametrize("then", ["blocks and unblocks", "something unreadable", "an edit"])
async def test_an_answer_that_waits_for_the_next_is_sent_where_that_is_none(
    tmp_path: Path, api: BotApi, anna: Member, clock: Clock, then: str
) -> None:
    for text in ("/hip", "none of these"):
        anna.says(text)
    match then:
        case "blocks and unblocks":
            anna.blocks()
            anna.unblocks()
        case "something unreadable":
            api.inject({"message": {"chat": {"id": ANNA, "type": "private"}, "from": 5}})
        case _:
            anna.edits(anna.shown[0], "/care")

    await comes_back(tmp_path, api, clock)

    assert [HEALTH in text for text in anna.texts] == [True]


async def test_what_was_kept_by_a_process_that_died_is_answered_at_the_next_start(
    tmp_path: Path, api: BotApi, anna: Member, clock: Clock
) -> None:
    address = Address("telegram", str(ANNA))
    async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        anna.says("/start")
        await bot.rests()
        for number, text in enumerate(("/hip", "none of these"), start=1):
            message = {"message_id": number, "date": int(clock().timestamp()), "chat": anna.chat.json}
            update = {"update_id": number, "message": {**message, "from": anna.user.json, "text": text}}
            await bot.store.receive("telegram", str(number), json.dumps(update).encode(), address)

    await comes_back(tmp_path, api, clock)

    assert [HEALTH in text for text in anna.texts[1:]] == [True]


async def test_what_a_process_that_died_still_owed_is_said_before_the_answers_to_what_it_left(
    tmp_path: Path, api: BotApi, anna: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    recover = Store.recover

    async def slowly(store: Store, platform: str, now: datetime) -> tuple[Delivery, ...]:
        await asyncio.sleep(0.1)
        return await recover(store, platform, now)

    monkeypatch.setattr(Store, "recover", slowly)
    address = Address("telegram", str(ANNA))
    async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        anna.says("/start")
        await bot.rests()
        owed = [Owed(Kind.NOTICE, plain(Notice(f"owed {number}")), clock()) for number in range(3)]
        await bot.store.plan(address, owed)
        message = {"message_id": 1, "date": int(clock().timestamp()), "chat": anna.chat.json}
        update = {"update_id": 1, "message": {**message, "from": anna.user.json, "text": "/care"}}
        await bot.store.receive("telegram", "1", json.dumps(update).encode(), address)
    seen = len(anna.heard)

    await comes_back(tmp_path, api, clock)

    assert firsts(anna)[seen : seen + 3] == ["owed 0", "owed 1", "owed 2"]
    assert len(anna.heard) == seen + 4


async def test_what_is_left_out_is_noted_before_what_takes_its_place_is_sent(
    tmp_path: Path, api: BotApi, anna: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("/hip", "none of these", "none of these", "34"):
        anna.says(text)
    claim, owed = Store.claim, []

    async def watched(store: Store, delivery: Delivery) -> Delivery | None:
        owed.append((await store.tallies()).open)
        return await claim(store, delivery)

    monkeypatch.setattr(Store, "claim", watched)
    await comes_back(tmp_path, api, clock)

    assert owed == [1]  # else a process that is killed now would send an older screen after this one


async def test_what_hangs_when_it_stops_is_left_and_done_at_the_next_start(
    tmp_path: Path, api: BotApi, anna: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def hangs(*_: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        monkeypatch.setattr(bot.telegram._adapter._companion, "answer", hangs)
        anna.says("/hip")
        await begun.wait()
    assert left.is_set()
    assert not anna.heard

    await comes_back(tmp_path, api, clock)
    assert BODY in anna.last.text


async def test_each_late_answer_gives_the_next_one_its_time(tmp_path: Path) -> None:
    """As on a webhook, where updates come one by one: only when none has come for a moment is anything said."""
    pauses: list[asyncio.Event] = []

    async def sleep(_seconds: float) -> None:
        pauses.append(asyncio.Event())
        await pauses[-1].wait()

    async with opened(tmp_path) as kept:
        backlog = Backlog(Outreach(kept, {}, kept._now), sleep)
        for text in ("one", "two"):
            backlog.add(STORED, Answer((), await kept.plan(STORED, [owing(Kind.QUESTION, text)])))
            backlog.release_soon(STORED)
            await asyncio.sleep(0)

        pauses[0].set()
        await asyncio.sleep(0.01)
        assert (await kept.tallies()).skipped == 0
        pauses[1].set()
        await backlog.done()
        assert (await kept.tallies()).skipped == 1
