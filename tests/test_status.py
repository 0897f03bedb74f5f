"""`hipwise status` counts what is kept, tells nobody anything about anyone, and says what must be looked at."""

import json
import re
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bots import VERSION, bootstrap
from bots.settings import Settings
from bots.status import Course, Status, plain, problems, text
from core.companion import Companion
from core.dialogue import Command
from core.errors import StorageUnavailable
from core.ledger import Tallies
from core.storage import Health, Store, sql
from fakes import ANNA, NOON
from machine import Machine
from terminal import ROOT, environment, running, shown_until_it_waits, until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADDS_UP = Tallies(planned=21, open=1, claimed=2, sent=3, unknown=4, skipped=5, dropped=6)
HEALTHY = Health(
    schema=1,
    sqlite="3.51.3",
    members=3,
    checks=1,
    overdue=0,
    waiting=0,
    set_aside=0,
    unreadable=0,
    keyless=0,
    tallies=ADDS_UP,
)
RUNS = Status("0.1.0", "hip-1", Course(NOON - HOUR, NOON - timedelta(minutes=5), failing=False), HEALTHY, NOON - HOUR)
STOPPED = replace(RUNS, course=None)


def course(**changed: Any) -> Status:
    """Return the status of a Hipwise that has run for a week and fared like this."""
    long = Course(NOON - 7 * DAY, NOON - HOUR, failing=False)
    return replace(RUNS, course=replace(long, **changed))


def health(status: Status = RUNS, **changed: Any) -> Status:
    """Return a status with other counts."""
    return replace(status, health=replace(HEALTHY, **changed))


# ---------------------------------------------------------------- what must be looked at


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (RUNS, []),
        (health(waiting=7), []),
        (course(), []),
        (replace(RUNS, course=Course(NOON - HOUR, None, failing=False), backed_up=None), []),
        (STOPPED, ["does not run.* Start it"]),
        (replace(STOPPED, backed_up=None), ["does not run"]),
        (course(failing=True), ["could not be kept.* `hipwise doctor`"]),
        (course(purged=NOON - 2 * HOUR), []),
        (course(purged=NOON - 3 * HOUR), ["hourly purge is not done.*job=purge"]),
        (course(purged=None), ["hourly purge is not done"]),
        (replace(course(), backed_up=NOON - 2 * DAY), []),
        (replace(course(), backed_up=NOON - 3 * DAY), ["daily backup is not made.*backup.failed.*`hipwise backup`"]),
        (replace(course(), backed_up=None), ["daily backup is not made"]),
        (health(tallies=replace(ADDS_UP, sent=4)), ["do not add up.*report it"]),
        (health(unreadable=2), ["could not be opened: 2.*`hipwise doctor`"]),
        (health(keyless=2), ["without a key: 2. The next hourly purge erases"]),
        (health(STOPPED, keyless=2), ["does not run", "without a key: 2. Start Hipwise: it erases"]),
        (health(overdue=2), ["older than they may become: 2. The next hourly purge erases"]),
        (health(set_aside=2), ["set aside.*: 2.*erased after 7 days"]),
        (health(set_aside=1, unreadable=1, keyless=1), ["could not be opened: 1", "without a key: 1", "set aside"]),
    ],
)
def test_what_must_be_looked_at_is_said_with_what_to_do(status: Status, found: list[str]) -> None:
    said = problems(status, NOON)

    assert len(said) == len(found)
    assert [(problem, pattern) for problem, pattern in zip(said, found, strict=True) if not re.search(pattern, problem)] == []


def test_every_number_is_among_the_values() -> None:
    values = plain(course(), NOON)

    assert values["ledger"] == {**asdict(ADDS_UP), "adds_up": True}
    assert values["running_since"] == "2026-11-16T12:00:00+00:00"
    assert values["last_purge"] == "2026-11-23T11:00:00+00:00"
    assert values["problems"] == []
    assert json.loads(json.dumps(values)) == values
    assert plain(STOPPED, NOON)["running_since"] is None


def test_the_text_says_each_fact_in_a_line_of_plain_words() -> None:
    assert text(health(unreadable=2), NOON).splitlines() == [
        "Hipwise 0.1.0. Content hip-1.",
        "Runs since 2026-11-23 11:00 UTC.",
        "Members: 3. Checks in progress: 1.",
        "Received and waiting: 0. Set aside: 0.",
        "Messages ever planned: 21. That is 1 open + 2 claimed + 3 sent + 4 unknown + 5 skipped + 6 dropped.",
        "Values that could not be opened since the start: 2. Members without a key: 0.",
        "Last purge: 2026-11-23 11:55 UTC.",
        "Last backup: 2026-11-23 11:00 UTC.",
        "Database schema: 1. SQLite: 3.51.3.",
        "",
        "To be looked at: 1.",
        f"1. {problems(health(unreadable=2), NOON)[0]}",
    ]


def test_the_text_of_one_that_is_well_says_so() -> None:
    assert text(RUNS, NOON).endswith("\n\nNothing must be looked at.")
    assert "That should be, and is not, 1 open" in text(health(tallies=replace(ADDS_UP, planned=1)), NOON)
    assert "Last backup: never." in text(replace(STOPPED, backed_up=None), NOON)


def test_the_version_is_that_of_the_package() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"] == VERSION


# ---------------------------------------------------------------- the command


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine on which Hipwise was run once."""
    machine = Machine(tmp_path)
    machine.is_used()
    return machine


def test_the_one_that_runs_is_asked(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    with running(environment(machine.home)) as (_, ours):
        shown_until_it_waits(ours, [])
        machine.key_file.rename(machine.home / "keys")  # who only asks needs none

        until(lambda: json.loads(machine.runs(capsys, "status", "--json")[1])["last_purge"] is not None)
        as_json, as_text = machine.runs(capsys, "status", "--json"), machine.runs(capsys, "status")

    values = json.loads(as_json[1])
    assert (as_json[0], as_text[0], as_json[2], as_text[2]) == (0, 0, "", "")
    assert (values["members"], values["checks_in_progress"], values["problems"]) == (2, 2, [])
    assert datetime.now(UTC) - datetime.fromisoformat(values["running_since"]) < timedelta(minutes=1)
    assert values["last_purge"] >= values["running_since"]
    assert f"Hipwise {VERSION}. Content {values['content']}.\nRuns since " in as_text[1]
    assert "Nothing must be looked at." in as_text[1]


def test_where_none_runs_the_file_is_read_and_that_is_said(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = machine.runs(capsys, "status", "--json")

    values = json.loads(out)
    assert (code, err) == (1, "")
    assert (values["members"], values["running_since"], values["last_purge"]) == (1, None, None)
    assert len(values["problems"]) == 1
    assert "does not run" in values["problems"][0]


@pytest.mark.parametrize("argv", [[], ["--json"]])
def test_a_problem_is_a_finding(machine: Machine, capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    machine.by_hand("UPDATE tallies SET count = 5 WHERE name = 'planned'")

    code, out, _ = machine.runs(capsys, "status", *argv)

    assert code == 1
    assert "do not add up" in out


async def test_it_says_when_what_members_tell_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = environment(tmp_path)
    keeping = bootstrap.keeping(Settings(), env)
    values: list[dict[str, Any]] = []

    async def fails(*_: object) -> None:
        raise StorageUnavailable("There is no room left.")

    async def platform(companion: Companion) -> None:
        for works in (True, False):
            if not works:
                monkeypatch.setattr(Store, "save_turn", fails)
            await companion.handle(Command(ANNA, "hip"))
            values.append(dict((await bootstrap.operate("status", env))["status"]))

    async with bootstrap.running(Settings(), keeping, env) as running:
        await running.attend(platform)

    assert [(found["kept"], len(found["problems"])) for found in values] == [(True, 0), (False, 1)]


def no_database(machine: Machine) -> None:
    machine.database.unlink()


def no_key(machine: Machine) -> None:
    machine.key_file.unlink()


def damaged(machine: Machine) -> None:
    machine.database.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)


def newer(machine: Machine) -> None:
    machine.by_hand(sql.SET_SCHEMA_VERSION.format(999))


def other_address(machine: Machine) -> None:
    machine.settings = {"DATABASE_URL": "postgresql://x:secret@y/z"}


def nonsense(machine: Machine) -> None:
    machine.settings = {"HIPWISE_KEYS": "nonsense"}


@pytest.mark.parametrize(
    ("happens", "says"),
    [
        (no_database, "There is no database at .*hipwise.db, and there was one"),
        (no_key, "there is no key for"),
        (damaged, "is damaged"),
        (newer, "newer Hipwise"),
        (other_address, "'postgresql' is not supported"),
        (nonsense, "HIPWISE_KEYS: key 1"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_made(
    machine: Machine, capsys: pytest.CaptureFixture[str], happens: Callable[[Machine], None], says: str
) -> None:
    happens(machine)
    before = machine.files()

    code, out, err = machine.runs(capsys, "status", "--json")

    assert (code, out) == (2, "")
    assert re.search(says, err)
    assert "secret@" not in err
    assert machine.files() == before


def test_before_the_first_start_there_is_nothing_to_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = Machine(tmp_path)

    code, _, err = machine.runs(capsys, "status")

    assert code == 2
    assert f"There is no database at {machine.database} yet" in err
    assert machine.files() == []


@pytest.mark.parametrize("runs", [True, False])
def test_a_backup_is_made_whether_one_runs_or_not_and_the_newest_is_told(
    machine: Machine, capsys: pytest.CaptureFixture[str], runs: bool
) -> None:
    with running(environment(machine.home)) if runs else nullcontext((None, None)) as (_, ours):
        if ours is not None:
            shown_until_it_waits(ours, [])
        code, made, _ = machine.runs(capsys, "backup")
        _, out, _ = machine.runs(capsys, "status", "--json")

    (path,) = re.findall(r"Backup made and checked: (\S+\.db) ", made)
    assert code == 0
    assert Path(path).parent == machine.database.with_name("backups")
    assert Path(path).is_file()
    assert datetime.now(UTC) - datetime.fromisoformat(json.loads(out)["last_backup"]) < timedelta(minutes=1)
