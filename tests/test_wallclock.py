"""The clock on the wall: gaps shift forward, folds take the first, and nobody is woken."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib.resources import files

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.diary import Quiet
from core.wallclock import day, first_allowed, in_quiet, instant, local
from core.zones import UnknownZone, names, rules

SEED = 20261124
MINUTE = timedelta(minutes=1)
STEP = timedelta(hours=6)
"""No zone has changed its clock twice within it since 1970."""
NIGHT = Quiet(time(21, 30), time(8))
EVERY_DAY = range(7)


@pytest.mark.parametrize(
    ("zone", "shown", "utc"),
    [
        ("UTC", "2026-11-24T18:30", "2026-11-24T18:30"),
        ("Europe/Berlin", "2026-11-24T18:30", "2026-11-24T17:30"),
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30"),  # left out: 03:30 in summer time
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),  # shown twice: the first, in summer time
        ("America/Santiago", "2026-09-06T00:30", "2026-09-06T04:30"),  # a day that begins at one
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45"),  # half an hour is left out
        ("Antarctica/Troll", "2026-03-29T01:30", "2026-03-29T01:30"),  # two hours are left out
        ("Asia/Kathmandu", "2026-11-24T00:00", "2026-11-23T18:15"),
    ],
)
def test_a_time_on_the_wall_is_one_instant(zone: str, shown: str, utc: str) -> None:
    expected = datetime.fromisoformat(utc).replace(tzinfo=UTC)

    for fold in (0, 1):
        assert instant(datetime.fromisoformat(shown).replace(fold=fold), zone) == expected
    assert instant(datetime.fromisoformat(shown), zone).tzinfo is UTC


def test_the_date_is_that_of_the_wall() -> None:
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)

    assert local(late, "Pacific/Auckland").isoformat() == "2026-11-25T12:30:00+13:00"
    assert [day(late, zone).day for zone in ("Pacific/Auckland", "UTC", "America/Los_Angeles")] == [25, 24, 24]


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "Europe", "Europe/berlin"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(UnknownZone):
        local(datetime(2026, 11, 24, tzinfo=UTC), zone)


@pytest.mark.parametrize(
    ("quiet", "hour", "minute", "inside"),
    [
        (NIGHT, 21, 29, False),
        (NIGHT, 21, 30, True),
        (NIGHT, 0, 0, True),
        (NIGHT, 7, 59, True),
        (NIGHT, 8, 0, False),
        (Quiet(time(9), time(17)), 8, 59, False),
        (Quiet(time(9), time(17)), 9, 0, True),
        (Quiet(time(9), time(17)), 17, 0, False),
        (Quiet(time(9), time(9)), 9, 0, False),  # none
    ],
)
def test_quiet_hours_begin_and_end_to_the_minute(quiet: Quiet, hour: int, minute: int, inside: bool) -> None:
    wall = datetime(2026, 11, 24, hour, minute, tzinfo=rules("Asia/Kolkata"))

    assert in_quiet(wall, quiet, "Asia/Kolkata") is inside


@pytest.mark.parametrize(
    ("zone", "quiet", "days", "since", "first"),
    [
        ("Europe/Berlin", NIGHT, EVERY_DAY, "2026-11-24T17:00:30", "2026-11-24T17:00:30"),  # at once
        ("Europe/Berlin", NIGHT, EVERY_DAY, "2026-11-24T22:10:30", "2026-11-25T07:00"),
        ("Europe/Berlin", NIGHT, [6], "2026-11-24T12:00", "2026-11-29T07:00"),
        ("Europe/Berlin", Quiet(time(1), time(1)), [6], "2026-11-24T12:00", "2026-11-28T23:00"),  # no quiet hours
        ("Europe/Berlin", NIGHT, EVERY_DAY, "2026-03-28T22:00", "2026-03-29T06:00"),  # the night has an hour less
        ("Europe/Berlin", NIGHT, EVERY_DAY, "2026-10-24T22:00", "2026-10-25T07:00"),  # and one more
        ("Europe/Berlin", Quiet(time(1), time(2, 30)), EVERY_DAY, "2026-03-29T00:10", "2026-03-29T01:00"),  # ends in the gap
        ("Europe/Berlin", Quiet(time(22), time(2, 30)), EVERY_DAY, "2026-10-25T01:10", "2026-10-25T01:30"),  # quiet once more
        ("America/Santiago", Quiet(time(1), time(1)), [6], "2026-09-06T03:59", "2026-09-06T04:00"),  # begins at one
    ],
)
def test_the_first_allowed_minute(zone: str, quiet: Quiet, days: list[int], since: str, first: str) -> None:
    asked = datetime.fromisoformat(since).replace(tzinfo=UTC)

    assert first_allowed(asked, quiet, days, zone) == datetime.fromisoformat(first).replace(tzinfo=UTC)
    assert first_allowed(local(asked, "Asia/Tokyo"), quiet, days, zone) == first_allowed(asked, quiet, days, zone)


@pytest.mark.parametrize("days", [(), (7,), (-1,)])
def test_without_an_allowed_weekday_there_is_no_such_minute(days: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no weekday"):
        first_allowed(datetime(2026, 11, 24, tzinfo=UTC), NIGHT, days, "UTC")


CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
CHANGES = [
    datetime(2026, month, day, hour, tzinfo=UTC) for month, day, hour in ((3, 29, 1), (10, 25, 1), (4, 4, 15), (9, 6, 4))
]


@settings(deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"]),
    quiet=st.builds(Quiet, CLOCKS, CLOCKS),
    days=st.sets(st.integers(0, 6), min_size=1),
    since=st.builds(lambda at, off: at + off * MINUTE, st.sampled_from(CHANGES), st.integers(-9_000, 3_000)),
)
@example(zone="Europe/Berlin", quiet=Quiet(time(3), time(2)), days={6}, since=CHANGES[0])  # but for the gap
def test_no_earlier_minute_is_allowed(zone: str, quiet: Quiet, days: set[int], since: datetime) -> None:
    first = first_allowed(since, quiet, days, zone)

    minutes = (since + late * MINUTE for late in range(14 * 24 * 60))
    assert first == next(at for at in minutes if local(at, zone).weekday() in days and not in_quiet(at, quiet, zone))


# ---------------------------------------------------------------- make prove


def clocks() -> list[str]:
    """Return a zone for each set of rules: the others are other names of these."""
    return sorted({(files("tzdata") / "zoneinfo" / zone).read_bytes(): zone for zone in sorted(names())}.values())


@cache
def moments(zone: str) -> tuple[datetime, ...]:
    """Return every minute from 2024 to 2037 at which the clock of a zone is changed."""
    return tuple(changes(zone))


def changes(zone: str) -> Iterator[datetime]:
    at, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
    while at < end:
        before = local(at, zone).utcoffset()
        if local(at + STEP, zone).utcoffset() != before:
            yield next(minute for late in range(361) if local(minute := at + late * MINUTE, zone).utcoffset() != before)
        at += STEP


@pytest.mark.prove
def test_every_minute_around_every_change_of_every_clock_is_one_instant() -> None:
    proved = 0
    for zone in clocks():
        for change in moments(zone):
            shown: dict[datetime, datetime] = {}
            for late in range(-240, 241):
                at = change + late * MINUTE
                shown.setdefault(local(at, zone).replace(tzinfo=None), at)
            left_out = local(change, zone).replace(tzinfo=None) - local(change - MINUTE, zone).replace(tzinfo=None) - MINUTE
            wall = min(shown)
            while wall <= max(shown):
                expected = shown.get(wall) or shown[wall + left_out]
                assert instant(wall, zone) == expected, (zone, wall)
                wall += MINUTE
                proved += 1
    assert proved > 1_000_000


@cache
def walls(zone: str, since: datetime) -> list[tuple[int, time]]:
    """Return weekday and time that a clock shows in each minute of 16 days."""
    walls = (local(since + late * MINUTE, zone) for late in range(16 * 24 * 60))
    return [(wall.weekday(), wall.time()) for wall in walls]


@pytest.mark.prove
def test_100_000_schedules_never_send_in_quiet_hours_and_miss_no_allowed_minute() -> None:
    chance = random.Random(SEED)
    zones = chance.sample([zone for zone in clocks() if moments(zone)], 30)
    weeks = [
        (zone, at - timedelta(days=1)) for zone in zones for at in chance.sample(moments(zone), min(4, len(moments(zone))))
    ]
    for _ in range(100_000):
        zone, begin = chance.choice(weeks)
        quiet = Quiet(*(time(chance.randrange(24), chance.choice((0, 15, 30, 59))) for _ in range(2)))
        days = chance.sample(EVERY_DAY, chance.randint(1, 7))
        start = chance.randrange(2 * 24 * 60)
        first = first_allowed(begin + start * MINUTE, quiet, days, zone)

        shown = walls(zone, begin)
        late = next(late for late in range(start, len(shown)) if shown[late][0] in days and not silent(shown[late][1], quiet))
        assert first == begin + late * MINUTE, (zone, begin, start, quiet, days)
        assert not in_quiet(first, quiet, zone)


def silent(clock: time, quiet: Quiet) -> bool:
    """Return whether a clock shows one of the minutes from the start of the quiet hours on, and before their end is reached."""
    minute, start, end = (one.hour * 60 + one.minute for one in (clock, quiet.start, quiet.end))
    return (minute - start) % 1440 < (end - start) % 1440
