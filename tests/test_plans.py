"""Finding rows: what a turn asks takes no longer where there are many members."""

import sqlite3
from collections.abc import Iterator

import pytest

from core.storage import sql
from core.storage.schema import migrate

ONE_ROW = {"HOUSE", "REWRAP_HOUSE", "TALLIES", "ZONES", "ERASE_ZONES"}
UPKEEP = {
    "KEYS", "MEMBERS", "MEMBERS_WITHOUT_KEY", "RECEIVED_AS", "STATES",  # counts, for the operator
    "SAMPLES", "SCHEMA_COLUMNS", "TABLES",  # at the start
    "SOME_KEYS", "KEYS_OF_OTHER_RING_KEYS",  # changing keys
    "ALL_HISTORY", "WITHOUT_KEY",  # by night
    "LOOK", "OLD_TABLES", "ONLY_IN_OLD",  # restoring
}  # fmt: skip
"""Statements that may read a whole table, because nobody waits for their answer in a conversation."""
OF_CLUBS = {
    "CLUBS",  # core/club.py bounds how many there are
}
"""Those that an organiser's change asks."""


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    yield connection
    connection.close()


def statements() -> Iterator[tuple[str, str]]:
    """Yield the name and the words of every statement about rows."""
    for name, value in vars(sql).items():
        for part, statement in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(statement, str) and statement.split()[:1] in (["SELECT"], ["INSERT"], ["UPDATE"], ["DELETE"]):
                yield f"{name} {part}".strip(), statement


ASKED_IN_TURNS = {
    name: words for name, words in statements() if name not in ONE_ROW | UPKEEP | OF_CLUBS and not name.startswith("_")
}


@pytest.mark.parametrize("name", ASKED_IN_TURNS)
def test_what_a_turn_asks_is_found_without_reading_a_whole_table(db: sqlite3.Connection, name: str) -> None:
    words = ASKED_IN_TURNS[name]

    plan = [step for *_, step in db.execute(f"EXPLAIN QUERY PLAN {words}", [None] * words.count("?"))]

    assert [step for step in plan if step.startswith("SCAN") and "CONSTANT" not in step] == []


def test_whatever_refers_to_a_row_is_found_by_an_index(db: sqlite3.Connection) -> None:
    tables = [table for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]

    missing = [
        f"{table}.{column}"
        for table in tables
        for column in (row[3] for row in db.execute(f"PRAGMA foreign_key_list({table})").fetchall())
        if column not in first_columns(db, table)
    ]

    assert missing == []


def first_columns(db: sqlite3.Connection, table: str) -> set[str]:
    """Return the columns that an index of the table begins with."""
    indexes = [row[1] for row in db.execute(f"PRAGMA index_list({table})").fetchall()]
    return {db.execute(f"PRAGMA index_info({index})").fetchone()[2] for index in indexes}
