"""On Discord too no token, id, name, answer or text is in any log at any level; and the scan finds what it looks for."""

import asyncio
import io
import logging
from pathlib import Path

import pytest

from bots.discord import exchange, messenger
from bots.logs import HIDDEN, LIBRARIES, set_up
from chat import Clock, library
from discord_api import TOKEN, CutOff, DiscordApi, Fault, Reset, Silence, answers, holds, refuses
from discord_chat import running, words
from telegram_chat import Waits
from test_logs import Plain, logging_as_it_was

__all__ = ["logging_as_it_was"]

ANNA, BEN = 4815162342, 2342160815
NAME, TITLE, TYPED, FORGED = "Zebedee", "Wolpertinger", "basilisk", "cockatrice"
WRONG_TOKEN = "OTg3NjU0MzIxMDk4NzY1NDMy.Canary.k3Yb9Qw7Lmk3Yb9Qw7Lmk3Yb9Qw7Lm"
FAULTS: tuple[Fault, ...] = (
    answers(400),
    answers(401),
    answers(403),
    answers(404),
    answers(500),
    answers(502),
    refuses(10062),
    refuses(40060),
    refuses(50007),
    CutOff(done=True),
    CutOff(whole=True, done=True),
    Reset(),
    Silence(),
    holds(0.1),
)
LABELS = {words("questions", q.id, "choices", c.id) for q in library().pathway.questions for c in q.choices}
INTERACTION = "aW50ZXJhY3Rpb24"
"""How the token of every interaction begins here."""
CANARIES = (
    *(str(ANNA), str(BEN), NAME, TITLE, TYPED, FORGED),
    *(TOKEN, TOKEN.rpartition(".")[2], WRONG_TOKEN, INTERACTION, "/callback", "@original"),
    *(label for label in LABELS if len(label) > 8),
)


@pytest.fixture
def out() -> io.StringIO:
    """Return what is logged, set up at DEBUG."""
    stream = io.StringIO()
    set_up("DEBUG", stream)
    return stream


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait long for an answer that never comes."""
    for module, name in ((exchange, "CALLBACK_SECONDS"), (exchange, "EDIT_SECONDS"), (messenger, "SEND_SECONDS")):
        monkeypatch.setattr(module, name, 0.1)


def found(stream: io.StringIO) -> list[str]:
    return [canary for canary in CANARIES if canary in stream.getvalue()]


async def everything_happens(folder: Path) -> None:
    """Do what members, strangers, servers and networks do."""
    clock = Clock()
    async with DiscordApi(now=clock) as api:
        async with running(folder, api, now=clock, token=WRONG_TOKEN, sleep=Waits(), ready=False) as bot:
            await api.until(lambda: bool(bot.told))
        async with running(folder, api, now=clock, sleep=Waits()) as bot:
            club = api.guild(TITLE)
            anna, ben = club.member(api.user(ANNA, NAME)), bot.dm(BEN, NAME)
            club.member(ben.user)
            for line in ("/hip", f"/care topic:{TYPED}", "/mydata"):
                anna.types(line)
                await bot.rests()
            anna.presses(anna.last, FORGED)
            anna.presses(anna.last, f"page:1:{FORGED}")
            anna.begins(f"/care topic:{TYPED}")
            api.inject({"type": 3, "data": {"custom_id": [TYPED]}})
            api.inject({"id": TYPED, "token": FORGED}, whole=True)
            ben.says(TYPED)
            await bot.rests()
            for fault in FAULTS:
                for route in ("callback", "edit_original", "send", "read"):
                    api.faults.lay(route, fault)
                anna.types("/hip")
                ben.says(f"/hip {TYPED}")
                await bot.rests()
            api.gateway.connection.drops()
            await asyncio.sleep(0.05)
            ben.closes_dms()
            ben.says(TYPED)
            await bot.rests()


async def test_without_the_filter_the_scan_finds_what_it_looks_for(tmp_path: Path) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    root.addHandler(Plain(stream))
    root.setLevel(logging.DEBUG)
    for name in LIBRARIES:  # an earlier test may have capped them
        logging.getLogger(name).setLevel(logging.NOTSET)
    await everything_happens(tmp_path)

    assert {str(ANNA), NAME, TYPED, INTERACTION} <= set(found(stream))


async def test_nothing_of_a_member_or_a_token_is_in_any_log(tmp_path: Path, out: io.StringIO) -> None:
    await everything_happens(tmp_path)

    assert found(out) == []
    assert HIDDEN not in out.getvalue()  # nor was there anything to be taken out
    for event in ("discord.connected", "discord.not_connected", "delivery.dropped", "update.unreadable"):
        assert event in out.getvalue()


@pytest.mark.parametrize("error", [ValueError(TYPED), RecursionError(TYPED)])
async def test_what_goes_wrong_with_an_event_is_named_by_its_type_alone(
    tmp_path: Path, out: io.StringIO, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object) -> None:
        raise error

    async with DiscordApi(now=Clock()) as api, running(tmp_path, api) as bot:
        monkeypatch.setattr("bots.discord.interactions.read", fails)
        bot.member(ANNA, NAME).types("/hip")
        await bot.rests()
        assert not bot.running.done()

    assert f"event.failed error={type(error).__name__}" in out.getvalue()
    assert found(out) == []
