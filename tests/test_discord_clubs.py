"""Clubs on Discord: an organiser sets one up in its server, members follow its runs, and a button is posted after each."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.discord import adapter
from bots.discord.files import Files
from chat import Clock
from core.calendar import LARGEST
from core.club import Club as Kept
from core.dialogue import Missing
from core.diary import Diary, Light
from core.diary import from_json as diary_of
from core.members import Address
from discord_api import (
    USUAL,
    Answer,
    Can,
    Club,
    CutOff,
    DiscordApi,
    Fault,
    Interaction,
    Member,
    Message,
    Silence,
    answers,
    refuses,
)
from discord_api.content import Attachment
from discord_chat import Running, running, words
from telegram_chat import Waits
from test_calendar import event, file
from test_telegram_groups import healthy

HARMLESS = frozenset({"did", "go", "how", "run", "your"})
"""What a club that runs may read there, though pages about health say it too."""
ANNA, BEN, CORA = 4711, 815, 333
TUESDAY = datetime(2026, 11, 24, 9, tzinfo=UTC)
EVENING = TUESDAY + timedelta(hours=9, minutes=45)
"""A quarter of an hour after the run, 19:45 in Berlin."""


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Running]:
    """Give a bot that knows of clubs; where others read there was nothing but its buttons, each as it was at first."""
    clock = Clock(TUESDAY)
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=Waits(), clubs=True) as bot:
        yield bot
        await bot.rests()
        assert (await bot.store.tallies()).conserved
        public = api.said_in_public()
        assert {said.text for said in public} <= {words("club", "posted")}
        assert {said.labels for said in public} <= {(words("club", "buttons", "tell"),)}
        assert healthy([said.words for said in public]) <= HARMLESS
        assert all(said.mentions == {"parse": []} for said in public)


@pytest.fixture
def server(bot: Running) -> Club:
    return bot.api.guild("Hill Runners")


@pytest.fixture
def anna(bot: Running, server: Club) -> Member:
    """Return an organiser."""
    return server.admin(bot.api.user(ANNA, "Anna"))


@pytest.fixture
def ben(bot: Running, server: Club) -> Member:
    """Return a member like others."""
    return server.member(bot.api.user(BEN, "Ben"))


async def does(bot: Running, member: Member, line: str, **files: bytes) -> str:
    """Use a command; return what is said to it."""
    member.types(line, {f"{name}.ics": content for name, content in files.items()})
    await bot.rests()
    return member.last.text


async def clicks(bot: Running, member: Member, label: str, message: Message | None = None) -> str:
    member.clicks(label, message)
    await bot.rests()
    return member.last.text


async def follows(bot: Running, member: Member, *labels: str) -> str:
    member.selects(*labels)
    await bot.rests()
    return member.last.text


async def sets_up(bot: Running, anna: Member, *changes: str) -> None:
    """Have the club in Berlin, with a run on Tuesdays at 18:30."""
    for change in ("zone Berlin", "run add Tue 18:30 Track", *changes):
        await does(bot, anna, f"/club change:{change}")


async def posts(bot: Running, anna: Member) -> None:
    """Have a button posted in the channel where they are."""
    await sets_up(bot, anna)
    await clicks(bot, anna, words("club", "buttons", "post"))


async def opts_in(bot: Running, member: Member, age: str = "adult") -> None:
    await does(bot, member, "/checkins")
    await clicks(bot, member, words("checkins", "ages", age))


async def kept(bot: Running) -> Kept:
    (club,) = await bot.store.clubs()
    return club


async def diary(bot: Running, id: int) -> Diary:
    record = await bot.store.load(Address("discord", str(id)))
    return Diary() if record.diary is None else diary_of(record.diary)


def posted(member: Member) -> tuple[Message, ...]:
    """Return what stands where all read."""
    return tuple(message for message in member.heard if message.reader is None)


def calendar(*names: str) -> bytes:
    """Return a file with a weekly run of each name."""
    days = (("SUMMARY:" + name, f"UID:{name}", "DTSTART:20261124T183000", "DTEND:20261124T193000") for name in names)
    return file(*(event(*lines, "RRULE:FREQ=WEEKLY") for lines in days))


def at(bot: Running, when: datetime) -> None:
    """Set the clock."""
    clock: Any = bot.now
    clock.at = when


# ---------------------------------------------------------------- What organisers set


async def test_an_organiser_claims_a_server_which_has_its_name(bot: Running, server: Club, anna: Member, ben: Member) -> None:
    assert words("club", "none_here") in await does(bot, ben, "/club")
    assert "Hill Runners" in await does(bot, anna, "/club")
    assert anna.last.reader == anna.user

    club = await kept(bot)
    assert (club.name, club.chat) == ("Hill Runners", Address("discord", f"guild/{server.guild.id}"))
    assert words("club", "no_runs") in await does(bot, ben, "/club")


async def test_a_server_is_called_as_it_is_called_by_now(bot: Running, server: Club, anna: Member) -> None:
    server.guild.name = "Trail & Track"
    bot.api.world.tell("GUILD_UPDATE", server.json, 1)
    for broken in ({}, {"id": "x", "name": "Nobody"}, {"id": 7, "name": None}):
        bot.api.world.tell("GUILD_CREATE", broken, 1)
    await bot.rests()
    await does(bot, anna, "/club")

    assert (await kept(bot)).name == "Trail & Track"


async def test_who_may_manage_the_server_organises_its_club(bot: Running, server: Club, ben: Member) -> None:
    server.manager(ben.user)

    await sets_up(bot, ben)

    assert [run.name for run in (await kept(bot)).runs] == ["Track"]


async def test_who_owns_the_server_does_too(bot: Running) -> None:
    owner = bot.api.user(ANNA, "Anna")
    await sets_up(bot, bot.api.guild("Fell Runners", owner).member(owner))

    assert (await kept(bot)).name == "Fell Runners"


async def test_nobody_else_changes_anything(bot: Running, anna: Member, ben: Member) -> None:
    await sets_up(bot, anna)
    before = await kept(bot)

    for line in ("name Mine", "zone London", "run remove 1", "end"):
        assert words("club", "organisers_only") in await does(bot, ben, f"/club change:{line}")
    assert await kept(bot) == before


@pytest.mark.parametrize("key", ["post", "end"])
async def test_who_was_an_organiser_when_they_saw_the_screen_is_asked_again(
    bot: Running, server: Club, anna: Member, key: str
) -> None:
    await sets_up(bot, anna)
    before = await kept(bot)
    server.demotes(anna.user)

    assert words("club", "organisers_only") in await clicks(bot, anna, words("club", "buttons", key))
    assert await kept(bot) == before


async def test_the_end_of_a_club_is_asked_about_once_more(bot: Running, server: Club, anna: Member) -> None:
    await sets_up(bot, anna)
    await clicks(bot, anna, words("club", "buttons", "end"))
    assert (await kept(bot)).runs
    assert words("club", "ended") in await clicks(bot, anna, words("club", "buttons", "end_yes"))

    assert await bot.store.clubs() == ()


async def test_in_the_conversation_with_the_bot_it_says_where_to_ask(bot: Running, anna: Member) -> None:
    here = bot.api.dm(anna.user)
    assert await does(bot, here, "/club") == words("club", "in_its_chat")
    await sets_up(bot, anna)

    assert words("club", "in_its_chat") in await does(bot, here, "/club")
    assert words("club", "in_its_chat") in await does(bot, here, "/club change:name Mine")
    assert (await kept(bot)).name == "Hill Runners"


# ---------------------------------------------------------------- Its calendar


async def test_a_calendar_is_taken_and_the_same_once_more_changes_nothing(bot: Running, anna: Member) -> None:
    await does(bot, anna, "/club change:zone Berlin")
    assert words("club", "imported", number=2) in await does(
        bot, anna, "/club calendar:hills.ics", hills=calendar("Hills", "Track")
    )
    before = await kept(bot)
    assert words("club", "same_calendar", number=2) in await does(
        bot, anna, "/club calendar:again.ics", again=calendar("Hills", "Track")
    )

    assert await kept(bot) == before
    assert len(bot.api.fetched) == 2
    assert not any("Authorization" in http.headers for http in bot.api.fetched)


async def test_one_that_is_too_large_is_not_fetched(bot: Running, anna: Member) -> None:
    await does(bot, anna, "/club change:zone Berlin")

    said = await does(bot, anna, "/club calendar:big.ics", big=b"x" * (LARGEST + 1))

    assert words("club", "calendar", "too_large") in said
    assert bot.api.fetched == []


async def test_nothing_is_fetched_for_who_may_not_change_anything(bot: Running, anna: Member, ben: Member) -> None:
    await sets_up(bot, anna)

    assert words("club", "organisers_only") in await does(bot, ben, "/club calendar:hills.ics", hills=calendar("Hills"))
    assert words("club", "in_its_chat") in await does(
        bot, bot.api.dm(anna.user), "/club calendar:hills.ics", hills=calendar("Hills")
    )
    assert bot.api.fetched == []


@pytest.mark.parametrize("fault", [answers(404), answers(500), answers(503)])
async def test_one_that_cannot_be_had_may_be_sent_again(bot: Running, anna: Member, fault: Fault) -> None:
    await does(bot, anna, "/club change:zone Berlin")
    bot.api.faults.lay("file", fault)
    assert words("club", "calendar", "not_fetched") in await does(
        bot, anna, "/club calendar:hills.ics", hills=calendar("Hills")
    )

    assert words("club", "imported", number=1) in await does(bot, anna, "/club calendar:hills.ics", hills=calendar("Hills"))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/club.ics",
        "http://cdn.discordapp.com/club.ics",
        "https://cdn.discordapp.com.example.org/club.ics",
        "https://cdn.discordapp.com:8443/club.ics",
        "https://anna:secret@cdn.discordapp.com/club.ics",
        "http://127.0.0.1:1/club.ics",
        "http://[::1]/club.ics",
        "file:///etc/passwd",
        "//cdn.discordapp.com/club.ics",
        "club.ics",
        "https://[",
        "",
    ],
)
async def test_nothing_is_asked_of_any_other_host(bot: Running, url: str) -> None:
    for api in (bot.api.url, "https://discord.com/api/v10"):
        assert await Files(api).read(url, 10) is Missing.NOT_FETCHED


async def test_a_file_that_is_larger_than_was_said_is_read_no_further(bot: Running) -> None:
    large = bot.api.world.uploads[1] = Attachment(1, "club.ics", "text/calendar", b"x" * (4 * LARGEST))

    assert await Files(bot.api.url).read(bot.api.file_url(large), 10) is Missing.TOO_LARGE


async def test_while_a_file_is_fetched_it_is_seen_that_an_answer_comes(
    bot: Running, anna: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord.files.FETCHED_WITHIN", 0.5)
    monkeypatch.setattr(adapter, "DEFER_AFTER", 0.05)
    await does(bot, anna, "/club change:zone Berlin")
    bot.api.faults.lay("file", Silence())

    asked = anna.types("/club calendar:hills.ics", {"hills.ics": calendar("Hills")})
    await bot.api.until(lambda: asked.answer is Answer.DEFER)
    await bot.rests()

    assert words("club", "calendar", "not_fetched") in anna.last.text
    assert anna.last.reader == anna.user


async def test_who_never_answers_is_not_waited_for(bot: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.discord.files.FETCHED_WITHIN", 0.1)
    bot.api.faults.lay("file", Silence())

    assert await Files(bot.api.url).read(bot.api.file_url(Attachment(1, "club.ics", "", b"")), 10) is Missing.NOT_FETCHED


# ---------------------------------------------------------------- Members


async def test_a_member_follows_runs_and_lets_go_of_them(bot: Running, anna: Member, ben: Member) -> None:
    await sets_up(bot, anna, "run add Sun 9:00 Long run")
    await opts_in(bot, ben)
    await does(bot, ben, "/club")
    track, long = ("Track, Tuesday 18:30", "Long run, Sunday 09:00")

    assert words("club", "following") in await follows(bot, ben, track, long)
    assert len((await diary(bot, BEN)).clubs) == 2
    await follows(bot, ben, long)
    (followed,) = (await diary(bot, BEN)).clubs

    assert followed == (await kept(bot)).runs[1].id
    assert ben.last.reader == ben.user


async def test_who_has_not_agreed_is_asked_first(bot: Running, anna: Member, ben: Member) -> None:
    await sets_up(bot, anna)
    await does(bot, ben, "/club")

    assert words("club", "opt_in") in await follows(bot, ben, "Track, Tuesday 18:30")
    assert words("checkins", "ages", "adult") in ben.last.labels
    assert (await diary(bot, BEN)).clubs == ()


async def test_days_are_chosen_in_a_menu(bot: Running, ben: Member) -> None:
    await opts_in(bot, ben)
    await does(bot, ben, "/settings")
    await clicks(bot, ben, words("checkins", "buttons", "days"))
    names = words.list("ui", "days")

    await follows(bot, ben, names[1], names[5])

    assert (await diary(bot, BEN)).days == (1, 5)
    assert [option.label for menu in ben.last.content.menus for option in menu.options if option.chosen] == [names[1], names[5]]


async def test_a_run_and_a_pause_are_typed_behind_their_commands(bot: Running, ben: Member) -> None:
    await opts_in(bot, ben)
    await does(bot, ben, "/ran run:8 km 45 min")
    await does(bot, ben, "/pause how_long:2 weeks")

    (run,) = (await diary(bot, BEN)).runs
    assert (run.metres, run.minutes) == (8000, 45)
    assert (await diary(bot, BEN)).paused == TUESDAY + timedelta(days=14)


# ---------------------------------------------------------------- The button


async def test_one_button_is_posted_after_each_run(bot: Running, anna: Member, ben: Member) -> None:
    await posts(bot, anna)
    at(bot, EVENING - timedelta(minutes=1))
    await bot.ticks()
    assert posted(ben) == ()

    for minutes in (0, 1, 60, 24 * 60, 7 * 24 * 60):
        at(bot, EVENING + timedelta(minutes=minutes))
        await bot.ticks()

    assert [message.at for message in posted(ben)] == [EVENING, EVENING + timedelta(days=7)]
    assert {message.labels for message in posted(ben)} == {(words("club", "buttons", "tell"),)}


async def test_none_is_posted_in_quiet_hours(bot: Running, anna: Member, ben: Member) -> None:
    await posts(bot, anna)
    await does(bot, anna, "/club change:run remove 1")
    await does(bot, anna, "/club change:run add Tue 21:00 Night run")
    for hour in range(24):
        at(bot, TUESDAY + timedelta(hours=hour))
        await bot.ticks()

    assert [message.at for message in posted(ben)] == [datetime(2026, 11, 25, 7, tzinfo=UTC)]


async def presses(bot: Running, member: Member) -> Interaction:
    pressed = member.clicks(words("club", "buttons", "tell"), posted(member)[-1])
    await bot.rests()
    return pressed


async def test_a_press_begins_the_check_in_for_its_member_alone(bot: Running, anna: Member, ben: Member) -> None:
    await posts(bot, anna)
    await opts_in(bot, ben)
    at(bot, EVENING)
    await bot.ticks()
    (button,) = posted(ben)
    shown = len(button.versions)

    await presses(bot, ben)
    assert ben.last.reader == ben.user
    await clicks(bot, ben, "0")

    (asking,) = (await diary(bot, BEN)).askings
    assert (asking.run.start, asking.light) == (TUESDAY + timedelta(hours=8, minutes=30), Light.GO)
    before = await diary(bot, BEN)
    await presses(bot, ben)
    assert words("checkins", "answered") in ben.last.text
    assert await diary(bot, BEN) == before
    assert posted(ben) == posted(anna) == (button,)
    assert len(button.versions) == shown


async def test_who_presses_and_has_not_agreed_is_asked_first_and_no_child_ever(
    bot: Running, server: Club, anna: Member, ben: Member
) -> None:
    await posts(bot, anna)
    cora = server.member(bot.api.user(CORA, "Cora"))
    at(bot, EVENING)
    await bot.ticks()

    for member, age in ((ben, "adult"), (cora, "under_16")):
        await presses(bot, member)
        assert words("club", "opt_in_first") in member.last.text
        assert member.last.reader == member.user
        await clicks(bot, member, words("checkins", "ages", age))
    assert words("checkins", "under_16") in cora.last.text
    await presses(bot, ben)
    await presses(bot, cora)

    assert len((await diary(bot, BEN)).askings) == 1
    assert await diary(bot, CORA) == Diary()
    assert not any(ben.user == message.reader for message in anna.heard)


async def test_an_old_button_says_so(bot: Running, anna: Member, ben: Member) -> None:
    await posts(bot, anna)
    await opts_in(bot, ben)
    at(bot, EVENING)
    await bot.ticks()
    at(bot, EVENING + timedelta(days=2))

    await presses(bot, ben)

    assert words("club", "run_over") in ben.last.text


async def test_where_the_bot_may_not_write_it_says_what_it_needs(bot: Running, server: Club, anna: Member) -> None:
    await sets_up(bot, anna)
    for missing in (Can.VIEW_CHANNEL, Can.SEND_MESSAGES, Can.READ_MESSAGE_HISTORY):
        anna.channel = server.adds_channel("quiet", bot_may=USUAL & ~missing)
        await does(bot, anna, "/club")
        assert words("club", "closed") in await clicks(bot, anna, words("club", "buttons", "post"))

    assert (await kept(bot)).channel is None


@pytest.mark.parametrize("code", [50013, 50001, 10003])
async def test_what_a_channel_refuses_is_not_tried_again_and_the_next_run_is(
    bot: Running, anna: Member, ben: Member, code: int
) -> None:
    await posts(bot, anna)
    bot.api.faults.lay("send", refuses(code))
    for day in (0, 7):
        for minutes in (0, 1, 30):
            at(bot, EVENING + timedelta(days=day, minutes=minutes))
            await bot.ticks()

    assert [message.at for message in posted(ben)] == [EVENING + timedelta(days=7)]
    assert (await bot.store.tallies()).dropped == 1


LOST = (CutOff(done=True), CutOff(done=False), answers(503, done=True), answers(502))


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("times", [1, 3, 4])
async def test_of_what_may_have_been_posted_there_is_one(
    bot: Running, anna: Member, ben: Member, fault: Fault, times: int
) -> None:
    """However often it is tried, and however much the club says meanwhile."""
    await posts(bot, anna)
    at(bot, EVENING)
    ben.says("Good run!")
    bot.api.faults.lay("send", fault, times=times)
    await bot.ticks()
    await bot.ticks()

    assert len(posted(ben)) == 1


@pytest.mark.parametrize(
    ("fault", "said", "there", "noted"),
    [
        (CutOff(done=True), 0, 1, "sent"),
        (CutOff(done=True), 250, 1, "sent"),
        (CutOff(done=True), 600, 1, "unknown"),  # too much to look through: rather none than two
        (CutOff(done=False), 30, 1, "sent"),
        (CutOff(done=False), 600, 0, "unknown"),
    ],
)
async def test_the_next_process_posts_it_only_where_it_is_not_there(
    tmp_path: Path, fault: Fault, said: int, there: int, noted: str
) -> None:
    clock = Clock(EVENING - timedelta(hours=3))
    async with DiscordApi(now=clock) as api:
        server = api.guild("Hill Runners")
        anna, ben = server.admin(api.user(ANNA, "Anna")), server.member(api.user(BEN, "Ben"))
        server.member(api.user(CORA, "Cora")).says("Who is there tonight?")
        async with running(tmp_path, api, now=clock, sleep=never, clubs=True) as bot:
            await posts(bot, anna)
            clock.at = EVENING
            api.faults.lay("send", fault, times=3)
            for job in bot.jobs:
                await job.what(clock.at)
            await api.until(lambda: len(api.calls("send")) == 3)
        clock.moves(minutes=10)
        for _ in range(said):
            ben.says("Good run!")
        clock.moves(minutes=50)
        async with running(tmp_path, api, now=clock, sleep=Waits(), clubs=True) as bot:
            await bot.ticks()

            assert len(posted(ben)) == there
            assert getattr(await bot.store.tallies(), noted) == (1 if noted == "unknown" else 1 + answered(api))


async def test_in_a_channel_where_nobody_ever_wrote_it_is_posted_after_all(bot: Running, anna: Member, ben: Member) -> None:
    await posts(bot, anna)
    at(bot, EVENING)
    bot.api.faults.lay("send", CutOff(done=False), times=3)
    await bot.ticks()

    assert len(posted(ben)) == 1


async def never(_seconds: float) -> None:
    """Wait until the end."""
    await asyncio.Event().wait()


def answered(api: DiscordApi) -> int:
    """Return how many interactions were answered."""
    return len(api.interactions.all)


async def test_where_nothing_can_be_read_it_is_not_posted_again(bot: Running, server: Club, anna: Member, ben: Member) -> None:
    await posts(bot, anna)
    at(bot, EVENING)
    ben.says("Good run!")
    server.channel.bot_may = Can.VIEW_CHANNEL | Can.SEND_MESSAGES
    bot.api.faults.lay("send", CutOff(done=False), times=3)
    await bot.ticks()
    await bot.ticks()

    assert posted(ben) == ()
    assert (await bot.store.tallies()).unknown == 1
