"""The screens of a check-in: its questions, its light, and what the light rests on."""

from collections.abc import Iterator
from datetime import date

from core.checkins import PLACES, WORST, Sign, Step, is_red, last_step, signs_of
from core.coaching.sources import resting_on
from core.dialogue.screens import safely, short_version
from core.dialogue.token import Token
from core.dialogue.turn import Button, Notice, Prompt, Role
from core.diary import Age, Asking, Diary, Light, Place
from core.library import Library
from core.members import Preferences

SHOWN = (
    *(Place.GROIN, Place.FRONT, Place.DEEP, Place.OUTER_HIP, Place.THIGH, Place.PUBIC),
    *(Place.BUTTOCK, Place.SIT_BONE, Place.SACRUM, Place.MUSCLE, Place.UNKNOWN),
)
"""The order of the places on the screen."""
OPENS = frozenset({Step.RAN, Step.WORST, Step.WORSE})
"""What can be asked without a word of health. Where a check-in was left at another question, "go on" leads to it."""
YES_NO = {Step.RAN: ("yes", "no"), Step.BUILT: ("no", "yes"), Step.WORSE: ("no", "yes")}
"""Of each such question, what it shows first."""
WORSE_WORDS = {"no": "calm", "yes": "worse"}
"""What may be typed for how it is next morning, besides yes and no."""


class Asked:
    """Draws one check-in. Every button carries a token of this step of it."""

    def __init__(self, library: Library, diary: Diary, asking: Asking) -> None:
        self._library, self._diary, self._asking, self._words = library, diary, asking, library.words

    def opening(self, step: Step, today: date | None = None, *, nudge: bool = False) -> Prompt:
        """Return the message that is written first. It may be read on a locked screen, so it says nothing of health.

        `today` is the member's own date; without one it is the day of the run.
        """
        head = self._words("checkins", "open", "morning") if step is Step.WORSE else self._of_the_day(today or self._asking.day)
        parts = [head]
        if step is Step.RAN:
            parts.append(self._words("checkins", "open", "ran"))
        if step is Step.WORST:
            parts.append(self._words("checkins", "open", "worst"))
        if nudge and self._asking.later is None:
            parts.append(self._words("checkins", "open", "nudge"))
        choices = tuple(self._answers(step)) if step in OPENS else (self._way("go", self._words("ui", "buttons", "go_on")),)
        ways = () if nudge else (self._way("later", self._words("checkins", "buttons", "later")),)
        skip = self._way("skip", self._words("checkins", "buttons", "skip"))
        return Prompt("\n".join(parts), f"checkin_{step}", (*choices, *ways, skip, self.stop()))

    def question(self, step: Step) -> Prompt:
        """Return a question as it follows an answer."""
        back = (self._way("back", self._words("ui", "buttons", "back"), Role.BACK),) if self._has_back(step) else ()
        text = self._words("checkins", "ask", step.value)
        return Prompt(text, f"checkin_{step}", (*self._answers(step), *back, self.stop()))

    def light(self, light: Light, preferences: Preferences, *, morning: bool) -> Notice:
        """Return what the light means for the next run; with `morning`, that it is asked once more then."""
        parts = [*self._because(), self._says(light)] if light is Light.RED else [self._says(light)]
        if morning:
            parts.append(self._words("checkins", "tomorrow"))
        why = self._way("why", self._words("ui", "buttons", "basis"))
        redo = self._way("redo", self._words("checkins", "buttons", "redo"))
        choices = (why,) if light is Light.RED else (why, redo, self.stop())
        text = "\n\n".join(parts)
        if light is Light.GO:
            return Notice(text, choices)
        return Notice(safely(self._library, preferences, text).text, choices)

    def why(self, light: Light) -> Notice:
        """Return what the light rests on: its sources, and our cautious choices with their reasons."""
        head = self._words("checkins", "rests_on")
        return Notice("\n".join((head, *resting_on(self._library, self._library.checkins.sources[light]))))

    def not_run(self) -> Notice:
        """Return what is said where there was no run."""
        return Notice(self._words("checkins", "not_run"), (self.stop(),))

    def stop(self) -> Button:
        """Return the one tap that ends all check-ins."""
        return self._way("stop", self._words("checkins", "buttons", "stop"))

    def _of_the_day(self, today: date) -> str:
        match (today - self._asking.day).days:
            case 0:
                return self._words("checkins", "open", "today")
            case 1:
                return self._words("checkins", "open", "yesterday")
            case _:
                day = self._words.list("ui", "days")[self._asking.day.weekday()]
                return self._words("checkins", "open", "earlier", day=day)

    def _answers(self, step: Step) -> Iterator[Button]:
        match step:
            case Step.RAN | Step.BUILT | Step.WORSE:
                for answer in YES_NO[step]:
                    label = self._words("checkins", "answers", step.value, answer)
                    more = (WORSE_WORDS[answer],) if step is Step.WORSE else ()
                    yield self._answer(step, int(answer == "yes"), label, answer, *more)
            case Step.WORST:
                # In this order a button's place in the row is its number, however it is counted; 0 comes last.
                yield from (self._answer(step, number, str(number)) for number in range(1, WORST + 1))
                yield self._answer(step, 0, self._words("checkins", "answers", "worst", "none"), "none")
            case Step.PLACE:
                for place in SHOWN:
                    label = self._words("checkins", "places", place.value)
                    yield self._answer(step, PLACES.index(place), label, place.value)
            case Step.LIMP:
                for value, key in enumerate(("no", "yes", "still", "both")):
                    label = self._words("checkins", "answers", "limp", key)
                    yield self._answer(step, value, label, "no" if key == "no" else "")
            case Step.NIGHT:
                for value, key in enumerate(("no", "lying", "yes")):
                    label = self._words("checkins", "answers", "night", key)
                    yield self._answer(step, value, label, "no" if key == "no" else "yes" if key == "yes" else "")

    def _answer(self, step: Step, value: int, label: str, *typed: str) -> Button:
        words = tuple(word for key in typed if key for word in self._words.list("checkins", "typed", key))
        return Button(self._token(step.value, str(value)), label, Role.ANSWER, words=words)

    def _way(self, act: str, label: str, role: Role = Role.OTHER) -> Button:
        return Button(self._token(act), label, role, words=self._words.list("checkins", "typed", act))

    def _token(self, act: str, arg: str = "") -> str:
        version = short_version(self._library.pathway.version)
        return str(Token(version, self._asking.id, self._asking.step, act, arg))

    def _has_back(self, step: Step) -> bool:
        last = last_step(self._asking)
        return last is not None and step is not Step.WORSE and not (last is Step.RAN and self._asking.step == 0)

    def _says(self, light: Light) -> str:
        scale = self._library.checkins.scale
        young = self._diary.age is Age.UNDER_18
        match light:
            case Light.GO if not self._asking.worst:
                return self._words("checkins", "lights", "none")
            case Light.GO if young:
                return self._words("checkins", "young", "go")
            case Light.GO:
                return self._words("checkins", "lights", "go", go=scale.go)
            case Light.HOLD if young:
                return self._words("checkins", "young", "hold")
            case Light.HOLD:
                return self._words("checkins", "lights", "hold", go=scale.go, hold=scale.hold)
            case Light.STEP_BACK if young:
                return self._words("checkins", "young", "step_back")
            case Light.STEP_BACK:
                return self._words("checkins", "lights", "step_back", go=scale.go)
            case Light.RED:
                return self._words("checkins", "lights", "red")

    def _because(self) -> Iterator[str]:
        """Yield why it is red, the weightiest first."""
        signs = signs_of(self._asking)
        if signs & {Sign.LIMP, Sign.STILL}:
            yield self._words("checkins", "because", "limp")
        if signs & {Sign.NIGHT, Sign.LYING}:
            yield self._words("checkins", "because", "night")
        if Sign.BUILT in signs:
            yield self._words("checkins", "because", "built")
        if not signs and is_red(self._library.checkins.scale, self._asking):
            unknown = self._asking.place is Place.UNKNOWN
            yield self._words("checkins", "because", "unknown" if unknown else "place")
