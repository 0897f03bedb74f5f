"""A club on Telegram, over real sockets: claimed in its group, set and followed in private, by those who may at that moment."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot_api import Answers, BotApi, CutOff, Drip, Fault, Group, Member, Message, Reset, Silence, Slow, answers, holds, looking
from bots.telegram import files, rights
from chat import Clock, library
from core import club as clubs
from core.calendar import LARGEST
from core.club import Club
from core.errors import StorageUnavailable
from core.limits import FILE_BURST, FILE_REFILL, GROUP_BURST, GROUP_REFILL
from core.members import Address
from core.organising import organiser
from core.organising.screen import FOLLOWED
from core.planning import Planning
from core.timetable import Timetable
from scheduler.jobs import Job, planning, sending
from telegram_chat import Running, Waits, running, words
from test_calendar import HOUR, TEMPO, WEEKLY, event, file
from test_telegram_groups import healthy, said_in_groups

ANNA, BEN, CLEO, DORA = 4711, 815, 1234, 99
RUNS = words("platform", "group", "runs")
NO_CLUB = words("platform", "group", "no_club")
AS_GROUP = words("platform", "group", "as_group")
CANNOT_TELL = words("platform", "group", "cannot_tell")
NOT_KEPT = words("platform", "group", "not_kept")
TOO_MANY = words("platform", "group", "too_many")
SAID_IN_GROUPS = {RUNS, words("platform", "group", "open_runs"), NO_CLUB, AS_GROUP, CANNOT_TELL, NOT_KEPT, TOO_MANY}
HELP = words("ui", "help").splitlines()[0]
ERASE, YES_ERASE = words("club", "buttons", "end"), words("club", "buttons", "end_yes")
TEMPO_RUN = file(event(*TEMPO, HOUR, WEEKLY))
TRACK = "/club run add Tue 18:30 Track, town hall"
RUN_ENDS = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bot(tmp_path: Path, clock: Clock) -> AsyncIterator[Running]:
    """Give a bot that runs; whatever was done, only its lines for groups were said in groups, and no word about health."""
    async with BotApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        yield bot
        await bot.rests()
        assert (await bot.store.tallies()).conserved
        assert set(said_in_groups(api)) <= SAID_IN_GROUPS | {""}
        assert healthy(said_in_groups(api)) == set()


@pytest.fixture
def anna(bot: Running) -> Member:
    """Give an organiser's private chat."""
    return bot.member(ANNA, "Anna")


@pytest.fixture
def ben(bot: Running) -> Member:
    """Give a member's private chat."""
    return bot.member(BEN, "Ben")


@pytest.fixture
def group(bot: Running, anna: Member, ben: Member) -> Group:
    made = bot.api.group("Hill Runners", ben.user)
    made.admin(anna.user)
    return made


async def says(bot: Running, member: Member, *texts: str) -> str:
    """Write something, and return what the bot said last."""
    for text in texts:
        member.says(text)
        await bot.rests()
    return member.last.text


async def taps(bot: Running, member: Member, *labels: str) -> str:
    for label in labels:
        member.taps(label)
        await bot.rests()
    return member.last.text


async def sends(bot: Running, member: Member, content: bytes, name: str = "runs.ics", kind: str = "text/calendar") -> str:
    member.sends(name, content, kind)
    await bot.rests()
    return member.last.text


async def comes_in(bot: Running, group: Group, member: Member) -> str:
    """Write /club in the group, go through the button there, and return what is said in private."""
    inside = Member(group.world, member.user, group.chat)
    await says(bot, inside, "/club")
    member.opens(inside.last.content.buttons[0])
    await bot.rests()
    return member.last.text


async def set_up(bot: Running, group: Group, member: Member) -> None:
    """Claim a group for a club, and give it a run."""
    await comes_in(bot, group, member)
    assert "Track, Tuesday 18:30, town hall" in await says(bot, member, "/club zone Berlin", TRACK)


async def the_club(bot: Running) -> Club:
    (club,) = await bot.store.clubs()
    return club


def link_to(club: str) -> str:
    return f"https://t.me/hipwise_bot?start=club-{club}"


def address(group: Group) -> Address:
    return Address("telegram", str(group.id))


async def diary_of(bot: Running, member: Member) -> object:
    return (await bot.store.load(Address("telegram", str(member.user.id)))).diary


# ---------------------------------------------------------------- Claiming


@pytest.mark.parametrize("text", ["/club", "/club@hipwise_bot", "/CLUB", TRACK, "/club zone Berlin"])
async def test_an_organiser_claims_a_group_and_goes_on_in_private(bot: Running, anna: Member, group: Group, text: str) -> None:
    inside = group.admin(anna.user)
    assert await says(bot, inside, text) == RUNS
    club = await the_club(bot)

    assert (club.chat, club.name, club.zone, club.runs) == (address(group), "Hill Runners", "", ())
    assert club.organisers == (Address("telegram", str(ANNA)),)
    assert inside.last.content.buttons[0].url == link_to(club.id)
    anna.opens(inside.last.content.buttons[0])
    await bot.rests()
    assert anna.last.text.startswith("Hill Runners\n")
    assert words("club", "how") in anna.last.text


async def test_whoever_created_the_group_claims_it(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    group.becomes(ben.user, "creator")
    await says(bot, group.member(ben.user), "/club")

    assert len(await bot.store.clubs()) == 1


@pytest.mark.parametrize("status", ["member", "restricted", "left", "kicked", "a_status_of_next_year"])
async def test_nobody_else_claims_it(bot: Running, ben: Member, group: Group, status: str) -> None:
    inside = group.member(ben.user)
    if status == "left":
        group.removes(ben.user)
    elif status != "member":
        group.becomes(ben.user, status)

    assert await says(bot, inside, "/club") == NO_CLUB
    assert inside.last.content.buttons == ()
    assert await bot.store.clubs() == ()


async def test_a_group_is_claimed_once(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    await says(bot, group.admin(anna.user), "/club")
    await says(bot, group.admin(ben.user), "/club")
    assert await says(bot, group.member(bot.member(CLEO, "Cleo").user), "/club") == RUNS

    assert (await the_club(bot)).organisers == (Address("telegram", str(ANNA)),)


async def test_two_organisers_who_claim_a_group_at_once_claim_one_club(
    bot: Running, anna: Member, ben: Member, group: Group
) -> None:
    group.admin(anna.user).says("/club")
    group.admin(ben.user).says("/club")
    await bot.rests()

    assert len(await bot.store.clubs()) == 1


async def test_who_writes_in_the_name_of_the_group_counts_as_nobody(bot: Running, anna: Member, group: Group) -> None:
    hidden = group.anonymous(anna.user)
    assert await says(bot, hidden, "/club") == AS_GROUP
    assert await bot.store.clubs() == ()
    assert not bot.api.calls("getChatMember")

    await says(bot, group.admin(anna.user), "/club")
    assert await says(bot, hidden, "/club") == RUNS  # the way to a club says nothing of who asks


async def test_who_writes_as_a_channel_counts_as_nobody(bot: Running, anna: Member, group: Group) -> None:
    channel = {"id": -1005000, "type": "channel", "title": "News"}
    given = {"message_id": 50, "date": 1, "chat": group.chat.json, "from": anna.user.json, "sender_chat": channel}
    bot.api.inject({"message": {**given, "text": "/club"}})
    await bot.rests()

    assert group.member(anna.user).texts == (AS_GROUP,)
    assert await bot.store.clubs() == ()


async def test_a_topic_is_answered_in_it(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    for user in (ben.user, anna.user):
        given = {"message_id": 50, "date": 1, "chat": group.chat.json, "from": user.json, "text": "/club"}
        bot.api.inject({"message": {**given, "is_topic_message": True, "message_thread_id": 9}})
    await bot.rests()

    assert [call.params.number("message_thread_id") for call in bot.api.calls("sendMessage")] == [9, 9]


UNREADABLE = Answers(code=200, body=b'{"ok": true, "result": {"status": "administrator"}}')
CANNOT = (
    *(answers(500), answers(502), answers(401), answers(409), holds(3600)),
    *(CutOff(), CutOff(whole=True), Reset(), Silence(), Drip(seconds=1), UNREADABLE),
)


@pytest.mark.parametrize("fault", CANNOT, ids=lambda fault: repr(fault)[:30])
async def test_where_telegram_does_not_say_who_asks_nothing_is_claimed(
    bot: Running, anna: Member, group: Group, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "WAITS", 0.1)
    bot.api.faults.lay("getChatMember", fault)
    inside = group.admin(anna.user)

    assert await says(bot, inside, "/club") == CANNOT_TELL
    assert await bot.store.clubs() == ()
    assert await says(bot, inside, "/club") == RUNS


async def test_a_group_that_hides_its_members_tells_an_administrator_only(bot: Running, anna: Member, group: Group) -> None:
    group.chat.hides_members = True
    inside = group.admin(anna.user)
    assert await says(bot, inside, "/club") == CANNOT_TELL
    assert "administrator" in CANNOT_TELL

    group.chat.bot = "administrator"
    assert await says(bot, inside, "/club") == RUNS


async def test_a_slow_answer_holds_up_no_other_group(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    other = bot.api.group("Valley Runners")
    bot.api.faults.lay("getChatMember", Slow(seconds=0.4), chat=group.id)
    group.admin(anna.user).says("/club")
    other.admin(ben.user).says("/club")

    await other.member(ben.user).reads(RUNS, within=0.3)
    await bot.rests()
    assert len(await bot.store.clubs()) == 2


async def test_a_slow_answer_about_one_club_holds_up_no_other(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    other = bot.api.group("Valley Runners")
    other.admin(ben.user)
    await set_up(bot, group, anna)
    await comes_in(bot, other, ben)
    bot.api.faults.lay("getChatMember", Slow(seconds=1), chat=group.id)
    anna.says("/club name Hill Walkers")
    await bot.api.until(lambda: len(bot.api.calls("getChatMember", group.id)) == 5)

    ben.says("/club name Valley Walkers")
    await ben.reads("is called Valley Walkers", within=0.8)
    assert "Hill Walkers" not in anna.last.text


async def test_a_club_is_answered_a_few_times_and_then_once_in_a_while(
    bot: Running, anna: Member, group: Group, clock: Clock
) -> None:
    inside = group.admin(anna.user)
    for _ in range(20):
        inside.says("/club")
    await bot.rests()
    assert len(inside.heard) == len(bot.api.calls("getChatMember")) == GROUP_BURST

    clock.at += GROUP_REFILL
    await says(bot, inside, "/club", "/hip")
    assert len(inside.heard) == GROUP_BURST + 1


async def test_a_machine_has_so_many_clubs(bot: Running, anna: Member, group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organiser, "MOST_CLUBS", 1)
    await says(bot, group.admin(anna.user), "/club")
    other = bot.api.group("Valley Runners")

    assert await says(bot, other.admin(anna.user), "/club") == TOO_MANY
    assert clubs.MOST_CLUBS == 20
    assert len(await bot.store.clubs()) == 1


# ---------------------------------------------------------------- The way in


async def test_a_member_follows_a_run_and_is_told_so(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    assert "Track, Tuesday 18:30, town hall" in await comes_in(bot, group, ben)
    assert words("club", "how") not in ben.last.text
    assert ben.last.labels == ("☐ Track, Tuesday 18:30",)

    await follows(bot, ben)

    assert ben.last.labels == ("☑ Track, Tuesday 18:30",)
    assert (await the_club(bot)).runs[0].id in str(await diary_of(bot, ben))


async def follows(bot: Running, member: Member) -> None:
    """Follow a run of the club whose screen is open, with all that is asked before."""
    await taps(bot, member, "☐ Track", "Yes, and I am 18")
    await says(bot, member, "Berlin", "/club")
    assert words("club", "following") in await taps(bot, member, "☐ Track")


@pytest.mark.parametrize("erased", [False, True])
async def test_who_follows_a_run_is_asked_after_it_in_private_as_long_as_there_is_the_club(
    bot: Running, anna: Member, ben: Member, group: Group, clock: Clock, *, erased: bool
) -> None:
    await set_up(bot, group, anna)
    await comes_in(bot, group, ben)
    await follows(bot, ben)
    timetable = Timetable()
    planned = Planning(library(), timetable)
    bot.store.judged_by(planned.may)
    jobs = (planning(bot.store, planned.plan, timetable), sending(bot.outreach))
    await due(bot, jobs, clock)
    if erased:
        await taps(bot, anna, ERASE, YES_ERASE)
        await due(bot, jobs, clock)
    before, seen = len(ben.heard), [len(anna.heard), len(said_in_groups(bot.api))]

    clock.at = RUN_ENDS + timedelta(hours=2, minutes=-1)
    await due(bot, jobs, clock)
    assert len(ben.heard) == before
    for _ in range(3):
        clock.at += timedelta(minutes=1)
        await due(bot, jobs, clock)

    asked = [text.splitlines()[0] for text in ben.texts[before:]]
    assert asked == ([] if erased else [words("checkins", "open", "today")])
    assert [len(anna.heard), len(said_in_groups(bot.api))] == seen


async def due(bot: Running, jobs: Iterable[Job], clock: Clock) -> None:
    for job in jobs:
        await job.what(clock())
    await bot.rests()


async def test_a_stranger_is_refused_until_they_are_in_the_group(bot: Running, anna: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    dora, club = bot.member(DORA, "Dora"), await the_club(bot)
    dora.opens(link_to(club.id))
    await bot.rests()
    assert dora.texts == (words("club", "strangers"),)

    group.member(dora.user)
    dora.opens(link_to(club.id))
    await bot.rests()
    assert "Track" in dora.last.text

    group.removes(dora.user)
    assert await taps(bot, dora, "☐ Track") == words("club", "strangers")
    assert await diary_of(bot, dora) is None


@pytest.mark.parametrize("status", ["restricted", "kicked"])
async def test_who_is_restricted_is_a_member_as_long_as_they_are_in(
    bot: Running, anna: Member, ben: Member, group: Group, status: str
) -> None:
    await set_up(bot, group, anna)
    group.becomes(ben.user, status)
    ben.opens(link_to((await the_club(bot)).id))
    await bot.rests()

    assert ("Track" in ben.last.text) == (status == "restricted")

    group.removes(ben.user)
    ben.opens(link_to((await the_club(bot)).id))
    await bot.rests()
    assert ben.last.text == words("club", "strangers")


async def test_the_button_of_another_club_shows_nothing_of_it(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    tap = anna.last.content.buttons[0].data
    dora = bot.member(DORA, "Dora")
    await says(bot, dora, "/start")
    dora.forges(dora.last, tap or "")
    await bot.rests()

    assert dora.last.text == words("club", "strangers")


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("club-deadbeef", words("club", "gone")),
        ("club-", HELP),
        ("club-DEADBEEF", HELP),
        ("club-deadbee", HELP),
        ("club-deadbeef0", HELP),
        ("club-" + "0" * 59, HELP),
        ("xclub-deadbeef", HELP),
    ],
)
async def test_a_made_up_link_leads_nowhere(bot: Running, anna: Member, group: Group, payload: str, said: str) -> None:
    await set_up(bot, group, anna)
    dora = bot.member(DORA, "Dora")
    dora.opens(f"https://t.me/hipwise_bot?start={payload}")
    await bot.rests()

    assert dora.last.text.splitlines()[0] == said
    assert "Hill Runners" not in dora.last.text


async def test_a_link_to_a_club_loses_no_open_check(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    await says(bot, ben, "/hip")
    await comes_in(bot, group, ben)
    assert "Track" in ben.last.text

    assert (await says(bot, ben, "/hip")).startswith(words("ui", "resume"))


async def test_a_link_that_was_pinned_works_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    async with BotApi(now=clock) as api:
        async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
            anna = bot.member(ANNA, "Anna")
            group = api.group("Hill Runners")
            group.admin(anna.user)
            await set_up(bot, group, anna)
            pinned = group.admin(anna.user).last.content.buttons[0]
        async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
            ben = bot.member(BEN, "Ben")
            group.member(ben.user)
            ben.opens(pinned)
            await bot.rests()

            assert "Track" in ben.last.text


# ---------------------------------------------------------------- Who may, at that moment


async def test_who_organises_no_more_can_erase_nothing(bot: Running, anna: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    await taps(bot, anna, ERASE)
    group.demotes(anna.user)
    assert await taps(bot, anna, YES_ERASE) != words("club", "ended")

    assert words("club", "organisers_only") in anna.last.text
    assert (await the_club(bot)).runs
    assert words("club", "organisers_only") in await says(bot, anna, "/club zone Tokyo")
    assert words("club", "organisers_only") in await sends(bot, anna, TEMPO_RUN)
    assert (await the_club(bot)).zone == "Europe/Berlin"

    group.admin(anna.user)
    await says(bot, anna, "/club")
    assert await taps(bot, anna, ERASE, YES_ERASE) == words("club", "ended")
    assert await bot.store.clubs() == ()


@pytest.mark.parametrize("fault", [answers(502), Reset(), holds(5)], ids=lambda fault: repr(fault)[:20])
async def test_where_telegram_does_not_say_who_presses_nothing_is_done(
    bot: Running, anna: Member, group: Group, fault: Fault
) -> None:
    await set_up(bot, group, anna)
    await taps(bot, anna, ERASE)
    bot.api.faults.lay("getChatMember", fault)

    assert await taps(bot, anna, YES_ERASE) == words("club", "cannot_tell")
    assert (await the_club(bot)).runs


async def test_nobody_sees_who_follows_a_run(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    cleo = bot.member(CLEO, "Cleo")
    group.member(cleo.user)
    await set_up(bot, group, anna)
    before = (await says(bot, anna, "/club"), await comes_in(bot, group, cleo), *said_in_groups(bot.api))
    await comes_in(bot, group, ben)
    await follows(bot, ben)
    said_before = {*said_in_groups(bot.api)}

    after = (await says(bot, anna, "/club"), await says(bot, cleo, "/club"))

    assert after == before[:2]
    assert cleo.last.labels == ("☐ Track, Tuesday 18:30",)
    assert {*said_in_groups(bot.api)} == said_before
    assert all("Ben" not in text for text in (*anna.texts, *cleo.texts))


async def test_what_two_organisers_change_at_once_is_all_kept(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    group.admin(ben.user)
    await comes_in(bot, group, ben)
    for n in range(5):
        anna.says(f"/club run add Mon 0{n}:00 Anna {n}")
        ben.says(f"/club run add Wed 0{n}:00 Ben {n}")
    anna.sends("runs.ics", TEMPO_RUN, "text/calendar")
    await bot.rests()

    names = {run.name for run in (await the_club(bot)).runs}
    assert names == {"Track", "Tempo", *(f"{name} {n}" for name in ("Anna", "Ben") for n in range(5))}


async def test_as_many_runs_as_a_club_can_have_fit_on_screens(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    many = [
        event(f"UID:{n}", f"SUMMARY:{n} {'R' * 90}", f"LOCATION:{'P' * 90}", "DTSTART:20261124T183000", WEEKLY)
        for n in range(59)
    ]
    await sends(bot, anna, file(*many))
    shown = len(ben.heard)
    await comes_in(bot, group, ben)

    assert "".join(ben.texts[shown:]).count("PPP") >= 59
    assert len(ben.last.labels) == FOLLOWED
    assert (await bot.store.tallies()).dropped == 0


# ---------------------------------------------------------------- Calendar files


async def test_a_calendar_that_is_sent_twice_changes_nothing_the_second_time(bot: Running, anna: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    assert words("club", "imported", number=1) in await sends(bot, anna, TEMPO_RUN)
    club = await the_club(bot)
    assert {run.name for run in club.runs} == {"Track", "Tempo"}

    assert words("club", "same_calendar", number=1) in await sends(bot, anna, TEMPO_RUN)
    assert await the_club(bot) == club


@pytest.mark.parametrize(
    ("name", "kind"),
    [("RUNS.ICS", "application/octet-stream"), ("runs", "text/calendar"), ("runs.txt", "text/calendar; charset=utf-8")],
)
async def test_a_calendar_is_known_by_its_name_or_its_kind(
    bot: Running, anna: Member, group: Group, name: str, kind: str
) -> None:
    await set_up(bot, group, anna)

    assert words("club", "imported", number=1) in await sends(bot, anna, TEMPO_RUN, name, kind)


HOSTILE = {
    "too_large": b"BEGIN:VCALENDAR" + b"\r\n" * LARGEST,
    "no_calendar": b"PK\x03\x04 a zip file",
    "too_often": file(event(*TEMPO, "RRULE:FREQ=SECONDLY")),
    "too_many_events": file(*(event(f"UID:{n}", "DTSTART:20261124T183000") for n in range(1_600))),
    "too_many_runs": file(*(event(f"UID:{n}", "DTSTART:20261124T183000") for n in range(61))),
    "no_runs": file(),
}


@pytest.mark.parametrize("problem", HOSTILE)
async def test_a_calendar_that_cannot_be_taken_is_answered_kindly_and_nothing_of_it_is_kept(
    bot: Running, anna: Member, group: Group, problem: str
) -> None:
    await set_up(bot, group, anna)
    club = await the_club(bot)

    assert words("club", "calendar", problem) in await sends(bot, anna, HOSTILE[problem])
    assert await the_club(bot) == club
    assert words("club", "imported", number=1) in await sends(bot, anna, TEMPO_RUN)


def comes_as(bot: Running, member: Member, content: bytes, **said: object) -> Message:
    """Send a calendar of which Telegram says something else than what it is."""
    document = bot.api.world.document("runs.ics", "text/calendar", content)
    shown = {name: value for name, value in {**document.json, **said}.items() if value is not None}
    message = {"message_id": 9_000, "date": 1, "chat": member.chat.json, "from": member.user.json}
    bot.api.inject({"message": {**message, "document": shown}})
    return member.last


async def test_of_a_file_that_is_announced_as_too_large_nothing_is_fetched(bot: Running, anna: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    await sends(bot, anna, HOSTILE["too_large"])

    assert not bot.api.calls("getFile")
    assert not bot.api.calls("file")


@pytest.mark.parametrize("size", [5, 0, None])
async def test_of_a_file_that_is_larger_than_announced_only_the_beginning_is_fetched(
    bot: Running, anna: Member, group: Group, size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(bot, group, anna)
    got: list[bytes] = []
    fetch = files.Files.fetched

    async def fetched(self: files.Files, file: str, most: int) -> object:
        content = await fetch(self, file, most)
        got.append(content if isinstance(content, bytes) else b"")
        return content

    monkeypatch.setattr(files.Files, "fetched", fetched)
    comes_as(bot, anna, HOSTILE["too_large"] * 10, file_size=size)
    await bot.rests()

    assert words("club", "calendar", "too_large") in anna.last.text
    assert [len(content) for content in got] == [LARGEST + 1]


async def test_a_file_that_telegram_gives_no_bot_is_too_large(
    bot: Running, anna: Member, group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "LARGEST_DOWNLOAD", 10)
    await set_up(bot, group, anna)
    comes_as(bot, anna, TEMPO_RUN)
    await bot.rests()

    assert words("club", "calendar", "too_large") in anna.last.text


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WITHIN", 0.2)


BREAKS = (answers(400), answers(404), answers(500), answers(502), CutOff(), Reset(), Silence(), Drip(seconds=1))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("method", ["getFile", "file"])
@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: repr(fault)[:30])
async def test_a_file_that_does_not_arrive_can_be_sent_again(
    bot: Running, anna: Member, group: Group, method: str, fault: Fault
) -> None:
    await set_up(bot, group, anna)
    club = await the_club(bot)
    bot.api.faults.lay(method, fault, times=None)  # after a reset aiohttp tries a GET once more by itself

    assert words("club", "calendar", "not_fetched") in await sends(bot, anna, TEMPO_RUN)
    assert await the_club(bot) == club
    bot.api.faults.clear()
    assert words("club", "imported", number=1) in await sends(bot, anna, TEMPO_RUN)


async def test_files_are_fetched_for_one_member_a_few_times_and_then_once_in_a_while(
    bot: Running, anna: Member, clock: Clock
) -> None:
    for _ in range(FILE_BURST + 5):
        anna.sends("runs.ics", TEMPO_RUN, "text/calendar")
    await bot.rests()
    assert len(bot.api.calls("file")) == FILE_BURST

    clock.at += FILE_REFILL
    await sends(bot, anna, TEMPO_RUN)
    assert len(bot.api.calls("file")) == FILE_BURST + 1


async def test_a_calendar_without_a_club_is_told_where_to_begin(bot: Running, anna: Member, group: Group) -> None:
    assert await sends(bot, anna, TEMPO_RUN) == words("club", "in_its_chat")
    assert await bot.store.clubs() == ()


async def test_a_member_who_does_not_organise_imports_nothing(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    await comes_in(bot, group, ben)

    assert words("club", "organisers_only") in await sends(bot, ben, TEMPO_RUN)
    assert [run.name for run in (await the_club(bot)).runs] == ["Track"]


async def test_a_word_of_danger_below_a_calendar_comes_first(bot: Running, anna: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    await says(bot, anna, "I can't feel my legs")
    danger, document = anna.last.text, bot.api.world.document("runs.ics", "text/calendar", TEMPO_RUN)
    message = {"message_id": 9_000, "date": 1, "chat": anna.chat.json, "from": anna.user.json, "document": document.json}
    bot.api.inject({"message": {**message, "caption": "I can't feel my legs"}})
    await bot.rests()

    assert anna.last.text == danger
    assert not bot.api.calls("getFile")


async def test_another_file_is_something_without_words(bot: Running, anna: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    said = await sends(bot, anna, b"%PDF", "runs.ics.pdf", "application/pdf")

    assert said == await sends(bot, bot.member(DORA, "Dora"), b"x", "notes.txt", "text/plain")
    assert not bot.api.calls("getFile")


async def test_a_calendar_that_was_received_before_a_restart_is_imported_after_it(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with BotApi(now=clock) as api:
        async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
            anna = bot.member(ANNA, "Anna")
            group = api.group("Hill Runners")
            group.admin(anna.user)
            await set_up(bot, group, anna)
            api.faults.lay("file", Silence())
            anna.sends("runs.ics", TEMPO_RUN, "text/calendar")
            await api.until(lambda: bool(api.calls("file")))
        async with running(tmp_path, api, now=clock, sleep=Waits()) as bot:
            await bot.rests()

            assert {run.name for run in (await the_club(bot)).runs} == {"Track", "Tempo"}
            assert sum(words("club", "imported", number=1) in text for text in anna.texts) == 1


# ---------------------------------------------------------------- A group that moves, or that the bot is no longer in


async def test_a_club_goes_along_when_its_group_becomes_a_supergroup(
    bot: Running, anna: Member, ben: Member, group: Group
) -> None:
    await set_up(bot, group, anna)
    before, pinned = await the_club(bot), group.member(ben.user).last.content.buttons[0]
    moved = group.migrates()
    await bot.rests()
    assert (await the_club(bot)).chat == address(moved)

    ben.opens(pinned)
    await bot.rests()
    assert "Track" in ben.last.text
    assert "Track" in await comes_in(bot, moved, anna)
    assert words("club", "added") in await says(bot, anna, "/club run add Mon 7:00 Easy")
    assert (await the_club(bot)).id == before.id
    assert {call.chat for call in bot.api.calls("getChatMember")[-3:]} == {moved.id}


async def test_a_club_outlives_that_the_bot_is_thrown_out(bot: Running, anna: Member, ben: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    await comes_in(bot, group, ben)
    await follows(bot, ben)
    club, diary = await the_club(bot), await diary_of(bot, ben)
    group.removes_bot(anna.user)
    await bot.rests()

    assert await says(bot, anna, "/club zone Tokyo") == words("club", "strangers")
    assert await says(bot, ben, "/club") == words("club", "strangers")
    assert (await the_club(bot), await diary_of(bot, ben)) == (club, diary)

    group.adds_bot(anna.user)
    assert words("club", "added") in await says(bot, anna, "/club run add Mon 7:00 Easy")


# ---------------------------------------------------------------- When nothing can be kept


async def fails(*_: object) -> None:
    raise StorageUnavailable("There is no room left on the disk.")


async def test_while_nothing_can_be_kept_a_club_is_answered_kindly_and_stays_as_it_was(
    bot: Running, anna: Member, group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(bot, group, anna)
    club, inside = await the_club(bot), group.admin(anna.user)
    with monkeypatch.context() as patch:
        patch.setattr(bot.store, "_ask", fails)
        assert await says(bot, inside, "/club") == NOT_KEPT
        again = words("ui", "club_again")
        assert again in await says(bot, anna, "/club zone Tokyo")
        assert again in await sends(bot, anna, TEMPO_RUN)
        assert again in await taps(bot, anna, ERASE)

    assert await the_club(bot) == club
    assert words("club", "set_zone", zone="Tokyo") in await says(bot, anna, "/club zone Tokyo")
    assert await bot.store.unhandled("telegram") == ()


async def test_a_disk_that_fills_up_while_a_group_is_claimed_leaves_it_answered(
    bot: Running, anna: Member, group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = group.admin(anna.user)
    with monkeypatch.context() as patch:
        patch.setattr(bot.store, "keep_club", fails)
        assert await says(bot, inside, "/club") == NOT_KEPT
        patch.setattr(bot.store, "plan", fails)
        assert await says(bot, inside, "/club") == NOT_KEPT
        assert len(inside.heard) == 2
    assert await bot.store.clubs() == ()
    assert await says(bot, inside, "/club") == RUNS


async def test_many_members_come_in_at_once(bot: Running, anna: Member, group: Group) -> None:
    await set_up(bot, group, anna)
    club = await the_club(bot)
    crowd = [bot.member(id, f"Runner {id}") for id in range(10_000, 10_040)]
    for member in crowd:
        group.member(member.user)
        member.opens(link_to(club.id))
    async with asyncio.timeout(20):
        await bot.rests()

    assert all("Track" in member.last.text for member in crowd)
