"""The one door to all of it: commands, taps and typed answers about check-ins."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core import tips
from core.coaching import tip
from core.coaching.agreeing import Agreeing
from core.coaching.answering import Answering
from core.coaching.arranging import KINDS, Arranging
from core.coaching.following import Following
from core.coaching.spoken import Spoken
from core.coaching.telling import Telling
from core.coaching.told import AGES, OPEN_FOR, Here, Proposal, Reach, Told
from core.dialogue import Command, Inbound, Notice, Reply, Session, Tap, Taps, Text, typed
from core.dialogue.screens import short_version
from core.dialogue.token import MENU, Token, read
from core.dialogue.turn import Button, Role
from core.diary import Diary, Given, Run
from core.library import Library
from core.progress import progress, week
from core.record import Record
from core.runs import between
from core.timetable import Days, Timetable

THREAD = 8
"""Hexadecimal digits of the thread of a check-in or a follow-up: shorter than that of any check."""
CONSENTS = {"1": "follow_up", "2": "check_ins", "3": "tips"}
"""What a button of "what I agree to" carries for those that are about this."""


class Coaching:
    """Answers what members do with check-ins, follow-ups and the settings of both."""

    def __init__(self, library: Library, timetable: Timetable | None = None, *, writes_first: bool = True) -> None:
        """Answer with that library; with `writes_first` false nothing can be written first, and nobody is let believe it."""
        self._library, self._words, self._timetable = library, library.words, timetable or Timetable()
        self._writes_first = writes_first

    def answer(
        self,
        inbound: Inbound,
        record: Record,
        diary: Diary | None,
        session: Session | None,
        *,
        now: datetime,
        fresh: str,
        proposal: Proposal | None = None,
        apart: bool = False,
    ) -> Told | None:
        """Return what to say and to change, or None for what is not about this. Words of danger go to the conversation.

        `now` is an aware time, `fresh` an unguessable hexadecimal id of at least eight digits. It has to be asked before
        anybody else who reads menu buttons: a yes to check-ins or tips needs an age, which it asks for.
        `proposal` is what its last answer proposed, where nothing was said since: a yes may be typed to it.
        `apart` says that they did it elsewhere than in a conversation of their own, such as among others on a server.
        """
        here = Here(diary or Diary(), record.preferences, now, fresh, self._reach(record, apart=apart), proposal)
        turn = _Turn(self._library, here, record, session, self._timetable.days)
        match inbound:
            case Tap(token=text):
                return turn.on_tap(text)
            case Taps(tokens=tokens):
                return turn.on_taps(tokens)
            case Command(name=name, rest=rest) if not typed.danger_in(self._words, f"{name} {rest}"):
                return turn.command(name, rest)
            case Text(text=text) if text.strip() and not typed.danger_in(self._words, text):
                return turn.typed(text)
            case _:
                return None

    def was_on(self, run: Run, record: Record, diary: Diary, *, now: datetime, fresh: str) -> Told:
        """Return the check-in of a run, begun at once by someone who was on it."""
        return Telling(self._library, Here(diary, record.preferences, now, fresh)).was_on(run)

    def offered(
        self, replies: tuple[Reply, ...], record: Record, diary: Diary | None, session: Session | None, *, now: datetime
    ) -> tuple[Reply, ...]:
        """Return what the conversation says, a result among it with a button to be asked about it again."""
        return Telling(self._library, Here(diary or Diary(), record.preferences, now, "")).offered(replies, session)

    def stopped(self, record: Record, diary: Diary | None, *, now: datetime) -> Told:
        """Return what takes back that anything is written first, for /stop: check-ins and tips."""
        told = Told(())
        for kind in KINDS:
            here = Here(told.diary or diary or Diary(), record.preferences, now, "")
            arranging = Arranging(self._library, here, (*record.consents, *told.consents))
            if arranging.agreed_to(kind):
                ended = Agreeing(self._library, here, arranging).ended(kind)
                told = Told((*told.replies, *ended.replies), ended.diary, (*told.consents, *ended.consents))
        return told

    def _reach(self, record: Record, *, apart: bool) -> Reach:
        if not self._writes_first:
            return Reach.NEVER
        return Reach.UNOPENED if apart and not (record.placed or record.linked) else Reach.OPEN

    def teaser(self, chosen: tips.Chosen) -> Notice:
        """Return what comes by itself of a tip: it shows the tip only after a tap, and can be stopped with one."""
        number = str(next(n for n, each in enumerate(self._library.tips) if each.id == chosen.tip.id))
        buttons = (
            ("tip", number, self._words("checkins", "buttons", "show")),
            ("end", "1", self._words("checkins", "buttons", "no_tips")),
        )
        version = short_version(self._library.pathway.version)
        choices = (Button(str(Token(version, MENU, 0, act, arg)), label, Role.OTHER) for act, arg, label in buttons)
        return Notice(self._words("checkins", "open", "tip"), tuple(choices))

    def last(self) -> Notice:
        """Return the last message before silence. It says nothing of health, and ends check-ins for good with one tap."""
        version = short_version(self._library.pathway.version)
        ways = (("optin", "again"), ("end", "stop"))
        choices = (
            Button(str(Token(version, MENU, 0, act, "0")), self._words("checkins", "buttons", label), Role.OTHER)
            for act, label in ways
        )
        return Notice(self._words("checkins", "open", "last"), tuple(choices))


class _Turn:
    """What one inbound leads to."""

    def __init__(self, library: Library, here: Here, record: Record, session: Session | None, days: Days) -> None:
        self._library, self._words, self._here, self._days = library, library.words, here, days
        self._record, self._session = record, session
        self._arranging = Arranging(library, here, record.consents)
        self._agreeing = Agreeing(library, here, self._arranging)
        self._telling = Telling(library, here)

    def on_taps(self, texts: Sequence[str]) -> Told | None:
        """Return what several presses lead to, one after the other: only what the last of them shows is said."""
        turn, led = self, Told(())
        for text in sorted(texts, key=_clears):
            told = turn.on_tap(text)
            if told is None:
                return None
            led = replace(told, diary=told.diary or led.diary, consents=(*led.consents, *told.consents))
            here = replace(self._here, diary=led.diary or self._here.diary)
            record = replace(self._record, consents=(*self._record.consents, *led.consents))
            turn = _Turn(self._library, here, record, self._session, self._days)
        return led

    def on_tap(self, text: str) -> Told | None:
        token = read(text)
        if token is not None and len(token.thread) == THREAD:
            return self.on_thread(token)
        return self.on_menu(token) if token is not None and token.thread == MENU else None

    def on_thread(self, token: Token) -> Told:
        asking, follow_up = self._here.diary.asking(token.thread), self._here.diary.follow_up(token.thread)
        if token.act == "stop":
            return self._agreeing.ended("check_ins" if follow_up is None else "follow_up")
        if asking is not None:
            return Answering(self._library, self._here, asking).pressed(token)
        if follow_up is not None:
            return Following(self._library, self._here, follow_up).pressed(token)
        return Told((Notice(self._words("checkins", "over"), fleeting=True),))

    def on_menu(self, token: Token) -> Told | None:
        match token.act:
            case "optin" if token.arg in ("0", "1"):
                return self._agreeing.opened(KINDS[int(token.arg)])
            case "agree":
                return self._agreeing.agreed(token)
            case "end" if token.arg in ("0", "1"):
                return self._agreeing.ended(KINDS[int(token.arg)])
            case "consent" | "give" if (kind := CONSENTS.get(token.arg)) in KINDS:
                # What was agreed to is shown beside all else that was, with one tap that takes it back.
                return None if self._arranging.agreed_to(kind) else self._agreeing.opened(kind)
            case "withdraw" if token.arg in CONSENTS:
                return self._agreeing.ended(CONSENTS[token.arg])
            case "no":
                return Told((Notice(self._words("checkins", "left"), fleeting=True),))
            case "settings":
                return self._arranging.settings()
            case "set":
                return self._arranging.asked(token.arg) or self._agreeing.opened(KINDS[0])
            case "zone" | "quiet" | "days" | "delay" | "plan" | "pause":
                return self._arranging.set(token) or self._agreeing.opened(KINDS[0])
            case "tip" if token.arg.isdigit():
                return self._tip(tips.chosen(self._library, self._here.diary, int(token.arg), self._here.now))
            case "unran":
                return self._telling.unran(token.arg)
            case "follow":
                return self._telling.follow(self._session)
            case "followyes":
                return self._followed(token)
            case _:
                return None

    def command(self, name: str, rest: str) -> Told | None:
        match name:
            case "checkins":
                return self._agreeing.opened("check_ins")
            case "tips":
                return self._agreeing.opened("tips")
            case "settings":
                return self._arranging.settings()
            case "ran":
                agreed = self._arranging.agreed_to("check_ins")
                return self._asked_where(self._telling.ran(rest)) if agreed else self._agreeing.opened("check_ins")
            case "pause":
                return self._pause(rest)
            case "tip":
                return self._tip_for_now()
            case "progress":
                diary, units = self._here.diary, self._here.preferences.units
                return Told((Notice(progress(diary, self._library, units, self._here.now)),))
            case "week":
                return self._week()
            case _:
                return None

    def typed(self, text: str) -> Told | None:
        """Return what a typed answer to the newest open question leads to, where that is one of these."""
        asked: list[Answering | Following] = [Answering(self._library, self._here, a) for a in self._here.diary.askings]
        asked += [Following(self._library, self._here, f) for f in self._here.diary.follow_ups]
        newest = max((one for one in asked if one.open), key=lambda one: one.asked, default=None)
        if (told := self._said_to_offer(text, newest.asked if newest else None)) is not None:
            return told
        waiting, session = self._arranging.waits, self._session
        times = [newest.asked] if newest else []
        times += [session.touched] if session is not None and session.asking is not None else []
        if waiting is not None and all(waiting.since >= time for time in times):
            return self._arranging.typed(text)
        if newest is None or any(time > newest.asked for time in times):
            return None
        meant = newest.typed(text)
        return self.on_thread(meant) if isinstance(meant, Token) else meant

    def _said_to_offer(self, text: str, asked: datetime | None) -> Told | None:
        """Return what words to an offer lead to, where that is the newest open question."""
        offer = self._here.proposal
        if offer is None or self._here.now - offer.at > OPEN_FOR or (asked is not None and asked > offer.at):
            return None
        if offer.kind in KINDS:
            return self._agreeing.said(offer, text)
        told = self._telling.said(offer, text, self._session)
        return None if told is None else self._asked_where(told)

    def _pause(self, rest: str) -> Told:
        asked = self._arranging.asked("pause")
        if asked is None:
            return Told((Notice(self._words("checkins", "nothing_to_pause")),))
        if not rest.strip():
            return asked
        said = typed.plain(rest)
        if said in self._words.list("checkins", "typed", "off"):
            return self._arranging.paused(0)
        days = Spoken(self._words).days(rest)
        if days is None:
            return asked.after(Notice(self._words("checkins", "not_caught_setting"), fleeting=True))
        return self._arranging.paused(days)

    def _tip_for_now(self) -> Told:
        """Return a tip that fits, once an age is known; what was asked for counts among those of the week."""
        here = self._here
        if here.diary.age is None:
            return self._agreeing.opened("tips")
        found = tips.asked_for(self._library, here.diary, here.now)
        given = () if found is None else (Given(found.tip.id, here.now),)
        return replace(self._tip(found), diary=replace(here.diary, tips=(*here.diary.tips, *given)))

    def _tip(self, found: tips.Chosen | None) -> Told:
        text = self._words("checkins", "no_tip") if found is None else tip.told(found, self._library)
        return Told((Notice(text),))

    def _week(self) -> Told:
        here = self._here
        ahead = between(here.diary, here.now, here.now + timedelta(days=7), self._days)
        return Told((Notice(week(here.diary, ahead, self._library, here.preferences.units, here.now)),))

    def _followed(self, token: Token) -> Told:
        older = token.version != short_version(self._library.pathway.version)
        told = self._telling.follow(self._session) if older else self._telling.following(self._session, AGES.get(token.arg))
        return self._asked_where(told)

    def _asked_where(self, told: Told) -> Told:
        if told.diary is None or told.diary.zone_known:
            return told
        return self._arranging.where(told)


def _clears(token: str) -> bool:
    """Return whether a token clears a tick: of something that may not be empty, what is chosen anew is set first."""
    return token.endswith("-")
