"""The one door: saved before it is answered, a failure costs nothing, and nothing that was said reaches a log."""

import gc
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bots import bootstrap
from bots.discord.settings import DiscordSettings
from bots.settings import Settings
from chat import Chat, Clock, JsonRecords, library
from core.companion import Companion
from core.dialogue import Command, Notice, Prompt, Reply, Tap, Text
from core.ledger import Delivery
from core.members import Address, Preferences
from core.memory import MemoryRecords
from core.record import Change, Record
from terminal import environment
from test_dialogue import answered, at_a_question, kept

words = library().words
SAID = ("breathless_chest_pain", "my secret knee", "member-1", "chest", "ill", "Feverish")
"""What members tell, and who they are: none of this may stand in a log."""


class NotedRecords(JsonRecords):
    """Sessions that note each load and save, and fail when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []
        self.failing: set[str] = set()

    async def load(self, address: Address) -> Record:
        self.note("load")
        return await super().load(address)

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...] | None:
        self.note("save")
        return await super().save(address, change)

    def note(self, what: str) -> None:
        self.notes.append(what)
        if what in self.failing:
            raise ConnectionError("my secret knee")


class FailingClock(Clock):
    """A clock that has stopped."""

    def __call__(self) -> Any:
        raise ValueError("my secret knee")


def sorry() -> str:
    line = words("ui", "safety_line", emergency=library().region(None).emergency)
    return f"{words('ui', 'error')}\n\n{line}"


async def test_every_turn_is_saved_before_it_is_answered() -> None:
    sessions = NotedRecords()
    chat = Chat(sessions=sessions)

    await chat.says("/hip")
    await chat.says("no")

    assert sessions.notes == ["load", "save", "load", "save"]
    assert answered(chat) == {"body": []}


@pytest.mark.parametrize("fails", ["load", "save"])
async def test_after_a_failure_the_check_is_as_it_was_and_the_same_press_works(fails: str) -> None:
    sessions = NotedRecords()
    chat = Chat(sessions=sessions)
    await chat.says("/hip")
    before, none = kept(chat), chat.button(words("questions", "body", "none")).tap

    sessions.failing = {fails}
    await chat.sends(Tap(chat.address, none))
    assert [r.text for r in chat.last] == [sorry()]
    assert kept(chat) == before

    sessions.failing = set()
    await chat.sends(Tap(chat.address, none))
    assert chat.prompt.question == "health"


async def test_a_failure_of_one_turn_does_not_hold_up_the_next() -> None:
    sessions = NotedRecords()
    chat = Chat(sessions=sessions)
    sessions.failing = {"load"}
    await chat.says("/hip")
    sessions.failing = set()

    await chat.says("/hip")

    assert chat.prompt.question == "body"


@pytest.mark.parametrize(
    "broken",
    [
        lambda: Chat(clock=FailingClock()),
        lambda: Chat(replace(library(), words=replace(words, tree={"ui": words.tree["ui"]}, _cache={}))),
    ],
    ids=["clock", "content"],
)
async def test_whatever_goes_wrong_inside_is_answered_kindly(broken: Callable[[], Chat]) -> None:
    chat = broken()

    await chat.says("/hip")

    assert [r.text for r in chat.last] == [sorry()]


async def test_a_log_has_the_kind_of_error_and_nothing_that_was_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sessions = NotedRecords()
    chat = Chat(sessions=sessions)
    await at_a_question(chat)
    await chat.says("my secret knee")
    sessions.failing = {"save"}
    await chat.says("my secret knee")

    ours = [r for r in caplog.records if r.name.startswith("core")]
    assert [(r.message, vars(r)["error"]) for r in ours] == [("turn.failed", "ConnectionError")]
    assert all(r.exc_info is None for r in ours)
    # Where the code is may hold any of these words.
    told = [{name: value for name, value in vars(r).items() if name != "pathname"} for r in ours]
    assert not [word for each in told for word in SAID if word in str(each)]


async def test_a_whole_check_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    chat = Chat()
    await chat.says("/hip")
    await chat.says("my secret knee")

    await chat.answers({"breathless_chest_pain"})

    assert [r for r in caplog.records if r.name.startswith("core")] == []


@pytest.mark.parametrize("stored", ["{}", "[]", "7", '"x"', '{"format": 99}', '{"format": 1}', "null"])
async def test_a_stored_session_that_cannot_be_read_is_left_aside(chat: Chat, stored: str) -> None:
    chat.sessions.kept[chat.address] = (stored, Preferences(region="GB"))

    await chat.says("/hip")

    assert chat.prompt.question == "body"
    assert chat.sessions.kept[chat.address][1] == Preferences(region="GB")


async def test_two_members_never_see_each_others_check(chat: Chat) -> None:
    other = Chat(clock=chat.clock, sessions=chat.sessions, address=Address("test", "member-2"))
    await at_a_question(chat)
    await other.says("/hip")
    await other.chooses("chest")

    assert chat.prompt.question == "health"
    assert answered(chat) == {"body": []}
    assert answered(other) == {"body": ["chest"]}


async def test_the_same_name_on_two_platforms_is_two_members(chat: Chat) -> None:
    other = Chat(clock=chat.clock, sessions=chat.sessions, address=Address("elsewhere", chat.address.id))
    await at_a_question(chat)

    await other.says("/why")

    assert other.notice.text.startswith(words("ui", "no_result_yet"))


async def test_a_member_who_has_gone_leaves_no_lock_behind(chat: Chat) -> None:
    for number in range(50):
        await chat.companion.handle(Command(Address("test", str(number)), "help"))

    gc.collect()
    assert len(chat.companion._locks) == 0


async def test_each_turn_asks_the_clock_and_a_fresh_id_of_its_own() -> None:
    clock, given = Clock(), iter(f"{n:08x}" for n in range(10))
    companion = Companion(library(), JsonRecords(), clock, lambda: next(given))
    here = Address("test", "1")

    def thread(replies: tuple[Reply, ...]) -> str:
        return next(r for r in replies if isinstance(r, Prompt)).choices[0].tap.split(".")[1]

    first = thread(await companion.handle(Command(here, "hip")))
    await companion.handle(Command(here, "stop"))
    second = thread(await companion.handle(Command(here, "hip")))

    assert first != second
    assert first.endswith("00000000")


async def test_sessions_in_memory_keep_what_was_saved_last() -> None:
    sessions, here = MemoryRecords(Preferences(region="NZ")), Address("test", "1")
    assert await sessions.load(here) == Record(None, None, Preferences(region="NZ"))

    await sessions.save(here, Change({"a": 1}, Preferences()))

    assert await sessions.load(here) == Record(None, {"a": 1}, Preferences())
    assert await sessions.load(Address("test", "2")) == Record(None, None, Preferences(region="NZ"))


@pytest.mark.parametrize(("region", "number"), [("GB", "999"), ("NZ", "111"), (None, "112, 999 or 911")])
async def test_the_operators_region_is_every_members_default(region: str | None, number: str) -> None:
    companion = bootstrap.companion(Settings(region=region))

    (danger,) = await companion.handle(Text(Address("test", "1"), "chest pain"))

    assert isinstance(danger, Notice)
    assert danger.text.startswith(f"Call {number} now")


async def test_where_nothing_is_sent_first_nobody_is_let_believe_it() -> None:
    companion = bootstrap.companion(Settings())

    note, offer = await companion.handle(Command(Address("test", "1"), "checkins"))

    assert (note.text, offer.text) == (words("checkins", "reach", "never"), words("privacy", "consents", "check_ins", "text"))


@pytest.mark.parametrize(
    ("connected", "replies"), [(None, 2), (DiscordSettings("a" * 24 + "." + "b" * 6 + "." + "c" * 38, "http://127.0.0.1:9"), 1)]
)
async def test_only_with_a_platform_does_anything_come_by_itself(
    tmp_path: Path, connected: DiscordSettings | None, replies: int
) -> None:
    settings, env = Settings(discord=connected), environment(tmp_path)
    said: list[Reply] = []

    async def platform(companion: Companion) -> None:
        said.extend(await companion.handle(Command(Address("test", "1"), "checkins")))

    async with bootstrap.running(settings, bootstrap.keeping(settings, env), env) as running:
        await running.attend(platform)

    assert len(said) == replies


async def test_a_yes_in_words_is_for_the_offer_that_was_said_last_and_nothing_is_kept_before_it() -> None:
    records, here = MemoryRecords(), Address("test", "1")
    companion = bootstrap.companion(Settings(), records)
    for inbound in (Command(here, "checkins"), Text(here, "yes"), Command(here, "help"), Text(here, "34")):
        await companion.handle(inbound)
        assert await records.everything(here) is None

    for inbound in (Command(here, "checkins"), Text(here, "yes"), Text(here, "34")):
        await companion.handle(inbound)
    assert [consent["kind"] for consent in (await records.load(here)).consents] == ["check_ins"]


def test_fresh_ids_are_unlike_each_other_and_long_enough() -> None:
    ids = {bootstrap.fresh_id() for _ in range(100)}

    assert len({id[:8] for id in ids}) == 100
    assert all(set(id) <= set("0123456789abcdef") for id in ids)


def test_the_present_is_aware() -> None:
    assert bootstrap.now().tzinfo is not None
