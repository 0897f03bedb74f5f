"""The composition root: the one place that builds things."""

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from bots.settings import Settings, read_settings
from content import loader
from core.companion import Companion, MemorySessions
from core.members import Preferences


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process; raise SettingsError with everything that is wrong with them."""
    return read_settings(
        os.environ if environment is None else environment, regions=loader.load_regions(), languages=loader.languages()
    )


def companion(settings: Settings) -> Companion:
    """Return a companion that keeps its sessions in memory."""
    library = loader.load(settings.language)
    return Companion(library, MemorySessions(Preferences(region=settings.region)), now, fresh_id)


def now() -> datetime:
    """Return the present, aware and in UTC."""
    return datetime.now(UTC)


def fresh_id() -> str:
    """Return a new unguessable id: 64 random bits in hexadecimal."""
    return secrets.token_hex(8)
