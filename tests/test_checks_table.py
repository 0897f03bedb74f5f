"""No check can be taken out unnoticed: without any one of them the test that is named for it fails."""

import ast
import itertools
import os
import queue
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checks_table import CHECKS, Check

ROOT = Path(__file__).parent.parent
SHIPPED = ("bots", "content", "core", "docs", "scheduler", "tests", "pyproject.toml")
AT_ONCE = 2
WRITTEN_AND_READ = ('f"data key|{member}"', 'f"{purpose}|{key.id}"', 'f"key check|{key.id}"')
"""What is said the same where something is sealed and where it is opened."""
PYTEST = "import os, pytest, sys; code = pytest.main(sys.argv[1:]); sys.stdout.flush(); os._exit(code)"
"""It ends at once: a store that was opened where it should have been refused has a thread that would not."""
FAILED = 1
"""What pytest ends with where tests ran and some failed; any other number is a mistake in the table."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check.file}: {check.code.strip()[:40]}")
def test_each_check_is_in_the_code_and_has_its_test(check: Check) -> None:
    file, _, name = check.test.partition("::")
    tests = ast.parse((ROOT / file).read_text("utf-8")).body

    assert (ROOT / check.file).read_text("utf-8").count(check.code) == (2 if check.code in WRITTEN_AND_READ else 1)
    assert name in {each.name for each in tests if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_there_is_a_check_of_each_kind_and_no_row_twice() -> None:
    assert len({(check.file, check.code, check.without) for check in CHECKS}) == len(CHECKS) > 20


@pytest.mark.prove
def test_without_any_one_check_a_test_fails_that_passes_with_it(tmp_path: Path) -> None:
    first = copied(ROOT, tmp_path / "0")
    passing = run_of(first, sorted({check.test for check in CHECKS}))
    assert passing.returncode == 0, passing.stdout

    # With what the first run compiled, which saves half of the time.
    copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for copy in (first, *(copied(first, tmp_path / str(number)) for number in range(1, AT_ONCE))):
        copies.put(copy)

    def without(check: Check) -> str | None:
        copy = copies.get()
        try:
            return passes_without(check, copy)
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert [told for told in threads.map(without, CHECKS) if told is not None] == []


def copied(tree: Path, to: Path) -> Path:
    """Return a copy of the program and its tests."""
    to.mkdir()
    for name in SHIPPED:
        if (tree / name).is_dir():
            shutil.copytree(tree / name, to / name)
        else:
            shutil.copy(tree / name, to / name)
    return to


def passes_without(check: Check, copy: Path) -> str | None:
    """Return what there is to say if the check was taken out and its test did not fail."""
    file = copy / check.file
    whole = file.read_text("utf-8")
    write(file, whole.replace(check.code, check.without))
    try:
        ran = run_of(copy, [check.test])
    finally:
        write(file, whole)
    return None if ran.returncode == FAILED else f"{check} ended with {ran.returncode}: {ran.stdout[-800:]}"


TIMES = itertools.count(1_000_000_000)


def write(file: Path, text: str) -> None:
    """Write a file as of a time of its own: what was compiled from another text of the same length is not taken for it."""
    file.write_text(text, "utf-8")
    time = next(TIMES)
    os.utime(file, (time, time))


def run_of(copy: Path, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Return how these tests ended in a copy."""
    command = [sys.executable, "-c", PYTEST, "-q", "-x", "-p", "no:cacheprovider", "--tb=line", *tests]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "HYPOTHESIS"))}
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - our own words
