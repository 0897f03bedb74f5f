"""Links from a group into the private chat: to a check for whoever asked, once, for ten minutes; to a club for all of it."""

import hmac
import re
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any

VALID = timedelta(minutes=10)
OPEN = 10_000
"""Links that are open at most; the oldest go first."""
_CLUB = re.compile(r"club-([0-9a-f]{8})")


class Links:
    """The links to a check that were given out. After a restart none is: a link then opens the chat, and no more."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[str, datetime]] = OrderedDict()

    def make(self, asker: str, now: datetime) -> str:
        """Return the payload of a link for a user: 22 characters of A-Z, a-z, 0-9, - and _."""
        payload = secrets.token_urlsafe(16)
        self._open[payload] = (asker, now + VALID)
        if len(self._open) > OPEN:
            self._open.popitem(last=False)
        return payload

    def take(self, payload: str, user: str, now: datetime) -> bool:
        """Return whether a user has come through their own link, for the first time and in time."""
        asker, until = self._open.get(payload, ("", now))
        if not hmac.compare_digest(asker.encode(), user.encode()):
            return False
        del self._open[payload]
        return now < until


def link(text: str, label: str, url: str, topic: int | None) -> dict[str, Any]:
    """Return a line with a button that opens an address, as plain JSON values: only Telegram has such buttons, and topics."""
    return {"is": "link", "text": text, "label": label, "url": url, "topic": topic}


def line(text: str, topic: int | None) -> dict[str, Any]:
    """Return a line without a button, for a topic of a group."""
    return {"is": "line", "text": text, "topic": topic}


def to_club(id: str) -> str:
    """Return the payload of a link to the club of that id. It says who it leads to, and lets nobody in."""
    return f"club-{id}"


def club_of(payload: str) -> str | None:
    """Return the id of the club that a payload leads to, None where it leads to none."""
    found = _CLUB.fullmatch(payload)
    return None if found is None else found[1]


def into_private(bot: str, payload: str | None) -> str:
    """Return the address of the private chat with the bot of that user name."""
    return f"https://t.me/{bot}" if payload is None else f"https://t.me/{bot}?start={payload}"
