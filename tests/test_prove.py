"""The long proofs: what must hold for every answer that anyone could give. Run by `make prove`."""

import json
import random
from collections.abc import Iterator

import pytest

from chat import Chat, library
from core.clinical import Disposition, Findings, Kind
from core.dialogue import Verdict
from core.triage import Triage

SEED = 20261122
PATHWAY = library().pathway
TRIAGE = Triage(PATHWAY)
CODES = sorted(PATHWAY.codes)
RULE_CODES = sorted({c for r in PATHWAY.rules for c in r.all.union(*r.any)})
RED_FLAG_CODES = sorted({c for q in PATHWAY.questions if q.red_flag for ch in q.choices for c in ch.gives})
GROUPS = {c: g for g in PATHWAY.groups for c in g.codes if g.kind is Kind.ONE}
PLACES = sorted(c for g in PATHWAY.groups if g.id == "place" for c in g.codes if c.startswith("place_"))

pytestmark = pytest.mark.prove


def sets(count: int, codes: list[str], *, most: int = 14) -> Iterator[Findings]:
    """Yield random sets of findings."""
    chance = random.Random(SEED)
    for _ in range(count):
        yield frozenset(chance.sample(codes, chance.randint(0, most)))


def patients(count: int) -> Iterator[Findings]:
    """Yield random people: an age, one or two places, and anything else, at most one code of each group of one."""
    chance = random.Random(SEED + 1)
    for _ in range(count):
        told = {
            chance.choice(["age_10_17", "age_18_44", "age_45_59", "age_60_plus"]),
            *chance.sample(PLACES, chance.randint(1, 2)),
        }
        for code in chance.sample(CODES, chance.randint(0, 8)):
            group = GROUPS.get(code)
            if not code.startswith("unsure_") and not (group and told & set(group.codes)):
                told.add(code)
        yield frozenset(told)


@pytest.mark.parametrize("codes", [CODES, RULE_CODES], ids=["vocabulary", "rules' own codes"])
def test_no_answer_ever_lowers_the_urgency_once_a_rule_has_fired(codes: list[str]) -> None:
    fell = []
    for findings in sets(6_000, codes):
        before = TRIAGE.urgency(findings)
        if not TRIAGE.assess(findings).fired:
            continue
        fell += [(findings, code) for code in CODES if TRIAGE.urgency(findings | {code}) < before]

    assert fell == []


def test_the_one_step_down_is_from_default_routine_to_self_care() -> None:
    steps = set()
    for findings in sets(6_000, CODES):
        before = TRIAGE.urgency(findings)
        for code in RULE_CODES:
            after = TRIAGE.urgency(findings | {code})
            if after < before:
                steps.add((before, after))

    assert steps <= {(Disposition.ROUTINE, Disposition.SELF_CARE)}


def could_tell(chat: Chat, person: Findings) -> Findings:
    """Return what of a person was asked about, or could have been: where one line is picked, only what that line says."""
    session = json.loads(chat.sessions.kept[chat.address][0] or "{}")
    picked = {a["question"]: a["chosen"] for a in session["answers"]}
    asked = [q for q in PATHWAY.questions if q.id in picked or (not q.detail and (not q.when or q.when & person))]
    told: set[str] = set()
    for q in asked:
        lines = [c for c in q.choices if q.id not in picked or q.kind is Kind.MANY or c.id in picked[q.id]]
        told.update(*(c.gives if q.id in picked else PATHWAY.leads_to[q.id, c.id] for c in lines))
    return frozenset(told) & person


async def test_the_conversation_never_tells_less_than_the_rules_would_for_the_same_person() -> None:
    """Play random people: whatever was left unasked could not have changed how soon, below same-day."""
    missed = []
    for person in patients(3_000):
        chat = Chat()
        await chat.says("/hip")
        verdict = await chat.answers(person)
        due = TRIAGE.urgency(could_tell(chat, person))
        if verdict.urgency < min(due, Disposition.SAME_DAY):
            missed.append((sorted(person), verdict.urgency.value, due.value))

    assert missed == []


async def test_no_path_hides_a_red_flag() -> None:
    """Whatever else someone tells, a red flag that they would tick is asked for before anything below same-day is said."""
    hidden = []
    for code in RED_FLAG_CODES:
        for findings in patients(40):
            group = GROUPS.get(code)
            person = (findings - set(group.codes) if group else findings) | {code}
            chat = Chat()
            await chat.says("/hip")
            verdict = await chat.answers(person)
            if verdict.urgency < min(TRIAGE.urgency(could_tell(chat, person)), Disposition.SAME_DAY):
                hidden.append((code, sorted(person)))

    assert hidden == []


async def test_every_check_ends_within_thirty_screens_whatever_is_answered() -> None:
    """Answer at random, "not sure" included: every turn asks something or ends."""
    chance = random.Random(SEED + 3)
    for _ in range(3_000):
        chat = Chat()
        await chat.says("/hip")
        screens = 0
        while not isinstance(chat.last[-1], Verdict):
            question = PATHWAY.by_id[chat.prompt.question]
            ids = [c.id for c in question.choices]
            taken = chance.sample(ids, 1 if question.kind is Kind.ONE else chance.randint(1, min(3, len(ids))))
            await chat.chooses(*(taken if chance.random() < 0.3 else ()))
            screens += 1
            assert screens <= 60
