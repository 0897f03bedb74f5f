"""A machine on which Hipwise was run once, and the commands of its operator in this process."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

from bots import __main__ as main
from bots import bootstrap
from bots.settings import Settings
from core.record import Change
from fakes import ANNA, PLAIN
from terminal import environment


class Machine:
    """A home with a database, a member in it, and a key."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.database = home / ".local" / "share" / "hipwise" / "hipwise.db"
        self.key_file = home / ".config" / "hipwise" / "keys"
        self.settings: dict[str, str] = {}

    def is_used(self) -> None:
        """Keep a check of somebody, as a Hipwise would that ran and was stopped."""

        async def used() -> None:
            store = bootstrap.keeping(Settings(), environment(self.home)).store
            assert store is not None
            async with store:
                await store.save_turn(ANNA, Change({"format": 1}, PLAIN))

        asyncio.run(used())

    def runs(self, capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
        """Return the exit code of a command, what it printed, and what it printed on standard error."""
        capsys.readouterr()
        with mock.patch.dict("os.environ", environment(self.home, **self.settings), clear=True):
            code = main.main(list(argv))
        return (code, *capsys.readouterr())

    def files(self) -> Sequence[Path]:
        """Return everything that is there."""
        return sorted(self.home.rglob("*"))

    def by_hand(self, *statements: str) -> None:
        """Change the file as only somebody with it could."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)
