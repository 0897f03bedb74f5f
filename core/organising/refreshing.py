"""Has the days of group runs worked out, where they are not known or not right any more."""

import asyncio
from datetime import datetime

from core.club import Club
from core.timetable import Timetable, worked_out


async def refresh(timetable: Timetable, clubs: tuple[Club, ...], now: datetime) -> None:
    """Bring a timetable up to date, in a thread: that can take a while."""
    if not timetable.holds(clubs, now):
        timetable.take(clubs, await asyncio.to_thread(worked_out, clubs, now), now)
