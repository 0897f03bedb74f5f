"""Two chats on two platforms become one member's by a code, and are parted again; nothing is lost, doubled or guessed."""

import asyncio
import json
import logging
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import Chat, Clock, library
from core.clinical import Disposition
from core.dialogue import Notice, Tap
from core.enduring import EnduringRecords
from core.errors import StorageUnavailable
from core.ledger import Delivery, Kind
from core.limits import ADDRESSES, TRIES, TRIES_OF_ALL, Tries
from core.linking import ALPHABET, HOLDS, LENGTH, code_in, new_code
from core.members import Address
from core.memory import MemoryRecords
from core.record import Change
from core.replies import reply_of
from core.storage import Store, StoreRecords, sql
from core.storage.erased import ErasedList
from core.storage.retention import ERASED
from fakes import PLAIN, owed, ring

words = library().words
TELEGRAM, DISCORD = Address("telegram", "4711000815"), Address("discord", "901234567890")
EMERGENCY = ("breathless_chest_pain", "age_18_44")
HEALTH = ("hip", "pain", "check", "result", "run", "health", "sore", "history")


def said(*key: str, **values: object) -> str:
    return words("link", *key, **values)


@dataclass
class Side(Chat):
    """One of a member's chats: what is owed there is heard when it is asked for."""

    store: Any = None

    async def hears(self) -> None:
        """Take what is owed here, as its platform would."""
        due = [d for d in await self.store.due(self.clock.at, 99) if d.address == self.address and "is" in d.reply]
        for delivery in due:
            claimed = await self.store.claim(delivery)
            assert claimed is not None
            assert await self.store.sent(claimed, "7")
        self.last = tuple(reply_of(delivery.reply) for delivery in due)
        self.said.extend(self.last)

    async def code(self) -> str:
        """Make a code, and read it."""
        await self.says("/link")
        found = re.search(r"\b\w{3}-\w{3}-\w{3}\b", self.text)
        assert found is not None
        return found[0]

    async def member(self) -> str | None:
        member: str | None = (await self.sessions.load(self.address)).member
        return member

    async def kept(self) -> dict[str, Any]:
        everything: dict[str, Any] = json.loads(json.dumps(await self.sessions.everything(self.address) or {}))
        return everything

    async def agreed(self) -> set[str]:
        """Return what is agreed to now."""
        latest = {consent["kind"]: consent["given"] for consent in (await self.kept()).get("consents", ())}
        return {kind for kind, given in latest.items() if given}


@dataclass
class World:
    """A store, and chats that talk to one Hipwise."""

    store: Store
    clock: Clock
    records: Any
    sides: list[Side] = field(default_factory=list)

    def side(self, address: Address) -> Side:
        side = Side(clock=self.clock, sessions=self.records, address=address, store=self.store)
        if self.sides:
            side.companion = self.sides[0].companion
        self.sides.append(side)
        return side

    def restarted(self) -> None:
        """Go on as another process would, over the same store."""
        companion = Side(clock=self.clock, sessions=self.records).companion
        for side in self.sides:
            side.companion = companion


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Give a store with a list of who was erased, which runs on a clock that can be moved."""
    clock = Clock()
    erased = ErasedList(ring(), (tmp_path / "lists" / "erased",))
    async with Store(tmp_path / "hipwise.db", ring(), clock, erased=erased) as store:
        yield World(store, clock, EnduringRecords(StoreRecords(store), MemoryRecords()))
        assert (await store.tallies()).conserved
        assert store.unreadable == 0


@pytest.fixture
def here(world: World) -> Side:
    """Give a chat on Telegram."""
    return world.side(TELEGRAM)


@pytest.fixture
def there(world: World, here: Side) -> Side:
    """Give a chat on Discord."""
    return world.side(DISCORD)


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def asked(maker: Side, joiner: Side) -> None:
    """Come to the question where the code was made."""
    await joiner.says(f"/link {await maker.code()}")
    await maker.hears()
    assert maker.notice.text == said("confirm", app=said("apps", joiner.address.platform))


async def linked(maker: Side, joiner: Side) -> None:
    await asked(maker, joiner)
    await maker.taps(said("buttons", "yes"))
    await joiner.hears()


# ---------------------------------------------------------------- A code, and a yes


async def test_a_code_typed_on_the_other_side_and_a_yes_make_one_member(here: Side, there: Side) -> None:
    code = await here.code()
    await there.says(f"/link {code}")
    assert there.notice.text == said("asked", app="Telegram")
    await here.hears()
    await here.taps(said("buttons", "yes"))
    assert here.notice.text == said("joined", app="Discord")
    await there.hears()

    assert there.notice.text == said("joined", app="Telegram")
    assert await here.member() == await there.member() is not None


@pytest.mark.parametrize("platform", ["telegram", "discord", "console", "small"])
def test_the_question_shows_nothing_of_health_on_a_locked_screen(platform: str) -> None:
    app = said("apps", platform if words.find("link", "apps", platform) else "another")
    shown = " ".join((said("confirm", app=app), said("buttons", "yes"), said("buttons", "no"))).casefold()

    assert not [word for word in HEALTH if word in shown.split()]


async def test_a_check_begun_on_one_side_is_gone_on_with_on_the_other(here: Side, there: Side) -> None:
    await here.says("/hip")
    await here.chooses()
    await linked(here, there)

    await there.says("/hip")
    await there.taps(words("ui", "buttons", "go_on"))
    assert there.prompt.question == "health"
    await there.answers({"age_18_44", "place_outer_hip", "dur_2_6w"})

    await here.says("/hip")
    assert here.text.startswith(words("ui", "resume_done"))


async def test_a_button_of_the_side_that_was_left_is_an_old_one(here: Side, there: Side) -> None:
    await linked(here, there)
    await here.says("/hip")
    none = here.button(words("questions", "body", "none")).tap
    await there.says("/hip")
    await there.taps(words("ui", "buttons", "go_on"))
    await there.chooses()

    await here.sends(Tap(here.address, none))

    assert here.notice.text.startswith(words("ui", "old_button"))
    assert here.prompt.question == "health"


async def test_two_sides_at_the_same_moment_answer_one_question_once(here: Side, there: Side) -> None:
    await linked(here, there)
    await here.says("/hip")
    token = here.button(words("questions", "body", "none")).tap
    here.store._known.clear()  # else one of the two has nothing to read, and is over before the other has read

    await asyncio.gather(here.sends(Tap(here.address, token)), there.sends(Tap(there.address, token)))

    texts = [side.text for side in (here, there)]
    assert sum(words("ui", "old_button") in text for text in texts) == 1
    assert [answer["question"] for answer in (await here.kept())["sessions"][0]["answers"]] == ["body"]


async def test_the_way_back_to_an_open_check_stands_below_and_a_number_is_no_answer(here: Side) -> None:
    await here.says("/hip")
    await here.says("/link")
    assert [b.label for b in here.last[-1].choices] == [said("buttons", "cancel"), words("ui", "buttons", "go_on")]

    await here.says("1")

    assert here.notice.text.startswith(words("ui", "here_again"))


async def test_words_of_danger_come_before_these_commands(here: Side) -> None:
    for command in ("/link chest pain", "/unlink chest pain"):
        await here.says(command)
        assert here.notice.text.startswith("Call 112, 999 or 911 now")


# ---------------------------------------------------------------- What a code is


def test_a_code_has_more_than_40_random_bits_and_is_easy_to_read_aloud() -> None:
    asked_for: list[int] = []

    def bits(count: int) -> int:
        asked_for.append(count)
        most: int = 2**count - 1
        return most

    assert new_code(bits) == ALPHABET[-1] * LENGTH
    assert sum(asked_for) == 45
    assert len(set(ALPHABET)) == 32
    assert not set("OILU") & set(ALPHABET)


@pytest.mark.parametrize(
    "typed",
    [
        "K7Q-F2M-901",
        "k7qf2m901",
        "  k7q f2m 901 ",
        "K7Q\u2013F2M\u2014901",
        "\uff2b\uff17\uff31-F2M-901",
        "K7QF2M9OI",
        "k7qf2m9ol",
    ],
)
def test_a_code_is_read_however_it_was_written(typed: str) -> None:
    assert code_in(typed) == "K7QF2M901"


@pytest.mark.parametrize(
    "typed",
    ["", "K7Q-F2M-9X", "K7Q-F2M-9XTT", "\u041a7Q-F2M-901", "K7Q-F2M-90\u0661", "hello", "K7Q" * 2000, "\ud800" * 9, "\x00" * 9],
)
def test_what_can_be_no_code_is_told_so_and_is_no_try(typed: str) -> None:
    assert code_in(typed) is None


@given(st.text())
def test_any_text_is_a_code_of_ours_or_none(typed: str) -> None:
    code = code_in(typed)

    assert code is None or (len(code) == LENGTH and set(code) <= set(ALPHABET))


async def test_a_look_alike_is_answered_politely(here: Side, there: Side) -> None:
    code = await here.code()

    await there.says("/link " + code.replace(code[0], "\u0410", 1))

    assert there.notice.text == said("no_code")


async def test_a_code_holds_ten_minutes_and_then_ten_to_be_confirmed(world: World, here: Side, there: Side) -> None:
    code = await here.code()
    world.clock.moves(minutes=9, seconds=59)
    await there.says(f"/link {code}")
    await here.hears()
    world.clock.moves(minutes=9, seconds=59)

    await here.taps(said("buttons", "yes"))

    assert await here.member() == await there.member()


async def test_a_code_is_over_after_ten_minutes(world: World, here: Side, there: Side) -> None:
    code = await here.code()
    world.clock.moves(minutes=10)

    await there.says(f"/link {code}")

    assert there.notice.text == said("expired")
    assert await world.store.due(world.clock.at, 9) == ()


async def test_a_question_is_over_ten_minutes_after_it_was_put(world: World, here: Side, there: Side) -> None:
    await asked(here, there)
    world.clock.moves(minutes=10)

    await here.taps(said("buttons", "yes"))

    assert here.notice.text == said("gone")
    assert await here.member() != await there.member()


async def test_a_code_works_once(world: World, here: Side, there: Side) -> None:
    third = world.side(Address("discord", "third"))
    code = await here.code()
    await there.says(f"/link {code}")

    await third.says(f"/link {code}")
    assert third.notice.text == said("used")
    await here.hears()
    await here.taps(said("buttons", "yes"))
    await third.says(f"/link {code}")

    assert third.notice.text == said("wrong")
    assert await third.member() != await here.member()


async def test_typed_twice_it_asks_once(world: World, here: Side, there: Side) -> None:
    code = await here.code()
    await there.says(f"/link {code}")
    await there.says(f"/link {code}")

    assert there.notice.text == said("asked", app="Telegram")
    assert len(await world.store.due(world.clock.at, 9)) == 1


async def test_a_wrong_code_joins_nobody(world: World, here: Side, there: Side) -> None:
    code = await here.code()

    await there.says("/link " + ("1" if code[0] == "0" else "0") + code[1:])

    assert there.notice.text == said("wrong")
    assert await world.store.due(world.clock.at, 9) == ()


async def test_a_code_is_not_typed_where_it_was_made(here: Side) -> None:
    await here.says(f"/link {await here.code()}")

    assert here.notice.text == said("own")


async def test_those_who_are_one_already_are_told_so(here: Side, there: Side) -> None:
    await linked(here, there)

    await there.says(f"/link {await here.code()}")

    assert there.notice.text == said("already")


async def test_a_new_code_ends_the_one_before(here: Side, there: Side) -> None:
    first = await here.code()
    await here.code()

    await there.says(f"/link {first}")

    assert there.notice.text == said("wrong")


async def test_a_question_that_waits_is_shown_again_to_whoever_asks_for_a_code(world: World, here: Side, there: Side) -> None:
    await there.says(f"/link {await here.code()}")
    await here.says("/link")
    assert here.notice.text == said("confirm", app="Discord")
    await here.taps(said("buttons", "yes"))

    assert await here.member() == await there.member()


async def test_a_question_that_nobody_answered_makes_room_for_a_code(world: World, here: Side, there: Side) -> None:
    await there.says(f"/link {await here.code()}")
    world.clock.moves(minutes=10)

    await there.says(f"/link {await here.code()}")

    assert there.notice.text == said("asked", app="Telegram")


async def test_a_code_survives_a_restart_and_so_does_the_question(world: World, here: Side, there: Side) -> None:
    code = await here.code()
    world.restarted()
    await there.says(f"/link {code}")
    await here.hears()
    world.restarted()

    await here.taps(said("buttons", "yes"))

    assert await here.member() == await there.member()


async def test_nothing_of_a_code_is_in_the_files_or_in_a_log(
    world: World, here: Side, there: Side, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "core")
    code = await here.code()
    kept = files(tmp_path)
    await there.says(f"/link {code}")
    kept += files(tmp_path)
    await here.hears()
    await here.taps(said("buttons", "yes"))
    kept += files(tmp_path)

    for written in (code, code.replace("-", "")):
        assert written.encode() not in kept
        assert written not in caplog.text


# ---------------------------------------------------------------- Tries


async def test_an_address_has_five_tries_an_hour_and_a_sixth_right_one_is_refused(
    world: World, here: Side, there: Side
) -> None:
    for _ in range(TRIES):
        await there.says("/link AAAAAAAAA")
        assert there.notice.text == said("wrong")
    code = await here.code()
    await there.says(f"/link {code}")
    assert there.notice.text == said("too_many")

    world.clock.moves(minutes=59)
    await there.says(f"/link {await here.code()}")
    assert there.notice.text == said("too_many")
    world.clock.moves(minutes=1)
    await there.says(f"/link {await here.code()}")
    assert there.notice.text == said("asked", app="Telegram")


def test_all_tries_together_are_bounded_and_so_is_what_is_kept_of_them() -> None:
    tries, clock = Tries(), Clock()

    taken = [tries.takes(Address("discord", str(number)), clock()) for number in range(TRIES_OF_ALL + 10)]

    assert taken == [True] * TRIES_OF_ALL + [False] * 10
    clock.moves(hours=1)
    assert tries.takes(DISCORD, clock())
    assert len(tries._made) == 1


# ---------------------------------------------------------------- No, cancelled, gone


async def test_a_no_joins_nobody_and_the_other_side_is_told(here: Side, there: Side) -> None:
    await asked(here, there)

    await here.taps(said("buttons", "no"))
    await there.hears()

    assert (here.last[0].text, there.last[0].text) == (said("no"), said("declined"))
    assert await here.member() != await there.member()


@pytest.mark.parametrize("who", ["maker", "joiner"])
async def test_either_side_can_cancel(here: Side, there: Side, who: str) -> None:
    code = await here.code()
    cancel = here.button(said("buttons", "cancel")).tap
    await there.says(f"/link {code}")
    if who == "maker":
        await here.sends(Tap(here.address, cancel))
        assert here.notice.text == said("cancelled")
    else:
        await there.taps(said("buttons", "cancel"))
        assert there.notice.text == said("cancelled")
    await here.hears()

    await here.taps(said("buttons", "yes"))

    assert here.notice.text == said("gone")
    assert await here.member() != await there.member()


async def test_a_double_yes_joins_once(here: Side, there: Side) -> None:
    await asked(here, there)
    yes = Tap(here.address, here.button(said("buttons", "yes")).tap)

    await asyncio.gather(here.sends(yes), here.sends(yes))
    await there.hears()

    assert [r.text for r in here.said if isinstance(r, Notice)][-2:].count(said("gone")) == 1
    assert [r.text for r in there.last] == [said("joined", app="Telegram")]


async def test_a_yes_after_a_no_does_nothing(here: Side, there: Side) -> None:
    await asked(here, there)
    yes = here.button(said("buttons", "yes")).tap
    await here.taps(said("buttons", "no"))

    await here.sends(Tap(here.address, yes))

    assert here.notice.text == said("gone")


async def test_nobody_elses_yes_counts(world: World, here: Side, there: Side) -> None:
    await asked(here, there)
    yes = here.button(said("buttons", "yes")).tap
    third = world.side(Address("discord", "third"))
    await third.code()

    for stranger in (third, there):
        await stranger.sends(Tap(stranger.address, yes))
        assert stranger.notice.text == said("gone")
    assert await here.member() != await there.member()


async def test_a_yes_to_an_earlier_question_is_none_to_a_later_one(world: World, here: Side, there: Side) -> None:
    await asked(here, there)
    yes = here.button(said("buttons", "yes")).tap
    await there.taps(said("buttons", "cancel"))
    third = world.side(Address("discord", "third"))
    await asked(here, third)

    await here.sends(Tap(here.address, yes))

    assert here.notice.text == said("gone")
    assert await here.member() != await third.member()


@pytest.mark.parametrize("act", ["linkyes", "linkno", "linkyes_", "unlink_zzzzzzzz", "unlink_00000000", "linkyes_00000000"])
async def test_a_forged_button_changes_nothing(here: Side, there: Side, act: str) -> None:
    await linked(here, there)

    await here.sends(Tap(here.address, f"abcdef.menu.{int(here.clock().timestamp()) // 60 % 100_000}.{act}"))

    assert await here.member() == await there.member()


async def test_whoever_is_erased_meanwhile_is_not_joined(here: Side, there: Side) -> None:
    await asked(here, there)
    yes = here.button(said("buttons", "yes")).tap
    await there.says("/hip")
    await there.says("/forget")
    await there.taps(words("privacy", "forget", "yes"))

    await here.sends(Tap(here.address, yes))

    assert here.notice.text == said("gone")
    assert await there.member() is None


async def test_an_erasure_takes_its_code_along(here: Side, there: Side) -> None:
    code = await here.code()
    await here.says("/forget")
    await here.taps(words("privacy", "forget", "yes"))
    assert words("privacy", "forget", "receipt_line", table=words("privacy", "tables", "links"), before=1, after=0) in here.text

    await there.says(f"/link {code}")

    assert there.notice.text == said("wrong")


# ---------------------------------------------------------------- What the two had


async def remembering(side: Side) -> None:
    """Agree to a history, and come to a result that is kept there."""
    await side.agrees("history")
    await side.says("/hip")
    await side.answers(EMERGENCY)


@pytest.mark.parametrize("both", [(), ("tips",)])
async def test_of_the_diary_only_what_both_agreed_to_goes_on(here: Side, there: Side, both: tuple[str, ...]) -> None:
    await here.agrees("check_ins", *both)
    await here.says("Berlin")
    await here.says("/ran 8 km")
    if both:
        await there.agrees(*both)

    await linked(here, there)

    diaries = (await here.kept())["diaries"]
    assert [diary["runs"] + diary["askings"] + diary["plan"] for diary in diaries] == [[]] * len(both)


def test_it_is_decided_of_every_table_what_becomes_of_it_when_two_members_are_one() -> None:
    """A new table about members gets its place in core/storage/merging.py, and, where it is read from a chat, in parting."""
    moves, is_agreed, ends = (
        {"addresses", "outbox", "settings", "diaries", "former_members"},
        {"consents", "history"},
        {"links", "receipts"},
    )

    assert set(sql.ABOUT_MEMBERS) == moves | is_agreed | ends | {"sessions"} | set(sql.OF_CLUBS)


async def test_the_newer_member_is_taken_in_by_the_older_whichever_made_the_code(here: Side, there: Side) -> None:
    await there.agrees("history")
    older = await there.member()
    await here.agrees("history")
    newer = await here.member()

    await linked(here, there)

    assert await here.member() == await there.member() == older != newer


async def test_nothing_is_left_of_the_newer_member_but_that_they_were_one(world: World, here: Side, there: Side) -> None:
    await remembering(here)
    await remembering(there)
    newer = await there.member()

    await linked(here, there)

    tables = (("keys", "owner"), ("members", "id"), *((table, "member") for table in sql.ABOUT_MEMBERS))
    rows = await world.store._read(
        lambda book: {
            (table, column): book.count(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?", newer)  # noqa: S608 - our names
            for table, column in tables
        }
    )
    assert not any(rows.values())
    assert await world.store._read(lambda book: book.all("SELECT id FROM former_members")) == [(newer,)]


@pytest.mark.parametrize("first", ["here", "there"])
async def test_only_what_both_agreed_to_goes_on_and_both_are_told(here: Side, there: Side, first: str) -> None:
    sides = (here, there) if first == "here" else (there, here)
    await sides[0].agrees("history", "tips")
    await sides[1].agrees("history", "check_ins")

    await linked(here, there)

    assert await here.agreed() == {"history"}
    ended = ", ".join(words("privacy", "consents", kind, "name") for kind in ("check_ins", "tips"))
    for side in (here, there):
        assert said("taken_back", names=ended) in side.text
        side.button(words("ui", "buttons", "consents"))


async def test_a_history_goes_on_whole_where_both_agreed(here: Side, there: Side) -> None:
    await here.agrees("history")
    await there.agrees("history")
    await there.says("/hip")
    await there.answers(EMERGENCY)
    there.clock.moves(minutes=3)
    await here.says("/hip")
    await here.answers(("age_18_44", "place_outer_hip", "dur_2_6w"))

    await linked(here, there)

    history = (await there.kept())["history"]
    assert [entry["urgency"] for entry in history][:1] == [Disposition.EMERGENCY.value]
    assert len(history) == 2
    assert said("results_erased") not in here.text


@pytest.mark.parametrize("agrees", ["here", "there"])
async def test_a_history_that_only_one_agreed_to_is_erased_and_both_are_told(
    here: Side, there: Side, tmp_path: Path, agrees: str
) -> None:
    one = here if agrees == "here" else there
    await here.agrees("tips")
    await there.agrees("tips")
    await one.agrees("history")
    await one.says("/hip")
    await one.answers(EMERGENCY)

    await linked(here, there)

    assert (await here.kept())["history"] == []
    for side in (here, there):
        assert said("results_erased") in side.text
        assert words("privacy", "consents", "history", "name") in side.text


async def test_the_check_used_last_goes_on_and_the_other_ends(here: Side, there: Side) -> None:
    await here.says("/hip")
    await here.chooses()
    here.clock.moves(seconds=20)
    await there.says("/hip")
    await there.chooses("chest")
    here.clock.moves(seconds=20)

    await linked(here, there)

    (session,) = (await here.kept())["sessions"]
    assert "chest" in session["answers"][0]["chosen"]
    assert said("check_ended") in here.text
    assert said("check_ended") in there.text


async def test_settings_of_the_older_hold_and_what_only_the_newer_set_comes_along(here: Side, there: Side) -> None:
    await here.says("/settings")
    await here.taps(words("ui", "buttons", "set_region"), words("regions", "GB"))
    await there.says("/settings")
    await there.taps(words("ui", "buttons", "set_region"), words("regions", "US"))
    await there.says("/settings")
    await there.taps(words("ui", "buttons", "miles"))

    await linked(here, there)

    assert (await there.kept())["settings"] == {"region": "GB", "units": "miles"}


async def test_what_is_owed_to_the_moved_address_moves_along_and_is_sent_once(world: World, here: Side, there: Side) -> None:
    await here.says("/hip")
    (open_one, in_flight, was_sent) = await world.store.save_turn(
        DISCORD, Change({"a": 1}, PLAIN, [owed(text=text, due=world.clock.at) for text in ("open", "in flight", "sent")])
    )
    claimed, other = await world.store.claim(in_flight), await world.store.claim(was_sent)
    assert claimed is not None
    assert other is not None
    await world.store.sent(other, "41")

    await asked(here, there)
    await here.taps(said("buttons", "yes"))

    assert await world.store.sent(claimed, "42")  # it was on its way to the platform as someone else's
    assert await world.store.messages(DISCORD, 9) == ("41", "42")
    again = await world.store.claim(open_one)
    assert again is not None
    assert await world.store.sent(again, "43")
    assert await world.store.claim(open_one) is None
    assert (await world.store.tallies()).conserved


async def test_a_question_in_hand_while_its_address_moves_is_placed_below_what_came_since(
    world: World, here: Side, there: Side
) -> None:
    await here.says("/hip")
    reply = {"text": "Age?", "choices": [["t", "l", "answer", None]]}
    question = owed(Kind.QUESTION, due=world.clock.at, edits="9", reply=reply)
    (in_hand,) = await world.store.save_turn(DISCORD, Change({"a": 1}, PLAIN, [question]))
    await asked(here, there)
    await here.taps(said("buttons", "yes"))

    claimed = await world.store.claim(in_hand)

    assert claimed is not None
    assert claimed.edits is None  # the message that it would have changed is not the last one there
    assert await world.store.sent(claimed, "10")


async def test_one_occurrence_that_both_planned_is_one(world: World, here: Side, there: Side) -> None:
    at = world.clock.at
    for side in (here, there):
        await side.says("/hip")
        for run, time in (("run 1", at), ("run 2", at + timedelta(hours=3))):
            await world.store.plan(side.address, [_check_in(time, run)])
    await asked(here, there)
    await here.taps(said("buttons", "yes"))
    world.clock.moves(hours=4)

    due = [d for d in await world.store.due(world.clock.at, 9) if d.kind is Kind.CHECK_IN]

    assert len(due) == 2
    member = await here.member() or ""
    assert await world.store.plan_ahead(member, [_check_in(at, "run 1")]) == ()


async def test_an_occurrence_that_one_had_is_not_sent_to_the_other(world: World, here: Side, there: Side) -> None:
    at = world.clock.at
    for side in (here, there):
        await side.says("/hip")
    (theirs,) = await world.store.plan(DISCORD, [_check_in(at, "run 1")])
    claimed = await world.store.claim(theirs)
    assert claimed is not None
    await world.store.sent(claimed, "5")
    await world.store.plan(TELEGRAM, [_check_in(at, "run 1")])

    await asked(here, there)
    await here.taps(said("buttons", "yes"))

    assert [d for d in await world.store.due(at, 9) if d.kind is Kind.CHECK_IN] == []


def _check_in(due: Any, run: str) -> Any:
    return owed(Kind.CHECK_IN, "How did it feel?", due=due, until=due + timedelta(hours=12), occurrence=run)


async def test_linking_costs_nothing_of_what_it_takes_if_it_is_cut_short(world: World, here: Side, there: Side) -> None:
    await remembering(here)
    await remembering(there)
    await asked(here, there)
    before = await here.kept(), await there.kept()
    here.companion._linking._told = None  # type: ignore[union-attr,method-assign] # whatever goes wrong within the commit

    await here.taps(said("buttons", "yes"))

    assert here.text.startswith(words("ui", "error"))
    after = await here.kept(), await there.kept()
    assert [side["history"] for side in after] == [side["history"] for side in before]
    assert await here.member() != await there.member()


async def test_a_turn_that_was_overtaken_by_a_link_is_made_again(world: World, here: Side, there: Side) -> None:
    await here.says("/settings")
    await here.taps(words("ui", "buttons", "set_region"), words("regions", "GB"))
    await there.says("/hip")
    await asked(here, there)
    yes = here.button(said("buttons", "yes")).tap
    save, once = world.store.save_turn, iter([True])

    async def late(address: Address, change: Change) -> tuple[Delivery, ...]:
        if next(once, False):
            await here.sends(Tap(here.address, yes))
        return await save(address, change)

    world.store.save_turn = late  # type: ignore[method-assign]

    await there.says("/settings")

    assert words("regions", "GB") in there.text
    assert (await here.kept())["settings"] == {"region": "GB"}


# ---------------------------------------------------------------- Three, and too many


async def test_three_addresses_are_one_member(world: World, here: Side, there: Side) -> None:
    third = world.side(Address("discord", "third"))
    await linked(here, there)
    await linked(there, third)

    assert len({await side.member() for side in (here, there, third)}) == 1
    assert len((await third.kept())["addresses"]) == 3


async def test_two_pairs_become_four_of_one_member(world: World, here: Side, there: Side) -> None:
    third, fourth = world.side(Address("discord", "third")), world.side(Address("telegram", "4"))
    await linked(here, there)
    await linked(third, fourth)

    await linked(fourth, here)

    assert len({await side.member() for side in (here, there, third, fourth)}) == 1
    assert await world.store._read(lambda book: book.count("SELECT COUNT(*) FROM former_members")) == 3


async def test_one_member_has_no_more_addresses_than_are_bearable(world: World, here: Side, there: Side) -> None:
    await linked(here, there)
    for number in range(ADDRESSES - 2):
        world.clock.moves(hours=1)
        await linked(here, world.side(Address("discord", f"more {number}")))

    await here.says("/link")

    assert here.notice.text == said("full")


# ---------------------------------------------------------------- Parting


async def test_an_address_that_is_taken_out_is_a_stranger_and_the_rest_stays(here: Side, there: Side) -> None:
    await here.agrees("history")
    await there.agrees("history")
    await here.says("/hip")
    await here.answers(EMERGENCY)
    await linked(here, there)
    before = await there.kept()

    await there.says("/unlink")
    assert [b.label for b in there.last[-1].choices][:2] == [
        said("buttons", "this", app="Discord"),
        said("buttons", "other", app="Telegram"),
    ]
    await there.taps(said("buttons", "this", app="Discord"))
    await here.hears()

    assert there.notice.text == said("parted")
    assert here.notice.text == said("left", app="Discord")
    assert (await here.kept())["history"] == before["history"]
    assert len((await here.kept())["sessions"]) == 1
    assert (await there.kept()).get("history", []) == []
    await there.says("/mydata")
    assert there.notice.text == words("privacy", "mydata", "nothing")


async def test_the_other_address_can_be_taken_out_from_here(here: Side, there: Side) -> None:
    await here.agrees("history")
    await there.agrees("history")
    await linked(here, there)

    await here.says("/unlink")
    await here.taps(said("buttons", "other", app="Discord"))
    await there.hears()

    assert here.notice.text == said("left", app="Discord")
    assert there.notice.text == said("parted")
    assert await there.member() != await here.member()
    assert await here.agreed() == {"history"}
    assert await there.agreed() == set()


async def test_a_check_that_was_at_the_address_taken_out_goes_on_at_the_other(here: Side, there: Side) -> None:
    await linked(here, there)
    await there.says("/hip")
    await there.chooses()

    await there.says("/unlink")
    await there.taps(said("buttons", "this", app="Discord"))
    await there.says("/hip")
    assert there.prompt.question == "body"
    await here.says("/hip")

    assert here.text.startswith(words("ui", "resume"))


async def test_what_was_owed_as_a_reply_goes_and_what_was_planned_goes_elsewhere(world: World, here: Side, there: Side) -> None:
    await linked(here, there)
    await there.says("/hip")
    member = await here.member() or ""
    (planned,) = await world.store.plan_ahead(member, [_check_in(world.clock.at, "run 1")])
    (reply,) = await world.store.plan(DISCORD, [owed(due=world.clock.at)])
    assert planned.address == DISCORD

    await there.says("/unlink")
    await there.taps(said("buttons", "this", app="Discord"))

    assert await world.store.claim(planned) is None  # whoever has it in hand must not write to a stranger
    assert await world.store.claim(reply) is None
    due = await world.store.due(world.clock.at, 9)
    assert {(d.kind, d.address) for d in due} == {(Kind.CHECK_IN, TELEGRAM), (Kind.NOTICE, TELEGRAM)}
    assert await world.store.plan_ahead(member, [_check_in(world.clock.at, "run 1")]) == ()
    assert (await world.store.tallies()).conserved


async def test_an_old_button_parts_nobody(here: Side, there: Side) -> None:
    await linked(here, there)
    await here.says("/unlink")
    other = here.button(said("buttons", "other", app="Discord")).tap
    here.clock.moves(minutes=61)

    await here.sends(Tap(here.address, other))

    assert here.notice.text == said("unlink")
    assert await here.member() == await there.member()


async def test_no_keeps_them_joined(here: Side, there: Side) -> None:
    await linked(here, there)
    await here.says("/unlink")

    await here.taps(said("buttons", "keep"))

    assert here.notice.text == said("still")
    assert await here.member() == await there.member()


async def test_a_button_takes_out_no_address_of_another_member(world: World, here: Side, there: Side) -> None:
    third, fourth = world.side(Address("discord", "third")), world.side(Address("telegram", "4"))
    await linked(here, there)
    await linked(third, fourth)
    await here.says("/unlink")
    other = here.button(said("buttons", "other", app="Discord")).tap

    await third.sends(Tap(third.address, other))

    assert third.notice.text == said("gone")
    assert await here.member() == await there.member()


async def test_whoever_is_not_joined_is_told_so(here: Side) -> None:
    await here.says("/unlink")

    assert here.notice.text == said("alone")


async def test_those_who_were_parted_can_be_joined_again(here: Side, there: Side) -> None:
    await linked(here, there)
    await here.says("/unlink")
    await here.taps(said("buttons", "this", app="Telegram"))

    await linked(here, there)

    assert await here.member() == await there.member()


# ---------------------------------------------------------------- Erasing


@pytest.mark.parametrize("asks", ["here", "there"])
async def test_forget_from_either_erases_both_and_only_there_is_a_receipt(
    world: World, here: Side, there: Side, tmp_path: Path, asks: str
) -> None:
    await here.agrees("history")
    await there.agrees("history")
    before = {await side.member() for side in (here, there)}
    await linked(here, there)
    one, other = (here, there) if asks == "here" else (there, here)

    await one.says("/forget")
    assert words("privacy", "forget", "linked") in one.text
    await one.taps(words("privacy", "forget", "yes"))
    await other.hears()

    assert one.text.startswith(words("privacy", "forget", "receipt_head"))
    assert (
        words("privacy", "forget", "receipt_line", table=words("privacy", "tables", "addresses"), before=2, after=0) in one.text
    )
    assert other.last == ()
    assert {await side.member() for side in (here, there)} == {None}
    # A backup from before they were one has two members, and must bring back neither.
    assert set(ErasedList(ring(), (tmp_path / "lists" / "erased",)).read().members) == before


async def test_linking_and_parting_list_nobody_as_erased(here: Side, there: Side, tmp_path: Path) -> None:
    await here.agrees("history")
    await there.agrees("history")
    await linked(here, there)
    await here.says("/unlink")
    await here.taps(said("buttons", "this", app="Telegram"))

    assert ErasedList(ring(), (tmp_path / "lists" / "erased",)).read().members == {}


async def test_who_someone_was_is_forgotten_once_no_backup_can_have_it(world: World, here: Side, there: Side) -> None:
    await here.agrees("history")
    await there.agrees("history")
    await linked(here, there)

    assert (await world.store.purge(world.clock.at + ERASED))["former_members"] == 0
    assert (await world.store.purge(world.clock.at + ERASED + timedelta(minutes=1)))["former_members"] == 1


async def test_a_code_is_erased_once_it_is_over_and_whoever_made_it_with_it(world: World, here: Side) -> None:
    await here.code()
    assert (await world.store.purge(world.clock.at + HOLDS - timedelta(minutes=1)))["links"] == 0

    assert (await world.store.purge(world.clock.at + HOLDS))["links"] == 1
    assert await here.member() is None


async def test_no_byte_of_what_was_not_taken_along_is_left(world: World, here: Side, there: Side, tmp_path: Path) -> None:
    await here.agrees("tips")
    await there.agrees("history")
    await there.says("/hip")
    await there.answers(EMERGENCY)
    newer = await there.member()
    sealed = await world.store._read(
        lambda book: [
            *book.all("SELECT entry FROM history WHERE member = ?", newer),
            *book.all("SELECT wrapped FROM keys WHERE owner = ?", newer),
            *book.all("SELECT address FROM addresses WHERE member = ?", newer),
        ]
    )
    assert len(sealed) == 3

    await linked(here, there)

    kept = files(tmp_path)
    assert [blob for (blob,) in sealed if blob in kept] == []


# ---------------------------------------------------------------- Which address is written to


async def test_what_is_planned_goes_to_the_address_used_last(world: World, here: Side, there: Side) -> None:
    await linked(here, there)
    member = await here.member() or ""
    (first,) = await world.store.plan_ahead(member, [_check_in(world.clock.at, "run 1")])
    assert first.address == TELEGRAM  # the yes was given there

    await there.says("/help")
    (second,) = await world.store.plan_ahead(member, [_check_in(world.clock.at, "run 2")])

    assert second.address == DISCORD
    assert {d.address for d in await world.store.due(world.clock.at, 9) if d.kind is Kind.CHECK_IN} == {DISCORD}
    assert await world.store.claim(first) is None  # it goes elsewhere now
    await here.says("/help")
    assert {d.address for d in await world.store.due(world.clock.at, 9) if d.kind is Kind.CHECK_IN} == {TELEGRAM}


async def test_where_that_cannot_be_reached_it_goes_to_the_other_as_the_same_occurrence(
    world: World, here: Side, there: Side
) -> None:
    await linked(here, there)
    member = await here.member() or ""
    await world.store.plan_ahead(member, [_check_in(world.clock.at, "run 1")])

    await world.store.unreachable(TELEGRAM)
    (later,) = await world.store.plan_ahead(member, [_check_in(world.clock.at, "run 2")])

    assert later.address == DISCORD
    assert {d.address for d in await world.store.due(world.clock.at, 9) if d.kind is Kind.CHECK_IN} == {DISCORD}
    assert await world.store.plan_ahead(member, [_check_in(world.clock.at, "run 1")]) == ()
    await world.store.unreachable(DISCORD)
    assert [d for d in await world.store.due(world.clock.at, 9) if d.kind is Kind.CHECK_IN] == []
    assert (await world.store.plan_ahead(member, [_check_in(world.clock.at, "run 3")]))[0].address == TELEGRAM


async def test_what_is_found_unreachable_on_the_way_is_open_again_for_the_other(world: World, here: Side, there: Side) -> None:
    await linked(here, there)
    member = await here.member() or ""
    (planned,) = await world.store.plan_ahead(member, [_check_in(world.clock.at, "run 1")])
    claimed = await world.store.claim(planned)
    assert claimed is not None

    await world.store.unreachable(TELEGRAM)
    assert await world.store.elsewhere(claimed)

    (due,) = [d for d in await world.store.due(world.clock.at, 9) if d.kind is Kind.CHECK_IN]
    assert (due.address, due.attempt) == (DISCORD, 0)
    assert not await world.store.elsewhere(claimed)
    assert (await world.store.tallies()).conserved


async def test_a_reply_never_goes_elsewhere(world: World, here: Side, there: Side) -> None:
    await linked(here, there)
    (reply,) = await world.store.plan(TELEGRAM, [owed(due=world.clock.at)])
    claimed = await world.store.claim(reply)
    assert claimed is not None
    await world.store.unreachable(TELEGRAM)

    assert not await world.store.elsewhere(claimed)


async def test_with_one_address_it_waits_there(world: World, here: Side) -> None:
    await here.agrees("tips")
    member = await here.member() or ""
    (planned,) = await world.store.plan_ahead(member, [_check_in(world.clock.at, "run 1")])
    claimed = await world.store.claim(planned)
    assert claimed is not None
    await world.store.unreachable(TELEGRAM)

    assert not await world.store.elsewhere(claimed)
    assert await world.store.plan_ahead("00" * 16, [_check_in(world.clock.at, "run 1")]) == ()


# ---------------------------------------------------------------- While nothing can be kept


async def test_where_nothing_is_kept_nothing_is_joined() -> None:
    chat = Chat(sessions=MemoryRecords())
    for command in ("/link", "/link K7Q-F2M-9XT", "/unlink"):
        await chat.says(command)
        assert chat.notice.text.startswith(words("ui", "link_again"))


async def test_while_the_store_fails_it_is_to_be_tried_again_and_nothing_is_lost(
    world: World, here: Side, there: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(here, there)
    yes = here.button(said("buttons", "yes")).tap

    async def fails(*_: object) -> Any:
        raise StorageUnavailable("There is no room left on the disk.")

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "link", fails)
        patched.setattr(world.store, "save_turn", fails)
        await here.agrees("history")
        await here.sends(Tap(here.address, yes))
        assert here.notice.text.startswith(words("ui", "link_again"))

    await there.agrees("history")
    await here.sends(Tap(here.address, yes))

    assert await here.member() == await there.member()
    assert await here.agreed() == {"history"}


# ---------------------------------------------------------------- Killed at any point


class Copying:
    """Copies what is on disk before every statement of a connection, as a kill there would leave it."""

    def __init__(self, database: Path, to: Path) -> None:
        self._database, self._to = database, to
        self.copies: list[Path] = []

    def __call__(self, _statement: str) -> None:
        folder = self._to / str(len(self.copies))
        folder.mkdir()
        for suffix in ("", "-wal"):
            file = self._database.with_name(self._database.name + suffix)
            if file.exists():
                shutil.copy(file, folder / file.name)
        self.copies.append(folder)


@pytest.mark.parametrize("step", ["yes", "unlink"])
async def test_a_step_killed_at_any_statement_is_done_whole_or_not_at_all(
    world: World, here: Side, there: Side, tmp_path: Path, step: str
) -> None:
    await remembering(here)
    await remembering(there)
    if step == "yes":
        await asked(here, there)
        tap = Tap(here.address, here.button(said("buttons", "yes")).tap)
    else:
        await linked(here, there)
        await here.says("/unlink")
        tap = Tap(here.address, here.button(said("buttons", "other", app="Discord")).tap)
    before = await state(world.store)
    copying = Copying(tmp_path / "hipwise.db", tmp_path)

    await world.store._read(lambda book: book.db.set_trace_callback(copying))
    await here.sends(tap)
    await world.store._read(lambda book: book.db.set_trace_callback(None))
    after = await state(world.store)

    assert before != after
    assert len(copying.copies) > 30
    found = []
    for folder in copying.copies:
        async with Store(folder / "hipwise.db", ring(), world.clock) as killed:
            found.append(await state(killed))
            assert (await killed.tallies()).conserved
            assert killed.unreadable == 0
    done = found.index(after)
    assert found == [before] * done + [after] * (len(found) - done)
    async with Store(copying.copies[0] / "hipwise.db", ring(), world.clock) as again:
        side = Side(clock=world.clock, sessions=StoreRecords(again), address=TELEGRAM, store=again)
        await side.sends(tap)
        assert await state(again) == after


async def state(store: Store) -> Any:
    """Return what is kept behind both addresses, without what differs each time, and whether they are one member's."""
    everything = [await StoreRecords(store).everything(address) or {} for address in (TELEGRAM, DISCORD)]
    members = [(await store.load(address)).member for address in (TELEGRAM, DISCORD)]
    kept = [
        {name: kept.get(name) for name in ("history", "settings", "consents", "sessions", "addresses")}
        | {"deliveries": sorted((d["kind"], d["reply"].get("text"), d["state"]) for d in kept.get("deliveries", ()))}
        for kept in everything
    ]
    return members[0] == members[1], json.loads(json.dumps(kept))
