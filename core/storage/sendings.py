"""How sending on each platform goes. It is about nobody."""

from datetime import datetime

from core.sending import Sending
from core.storage import sql
from core.storage.book import Book, minute, time_of


def kept(book: Book, platform: str) -> Sending | None:
    """Return how sending on a platform goes; None where nothing was tried there yet."""
    row = book.one(sql.SENDING, platform)
    if row is None:
        return None
    alive, since, until = row
    return Sending(platform, time_of(alive), _time(since), _time(until))


def keep(book: Book, sending: Sending) -> None:
    """Keep how it goes."""
    times = (None if at is None else minute(at) for at in (sending.since, sending.until))
    book.run(sql.KEEP_SENDING, sending.platform, minute(sending.alive), *times)


def _time(text: str | None) -> datetime | None:
    return None if text is None else time_of(text)
