"""The screens of a check: a question in its views, the review card, and the choice between going on and starting again."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from core.clinical import Choice, Kind, Question
from core.dialogue.flow import progress
from core.dialogue.session import Answer, Session, View
from core.dialogue.token import Token
from core.dialogue.turn import Button, Notice, Prompt, Role
from core.library import Library
from core.members import Preferences


class Screens:
    """Draws what a member sees of one session. Every button it makes carries a token of this step."""

    def __init__(self, library: Library, session: Session, preferences: Preferences) -> None:
        self._library, self._session, self._preferences = library, session, preferences
        self._words = library.words

    def button(self, act: str, role: Role, *key: str, arg: str = "") -> Button:
        """Return a button whose label and typed words stand under `ui.buttons`."""
        typed = self._words.list("ui", "typed", key[-1])
        return Button(self._token(act, arg), self._words("ui", "buttons", *key), role, words=typed)

    def question(self) -> Prompt:
        """Return the open question, with its progress and the way back."""
        question = self._library.pathway.by_id[self._session.asking or ""]
        plain = self._session.view is View.PLAIN
        text = self._words("questions", question.id, "plain" if plain else "ask")
        if question.kind is Kind.MANY:
            text = f"{text}\n{self._words('ui', 'tick_all')}"
        if plain and question.detail:
            text = f"{self._words('ui', 'closely', ticked=self._opener(question))}\n{text}"
        buttons = (*self._answers(question, plain=plain), *self._ways_out(question), *self._navigation())
        return Prompt(f"{self._progress()}\n{text}", question.id, buttons)

    def confirm_none(self) -> Prompt:
        """Return "which is right?", after "none of these" with something ticked."""
        ticked = self.list_of(self.labels(self._session.asking or "", self._session.ticked))
        none = self._words("questions", self._session.asking or "", "none")
        keep = Button(self._token("keep"), self._words("ui", "keep", ticked=ticked)[:80], Role.CONFIRM, words=self._yes)
        clear = Button(self._token("clear"), none, Role.NONE, words=self._words.list("ui", "typed", "none"))
        text = f"{self._progress()}\n{self._words('ui', 'confirm_none', ticked=ticked)}"
        return Prompt(text, self._session.asking or "", (keep, clear, *self._navigation()))

    def resume(self) -> Prompt:
        """Return "go on or start again?", for /hip with a check open."""
        done = self._session.asking is None
        text = self._words("ui", "resume_done" if done else "resume")
        go_on = self.button("go", Role.CONFIRM, "see_result" if done else "go_on")
        return Prompt(text, "resume", (go_on, *self._leaving()))

    def review(self) -> Prompt:
        """Return the review card: every answer, each with a button that changes it."""
        lines, buttons = [self._words("ui", "review")], []
        for i, (question, text) in enumerate(self._reviewed(), start=1):
            short = self._words("ui", "short", question)
            lines.append(f"{i}. {short}: {text}")
            label = self._words("ui", "change", what=short)
            buttons.append(Button(self._token("edit", str(self._position(question))), label[:80], Role.OTHER))
        go_on = self.button("go", Role.CONFIRM, "go_on" if self._session.asking else "see_result")
        return Prompt("\n".join(lines), "review", (*buttons, go_on, *self._leaving()))

    def said(self, key: str) -> Notice:
        """Return something that went otherwise than hoped, ending with the safety line."""
        return replace(safely(self._library, self._preferences, self._words("ui", key)), fleeting=True)

    def why(self) -> Notice:
        """Return why the open question is asked."""
        return Notice(self._words("questions", self._session.asking or "", "why"))

    def labels(self, question: str, chosen: Iterable[str]) -> tuple[str, ...]:
        """Return the labels of the choices taken, in the order of the screen."""
        taken = set(chosen)
        choices = self._library.pathway.by_id[question].choices
        return tuple(self._label(question, c, plain=False) for c in choices if c.id in taken)

    def list_of(self, labels: Iterable[str]) -> str:
        """Return labels as one readable line."""
        return "; ".join(labels)

    def _opener(self, detail: Question) -> str:
        """Return the label of the tick that opened a detail."""
        for question in self._library.pathway.questions:
            for choice in question.choices:
                if choice.opens == detail.id:
                    return self._label(question.id, choice, plain=False)
        return ""

    @property
    def _yes(self) -> tuple[str, ...]:
        return self._words.list("ui", "typed", "yes")

    def _token(self, act: str, arg: str = "", state: str = "") -> str:
        s = self._session
        return str(Token(short_version(s.version), s.id, s.step, act, arg, state))

    def _label(self, question: str, choice: Choice, *, plain: bool) -> str:
        text = self._words("questions", question, "plain_choices" if plain else "choices", choice.id)
        return self._library.in_units(text, self._preferences.units)

    def _answers(self, question: Question, *, plain: bool) -> Iterator[Button]:
        for i, choice in enumerate(question.choices):
            leads_to = self._library.pathway.leads_to[question.id, choice.id]
            label = self._label(question.id, choice, plain=plain)
            if question.kind is Kind.ONE:
                yield Button(self._token("pick", str(i)), label, Role.ANSWER, leads_to)
                continue
            ticked = choice.id in self._session.ticked
            yield Button(self._token("tick", str(i), "-" if ticked else "+"), label, Role.ANSWER, leads_to, ticked)

    def _ways_out(self, question: Question) -> Iterator[Button]:
        if question.kind is Kind.MANY:
            yield self.button("done", Role.DONE, "done")
        none = Button(self._token("none"), self._words("questions", question.id, "none"), Role.NONE)
        # Where nothing hangs on being sure, "not sure" typed is the same as none of these.
        also = () if question.red_flag else self._words.list("ui", "typed", "not_sure")
        yield replace(none, words=(*self._words.list("ui", "typed", "none"), *also))
        if question.red_flag:
            key = "still_not_sure" if self._session.view is View.PLAIN else "not_sure"
            unsure = frozenset(f"unsure_{c.item}" for c in question.choices)
            yield replace(self.button("unsure", Role.NOT_SURE, key), findings=unsure)

    def _navigation(self) -> Iterator[Button]:
        yield self.button("back", Role.BACK, "back")
        yield self.button("review", Role.OTHER, "review")
        yield self.button("why", Role.OTHER, "why")
        yield from self._endings()

    def _progress(self) -> str:
        done, about = progress(self._library, self._session)
        return self._words("ui", "progress" if done < about else "progress_late", done=done, about=about)

    def _leaving(self) -> Iterator[Button]:
        yield self.button("back", Role.BACK, "back")
        if self._session.view is not View.REVIEW:
            yield self.button("review", Role.OTHER, "review")
        yield self.button("why", Role.OTHER, "why")
        yield from self._endings()

    def _endings(self) -> Iterator[Button]:
        yield self.button("again", Role.OTHER, "start_again")
        yield self.button("stop", Role.OTHER, "stop")

    def _reviewed(self) -> Iterator[tuple[str, str]]:
        for question, chosen in self._given():
            yield question, self.list_of(self.labels(question, chosen))
        for answer in self._session.answers:
            yield answer.question, self._answer_text(answer)

    def _given(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield what was given at the start: the first question that asks for it, and its choices that say no more."""
        left = set(self._session.given)
        for question in self._library.pathway.questions:
            chosen = tuple(c for c in question.choices if c.gives and left >= set(c.gives))
            if chosen and not self._session.answer(question.id):
                yield question.id, tuple(c.id for c in chosen)
                left -= {code for c in chosen for code in c.gives}

    def _answer_text(self, answer: Answer) -> str:
        labels = list(self.labels(answer.question, answer.chosen))
        if answer.unsure:
            labels.append(self._words("ui", "buttons", "still_not_sure"))
        return self.list_of(labels) or self._words("questions", answer.question, "none")

    def _position(self, question: str) -> int:
        return self._library.pathway.questions.index(self._library.pathway.by_id[question])


def safely(library: Library, preferences: Preferences, text: str) -> Notice:
    """Return words about something that went otherwise than hoped, ending with the safety line."""
    line = library.words("ui", "safety_line", emergency=library.region(preferences.region).emergency)
    return Notice(f"{text}\n\n{line}")


def short_version(version: str) -> str:
    """Return the part of a content version that a token carries: the start of its hash."""
    return version.rpartition(".")[2][:6]
