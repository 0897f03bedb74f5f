"""Hipwise on Discord, a process with the real discord.py, while the line breaks and the API fails: nothing is lost or doubled.

The gateway asks to reconnect, goes without a word, says nothing any more, ends the session or lets it go on; of the answers
of the API a tenth is lost, others are refusals. Members play their parts meanwhile, as in test_discord_kill.py.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from discord_api import Fault, Reset, answers, holds
from discord_api import interactions as discord_interactions
from killed import LIFE, world
from test_discord_kill import CROWD, PATIENCE, SCRIPT, Crowd, Part, accounted, comes_back, forgets, looks_back, rehearsed

CALM = 0.7
"""Seconds for which all goes well between two faults of the gateway."""
DROPPED = 0.1
SILENCE = "7"
"""Seconds after which a gateway that says nothing counts as gone: more than pass before a session is begun anew."""
GATEWAY = ("asks", "drops", "resumes", "freezes", "asks", "closes", "ends", "refuses", "asks")
API: tuple[Fault, ...] = (
    *(answers(status) for status in (500, 502, 503, 504)),
    *(answers(status, done=True) for status in (500, 502, 503, 504)),
    holds(0.2),
    holds(0.2, bucket="b"),
    holds(0.2, scope="global"),
    Reset(),
    Reset(done=True),
    Reset(closed=True),
)
ROUTES = ("callback", "edit_original", "delete")

pytestmark = pytest.mark.prove


class Troubled(Crowd):
    """A Discord on which people come and go for as long as it is in trouble."""

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__(parts)
        self.gateway.heartbeat = 0.3
        self._chance = random.Random(1)
        self._over = False
        """Whether all trouble is over, and nobody new comes."""

    @property
    def done(self) -> bool:
        """Whether nobody has anything left to do, or to be told, and all trouble is over."""
        return self._over and all(player.done for player in self.players.values())

    async def is_awake(self) -> None:
        """Have trouble, and members do again what the bot was not told of because its session was over."""
        await self.until(lambda: bool(self.commands.all[None]), within=LIFE)
        self._come()
        self.faults.dropped = DROPPED
        for trouble in GATEWAY:
            await asyncio.sleep(CALM)
            await self._has(trouble)
            for route in ROUTES:
                self.faults.lay(route, self._chance.choice(API), times=2)
            await self.until(lambda: self._session is not None, within=LIFE)
            self._tells_again()
        self.faults.clear()
        self._over = True
        self.world.changes.tell()

    async def _has(self, trouble: str) -> None:
        """Have this happen to the line."""
        line = self.gateway.live[-1]
        match trouble:
            case "asks":
                self.gateway.asks_to_reconnect()
            case "drops":
                line.drops()
            case "freezes":
                line.freezes()
            case "closes":
                line.closes(4000)
            case "refuses":
                self.gateway.refuses = 503
                line.drops()
                await asyncio.sleep(CALM)
                self.gateway.refuses = None
            case _:
                self.gateway.invalidates(resumable=trouble == "resumes")
        await self.until(lambda: line not in self.gateway.live, within=LIFE)

    def _tells_again(self) -> None:
        for player in self.players.values():
            for one in player.done_now:
                if not one.told:
                    one.told = one.do()
                    self.again += 1

    def _come(self) -> None:
        while not self._over and sum(not p.done for p in self.players.values()) < CROWD:
            self._comes()


async def test_while_the_line_breaks_and_the_api_fails_nothing_is_lost_and_nothing_is_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord_interactions, "ANSWERED_WITHIN", timedelta(seconds=PATIENCE))
    plays = {part.__name__ for part in (looks_back, forgets, comes_back)}
    parts = [part for part in await rehearsed(tmp_path) if part.name in plays]
    async with Troubled(parts) as crowd:
        where = {"MORTAL_API": crowd.url, "MORTAL_GATEWAY": crowd.gateway_url}
        more = {"MORTAL_PATIENCE": str(PATIENCE), "MORTAL_SILENCE": SILENCE}
        async with world("faults", tmp_path, SCRIPT, crowd, **where, **more) as here:
            await here.ends()
            (here.folder / "told").touch()
            account = await accounted(here, crowd, quiet=False)

    statuses = Counter(request.status for request in crowd.requests)
    assert account.faults == ()
    assert crowd.gateway.resumed >= GATEWAY.count("asks")
    assert len(crowd.gateway.identified) == 1 + GATEWAY.count("ends")
    assert min(statuses[status] for status in (None, 429, 500, 503)) > 0
