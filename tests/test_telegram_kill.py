"""Hipwise on Telegram, killed hard at any step, again and again, loses nothing and does nothing twice.

The Bot API of the tests lives on, and hands over again what was not confirmed. On it members each play a part that was
rehearsed there without any kill: they do the next thing once they were told all that they were told then. So whatever is
lost stops them, and whatever is done twice says something else.
"""

import asyncio
import contextlib
import os
import signal
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot_api import BotApi, Member, Message, Request
from bot_api.updates import FIRST_ID
from bots import bootstrap
from bots.telegram.updates import PLATFORM
from chat import library
from core.ledger import ATTEMPTS, REPEATS, Kind, Repeat
from core.members import Address
from core.storage import Store
from core.storage.book import Book
from core.vault import KeyRing
from killed import RING, Account, World, kept_of, left_of_the_erased, proved, world
from mortal import UNHARMED, Hipwise
from mortal_telegram import hipwise
from small_bot import STEPS
from small_platform import Action, Press

MEMBERS = 6
AT_ONCE = 2
"""Processes that run at the same time."""
SCRIPT = "mortal_telegram.py"
WORDS = library().words
MARK = WORDS("platform", "may_repeat")
DONE, NONE = WORDS("ui", "buttons", "done"), WORDS("questions", "body", "none")
TICKED, EMPTY = "\u2611", "\u2610"

pytestmark = pytest.mark.prove


# ---------------------------------------------------------------- What members are told


@dataclass(frozen=True, slots=True)
class Told:
    """A message as a member sees it."""

    kind: Kind
    text: str
    labels: tuple[str, ...]
    passing: bool = field(default=False, compare=False)
    """Whether it may be left out, as a screen is that the answer to a later press takes the place of."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a member does at once, and what they were told then."""

    actions: tuple[Action, ...]
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What a member plays, and what is kept about them in the end: None where they had it all erased."""

    name: str
    steps: tuple[Step, ...]
    kept: Any


@dataclass(frozen=True, slots=True)
class Sent:
    """A request by which a delivery was sent, or its message changed or deleted."""

    delivery: str
    told: Told
    message: Message
    marked: bool
    """Whether it says that it may be a repeat."""
    meant_to_be: bool
    """Whether it was claimed as one that has to."""
    edits: bool
    new: bool
    """Whether it was not there before in the same words."""


def sent_by(api: BotApi, request: Request) -> Sent | None:
    """Return what a request has sent; None where it sent nothing."""
    about = request.params
    unchanged = request.code == 400 and "not modified" in request.answer["description"]
    gone = request.method == "deletemessage" and request.code == 400
    if (
        not about.text("delivery")
        or request.method == "editmessagereplymarkup"
        or not (request.code == 200 or unchanged or gone)
    ):
        return None
    result = request.answer.get("result")
    id = result["message_id"] if isinstance(result, dict) else about.number("message_id")
    message = api.world.chats[about.chat() or 0].messages[id]
    text, kind = message.text.removeprefix(f"{MARK}\n\n"), Kind(about.text("kind"))
    return Sent(
        about.text("delivery"),
        Told(kind, text, message.labels, about.text("screen") == "True"),
        message,
        text != message.text,
        about.text("marked") == "True",
        about.text("edits") == "True",
        request.code == 200,
    )


def does(phone: Member, actions: Sequence[Action]) -> Iterator[None]:
    """Do something, an action at each step of this; the buttons are those that were there before."""
    found = [None if isinstance(action, str) else _button(phone, action.label) for action in actions]
    for action, button in zip(actions, found, strict=True):
        if isinstance(action, str):
            phone.says(action)
        elif button is not None:
            phone.forges(*button)
        yield


def _button(phone: Member, label: str) -> tuple[Message, str]:
    """Return the newest button with this label: its message, and what it carries."""
    return next((m, b.data) for m in reversed(phone.heard) for b in m.content.buttons if b.label == label and b.data)


# ---------------------------------------------------------------- The parts


class Stage:
    """Where a part is rehearsed: the same program, within this process, and nobody is killed."""

    def __init__(self, api: BotApi, runs: Hipwise, phone: Member) -> None:
        self.api, self.runs, self.phone = api, runs, phone
        self.steps: list[Step] = []
        self._read = 0

    async def does(self, *actions: Action) -> None:
        """Do something, and note what is said to it. What is done at once is done one by one here, so that all is said."""
        told: list[Told] = []
        for number, _ in enumerate(does(self.phone, actions), start=1):
            await self.api.until(lambda: not self.api.waiting)
            await self.runs.settles()
            joins = isinstance(actions[number - 1], Press) and number < len(actions)
            told += [replace(one, passing=one.passing and joins) for one in self._news()]
        self.steps.append(Step(actions, tuple(told)))

    def _news(self) -> list[Told]:
        requests, self._read = self.api.requests[self._read :], len(self.api.requests)
        return [s.told for r in requests if (s := sent_by(self.api, r)) and s.told.kind is not Kind.DELETION]

    async def checks(self, *answers: str, at_most: int = 99) -> None:
        """Go through a check with what has these words ticked or pressed, up to the result or so many presses."""
        await self.does("/hip")
        for _ in range(at_most):
            if self.steps[-1].told[-1].kind is not Kind.QUESTION:
                return
            await self.does(Press(_next(self.phone.last.labels, answers)))

    async def agrees(self, kind: str) -> None:
        """Agree to something."""
        name = WORDS("privacy", "consents", kind, "name")
        await self.does("/privacy")
        await self.does(Press(WORDS("ui", "buttons", "consents")))
        await self.does(Press(WORDS("privacy", "consent_off", name=name)))
        await self.does(Press(WORDS("privacy", "consents", kind, "give")))


def _next(labels: Sequence[str], answers: Sequence[str]) -> str:
    """Return what to press: what has one of these words, then Done; else none of these, else whatever comes first."""
    wanted = [label for label in labels if any(words in label for words in answers) and not label.startswith(TICKED)]
    ticked = any(label.startswith(TICKED) for label in labels)
    ways = [*wanted, *(label for label in labels if label == DONE and ticked), *(label for label in labels if label == NONE)]
    return next(iter(ways), labels[0].replace(TICKED, EMPTY))


async def looks_back(stage: Stage) -> None:
    """Agree to a history, come to a result, look at what is kept, and take a copy of it."""
    await stage.agrees("history")
    await stage.checks("18", "Groin or front", "weeks")
    await stage.does("/why")
    await stage.does("/mydata")
    await stage.does(Press(WORDS("privacy", "mydata", "export_json")))


async def forgets(stage: Stage) -> None:
    """Have all of it erased in the middle of a check, our messages too, and go."""
    await stage.agrees("history")
    await stage.checks("Limping", at_most=4)
    await stage.does("/forget")
    await stage.does(Press(WORDS("privacy", "forget", "messages")))


async def comes_back(stage: Stage) -> None:
    """Have all of it erased after a result, and begin anew."""
    await stage.agrees("check_ins")
    await stage.checks("Breathless", "chest")
    await stage.does("/forget")
    await stage.does(Press(WORDS("privacy", "forget", "yes")))
    await stage.agrees("history")
    await stage.checks("45", "Outer", "days")


async def hurries(stage: Stage) -> None:
    """Press and type without waiting for an answer; what is done in another order, or twice, comes to something else."""
    await stage.agrees("check_ins")
    await stage.does("/hip")
    await stage.does(*(Press(label) for label in stage.phone.last.labels[2::-1]))
    await stage.does(Press(DONE), Press(DONE), "hello?")
    await stage.does("/stop", "/hip")
    await stage.does(Press(NONE), "why", "/stop")


PARTS = (looks_back, forgets, comes_back, hurries)


async def rehearsed(folder: Path) -> tuple[Part, ...]:
    """Return every part, as it goes where nobody is killed."""
    parts = []
    for number, part in enumerate(PARTS):
        (folder / part.__name__).mkdir()
        async with (
            BotApi() as api,
            hipwise(folder / part.__name__, KeyRing.parse(RING), UNHARMED, library(), api=api.url) as runs,
        ):
            stage = Stage(api, runs, api.private(api.user(number + 1, "Anna")))
            await part(stage)
            kept = await kept_of(runs.store, Address(PLATFORM, str(stage.phone.chat.id)))
            parts.append(Part(part.__name__, tuple(stage.steps), kept))
    return tuple(parts)


# ---------------------------------------------------------------- Members


@dataclass
class Player:
    """Someone who does the next thing once they were told all that they were told in the rehearsal."""

    phone: Member
    part: Part
    heard: dict[str, Told] = field(default_factory=dict)
    """Each delivery, once, in the order in which they came."""
    step: int = -1
    awaited: list[Told] = field(default_factory=list)
    """What they are still to be told in this step."""
    otherwise: list[Told] = field(default_factory=list)
    """What they were not told in the rehearsal, or not then."""

    @property
    def done(self) -> bool:
        """Whether they did all that they were to do and were told all that they were to be told."""
        return self.step == len(self.part.steps)

    def goes_on(self) -> None:
        """Do the next thing."""
        self.step += 1
        if not self.done:
            step = self.part.steps[self.step]
            self.awaited = list(step.told)
            for _ in does(self.phone, step.actions):
                pass

    def sees(self, sent: Sent) -> None:
        """Take in a message, and go on if it was the last that was waited for; a repeat brings nothing new."""
        if sent.told.kind is Kind.DELETION or sent.delivery in self.heard:
            return
        self.heard[sent.delivery] = sent.told
        left = self.awaited
        while left and left[0] != sent.told and left[0].passing:
            left = left[1:]
        if not left or left[0] != sent.told:
            self.otherwise.append(sent.told)
            return
        self.awaited = left[1:]
        if not self.awaited:
            self.goes_on()


class Crowd(BotApi):
    """A Bot API with members on it, so many at a time until it is closing. It kills whoever asks for that before it answers."""

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__()
        self._parts = parts
        self.players: dict[int, Player] = {}
        self.sent: list[Sent] = []
        self.closing = False
        self._come()

    @property
    def updates(self) -> int:
        """How many there have been."""
        return self.world.updates.next_id - FIRST_ID

    @property
    def done(self) -> bool:
        """Whether nobody has anything left to do, or to be told, and everything was acknowledged."""
        return self.closing and not self.waiting and all(player.done for player in self.players.values())

    @property
    def deliveries(self) -> dict[str, list[Sent]]:
        """How often and in which form each delivery came, the first to come first."""
        found: defaultdict[str, list[Sent]] = defaultdict(list)
        for sent in self.sent:
            found[sent.delivery].append(sent)
        return dict(found)

    async def is_awake(self) -> None:
        """Leave it at that: Telegram hands over again what was not acknowledged."""

    async def is_dead(self, folder: Path) -> None:
        """Leave it at that."""

    def stuck(self) -> Iterator[str]:
        """Yield who waits, and for what."""
        for player in self.players.values():
            if not player.done or player.otherwise:
                waits = [(told.kind, told.text[:40]) for told in player.awaited]
                heard = [(told.kind, told.text[:40]) for told in player.heard.values()]
                yield f"\n{player.phone.chat.id} {player.part.name} step {player.step}: {waits}, last {heard[-2:]}"

    async def _do(self, request: Request, token: str) -> None:
        pid = request.params.number("kill")
        if pid and request.method == "getupdates":
            self.world.updates.take(request.params.number("offset"), 0, self.world.now())
        else:
            await super()._do(request, token)
            self._taken(request)
        if pid and request.code in (200, None):
            with contextlib.suppress(ProcessLookupError):  # two of its requests were on their way
                os.kill(pid, signal.SIGKILL)

    def _taken(self, request: Request) -> None:
        if (sent := sent_by(self, request)) is not None:
            self.sent.append(sent)
            self.players[request.chat or 0].sees(sent)
            self._come()

    def _come(self) -> None:
        while not self.closing and sum(not p.done for p in self.players.values()) < MEMBERS:
            number = len(self.players)
            phone = self.private(self.user(1000 + number, f"Member {number}"))
            player = self.players[phone.chat.id] = Player(phone, self._parts[number % len(self._parts)])
            player.goes_on()
            self.inject({"message": {"chat": {"id": phone.chat.id, "type": "private"}, "from": number}})


# ---------------------------------------------------------------- What must hold


async def accounted(world: World, crowd: Crowd) -> Account:
    """Return what happened, held against what was rehearsed and against what is on disk."""
    deliveries = crowd.deliveries
    faults = [fault for player in crowd.players.values() for fault in told_otherwise(player)]
    faults += [fault for copies in deliveries.values() for fault in repeated_wrongly(copies)]
    faults += [fault for copies in deliveries.values() for fault in seen_still(crowd, copies)]
    faults += [line for line in (world.folder / "log").read_text().splitlines() if "update.unreadable" not in line]
    async with Store(world.folder / "hipwise.db", KeyRing.parse(RING), bootstrap.now, expected=True) as store:
        faults += await wrong_on_disk(store, crowd)
        members = await store._read(lambda book: frozenset(id for (id,) in book.all("SELECT id FROM members")))
        faults += left_of_the_erased(members, world.folder)
    return Account(
        world.step,
        world.kills,
        len(crowd.players),
        crowd.updates,
        len(deliveries),
        sum(len(copies) > 1 for copies in deliveries.values()),
        sum(any(sent.marked for sent in copies) for copies in deliveries.values()),
        tuple(faults),
    )


def told_otherwise(player: Player) -> Iterator[str]:
    """Yield where someone was told something else than in the rehearsal, or sees what they had deleted."""
    who = f"{player.phone.chat.id} {player.part.name}"
    for told in player.otherwise:
        yield f"{who} was told {told}"
    if not player.done:
        yield f"{who} was not told {player.awaited}"


def seen_still(crowd: Crowd, copies: Sequence[Sent]) -> Iterator[str]:
    """Yield what someone sees who had our messages deleted.

    Of what came twice, nobody knows of the first; and what they were asked last may still have been in flight.
    """
    sent = copies[0]
    forgotten = crowd.players[sent.message.chat.id].part.name == forgets.__name__
    in_flight = sent.told.text.startswith(WORDS("privacy", "forget", "ask")) or len(copies) > 1
    if forgotten and not (in_flight or sent.message.deleted or sent.told.kind is Kind.RECEIPT):
        yield f"{sent.told} is still there"


def repeated_wrongly(copies: Sequence[Sent]) -> Iterator[str]:
    """Yield what is wrong with how often, and in which form, one delivery came."""
    first, *more = copies
    repeat = REPEATS[first.told.kind]
    if not first.edits and len(copies) > (1 if repeat is Repeat.NEVER else ATTEMPTS):
        yield f"{first.told.kind} came {len(copies)} times"
    for again in more:
        if again.told != first.told:
            yield f"{again.told} repeats {first.told}"
        if again.marked != _needs_a_mark(again):
            yield f"a repeated {again.told.kind} is marked: {again.marked}"
    # One that was never taken may have been, for all that Hipwise knows.
    if first.marked != first.meant_to_be or (first.marked and not _needs_a_mark(first)):
        yield f"{first.told.kind} is marked: {first.marked}"


def _needs_a_mark(sent: Sent) -> bool:
    return REPEATS[sent.told.kind] is Repeat.ONCE_MORE_MARKED and not sent.edits


async def wrong_on_disk(store: Store, crowd: Crowd) -> list[str]:
    """Return what the store says otherwise than what members did and were told."""
    faults = []
    for player in crowd.players.values():
        kept = await kept_of(store, Address(PLATFORM, str(player.phone.chat.id)))
        if kept != player.part.kept:
            faults.append(f"{player.phone.chat.id} {player.part.name}: {kept} is kept and not {player.part.kept}")

    def counted(book: Book) -> dict[str, int]:
        return {
            "updates": book.count("SELECT COUNT(*) FROM inbox"),
            "waiting": book.count("SELECT COUNT(*) FROM inbox WHERE state = 'waiting'"),
            "aside": book.count("SELECT COUNT(*) FROM inbox WHERE state = 'set_aside'"),
            "senders": book.count("SELECT COUNT(*) FROM inbox WHERE sender_digest IS NOT NULL"),
            "unsent": book.count("SELECT COUNT(*) FROM outbox WHERE state NOT IN ('sent', 'skipped')"),
            "members": book.count("SELECT COUNT(*) FROM members"),
            "addresses": book.count("SELECT COUNT(*) FROM addresses"),
            "keys": book.count("SELECT COUNT(*) FROM keys"),
            "receipts": book.count("SELECT COUNT(*) FROM receipts"),
        }

    living = sum(player.part.kept is not None for player in crowd.players.values())
    expected = {
        "updates": crowd.updates,
        "waiting": 0,
        "aside": len(crowd.players),  # each brought one that nothing can be made of
        "senders": 0,
        "unsent": 0,
        "members": living,
        "addresses": living,
        "keys": living + 1,
        "receipts": 0,
    }
    counts = await store._read(counted)
    faults += [f"{name}: {counts[name]}, not {number}" for name, number in expected.items() if counts[name] != number]
    tallies = await store.tallies()
    # Unknown: in flight when its member was erased; it was sent, and nobody was left to note it.
    came = tallies.sent + tallies.unknown
    if not tallies.conserved or came + tallies.skipped != tallies.planned or came != len(crowd.deliveries):
        faults.append(f"{tallies} for {len(crowd.deliveries)} deliveries")
    return faults


# ---------------------------------------------------------------- The proof


async def test_a_process_killed_hard_at_any_step_on_telegram_loses_nothing_and_does_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts, turn = await rehearsed(tmp_path), asyncio.Semaphore(AT_ONCE)

    async def killed(step: str) -> Account:
        async with turn, Crowd(parts) as crowd, world(step, tmp_path, SCRIPT, crowd, MORTAL_API=crowd.url) as here:
            await here.lives()
            return await accounted(here, crowd)

    accounts = await asyncio.gather(*(killed(step) for step in STEPS))

    proved(accounts, STEPS, capsys)
    assert sum(account.repeated for account in accounts) > 0
    assert sum(account.marked for account in accounts) > 0
