"""What becomes of an answer on Discord when the API, the network, the database or the process does not play along."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bots import bootstrap
from bots.discord import adapter, exchange, messenger
from bots.discord.adapter import DEFER_AFTER
from bots.discord.limits import PACE
from bots.discord.messenger import owed
from chat import Clock
from core.dialogue import Notice
from core.ledger import Tallies
from core.members import Address
from core.ports import Records
from core.record import Record
from core.replies import owed as owed_as
from discord_api import (
    Answer,
    Can,
    Club,
    CutOff,
    DiscordApi,
    Fault,
    Member,
    Refusal,
    Reset,
    Silence,
    Slow,
    answers,
    bans,
    holds,
    refuses,
)
from discord_chat import Running, running, words
from telegram_chat import Waits

ANNA = 4711
BODY = words("questions", "body", "ask").splitlines()[0]
HEALTH = words("questions", "health", "ask").splitlines()[0]
NONE = words("questions", "body", "none")

FAULTS = {
    "500": answers(500),
    "502": answers(502),
    "503": answers(503),
    "504": answers(504),
    "reset": Reset(),
    "closed": Reset(closed=True),
    "cut off": CutOff(done=True),
    "broken": CutOff(done=True, whole=True),
    "silence": Silence(),
    "500 and done": answers(500, done=True),
    "502 and done": answers(502, done=True),
    "503 and done": answers(503, done=True),
    "504 and done": answers(504, done=True),
    "reset and done": Reset(done=True),
    "closed and done": Reset(done=True, closed=True),
    "silence and done": Silence(done=True),
}
"""Ways in which it is not known what became of a request."""


@dataclass
class Held:
    """Records that no turn gets at until they are let go."""

    kept: Records
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def load(self, address: Address) -> Record:
        await self.free.wait()
        return await self.kept.load(address)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kept, name)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for what is a second in earnest."""
    monkeypatch.setattr(exchange, "CALLBACK_SECONDS", 0.3)
    monkeypatch.setattr(exchange, "EDIT_SECONDS", 0.3)
    monkeypatch.setattr(messenger, "SEND_SECONDS", 0.3)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def bot(tmp_path: Path, clock: Clock, waits: Waits) -> AsyncIterator[Running]:
    """Give a bot that runs; nothing that was owed may be unaccounted for in the end."""
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=waits) as bot:
        yield bot
        await bot.rests()
        assert (await bot.store.tallies()).conserved
        assert api.said_in_public() == ()


@pytest.fixture
def anna(bot: Running) -> Member:
    return bot.member(ANNA, "Anna")


async def types(bot: Running, member: Member, *lines: str) -> None:
    for line in lines:
        member.types(line)
        await bot.rests()


async def clicks(bot: Running, member: Member, *labels: str) -> None:
    for label in labels:
        member.clicks(label)
        await bot.rests()


async def settled(bot: Running) -> Tallies:
    await bot.rests()
    return await bot.store.tallies()


def first_answers(bot: Running) -> list[object]:
    return [request.json.get("type") for request in bot.api.calls("callback") if request.done]


# ---------------------------------------------------------------- In time


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is not answered deferred at once."""
    monkeypatch.setattr(adapter, "DEFER_AFTER", 0.05)


@pytest.fixture
async def slow(tmp_path: Path, clock: Clock, impatient: None) -> AsyncIterator[tuple[Running, Held]]:
    """Give a bot whose turns wait."""
    held: list[Held] = []

    def hold(kept: Records) -> Records:
        held.append(Held(kept))
        return held[0]

    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=Waits(), records=hold) as bot:
        yield bot, held[0]


async def test_a_command_that_takes_long_is_deferred_and_then_answered(slow: tuple[Running, Held]) -> None:
    bot, held = slow
    anna = bot.member(ANNA, "Anna")
    asked = await anna.answered(anna.types("/hip"))
    assert (asked.answer, anna.thinking) == (Answer.DEFER, True)
    held.free.set()
    await bot.rests()

    assert BODY in anna.last.text
    assert not anna.thinking
    assert [message.reader for message in anna.heard] == [anna.user]
    assert first_answers(bot) == [Answer.DEFER]


async def test_a_press_that_takes_long_is_deferred_and_the_message_then_changed(slow: tuple[Running, Held]) -> None:
    bot, held = slow
    anna = bot.member(ANNA, "Anna")
    held.free.set()
    await types(bot, anna, "/hip")
    held.free.clear()
    asked = await anna.answered(anna.clicks(NONE))
    assert asked.answer is Answer.DEFER_UPDATE
    held.free.set()
    await bot.rests()

    assert HEALTH in anna.last.text
    assert len(anna.heard) == 1


async def test_what_members_do_meanwhile_is_taken_in_order(slow: tuple[Running, Held]) -> None:
    bot, held = slow
    anna = bot.member(ANNA, "Anna")
    held.free.set()
    await types(bot, anna, "/hip")
    held.free.clear()
    first, second = anna.clicks(NONE), anna.types("/why")
    await anna.answered(first)
    await anna.answered(second)
    held.free.set()
    await bot.rests()

    assert [call.status for call in bot.api.calls("edit_original")] == [200, 200]
    assert (await settled(bot)).sent == 3


async def test_a_database_that_is_locked_holds_up_no_acknowledgement(
    bot: Running, anna: Member, tmp_path: Path, impatient: None
) -> None:
    locked = sqlite3.connect(tmp_path / "hipwise.db", isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    asked = await anna.answered(anna.types("/hip"), within=1.5)
    assert asked.answer is Answer.DEFER
    locked.execute("ROLLBACK")
    locked.close()
    await bot.rests()

    assert BODY in anna.last.text
    assert len(anna.heard) == 1


async def test_an_answer_that_is_ready_in_time_is_not_deferred(bot: Running, anna: Member) -> None:
    await types(bot, anna, "/hip")
    await asyncio.sleep(0.1)

    assert first_answers(bot) == [Answer.MESSAGE]


async def test_bulk_that_is_under_way_holds_up_no_answer(bot: Running, anna: Member) -> None:
    people = [bot.dm(1000 + n, f"Runner {n}") for n in range(2 * PACE.permits)]
    bot.api.faults.lay("send", Slow(seconds=0.2), times=None)
    for one in people:
        (owing,) = owed([Notice("How was your run?")], bootstrap.now(), str(one.channel.id))
        window = replace(owing, until=bot.now() + timedelta(hours=1))
        bot.outreach.send(await bot.store.plan(Address("discord", str(one.user.id)), [window]))
    await bot.api.until(lambda: len(bot.api.calls("send")) >= 3)
    asked = await anna.answered(anna.types("/hip"), within=DEFER_AFTER / 2)

    assert asked.answer is Answer.MESSAGE
    assert not all(one.heard for one in people)
    await bot.api.until(lambda: all(one.heard for one in people))
    await bot.rests()
    assert all(len(one.heard) == 1 for one in people)


async def test_where_nothing_can_be_kept_members_are_answered_and_told(bot: Running, anna: Member) -> None:
    ben = bot.dm(ANNA + 1, "Ben")
    await bot.store.close()
    await types(bot, anna, "/hip")
    await clicks(bot, anna, NONE)
    ben.says("/hip")
    await bot.rests()
    assert HEALTH in anna.last.text
    assert BODY in ben.last.text
    assert words("ui", "not_kept").splitlines()[0] in ben.last.text
    await bot.store.open()


# ---------------------------------------------------------------- Nothing doubled, nothing lost


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_command_whose_answer_may_be_lost_is_answered_once(bot: Running, anna: Member, fault: Fault) -> None:
    bot.api.faults.lay("callback", fault)
    await types(bot, anna, "/hip")

    assert [BODY in message.text for message in anna.heard] == [True]
    assert (await settled(bot)).sent == 1


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_press_whose_answer_may_be_lost_changes_the_message(bot: Running, anna: Member, fault: Fault) -> None:
    await types(bot, anna, "/hip")
    bot.api.faults.lay("callback", fault)
    await clicks(bot, anna, NONE)

    assert [HEALTH in message.text for message in anna.heard] == [True]
    assert (await settled(bot)).sent == 2


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_what_is_written_is_answered_once(bot: Running, fault: Fault) -> None:
    anna = bot.dm(ANNA, "Anna")
    bot.api.faults.lay("send", fault)
    anna.says("/hip")
    await bot.rests()

    assert [BODY in message.text for message in anna.heard] == [True]
    assert (await settled(bot)).sent == 1


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_an_edit_that_may_be_lost_is_made_again(slow: tuple[Running, Held], fault: Fault) -> None:
    bot, held = slow
    anna = bot.member(ANNA, "Anna")
    bot.api.faults.lay("edit_original", fault, times=2)
    await anna.answered(anna.types("/hip"))
    held.free.set()
    await bot.rests()

    assert [BODY in message.text for message in anna.heard] == [True]
    assert (await settled(bot)).sent == 1


async def test_an_outage_of_a_few_seconds_loses_nothing_that_was_deferred(slow: tuple[Running, Held]) -> None:
    bot, held = slow
    anna = bot.member(ANNA, "Anna")
    bot.api.faults.lay("edit_original", answers(503), times=15)
    await anna.answered(anna.types("/hip"))
    held.free.set()
    await bot.rests()

    assert [BODY in message.text for message in anna.heard] == [True]


async def test_of_a_tenth_of_the_responses_that_are_dropped_nobody_notices(bot: Running, anna: Member) -> None:
    ben = bot.dm(ANNA + 1, "Ben")
    bot.api.faults.dropped = 0.1
    for _ in range(10):
        await types(bot, anna, "/hip")
        await clicks(bot, anna, "Start again" if "Start again" in anna.last.labels else NONE)
        ben.says("/hip")
        await bot.rests()
    bot.api.faults.clear()
    tallies = await settled(bot)

    assert tallies.sent == tallies.planned == 30
    assert len(ben.heard) == 10
    assert nothing_doubled(bot)


def nothing_doubled(bot: Running) -> bool:
    """Return whether every interaction has at most one message of its own, and every nonce one."""
    nonces = {request.json["nonce"] for request in bot.api.calls("send")}
    written = [m for c in bot.api.world.channels.values() if c.private for m in c.messages.values() if m.sender == bot.api.bot]
    alone = all(len(one.messages) <= 1 for one in bot.api.interactions.all)
    return alone and len([m for m in written if "interaction_metadata" not in m.extra]) == len(nonces)


async def test_an_answer_that_was_given_already_counts_as_given(bot: Running, anna: Member) -> None:
    bot.api.faults.lay("callback", refuses(40060, done=True))
    await types(bot, anna, "/hip")

    assert [BODY in message.text for message in anna.heard] == [True]
    assert (await settled(bot)).sent == 1


async def test_what_comes_too_late_waits_for_the_next_action(bot: Running, anna: Member) -> None:
    bot.api.faults.lay("callback", refuses(10062))
    await types(bot, anna, "/hip")
    assert not anna.heard
    assert (await settled(bot)).dropped == 1
    await types(bot, anna, "/hip")

    assert len(anna.heard) == 1
    assert words("ui", "buttons", "go_on") in anna.last.labels


async def test_an_interaction_that_is_told_twice_is_acted_on_once(bot: Running, anna: Member) -> None:
    asked = anna.types("/hip")
    bot.api.world.tell("INTERACTION_CREATE", asked.json, 0)
    await bot.rests()

    assert (await settled(bot)).planned == 1
    assert len(anna.heard) == 1


async def test_what_a_member_has_put_away_cannot_be_changed_any_more(slow: tuple[Running, Held]) -> None:
    bot, held = slow
    anna = bot.member(ANNA, "Anna")
    asked = await anna.answered(anna.types("/hip"))
    assert asked.original is not None
    bot.api.world.delete(asked.original)
    held.free.set()

    assert (await settled(bot)).dropped == 1


# ---------------------------------------------------------------- Limits


@pytest.mark.parametrize("hold", [holds(0.2), holds(0.2, bucket="b"), holds(0.2, scope="global"), holds(0.2, scope="shared")])
async def test_who_is_told_to_wait_waits(bot: Running, waits: Waits, anna: Member, hold: Fault) -> None:
    bot.api.faults.lay("callback", hold)
    await types(bot, anna, "/hip")
    ben = bot.dm(ANNA + 1, "Ben")
    bot.api.faults.lay("send", hold)
    ben.says("/hip")
    await bot.rests()

    assert [len(anna.heard), len(ben.heard)] == [1, 1]
    assert (await settled(bot)).sent == 2
    assert waits.seconds.count(0.2) == 2


@pytest.mark.parametrize("refusal", [answers(403), refuses(50001), bans(), answers(401)])
async def test_too_much_that_is_refused_ends_all_asking(tmp_path: Path, clock: Clock, refusal: Fault) -> None:
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        people = [bot.dm(1000 + n, f"Runner {n}") for n in range(5)]
        api.faults.lay("send", refusal, times=None)
        for _ in range(25):
            for one in people:
                one.says("hello")
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        assert 1 < api.invalid() < 100
        anna = bot.member(ANNA, "Anna")
        anna.types("/hip")
        await anna.reads(BODY)


async def test_at_most_forty_messages_a_second_are_sent(tmp_path: Path) -> None:
    async with DiscordApi() as api, running(tmp_path, api, now=bootstrap.now) as bot:
        people = [bot.dm(1000 + n, f"Runner {n}") for n in range(45)]
        for one in people:
            one.says("/hip")
        await bot.rests()

    assert all(len(one.heard) == 1 for one in people)
    assert api.fastest() <= 40


# ---------------------------------------------------------------- Who cannot be written to


async def test_who_lets_no_bot_write_is_answered_where_they_ask(bot: Running, clock: Clock) -> None:
    anna = bot.dm(ANNA, "Anna")
    anna.closes_dms()
    anna.says("/hip")
    await bot.rests()
    assert not anna.heard
    assert (await settled(bot)).dropped == 1
    await bot.store.plan(Address("discord", str(ANNA)), [owed_as(Notice("How was your run?"), clock())])
    assert not await bot.store.due(clock(), 10)  # nothing is tried until they write again
    here = bot.member(ANNA, "Anna")
    await types(bot, here, "/hip")

    assert [message.reader for message in here.heard] == [here.user]
    assert len(await bot.store.due(clock(), 10)) == 1


@pytest.mark.parametrize(("status", "code"), [(400, 50007), (403, 50007), (403, 50278), (403, 50001), (404, 10003)])
async def test_who_turns_out_not_to_be_reached_is_written_to_no_more(bot: Running, status: int, code: int) -> None:
    anna = bot.dm(ANNA, "Anna")
    bot.api.faults.lay("send", refuses(Refusal(status, code, "No")))
    anna.says("/hip")
    await bot.rests()

    assert (await settled(bot)).dropped == 1
    await bot.store.plan(Address("discord", str(ANNA)), [owed_as(Notice("How was your run?"), bootstrap.now())])
    assert not await bot.store.due(bootstrap.now(), 10)


async def test_a_member_who_has_left_is_written_to_no_more(bot: Running) -> None:
    anna = bot.dm(ANNA, "Anna")
    guild = next(iter(bot.api.world.guilds.values()))
    del guild.members[ANNA]
    anna.says("/hip")
    await bot.rests()

    assert anna.heard == ()
    assert (await settled(bot)).dropped == 1


async def test_a_server_without_the_bot_is_answered_too(bot: Running, anna: Member) -> None:
    asked = anna.types("/hip")
    guild = next(iter(bot.api.world.guilds.values()))
    guild.has_bot = False
    await bot.rests()

    assert asked.answer is not None


async def test_where_the_bot_may_do_nothing_members_are_answered(bot: Running) -> None:
    guild = next(iter(bot.api.world.guilds.values()), None) or bot.api.guild("Runners").guild
    club = Club(bot.api, guild)
    anna = club.member(bot.api.user(ANNA, "Anna"), club.adds_channel("quiet", bot_may=Can(0)))
    await types(bot, anna, "/hip")
    await clicks(bot, anna, NONE)
    await types(bot, anna, "/mydata")

    assert HEALTH in anna.heard[0].text
    assert [message.reader for message in anna.heard] == [anna.user] * 2


async def test_no_conversation_is_opened_by_the_bot(bot: Running, anna: Member) -> None:
    await types(bot, anna, "/hip", "/forget", "/mydata")

    assert not bot.api.calls("open_dm")


async def test_who_has_not_opened_the_conversation_is_not_written_to(bot: Running, anna: Member) -> None:
    await types(bot, anna, "/hip")
    owing = owed_as(Notice("How was your run?"), bootstrap.now())
    bot.outreach.send(await bot.store.plan(Address("discord", str(ANNA)), [owing]))

    assert (await settled(bot)).dropped == 1
    await bot.store.plan(Address("discord", str(ANNA)), [owing])
    assert not await bot.store.due(bootstrap.now(), 10)
    assert not bot.api.calls("open_dm", "send")


# ---------------------------------------------------------------- Killed and started again


async def killed(tmp_path: Path, api: DiscordApi, clock: Clock, *, route: str, fault: Fault, line: str) -> Member:
    """Return a member whose request was under way when the process ended."""
    async with running(tmp_path, api, now=clock) as bot:
        anna = bot.dm(ANNA, "Anna") if route == "send" else bot.member(ANNA, "Anna")
        api.faults.lay(route, fault, times=None)
        api.faults.lay("edit_original", Silence(), times=None)  # else a slow machine has the time to find out
        if route == "send":
            anna.says(line)
        else:
            anna.types(line)
        await api.until(lambda: bool(api.calls(route)))
        await asyncio.sleep(0.05)
    api.faults.clear()
    return anna


@pytest.mark.parametrize("route", ["callback", "send"])
@pytest.mark.parametrize("minutes", [1, 10])
async def test_what_was_there_before_a_kill_is_there_once(tmp_path: Path, clock: Clock, route: str, minutes: int) -> None:
    async with DiscordApi(now=clock) as api:
        anna = await killed(tmp_path, api, clock, route=route, fault=Silence(done=True), line="/hip")
        clock.moves(minutes=minutes)
        async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
            await bot.rests()
            assert (await bot.store.tallies()).sent == 1

    assert [BODY in message.text for message in anna.heard] == [True]


async def test_what_was_written_and_not_answered_before_a_kill_is_answered_after(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api:
        anna = await killed(tmp_path, api, clock, route="send", fault=Silence(), line="/hip")
        async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
            await bot.rests()

    assert [BODY in message.text for message in anna.heard] == [True]


async def test_what_was_not_there_before_a_kill_is_there_at_the_next_action(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api:
        anna = await killed(tmp_path, api, clock, route="callback", fault=Silence(), line="/hip")
        clock.moves(minutes=1)
        async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
            await bot.rests()
            assert (await bot.store.tallies()).dropped == 1
            await types(bot, anna, "/hip")

    assert words("ui", "buttons", "go_on") in anna.last.labels
    assert len(anna.heard) == 1


async def test_what_is_older_than_a_quarter_of_an_hour_is_let_go(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api:
        await killed(tmp_path, api, clock, route="callback", fault=Silence(done=True), line="/hip")
        clock.moves(minutes=16)
        before = len(api.calls("edit_original"))
        async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
            await bot.rests()
            assert (await bot.store.tallies()).dropped == 1
        assert len(api.calls("edit_original")) == before
