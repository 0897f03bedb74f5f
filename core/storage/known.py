"""What was read about members with their last turn or what they sent, until a turn asks for it or something of it changes."""

from core.members import Address
from core.record import Record

MOST = 250
"""Records at once: more than the updates that a platform hands over together, and than members who tap within a minute."""


class Known:
    """Records by address, each taken once. The thread of the database fills and empties it; the loop takes from it."""

    def __init__(self) -> None:
        self._records: dict[Address, Record] = {}

    def __contains__(self, address: Address) -> bool:
        """Return whether an address waits to be taken."""
        return address in self._records

    def add(self, address: Address, record: Record) -> None:
        """Keep what was read until it is taken."""
        if len(self._records) >= MOST:
            self._records.clear()
        self._records[address] = record

    def take(self, address: Address) -> Record | None:
        """Return what is known, once."""
        return self._records.pop(address, None)

    def changed(self, member: str, *addresses: Address) -> None:
        """Let go of what a turn has changed: all that is known of its member, and of these addresses."""
        for address in addresses:
            self._records.pop(address, None)
        for other, record in tuple(self._records.items()):
            if record.member == member:
                self._records.pop(other, None)

    def clear(self) -> None:
        """Let go of everything."""
        self._records.clear()
