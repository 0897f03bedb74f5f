"""The few errors that a caller can act on."""


class SettingsError(Exception):
    """The settings cannot be used; each line of the message says what to change."""


class StorageUnavailable(Exception):
    """The database cannot be used at the moment; the message says what to do. Nothing that was kept is lost."""


class Overtaken(Exception):
    """The address became another member's, or a stranger's, while its turn was made: make the turn again."""


class Unreachable(Exception):
    """Nothing can be sent to this address until its member writes again: the bot was blocked, or the chat is gone."""


class Refused(Exception):
    """The platform will never take this message."""


class Gone(Exception):
    """The message that was to be changed is not there any more: what was to stand in it needs one of its own."""


class RetryLater(Exception):
    """The message was surely not sent, and can be in so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds:.0f} s")
        self.seconds = seconds


class OutOfReach(RetryLater):
    """The same, because nothing at all can be sent there: the platform cannot be reached, or does not let us in."""


class CannotTell(Exception):
    """The platform does not say who someone is in a chat, at the moment: then nobody may do anything there."""
