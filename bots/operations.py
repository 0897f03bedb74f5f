"""What an operator can have done to an open store: by the Hipwise that runs, or else by the command itself."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bots import VERSION
from bots.control import Command
from bots.status import Course, Status, plain, text
from core.ports import Now
from core.storage import Store, copies_of


@dataclass(frozen=True, slots=True)
class Operations:
    """Each answers in JSON values: whoever asks may be another process, and of another version."""

    store: Store
    backups: Path
    now: Now
    content: str
    course: Callable[[], Course] | None = None
    """None: none runs, and the store was opened for this only."""

    def commands(self) -> Mapping[str, Command]:
        """Return each of them by the name that it is asked for by."""
        return {"status": self.status, "integrity": self.integrity, "rotate": self.rotate, "backup": self.backup}

    async def status(self) -> Mapping[str, Any]:
        """Return how it is, as values and as a text."""
        now, course = self.now(), self.course() if self.course else None
        status = Status(VERSION, self.content, course, await self.store.health(now), await self._backed_up())
        return {"status": plain(status, now), "text": text(status, now)}

    async def integrity(self) -> Mapping[str, Any]:
        """Return what is wrong with the file, if anything, and whether a Hipwise runs on it."""
        found = await self.store.integrity()
        newest = None if found.newest is None else found.newest.isoformat()
        return {**asdict(found), "newest": newest, "running": self.course is not None}

    async def rotate(self) -> Mapping[str, Any]:
        """Return how many data keys were wrapped again, and the id of the key that all are under now."""
        return {"count": await self.store.rewrap(), "key": self.store.first_key}

    async def backup(self) -> Mapping[str, Any]:
        """Return the backup that was made, and what is in it."""
        made = await self.store.back_up(self.backups)
        return {"path": str(made.path), "bytes": made.bytes, "members": made.members, "unreadable": made.unreadable}

    async def _backed_up(self) -> datetime | None:
        """Return when the newest backup was made."""
        found = await asyncio.to_thread(copies_of, self.backups, self.store.path)
        return next((copy.time for copy in found if not copy.replaced), None)
