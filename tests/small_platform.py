"""A small chat platform on this machine, and members who talk on it as they did in a rehearsal.

It delivers an update until that is acknowledged, by asking for what comes after it; it takes messages and changes of
messages; and it remembers all that it was given. It can kill whoever asks, between taking something and answering.

Requests and responses are JSON, a line each, over TCP:

    {"do": "updates", "after": 7, "most": 2}     acknowledges all up to 7; {"updates": [[8, "..."], ...], "done": false}
    {"do": "send", "to": "anna", "text": ...}    {"message": "12"}
"""

import asyncio
import json
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from core.ledger import Kind

PATIENCE = 0.2
"""Seconds for which a question for updates waits when there are none."""


# ---------------------------------------------------------------- What was rehearsed


@dataclass(frozen=True, slots=True)
class Press:
    """A press of the newest button with this label."""

    label: str


Action = str | Press
"""Something typed, or a press."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as a member sees it."""

    kind: Kind
    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What a member does at once, and what they were told then."""

    actions: tuple[Action, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What a member plays, and what is kept about them in the end: None where they had it all erased."""

    name: str
    steps: tuple[Step, ...]
    kept: Any

    @property
    def said(self) -> tuple[Said, ...]:
        """All that they are told, in order."""
        return tuple(said for step in self.steps for said in step.said)


# ---------------------------------------------------------------- Members


@dataclass(frozen=True, slots=True)
class Sent:
    """A message, or a change of one, that the platform took."""

    delivery: str
    to: str
    said: Said
    message: str
    marked: bool
    edits: bool


@dataclass
class Member:
    """Someone who does the next thing once they were told all that they were told in the rehearsal."""

    id: str
    part: Part
    does: Callable[[str], None]
    """Puts an update on its way."""
    heard: dict[str, Said] = field(default_factory=dict)
    """Each delivery, once, in the order in which they came."""
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each message leads to, by label; the newest message last."""
    step: int = 0
    awaited: int = 0

    def begins(self) -> None:
        """Do the first thing."""
        self._acts()

    @property
    def done(self) -> bool:
        """Whether they did all that they were to do and were told all that they were to be told."""
        return self.step == len(self.part.steps) and len(self.heard) >= self.awaited

    def sees(self, sent: Sent, buttons: dict[str, str]) -> None:
        """Take in a message, and go on if it was the last that was waited for; a repeat brings nothing new."""
        self.buttons.pop(sent.message, None)
        if sent.said.kind is Kind.DELETION:
            return
        self.buttons[sent.message] = buttons
        if sent.delivery in self.heard:
            return
        self.heard[sent.delivery] = sent.said
        if len(self.heard) == self.awaited:
            self._acts()

    def _acts(self) -> None:
        if self.step == len(self.part.steps):
            return
        step = self.part.steps[self.step]
        self.step += 1
        self.awaited += len(step.said)
        for update in [self._update(action) for action in step.actions]:
            self.does(update)

    def _update(self, action: Action) -> str:
        if isinstance(action, str):
            return json.dumps({"from": self.id, "text": action})
        for message, buttons in reversed(self.buttons.items()):
            if action.label in buttons:
                return json.dumps({"from": self.id, "tap": buttons[action.label], "on": message})
        raise AssertionError(f"no button {action.label!r} for {self.part.name}, of whom it is step {self.step}")


# ---------------------------------------------------------------- The platform


class SmallPlatform:
    """`async with` opens it; new members come, at most so many at a time, until `closes` says that it is enough."""

    def __init__(self, parts: Sequence[Part], *, at_once: int) -> None:
        self._parts, self._at_once = parts, at_once
        self.members: dict[str, Member] = {}
        self.sent: list[Sent] = []
        self.updates: list[str] = []
        self.acknowledged = 0
        self.closing = False
        self._news = asyncio.Event()

    async def __aenter__(self) -> "SmallPlatform":
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._join()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()
        if not self.failed.done():
            self.failed.cancel()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def done(self) -> bool:
        """Whether nobody has anything left to do, or to be told, and everything was acknowledged."""
        return self.closing and self.acknowledged == len(self.updates) and all(m.done for m in self.members.values())

    @property
    def deliveries(self) -> dict[str, list[Sent]]:
        """How often and in which form each delivery came, the first to come first."""
        found: defaultdict[str, list[Sent]] = defaultdict(list)
        for sent in self.sent:
            found[sent.delivery].append(sent)
        return dict(found)

    def closes(self) -> None:
        """Let nobody new come."""
        self.closing = True

    # ---------------------------------------------------------------- Members

    def _join(self) -> None:
        while not self.closing and sum(not m.done for m in self.members.values()) < self._at_once:
            number = len(self.members)
            member = Member(f"member-{number:04}", self._parts[number % len(self._parts)], self._comes)
            self.members[member.id] = member
            member.begins()
            self._comes(f"{{garbled {number}")

    def _comes(self, update: str) -> None:
        self.updates.append(update)
        self._news.set()

    # ---------------------------------------------------------------- Requests

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                request = json.loads(line)
                response = await (self._give(request) if request["do"] == "updates" else self._take(request))
                if pid := request.get("kill"):
                    with suppress(ProcessLookupError):  # two of its requests were on their way
                        os.kill(pid, signal.SIGKILL)
                    return
                writer.write(json.dumps(response).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass  # whoever asked was killed
        except Exception as error:  # noqa: BLE001 - it is the test's to raise
            if not self.failed.done():
                self.failed.set_exception(error)
        finally:
            writer.close()

    async def _give(self, request: dict[str, Any]) -> dict[str, Any]:
        self.acknowledged = max(self.acknowledged, request["after"])
        self._join()
        if not (self.done or self.updates[self.acknowledged :]):
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), PATIENCE)
        return {"updates": list(self._waiting(request["most"])), "done": self.done}

    def _waiting(self, most: int) -> Iterator[tuple[int, str]]:
        for number in range(self.acknowledged, min(len(self.updates), self.acknowledged + most)):
            yield number + 1, self.updates[number]

    async def _take(self, request: dict[str, Any]) -> dict[str, Any]:
        buttons = {label: tap for tap, label, *_ in request["buttons"]}
        edited = request["edits"]
        message = edited or str(len(self.sent) + 1)
        said = Said(Kind(request["kind"]), request["text"], tuple(buttons))
        sent = Sent(request["delivery"], request["to"], said, message, request["marked"], edited is not None)
        self.sent.append(sent)
        member = self.members[sent.to]
        if request["closes"]:
            member.buttons.pop(request["closes"], None)
        member.sees(sent, buttons)
        self._join()
        return {"message": message}
