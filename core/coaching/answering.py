"""What an answer to a check-in leads to: the next question, the light, or at once a check of the hip. Pure."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from core import backing_off, checkins
from core.checkins import Step
from core.coaching.asked import Asked
from core.coaching.told import Here, Reach, Told
from core.dialogue import typed
from core.dialogue.token import Token, read
from core.dialogue.turn import Notice
from core.diary import Asking, Light, Origin
from core.library import Library
from core.occasions import Occasion, Window
from core.wallclock import day, local

LATE = timedelta(hours=48)
"""After the end of its last window: an answer that comes later says nothing of the next run."""
HOW_IT_IS = frozenset({Step.RAN, Step.WORSE})
"""Questions that open with how it is: a number that answers them may be how much it hurts, and is the place of no button."""
_NUMBER = re.compile(r"^\s*(\d{1,2})\s*(?:/\s*10|out of (?:10|ten))?\s*[.!]?\s*$", re.IGNORECASE)


class Answering:
    """Takes what a member does with one check-in."""

    def __init__(self, library: Library, here: Here, asking: Asking) -> None:
        self._library, self._words, self._here, self._asking = library, library.words, here, asking
        self._scale = library.checkins.scale

    @property
    def open(self) -> bool:
        """Whether a question of it has been asked that an answer would still be read for."""
        planned = checkins.windows(self._here.diary, self._asking.run)
        if self._asking.closed is not None or self._step is None:
            return False
        asked = self._asking.touched or (planned[0].due if planned else self._here.now)
        return asked <= self._here.now and not self._too_late(planned)

    @property
    def asked(self) -> datetime:
        """When the question that is open was asked."""
        due = [w.due for w in checkins.windows(self._here.diary, self._asking.run) if w.due <= self._here.now]
        return max((*due, self._asking.touched or self._asking.run.start))

    def begun(self) -> Told:
        """Return the first question, for someone who wants to tell of the run right now."""
        return self._went(replace(self._asking, step=self._asking.step + 1, touched=self._here.now))

    def pressed(self, token: Token) -> Told:
        """Return what a press leads to. One of an earlier step, or of one that is over, changes nothing and is answered."""
        asking = self._asking
        if token.act == "why" and asking.light is not None:
            return Told((self._asked(asking).why(asking.light),))
        if self._too_late(checkins.windows(self._here.diary, asking.run)):
            return self._said("over")
        if token.step != asking.step:
            return self._answered_already()
        if asking.closed is not None and token.act == "redo":
            return self._redone()
        # What was given up because no answer came may still be answered; of what was answered, no question is left.
        still = Answering(self._library, self._here, replace(asking, closed=None))
        return still._on_open(token) or self._answered_already()

    def typed(self, text: str) -> Told | Token | None:
        """Return what a typed answer to the open question leads to, or the button that it names."""
        step = self._step
        if step is None:
            return None
        prompt = self._asked(self._asking).question(step)
        if step is Step.WORST and (number := _NUMBER.match(text)):
            told = self._told(step, int(number[1]))
            return told or self._not_caught(step)
        if step is Step.RAN and "/" in text and (number := _NUMBER.match(text)):
            return self._told(Step.WORST, int(number[1])) or self._not_caught(step)
        labels = {button.label.casefold() for button in prompt.choices}
        if step is Step.WORST and any(c.isdigit() for c in text) and text.strip().casefold() not in labels:
            return self._not_caught(step)
        opening = self._asked(self._asking).opening(step, self._here.now.date())
        choices = {b.tap: b for b in (*prompt.choices, *opening.choices)}
        named = typed.read_one(text, tuple(choices.values()), numbered=step not in HOW_IT_IS)
        return (read(named.tap) if named else None) or self._not_caught(step)

    # ---------------------------------------------------------------- Presses

    def _on_open(self, token: Token) -> Told | None:
        match token.act:
            case "now":
                return self.begun()
            case "later":
                return self._put_off(replace(self._asking, later=self._here.now + backing_off.SNOOZED, nudged=False))
            case "skip":
                skipped = replace(self._asking, step=self._asking.step + 1)
                return self._kept(checkins.closed(self._here.diary, skipped, self._here.now), "skipped")
            case "go" if self._step is not None:
                return Told((self._asked(self._asking).question(self._step),))
            case "back":
                last = checkins.last_step(self._asking)
                return self._went(checkins.without(self._asking, last, self._here.now)) if last else None
            case "redo" if self._asking.light is not None:
                return self._redone()
            case act if act in set(Step) and token.arg.isdigit() and self._step is Step(act):
                return self._told(Step(act), int(token.arg))
            case _:
                return None

    def _told(self, step: Step, value: int) -> Told | None:
        answered = checkins.answered(self._asking, step, value, self._here.now)
        return self._went(answered) if answered else None

    def _redone(self) -> Told:
        ran = True if self._asking.run.origin is Origin.TOLD else None
        new = replace(Asking(self._asking.id, self._asking.run, self._asking.day, together=self._asking.together), ran=ran)
        return self._went(replace(new, step=self._asking.step + 1, touched=self._here.now))

    # ---------------------------------------------------------------- What comes next

    def _went(self, asking: Asking) -> Told:
        """Return the next question, or what has come of the answers."""
        step = checkins.next_step(self._scale, asking, morning=self._morning_came)
        if step is not None:
            return self._keep(asking, Told((self._asked(asking).question(step),)))
        light = checkins.light(self._scale, asking)
        lit = replace(asking, light=light)
        if light is None:
            return self._over(lit, Told((self._asked(lit).not_run(),)))
        if light is Light.RED:
            given = checkins.findings_of(self._library.checkins, lit)
            red = self._asked(lit).light(light, self._here.preferences, morning=False)
            return self._over(lit, Told((red,), given=given, begins=True))
        waits = self._waits_for_morning(asking)
        promised = waits and self._here.reach is Reach.OPEN
        told = Told((self._asked(lit).light(light, self._here.preferences, morning=promised),))
        return self._keep(lit, told) if waits else self._over(lit, told)

    def _over(self, asking: Asking, told: Told) -> Told:
        over = checkins.closed(self._here.diary, asking, self._here.now)
        return self._keep(over, told)

    def _keep(self, asking: Asking, told: Told) -> Told:
        diary = backing_off.answered(self._here.diary)
        return replace(told, diary=diary.with_asking(asking))

    def _put_off(self, asking: Asking) -> Told:
        """Return when it is asked once more; of another day not the time, for it may be long until then."""
        diary, once_more = self._here.diary, backing_off.nudge(self._here.diary, asking)
        if once_more is None or day(once_more.due, diary.zone) != day(self._here.now, diary.zone):
            return self._kept(asking, "later")
        at = self._words("checkins", "later_at", clock=f"{local(once_more.due, diary.zone):%H:%M}")
        return self._keep(asking, Told((Notice(at, fleeting=True),)))

    def _kept(self, asking: Asking, key: str) -> Told:
        return self._keep(asking, self._said(key))

    def _answered_already(self) -> Told:
        step = self._step
        if step is not None:
            return Told((Notice(self._words("checkins", "answered"), fleeting=True), self._asked(self._asking).question(step)))
        return self._said("answered")

    def _not_caught(self, step: Step) -> Told:
        key = "not_caught_number" if step is Step.WORST else "not_caught_words" if step in HOW_IT_IS else "not_caught"
        return Told((Notice(self._words("checkins", key), fleeting=True), self._asked(self._asking).question(step)))

    def _said(self, key: str) -> Told:
        return Told((Notice(self._words("checkins", key), fleeting=True),))

    # ---------------------------------------------------------------- Where it stands

    @property
    def _step(self) -> Step | None:
        if self._asking.closed is not None:
            return None
        return checkins.next_step(self._scale, self._asking, morning=self._morning_came)

    @property
    def _morning_came(self) -> bool:
        planned = checkins.windows(self._here.diary, self._asking.run)
        return any(w.occasion is Occasion.MORNING and w.due <= self._here.now for w in planned)

    def _waits_for_morning(self, asking: Asking) -> bool:
        planned = checkins.windows(self._here.diary, asking.run)
        to_come = any(w.occasion is Occasion.MORNING and self._here.now < w.due for w in planned)
        return to_come and bool(asking.worst) and asking.night is None

    def _too_late(self, planned: tuple[Window, ...]) -> bool:
        ends = max((w.until for w in planned), default=self._asking.run.end)
        return self._here.now > ends + LATE

    def _asked(self, asking: Asking) -> Asked:
        return Asked(self._library, self._here.diary, asking)
