"""What is posted in a club's channel after a run: one neutral button, the same for all. Pure."""

from datetime import datetime, timedelta

from core.club import Club, Standing
from core.diary import Diary, Quiet, Run
from core.ledger import Delivery, Going, Kind, Owed, Wait
from core.library import Library
from core.occasions import Occasion, Window
from core.organising.screen import Screen
from core.replies import plain
from core.timetable import Days
from core.wallclock import day, first_allowed
from core.zones import names

AFTER = timedelta(minutes=15)
"""After the end of a run: then they have their breath back, and their phone."""
POSTED_FOR = timedelta(hours=12)
QUIET = Quiet()
"""By the club's clock; members who are written to have set theirs."""


def post(library: Library, club: Club, days: Days, now: datetime) -> Owed | None:
    """Return what is owed to a club's channel at this moment; None where that is nothing.

    Of several runs it is the last one: after an outage there is one button, and no burst. Runs that start together are one.
    """
    if club.channel is None or club.zone not in names():
        return None
    runs = (run for group in club.runs for run in days.get(group.id, ()))
    over = [run for run in runs if (window := _window(run, club.zone)).due <= now < window.until]
    if not over:
        return None
    run = max(over, key=lambda run: run.start)
    window = _window(run, club.zone)
    said = Screen(library, club, Standing.MEMBER, Diary(), days, now).posted(run)
    key = window.key(f"{run.start:%Y-%m-%dT%H:%MZ}", day(run.start, club.zone))
    told = {**plain(said), "occasion": window.occasion.value, "occurrence": key, "zone": club.zone}
    return Owed(Kind.CHECK_IN, told, window.due, window.until, key)


def may_post(delivery: Delivery, now: datetime) -> Going | Wait:
    """Return whether a post may go at this moment, by the club's clock; raise UnknownZone."""
    earliest = first_allowed(now, QUIET, range(7), delivery.reply["zone"])
    if earliest <= now:
        return Going.GO
    return Wait(earliest) if delivery.until is not None and earliest <= delivery.until else Going.LEAVE


def _window(run: Run, zone: str) -> Window:
    due = first_allowed(run.end + AFTER, QUIET, range(7), zone)
    return Window(Occasion.POSTED, due, due + POSTED_FOR)
