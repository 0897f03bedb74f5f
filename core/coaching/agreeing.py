"""Opting in and out of check-ins and tips: what is offered, a yes by a tap or in words, and taking it back. Pure."""

from dataclasses import dataclass, replace

from core import consents
from core.checkins import closed
from core.coaching.arranging import KINDS, Arranging
from core.coaching.reaching import before_a_yes, thanks
from core.coaching.spoken import Spoken
from core.coaching.told import AGES, Here, Proposal, Told
from core.dialogue.screens import short_version
from core.dialogue.token import MENU, Token
from core.dialogue.turn import Button, Notice, Prompt, Reply, Role
from core.diary import FOR, Age, Diary, Rhythm, without
from core.library import Library
from core.words import Words


@dataclass(frozen=True, slots=True)
class Agreeing:
    """Offers check-ins and tips, each by itself, and takes the answer."""

    library: Library
    here: Here
    settings: Arranging

    def opened(self, kind: str) -> Told:
        """Return what there is to agree to, or how it stands with a yes. Asking for it ends a silence or a pause."""
        if not self.settings.agreed_to(kind):
            return self._offer(kind)
        diary = replace(self.here.diary, rhythm=Rhythm.EACH_RUN, ignored=0, paused=None)
        if (asked := self.settings.still_unknown(diary, runs=False)) is not None:
            return asked
        end = self.settings.menu_button("end", self._words("privacy", "consents", kind, "withdraw"), str(KINDS.index(kind)))
        text = self._words("checkins", "on", kind)
        stands = Prompt(text, kind, (self.settings.to_settings(), end))
        resumed = [Notice(text) for text in self.settings.lines(diary, "pause")]
        replies: tuple[Reply, ...] = (*resumed, *before_a_yes(self.library.words, self.here.reach), stands)
        return Told(replies, diary=diary if diary != self.here.diary else None)

    def agreed(self, token: Token) -> Told:
        """Take a yes to the text that was shown, with the age band; where it may have been another text, show it again."""
        kind = KINDS[int(token.arg[:1])] if token.arg[:1] in ("0", "1") else None
        if kind is None or token.version != self._version or self.settings.agreed_to(kind):
            return self.opened(kind or KINDS[0])
        age = AGES.get(token.arg[1:]) or self.here.diary.age
        if age is None:
            return self.opened(kind)
        if age is Age.UNDER_16:
            return self._too_young()
        known = self.here.diary if self.here.diary != Diary() else Diary(zone_known=False)
        diary = replace(_of_age(known, age), rhythm=Rhythm.EACH_RUN, ignored=0)
        given = consents.as_kept(self._words, kind, self.here.now, given=True)
        following = self.settings.still_unknown(diary, runs=kind == "check_ins") or Told((), diary=diary)
        return replace(following.after(*thanks(self._words, kind, self.here.reach)), consents=(given,))

    def said(self, proposal: Proposal, text: str) -> Told | None:
        """Return what typed words to an offer lead to; None where they are no answer to it. Only a clear yes agrees."""
        spoken = Spoken(self.library.words)
        match spoken.agreement(text):
            case None:
                again = self._offer(proposal.kind, proposal)
                caught = Notice(self._words("checkins", "not_caught_setting"), fleeting=True)
                return again.after(caught) if spoken.may_be_agreement(text) else None
            case False, _:
                return Told((Notice(self._words("checkins", "left"), fleeting=True),))
            case yes, age:
                told = replace(proposal, yes=proposal.yes or bool(yes), age=age or proposal.age)
                return self._agreeing(told)

    def _agreeing(self, told: Proposal) -> Told:
        """Return what is still to be told of a yes and an age, or take both."""
        age = told.age or self.here.diary.age
        if age is Age.UNDER_16 or (told.yes and age is not None):
            arg = next(arg for arg, band in AGES.items() if band is age)
            return self.agreed(Token(self._version, MENU, 0, "agree", f"{KINDS.index(told.kind)}{arg}"))
        return self._offer(told.kind, told)

    def _too_young(self) -> Told:
        """Return that there is none of it under 16, and take back whatever was agreed to at another age."""
        agreed = [kind for kind in FOR if self.settings.agreed_to(kind)]
        taken = (c for kind in agreed for c in consents.withdrawn(self._words, self.settings.kept, kind, self.here.now))
        notice = Notice(self._words("checkins", "under_16"))
        return Told((notice,), diary=Diary() if agreed else None, consents=tuple(taken))

    def ended(self, kind: str) -> Told:
        """Take a consent back: nothing is written for it any more, and what was kept for it goes."""
        taken = consents.withdrawn(self._words, self.settings.kept, kind, self.here.now)
        left = without(self.here.diary, kind)
        others = [k for k in FOR if k != kind and self.settings.agreed_to(k)]
        done = Notice(self._words("privacy", "consents", kind, "withdrawn"))
        return Told((done,), diary=left if others else Diary(), consents=taken)

    def _offer(self, kind: str, told: Proposal | None = None) -> Told:
        """Return exactly what is agreed to, or once part of the answer was told, the question for the rest of it."""
        said = told or Proposal(kind, self.here.now)
        text = consents.text_of(self._words, kind)
        if said.yes or said.age:
            text = self._words("checkins", "ask_age" if said.yes else "ask_yes")
        prompt = Prompt(text, kind, self._choices(kind, said.age))
        replies: tuple[Reply, ...] = (*(() if told else before_a_yes(self.library.words, self.here.reach)), prompt)
        return Told(replies, proposes=replace(said, at=self.here.now))

    def _choices(self, kind: str, age: Age | None) -> tuple[Button, ...]:
        """Return a yes for each age band, and a no; whose age is known, or was just told, is not asked for it again."""
        number, known = str(KINDS.index(kind)), age or self.here.diary.age
        if known is not None:
            arg = next(arg for arg, band in AGES.items() if band is known)
            give = self._words("privacy", "consents", kind, "give")
            yes = [self.settings.menu_button("agree", give, f"{number}{arg}", role=Role.ANSWER)]
        else:
            ages = [(arg, self._words("checkins", "ages", band.value)) for arg, band in AGES.items()]
            yes = [self.settings.menu_button("agree", label, f"{number}{arg}", role=Role.ANSWER) for arg, label in ages]
        return (*yes, self.settings.menu_button("no", self._words("checkins", "buttons", "no")))

    @property
    def _words(self) -> Words:
        return self.library.words

    @property
    def _version(self) -> str:
        return short_version(self.library.pathway.version)


def _of_age(diary: Diary, age: Age) -> Diary:
    """Return the diary of someone of that age: of what was kept of an adult, someone under 18 keeps nothing that is over."""
    if age is not Age.UNDER_18 or diary.age is age:
        return replace(diary, age=age)
    young = replace(diary, age=age, runs=(), follow_ups=tuple(replace(one, findings=()) for one in diary.follow_ups))
    return replace(young, askings=tuple(closed(young, a, a.closed) if a.closed else a for a in young.askings))
