"""Where the operator's keys come from: the environment, or a file of their own that is never kept with the database."""

import os
import secrets
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import SettingsError
from core.storage.files import OWNER_ONLY, POSIX, flush_folder, make_folder
from core.vault import KeyRing, KeyRingError, checked_key, new_key_text

KEYS = "HIPWISE_KEYS"
KEY_FILE = "HIPWISE_KEY_FILE"
OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """The key ring, and what the operator must be told about it, if anything."""

    ring: KeyRing
    notice: str | None = None


def find_keys(
    environment: Mapping[str, str], database: Path, *, database_exists: bool, terminal: bool, backups: Path | None = None
) -> FoundKeys:
    """Return the operator's keys; raise SettingsError, which says what to do, where there are none that can be used.

    A key is made only where none can be missing: there is no database yet, and someone at a terminal to read the notice.
    """
    if text := environment.get(KEYS, "").strip():
        return FoundKeys(_parsed(text, source=KEYS))
    file = key_file(environment)
    try:
        _must_be_apart(file, database, backups)
        ring = _read(file)
        if ring is None:
            _must_be_makeable(file, database, database_exists=database_exists, terminal=terminal)
            ring = _make(file)
    except (OSError, RuntimeError) as error:
        raise SettingsError(unusable(file, str(error))) from None
    # Told until there is a database, so that a start that was cut short between the two does not swallow it.
    return FoundKeys(ring, None if database_exists or not terminal else copy_it(file))


def key_file(environment: Mapping[str, str], *, platform: str = sys.platform) -> Path:
    """Return where the key file is or would be: as HIPWISE_KEY_FILE says, or in the user's folder for configuration."""
    try:
        if named := environment.get(KEY_FILE, "").strip():
            return Path(named).expanduser().absolute()
        return _config_folder(environment, platform) / "keys"
    except RuntimeError:
        raise SettingsError(f"{KEY_FILE}: this user has no home folder. Set {KEY_FILE} to a full path, or {KEYS}.") from None


def key_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder of the key file; None where the keys are in the environment, and no file is read."""
    return None if environment.get(KEYS, "").strip() else key_file(environment).parent


# ---------------------------------------------------------------- What the operator is told


def copy_it(file: Path) -> str:
    """Return the notice for a key file that nothing is sealed with yet: copy it, and where to."""
    return (
        f"What members tell will be kept under the key in {file}\n"
        "Copy this file now to a safe place off this machine, such as a password manager, and never to where the database\n"
        "or its backups are. Without the key nobody, you included, can ever read what the database holds."
    )


def required(file: Path) -> str:
    """Return why there must be a key where no one is there to be told of a new one."""
    return (
        f"{KEYS}: there is no key, and without a terminal none is made. What members tell is kept only under a key.\n"
        f"Run `hipwise keys new`, keep a copy of the line it prints, and set {KEYS} to it or put it into {file}."
    )


def lost(file: Path, database: Path) -> str:
    """Return what to do where a database is there and its key is not."""
    return (
        f"{KEYS}: there is no key for {database}, and a new one could not open it. Nothing was changed.\n"
        f"Set {KEYS} to its key, or put the copy of its key file back to {file}.\n"
        f"If no copy is left, nobody can read that database again. To start without it, move {database} away."
    )


def wrong_keys(ring: KeyRing, check: bytes) -> str:
    """Return what to do where the ring does not open a database's key check, naming the key that is missing."""
    id = checked_key(check)
    if id is None:
        return f"{KEYS}: the database's key check cannot be read. It is damaged: restore a backup. Nothing was changed."
    if ring.key(id) is None:
        wrong = f"the database needs the key {id}, and the keys given are {', '.join(key.id for key in ring.keys)}."
    else:
        wrong = f"the key {id} given is not the key {id} of the database, or the database is damaged."
    return f"{KEYS}: {wrong} Nothing was changed.\nPut the right key back into {KEYS} or the key file, after any newer ones."


def inside(file: Path, whose: str, folder: Path) -> str:
    """Return why the key may not be where the database is, or its backups."""
    return (
        f"{file}: the key file may not be in the {whose} folder, {folder.absolute()}: a copy of that has both.\n"
        f"Choose another folder, and set {KEY_FILE} to the file there."
    )


def exposed(file: Path) -> str:
    """Return what to do where others may read the key."""
    return f"{file}: others on this machine may use this key file. Run: chmod 600 {shlex.quote(str(file))}"


def unusable(file: Path, why: str) -> str:
    """Return what to do where the file cannot be read or made."""
    return f"{file}: the key file cannot be used: {why}. Put this right, or set {KEY_FILE} to another file, or {KEYS}."


# ---------------------------------------------------------------- The file


def _config_folder(environment: Mapping[str, str], platform: str) -> Path:
    home = Path(environment.get("HOME") or Path.home())
    if platform == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "Hipwise"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "Hipwise"
    named = Path(environment.get("XDG_CONFIG_HOME", ""))
    # A relative path counts as left out, says the XDG specification.
    return (named if named.is_absolute() else home / ".config") / "hipwise"


def _must_be_apart(file: Path, database: Path, backups: Path | None) -> None:
    """Raise SettingsError for a key file anywhere below the folder of the database or its backups, by whatever name or link."""
    if _below(file, database.resolve().parent):
        raise SettingsError(inside(file, "database's", database.absolute().parent))
    if backups is not None and _below(file, backups.resolve()):
        raise SettingsError(inside(file, "backups'", backups))


def _below(file: Path, folder: Path) -> bool:
    return any(above == folder or _same(above, folder) for above in file.resolve().parents)


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _read(file: Path) -> KeyRing | None:
    """Return the keys of the file, if it is there; raise SettingsError where others may use it."""
    try:
        with file.open("rb") as opened:
            if POSIX and os.fstat(opened.fileno()).st_mode & OTHERS:
                raise SettingsError(exposed(file))
            text = opened.read().decode("utf-8-sig", "replace")
    except FileNotFoundError:
        return None
    return _parsed(text, source=str(file))


def _must_be_makeable(file: Path, database: Path, *, database_exists: bool, terminal: bool) -> None:
    """Raise SettingsError where a database needs the key it has, or nobody would read that one was made."""
    if database_exists:
        raise SettingsError(lost(file, database))
    if not terminal:
        raise SettingsError(required(file))


def _make(file: Path) -> KeyRing:
    """Make the key file; return its keys, which are another's where one made it at the same time."""
    _publish(file, f"{new_key_text()}\n")
    ring = _read(file)
    if ring is None:
        raise SettingsError(unusable(file, "it leads nowhere"))
    return ring


def _publish(file: Path, text: str) -> None:
    """Write a file that is there whole or not at all, and outlasts a power cut; leave one that is there already."""
    make_folder(file.parent)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        _write_new(draft, text)
        # Like O_EXCL a link is refused where the name is taken, but nobody ever sees it half written.
        with suppress(FileExistsError):
            file.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    flush_folder(file.parent)


def _write_new(file: Path, text: str) -> None:
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(opened, "w", encoding="ascii") as writing:
        writing.write(text)
        writing.flush()
        os.fsync(writing.fileno())


def _parsed(text: str, *, source: str) -> KeyRing:
    try:
        return KeyRing.parse(text)
    except KeyRingError as error:
        raise KeyRingError([f"{source}: {problem}" for problem in error.problems]) from None
