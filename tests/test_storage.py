"""The store keeps what it acknowledged, shows none of it, and refuses to start where it would lose something."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.errors import SettingsError
from core.link import Offer
from core.members import Address, Preferences, Units
from core.record import Change, Record
from core.storage import (
    Corrupt,
    DatabaseMissing,
    Kind,
    NewerSchema,
    StorageUnavailable,
    Store,
    WrongKey,
    backups_folder,
    database_path,
    erasure,
    opening,
    retention,
    sql,
)
from core.storage.book import Book, minute
from core.vault import KeyRing
from fakes import ANNA, BEN, NOON, PLAIN, owed, ring, store

CANARY = "canary-between-the-ribs"
SESSION = {"format": 1, "answers": [CANARY]}


def files(folder: Path) -> bytes:
    """Return every byte that the store wrote."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def on_file(folder: Path, statement: str, *values: object) -> list[Any]:
    """Run a statement on a closed database, as somebody with the file could."""
    db = sqlite3.connect(folder / "hipwise.db", isolation_level=None)
    try:
        return db.execute(statement, values).fetchall()
    finally:
        db.close()


async def on_thread(kept: Store, work: Callable[[Book], Any]) -> Any:
    """Do something on the store's own connection."""
    return await kept._write(work)


async def filled(kept: Store) -> str:
    """Return a member about whom there is a row in every table."""
    row = await kept.receive(ANNA.platform, CANARY, CANARY.encode(), sender=ANNA)
    settings, agreed = Preferences("gb", Units.MILES), {"kind": "history", "text_hash": CANARY, "given": True}
    message, result = owed(text=CANARY, occurrence=CANARY), {"run": CANARY}
    await kept.save_turn(ANNA, Change(SESSION, settings, [message], row, [agreed], result, diary={"run": CANARY}, place=CANARY))
    member = (await kept.load(ANNA)).member
    assert member is not None
    await kept.link(ANNA, Offer(CANARY, NOON), lambda _, found: Change(found.session, found.preferences), None)
    await kept.receive(ANNA.platform, "later", CANARY.encode(), sender=ANNA)
    delivery = await kept.claim((await kept.due(NOON, 9))[0])
    assert delivery is not None
    await kept.sent(delivery, CANARY)
    return member


# ---------------------------------------------------------------- keeping


async def test_a_turn_is_there_after_a_restart(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        deliveries = await kept.save_turn(ANNA, Change(SESSION, Preferences("gb", Units.MILES), [owed()]))

    async with store(tmp_path, expected=True) as kept:
        found = await kept.load(ANNA)
        due = await kept.due(NOON, 9)

    assert (found.session, found.preferences) == (SESSION, Preferences("gb", Units.MILES))
    assert due == deliveries
    assert due[0].address == ANNA


async def test_an_unknown_address_has_the_defaults(tmp_path: Path) -> None:
    async with Store(tmp_path / "hipwise.db", ring(), lambda: NOON, default=Preferences("ie")) as kept:
        assert await kept.load(ANNA) == Record(None, None, Preferences("ie"))


async def test_settings_stay_when_the_session_ends_and_when_the_default_changes(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, Preferences("gb")))
        await kept.save_turn(ANNA, Change(None, Preferences("gb")))

    async with Store(tmp_path / "hipwise.db", ring(), lambda: NOON, default=Preferences("us", Units.MILES)) as kept:
        found = await kept.load(ANNA)
    assert (found.session, found.preferences) == (None, Preferences("gb", Units.MILES))


async def test_a_member_may_have_two_addresses_and_has_one_check_behind_both(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, Preferences("gb")))
        member = (await kept.load(ANNA)).member or ""
        assert await kept.add_address(member, BEN)
        await kept.save_turn(BEN, Change({"other": 1}, Preferences("ie")))
        await kept.save_turn(replace(ANNA, id="someone else"), Change({"third": 1}, PLAIN))

        assert await kept.load(ANNA) == Record(member, {"other": 1}, Preferences("ie"), linked=True)
        assert await kept.load(BEN) == await kept.load(ANNA)
        assert (await kept.everything(member))["sessions"] == [{"other": 1}]
        await kept.save_turn(ANNA, Change(None, Preferences("ie")))
        assert (await kept.load(BEN)).session is None


async def test_an_address_stays_with_its_member(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
        await kept.save_turn(BEN, Change(SESSION, PLAIN))

        assert not await kept.add_address((await kept.load(ANNA)).member or "", BEN)


async def test_a_turn_that_fails_keeps_nothing_of_itself(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        row = await kept.receive("telegram", "1", b"{}")
        with pytest.raises(TypeError):
            await kept.save_turn(
                ANNA, Change(SESSION, PLAIN, [owed(), replace(owed(), reply={"not json": object()})], handled=row)
            )

        assert await kept.load(ANNA) == Record(None, None, PLAIN)
        assert (await kept.tallies()).planned == 0
        assert [received.row for received in await kept.unhandled("telegram")] == [row]


async def test_consents_and_history_are_kept_in_order(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        member = await filled(kept)
        taken_back = {"kind": "history", "text_hash": "h2", "given": False}
        await kept.save_turn(ANNA, Change(SESSION, PLAIN, consents=[taken_back], result={"run": 2}))

        assert [c["text_hash"] for c in await kept.consents(member)] == [CANARY, "h2"]
        assert (await kept.load(ANNA)).consents == await kept.consents(member)
        assert await kept.history(member) == ({"run": CANARY}, {"run": 2})


async def test_a_result_is_kept_once_whenever_it_was_shown(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        for hour in (1, 2):
            await kept.save_turn(
                ANNA, Change(SESSION, PLAIN, result={"check": "c1", "time": f"2026-11-23T0{hour}:00:00+00:00"})
            )

        assert len(await kept.history((await kept.load(ANNA)).member or "")) == 1


async def test_of_too_many_consents_and_results_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.storage.members.CONSENTS", 3)
    monkeypatch.setattr("core.storage.members.RESULTS", 2)
    async with store(tmp_path) as kept:
        for number in range(9):
            await kept.save_turn(ANNA, Change(SESSION, PLAIN, consents=[{"n": number}], result={"n": number}))

        member = (await kept.load(ANNA)).member or ""
        assert [c["n"] for c in await kept.consents(member)] == [6, 7, 8]
        assert [e["n"] for e in await kept.history(member)] == [7, 8]


def test_a_consent_is_never_changed() -> None:
    statements = [value for value in vars(sql).values() if isinstance(value, str)]

    assert not [s for s in statements if "UPDATE consents" in s or "DELETE FROM consents" in s]
    assert "DELETE FROM consents" in sql.ERASE_ROWS["consents"]  # but with everything else of its member


async def test_an_update_is_received_once(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        first = await kept.receive("telegram", "10", b"one")
        second = await kept.receive("telegram", "11", b"two")
        assert await kept.receive("telegram", "10", b"one") is None
        assert await kept.receive("discord", "10", b"its own") is not None
        assert [r.raw for r in await kept.unhandled("telegram")] == [b"one", b"two"]

        await kept.save_turn(ANNA, Change(None, PLAIN, handled=first))
        await kept.set_aside(second or "")

        assert await kept.unhandled("telegram") == ()
        assert await kept.receive("telegram", "10", b"one") is None


async def test_a_handled_update_leaves_nothing_but_that_it_came(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        row = await kept.receive("telegram", "10", b"one", sender=ANNA)
        await kept.save_turn(ANNA, Change(SESSION, PLAIN, handled=row))

    assert on_file(tmp_path, "SELECT state, raw, sender_digest FROM inbox") == [("handled", None, None)]


async def test_everything_is_what_there_is(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        plain = await kept.everything(await filled(kept))

    assert plain["addresses"] == [{"platform": ANNA.platform, "id": ANNA.id}]
    assert all(
        CANARY in json.dumps(plain[part])
        for part in plain.keys() - {"addresses", "settings", "links", "former_members", "clubs"}
    )
    assert plain["links"] == [{"until": "2026-11-23T12:00+00:00"}]


# ---------------------------------------------------------------- committing together


async def begins(kept: Store, work: Callable[[], Any]) -> int:
    """Return how many transactions that write it took."""
    statements: list[str] = []
    await on_thread(kept, lambda book: book.db.set_trace_callback(statements.append))
    await work()
    await on_thread(kept, lambda book: book.db.set_trace_callback(None))
    return sum(statement == "BEGIN IMMEDIATE" for statement in statements) - 1  # the last one is this function's own


async def test_64_turns_share_a_few_commits(tmp_path: Path) -> None:
    members = [Address("telegram", str(n)) for n in range(64)]
    async with store(tmp_path) as kept:

        async def turns() -> None:
            await asyncio.gather(*(kept.save_turn(member, Change(SESSION, PLAIN, [owed()])) for member in members))

        assert await begins(kept, turns) <= 4
        assert (await kept.tallies()).open == 64


async def test_one_that_fails_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    bad = replace(owed(), reply={"not json": object()})
    members = [Address("telegram", str(n)) for n in range(20)]
    async with store(tmp_path) as kept:
        outcomes = await asyncio.gather(
            *(kept.save_turn(m, Change(SESSION, PLAIN, [bad if n == 7 else owed()])) for n, m in enumerate(members)),
            return_exceptions=True,
        )

        assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, TypeError)] == [7]
        assert [n for n, m in enumerate(members) if (await kept.load(m)).session != SESSION] == [7]


async def test_a_transaction_that_sqlite_gives_up_is_done_again_one_by_one(tmp_path: Path) -> None:
    def gives_up(book: Book) -> None:
        book.db.execute("ROLLBACK")  # as SQLite does by itself on some errors
        raise sqlite3.OperationalError("disk I/O error")

    async with store(tmp_path) as kept:
        outcomes = await asyncio.gather(
            kept.save_turn(ANNA, Change(SESSION, PLAIN)),
            on_thread(kept, gives_up),
            kept.save_turn(BEN, Change(SESSION, PLAIN)),
            return_exceptions=True,
        )

        assert [isinstance(outcome, sqlite3.OperationalError) for outcome in outcomes] == [False, True, False]
        assert (await kept.load(ANNA)).session == (await kept.load(BEN)).session == SESSION


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancelled_turn_is_kept_whole(tmp_path: Path, steps: int) -> None:
    async with store(tmp_path) as kept:
        turn = asyncio.create_task(kept.save_turn(ANNA, Change(SESSION, PLAIN, [owed()])))
        for _ in range(steps):
            await asyncio.sleep(0)
        turn.cancel()
        await asyncio.gather(turn, return_exceptions=True)

        await kept.save_turn(BEN, Change(SESSION, PLAIN))  # and nobody is locked out
        found, counts = await kept.load(ANNA), await kept.tallies()

    # Cancelled before its first step, it never asked.
    assert (found.session, counts.open) == ((None, 0) if steps == 0 else (SESSION, 1))


async def test_closing_finishes_what_was_asked_for(tmp_path: Path) -> None:
    kept = store(tmp_path)
    await kept.open()
    turns = [asyncio.create_task(kept.save_turn(Address("telegram", str(n)), Change(SESSION, PLAIN))) for n in range(300)]
    await asyncio.sleep(0)

    await kept.close()
    await kept.close()

    assert await asyncio.gather(*turns) == [()] * 300
    with pytest.raises(StorageUnavailable):
        await kept.load(ANNA)


# ---------------------------------------------------------------- sealing


async def test_nothing_personal_can_be_read_from_the_files(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await filled(kept)
        while_open = files(tmp_path)

    for told in (CANARY, ANNA.id, "miles"):
        assert told.encode() not in while_open
        assert told.encode() not in files(tmp_path)


async def test_a_row_moved_to_another_member_does_not_open(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
        await kept.save_turn(BEN, Change({"mine": 1}, PLAIN))
    on_file(tmp_path, "UPDATE sessions SET session = (SELECT MAX(session) FROM sessions)")

    async with store(tmp_path) as kept:
        found = [(await kept.load(address)).session for address in (ANNA, BEN)]
        assert kept.unreadable == 1
    assert found.count(None) == 1


async def test_a_damaged_key_reads_as_empty_and_is_left_for_a_backup(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
        await on_thread(kept, lambda book: book.db.execute("UPDATE keys SET wrapped = x'00' WHERE owner <> ?", [book.house]))
        await on_thread(kept, lambda book: book.keys._known.clear())

        assert await kept.load(ANNA) == Record(None, None, PLAIN)
        assert kept.unreadable == 1
        assert not any((await kept.purge(NOON)).values())


async def test_rows_of_a_member_whose_key_is_gone_read_as_empty_and_are_erased(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, Preferences("gb"), [owed()]))
        member = (await kept.load(ANNA)).member
    on_file(tmp_path, "DELETE FROM keys WHERE owner = ?", member)

    async with store(tmp_path) as kept:
        assert await kept.load(ANNA) == Record(None, None, PLAIN)
        assert (kept.unreadable, await kept.keyless()) == (1, 1)
        assert await kept.due(NOON, 9) == ()
        assert (await kept.purge(NOON))["keyless"] == 1
        assert (await kept.keyless(), (await kept.tallies()).dropped) == (0, 1)


async def test_a_member_whose_key_is_gone_can_start_again(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, Preferences("gb"), [owed()]))
        member = (await kept.load(ANNA)).member
    on_file(tmp_path, "DELETE FROM keys WHERE owner = ?", member)

    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change({"new": 1}, PLAIN, [owed()]))
        found, counts = await kept.load(ANNA), await kept.tallies()

    assert (found.session, found.preferences) == ({"new": 1}, PLAIN)
    assert found.member != member
    assert (counts.open, counts.dropped, counts.conserved) == (1, 1, True)


async def test_few_keys_in_memory_are_enough_for_many_members(tmp_path: Path) -> None:
    members = [Address("telegram", str(n)) for n in range(9)]
    async with Store(tmp_path / "hipwise.db", ring(), lambda: NOON, remembered_keys=2) as kept:
        for member in members:
            await kept.save_turn(member, Change({"for": member.id}, PLAIN))

        assert [(await kept.load(member)).session for member in members] == [{"for": member.id} for member in members]
        assert kept._book is not None
        assert len(kept._book.keys._known) == 2


async def test_a_key_can_leave_the_ring_once_everything_is_wrapped_again(tmp_path: Path) -> None:
    async with store(tmp_path, ring("a")) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
    async with store(tmp_path, ring("b", "a")) as kept:
        await kept.save_turn(BEN, Change(SESSION, PLAIN))
    with pytest.raises(WrongKey, match="'a'"):
        await store(tmp_path, ring("b")).open()

    async with store(tmp_path, ring("b", "a")) as kept:
        assert await kept.rewrap() == 2  # the house's and Anna's

    async with store(tmp_path, ring("b")) as kept:
        assert (await kept.load(ANNA)).session == (await kept.load(BEN)).session == SESSION


# ---------------------------------------------------------------- forgetting


SEALED_OF = (
    "SELECT wrapped FROM keys WHERE owner = ?",
    "SELECT address FROM addresses WHERE member = ?",
    "SELECT place FROM addresses WHERE member = ?",
    "SELECT settings FROM settings WHERE member = ?",
    "SELECT consent FROM consents WHERE member = ?",
    "SELECT session FROM sessions WHERE member = ?",
    "SELECT entry FROM history WHERE member = ?",
    "SELECT diary FROM diaries WHERE member = ?",
    "SELECT owed FROM outbox WHERE member = ?",
    "SELECT message FROM outbox WHERE member = ?",
    "SELECT code_digest FROM links WHERE member = ?",
    "SELECT raw FROM inbox WHERE raw IS NOT NULL AND sender_digest IN (SELECT digest FROM addresses WHERE member = ?)",
)


def rows(statement: str, member: str, book: Book) -> list[Any]:
    """Return what a statement finds about a member."""
    return book.all(statement, member)


async def test_a_forgotten_member_leaves_no_byte(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        member = await filled(kept)
        await kept.save_turn(BEN, Change(SESSION, PLAIN))
        sealed = [blob for statement in SEALED_OF for (blob,) in await on_thread(kept, partial(rows, statement, member))]
        assert all(blob in files(tmp_path) for blob in sealed)

        erased = await kept.forget(member)

        assert min(erased.before.values()) >= 1
        assert set(erased.after.values()) == {0}
        raw = files(tmp_path)
        assert not [blob for blob in sealed if blob in raw]
        assert member.encode() not in raw
        assert await kept.load(ANNA) == Record(None, None, PLAIN)
        assert (await kept.load(BEN)).session == SESSION


async def test_forgetting_that_was_killed_before_the_log_was_emptied_leaves_no_byte_after_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, empty_log = tmp_path / "killed", erasure.empty_log
    killed.mkdir()

    def killed_here(book: Book) -> bool:
        for name in ("hipwise.db", "hipwise.db-wal"):
            shutil.copy(tmp_path / name, killed)
        return empty_log(book)

    monkeypatch.setattr(erasure, "empty_log", killed_here)
    async with store(tmp_path) as kept:
        member = await filled(kept)
        sealed = [blob for statement in SEALED_OF for (blob,) in await on_thread(kept, partial(rows, statement, member))]
        await kept.forget(member)
    assert all(blob in files(killed) for blob in sealed)

    async with store(killed, expected=True):
        assert not [blob for blob in sealed if blob in files(killed)]


async def test_forgetting_keeps_the_tallies(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        member = await filled(kept)
        await kept.plan(ANNA, [owed(Kind.TIP, occurrence="tip 1"), owed(Kind.TIP, occurrence="tip 2")])
        delivery = (await kept.due(NOON, 1))[0]
        claimed = await kept.claim(delivery)
        assert claimed is not None
        await kept.forget(member)

        assert not await kept.sent(claimed, "7")
        counts = await kept.tallies()
    assert (counts.planned, counts.sent, counts.unknown, counts.dropped, counts.conserved) == (3, 1, 1, 1, True)


async def test_forgetting_that_was_cut_short_is_finished_by_the_next_purge(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        member = await filled(kept)
        await on_thread(kept, lambda book: book.keys.erase(book.db, member))

    async with store(tmp_path) as kept:
        assert (await kept.purge(NOON))["keyless"] == 1
        assert member.encode() not in files(tmp_path)
        assert await kept.unhandled(ANNA.platform) == ()
        assert set((await kept.forget(member)).before.values()) == {0}


async def test_nothing_outlives_its_age(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN, [owed(Kind.QUESTION)]))
        await kept.plan(ANNA, [owed(Kind.CHECK_IN, until=NOON + timedelta(hours=3), occurrence="run 1")])
        aside = await kept.receive("telegram", "1", b"raw", sender=ANNA)
        await kept.set_aside(aside or "")
        for delivery in await kept.due(NOON, 9):
            claimed = await kept.claim(delivery)
            assert claimed is not None
            assert await kept.sent(claimed, "7")

        assert not any((await kept.purge(NOON + timedelta(hours=24))).values())
        after_a_day = await kept.purge(NOON + timedelta(hours=24, minutes=1))
        assert {name: count for name, count in after_a_day.items() if count} == {"sessions": 1, "contents": 2, "deliveries": 1}

        again = owed(Kind.CHECK_IN, occurrence="run 1")
        assert await kept.plan(ANNA, [again]) == ()
        assert not any((await kept.purge(NOON + timedelta(days=7))).values())
        after_a_week = await kept.purge(NOON + timedelta(days=7, hours=3, minutes=1))
        assert {name: count for name, count in after_a_week.items() if count} == {"received": 1, "deliveries": 1}

        # Nothing was kept about them any more, so they are gone too; what was counted stays.
        assert (await kept.load(ANNA)).member is None
        assert ((await kept.tallies()).sent, (await kept.tallies()).conserved) == (2, True)


async def test_a_member_with_settings_outlives_their_session(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, Preferences("gb")))
        await kept.purge(NOON + timedelta(days=30))

        assert (await kept.load(ANNA)).preferences == Preferences("gb")


async def test_a_purge_of_many_goes_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 10)
    async with store(tmp_path) as kept:
        await asyncio.gather(*(kept.save_turn(Address("telegram", str(n)), Change(SESSION, PLAIN)) for n in range(35)))

        assert await begins(kept, lambda: kept.purge(NOON + timedelta(days=2))) >= 4
        assert await on_thread(kept, lambda book: book.count(sql.MEMBERS)) == 0


# ---------------------------------------------------------------- refusing


async def test_a_wrong_key_refuses_and_changes_nothing(tmp_path: Path) -> None:
    async with store(tmp_path, ring("a")) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
    before = (tmp_path / "hipwise.db").read_bytes()

    for wrong in (ring("b"), ring("a", secret=8)):
        with pytest.raises(WrongKey, match="'a'"):
            await store(tmp_path, wrong).open()

    assert (tmp_path / "hipwise.db").read_bytes() == before
    async with store(tmp_path, ring("a")) as kept:
        assert (await kept.load(ANNA)).session == SESSION


def test_a_wrong_key_is_found_before_anything_is_written(tmp_path: Path) -> None:
    statements: list[str] = []
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as db:
        opening.opened(db, tmp_path / "a.db", ring("a"), 8)
        db.set_trace_callback(statements.append)
        with pytest.raises(WrongKey):
            opening.opened(db, tmp_path / "a.db", ring("b"), 8)

    assert statements
    assert not [statement for statement in statements if statement.startswith("BEGIN") or "journal_mode" in statement]


async def test_a_wrong_key_under_the_name_of_one_that_was_used_is_refused(tmp_path: Path) -> None:
    for keys, address in ((ring("a"), ANNA), (ring("b", "a"), BEN)):
        async with store(tmp_path, keys) as kept:
            await kept.save_turn(address, Change(SESSION, PLAIN))

    with pytest.raises(WrongKey, match="'b'"):
        await store(tmp_path, KeyRing((*ring("a").keys, *ring("b", secret=8).keys))).open()


@pytest.mark.parametrize("left", ["nothing", "an empty file", "its log"])
async def test_a_missing_database_is_not_replaced_by_an_empty_one(tmp_path: Path, left: str) -> None:
    if left == "an empty file":
        (tmp_path / "hipwise.db").touch()
    if left == "its log":
        (tmp_path / "hipwise.db-wal").write_bytes(b"something")

    with pytest.raises(DatabaseMissing, match="backup"):
        await store(tmp_path, expected=left != "its log").open()
    assert left == "an empty file" or not (tmp_path / "hipwise.db").exists()


async def test_a_new_database_is_for_this_user_only(tmp_path: Path) -> None:
    async with store(tmp_path / "new" / "folder"):
        pass

    assert (tmp_path / "new" / "folder" / "hipwise.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("page", [0, 1])
async def test_a_damaged_file_is_refused(tmp_path: Path, page: int) -> None:
    async with store(tmp_path) as kept:
        await filled(kept)
    whole = (tmp_path / "hipwise.db").read_bytes()
    (tmp_path / "hipwise.db").write_bytes(whole[: page * 4096] + bytes([255]) * 4096 + whole[(page + 1) * 4096 :])

    with pytest.raises(Corrupt, match="backup"):
        await store(tmp_path).open()


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    async with store(tmp_path):
        pass
    on_file(tmp_path, "PRAGMA user_version = 999")

    with pytest.raises(NewerSchema, match="999"):
        await store(tmp_path).open()


async def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    on_file(tmp_path, "CREATE TABLE recipes (name TEXT)")

    with pytest.raises(StorageUnavailable, match="another program"):
        await store(tmp_path).open()


async def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hipwise.db").mkdir()

    with pytest.raises(StorageUnavailable, match="not a file"):
        await store(tmp_path).open()


async def test_a_second_process_is_refused_and_may_start_after_the_first(tmp_path: Path) -> None:
    script = "import asyncio, sys; sys.path[:0] = sys.argv[2:]\nfrom pathlib import Path\nfrom fakes import store\n"
    second = [sys.executable, "-c", script + "asyncio.run(store(Path(sys.argv[1])).open())", str(tmp_path), *sys.path]
    async with store(tmp_path):
        with pytest.raises(StorageUnavailable, match="Another Hipwise"):
            async with store(tmp_path):
                pass
        refused = await asyncio.to_thread(subprocess.run, second, capture_output=True, text=True, timeout=20, check=False)
    async with store(tmp_path):
        pass

    assert "Another Hipwise is running" in refused.stderr


async def test_a_program_that_locks_the_file_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "hipwise.db", isolation_level=None)
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
        await on_thread(kept, lambda book: book.db.execute("PRAGMA busy_timeout = 1"))
        other.execute("BEGIN IMMEDIATE")

        turns = [kept.save_turn(ANNA, Change({"new": 1}, PLAIN)), kept.save_turn(BEN, Change({"new": 2}, PLAIN))]
        outcomes = await asyncio.gather(*turns, kept.load(ANNA), return_exceptions=True)
        other.execute("ROLLBACK")
        other.close()

        assert all(isinstance(o, StorageUnavailable) and "locked" in str(o) for o in outcomes[:2])
        assert isinstance(outcomes[2], Record)  # reading goes on
        await kept.save_turn(ANNA, Change({"new": 1}, PLAIN))


async def test_a_full_disk_is_named_and_once_there_is_room_it_goes_on(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
        await on_thread(kept, lambda book: book.db.execute("PRAGMA max_page_count = 1"))
        big = {"text": "x" * 100_000}

        outcomes = await asyncio.gather(
            kept.save_turn(ANNA, Change(big, PLAIN)), kept.save_turn(ANNA, Change({"small": 1}, PLAIN)), return_exceptions=True
        )
        assert isinstance(outcomes[0], StorageUnavailable)
        assert "no room" in str(outcomes[0])
        assert outcomes[1] == ()  # what still fits is kept
        assert (await kept.load(ANNA)).session == {"small": 1}

        await on_thread(kept, lambda book: book.db.execute("PRAGMA max_page_count = 100000"))
        await kept.save_turn(ANNA, Change(big, PLAIN))
        assert (await kept.load(ANNA)).session == big


async def test_a_file_that_cannot_be_written_is_named_and_can_still_be_read(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change(SESSION, PLAIN))
        await on_thread(kept, lambda book: book.db.execute("PRAGMA query_only = ON"))

        with pytest.raises(StorageUnavailable, match="writable"):
            await kept.save_turn(ANNA, Change({"new": 1}, PLAIN))
        assert (await kept.load(ANNA)).session == SESSION


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anything")
async def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    async with store(tmp_path):
        pass
    (tmp_path / "hipwise.db").chmod(0o400)

    with pytest.raises(StorageUnavailable, match="writable"):
        await store(tmp_path).open()


# ---------------------------------------------------------------- killing

WRITE_UNTIL_KILLED = """
import asyncio, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from core.members import Address
from fakes import PLAIN, owed, store

async def writes():
    async with store(Path(sys.argv[1])) as kept:
        async def member(name):
            for turn in range(1, 10**9):
                row = await kept.receive("telegram", f"{name}-{turn}", b"raw")
                await kept.save_turn(Address("telegram", name), Change({"turn": turn}, PLAIN, [owed()], handled=row))
                print(name, turn, flush=True)
        await asyncio.gather(*(member(str(n)) for n in range(8)))

asyncio.run(writes())
"""


@pytest.mark.parametrize("lines", [1, 40, 90, 250, 600])
async def test_kill_9_loses_no_acknowledged_turn(tmp_path: Path, lines: int) -> None:
    acknowledged = await asyncio.to_thread(written_until_killed, tmp_path, lines)

    async with store(tmp_path, expected=True) as kept:
        total = 0
        for name, turn in acknowledged.items():
            session = (await kept.load(Address("telegram", name))).session
            assert session is not None
            assert session["turn"] >= turn
            assert await kept.receive("telegram", f"{name}-{turn}", b"raw") is None
        for n in range(8):
            session = (await kept.load(Address("telegram", str(n)))).session
            total += session["turn"] if session else 0
        counts = await kept.tallies()
        # No half turn: as many replies as turns, and the same turn is not both handled and waiting.
        assert (counts.open, counts.conserved) == (total, True)


def written_until_killed(folder: Path, lines: int) -> Counter[str]:
    """Return the last turn of each member that a process acknowledged before it was killed."""
    command = [sys.executable, "-c", WRITE_UNTIL_KILLED, str(folder), *sys.path]
    acknowledged: Counter[str] = Counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own words
        assert process.stdout is not None
        for n, line in enumerate(process.stdout, start=1):
            if n == lines:
                process.kill()
            if line.endswith("\n"):
                name, turn = line.split()
                acknowledged[name] = int(turn)
    return acknowledged


# ---------------------------------------------------------------- where it is


@pytest.mark.parametrize(
    ("url", "environ", "platform", "path"),
    [
        ("sqlite:///club.db", {}, "linux", "club.db"),
        ("sqlite:////srv/club.db", {}, "linux", "/srv/club.db"),
        (None, {"HOME": "/home/a"}, "linux", "/home/a/.local/share/hipwise/hipwise.db"),
        ("", {"HOME": "/home/a", "XDG_DATA_HOME": "/data"}, "linux", "/data/hipwise/hipwise.db"),
        (None, {"HOME": "/home/a", "XDG_DATA_HOME": "data"}, "linux", "/home/a/.local/share/hipwise/hipwise.db"),
        (None, {"HOME": "/Users/a"}, "darwin", "/Users/a/Library/Application Support/Hipwise/data/hipwise.db"),
        (None, {"LOCALAPPDATA": "/local"}, "win32", "/local/Hipwise/hipwise.db"),
    ],
)
def test_where_the_database_is(url: str | None, environ: dict[str, str], platform: str, path: str) -> None:
    assert database_path(url, environ, platform) == Path(path)


@pytest.mark.parametrize(
    ("named", "folder"), [("", "/srv/backups"), ("/mnt/stick", "/mnt/stick"), ("~/stick", "/home/ann/stick")]
)
def test_where_the_backups_are(named: str, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")

    assert backups_folder(named, Path("/srv/club.db")) == Path(folder)


@pytest.mark.parametrize(
    "url", ["postgres://u:secret@h/db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a?mode=ro"]
)
def test_what_cannot_be_a_database_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as raised:
        database_path(url, {})
    assert "secret" not in str(raised.value)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        minute(datetime(2026, 1, 1))  # noqa: DTZ001 - what must not pass
