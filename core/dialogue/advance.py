"""One turn: what the member did, what it means where they are, and what is said."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from core.dialogue import flow, typed
from core.dialogue.check import Check
from core.dialogue.screens import safely, short_version
from core.dialogue.session import Session, View
from core.dialogue.shelves import COMMAND_SHELVES, Shelves
from core.dialogue.token import MENU, Token, read
from core.dialogue.turn import Command, Inbound, Notice, Prompt, Reply, Role, Tap, Taps, Text, Turn, Upload, Verdict
from core.library import Library
from core.members import Preferences, Units

OUTSIDE = {
    "stop": "nothing_open",
    "back": "nothing_open",
    "start_again": "nothing_open",
    "go_on": "nothing_open",
    "review": "nothing_open",
    "why": "no_result_yet",
}
"""What is said to words that belong to a check when none is open."""
OLDEST_NAMED = 6
"""Days back to which an old button's check is named by its weekday; before that the name would mislead."""


def advance(
    library: Library, session: Session | None, preferences: Preferences, inbound: Inbound, *, now: datetime, fresh: str
) -> Turn:
    """Return the turn that this inbound leads to.

    Pure: `now` is an aware time, `fresh` an unguessable lower-case hexadecimal id of at least eight digits, for a check that
    may begin. A session that has expired, or was left by another content version, is dealt with before anything is read
    into it.
    """
    opened = _opened(library, session, now)
    return _Turning(library, opened, preferences, now, fresh).take(inbound)


def begun(
    library: Library, session: Session | None, preferences: Preferences, given: Sequence[str], *, now: datetime, fresh: str
) -> Turn:
    """Return the turn that begins a check with findings given at the start, told elsewhere than in this conversation.

    A check that is open stays open: what is given comes on top of what was told there, and is shown on its review card.
    """
    return _Turning(library, _opened(library, session, now), preferences, now, fresh).begin(given)


def beside(
    library: Library, session: Session | None, preferences: Preferences, replies: Sequence[Reply], *, now: datetime
) -> Turn:
    """Return the turn that shows something else beside an open check, with the way back to it below."""
    return _Turning(library, _opened(library, session, now), preferences, now, "").beside(*replies)


def _opened(library: Library, session: Session | None, now: datetime) -> Session | None:
    if session is None or session.expired(now) or session.pathway != library.pathway.id:
        return None
    if session.version == library.pathway.version:
        return session
    kept = replace(flow.pruned(library, session), version=library.pathway.version)
    return flow.open_next(library, kept.moved())


class _Turning:
    """A turn in the making."""

    def __init__(self, library: Library, session: Session | None, preferences: Preferences, now: datetime, fresh: str) -> None:
        self._library, self._words, self._now, self._fresh = library, library.words, now, fresh
        self._session, self._preferences = session, preferences

    def take(self, inbound: Inbound) -> Turn:
        """Return the turn; words of danger come before anything else, in every state."""
        typed_text = ""
        if isinstance(inbound, Text):
            typed_text = inbound.text
        elif isinstance(inbound, Command):
            typed_text = f"{inbound.name} {inbound.rest}"
        if kind := typed.danger_in(self._words, typed_text):
            return self._danger(kind)
        match inbound:
            case Command(name=name, rest=rest):
                return self._command(name, rest.strip())
            case Tap(token=token):
                return self._tap(token)
            case Taps(tokens=tokens):
                return self._taps(tokens)
            case Text(text=text):
                return self._text(text)
            case Upload():
                return self._text("")

    def _taps(self, tokens: Sequence[str]) -> Turn:
        """Return what several presses led to, one after the other: only what the last of them shows is said."""
        for token in tokens:
            turn = self._tap(token)
            self._session, self._preferences = turn.session, turn.preferences
        return turn

    def begin(self, given: Sequence[str]) -> Turn:
        """Return the first question of a check with findings given, or the next one of the check that is open."""
        check = self._check
        if check is None or check.question is None:
            self._session = self._new(tuple(given))
            return self._turn(*self._screen())
        told = flow.findings_of(self._library, check.session)
        more = tuple(code for code in given if code not in told)
        added = replace(check.session, given=(*check.session.given, *more), touched=self._now, away=False)
        self._session = flow.open_next(self._library, added.moved())
        return self._turn(*self._screen())

    def beside(self, *replies: Reply) -> Turn:
        """Return a turn that shows something beside the open check."""
        check = self._check
        if check is None:
            return self._turn(*replies)
        self._session = replace(check.session, away=True)
        back = check.screens.button("go", Role.CONFIRM, "go_on" if check.question else "see_result")
        *before, last = replies
        return self._turn(*before, replace(last, choices=(*last.choices, back)))

    @property
    def _check(self) -> Check | None:
        if self._session is None:
            return None
        return Check(self._library, self._session, self._preferences, self._now)

    @property
    def _shelves(self) -> Shelves:
        return Shelves(self._library, self._preferences)

    def _turn(self, *replies: Reply) -> Turn:
        return Turn(self._session, self._preferences, replies)

    def _went(self, step: tuple[Session, tuple[Reply, ...]]) -> Turn:
        self._session, replies = step
        return self._turn(*replies)

    def _screen(self) -> tuple[Reply, ...]:
        """Return the open screen, if there is one, to stand below something that was said."""
        check = self._check
        return () if check is None else (check.screen(),)

    def _safe(self, key: str) -> Notice:
        """Return something that went otherwise than hoped, kindly, ending with the safety line."""
        return safely(self._library, self._preferences, self._words("ui", key))

    def _passing(self, key: str) -> Notice:
        """Return the same for something that is over with the next screen."""
        return replace(self._safe(key), fleeting=True)

    def _danger(self, kind: str) -> Turn:
        """Return the safety answer. "Go on" then asks the first question again, for what was typed is no answer yet."""
        region = self._library.region(self._preferences.region)
        notice = Notice(self._words("danger", kind, "answer", emergency=region.emergency))
        check = self._check
        if check is None or check.question is None:
            return self._turn(notice)
        if kind not in typed.NEVER_DENIED:
            self._session, _ = check.reopened(self._library.pathway.questions[0].id)
            check = replace(check, session=self._session)
        return self._turn(replace(notice, choices=(check.screens.button("go", Role.CONFIRM, "go_on"),)))

    # Commands

    def _command(self, name: str, rest: str) -> Turn:
        match name:
            case "hip":
                return self._hip()
            case "start" | "help":
                return self.beside(self._shelves.help())
            case "care":
                return self.beside(self._shelves.search(rest) if rest else self._shelves.care())
            case "warning" | "prevent" | "physio" | "faq":
                return self.beside(self._shelves.search(rest) if rest else self._shelves.shelf(COMMAND_SHELVES[name]))
            case "settings":
                return self.beside(self._shelves.settings())
            case "why":
                return self._turn(*self._check.why()) if self._check else self._turn(self._passing("no_result_yet"))
            case "stop":
                return self._stop()
            case _:
                return self._turn(*self._below("unknown_command"))

    def _hip(self) -> Turn:
        check = self._check
        return self._begin() if check is None else self._went(check.resumed())

    def _new(self, given: tuple[str, ...]) -> Session:
        # The minute it began stands in front, so that an old button can name its day without anything being kept.
        thread = f"{int(self._now.timestamp()) // 60:x}{self._fresh[:8]}"
        version = self._library.pathway.version
        new = Session(thread, self._library.pathway.id, version, started=self._now, touched=self._now, given=given)
        return flow.open_next(self._library, new)

    def _begin(self) -> Turn:
        self._session = self._new(())
        return self._turn(Notice(self._words("ui", "welcome"), fleeting=True), *self._screen())

    def _stop(self) -> Turn:
        key = "nothing_open" if self._session is None else "stopped"
        self._session = None
        return self._turn(self._safe(key))

    # Typed text

    def _text(self, text: str) -> Turn:
        if not text.strip():
            return self._turn(*self._below("no_words"))
        check = self._check
        if check is None:
            return self._turn(self._text_outside(text))
        screen = check.screen()
        if check.session.away and (text.strip().isdigit() or typed.plain(text) in self._words.list("ui", "typed", "go_on")):
            self._session = replace(check.session, away=False)
            return self._turn(*(() if not text.strip().isdigit() else (self._passing("here_again"),)), screen)
        buttons = typed.read_typed(text, screen.choices)
        if not buttons:
            return self._turn(*self._below("not_understood"))
        ticks = isinstance(screen, Prompt) and all(b.ticked is not None for b in buttons)
        if ticks and (step := check.ticked(buttons)):
            return self._went(step)
        if len(buttons) > 1:
            return self._turn(self._passing("one_only"), screen)
        return self._tap(buttons[0].tap)

    def _below(self, key: str) -> tuple[Reply, ...]:
        """Return what went otherwise than hoped above the open screen; of a result its buttons only, as it was just read."""
        notice, screens = self._passing(key), self._screen()
        match screens:
            case (Verdict(choices=choices),):
                return (replace(notice, choices=choices),)
            case _:
                return (notice, *screens)

    def _text_outside(self, text: str) -> Reply:
        said = typed.plain(text)
        meant = (key for key in OUTSIDE if said in self._words.list("ui", "typed", key))
        if key := next(meant, None):
            return self._passing(OUTSIDE[key])
        if len(text) > typed.LONGEST_READ:
            return self._passing("say_hip")
        if named := typed.read_typed(text, self._shelves.care().choices):
            token = read(named[0].tap)
            reply = self._shelves.pressed(token) if token and len(named) == 1 and not text.strip().isdigit() else None
            return reply or self._passing("say_hip")
        return self._shelves.search(text) if self._library.search(text) else self._passing("say_hip")

    # Taps

    def _tap(self, text: str) -> Turn:
        token, check = read(text), self._check
        if token is None:
            return self._turn(self._passing("forged_button"), *self._screen())
        if token.thread == MENU:
            return self._menu(token)
        if check is None:
            return self._turn(self._passing("old_check_gone"))
        if token.thread != check.session.id:
            gone = safely(self._library, self._preferences, self._old_check(token))
            return self._turn(replace(gone, fleeting=True), check.screen())
        if token.step != check.session.step or token.version != short_version(check.session.version):
            return self._turn(self._passing("old_button"), check.screen())
        return self._pressed(check, token)

    def _pressed(self, check: Check, token: Token) -> Turn:
        if token.act == "again":
            return self._begin()
        if token.act == "stop":
            return self._stop()
        step = check.pressed(token)
        return self._went(step) if step else self._turn(self._passing("forged_button"), check.screen())

    def _menu(self, token: Token) -> Turn:
        if token.act == "region" and token.arg in self._library.regions:
            self._preferences = replace(self._preferences, region=token.arg)
            result = self._screen() if self._session and self._session.view is View.VERDICT else ()
            return self._turn(self._shelves.region_set(), *result)
        if token.act == "units" and token.arg in set(Units):
            self._preferences = replace(self._preferences, units=Units(token.arg))
            return self._turn(self._shelves.units_set())
        reply = self._shelves.pressed(token)
        return self.beside(reply) if reply else self.beside(self._passing("old_menu"), self._shelves.care())

    def _old_check(self, token: Token) -> str:
        """Return what is said to a button of another check: the day it began, where that is recent and plausible."""
        try:
            began = datetime.fromtimestamp(int(token.thread[:-8], 16) * 60, UTC)
        except (ValueError, OverflowError, OSError):
            return self._words("ui", "old_button")
        if not 0 <= (self._now - began).days <= OLDEST_NAMED:
            return self._words("ui", "old_button")
        return self._words("ui", "old_check", day=self._words.list("ui", "days")[began.weekday()])
