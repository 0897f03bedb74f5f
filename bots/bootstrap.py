"""The composition root: the one place that builds things."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bots.key_file import find_keys
from bots.settings import Settings, read_settings
from content import loader, signoff
from core.companion import Companion
from core.enduring import EnduringRecords
from core.library import Library
from core.members import Preferences
from core.memory import MemoryRecords
from core.ownership import Ownership, SignedOff
from core.ports import Records
from core.storage import Store, StoreRecords, can_be_written, database_exists, database_path


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
    environment = os.environ if environment is None else environment
    path = database_path(environment.get("DATABASE_URL", "").strip(), environment)
    if not can_be_written(path):
        return Keeping(None, f"{path} cannot be written, so nothing is kept: what you tell is gone when you leave.")
    keys = find_keys(environment, path, database_exists=database_exists(path), terminal=True)
    return Keeping(Store(path, keys.ring, now, default=_default(settings)), keys.notice)


def records(settings: Settings, store: Store) -> EnduringRecords:
    """Return what is kept in an open store, with memory to go on in while that fails."""
    return EnduringRecords(StoreRecords(store), MemoryRecords(_default(settings)))


def existing_store(environment: Mapping[str, str] | None = None) -> Store:
    """Return the store that is there, yet to be opened; nothing is made where there is none."""
    environment = os.environ if environment is None else environment
    path = database_path(environment.get("DATABASE_URL", "").strip(), environment)
    keys = find_keys(environment, path, database_exists=database_exists(path), terminal=False)
    return Store(path, keys.ring, now, expected=True)


def now() -> datetime:
    """Return the present, aware and in UTC."""
    return datetime.now(UTC)


def fresh_id() -> str:
    """Return a new unguessable id: 64 random bits in hexadecimal."""
    return secrets.token_hex(8)


def _default(settings: Settings) -> Preferences:
    return Preferences(region=settings.region)
