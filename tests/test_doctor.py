"""`hipwise doctor` looks at everything that Hipwise stands on, and each line says what to do."""

import os
import re
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bots import YEAR, control, doctor
from bots.doctor import ROOM, Mark, Point
from core.storage.lock import Lock
from core.vault import new_key_text
from fakes import NOON
from machine import Machine
from terminal import environment, running, shown_until_it_waits, until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GIGABYTE = 1_000_000_000
WHOLE = {"faults": [], "dangling": 0, "undeclared": [], "schema": 3, "newest": None, "running": True}
FILE = Path("/data/hipwise.db")
POSIX_ONLY = pytest.mark.skipif(os.name != "posix", reason="files have such modes only there")


# ---------------------------------------------------------------- judgements


@pytest.mark.parametrize(
    ("found", "mark", "says"),
    [
        ({}, Mark.OK, "is whole, and opens with its key. Schema 3."),
        ({"faults": ["row 3 missing from index x"]}, Mark.BROKEN, "row 3 missing from index x.*hipwise restore FILE"),
        ({"dangling": 2}, Mark.BROKEN, "point nowhere: 2"),
        ({"undeclared": ["members.nickname"]}, Mark.LOOK, "members.nickname"),
        ({"undeclared": ["members.nickname"], "dangling": 1}, Mark.BROKEN, "damaged"),
    ],
)
def test_a_database_is_whole_or_not(found: dict[str, Any], mark: Mark, says: str) -> None:
    point = doctor.of_database(FILE, WHOLE | found)

    assert point.mark is mark
    assert re.search(says, str(point))


@pytest.mark.parametrize(
    ("free", "database", "mark"),
    [
        (ROOM, 0, Mark.OK),
        (ROOM - 1, 0, Mark.LOOK),
        (3 * GIGABYTE, GIGABYTE, Mark.OK),
        (2 * GIGABYTE - 1, GIGABYTE, Mark.LOOK),
        (0, 0, Mark.LOOK),
    ],
)
def test_there_must_be_room_for_the_database_to_be_copied(free: int, database: int, mark: Mark) -> None:
    assert doctor.of_disk("Disk", FILE.parent, free=free, database=database).mark is mark


@pytest.mark.parametrize(
    ("now", "newest", "mark"),
    [
        (NOON, None, Mark.OK),
        (NOON, NOON, Mark.OK),
        (NOON, NOON - 400 * DAY, Mark.OK),
        (NOON, NOON + HOUR, Mark.OK),
        (NOON, NOON + HOUR + timedelta(minutes=1), Mark.BROKEN),
        (NOON.replace(year=YEAR - 1), None, Mark.BROKEN),
        (NOON.replace(year=1970), NOON, Mark.BROKEN),
        (NOON.replace(year=YEAR + 20), NOON, Mark.OK),
    ],
)
def test_a_clock_is_right_as_far_as_can_be_told(now: datetime, newest: datetime | None, mark: Mark) -> None:
    assert doctor.of_clock(now, newest).mark is mark


@pytest.mark.parametrize(
    ("newest", "writable", "mark"),
    [
        (NOON - HOUR, True, Mark.OK),
        (NOON - 2 * DAY, True, Mark.OK),
        (NOON - 3 * DAY, True, Mark.LOOK),
        (None, True, Mark.LOOK),
        (NOON, False, Mark.BROKEN),
    ],
)
def test_a_backup_is_there_and_new(newest: datetime | None, writable: bool, mark: Mark) -> None:
    assert doctor.of_backups(FILE.parent, newest, NOON, writable=writable).mark is mark


@pytest.mark.parametrize(
    ("marks", "code", "says"),
    [
        ([], 0, "All is well."),
        ([Mark.OK, Mark.OK], 0, "All is well."),
        ([Mark.OK, Mark.LOOK], 1, "To be looked at: 1. Broken: 0."),
        ([Mark.BROKEN, Mark.LOOK, Mark.LOOK], 2, "To be looked at: 2. Broken: 1."),
    ],
)
def test_the_worst_point_decides(marks: list[Mark], code: int, says: str) -> None:
    points = [Point("Disk", mark, "full") for mark in marks]

    assert (doctor.exit_code(points), doctor.summed_up(points)) == (code, says)


def test_a_point_is_one_line() -> None:
    assert str(Point("Key", Mark.LOOK, "There is none.\nMake one.")) == "Key: look at this. There is none. Make one."


# ---------------------------------------------------------------- the command


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine on which Hipwise was run once."""
    machine = Machine(tmp_path)
    machine.is_used()
    return machine


def examined(machine: Machine, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str], str]:
    """Return the exit code, each point by its name, and the last line."""
    code, out, err = machine.runs(capsys, "doctor")
    *points, empty, last = out.splitlines()
    assert (err, empty) == ("", "")
    return code, dict(point.split(": ", 1) for point in points), last


def test_a_hipwise_that_runs_is_examined_while_it_goes_on(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    with running(environment(machine.home)) as (_, ours):
        shown_until_it_waits(ours, [])
        until(lambda: any(machine.database.with_name("backups").glob("*.db")))
        code, points, last = examined(machine, capsys)

    assert list(points) == ["Settings", "Content", "Key", "Database", "Backups", "Disk", "Clock", "SQLite", "Hipwise"]
    assert [name for name, says in points.items() if not says.startswith("ok. ")] == []
    assert (code, last) == (0, "All is well.")
    assert "A Hipwise runs" in points["Hipwise"]
    assert str(machine.key_file) in points["Key"]
    assert f"{machine.database} is whole" in points["Database"]


def test_where_none_runs_the_file_is_examined(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    code, points, last = examined(machine, capsys)

    assert (code, last) == (1, "To be looked at: 2. Broken: 0.")
    assert points["Database"].startswith("ok. ")
    assert points["Backups"].startswith("look at this. There is none in")
    assert points["Hipwise"].startswith("look at this. None runs")


def test_before_the_first_start_nothing_is_broken_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, points, _ = examined(Machine(tmp_path), capsys)

    assert code == 1
    assert points["Database"].startswith("look at this. There is none at")
    assert points["Key"].startswith("look at this. HIPWISE_KEYS: there is no key")
    assert list(tmp_path.iterdir()) == []


def settings_are_wrong(machine: Machine) -> None:
    machine.settings = {"HIPWISE_REGION": "XX", "HIPWISE_LANGUAGE": "tlh", "HIPWISE_LOG_LEVEL": "LOUD"}


def address_is_wrong(machine: Machine) -> None:
    machine.settings = {"DATABASE_URL": "postgresql://x:canary@y/z"}


def key_is_gone(machine: Machine) -> None:
    machine.key_file.unlink()


def key_is_another(machine: Machine) -> None:
    machine.settings = {"HIPWISE_KEYS": new_key_text()}


def key_is_beside_the_database(machine: Machine) -> None:
    machine.settings = {"HIPWISE_KEY_FILE": str(machine.database.with_name("keys"))}


def key_is_open_to_others(machine: Machine) -> None:
    machine.key_file.chmod(0o644)


def file_is_garbage(machine: Machine) -> None:
    machine.database.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)


def row_points_nowhere(machine: Machine) -> None:
    machine.by_hand("PRAGMA foreign_keys = OFF", "UPDATE sessions SET member = 'abcdef12'")


def clock_was_put_back(machine: Machine) -> None:
    machine.by_hand("UPDATE sessions SET touched = '2999-01-01T00:00+00:00'")


def backups_cannot_be_written(machine: Machine) -> None:
    machine.settings = {"HIPWISE_BACKUPS": str(machine.key_file.parent.parent / "file" / "backups")}
    (machine.key_file.parent.parent / "file").touch()


def database_is_gone(machine: Machine) -> None:
    machine.database.unlink()


def column_was_added(machine: Machine) -> None:
    machine.by_hand("ALTER TABLE members ADD COLUMN nickname TEXT")


@pytest.mark.parametrize(
    ("happens", "point", "says"),
    [
        (settings_are_wrong, "Settings", "broken. HIPWISE_LOG_LEVEL=LOUD: .* Use one of"),
        (address_is_wrong, "Database", "broken. DATABASE_URL: 'postgresql' is not supported"),
        (key_is_gone, "Key", "broken. .*put the copy of its key file back"),
        (key_is_another, "Database", "broken. .*Put that key back"),
        (key_is_beside_the_database, "Key", "broken. .*Choose another folder"),
        pytest.param(key_is_open_to_others, "Key", "broken. .*chmod 600", marks=POSIX_ONLY),
        (file_is_garbage, "Database", "broken. .*hipwise restore FILE"),
        (row_points_nowhere, "Database", "broken. .*point nowhere: 1"),
        (clock_was_put_back, "Clock", "broken. .*2999-01-01 00:00 UTC. Put it right"),
        (database_is_gone, "Database", "broken. There is no database at .*, and there was one"),
        (backups_cannot_be_written, "Backups", "broken. .*cannot be written"),
        (column_was_added, "Database", "look at this. .*members.nickname"),
    ],
)
def test_what_is_wrong_is_found_and_said_with_what_to_do(
    machine: Machine, capsys: pytest.CaptureFixture[str], happens: Callable[[Machine], None], point: str, says: str
) -> None:
    happens(machine)
    before = machine.files()

    code, points, _ = examined(machine, capsys)

    assert code == (1 if says.startswith("look") else 2)
    assert re.match(says, points[point])
    assert "canary" not in str(points)
    assert machine.files() == before


def test_the_room_beside_a_database_is_held_against_its_size(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ROOM", 0)
    monkeypatch.setattr(doctor, "COPIES", 10**12)

    _, points, _ = examined(machine, capsys)

    assert points["Disk"].startswith("look at this. ")
    assert "Make room" in points["Disk"]


def test_one_that_runs_and_does_not_answer_is_broken(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "SILENCE_SECONDS", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        monkeypatch.setattr(control, "socket_path", lambda *_: machine.home / "s")
        silent.bind(str(machine.home / "s"))
        silent.listen()

        code, points, _ = examined(machine, capsys)

    assert code == 2
    assert points["Database"].startswith("broken. The Hipwise that runs on")
    assert "does not answer. Restart it" in points["Database"]
    assert "Hipwise" not in points


def test_one_that_runs_and_cannot_be_asked_is_said_to_run(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    with Lock(machine.database):
        code, points, _ = examined(machine, capsys)

    assert code == 1
    assert points["Database"].startswith("look at this. It cannot be asked about: Another Hipwise is running")
    assert "Hipwise" not in points
