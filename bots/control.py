"""The control socket: how the commands of the operator ask the Hipwise that runs.

The process that runs holds the database for itself. So whoever asks after it, or has it do something, does so over a unix
socket that only its own user may open. A request is one line of JSON, `{"command": NAME}`. The answer is lines of JSON:
`{"working": true}` every few seconds while it takes long, and the last one has `"ok"`, with `"error"` where that is false.
"""

import asyncio
import hashlib
import json
import logging
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from core.errors import SettingsError
from core.storage import StorageUnavailable

log = logging.getLogger(__name__)

Command = Callable[[], Awaitable[Mapping[str, Any]]]
"""Does what is asked and returns the answer, as JSON values and without its "ok"."""

LONGEST_PATH = 100
"""Bytes. The system's own limit is 104 on macOS and 108 on Linux, and counts one more for the end."""
LONGEST_REQUEST = 1024
LONGEST_ANSWER = 1024 * 1024
REQUEST_SECONDS = 5.0
"""Whoever opens the socket has said by then what they want, and has read each line of the answer in as long."""
WORKING_SECONDS = 3.0
"""How often it is said that the work goes on."""
SILENCE_SECONDS = 15.0
"""A Hipwise that says nothing for so long does not answer."""
OWNER_ONLY = 0o600
OWNER_ONLY_FOLDER = 0o700
OTHERS = 0o077


class NoAnswer(Exception):
    """A Hipwise runs and did not do what it was asked; the message says why, and what to do."""


class Control:
    """`async with` answers the commands of a table. That the store is open proves that no other process answers there."""

    def __init__(self, database: Path, commands: Mapping[str, Command]) -> None:
        self._database, self._commands = database, commands
        self._server: asyncio.Server | None = None
        self._talking: set[asyncio.Task[None] | None] = set()

    async def __aenter__(self) -> Self:
        """Open the socket. Where there can be none the log says so, and Hipwise goes on without."""
        try:
            bound = _bound(self._database)
            self._server = await asyncio.start_unix_server(self._meet, sock=bound, limit=LONGEST_REQUEST)
        except OSError as error:
            log.warning("control.unavailable", extra={"error": type(error).__name__})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        self._server.close()
        _place(self._database).unlink(missing_ok=True)
        talking = [task for task in self._talking if task]
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._talking.add(task)
        try:
            with closing(writer):
                await _write(writer, await self._answer(reader, writer))
        except (ConnectionError, TimeoutError):
            log.info("control.left")
        finally:
            self._talking.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                name = _command(await reader.readline())
        except (TimeoutError, ValueError):
            return _refused(
                f'Send one line of at most {LONGEST_REQUEST} bytes within {REQUEST_SECONDS:g} s: {{"command": NAME}}'
            )
        if name not in self._commands:
            return _refused("The Hipwise that runs does not know that command: it is of another version. Restart it.")
        try:
            return {**await _worked(self._commands[name], writer), "ok": True}
        except (SettingsError, StorageUnavailable) as error:
            return _refused(str(error))
        except (ConnectionError, TimeoutError):  # whoever asked has left, or does not read
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours: whoever asked must not wait, and Hipwise goes on
            log.error("control.failed", extra={"job": name, "error": type(error).__name__})  # noqa: TRY400 - no text of it
            return _refused("It failed: look for control.failed in the log of the Hipwise that runs, and report it as a bug.")


async def ask(database: Path, command: str) -> Mapping[str, Any] | None:
    """Return the answer of the Hipwise that runs on a database; None: none runs. Raise NoAnswer where it did not do it."""
    try:
        reader, writer = await _connected(database)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        return None
    except OSError as error:
        raise NoAnswer(
            f"The Hipwise that runs on {database} cannot be asked: {error}. Are you the user that runs it?"
        ) from None
    with closing(writer):
        try:
            await _write(writer, {"command": command})
            answer = await _last_line(reader)
        except TimeoutError:
            raise NoAnswer(f"The Hipwise that runs on {database} does not answer. Restart it, and look at its log.") from None
        except (ConnectionError, ValueError):
            raise NoAnswer("Hipwise stopped before it had answered. Once it has ended, or runs again, ask again.") from None
    if not answer["ok"]:
        raise NoAnswer(str(answer.get("error")))
    return answer


# ---------------------------------------------------------------- where it is


def socket_path(database: Path, temporary: Path, user: int) -> Path:
    """Return where the socket of a database is: beside it, or in a temporary folder of this user's where that is too long."""
    beside = database.with_name(f"{database.name}.sock")
    if len(os.fsencode(beside)) <= LONGEST_PATH:
        return beside
    return temporary / f"hipwise-{user}" / f"{hashlib.sha256(os.fsencode(database)).hexdigest()[:16]}.sock"


def _place(database: Path) -> Path:
    """Return where the socket of a database is, by whatever name or link that is called; raise OSError where none can be."""
    if sys.platform == "win32":
        raise FileNotFoundError("there are no unix sockets here")
    return socket_path(database.resolve(), Path(tempfile.gettempdir()), os.getuid())


def _must_be_ours(folder: Path) -> None:
    """Raise PermissionError for a folder where somebody else could put a socket of theirs."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & OTHERS:
        raise PermissionError(f"{folder} is not a folder of this user's alone")


def _is_beside(path: Path, database: Path) -> bool:
    return path.parent == database.resolve().parent


# ---------------------------------------------------------------- the server's end


def _bound(database: Path) -> socket.socket:
    """Return a socket that only this user may open, in place of one that a process which was killed has left."""
    path = _place(database)
    if not _is_beside(path, database):
        path.parent.mkdir(OWNER_ONLY_FOLDER, exist_ok=True)
        _must_be_ours(path.parent)
    if path.is_socket():
        path.unlink()
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(path))
        # Nobody can connect before it listens.
        path.chmod(OWNER_ONLY)
    except OSError:
        made.close()
        raise
    return made


async def _worked(command: Command, writer: asyncio.StreamWriter) -> Mapping[str, Any]:
    """Return what a command gives, and say meanwhile that the work goes on; when whoever asked leaves, it is cancelled."""
    work = asyncio.ensure_future(command())
    try:
        while not (await asyncio.wait({work}, timeout=WORKING_SECONDS))[0]:
            await _write(writer, {"working": True})
        return work.result()
    finally:
        work.cancel()


def _command(line: bytes) -> str:
    """Return the name in a request; raise ValueError for anything that is none."""
    try:
        request = json.loads(line)
    except RecursionError:
        raise ValueError("not a request") from None
    match request:
        case {"command": str(name)}:
            return name
        case _:
            raise ValueError("not a request")


def _refused(why: str) -> Mapping[str, Any]:
    return {"ok": False, "error": why}


# ---------------------------------------------------------------- the asking end


async def _connected(database: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    path = _place(database)
    if not _is_beside(path, database):
        _must_be_ours(path.parent)
    return await asyncio.open_unix_connection(path, limit=LONGEST_ANSWER)


async def _last_line(reader: asyncio.StreamReader) -> Mapping[str, Any]:
    """Return the line that has the answer; raise ValueError for what is no line of ours."""
    while True:
        async with asyncio.timeout(SILENCE_SECONDS):
            line = json.loads(await reader.readline())
        if isinstance(line, dict) and isinstance(line.get("ok"), bool):
            return line


async def _write(writer: asyncio.StreamWriter, line: Mapping[str, Any]) -> None:
    writer.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
    async with asyncio.timeout(REQUEST_SECONDS):
        await writer.drain()
