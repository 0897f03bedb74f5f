"""Journeys with messages that come by themselves: as journey.py has them, with a step more.

    > receives: the next message       the clock moves to it; a line above it says when

The files are in tests/journeys_coached. `UPDATE_JOURNEYS=1 pytest tests/test_coached.py` fills the replies in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from coaching_chat import Runner
from core import backing_off, checkins, followups
from core.coaching import Coaching
from core.coaching.asked import Asked
from core.coaching.following import Following
from core.coaching.told import Here
from core.dialogue import Prompt, Reply
from core.diary import Asking
from core.occasions import Occasion, Window
from core.runs import between
from core.wallclock import day, local
from journey import STEP, Member, drawn

ROOT = Path(__file__).parent / "journeys_coached"
AHEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Coming:
    """A message to come."""

    window: Window
    of: Asking | str


@dataclass
class Coached(Member, Runner):
    """A member who is written to, in the simplest way that keeps to what the core says."""

    received: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)

    async def does(self, step: str) -> None:
        """Take one step of a journey file."""
        if not step.startswith("receives"):
            await super().does(step)
            if self.session is not None and self.said:
                self._offers()
            return
        reply = self._next()
        self.receives(reply)
        at = local(self.clock.at, self.diary.zone)
        self.written.append(f"{STEP}{step}\n({at:%A %H:%M})\n{drawn(reply)}")

    def _offers(self) -> None:
        here = self.record
        shown = Coaching(self.library).offered(self.last, here, self.diary, self.session, now=self.clock())
        self.said[-len(self.last) :] = shown
        self.last = shown

    def _next(self) -> Reply:
        silent = self._past()
        if silent:
            return Coaching(self.library).last()
        coming = min(self._coming(), key=lambda one: one.window.due)
        self.clock.at = coming.window.due
        self.sent.add(self._key(coming))
        return self._drawn(coming)

    def _past(self) -> bool:
        """Move on to the next message, and return whether by then the last one is owed instead."""
        due = min((one.window.due for one in self._coming()), default=self.clock.at + timedelta(days=3))
        passed = backing_off.passed(self.diary, due, self.received)
        self.diary = passed.diary
        if passed.last:
            self.clock.at = due
        return passed.last

    def _coming(self) -> Iterator[Coming]:
        diary, scale, now = self.diary, self.library.checkins.scale, self.clock.at
        known = {asking.run.id for asking in diary.askings}
        planned = [r for r in between(diary, now - timedelta(days=2), now + AHEAD) if r.id not in known]
        askings = [a for a in diary.askings if a.closed is None]
        askings += [checkins.opened(diary, run) for run in planned if backing_off.asks(diary, run)]
        for asking in askings:
            nudge = backing_off.nudge(diary, asking)
            for window in (*checkins.windows(diary, asking.run), *((nudge,) if nudge and asking.id in self.received else ())):
                one = Coming(window, asking)
                wanted = backing_off.wanted(diary, scale, asking, window.occasion, window.due)
                if wanted and window.due > now and self._key(one) not in self.sent:
                    yield one
        for follow_up in diary.follow_ups:
            for window in followups.windows(diary, self.library.checkins, follow_up)[follow_up.asked :]:
                if follow_up.closed is None and window.due > now:
                    yield Coming(window, follow_up.id)

    def _drawn(self, coming: Coming) -> Prompt:
        if isinstance(coming.of, str):
            follow_up = self.diary.follow_up(coming.of)
            assert follow_up
            return Following(self.library, Here(self.diary, self.record.preferences, self.clock.at, ""), follow_up).opening()
        nudge = coming.window.occasion is Occasion.NUDGE
        asking = replace(coming.of, nudged=coming.of.nudged or nudge)
        self.diary = self.diary.with_asking(asking)
        self.received.add(asking.id)
        morning = coming.window.occasion is not Occasion.CHECKIN
        step = checkins.next_step(self.library.checkins.scale, asking, morning=morning)
        assert step
        return Asked(self.library, self.diary, asking).opening(step, day(self.clock.at, self.diary.zone), nudge=nudge)

    @staticmethod
    def _key(coming: Coming) -> str:
        of = coming.of
        return coming.window.key(of if isinstance(of, str) else of.run.id, coming.window.due.date())


def paths() -> list[Path]:
    """Return every journey of someone who is written to."""
    return sorted(ROOT.glob("*.txt"))


def read(path: Path) -> str:
    """Return the text of a journey file."""
    return path.read_text(encoding="utf-8")


def write(path: Path, text: str) -> None:
    """Write a journey file."""
    path.write_text(text, encoding="utf-8")


async def replayed(text: str) -> str:
    """Return a journey as it goes now, from its title and its steps."""
    title, *lines = text.splitlines()
    member = Coached()
    for line in lines:
        if line.startswith(STEP):
            await member.does(line.removeprefix(STEP))
    return "\n\n".join((title, *member.written)) + "\n"
