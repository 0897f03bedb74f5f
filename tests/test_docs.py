"""The pages for people: what they name is there, and what is there is named."""

import re
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots.__main__ import COMMANDS
from bots.running import STOP_SECONDS
from bots.settings import VARIABLES
from bots.status import Status, plain
from core.clinical import Disposition
from core.ledger import Tallies
from core.storage import Health
from core.storage.columns import COLUMNS, Clear

ROOT = Path(__file__).parent.parent
PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")))
NOT_OURS = {"NO_COLOR"}
"""Variables that many programs read, and that Hipwise heeds without a setting of its own."""


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def block(page: str, language: str) -> str:
    """Return the first code block of a page in this language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)
    assert found, f"no {language} block in {page}"
    return found[1]


def section(page: str, title: str) -> str:
    """Return what stands below a heading, up to the next."""
    return read(page).partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(page: str) -> set[str]:
    """Return the code in the first column of every table."""
    return set(re.findall(r"^\| `([^`]+)` \|", read(page), re.MULTILINE))


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert first_cells("docs/SETTINGS.md") == set(VARIABLES) | NOT_OURS


def test_every_command_is_documented_and_nothing_else() -> None:
    documented = {cell.split()[1] for cell in first_cells("docs/CONSOLE.md") if cell.startswith("hipwise ")}

    assert documented == set(COMMANDS)


def test_every_value_of_the_status_is_documented_and_nothing_else() -> None:
    status = Status("0.1.0", "hip-1", None, Health(1, "3.51.3", 0, 0, 0, 0, 0, 0, 0, Tallies(0, 0, 0, 0, 0, 0, 0)), None)
    cells = re.findall(r"^\| (.+?) \|", section("docs/CONSOLE.md", "status"), re.MULTILINE)

    assert set(re.findall(r"`(\w+)`", " ".join(cells))) == plain(status, datetime(2026, 11, 23, tzinfo=UTC)).keys()


def test_the_service_gives_hipwise_the_time_that_it_takes_to_stop() -> None:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # names of systemd have capitals
    unit.read_string(re.sub("^    ", "", operating("ini"), flags=re.MULTILINE))

    assert unit["Service"]["KillSignal"] == "SIGTERM"
    assert int(unit["Service"]["TimeoutStopSec"]) > STOP_SECONDS
    assert unit["Service"]["ExecStart"].endswith("/.venv/bin/hipwise run")


def test_what_operators_are_told_to_set_and_to_run_is_there() -> None:
    assert {line.partition("=")[0].strip() for line in operating("sh").splitlines()} <= set(VARIABLES)
    assert set(re.findall(r"`hipwise ([a-z]+)", read("docs/OPERATING.md"))) <= set(COMMANDS)


def operating(language: str) -> str:
    """Return the first block of a language of the operators' page; it stands within a list."""
    return re.search(rf"^    ```{language}\n(.*?)^    ```$", read("docs/OPERATING.md"), re.MULTILINE | re.DOTALL)[1]  # type: ignore[index]


def test_every_make_target_that_the_readme_names_is_there() -> None:
    code = " ".join(re.findall(r"`[^`\n]+`|^    .+$", read("README.md"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", code))
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))

    assert {"run", "test"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    relative = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]

    assert [link for link in relative if not (page.parent / link).exists()] == []


def layout() -> Iterator[str]:
    """Yield the path of each entry of the layout: its indentation says what it stands in."""
    folders: list[tuple[int, str]] = []
    for line in block("docs/ARCHITECTURE.md", "text").splitlines():
        name = line.split()[0]
        indent = line.index(name)
        folders = [(outer, folder) for outer, folder in folders if outer < indent]
        yield "".join((*(folder for _, folder in folders), name))
        if name.endswith("/"):
            folders.append((indent, name))


def test_the_layout_lists_every_module_and_folder_of_the_code() -> None:
    there = set()
    for package in (ROOT / "core", ROOT / "bots"):
        there |= {p.relative_to(ROOT).as_posix() for p in package.glob("*.py") if p.name != "__init__.py"}
        there |= {f"{p.parent.relative_to(ROOT).as_posix()}/" for p in package.glob("*/__init__.py")}

    assert there - set(layout()) == set()


def test_everything_in_the_layout_is_there() -> None:
    assert [entry for entry in layout() if not (ROOT / entry).exists()] == []


def test_every_name_of_the_architecture_is_a_name_of_the_core() -> None:
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "core").rglob("*.py"))
    named = re.findall(r"`([A-Z]\w+)`", section("docs/ARCHITECTURE.md", "Names"))

    assert len(named) > 30
    assert [name for name in named if not re.search(rf"^(?:class {name}\b|{name} = )", code, re.MULTILINE)] == []


def test_every_test_that_holds_a_safety_rule_is_there() -> None:
    tests = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").glob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", read("docs/SAFETY.md"))

    assert named
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_the_script_that_plays_a_patient_comes_to_a_result() -> None:
    script = block("docs/CONSOLE.md", "python")
    played = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert played.stdout.split()[0] in {d.value for d in Disposition}


def test_privacy_names_every_column_in_clear_and_why() -> None:
    clear = {
        f"| `{table}.{column}` | {kind.reason} |"
        for table, columns in COLUMNS.items()
        for column, kind in columns.items()
        if isinstance(kind, Clear)
    }
    listed = read("PRIVACY.md").partition("<!-- clear columns: begin -->")[2].partition("<!-- clear columns: end -->")[0]

    assert set(listed.strip().splitlines()[2:]) == clear
