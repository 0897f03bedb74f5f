"""A run that a member tells of, and a result that they want to be asked about again. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from core import backing_off, checkins, consents
from core.coaching.answering import Answering
from core.coaching.reaching import before_a_yes, thanks
from core.coaching.spoken import Spoken
from core.coaching.told import AGES, Here, Proposal, Reach, Told
from core.dialogue import flow
from core.dialogue.screens import short_version
from core.dialogue.session import Session, View
from core.dialogue.token import MENU, Token
from core.dialogue.turn import Button, Notice, Prompt, Reply, Role, Verdict
from core.diary import Age, Asking, Diary, FollowUp, Origin, Run
from core.library import Library
from core.members import MILES_PER_KM, Units
from core.progress import load_note
from core.record import Plain
from core.runs import NEAR
from core.tips import to_be_seen
from core.wallclock import local

UNDER_18 = frozenset({"age_under_10", "age_10_17"})
NEVER_ASKED = frozenset({"age_under_10"})
"""Surely under 16."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Takes what a member tells of by themselves."""

    library: Library
    here: Here

    def ran(self, rest: str) -> Told:
        """Note a run that has just ended, with as much as was told of it: it wins over what was known of it before."""
        told = Spoken(self.library.words).run(rest, self.here.preferences.units) if rest.strip() else (None, None)
        if told is None:
            return Told((Notice(self._words("checkins", "not_a_run"), fleeting=True),))
        metres, minutes = told
        start = self.here.now - timedelta(minutes=minutes or 60)
        run = Run(self.here.fresh[:8], start, Origin.TOLD, minutes=minutes, metres=metres)
        diary = backing_off.answered(replace(self.here.diary, paused=None))
        asking = self._asked_before(run) or checkins.opened(diary, run)
        if diary.age is not Age.UNDER_18:
            diary = replace(diary, runs=(*(r for r in diary.runs if abs(r.start - run.start) > NEAR), run))
        noted = "\n".join((self._words("checkins", "noted", run=self._of(run)), *self._resumed(), *self._when(diary, asking)))
        text = "\n\n".join((noted, *self._much_longer(run)))
        choices = () if asking.closed else (self._on(asking, "now"),)
        away = Button(self._menu("unran", run.id), self._words("checkins", "buttons", "unran"), Role.OTHER)
        return Told((Notice(text, (*choices, away)),), diary=diary.with_asking(asking))

    def was_on(self, run: Run) -> Told:
        """Note that they were on this run, and begin its check-in at once; one that was answered stays as it is."""
        run = replace(run, origin=Origin.TOLD)
        diary = backing_off.answered(replace(self.here.diary, paused=None))
        asking = self._asked_before(run) or checkins.opened(diary, run)
        if asking.closed is not None:
            return Told((Notice(self._words("checkins", "answered"), fleeting=True),))
        if diary.age is not Age.UNDER_18 and all(abs(r.start - run.start) > NEAR for r in diary.runs):
            diary = replace(diary, runs=(*diary.runs, run))
        begun = Answering(self.library, replace(self.here, diary=diary), asking).begun()
        return begun.after(*(Notice(text) for text in self._resumed()))

    def _resumed(self) -> Iterator[str]:
        """Yield that a pause ends with it, where there is one."""
        if backing_off.is_paused(self.here.diary, self.here.now):
            yield self._words("checkins", "set", "resumed")

    def _much_longer(self, run: Run) -> Iterator[str]:
        """Yield a gentle word on a run that was much longer than those before; none beside a red light."""
        diary, library = self.here.diary, self.library
        note = load_note(diary, run, library, self.here.preferences.units)
        if note is not None and not to_be_seen(library.checkins.scale, diary, self.here.now):
            yield note

    def unran(self, id: str) -> Told:
        """Take a run back that was told by mistake, with a check-in of it that has no answer."""
        diary = self.here.diary
        runs = tuple(run for run in diary.runs if run.id != id)
        gone = [a for a in diary.askings if a.run.id == id and a.touched is None]
        if len(runs) == len(diary.runs) and not gone:
            return Told((Notice(self._words("checkins", "over"), fleeting=True),))
        starts = [run.start for run in diary.runs if run.id == id]
        askings = tuple(_untold(a) if a.run.start in starts else a for a in diary.askings if a not in gone)
        return Told((Notice(self._words("checkins", "unran")),), diary=replace(diary, runs=runs, askings=askings))

    # ---------------------------------------------------------------- A result

    def offered(self, replies: tuple[Reply, ...], session: Session | None) -> tuple[Reply, ...]:
        """Return what is said, a result among it with a button to be asked about it again."""
        if session is None or any(f.check == session.id for f in self.here.diary.follow_ups):
            return replies
        if NEVER_ASKED & flow.findings_of(self.library, session):
            return replies
        button = Button(self._menu("follow"), self._words("checkins", "buttons", "follow"), Role.OTHER)
        return tuple(replace(r, choices=(*r.choices, button)) if isinstance(r, Verdict) else r for r in replies)

    def follow(self, session: Session | None, told: Proposal | None = None) -> Told:
        """Return exactly what is agreed to, for the result that is open, or the question for what is left of an answer."""
        if session is None or session.view is not View.VERDICT:
            return Told((Notice(self._words("checkins", "no_result"), fleeting=True),))
        said = replace(told or Proposal("follow_up", self.here.now), at=self.here.now)
        text = consents.text_of(self.library.words, "follow_up")
        if said.yes or said.age:
            text = self._words("checkins", "ask_age" if said.yes else "ask_yes")
        prompt = Prompt(text, "follow_up", self._choices(session, said.age))
        before = () if told else before_a_yes(self.library.words, self.here.reach)
        return Told((*before, prompt), proposes=said)

    def said(self, proposal: Proposal, text: str, session: Session | None) -> Told | None:
        """Return what typed words to that lead to; None where they are no answer to it. Only a clear yes agrees."""
        spoken = Spoken(self.library.words)
        match spoken.agreement(text):
            case None:
                caught = Notice(self._words("checkins", "not_caught_setting"), fleeting=True)
                return self.follow(session, proposal).after(caught) if spoken.may_be_agreement(text) else None
            case False, _:
                return self._left()
            case yes, age:
                told = replace(proposal, yes=proposal.yes or bool(yes), age=age or proposal.age)
                whole = told.yes and (told.age or not self._needs_age(session))
                agrees = whole or told.age is Age.UNDER_16
                return self.following(session, told.age) if agrees else self.follow(session, told)

    def following(self, session: Session | None, age: Age | None = None) -> Told:
        """Take a yes to be asked about the open result again; once for each result. Nobody under 16 is asked."""
        if session is None or session.view is not View.VERDICT or (age is None and self._needs_age(session)):
            return self.follow(session)
        if age is Age.UNDER_16 or NEVER_ASKED & flow.findings_of(self.library, session):
            return Told((Notice(self._words("checkins", "under_16")),))
        if any(f.check == session.id for f in self.here.diary.follow_ups):
            return Told((Notice(self._words("checkins", "answered"), fleeting=True),))
        findings = flow.findings_of(self.library, session)
        young = Age.UNDER_18 in (self.here.diary.age, age) or bool(findings & UNDER_18)
        urgency = self.library.triage.urgency(findings).value
        kept = () if young else tuple(sorted(findings))
        new = FollowUp(self.here.fresh[:8], session.id, urgency, kept, self.here.now)
        known = self.here.diary if self.here.diary != Diary() else Diary(zone_known=False)
        known = replace(known, age=known.age or age)
        given: Plain = consents.as_kept(self.library.words, "follow_up", self.here.now, given=True)
        replies = thanks(self.library.words, "follow_up", self.here.reach)
        return Told(replies, diary=known.with_follow_up(new), consents=(given,))

    # ---------------------------------------------------------------- Below

    def _choices(self, session: Session | None, age: Age | None) -> tuple[Button, ...]:
        """Return what there is to say to it: where the check says that they are under 18, a yes with their age."""
        if self._needs_age(session) and age is None:
            bands = {arg: band for arg, band in AGES.items() if band is not Age.ADULT}
            labels = {arg: self._words("checkins", "ages", band.value) for arg, band in bands.items()}
        else:
            arg = next((arg for arg, band in AGES.items() if band is age), "")
            labels = {arg: self._words("privacy", "consents", "follow_up", "give")}
        yes = (Button(self._menu("followyes", arg), label, Role.ANSWER) for arg, label in labels.items())
        return (*yes, Button(self._menu("no"), self._words("checkins", "buttons", "no"), Role.OTHER))

    def _needs_age(self, session: Session | None) -> bool:
        """Return whether it is not known that they are 16 at least."""
        young = session is not None and bool(flow.findings_of(self.library, session) & UNDER_18)
        return young and self.here.diary.age is None

    def _left(self) -> Told:
        return Told((Notice(self._words("checkins", "left"), fleeting=True),))

    def _asked_before(self, run: Run) -> Asking | None:
        """Return the check-in that there is for this very run, with what is known of the run now."""
        near = [a for a in self.here.diary.askings if abs(a.run.start - run.start) <= NEAR]
        if not near:
            return None
        nearest = min(near, key=lambda asking: abs(asking.run.start - run.start))
        ran = True if nearest.ran is None else nearest.ran
        known = replace(nearest, run=replace(run, id=nearest.run.id), ran=ran)
        return known if known.closed is None else checkins.closed(self.here.diary, known, known.closed)

    def _when(self, diary: Diary, asking: Asking) -> Iterator[str]:
        planned = [w for w in checkins.windows(diary, asking.run) if w.due > self.here.now]
        comes = diary.zone_known and self.here.reach is Reach.OPEN
        if planned and not asking.closed and asking.touched is None and comes:
            yield self._words("checkins", "asks_at", clock=f"{local(planned[0].due, diary.zone):%H:%M}")

    def _of(self, run: Run) -> str:
        """Return a run in the member's units, as far as it was told."""
        parts = []
        if run.metres is not None:
            km = self.here.preferences.units is Units.KM
            value = run.metres / 1000 * (1 if km else MILES_PER_KM)
            parts.append(self._words("checkins", "km" if km else "miles", number=f"{value:.1f}".removesuffix(".0")))
        if run.minutes is not None:
            parts.append(self._words("checkins", "minutes", number=run.minutes))
        return ", ".join(parts) or self._words("checkins", "a_run")

    def _on(self, asking: Asking, act: str) -> Button:
        return Button(
            str(Token(self._version, asking.id, asking.step, act)), self._words("checkins", "buttons", act), Role.CONFIRM
        )

    def _menu(self, act: str, arg: str = "") -> str:
        return str(Token(self._version, MENU, 0, act, arg))

    def _words(self, *path: str, **values: object) -> str:
        return self.library.words(*path, **values)

    @property
    def _version(self) -> str:
        return short_version(self.library.pathway.version)


def _untold(asking: Asking) -> Asking:
    """Return a check-in that was there before its run was told, without what was told of it then."""
    run = replace(asking.run, origin=Origin.USUAL, metres=None, minutes=None)
    return replace(asking, run=run, ran=asking.ran if asking.touched else None)
