"""A limit of time counts what has come over what is over."""

import asyncio
import socket
import time

import pytest

from bots.patience import GRACE, within


async def test_what_has_come_while_the_process_was_stopped_counts() -> None:
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)

    def stopped() -> None:
        theirs.send(b"taken")
        time.sleep(0.1)

    asyncio.get_running_loop().call_soon(stopped)
    async with within(0.02):
        assert await reader.read(5) == b"taken"
    writer.close()
    theirs.close()


@pytest.mark.parametrize("whole", [0.02, 5.0, None])
async def test_without_anything_it_is_over(whole: float | None) -> None:
    async def waits() -> None:
        async with within(whole) as limit:
            limit.end_in(0.02)
            await asyncio.Event().wait()

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await waits()
    assert time.monotonic() - began >= GRACE


async def test_it_may_take_as_long_as_it_takes() -> None:
    async with within(None) as limit:
        limit.end_in(0.01)
        limit.end_in(None)
        await asyncio.sleep(0.05 + GRACE)
