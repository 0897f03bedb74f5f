"""Hipwise on Discord, killed hard at any step, again and again, loses nothing that was committed and does nothing twice.

Discord tells of an interaction once: what was not committed when a process dies is lost, and its member does it again. What
was committed is there when the next process has started. On the Discord of the tests, which lives on, members each play a
part that was rehearsed there without any kill: they do the next thing once they were told all that they were told then, and
at each death it is looked up which of what they did is on disk: whole, or not at all.
"""

import asyncio
import contextlib
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bots import bootstrap
from bots.discord.interactions import PLATFORM
from chat import library
from core.ledger import Kind
from core.members import Address
from core.storage import Store, members
from core.storage.book import Book
from core.vault import KeyRing
from discord_api import Asked, Club, Content, DiscordApi, Interaction, Json, Member, Message, Request
from discord_api import Kind as What
from discord_api import interactions as discord_interactions
from discord_api.components import walk
from discord_api.routes import Route
from discord_api.telling import asked
from killed import LIFE, RING, Account, World, kept_of, left_of_the_erased, proved, world
from mortal import UNHARMED, Hipwise
from mortal_discord import STEPS, hipwise

CROWD = 6
"""Members at a time."""
AT_ONCE = 2
"""Processes that run at the same time."""
PATIENCE = 300
"""Seconds for which an interaction can be answered in this proof."""
SETTLES = 0.05
"""Seconds after which nothing is on its way any more from a process that is dead."""
SCRIPT = "mortal_discord.py"
WORDS = library().words
DONE, NONE = WORDS("ui", "buttons", "done"), WORDS("questions", "body", "none")
TYPE = WORDS("platform", "discord", "type")
SAYS = ("callback", "edit_original", "send", "delete")
"""The calls by which something is said, or deleted."""

pytestmark = pytest.mark.prove


# ---------------------------------------------------------------- What members do and are told


@dataclass(frozen=True, slots=True)
class Press:
    """A press of the newest button with this label."""

    label: str


@dataclass(frozen=True, slots=True)
class Picks:
    """These lines of a menu chosen, and no other."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fills:
    """The form below which one can type, filled in."""

    text: str


Action = str | Press | Picks | Fills
"""A command or a text, a press, a choice, a form."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message as a member sees it."""

    kind: Kind
    text: str
    labels: tuple[str, ...]
    """Of buttons, and of lines of menus with whether they are chosen."""
    colours: tuple[int, ...]


def seen(kind: Kind, content: Content) -> Told:
    """Return what is seen of a message."""
    lines = (f"{option.label}: {option.chosen}" for menu in content.menus for option in menu.options)
    return Told(kind, content.text, (*content.labels, *lines, *(file.name for file in content.files)), content.colours)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is on disk about a member: how many messages were ever owed to them, and what `kept_of` says."""

    owed: int
    about: Any


@dataclass(frozen=True, slots=True)
class Step:
    """What a member does at once, what they were told to each of it, and what was kept after each."""

    actions: tuple[Action, ...]
    told: tuple[Told, ...]
    kept: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What a member plays, and where."""

    name: str
    private: bool
    """Whether in their conversation with the bot, and not in a server."""
    steps: tuple[Step, ...]

    @property
    def kept(self) -> Kept:
        """What is kept in the end."""
        return self.steps[-1].kept[-1]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request by which a delivery was sent, or its message deleted."""

    delivery: str
    to: int
    told: Told
    message: Message

    @property
    def marked(self) -> bool:
        """Whether it says that it may be a repeat."""
        return WORDS("platform", "may_repeat") in self.told.text


def sent_by(api: DiscordApi, request: Request) -> Sent | None:
    """Return what a request has sent; None where it sent nothing."""
    about, place = request.call.query, request.call.place
    gone = request.route == "delete" and request.status == 404
    if "delivery" not in about or request.route not in SAYS or not (request.done or gone):
        return None
    if request.route in ("callback", "edit_original"):
        found = next(one.original for one in api.interactions.all if one.token == place["token"])
        assert found is not None
    else:
        id = int(place["message_id"]) if request.route == "delete" else int(request.answer["id"])
        found = api.world.channels[int(place["channel_id"])].messages[id]
    told = seen(Kind(about["kind"]), found.content)
    return Sent(about["delivery"], int(about["to"]), told, found)


async def on_disk(store: Store, member: int) -> Kept:
    """Return what is on disk about a member."""
    address = Address(PLATFORM, str(member))

    def owed(book: Book) -> int:
        at = members.door(book, address)
        return 0 if at is None else book.count("SELECT COUNT(*) FROM outbox WHERE address = ?", at.row)

    return Kept(await store._read(owed), await kept_of(store, address))


# ---------------------------------------------------------------- What members do


Doing = Callable[[], bool]
"""Does something, as often as it is called, with the screen as it was when it was prepared. Returns whether the bot is told."""


@dataclass
class Hands:
    """What a member does with their app."""

    api: DiscordApi
    phone: Member
    forms: dict[int, str] = field(default_factory=dict)
    """What is to be typed into the forms that open, by what opens them."""

    def prepared(self, action: Action) -> Doing:
        """Return what does this."""
        match action:
            case Press(label=label):
                message, button = self.phone._button(label, None)
                return self._presses(message, {"component_type": int(What.BUTTON), "custom_id": button.custom_id})
            case Picks(labels=labels):
                message, menu = self.phone._menu(labels, None)
                values = [option.value for option in menu.options if option.label in labels]
                return self._presses(message, {"component_type": menu.kind, "custom_id": menu.custom_id, "values": values})
            case Fills(text=text):
                message, button = self.phone._button(TYPE, None)
                pressed: Json = {"component_type": int(What.BUTTON), "custom_id": button.custom_id}
                return self._presses(message, pressed, text)
            case str() if action.startswith("/"):
                command = self.api.commands.offered(self.phone.user, self.phone.channel)[action[1:]]
                data: Json = {"id": command["id"], "name": action[1:], "type": 1, "options": []}
                return lambda: self._asks(Asked.COMMAND, data, None, {}, None)
            case _:
                return lambda: bool(self.phone.says(action))

    def fills(self) -> None:
        """Fill in and send every form that has opened."""
        for opener in [one for one in self.api.interactions.all if one.modal and not one.form_sent and one.id in self.forms]:
            self.phone.submits(self.forms[opener.id], modal=opener)

    def _presses(self, message: Message, data: Json, text: str | None = None) -> Doing:
        ids = {one.get("custom_id"): one["id"] for one in walk(message.content.components)}
        data = {**data, "id": ids[data["custom_id"]]}
        shown = message.json()
        return lambda: self._asks(Asked.COMPONENT, data, message, {"message": shown}, text)

    def _asks(self, kind: Asked, data: Json, message: Message | None, more: Json, text: str | None) -> bool:
        phone, id = self.phone, self.api.world.new_id()
        told = asked(self.api.world, phone.user, phone.channel, phone._owners())
        body = {**told, "id": str(id), "token": f"token{id:x}", "type": int(kind), "data": data, **more}
        if text is not None:
            self.forms[id] = text
        at = self.api.world.now()
        made = Interaction(id, body["token"], kind, phone.user, phone.channel, body, at, message)
        return self.api.interactions.add(made).delivered


# ---------------------------------------------------------------- The parts


class Stage:
    """Where a part is rehearsed: the same program, within this process, and nobody is killed."""

    def __init__(self, api: DiscordApi, runs: Hipwise, phone: Member) -> None:
        self.api, self.runs, self.hands = api, runs, Hands(api, phone)
        self.steps: list[Step] = []
        self._read = 0

    @property
    def shown(self) -> Content:
        """What the last message says."""
        return self.hands.phone.last.content

    async def does(self, *actions: Action) -> None:
        """Do something, and note what is said to it, and what is kept after each of it."""
        told: list[Told] = []
        kept: list[Kept] = []
        for do in [self.hands.prepared(action) for action in actions]:
            do()
            await self._settles()
            told += [sent.told for sent in self._news() if sent.told.kind is not Kind.DELETION]
            kept.append(await on_disk(self.runs.store, self.hands.phone.user.id))
        self.steps.append(Step(actions, tuple(told), tuple(kept)))

    async def _settles(self) -> None:
        """Return once the bot was told of everything, and has nothing left to do."""
        for _ in range(3):
            await asyncio.sleep(0.02)
            await self.runs.settles()
            await self.api.until(lambda: all(one.answer is not None for one in self.api.interactions.all))
            self.hands.fills()

    def _news(self) -> list[Sent]:
        requests, self._read = self.api.requests[self._read :], len(self.api.requests)
        return [sent for request in requests if (sent := sent_by(self.api, request)) is not None]

    async def checks(self, *answers: str, at_most: int = 99) -> None:
        """Go through a check with what has these words chosen or pressed, up to the result or so many presses."""
        await self.does("/hip")
        for _ in range(at_most):
            if self.steps[-1].told[-1].kind is not Kind.QUESTION:
                return
            await self.does(_next(self.shown, answers))

    async def agrees(self, kind: str) -> None:
        """Agree to something."""
        name = WORDS("privacy", "consents", kind, "name")
        await self.does("/privacy")
        await self.does(Press(WORDS("ui", "buttons", "consents")))
        await self.does(Press(WORDS("privacy", "consent_off", name=name)))
        await self.does(Press(WORDS("privacy", "consents", kind, "give")))


def _next(shown: Content, answers: Sequence[str]) -> Action:
    """Return what to do: choose the lines that have one of these words, then Done; press what has one; else none of these."""
    options = [option for menu in shown.menus for option in menu.options]
    wanted = tuple(o.label for o in options if any(words in o.label for words in answers))
    if wanted and not any(option.chosen for option in options):
        return Picks(wanted)
    labels = [label for label in shown.labels if any(words in label for words in answers)]
    ways = [*labels, *(label for label in (DONE,) if any(option.chosen for option in options)), NONE]
    return Press(next((label for label in ways if label in shown.labels), shown.labels[0]))


async def looks_back(stage: Stage) -> None:
    """Agree to a history, come to a result, look at what is kept, and take a copy of it."""
    await stage.agrees("history")
    await stage.checks("18 to", "Groin or front", "weeks")
    await stage.does("/why")
    await stage.does("/mydata")
    await stage.does(Press(WORDS("privacy", "mydata", "export_json")))


async def forgets(stage: Stage) -> None:
    """Have all of it erased in the middle of a check, our messages too, and go."""
    await stage.agrees("history")
    await stage.checks("Limping", at_most=4)
    await stage.does("/forget")
    ways = [WORDS("privacy", "forget", way) for way in ("messages", "yes")]  # what nobody else sees cannot be deleted
    await stage.does(Press(next(way for way in ways if way in stage.shown.labels)))


async def comes_back(stage: Stage) -> None:
    """Have all of it erased after a result, and begin anew."""
    await stage.agrees("check_ins")
    await stage.checks("Breathless", "chest")
    await stage.does("/forget")
    await stage.does(Press(WORDS("privacy", "forget", "yes")))
    await stage.agrees("history")
    await stage.checks("45 to", "Outer", "days")


async def hurries(stage: Stage) -> None:
    """Press and type without waiting for an answer; what is done in another order, or twice, comes to something else."""
    await stage.agrees("check_ins")
    await stage.does("/hip")
    lines = [option.label for menu in stage.shown.menus for option in menu.options]
    await stage.does(Picks((lines[0],)), Picks((lines[2], lines[1])), Picks((lines[0],)))
    await stage.does(Press(DONE), Press(DONE), "hello?")
    await stage.does("/stop", "/hip")
    await stage.does(Press(NONE), "why", "/stop")


async def fills(stage: Stage) -> None:
    """Answer by typing, below a message that nobody else sees."""
    await stage.does("/hip")
    await stage.does(Fills("none"))
    await stage.does(Fills("none of these"))
    await stage.does(Fills("34"))
    await stage.does(Fills("back"))
    await stage.does(Fills("what?"))
    await stage.does("/stop")


PARTS = (
    (looks_back, False),
    (forgets, True),
    (comes_back, False),
    (hurries, True),
    (fills, False),
    (looks_back, True),
    (forgets, False),
    (comes_back, True),
)
"""Each, and whether in the conversation with the bot."""


async def rehearsed(folder: Path) -> tuple[Part, ...]:
    """Return every part, as it goes where nobody is killed."""
    parts = []
    for number, (plays, private) in enumerate(PARTS):
        here = folder / f"{plays.__name__}{number}"
        here.mkdir()
        async with (
            DiscordApi() as api,
            hipwise(here, KeyRing.parse(RING), UNHARMED, library(), api=api.url, gateway=api.gateway_url) as runs,
        ):
            await api.until(lambda: api.gateway.ready and bool(api.commands.all[None]))
            stage = Stage(api, runs, _phone(api, api.guild("Runners"), number + 1, private=private))
            await plays(stage)
            parts.append(Part(plays.__name__, private, tuple(stage.steps)))
    return tuple(parts)


def _phone(api: DiscordApi, club: Club, id: int, *, private: bool) -> Member:
    user = api.user(id, f"Member {id}")
    there = club.member(user)
    return api.dm(user) if private else there


# ---------------------------------------------------------------- Members


@dataclass
class Done:
    """Something that a member has done in this step, in which session of the bot, and whether that is told of it."""

    do: Doing
    session: str | None
    told: bool = False


@dataclass
class Player:
    """Someone who does the next thing once they were told all that they were told in the rehearsal."""

    hands: Hands
    part: Part
    heard: dict[str, Told] = field(default_factory=dict)
    """Each delivery, once, in the order in which they came."""
    step: int = -1
    done_now: list[Done] = field(default_factory=list)
    awaited: list[Told] = field(default_factory=list)
    """What they are still to be told in this step."""
    committed: tuple[int, int] = (-1, 0)
    """A step, and how much of it was on disk when a process died."""
    wrong: list[str] = field(default_factory=list)
    """What they were told otherwise than in the rehearsal, and what was on disk that must not be."""

    @property
    def id(self) -> int:
        """Who they are."""
        return self.hands.phone.user.id

    @property
    def done(self) -> bool:
        """Whether they did all that they were to do and were told all that they were to be told."""
        return self.step == len(self.part.steps)

    def goes_on(self, session: str | None) -> None:
        """Do the next thing, while the bot listens in this session or not at all."""
        self.step += 1
        self.done_now = []
        if not self.done:
            step = self.part.steps[self.step]
            self.awaited = list(step.told)
            self.done_now = [Done(self.hands.prepared(action), session) for action in step.actions]
            for one in self.done_now:
                one.told = one.do()

    def sees(self, sent: Sent, session: str | None) -> None:
        """Take in a message, and go on if it was the last that was waited for; a repeat brings nothing new."""
        if sent.told.kind is Kind.DELETION or sent.delivery in self.heard:
            return
        self.heard[sent.delivery] = sent.told
        if not self.awaited or self.awaited[0] != sent.told:
            self.wrong.append(f"told {sent.told}")
            return
        del self.awaited[0]
        if not self.awaited:
            self.goes_on(session)

    def finds(self, kept: Kept) -> None:
        """Take in what is on disk now that the process is dead: it must be what was there after one of the actions."""
        step = self.part.steps[self.step]
        before = self.part.steps[self.step - 1].kept[-1] if self.step else Kept(0, None)
        stages = (before, *step.kept)
        found = [n for n, stage in enumerate(stages) if stage == kept]
        if found:
            self.committed = (self.step, found[0])
        else:
            self.wrong.append(f"{kept} is on disk in step {self.step}, and none of {stages}")

    def does_again(self, session: str) -> int:
        """Do again what was lost, now that another process listens, in this session; return how much that was."""
        step, number = self.committed
        lost = [one for one in self.done_now[number if step == self.step else 0 :] if one.session != session]
        for one in lost:
            one.session, one.told = session, one.do()
        return len(lost)


class Crowd(DiscordApi):
    """A Discord with members on it, so many at a time until it is closing. It kills whoever asks for that before it answers."""

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__()
        self._parts, self._club = parts, self.guild("Runners")
        self.players: dict[int, Player] = {}
        self.sent: list[Sent] = []
        self.again = 0
        """How often something was done again."""
        self.closing = False

    @property
    def done(self) -> bool:
        """Whether nobody has anything left to do, or to be told."""
        return self.closing and all(player.done for player in self.players.values())

    @property
    def deliveries(self) -> dict[str, list[Sent]]:
        """How often and in which form each delivery came, the first to come first."""
        found: defaultdict[str, list[Sent]] = defaultdict(list)
        for sent in self.sent:
            found[sent.delivery].append(sent)
        return dict(found)

    async def is_awake(self) -> None:
        """Have members do again what was lost, once a process listens."""
        await self.until(lambda: self._session is not None and bool(self.commands.all[None]), within=LIFE)
        assert self._session is not None
        self.again += sum(player.does_again(self._session) for player in self.players.values())
        self._come()

    async def is_dead(self, folder: Path) -> None:
        """Look up what of all that was done is on disk."""
        await self.until(lambda: not self.gateway.live, within=LIFE)
        await asyncio.sleep(SETTLES)
        async with Store(folder / "hipwise.db", KeyRing.parse(RING), bootstrap.now, expected=True) as store:
            for player in [player for player in self.players.values() if not player.done]:
                player.finds(await on_disk(store, player.id))

    def stuck(self) -> Iterator[str]:
        """Yield who waits, and for what."""
        for player in self.players.values():
            if not player.done or player.wrong:
                waits = [(told.kind, told.text[:40]) for told in player.awaited]
                yield f"\n{player.id} {player.part.name} step {player.step}: {waits}, {player.wrong}"

    @property
    def _session(self) -> str | None:
        """The session in which a process listens."""
        listening = [one.session for one in self.gateway.live if one.session is not None]
        return listening[-1].id if listening else None

    def _do(self, route: Route, request: Request, authorization: str | None) -> None:
        super()._do(route, request, authorization)
        if (sent := sent_by(self, request)) is not None:
            self.sent.append(sent)
            self.players[sent.to].sees(sent, self._session)
            self._come()
        for player in self.players.values():
            player.hands.fills()
        pid = int(request.call.query.get("kill", 0))
        if pid and request.done and route.name in SAYS:
            with contextlib.suppress(ProcessLookupError):  # two of its requests were on their way
                os.kill(pid, signal.SIGKILL)

    def _come(self) -> None:
        while not self.closing and sum(not p.done for p in self.players.values()) < CROWD:
            self._comes()

    def _comes(self) -> None:
        number = len(self.players)
        part = self._parts[number % len(self._parts)]
        phone = _phone(self, self._club, 1000 + number, private=part.private)
        player = self.players[phone.user.id] = Player(Hands(self, phone), part)
        player.goes_on(self._session)


# ---------------------------------------------------------------- What must hold


async def accounted(world: World, crowd: Crowd, *, quiet: bool = True) -> Account:
    """Return what happened, held against what was rehearsed and against what is on disk; `quiet`, nothing may be logged."""
    deliveries = crowd.deliveries
    faults = [f"{p.id} {p.part.name}: {wrong}" for p in crowd.players.values() for wrong in p.wrong]
    faults += [fault for copies in deliveries.values() for fault in doubled(copies)]
    faults += [fault for player in crowd.players.values() for fault in seen_still(player)]
    faults += [f"read by others: {content.text[:60]}" for content in crowd.said_in_public()]
    faults += (world.folder / "log").read_text().splitlines() if quiet else []
    async with Store(world.folder / "hipwise.db", KeyRing.parse(RING), bootstrap.now, expected=True) as store:
        faults += await wrong_on_disk(store, crowd)
        ids = await store._read(lambda book: frozenset(id for (id,) in book.all("SELECT id FROM members")))
        faults += left_of_the_erased(ids, world.folder)
    return Account(
        world.step,
        world.kills,
        len(crowd.players),
        len(crowd.interactions.all),
        len(deliveries),
        sum(len(copies) > 1 for copies in deliveries.values()),
        sum(any(sent.marked for sent in copies) for copies in deliveries.values()),
        tuple(faults),
    )


def doubled(copies: Sequence[Sent]) -> Iterator[str]:
    """Yield where one delivery stands there twice, or once with other words."""
    first, *more = copies
    for again in more:
        if again.message != first.message:
            yield f"{first.told} stands there twice"
        if again.told != first.told:
            yield f"{again.told} repeats {first.told}"


def seen_still(player: Player) -> Iterator[str]:
    """Yield what someone sees in their conversation with the bot who had our messages there deleted.

    What they were asked last may still have been in flight.
    """
    left = [WORDS("privacy", "forget", key).partition("{")[0] for key in ("receipt_head", "ask")]
    if player.part.name == forgets.__name__ and player.part.private:
        for message in player.hands.phone.heard:
            if not any(words in message.text for words in left):
                yield f"{player.id}: {message.text[:60]} is still there"


async def wrong_on_disk(store: Store, crowd: Crowd) -> list[str]:
    """Return what the store says otherwise than what members did and were told."""
    faults = []
    for player in crowd.players.values():
        kept = await on_disk(store, player.id)
        if kept != player.part.kept:
            faults.append(f"{player.id} {player.part.name}: {kept} is kept and not {player.part.kept}")

    def counted(book: Book) -> dict[str, int]:
        return {
            "updates": book.count("SELECT COUNT(*) FROM inbox"),
            "unsent": book.count("SELECT COUNT(*) FROM outbox WHERE state <> 'sent'"),
            "members": book.count("SELECT COUNT(*) FROM members"),
            "addresses": book.count("SELECT COUNT(*) FROM addresses"),
            "keys": book.count("SELECT COUNT(*) FROM keys"),
            "receipts": book.count("SELECT COUNT(*) FROM receipts"),
        }

    living = sum(player.part.kept.about is not None for player in crowd.players.values())
    expected = {"updates": 0, "unsent": 0, "members": living, "addresses": living, "keys": living + 1, "receipts": 0}
    counts = await store._read(counted)
    faults += [f"{name}: {counts[name]}, not {number}" for name, number in expected.items() if counts[name] != number]
    tallies = await store.tallies()
    # Unknown: in flight when its member was erased; it was sent, and nobody was left to note it.
    came = tallies.sent + tallies.unknown
    if not tallies.conserved or came != tallies.planned or came != len(crowd.deliveries):
        faults.append(f"{tallies} for {len(crowd.deliveries)} deliveries")
    return faults


# ---------------------------------------------------------------- The proof


async def test_a_process_killed_hard_at_any_step_on_discord_loses_nothing_and_does_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord_interactions, "ANSWERED_WITHIN", timedelta(seconds=PATIENCE))
    parts, turn = await rehearsed(tmp_path), asyncio.Semaphore(AT_ONCE)

    async def killed(step: str) -> Account:
        async with turn, Crowd(parts) as crowd:
            where = {"MORTAL_API": crowd.url, "MORTAL_GATEWAY": crowd.gateway_url, "MORTAL_PATIENCE": str(PATIENCE)}
            async with world(step, tmp_path, SCRIPT, crowd, **where) as here:
                await here.lives()
                assert crowd.again > 0
                return await accounted(here, crowd)

    accounts = await asyncio.gather(*(killed(step) for step in STEPS))

    proved(accounts, STEPS, capsys)
    assert sum(account.repeated for account in accounts) > 0
