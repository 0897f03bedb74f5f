"""The outside: platforms in, platforms out."""

VERSION = "0.1.0"
"""As in pyproject.toml; a test holds the two together."""
YEAR = 2026
"""When this version was made: a clock that shows an earlier year is wrong."""
