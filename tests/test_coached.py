"""Whole months of someone who is written to, as plain text."""

import os
from pathlib import Path

import pytest

import coached

PATHS = coached.paths()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
async def test_a_journey_of_someone_who_is_written_to_goes_as_it_is_written_down(path: Path) -> None:
    gone = await coached.replayed(coached.read(path))
    if os.environ.get("UPDATE_JOURNEYS"):
        coached.write(path, gone)

    assert gone == coached.read(path)
