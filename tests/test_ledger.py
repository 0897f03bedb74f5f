"""Everything owed is accounted for at every commit, and nothing is sent twice that must not be."""

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from core.members import Address
from core.record import Change
from core.storage import REPEATS, Delivery, Kind, Owed, State, Store, members, opening, outbox, retention, sql, tallies
from core.storage.erasure import erase_rows
from fakes import ANNA, BEN, NOON, PLAIN, owed, ring, store

WINDOW = timedelta(hours=3)


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Store]:
    """Return an open store in which nothing is."""
    async with store(tmp_path) as opened:
        yield opened


async def claimed(kept: Store, one: Owed) -> Delivery:
    """Return a delivery of it that was claimed."""
    delivery = await kept.claim((await kept.plan(ANNA, [one]))[0])
    assert delivery is not None
    return delivery


async def counts(kept: Store) -> dict[str, int]:
    """Return the tallies that are not nought, after a look that they add up."""
    found = await kept.tallies()
    assert found.conserved
    return {name: getattr(found, name) for name in found.__slots__ if getattr(found, name)}


def test_every_kind_says_whether_it_may_be_repeated() -> None:
    assert set(REPEATS) == set(Kind)


# ---------------------------------------------------------------- what is due


async def test_replies_go_first_and_then_the_oldest(kept: Store) -> None:
    await kept.plan(ANNA, [owed(Kind.TIP, "tip", occurrence="1", due=NOON - timedelta(hours=2))])
    await kept.plan(BEN, [owed(Kind.TIP, "older tip", occurrence="1", due=NOON - timedelta(hours=3))])
    await kept.save_turn(ANNA, Change(None, PLAIN, [owed(text="first"), owed(Kind.QUESTION, "second")]))

    texts = [delivery.reply["text"] for delivery in await kept.due(NOON, 9)]
    assert texts == ["first", "second", "older tip", "tip"]
    assert [delivery.reply["text"] for delivery in await kept.due(NOON, 3)] == texts[:3]


async def test_nothing_is_due_before_its_minute(kept: Store) -> None:
    await kept.plan(ANNA, [owed(Kind.CHECK_IN, due=NOON + timedelta(minutes=1), until=NOON + WINDOW, occurrence="run 1")])

    assert await kept.due(NOON + timedelta(seconds=59), 9) == ()
    assert len(await kept.due(NOON + timedelta(seconds=60), 9)) == 1


async def test_what_is_past_its_window_is_skipped(kept: Store) -> None:
    await kept.plan(ANNA, [owed(Kind.CHECK_IN, until=NOON + WINDOW, occurrence="run 1")])

    assert len(await kept.due(NOON + WINDOW, 9)) == 1
    assert await kept.due(NOON + WINDOW + timedelta(minutes=1), 9) == ()
    assert await counts(kept) == {"planned": 1, "skipped": 1}


async def test_an_occurrence_has_one_message(kept: Store) -> None:
    check_in = owed(Kind.CHECK_IN, until=NOON + WINDOW, occurrence="run 1 2026-11-23")

    assert len(await kept.plan(ANNA, [check_in, check_in])) == 1
    assert await kept.plan(ANNA, [check_in]) == ()
    assert len(await kept.plan(ANNA, [replace(check_in, kind=Kind.TIP), replace(check_in, occurrence="run 2")])) == 2
    assert len(await kept.plan(BEN, [check_in])) == 1
    assert await counts(kept) == {"planned": 4, "open": 4}


async def test_what_is_planned_anew_is_due_and_says_what_it_is_now_while_it_is_open(kept: Store) -> None:
    check_in = owed(Kind.CHECK_IN, "first", until=NOON + WINDOW, occurrence="run 1")
    later = replace(check_in, reply={"text": "then"}, due=NOON + timedelta(hours=1), until=NOON + 2 * WINDOW)
    await kept.plan(ANNA, [check_in])
    assert await kept.plan(ANNA, [later]) == ()

    assert await kept.due(NOON, 9) == ()
    (delivery,) = await kept.due(later.due, 9)
    assert (delivery.reply, delivery.due, delivery.until) == (later.reply, later.due, later.until)
    claimed = await kept.claim(delivery)
    assert claimed is not None
    await kept.plan(ANNA, [check_in])
    assert await kept.due(later.due, 9) == ()
    assert await counts(kept) == {"planned": 1, "claimed": 1}


async def test_what_cannot_be_opened_is_dropped_and_stops_nothing(kept: Store) -> None:
    await kept.plan(ANNA, [owed(text="spoilt")])
    await kept._write(lambda book: book.run("UPDATE outbox SET owed = x'01'"))
    await kept.plan(ANNA, [owed(text="whole")])

    assert [delivery.reply["text"] for delivery in await kept.due(NOON, 9)] == ["whole"]
    assert await counts(kept) == {"planned": 2, "open": 1, "dropped": 1}
    assert kept.unreadable == 1


# ---------------------------------------------------------------- the question above


BUTTONS = {"choices": [["tap", "Yes", "answer", None]]}


async def said(kept: Store, message: str, kind: Kind, reply: dict[str, Any], edits: str | None = None) -> Delivery:
    """Return a delivery as it was claimed, after the platform took it under an id."""
    found = await claimed(kept, owed(kind, edits=edits, reply=reply))
    await kept.sent(found, found.edits or message)
    return found


async def test_a_question_changes_the_one_above_as_long_as_that_is_the_last_message(kept: Store) -> None:
    first = await said(kept, "1", Kind.QUESTION, BUTTONS)
    second = await said(kept, "2", Kind.QUESTION, BUTTONS, edits="1")
    await said(kept, "3", Kind.NOTICE, {})
    third = await said(kept, "4", Kind.QUESTION, BUTTONS, edits="1")
    fourth = await said(kept, "5", Kind.QUESTION, BUTTONS, edits="1")

    assert [(d.edits, d.closes) for d in (first, second)] == [(None, None), ("1", None)]
    assert [(d.edits, d.closes) for d in (third, fourth)] == [(None, "1"), (None, "4")]


async def test_buttons_are_over_once_others_are_below_and_not_before(kept: Store) -> None:
    await said(kept, "1", Kind.QUESTION, BUTTONS)

    assert (await said(kept, "2", Kind.NOTICE, {})).closes is None
    assert (await said(kept, "3", Kind.VERDICT, BUTTONS)).closes == "1"


async def test_buttons_are_taken_away_once(kept: Store) -> None:
    await said(kept, "1", Kind.QUESTION, BUTTONS)
    await said(kept, "2", Kind.NOTICE, BUTTONS)

    assert (await said(kept, "3", Kind.NOTICE, BUTTONS)).closes is None
    assert (await said(kept, "4", Kind.QUESTION, BUTTONS)).closes is None
    assert (await said(kept, "5", Kind.NOTICE, {})).closes is None
    assert (await said(kept, "6", Kind.VERDICT, BUTTONS)).closes == "4"


async def test_a_question_that_became_a_message_of_its_own_is_no_edit_after_a_kill(tmp_path: Path) -> None:
    async with store(tmp_path) as first:
        await said(first, "1", Kind.QUESTION, BUTTONS)
        await said(first, "2", Kind.NOTICE, {})
        await claimed(first, owed(Kind.QUESTION, edits="1", reply=BUTTONS))

    async with store(tmp_path) as again:
        (left,) = await again.recover("telegram", NOON)
        assert (left.edits, left.state) == (None, State.UNKNOWN)
        repeated = await again.claim(left)
        assert repeated is not None
        await again.unknown(repeated)
        assert await again.repeats(NOON) == ()


async def test_nothing_is_due_where_nothing_can_be_sent_until_its_member_writes(kept: Store) -> None:
    await kept.plan(ANNA, [owed(Kind.CHECK_IN, until=NOON + WINDOW, occurrence="run 1")])
    await kept.unreachable(ANNA)
    assert await kept.due(NOON, 9) == ()

    await kept.save_turn(ANNA, Change(None, PLAIN))
    assert len(await kept.due(NOON, 9)) == 1

    await kept.unreachable(ANNA)
    await kept.reachable(ANNA)
    assert len(await kept.due(NOON, 9)) == 1


async def test_an_address_that_its_platform_renamed_keeps_what_is_its_own(kept: Store) -> None:
    new = Address("telegram", "-100123")
    await kept.save_turn(ANNA, Change({"a": 1}, PLAIN, [owed()]))

    assert await kept.move_address(ANNA, new)

    assert (await kept.load(new)).session == {"a": 1}
    assert (await kept.load(ANNA)).member is None
    assert [d.address for d in await kept.due(NOON, 9)] == [new]
    assert not await kept.move_address(ANNA, new)


async def test_an_address_of_another_member_is_not_taken_over(kept: Store) -> None:
    await kept.save_turn(ANNA, Change({"a": 1}, PLAIN))
    await kept.save_turn(BEN, Change({"b": 2}, PLAIN))

    assert not await kept.move_address(ANNA, BEN)

    assert [(await kept.load(address)).session for address in (ANNA, BEN)] == [{"a": 1}, {"b": 2}]


async def test_the_messages_of_an_address_are_not_anothers(kept: Store) -> None:
    for address, message in ((ANNA, "1"), (BEN, "2")):
        delivery = await kept.claim((await kept.plan(address, [owed()]))[0])
        assert delivery is not None
        await kept.sent(delivery, message)

    assert await kept.messages(ANNA, 9) == ("1",)


# ---------------------------------------------------------------- claims and outcomes


async def test_a_delivery_is_claimed_once(kept: Store) -> None:
    (delivery,) = await kept.plan(ANNA, [owed()])
    first = await kept.claim(delivery)

    assert first is not None
    assert (first.state, first.attempt, first.marked) == (State.CLAIMED, 1, False)
    assert await kept.claim(delivery) is None
    assert await kept.claim(first) is None


async def test_a_claim_is_on_file_before_it_is_returned(kept: Store, tmp_path: Path) -> None:
    await claimed(kept, owed())

    other = sqlite3.connect(tmp_path / "hipwise.db")
    assert other.execute("SELECT state FROM outbox").fetchall() == [("claimed",)]
    other.close()


@pytest.mark.parametrize("outcome", ["skipped", "dropped", "sent"])
async def test_what_is_settled_cannot_be_claimed(kept: Store, outcome: str) -> None:
    delivery = await claimed(kept, owed())
    await getattr(kept, outcome)(delivery, *(["message 7"] if outcome == "sent" else []))

    assert await kept.claim(delivery) is None
    assert await kept.claim(replace(delivery, state=State.OPEN)) is None


@pytest.mark.parametrize(
    ("outcome", "state"), [("unknown", "unknown"), ("skipped", "skipped"), ("dropped", "dropped"), ("sent", "sent")]
)
async def test_an_outcome_is_counted_once(kept: Store, outcome: str, state: str) -> None:
    delivery = await claimed(kept, owed())
    more: tuple[Any, ...] = ("message 7",) if outcome == "sent" else ()

    assert await getattr(kept, outcome)(delivery, *more)
    assert outcome == "unknown" or not await getattr(kept, outcome)(delivery, *more)
    assert await counts(kept) == {"planned": 1, state: 1}


async def test_a_claim_that_was_refused_for_now_is_as_if_never_made(kept: Store) -> None:
    delivery = await claimed(kept, owed(Kind.VERDICT))
    later = NOON + timedelta(minutes=2)

    assert await kept.released(delivery, later)
    assert await kept.due(NOON, 9) == ()
    again = await kept.claim((await kept.due(later, 9))[0])
    assert again is not None
    assert not again.marked


async def test_what_was_unknown_may_turn_out_to_be_sent(kept: Store) -> None:
    delivery = await claimed(kept, owed(Kind.TIP))
    await kept.unknown(delivery)

    assert await kept.sent(delivery, "found in the channel")
    assert await counts(kept) == {"planned": 1, "sent": 1}


# ---------------------------------------------------------------- recovery


@pytest.mark.parametrize(
    ("one", "hours", "again", "marked"),
    [
        (owed(Kind.QUESTION), 0, True, False),
        (owed(Kind.NOTICE), 0, True, False),
        (owed(Kind.FILE), 0, True, False),
        (owed(Kind.VERDICT), 0, True, True),
        (owed(Kind.CHECK_IN, until=NOON + WINDOW, occurrence="run"), 3, True, False),  # inside its window
        (owed(Kind.CHECK_IN, until=NOON + WINDOW, occurrence="run"), 4, False, False),  # past it
        (owed(Kind.TIP, until=NOON + WINDOW, occurrence="tip"), 0, False, False),
        (owed(Kind.TIP), 0, False, False),
    ],
)
async def test_a_claim_without_an_outcome_is_repeated_as_its_kind_allows(
    tmp_path: Path, one: Owed, hours: int, again: bool, marked: bool
) -> None:
    async with store(tmp_path) as before:
        first = await claimed(before, one)

    now = NOON + timedelta(hours=hours)
    async with store(tmp_path, now=now) as kept:
        found = await kept.recover("telegram", now)
        assert await counts(kept) == {"planned": 1, "unknown": 1}
        assert [delivery.id for delivery in found] == ([first.id] if again else [])
        for delivery in found:
            second = await kept.claim(delivery)
            assert second is not None
            assert (second.id, second.reply, second.attempt, second.marked) == (first.id, first.reply, 2, marked)
            # Nor is it known what came of that one: it is not tried a third time.
            assert await kept.recover("telegram", now) == ()
        assert await counts(kept) == {"planned": 1, "unknown": 1}


async def test_an_edit_is_made_again_until_it_is_known_to_be_made(kept: Store) -> None:
    delivery = await claimed(kept, owed(Kind.VERDICT, edits="message 7"))
    for attempt in (2, 3, 4):
        (found,) = await kept.recover("telegram", NOON)
        again = await kept.claim(found)
        assert again is not None
        assert (again.id, again.edits, again.attempt, again.marked) == (delivery.id, "message 7", attempt, False)


async def test_a_tip_of_unknown_outcome_cannot_be_claimed(kept: Store) -> None:
    tip = await claimed(kept, owed(Kind.TIP))
    await kept.unknown(tip)

    assert await kept.claim(tip) is None  # nor by the older view of it that its claimer has
    assert await kept.claim(replace(tip, state=State.UNKNOWN)) is None


async def test_a_reply_that_waited_for_a_day_is_skipped(kept: Store) -> None:
    await kept.plan(ANNA, [owed(), owed(Kind.TIP, occurrence="tip", due=NOON)])

    assert (await kept.purge(NOON + timedelta(hours=24, minutes=1)))["late_replies"] == 1
    assert await counts(kept) == {"planned": 2, "open": 1, "skipped": 1}


# ---------------------------------------------------------------- conservation

ADDRESSES = (ANNA, BEN, Address("telegram", "3"))
OWED = st.builds(
    lambda kind, hours, scheduled, run, edits: Owed(
        kind,
        {"text": "x"},
        due=NOON + timedelta(hours=hours),
        until=NOON + timedelta(hours=hours) + WINDOW if scheduled else None,
        occurrence=run if scheduled else None,
        edits=edits,
    ),
    st.sampled_from(Kind),
    st.integers(0, 40),
    st.booleans(),
    st.sampled_from(["run 1", "run 2", None]),
    st.sampled_from([None, None, "message 7"]),
)


class Ledger(RuleBasedStateMachine):
    """Whatever is done in whatever order, the counts add up and agree with a plain account of what was done."""

    deliveries: Bundle[Delivery] = Bundle("deliveries")

    @initialize()
    def begin(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.book = opening.opened(self.db, Path(":memory:"), ring(), 2)
        self.now = NOON
        self.expected: dict[str, State] = {}
        self.sends: Counter[str] = Counter()

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()

    @rule(target=deliveries, address=st.sampled_from(ADDRESSES), owed=st.lists(OWED, max_size=3))
    def owe(self, address: Address, owed: list[Owed]) -> Any:
        made = outbox.owe(self.book, members.enter(self.book, address), owed, address, self.now)
        self.expected |= {delivery.id: State.OPEN for delivery in made}
        return multiple(*made)

    @rule(target=deliveries, limit=st.integers(1, 5))
    def due(self, limit: int) -> Any:
        found = outbox.due(self.book, self.now, limit, lambda *_: True)
        self._skip_late()
        assert all(self.expected[delivery.id] is State.OPEN for delivery in found)
        return multiple(*found)

    @rule(target=deliveries, delivery=deliveries)
    def claim(self, delivery: Delivery) -> Any:
        got = outbox.claim(self.book, delivery, self.now)
        if got is None:
            self._skip_late()
            return multiple()
        assert self.expected[got.id] in {State.OPEN, State.UNKNOWN}
        self.expected[got.id] = State.CLAIMED
        self.sends[got.id] += 1
        assert got.edits is not None or self.sends[got.id] <= (1 if got.kind is Kind.TIP else 2)
        return got

    @rule(delivery=deliveries, known=st.booleans())
    def sent(self, delivery: Delivery, known: bool) -> None:
        if outbox.sent(self.book, delivery, "message" if known else None, self.now):
            self._moved(delivery, {State.CLAIMED, State.UNKNOWN}, State.SENT)

    @rule(
        delivery=deliveries,
        how=st.sampled_from(
            [
                (sql.UNKNOWN, {State.CLAIMED, State.UNKNOWN}, State.UNKNOWN),
                (sql.SKIP, {State.OPEN, State.CLAIMED}, State.SKIPPED),
                (sql.DROP, {State.OPEN, State.CLAIMED, State.UNKNOWN}, State.DROPPED),
            ]
        ),
    )
    def move(self, delivery: Delivery, how: tuple[str, set[State], State]) -> None:
        statement, before, after = how
        if outbox.move(self.book, statement, delivery, self.now):
            self._moved(delivery, before, after)

    @rule(delivery=deliveries, hours=st.integers(0, 3))
    def release(self, delivery: Delivery, hours: int) -> None:
        if outbox.release(self.book, delivery, self.now + timedelta(hours=hours), self.now):
            self._moved(delivery, {State.CLAIMED, State.UNKNOWN}, State.OPEN)
            self.sends[delivery.id] -= 1

    @rule(target=deliveries)
    def recover(self) -> Any:
        for platform in ("telegram", "discord"):
            outbox.recover(self.book, platform, self.now)
        for id, state in self.expected.items():
            if state is State.CLAIMED:
                self.expected[id] = State.UNKNOWN
        return multiple(*outbox.repeats(self.book, self.now))

    @rule(hours=st.sampled_from([1, 5, 25, 24 * 9]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def purge(self) -> None:
        for step in retention.STEPS.values():
            while step(self.book, self.now) == retention.CHUNK:
                pass
        for id, state in self._on_file().items():
            if (self.expected[id], state) in {(State.OPEN, State.SKIPPED), (State.CLAIMED, State.UNKNOWN)}:
                self.expected[id] = state

    @rule(delivery=consumes(deliveries))
    def forget(self, delivery: Delivery) -> None:
        for id, (state,) in self._rows_of(delivery.member).items():
            self.expected[id] = {State.OPEN: State.DROPPED, State.CLAIMED: State.UNKNOWN}.get(state, state)
        erase_rows(self.book, delivery.member)

    @invariant()
    def every_one_is_accounted_for(self) -> None:
        if not hasattr(self, "book"):
            return
        found = tallies.tallies(self.book)
        assert found.conserved
        assert found.planned == len(self.expected)
        expected = Counter(self.expected.values())
        assert {state: getattr(found, state) for state in State} == {state: expected[state] for state in State}

    def _moved(self, delivery: Delivery, before: set[State], after: State) -> None:
        assert self.expected[delivery.id] in before
        self.expected[delivery.id] = after

    def _skip_late(self) -> None:
        for id, state in self._on_file().items():
            if state is State.SKIPPED and self.expected[id] is State.OPEN:
                self.expected[id] = State.SKIPPED

    def _on_file(self) -> dict[str, State]:
        return {id: State(state) for id, state in self.book.all("SELECT id, state FROM outbox")}

    def _rows_of(self, member: str) -> dict[str, tuple[State]]:
        rows = self.book.all("SELECT id, state FROM outbox WHERE member = ?", member)
        return {id: (State(state),) for id, state in rows}


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
