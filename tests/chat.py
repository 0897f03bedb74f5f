"""The conversation driver: tests talk to the bot as a member does, through the one door."""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import count
from typing import Any

from bots import bootstrap
from content import loader
from core.coaching import Coaching
from core.companion import Companion
from core.dialogue import Button, Command, Inbound, Notice, Prompt, Reply, Role, Tap, Text, Verdict
from core.ledger import Delivery, Owed
from core.library import Library
from core.link import Outcome, Step
from core.linking import Linking
from core.members import Address, Preferences
from core.ownership import Ownership
from core.ports import Receipt
from core.record import Change, Erased, Record

PAIRS = ("groin_thigh", "outer_thigh", "buttock_thigh")
"""Lines of the question of place that name two places at once."""
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""A Monday morning."""


@cache
def library() -> Library:
    """Return the shipped content, loaded once."""
    return loader.load()


class JsonRecords:
    """Records that keep JSON text only, so that every turn of every test also proves that a session survives it."""

    def __init__(self, preferences: Preferences | None = None) -> None:
        self.default = preferences or Preferences()
        self.kept: dict[Address, tuple[str | None, Preferences]] = {}

    async def load(self, address: Address) -> Record:
        text, preferences = self.kept.get(address, (None, self.default))
        return Record(None, None if text is None else json.loads(text), preferences)

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...] | None:
        self.kept[address] = (None if change.session is None else json.dumps(change.session), change.preferences)
        return ()

    async def link(
        self, address: Address, step: Step, change: Callable[[Outcome, Record], Change], handled: str | None
    ) -> tuple[Delivery, ...]:
        raise NotImplementedError

    async def owe(self, address: Address, owed: Sequence[Owed], handled: str | None) -> tuple[Delivery, ...] | None:
        return ()

    async def everything(self, address: Address) -> dict[str, Any] | None:
        raise NotImplementedError

    async def messages(self, address: Address) -> tuple[str, ...]:
        raise NotImplementedError

    async def forget(self, address: Address, receipt: Receipt, handled: str | None) -> Erased | None:
        raise NotImplementedError


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def moves(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Chat:
    """One member talking to the bot. `said` holds every reply so far, `last` those of the latest turn."""

    library: Library = field(default_factory=library)
    clock: Clock = field(default_factory=Clock)
    sessions: Any = field(default_factory=JsonRecords)
    address: Address = field(default_factory=lambda: Address("test", "member-1"))
    last: tuple[Reply, ...] = ()
    said: list[Reply] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = count(1)
        ownership = linking = coaching = None
        if not isinstance(self.sessions, JsonRecords):
            ownership = Ownership(self.library, self.sessions, self.clock, bootstrap.signed_off)
            linking = Linking(self.library, ownership, self.clock, secrets.randbits)
            coaching = Coaching(self.library)
        fresh = partial(next, (f"{number:08x}{0:08x}" for number in numbers))
        self.companion = Companion(
            self.library, self.sessions, self.clock, fresh, ownership, linking=linking, coaching=coaching
        )

    async def sends(self, inbound: Inbound) -> tuple[Reply, ...]:
        """Hand an inbound to the bot."""
        self.last = await self.companion.handle(inbound)
        self.said.extend(self.last)
        return self.last

    async def says(self, text: str) -> tuple[Reply, ...]:
        """Type something: a command if it begins with a slash."""
        if text.startswith("/"):
            name, _, rest = text[1:].partition(" ")
            return await self.sends(Command(self.address, name, rest))
        return await self.sends(Text(self.address, text))

    async def taps(self, *labels: str) -> tuple[Reply, ...]:
        """Press the buttons with these labels (or the beginnings of labels), one after the other."""
        for label in labels:
            await self.sends(Tap(self.address, self.button(label).tap))
        return self.last

    async def chooses(self, *ids: str) -> tuple[Reply, ...]:
        """Answer the open question by the ids of its choices, then Done where it takes ticks; without ids, "none"."""
        question = self.library.pathway.by_id[self.prompt.question]
        for id in ids:
            position = next(i for i, c in enumerate(question.choices) if c.id == id)
            await self.sends(Tap(self.address, [b for b in self.prompt.choices if b.role is Role.ANSWER][position].tap))
        if not ids:
            return await self.taps_role(Role.NONE)
        return await self.taps_role(Role.DONE) if question.kind == "many" else self.last

    async def agrees(self, *kinds: str) -> None:
        """Agree to each of these, as someone of age: who is to be written to first is asked for that once."""
        words = self.library.words
        for kind in kinds:
            await self.says("/settings")
            await self.taps(words("ui", "buttons", "consents"), words("privacy", "consents", kind, "name"))
            adult = words("checkins", "ages", "adult")
            asked = any(button.label == adult for button in self._choices)
            await self.taps(adult if asked else words("privacy", "consents", kind, "give"))

    async def taps_role(self, role: Role) -> tuple[Reply, ...]:
        """Press the first button with a role."""
        return await self.sends(Tap(self.address, next(b for b in self._choices if b.role is role).tap))

    async def answers(self, findings: Iterable[str]) -> Verdict:
        """Go through the open check as someone of whom these findings hold, up to the result."""
        holds = frozenset(findings)
        while not any(isinstance(r, Verdict) for r in self.last):
            question = self.library.pathway.by_id[self.prompt.question]
            leads = {c.id: self.library.pathway.leads_to[question.id, c.id] & holds for c in question.choices}
            fits = [id for id, codes in leads.items() if codes]
            if question.kind == "many":
                await self.chooses(*fits)
            else:
                await self.chooses(*self._best(fits, leads))
        return self.verdict

    @staticmethod
    def _best(fits: list[str], leads: Mapping[str, frozenset[str]]) -> list[str]:
        """Return the one line that fits best: the first, but for several places, which is the last line of its screen."""
        several = [id for id in fits if id == "several" and len(leads[id]) > 1]
        most = max((len(leads[id]) for id in fits), default=0)
        best = [id for id in fits if len(leads[id]) == most]
        return best[:1] if not several or best[0] in PAIRS else several

    def button(self, label: str) -> Button:
        """Return the button with this label on the latest screen."""
        exact = [b for b in self._choices if b.label == label]
        starts = [b for b in self._choices if b.label.casefold().startswith(label.casefold())]
        assert exact or starts, f"no button {label!r} among {[b.label for b in self._choices]}"
        return (exact or starts)[0]

    @property
    def prompt(self) -> Prompt:
        """Return the question on the latest screen."""
        return next(r for r in reversed(self.last) if isinstance(r, Prompt))

    @property
    def verdict(self) -> Verdict:
        """Return the result on the latest screen."""
        return next(r for r in reversed(self.last) if isinstance(r, Verdict))

    @property
    def notice(self) -> Notice:
        """Return what was said on the latest turn that waits for nothing."""
        return next(r for r in self.last if isinstance(r, Notice))

    @property
    def text(self) -> str:
        """Return all words of the latest turn."""
        return "\n".join(r.text for r in self.last)

    @property
    def _choices(self) -> tuple[Button, ...]:
        return tuple(b for r in reversed(self.last) for b in r.choices)
