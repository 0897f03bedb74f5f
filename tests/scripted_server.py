"""A server on a real socket that does to each request what a test says, and remembers what it was asked."""

import asyncio
import json
import ssl
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET
from types import TracebackType
from typing import Any, Self

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""What the server does to a request that it has read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came, and the connection it came on, counted from one."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedServer:
    """Answers one request after the other from `answers`; the last of them again and again."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answers = deque(answers)
        self.asked: list[Asked] = []
        self.connections = self.open = self.most_open = 0
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self._talk(reader, writer, self.connections)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            line, *fields = head.decode("latin-1").rstrip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.asked.append(Asked(line, headers, body, connection))
            await (self.answers.popleft() if len(self.answers) > 1 else self.answers[0])(writer)
            if writer.is_closing():
                return


def answers(status: int, body: object, **headers: str) -> Answer:
    """Answer with a status and a body: JSON, or bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Length": str(len(content)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + content)
        await writer.drain()

    return answer


def says(result: object) -> Answer:
    """Answer as Telegram does to what it has done."""
    return answers(200, {"ok": True, "result": result})


def refuses(code: int, description: str, **parameters: object) -> Answer:
    """Answer as Telegram does to what it will not do."""
    return answers(code, {"ok": False, "error_code": code, "description": description, "parameters": parameters})


def after(seconds: float, then: Answer) -> Answer:
    """Answer later."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await then(writer)

    return answer


def in_parts(body: bytes, seconds: float) -> Answer:
    """Answer a byte at a time, so many seconds apart."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(seconds)

    return answer


async def silence(writer: asyncio.StreamWriter) -> None:
    """Say nothing, for longer than any test waits."""
    await asyncio.sleep(60)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close the connection without a word."""
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection off."""
    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


def cuts_off(body: bytes) -> Answer:
    """Announce twice as much as comes."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(body)) + body)
        await writer.drain()
        writer.close()

    return answer


drips = in_parts(b" " * 1_000_000, 0.02)
"""Answers a byte at a time, without an end."""


async def pours(writer: asyncio.StreamWriter) -> None:
    """Answer without an end, as fast as it can."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()
