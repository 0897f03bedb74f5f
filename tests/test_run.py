"""`hipwise run` keeps checks in the sealed store, and refuses in one line where it cannot."""

import asyncio
import base64
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bots.reopening import GOES_ON
from chat import Chat, library
from core.members import Address, Preferences, Units
from core.record import Change
from core.storage import StoreRecords, sql
from core.storage.rotation import CHUNK
from core.vault import KeyRing, new_key_text
from fakes import ring, store
from terminal import ROOT, at_a_terminal, environment, running, shown_until_it_waits, until

words = library().words
BODY = words("questions", "body", "ask").splitlines()[0]
HEALTH = words("questions", "health", "ask").splitlines()[0]
QUIT = b"/quit\n"


def database(home: Path) -> Path:
    return home / ".local" / "share" / "hipwise" / "hipwise.db"


def rotate(env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bots", "keys", "rotate"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=20)  # noqa: S603


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database(home))) as db:
        return db.execute(query).fetchall()


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# ---------------------------------------------------------------- keeping


def test_a_check_goes_on_after_the_program_was_left(tmp_path: Path) -> None:
    at_a_terminal(tmp_path, b"no\n", QUIT)

    code, shown = at_a_terminal(tmp_path, b"go on\n", QUIT)

    assert code == 0
    assert words("ui", "resume") in shown.replace("\n", " ")
    assert HEALTH in shown
    assert BODY not in shown


def test_a_key_is_made_and_its_copy_is_urged_once(tmp_path: Path) -> None:
    _, first = at_a_terminal(tmp_path, QUIT)
    _, second = at_a_terminal(tmp_path, QUIT)

    file = tmp_path / ".config" / "hipwise" / "keys"
    assert file.exists()
    assert str(file) in first
    assert str(file) not in second


async def test_a_check_outlives_its_process_in_the_store(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        chat = Chat(sessions=StoreRecords(kept))
        await chat.says("/hip")
        await chat.chooses()

    async with store(tmp_path, expected=True) as kept:
        chat = Chat(sessions=StoreRecords(kept))
        await chat.says("/hip")
        await chat.says("go on")
        assert chat.prompt.question == "health"


async def test_someone_about_whom_there_is_nothing_to_keep_is_not_kept(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        chat = Chat(sessions=StoreRecords(kept))
        await chat.says("/help")
        assert (await kept.load(chat.address)).member is None

        await chat.says("/hip")
        assert (await kept.load(chat.address)).member is not None
        await chat.says("/stop")
        assert (await kept.load(chat.address)).member is None


async def test_settings_outlive_the_check(tmp_path: Path) -> None:
    here = Address("test", "1")
    async with store(tmp_path) as kept:
        sessions = StoreRecords(kept)
        await sessions.save(here, Change({"a": 1}, Preferences("GB", Units.MILES)))
        await sessions.save(here, Change(None, Preferences("GB", Units.MILES)))

        found = await sessions.load(here)
        assert (found.session, found.preferences) == (None, Preferences("GB", Units.MILES))


def test_what_is_too_old_is_erased_at_the_start(tmp_path: Path) -> None:
    at_a_terminal(tmp_path, b"no\n", QUIT)
    with closing(sqlite3.connect(database(tmp_path), isolation_level=None)) as db:
        db.execute("UPDATE sessions SET touched = '2000-01-01T00:00+00:00'")
        db.execute("INSERT INTO inbox VALUES ('ab', 1, 'test', x'00', NULL, 'waiting', '2000-01-01T00:00+00:00', x'00')")

    with running(environment(tmp_path)) as (_, ours):
        assert BODY in shown_until_it_waits(ours, [])
        until(lambda: rows(tmp_path, "SELECT id FROM inbox") == [])


def test_the_first_start_of_a_day_makes_a_backup(tmp_path: Path) -> None:
    at_a_terminal(tmp_path, b"no\n", QUIT)
    at_a_terminal(tmp_path, QUIT)

    assert len(list((database(tmp_path).parent / "backups").glob("hipwise-*.db"))) == 1


# ---------------------------------------------------------------- refusing


def test_another_key_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    at_a_terminal(tmp_path, QUIT, HIPWISE_KEYS=new_key_text())
    before = files(tmp_path)

    code, shown = at_a_terminal(tmp_path, HIPWISE_KEYS=new_key_text())

    assert code == 2
    assert len(shown.strip().splitlines()) == 1
    assert "Put that key back" in shown
    assert files(tmp_path) == before


def test_a_database_whose_key_is_gone_is_refused_and_no_key_is_made(tmp_path: Path) -> None:
    at_a_terminal(tmp_path, QUIT)
    (tmp_path / ".config" / "hipwise" / "keys").unlink()
    before = files(tmp_path)

    code, shown = at_a_terminal(tmp_path)

    assert code == 2
    assert "there is no key for" in shown
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("HIPWISE_KEYS=nonsense", "HIPWISE_KEYS: key 1"),
        ("DATABASE_URL=postgresql://x:secret@y/z", "DATABASE_URL: 'postgresql'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_and_nothing_is_made(tmp_path: Path, value: str, says: str) -> None:
    name, _, text = value.partition("=")

    code, shown = at_a_terminal(tmp_path, **{name: text})

    assert code == 2
    assert says in shown
    assert "secret" not in shown.replace("its secret", "")
    assert files(tmp_path) == {}


def test_a_second_run_is_refused_while_the_first_goes_on(tmp_path: Path) -> None:
    with running(environment(tmp_path)) as (_, ours):
        shown_until_it_waits(ours, [])

        code, shown = at_a_terminal(tmp_path)

        assert code == 2
        assert "Another Hipwise is running" in shown
        os.write(ours, b"no\n")
        assert HEALTH in shown_until_it_waits(ours, [])


def broken(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(sql.SET_SCHEMA_VERSION.format(999))


def missing(path: Path) -> None:
    path.rename(path.with_name("hipwise.db-wal"))


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("happens", "says"),
    [(gone, "There is no database"), (broken, "is damaged"), (newer, "newer Hipwise"), (missing, "There is no database")],
)
def test_where_a_database_cannot_be_used_the_operator_is_told_and_the_check_goes_on(
    tmp_path: Path, happens: object, says: str
) -> None:
    at_a_terminal(tmp_path, b"no\n", QUIT)
    assert callable(happens)
    happens(database(tmp_path))
    before = files(tmp_path)

    code, shown = at_a_terminal(tmp_path, b"no\n", QUIT)

    assert code == 0
    assert says in shown
    assert GOES_ON in shown.replace("\n", " ")
    assert words("ui", "not_kept") in shown.replace("\n", " ")
    assert HEALTH in shown
    assert files(tmp_path) == before  # nothing was put in its place


def test_where_nothing_can_be_written_the_check_goes_on_and_says_that_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file where a folder should be")

    code, shown = at_a_terminal(tmp_path, b"no\n", QUIT)

    assert code == 0
    assert "nothing is kept" in shown
    assert HEALTH in shown
    assert list(files(tmp_path)) == [".local"]


# ---------------------------------------------------------------- a newer key


def test_a_newer_key_can_take_the_place_of_the_old_one(tmp_path: Path) -> None:
    old, new = new_key_text(), new_key_text()
    at_a_terminal(tmp_path, b"no\n", QUIT, HIPWISE_KEYS=old)

    done = rotate(environment(tmp_path, HIPWISE_KEYS=f"{new},{old}"))
    code, shown = at_a_terminal(tmp_path, b"go on\n", QUIT, HIPWISE_KEYS=new)

    assert (done.returncode, code) == (0, 0)
    assert HEALTH in shown
    assert at_a_terminal(tmp_path, HIPWISE_KEYS=old)[0] == 2


def test_the_one_that_runs_puts_everything_under_the_key_it_was_started_with(tmp_path: Path) -> None:
    old, new = new_key_text(), new_key_text()
    at_a_terminal(tmp_path, b"no\n", QUIT, HIPWISE_KEYS=old)
    both = environment(tmp_path, HIPWISE_KEYS=f"{new},{old}")
    with running(both) as (_, ours):
        shown_until_it_waits(ours, [])
        done = rotate(both)
        without_keys = rotate(environment(tmp_path, HIPWISE_KEY_FILE=str(tmp_path / "nowhere")))

    assert (done.returncode, without_keys.returncode) == (0, 0)
    assert f"Put under the first key, {new.partition(':')[0]}: 2." in done.stdout
    assert f"Put under the first key, {new.partition(':')[0]}: 0." in without_keys.stdout
    assert HEALTH in at_a_terminal(tmp_path, b"go on\n", QUIT, HIPWISE_KEYS=new)[1]


@pytest.mark.parametrize("where", ["variable", "file"])
def test_a_newer_key_that_the_one_that_runs_was_not_started_with_needs_a_restart(tmp_path: Path, where: str) -> None:
    old, new = new_key_text(), new_key_text()
    file = tmp_path / "keys"
    file.write_text(old)
    file.chmod(0o600)
    before = environment(tmp_path, **({"HIPWISE_KEYS": old} if where == "variable" else {"HIPWISE_KEY_FILE": str(file)}))
    with running(before) as (_, ours):
        shown_until_it_waits(ours, [])
        file.write_text(f"{new}\n{old}")
        done = rotate(before if where == "file" else environment(tmp_path, HIPWISE_KEYS=f"{new},{old}"))

    assert (done.returncode, done.stdout) == (2, "")
    assert f"does not know the key {new.partition(':')[0]} yet" in done.stderr
    assert "Restart Hipwise" in done.stderr
    assert at_a_terminal(tmp_path, QUIT, HIPWISE_KEYS=old)[0] == 0


KILLED = """
import os, signal, sys
from core.storage import store
from bots.__main__ import main

before, left, rewrap = sys.argv[1] == "before", int(sys.argv[2]), store.rewrap

def killing(book):
    global left
    left -= 1
    if before and left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    done = rewrap(book)
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

store.rewrap = killing
sys.exit(main(["keys", "rotate"]))
"""


@pytest.mark.prove
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_change_of_keys_that_is_killed_anywhere_goes_on_where_it_was(tmp_path: Path, when: str) -> None:
    members = [Address("test", str(n)) for n in range(3 * CHUNK)]
    asyncio.run(keep(tmp_path, members))
    old, new = text_of(ring("a")), text_of(ring("b"))
    both = environment(tmp_path, HIPWISE_KEYS=f"{new},{old}", DATABASE_URL=f"sqlite:///{tmp_path}/hipwise.db")
    whole = (tmp_path / "hipwise.db").read_bytes()

    for steps in range(100):
        (tmp_path / "hipwise.db").write_bytes(whole)
        killed = subprocess.run([sys.executable, "-c", KILLED, when, str(steps)], cwd=ROOT, env=both, check=False, timeout=60)  # noqa: S603
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL
        assert asyncio.run(sessions(tmp_path, members, ring("b", "a"))) == len(members)
        assert rotate(both).returncode == 0
        assert asyncio.run(sessions(tmp_path, members, ring("b"))) == len(members)
    assert steps > len(members) // CHUNK


def text_of(keys: KeyRing) -> str:
    return ",".join(f"{key.id}:{base64.b64encode(key.secret).decode()}" for key in keys.keys)


async def keep(folder: Path, members: list[Address]) -> None:
    async with store(folder) as kept:
        await asyncio.gather(*(kept.save_turn(member, Change({"a": 1}, Preferences())) for member in members))


async def sessions(folder: Path, members: list[Address], keys: KeyRing) -> int:
    """Return for how many members there is a session that can be opened with these keys."""
    async with store(folder, keys, expected=True) as kept:
        return len([1 for member in members if (await kept.load(member)).session])


def test_without_a_database_there_is_nothing_to_put_under_another_key(tmp_path: Path) -> None:
    done = rotate(environment(tmp_path, HIPWISE_KEYS=new_key_text()))

    assert done.returncode == 2
    assert "There is no database" in done.stderr
    assert files(tmp_path) == {}
