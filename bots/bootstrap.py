"""The composition root: the one place that builds things."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bots.key_file import FoundKeys, find_keys, key_folder
from bots.running import Running, bounded
from bots.settings import BACKUPS, Settings, read_settings
from content import loader, signoff
from core.companion import Companion
from core.enduring import EnduringRecords
from core.library import Library
from core.members import Preferences
from core.memory import MemoryRecords
from core.ownership import Ownership, SignedOff
from core.ports import Records
from core.storage import (
    ErasedList,
    Restored,
    Store,
    StoreRecords,
    Target,
    Tell,
    backups_folder,
    can_be_written,
    database_exists,
    database_path,
    lists_in,
    put_back,
    traces,
)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where checks are kept: in the store, yet to be opened, or in memory; and what the operator must be told, if anything."""

    store: Store | None
    notice: str | None = None


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process; raise SettingsError with everything that is wrong with them."""
    return read_settings(
        os.environ if environment is None else environment, regions=loader.load_regions(), languages=loader.languages()
    )


def companion(settings: Settings, kept: Records | None = None) -> Companion:
    """Return a companion that keeps what it must there; without a place, in memory."""
    library = loader.load(settings.language)
    kept = kept or MemoryRecords(_default(settings))
    return Companion(library, kept, now, fresh_id, Ownership(library, kept, now, signed_off))


def signed_off(library: Library) -> SignedOff:
    """Return how much of the content is signed off as it stands."""
    unsigned = len({left.item for left in signoff.unsigned(library, loader.load_signoffs())})
    return SignedOff(len(signoff.items(library)) - unsigned, unsigned)


def keeping(settings: Settings, environment: Mapping[str, str] | None = None) -> Keeping:
    """Return where someone at a terminal has their checks kept; raise SettingsError where there is no usable key.

    A folder that cannot be written is no reason to refuse a check: nothing is made then, and nothing kept.
    """
    place = _place(environment)
    if not can_be_written(place.database):
        return Keeping(None, f"{place.database} cannot be written, so nothing is kept: what you tell is gone when you leave.")
    missed = database_exists(place.database) or bool(traces(place.database, place.lists))
    keys = _keys(place, database_exists=missed, terminal=True)
    erased = ErasedList(keys.ring, place.lists)
    return Keeping(Store(place.database, keys.ring, now, default=_default(settings), erased=erased), keys.notice)


def records(settings: Settings, store: Store) -> EnduringRecords:
    """Return what is kept in an open store, with memory to go on in while that fails."""
    return EnduringRecords(StoreRecords(store), MemoryRecords(_default(settings)))


def running(settings: Settings, keeping: Keeping, environment: Mapping[str, str] | None = None) -> Running:
    """Return a Hipwise yet to be started, which keeps its store in order."""
    # Imported here: no other command needs a scheduler, and it takes a while to load.
    from scheduler.jobs import upkeep
    from scheduler.runner import Runner

    store = keeping.store
    if store is None:
        return Running(companion(settings))
    jobs = upkeep(store, backups(environment))
    return Running(companion(settings, records(settings, store)), (store, bounded(Runner(jobs, now))))


def existing_store(environment: Mapping[str, str] | None = None) -> Store:
    """Return the store that is there, yet to be opened; nothing is made where there is none."""
    place = _place(environment)
    ring = _keys(place, database_exists=database_exists(place.database), terminal=False).ring
    return Store(place.database, ring, now, expected=True, erased=ErasedList(ring, place.lists))


def backups(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder where backups are kept."""
    return _place(environment).backups


def restore(backup: Path, *, force: bool, tell: Tell, environment: Mapping[str, str] | None = None) -> Restored:
    """Put a backup in the place of the database; raise SettingsError or StorageUnavailable with the old one in its place."""
    place = _place(environment)
    ring = _keys(place, database_exists=True, terminal=False).ring
    target = Target(place.database, place.backups, ring, ErasedList(ring, place.lists))
    return put_back(backup, target, now(), force=force, tell=tell)


def now() -> datetime:
    """Return the present, aware and in UTC."""
    return datetime.now(UTC)


def fresh_id() -> str:
    """Return a new unguessable id: 64 random bits in hexadecimal."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the store is, and what belongs to it."""

    environment: Mapping[str, str]
    database: Path
    backups: Path
    lists: tuple[Path, ...]
    """Where it is kept who was erased."""


def _place(environment: Mapping[str, str] | None) -> _Place:
    environment = os.environ if environment is None else environment
    database = database_path(environment.get("DATABASE_URL", "").strip(), environment)
    folder = backups_folder(environment.get(BACKUPS, "").strip(), database)
    return _Place(environment, database, folder, lists_in(folder, key_folder(environment)))


def _keys(place: _Place, *, database_exists: bool, terminal: bool) -> FoundKeys:
    return find_keys(
        place.environment, place.database, database_exists=database_exists, terminal=terminal, backups=place.backups
    )


def _default(settings: Settings) -> Preferences:
    return Preferences(region=settings.region)
