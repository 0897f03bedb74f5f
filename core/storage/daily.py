"""A backup of every day, by itself."""

import asyncio
import logging
from datetime import datetime
from pathlib import Path

from core.errors import StorageUnavailable
from core.storage.backup import Backup
from core.storage.copies import copies_of
from core.storage.store import Store

log = logging.getLogger(__name__)


async def back_up_if_due(store: Store, folder: Path, now: datetime) -> Backup | None:
    """Return today's backup where there was none yet, None otherwise; where none can be made, the log says so."""
    found = await asyncio.to_thread(copies_of, folder, store.path)
    if any(copy.time.date() == now.date() and not copy.replaced for copy in found):
        return None
    try:
        return await store.back_up(folder)
    except StorageUnavailable as error:
        log.error("backup.failed", extra={"error": type(error).__name__})  # noqa: TRY400 - what it says stands in its message
        return None
