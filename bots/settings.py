"""The environment as frozen settings. Every problem is reported at once, each with what to do."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from bots.discord.settings import VARIABLES as DISCORD
from bots.discord.settings import DiscordSettings
from bots.discord.settings import read as read_discord
from bots.key_file import KEY_FILE, KEYS
from bots.logs import LEVELS
from bots.telegram.settings import VARIABLES as TELEGRAM
from bots.telegram.settings import TelegramSettings
from bots.telegram.settings import read as read_telegram
from core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator has set. docs/SETTINGS.md lists every variable; a test holds the two together."""

    region: str | None = None
    language: str = "en"
    log_level: str = "WARNING"
    telegram: TelegramSettings | None = None
    discord: DiscordSettings | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a platform that members write from."""
        return self.telegram is not None or self.discord is not None


BACKUPS = "HIPWISE_BACKUPS"
ENV_FILE = "HIPWISE_ENV_FILE"
STORE = ("DATABASE_URL", KEYS, KEY_FILE, BACKUPS)
"""These are about the store; only what opens it reads them."""
VARIABLES = ("HIPWISE_REGION", "HIPWISE_LANGUAGE", "HIPWISE_LOG_LEVEL", ENV_FILE, *STORE, *TELEGRAM, *DISCORD)
"""All that is read."""


def read_settings(environment: Mapping[str, str], *, regions: Container[str], languages: Container[str]) -> Settings:
    """Return the settings; raise SettingsError with a line for everything that is wrong."""
    region = environment.get("HIPWISE_REGION", "").strip().upper() or None
    language = environment.get("HIPWISE_LANGUAGE", "").strip().lower() or "en"
    log_level = environment.get("HIPWISE_LOG_LEVEL", "").strip().upper() or "WARNING"
    problems = []
    if region is not None and region not in regions:
        problems.append(
            f"HIPWISE_REGION={region}: not a region of content/regions.toml. Use its code, such as GB, or leave it out."
        )
    if language not in languages:
        problems.append(f"HIPWISE_LANGUAGE={language}: no folder content/locale/{language}. Leave it out for English.")
    if log_level not in LEVELS:
        problems.append(f"HIPWISE_LOG_LEVEL={log_level}: not a level. Use one of {', '.join(LEVELS)}, or leave it out.")
    telegram, telegram_problems = read_telegram(environment)
    discord, discord_problems = read_discord(environment)
    problems += [*telegram_problems, *discord_problems]
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(region, language, log_level, telegram, discord)
