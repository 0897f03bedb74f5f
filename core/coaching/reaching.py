"""What is said where nothing that is written first would reach somebody. Pure."""

from core.coaching.told import Reach
from core.dialogue.turn import Notice
from core.words import Words


def before_a_yes(words: Words, reach: Reach) -> tuple[Notice, ...]:
    """Return what someone should know before they agree that they are written to."""
    return () if reach is Reach.OPEN else (Notice(words("checkins", "reach", reach.value)),)


def to_be_reached(words: Words, reach: Reach) -> tuple[Notice, ...]:
    """Return what is left for them to do once they have agreed, where there is anything."""
    return before_a_yes(words, reach) if reach is Reach.UNOPENED else ()
