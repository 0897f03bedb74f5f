"""`hipwise assess`: findings in, urgency out."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from bots.commands import assess


@pytest.fixture
def asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Give a function that asks these lines and returns exit code, answers and errors."""

    def ask(*lines: str) -> tuple[int, list[dict[str, Any]], list[str]]:
        file = tmp_path / "cases.jsonl"
        file.write_text("\n".join(lines), encoding="utf-8")
        code = assess.run([str(file)])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err.splitlines()

    return ask


def line(name: str, *findings: str) -> str:
    return json.dumps({"id": name, "findings": findings})


def test_each_line_is_answered_with_the_rules_and_what_fired_them(asked: Any) -> None:
    code, answers, errors = asked(line("a", "walk_unable", "age_18_44"), line("b"))

    assert (code, errors) == (0, [])
    assert [a["id"] for a in answers] == ["a", "b"]
    assert list(answers[0]) == ["id", "urgency", "rules", "conditions", "because"]
    assert answers[0]["urgency"] == "emergency"
    assert set(answers[0]["because"]) == set(answers[0]["rules"])
    assert answers[0]["because"]["cannot_bear_weight"] == ["walk_unable"]
    assert answers[1] == {"id": "b", "urgency": "routine", "rules": [], "conditions": [], "because": {}}


def test_an_unknown_code_is_an_error_and_the_other_lines_are_answered(asked: Any) -> None:
    code, answers, errors = asked(line("a"), line("b", "walk_unable", "walk_unabel"), line("c"))

    assert code == 2
    assert [a["id"] for a in answers] == ["a", "c"]
    assert errors == ["line 2: unknown finding: walk_unabel"]


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        "null",
        '{"id": "x"}',
        '{"findings": []}',
        '{"id": "x", "findings": "walk_unable"}',
        '{"id": "x", "findings": [1]}',
        "[" * 100_000,
        '{"id": "x", "findings": ["\\ud800"]}',
    ],
)
def test_a_broken_line_is_named_by_its_number(asked: Any, broken: str) -> None:
    code, answers, errors = asked("", broken, line("c"))

    assert code == 2
    assert [a["id"] for a in answers] == ["c"]
    assert len(errors) == 1
    assert errors[0].startswith("line 2: ")


def test_nothing_in_is_nothing_out(asked: Any) -> None:
    assert asked() == (0, [], [])


def test_bytes_that_are_not_text_spoil_their_line_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"id": "a", "findings": []}\n{"id": "b", "findings": ["\xff"]}\n')

    assert assess.run([str(file)]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["id"] == "a"
    assert err.startswith("line 2: unknown finding")


def test_standard_input_is_read_where_no_file_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(line("a", "saddle_numb").encode())))

    assert assess.run([]) == 0
    assert json.loads(capsys.readouterr().out)["urgency"] == "emergency"


def test_a_file_that_is_not_there_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert assess.run(["no-such-file.jsonl"]) == 2
    assert "no-such-file.jsonl" in capsys.readouterr().err
