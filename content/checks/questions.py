"""What must hold of the questions: each is reached, each answer leads on, and not being sure counts."""

from collections.abc import Iterator

from content.checks.material import Material
from content.checks.problem import FINDINGS, QUESTIONS, RULES, Problem
from core.clinical import Choice, Findings, Question, Stage


def leads_on(m: Material) -> Iterator[Problem]:
    """Each turn answers a question or ends: whatever is chosen gives a finding, or opens a question that does."""
    by_id = m.library.pathway.by_id
    for q in m.library.pathway.questions:
        if not q.choices:
            yield Problem(QUESTIONS, q.id, "has no choices")
        for c in q.choices:
            key = f"{q.id}.{c.id}"
            if c.opens and c.opens not in by_id:
                yield Problem(QUESTIONS, key, f"there is no question {c.opens!r} to open")
            elif c.opens and (q.detail or q.stage not in (Stage.SAFETY, Stage.SETTING)):
                yield Problem(QUESTIONS, key, "only a question of the safety or setting stage opens another, one deep")
            elif not (c.gives or c.opens):
                yield Problem(QUESTIONS, key, "gives no finding and opens no question")


def all_reached(m: Material) -> Iterator[Problem]:
    """Every question is reached by some answers, and asked because its answers can change a result."""
    reached: set[str] = set()
    told: Findings = frozenset()
    questions = m.library.pathway.questions
    while more := [q for q in questions if q.id not in reached and _opens(q, questions, reached, told)]:
        reached |= {q.id for q in more}
        told = told.union(*(codes for q in more for codes in _tells(q)))
    telling = _telling(m)
    for q in questions:
        if q.id not in reached:
            yield Problem(QUESTIONS, q.id, "no answers lead to this question")
        elif q.stage in (Stage.URGENCY, Stage.PATTERN) and not telling & {g for c in q.choices for g in c.gives}:
            yield Problem(QUESTIONS, q.id, "no rule and no pattern uses its answers, so it is never asked")


def unsure_counts(m: Material) -> Iterator[Problem]:
    """Not being sure about a red flag is a finding of its own, and some rule acts on it."""
    acted_on = {code for r in m.library.pathway.rules for codes in (r.all, *r.any) for code in codes}
    for q in m.library.pathway.questions:
        for c in q.choices if q.red_flag else ():
            code = f"unsure_{_item(c)}"
            if code not in m.library.pathway.codes:
                yield Problem(FINDINGS, code, f"is missing, for not sure about {q.id}.{c.id}")
            elif code not in acted_on:
                yield Problem(RULES, code, "is in no rule, so not being sure changes nothing")


def _opens(question: Question, questions: tuple[Question, ...], reached: set[str], told: Findings) -> bool:
    if question.detail:
        return any(c.opens == question.id for q in questions if q.id in reached for c in q.choices)
    return not question.when or bool(question.when & told)


def _tells(question: Question) -> Iterator[tuple[str, ...]]:
    for choice in question.choices:
        yield choice.gives
        yield (f"unsure_{_item(choice)}",) if question.red_flag else ()


def _item(choice: Choice) -> str:
    return choice.item if choice.gives or choice.opens else ""


def _telling(m: Material) -> Findings:
    """Return every finding that a rule, a reassurance or a pattern asks for."""
    p = m.library.pathway
    rules = (codes for r in p.rules for codes in (r.all, *r.any))
    reassurances = (codes for r in p.reassurances for codes in (r.all, *r.any, r.none))
    patterns = (codes for c in p.conditions for codes in (c.strong, c.typical, c.possible, c.against, c.expects))
    return frozenset().union(*rules, *reassurances, *patterns)
