"""What is a member's stays in their hands: they see it, take it with them, agree, take back, and erase."""

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.console import json_lines
from chat import START, Chat, library
from core.clinical import Disposition
from core.dialogue import File, Tap
from core.enduring import EnduringRecords
from core.errors import StorageUnavailable
from core.ledger import Delivery
from core.members import Address
from core.memory import MemoryRecords
from core.ownership import CONSENTS
from core.record import Change
from core.storage import StoreRecords
from core.storage.retention import HISTORY
from core.words import Words
from fakes import store

words = library().words
EMERGENCY = ("breathless_chest_pain", "age_18_44")


def said(*key: str, **values: object) -> str:
    return words("privacy", *key, **values)


@pytest.fixture(params=["memory", "store"])
async def chat(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Chat]:
    """Give a conversation that is kept in memory, and one that is kept in the store."""
    if request.param == "memory":
        yield Chat(sessions=MemoryRecords())
        return
    async with store(tmp_path, now=START) as kept:
        yield Chat(sessions=StoreRecords(kept))


async def agrees(chat: Chat, kind: str) -> None:
    await chat.agrees(kind)


async def result(chat: Chat, *findings: str) -> None:
    await chat.says("/hip")
    await chat.answers(findings)


async def kept(chat: Chat) -> dict[str, Any]:
    everything: dict[str, Any] = json.loads(json.dumps(await chat.sessions.everything(chat.address) or {}))
    return everything


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


# ---------------------------------------------------------------- To know


async def test_privacy_says_what_is_kept(chat: Chat) -> None:
    await chat.says("/privacy")

    assert chat.notice.text == said("privacy")


async def test_about_counts_what_is_signed_off(chat: Chat) -> None:
    await chat.says("/about")

    assert library().pathway.version in chat.notice.text
    assert f"Sources: {len(library().sources)}." in chat.notice.text
    assert "Signed off by a clinician: 0." in chat.notice.text


@pytest.mark.parametrize("command", ["/mydata", "/forget"])
async def test_someone_about_whom_nothing_is_kept_is_told_so(chat: Chat, command: str) -> None:
    await chat.says(command)

    table = "mydata" if command == "/mydata" else "forget"
    assert chat.text == said(table, "nothing")


async def test_mydata_counts_what_is_kept(chat: Chat) -> None:
    await chat.says("/hip")
    await agrees(chat, "history")

    await chat.says("/mydata")

    for table in ("sessions", "consents"):
        assert said("mydata", "line", table=said("tables", table), count=1) in chat.text
    assert said("mydata", "open_check") in chat.text


async def test_words_of_danger_come_before_these_commands(chat: Chat) -> None:
    await chat.says("/forget chest pain")

    assert chat.notice.text.startswith("Call 112, 999 or 911 now")


async def test_the_open_check_is_still_there_afterwards(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.chooses()

    for command in ("/privacy", "/about", "/mydata", "/forget"):
        await chat.says(command)
    await chat.says("1")

    assert chat.prompt.question == "health"
    assert (await kept(chat))["sessions"][0]["ticked"] == []


async def test_the_way_back_to_an_open_check_stands_below_all_of_it(chat: Chat) -> None:
    await chat.says("/hip")
    for command in ("/privacy", "/about", "/mydata", "/forget"):
        await chat.says(command)
        assert [b.label for b in chat.last[-1].choices].count(words("ui", "buttons", "go_on")) == 1
    await chat.taps(said("forget", "no"))
    await chat.taps(words("ui", "buttons", "go_on"))
    assert chat.prompt.question == "body"

    await chat.says("/stop")
    await chat.says("/privacy")
    assert words("ui", "buttons", "go_on") not in [b.label for b in chat.last[-1].choices]


# ---------------------------------------------------------------- A copy


async def test_a_copy_holds_what_was_told(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.chooses("chest")
    await chat.says("/mydata")

    await chat.taps(said("mydata", "export_json"))

    (file,) = chat.last
    assert isinstance(file, File)
    assert (file.name, json.loads(file.content)) == ("hipwise.json", await kept(chat))
    assert "chest" in file.content


async def test_a_copy_as_a_table_holds_the_same(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.chooses("chest")
    await chat.says("/mydata")

    await chat.taps(said("mydata", "export_csv"))

    (file,) = chat.last
    assert isinstance(file, File)
    rows = list(csv.reader(io.StringIO(file.content)))
    assert rows[0] == ["table", "field", "value"]
    assert ["sessions", "1.answers.1.chosen.1", "chest"] in rows


async def test_a_script_gets_the_file_whole(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.says("/mydata")
    await chat.taps(said("mydata", "export_json"))

    plain = json_lines.as_json(chat.last[0])

    assert (plain["kind"], plain["name"]) == ("file", "hipwise.json")
    assert json.loads(plain["content"]) == await kept(chat)


# ---------------------------------------------------------------- The end of it


async def test_forget_asks_first_and_no_keeps(chat: Chat) -> None:
    await chat.says("/hip")
    before = await kept(chat)

    await chat.says("/forget")
    assert chat.text == said("forget", "ask")
    await chat.taps(said("forget", "no"))

    assert chat.text == said("forget", "kept")
    assert (await kept(chat))["sessions"][0]["answers"] == before["sessions"][0]["answers"]


async def test_forget_in_the_middle_of_a_check_leaves_nothing_and_the_next_begins_anew(chat: Chat) -> None:
    await agrees(chat, "history")
    await result(chat, *EMERGENCY)
    await chat.says("/hip")
    await chat.says("/forget")

    await chat.taps(said("forget", "yes"))

    for table in ("sessions", "consents", "history"):
        assert said("forget", "receipt_line", table=said("tables", table), before=1, after=0) in chat.text
    assert said("forget", "receipt_platform") in chat.text
    assert said("forget", "receipt_backups", days=30) in chat.text
    assert await kept(chat) == {}
    await chat.says("/hip")
    assert chat.prompt.question == "body"


async def test_an_old_yes_erases_nothing(chat: Chat) -> None:
    await chat.says("/hip")
    await chat.says("/forget")
    yes = chat.button(said("forget", "yes")).tap
    chat.clock.moves(hours=2)

    await chat.sends(Tap(chat.address, yes))

    assert chat.text == said("forget", "ask")
    assert await kept(chat) != {}


async def test_forgetting_one_member_leaves_the_others(chat: Chat) -> None:
    other = Chat(clock=chat.clock, sessions=chat.sessions, address=Address("test", "member-2"))
    await chat.says("/hip")
    await other.says("/hip")
    before = await kept(other)

    await chat.says("/forget")
    await chat.taps(said("forget", "yes"))

    assert await kept(other) == before


async def test_nothing_that_was_told_is_in_the_files_after_forgetting(tmp_path: Path) -> None:
    async with store(tmp_path, now=START) as opened:
        chat = Chat(sessions=StoreRecords(opened))
        await agrees(chat, "history")
        await result(chat, *EMERGENCY)
        await chat.says("/forget")
        await chat.taps(said("forget", "yes"))

        bytes_kept = files(tmp_path)
    assert b"breathless" not in bytes_kept
    assert b"member-1" not in bytes_kept


# ---------------------------------------------------------------- Consents


@pytest.mark.parametrize("kind", CONSENTS)
async def test_a_consent_is_given_and_withdrawn_with_one_tap_each(chat: Chat, kind: str) -> None:
    await agrees(chat, kind)
    assert chat.text.startswith(said("consents", kind, "given"))

    await chat.says("/settings")
    await chat.taps(words("ui", "buttons", "consents"))
    assert said("consent_on", name=said("consents", kind, "name")) in [b.label for b in chat.notice.choices]
    await chat.taps(said("consents", kind, "name"))
    assert chat.text == said("consents", kind, "text")
    await chat.taps(said("consents", kind, "withdraw"))

    assert chat.text == said("consents", kind, "withdrawn")
    assert [(c["kind"], c["given"]) for c in (await kept(chat))["consents"]] == [(kind, True), (kind, False)]


async def test_a_consent_keeps_which_text_when_and_in_which_language(chat: Chat) -> None:
    await agrees(chat, "history")

    (consent,) = (await kept(chat))["consents"]
    assert (consent["time"], consent["language"], len(consent["text_hash"])) == (START.isoformat(), "en", 64)


async def test_a_yes_to_an_older_text_is_no_yes_to_the_new_one(chat: Chat) -> None:
    await agrees(chat, "history")
    privacy = dict(words.tree["privacy"])
    consents = privacy["consents"] | {"history": privacy["consents"]["history"] | {"text": "I keep more."}}
    changed = Words("en", {**words.tree, "privacy": privacy | {"consents": consents}})
    later = Chat(replace(library(), words=changed), clock=chat.clock, sessions=chat.sessions)

    await result(later, *EMERGENCY)
    assert (await kept(chat))["history"] == []

    await later.says("/settings")
    await later.taps(words("ui", "buttons", "consents"), said("consents", "history", "name"))
    assert later.text == "I keep more."
    assert said("consents", "history", "give") in [b.label for b in later.notice.choices]


async def test_without_consent_no_result_is_kept_longer(chat: Chat) -> None:
    await result(chat, *EMERGENCY)

    assert (await kept(chat))["history"] == []


async def test_with_consent_a_result_is_kept_once(chat: Chat) -> None:
    await agrees(chat, "history")

    await result(chat, *EMERGENCY)
    await chat.says("/hip")
    await chat.taps(words("ui", "buttons", "see_result"))

    (entry,) = (await kept(chat))["history"]
    assert (entry["urgency"], entry["time"]) == ("emergency", START.isoformat())
    assert "breathless_chest_pain" in entry["findings"]


async def test_withdrawing_erases_the_history(chat: Chat) -> None:
    await agrees(chat, "history")
    await result(chat, *EMERGENCY)
    await chat.says("/settings")
    await chat.taps(words("ui", "buttons", "consents"), said("consents", "history", "name"))

    await chat.taps(said("consents", "history", "withdraw"))

    assert (await kept(chat))["history"] == []


async def test_a_result_is_not_kept_after_the_consent_was_withdrawn(chat: Chat) -> None:
    await agrees(chat, "history")
    await chat.taps(words("ui", "buttons", "consents"), said("consents", "history", "name"))
    await chat.taps(said("consents", "history", "withdraw"))

    await result(chat, *EMERGENCY)

    assert (await kept(chat))["history"] == []


async def test_a_yes_below_an_older_text_is_asked_again(chat: Chat) -> None:
    await chat.says("/settings")
    await chat.taps(words("ui", "buttons", "consents"), said("consents", "history", "name"))
    _, _, rest = chat.button(said("consents", "history", "give")).tap.partition(".")

    await chat.sends(Tap(chat.address, f"0older.{rest}"))

    assert chat.text == said("consents", "history", "text")
    assert await kept(chat) == {}


@pytest.mark.parametrize("age", ["age_under_10", "age_10_17"])
async def test_no_history_is_kept_of_someone_under_18(chat: Chat, age: str) -> None:
    await agrees(chat, "history")

    await result(chat, age, "place_groin_front", "walk_limp")

    assert (await kept(chat))["history"] == []


async def test_someone_under_18_is_not_asked_for_it(chat: Chat) -> None:
    await result(chat, "age_10_17", "place_groin_front", "walk_limp")
    await chat.says("/settings")

    await chat.taps(words("ui", "buttons", "consents"), said("consents", "history", "name"))

    assert chat.text == said("under_18")
    assert said("consents", "history", "give") not in [b.label for b in chat.notice.choices]


async def test_someone_under_18_cannot_agree_to_it_with_an_old_button(chat: Chat) -> None:
    await chat.says("/settings")
    await chat.taps(words("ui", "buttons", "consents"), said("consents", "history", "name"))
    give = chat.button(said("consents", "history", "give")).tap
    await result(chat, "age_10_17", "place_groin_front", "walk_limp")

    await chat.sends(Tap(chat.address, give))

    assert chat.text == said("under_18")
    assert (await kept(chat))["consents"] == []


async def test_stop_takes_back_what_lets_the_bot_write_first(chat: Chat) -> None:
    for kind in CONSENTS:
        await agrees(chat, kind)

    await chat.says("/stop")

    last = {c["kind"]: c["given"] for c in (await kept(chat))["consents"]}
    assert last == {"history": True, "follow_up": True, "check_ins": False, "tips": False}
    assert said("consents", "tips", "withdrawn") in chat.text


async def test_a_result_is_erased_after_a_year(tmp_path: Path) -> None:
    async with store(tmp_path, now=START) as opened:
        chat = Chat(sessions=StoreRecords(opened))
        await agrees(chat, "history")
        await result(chat, *EMERGENCY)

        assert (await opened.purge(START + HISTORY))["history"] == 0
        assert (await opened.purge(START + HISTORY + timedelta(minutes=1)))["history"] == 1
        assert (await kept(chat))["history"] == []


class NoRoom(StoreRecords):
    """Records on a disk that is full: they can be read."""

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...]:
        if change.result is not None:
            raise StorageUnavailable("no room for breathless_chest_pain")
        return await super().save(address, change)


async def test_a_result_is_read_even_where_it_cannot_be_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with store(tmp_path, now=START) as opened:
        chat = Chat(sessions=EnduringRecords(NoRoom(opened), MemoryRecords()))
        await agrees(chat, "history")

        await result(chat, *EMERGENCY)

    assert chat.verdict.urgency is Disposition.EMERGENCY
    assert words("ui", "not_kept") in chat.text
    assert [r.message for r in caplog.records if r.name.startswith("core")] == ["storage.failed"]
    assert "breathless" not in str([vars(r) for r in caplog.records if r.name.startswith("core")])
