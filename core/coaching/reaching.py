"""What is said where nothing that is written first would reach somebody. Pure."""

from core.coaching.told import Reach
from core.dialogue.turn import Notice
from core.words import Words


def before_a_yes(words: Words, reach: Reach) -> tuple[Notice, ...]:
    """Return what someone should know before they agree that they are written to."""
    return () if reach is Reach.OPEN else (Notice(words("checkins", "reach", reach.value)),)


def thanks(words: Words, kind: str, reach: Reach) -> tuple[Notice, ...]:
    """Return what is said once they have agreed: no promise that nobody could keep, and what is left for them to do."""
    if reach is Reach.NEVER:
        return (Notice(words("checkins", "reach", "agreed")),)
    return (Notice(words("privacy", "consents", kind, "given")), *before_a_yes(words, reach))
