"""`hipwise proof`: what can be shown of the rules without a patient."""

import json
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.commands import proof as command
from content import loader
from core.clinical import Choice, Disposition, Findings, Group, Kind, Pathway, Question, Rule, Stage
from core.proof import NEEDS, Answers, Proof, fields_with_findings, monotonicity, prove
from core.triage import Triage

SHIPPED = loader.load_pathway()
TRIAGE = Triage(SHIPPED)
CODES = st.sampled_from(sorted(SHIPPED.codes))
RULES = st.sampled_from(SHIPPED.rules)


def rule(name: str, *needs: str, one_of: tuple[Findings, ...] = (), urgency: Disposition = Disposition.SAME_DAY) -> Rule:
    return Rule(name, urgency, frozenset(needs), one_of, sources=("X",))


def question(name: str, kind: Kind, *codes: str, when: Findings = frozenset(), red_flag: bool = False) -> Question:
    choices = tuple(Choice(code, (code,)) for code in codes)
    return Question(name, Stage.SAFETY, kind, choices, when, red_flag)


SMALL = replace(
    SHIPPED,
    groups=(
        Group("age", Kind.ONE, ("young", "old")),
        Group("rest", Kind.MANY, ("fever", "limp", "sore", "lump", "growth", "told_by_nobody", "unsure_fever")),
    ),
    questions=(
        question("age", Kind.ONE, "young", "old"),
        question("ill", Kind.MANY, "fever", red_flag=True),
        question("walk", Kind.ONE, "limp", "sore"),
        question("child", Kind.MANY, "growth", when=frozenset({"young"})),
        Question("hip", Stage.SAFETY, Kind.ONE, (Choice("lump", opens="lumps"), Choice("sore", ("sore",)))),
        replace(question("lumps", Kind.MANY, "lump"), detail=True),
    ),
    rules=(),
    reassurances=(),
    conditions=(),
    advice=(),
    watch=(),
    hip_places=frozenset(),
    not_the_hip={},
)


def small(*rules: Rule) -> Pathway:
    return replace(SMALL, rules=rules)


def proof_of(*rules: Rule) -> Proof:
    return prove(Triage(small(*rules)), ())


# ---------------------------------------------------------------- What is shipped


@given(findings=st.frozensets(CODES, max_size=15), rule=RULES, added=CODES, data=st.data())
@settings(max_examples=150, deadline=None)
def test_nothing_that_is_told_lowers_an_urgency(findings: Findings, rule: Rule, added: str, data: st.DataObject) -> None:
    told = findings | rule.all | {data.draw(st.sampled_from(sorted(group))) for group in rule.any}

    assert TRIAGE.urgency(told | {added}) >= TRIAGE.urgency(told) >= rule.urgency


def test_the_shipped_rules_hold(capsys: pytest.CaptureFixture[str]) -> None:
    code = command.run(["--tries", "500"])

    out = capsys.readouterr().out
    assert code == 0, out[out.index("Outcome") :]
    assert "The proof holds." in out


def test_a_rule_has_no_way_to_ask_for_an_absent_finding() -> None:
    assert fields_with_findings(Rule) == NEEDS


def test_a_field_that_holds_findings_is_seen_whatever_its_shape() -> None:
    @dataclass(frozen=True)
    class Negating:
        id: str
        all: Findings
        unless: tuple[Findings, ...]

    assert fields_with_findings(Negating) == {"all", "unless"}


def test_json_has_every_rule_with_its_sources(capsys: pytest.CaptureFixture[str]) -> None:
    command.run(["--json", "--tries", "50"])

    plain = json.loads(capsys.readouterr().out)
    assert [r["id"] for r in plain["rules"]] == [r.id for r in SHIPPED.rules]
    assert all(r["sources"] for r in plain["rules"])
    assert plain["monotonicity"] == {"tried": 50, "fired": plain["monotonicity"]["fired"], "falls": []}
    assert {q["question"] for q in plain["questions"]} == set(SHIPPED.by_id)


def test_every_red_flag_answer_is_shown_alone_with_its_floor(capsys: pytest.CaptureFixture[str]) -> None:
    command.run(["--json", "--tries", "0"])

    floors = {a["code"]: a["floor"] for a in json.loads(capsys.readouterr().out)["red_flags_alone"]}
    flags = {g for q in SHIPPED.questions if q.red_flag for c in q.choices for g in c.gives}
    assert flags <= set(floors)
    assert floors["saddle_numb"] == "emergency"
    assert floors["unsure_saddle_numb"] == "same_day"


def test_the_same_seed_tries_the_same_sets() -> None:
    one, same, other = (list(command.random_tries(SHIPPED, seed=s, tries=40)) for s in (1, 1, 2))

    assert one == same != other


# ---------------------------------------------------------------- What a proof finds


@pytest.mark.parametrize(
    ("bad", "line"),
    [
        (replace(SHIPPED.rules[0], id="bad", all=frozenset({"age_under_10", "age_60_plus"}), any=()), "can fire: bad."),
        (replace(SHIPPED.rules[0], id="bad", all=frozenset({"load_none"}), any=()), "gives: bad (load_none)."),
        (replace(SHIPPED.rules[0], id="bad", sources=()), "source: bad."),
    ],
)
def test_a_bad_rule_is_named_and_ends_in_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bad: Rule, line: str
) -> None:
    monkeypatch.setattr(loader, "load_pathway", lambda: replace(SHIPPED, rules=(bad,)))

    assert command.run(["--tries", "0"]) == 1
    assert line in capsys.readouterr().out


@pytest.mark.parametrize(
    ("needs", "fires"),
    [
        (rule("one", "fever"), True),
        (rule("across questions", "fever", "limp", "old"), True),
        (rule("two ages", "young", "old"), False),
        (rule("two answers of one question", "limp", "sore"), True),  # "sore" has another way, beside the hip question
        (rule("two answers, no other way", "limp", "sore", "lump"), False),  # the lump's tick takes the hip question
        (rule("asked only of the young", "growth", "young"), True),
        (rule("asked only of the young, wanted of the old", "growth", "old"), False),
        (rule("a detail", "lump"), True),
        (rule("one of a list", one_of=(frozenset({"told_by_nobody", "old"}), frozenset({"young", "limp"}))), True),
        (rule("lists that exclude each other", one_of=(frozenset({"old"}), frozenset({"young", "growth"}))), False),
        (rule("not sure", "unsure_fever"), True),
        (rule("no answer gives it", "told_by_nobody"), False),
    ],
)
def test_a_rule_can_fire_where_one_conversation_holds_all_it_needs(needs: Rule, fires: bool) -> None:
    assert Answers(small(needs)).can_fire(needs) is fires


def test_a_rule_that_cannot_fire_fails_the_proof() -> None:
    proof = proof_of(rule("two_ages", "young", "old"))

    assert proof.unreachable == ("two_ages",)
    assert not proof.holds


def test_a_code_that_no_answer_gives_fails_the_proof_even_in_a_list() -> None:
    proof = proof_of(rule("listed", one_of=(frozenset({"fever", "told_by_nobody"}),)))

    assert [(u.rule, u.codes) for u in proof.ungivable] == [("listed", ("told_by_nobody",))]
    assert not proof.holds


def test_not_sure_counts_as_an_answer() -> None:
    assert proof_of(rule("unsure", "unsure_fever")).holds


def test_a_shadowed_rule_is_told_and_not_faulted() -> None:
    wide = rule("wide", one_of=(frozenset({"fever", "limp"}),), urgency=Disposition.EMERGENCY)
    narrow, listed = rule("narrow", "fever", "old"), rule("listed", "old", one_of=(frozenset({"limp"}),))
    proof = proof_of(wide, narrow, listed, rule("free", "old"))

    assert {(s.rule, s.by) for s in proof.shadowed} == {("narrow", "wide"), ("listed", "wide")}
    assert proof.holds


def test_of_two_rules_that_need_the_same_the_first_stays() -> None:
    proof = proof_of(rule("first", "fever"), rule("second", one_of=(frozenset({"fever"}),)))

    assert [(s.rule, s.by) for s in proof.shadowed] == [("second", "first")]


def test_a_rule_is_not_shadowed_by_one_that_is_less_urgent() -> None:
    assert proof_of(rule("now", "fever", urgency=Disposition.EMERGENCY), rule("later", "fever", "old")).shadowed != ()
    assert proof_of(rule("now", "fever", "old", urgency=Disposition.EMERGENCY), rule("later", "fever")).shadowed == ()


def test_each_question_says_what_it_can_change() -> None:
    reach = {r.question: r for r in proof_of(rule("ill", "fever"), rule("lump", "lump")).reach}

    assert reach["ill"].rules == ("ill",)
    assert reach["ill"].urgencies == (Disposition.SAME_DAY,)
    assert reach["ill"].idle == ("unsure_fever",)
    assert reach["hip"].rules == ("lump",)  # by the detail it opens
    assert not reach["age"].nothing  # another question waits for "young"
    assert reach["walk"].nothing


def test_an_urgency_that_fell_is_found() -> None:
    class Lowered(Triage):
        def urgency(self, findings: Findings) -> Disposition:
            return Disposition.ROUTINE if "old" in findings else super().urgency(findings)

    triage = Lowered(small(rule("ill", "fever")))
    found = monotonicity(triage, [(frozenset({"fever"}), "old"), (frozenset({"fever"}), "limp"), (frozenset(), "old")])

    assert (found.tried, found.fired) == (3, 2)
    assert [(f.findings, f.added, f.after) for f in found.falls] == [(("fever",), "old", Disposition.ROUTINE)]
