"""Where the operator's keys come from, and that none is ever made in another's place."""

import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bots import key_file
from bots.commands import keys as command
from bots.key_file import FoundKeys, find_keys, wrong_keys
from core.errors import SettingsError
from core.vault import KeyRing, KeyRingError, check_value, new_key_text

ROOT = Path(__file__).parent.parent
posix_only = pytest.mark.skipif(os.name != "posix", reason="files have such modes only there")


class Machine:
    """A home folder, a database's folder and an environment, as an operator has them."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "data" / "hipwise.db"
        self.database.parent.mkdir()
        self.environment = {"HOME": str(folder / "home")}
        self.file = folder / "home" / ".config" / "hipwise" / "keys"

    def finds(self, *, terminal: bool = False) -> FoundKeys:
        return find_keys(self.environment, self.database, database_exists=self.database.exists(), terminal=terminal)

    def refuses(self, *, terminal: bool = False) -> str:
        """Return what the operator is told, once sure that nothing was made."""
        before = self.everything()
        with pytest.raises(SettingsError) as caught:
            self.finds(terminal=terminal)
        assert self.everything() == before
        return str(caught.value)

    def everything(self) -> list[Path]:
        return sorted(self.database.parent.parent.rglob("*"))

    def writes(self, text: str, *, mode: int = 0o600) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(text, encoding="utf-8")
        self.file.chmod(mode)

    def has_a_database(self) -> None:
        self.database.write_bytes(b"SQLite format 3\0")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr("sys.platform", "linux")
    return Machine(tmp_path)


# ---------------------------------------------------------------- Keys that are given


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("database", [True, False])
def test_the_variable_wins_over_the_file(machine: Machine, terminal: bool, database: bool) -> None:
    given, other = new_key_text(), new_key_text()
    machine.environment["HIPWISE_KEYS"] = f" {given} "
    machine.writes(other)
    if database:
        machine.has_a_database()

    assert machine.finds(terminal=terminal) == FoundKeys(KeyRing.parse(given))


@pytest.mark.parametrize("written", ["{0}\n{1}\n", "{0},{1}", "\ufeff{0}\r\n\r\n{1}\r\n"])
def test_the_file_holds_a_key_a_line_the_first_writes(machine: Machine, written: str) -> None:
    new, old = new_key_text(), new_key_text()
    machine.writes(written.format(new, old))
    machine.has_a_database()

    assert machine.finds() == FoundKeys(KeyRing.parse(f"{new},{old}"))


def test_an_empty_variable_counts_as_left_out(machine: Machine) -> None:
    machine.environment |= {"HIPWISE_KEYS": "", "HIPWISE_KEY_FILE": " "}
    machine.writes(key := new_key_text())

    assert machine.finds().ring == KeyRing.parse(key)


def test_bad_keys_are_refused_with_where_they_stand(machine: Machine) -> None:
    machine.environment["HIPWISE_KEYS"] = "a:AAAA,a:!"

    assert machine.refuses(terminal=True).splitlines() == [
        "HIPWISE_KEYS: key 1: its secret has 3 bytes and must have 32. `hipwise keys new` makes one.",
        "HIPWISE_KEYS: key 2: its secret is not base64.",
        "HIPWISE_KEYS: key 2: key 1 has the same id. Each key needs its own.",
    ]


@pytest.mark.parametrize("text", ["", "# my key", "\x00\x01\x02"])
def test_a_file_without_a_key_is_refused_and_left_as_it_is(machine: Machine, text: str) -> None:
    machine.writes(text)

    assert machine.refuses(terminal=True).startswith(f"{machine.file}: ")
    assert machine.file.read_text(encoding="utf-8") == text


def test_bytes_that_are_no_text_are_refused(machine: Machine) -> None:
    machine.writes("")
    machine.file.write_bytes(new_key_text().encode("utf-16"))

    assert "key 1: " in machine.refuses(terminal=True)


# ---------------------------------------------------------------- The file's place and mode


@posix_only
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o666, 0o777])
def test_a_file_that_others_may_use_is_refused(machine: Machine, mode: int) -> None:
    machine.writes(new_key_text(), mode=mode)

    assert machine.refuses(terminal=True).endswith(f"Run: chmod 600 {machine.file}")


@posix_only
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_only_is_read(machine: Machine, mode: int) -> None:
    machine.writes(key := new_key_text(), mode=mode)

    assert machine.finds().ring == KeyRing.parse(key)


@pytest.mark.parametrize("name", ["keys", "deep/er/keys", "../data/keys", "../elsewhere/../data/keys"])
@pytest.mark.parametrize("there", [True, False])
def test_a_file_in_the_databases_folder_is_refused(machine: Machine, name: str, there: bool) -> None:
    machine.file = machine.database.parent / name
    machine.environment["HIPWISE_KEY_FILE"] = str(machine.file)
    (machine.database.parent.parent / "elsewhere").mkdir()
    if there:
        machine.writes(new_key_text())

    assert "may not be in the database's folder" in machine.refuses(terminal=True)


@posix_only
def test_a_link_does_not_hide_that_the_file_is_with_the_database(machine: Machine) -> None:
    real = machine.database.parent / "keys"
    real.write_text(new_key_text(), encoding="utf-8")
    real.chmod(0o600)
    machine.file.parent.mkdir(parents=True)
    machine.file.symlink_to(real)

    assert "may not be in the database's folder" in machine.refuses(terminal=True)


@posix_only
def test_a_linked_folder_does_not_hide_it_either(machine: Machine) -> None:
    machine.file.parent.parent.mkdir(parents=True)
    machine.file.parent.symlink_to(machine.database.parent)

    assert "may not be in the database's folder" in machine.refuses(terminal=True)


def test_a_database_in_the_home_folder_refuses_a_file_below_it(machine: Machine) -> None:
    machine.database = Path(machine.environment["HOME"]) / "hipwise.db"

    assert "Choose another folder, and set HIPWISE_KEY_FILE" in machine.refuses(terminal=True)


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "/home/ann/.config/hipwise/keys"),
        ("linux", {"XDG_CONFIG_HOME": "/etc/ann"}, "/etc/ann/hipwise/keys"),
        ("linux", {"XDG_CONFIG_HOME": ""}, "/home/ann/.config/hipwise/keys"),
        ("linux", {"XDG_CONFIG_HOME": "not/absolute"}, "/home/ann/.config/hipwise/keys"),
        ("freebsd14", {}, "/home/ann/.config/hipwise/keys"),
        ("darwin", {}, "/home/ann/Library/Application Support/Hipwise/keys"),
        ("win32", {"APPDATA": "/Users/ann/Roaming"}, "/Users/ann/Roaming/Hipwise/keys"),
        ("win32", {}, "/home/ann/AppData/Roaming/Hipwise/keys"),
        ("linux", {"HIPWISE_KEY_FILE": "/run/secrets/keys"}, "/run/secrets/keys"),
    ],
)
def test_the_file_is_where_the_platform_keeps_configuration(platform: str, environment: dict[str, str], expected: str) -> None:
    assert key_file.key_file({"HOME": "/home/ann", **environment}, platform=platform) == Path(expected)


def test_a_home_in_the_variable_is_read_as_a_shell_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")

    assert key_file.key_file({"HIPWISE_KEY_FILE": "~/keys"}) == Path("/home/ann/keys")


@pytest.mark.parametrize("environment", [{}, {"HIPWISE_KEY_FILE": "~/keys"}])
def test_a_user_without_a_home_is_told_what_to_set(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # what it gives where there is no home

    with pytest.raises(SettingsError, match="no home folder"):
        key_file.key_file(environment, platform="linux")


@posix_only
@pytest.mark.parametrize(
    "make_odd",
    [
        lambda file: file.mkdir(mode=0o700),
        lambda file: file.symlink_to(file),
        lambda file: file.symlink_to(file.with_name("nowhere")),
        lambda file: file.symlink_to(file.parent.parent / "file" / "keys"),
    ],
    ids=["folder", "loop", "leads nowhere", "below a file"],
)
def test_a_file_that_cannot_be_one_is_refused(machine: Machine, make_odd: Callable[[Path], None]) -> None:
    machine.file.parent.mkdir(parents=True)
    (machine.file.parent.parent / "file").touch()
    make_odd(machine.file)

    assert "the key file cannot be used" in machine.refuses(terminal=True)


# ---------------------------------------------------------------- No key anywhere


@pytest.mark.parametrize("terminal", [True, False])
def test_a_database_without_its_key_is_refused_and_no_key_is_made(machine: Machine, terminal: bool) -> None:
    machine.has_a_database()
    told = machine.refuses(terminal=terminal)

    assert f"there is no key for {machine.database}" in told
    assert "put the copy of its key file back" in told


def test_without_a_terminal_a_key_is_required(machine: Machine) -> None:
    told = machine.refuses()

    assert "without a terminal none is made" in told
    assert "`hipwise keys new`" in told


@posix_only
def test_with_a_terminal_and_no_database_a_key_file_is_made(machine: Machine) -> None:
    umask = os.umask(0)
    try:
        found = machine.finds(terminal=True)
    finally:
        os.umask(umask)

    assert KeyRing.parse(machine.file.read_text(encoding="utf-8")) == found.ring
    assert stat.S_IMODE(machine.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(machine.file.parent.stat().st_mode) == 0o700
    assert list(machine.file.parent.iterdir()) == [machine.file]
    assert found.notice is not None
    assert str(machine.file) in found.notice
    assert "Copy this file now" in found.notice
    assert found.ring.writer.id not in found.notice


def test_the_named_file_is_the_one_that_is_made(machine: Machine) -> None:
    named = machine.database.parent.parent / "stick" / "my keys"
    machine.environment["HIPWISE_KEY_FILE"] = str(named)
    ring = machine.finds(terminal=True).ring

    assert KeyRing.parse(named.read_text(encoding="utf-8")) == ring
    assert not machine.file.exists()


def test_the_key_that_was_made_is_found_again_and_copying_is_urged_until_there_is_a_database(machine: Machine) -> None:
    first = machine.finds(terminal=True)

    assert machine.finds(terminal=True) == first
    machine.has_a_database()
    assert machine.finds(terminal=True) == machine.finds() == FoundKeys(first.ring)


def test_whoever_comes_second_takes_the_key_of_the_first(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    firsts = new_key_text()
    writes = key_file._write_new

    def is_overtaken(file: Path, text: str) -> None:
        writes(file, text)
        machine.writes(firsts)

    monkeypatch.setattr(key_file, "_write_new", is_overtaken)

    assert machine.finds(terminal=True).ring == KeyRing.parse(firsts)
    assert machine.file.read_text(encoding="utf-8") == firsts
    assert list(machine.file.parent.iterdir()) == [machine.file]


# ---------------------------------------------------------------- Several processes, and ends at any point

FINDS = """
import hashlib, os, sys
from pathlib import Path
from bots import key_file
{before}
sys.stdin.readline()
environment = {{"HIPWISE_KEY_FILE": sys.argv[1]}}
found = key_file.find_keys(environment, Path(sys.argv[2]), database_exists=False, terminal=True)
print(hashlib.sha256(found.ring.writer.secret).hexdigest())
"""


def started(machine: Machine, *, before: str = "") -> subprocess.Popen[str]:
    """Start a process that looks for the keys once it is sent a line."""
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", FINDS.format(before=before), str(machine.file), str(machine.database)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def digest(ring: KeyRing) -> str:
    return hashlib.sha256(ring.writer.secret).hexdigest()


def test_processes_that_race_end_up_with_one_key(machine: Machine) -> None:
    racers = [started(machine) for _ in range(6)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    digests = [racer.communicate(timeout=60)[0].strip() for racer in racers]

    assert [racer.returncode for racer in racers] == [0] * 6
    machine.environment["HIPWISE_KEY_FILE"] = str(machine.file)
    assert set(digests) == {digest(machine.finds().ring)}
    assert list(machine.file.parent.iterdir()) == [machine.file]


@posix_only
@pytest.mark.parametrize("step", ["Path.mkdir", "os.open", "os.fsync", "Path.hardlink_to", "Path.unlink"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_start_that_is_killed_leaves_a_whole_key_or_none(machine: Machine, step: str, when: str) -> None:
    first, then = ("os._exit(9)", "pass") if when == "before" else ("real(*args, **kw)", "os._exit(9)")
    killing = f"real = {step}\ndef killed(*args, **kw):\n    {first}\n    {then}\n{step} = killed"
    ended = started(machine, before=killing)
    ended.communicate("\n", timeout=60)
    left = machine.file.read_text(encoding="utf-8") if machine.file.exists() else None
    machine.environment["HIPWISE_KEY_FILE"] = str(machine.file)

    assert ended.returncode == 9
    found = machine.finds(terminal=True)
    assert left is None or KeyRing.parse(left) == found.ring
    assert found.notice is not None


# ---------------------------------------------------------------- The wrong key


def test_a_missing_key_is_named() -> None:
    check = check_value(KeyRing.parse(f"spring:{new_key_text().partition(':')[2]}"))
    ring = KeyRing.parse(f"summer:{new_key_text().partition(':')[2]},autumn:{new_key_text().partition(':')[2]}")
    told = wrong_keys(ring, check)

    assert "the database needs the key spring, and the keys given are summer, autumn." in told


def test_another_key_under_the_same_id_is_said_to_be_that() -> None:
    ring, other = (KeyRing.parse(f"spring:{new_key_text().partition(':')[2]}") for _ in range(2))

    assert "the key spring given is not the key spring of the database" in wrong_keys(ring, check_value(other))


def test_a_key_check_that_cannot_be_read_asks_for_a_backup() -> None:
    assert "restore a backup" in wrong_keys(KeyRing.parse(new_key_text()), b"\xff\n\x00")


def test_a_refusal_never_repeats_the_key(machine: Machine) -> None:
    secret = new_key_text().partition(":")[2]
    machine.environment["HIPWISE_KEYS"] = f"{secret}:a,Old:{secret},{secret}"

    with pytest.raises(KeyRingError) as caught:
        machine.finds()

    assert secret not in str(caught.value)


# ---------------------------------------------------------------- hipwise keys


def test_a_new_key_is_printed_alone_and_what_to_do_with_it_beside(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(["new"]) == 0
    out, err = capsys.readouterr()

    assert KeyRing.parse(out).keys
    assert out.count("\n") == 1
    assert "in front of the old ones" in err
    assert out.strip() not in err


@pytest.mark.parametrize("argv", [[], ["old"], ["new", "extra"]])
def test_wrong_use_is_told_and_makes_no_key(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.run(argv)

    assert caught.value.code == 2
    assert capsys.readouterr().out == ""
