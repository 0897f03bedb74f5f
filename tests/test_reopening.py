"""A database that cannot be opened is told, and opened once it can be; what can never open ends the start."""

import asyncio
from pathlib import Path

import pytest

from bots.reopening import GOES_ON, WORKS, Reopening
from core.record import Change
from core.storage import AlreadyRunning, WrongKey
from fakes import ANNA, PLAIN, ring, store


async def test_it_is_opened_as_soon_as_it_can_be(tmp_path: Path) -> None:
    async with store(tmp_path) as kept:
        await kept.save_turn(ANNA, Change({"a": 1}, PLAIN))
    file, away = tmp_path / "hipwise.db", tmp_path / "elsewhere"
    file.rename(away)
    told: list[str] = []
    works = asyncio.Event()

    def tell(sentence: str) -> None:
        told.append(sentence)
        if sentence == WORKS:
            works.set()

    again = store(tmp_path, expected=True)
    async with Reopening(again, tell, again=0.01):
        assert [sentence.splitlines()[-1] for sentence in told] == [GOES_ON]
        assert told[0].startswith("There is no database at")
        away.rename(file)
        await asyncio.wait_for(works.wait(), 5)
        assert (await again.load(ANNA)).session == {"a": 1}


async def test_two_on_one_database_are_one_too_many(tmp_path: Path) -> None:
    async with store(tmp_path):
        with pytest.raises(AlreadyRunning):
            await Reopening(store(tmp_path), print).__aenter__()


async def test_keys_that_do_not_fit_end_the_start(tmp_path: Path) -> None:
    async with store(tmp_path, ring("a")) as kept:
        await kept.save_turn(ANNA, Change({"a": 1}, PLAIN))

    with pytest.raises(WrongKey):
        await Reopening(store(tmp_path, ring("b")), print).__aenter__()


async def test_one_that_was_never_opened_can_be_left(tmp_path: Path) -> None:
    async with Reopening(store(tmp_path, expected=True), lambda _: None, again=60):
        pass
