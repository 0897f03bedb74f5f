"""A typed line as what it means to the core."""

from core.club import Chat, Standing
from core.dialogue import Command, Inbound, Text
from core.members import Address

HERE = Address("console", "terminal")
CLUB = Chat(Address("console", "club"), "", Standing.ORGANISER)
"""Whoever sits at the terminal organises its club."""


class AtTheTerminal:
    """Who someone is in the club of the terminal."""

    async def standing(self, who: Address, chat: Address) -> Standing:  # noqa: ARG002 - there is only one, and one club
        """Return that they organise it."""
        return CLUB.standing


LONGEST = 10_000
"""Characters of a line that are read; the rest is cut, as a platform would."""


def typed(line: str) -> Inbound:
    """Return a command for a line that begins with a slash, text for any other."""
    line = line.strip()[:LONGEST]
    if not line.startswith("/"):
        return Text(HERE, line)
    name, _, rest = line[1:].partition(" ")
    return Command(HERE, name.casefold(), rest.strip(), CLUB if name.casefold() == "club" else None)
