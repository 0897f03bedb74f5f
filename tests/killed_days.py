"""What the kill proofs of what is written first share on all platforms: a clock, members with diaries, and what must hold.

Members play parts of a few days that were rehearsed without any kill. Their clock stands still while a process is dead, and
goes on when everything is done: so whoever is killed has to write to them the same, at the same minutes. What may differ is
what was in flight when a process died, and that only as its kind allows.
"""

import asyncio
import contextlib
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

from chat import library
from core import consents
from core.clinical import Disposition
from core.diary import Age, Asking, Diary, FollowUp, Light, Origin, Place, Run, Slot, from_json, to_json
from core.ledger import Delivery, Kind, State
from core.members import Address, Preferences
from core.record import Change
from core.storage import Store, outbox
from core.storage.book import Book
from core.storage.store import AHEAD
from core.vault import KeyRing
from killed import RING, World
from mortal import Hipwise
from planned_chat import Hands

START = datetime(2026, 11, 23, tzinfo=UTC)
LASTS = timedelta(days=5)
"""So long a part takes from its first midnight on; what comes after is nobody's to check."""
EACH = 2
"""Members at a time in each part."""
SOON, A_WHILE = timedelta(seconds=30), timedelta(minutes=10)
"""How far the clock goes on after something was done, and where nobody says when there is something to do."""
LOOK = 0.002
"""How often, in seconds, it is looked whether members are done."""
WORDS = library().words
SETTLED, UNSETTLED = {State.SENT, State.SKIPPED, State.DROPPED}, {State.CLAIMED, State.UNKNOWN}
POLITE = tuple(WORDS("checkins", key) for key in ("answered", "followup_over"))
"""What the button of something that is answered says."""


# ---------------------------------------------------------------- The clock


class Time:
    """The clock of a world. It goes on once whoever lives there has nothing left to do, and its members have not either."""

    def __init__(self) -> None:
        self.at = START
        self.rests: Callable[[], bool] = lambda: True
        self._telling: list[asyncio.Task[None]] = []
        self.moves = 0
        """How often it went on: each time, all that was to be done before was done."""
        self.touched = False
        """Whether something was done since it last went on."""

    def __call__(self) -> datetime:
        """Return the present."""
        return self.at

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._told, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _told(self, read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        self._telling.append(asyncio.create_task(self._tell(read, write)))

    async def _tell(self, read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        write.write(f"{self.at}\n".encode())
        with contextlib.closing(write):
            while line := (await read.readline()).decode().strip():
                while not (self.rests() or read.at_eof()):  # noqa: ASYNC110 - whether members rest hangs on a platform
                    await asyncio.sleep(LOOK)
                if read.at_eof():  # whoever asked is dead, and time waits for the next
                    return
                self._go_on(datetime.fromisoformat(line))
                write.write(f"{self.at}\n".encode())

    def _go_on(self, due: datetime) -> None:
        """Go on to when there is something to do; what was done may soon lead to more."""
        self.at = self.at + SOON if self.touched else due if due > self.at else self.at + A_WHILE
        self.touched = False
        self.moves += 1


# ---------------------------------------------------------------- The parts


@dataclass(frozen=True, slots=True)
class Part:
    """What someone has in their diary when they come, what they agreed to, and what they press on what comes."""

    name: str
    diary: Callable[[datetime], Diary]
    agreed: tuple[str, ...]
    presses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By occasion, the labels of one button after the other."""


def _answer(step: str, which: str) -> str:
    return WORDS("checkins", "answers", step, which)


RAN = _answer("ran", "yes")
SORE = (RAN, "3", WORDS("checkins", "places", "outer_hip"), _answer("built", "no"), _answer("limp", "no"))
MORNING = (_answer("worse", "no"), _answer("night", "no"))
BETTER = _answer("course", "better")
FOUND = ("age_18_34", "place_outer_hip")
CALM, URGENT = (Disposition.SELF_CARE, Disposition.ROUTINE), (Disposition.WITHIN_DAYS, Disposition.SAME_DAY)
SHOW = (WORDS("checkins", "buttons", "show"),)


def _runs_daily(came: datetime) -> Diary:
    """Return the diary of someone who runs every noon."""
    return Diary(age=Age.ADULT, paused=came, plan=tuple(Slot(day, time(12)) for day in range(7)))


def _sore(came: datetime) -> Diary:
    """Return the diary of someone who runs no more, and whose hip was sore."""
    run = Run("before", came - timedelta(hours=10), Origin.TOLD, 40, 8000)
    told = Asking("0badcafe", run, run.start.date(), ran=True, worst=4, place=Place.OUTER_HIP, built=False, limp=False)
    closed = replace(told, still=False, light=Light.HOLD, closed=came - timedelta(hours=6))
    return Diary(age=Age.ADULT, paused=came, runs=(run,), askings=(closed,))


def _followed(urgencies: Sequence[Disposition], came: datetime) -> Diary:
    """Return the diary of someone with results of these urgencies that they are asked about for the last time in these days."""
    last = {urgency: timedelta(days=max(library().checkins.again[urgency])) for urgency in urgencies}
    return Diary(
        age=Age.ADULT,
        follow_ups=tuple(
            FollowUp(f"0badcaf{n}", "c", urgency.value, FOUND, came + timedelta(days=1 + n, hours=10) - last[urgency])
            for n, urgency in enumerate(urgencies)
        ),
    )


PARTS = (
    Part("sore", _runs_daily, ("check_ins", "tips"), {"checkin": SORE, "morning": MORNING, "tip": SHOW}),
    Part("well", _runs_daily, ("check_ins",), {"checkin": (RAN, _answer("worst", "none"))}),
    Part("silent", _runs_daily, ("check_ins",)),
    Part("late", _runs_daily, ("check_ins",), {"nudge": (RAN, _answer("worst", "none"))}),
    Part("followed", partial(_followed, CALM), ("follow_up",), {"followup": (BETTER,)}),
    Part("seen", partial(_followed, URGENT), ("follow_up",), {"followup": (_answer("seen", "yes"), BETTER)}),
    Part("reader", _sore, ("tips",), {"tip": SHOW}),
)


# ---------------------------------------------------------------- Members


@dataclass(frozen=True, slots=True)
class Came:
    """A message that was written first."""

    delivery: str
    occasion: str
    at: datetime
    until: datetime
    message: Any = field(repr=False)
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came, when after someone did, and what it said: the same in every world."""

    after: timedelta
    occasion: str
    text: str


@dataclass(frozen=True, slots=True)
class Lived:
    """What came to someone in the days of their part, and what their diary says of these."""

    heard: tuple[Heard, ...]
    noted: tuple[Any, ...]


@dataclass
class Player:
    """Someone who presses what their part says on each message that comes, and one button of each copy of it again."""

    hands: Hands
    part: Part
    joined: datetime
    came: defaultdict[str, list[Came]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, str] = field(default_factory=dict)
    """What was said to them in answer, by delivery."""
    again: list[str] = field(default_factory=list)
    """What was said to buttons of copies."""
    in_flight: dict[str, Delivery] = field(default_factory=dict)
    """What was claimed when a process died."""
    unknown: set[str] = field(default_factory=set)
    """Tips that were in flight when a process died, and are not sent again. A row of one goes after some days."""
    to_press: deque[tuple[str, Any | None, bool]] = field(default_factory=deque)
    """Labels, each on a message or the newest, and whether that is a copy of one that was answered."""
    waits_for: tuple[str, Any | None, bool] | None = None
    lost: bool = False
    """Whether no answer is owed to what they have pressed, as far as a dead process has left it."""

    @property
    def rests(self) -> bool:
        """Whether they have nothing to press, and wait for nothing."""
        return self.waits_for is None and not self.to_press

    def is_tip(self, delivery: str) -> bool:
        """Return whether this was a tip in flight when a process died."""
        found = self.in_flight.get(delivery)
        return found is not None and found.kind is Kind.TIP

    def gets(self, came: Came) -> None:
        """Take in what was written first."""
        copies, script = self.came[came.delivery], self.part.presses.get(came.occasion, ())
        copies.append(came)
        if len(copies) == 1:
            self.to_press.extend((label, came.message if n == 0 else None, False) for n, label in enumerate(script))
        elif script and came.message.id != copies[0].message.id:
            self.to_press.append((script[0], came.message, True))
        self.goes_on()

    def is_answered(self, delivery: str, text: str) -> None:
        """Take in an answer; a repeat brings nothing new."""
        if delivery in self.answers:
            return
        self.answers[delivery] = text
        if self.waits_for is not None and self.waits_for[2]:
            self.again.append(text)
        self.waits_for = None
        self.goes_on()

    def goes_on(self) -> None:
        """Press the next button, unless an answer is waited for."""
        if self.waits_for is None and self.to_press:
            self.waits_for = self.to_press.popleft()
            self.presses_again()

    def presses_again(self) -> None:
        """Press what no answer came to."""
        if self.waits_for is not None:
            self.hands.presses(*self.waits_for[:2])


@dataclass
class Cast:
    """The members of a world: so many in each part, until it is closing."""

    time: Time
    appears: Callable[[int], Hands]
    expected: Mapping[str, Lived] = field(default_factory=dict)
    """What they live through without kills, by part."""
    players: dict[str, Player] = field(default_factory=dict)
    left: list[Player] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    closed: int | None = None
    """After how many moves of the clock nobody new was to come any more."""

    @property
    def closing(self) -> bool:
        """Whether nobody new is to come."""
        return self.closed is not None

    @closing.setter
    def closing(self, closing: bool) -> None:
        self.closed = self.time.moves if closing else None

    @property
    def done(self) -> bool:
        """Whether everybody has come to the end of their part, and whoever lives has done what was to be done."""
        settled = self.closed is not None and self.time.moves > self.closed
        return settled and all(self._is_over(player) for player in self.players.values())

    @property
    def rests(self) -> bool:
        """Whether nobody has anything to do."""
        return all(player.rests for player in self.players.values())

    @property
    def all(self) -> tuple[Player, ...]:
        """All that there ever were."""
        return (*self.left, *self.players.values())

    def sees(self, about: Mapping[str, str], text: str, message: Any) -> None:
        """Show what a request has sent to whom it went to; `about` is what mortal.py has told of it."""
        self.time.touched = True
        player = self.players.get(about["to"])
        if player is None:
            self.faults.append(f"{text} came to someone who was erased")
        elif Kind(about["kind"]) in AHEAD:
            until, said = datetime.fromisoformat(about["until"]), player.hands.looks(message)
            player.gets(Came(about["delivery"], about["occasion"], self.time.at, until, message, said))
        else:
            player.is_answered(about["delivery"], text)

    def presses_again(self) -> None:
        """Have what was pressed and is not on disk pressed once more: where nobody hands it over again, it is lost."""
        for player in self.players.values():
            if player.lost:
                player.presses_again()

    def stuck(self) -> Iterator[str]:
        """Yield who waits, and for what."""
        yield f"at {self.time.at}"
        for player in self.players.values():
            if not player.rests:
                yield f"\n{player.hands.address.id} {player.part.name}: {player.waits_for} {player.to_press}"

    # ---------------------------------------------------------------- Between two lives

    async def changes(self, folder: Path) -> None:
        """Look at what a dead process left, let go whose part is over, and let others come."""
        async with Store(folder / "hipwise.db", KeyRing.parse(RING), self.time) as store:
            if not (await store.tallies()).conserved:
                self.faults.append(f"{await store.tallies()}")
            for player in tuple(self.players.values()):
                await self._looks(store, player)
            if not self.closing:
                await self._fill(store)

    async def ends(self, store: Store) -> None:
        """Hold what everybody still here has lived through against what was expected."""
        for player in self.players.values():
            await self._leaves(store, player)

    def _is_over(self, player: Player) -> bool:
        return self.time.at >= player.joined + LASTS

    async def _looks(self, store: Store, player: Player) -> None:
        found = await owed_to(store, player.hands.address)
        claimed = {d.id: d for d in found if d.kind in AHEAD and d.state in UNSETTLED}
        player.in_flight |= claimed
        player.unknown |= {id for id in await unknown_of(store, player.hands.address) if player.is_tip(id)}
        answers = [d for d in found if d.kind not in AHEAD]
        player.lost = all(d.id in player.answers for d in answers)  # else there is a row that owes them what they wait for
        settled = not any(d.state is State.CLAIMED for d in found) and all(d.state in SETTLED for d in answers)
        if self._is_over(player) and player.rests and settled:
            await self._leaves(store, player)
            del self.players[player.hands.address.id]
            self.left.append(player)
            await store.forget(await store.enter(player.hands.address))

    async def _fill(self, store: Store) -> None:
        there = Counter(player.part.name for player in self.players.values())
        for part in PARTS:
            for _ in range(EACH - there[part.name]):
                hands = self.appears(len(self.players) + len(self.left))
                await self._comes(store, Player(hands, part, self._midnight()))

    def _midnight(self) -> datetime:
        return self.time.at.replace(hour=0, minute=0, second=0) + timedelta(days=self.time.at != START)

    async def _comes(self, store: Store, player: Player) -> None:
        given = [consents.as_kept(WORDS, kind, self.time.at, given=True) for kind in player.part.agreed]
        diary = to_json(player.part.diary(player.joined))
        change = Change(None, Preferences(), consents=given, diary=diary, place=player.hands.place)
        await store.save_turn(player.hands.address, change)
        self.players[player.hands.address.id] = player

    # ---------------------------------------------------------------- What must hold

    async def _leaves(self, store: Store, player: Player) -> None:
        who = f"{player.hands.address.id} {player.part.name}"
        for id in await unknown_of(store, player.hands.address):
            # Whatever may be sent once more has been; only what is never sent again stays so.
            if player.is_tip(id):
                player.unknown.add(id)
            else:
                self.faults.append(f"{who}: {player.in_flight.get(id, id)} is of unknown outcome")
        self.faults += [f"{who}: {fault}" for fault in _otherwise(player, await lived(store, player), self.expected)]
        self.faults += [f"{who}: {text} to the button of a copy" for text in player.again if not text.startswith(POLITE)]


def _otherwise(player: Player, lived: Lived, expected: Mapping[str, Lived]) -> Iterator[str]:
    """Yield what came or was noted otherwise than expected, tips in flight aside."""
    if not expected:
        return
    lost = Counter(expected[player.part.name].heard) - Counter(lived.heard)
    more = Counter(lived.heard) - Counter(expected[player.part.name].heard)
    tips = [d for d in player.in_flight.values() if d.kind is Kind.TIP and d.id not in player.came]
    for one in tips:
        lost -= Counter(found for found in lost if found.occasion == "tip" and player.joined + found.after == one.due)
    yield from (f"{one} was lost" for one in lost)
    yield from (f"{one} came" for one in more)
    if lived.noted != expected[player.part.name].noted:
        yield f"{lived.noted} is noted, and not {expected[player.part.name].noted}"


async def lived(store: Store, player: Player) -> Lived:
    """Return what someone has lived through in the days of their part."""
    first = sorted((copies[0] for copies in player.came.values()), key=lambda came: came.at)
    heard = tuple(
        Heard(c.at - player.joined, c.occasion, c.said[0]) for c in first if player.joined <= c.at < player.joined + LASTS
    )
    kept = (await store.load(player.hands.address)).diary
    assert kept is not None
    diary = from_json(kept)
    runs = [a for a in diary.askings if a.run.start < player.joined + LASTS - timedelta(days=2)]
    told = tuple((a.ran, a.worst, a.place, a.limp, a.worse, a.night, a.light, a.nudged) for a in runs)
    followed = tuple((one.asked, one.answers, one.closed is not None) for one in diary.follow_ups)
    tips = tuple(given.tip for given in diary.tips if given.at < player.joined + LASTS)
    return Lived(tuple(sorted(heard, key=lambda one: (one.after, one.occasion, one.text))), (told, followed, tips))


async def owed_to(store: Store, address: Address) -> tuple[Delivery, ...]:
    """Return all that is or was owed to someone, as long as it is kept."""
    member = await store.enter(address)

    def found(book: Book) -> tuple[Delivery, ...]:
        return outbox.deliveries(book, member)

    return await store._read(found)


async def unknown_of(store: Store, address: Address) -> tuple[str, ...]:
    """Return the deliveries to someone of which nobody knows whether they arrived."""
    member = await store.enter(address)

    def found(book: Book) -> tuple[str, ...]:
        return tuple(id for (id,) in book.all("SELECT id FROM outbox WHERE member = ? AND state = 'unknown'", member))

    return await store._read(found)


def doubled(player: Player, *, may: bool) -> Iterator[str]:
    """Yield what came twice that must not have; where it `may`: what was in flight, once more, the same, inside its window."""
    for copies in player.came.values():
        first, *more = copies
        if first.at > first.until or any(again.at > again.until for again in more):
            yield f"{first} came after its window"
        again = [one for one in more if one.message.id != first.message.id]
        if not again:
            continue
        delivery = player.in_flight.get(first.delivery)
        if not may or delivery is None or delivery.kind is not Kind.CHECK_IN or len(copies) > 2:
            yield f"{first} came {len(copies)} times"
        elif again[0].said != first.said:
            yield f"{again[0]} repeats {first}"


# ---------------------------------------------------------------- What happened


@dataclass(frozen=True, slots=True)
class DaysAccount:
    """What happened in a world in which days pass."""

    step: str
    kills: int
    members: int
    days: int
    commits: int
    first: int
    """Messages that were written first, each counted once."""
    in_flight: int
    """Of these, what was claimed when a process died."""
    repeated: int
    """What stands there twice."""
    pressed: int
    """Buttons of copies that were pressed after the first was answered."""
    unknown: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        numbers = (self.kills, self.members, self.days, self.commits, self.first, self.in_flight)
        more = (self.repeated, self.pressed, self.unknown, len(self.faults))
        return f"{self.step:<20}" + "".join(f"{number:>10}" for number in (*numbers, *more))


HEAD = f"{'step':<20}" + "".join(
    f"{name:>10}"
    for name in ("kills", "members", "days", "commits", "first", "in flight", "repeated", "pressed", "unknown", "faults")
)


async def accounted(world: World, cast: Cast, *, may_double: bool) -> DaysAccount:
    """Return what happened, held against what was rehearsed and against what is on disk."""
    async with Store(world.folder / "hipwise.db", KeyRing.parse(RING), cast.time, expected=True) as store:
        await cast.ends(store)
        tallies = await store.tallies()
    unknown = sum(len(player.unknown) for player in cast.all)
    commits, faults = (world.folder / "commits").read_bytes(), list(cast.faults)
    # The ticker warns where it was to tick again before it had: here it ticks all the time.
    faults += [line for line in (world.folder / "log").read_text().splitlines() if "apscheduler" not in line]
    faults += [f"{p.hands.address.id} {p.part.name}: {f}" for p in cast.all for f in doubled(p, may=may_double)]
    if not tallies.conserved or b"!" in commits or tallies.unknown != unknown:
        faults.append(f"{tallies}, {commits.count(b'!')} commits that do not add up, {unknown} tips")
    came = [copies for player in cast.all for copies in player.came.values()]
    return DaysAccount(
        world.step,
        world.kills,
        len(cast.all),
        (cast.time.at - START).days,
        len(commits),
        len(came),
        sum(len(player.in_flight) for player in cast.all),
        sum(len({came.message.id for came in copies}) > 1 for copies in came),
        sum(len(player.again) for player in cast.all),
        unknown,
        tuple(faults),
    )


async def rehearsed(cast: Cast, runs: Hipwise, until: Callable[..., Awaitable[None]]) -> Mapping[str, Lived]:
    """Return what each part lives through while nobody is killed."""
    cast.closing = True
    await until(lambda: cast.done, within=60)
    found: Iterable[tuple[str, Lived]] = [(p.part.name, await lived(runs.store, p)) for p in cast.players.values()]
    return dict(found)
