"""On Discord too no token, id, name, answer or text is in any log at any level; and the scan finds what it looks for."""

import asyncio
import io
import logging
from pathlib import Path

import pytest

import journey
import test_discord_journeys
from bots.logs import HIDDEN, LIBRARIES, set_up
from chat import Clock, library
from discord_api import TOKEN, CutOff, DiscordApi, Fault, Member, Reset, answers, holds, plain, refuses
from discord_chat import Running, running, words
from telegram_chat import Waits
from test_discord_journeys import PATHS, TYPE, replayed
from test_logs import Plain, logging_as_it_was

__all__ = ["logging_as_it_was"]

ANNA, BEN = 48151623424815162, 23421608152342160
NAME, TITLE, TYPED, FORGED = "Zebedee", "Wolpertinger", "basilisk", "cockatrice"
# Put together here, so that no scanner of secrets takes it for a real one.
WRONG_TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4" + "." + "Cl2FMQ" + "." + "ZnCjm1XVW7vRze4b7Cq4se7kKWs"
BROKEN = ({"type": 2, "data": ["basilisk"]}, {"type": 3, "data": {"custom_id": ["basilisk"]}}, {"type": "basilisk"})
FAULTS: tuple[Fault, ...] = (
    answers(400),
    answers(401),
    answers(403),
    answers(404),
    answers(500),
    answers(502),
    refuses(plain(400, f"can't parse {TYPED}")),
    CutOff(done=True),
    CutOff(whole=True, done=True),
    Reset(),
    holds(0.1),
)
INTERACTION = "aW50ZXJhY3Rpb24"
"""How the token of an interaction begins."""
ROUTES = ("callback", "edit_original", "send")
LABELS = {words("questions", q.id, "choices", c.id) for q in library().pathway.questions for c in q.choices}
CANARIES = (
    *(str(ANNA), str(BEN), NAME, TITLE, TYPED, FORGED, TOKEN, WRONG_TOKEN),
    *(INTERACTION, "/interactions/", "/webhooks/", "/channels/", "@original"),
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
    """Do what members, strangers, servers and networks do."""
    async with DiscordApi(now=Clock()) as api:
        async with running(folder, api, token=WRONG_TOKEN, sleep=Waits(), ready=False) as bot:
            await api.until(lambda: bool(bot.told))
        async with running(folder, api, now=api.world.now, sleep=Waits()) as bot:
            club = api.guild(TITLE, api.user(ANNA, NAME), api.user(BEN, NAME))
            anna, ben = (club.member(api.user(id, NAME)) for id in (ANNA, BEN))
            await they_talk(bot, anna, ben)
            for fault in FAULTS:
                await it_goes_wrong(bot, anna, api.dm(ben.user), fault)
            club.removes_bot()
            api.gateway.invalidates(resumable=False)
            await bot.rests()


async def they_talk(bot: Running, anna: Member, ben: Member) -> None:
    for line in ("/hip", f"/care topic:{TYPED}", "/hip"):
        anna.types(line)
        await bot.rests()
    anna.begins(f"/care topic:{TYPED}")
    await bot.rests()
    for text in (TYPED, "go on", words("questions", "body", "choices", "saddle")):
        anna.clicks(TYPE)
        await bot.rests()
        anna.submits(text)
        await bot.rests()
    bot.api.dm(ben.user).says(f"/care {TYPED}")
    bot.api.dm(ben.user).says(TYPED)
    for member in (anna, ben):
        member.presses(anna.last, FORGED)
        member.presses(anna.last, f"hip:{FORGED}")
        member.presses(anna.last, f"page:1:{FORGED}")
        member.presses(anna.last, f"menu:{FORGED}", kind=3, values=[FORGED])
    for injected in BROKEN:
        bot.api.inject(injected, user=anna.user, channel=anna.channel)
    await bot.rests()


async def it_goes_wrong(bot: Running, anna: Member, ben: Member, fault: Fault) -> None:
    """Have each way of saying something fail once."""
    for route in ROUTES:
        bot.api.faults.lay(route, fault, times=7)
    anna.types(f"/care topic:{TYPED}")
    anna.presses(anna.last, f"hip:{FORGED}")
    ben.says(TYPED)
    await bot.rests()
    bot.api.faults.clear()


async def test_without_the_filter_the_scan_finds_what_it_looks_for(tmp_path: Path) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    root.addHandler(Plain(stream))
    root.setLevel(logging.DEBUG)
    for name in LIBRARIES:  # an earlier test may have capped them
        logging.getLogger(name).setLevel(logging.NOTSET)
    await everything_happens(tmp_path)

    assert {str(ANNA), NAME, TITLE, TYPED, FORGED, INTERACTION} <= set(found(stream))


async def test_nothing_of_a_member_or_a_token_is_in_any_log(tmp_path: Path, out: io.StringIO) -> None:
    await everything_happens(tmp_path)

    assert found(out) == []
    assert HIDDEN not in out.getvalue()  # nor was there anything to be taken out
    for event in ("discord.connected", "discord.not_connected", "delivery.dropped", "delivery.unknown", "update.unreadable"):
        assert event in out.getvalue()


async def scanned(path: Path, folder: Path, out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_discord_journeys, "ANNA", ANNA)
    await asyncio.wait_for(replayed(path, folder), 60)

    typed = [step.partition(": ")[2] for step in journey.steps(path)]
    assert found(out) == []
    assert not [text for text in typed if len(text) > 8 and text in out.getvalue()]
    assert out.getvalue().count("discord.connected") == 1


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
