"""`hipwise doctor`: look at everything that Hipwise stands on, and say what to do."""

import argparse
import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bots import bootstrap, doctor
from bots.control import NoAnswer
from bots.doctor import Mark, Point
from bots.key_file import KEYS, key_file
from content import loader
from content.loader import ContentError
from core.errors import SettingsError, StorageUnavailable
from core.storage import AlreadyRunning, can_be_written, copies_of


def run(argv: list[str]) -> int:
    """Print a line for each thing that was looked at; return 0 where all is well, 1 where not, 2 where something is broken."""
    argparse.ArgumentParser(prog="hipwise doctor", description="Look at all that Hipwise stands on.").parse_args(argv)
    points = []
    for point in _points():
        print(point, flush=True)
        points.append(point)
    print(f"\n{doctor.summed_up(points)}")
    return doctor.exit_code(points)


def _points() -> Iterator[Point]:
    yield from _settings()
    yield _content()
    try:
        database = bootstrap.database()
    except SettingsError as error:
        yield Point("Database", Mark.BROKEN, str(error))
        return
    yield _key()
    point, found = _integrity(database)
    yield point
    yield from _backups(database)
    yield from _disks(database)
    yield doctor.of_clock(bootstrap.now(), _time(found.get("newest")))
    yield doctor.of_sqlite(sqlite3.sqlite_version)
    if found or not bootstrap.is_used():
        yield doctor.of_running(running=bool(found.get("running")))


def _settings() -> Iterator[Point]:
    try:
        bootstrap.settings()
    except SettingsError as error:
        for problem in str(error).splitlines():
            yield Point("Settings", Mark.BROKEN, problem)
    else:
        yield Point("Settings", Mark.OK, "All can be used.")


def _content() -> Point:
    try:
        version = loader.load().pathway.version
    except ContentError as error:
        return Point("Content", Mark.BROKEN, f"{error}. Put the files of content/ back as they were delivered.")
    return Point("Content", Mark.OK, f"Version {version}.")


def _key() -> Point:
    """Return whether there is a key that can be used. Where there is no database either, none was lost."""
    try:
        ring = bootstrap.ring()
        where = KEYS if os.environ.get(KEYS, "").strip() else key_file(os.environ)
    except SettingsError as error:
        return Point("Key", Mark.BROKEN if bootstrap.is_used() else Mark.LOOK, str(error))
    return Point("Key", Mark.OK, f"Keys in {where}: {len(ring.keys)}. The first is {ring.writer.id}.")


def _integrity(database: Path) -> tuple[Point, Mapping[str, Any]]:
    """Return how the database is, and what was found of it, if it could be looked at."""
    if not bootstrap.is_used():
        return Point("Database", Mark.LOOK, f"There is none at {database} yet. Start Hipwise once, or set DATABASE_URL."), {}
    try:
        found = asyncio.run(bootstrap.operate("integrity"))
    except AlreadyRunning as error:
        return Point("Database", Mark.LOOK, f"It cannot be asked about: {error} Or it is starting or ending: wait a bit."), {}
    except (SettingsError, StorageUnavailable, NoAnswer) as error:
        return Point("Database", Mark.BROKEN, str(error)), {}
    return doctor.of_database(database, found), found


def _backups(database: Path) -> Iterator[Point]:
    if bootstrap.is_used():
        folder = bootstrap.backups()
        made = (copy.time for copy in copies_of(folder, database) if not copy.replaced)
        writable = can_be_written(folder / database.name)
        yield doctor.of_backups(folder, next(made, None), bootstrap.now(), writable=writable)


def _disks(database: Path) -> Iterator[Point]:
    """Return how much room there is for the database and, where they are on another disk, for its backups."""
    folder, backups = _there(database.parent), _there(bootstrap.backups())
    size = database.stat().st_size if database.exists() else 0
    yield doctor.of_disk("Disk", folder, free=shutil.disk_usage(folder).free, database=size)
    if folder.stat().st_dev != backups.stat().st_dev:
        yield doctor.of_disk("Disk of the backups", backups, free=shutil.disk_usage(backups).free, database=size)


def _there(folder: Path) -> Path:
    """Return a folder, or of those above it the first that is there."""
    return next(above for above in (folder.absolute(), *folder.absolute().parents) if above.exists())


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
