"""What the organisers of clubs are told of how sending goes. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from core.club import Club
from core.dialogue.turn import Notice
from core.ledger import Kind, Owed
from core.members import Address
from core.occasions import Occasion, Window
from core.replies import plain
from core.sending import Outage
from core.wallclock import day, local
from core.words import Words
from core.zones import names

TOLD_FOR = timedelta(days=2)
"""After that nobody asks any more why it was silent."""


def told_of(outage: Outage, clubs: Sequence[Club], words: Words, now: datetime) -> Iterator[tuple[Address, Owed]]:
    """Yield the one message for each organiser that nothing could be sent for a day. It names nobody.

    It goes to them where they write to us on the platform that was silent, in their club's waking hours.
    """
    told = {who: club for club in clubs for who in club.organisers if who.platform == outage.platform}
    for who, club in told.items():
        zone = club.zone if club.zone in names() else "UTC"
        window = Window(Occasion.OUTAGE, now, now + TOLD_FOR)
        key = window.key(f"{outage.since:%Y-%m-%dT%H:%MZ}", day(outage.since, zone))
        since, until = (_shown(at, zone, words) for at in (outage.since, outage.until))
        said = plain(Notice(words("club", "outage", since=since, until=until)))
        said |= {"occasion": window.occasion.value, "occurrence": key, "zone": zone}
        yield who, Owed(Kind.CHECK_IN, said, now, window.until, key)


def _shown(at: datetime, zone: str, words: Words) -> str:
    wall = local(at, zone)
    return f"{words.list('ui', 'days')[wall.weekday()]} {wall:%H:%M}"
