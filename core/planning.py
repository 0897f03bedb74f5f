"""What is written to a member first: planned from their diary ahead, and judged anew at the moment of sending. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta

from core import backing_off, consents, followups, tips
from core.checkins import next_step, opened, thread_of, windows
from core.coaching import Coaching
from core.coaching.asked import Asked
from core.coaching.following import Following
from core.coaching.told import Here
from core.dialogue import Reply, from_json
from core.diary import REMEMBERED, Age, Asking, Diary, FollowUp, Given, Origin, Rhythm
from core.diary import from_json as diary_of
from core.diary import to_json as diary_plain
from core.ledger import Delivery, Going, Kind, Owed, Wait
from core.library import Library
from core.occasions import Occasion, Window
from core.organising import may_post
from core.record import Planned, Record, Sent
from core.replies import plain
from core.runs import between
from core.timetable import Timetable
from core.wallclock import day, first_allowed, instant

AHEAD = timedelta(hours=36)
"""How far ahead messages are planned: an evening's run, and the morning after it."""
BEHIND = timedelta(days=2)
"""How far back runs are looked at whose check-ins may still be open."""
AT_LATEST = timedelta(hours=12)
"""After which a diary is looked at again, whatever is in it."""
SOON = timedelta(minutes=1)
"""After a window ends: then it is known that nobody answered."""
CHECK_OPEN = timedelta(minutes=10)
"""How much later a message goes that finds a check open."""
LATE = timedelta(minutes=10)
"""After its time a message is late, such as after an outage."""
APART = timedelta(hours=2)
"""What is late comes so long after the message before it, where its window still allows that."""
LAST_FOR = timedelta(days=1)
TIP_AT, TIP_FOR = time(17), timedelta(hours=3)
"""When a tip comes, by the member's clock: before an evening's run. After that it is worth less."""
OUTCOME = timedelta(minutes=30)
"""After a window: by then what was under way has its outcome."""

CONSENTS = {
    Occasion.CHECKIN: "check_ins",
    Occasion.MORNING: "check_ins",
    Occasion.NUDGE: "check_ins",
    Occasion.LAST: "check_ins",
    Occasion.FOLLOWUP: "follow_up",
    Occasion.TIP: "tips",
}
"""What must have been agreed to for each."""
OF_CLUBS = (Occasion.POSTED, Occasion.OUTAGE)
"""What has to do with a club and nobody's diary."""
ASKED = (Occasion.CHECKIN, Occasion.MORNING, Occasion.NUDGE)
"""The messages of one check-in."""


class Planning:
    """Plans what is written first, and says of each message whether it may go."""

    def __init__(self, library: Library, timetable: Timetable | None = None) -> None:
        self._library, self._words, self._coaching = library, library.words, Coaching(library)
        self._timetable = timetable or Timetable()

    def plan(self, record: Record, sent: Sent, now: datetime) -> Planned:
        """Return what is owed from now on, how the diary goes on, and when to look again; raise UnreadableDiary."""
        if record.diary is None:
            return Planned()
        diary = _waiting_still(_without_history(diary_of(record.diary).since(now - REMEMBERED), now), now)
        owed: list[Owed] = []
        if self._may_ask(record, diary):
            # What never began is not over either: it would count as asked, and once a week is seldom enough.
            diary, last = self._over(_begun(diary, sent), sent, now)
            diary = self._with_askings(diary, now)
            owed += [*last, *(one for asking in diary.askings for one in self._asked(diary, asking, sent, now))]
        if self._may_write(record, diary, Occasion.FOLLOWUP):
            diary = self._followed(diary, now)
            owed += [one for follow_up in diary.follow_ups for one in self._again(record, diary, follow_up, now)]
        if self._may_write(record, diary, Occasion.TIP):
            diary, tip = self._with_tip(_settled(diary, sent, now), now)
            owed += tip
        plain_diary = diary_plain(diary)
        return Planned(owed, None if plain_diary == record.diary else plain_diary, _next_look(diary, owed, now))

    def may(self, record: Record, delivery: Delivery, now: datetime, last: datetime | None = None) -> Going | Wait:
        """Return whether a message may go at this moment: what was agreed to, the member's clock and the diary decide anew.

        Where it is late, so does when the last one went out: after an outage there is one message, and no burst.
        """
        occasion = Occasion(delivery.reply["occasion"])
        if occasion in OF_CLUBS:
            return may_post(delivery, now)
        if record.diary is None:
            return Going.LEAVE
        diary = diary_of(record.diary)
        due = self._due(diary, delivery, occasion, now)
        if due is None or not self._may_write(record, diary, occasion):
            return Going.LEAVE
        next_one = last + APART if last is not None and now - due > LATE else None
        for earliest in (due, diary.paused, next_one, first_allowed(now, diary.quiet, diary.days, diary.zone)):
            if earliest is not None and earliest > now:
                return _later(delivery, earliest)
        return _until_the_check_is_over(delivery, now) if _check_is_open(record, now) else Going.GO

    # ---------------------------------------------------------------- Check-ins

    def _may_ask(self, record: Record, diary: Diary) -> bool:
        return diary.age in {Age.UNDER_18, Age.ADULT} and self._may_write(record, diary, Occasion.CHECKIN)

    def _over(self, diary: Diary, sent: Sent, now: datetime) -> tuple[Diary, tuple[Owed, ...]]:
        """Return the diary without waiting for what nobody answered, and the last message where that is owed."""
        for asking in diary.askings:
            once_more = backing_off.nudge(diary, asking)
            # Not before its window is over: until then it may still be answered.
            if once_more and once_more.until < now and sent(Kind.CHECK_IN, _key(Occasion.NUDGE, asking)):
                diary = diary.with_asking(replace(asking, nudged=True))
        received = {asking.id for asking in diary.askings if asking.closed is None and _went_out(asking, sent)}
        passed = backing_off.passed(diary, now, received)
        if not passed.last:
            return passed.diary, ()
        due = first_allowed(now, diary.quiet, diary.days, diary.zone)
        window = Window(Occasion.LAST, due, due + LAST_FOR)
        key = window.key("", day(due, diary.zone))
        return passed.diary, (_owed(Kind.CHECK_IN, self._coaching.last(), window, key),)

    def _with_askings(self, diary: Diary, now: datetime) -> Diary:
        """Return the diary with a check-in for each run that is to be asked about, as soon as it is near."""
        for run in between(diary, now - BEHIND, now + AHEAD, self._timetable.days):
            if diary.asking(thread_of(run)) is None and backing_off.asks(diary, run):
                planned = windows(diary, run)
                if planned and planned[-1].until >= now:
                    diary = diary.with_asking(opened(diary, run))
        return diary

    def _asked(self, diary: Diary, asking: Asking, sent: Sent, now: datetime) -> Iterator[Owed]:
        """Yield the messages of a check-in that are owed by what was told so far."""
        planned = windows(diary, asking.run)
        once_more = backing_off.nudge(diary, asking)
        # Once it is known that nobody answered in time what went out: until then it may still be answered.
        unanswered = any(w.until < now and sent(Kind.CHECK_IN, _key(w.occasion, asking)) for w in planned)
        for window in (*planned, *([once_more] if once_more and (asking.later or unanswered) else [])):
            yield from self._in_window(diary, asking, window, now)

    def _in_window(self, diary: Diary, asking: Asking, window: Window, now: datetime) -> Iterator[Owed]:
        scale = self._library.checkins.scale
        step = next_step(scale, asking, morning=window.occasion is not Occasion.CHECKIN)
        if step is None or not _near(window, now):
            return
        # A pause that ends within the window only puts it off.
        if not backing_off.wanted(diary, scale, asking, window.occasion, window.until):
            return
        nudge = window.occasion is Occasion.NUDGE
        prompt = Asked(self._library, diary, asking).opening(step, day(window.due, diary.zone), nudge=nudge)
        yield _owed(Kind.CHECK_IN, prompt, window, _key(window.occasion, asking), thread=asking.id)

    # ---------------------------------------------------------------- Follow-ups

    def _followed(self, diary: Diary, now: datetime) -> Diary:
        for follow_up in diary.follow_ups:
            diary = diary.with_follow_up(followups.passed(diary, self._library.checkins, follow_up, now))
        return diary

    def _again(self, record: Record, diary: Diary, follow_up: FollowUp, now: datetime) -> Iterator[Owed]:
        if follow_up.closed is not None:
            return
        here = Here(diary, record.preferences, now, "")
        for number, window in enumerate(followups.windows(diary, self._library.checkins, follow_up)):
            if number == follow_up.asked and _near(window, now):
                prompt = Following(self._library, here, follow_up).opening()
                key = followups.key_of(follow_up, number)
                yield _owed(Kind.CHECK_IN, prompt, window, key, thread=follow_up.id, number=number)

    # ---------------------------------------------------------------- Tips

    def _with_tip(self, diary: Diary, now: datetime) -> tuple[Diary, tuple[Owed, ...]]:
        """Return the diary with the next tip noted as given, and its message, where one fits.

        One that is not due yet is chosen anew, so that it fits what was told since.
        """
        # What went out stays, also where the clock was put back since.
        diary = replace(diary, tips=tuple(given for given in diary.tips if given.at <= now or given.occurrence is None))
        wall = datetime.combine(day(now, diary.zone), TIP_AT)
        due = next(at for at in (instant(wall, diary.zone), instant(wall + timedelta(days=1), diary.zone)) if at > now)
        due = first_allowed(due, diary.quiet, diary.days, diary.zone)
        silent = due > now + AHEAD or backing_off.is_paused(diary, due)
        chosen = None if silent else tips.fitting(self._library, diary, due)
        if chosen is None:
            return diary, ()
        window = Window(Occasion.TIP, due, due + TIP_FOR)
        key = window.key(chosen.tip.id, day(due, diary.zone))
        noted = replace(diary, tips=(*diary.tips, Given(chosen.tip.id, due, key)))
        return noted, (_owed(Kind.TIP, self._coaching.teaser(chosen), window, key),)

    # ---------------------------------------------------------------- At the moment of sending

    def _may_write(self, record: Record, diary: Diary, occasion: Occasion) -> bool:
        """Return whether it was agreed to, and it is known what time it is there."""
        return diary.zone_known and consents.agreed(self._words, record.consents, CONSENTS[occasion])

    def _due(self, diary: Diary, delivery: Delivery, occasion: Occasion, now: datetime) -> datetime | None:
        """Return from when a message may go by what the diary says now; None: it is not wanted any more."""
        thread = str(delivery.reply.get("thread", ""))
        match occasion:
            case Occasion.CHECKIN | Occasion.MORNING | Occasion.NUDGE:
                asking = diary.asking(thread)
                return None if asking is None else self._asking_due(diary, asking, delivery, occasion, now)
            case Occasion.FOLLOWUP:
                follow_up, number = diary.follow_up(thread), int(delivery.reply["number"])
                if follow_up is None or follow_up.closed is not None or follow_up.asked != number:
                    return None
                return followups.windows(diary, self._library.checkins, follow_up)[number].due
            case Occasion.LAST:
                return _since(delivery, LAST_FOR, now) if diary.rhythm is Rhythm.SILENT else None
            case Occasion.TIP:
                chosen = any(given.occurrence == delivery.reply["occurrence"] for given in diary.tips)
                silent = tips.to_be_seen(self._library.checkins.scale, diary, now)
                return _since(delivery, TIP_FOR, now) if chosen and not silent else None
            case Occasion.POSTED | Occasion.OUTAGE:
                return None  # it belongs to a club, which has no diary

    def _asking_due(
        self, diary: Diary, asking: Asking, delivery: Delivery, occasion: Occasion, now: datetime
    ) -> datetime | None:
        # A pause puts it off; whether it is still worth anything then, its window says.
        awake = replace(diary, paused=None)
        window = next((w for w in _windows(diary, asking) if w.occasion is occasion), None)
        if window is None or delivery.reply["occurrence"] != _key(occasion, asking):
            return None
        return window.due if backing_off.wanted(awake, self._library.checkins.scale, asking, occasion, now) else None


def _waiting_still(diary: Diary, now: datetime) -> Diary:
    """Return the diary with its check-ins open which nobody ended, and which were over by a clock that was put back since."""
    ahead = {a.id for a in diary.askings if a.closed is not None and a.closed > now and a.step == 0}
    return replace(diary, askings=tuple(replace(a, closed=None) if a.id in ahead else a for a in diary.askings))


def _begun(diary: Diary, sent: Sent) -> Diary:
    """Return the diary without check-ins that have not begun: they are opened anew, as things are now.

    Of a run that was told the check-in stays, and with it that they ran; whether all is asked as one is settled anew.
    """
    begun = {a.id for a in diary.askings if a.closed or a.touched or a.later or _went_out(a, sent)}
    kept = (
        a if a.id in begun else _settled_anew(diary, a) for a in diary.askings if a.id in begun or a.run.origin is Origin.TOLD
    )
    return replace(diary, askings=tuple(kept))


def _settled_anew(diary: Diary, asking: Asking) -> Asking:
    return replace(asking, together=opened(diary, asking.run).together)


def _went_out(asking: Asking, sent: Sent) -> bool:
    return any(sent(Kind.CHECK_IN, _key(occasion, asking)) for occasion in ASKED)


def _windows(diary: Diary, asking: Asking) -> tuple[Window, ...]:
    once_more = backing_off.nudge(diary, asking)
    return (*windows(diary, asking.run), *((once_more,) if once_more else ()))


def _owed(kind: Kind, reply: Reply, window: Window, key: str, **more: object) -> Owed:
    said = {**plain(reply), "occasion": window.occasion.value, "occurrence": key, **more}
    return Owed(kind, said, window.due, window.until, key)


def _key(occasion: Occasion, asking: Asking) -> str:
    """Return what a message of a check-in is the one and only message for; each time that they ask for it later is one."""
    of = asking.run.id
    if occasion is Occasion.NUDGE and asking.later is not None:
        of = f"{of}@{asking.later:%Y-%m-%dT%H:%MZ}"
    return Window(occasion, asking.run.start, asking.run.end).key(of, asking.day)


def _without_history(diary: Diary, now: datetime) -> Diary:
    """Return the diary of someone under 18 with no more check-ins that are over than it takes to ask of no run twice."""
    if diary.age is not Age.UNDER_18:
        return diary
    since = now - BEHIND - backing_off.WEEK
    return replace(diary, askings=tuple(a for a in diary.askings if a.closed is None or a.run.start >= since))


def _settled(diary: Diary, sent: Sent, now: datetime) -> Diary:
    """Return the diary with the tips that went out, or may have, and those that may still go: others were not given."""
    kept = []
    for given in diary.tips:
        if given.occurrence is None or sent(Kind.TIP, given.occurrence):
            kept.append(replace(given, occurrence=None))
        elif now <= given.at + TIP_FOR + OUTCOME:
            kept.append(given)
    return replace(diary, tips=tuple(kept))


def _near(window: Window, now: datetime) -> bool:
    return window.until >= now and window.due <= now + AHEAD


def _since(delivery: Delivery, lasts: timedelta, now: datetime) -> datetime:
    """Return since when a message is due whose window lasts so long."""
    return now if delivery.until is None else delivery.until - lasts


def _later(delivery: Delivery, until: datetime) -> Going | Wait:
    """Return that a message waits, or that it is left where its window is over by then."""
    return Wait(until) if delivery.until is not None and until <= delivery.until else Going.LEAVE


def _until_the_check_is_over(delivery: Delivery, now: datetime) -> Wait:
    """Return that a message waits a little, but not past the last minute of its window."""
    later = now + CHECK_OPEN
    return Wait(later if delivery.until is None else min(later, max(delivery.until - SOON, now + SOON)))


def _check_is_open(record: Record, now: datetime) -> bool:
    if record.session is None:
        return False
    session = from_json(record.session)
    return session.asking is not None and not session.expired(now)


def _next_look(diary: Diary, owed: list[Owed], now: datetime) -> datetime:
    """Return when something may follow from what was not answered, and soon enough for what comes near."""
    ends = [one.until for one in owed if one.until is not None]
    ends += [window.until for asking in diary.askings if asking.closed is None for window in _windows(diary, asking)]
    ends += [given.at + TIP_FOR + OUTCOME for given in diary.tips if given.occurrence is not None]
    return min((*(end + SOON for end in ends if end + SOON > now), now + AT_LATEST))
