"""A club's calendar file: what it says of runs is understood, and whatever else it holds does no harm."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from content import loader
from core.calendar import (
    LARGEST,
    LONGEST_NAME,
    LONGEST_SPAN,
    MOST_EVENTS,
    MOST_EXCEPTIONS,
    MOST_RUNS,
    MOST_TIMES,
    Problem,
    UnusableCalendar,
    occurrences,
    read,
    weekly,
)
from core.club import GroupRun
from core.diary import Origin, Slot
from core.wallclock import local

SEED = 20261124
HOME = "Europe/Berlin"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEMPO = ("UID:tempo@club.example", "SUMMARY:Tempo", "DTSTART;TZID=Europe/Berlin:20261124T183000")
HOUR = "DTEND;TZID=Europe/Berlin:20261124T193000"
WEEKLY = "RRULE:FREQ=WEEKLY"
MOVED = ("UID:tempo@club.example", "RECURRENCE-ID;TZID=Europe/Berlin:20261201T183000")


def event(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT"))


def file(*parts: str) -> bytes:
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//club//EN", *parts, "END:VCALENDAR", "")).encode()


def walls(data: bytes, weeks: int = 3) -> list[str]:
    """Return what the club's clock shows when each run of a file starts."""
    runs = [run for group in read(data, HOME, NOW) for run in occurrences(group, NOW, NOW + timedelta(weeks=weeks))]
    return [f"{local(run.start, HOME):%m-%d %H:%M}" for run in sorted(runs, key=lambda run: run.start)]


def problem(data: bytes) -> Problem:
    with pytest.raises(UnusableCalendar) as raised:
        read(data, HOME, NOW)
    assert loader.load_words("en").find("club", "calendar", raised.value.problem)
    return raised.value.problem


# ---------------------------------------------------------------- what it says of runs


def test_a_weekly_run_is_read() -> None:
    (group,) = read(file(event(*TEMPO, HOUR, WEEKLY, "LOCATION:Stadium\\, gate 2")), HOME, NOW)
    first, second = occurrences(group, NOW, NOW + timedelta(days=10))

    assert (group.name, group.place, group.zone) == ("Tempo", "Stadium, gate 2", "Europe/Berlin")
    assert first.start == datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
    assert (first.origin, first.minutes, first.id) == (Origin.CLUB, 60, f"{group.id}-20261124T1830")
    assert second.start - first.start == timedelta(days=7)


def test_it_stays_at_its_time_on_the_wall_over_a_change_of_the_clock() -> None:
    (group,) = read(file(event(*TEMPO, WEEKLY)), HOME, NOW)
    spring = datetime(2027, 3, 22, tzinfo=UTC)

    assert [run.start.hour for run in occurrences(group, spring, spring + timedelta(weeks=2))] == [17, 16]


def test_a_run_in_the_hour_that_is_left_out_takes_place_once() -> None:
    (group,) = read(file(event("UID:night", "DTSTART:20261122T023000", "RRULE:FREQ=DAILY")), HOME, NOW)
    spring = datetime(2027, 3, 27, 12, tzinfo=UTC)

    assert [run.start.isoformat() for run in occurrences(group, spring, spring + timedelta(days=1))] == [
        "2027-03-28T01:30:00+00:00"
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((*TEMPO,), ["11-24 18:30"]),
        (
            (*TEMPO, "RRULE:FREQ=WEEKLY;BYDAY=TU,TH"),
            ["11-24 18:30", "11-26 18:30", "12-01 18:30", "12-03 18:30", "12-08 18:30", "12-10 18:30"],
        ),
        ((*TEMPO, "RRULE:FREQ=WEEKLY;INTERVAL=2"), ["11-24 18:30", "12-08 18:30"]),
        ((*TEMPO, "RRULE:FREQ=WEEKLY;COUNT=2"), ["11-24 18:30", "12-01 18:30"]),
        ((*TEMPO, "RRULE:FREQ=WEEKLY;UNTIL=20261201"), ["11-24 18:30", "12-01 18:30"]),
        ((*TEMPO, "RRULE:FREQ=WEEKLY;UNTIL=20261201T173000Z"), ["11-24 18:30", "12-01 18:30"]),
        ((*TEMPO, "RRULE:FREQ=WEEKLY;UNTIL=20261201T172959Z"), ["11-24 18:30"]),
        ((*TEMPO, "RRULE:FREQ=WEEKLY;BYHOUR=18;BYMINUTE=30;BYSECOND=0;COUNT=1"), ["11-24 18:30"]),
        ((*TEMPO, "RRULE:FREQ=MONTHLY;BYDAY=SU;BYSETPOS=1;COUNT=2"), ["11-24 18:30", "12-06 18:30"]),
        ((*TEMPO, WEEKLY, "EXDATE;TZID=Europe/Berlin:20261201T183000"), ["11-24 18:30", "12-08 18:30"]),
        ((*TEMPO, WEEKLY, "EXDATE:20261201T173000Z,20261208T173000Z"), ["11-24 18:30"]),
        ((*TEMPO, "RDATE;TZID=Europe/Berlin:20261125T070000"), ["11-24 18:30", "11-25 07:00"]),
        (("UID:a", "DTSTART:20261124T183000"), ["11-24 18:30"]),  # no zone: the club's
        (("UID:a", "DTSTART:20261124T173000Z"), ["11-24 18:30"]),
        (("UID:a", "DTSTART;TZID=Nowhere/Land:20261124T183000"), ["11-24 18:30"]),
        (("UID:a", "DTSTART;TZID=W. Europe Standard Time:20261124T183000"), ["11-24 18:30"]),
        (("UID:a", "DTSTART;TZID=/maker.example/1/America/New_York:20261124T123000"), ["11-24 18:30"]),
        (("UID:a", 'DTSTART;TZID="(UTC+01:00) Amsterdam, Berlin":20261124T183000'), ["11-24 18:30"]),
        (("DTSTART:20261124T183000", "SUMMARY:without a UID"), ["11-24 18:30"]),
        (("dtstart:20261124T183000", "Uid:a"), ["11-24 18:30"]),
        (("UID:a", "DTSTART:2026112", " 4T18\r\n\t3000"), ["11-24 18:30"]),  # folded
        (("UID:a", "DTSTART:20000104T183000", WEEKLY), ["11-24 18:30", "12-01 18:30", "12-08 18:30"]),
        (("UID:a", "DTSTART:20000103T183000", "RRULE:FREQ=WEEKLY;INTERVAL=2"), ["11-30 18:30"]),
    ],
)
def test_an_event_takes_place_when_it_says(lines: tuple[str, ...], expected: list[str]) -> None:
    assert walls(file(event(*lines))) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("DTSTART;TZID=Europe/Berlin:20261202T190000",), ["11-24 18:30", "12-02 19:00", "12-08 18:30"]),
        (("DTSTART:20261202T180000Z",), ["11-24 18:30", "12-02 19:00", "12-08 18:30"]),
        (("DTSTART;TZID=Europe/Berlin:20261201T183000", "STATUS:CANCELLED"), ["11-24 18:30", "12-08 18:30"]),
        (("STATUS:CANCELLED",), ["11-24 18:30", "12-08 18:30"]),
        (("DTSTART;VALUE=DATE:20261201",), ["11-24 18:30", "12-08 18:30"]),  # no time of day any more
        (("DTSTART:20261201T173000Z", "DTEND:20261204T173000Z"), ["11-24 18:30", "12-08 18:30"]),  # a camp instead
        (("DTSTART;TZID=Europe/Berlin:20261201T190000", "SEQUENCE:-1"), ["11-24 18:30", "12-01 19:00", "12-08 18:30"]),
    ],
)
def test_one_day_of_a_series_is_moved_or_cancelled(change: tuple[str, ...], expected: list[str]) -> None:
    assert walls(file(event(*TEMPO, WEEKLY), event(*MOVED, *change))) == expected
    assert walls(file(event(*MOVED, *change), event(*TEMPO, WEEKLY))) == expected


def test_of_two_changes_of_a_day_the_later_counts() -> None:
    changes = [
        event(*MOVED, f"DTSTART;TZID=Europe/Berlin:20261201T{hour}0000", f"SEQUENCE:{sequence}")
        for hour, sequence in ((20, 2), (19, 1))
    ]

    assert walls(file(event(*TEMPO, WEEKLY), *changes)) == ["11-24 18:30", "12-01 20:00", "12-08 18:30"]


def test_a_day_and_all_later_ones_are_moved() -> None:
    change = event(MOVED[0], "RECURRENCE-ID;RANGE=THISANDFUTURE:20261201T173000Z", "DTSTART;TZID=Europe/Berlin:20261201T190000")

    assert walls(file(event(*TEMPO, WEEKLY), change)) == ["11-24 18:30", "12-01 19:00", "12-08 19:00"]


def test_what_was_moved_for_good_long_ago_stays_moved() -> None:
    series = event("UID:a", "DTSTART;TZID=Europe/Berlin:20250107T183000", WEEKLY)
    change = event("UID:a", "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20250114T183000", "DTSTART:20250114T180000Z")

    assert walls(file(series, change)) == ["11-24 19:00", "12-01 19:00", "12-08 19:00"]


def test_a_change_without_its_series_is_a_run() -> None:
    assert walls(file(event(*MOVED, "DTSTART:20261202T180000Z"))) == ["12-02 19:00"]


@pytest.mark.parametrize(
    "lines",
    [
        ("UID:a", "DTSTART;VALUE=DATE:20261124", WEEKLY),  # all day
        ("UID:a", "DTSTART:20261124T183000", "DTEND:20261127T120000"),  # a camp
        ("UID:a", "DTSTART:20261124T183000", "DURATION:P2D"),
        ("UID:a", "DTSTART:20261124T183000", WEEKLY, "STATUS:CANCELLED"),
        ("UID:a", "DTSTART:20261101T183000"),  # over
        ("UID:a", "DTSTART:20261001T183000", "RRULE:FREQ=WEEKLY;UNTIL=20261101"),
        ("UID:a", "SUMMARY:no start"),
        ("UID:a", "DTSTART:soon"),
        ("UID:a", "DTSTART:00010101T000000Z", WEEKLY),
        ("UID:a", "DTSTART:99991231T235959"),
        ("UID:a", "DTSTART:19700101T000000", WEEKLY),  # before there were calendars like it
    ],
)
def test_what_is_no_run_to_come_is_left_out(lines: tuple[str, ...]) -> None:
    assert problem(file(event(*lines))) is Problem.NO_RUNS
    assert walls(file(event(*lines), event(*TEMPO))) == ["11-24 18:30"]


def test_what_stands_within_an_event_or_beside_it_is_not_read() -> None:
    alarm = ("BEGIN:VALARM", "TRIGGER:-PT15M", "DURATION:P9D", "RRULE:FREQ=SECONDLY", "UID:b", "END:VALARM")
    zone = (
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Berlin",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "RRULE:FREQ=SECONDLY",
        "END:STANDARD",
    )
    task = ("BEGIN:VTODO", "UID:c", "DTSTART:20261124T100000", "RRULE:FREQ=HOURLY", "END:VTODO")

    assert walls(file(*zone, "END:VTIMEZONE", *task, event(*TEMPO, *alarm, "X-MORE;A=B:FREQ=SECONDLY"))) == ["11-24 18:30"]


def test_the_same_file_again_changes_nothing() -> None:
    parts = [event(*TEMPO, WEEKLY), event(*MOVED, "DTSTART:20261202T180000Z"), event("UID:other", "DTSTART:20261127T090000Z")]
    once, turned = read(file(*parts), HOME, NOW), read(file(*reversed(parts)), HOME, NOW)
    later = read(file(*parts), HOME, NOW + timedelta(days=3))
    soon = NOW + timedelta(days=4)

    assert once == turned
    assert [group.id for group in once] == [group.id for group in later]
    assert [occurrences(group, soon, soon + LONGEST_SPAN) for group in once] == [
        occurrences(group, soon, soon + LONGEST_SPAN) for group in later
    ]


def test_a_day_that_is_moved_keeps_its_id() -> None:
    (before,) = read(file(event(*TEMPO, WEEKLY)), HOME, NOW)
    (after,) = read(file(event(*TEMPO, WEEKLY), event(*MOVED, "DTSTART:20261202T180000Z")), HOME, NOW)
    ids = [[run.id for run in occurrences(group, NOW, NOW + timedelta(weeks=8))] for group in (before, after)]

    assert ids[0] == ids[1]


def test_a_name_is_one_short_line() -> None:
    (group,) = read(
        file(event(*TEMPO[:1], TEMPO[2], "SUMMARY:<b>Long\\n\u202eruns</b>\x07 @everyone " + "x" * 5_000)), HOME, NOW
    )

    assert group.name.startswith("<b>Long runs</b> @everyone xxx")
    assert len(group.name) <= LONGEST_NAME


def test_a_weekly_run_that_is_typed_in_is_of_the_same_kind() -> None:
    typed = weekly(Slot(1, time(18, 30)), HOME, name="Tempo", place="Stadium", minutes=90)
    (run,) = occurrences(typed, NOW, NOW + timedelta(days=7))

    assert isinstance(typed, GroupRun)
    assert (typed.name, typed.place, typed.zone) == ("Tempo", "Stadium", HOME)
    assert (run.start, run.minutes, run.origin) == (datetime(2026, 11, 24, 17, 30, tzinfo=UTC), 90, Origin.CLUB)
    assert weekly(Slot(1, time(18, 30)), HOME, name="Tempo").id == typed.id
    assert weekly(Slot(1, time(19, 30)), HOME, name="Tempo").id != typed.id


def test_a_look_ahead_is_bounded() -> None:
    far = datetime(2999, 1, 1, tzinfo=UTC)

    assert len(occurrences(weekly(Slot(1, time(18, 30)), HOME), NOW, far)) == LONGEST_SPAN.days // 7
    assert occurrences(weekly(Slot(1, time(18, 30)), HOME), far, NOW) == ()


@settings(deadline=None)
@given(
    start=st.datetimes(datetime(2000, 1, 1), datetime(2026, 12, 1)).map(lambda at: at.replace(second=0, microsecond=0)),  # noqa: DTZ001
    rule=st.builds(
        "FREQ={};INTERVAL={}{}".format,
        st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]),
        st.sampled_from((1, 2, 5)),  # others may never come to one of these months or days, and are refused
        st.sampled_from(["", ";BYDAY=MO,SA", ";BYMONTH=1,12;BYDAY=SU", ";COUNT=900", ";UNTIL=20261220T000000"]),
    ),
)
def test_a_series_has_the_same_days_however_long_ago_it_began(start: datetime, rule: str) -> None:
    since, until = (local(at, "UTC").replace(tzinfo=None) for at in (NOW, NOW + LONGEST_SPAN))
    expected = [
        day.replace(tzinfo=UTC) for day in sorted({start, *rrulestr(rule, dtstart=start).between(since, until, inc=True)})
    ]
    expected = [day for day in expected if NOW <= day < NOW + LONGEST_SPAN]
    data = file(event("UID:a", f"DTSTART:{start:%Y%m%dT%H%M%S}", f"RRULE:{rule}"))

    if expected:
        (group,) = read(data, "UTC", NOW)
        assert [run.start for run in occurrences(group, NOW, NOW + LONGEST_SPAN)] == expected
    else:
        assert problem(data) in (Problem.NO_RUNS, Problem.TOO_STRANGE)


# ---------------------------------------------------------------- what would do harm


@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=SECONDLY", "FREQ=MINUTELY;COUNT=3", "FREQ=HOURLY;INTERVAL=24"),
        *("FREQ=DAILY;BYHOUR=6,18", "FREQ=DAILY;BYSECOND=1", "FREQ=YEARLY;BYHOUR=" + ",".join(map(str, range(24)))),
    ],
)
def test_what_repeats_more_than_once_a_day_is_refused_by_name(rule: str) -> None:
    with pytest.raises(UnusableCalendar) as raised:
        read(file(event(*TEMPO, f"RRULE:{rule}")), HOME, NOW)

    assert (raised.value.problem, raised.value.event) == (Problem.TOO_OFTEN, "Tempo")


@pytest.mark.parametrize(
    "rule",
    [
        *("", "X", "FREQ=OFTEN", "FREQ=WEEKLY;INTERVAL=0", "FREQ=WEEKLY;INTERVAL=-1", "FREQ=WEEKLY;INTERVAL=1000"),
        *("FREQ=DAILY;COUNT=1000000", f"FREQ=DAILY;COUNT={MOST_TIMES + 1}", "FREQ=DAILY;COUNT=2;UNTIL=20270101"),
        *("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        *("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", "FREQ=DAILY;INTERVAL=7;BYDAY=MO", "FREQ=WEEKLY;BYDAY=TU;BYMONTHDAY=1"),
        *(
            "FREQ=YEARLY;BYEASTER=0",
            "FREQ=YEARLY;BYWEEKNO=1",
            "FREQ=YEARLY;BYYEARDAY=1",
            "RSCALE=HEBREW;FREQ=YEARLY",
            "FREQ=YEARLY;BYMONTH=13",
        ),
        *("FREQ=WEEKLY\r\nRRULE:FREQ=DAILY",),
    ],
)
def test_a_rule_that_never_ends_its_search_or_that_nobody_means_is_refused(rule: str) -> None:
    assert problem(file(event(*TEMPO, f"RRULE:{rule}"))) is Problem.TOO_STRANGE


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", Problem.NO_CALENDAR),
        (b"\x00\xff" * 1_000, Problem.NO_CALENDAR),
        (b"PK\x03\x04 a zip file", Problem.NO_CALENDAR),
        (b"<html>BEGIN:VCALENDAR</html>", Problem.NO_CALENDAR),
        (file(event(*TEMPO))[:-20], Problem.NO_CALENDAR),  # cut off
        (file("BEGIN:VEVENT", *TEMPO, "END:VTODO"), Problem.NO_CALENDAR),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 30_000, Problem.NO_CALENDAR),  # nested
        (file(), Problem.NO_RUNS),
        (b"BEGIN:VCALENDAR" + b"\r\n" * LARGEST, Problem.TOO_LARGE),
        (file(*[event(f"UID:{n}", "DTSTART:20200101T100000") for n in range(MOST_EVENTS + 1)]), Problem.TOO_MANY_EVENTS),
        (file(*[event(f"UID:{n}", "DTSTART:20261124T100000") for n in range(MOST_RUNS + 1)]), Problem.TOO_MANY_RUNS),
        (
            file(*[event(f"UID:{n}", "DTSTART:20000101T100000", "RRULE:FREQ=YEARLY") for n in range(MOST_EVENTS)]),
            Problem.TOO_MANY_RUNS,
        ),
        (file(event("UID:" + "x" * 100_000, *TEMPO[1:])), Problem.TOO_LONG),
        (file(event("UID:x" + "\r\n x" * 100_000, *TEMPO[1:])), Problem.TOO_LONG),
        (file(event(*TEMPO, WEEKLY, "EXDATE:" + "20261201T183000," * 9_000)), Problem.TOO_LONG),
        (
            file(event(*TEMPO, WEEKLY, *[f"EXDATE:20261201T{n // 60:02}{n % 60:02}00" for n in range(500)])),
            Problem.TOO_MANY_EXCEPTIONS,
        ),
        (
            file(
                event(*TEMPO, WEEKLY),
                *[event(MOVED[0], f"RECURRENCE-ID:20261201T{n // 60:02}{n % 60:02}00") for n in range(500)],
            ),
            Problem.TOO_MANY_EXCEPTIONS,
        ),
        (
            file(
                event(*TEMPO, WEEKLY),
                event(MOVED[0], MOVED[1].replace(";", ";RANGE=THISANDFUTURE;", 1), "DTSTART:20970101T000000Z"),
            ),
            Problem.TOO_STRANGE,
        ),
    ],
    ids=lambda case: case if isinstance(case, Problem) else "",
)
def test_a_file_that_is_no_club_s_calendar_is_refused(data: bytes, expected: Problem) -> None:
    assert problem(data) is expected


def test_many_runs_that_are_over_are_no_hindrance() -> None:
    singles = [event(f"UID:{n}", "DTSTART:20200101T100000Z") for n in range(MOST_RUNS)]
    series = [event(f"UID:s{n}", "DTSTART:20200101T100000", "RRULE:FREQ=WEEKLY;UNTIL=20201231") for n in range(MOST_RUNS)]
    changes = [event(f"UID:s{n}", "RECURRENCE-ID:20200108T100000", "DTSTART:20200109T100000") for n in range(MOST_RUNS)]
    days = [event(f"UID:d{n}", "DTSTART;VALUE=DATE:20270101") for n in range(MOST_RUNS)]

    assert walls(file(*singles, *series, *changes, *days, event(*TEMPO))) == ["11-24 18:30"]


def test_many_exceptions_that_are_over_are_no_hindrance() -> None:
    start = date(2016, 1, 5)
    days = [start + timedelta(weeks=week) for week in range(0, 520, 1)]
    left_out = [f"EXDATE;TZID=Europe/Berlin:{day:%Y%m%d}T183000" for day in days]

    assert len(left_out) > MOST_EXCEPTIONS
    assert walls(file(event("UID:a", "DTSTART;TZID=Europe/Berlin:20160105T183000", WEEKLY, *left_out))) == [
        "11-24 18:30",
        "12-01 18:30",
        "12-08 18:30",
    ]


@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=DAILY", "FREQ=DAILY;BYDAY=MO;BYMONTH=2", "FREQ=WEEKLY;INTERVAL=400;BYMONTH=11,12"),
        *(
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU",
            "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        ),
    ],
)
def test_the_busiest_calendar_is_read_or_refused(rule: str) -> None:
    """Each of these would take minutes without the bounds."""
    data = file(*[event(f"UID:{n}", f"DTSTART:20000101T{n % 24:02}3000", f"RRULE:{rule}") for n in range(MOST_RUNS)])
    try:
        groups = read(data, HOME, NOW)
    except UnusableCalendar:
        return

    assert len(groups) == MOST_RUNS
    assert all(len(occurrences(group, NOW, NOW + timedelta(days=60))) <= 60 for group in groups)


TIMES = (
    *(
        "20261124T183000",
        "20261124T183000Z",
        "20261124",
        "99991231T235959",
        "00010101T000000Z",
        "20260229T000000",
        "garbage",
        "",
    ),
    *(
        "20991231T235959Z",
        "20000101T000000Z",
        "20261124T183000Z/PT1H",
        "20261124T183000/20261124T193000",
        "PT1H",
        "-P9999999999D",
        "P9W",
    ),
)
PARAMETERS = (
    *(
        "",
        "",
        ";TZID=Europe/Berlin",
        ";TZID=Nowhere",
        ";TZID=",
        ";VALUE=DATE",
        ";VALUE=PERIOD",
        ";VALUE=TEXT",
        ";VALUE=DURATION",
        ";X",
    ),
    *(";RANGE=THISANDFUTURE", ";RANGE=THISANDPRIOR", ";TZID=/maker/America/New_York", ";VALUE=BINARY", ";ENCODING=BASE64"),
)
FREQUENCIES = ("FREQ=WEEKLY", "FREQ=DAILY", "FREQ=MONTHLY", "FREQ=YEARLY")
RULES = (
    *(
        "BYDAY=MO,TU",
        "BYDAY=1MO",
        "BYDAY=-5FR",
        "BYMONTHDAY=31,-31,0,99",
        "BYMONTHDAY=29",
        "BYMONTH=2",
        "BYMONTH=13,0",
        "BYSETPOS=-1",
    ),
    *(
        "BYSETPOS=0",
        "BYSETPOS=400",
        "INTERVAL=0",
        "INTERVAL=2",
        "INTERVAL=399",
        "COUNT=0",
        "COUNT=10",
        "COUNT=1000",
        "WKST=SU",
        "BYHOUR=18",
    ),
    *(
        "UNTIL=20261201",
        "UNTIL=20261201T000000Z",
        "UNTIL=00010101",
        "UNTIL=99991231T235959Z",
        "UNTIL=x",
        "BYWEEKNO=1",
        "RSCALE=HEBREW",
        "X=1",
    ),
)


def strange(chance: random.Random) -> Iterator[str]:
    """Yield the lines of an event that says strange things."""
    yield from chance.choices(("UID:a", "UID:b", "STATUS:CANCELLED", "SEQUENCE:" + "9" * 30), k=2)
    for name in ("DTSTART", "DTEND", "DURATION", "RDATE", "EXDATE", "RECURRENCE-ID"):
        for _ in range(chance.choice((1, 1, 1, 2) if name == "DTSTART" else (0, 0, 0, 1, 2))):
            times = chance.choices(TIMES[:1] if chance.random() < 0.5 else TIMES, k=chance.choice((1, 1, 2)))
            yield f"{name}{chance.choice(PARAMETERS)}:{','.join(times)}"
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        yield "RRULE:" + ";".join((chance.choice(FREQUENCIES), *chance.sample(RULES, chance.randint(0, 3))))


def read_strange_files(number: int) -> int:
    """Read files of strange events, and return how many of them had runs."""
    chance, good = random.Random(SEED), 0
    for _ in range(number):
        data = file(*(event(*strange(chance)) for _ in range(chance.randint(1, 4))))
        try:
            groups = read(data, HOME, NOW)
        except UnusableCalendar:
            continue
        good += 1
        for group in groups:
            assert 0 < len(occurrences(group, NOW, NOW + LONGEST_SPAN)) <= LONGEST_SPAN.days * 2
    return good


def test_whatever_an_event_says_it_is_read_or_refused() -> None:
    assert read_strange_files(400) > 20


@pytest.mark.prove
def test_whatever_20_000_files_say_they_are_read_or_refused() -> None:
    assert read_strange_files(20_000) > 1_000


@given(text=st.text() | st.text("BEGIN:VCALENDARVEVENT;=\r\n \t", max_size=200), within=st.booleans())
def test_garbage_is_refused(text: str, within: bool) -> None:
    with pytest.raises(UnusableCalendar):
        read(file(event(text)) if within else text.encode("utf-8", "replace"), HOME, NOW)
