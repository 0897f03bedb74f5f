"""Whatever Telegram answers, or does not: what becomes of a message, and that no other chat waits for it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot_api import Answers, BotApi, CutOff, Drip, Member, Refusal, Reset, Silence, Slow, answers, holds, refuses
from bot_api.faults import Fault
from bot_api.refusal import bad_request
from bots.telegram.messenger import NEW_TOKEN, SOON
from bots.telegram.request import LONGEST_WAIT, UNKNOWN_WAIT
from chat import START, Clock
from core.clinical import Disposition
from core.dialogue import Button, File, Notice, Prompt, Role, Verdict
from core.ledger import REPEATS, Delivery, Kind, Owed, Repeat, State
from core.members import Address
from core.outreach import AGAIN
from core.replies import plain
from core.storage import outbox
from telegram_chat import Running, Waits, running, words

MARK = words("platform", "may_repeat")
YES = (Button("abcdef.menu.0.care", "Yes", Role.ANSWER),)
SOON_OVER = START + timedelta(hours=1)
OWED = {
    Kind.QUESTION: Owed(Kind.QUESTION, plain(Prompt("Where?", "q", YES)), START),
    Kind.VERDICT: Owed(Kind.VERDICT, plain(Verdict("Rest.", Disposition.ROUTINE, (), YES)), START),
    Kind.NOTICE: Owed(Kind.NOTICE, plain(Notice("Because.")), START),
    Kind.FILE: Owed(Kind.FILE, plain(File("Here.", "a.json", "{}")), START),
    Kind.RECEIPT: Owed(Kind.RECEIPT, plain(Notice("Erased.")), START),
    Kind.CHECK_IN: Owed(Kind.CHECK_IN, plain(Prompt("How was it?", "q", YES)), START, SOON_OVER),
    Kind.TIP: Owed(Kind.TIP, plain(Notice("Sleep.")), START, SOON_OVER),
}
IMPATIENT = 0.5
"""Seconds that silence is listened to: here for less long than usual."""
NUMBERS = {kind: number for number, kind in enumerate(OWED, start=100)}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Sent:
    """A message that was owed to somebody, and what became of it."""

    member: Member
    delivery: Delivery
    calls: int
    state: State

    @property
    def copies(self) -> int:
        """Return how often the member sees it."""
        return len(self.member.heard) - 1

    @property
    def marked(self) -> bool:
        """Return whether the last copy says that it may be a repeat."""
        return self.member.last.text.startswith(MARK)


@asynccontextmanager
async def connected(folder: Path, clock: Clock, waits: Waits | None = None) -> AsyncIterator[Running]:
    """Give a bot to whom everyone has said hello."""
    async with BotApi(now=clock) as api, running(folder, api, now=clock, sleep=waits or Waits()) as bot:
        for kind, id in NUMBERS.items():
            bot.member(id, kind).says("/start")
        await bot.rests()
        yield bot
        assert (await bot.store.tallies()).conserved


async def owes(bot: Running, kind: Kind, fault: Fault | None, *, times: int = 1, edits: str | None = None) -> Delivery:
    """Have something sent, while the first calls for its chat go wrong."""
    chat = NUMBERS[kind]
    if isinstance(fault, Silence):
        bot.telegram._line.bot._request[1]._read = IMPATIENT  # type: ignore[attr-defined]
    if fault is not None:
        bot.api.faults.lay("*", fault, chat=chat, times=times)
    (delivery,) = await bot.store.plan(Address("telegram", str(chat)), [replace(OWED[kind], edits=edits)])
    bot.outreach.send([delivery])
    return delivery


async def kept(bot: Running, member: str) -> tuple[Delivery, ...]:
    """Return what is owed to a member, and was, as it stands in the store."""
    return await bot.store._read(lambda book: outbox.deliveries(book, member))


async def sent(bot: Running, fault: Fault, *, times: int = 1) -> dict[Kind, Sent]:
    """Have one message of each kind sent, each to somebody else, and return what became of them."""
    calls = len(bot.api.calls())
    deliveries = {kind: await owes(bot, kind, fault, times=times) for kind in OWED}
    await bot.rests()
    made = [call.chat for call in bot.api.calls()[calls:]]
    found = {}
    for kind, delivery in deliveries.items():
        at = {each.id: each.state for each in await kept(bot, delivery.member)}
        found[kind] = Sent(bot.member(NUMBERS[kind], kind), delivery, made.count(NUMBERS[kind]), at[delivery.id])
    return found


# ---------------------------------------------------------------- Refused


@pytest.mark.parametrize(
    ("fault", "reachable"),
    [
        (answers(400), True),
        (refuses(bad_request("message is too long")), True),
        (refuses(bad_request("can't parse entities: unclosed start tag")), True),
        (refuses(Refusal(413, "Request Entity Too Large")), True),
        (refuses(Refusal(418, "I am a teapot")), True),
        (Answers(code=400, body=b"<html>"), True),
        (answers(403), False),
        (refuses(Refusal(403, "Forbidden: user is deactivated")), False),
        (refuses(bad_request("chat not found")), False),
        (refuses(bad_request("PEER_ID_INVALID")), False),
    ],
    ids=repr,
)
async def test_what_is_refused_is_tried_once_and_dropped(
    tmp_path: Path, clock: Clock, fault: Fault, *, reachable: bool
) -> None:
    async with connected(tmp_path, clock) as bot:
        for kind, one in (await sent(bot, fault)).items():
            assert (kind, one.calls, one.state, one.copies) == (kind, 1, State.DROPPED, 0)
        await bot.store.plan(Address("telegram", "100"), [OWED[Kind.NOTICE]])
        assert bool(await bot.store.due(START, 1)) is reachable


# ---------------------------------------------------------------- Surely not sent


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [(answers(401), NEW_TOKEN), (answers(404), NEW_TOKEN), (answers(409), SOON)],
    ids=repr,
)
async def test_what_surely_was_not_sent_is_sent_once(tmp_path: Path, clock: Clock, fault: Fault, seconds: float) -> None:
    waits = Waits()
    async with connected(tmp_path, clock, waits) as bot:
        for kind, one in (await sent(bot, fault)).items():
            assert (kind, one.calls, one.state, one.copies, one.marked) == (kind, 2, State.SENT, 1, False)
    assert waits.seconds == [seconds] * len(OWED)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (1, 1),
        (3600, 3600),
        (10**9, LONGEST_WAIT),
        ("soon", UNKNOWN_WAIT),
        (None, UNKNOWN_WAIT),
        (-1, UNKNOWN_WAIT),
        (True, UNKNOWN_WAIT),
    ],
)
async def test_a_chat_that_is_limited_waits_for_as_long_as_telegram_asks(
    tmp_path: Path, clock: Clock, retry_after: object, seconds: float
) -> None:
    waits = Waits()
    async with connected(tmp_path, clock, waits) as bot:
        delivery = await owes(bot, Kind.NOTICE, holds(retry_after))
        await bot.api.until(lambda: bool(waits.seconds))

        assert waits.seconds == [seconds]
        tallies = await bot.store.tallies()
        assert (tallies.open, tallies.claimed, tallies.unknown) == (1, 0, 0)
        assert [call.code for call in bot.api.calls("sendMessage", chat=NUMBERS[Kind.NOTICE])] == [200, 429]
        assert [each.id for each in await bot.store.due(clock.at + timedelta(seconds=seconds), 5)] == [delivery.id]


async def test_a_chat_that_is_limited_for_no_time_is_written_to_after_a_second(tmp_path: Path, clock: Clock) -> None:
    async with connected(tmp_path, clock) as bot:
        await owes(bot, Kind.VERDICT, holds(0))
        await bot.rests()

        assert bot.member(NUMBERS[Kind.VERDICT], "").texts[1:] == ("Rest.",)
        assert (await bot.store.tallies()).sent == len(OWED) + 1


# ---------------------------------------------------------------- Nobody knows

UNKNOWN = [
    answers(500),
    answers(502),
    answers(503),
    Answers(code=302, body=b""),
    Answers(code=200, body=b"<html>"),
    Answers(code=200, body=b'{"ok": true, "result": {}}'),
    CutOff(),
    CutOff(whole=True),
    Silence(),
    Reset(),
]


@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("fault", UNKNOWN, ids=lambda fault: repr(fault)[:60])
async def test_of_what_nobody_knows_a_second_copy_is_sent_where_its_kind_allows_that(
    tmp_path: Path, clock: Clock, fault: Fault, *, done: bool
) -> None:
    waits = Waits()
    async with connected(tmp_path, clock, waits) as bot:
        for kind, one in (await sent(bot, replace(fault, done=done))).items():
            if REPEATS[kind] is Repeat.NEVER:
                assert (kind, one.calls, one.state, one.copies) == (kind, 1, State.UNKNOWN, int(done))
                continue
            assert (kind, one.calls, one.state, one.copies) == (kind, 2, State.SENT, 1 + done)
            assert one.marked is (REPEATS[kind] is Repeat.ONCE_MORE_MARKED)
        assert set(waits.seconds) == {AGAIN}


async def test_what_nobody_knows_twice_stays_unknown(tmp_path: Path, clock: Clock) -> None:
    async with connected(tmp_path, clock) as bot:
        for kind, one in (await sent(bot, answers(502), times=9)).items():
            again = REPEATS[kind] is not Repeat.NEVER
            assert (kind, one.calls, one.state) == (kind, 1 + again, State.UNKNOWN)


async def test_a_check_in_whose_window_is_over_is_not_repeated(tmp_path: Path, clock: Clock) -> None:
    async with connected(tmp_path, clock) as bot:
        clock.at, before = SOON_OVER, len(bot.api.calls())
        delivery = await owes(bot, Kind.CHECK_IN, Silence())
        await bot.api.until(lambda: NUMBERS[Kind.CHECK_IN] in [call.chat for call in bot.api.calls()[before:]])
        clock.at += timedelta(minutes=1)
        await bot.rests()

        assert len(bot.member(NUMBERS[Kind.CHECK_IN], "").heard) == 1
        assert (await bot.store.tallies()).unknown == 1
        assert delivery.until == SOON_OVER


@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("fault", UNKNOWN, ids=lambda fault: repr(fault)[:60])
async def test_an_edit_is_made_until_it_is_done(tmp_path: Path, clock: Clock, fault: Fault, *, done: bool) -> None:
    async with connected(tmp_path, clock) as bot:
        await owes(bot, Kind.QUESTION, None)
        await bot.rests()
        asked = bot.member(NUMBERS[Kind.QUESTION], "")
        question = asked.last
        (delivery,) = await bot.store.plan(
            Address("telegram", str(asked.user.id)),
            [Owed(Kind.QUESTION, plain(Prompt("Since when?", "q", YES)), START, edits=str(question.id))],
        )
        times = 1 if done or isinstance(fault, Silence) else 4
        if isinstance(fault, Silence):
            bot.telegram._line.bot._request[1]._read = IMPATIENT  # type: ignore[attr-defined]
        bot.api.faults.lay("editMessageText", replace(fault, done=done), times=times)
        bot.outreach.send([delivery])
        await bot.rests()

        assert question.text == "Since when?"
        assert asked.last is question
        assert len(bot.api.calls("editMessageText")) == times + 1
        assert (await bot.store.tallies()).unknown == 0


@pytest.mark.parametrize("fault", [Slow(seconds=0.1), Drip(seconds=0.001)], ids=repr)
async def test_a_slow_answer_is_an_answer(tmp_path: Path, clock: Clock, fault: Fault) -> None:
    async with connected(tmp_path, clock) as bot:
        for kind, one in (await sent(bot, fault)).items():
            assert (kind, one.calls, one.state, one.copies) == (kind, 1, State.SENT, 1)


async def test_what_was_owed_while_nobody_listened_is_sent_once_when_someone_does(tmp_path: Path, clock: Clock) -> None:
    waits = Waits()
    async with connected(tmp_path, clock, waits) as bot:
        gone = bot.api
        await gone._runner.cleanup()  # type: ignore[union-attr]
        deliveries = {kind: await owes(bot, kind, None) for kind in OWED}
        await gone.until(lambda: waits.seconds.count(SOON) > 3 * len(deliveries))
        back = BotApi(now=clock, port=gone._port)
        back.world = back.receiving.world = gone.world
        async with back:
            async with asyncio.timeout(10):
                await bot.outreach.done()

            assert all(len(bot.member(id, "").heard) == 2 for id in NUMBERS.values())
        tallies = await bot.store.tallies()
        assert (tallies.open, tallies.claimed, tallies.unknown, tallies.dropped) == (0, 0, 0, 0)


# ---------------------------------------------------------------- Nobody waits for another chat


@pytest.mark.parametrize(
    "fault",
    [Silence(), holds(3600), answers(502), answers(409), Reset(), Drip(seconds=1), answers(403)],
    ids=lambda fault: repr(fault)[:60],
)
async def test_one_dead_or_limited_chat_delays_no_other(tmp_path: Path, clock: Clock, fault: Fault) -> None:
    async with BotApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        dead, others = bot.member(1, "Dead"), [bot.member(id, "Anna") for id in range(2, 12)]
        api.faults.lay("*", fault, chat=1, times=None)
        dead.says("/hip")
        for member in others:
            member.says("/hip")

        began = time.monotonic()
        for member in others:
            await member.reads("Safety first", within=1)
        assert time.monotonic() - began < 1
        assert not [m for m in dead.heard if m.content.keyboard] or fault == Drip(seconds=1)
        api.faults.clear()
