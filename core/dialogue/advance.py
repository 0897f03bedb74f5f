"""One turn: what the member did, what it means where they are, and what is said."""

from dataclasses import replace
from datetime import UTC, datetime

from core.clinical import Kind, Question
from core.dialogue import flow, typed
from core.dialogue.result import Result
from core.dialogue.screens import Screens, short_version
from core.dialogue.session import Answer, Session, View
from core.dialogue.shelves import COMMAND_SHELVES, Shelves
from core.dialogue.token import MENU, Token, read
from core.dialogue.turn import Button, Command, Inbound, Notice, Prompt, Reply, Role, Tap, Text, Turn
from core.library import Library
from core.members import Preferences, Units


def advance(
    library: Library, session: Session | None, preferences: Preferences, inbound: Inbound, *, now: datetime, fresh: str
) -> Turn:
    """Return the turn that this inbound leads to.

    Pure: `now` is an aware time, `fresh` an unguessable lower-case id for a check that may begin. A session that has expired
    or was left by an earlier content version is dealt with here, before anything is read into it.
    """
    return _Advance(library, session, preferences, now, fresh).take(inbound)


class _Advance:
    """The turn in the making: where the member stands, and the means to answer."""

    def __init__(self, library: Library, session: Session | None, preferences: Preferences, now: datetime, fresh: str) -> None:
        self._library, self._words, self._now, self._fresh = library, library.words, now, fresh
        self._preferences = preferences
        self._session = self._opened(session)

    def take(self, inbound: Inbound) -> Turn:
        said = inbound.text if isinstance(inbound, Text) else inbound.rest if isinstance(inbound, Command) else ""
        if kind := typed.danger_in(self._words, said):
            return self._turn(self._danger(kind))
        match inbound:
            case Command(name=name, rest=rest):
                return self._command(name, rest)
            case Tap(token=token):
                return self._tap(token)
            case Text(text=text):
                return self._text(text)

    # Where the member stands

    def _opened(self, session: Session | None) -> Session | None:
        if session is None or session.expired(self._now) or session.pathway != self._library.pathway.id:
            return None
        if session.version == self._library.pathway.version:
            return session
        kept = replace(flow.pruned(self._library, session), version=self._library.pathway.version)
        return flow.open_next(self._library, kept.moved())

    def _turn(self, *replies: Reply) -> Turn:
        return Turn(self._session, self._preferences, replies)

    def _to(self, session: Session) -> Turn:
        """Return the turn that opens this session's screen."""
        self._session = replace(session, touched=self._now)
        return self._turn(self._screen())

    def _screen(self) -> Reply:
        session = self._session
        assert session is not None
        match session.view:
            case View.QUESTION | View.PLAIN:
                return self._screens.question()
            case View.CONFIRM_NONE:
                return self._screens.confirm_none()
            case View.RESUME:
                return self._screens.resume()
            case View.REVIEW:
                return self._screens.review()
            case View.VERDICT:
                return self._result.verdict()

    @property
    def _screens(self) -> Screens:
        assert self._session is not None
        return Screens(self._library, self._session, self._preferences)

    @property
    def _result(self) -> Result:
        assert self._session is not None
        return Result(self._library, self._session, self._preferences)

    @property
    def _shelves(self) -> Shelves:
        return Shelves(self._library, self._preferences)

    # Commands

    def _command(self, name: str, rest: str) -> Turn:
        shelves = self._shelves
        match name:
            case "hip" | "check":
                return self._hip()
            case "start" | "help":
                return self._turn(shelves.help())
            case "care":
                return self._turn(shelves.search(rest) if rest.strip() else shelves.care())
            case "warning" | "prevent" | "physio" | "faq":
                return self._turn(shelves.search(rest) if rest.strip() else shelves.shelf(COMMAND_SHELVES[name]))
            case "settings":
                return self._turn(shelves.settings())
            case "why":
                return self._why()
            case "stop":
                return self._stop()
            case _:
                return self._turn(Notice(self._safe("unknown_command")), *self._again())

    def _hip(self) -> Turn:
        if self._session is None:
            return self._begin()
        return self._to(self._session.moved(view=View.RESUME))

    def _begin(self) -> Turn:
        thread = f"{int(self._now.timestamp()) // 60:x}{self._fresh[:8]}"
        version = self._library.pathway.version
        new = Session(id=thread, pathway=self._library.pathway.id, version=version, started=self._now, touched=self._now)
        self._session = flow.open_next(self._library, new)
        return self._turn(Notice(self._words("ui", "welcome")), self._screen())

    def _why(self) -> Turn:
        if self._session is None:
            return self._turn(Notice(self._safe("no_result_yet")))
        if self._session.view is View.VERDICT or self._session.asking is None:
            return self._turn(self._result.why())
        return self._turn(self._screens.why(), self._screen())

    def _stop(self) -> Turn:
        had = self._session is not None
        self._session = None
        return self._turn(Notice(self._safe("stopped" if had else "nothing_open")))

    def _danger(self, kind: str) -> Notice:
        region = self._library.region(self._preferences.region)
        text = self._words("danger", kind, "answer", emergency=region.emergency)
        if self._session is None or self._session.asking is None:
            return Notice(text)
        return Notice(text, (self._screens.button("go", Role.CONFIRM, "go_on"),))

    def _safe(self, key: str) -> str:
        """Return something that went otherwise than hoped, kindly, ending with the safety line."""
        region = self._library.region(self._preferences.region)
        line = self._words("ui", "safety_line", emergency=region.emergency)
        return f"{self._words('ui', key)}\n\n{line}"

    def _again(self) -> tuple[Reply, ...]:
        return () if self._session is None else (self._screen(),)

    # Typed text

    def _text(self, text: str) -> Turn:
        if self._session is None:
            return self._turn(self._text_outside(text))
        screen = self._screen()
        found = typed.read_typed(self._library, text, screen.choices)
        if found is None:
            return self._turn(Notice(self._safe("not_understood")), screen)
        if isinstance(screen, Prompt) and self._is_ticks(found.buttons):
            return self._tick_and_go(found.buttons)
        return self._tap(found.buttons[0].tap) if len(found.buttons) == 1 else self._one_only(screen)

    def _text_outside(self, text: str) -> Reply:
        if len(text) <= typed.LONGEST_READ and self._library.search(text):
            return self._shelves.search(text)
        return Notice(self._safe("say_hip"))

    def _is_ticks(self, buttons: tuple[Button, ...]) -> bool:
        return all(b.ticked is not None for b in buttons)

    def _tick_and_go(self, buttons: tuple[Button, ...]) -> Turn:
        """Typed ticks answer the question at once: whoever types has said all of it in one line."""
        question = self._asking()
        wanted = {question.choices[int(token.arg)].id for b in buttons if (token := read(b.tap))}
        assert self._session is not None
        return self._answered(question, tuple(c.id for c in question.choices if c.id in wanted | set(self._session.ticked)))

    def _one_only(self, screen: Reply) -> Turn:
        return self._turn(Notice(self._safe("one_only")), screen)

    # Taps

    def _tap(self, text: str) -> Turn:
        token = read(text)
        if token is None:
            return self._turn(Notice(self._safe("forged_button")), *self._again())
        if token.thread == MENU:
            return self._menu(token)
        if self._session is None:
            return self._turn(Notice(self._safe("old_check_gone")))
        if token.thread != self._session.id:
            return self._turn(Notice(self._old_check(token)), self._screen())
        if token.step != self._session.step or token.version != short_version(self._session.version):
            return self._turn(Notice(self._words("ui", "old_button")), self._screen())
        return self._act(token) or self._turn(Notice(self._safe("forged_button")), self._screen())

    def _menu(self, token: Token) -> Turn:
        if token.act == "region" and token.arg in self._library.regions:
            self._preferences = replace(self._preferences, region=token.arg)
            return self._turn(self._shelves.region_set(), *self._result_again())
        if token.act == "units" and token.arg in set(Units):
            self._preferences = replace(self._preferences, units=Units(token.arg))
            return self._turn(self._shelves.units_set())
        reply = self._shelves.pressed(token)
        return self._turn(reply) if reply else self._turn(Notice(self._words("ui", "old_menu")), self._shelves.care())

    def _result_again(self) -> tuple[Reply, ...]:
        return (self._screen(),) if self._session and self._session.view is View.VERDICT else ()

    def _old_check(self, token: Token) -> str:
        """Name the day of the check that an old button belongs to; its thread begins with the minute it started."""
        try:
            started = datetime.fromtimestamp(int(token.thread[:-8], 16) * 60, UTC)
        except (ValueError, OverflowError, OSError):
            return self._words("ui", "old_button")
        if not 0 <= (self._now - started).days <= 6:
            return self._words("ui", "old_button")
        return self._words("ui", "old_check", day=self._words.list("ui", "days")[started.weekday()])

    def _act(self, token: Token) -> Turn | None:
        session = self._session
        assert session is not None
        match token.act:
            case "go":
                return self._to(session.moved(view=View.VERDICT if session.asking is None else View.QUESTION))
            case "again":
                return self._begin()
            case "stop":
                return self._stop()
            case "review":
                return self._to(session.moved(view=View.REVIEW))
            case "edit":
                return self._edit(token.arg)
        if session.view is View.VERDICT:
            return self._on_result(token.act)
        if session.asking is None:
            return None
        return self._on_question(token)

    def _on_result(self, act: str) -> Turn | None:
        result = self._result
        if act == "mistap" and (question := result.alarming_question()):
            return self._reopen(question)
        match act:
            case "why":
                return self._turn(result.why())
            case "patterns":
                return self._turn(result.patterns())
            case "advice":
                return self._turn(result.advice())
            case "changes":
                return self._turn(result.changes())
            case "clinician":
                return self._turn(result.clinician(self._now))
            case _:
                return None

    def _on_question(self, token: Token) -> Turn | None:
        session, question = self._session, self._asking()
        assert session is not None
        match token.act:
            case "why":
                return self._turn(self._screens.why(), self._screen())
            case "back":
                return self._back()
            case "tick":
                return self._tick(question, token)
            case "pick":
                choice = _at(question, token.arg)
                return self._answered(question, (choice,)) if choice and question.kind is Kind.ONE else None
            case "done" | "keep":
                return self._done(question)
            case "none":
                if session.ticked:
                    return self._to(session.moved(view=View.CONFIRM_NONE))
                return self._answered(question, ())
            case "clear":
                return self._answered(question, ())
            case "unsure" if question.red_flag:
                return self._unsure(question)
            case _:
                return None

    def _tick(self, question: Question, token: Token) -> Turn | None:
        assert self._session is not None
        choice = _at(question, token.arg)
        if choice is None or question.kind is not Kind.MANY or not token.state:
            return None
        ticked = set(self._session.ticked) - {choice} | ({choice} if token.state == "+" else set())
        kept = tuple(c.id for c in question.choices if c.id in ticked)
        return self._to(replace(self._session, ticked=kept))

    def _done(self, question: Question) -> Turn:
        assert self._session is not None
        if not self._session.ticked:
            return self._turn(Notice(self._words("ui", "tick_or_none")), self._screen())
        return self._answered(question, self._session.ticked)

    def _unsure(self, question: Question) -> Turn:
        assert self._session is not None
        if self._session.view is not View.PLAIN:
            return self._to(self._session.moved(view=View.PLAIN))
        ticked = self._session.ticked
        items = tuple(c.item for c in question.choices if c.id not in ticked)
        return self._answered(question, ticked, unsure=items)

    def _answered(self, question: Question, chosen: tuple[str, ...], unsure: tuple[str, ...] = ()) -> Turn:
        session = self._session
        assert session is not None
        pattern = flow.is_pattern(self._library, session, question)
        answer = Answer(question.id, chosen, question.fingerprint, unsure, pattern)
        given = tuple(c for c in session.given if not any(c in choice.gives for choice in question.choices))
        answered = flow.pruned(self._library, replace(session, given=given).with_answer(answer))
        return self._to(flow.open_next(self._library, answered.moved()))

    def _back(self) -> Turn:
        """Take the last answer back and ask it again with what was ticked; at the first question, stay."""
        session = self._session
        assert session is not None
        if session.view in (View.PLAIN, View.CONFIRM_NONE):
            return self._to(session.moved(view=View.QUESTION))
        earlier = [a for a in session.answers if a.question != session.asking]
        if not earlier:
            return self._turn(Notice(self._words("ui", "first_question")), self._screen())
        last = earlier[-1]
        left = tuple(a for a in session.answers if a is not last)
        opened = replace(session, answers=left, asking=last.question, ticked=last.chosen)
        return self._to(opened.moved(view=View.QUESTION))

    def _edit(self, arg: str) -> Turn | None:
        questions = self._library.pathway.questions
        if not arg.isdigit() or int(arg) >= len(questions):
            return None
        return self._reopen(questions[int(arg)].id)

    def _reopen(self, question: str) -> Turn:
        """Ask one question again, with the earlier answer ticked; it counts until it is answered anew."""
        session = self._session
        assert session is not None
        earlier = session.answer(question)
        many = self._library.pathway.by_id[question].kind is Kind.MANY
        ticked = earlier.chosen if earlier and many else ()
        return self._to(session.moved(view=View.QUESTION, asking=question, ticked=ticked))

    def _asking(self) -> Question:
        assert self._session is not None and self._session.asking is not None
        return self._library.pathway.by_id[self._session.asking]


def _at(question: Question, arg: str) -> str | None:
    if not arg.isdigit() or int(arg) >= len(question.choices):
        return None
    return question.choices[int(arg)].id
