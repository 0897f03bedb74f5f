"""What is said in groups: where the bot talks, and the way to the club's runs. Never a word about health."""

import logging
from collections.abc import Sequence
from typing import Any, Protocol

from telegram import Bot

from bots.telegram.links import Links, club_of, into_private, line, link, to_club
from bots.telegram.updates import PLATFORM, InGroup
from core.club import Chat, Standing
from core.companion import Companion
from core.dialogue import Command
from core.errors import CannotTell, StorageUnavailable
from core.ledger import Delivery, Kind, Owed
from core.limits import GROUP_BURST, GROUP_REFILL, Allowance
from core.members import Address
from core.outreach import Outreach
from core.ports import Now, Rights
from core.words import Words

log = logging.getLogger(__name__)


class Planned(Protocol):
    """Where something is owed without a turn."""

    async def plan(self, address: Address, owed: Sequence[Owed], handled: str | None = None) -> tuple[Delivery, ...]:
        """Owe something to an address, and note an update as handled."""
        ...

    async def handled(self, row: str) -> None:
        """Note that an update needs no more."""
        ...


class Groups:
    """Answers commands in groups once in a while, and knows where the links lead that it gave out there."""

    def __init__(
        self,
        bot: Bot,
        *,
        words: Words,
        companion: Companion,
        outreach: Outreach,
        addresses: Planned,
        rights: Rights,
        now: Now,
    ) -> None:
        self._bot, self._words, self._now = bot, words, now
        self._companion, self._outreach, self._addresses, self._rights = companion, outreach, addresses, rights
        self._links = Links()
        self._lines = Allowance(GROUP_BURST, GROUP_REFILL)

    async def answer(self, asked: InGroup, row: str | None) -> None:
        """Say what there is to say to a command, and note its update as handled."""
        if self._lines.takes(asked.group, self._now()):
            said = await self._about_club(asked) if asked.command == "club" else self._into_private(asked)
            await self._say(asked.group, Owed(Kind.NOTICE, said, self._now()), row)
        elif row is not None:
            await self._addresses.handled(row)

    def led_to(self, address: Address, payload: str) -> Command:
        """Return what someone asks for who came through a link. Whether they are of that club, the core asks."""
        club = club_of(payload)
        if club is not None:
            return Command(address, "club", f"#{club}")
        own = self._links.take(payload, address.id, self._now())
        return Command(address, "hip" if own else "start")

    # ---------------------------------------------------------------- Which line

    def _into_private(self, asked: InGroup) -> dict[str, Any]:
        payload = None if asked.asker is None else self._links.make(asked.asker, self._now())
        return self._link("line", "open", payload, asked)

    async def _about_club(self, asked: InGroup) -> dict[str, Any]:
        """Return the way to the runs of a group's club, claimed for it now if an organiser asks; or why there is none."""
        # Whoever writes in the name of the group, or of a channel, is nobody that Telegram could be asked about.
        who = asked.group if asked.asker is None else Address(PLATFORM, asked.asker)
        try:
            standing = Standing.STRANGER if asked.asker is None else await self._rights.standing(who, asked.group)
            club = await self._companion.claimed(Chat(asked.group, asked.title, standing), who)
        except CannotTell:
            return self._line("cannot_tell", asked)
        except StorageUnavailable:
            return self._line("not_kept", asked)
        if club is not None:
            return self._link("runs", "open_runs", to_club(club.id), asked)
        if asked.asker is None:
            return self._line("as_group", asked)
        return self._line("too_many" if standing is Standing.ORGANISER else "no_club", asked)

    def _link(self, text: str, label: str, payload: str | None, asked: InGroup) -> dict[str, Any]:
        url = into_private(self._bot.username, payload)
        return link(self._words("platform", "group", text), self._words("platform", "group", label), url, asked.topic)

    def _line(self, text: str, asked: InGroup) -> dict[str, Any]:
        return line(self._words("platform", "group", text), asked.topic)

    # ---------------------------------------------------------------- How it is said

    async def _say(self, group: Address, said: Owed, row: str | None) -> None:
        """Say something once it is owed; where nothing can be kept, at once."""
        if row is None or not await self._owed(group, said, row):
            await self._outreach.say(group, [said])

    async def _owed(self, group: Address, said: Owed, row: str) -> bool:
        try:
            self._outreach.send(await self._addresses.plan(group, [said], row))
        except StorageUnavailable:
            log.warning("group.not_owed")
            return False
        return True
