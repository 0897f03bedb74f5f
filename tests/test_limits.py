"""What one member can make us do is bounded; an answer in a check and a word of danger never wait."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from chat import START, Chat, library
from core.dialogue import Prompt
from core.limits import BURST, REFILL, REMEMBERED, Allowance
from core.members import Address

words = library().words
HERE = Address("test", "1")


async def flood(chat: Chat) -> None:
    for _ in range(BURST):
        await chat.says("/help")


def held(chat: Chat) -> bool:
    return chat.notice.text.startswith(words("ui", "too_fast"))


async def test_whoever_goes_too_fast_is_told_so_and_goes_on_a_little_later(chat: Chat) -> None:
    await flood(chat)
    await chat.says("/help")
    assert held(chat)

    chat.clock.moves(seconds=REFILL.total_seconds())
    await chat.says("/help")
    assert not held(chat)


async def test_a_word_of_danger_is_never_held_up(chat: Chat) -> None:
    await flood(chat)

    await chat.says("I have chest pain")

    assert chat.notice.text.startswith("Call 112, 999 or 911 now")


async def test_no_answer_in_a_check_is_ever_held_up(chat: Chat) -> None:
    await chat.says("/hip")
    for _ in range(3 * BURST):
        await chat.taps("Feverish")

    assert isinstance(chat.last[-1], Prompt)
    assert not any(r.text.startswith(words("ui", "too_fast")) for r in chat.said)


async def test_one_who_is_too_fast_holds_up_nobody_else(chat: Chat) -> None:
    await flood(chat)

    other = Chat(clock=chat.clock, sessions=chat.sessions, address=Address("test", "member-2"))
    other.companion = chat.companion
    await other.says("/help")

    assert not held(other)


@given(st.lists(st.floats(min_value=0, max_value=10), min_size=1, max_size=400))
def test_nobody_ever_has_more_than_the_burst_and_what_was_refilled(pauses: list[float]) -> None:
    allowance, now, taken = Allowance(), START, 0
    for pause in pauses:
        now += timedelta(seconds=pause)
        taken += allowance.takes(HERE, now)

    assert taken <= BURST + (now - START) / REFILL


def test_a_clock_that_is_set_back_gives_and_takes_nothing() -> None:
    allowance = Allowance()
    assert all(allowance.takes(HERE, START - timedelta(hours=n)) for n in range(BURST))

    assert not allowance.takes(HERE, START - timedelta(days=9))


def test_the_paces_of_so_many_are_remembered_and_no_more() -> None:
    allowance = Allowance()
    for number in range(REMEMBERED + 10):
        allowance.takes(Address("test", str(number)), START)

    assert len(allowance._spent) == REMEMBERED
