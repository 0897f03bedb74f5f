"""What was forged, cut short, moved or lost is refused and counted, and its member is told to start over."""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chat import START, Chat, Clock, library
from core import replies
from core.clinical import Disposition
from core.companion import Answer
from core.dialogue import Command, File, Inbound, Tap
from core.enduring import EnduringRecords
from core.errors import StorageUnavailable
from core.ledger import Delivery, Kind, Owed
from core.members import Address
from core.memory import MemoryRecords
from core.outreach import Outreach
from core.storage import Store, StoreRecords
from core.storage.book import Book
from fakes import store

words = library().words
HERE = Address("test", "member-1")
OTHER = Address("test", "member-2")


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Store]:
    """Give an open store."""
    async with store(tmp_path, now=START) as opened:
        yield opened


def talking(kept: Store, address: Address = HERE, clock: Clock | None = None) -> Chat:
    """Return a conversation that is kept there."""
    return Chat(sessions=EnduringRecords(StoreRecords(kept), MemoryRecords()), address=address, clock=clock or Clock())


async def on_file(kept: Store, statement: str, *values: object) -> list[Any]:
    """Run a statement as someone with the file could, and forget which keys were opened before."""

    def work(book: Book) -> list[Any]:
        book.keys._known.clear()
        return book.db.execute(statement, values).fetchall()

    return await kept._write(work)


def says(chat: Chat, key: str) -> bool:
    return any(r.text.startswith(words("ui", key)) for r in chat.last)


# ---------------------------------------------------------------- A check that cannot be opened

DAMAGE: dict[str, str] = {
    "forged": "UPDATE sessions SET session = CAST(x'01' || randomblob(300) AS BLOB)",
    "forged in another form": "UPDATE sessions SET session = randomblob(300)",
    "a text instead": "UPDATE sessions SET session = 'tampered'",
    "a text that is none": "UPDATE sessions SET session = CAST(x'01fffe' AS TEXT)",
    "a number instead": "UPDATE sessions SET session = 7",
    "one byte": "UPDATE sessions SET session = CAST(substr(session, 1, 40) || x'00' || substr(session, 42) AS BLOB)",
    "truncated by a byte": "UPDATE sessions SET session = substr(session, 1, length(session) - 1)",
    "truncated to its nonce": "UPDATE sessions SET session = substr(session, 1, 13)",
    "truncated to nothing": "UPDATE sessions SET session = x''",
    "swapped with another member's": """
        UPDATE sessions SET session = (SELECT other.session FROM sessions other WHERE other.address <> sessions.address)
    """,
    "swapped with another value of the same member": """
        UPDATE sessions SET session = (SELECT consent FROM consents WHERE consents.member = sessions.member)
    """,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_a_check_that_cannot_be_opened_is_refused_and_counted_and_its_member_starts_over(
    kept: Store, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    chat, other = talking(kept), talking(kept, OTHER)
    for each in (chat, other):
        await each.says("/settings")
        name, give = words("privacy", "consents", "tips", "name"), words("checkins", "ages", "adult")
        await each.taps(words("ui", "buttons", "consents"), name, give)
        await each.says("/hip")
        await each.chooses("chest")
    await on_file(kept, damage)

    await chat.says("/hip")

    assert says(chat, "damaged")
    assert chat.prompt.question == "body"
    assert kept.unreadable == 1
    told = [vars(r) for r in caplog.records if r.message == "row.unreadable"]
    assert [each["column"] for each in told] == ["sessions.session"]
    await chat.says("/hip")
    assert not says(chat, "damaged")


SENT: dict[str, Callable[[Chat], Inbound]] = {
    "a command": lambda chat: Command(chat.address, "care"),
    "stop": lambda chat: Command(chat.address, "stop"),
    "privacy": lambda chat: Command(chat.address, "privacy"),
    "mydata": lambda chat: Command(chat.address, "mydata"),
    "a button of that check": lambda chat: Tap(chat.address, chat.prompt.choices[0].tap),
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
async def test_whatever_is_sent_first_is_answered_with_that_the_check_is_gone(
    kept: Store, sent: Callable[[Chat], Inbound]
) -> None:
    chat = talking(kept)
    await chat.says("/hip")
    await on_file(kept, DAMAGE["forged"])

    await chat.sends(sent(chat))

    assert says(chat, "damaged")
    assert len(chat.last) >= 2


# ---------------------------------------------------------------- A key that cannot be opened, or is gone

KEYS: dict[str, str] = {
    "forged": "UPDATE keys SET wrapped = randomblob(77) WHERE owner IN (SELECT id FROM members)",
    "truncated": "UPDATE keys SET wrapped = substr(wrapped, 1, 20) WHERE owner IN (SELECT id FROM members)",
    "a number instead": "UPDATE keys SET wrapped = 7 WHERE owner IN (SELECT id FROM members)",
    "another's": """
        UPDATE keys SET wrapped = (SELECT other.wrapped FROM keys other WHERE other.owner <> keys.owner)
        WHERE owner IN (SELECT id FROM members)
    """,
    "of a ring key that is not there": "UPDATE keys SET ring_key = 'gone' WHERE owner IN (SELECT id FROM members)",
}


@pytest.mark.parametrize("damage", KEYS.values(), ids=KEYS)
async def test_someone_whose_key_is_damaged_is_answered_without_being_kept_and_their_rows_are_left_for_a_backup(
    kept: Store, damage: str
) -> None:
    chat = talking(kept)
    await chat.says("/hip")
    await chat.chooses("chest")
    before = await on_file(kept, "SELECT session FROM sessions")
    await on_file(kept, damage)

    await chat.says("/hip")
    assert says(chat, "not_kept")
    await chat.answers({"breathless_chest_pain", "age_18_44"})

    assert chat.verdict.urgency is Disposition.EMERGENCY
    assert kept.unreadable > 0
    assert await on_file(kept, "SELECT session FROM sessions") == before


async def test_one_damaged_key_does_not_keep_hipwise_from_starting(tmp_path: Path) -> None:
    async with store(tmp_path) as opened:
        while not await on_file(opened, "SELECT 1 FROM members WHERE id = (SELECT MIN(owner) FROM keys)"):
            await opened.enter(Address("test", secrets.token_hex(4)))
        await on_file(opened, KEYS["forged"])

    async with store(tmp_path) as opened:
        assert not any((await opened.purge(START)).values())


async def test_someone_whose_key_is_gone_starts_over_and_nothing_of_before_is_left(kept: Store) -> None:
    chat = talking(kept)
    await chat.says("/hip")
    await chat.chooses("chest")
    before = await on_file(kept, "SELECT id FROM members")
    await on_file(kept, "DELETE FROM keys WHERE owner IN (SELECT id FROM members)")

    await chat.says("/mydata")
    assert chat.text == words("privacy", "mydata", "nothing")
    await chat.says("/hip")

    assert chat.prompt.question == "body"
    assert not set(before) & set(await on_file(kept, "SELECT id FROM members"))
    assert (await kept.tallies()).conserved


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE keys SET wrapped = randomblob(77) WHERE owner = (SELECT id FROM house)",
        "DELETE FROM keys WHERE owner = (SELECT id FROM house)",
    ],
    ids=["damaged", "gone"],
)
async def test_a_store_that_could_take_nothing_in_is_refused(tmp_path: Path, damage: str) -> None:
    async with store(tmp_path) as opened:
        while await on_file(opened, "SELECT 1 FROM house WHERE id = (SELECT MIN(owner) FROM keys)"):
            await opened.enter(Address("test", secrets.token_hex(4)))
        await on_file(opened, damage)

    with pytest.raises(StorageUnavailable, match="backup"):
        await store(tmp_path).open()


# ---------------------------------------------------------------- Two at once


async def exports(chat: Chat) -> list[Answer]:
    """Return the answers to a copy as JSON and one as a table that are asked for at the same time."""
    await chat.says("/mydata")
    taps = [chat.button(words("privacy", "mydata", key)).tap for key in ("export_json", "export_csv")]
    return await asyncio.gather(*(chat.companion.answer(Tap(chat.address, tap), owe) for tap in taps))


async def test_two_exports_at_once_are_both_whole(kept: Store) -> None:
    chat, other = talking(kept), talking(kept, OTHER)
    for each, told in ((chat, "chest"), (other, "ill")):
        await each.says("/hip")
        await each.chooses(told)

    answers = await asyncio.gather(exports(chat), exports(other))

    for (as_json, as_csv), told in zip(answers, ("chest", "ill"), strict=True):
        (first,), (second,) = as_json.replies, as_csv.replies
        assert isinstance(first, File)
        assert isinstance(second, File)
        assert json.loads(first.content)["sessions"][0]["answers"][0]["chosen"] == [told]
        assert f"sessions,1.answers.1.chosen.1,{told}\n" in second.content
        assert [d.kind for d in (*as_json.deliveries, *as_csv.deliveries)] == [Kind.FILE, Kind.FILE]


# ---------------------------------------------------------------- Erasing while something is being sent


@dataclass
class Slow:
    """A platform that takes its time, and remembers."""

    sent: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, delivery: Delivery) -> str | None:
        self.begun.set()
        await self.gate.wait()
        self.sent.append(delivery.reply["text"])
        return str(len(self.sent))


def owe(said: Any) -> list[Owed]:
    return [replies.owed(reply, START) for reply in said]


async def test_forgetting_during_a_send_ends_what_is_owed_and_says_so_after(kept: Store) -> None:
    chat, slow = talking(kept), Slow()
    outreach = Outreach(kept, {"test": slow}, lambda: START)
    ask = partial(chat.companion.answer, owe=owe)
    first = await ask(Command(chat.address, "hip"))
    outreach.send(first.deliveries)
    await slow.begun.wait()
    await chat.says("/forget")
    yes = chat.button(words("privacy", "forget", "yes")).tap

    erased = await ask(Tap(chat.address, yes))
    outreach.send(erased.deliveries)
    slow.gate.set()
    await outreach.done()

    assert len(first.deliveries) > 1
    assert slow.sent == [first.replies[0].text, erased.replies[0].text]  # in flight, and the receipt: not what was to follow
    tallies = await kept.tallies()
    assert (tallies.unknown, tallies.dropped, tallies.sent, tallies.conserved) == (1, len(first.deliveries) - 1, 1, True)
    for table in ("members", "addresses", "outbox", "sessions", "receipts"):
        assert await on_file(kept, f"SELECT COUNT(*) FROM {table}") == [(0,)]  # noqa: S608 - our names
