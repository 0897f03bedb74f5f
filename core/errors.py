"""The few errors that a caller can act on."""


class SettingsError(Exception):
    """The settings cannot be used; each line of the message says what to change."""
