"""The journeys of the core, word for word, on Telegram: over real sockets, with the real client library."""

import asyncio
from pathlib import Path

import pytest

import journey
from bot_api import BotApi, Member, Message
from chat import Clock
from core.dialogue import Command, Inbound, Reply, Tap, Taps, Text, Upload
from core.members import Address
from journey import Member as Journey
from telegram_chat import Running, running

PATHS = sorted(journey.ROOT.rglob("*.txt"))
SOME = PATHS[::12]
ANNA = 4711


class OnTelegram(Journey):
    """A journey that is taken twice at once: in the core alone, and on Telegram. What is said must be the same."""

    phone: Member
    bot: Running

    async def sends(self, inbound: Inbound) -> tuple[Reply, ...]:
        seen = len(self.phone.chat.events)
        replies = await super().sends(inbound)
        match inbound:
            case Tap(token=token):
                self.phone.forges(self._message_with(token), token)
            case Text(text=text):
                self.phone.says(text)
            case Taps() | Upload():
                raise AssertionError("Telegram has one button for each line")
            case Command():
                self.phone.says(f"/{inbound.name} {inbound.rest}".rstrip())
        await self.bot.rests()
        shown = "\n\n".join(e.content.text for e in self.phone.chat.events[seen:] if e.message.sender == self.phone.world.bot)
        missing = [line for reply in replies for line in reply.text.splitlines() if line.strip() and line not in shown]
        assert missing == []
        return replies

    def _message_with(self, token: str) -> Message:
        """Return the newest message that has a button, or had it before it was edited."""
        heard = self.phone.heard[::-1]
        now = (m for m in heard if any(b.data == token for b in m.content.buttons))
        before = (m for m in heard for c in m.versions if any(b.data == token for b in c.buttons))
        return next(now, None) or next(before)


async def replayed(path: Path, folder: Path) -> None:
    clock = Clock()
    member = OnTelegram(clock=clock, address=Address("telegram", str(ANNA)))
    async with BotApi(now=clock) as api, running(folder, api, now=clock, fresh_id=lambda: f"{len(member.said):016x}") as bot:
        member.phone, member.bot = api.private(api.user(ANNA, "Anna")), bot
        for step in journey.steps(path):
            await member.does(step)
        assert (await bot.store.tallies()).conserved


@pytest.mark.parametrize("path", SOME, ids=journey.name_of)
async def test_a_journey_is_the_same_on_telegram(path: Path, tmp_path: Path) -> None:
    await asyncio.wait_for(replayed(path, tmp_path), 60)


@pytest.mark.prove
@pytest.mark.parametrize("path", [path for path in PATHS if path not in SOME], ids=journey.name_of)
async def test_every_journey_is_the_same_on_telegram(path: Path, tmp_path: Path) -> None:
    await asyncio.wait_for(replayed(path, tmp_path), 60)
