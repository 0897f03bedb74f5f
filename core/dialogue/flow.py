"""Which question comes next. Safety first, then what can still change how soon, then at most three about patterns."""

from dataclasses import dataclass, replace

from core.clinical import Disposition, Findings, Question, Stage
from core.dialogue.session import Answer, Session, View
from core.library import Library

PATTERN_QUESTIONS = 3
"""Questions that change which patterns come first; after these it stops."""
LONG_ENOUGH = 8
"""Screens after which a check asks nothing more about patterns: someone in pain has answered enough."""


def findings_of(library: Library, session: Session) -> Findings:
    """Return every code that the session's answers establish, with what was given at the start."""
    codes = set(session.given)
    for answer in session.answers:
        codes |= _codes_of(library, answer)
    return frozenset(codes)


@dataclass(frozen=True, slots=True)
class Next:
    """The question to ask next, and whether only the patterns hang on it."""

    question: Question
    pattern: bool = False


def next_question(library: Library, session: Session) -> Next | None:
    """Return the question to ask next, or None where it is time for the result.

    An emergency ends the questions at once. A same-day result ends them when no open question could make it an emergency.
    """
    findings = findings_of(library, session)
    urgency = library.triage.urgency(findings)
    if urgency is Disposition.EMERGENCY:
        return None
    for stage in (Stage.SAFETY, Stage.SETTING):
        if question := _first_open(library, session, findings, stage):
            return Next(question)
    if question := _can_change_urgency(library, session, findings):
        return Next(question)
    if urgency >= Disposition.SAME_DAY or _enough(library, session, findings):
        return None
    question = _changes_patterns(library, session, findings)
    return Next(question, pattern=True) if question else None


def open_next(library: Library, session: Session) -> Session:
    """Return the session with its next screen open: a question, or the result."""
    following = next_question(library, session)
    if following is None:
        return replace(session, asking=None, pattern=False, ticked=(), view=View.VERDICT)
    return replace(session, asking=following.question.id, pattern=following.pattern, ticked=(), view=View.QUESTION)


def pruned(library: Library, session: Session) -> Session:
    """Return the session without answers that no longer count.

    A question that is gone, whose choices changed, that is no longer asked, or whose detail was unticked: its answer goes,
    and the question is asked again where it still applies.
    """
    answers = tuple(a for a in session.answers if _current(library, a))
    while True:
        trial = replace(session, answers=answers)
        kept = tuple(a for a in answers if _still_asked(library, trial, a))
        if kept == answers:
            return replace(trial, given=tuple(c for c in session.given if c in library.pathway.codes))
        answers = kept


def progress(library: Library, session: Session) -> tuple[int, int]:
    """Return (which screen this is, how many a long check has), for a line such as "Question 4 of about 10"."""
    screens = [a.question for a in session.answers if not library.pathway.by_id[a.question].detail]
    asking = _screen_of(library, session)
    here = screens.index(asking) if asking in screens else len(screens)
    return here + 1, LONG_ENOUGH + 2


def _screen_of(library: Library, session: Session) -> str | None:
    """Return the open question, or the one whose tick opened it."""
    asking = session.asking
    if asking and library.pathway.by_id[asking].detail:
        return next((a.question for a in session.answers if _opens(library, a, asking)), asking)
    return asking


def _enough(library: Library, session: Session, findings: Findings) -> bool:
    """Return whether nothing more is asked about patterns: sooner for whoever is to be seen within days anyway."""
    if sum(a.pattern for a in session.answers) >= PATTERN_QUESTIONS:
        return True
    screens = sum(1 for a in session.answers if not library.pathway.by_id[a.question].detail)
    return screens >= LONG_ENOUGH - (library.triage.urgency(findings) > Disposition.ROUTINE)


def _codes_of(library: Library, answer: Answer) -> set[str]:
    question = library.pathway.by_id.get(answer.question)
    codes = {f"unsure_{item}" for item in answer.unsure}
    if question:
        for choice in question.choices:
            if choice.id in answer.chosen:
                codes.update(choice.gives)
    return codes


def _first_open(library: Library, session: Session, findings: Findings, stage: Stage) -> Question | None:
    for question in library.pathway.questions:
        if question.stage is not stage or question.detail or not _applies(question, findings):
            continue
        if not _is_answered(session, question):
            return question
        if detail := _open_detail(library, session, question):
            return detail
    return None


def _open_detail(library: Library, session: Session, question: Question) -> Question | None:
    answer = session.answer(question.id)
    for choice in question.choices:
        if answer and choice.opens and choice.id in answer.chosen and not session.answer(choice.opens):
            return library.pathway.by_id[choice.opens]
    return None


def _is_answered(session: Session, question: Question) -> bool:
    """Answered, or what it asks for was given at the start (of a question with one answer)."""
    if session.answer(question.id):
        return True
    return question.kind == "one" and any(set(c.gives) & set(session.given) for c in question.choices)


def _applies(question: Question, findings: Findings) -> bool:
    return not question.when or bool(question.when & findings)


def _open_questions(library: Library, session: Session, findings: Findings) -> list[Question]:
    return [
        q
        for q in library.pathway.questions
        if q.stage in (Stage.URGENCY, Stage.PATTERN) and _applies(q, findings) and not _is_answered(session, q)
    ]


def _can_change_urgency(library: Library, session: Session, findings: Findings) -> Question | None:
    questions = _open_questions(library, session, findings)
    masks = [(q, library.triage.gives(q)) for q in questions]
    remaining = 0
    for _, mask in masks:
        remaining |= mask
    open_still = remaining & ~_asked(library, session)
    matters = library.triage.what_matters(library.triage.mask(findings), open_still)
    return next((q for q, mask in masks if mask & matters), None)


def _asked(library: Library, session: Session) -> int:
    """Return what has been asked about already, as a bit mask: a no on an earlier screen is not asked for again."""
    asked = 0
    for answer in session.answers:
        asked |= library.triage.asks(library.pathway.by_id[answer.question])
    return asked


def _changes_patterns(library: Library, session: Session, findings: Findings) -> Question | None:
    questions = _open_questions(library, session, findings)
    worth = [(library.triage.differentiator.worth_asking(findings, q), q) for q in questions]
    best = max(worth, key=lambda pair: pair[0], default=(0, None))
    return best[1] if best[0] > 1 else None


def _current(library: Library, answer: Answer) -> bool:
    question = library.pathway.by_id.get(answer.question)
    return question is not None and question.fingerprint == answer.fingerprint


def _still_asked(library: Library, session: Session, answer: Answer) -> bool:
    question = library.pathway.by_id[answer.question]
    if not question.detail and not question.when:
        return True
    if question.detail:
        return any(_opens(library, a, question.id) for a in session.answers)
    others = replace(session, answers=tuple(a for a in session.answers if a is not answer))
    return _applies(question, findings_of(library, others))


def _opens(library: Library, answer: Answer, detail: str) -> bool:
    question = library.pathway.by_id[answer.question]
    return any(c.opens == detail and c.id in answer.chosen for c in question.choices)
