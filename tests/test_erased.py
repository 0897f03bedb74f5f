"""The list of who was erased outlives the database, tells nobody who they were, and is never half written."""

import base64
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.record import Change
from core.storage import DatabaseMissing, ErasedList, StorageUnavailable, Store, lists_in, retention, traces
from core.storage.opening import restoring
from core.vault import KeyRing
from fakes import ANNA, BEN, NOON, PLAIN, ring

ONE, TWO = "ab" * 16, "cd" * 16
posix_only = pytest.mark.skipif(os.name != "posix", reason="files have such modes only there")


class Lists:
    """The two files of a list, where an operator has them."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "data" / "hipwise.db"
        self.backups = self.database.parent / "backups"
        self.key_folder = folder / "config"
        self.files = lists_in(self.backups, self.key_folder)

    def of(self, *keys: str) -> ErasedList:
        return ErasedList(ring(*keys), self.files)

    def store(self, *keys: str, now: datetime = NOON) -> Store:
        return Store(self.database, ring(*keys), lambda: now, erased=self.of(*keys))

    def text(self) -> str:
        return "".join(file.read_text("utf-8") for file in self.files if file.exists())


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path)


# ---------------------------------------------------------------- keeping


def test_who_was_erased_is_in_both_files_and_either_is_enough(lists: Lists) -> None:
    lists.of().add(ONE, NOON)
    lists.of().add(TWO, NOON)

    assert [len(file.read_text("utf-8").splitlines()) for file in lists.files] == [2, 2]
    for gone in lists.files:
        kept = gone.read_bytes()
        gone.unlink()
        assert lists.of().read().members == {ONE: NOON, TWO: NOON}
        gone.write_bytes(kept)


def test_what_only_one_file_has_counts_too(lists: Lists) -> None:
    for file, member in zip(lists.files, (ONE, TWO), strict=True):
        ErasedList(ring(), [file]).add(member, NOON)

    assert lists.of().read().members == {ONE: NOON, TWO: NOON}


def test_the_list_tells_neither_who_nor_when(lists: Lists) -> None:
    lists.of().add(ONE, NOON)

    assert ONE not in lists.text()
    assert "2026" not in lists.text()


@posix_only
def test_the_list_is_for_this_user_only(lists: Lists) -> None:
    umask = os.umask(0)
    try:
        lists.of().add(ONE, NOON)
        lists.of("b", "a").reseal()
    finally:
        os.umask(umask)

    assert [stat.S_IMODE(file.stat().st_mode) for file in lists.files] == [0o600] * 2
    assert [stat.S_IMODE(file.parent.stat().st_mode) for file in lists.files] == [0o700] * 2


def test_a_line_is_on_disk_before_add_returns(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def noting(name: str) -> Callable[..., object]:
        real: Callable[..., object] = getattr(os, name)

        def noted(*args: object) -> object:
            done.append(name)
            return real(*args)

        return noted

    for name in ("write", "fsync"):
        monkeypatch.setattr(os, name, noting(name))
    lists.files[0].parent.mkdir(parents=True)
    ErasedList(ring(), lists.files[:1]).add(ONE, NOON)

    assert done == ["write", "fsync", "fsync"]  # the second of the folder, for the file is new


def test_no_list_says_nothing(lists: Lists) -> None:
    read = lists.of().read()

    assert (read.members, read.unknown, read.damaged) == ({}, 0, 0)


# ---------------------------------------------------------------- lines that are not as they were written


def cut(line: str) -> str:
    return line[: len(line) // 2]


def without_its_end(line: str) -> str:
    return line.rstrip("\n.")


def another_key(line: str) -> str:
    return "zz" + line[line.index(" ") :]


def forged(line: str) -> str:
    key, coded, end = line.split(" ")
    return f"{key} {'B' + coded[1:]} {end}"


def of_another_purpose(line: str) -> str:
    return line.replace(line.split(" ")[1], ring_value(ring("a")))


def ring_value(keys: KeyRing) -> str:
    return base64.b64encode(keys._wrap(f"{ONE}|{NOON.isoformat()}".encode(), "another purpose").blob).decode()


@pytest.mark.parametrize(
    ("change", "members", "unknown", "damaged"),
    [
        (lambda line: line, {ONE, TWO}, 0, 0),
        (lambda line: line + line, {ONE, TWO}, 0, 0),
        (lambda line: "\n\n" + line, {ONE, TWO}, 0, 0),
        (cut, {TWO}, 0, 0),
        (without_its_end, {TWO}, 0, 0),
        (lambda line: "", {TWO}, 0, 0),
        (lambda line: "\x00\xff garbage\n", {TWO}, 0, 0),
        (another_key, {TWO}, 1, 0),
        (forged, {TWO}, 0, 1),
        (of_another_purpose, {TWO}, 0, 1),
        (lambda line: line.replace(line.split(" ")[1], "not-base64"), {TWO}, 0, 1),
    ],
    ids=[
        "whole",
        "twice",
        "gaps",
        "cut",
        "no end",
        "nothing",
        "garbage",
        "unknown key",
        "forged",
        "other purpose",
        "no base64",
    ],
)
def test_a_line_that_is_not_whole_spoils_no_other(
    lists: Lists, change: Callable[[str], str], members: set[str], unknown: int, damaged: int
) -> None:
    file = lists.files[0]
    one = ErasedList(ring(), [file])
    one.add(ONE, NOON)
    file.write_text(change(file.read_text("utf-8")), "utf-8")

    one.add(TWO, NOON)

    read = one.read()
    assert (set(read.members), read.unknown, read.damaged) == (members, unknown, damaged)


def test_lines_that_cannot_be_read_are_reported_at_the_start(lists: Lists, caplog: pytest.LogCaptureFixture) -> None:
    lists.of("b").add(ONE, NOON)

    lists.of("a").begin(lists.database)

    (record,) = [record for record in caplog.records if record.msg == "erasure.unreadable"]
    assert (record.levelname, vars(record)["count"]) == ("ERROR", 2)


@pytest.mark.parametrize("length", [1, 40, 100, 160])
def test_a_write_that_comes_short_is_told_and_spoils_no_other(
    lists: Lists, length: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, text: write(file, text[:length]))
        lists.of().add(ONE, NOON)
    lists.of().add(TWO, NOON)

    assert set(lists.of().read().members) >= {TWO}
    assert [(record.msg, record.levelname) for record in caplog.records if length < 150] in (
        [("erasure.unlisted", "ERROR")],
        [],
    )


# ---------------------------------------------------------------- pruning and other keys


def test_who_was_erased_long_ago_is_dropped_and_nothing_else_is(lists: Lists) -> None:
    lists.of("b").add("ef" * 16, NOON - retention.ERASED * 2)
    lists.of().add(ONE, NOON - retention.ERASED - timedelta(minutes=1))
    lists.of().add(TWO, NOON - retention.ERASED)
    lists.of().begin(lists.database)

    assert lists.of().prune(NOON - retention.ERASED) == 2  # in either file
    read = lists.of().read()
    assert (set(read.members), read.unknown) == ({TWO}, 2)
    assert lists.of().traces(lists.database) == lists.files
    assert lists.of().prune(NOON - retention.ERASED) == 0


async def test_the_store_drops_who_was_erased_long_ago(lists: Lists) -> None:
    async with lists.store() as kept:
        lists.of().add(ONE, NOON)
        await kept.purge(NOON + retention.ERASED)
        assert set(lists.of().read().members) == {ONE}
        await kept.purge(NOON + retention.ERASED + timedelta(minutes=1))

    assert lists.of().read().members == {}


async def test_keys_rotate_seals_the_list_anew(lists: Lists) -> None:
    async with lists.store("a") as kept:
        await kept.save_turn(ANNA, Change({"a": 1}, PLAIN))
        member = (await kept.load(ANNA)).member or ""
        await kept.forget(member)
    async with lists.store("b", "a") as kept:
        await kept.rewrap()

    assert set(lists.of("b").read().members) == {member}
    assert lists.of("b").read().unknown == 0
    assert lists.of("b").reseal() == 0


def test_keys_rotate_leaves_lines_of_a_key_that_is_not_there(lists: Lists) -> None:
    lists.of("a").add(ONE, NOON)
    lists.of("c").add(TWO, NOON)

    assert lists.of("b", "a").reseal() == 2
    assert set(lists.of("b").read().members) == {ONE}
    assert set(lists.of("c").read().members) == {TWO}


def test_keys_rotate_does_not_succeed_where_the_list_cannot_be_written(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    lists.of("a").add(ONE, NOON)
    before = lists.text()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)

    with pytest.raises(StorageUnavailable, match="list of erased members cannot be written"):
        lists.of("b", "a").reseal()
    assert lists.of("a").prune(NOON + timedelta(days=1)) == 0  # while an old line that stays harms nobody
    assert lists.text() == before


KILLED = """
import os, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from core.storage import ErasedList
from fakes import ring
real = {step}
def killed(*args, **kw):
    if {before}: os._exit(9)
    real(*args, **kw)
    os._exit(9)
{step} = killed
ErasedList(ring("b", "a"), [Path(sys.argv[1])]).reseal()
"""


@pytest.mark.prove
@pytest.mark.parametrize("step", ["os.fsync", "Path.replace"])
@pytest.mark.parametrize("before", [True, False])
def test_a_list_that_is_being_sealed_anew_survives_a_kill(lists: Lists, step: str, before: bool) -> None:
    lists.of("a").add(ONE, NOON)
    lists.of("a").add(TWO, NOON)
    script = KILLED.format(step=step, before=before)
    ended = subprocess.run([sys.executable, "-c", script, str(lists.files[0]), *sys.path], check=False, timeout=60)  # noqa: S603

    assert ended.returncode == 9
    assert set(ErasedList(ring("b", "a"), lists.files[:1]).read().members) == {ONE, TWO}
    lists.of("b", "a").reseal()
    assert set(ErasedList(ring("b"), lists.files[:1]).read().members) == {ONE, TWO}


# ---------------------------------------------------------------- erasing


async def test_a_member_is_on_the_list_before_they_are_erased(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    async with lists.store() as kept:
        await kept.save_turn(ANNA, Change({"a": 1}, PLAIN))
        member = (await kept.load(ANNA)).member or ""

        def cut_short(*_: object) -> None:
            raise RuntimeError

        monkeypatch.setattr("core.storage.erasure.erase", cut_short)
        with pytest.raises(RuntimeError):
            await kept.forget(member)

        assert lists.of().read().members == {member: NOON}
        assert (await kept.load(ANNA)).member == member


@pytest.mark.parametrize(("blocked", "level"), [((0, 1), "ERROR"), ((0,), "WARNING"), ((1,), "WARNING")])
async def test_erasing_goes_on_where_the_list_cannot_be_written(
    lists: Lists, blocked: tuple[int, ...], level: str, caplog: pytest.LogCaptureFixture
) -> None:
    for number in blocked:
        lists.files[number].parent.parent.mkdir(exist_ok=True)
        lists.files[number].parent.write_text("a file where a folder should be")
    async with lists.store() as kept:
        await kept.save_turn(ANNA, Change({"a": 1}, PLAIN))
        member = (await kept.load(ANNA)).member or ""

        assert set((await kept.forget(member)).after.values()) == {0}

    told = [(record.msg, record.levelname) for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert told == [("erasure.untraced", "WARNING"), ("erasure.unlisted", level)]
    assert set(lists.of().read().members) == ({member} if len(blocked) == 1 else set())


# ---------------------------------------------------------------- a database that is missed


async def test_a_first_start_makes_the_list_and_the_next_adds_nothing_to_it(lists: Lists) -> None:
    assert traces(lists.database, lists.files) == ()
    async with lists.store():
        pass
    text = lists.text()
    async with lists.store():
        pass

    assert text == f"database: {lists.database}\n" * 2
    assert lists.text() == text


@pytest.mark.parametrize("left", ["both lists", "the list beside the backups", "the list beside the key", "a backup"])
async def test_a_database_that_is_gone_is_missed(lists: Lists, left: str) -> None:
    async with lists.store() as kept:
        await kept.save_turn(ANNA, Change({"a": 1}, PLAIN))
        if left == "a backup":
            await kept.back_up(lists.backups)
    lists.database.unlink()
    for file, stays in zip(lists.files, ("the list beside the backups", "the list beside the key"), strict=True):
        if left not in ("both lists", stays):
            file.unlink()

    with pytest.raises(DatabaseMissing, match="hipwise restore FILE") as caught:
        await lists.store().open()

    assert not lists.database.exists()
    moved = str(caught.value).partition("move away: ")[2].split(", ")
    assert moved == [str(path) for path in lists.of().traces(lists.database)]
    for path in moved:
        for each in Path(path).parent.glob(Path(path).name):
            each.unlink()
    async with lists.store() as kept:
        assert (await kept.load(ANNA)).member is None


async def test_another_database_with_the_same_key_file_and_backups_is_not_missed(lists: Lists) -> None:
    async with lists.store() as kept:
        await kept.back_up(lists.backups)

    async with Store(lists.database.with_name("other.db"), ring(), lambda: NOON, erased=lists.of()) as kept:
        await kept.save_turn(BEN, Change({"b": 1}, PLAIN))

    assert lists.text().count("database: ") == 4


async def test_a_first_start_that_was_cut_short_is_not_taken_for_a_loss(lists: Lists) -> None:
    lists.database.parent.mkdir()
    lists.database.touch()

    async with lists.store() as kept:
        assert (await kept.load(ANNA)).member is None


async def test_a_list_that_cannot_be_read_is_told(lists: Lists) -> None:
    lists.files[0].mkdir(parents=True)

    with pytest.raises(StorageUnavailable, match=r"erased cannot be read \(Is a directory\)"):
        await lists.store().open()


async def test_what_a_restore_left_is_removed_at_the_start(lists: Lists) -> None:
    async with lists.store():
        pass
    restoring(lists.database).write_bytes(b"half a database")

    async with lists.store():
        assert not restoring(lists.database).exists()
