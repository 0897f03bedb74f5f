"""Lines that a person types at the terminal, read without holding up anything else."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self


class TypedLines:
    """What is typed, line by line, until the end of the input, or until `end` is called.

    Bytes that are not text are replaced, never fatal.
    """

    def __init__(self, prompt: str) -> None:
        import readline  # noqa: F401 - importing it is what gives input() its line editing

        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr] # standard input is always a text file here
        self._prompt = prompt
        self._ended = False
        self._typed: asyncio.Future[str | None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        line = None if self._ended else await self._next()
        if line is None:
            raise StopAsyncIteration
        return line

    def end(self) -> None:
        """Give no more lines, and wait for none."""
        self._ended = True
        if self._typed is not None:
            _settle(self._typed, None)

    async def _next(self) -> str | None:
        self._typed = asyncio.get_running_loop().create_future()
        # Nobody can call off input(), so its thread must not keep the process: the executor's threads would.
        threading.Thread(target=self._read, args=(self._typed,), daemon=True).start()
        return await self._typed

    def _read(self, typed: asyncio.Future[str | None]) -> None:
        line = None
        try:
            with suppress(EOFError, OSError):  # OSError: the terminal has gone
                line = input(self._prompt)
        finally:
            with suppress(RuntimeError):  # the loop has ended: nobody waits for a line any more
                typed.get_loop().call_soon_threadsafe(_settle, typed, line)


if sys.platform == "win32":

    @contextmanager
    def left_as_found() -> Iterator[None]:
        """Do nothing: there a line that is called off changes nothing about the terminal."""
        yield

else:
    import termios

    @contextmanager
    def left_as_found() -> Iterator[None]:
        """Put the terminal back as it was: reading a line changes how it behaves, and one that is called off leaves it so."""
        before = termios.tcgetattr(sys.stdin)
        try:
            yield
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def _settle(typed: asyncio.Future[str | None], line: str | None) -> None:
    if not typed.done():
        typed.set_result(line)
