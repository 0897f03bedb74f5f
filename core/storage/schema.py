"""Numbered migrations: plain SQL files, each applied whole or not at all."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import StorageUnavailable
from core.storage import sql
from core.storage.errors import NewerSchema

FOLDER = Path(__file__).with_name("migrations")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: from the version before its number to its number."""

    number: int
    statements: tuple[str, ...]


def migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """Return the migrations of a folder, which are numbered from 1 without a gap."""
    files = sorted(folder.glob("*.sql"))
    found = tuple(Migration(int(file.name.partition("_")[0]), tuple(_statements(file.read_text("utf-8")))) for file in files)
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are not numbered 1, 2, 3 ...: {[file.name for file in files]}")
    return found


def version(db: sqlite3.Connection) -> int:
    """Return the number of the last migration that was applied."""
    return int(db.execute(sql.SCHEMA_VERSION).fetchone()[0])


def refuse_foreign(db: sqlite3.Connection, path: Path, folder: Path = FOLDER) -> None:
    """Raise NewerSchema for a database of a newer version of this program, StorageUnavailable for another program's."""
    newest = len(migrations(folder))
    if version(db) > newest:
        raise NewerSchema(
            f"{path} was written by a newer Hipwise (schema {version(db)}, this one knows {newest}). "
            "Start that version again, or put back the backup from before the upgrade: hipwise restore FILE."
        )
    if version(db) == 0 and db.execute(sql.TABLES).fetchone()[0]:
        raise StorageUnavailable(f"{path} is a database of another program. Name another file in DATABASE_URL.")


def migrate(db: sqlite3.Connection, folder: Path = FOLDER) -> None:
    """Apply what was not applied yet. A migration that is cut short leaves nothing, and is done whole the next time."""
    for migration in migrations(folder)[version(db) :]:
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement in migration.statements:
                db.execute(statement)
            db.execute(sql.SET_SCHEMA_VERSION.format(migration.number))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _statements(text: str) -> Iterator[str]:
    """Yield each statement of a file; one ends with a line that ends with a semicolon outside of a string or trigger."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if "".join(line for line in statement.splitlines() if not line.startswith("--")).strip():
        raise ValueError(f"a statement without its end: {statement.strip()[:60]!r}")
