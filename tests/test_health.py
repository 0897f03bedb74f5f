"""The store counts what it keeps, and tells nobody anything about anyone."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.ledger import Kind, Tallies
from core.record import Change
from core.storage import Integrity
from core.storage.health import OVERDUE
from fakes import ANNA, BEN, NOON, PLAIN, owed, store

SESSION = {"format": 1, "answers": ["canary-between-the-ribs"]}


async def test_the_store_counts_what_it_keeps(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN, [owed(), owed(Kind.TIP)]))
        await kept.save_turn(BEN, Change(None, replace(PLAIN, region="GB")))
        await kept.receive("telegram", "1", b"{}")
        row = await kept.receive("telegram", "2", b"{}")
        assert row is not None
        await kept.set_aside(row)
        (first, *_) = await kept.due(NOON, 9)
        await kept.claim(first)

        found = await kept.health(NOON)

    assert (found.members, found.checks, found.overdue) == (2, 1, 0)
    assert (found.waiting, found.set_aside) == (1, 1)
    assert (found.unreadable, found.keyless) == (0, 0)
    assert found.tallies == Tallies(planned=2, open=1, claimed=1, sent=0, unknown=0, skipped=0, dropped=0)
    assert found.sqlite == sqlite3.sqlite_version


@pytest.mark.parametrize(
    ("age", "checks", "overdue"),
    [
        (timedelta(hours=24), 1, 0),
        (timedelta(hours=24, minutes=1), 0, 0),
        (OVERDUE, 0, 0),
        (OVERDUE + timedelta(hours=1), 0, 1),
    ],
)
async def test_a_check_is_in_progress_for_a_day_and_overdue_once_a_purge_was_missed(
    tmp_path: Path, age: timedelta, checks: int, overdue: int
) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))

        found = await kept.health(NOON + age)

    assert (found.checks, found.overdue) == (checks, overdue)


def by_hand(folder: Path, *statements: str) -> None:
    """Change the file as only somebody with it could."""
    with closing(sqlite3.connect(folder / "hipwise.db", isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


async def test_what_cannot_be_opened_and_whose_key_is_gone_are_counted(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
        await kept.save_turn(BEN, Change(SESSION, PLAIN))
        member = (await kept.load(BEN)).member
    by_hand(tmp_path, "UPDATE sessions SET session = x'00'", f"DELETE FROM keys WHERE owner = '{member}'")  # noqa: S608 - our id

    async with store(tmp_path) as kept:
        await kept.load(ANNA)
        found = await kept.health(NOON)

    assert (found.unreadable, found.keyless) == (1, 1)


async def test_a_whole_file_is_whole(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        assert (await kept.integrity()).newest is None
        await kept.save_turn(ANNA, Change(SESSION, PLAIN, [owed()]))

        found = await kept.integrity()

    assert found == Integrity(found.schema, faults=(), dangling=0, undeclared=(), newest=NOON)


async def test_a_file_that_was_tampered_with_is_not_whole(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
    by_hand(
        tmp_path,
        "PRAGMA foreign_keys = OFF",
        "ALTER TABLE members ADD COLUMN nickname TEXT",
        "UPDATE sessions SET member = 'abcdef12'",
        "PRAGMA writable_schema = ON",
        # The index is now about another column than what it holds.
        "UPDATE sqlite_master SET sql = replace(sql, '(touched)', '(member)') WHERE name = 'sessions_touched'",
    )

    async with store(tmp_path) as kept:
        found = await kept.integrity()

    assert found.undeclared == ("members.nickname",)
    assert found.dangling == 1
    assert found.faults
    assert "abcdef12" not in str(found)


async def test_nothing_that_was_told_is_in_it(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN, [owed()]))
        member = (await kept.load(ANNA)).member
        said = f"{await kept.health(NOON)} {await kept.integrity()}"

    assert [word for word in ("canary", "telegram", ANNA.id, str(member)) if word in said] == []
