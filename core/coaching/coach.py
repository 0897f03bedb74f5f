"""The one door to all of it: commands, taps and typed answers about check-ins."""

from collections.abc import Sequence
from datetime import datetime

from core.coaching.answering import Answering
from core.coaching.following import Following
from core.coaching.told import Here, Told
from core.dialogue import Inbound, Notice, Session, Tap, Text, typed
from core.dialogue.token import Token, read
from core.diary import Diary
from core.library import Library
from core.record import Record

THREAD = 8
"""Hexadecimal digits of the thread of a check-in or a follow-up: shorter than that of any check."""


class Coaching:
    """Answers what members do with check-ins, follow-ups and the settings of both."""

    def __init__(self, library: Library) -> None:
        self._library, self._words = library, library.words

    def answer(
        self, inbound: Inbound, record: Record, diary: Diary | None, session: Session | None, *, now: datetime, fresh: str
    ) -> Told | None:
        """Return what to say and to change, or None for what is not about this. Words of danger go to the conversation.

        `now` is an aware time, `fresh` an unguessable hexadecimal id of at least eight digits.
        """
        here = Here(diary or Diary(), record.preferences, now, fresh)
        match inbound:
            case Tap(token=text) if (token := read(text)) and len(token.thread) == THREAD:
                return self._pressed(here, token)
            case Text(text=text) if not typed.danger_in(self._words, text) and text.strip():
                return self._typed(here, session, text)
            case _:
                return None

    def _pressed(self, here: Here, token: Token) -> Told:
        if asking := here.diary.asking(token.thread):
            return Answering(self._library, here, asking).pressed(token)
        if follow_up := here.diary.follow_up(token.thread):
            return Following(self._library, here, follow_up).pressed(token)
        return Told((Notice(self._words("checkins", "over"), fleeting=True),))

    def _typed(self, here: Here, session: Session | None, text: str) -> Told | None:
        """Return what a typed answer to the newest open question leads to, where that is one of these."""
        open_ones = self._open(here)
        if not open_ones:
            return None
        newest = max(open_ones, key=lambda one: one.asked)
        asked_later = session is not None and session.asking is not None and session.touched > newest.asked
        return None if asked_later else newest.typed(text)

    def _open(self, here: Here) -> Sequence[Answering | Following]:
        asked: list[Answering | Following] = [Answering(self._library, here, asking) for asking in here.diary.askings]
        asked += [Following(self._library, here, follow_up) for follow_up in here.diary.follow_ups]
        return [one for one in asked if one.open]
