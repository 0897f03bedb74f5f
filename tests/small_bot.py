"""Hipwise on the small platform, as a process: `python tests/small_bot.py`, told by its environment where everything is.

SMALL_FOLDER and SMALL_KEYS say where the store is and what opens it, SMALL_PORT where the platform is. SMALL_DIE, such as
`save.before:3`, names the step at which this process is killed, and the how manyth time it comes there; mortal.py says how.
With a SMALL_MERCILESS not even what is being sent for the second time is let through first.
"""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bots import bootstrap, logs
from content import loader
from core import replies
from core.companion import Companion
from core.dialogue import Command, Inbound, Prompt, Reply, Tap, Text
from core.intake import Intake, Unreadable, Update
from core.ledger import Delivery, Owed
from core.members import Address
from core.outreach import Outreach
from core.vault import KeyRing
from mortal import MortalReader, Steps, core, labelled

PLATFORM = "small"

STEPS = labelled(
    receive=("before", "after"),
    commit=("before", "after"),
    handle=("before", "after"),
    save=("before", "after"),
    send=("before", "taken", "after"),
    acknowledge=("before", "taken", "after"),
)
"""Where it may be killed."""


# ---------------------------------------------------------------- An adapter, as of any platform


@dataclass(frozen=True, slots=True)
class Wire:
    """The way to the platform."""

    port: int

    async def ask(self, **request: Any) -> Any:
        """Return the platform's answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
        finally:
            writer.close()
        return json.loads(line)


class SmallMessenger:
    """Writes to members of the small platform."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def send(self, delivery: Delivery, kill: int | None = None) -> str | None:
        """Return the id of the message that is now there."""
        reply = delivery.reply
        answer = await self._wire.ask(
            do="send",
            kill=kill,
            delivery=delivery.id,
            to=delivery.address.id,
            kind=delivery.kind,
            text=reply.get("text", ""),
            buttons=reply.get("choices", []),
            marked=delivery.marked,
            edits=delivery.edits,
            closes=delivery.closes,
        )
        message: str = answer["message"]
        return message


class SmallReader:
    """Acts on updates of the small platform."""

    def __init__(self, companion: Companion, outreach: Outreach) -> None:
        self._companion, self._outreach = companion, outreach

    def sender(self, raw: bytes) -> Address | None:
        """Return whom an update is from."""
        try:
            return Address(PLATFORM, json.loads(raw)["from"])
        except ValueError as error:
            raise Unreadable from error

    async def act(self, raw: bytes, row: str | None, *, more: bool) -> None:
        """Answer an update."""
        inbound, above = inbound_of(raw)
        owe = Owing(above)
        answer = await self._companion.answer(inbound, owe, row)
        if answer.kept:
            self._outreach.send((*answer.deliveries, *answer.elsewhere))
        else:
            await self._outreach.say(inbound.address, owe(answer.replies))


def inbound_of(raw: bytes) -> tuple[Inbound, str | None]:
    """Return what a member did, and the message that they pressed a button of."""
    given = json.loads(raw)
    here = Address(PLATFORM, given["from"])
    if "tap" in given:
        return Tap(here, given["tap"]), given["on"]
    text: str = given["text"]
    if text.startswith("/"):
        name, _, rest = text[1:].partition(" ")
        return Command(here, name, rest), None
    return Text(here, text), None


@dataclass(frozen=True, slots=True)
class Owing:
    """Owes replies now; a question may take the place of the one that was pressed."""

    above: str | None

    def __call__(self, said: Sequence[Reply]) -> Sequence[Owed]:
        now = bootstrap.now()
        return [replies.owed(r, now, edits=self.above if isinstance(r, Prompt) else None) for r in said]


# ---------------------------------------------------------------- Where it may be killed


@dataclass(frozen=True)
class MortalMessenger:
    """A messenger that may be killed before, within and after a send."""

    messenger: SmallMessenger
    steps: Steps

    async def send(self, delivery: Delivery) -> str | None:
        """Send a delivery."""
        self.steps.come_to("send.before")
        message = await self.messenger.send(delivery, os.getpid() if self.steps.is_time("send.taken") else None)
        self.steps.come_to("send.after")
        return message


# ---------------------------------------------------------------- The process


async def run(environment: Mapping[str, str]) -> None:
    """Run until the platform says that all is done."""
    at, _, turn = environment.get("SMALL_DIE", "nowhere:0").partition(":")
    steps, folder = Steps(at, int(turn), "SMALL_MERCILESS" in environment), Path(environment["SMALL_FOLDER"])
    wire, library = Wire(int(environment["SMALL_PORT"])), loader.load()
    ring = KeyRing.parse(environment["SMALL_KEYS"])
    async with core(folder, ring, steps, library) as built:
        outreach = Outreach(built.store, {PLATFORM: MortalMessenger(SmallMessenger(wire), steps)}, bootstrap.now)
        intake = Intake(PLATFORM, built.store, MortalReader(SmallReader(built.companion, outreach), steps))
        await outreach.recover(PLATFORM)
        await intake.recover()
        await poll(wire, intake, steps)
        await intake.done()
        await outreach.done()


async def poll(wire: Wire, intake: Intake, steps: Steps) -> None:
    """Take updates until there will be no more; asking for those after the last acknowledges it."""
    after = 0
    while True:
        if after:
            steps.come_to("acknowledge.before")
        kill = os.getpid() if after and steps.is_time("acknowledge.taken") else None
        answer = await wire.ask(do="updates", after=after, most=2, kill=kill)
        if after:
            steps.come_to("acknowledge.after")
        if answer["done"]:
            return
        if updates := [Update(str(number), raw.encode()) for number, raw in answer["updates"]]:
            steps.come_to("receive.before")
            await intake.receive(updates)
            steps.come_to("receive.after")
            after = int(updates[-1].id)


if __name__ == "__main__":
    logs.set_up("WARNING")
    asyncio.run(run(os.environ))
