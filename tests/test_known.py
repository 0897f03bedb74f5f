"""What is read together with an update is what a turn would find by itself, whatever happened since."""

import asyncio
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.members import Address, Preferences
from core.record import Change
from core.storage import Store
from fakes import NOON, PLAIN, owed, ring

ANNA, ON_HER_LAPTOP, BEN = Address("telegram", "1"), Address("discord", "1"), Address("telegram", "2")
SENDERS = (ANNA, ON_HER_LAPTOP, BEN)


async def test_a_turn_reads_nothing_that_came_with_its_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Store(tmp_path / "hipwise.db", ring(), lambda: NOON) as kept:
        await kept.save_turn(ANNA, Change({"step": 1}, PLAIN))
        await kept.receive("telegram", "1", b"{}", ANNA)
        with monkeypatch.context() as patch:
            patch.setattr(kept, "_read", None)
            assert (await kept.load(ANNA)).session == {"step": 1}
        assert (await kept.load(ANNA)).session == {"step": 1}


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_is_done_in_between_and_at_once_nothing_old_is_read(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with Store(tmp_path / "hipwise.db", ring(), lambda: NOON) as kept:
        await kept.add_address(await kept.enter(ANNA), ON_HER_LAPTOP)
        for number in range(40):
            await asyncio.gather(*(_something(kept, chance, f"{number}.{n}") for n in range(chance.randrange(1, 4))))
            for address in chance.sample(SENDERS, k=chance.randrange(4)):
                found = await kept.load(address)
                kept._known.clear()
                assert found == await kept.load(address)


async def _something(kept: Store, chance: random.Random, number: str) -> None:
    address = chance.choice(SENDERS)
    member = (await kept.load(address)).member
    change = Change(chance.choice([None, {"at": number}]), chance.choice([PLAIN, replace(PLAIN, region="uk")]))
    doings: list[Any] = [
        lambda: kept.receive(address.platform, number, b"{}", address),
        lambda: kept.save_turn(address, change),
        lambda: kept.save_turn(address, replace(change, consents=[{"kind": "tips", "given": True, "time": number}])),
        lambda: kept.plan(address, [owed()]),
        lambda: kept.purge(NOON),
        lambda: kept.forget(member) if member is not None else kept.enter(address),
        lambda: kept.move_address(address, Address(address.platform, f"{address.id}{number}")),
    ]
    await chance.choices(doings, weights=[8, 4, 4, 2, 1, 1, 1])[0]()


async def test_what_could_not_be_received_leaves_nothing_to_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Store(tmp_path / "hipwise.db", ring(), lambda: NOON) as kept:
        await kept.save_turn(ANNA, Change({"step": 1}, Preferences()))
        await kept.receive("telegram", "1", b"{}", ANNA)
        with monkeypatch.context() as patch:
            patch.setattr(kept, "_ask", _fails)
            with pytest.raises(OSError, match="disk"):
                await kept.receive("telegram", "2", b"{}", BEN)
            with pytest.raises(OSError, match="disk"):
                await kept.load(ANNA)


async def _fails(*_: object) -> None:
    raise OSError("disk")
