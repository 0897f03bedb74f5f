"""The control socket answers its own user, one line at a time, and whatever comes in."""

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bots import control
from bots.control import Control, NoAnswer, ask, socket_path
from core.errors import SettingsError
from core.storage import StorageUnavailable
from terminal import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no unix sockets there")


@pytest.fixture
def database() -> Iterator[Path]:
    """Return where a database would be, by a path that is short enough for a socket beside it."""
    folder = Path(tempfile.mkdtemp(prefix="hw"))
    yield folder / "hipwise.db"
    shutil.rmtree(folder)


class Table(dict[str, control.Command]):
    """A table of commands that remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(status=self.status, fails=self.fails, breaks=self.breaks, waits=self.waits)
        self.asked: list[str] = []
        self.ended: list[str] = []
        self.go_on = asyncio.Event()

    async def status(self) -> Mapping[str, Any]:
        self.asked.append("status")
        return {"members": 3}

    async def fails(self) -> Mapping[str, Any]:
        raise StorageUnavailable("There is no room left.")

    async def breaks(self) -> Mapping[str, Any]:
        raise ZeroDivisionError("what went wrong")

    async def waits(self) -> Mapping[str, Any]:
        self.asked.append("waits")
        try:
            await self.go_on.wait()
        finally:
            self.ended.append("waits")
        return {"done": 1}


@pytest.fixture
def table() -> Table:
    """Return a table of commands."""
    return Table()


def beside(database: Path) -> Path:
    return database.with_name("hipwise.db.sock")


async def sent(database: Path, raw: bytes, *, ends: bool = False) -> Any:
    """Return the answer to these very bytes."""
    reader, writer = await asyncio.open_unix_connection(beside(database))
    writer.write(raw)
    if ends:
        writer.write_eof()
    answer = json.loads(await reader.readline())
    assert await reader.read() == b""
    writer.close()
    return answer


async def until(holds: Any) -> None:
    """Return once it holds."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - it looks from outside
            await asyncio.sleep(0.005)


# ---------------------------------------------------------------- where it is


@pytest.mark.parametrize(
    ("folder", "beside"),
    [
        ("/var/lib/hipwise", True),
        ("/" + "a" * 83, True),
        ("/" + "a" * 84, False),
        ("/" + "\N{GREEK SMALL LETTER ALPHA}" * 42, False),
    ],
    ids=["short", "just short enough", "too long", "too long in bytes"],
)
def test_the_socket_is_beside_the_database_where_its_path_is_short_enough(folder: str, beside: bool) -> None:
    found = socket_path(Path(folder) / "hipwise.db", Path("/temporary"), 7)

    assert found.parent == Path(folder if beside else "/temporary/hipwise-7")
    assert len(os.fsencode(found)) <= control.LONGEST_PATH


def test_two_databases_with_long_paths_have_two_sockets() -> None:
    one, other = (socket_path(Path("/" + letter * 100 + "/hipwise.db"), Path("/x"), 7) for letter in "ab")

    assert one != other


async def test_the_socket_is_for_its_owner_only_and_goes_when_hipwise_goes(database: Path, table: Table) -> None:
    umask = os.umask(0)
    try:
        async with Control(database, table):
            mode = beside(database).stat().st_mode
    finally:
        os.umask(umask)

    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert not beside(database).exists()


async def test_a_database_with_a_long_path_is_answered_in_a_folder_of_ours_alone(
    database: Path, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(database.parent))
    deep = database.parent / ("a" * 100) / "hipwise.db"
    deep.parent.mkdir()
    assert await ask(deep, "status") is None

    async with Control(deep, table):
        (folder,) = database.parent.glob("hipwise-*")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert await ask(deep, "status") == {"members": 3, "ok": True}
    assert list(folder.iterdir()) == []


async def test_a_folder_that_others_may_use_is_neither_answered_in_nor_asked_in(
    database: Path, table: Table, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(database.parent))
    deep = database.parent / ("a" * 100) / "hipwise.db"
    deep.parent.mkdir()
    folder = database.parent / f"hipwise-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)

    async with Control(deep, table):
        assert list(folder.iterdir()) == []
        with pytest.raises(NoAnswer, match="not a folder of this user's alone"):
            await ask(deep, "status")
    assert [record.message for record in caplog.records] == ["control.unavailable"]


@pytest.mark.parametrize("name", ["other/../hipwise.db", "link/hipwise.db", "linked.db"])
async def test_the_socket_is_found_by_whatever_name_the_database_is_called(database: Path, table: Table, name: str) -> None:
    (database.parent / "other").mkdir()
    (database.parent / "link").symlink_to(database.parent)
    (database.parent / "linked.db").symlink_to(database)

    async with Control(database, table):
        assert await ask(database.parent / name, "status") == {"members": 3, "ok": True}


# ---------------------------------------------------------------- asking


async def test_where_none_runs_there_is_no_answer_and_nothing_is_made(database: Path) -> None:
    assert await ask(database, "status") is None
    assert await ask(database.parent / "nowhere" / "hipwise.db", "status") is None
    assert list(database.parent.iterdir()) == []


async def test_below_a_file_none_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert await ask(tmp_path / "file" / "hipwise.db", "status") is None


async def test_a_command_is_done_and_answered(database: Path, table: Table) -> None:
    async with Control(database, table):
        answers = [await ask(database, "status") for _ in range(3)]

    assert answers == [{"members": 3, "ok": True}] * 3
    assert table.asked == ["status"] * 3


async def test_several_are_answered_at_the_same_time(database: Path, table: Table) -> None:
    async with Control(database, table):
        slow = asyncio.create_task(ask(database, "waits"))
        await until(lambda: table.asked)
        assert await ask(database, "status")
        table.go_on.set()
        assert await slow == {"done": 1, "ok": True}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("fails", "There is no room left."),
        ("breaks", "look for control.failed in the log"),
        ("backup", "does not know that command: it is of another version. Restart it."),
        ("", "does not know that command"),
        ("__init__", "does not know that command"),
    ],
)
async def test_what_cannot_be_done_is_said_and_the_next_is_answered(
    database: Path, table: Table, command: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Control(database, table):
        with pytest.raises(NoAnswer, match=says) as refused:
            await ask(database, command)
        assert await ask(database, "status") == {"members": 3, "ok": True}

    assert "what went wrong" not in f"{refused.value} {caplog.text}"


async def test_settings_that_cannot_be_used_are_said(database: Path) -> None:
    async def unset() -> Mapping[str, Any]:
        raise SettingsError("HIPWISE_KEYS: there is no key.")

    async with Control(database, {"rotate": unset}):
        with pytest.raises(NoAnswer, match="there is no key"):
            await ask(database, "rotate")


async def test_long_work_says_that_it_goes_on(database: Path, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "WORKING_SECONDS", 0.01)
    monkeypatch.setattr(control, "SILENCE_SECONDS", 0.5)
    async with Control(database, table):
        asking = asyncio.create_task(ask(database, "waits"))
        await asyncio.sleep(0.7)
        table.go_on.set()

        assert await asking == {"done": 1, "ok": True}


async def test_whoever_leaves_has_their_work_cancelled(database: Path, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "WORKING_SECONDS", 0.01)
    async with Control(database, table):
        _, writer = await asyncio.open_unix_connection(beside(database))
        writer.write(b'{"command":"waits"}\n')
        await until(lambda: table.asked)
        writer.close()
        await until(lambda: table.ended)

        assert await ask(database, "status")


async def test_stopping_tells_whoever_waits(database: Path, table: Table) -> None:
    async with asyncio.timeout(5), Control(database, table):
        asking = asyncio.create_task(ask(database, "waits"))
        await until(lambda: table.asked)

    assert table.ended == ["waits"]
    with pytest.raises(NoAnswer, match="stopped before it had answered"):
        await asking


async def test_one_that_hangs_is_said_not_to_answer(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "SILENCE_SECONDS", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(beside(database)))
        silent.listen()

        with pytest.raises(NoAnswer, match="does not answer"):
            await ask(database, "status")


@pytest.mark.parametrize("answer", [b"", b"\n", b"no json\n", b'{"ok":', b"[1]\n", b'{"ok": "yes"}\n'])
async def test_an_answer_that_is_none_is_no_answer(database: Path, answer: bytes) -> None:
    async def odd(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    server = await asyncio.start_unix_server(odd, beside(database))
    async with server:
        with pytest.raises(NoAnswer):
            await ask(database, "status")


# ---------------------------------------------------------------- whatever comes in


@pytest.mark.parametrize(
    "raw",
    [
        b"\n",
        b"status\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b'{"command": null}\n',
        b'{"command": ["status"]}\n',
        b"\xff\xfe\n",
        b"[" * 1020 + b"\n",
        b'{"command": "' + b"x" * 5000 + b'"}\n',
    ],
    ids=lambda raw: repr(raw[:20]),
)
async def test_a_request_that_is_none_is_answered(database: Path, table: Table, raw: bytes) -> None:
    async with Control(database, table):
        answer = await sent(database, raw)
        assert await ask(database, "status")

    assert answer["ok"] is False
    assert "Send one line of at most 1024 bytes" in answer["error"]


async def test_a_request_that_ends_early_is_answered(database: Path, table: Table) -> None:
    async with Control(database, table):
        assert (await sent(database, b'{"command": "sta', ends=True))["ok"] is False


async def test_someone_who_says_nothing_is_not_waited_for(
    database: Path, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "REQUEST_SECONDS", 0.02)
    async with Control(database, table):
        assert (await sent(database, b""))["ok"] is False


async def test_the_rest_of_a_request_is_not_read(database: Path, table: Table) -> None:
    async with Control(database, table):
        assert await sent(database, b'{"command": "status", "more": 1}\n{"command": "status"}\n') == {"members": 3, "ok": True}

    assert table.asked == ["status"]


# ---------------------------------------------------------------- where there can be none


async def test_the_socket_of_a_process_that_was_killed_is_replaced(database: Path, table: Table) -> None:
    left = f"import socket, os, signal\ns = socket.socket(socket.AF_UNIX)\ns.bind({str(beside(database))!r})\ns.listen()\n"
    killed = subprocess.run(  # noqa: ASYNC221, S603 - our own script
        [sys.executable, "-c", f"{left}os.kill(os.getpid(), signal.SIGKILL)"], cwd=ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert beside(database).is_socket()
    assert await ask(database, "status") is None

    async with Control(database, table):
        assert await ask(database, "status")


async def test_a_file_in_its_place_is_left_and_hipwise_goes_on_without(
    database: Path, table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    beside(database).write_text("somebody's")

    async with Control(database, table):
        assert await ask(database, "status") is None

    assert [record.message for record in caplog.records] == ["control.unavailable"]
    assert beside(database).read_text() == "somebody's"


async def test_where_there_are_no_unix_sockets_hipwise_goes_on_without(
    database: Path, table: Table, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.platform", "win32")

    async with Control(database, table):
        assert await ask(database, "status") is None

    assert [record.message for record in caplog.records] == ["control.unavailable"]
