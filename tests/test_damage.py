"""What was forged, cut short, moved or lost is refused and counted, and its member is told to start over."""

import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from chat import START, Chat, Clock, library
from core.dialogue import Command, Inbound, Tap
from core.enduring import EnduringRecords
from core.members import Address
from core.memory import MemoryRecords
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
        name, give = words("privacy", "consents", "tips", "name"), words("privacy", "consents", "tips", "give")
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
