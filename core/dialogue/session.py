"""A check in progress as a plain value: what was given, what was answered, and which screen is open."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

FORMAT = 1
EXPIRES_AFTER = timedelta(hours=24)
"""A check is kept this long after its last answer, and no longer."""


class View(StrEnum):
    """Which screen of a check is open."""

    QUESTION = "question"
    PLAIN = "plain"
    """The plainer wording that "not sure" leads to."""
    CONFIRM_NONE = "confirm_none"
    """ "None of these" after a tick: which is right?"""
    RESUME = "resume"
    REVIEW = "review"
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to one question: the choices taken, and the red-flag items still not sure about."""

    question: str
    chosen: tuple[str, ...]
    fingerprint: str
    """Of the question's choices when it was answered; if they change, the question is asked again."""
    unsure: tuple[str, ...] = ()
    pattern: bool = False
    """Asked only to tell patterns apart, when nothing could change the urgency any more."""


@dataclass(frozen=True, slots=True)
class Session:
    """One check. Plain data: it serialises at any point and opens again, also after a content update."""

    id: str
    pathway: str
    version: str
    started: datetime
    touched: datetime
    given: tuple[str, ...] = ()
    """Findings given at the start, from elsewhere than this conversation; shown on the review card and editable."""
    answers: tuple[Answer, ...] = ()
    asking: str | None = None
    pattern: bool = False
    """Whether only the patterns hang on the open question."""
    ticked: tuple[str, ...] = ()
    view: View = View.QUESTION
    beneath: View = View.QUESTION
    """What lies under the review card or "go on or start again?", and comes back with "go on"."""
    away: bool = False
    """Whether something else was shown last, such as a care page: a typed number may have meant that."""
    step: int = 0
    """Counts answered screens, not ticks: a button of an earlier step is an old one."""

    def expired(self, now: datetime) -> bool:
        """Return whether the check is too old to go on with."""
        return now - self.touched > EXPIRES_AFTER

    def moved(self, **changes: Any) -> "Session":
        """Return the session one screen further."""
        return replace(self, step=self.step + 1, **changes)

    def under(self, view: View) -> "Session":
        """Return the session one screen further, with this view over the one that is open."""
        covered = self.beneath if self.view in (View.RESUME, View.REVIEW) else self.view
        return self.moved(view=view, beneath=covered)

    def answer(self, question: str) -> Answer | None:
        """Return what was answered to a question, if anything."""
        return next((a for a in self.answers if a.question == question), None)

    def with_answer(self, answer: Answer) -> "Session":
        """Return the session with this answer in the place of an earlier one to the same question, or at the end."""
        if self.answer(answer.question) is None:
            return replace(self, answers=(*self.answers, answer))
        return replace(self, answers=tuple(answer if a.question == answer.question else a for a in self.answers))


class UnreadableSession(ValueError):
    """A stored session is not one of ours, or from a newer version of this program."""


def to_json(session: Session) -> dict[str, Any]:
    """Return the session as plain JSON values."""
    plain = {name: getattr(session, name) for name in Session.__slots__}
    plain["started"], plain["touched"] = session.started.isoformat(), session.touched.isoformat()
    plain["answers"] = [{name: getattr(a, name) for name in Answer.__slots__} for a in session.answers]
    return {"format": FORMAT, **plain}


def from_json(plain: Any) -> Session:
    """Return the session that `to_json` wrote; raise UnreadableSession for anything else."""
    try:
        if plain["format"] != FORMAT:
            raise UnreadableSession(f"session format {plain['format']}")
        return Session(
            id=str(plain["id"]),
            pathway=str(plain["pathway"]),
            version=str(plain["version"]),
            started=_time(plain["started"]),
            touched=_time(plain["touched"]),
            given=tuple(plain["given"]),
            answers=tuple(_answer(a) for a in plain["answers"]),
            asking=plain["asking"],
            pattern=bool(plain["pattern"]),
            ticked=tuple(plain["ticked"]),
            view=View(plain["view"]),
            beneath=View(plain["beneath"]),
            away=bool(plain["away"]),
            step=int(plain["step"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableSession(str(error)) from error


def _answer(plain: dict[str, Any]) -> Answer:
    return Answer(
        question=str(plain["question"]),
        chosen=tuple(plain["chosen"]),
        fingerprint=str(plain["fingerprint"]),
        unsure=tuple(plain["unsure"]),
        pattern=bool(plain["pattern"]),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
