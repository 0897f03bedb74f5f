"""A typed line as what it means to the core."""

from core.dialogue import Command, Inbound, Text
from core.members import Address

HERE = Address("console", "terminal")
LONGEST = 10_000
"""Characters of a line that are read; the rest is cut, as a platform would."""


def typed(line: str) -> Inbound:
    """Return a command for a line that begins with a slash, text for any other."""
    line = line.strip()[:LONGEST]
    if not line.startswith("/"):
        return Text(HERE, line)
    name, _, rest = line[1:].partition(" ")
    return Command(HERE, name.casefold(), rest.strip())
