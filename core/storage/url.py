"""Where the database is: DATABASE_URL, or a file in the platform's data folder; and where its backups are."""

import sys
from collections.abc import Mapping
from pathlib import Path

from core.errors import SettingsError

_PREFIX = "sqlite:///"


def database_path(url: str | None, environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Return the file that a DATABASE_URL names; without one, the default file of this platform."""
    if not url:
        return data_folder(environ, platform) / "hipwise.db"
    if not url.startswith(_PREFIX):
        # The address itself is not repeated: it may carry a password.
        scheme = url.partition(":")[0]
        raise SettingsError(f"DATABASE_URL: {scheme!r} is not supported; use sqlite:///file.db or sqlite:////folder/file.db.")
    name = url.removeprefix(_PREFIX)
    if name in {"", ":memory:"} or "?" in name:
        raise SettingsError("DATABASE_URL: name a file and nothing else, as in sqlite:////folder/file.db.")
    return Path(name)


def backups_folder(named: str, database: Path) -> Path:
    """Return the folder that HIPWISE_BACKUPS names; without one, `backups` beside the database."""
    try:
        return Path(named).expanduser() if named else database.parent / "backups"
    except RuntimeError:
        raise SettingsError("HIPWISE_BACKUPS: this user has no home folder. Use a full path.") from None


def data_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Return the folder where this platform keeps a program's data for one user."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Hipwise"
    if platform == "darwin":
        # Beside the key file, not above it: the key may not be in the database's folder.
        return home / "Library" / "Application Support" / "Hipwise" / "data"
    data_home = Path(environ.get("XDG_DATA_HOME", ""))
    # The specification of these folders says to ignore a relative one.
    return (data_home if data_home.is_absolute() else home / ".local" / "share") / "hipwise"
