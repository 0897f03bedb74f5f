"""Journeys: whole conversations as plain text, for a clinician to read and for the tests to replay.

A line that begins with "> " is what the member does; all else is what they see. `[ ]` takes ticks, `( )` takes one tap. Buttons
that only lead about (Back, Why?, Done) are left out, and a screen that a tick draws again shows what is now ticked.

    > says: /hip                        typed, or a command
    > taps: Groin or front of hip       a button on the latest screen
    > scrolls up and taps: Done         a button further up, perhaps an old one
    > waits: 25 hours

A journey file alone is replayed. To write one down by hand, type its steps and let `UPDATE_JOURNEYS=1 pytest
tests/test_journeys.py` fill in the replies. That command also writes the files of SCRIPTED anew, from the scripts below.
"""

import json
import shutil
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from chat import START, Chat, JsonSessions, library
from core.clinical import Findings, Kind, Question
from core.companion import Companion
from core.dialogue import Inbound, Notice, Prompt, Reply, Role, Session, Tap, Text, Verdict, from_json
from core.dialogue.flow import findings_of
from core.dialogue.turn import Button
from core.library import Library
from core.patient import play

ROOT = Path(__file__).parent / "journeys"
SHOWN = (Role.ANSWER, Role.NONE, Role.NOT_SURE, Role.CONFIRM)
STEP = "> "


@dataclass
class Member(Chat):
    """A member whose conversation is written down as it goes."""

    written: list[str] = field(default_factory=list)
    """One text for each step: what the member did, and what they saw."""

    def __post_init__(self) -> None:
        # From what was said so far, so that a member restored half-way is given the same ids as one who was not.
        self.companion = Companion(self.library, self.sessions, self.clock, lambda: f"{len(self.said):016x}")

    def restored(self, changed: Library | None = None) -> "Member":
        """Return this member after a restart: the store as it was kept, all else anew, perhaps with changed content."""
        sessions = JsonSessions()
        sessions.kept = dict(self.sessions.kept)
        return replace(
            self,
            library=changed or self.library,
            clock=replace(self.clock),
            sessions=sessions,
            said=list(self.said),
            written=list(self.written),
        )

    async def does(self, step: str) -> None:
        """Take one step of a journey file."""
        verb, _, what = step.partition(": ")
        match verb:
            case "says":
                await self.says(what)
            case "taps":
                await self.taps(what)
            case "scrolls up and taps":
                await self.sends(Tap(self.address, self.above(what).tap))
            case "waits":
                self.waits(int(what.removesuffix(" hours")))
            case _:
                raise ValueError(f"a journey has no step {step!r}")

    async def sends(self, inbound: Inbound) -> tuple[Reply, ...]:
        """Hand an inbound to the bot, and write down what came of it."""
        did, before = self._did(inbound), self.last
        replies = await super().sends(inbound)
        self.written.append(f"{STEP}{did}\n{self._seen(before)}")
        return replies

    async def presses(self, *keys: str) -> tuple[Reply, ...]:
        """Press the buttons with these keys of `ui.buttons`, further up where the latest screen has none such."""
        for key in keys:
            label = self.library.words("ui", "buttons", key)
            button = next((b for b in self._choices if b.label == label), None) or self.above(label)
            await self.sends(Tap(self.address, button.tap))
        return self.last

    def waits(self, hours: int) -> None:
        """Let some time go by."""
        self.clock.moves(hours=hours)
        self.written.append(f"{STEP}waits: {hours} hours")

    def above(self, label: str) -> Button:
        """Return the newest button with this label that is not on the latest screen."""
        earlier = self.said[: len(self.said) - len(self.last)]
        return next(b for r in reversed(earlier) for b in r.choices if b.label == label)

    @property
    def session(self) -> Session | None:
        """Return the open check, as it was kept."""
        text, _ = self.sessions.kept.get(self.address, (None, None))
        return None if text is None else from_json(json.loads(text))

    @property
    def told(self) -> Findings:
        """Return every finding that the open check has established."""
        return findings_of(self.library, self.session) if self.session else frozenset()

    def _did(self, inbound: Inbound) -> str:
        match inbound:
            case Text(text=text):
                return f"says: {text}"
            case Tap(token=token):
                return self._tapped(token)
            case _:
                return f"says: {f'/{inbound.name} {inbound.rest}'.rstrip()}"

    def _tapped(self, token: str) -> str:
        if label := next((b.label for b in self._choices if b.tap == token), None):
            assert self.button(label).tap == token, f"two buttons say {label!r}"
            return f"taps: {label}"
        label = next(b.label for r in reversed(self.said) for b in r.choices if b.tap == token)
        assert self.above(label).tap == token, f"a newer button says {label!r}"
        return f"scrolls up and taps: {label}"

    def _seen(self, before: Sequence[Reply]) -> str:
        if len(self.last) == 1 and before and _only_ticks_changed(before[-1], self.last[0]):
            return "\n".join([_box(b) for b in self.last[0].choices if b.ticked] or ["  nothing is ticked"])
        # The version is a hash of the content: it would say that something changed, never what.
        return "\n\n".join(drawn(r) for r in self.last).replace(self.library.pathway.version, "<version>")


def drawn(reply: Reply) -> str:
    """Return a reply as a journey shows it: its words, then the answers it takes."""
    head = []
    if isinstance(reply, Verdict):
        head.append(f"== {reply.urgency.value}: {', '.join(reply.conditions) or 'no pattern'}")
    return "\n".join((*head, reply.text, *(_box(b) for b in reply.choices if b.role in SHOWN)))


def _box(button: Button) -> str:
    box = "( )" if button.ticked is None else "[x]" if button.ticked else "[ ]"
    return f"  {box} {button.label}"


def _only_ticks_changed(before: Reply, now: Reply) -> bool:
    return (
        isinstance(before, Prompt)
        and isinstance(now, Prompt)
        and before.text == now.text
        and any(b.ticked is not None for b in now.choices)
        and [b.label for b in before.choices] == [b.label for b in now.choices]
    )


# Files


def paths() -> list[Path]:
    """Return every journey file."""
    return sorted(ROOT.rglob("*.txt"))


def name_of(path: Path) -> str:
    """Return a journey's name, such as `red_flags/saddle_numb`."""
    return path.relative_to(ROOT).with_suffix("").as_posix()


@cache
def steps(path: Path) -> tuple[str, ...]:
    """Return what the member does in a journey file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(line.removeprefix(STEP) for line in lines if line.startswith(STEP))


async def replayed(path: Path) -> Member:
    """Return the member of a journey file after its last step."""
    member = Member()
    for step in steps(path):
        await member.does(step)
    return member


def title_of(path: Path) -> str:
    """Return the first line of a journey file, which says what it shows."""
    return path.read_text(encoding="utf-8").partition("\n")[0]


def text_of(title: str, member: Member) -> str:
    """Return a journey file."""
    return "\n\n".join((title, *member.written)) + "\n"


async def write_anew() -> None:
    """Write every journey file from its script, or from its own steps where it was written by hand."""
    for folder in SCRIPTED:
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    by_hand = paths()
    for name, script in scripts().items():
        member = Member()
        await script.plays(member)
        path = ROOT / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(f"# {script.title}", member), encoding="utf-8")
    for path in by_hand:
        path.write_text(text_of(title_of(path), await replayed(path)), encoding="utf-8")
    steps.cache_clear()
