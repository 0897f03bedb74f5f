"""What Hipwise writes first on Telegram and on Discord while the line or the member fails: in time, once, and counted."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import bot_api
import discord_api
from bot_api import BotApi
from bot_api.refusal import bad_request, forbidden
from bots.discord import messenger
from bots.telegram import connection
from bots.telegram.request import AiohttpRequest
from chat import Clock
from core.diary import Age, Asking, Diary, Light, Origin, Place, Rhythm, Run, Slot
from discord_api import DiscordApi
from planned_chat import Conversation, Hands, Phone, Writing, words, writing

TUESDAY = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
DUE, UNTIL = TUESDAY.replace(hour=15, minute=0), TUESDAY.replace(hour=21, minute=0)
"""The window of the check-in of a run at noon."""
RUNS = Diary(age=Age.ADULT, plan=tuple(Slot(day, time(12)) for day in range(7)))
SORE = Asking(
    "0badcafe",
    Run("r", TUESDAY - timedelta(hours=30), Origin.TOLD, 40, 8000),
    TUESDAY.date() - timedelta(days=1),
    ran=True,
    worst=4,
    place=Place.OUTER_HIP,
    built=False,
    limp=False,
    still=False,
    light=Light.HOLD,
    closed=TUESDAY - timedelta(hours=20),
)
TOLD = Diary(age=Age.ADULT, askings=(SORE,))
CHECK_IN, TIP = words("checkins", "open", "today"), words("checkins", "open", "tip")
RAN, NOT_RUN = words("checkins", "answers", "ran", "yes"), words("checkins", "answers", "ran", "no")
ANSWERED, OVER = words("checkins", "answered"), words("checkins", "over")


# ---------------------------------------------------------------- One platform


@dataclass
class Sleeps:
    """A sleep that takes hardly any time, and moves the clock as far as it is told to."""

    clock: Clock
    by: timedelta = timedelta()

    async def __call__(self, seconds: float) -> None:
        self.clock.at += self.by
        await asyncio.sleep(min(seconds, 0.001))


@dataclass
class Side:
    """A Hipwise on one platform, and what can go wrong there."""

    name: str
    api: Any
    sleeps: Sleeps
    writing: Writing
    hands: Callable[[int], Hands]
    people: list[Hands] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        """The clock of both."""
        return self.writing.clock

    async def someone(self, diary: Diary = RUNS, *kinds: str) -> Hands:
        """Return someone with a diary, who agreed to check-ins or to these."""
        hands = self.hands(1000 + len(self.people))
        self.people.append(hands)
        await self.writing.has(hands, diary, *(kinds or ("check_ins",)))
        return hands

    def fails(self, fault: str, times: int | None = 1, *, done: bool = False, to: Hands | None = None) -> None:
        """Have so many messages go wrong, to anybody or to someone, each taken all the same if it is `done`."""
        only = {} if to is None else {"chat": int(to.address.id)} if self.name == "telegram" else {"place": to.place}
        self.api.faults.lay(*FAULTS[self.name](fault, done), times=times, **only)

    def tried(self) -> int:
        """Return how often it was tried to send a message."""
        return len(self.api.calls("sendMessage" if self.name == "telegram" else "send"))


def _on_telegram(fault: str, done: bool) -> tuple[str, bot_api.Fault]:
    found: dict[str, bot_api.Fault] = {
        "error": bot_api.answers(500, done=done),
        "gateway": bot_api.answers(502, done=done),
        "reset": bot_api.Reset(done=done),
        "cut off": bot_api.CutOff(done=done),
        "silence": bot_api.Silence(done=done),
        "too many": bot_api.holds(1),
        "blocked": bot_api.answers(403),
        "deactivated": bot_api.refuses(forbidden("user is deactivated")),
        "no chat": bot_api.refuses(bad_request("chat not found")),
    }
    return "sendMessage", found[fault]


def _on_discord(fault: str, done: bool) -> tuple[str, discord_api.Fault]:
    found: dict[str, discord_api.Fault] = {
        "error": discord_api.answers(500, done=done),
        "gateway": discord_api.answers(502, done=done),
        "reset": discord_api.Reset(done=done),
        "cut off": discord_api.CutOff(done=done),
        "silence": discord_api.Silence(done=done),
        "too many": discord_api.holds(0.05),
        "blocked": discord_api.refuses(50007),
        "deactivated": discord_api.refuses(50278),
        "no chat": discord_api.refuses(10003),
    }
    return "send", found[fault]


FAULTS: dict[str, Callable[[str, bool], tuple[str, Any]]] = {"telegram": _on_telegram, "discord": _on_discord}


@pytest.fixture(params=["telegram", "discord"])
async def side(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Side]:
    """Give a Hipwise on each platform, which does not wait long for an answer."""
    clock, name = Clock(TUESDAY), request.param
    monkeypatch.setattr(messenger, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(connection, "AiohttpRequest", partial(_hasty, AiohttpRequest))
    sleeps = Sleeps(clock)
    if name == "telegram":
        async with BotApi(now=clock) as telegram, writing(tmp_path, clock, telegram, None, sleep=sleeps) as world:
            yield Side(name, telegram, sleeps, world, partial(phone, telegram))
            await world.tallies()
    else:
        async with DiscordApi(now=clock) as discord, writing(tmp_path, clock, None, discord, sleep=sleeps) as world:
            discord.guild("Runners")
            yield Side(name, discord, sleeps, world, partial(conversation, discord))
            await world.tallies()


def _hasty(kind: type[AiohttpRequest], **given: Any) -> AiohttpRequest:
    return kind(**({"read_timeout": 0.2, "write_timeout": 0.1, "connect_timeout": 0.1} | given))


def phone(api: BotApi, id: int) -> Hands:
    return Phone(api.private(api.user(id, f"Member {id}")))


def conversation(api: DiscordApi, id: int) -> Hands:
    user = api.user(id, f"Member {id}")
    discord_api.Club(api, next(iter(api.world.guilds.values()))).member(user)
    return Conversation(api.dm(user))


# ---------------------------------------------------------------- The line fails


async def test_in_a_storm_of_refusals_everybody_is_asked_once_and_in_time(side: Side) -> None:
    people = [await side.someone() for _ in range(3)]
    side.fails("too many", 4)
    await side.writing.lives(DUE)

    assert [len(hands.found(CHECK_IN)) for hands in people] == [1] * 3
    tallies = await side.writing.tallies()
    assert (tallies.sent, tallies.unknown, tallies.dropped) == (3, 0, 0)
    assert side.tried() == 3 + 4


async def test_what_waited_past_its_window_is_not_sent_and_is_counted(side: Side) -> None:
    hands = await side.someone()
    side.fails("too many")
    side.sleeps.by = timedelta(hours=7)  # the machine slept, or waited that long
    await side.writing.lives(DUE)

    assert hands.found(CHECK_IN) == []
    assert side.clock() > UNTIL
    tallies = await side.writing.tallies()
    assert (tallies.sent, tallies.skipped) == (0, 1)


LINE = ("error", "gateway", "reset", "cut off", "silence")


@pytest.mark.prove
@pytest.mark.parametrize("fault", LINE)
@pytest.mark.parametrize(
    ("taken", "copies", "left"),
    [
        ((True, 1), {"telegram": 2, "discord": 1}, {"telegram": "sent", "discord": "sent"}),
        ((False, 1), {"telegram": 1, "discord": 1}, {"telegram": "sent", "discord": "sent"}),
        ((True, None), {"telegram": 2, "discord": 1}, {"telegram": "unknown", "discord": "sent"}),
        ((False, None), {"telegram": 0, "discord": 0}, {"telegram": "unknown", "discord": "unknown"}),
    ],
    ids=["its answer was lost", "it was lost", "all answers are lost", "all is lost"],
)
async def test_a_check_in_of_unknown_outcome_comes_once_more_at_most_and_on_discord_once(
    side: Side, fault: str, taken: tuple[bool, int | None], copies: dict[str, int], left: dict[str, str]
) -> None:
    hands = await side.someone()
    done, times = taken
    side.fails(fault, times, done=done)
    await side.writing.lives(DUE + timedelta(hours=1))

    shown = hands.found(CHECK_IN)
    assert len(shown) == copies[side.name]
    assert len({hands.looks(message) for message in shown}) <= 1
    tallies = await side.writing.tallies()
    assert getattr(tallies, left[side.name]) == 1


@pytest.mark.prove
@pytest.mark.parametrize("fault", LINE)
@pytest.mark.parametrize("done", [True, False])
async def test_a_tip_of_unknown_outcome_is_never_sent_again(side: Side, fault: str, done: bool) -> None:
    hands = await side.someone(TOLD, "tips")
    side.fails(fault, None, done=done)
    await side.writing.lives(TUESDAY.replace(hour=20))

    assert len(hands.found(TIP)) == done
    tallies = await side.writing.tallies()
    assert (tallies.unknown, tallies.sent) == (1, 0)
    # On Discord three times under one nonce, which is one message at most.
    assert side.tried() == (1 if side.name == "telegram" else messenger.SENDS)


async def test_what_may_have_arrived_is_not_sent_again_past_its_window(side: Side) -> None:
    hands = await side.someone()
    side.fails("reset", messenger.SENDS if side.name == "discord" else 1)
    side.sleeps.by = timedelta(hours=7)
    await side.writing.lives(DUE)

    assert hands.found(CHECK_IN) == []
    tallies = await side.writing.tallies()
    assert (tallies.sent, tallies.unknown + tallies.dropped) == (0, 1)


async def test_an_answer_to_either_copy_closes_both(side: Side) -> None:
    hands = await side.someone()
    side.fails("reset", done=True)
    await side.writing.lives(DUE)
    one, *more = hands.found(CHECK_IN)
    two = more[0] if more else one  # Discord knows that it was there

    await side.writing.does(lambda: hands.presses(RAN, two))
    kept = await side.writing.diary(hands)
    await side.writing.does(lambda: hands.presses(NOT_RUN, one), lambda: hands.presses(RAN, two))

    assert [asking.ran for asking in await askings(side.writing, hands)] == [True]
    assert await side.writing.diary(hands) == kept
    assert any(ANSWERED in text for text in hands.texts)


# ---------------------------------------------------------------- The member cannot be reached


@pytest.mark.parametrize("how", ["blocked", "deactivated", "no chat"])
async def test_who_cannot_be_reached_is_left_alone_until_they_write_and_is_then_asked_as_before(side: Side, how: str) -> None:
    hands, other = await side.someone(), await side.someone()
    side.fails(how, None, to=hands)
    await side.writing.lives(DUE + timedelta(days=5), by=timedelta(hours=3))
    side.api.faults.clear()

    tallies = await side.writing.tallies()
    assert (hands.texts, tallies.dropped, tallies.unknown) == ((), 1, 0)
    assert len(other.found(CHECK_IN)) > 1

    await side.writing.does(lambda: hands.says("/help"))
    diary = await side.writing.diary(hands)
    assert diary is not None
    assert (diary.rhythm, diary.ignored) == (Rhythm.EACH_RUN, 0)
    await side.writing.lives(DUE + timedelta(days=5, hours=8))
    assert len(hands.found(CHECK_IN)) == 1  # of that day; what was due on the others is over


# ---------------------------------------------------------------- Answers that come at the wrong time, or the wrong place


async def test_a_button_pressed_twice_is_one_answer(side: Side) -> None:
    hands = await side.someone()
    await side.writing.lives(DUE)
    (asked,) = hands.found(CHECK_IN)

    hands.presses(RAN, asked)
    hands.presses(RAN, asked)  # before the first is answered
    await side.writing.rests()

    assert [asking.ran for asking in await askings(side.writing, hands)] == [True]
    assert sum(ANSWERED in text for text in hands.texts) == 1


async def test_an_answer_that_comes_days_later_changes_nothing(side: Side) -> None:
    hands = await side.someone(replace(RUNS, plan=RUNS.plan[1:2]))
    await side.writing.lives(DUE)
    (asked,) = hands.found(CHECK_IN)
    side.clock.moves(days=4)
    await side.writing.ticks()

    kept = await side.writing.diary(hands)
    await side.writing.does(lambda: hands.presses(RAN, asked))

    assert await side.writing.diary(hands) == kept
    assert any(text.startswith(OVER) for text in hands.texts)


async def test_an_answer_after_all_was_erased_keeps_nothing(side: Side) -> None:
    hands = await side.someone()
    await side.writing.lives(DUE)
    (asked,) = hands.found(CHECK_IN)
    await side.writing.does(lambda: hands.says("/forget"), lambda: hands.presses(words("privacy", "forget", "yes")))

    await side.writing.does(lambda: hands.presses(RAN, asked))
    await side.writing.lives(DUE + timedelta(days=2), by=timedelta(hours=3))

    assert await side.writing.diary(hands) is None
    assert any(text.startswith(OVER) for text in hands.texts)
    assert len(hands.found(CHECK_IN)) == 1


@pytest.mark.parametrize("last", ["telegram", "discord"])
async def test_what_was_asked_on_one_platform_can_be_answered_on_the_other(tmp_path: Path, last: str) -> None:
    clock = Clock(TUESDAY)
    async with (
        BotApi(now=clock) as telegram,
        DiscordApi(now=clock) as discord,
        writing(tmp_path, clock, telegram, discord) as world,
    ):
        discord.guild("Runners")
        both = {"telegram": phone(telegram, 1000), "discord": conversation(discord, 1000)}
        here, there = both[last], next(hands for name, hands in both.items() if name != last)
        await world.has(there, RUNS, "check_ins")
        await world.has(here, RUNS, "check_ins")  # what only one of them agreed to would end
        await linked(world, both["telegram"], both["discord"])
        await world.does(lambda: here.says("/help"))  # so it is written to here
        await world.lives(DUE)
        (asked,) = here.found(CHECK_IN)
        assert there.found(CHECK_IN) == []

        await world.does(lambda: there.says("no"))  # did you run?
        assert [asking.ran for asking in await askings(world, here)] == [False]
        kept = await world.diary(here)
        await world.does(lambda: here.presses(RAN, asked))

        assert await world.diary(here) == kept
        assert any(text.startswith(ANSWERED) for text in here.texts)
        await world.lives(DUE + timedelta(hours=20))
        assert [len(hands.found(CHECK_IN)) for hands in (here, there)] == [1, 0]
        await world.tallies()


async def test_where_one_platform_cannot_be_reached_the_message_comes_once_on_the_other(tmp_path: Path) -> None:
    clock = Clock(TUESDAY)
    async with (
        BotApi(now=clock) as telegram,
        DiscordApi(now=clock) as discord,
        writing(tmp_path, clock, telegram, discord) as world,
    ):
        discord.guild("Runners")
        there, here = conversation(discord, 1000), phone(telegram, 1000)
        await world.has(here, RUNS, "check_ins")
        await world.has(there, RUNS, "check_ins")  # what only one of them agreed to would end
        await linked(world, here, there)
        await world.does(lambda: here.says("/help"))
        telegram.faults.lay("sendMessage", bot_api.answers(403))
        await world.lives(DUE + timedelta(minutes=1))

        assert [len(hands.found(CHECK_IN)) for hands in (here, there)] == [0, 1]
        tallies = await world.tallies()
        assert (tallies.dropped, tallies.unknown) == (0, 0)


async def linked(world: Writing, maker: Hands, joiner: Hands) -> None:
    """Have two addresses be those of one member."""
    await world.does(lambda: maker.says("/link"))
    (code,) = re.findall(r"\b\w{3}-\w{3}-\w{3}\b", maker.texts[-1])
    typed = f"/link code:{code}" if joiner.place else f"/link {code}"
    await world.does(lambda: joiner.says(typed), lambda: maker.presses(words("link", "buttons", "yes")))


async def askings(world: Writing, hands: Hands) -> list[Asking]:
    """Return the check-ins of today, as they are kept."""
    diary = await world.diary(hands)
    assert diary is not None
    return [asking for asking in diary.askings if asking.day == TUESDAY.date()]
