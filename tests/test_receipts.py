"""After an erasure only its receipt is left, under a key of its own, and it goes once it is sent or after a day."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from core.ledger import Delivery, Kind, Owed
from core.members import Preferences
from core.record import Change, Record
from core.storage import Store
from fakes import ANNA, NOON, PLAIN, owed, store


def receipt(before: Mapping[str, int], after: Mapping[str, int]) -> Sequence[Owed]:
    return [owed(Kind.DELETION, edits="7"), owed(Kind.RECEIPT, f"{before['sessions']} before, {after['sessions']} now")]


async def forgotten(kept: Store) -> tuple[Delivery, ...]:
    """Return what is owed after someone was erased."""
    await kept.save_turn(ANNA, Change({"a": 1}, Preferences("GB"), [owed()]))
    member = (await kept.load(ANNA)).member or ""
    return (await kept.forget(member, address=ANNA, receipt=receipt)).deliveries


async def rows(kept: Store) -> dict[str, int]:
    """Return how many rows there are of the tables that a receipt needs."""
    tables = ("members", "addresses", "outbox", "receipts")
    return await kept._read(lambda book: {t: book.count(f"SELECT COUNT(*) FROM {t}") for t in tables})  # noqa: S608 - our names


async def settled(kept: Store, delivery: Delivery, outcome: str) -> None:
    claimed = await kept.claim(delivery)
    assert claimed is not None
    await getattr(kept, outcome)(claimed, *(["9"] if outcome == "sent" else []))


async def test_the_receipt_is_owed_and_its_reader_is_a_stranger(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await forgotten(kept)

        assert await kept.load(ANNA) == Record(None, None, PLAIN)
        due = await kept.due(NOON, 9)
        assert [(d.kind, d.address) for d in due] == [(Kind.DELETION, ANNA), (Kind.RECEIPT, ANNA)]
        assert due[1].reply == {"text": "1 before, 0 now"}


async def test_whoever_writes_again_meanwhile_is_a_new_member_with_an_address_of_their_own(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        deliveries = await forgotten(kept)
        await kept.save_turn(ANNA, Change({"b": 2}, PLAIN))
        for delivery in deliveries:
            await settled(kept, delivery, "sent")

        assert (await kept.load(ANNA)).session == {"b": 2}
        assert await rows(kept) == {"members": 1, "addresses": 1, "outbox": 0, "receipts": 0}


@pytest.mark.parametrize("outcome", ["sent", "dropped", "skipped"])
async def test_it_goes_once_it_is_settled_and_stays_counted(tmp_path: Path, outcome: str) -> None:
    async with store(tmp_path) as kept:
        first, last = await forgotten(kept)
        await settled(kept, first, "sent")
        assert (await rows(kept))["receipts"] == 1
        await settled(kept, last, outcome)

        assert not any((await rows(kept)).values())
        assert (await kept.tallies()).conserved


async def test_one_that_cannot_be_sent_goes_after_a_day(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await forgotten(kept)

        assert (await kept.purge(NOON + timedelta(hours=24)))["unsent_receipts"] == 0
        assert (await kept.purge(NOON + timedelta(hours=24, minutes=1)))["unsent_receipts"] == 1
        assert not any((await rows(kept)).values())


async def test_what_is_being_sent_while_its_member_is_erased_has_no_outcome_to_note(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        (question,) = await kept.save_turn(ANNA, Change({"a": 1}, PLAIN, [owed(Kind.QUESTION)]))
        claimed = await kept.claim(question)
        assert claimed is not None
        member = (await kept.load(ANNA)).member or ""

        erased, noted = await asyncio.gather(kept.forget(member, address=ANNA, receipt=receipt), kept.sent(claimed, "5"))

        assert not noted
        assert len(erased.deliveries) == 2
        assert (await kept.tallies()).conserved


async def test_an_update_that_asked_for_the_erasure_is_handled_with_it(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change({"a": 1}, PLAIN))
        row = await kept.receive("telegram", "1", b"yes, erase it all", sender=ANNA)
        member = (await kept.load(ANNA)).member or ""

        await kept.forget(member, address=ANNA, receipt=receipt, handled=row)

        assert await kept.unhandled("telegram") == ()


async def test_the_update_that_asked_for_the_erasure_is_known_when_it_comes_again(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change({"a": 1}, PLAIN))
        row = await kept.receive("telegram", "1", b"yes, erase it all", sender=ANNA)
        member = (await kept.load(ANNA)).member or ""
        await kept.forget(member, address=ANNA, receipt=receipt, handled=row)

        assert await kept.receive("telegram", "1", b"yes, erase it all", sender=ANNA) is None  # it was not acknowledged in time
