"""Migrations are applied whole or not at all, and every column they make is declared."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.storage import opening
from core.storage.columns import COLUMNS, undeclared
from core.storage.schema import FOLDER, migrate, migrations, version
from fakes import ring

SECOND = """-- Names: a second migration.
-- Reason: the test of one that builds on another's rows.
CREATE TABLE runs (id TEXT PRIMARY KEY, note TEXT NOT NULL); -- a comment; with a semicolon
INSERT INTO runs (id, note)
SELECT id, 'a; b' FROM members;
ALTER TABLE runs ADD COLUMN far INTEGER;
UPDATE runs SET far = 5;
"""


class Killed(BaseException):
    """The process ends here."""


class Mortal(sqlite3.Connection):
    """A connection whose process is killed before a given statement."""

    left = 10**9

    def execute(self, *args: Any) -> sqlite3.Cursor:
        if self.left == 0:
            raise Killed
        self.left -= 1
        return super().execute(*args)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the shipped first migration and a second one."""
    here = tmp_path / "migrations"
    here.mkdir()
    (here / "0001_start.sql").write_text((FOLDER / "0001_start.sql").read_text("utf-8"), "utf-8")
    return here


def connect(path: Path) -> Mortal:
    db = sqlite3.connect(path, isolation_level=None, factory=Mortal)
    assert isinstance(db, Mortal)
    return db


def schema(db: sqlite3.Connection) -> list[Any]:
    return db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()


def killed_at_every_statement(path: Path, folder: Path) -> Iterator[int]:
    """Yield after each attempt to migrate a copy of the database that was cut short; stop when one was not."""
    start = path.read_bytes() if path.exists() else b""
    for left in range(1, 10_000):
        path.write_bytes(start)
        with closing(connect(path)) as db:
            db.left = left
            try:
                migrate(db, folder)
            except Killed:
                pass
            else:
                return
        yield left


def test_a_start_killed_at_any_statement_is_done_the_next_time(tmp_path: Path, folder: Path) -> None:
    with closing(connect(tmp_path / "whole.db")) as db:
        migrate(db, folder)
        whole = schema(db)

    kills = 0
    for _ in killed_at_every_statement(tmp_path / "cut.db", folder):
        kills += 1
        with closing(connect(tmp_path / "cut.db")) as db:
            assert version(db) == 0
            assert schema(db) == []
            migrate(db, folder)
            assert (version(db), schema(db)) == (1, whole)
    assert kills > len(migrations(folder)[0].statements)


def test_an_upgrade_killed_at_any_statement_keeps_the_rows_and_is_done_the_next_time(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "old.db"
    with closing(connect(path)) as db:
        migrate(db, folder)
        db.execute("INSERT INTO members (id) VALUES ('abcdef12')")
    (folder / "0002_runs.sql").write_text(SECOND, "utf-8")

    kills = 0
    for _ in killed_at_every_statement(path, folder):
        kills += 1
        with closing(connect(path)) as db:
            assert version(db) == 1
            migrate(db, folder)
            assert version(db) == 2
            assert db.execute("SELECT id, note, far FROM runs").fetchall() == [("abcdef12", "a; b", 5)]
    assert kills > 4


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "a.db")) as db:
        migrate(db)
        before = schema(db)
        migrate(db)

        assert schema(db) == before


def test_every_migration_says_why() -> None:
    assert all("-- Reason: " in file.read_text("utf-8") for file in FOLDER.glob("*.sql"))


def test_a_gap_in_the_numbers_is_a_mistake(folder: Path) -> None:
    (folder / "0003_far.sql").write_text("SELECT 1;", "utf-8")

    with pytest.raises(ValueError, match="0003_far"):
        migrations(folder)


def test_a_statement_without_its_end_is_a_mistake(folder: Path) -> None:
    (folder / "0002_open.sql").write_text("SELECT 1;\nSELECT 2", "utf-8")

    with pytest.raises(ValueError, match="without its end"):
        migrations(folder)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """Return an empty database of this version."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        opening.opened(connection, Path(":memory:"), ring(), 8)
        yield connection


def test_every_column_is_declared_and_every_declared_one_exists(db: sqlite3.Connection) -> None:
    there = {
        (table, column)
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for _, column, *_ in db.execute(f"PRAGMA table_info({table})").fetchall()
    }

    assert undeclared(db) == ()
    assert there == {(table, column) for table, columns in COLUMNS.items() for column in columns}


def test_an_undeclared_column_is_found(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE members ADD COLUMN nickname TEXT")
    db.execute("CREATE TABLE shoes (size INTEGER)")

    assert undeclared(db) == ("members.nickname", "shoes.size")


def test_what_is_sealed_or_digested_is_bytes(db: sqlite3.Connection) -> None:
    types = {
        (table, column): kind
        for table in COLUMNS
        for _, column, kind, *_ in db.execute(f"PRAGMA table_info({table})").fetchall()
    }
    clear = {(table, name) for table, columns in COLUMNS.items() for name, how in columns.items() if hasattr(how, "reason")}

    assert {place for place, kind in types.items() if kind != "BLOB"} == clear


def test_the_connection_is_as_safe_as_it_says(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "a.db")) as db:
        opening.opened(db, tmp_path / "a.db", ring(), 8)
        names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "trusted_schema")

        assert [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names] == ["wal", 2, 1, 1, 0]
