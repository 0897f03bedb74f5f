"""A diary is kept sealed with the turn that changed it, and what is owed for it is planned in one commit with its next look."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core import zones
from core.enduring import EnduringRecords
from core.errors import StorageUnavailable
from core.ledger import Kind
from core.memory import MemoryRecords
from core.record import Change, Planned, Record, Sent
from core.storage import Store, StoreRecords, sql
from fakes import ANNA, BEN, NOON, PLAIN, owed, ring, store

DIARY = {"zone": "Europe/Berlin", "canary": "between the ribs"}
HOUR = timedelta(hours=1)


def nothing(_record: Record, _sent: Sent, _now: datetime) -> Planned:
    return Planned()


async def test_a_diary_goes_with_its_turn_and_stays_until_it_changes(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(None, PLAIN, diary=DIARY))
        await kept.save_turn(ANNA, Change({"step": 1}, PLAIN))
        assert (await kept.load(ANNA)).diary == DIARY
        await kept.save_turn(ANNA, Change(None, PLAIN, forget_diary=True))
        assert (await kept.load(ANNA)).diary is None
    assert b"between the ribs" not in _file(tmp_path)


async def test_a_diary_is_exported_and_erased_with_its_member(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(None, PLAIN, diary=DIARY))
        member = (await kept.load(ANNA)).member
        assert member is not None
        assert (await kept.everything(member))["diaries"] == [DIARY]
        assert (await kept.forget(member)).before["diaries"] == 1
        assert (await kept.load(ANNA)).diary is None


async def test_a_changed_diary_is_planned_from_at_once_and_then_when_it_said(tmp_path: Path) -> None:
    seen: list[Record] = []

    def plan(record: Record, _sent: Sent, now: datetime) -> Planned:
        seen.append(record)
        tip = owed(Kind.TIP, until=now + HOUR, occurrence="tip|today")
        return Planned([tip], None if record.diary is None else {**record.diary, "planned": True}, now + HOUR)

    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change({"step": 1}, PLAIN, diary=DIARY))
        assert await kept.plan_due(plan, NOON, 10) == 1
        assert await kept.plan_due(plan, NOON, 10) == 0
        assert (await kept.load(ANNA)).diary == {**DIARY, "planned": True}
        assert [d.kind for d in await kept.due(NOON, 10)] == [Kind.TIP]
        assert await kept.plan_due(plan, NOON + HOUR, 10) == 1
        assert (await kept.tallies()).planned == 1  # an occurrence has one message
    assert [record.session for record in seen] == [{"step": 1}] * 2


async def test_a_plan_that_fails_keeps_nobody_waiting_and_is_tried_again(tmp_path: Path) -> None:
    def plan(record: Record, _sent: Sent, now: datetime) -> Planned:
        if record.diary == DIARY:
            raise ValueError("my secret knee")
        return Planned(look=now + timedelta(days=1))

    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(None, PLAIN, diary=DIARY))
        await kept.save_turn(BEN, Change(None, PLAIN, diary={"zone": "UTC"}))
        assert await kept.plan_due(plan, NOON, 10) == 2
        assert await kept.plan_due(plan, NOON, 10) == 0
        assert await kept.plan_due(plan, NOON + HOUR, 10) == 1


async def test_so_many_are_planned_at_once_whoever_waited_longest_first(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        for address in (BEN, ANNA):
            await kept.save_turn(address, Change(None, PLAIN, diary=DIARY))
        assert [await kept.plan_due(nothing, NOON, 1) for _ in range(3)] == [1, 1, 0]


async def test_all_are_planned_from_anew_once_the_zone_database_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tomorrow(_record: Record, _sent: Sent, now: datetime) -> Planned:
        return Planned(look=now + timedelta(days=1))

    async with store(tmp_path) as kept:
        for address in (ANNA, BEN):
            await kept.save_turn(address, Change(None, PLAIN, diary=DIARY))
        assert [await kept.plan_due(tomorrow, NOON, 10) for _ in range(2)] == [2, 0]
    async with store(tmp_path) as kept:
        assert await kept.plan_due(tomorrow, NOON + HOUR, 10) == 0
    monkeypatch.setattr(zones, "VERSION", "2031a")
    async with store(tmp_path) as kept:
        assert [await kept.plan_due(tomorrow, NOON + HOUR, 10) for _ in range(2)] == [2, 0]


async def test_a_diary_that_was_to_wait_for_longer_than_any_is_planned_from_once_the_clock_is_put_back(tmp_path: Path) -> None:
    def tomorrow(_record: Record, _sent: Sent, now: datetime) -> Planned:
        return Planned(look=now + timedelta(days=1))

    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(None, PLAIN, diary=DIARY))
        assert await kept.plan_due(tomorrow, NOON + timedelta(days=40), 10) == 1
        assert [await kept.plan_due(tomorrow, NOON, 10) for _ in range(2)] == [1, 0]


async def test_when_a_diary_is_looked_at_next_is_found_without_reading_the_others(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(None, PLAIN, diary=DIARY))
    with closing(sqlite3.connect(tmp_path / "hipwise.db")) as db:
        steps = db.execute(f"EXPLAIN QUERY PLAN {sql.TO_PLAN}", ("x", 1))
        assert any("diaries_look" in step[-1] for step in steps)


async def test_a_diary_is_not_changed_while_the_store_fails_and_is_as_it_was_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store(tmp_path / "hipwise.db", ring(), lambda: NOON) as kept:
        records = EnduringRecords(StoreRecords(kept), MemoryRecords())
        await records.save(ANNA, Change({"step": 1}, PLAIN, diary=DIARY))
        with monkeypatch.context() as patch:
            patch.setattr(kept, "_ask", _fails)
            assert (await records.load(ANNA)).diary == DIARY  # it is known from the turn before, and then no more
            assert (await records.load(ANNA)).diary is None
            assert await records.save(ANNA, Change({"step": 2}, PLAIN, diary={"zone": "UTC"})) is None
        assert (await records.load(ANNA)).diary == DIARY

        with monkeypatch.context() as patch:
            patch.setattr(kept, "_ask", _fails)
            await records.save(ANNA, Change({"step": 3}, PLAIN, forget_diary=True))
        assert (await records.load(ANNA)).diary is None
        await records.save(ANNA, Change({"step": 4}, replace(PLAIN, region="uk")))
        assert (await records.load(ANNA)).diary is None
        assert (await kept.load(ANNA)).diary is None


async def _fails(*_: object) -> None:
    raise StorageUnavailable("There is no room left on the disk.")


def _file(folder: Path) -> bytes:
    return (folder / "hipwise.db").read_bytes()
