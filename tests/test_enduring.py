"""While nothing can be kept, the check goes on from memory, and the member is told; after that nothing of it is lost."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from chat import START, Chat, library
from core import replies
from core.clinical import Disposition
from core.dialogue import Command, Reply, Tap
from core.enduring import EnduringRecords
from core.errors import StorageUnavailable
from core.ledger import Owed
from core.memory import MemoryRecords
from core.record import Change
from core.storage import Store, StoreRecords
from fakes import store

words = library().words
EMERGENCY = ("breathless_chest_pain", "age_18_44")


class Failing(StoreRecords):
    """Records in a store that can be made to fail: at everything, or only where it is written."""

    def __init__(self, kept: Store) -> None:
        super().__init__(kept)
        self.fails: tuple[str, ...] = ()

    async def received(self, chat: Chat, text: str) -> str:
        """Return the row of an update that is received."""
        row = await object.__getattribute__(self, "_store").receive("test", text, text.encode(), chat.address)
        assert row is not None
        return str(row)

    async def unhandled(self) -> list[str]:
        """Return the rows of what was received and not handled."""
        return [received.row for received in await object.__getattribute__(self, "_store").unhandled("test")]

    def __getattribute__(self, name: str) -> Any:
        if name in object.__getattribute__(self, "__dict__").get("fails", ()):
            return _unavailable
        return object.__getattribute__(self, name)


def owe(said: Sequence[Reply]) -> Sequence[Owed]:
    return [replies.owed(reply, START) for reply in said]


async def _unavailable(*_: object) -> None:
    raise StorageUnavailable("There is no room left on the disk.")


WRITES = ("save", "owe", "forget")
ALL = (*WRITES, "load", "everything", "messages")


@pytest.fixture
async def failing(tmp_path: Path) -> AsyncIterator[Failing]:
    """Give records in an open store."""
    async with store(tmp_path, now=START) as kept:
        yield Failing(kept)


@pytest.fixture
def chat(failing: Failing) -> Chat:
    """Return a conversation that is kept there as long as that can be."""
    return Chat(sessions=EnduringRecords(failing, MemoryRecords()))


def says(chat: Chat, key: str) -> bool:
    return any(r.text.startswith(words("ui", key)) for r in chat.last)


@pytest.mark.parametrize("fails", [WRITES, ALL], ids=["writing", "everything"])
async def test_a_whole_check_is_answered_while_nothing_can_be_kept(
    chat: Chat, failing: Failing, fails: tuple[str, ...]
) -> None:
    failing.fails = fails

    await chat.says("/hip")
    assert says(chat, "not_kept")
    await chat.answers(EMERGENCY)

    assert chat.verdict.urgency is Disposition.EMERGENCY
    assert sum(r.text.startswith(words("ui", "not_kept")) for r in chat.said) == 1  # said once, not at every step


async def test_a_check_that_went_on_in_memory_is_kept_once_that_can_be_done(chat: Chat, failing: Failing) -> None:
    await chat.says("/hip")
    failing.fails = WRITES
    await chat.chooses()
    failing.fails = ()
    await chat.chooses()

    assert chat.prompt.question == "age"
    answered = (await failing.load(chat.address)).session
    assert answered is not None
    assert [a["question"] for a in answered["answers"]] == ["body", "health"]


async def test_someone_is_told_again_in_the_next_outage(chat: Chat, failing: Failing) -> None:
    for _ in range(2):
        failing.fails = ALL
        await chat.says("/hip")
        assert says(chat, "not_kept")
        failing.fails = ()
        await chat.says("/hip")
        assert not says(chat, "not_kept")


async def test_stop_acts_in_memory_and_says_that_it_must_be_sent_again(chat: Chat, failing: Failing) -> None:
    await chat.says("/hip")
    failing.fails = WRITES

    for _ in range(2):
        await chat.says("/stop")
        assert says(chat, "stop_again")
    await chat.says("go on")
    assert says(chat, "nothing_open")


async def test_forget_says_that_it_must_be_sent_again_and_then_erases(chat: Chat, failing: Failing) -> None:
    await chat.says("/hip")
    await chat.says("/forget")
    failing.fails = WRITES
    yes = words("privacy", "forget", "yes")
    ask = chat.last

    await chat.taps(yes)
    assert says(chat, "forget_again")
    assert await failing.everything(chat.address) is not None

    failing.fails, chat.last = (), ask
    await chat.taps(yes)
    assert await failing.everything(chat.address) is None


async def test_consents_given_in_memory_are_kept_with_the_next_turn(chat: Chat, failing: Failing) -> None:
    failing.fails = WRITES
    await chat.agrees("tips")
    failing.fails = ()
    await chat.says("/hip")

    assert [c["kind"] for c in (await failing.load(chat.address)).consents] == ["tips"]


async def test_an_update_that_was_answered_from_memory_is_handled_once_its_turn_is_kept(chat: Chat, failing: Failing) -> None:
    rows = [await failing.received(chat, f"{n}") for n in range(3)]
    await chat.says("/hip")
    failing.fails = WRITES
    for row in rows[:2]:
        await chat.companion.answer(Tap(chat.address, "forged"), owe, row)
    assert await failing.unhandled() == rows

    failing.fails = ()
    await chat.companion.answer(Command(chat.address, "help"), owe, rows[2])

    assert await failing.unhandled() == []


async def test_an_update_that_could_only_be_answered_is_handled_with_the_next_turn(chat: Chat, failing: Failing) -> None:
    await chat.says("/hip")
    row = await failing.received(chat, "1")
    await chat.says("/forget")
    yes = chat.button(words("privacy", "forget", "yes")).tap
    failing.fails = WRITES
    await chat.companion.answer(Tap(chat.address, yes), owe, row)  # told to send it again
    failing.fails = ()

    await chat.companion.answer(Command(chat.address, "hip"), owe, await failing.received(chat, "2"))

    assert await failing.unhandled() == []  # or the next start would erase what came after


@pytest.mark.parametrize("fails", [WRITES, ALL], ids=["writing", "everything"])
async def test_a_history_that_was_withdrawn_in_memory_is_erased_once_that_can_be_done(
    chat: Chat, failing: Failing, fails: tuple[str, ...]
) -> None:
    name, give = (words("privacy", "consents", "history", key) for key in ("name", "give"))
    await chat.says("/settings")
    await chat.taps(words("ui", "buttons", "consents"), name, give)
    await chat.says("/hip")
    await chat.answers(EMERGENCY)
    await chat.says("/settings")
    await chat.taps(words("ui", "buttons", "consents"), name)
    failing.fails = fails
    await chat.taps(words("privacy", "consents", "history", "withdraw"))

    failing.fails = ()
    await chat.says("/help")

    kept = await failing.everything(chat.address)
    assert kept is not None
    assert (kept["history"], [c["given"] for c in kept["consents"]]) == ([], [True, False])


async def test_the_operator_is_told_once_when_it_fails_and_once_when_it_works(
    chat: Chat, failing: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    failing.fails = ALL
    await chat.says("/hip")
    await chat.says("/help")
    failing.fails = ()
    await chat.says("/help")

    assert [r.message for r in caplog.records if "storage" in r.message] == ["storage.failed", "storage.works_again"]


async def test_where_a_conversation_is_stays_known_meanwhile(chat: Chat, failing: Failing) -> None:
    preferences = (await failing.load(chat.address)).preferences
    await failing.save(chat.address, Change({"a": 1}, preferences, place="5"))
    failing.fails = WRITES
    await chat.says("/hip")

    assert (await chat.sessions.load(chat.address)).placed
