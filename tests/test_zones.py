"""Somebody says where they are, or what time it is there, and the zone is found."""

from datetime import UTC, datetime, time, timedelta

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from core.zones import ALSO, COMMON, FOUND, VERSION, names, rules, zones_at, zones_named

NOW = datetime(2026, 11, 24, 12, 2, tzinfo=UTC)


def test_the_database_is_the_one_that_comes_with_the_program() -> None:
    assert tzdata.IANA_VERSION == VERSION
    assert len(names()) > 500
    assert {str(rules(zone)) for zone in names()} == names()


def test_every_common_zone_is_in_the_database() -> None:
    assert set(COMMON) <= names()
    assert {zone for zone in ALSO if "/" in zone} <= names()


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe/berlin. ", "Europe/Berlin"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("UTC", "UTC"),
        ("Lodnon", "Europe/London"),
        ("São Paulo", "America/Sao_Paulo"),
        ("Berlin, Germany", "Europe/Berlin"),
        ("I live in London", "Europe/London"),
        ("new york city", "America/New_York"),
        ("NYC", "America/New_York"),
        ("san fransisco", "America/Los_Angeles"),
        ("germny", "Europe/Berlin"),
        ("GB", "Europe/London"),
        ("uk", "Europe/London"),
        ("Scotland", "Europe/London"),
        ("korea", "Asia/Seoul"),
        ("North Korea", "Asia/Pyongyang"),
        ("Queensland", "Australia/Brisbane"),
        ("Californa", "America/Los_Angeles"),  # and not Baja California
        ("EST", "America/New_York"),
        ("Eastern", "America/New_York"),
    ],
)
def test_a_place_names_its_zone(said: str, zone: str) -> None:
    assert zones_named(said) == (zone,)


@pytest.mark.parametrize(
    ("said", "zones"),
    [
        ("Portugal", ("Europe/Lisbon", "Atlantic/Azores")),
        ("new zeland", ("Pacific/Auckland", "Pacific/Chatham")),
        ("Georgia", ("America/New_York", "Asia/Tbilisi")),
        ("IST", ("Europe/Dublin", "Asia/Kolkata")),
        ("gmt", ("Europe/London", "UTC")),
    ],
)
def test_of_several_the_likeliest_is_first(said: str, zones: tuple[str, ...]) -> None:
    assert zones_named(said) == zones


def test_a_big_country_has_each_of_its_clocks_once() -> None:
    america = zones_named("USA")

    assert america[:5] == ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix")
    assert "America/Detroit" not in america
    assert zones_named("Australia")[0] == "Australia/Sydney"


@pytest.mark.parametrize("said", ["", " ", "/", "x", "xyzzy", "Europe", "GMT+1", "utc -3", "+2", "\0", "📍", "a " * 5_000])
def test_what_names_no_zone_finds_none(said: str) -> None:
    assert zones_named(said) == ()


@given(said=st.text() | st.sampled_from(sorted(names())))
def test_whatever_is_said_few_zones_are_found_and_each_is_one(said: str) -> None:
    found = zones_named(said)

    assert len(found) <= FOUND
    assert set(found) <= names()


@pytest.mark.parametrize(
    ("told", "first"),
    [
        (time(12, 0), "Europe/London"),
        (time(13, 5), "Europe/Berlin"),
        (time(7, 2), "America/New_York"),
        (time(17, 30), "Asia/Kolkata"),
        (time(17, 45), "Asia/Kathmandu"),
        (time(1, 0), "Pacific/Auckland"),
        (time(0, 58), "Pacific/Auckland"),
    ],
)
def test_a_time_on_the_wall_names_its_zones(told: time, first: str) -> None:
    assert zones_at(told, NOW)[0] == first


def test_a_time_that_no_clock_shows_names_no_zone() -> None:
    assert zones_at(time(12, 25), NOW) == ()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham", "Australia/Eucla"])
def test_who_reads_their_clock_is_offered_a_zone_that_shows_it(zone: str) -> None:
    for week in range(0, 52, 4):
        now = NOW + timedelta(weeks=week)
        read = now.astimezone(rules(zone))

        assert read.utcoffset() in {now.astimezone(rules(found)).utcoffset() for found in zones_at(read.time(), now)}
