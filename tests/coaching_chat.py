"""A member who talks to the bot about runs: as chat.py has it, with the diary kept as JSON from turn to turn."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime

from chat import Chat
from core import checkins
from core.coaching import Coaching, Proposal, Told
from core.coaching.asked import Asked
from core.dialogue import Inbound, Prompt, Reply, Session, begun, beside, from_json, to_json
from core.diary import Diary, Origin, Run
from core.diary import from_json as diary_from_json
from core.diary import to_json as diary_to_json
from core.members import Preferences
from core.record import Change, Plain, Record


@dataclass
class Runner(Chat):
    """A member whose diary is handed to the coaching, and kept as it comes back."""

    kept: str | None = None
    consents: list[Plain] = field(default_factory=list)
    led: Told | None = None
    reached: bool = True
    """Whether anything that is written first reaches them."""
    apart: bool = False
    """Whether they are elsewhere than in a conversation of their own."""
    proposal: Proposal | None = None
    more: dict[str, bool] = field(default_factory=dict)
    """What is kept about them besides."""

    @property
    def diary(self) -> Diary:
        """The diary as it is kept."""
        return Diary() if self.kept is None else diary_from_json(json.loads(self.kept))

    @diary.setter
    def diary(self, diary: Diary) -> None:
        self.kept = json.dumps(diary_to_json(diary))

    @property
    def session(self) -> Session | None:
        """The open check, as it is kept."""
        text, _ = self.sessions.kept.get(self.address, (None, None))
        return None if text is None else from_json(json.loads(text))

    @property
    def record(self) -> Record:
        """What is kept beside the diary."""
        text, preferences = self.sessions.kept.get(self.address, (None, Preferences()))
        kept = Record("m", None if text is None else json.loads(text), preferences, tuple(self.consents))
        return replace(kept, **self.more)  # type: ignore[arg-type] # flags of it

    async def sends(self, inbound: Inbound) -> tuple[Reply, ...]:
        """Hand an inbound to the coaching first, and to the conversation where it is not about that."""
        fresh = f"{len(self.said):08x}{0:08x}"
        kept = None if self.kept is None else self.diary
        coaching = Coaching(self.library, writes_first=self.reached)
        proposal, self.proposal = self.proposal, None
        self.led = coaching.answer(
            inbound,
            self.record,
            kept,
            self.session,
            now=self.clock(),
            fresh=fresh,
            proposal=proposal,
            apart=self.apart,
        )
        if self.led is None:
            return await super().sends(inbound)
        if self.led.diary is not None:
            self.diary = self.led.diary
        self.consents.extend(self.led.consents)
        self.proposal = self.led.proposes
        self.last = (*await self._beside(self.led, fresh),)
        self.said.extend(self.last)
        return self.last

    async def _beside(self, told: Told, fresh: str) -> tuple[Reply, ...]:
        preferences, now = self.record.preferences, self.clock()
        if told.begins:
            turn = begun(self.library, self.session, preferences, told.given, now=now, fresh=fresh)
            turn = replace(turn, replies=(*told.replies, *turn.replies))
        else:
            turn = beside(self.library, self.session, preferences, told.replies, now=now)
        kept = None if turn.session is None else to_json(turn.session)
        await self.sessions.save(self.address, Change(kept, preferences))
        return turn.replies

    # ---------------------------------------------------------------- What is written first

    def ran(self, at: datetime, origin: Origin = Origin.USUAL) -> None:
        """Have the check-in of a run in the diary, as planning does."""
        run = Run(f"run-{at.isoformat()}", at, origin, minutes=60)
        self.diary = self.diary.with_asking(checkins.opened(self.diary, run))

    def asked(self, *, nudge: bool = False) -> Prompt:
        """Move to the next occurrence of the newest check-in, and receive its message."""
        asking = self.diary.askings[-1]
        due = [w.due for w in checkins.windows(self.diary, asking.run) if w.due > self.clock.at]
        self.clock.at = due[0]
        step = checkins.next_step(self.library.checkins.scale, asking, morning=len(due) == 1)
        assert step
        prompt = Asked(self.library, self.diary, asking).opening(step, self.clock.at.date(), nudge=nudge)
        self.receives(prompt)
        return prompt

    def receives(self, *replies: Reply) -> None:
        """Receive something that was written first."""
        self.last = replies
        self.said.extend(replies)
