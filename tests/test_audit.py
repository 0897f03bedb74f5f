"""`hipwise audit`: what the project promises of its answers, and how the scores are counted."""

import io
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bots.commands import audit
from bots.commands.audit import Scored
from content import loader
from core import patient
from core.audit import Outcome, Vignette, by_level, share, tally
from core.clinical import Disposition
from core.dialogue import Button, Notice, Role

DATA = Path(__file__).parent / "data"
VIGNETTES = DATA / "vignettes.jsonl"
INVENTED = DATA / "invented.jsonl"
"""Written and labelled by an author who had not seen the rules, and was no clinician."""
SELF_CARE, ROUTINE, WITHIN_DAYS, SAME_DAY, EMERGENCY = Disposition


# ---------------------------------------------------------------- What is promised


@pytest.fixture(scope="module", params=[VIGNETTES, INVENTED], ids=lambda file: file.stem)
def vignettes(request: pytest.FixtureRequest) -> Sequence[Vignette]:
    return tuple(audit.read(request.param, loader.load_pathway().codes))


@cache
def played(vignettes: Sequence[Vignette], way: str) -> Sequence[Scored]:
    """Return every patient's score: by the rules alone, or through the conversation."""
    library = loader.load()
    return [audit.by_rules(library.triage, v) if way == "rules" else audit.by_chat(library, v) for v in vignettes]


@pytest.fixture(scope="module")
def by_chat(vignettes: Sequence[Vignette]) -> Sequence[Scored]:
    return played(vignettes, "chat")


@pytest.fixture(scope="module", params=["rules", "chat"])
def scored(request: pytest.FixtureRequest, vignettes: Sequence[Vignette]) -> Sequence[Scored]:
    return played(vignettes, request.param)


def named(scored: Sequence[Scored], fault: str) -> list[str]:
    """Return the patients with this fault, with what they were told."""
    return [f"{s.outcome.vignette.id}: {s.outcome.told.value}" for s in scored if fault in s.outcome.faults]


def test_nobody_is_dangerously_missed(scored: Sequence[Scored]) -> None:
    assert named(scored, "dangerous miss") == []


def test_at_most_one_patient_is_told_too_little(scored: Sequence[Scored]) -> None:
    assert len(named(scored, "under-triage")) <= 1, named(scored, "under-triage")


def test_nobody_is_told_two_levels_too_much(scored: Sequence[Scored]) -> None:
    assert named(scored, "two levels over") == []


def test_nearly_all_are_told_right(scored: Sequence[Scored]) -> None:
    counts = tally(s.outcome for s in scored)

    assert share(counts.right, counts.patients) >= 93, named(scored, "over-triage")


def test_a_right_pattern_is_mostly_among_the_first_three(scored: Sequence[Scored]) -> None:
    counts = tally(s.outcome for s in scored)

    assert share(counts.top_3, counts.scored) >= 88, named(scored, "not in the first three")


def test_a_check_that_nobody_must_hurry_takes_few_taps(by_chat: Sequence[Scored]) -> None:
    assert audit.as_json(by_chat)["chat"]["taps_not_urgent"] <= 12


# ---------------------------------------------------------------- How it is counted


def outcome(*, told: Disposition, floor: Disposition, ceiling: Disposition) -> Outcome:
    return Outcome(Vignette("v", frozenset(), floor, floor, ceiling, frozenset()), told, ())


def recognised(*, right: str, named: str) -> Outcome:
    """Return an outcome that is well but for its patterns, each a letter."""
    vignette = Vignette("v", frozenset(), ROUTINE, ROUTINE, ROUTINE, frozenset(right))
    return Outcome(vignette, ROUTINE, tuple(named))


@pytest.mark.parametrize(
    ("floor", "ceiling", "told", "faults", "safe"),
    [
        (ROUTINE, SAME_DAY, ROUTINE, (), True),  # the floor itself is right
        (ROUTINE, SAME_DAY, SAME_DAY, (), True),  # and so is the ceiling
        (EMERGENCY, EMERGENCY, SAME_DAY, ("under-triage",), True),  # one level below is still safe
        (EMERGENCY, EMERGENCY, WITHIN_DAYS, ("under-triage",), False),
        (EMERGENCY, EMERGENCY, ROUTINE, ("dangerous miss", "under-triage"), False),
        (SAME_DAY, EMERGENCY, SELF_CARE, ("dangerous miss", "under-triage"), False),
        (SAME_DAY, SAME_DAY, WITHIN_DAYS, ("under-triage",), True),
        (WITHIN_DAYS, WITHIN_DAYS, SELF_CARE, ("under-triage",), False),  # unsafe, though not a dangerous miss
        (SELF_CARE, ROUTINE, WITHIN_DAYS, ("over-triage",), True),
        (SELF_CARE, ROUTINE, SAME_DAY, ("two levels over",), True),
    ],
)
def test_an_answer_is_held_against_floor_and_ceiling(
    floor: Disposition, ceiling: Disposition, told: Disposition, faults: tuple[str, ...], safe: bool
) -> None:
    found = outcome(told=told, floor=floor, ceiling=ceiling)

    assert found.faults == faults
    assert found.safe is safe
    assert found.right is (faults == ())


def test_two_levels_over_is_also_over() -> None:
    counts = tally([outcome(told=EMERGENCY, floor=ROUTINE, ceiling=ROUTINE)])

    assert (counts.over, counts.far_over, counts.right) == (1, 1, 0)


def test_patterns_are_scored_only_where_one_of_ours_is_right() -> None:
    first, third = recognised(right="az", named="ab"), recognised(right="c", named="abc")
    fourth, not_ours = recognised(right="d", named="abcd"), recognised(right="", named="a")

    counts = tally([first, third, fourth, not_ours])

    assert (counts.patients, counts.scored, counts.top_1, counts.top_3) == (4, 3, 1, 2)
    assert fourth.faults == ("not in the first three",)
    assert not_ours.faults == ()


def test_levels_are_those_of_the_label_and_the_most_urgent_comes_first() -> None:
    labels = (ROUTINE, EMERGENCY, ROUTINE)

    levels = by_level(outcome(told=ROUTINE, floor=label, ceiling=EMERGENCY) for label in labels)

    assert list(levels) == [EMERGENCY, ROUTINE]
    assert levels[EMERGENCY].dangerous == 1
    assert levels[ROUTINE].patients == 2


# ---------------------------------------------------------------- The command

WELL = {"id": "well", "findings": ["walk_unable"], "urgency": "emergency", "floor": "emergency", "ceiling": "emergency"}
MISSED = {**WELL, "id": "missed", "findings": ["age_18_44"]}


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Give a function that writes patients, or plain lines, to a file and returns its name."""

    def write(*patients: Any) -> str:
        lines = (p if isinstance(p, str) else json.dumps(p, ensure_ascii=False) for p in patients)
        path = tmp_path / "patients.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)

    return write


def test_a_dangerous_miss_is_named_and_ends_in_1(file: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.run([file(WELL, MISSED)]) == 1

    out, err = capsys.readouterr()
    assert "missed: dangerous miss, under-triage. Told routine; accepted emergency." in out
    assert "well:" not in out
    assert err == ""  # no progress where nobody watches


def test_all_well_ends_in_0(file: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.run([file(WELL)]) == 0
    assert "Misses" not in capsys.readouterr().out


def test_json_has_scores_and_every_patient(file: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.run([file(WELL, MISSED), "--json"]) == 1

    plain = json.loads(capsys.readouterr().out)
    assert plain["overall"]["dangerous"] == 1
    assert plain["overall"]["right_percent"] == 50.0
    assert plain["by_level"]["emergency"] == plain["overall"]
    assert plain["misses"] == ["missed"]
    assert [p["id"] for p in plain["patients"]] == ["well", "missed"]
    assert plain["chat"] == {}


def test_through_the_chat_taps_and_words_are_counted(file: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.run([file(WELL), "--through-chat", "--json"]) == 0

    plain = json.loads(capsys.readouterr().out)
    played = plain["patients"][0]
    assert played["urgency"] == "emergency"
    assert played["taps"] == plain["chat"]["taps"] > 1
    assert played["words"] > 50
    assert len(played["asked"]) > 1


def test_someone_at_a_terminal_sees_how_far_it_is(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stderr", shown := Terminal())
    audit.run([file(WELL, WELL)])

    assert "2 of 2" in shown.getvalue()


@pytest.mark.parametrize(
    ("patients", "says"),
    [
        ((WELL, "", "{broken"), "line 3: "),
        ((WELL, {**WELL, "findings": ["walk_unabel"]}), "line 2: unknown finding: walk_unabel"),
        (({**WELL, "floor": "tomorrow"},), "line 1: "),
        (({"id": "x", "findings": []},), "line 1: "),
        ((), "no patients"),
        (("", "  "), "no patients"),
    ],
)
def test_a_file_that_cannot_be_read_ends_in_2(
    file: Any, capsys: pytest.CaptureFixture[str], patients: tuple[Any, ...], says: str
) -> None:
    assert audit.run([file(*patients)]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert says in err


def test_a_file_that_is_not_there_or_not_text_ends_in_2(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")

    assert audit.run([str(tmp_path / "none")]) == 2
    assert audit.run([str(tmp_path)]) == 2
    assert audit.run([str(binary)]) == 2


def test_a_line_break_of_another_alphabet_does_not_split_a_patient(file: Any) -> None:
    assert audit.run([file({**WELL, "text": "one\u2028two\u0085three"})]) == 0


# ---------------------------------------------------------------- The patient who plays


def answer(label: str, *findings: str, ticked: bool | None = None) -> Button:
    return Button(f"tap-{label}", label, Role.ANSWER, frozenset(findings), ticked)


DONE, NONE, NOT_SURE = (Button(r.value, r.value, r) for r in (Role.DONE, Role.NONE, Role.NOT_SURE))
YES, BACK = Button("yes", "yes", Role.CONFIRM), Button("back", "back", Role.BACK)
TICK_A, TICK_B = answer("a", "a", ticked=False), answer("b", "b", ticked=False)
TICKED_A = answer("a", "a", ticked=True)


@pytest.mark.parametrize(
    ("choices", "pressed"),
    [
        ((TICK_A, TICK_B, DONE, NONE), "a"),  # one tick after the other
        ((TICKED_A, TICK_B, DONE, NONE), "b"),
        ((TICKED_A, answer("b", "b", ticked=True), DONE, NONE), "done"),
        ((answer("c", "c", ticked=False), DONE, NONE, NOT_SURE), "none"),
        ((answer("one", "a"), answer("two", "a", "b"), answer("three", "a"), NONE), "two"),  # the one that shares most
        ((answer("one", "a"), answer("same", "b"), NONE), "one"),  # the first of equals
        ((answer("c", "c"), NONE, NOT_SURE), "none"),
        ((answer("c", "c"), NOT_SURE), "not_sure"),  # and then, on the plainer screen, none
        ((YES, NONE, BACK), "yes"),
        ((BACK,), None),
        ((), None),
    ],
)
def test_a_patient_presses_what_fits(choices: tuple[Button, ...], pressed: str | None) -> None:
    button = patient.press(choices, frozenset({"a", "b"}))

    assert (button.label if button else None) == pressed


def test_words_are_those_of_texts_and_labels() -> None:
    replies = (Notice("two words"), Notice("one", (Button("t", "three more words", Role.OTHER),)))

    assert patient.words_in(replies) == 6


def test_a_patient_without_a_way_on_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient, "press", lambda choices, findings: None)

    with pytest.raises(patient.Lost, match="v9: nothing to press"):
        audit.by_chat(loader.load(), Vignette("v9", frozenset(), ROUTINE, ROUTINE, ROUTINE, frozenset()))


def test_a_patient_who_goes_in_circles_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient, "press", lambda choices, findings: next(b for b in choices if b.role is Role.OTHER))

    with pytest.raises(patient.Lost, match="no result after"):
        patient.play(loader.load(), frozenset(), now=audit.NOW)
