"""The environment as frozen settings. Every problem is reported at once, each with what to do."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator has set. docs/SETTINGS.md lists every variable; a test holds the two together."""

    region: str | None = None
    language: str = "en"


VARIABLES = ("HIPWISE_REGION", "HIPWISE_LANGUAGE")


def read_settings(environment: Mapping[str, str], *, regions: Container[str], languages: Container[str]) -> Settings:
    """Return the settings; raise SettingsError with a line for everything that is wrong."""
    region = environment.get("HIPWISE_REGION", "").strip().upper() or None
    language = environment.get("HIPWISE_LANGUAGE", "").strip().lower() or "en"
    problems = []
    if region is not None and region not in regions:
        problems.append(
            f"HIPWISE_REGION={region}: not a region of content/regions.toml. Use its code, such as GB, or leave it out."
        )
    if language not in languages:
        problems.append(f"HIPWISE_LANGUAGE={language}: no folder content/locale/{language}. Leave it out for English.")
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(region, language)
