"""What must hold of the screens: Telegram and Discord can show each of them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from content.checks.material import Material, key_of
from content.checks.problem import Problem
from core.checkins import Step
from core.clinical import Kind, Question
from core.coaching import tip
from core.coaching.asked import Asked
from core.dialogue.result import Result
from core.dialogue.screens import Screens
from core.dialogue.session import Answer, Session, View
from core.dialogue.shelves import PER_SCREEN, SHELVES, Shelves
from core.dialogue.token import MAX_BYTES, read
from core.dialogue.turn import Button, File, Notice, Prompt, Reply, Verdict
from core.diary import Asking, Diary, Origin, Run
from core.library import Library
from core.members import Preferences, Units
from core.tips import Chosen
from core.words import MissingWords

TELEGRAM_TEXT = 4096
DISCORD_TEXT = 4000
MARKS = 500
"""Characters of those that are left for what marks a text, and for what stands above it: a question is one message."""
LINE = 7
"""Characters that an answer needs besides its label where it is a line of the text: a number, a tick, the end of the line."""
LABEL = 80
OPTIONS = 25
SHOWN_BY_APPS: dict[tuple[str, ...], int] = {("platform", "commands"): 100, ("platform", "discord"): 45}
"""Characters of what stands around a conversation: Discord takes so many behind a command, and in the heading of a form."""
WIDEST = Preferences(units=Units.MILES)
"""The preferences that make the longest texts: no country set, so that all common numbers are shown."""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
ASKED = Asking("z" * 8, Run("", EPOCH, Origin.TOLD), EPOCH.date(), step=99999)


def fits(m: Material) -> Iterator[Problem]:
    """Every screen, drawn by the code that draws it for members, within the limits of Telegram and Discord."""
    for file, key, draw in drawings(m):
        try:
            reply = draw()
        except MissingWords as missing:
            path = str(missing.args[0]).split(".")
            yield Problem(m.file(*path), key_of(path), f"has no words, and the screen of {key!r} asks for them")
            continue
        yield from (Problem(file, key, says) for says in _too_much(reply))
    for text in m.texts:
        if most := SHOWN_BY_APPS.get(text.path[:2]):
            yield from (Problem(text.file, text.key, says) for says in _too_long(text.says, most))


def drawings(m: Material) -> Iterator[tuple[str, str, Callable[[], Reply]]]:
    """Yield (file, key, how to draw it) of every question, page and menu, and of a result, each as long as it can be."""
    library, ui, questions = m.library, m.file("ui"), m.file("questions")
    for q in library.pathway.questions:
        yield questions, q.id, _asking(library, q, View.QUESTION).question
        if q.kind is Kind.MANY:
            yield questions, q.id, _asking(library, q, View.CONFIRM_NONE).confirm_none
        if q.red_flag:
            yield questions, q.id, _asking(library, q, View.PLAIN).question
    shelves = Shelves(library, WIDEST)
    for page in library.pages:
        file = m.file("care", page.id, "body")
        yield from ((file, page.id, partial(draw, page)) for draw in (shelves.page, shelves.basis))
    for step in Step:
        drawn, file = Asked(library, Diary(), ASKED), m.file("checkins", "ask", step.value)
        yield from ((file, f"ask.{step}", partial(drawn.question, step)), (file, f"open.{step}", partial(drawn.opening, step)))
    for name in SHELVES:
        for start in range(0, len(library.shelf(name)), PER_SCREEN):
            yield ui, f"shelves.{name}", partial(shelves.shelf, name, start)
    for t in library.tips:
        for state in t.states:
            chosen = Chosen(t, state, tuple(t.places), tuple(t.loads), next(iter(t.seasons), None))
            yield m.file("tips", "say", t.id), f"say.{t.id}", partial(_tip, chosen, library)
    yield from ((ui, name, getattr(shelves, name)) for name in ("help", "care", "settings", "regions"))
    yield ui, "buttons", Result(library, _session(library, None, View.VERDICT), WIDEST).verdict


def _tip(chosen: Chosen, library: Library) -> Reply:
    return Notice(tip.told(chosen, library))


def _asking(library: Library, question: Question, view: View) -> Screens:
    return Screens(library, _session(library, question, view), WIDEST)


def _session(library: Library, question: Question | None, view: View) -> Session:
    """Return a session with the longest tokens that there can be, everything ticked, and a way back."""
    first, now = library.pathway.questions[0], EPOCH
    return Session(
        id="z" * 20,
        pathway=library.pathway.id,
        version=library.pathway.version,
        started=now,
        touched=now,
        answers=(Answer(first.id, (), first.fingerprint),) if question else (),
        asking=question.id if question else None,
        ticked=tuple(c.id for c in question.choices) if question else (),
        view=view,
        step=99999,
    )


def _too_much(reply: Reply) -> Iterator[str]:
    match reply:
        case Prompt():
            lines = (f"{LINE * ' '}{button.label}" for button in reply.choices)
            yield from _too_long("".join((reply.text, *lines)), DISCORD_TEXT - MARKS)
        case Notice() | File():
            yield from _too_long(reply.text, TELEGRAM_TEXT)
        case Verdict():
            pass  # as long as its findings: the tests of whole conversations measure it
    if len(reply.choices) > OPTIONS:
        yield f"has {len(reply.choices)} buttons; {OPTIONS} at most"
    for button in reply.choices:
        yield from _bad_button(button)


def _too_long(text: str, limit: int) -> Iterator[str]:
    if len(text) > limit:
        yield f"has {len(text)} characters on the screen; {limit} at most"


def _bad_button(button: Button) -> Iterator[str]:
    if not 0 < len(button.label) <= LABEL:
        yield f"{button.label!r} has {len(button.label)} characters; a button has {LABEL} at most"
    if len(button.tap.encode()) > MAX_BYTES or read(button.tap) is None:
        yield f"the token {button.tap!r} does not fit, or cannot be read back"
