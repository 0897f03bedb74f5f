"""A club: who may set it, what they set, and the runs that its members follow. Through the door, on a real store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from chat import Clock, library
from core.calendar import LARGEST, MOST_RUNS
from core.club import MOST_CLUBS, Chat, Club, Standing, UnreadableClub, from_json, to_json
from core.coaching import Coaching
from core.companion import Companion
from core.dialogue import Command, Inbound, Missing, Notice, Prompt, Reply, Tap, Taps, Upload
from core.diary import Diary
from core.diary import from_json as diary_of
from core.errors import CannotTell
from core.ledger import Going, Wait
from core.members import Address, Preferences
from core.organising import Organising, told_of
from core.ownership import Ownership
from core.planning import Planning
from core.sending import Outage
from core.storage import Store, StoreRecords
from core.timetable import Timetable
from days import Script, Turn, came, lived, taps
from fakes import ring
from scheduler.jobs import planning
from test_calendar import event, file

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
GROUP = Address("telegram", "-1001")
ANNA, BEN, CORA = (Address("telegram", id) for id in ("1", "2", "3"))
words = library().words


@dataclass
class Group:
    """A chat of a platform that says who is what there, and remembers that it was asked."""

    who: dict[Address, Standing] = field(default_factory=lambda: {ANNA: Standing.ORGANISER, BEN: Standing.MEMBER})
    asked: list[Address] = field(default_factory=list)
    down: bool = False

    async def standing(self, who: Address, chat: Address) -> Standing:
        self.asked.append(who)
        if self.down:
            raise CannotTell
        return self.who.get(who, Standing.STRANGER) if chat == GROUP else Standing.STRANGER


def calendar(*names: str) -> bytes:
    """Return a file with a weekly run of each name."""
    days = (("SUMMARY:" + name, f"UID:{name}", "DTSTART:20261124T183000", "DTEND:20261124T193000") for name in names)
    return file(*(event(*lines, "RRULE:FREQ=WEEKLY") for lines in days))


@dataclass
class Bot:
    """A bot with a store, and the group that asks it."""

    store: Store
    companion: Companion
    group: Group
    timetable: Timetable
    clock: Clock

    async def claims(self, who: Address = ANNA, title: str = "Hill Runners", chat: Address = GROUP) -> Club | None:
        return await self.companion.claimed(Chat(chat, title, await self.group.standing(who, GROUP)), who)

    async def opens(self, who: Address) -> str:
        (club,) = await self.store.clubs()
        return await self.does(Command(who, "club", f"#{club.id}"))

    async def says(self, who: Address, text: str) -> str:
        return await self.does(Command(who, "club", text))

    async def does(self, inbound: Inbound) -> str:
        self.last: tuple[Reply, ...] = await self.companion.handle(inbound)
        return "\n".join(reply.text for reply in self.last)

    async def taps(self, who: Address, label: str) -> str:
        return await self.does(Tap(who, self.token(label)))

    def token(self, label: str) -> str:
        buttons = [b for reply in self.last for b in getattr(reply, "choices", ())]
        return next(str(b.tap) for b in buttons if label in b.label)

    async def club(self) -> Club:
        (club,) = await self.store.clubs()
        return club

    async def diary(self, who: Address) -> Diary:
        kept = (await self.store.load(who)).diary
        return Diary() if kept is None else diary_of(kept)

    async def opts_in(self, who: Address) -> None:
        await self.does(Command(who, "checkins"))
        await self.taps(who, words("checkins", "ages", "adult"))


@asynccontextmanager
async def bot(folder: Path) -> AsyncIterator[Bot]:
    """Give a bot with a store, for one group."""
    clock, group, timetable, ids = Clock(MONDAY), Group(), Timetable(), count(1)
    async with Store(folder / "hipwise.db", ring(), clock) as store:
        records = StoreRecords(store)
        organising = Organising(
            library(),
            store,
            {"telegram": group},
            timetable,
            now=clock,
            fresh_id=lambda: f"{next(ids):08x}{0:08x}",
            languages=("en",),
            region="DE",
        )
        companion = Companion(
            library(),
            records,
            clock,
            lambda: f"{next(ids):08x}{0:08x}",
            Ownership(library(), records, clock, lambda _: None),  # type: ignore[arg-type,return-value] # nothing asks for it
            coaching=Coaching(library(), timetable),
            organising=organising,
        )
        yield Bot(store, companion, group, timetable, clock)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Bot]:
    async with bot(tmp_path) as club:
        yield club


@pytest.fixture
async def claimed(at: Bot) -> Bot:
    await at.claims()
    await at.opens(ANNA)
    await at.says(ANNA, "zone Berlin")
    return at


# ---------------------------------------------------------------- Claiming


async def test_an_organiser_claims_a_chat_once(at: Bot) -> None:
    first = await at.claims(title="  Hill\n Runners  ")

    assert first is not None
    assert (first.name, first.zone, first.region, first.organisers) == ("Hill Runners", "Europe/Berlin", "DE", (ANNA,))
    assert await at.claims(title="Another name") == first
    assert await at.store.clubs() == (first,)


@pytest.mark.parametrize("who", [BEN, CORA])
async def test_nobody_else_does(at: Bot, who: Address) -> None:
    assert await at.claims(who) is None
    assert await at.store.clubs() == ()


async def test_there_are_so_many_clubs_at_most(at: Bot) -> None:
    for number in range(MOST_CLUBS):
        assert await at.claims(chat=Address("telegram", f"-{number}"))

    assert await at.claims(chat=Address("telegram", "-99")) is None


# ---------------------------------------------------------------- Who may


async def test_that_they_organise_is_asked_at_each_use(claimed: Bot) -> None:
    await claimed.opens(ANNA)
    ending = claimed.token(words("club", "buttons", "end"))
    claimed.group.who[ANNA] = Standing.MEMBER
    before = await claimed.club()

    for line in ("name Mine", "zone Paris", "run add Tue 18:30 Track", "end", "region GB"):
        assert words("club", "organisers_only") in await claimed.says(ANNA, line)
    for inbound in (Tap(ANNA, ending), Tap(ANNA, ending.replace(".end", ".endyes")), Upload(ANNA, calendar("Tue"))):
        assert words("club", "organisers_only") in await claimed.does(inbound)

    assert await claimed.club() == before


@pytest.mark.parametrize("standing", [Standing.STRANGER, None])
async def test_who_is_not_there_or_cannot_be_told_sees_nothing(claimed: Bot, standing: Standing | None) -> None:
    await claimed.says(ANNA, "run add Tue 18:30 Track, town hall")
    if standing is None:
        claimed.group.down = True
    else:
        del claimed.group.who[ANNA]

    for said in (await claimed.opens(ANNA), await claimed.says(ANNA, ""), await claimed.says(ANNA, "name Mine")):
        assert said.startswith(words("club", "cannot_tell" if standing is None else "strangers"))
        assert "Track" not in said


async def test_who_cannot_be_asked_about_here_is_sent_to_its_chat(claimed: Bot) -> None:
    club = await claimed.club()
    elsewhere = Chat(Address("discord", "guild/1"), "", Standing.ORGANISER)

    for at in (None, elsewhere):
        said = await claimed.does(Command(Address("discord", "1"), "club", f"#{club.id}", at=at))
        assert said == words("club", "in_its_chat")


@pytest.mark.parametrize(
    ("rest", "says"), [("#deadbeef", "gone"), ("#", "gone"), ("", "in_its_chat"), ("name X", "in_its_chat")]
)
async def test_a_club_that_is_not_known_is_not_opened(at: Bot, rest: str, says: str) -> None:
    assert words("club", says) in await at.says(ANNA, rest)


async def test_a_platform_that_says_who_is_who_only_in_the_chat_is_believed_there_alone(at: Bot) -> None:
    server, dora = Address("discord", "guild/1"), Address("discord", "7")
    for standing, says in (
        (Standing.ORGANISER, "how_change"),
        (Standing.MEMBER, "no_runs"),
        (Standing.ORGANISER, "how_change"),
    ):
        assert words("club", says) in await at.does(Command(dora, "club", at=Chat(server, "", standing, channel="5")))
    show = f"#{(await at.club()).id}"

    assert await at.says(dora, "") == await at.says(dora, show) == words("club", "in_its_chat")


async def test_a_button_is_posted_in_one_channel_where_the_bot_may_write(at: Bot) -> None:
    server, dora = Chat(Address("discord", "guild/1"), "", Standing.ORGANISER, channel="5"), Address("discord", "7")

    async def posts(chat: Chat, label: str) -> str:
        await at.does(Command(dora, "club", "zone Berlin", at=chat))
        return await at.does(Tap(dora, at.token(words("club", "buttons", label)), at=chat))

    assert words("club", "closed") in await posts(replace(server, closed=True), "post")
    assert (await at.club()).channel is None
    for channel in ("5", "6"):
        assert words("club", "posting") in await posts(replace(server, channel=channel), "post")
        assert (await at.club()).channel == channel
    assert words("club", "not_posting") in await posts(replace(server, channel="6"), "post_no")
    assert (await at.club()).channel is None


async def test_where_the_platform_says_who_they_are_it_is_not_asked_again(at: Bot) -> None:
    server = Chat(Address("discord", "guild"), "Hill Runners", Standing.ORGANISER, "5")
    them = Address("discord", "7")

    await at.does(Command(them, "club", "zone Berlin", server))
    said = await at.does(Command(them, "club", "name Mine", replace(server, standing=Standing.MEMBER)))

    assert at.group.asked == []
    assert words("club", "organisers_only") in said
    assert (await at.club()).name == "Hill Runners"


# ---------------------------------------------------------------- What is set


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("name  Track   & Trail ", "name", "Track & Trail"),
        ("zone London", "zone", "Europe/London"),
        ("zone new yrok", "zone", "America/New_York"),
        ("region gb", "region", "GB"),
        ("country Germany", "region", "DE"),
        ("language EN", "language", "en"),
    ],
)
async def test_what_is_typed_is_set(claimed: Bot, line: str, field: str, value: str) -> None:
    await claimed.says(ANNA, line)

    assert getattr(await claimed.club(), field) == value


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("name", "how_name"),
        ("zone", "how_zone"),
        ("zone Nowhereville", "how_zone"),
        ("run", "how_run"),
        ("run add", "how_run"),
        ("run add Track", "how_run"),
        ("run add 18:30 Track", "how_run"),
        ("run add Tursday 18:30 Track", "how_run"),  # which of the two?
        ("run remove", "how_remove"),
        ("run remove 9", "how_remove"),
        ("run remove -1", "how_remove"),
        ("sing", "not_caught"),
    ],
)
async def test_what_cannot_be_set_says_how_and_changes_nothing(claimed: Bot, line: str, says: str) -> None:
    before = await claimed.club()

    said = await claimed.says(ANNA, line)

    assert words("club", says) in said
    assert await claimed.club() == before


async def test_of_several_zones_one_is_chosen(claimed: Bot) -> None:
    said = await claimed.says(ANNA, "zone Brazil")

    assert "/club zone America/Sao_Paulo" in said
    await claimed.says(ANNA, "zone America/Sao_Paulo")
    assert (await claimed.club()).zone == "America/Sao_Paulo"


@pytest.mark.parametrize(
    ("line", "runs"),
    [
        ("Tue 18:30 Track, town hall", ["Track, Tuesday 18:30, town hall"]),
        ("Tue and Thu 18:30 Track at stadium", ["Track, Tuesday 18:30, stadium", "Track, Thursday 18:30, stadium"]),
        ("Sunday 9", ["Run, Sunday 09:00"]),
        ("Tuseday 18:30 Track", ["Track, Tuesday 18:30"]),
        ("Thrusday 18:30 Track", ["Track, Thursday 18:30"]),
        ("sat 9:30 Long run", ["Long run, Saturday 09:30"]),
        ("Mon 7pm Hills @ park 45 min", ["Hills, Monday 19:00, park"]),
        ("Wed 19:00 Track, meet 18:45", ["Track, Wednesday 19:00, meet 18:45"]),
    ],
)
async def test_runs_are_typed_in(claimed: Bot, line: str, runs: list[str]) -> None:
    said = await claimed.says(ANNA, f"run add {line}")

    shown = [text.partition(". ")[2] for text in said.splitlines() if text[:1].isdigit()]
    assert shown == runs


async def test_minutes_of_a_run_are_taken(claimed: Bot) -> None:
    await claimed.says(ANNA, "run add Mon 19:00 Hills, park 45 min")

    (run,) = (await claimed.club()).runs
    assert (run.name, run.place) == ("Hills", "park")
    assert {day.minutes for day in claimed.timetable.days[run.id]} == {45}


async def test_the_same_run_is_there_once_and_they_are_bounded(claimed: Bot) -> None:
    for _ in range(2):
        await claimed.says(ANNA, "run add Tue 18:30 Track")
    assert len((await claimed.club()).runs) == 1

    for minute in range(MOST_RUNS):
        await claimed.says(ANNA, f"run add Wed 6:{minute:02} Early")
    assert len((await claimed.club()).runs) == MOST_RUNS
    assert words("club", "too_many_runs", most=MOST_RUNS) in await claimed.says(ANNA, "run add Fri 18:30 One more")


async def test_a_run_keeps_its_time_on_the_wall_when_the_club_moves(claimed: Bot) -> None:
    await claimed.says(ANNA, "run add Tue 18:30 Track")
    (before,) = (await claimed.club()).runs

    said = await claimed.says(ANNA, "zone London")

    (after,) = (await claimed.club()).runs
    assert (after.id, after.zone) == (before.id, "Europe/London")
    assert "Tuesday 18:30" in said


async def test_without_a_zone_there_are_no_runs(at: Bot) -> None:
    club = await at.claims()
    assert club is not None
    await at.store.keep_club(replace(club, zone=""))
    await at.opens(ANNA)

    for inbound in (Command(ANNA, "club", "run add Tue 18:30 Track"), Upload(ANNA, calendar("Tue"))):
        assert words("club", "zone_first") in await at.does(inbound)
    assert (await at.club()).runs == ()


async def test_two_organisers_at_once_both_have_their_way(claimed: Bot) -> None:
    claimed.group.who[BEN] = Standing.ORGANISER
    await claimed.opens(BEN)

    import asyncio

    lines = [(who, f"run add {day} 18:30 Run") for who, day in ((ANNA, "Mon"), (BEN, "Tue"), (ANNA, "Wed"), (BEN, "Thu"))]
    await asyncio.gather(*(claimed.says(who, line) for who, line in lines))

    club = await claimed.club()
    assert len(club.runs) == 4
    assert set(club.organisers) == {ANNA, BEN}


# ---------------------------------------------------------------- A calendar file


async def test_a_second_import_changes_nothing_and_a_newer_file_takes_its_place(claimed: Bot) -> None:
    await claimed.says(ANNA, "run add Tue 18:30 Track")
    said = await claimed.does(Upload(ANNA, calendar("Long run")))
    assert words("club", "imported", number=1) in said
    first = await claimed.club()

    assert words("club", "same_calendar", number=1) in await claimed.does(Upload(ANNA, calendar("Long run")))
    assert await claimed.club() == first

    await claimed.does(Upload(ANNA, calendar("Hills", "Trail")))
    assert [run.name for run in (await claimed.club()).runs] == ["Track", "Hills", "Trail"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"BEGIN:VCALENDAR" + b" " * LARGEST, "too_large"), (b"hello", "no_calendar"), (b"", "no_calendar")],
)
async def test_a_file_that_cannot_be_used_says_what_to_do(claimed: Bot, content: bytes, problem: str) -> None:
    before = await claimed.club()

    assert words("club", "calendar", problem) in await claimed.does(Upload(ANNA, content))
    assert await claimed.club() == before


# ---------------------------------------------------------------- Members


@pytest.mark.parametrize("why", Missing)
async def test_a_file_that_could_not_be_read_says_what_to_do(claimed: Bot, why: Missing) -> None:
    await claimed.opens(ANNA)

    assert words("club", "calendar", why) == await claimed.does(Upload(ANNA, why))
    assert not (await claimed.club()).runs


async def test_a_run_is_followed_only_by_someone_who_wants_to_be_asked(claimed: Bot) -> None:
    await claimed.says(ANNA, "run add Tue 18:30 Track")
    await claimed.opens(BEN)

    said = await claimed.taps(BEN, "Track")

    assert words("club", "opt_in") in said
    assert isinstance(claimed.last[-1], Prompt)
    assert (await claimed.diary(BEN)).clubs == ()


async def test_a_run_is_followed_and_let_go_of(claimed: Bot) -> None:
    await claimed.says(ANNA, "run add Tue and Thu 18:30 Track")
    await claimed.opts_in(BEN)
    await claimed.opens(BEN)

    first, second = (run.id for run in (await claimed.club()).runs)
    tokens = (claimed.token("Tuesday"), claimed.token("Thursday"))
    await claimed.does(Taps(BEN, tokens))
    assert (await claimed.diary(BEN)).clubs == (first, second)
    await claimed.taps(BEN, "Tuesday")
    assert (await claimed.diary(BEN)).clubs == (second,)
    await claimed.does(Tap(BEN, tokens[0]))  # an old button does what it said, and twice is once
    await claimed.does(Tap(BEN, tokens[0]))
    assert sorted((await claimed.diary(BEN)).clubs) == sorted((first, second))


async def test_nobody_sees_who_follows(claimed: Bot) -> None:
    await claimed.says(ANNA, "run add Tue 18:30 Track")
    before = await claimed.opens(ANNA)
    await claimed.opts_in(BEN)
    await claimed.opens(BEN)
    await claimed.taps(BEN, "Track")

    assert await claimed.opens(ANNA) == before
    assert BEN not in (await claimed.club()).organisers


async def test_opening_a_club_gives_its_country_to_whoever_has_none(claimed: Bot) -> None:
    await claimed.opens(BEN)

    assert (await claimed.store.load(BEN)).preferences == Preferences(region="DE", club=(await claimed.club()).id)


async def test_the_week_ahead_has_the_runs_that_are_followed(claimed: Bot) -> None:
    await claimed.says(ANNA, "run add Tue 18:30 Track")
    await claimed.opts_in(BEN)
    await claimed.does(Command(BEN, "club"))
    await claimed.opens(BEN)
    await claimed.taps(BEN, "Track")

    assert "Tuesday 17:30, with the club" in await claimed.does(Command(BEN, "week"))  # no zone yet: UTC


# ---------------------------------------------------------------- What is posted


async def test_the_button_of_a_run_opens_its_check_in_at_once(claimed: Bot) -> None:
    await claimed.says(ANNA, "run add Mon 8:00 Early")
    await claimed.opts_in(BEN)
    club = await claimed.club()
    (day,) = (d for d in claimed.timetable.days[club.runs[0].id] if d.start.date() == MONDAY.date())
    token = f"x.club{club.id}.0.ran_{_in_36(int(day.start.timestamp()) // 60)}"

    await claimed.does(Tap(BEN, token))

    assert isinstance(claimed.last[-1], Prompt)
    assert claimed.last[-1].question == "checkin_worst"
    (asking,) = (await claimed.diary(BEN)).askings
    assert asking.run.start == day.start
    await claimed.does(Tap(BEN, token))
    assert len((await claimed.diary(BEN)).askings) == 1


async def test_the_button_of_a_run_that_is_over_or_never_was_says_so(claimed: Bot) -> None:
    await claimed.opts_in(BEN)
    club = await claimed.club()

    for arg in ("0", "zzzzzz", "!"):
        said = await claimed.does(Tap(BEN, f"x.club{club.id}.0.ran_{arg}"))
        assert arg == "!" or said == words("club", "run_over")
    assert (await claimed.diary(BEN)).askings == ()


def _in_36(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number, 36)
        text = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + text
    return text


# ---------------------------------------------------------------- Its end, and theirs


async def test_a_club_that_was_erased_is_gone(claimed: Bot) -> None:
    await claimed.says(ANNA, "run add Tue 18:30 Track")
    await claimed.says(ANNA, "end")
    old = claimed.token(words("club", "buttons", "keep"))
    await claimed.taps(ANNA, words("club", "buttons", "end_yes"))

    assert await claimed.store.clubs() == ()
    assert claimed.timetable.days == {}
    assert words("club", "gone") in await claimed.does(Tap(ANNA, old))
    assert await claimed.claims() is not None


async def test_an_organiser_who_is_erased_is_no_longer_named(claimed: Bot) -> None:
    await claimed.says(ANNA, "run add Tue 18:30 Track")
    member = (await claimed.store.load(ANNA)).member
    assert member is not None
    assert (await claimed.store.everything(member))["clubs"] == [{"organiser of": "Hill Runners"}]

    await claimed.store.forget(member)

    club = await claimed.club()
    assert club.organisers == ()
    assert len(club.runs) == 1


async def test_a_group_that_moved_keeps_its_club(claimed: Bot) -> None:
    moved = Address("telegram", "-1002")

    await claimed.store.move_address(GROUP, moved)

    assert (await claimed.club()).chat == moved


async def test_a_change_of_a_club_plans_everybody_anew(claimed: Bot) -> None:
    await claimed.opts_in(BEN)
    planned = planning(claimed.store, Planning(library(), claimed.timetable).plan, claimed.timetable)
    await planned.what(MONDAY)
    assert await claimed.store.plan_due(lambda *_: pytest.fail("nobody is due"), MONDAY, 50) == 0

    await claimed.says(ANNA, "run add Tue 18:30 Track")

    assert await claimed.store.plan_due(Planning(library()).plan, MONDAY, 50) == 1


def test_a_club_goes_to_json_and_back() -> None:
    club = Club("0c0ffee0", GROUP, "Hill Runners", (ANNA,), zone="Europe/Berlin")

    assert from_json(to_json(club)) == club
    with pytest.raises(UnreadableClub):
        from_json({"id": 5})


# ---------------------------------------------------------------- An outage


async def test_organisers_are_told_once_of_an_outage_in_waking_hours(claimed: Bot) -> None:
    claimed.group.who[BEN] = Standing.ORGANISER
    await claimed.opens(BEN)
    await claimed.says(BEN, "run add Tue 18:30 Track")
    outage = Outage("telegram", MONDAY - timedelta(hours=30), MONDAY - timedelta(hours=1))

    for _ in range(2):
        owed = list(told_of(outage, await claimed.store.clubs(), words, MONDAY))
        assert {who for who, _ in owed} == {ANNA, BEN}
        for who, one in owed:
            await claimed.store.plan(who, (one,))
    assert list(told_of(replace(outage, platform="discord"), await claimed.store.clubs(), words, MONDAY)) == []

    first, second = await claimed.store.due(MONDAY, 10)
    assert {first.address, second.address} == {ANNA, BEN}
    assert first.reply["text"] == words("club", "outage", since="Sunday 04:00", until="Monday 09:00")
    judge = Planning(library()).may
    record = await claimed.store.load(ANNA)
    assert judge(record, first, MONDAY) is Going.GO
    assert judge(record, first, MONDAY.replace(hour=2)) == Wait(MONDAY.replace(hour=7))


# ---------------------------------------------------------------- A month


def follows() -> Script:
    """Opt in, set the club up and follow its run, in the terminal."""
    yield {"text": "/club zone Berlin"}
    yield {"text": "/club"}
    turn = yield {"text": "/club run add Tue 18:30 Track, town hall"}
    turn = yield from taps(turn, "Track, Tuesday 18:30")
    turn = yield from taps(turn, words("checkins", "ages", "adult"))
    turn = yield {"text": "Berlin"}
    turn = yield from taps(turn, words("club", "buttons", "runs"))
    yield from taps(turn, "Track, Tuesday 18:30")


def test_who_follows_a_run_is_asked_after_it() -> None:
    turns: list[Turn] = []

    def script() -> Script:
        yield from follows()
        turns.append((yield {"advance": "36h"}))
        yield {"text": "/club run remove 1"}
        turns.append((yield {"advance": "10d"}))

    lived(script(), days=20, since=MONDAY)

    assert came(turns[0]) == ["Tue 24 21:30 checkin"]
    assert [line for line in came(turns[1]) if "checkin" in line] == []


def test_a_run_of_ones_own_takes_the_place_of_the_clubs() -> None:
    turns: list[Turn] = []

    def script() -> Script:
        yield from follows()
        turn = yield {"text": "/settings"}
        yield from taps(turn, words("checkins", "buttons", "plan"))
        yield {"text": "Tue 17:00"}
        turns.append((yield {"advance": "36h"}))

    lived(script(), days=20, since=MONDAY)

    assert came(turns[0]) == ["Tue 24 20:00 checkin"]


async def test_it_says_nothing_of_health_where_the_club_reads_it() -> None:
    shown = Notice(words("club", "posted")).text + words("club", "buttons", "tell")

    assert not {"hip", "pain", "hurt", "sore", "injury"} & set(shown.casefold().replace("?", "").split())
