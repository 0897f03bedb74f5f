"""An open check: what a press means on the screen that is open, and the session and replies it leads to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.clinical import Kind, Question
from core.dialogue import flow
from core.dialogue.result import Result
from core.dialogue.screens import Screens
from core.dialogue.session import Answer, Session, View
from core.dialogue.token import Token, read
from core.dialogue.turn import Button, Reply
from core.library import Library
from core.members import Preferences

Step = tuple[Session, tuple[Reply, ...]]
"""The session after a press, and what is said."""


@dataclass(frozen=True)
class Check:
    """One session and the means to show it and to move it on."""

    library: Library
    session: Session
    preferences: Preferences
    now: datetime

    @property
    def screens(self) -> Screens:
        """What the member sees while questions are open."""
        return Screens(self.library, self.session, self.preferences)

    @property
    def result(self) -> Result:
        """What the member sees when they are done."""
        return Result(self.library, self.session, self.preferences)

    @property
    def question(self) -> Question | None:
        """The question that is open, if any."""
        return self.library.pathway.by_id.get(self.session.asking or "")

    def screen(self) -> Reply:
        """Return the screen that is open."""
        match self.session.view:
            case View.QUESTION | View.PLAIN:
                return self.screens.question()
            case View.CONFIRM_NONE:
                return self.screens.confirm_none()
            case View.RESUME:
                return self.screens.resume()
            case View.REVIEW:
                return self.screens.review()
            case View.VERDICT:
                return self.result.verdict()

    def reopened(self, question: str) -> Step:
        """Return the step that asks one question again; the earlier answer counts until it is answered anew."""
        return self._asked_again(self.session, question, self.session.answer(question))

    def resumed(self) -> Step:
        """Return "go on or start again?", for /hip with this check open."""
        return self._to(self.session.under(View.RESUME))

    def why(self) -> tuple[Reply, ...]:
        """Return why the open question is asked, or why the result is what it is."""
        if self.question is None:
            return (self.result.why(),)
        return (self.screens.why(), self.screen())

    def ticked(self, buttons: Sequence[Button]) -> Step | None:
        """Return the step for ticks that were typed, one or several in a line: each is set, and Done is still to come."""
        question = self.question
        if question is None:
            return None
        tokens = [token for b in buttons if (token := read(b.tap))]
        wanted = {_at(question, token.arg) for token in tokens} | set(self.session.ticked)
        return self._to(replace(self.session, ticked=tuple(c.id for c in question.choices if c.id in wanted)))

    def pressed(self, token: Token) -> Step | None:
        """Return the step for a button of this screen, or None where the screen has no such button."""
        match token.act:
            case "go":
                return self._to(self.session.moved(view=self._going_on()))
            case "review":
                return self._to(self.session.under(View.REVIEW))
            case "edit":
                return self._edit(token.arg)
            case "back":
                return self._back()
            case "why" if self.session.view in (View.RESUME, View.REVIEW):
                return self._stay(*self.why())
            case _ if self.session.view is View.VERDICT:
                return self._on_result(token.act)
            case _ if self.question is not None:
                return self._on_question(self.question, token)
            case _:
                return None

    def _going_on(self) -> View:
        covered = self.session.view in (View.RESUME, View.REVIEW)
        return self.session.beneath if covered else self.session.view

    def _to(self, session: Session) -> Step:
        kept = replace(self, session=replace(session, touched=self.now, away=False))
        return kept.session, (kept.screen(),)

    def _stay(self, *replies: Reply) -> Step:
        return self.session, replies

    def _on_result(self, act: str) -> Step | None:
        result = self.result
        match act:
            case "why":
                return self._stay(result.why())
            case "reasons":
                return self._stay(result.why(every=True))
            case "patterns":
                return self._stay(result.patterns())
            case "advice":
                return self._stay(result.advice())
            case "changes":
                return self._stay(result.changes())
            case "clinician":
                return self._stay(result.clinician(self.now))
            case "mistap" if question := result.alarming_question():
                return self.reopened(question)
            case _:
                return None

    def _on_question(self, question: Question, token: Token) -> Step | None:
        match token.act:
            case "why":
                return self._stay(*self.why())
            case "tick" if question.kind is Kind.MANY and token.state:
                return self._ticked(question, token)
            case "pick" if question.kind is Kind.ONE and (choice := _at(question, token.arg)):
                return self._answered(question, (choice,))
            case "done" | "keep" if self.session.ticked:
                return self._answered(question, self.session.ticked)
            case "done":
                return self._stay(self.screens.said("tick_or_none"), self.screen())
            case "none" if self.session.ticked:
                return self._to(self.session.moved(view=View.CONFIRM_NONE))
            case "none" if question.detail and question.red_flag and self.session.view is View.QUESTION:
                # A tick led here, so something was there: ask once more in plainer words before it counts as nothing.
                return self._to(self.session.moved(view=View.PLAIN))
            case "none" | "clear":
                return self._answered(question, ())
            case "unsure" if question.red_flag:
                return self._unsure(question)
            case _:
                return None

    def _ticked(self, question: Question, token: Token) -> Step | None:
        choice = _at(question, token.arg)
        if choice is None:
            return None
        ticked = set(self.session.ticked) - {choice}
        if token.state == "+":
            ticked.add(choice)
        return self._to(replace(self.session, ticked=tuple(c.id for c in question.choices if c.id in ticked)))

    def _unsure(self, question: Question) -> Step:
        """Ask once more in plainer words; whatever is still not sure then, and not ticked, counts as not sure."""
        if self.session.view is not View.PLAIN:
            return self._to(self.session.moved(view=View.PLAIN))
        ticked = self.session.ticked
        return self._answered(question, ticked, unsure=tuple(c.item for c in question.choices if c.id not in ticked))

    def _answered(self, question: Question, chosen: tuple[str, ...], unsure: tuple[str, ...] = ()) -> Step:
        answer = Answer(question.id, chosen, question.fingerprint, unsure, self.session.pattern)
        asked = {code for choice in question.choices for code in choice.gives}
        given = tuple(code for code in self.session.given if code not in asked)
        answered = flow.pruned(self.library, replace(self.session, given=given).with_answer(answer))
        return self._to(flow.open_next(self.library, answered.moved()))

    def _back(self) -> Step:
        """Take the last answer back and ask it again with what was ticked; at the first question, stay."""
        if self.session.view in (View.RESUME, View.REVIEW):
            return self._to(self.session.moved(view=self.session.beneath))
        if self.session.view in (View.PLAIN, View.CONFIRM_NONE):
            return self._to(self.session.moved(view=View.QUESTION))
        if self.session.answer(self.session.asking or ""):
            # Reached from the review card: going back leaves the earlier answer as it was.
            return self._to(flow.open_next(self.library, self.session.moved()))
        earlier = self.session.answers
        if not earlier:
            return self._stay(self.screens.said("first_question"), self.screen())
        last = earlier[-1]
        left = tuple(a for a in self.session.answers if a is not last)
        return self._asked_again(replace(self.session, answers=left), last.question, last)

    def _edit(self, arg: str) -> Step | None:
        questions = self.library.pathway.questions
        if not arg.isdigit() or int(arg) >= len(questions):
            return None
        question = questions[int(arg)]
        told = self.session.answer(question.id) or any(set(c.gives) & set(self.session.given) for c in question.choices)
        return self.reopened(question.id) if told else None

    def _asked_again(self, session: Session, question: str, earlier: Answer | None) -> Step:
        many = self.library.pathway.by_id[question].kind is Kind.MANY
        ticked = earlier.chosen if earlier and many else ()
        return self._to(
            session.moved(view=View.QUESTION, asking=question, pattern=earlier.pattern if earlier else False, ticked=ticked)
        )


def _at(question: Question, arg: str) -> str | None:
    if not arg.isdigit() or int(arg) >= len(question.choices):
        return None
    return question.choices[int(arg)].id
