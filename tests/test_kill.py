"""A process that is killed hard at any step, again and again, loses nothing and does nothing twice.

Members of the small platform each play a part that was rehearsed without any kill: they do the next thing once they were
told all that they were told then. So whatever is lost stops them, and whatever is done twice says something else.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bots import bootstrap
from chat import library
from core import replies
from core.companion import Companion
from core.dialogue import Command, Inbound, Reply, Tap, Text, Verdict
from core.ledger import Delivery, Kind
from core.members import Address
from core.outreach import Outreach
from core.ownership import Ownership
from core.patient import press
from core.storage import Store, StoreRecords
from core.storage.book import Book
from core.vault import KeyRing
from killed import LIFE, RING, Account, kept_of, left_of_the_erased, proved, turns
from small_bot import PLATFORM, STEPS, Owing
from small_platform import Action, Member, Part, Press, Said, Sent, SmallPlatform, Step

MEMBERS = 6
AT_ONCE = 3
"""Processes that run at the same time."""
WORDS = library().words

pytestmark = pytest.mark.prove


# ---------------------------------------------------------------- The parts


class Stage:
    """Where a part is rehearsed: the same program and store, within this process, and nobody is killed."""

    def __init__(self, store: Store, here: Address) -> None:
        records = StoreRecords(store)
        ownership = Ownership(library(), records, bootstrap.now, bootstrap.signed_off)
        self.companion = Companion(library(), records, bootstrap.now, bootstrap.fresh_id, ownership)
        self.outreach = Outreach(store, {here.platform: self}, bootstrap.now)
        self.store, self.here = store, here
        self.steps: list[Step] = []
        self.screens: list[Reply] = []
        self._count = 0

    async def send(self, delivery: Delivery) -> str | None:
        """Take whatever is sent."""
        self._count += 1
        return delivery.edits or str(self._count)

    async def does(self, *actions: Action) -> tuple[Reply, ...]:
        """Do something, all of it at once, and return what is said to it."""
        said: list[Reply] = []
        for inbound in [self._inbound(action) for action in actions]:
            row = await self.store.receive(PLATFORM, os.urandom(8).hex(), b"...", self.here)
            answer = await self.companion.answer(inbound, Owing(None), row)
            self.outreach.send(answer.deliveries)
            await self.outreach.done()
            said += answer.replies
        self.screens += said
        erased = any(r.text.startswith(WORDS("privacy", "forget", "receipt_head")) for r in said)
        self.steps.append(Step(actions, tuple(_as_seen(r, receipt=erased) for r in said)))
        return tuple(said)

    async def checks(self, *findings: str, at_most: int = 99) -> None:
        """Go through a check as someone of whom these findings hold, up to the result or so many presses."""
        said = await self.does("/hip")
        for _ in range(at_most):
            if any(isinstance(r, Verdict) for r in said):
                return
            button = press(said[-1].choices, frozenset(findings))
            assert button is not None
            said = await self.does(Press(button.label))

    async def agrees(self, kind: str) -> None:
        """Agree to something."""
        await self.does("/privacy")
        await self.does(Press(WORDS("ui", "buttons", "consents")))
        await self.does(Press(WORDS("privacy", "consent_off", name=WORDS("privacy", "consents", kind, "name"))))
        await self.does(Press(WORDS("privacy", "consents", kind, "give")))

    def _inbound(self, action: Action) -> Inbound:
        if isinstance(action, Press):
            screens = (b for r in reversed(self.screens) for b in r.choices)
            return Tap(self.here, next(b.tap for b in screens if b.label == action.label))
        name, _, rest = action[1:].partition(" ")
        return Command(self.here, name, rest) if action.startswith("/") else Text(self.here, action)


def _as_seen(reply: Reply, *, receipt: bool) -> Said:
    kind = Kind.RECEIPT if receipt else replies.owed(reply, bootstrap.now()).kind
    return Said(kind, reply.text, tuple(dict.fromkeys(b.label for b in reply.choices)))


async def looks_back(stage: Stage) -> None:
    """Agree to a history, come to a result, look at what is kept, and take a copy of it."""
    await stage.agrees("history")
    await stage.checks("age_18_44", "place_groin_front", "dur_2_6w", "run_warms_up", "hurts_knee_lift")
    await stage.does("/why")
    await stage.does("/mydata")
    await stage.does(Press(WORDS("privacy", "mydata", "export_json")))


async def forgets(stage: Stage) -> None:
    """Have all of it erased in the middle of a check, our messages too, and go."""
    await stage.agrees("history")
    await stage.checks("age_60_plus", "place_groin_front", "walk_limp", at_most=4)
    await stage.does("/forget")
    await stage.does(Press(WORDS("privacy", "forget", "messages")))


async def comes_back(stage: Stage) -> None:
    """Have all of it erased after a result, and begin anew."""
    await stage.agrees("check_ins")
    await stage.checks("breathless_chest_pain", "age_45_59")
    await stage.does("/forget")
    await stage.does(Press(WORDS("privacy", "forget", "yes")))
    await stage.agrees("history")
    await stage.checks("age_18_44", "place_outer", "dur_3_14d")


async def hurries(stage: Stage) -> None:
    """Press and type without waiting for an answer; what is done in another order, or twice, comes to something else."""
    await stage.agrees("check_ins")
    await stage.does("/hip")
    body = next(q for q in library().pathway.questions if q.id == "body")
    labels = [b.label for b in stage.screens[-1].choices]
    first, second = labels[0], labels[1]
    done, none = WORDS("ui", "buttons", "done"), WORDS("questions", body.id, "none")
    await stage.does(Press(first), Press(second), Press(first))
    await stage.does(Press(done), Press(done), "hello?")
    await stage.does("/stop", "/hip")
    await stage.does(Press(none), "why", "/stop")


PARTS = (looks_back, forgets, comes_back, hurries)


async def rehearsed(folder: Path) -> tuple[Part, ...]:
    """Return every part, as it goes where nobody is killed."""
    parts = []
    async with Store(folder / "rehearsal.db", KeyRing.parse(RING), bootstrap.now) as store:
        for part in PARTS:
            stage = Stage(store, Address(PLATFORM, part.__name__))
            await part(stage)
            parts.append(Part(part.__name__, tuple(stage.steps), await kept_of(store, stage.here)))
    return tuple(parts)


# ---------------------------------------------------------------- The lives and deaths of one process


@dataclass
class World:
    """A platform, the folder of one Hipwise, and what became of both."""

    step: str
    folder: Path
    platform: SmallPlatform
    kills: int = 0
    logged: list[str] = field(default_factory=list)

    async def lives(self) -> None:
        """Have Hipwise killed at its step so many times, then let it finish."""
        for turn in turns(self.step):
            await self.dies({"SMALL_DIE": f"{self.step}:{turn}"})
        await self.ends()

    async def dies(self, how: dict[str, str]) -> None:
        """Have Hipwise started and killed."""
        code = await self._life(how)
        assert code == -signal.SIGKILL, f"{self.step}: it ended with {code} before it could be killed: {self.logged}"
        self.kills += 1

    async def ends(self) -> None:
        """Have Hipwise started, and end when all is done."""
        self.platform.closes()
        code = await self._life({})
        assert code == 0, f"{self.step}: it ended with {code}: {self.logged}"

    async def _life(self, more: dict[str, str]) -> int | None:
        root = Path(__file__).parent
        environment = {
            "PYTHONPATH": f"{root.parent}{os.pathsep}{root}",
            "SMALL_FOLDER": str(self.folder),
            "SMALL_KEYS": RING,
            "SMALL_PORT": str(self.platform.port),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, root / "small_bot.py", env=environment | more, stderr=asyncio.subprocess.PIPE
        )
        ended = asyncio.create_task(process.communicate())
        ends: set[asyncio.Future[Any]] = {ended, self.platform.failed}
        await asyncio.wait(ends, timeout=LIFE, return_when=asyncio.FIRST_COMPLETED)
        stuck = not ended.done()
        if stuck:
            process.kill()
        self.logged += (await ended)[1].decode().splitlines()
        if self.platform.failed.done():
            await self.platform.failed
        assert not stuck, f"{self.step}: stuck after {self.kills} kills: {list(self.stuck())} {self.logged}"
        return process.returncode

    def stuck(self) -> Iterator[str]:
        """Yield who waits, and for what."""
        for member in self.platform.members.values():
            if not member.done:
                heard = [said.text[:40] for said in member.heard.values()]
                yield f"{member.id} {member.part.name} step {member.step}: {len(heard)} of {member.awaited}, last {heard[-2:]}"


@contextlib.asynccontextmanager
async def world(step: str, folder: Path, parts: Sequence[Part], *, at_once: int = MEMBERS) -> AsyncIterator[World]:
    """Give a world in which nothing has happened."""
    (folder / step).mkdir()
    async with SmallPlatform(parts, at_once=at_once) as platform:
        yield World(step, folder / step, platform)


# ---------------------------------------------------------------- What must hold


async def accounted(world: World) -> Account:
    """Return what happened, held against what was rehearsed and against what is on disk."""
    platform, deliveries = world.platform, world.platform.deliveries
    faults = [fault for member in platform.members.values() for fault in told_otherwise(member)]
    faults += [fault for copies in deliveries.values() for fault in repeated_wrongly(copies)]
    faults += [line for line in world.logged if "update.unreadable" not in line]
    async with Store(world.folder / "hipwise.db", KeyRing.parse(RING), bootstrap.now, expected=True) as store:
        faults += await wrong_on_disk(store, platform)
        members = await store._read(lambda book: frozenset(id for (id,) in book.all("SELECT id FROM members")))
        faults += left_of_the_erased(members, world.folder)
    return Account(
        world.step,
        world.kills,
        len(platform.members),
        len(platform.updates),
        len(deliveries),
        sum(len(copies) > 1 for copies in deliveries.values()),
        sum(any(sent.marked for sent in copies) for copies in deliveries.values()),
        tuple(faults),
    )


def told_otherwise(member: Member) -> Iterator[str]:
    """Yield where someone was told something else than in the rehearsal, or in another order, or more, or less."""
    told, expected = list(member.heard.values()), list(member.part.said)
    for number, (one, other) in enumerate(zip(told, expected, strict=False)):
        if one != other:
            yield f"{member.id} {member.part.name}: message {number} is {one} and not {other}"
            return
    if len(told) != len(expected):
        yield f"{member.id} {member.part.name}: {len(told)} messages, not {len(expected)}"


def repeated_wrongly(copies: Sequence[Sent]) -> Iterator[str]:
    """Yield what is wrong with how often, and in which form, one delivery came."""
    first, *more = copies
    if len(more) > 1 and not first.edits and first.said.kind is not Kind.DELETION:
        yield f"{first.said.kind} came {len(copies)} times"
    for again in more:
        if again.said != first.said:
            yield f"{again.said} repeats {first.said}"
        if again.marked != (again.said.kind in (Kind.VERDICT, Kind.RECEIPT) and not again.edits):
            yield f"a repeated {again.said.kind} is marked: {again.marked}"


async def wrong_on_disk(store: Store, platform: SmallPlatform) -> list[str]:
    """Return what the store says otherwise than what members did and were told."""
    faults = []
    for member in platform.members.values():
        kept = await kept_of(store, Address(PLATFORM, member.id))
        if kept != member.part.kept:
            faults.append(f"{member.id} {member.part.name}: {kept} is kept and not {member.part.kept}")

    def counted(book: Book) -> dict[str, int]:
        return {
            "updates": book.count("SELECT COUNT(*) FROM inbox"),
            "waiting": book.count("SELECT COUNT(*) FROM inbox WHERE state = 'waiting'"),
            "aside": book.count("SELECT COUNT(*) FROM inbox WHERE state = 'set_aside'"),
            "senders": book.count("SELECT COUNT(*) FROM inbox WHERE sender_digest IS NOT NULL"),
            "unsent": book.count("SELECT COUNT(*) FROM outbox WHERE state <> 'sent'"),
            "members": book.count("SELECT COUNT(*) FROM members"),
            "addresses": book.count("SELECT COUNT(*) FROM addresses"),
            "keys": book.count("SELECT COUNT(*) FROM keys"),
            "receipts": book.count("SELECT COUNT(*) FROM receipts"),
        }

    living = sum(member.part.kept is not None for member in platform.members.values())
    expected = {
        "updates": len(platform.updates),
        "waiting": 0,
        "aside": len(platform.members),  # each brought one that nothing can be made of
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
    # In flight when its member was erased: sent, and nobody was left to note it.
    if (
        not tallies.conserved
        or tallies.sent + tallies.unknown != tallies.planned
        or tallies.planned != len(platform.deliveries)
    ):
        faults.append(f"{tallies} for {len(platform.deliveries)} deliveries")
    return faults


# ---------------------------------------------------------------- The proof


async def test_a_process_killed_hard_at_any_step_loses_nothing_and_does_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts, turn = await rehearsed(tmp_path), asyncio.Semaphore(AT_ONCE)

    async def killed(step: str) -> Account:
        async with turn, world(step, tmp_path, parts) as here:
            await here.lives()
            return await accounted(here)

    accounts = await asyncio.gather(*(killed(step) for step in STEPS))

    proved(accounts, STEPS, capsys)
    assert sum(account.repeated for account in accounts) > 0
    assert sum(account.marked for account in accounts) > 0


@pytest.mark.parametrize(("step", "copies"), [("send.before", 0), ("send.taken", 2)])
async def test_what_was_killed_twice_while_it_was_sent_is_not_sent_a_third_time_and_is_counted(
    tmp_path: Path, step: str, copies: int
) -> None:
    async with Store(tmp_path / "rehearsal.db", KeyRing.parse(RING), bootstrap.now) as store:
        stage = Stage(store, Address(PLATFORM, "anna"))
        await stage.does("/hip")
    (begun,) = stage.steps
    lost = Part("lost", (Step(begun.actions, begun.said if copies else begun.said[1:]),), None)

    async with world(step, tmp_path, [lost], at_once=1) as here:
        for _ in range(2):
            await here.dies({"SMALL_DIE": f"{step}:1", "SMALL_MERCILESS": "1"})
        await here.ends()

        told = [len(sent) for sent in here.platform.deliveries.values()]
        assert told == ([copies, 1] if copies else [1])
        assert list(here.platform.members["member-0000"].heard.values()) == list(lost.said)
        async with Store(here.folder / "hipwise.db", KeyRing.parse(RING), bootstrap.now) as store:
            tallies = await store.tallies()
        assert (tallies.planned, tallies.unknown, tallies.sent, tallies.conserved) == (2, 1, 1, True)
