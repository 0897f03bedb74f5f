"""What an answer about an earlier result leads to: the next question, or what it raises. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from core import followups
from core.clinical import Disposition
from core.coaching.told import Here, Told
from core.dialogue import typed
from core.dialogue.screens import safely, short_version
from core.dialogue.token import Token, read
from core.dialogue.turn import Button, Notice, Prompt, Reply, Role
from core.diary import FollowUp
from core.followups import Ask, Course, Seen
from core.library import Library
from core.occasions import Window

LATE = timedelta(days=3)
"""After the end of its last window: the text is still there, but an answer belongs into a new check."""
TOLD = 3
"""Of the first answers, how many are named."""


class Following:
    """Draws one follow-up, and takes what the member does with it."""

    def __init__(self, library: Library, here: Here, follow_up: FollowUp) -> None:
        self._library, self._words, self._here, self._follow_up = library, library.words, here, follow_up

    def opening(self) -> Prompt:
        """Return the message that is written first. It may be read on a locked screen, so it says nothing of health."""
        ask = followups.next_ask(self._follow_up) or Ask.COURSE
        return replace(self.question(ask), text=self._words("checkins", "open", "seen" if ask is Ask.SEEN else "again"))

    def question(self, ask: Ask) -> Prompt:
        """Return a question as it follows an answer."""
        return Prompt(self._words("checkins", "ask", ask.value), f"followup_{ask}", (*self._answers(ask), self._stop()))

    @property
    def open(self) -> bool:
        """Whether a question of it has been asked that an answer would still be read for."""
        if followups.next_ask(self._follow_up) is None or self._too_late:
            return False
        over = self._windows[: self._follow_up.asked]
        return self._has_come or (self._is_late and self._here.now <= over[-1].until + LATE)

    @property
    def asked(self) -> datetime:
        """When the question that is open was asked."""
        return max((*self._dues, self._follow_up.touched or self._follow_up.began))

    def pressed(self, token: Token) -> Told:
        """Return what a press leads to. One of an earlier step, or of one that is over, changes nothing and is answered."""
        if self._follow_up.closed is not None or self._too_late:
            return self._said("followup_over")
        if token.step != self._follow_up.step:
            return self._of_before(token)
        return self._on_open(token) or self._of_before(token)

    def typed(self, text: str) -> Told | Token | None:
        """Return what a typed answer to the open question leads to, or the button that it names."""
        ask = followups.next_ask(self._follow_up)
        if ask is None:
            return None
        prompt = self.question(ask)
        named = typed.read_one(text, prompt.choices, numbered=False)
        caught = Notice(self._words("checkins", "not_caught_words"), fleeting=True)
        return (read(named.tap) if named else None) or Told((caught, prompt))

    # ---------------------------------------------------------------- Below

    def _on_open(self, token: Token) -> Told | None:
        ask = followups.next_ask(self._follow_up)
        if ask is None or token.act != ask or not token.arg.isdigit():
            return None
        later = followups.answered(self._library.checkins, self._follow_up, ask, int(token.arg), self._here.now)
        if later is None:
            return None
        if ask is Ask.SEEN:
            diary = self._here.diary.with_follow_up(later)
            replies: tuple[Reply, ...] = (
                *self._unseen(later),
                Following(self._library, self._here, later).question(Ask.COURSE),
            )
            return Told(replies, diary)
        told = self._led_to(later, Course(later.answers[-1]))
        return replace(told, diary=self._here.diary.with_follow_up(followups.as_kept(later)))

    def _unseen(self, follow_up: FollowUp) -> Iterator[Notice]:
        """Yield what was to be done, for someone who was to be seen and was not."""
        if follow_up.seen == Seen.NO:
            text = f"{self._words('checkins', 'not_seen')}\n\n{self._first(Disposition(follow_up.urgency))}"
            yield safely(self._library, self._here.preferences, text)

    def _led_to(self, follow_up: FollowUp, course: Course) -> Told:
        text = "\n\n".join(self._said_to(follow_up, course))
        notice = Notice(text) if course is Course.GONE else safely(self._library, self._here.preferences, text)
        worse = course is Course.WORSE
        return Told((notice,), given=followups.given(self._library.pathway, follow_up) if worse else (), begins=worse)

    def _said_to(self, follow_up: FollowUp, course: Course) -> Iterator[str]:
        """Yield how soon to be seen where that is to be said, then why, how it was the first time, and what comes next."""
        checkins, now = self._library.checkins, self._here.now
        urgency = followups.raised(checkins, follow_up, course, now)
        if urgency > Disposition(follow_up.urgency) or course is Course.WORSE:
            yield self._first(urgency)
        yield self._words("checkins", "course", course.value)
        if (reached := followups.limit(checkins, follow_up, course, now)) is not None:
            yield self._words("checkins", "limits", reached.id)
        yield from self._first_time(course)
        if course is Course.WORSE:
            yield self._words("checkins", "look_again")
        if follow_up.closed is None:
            yield self._words("checkins", "once_more")

    def _first_time(self, course: Course) -> Iterator[str]:
        """Yield the first answers, to hold the present against."""
        told = [self._words("findings", code) for code in self._follow_up.findings if not code.startswith(("age_", "unsure_"))]
        if told and course is not Course.GONE:
            yield self._words("checkins", "first_time", told="; ".join(told[:TOLD]))

    def _first(self, urgency: Disposition) -> str:
        region = self._library.region(self._here.preferences.region)
        numbers = {"emergency": region.emergency, "urgent": region.urgent or self._words("ui", "urgent_fallback")}
        return self._words("dispositions", urgency.value, "first", **numbers)

    def _answers(self, ask: Ask) -> Iterator[Button]:
        for value, choice in enumerate(Seen if ask is Ask.SEEN else Course):
            words = self._words.list("checkins", "typed", choice.value)
            label = self._words("checkins", "answers", ask.value, choice.value)
            yield Button(self._token(ask.value, str(value)), label, Role.ANSWER, words=words)

    def _stop(self) -> Button:
        words = self._words.list("checkins", "typed", "stop")
        return Button(self._token("stop"), self._words("checkins", "buttons", "stop_again"), Role.OTHER, words=words)

    def _token(self, act: str, arg: str = "") -> str:
        version = short_version(self._library.pathway.version)
        return str(Token(version, self._follow_up.id, self._follow_up.step, act, arg))

    def _of_before(self, token: Token) -> Told:
        """Return what is said to a button of an earlier step: the question that is open, and whether that one was answered."""
        ask = followups.next_ask(self._follow_up)
        answered = Notice(self._words("checkins", "answered"), fleeting=True)
        if ask is None:
            return Told((answered,))
        if not self._was_answered(token):
            return Told((self.question(ask),))
        return Told((answered, self.question(ask)) if self._has_come or self._is_late else (answered,))

    def _was_answered(self, token: Token) -> bool:
        """Return whether the question of a button was answered, and did not just go by."""
        if token.act == Ask.SEEN:
            return bool(self._follow_up.seen)
        return 0 < len(self._follow_up.answers) == self._follow_up.asked

    def _said(self, key: str) -> Told:
        return Told((safely(self._library, self._here.preferences, self._words("checkins", key)),))

    @property
    def _windows(self) -> tuple[Window, ...]:
        return followups.windows(self._here.diary, self._library.checkins, self._follow_up)

    @property
    def _dues(self) -> tuple[datetime, ...]:
        return tuple(window.due for window in self._windows if window.due <= self._here.now)

    @property
    def _has_come(self) -> bool:
        """Whether the occasion that is to be asked on has come."""
        return len(self._dues) > self._follow_up.asked

    @property
    def _is_late(self) -> bool:
        return followups.is_late(self._library.checkins, self._follow_up, self._here.now)

    @property
    def _too_late(self) -> bool:
        return self._here.now > self._windows[-1].until + LATE
