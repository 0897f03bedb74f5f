"""What can be shown of a pathway without a patient: each rule can fire, each red flag has a floor, urgency only rises.

Pure: the sets of findings to try come in as an argument, so that the same sets give the same proof.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args, get_type_hints

from core.clinical import Choice, Condition, Disposition, Findings, Kind, Pathway, Question, Rule
from core.triage import Triage

NEEDS = frozenset({"all", "any"})
"""The fields of a rule that hold findings; both say what must be there, and there is no third."""


@dataclass(frozen=True, slots=True)
class Alone:
    """A finding that a red-flag question gives, and what it calls for with nothing else told."""

    code: str
    question: str
    urgency: Disposition
    rules: tuple[str, ...]

    @property
    def floor(self) -> Disposition:
        """Return the least urgent result of anyone who has it: what its rules call for, for rules only add up.

        Without a rule of its own it may stand in a pattern that is cared for at home.
        """
        return self.urgency if self.rules else Disposition.SELF_CARE


@dataclass(frozen=True, slots=True)
class Fall:
    """A finding that lowered the urgency: a proof that failed."""

    findings: tuple[str, ...]
    added: str
    before: Disposition
    after: Disposition


@dataclass(frozen=True, slots=True)
class Monotonicity:
    """How often a finding was added to others, how often a rule had fired that it might have lowered, and what fell."""

    tried: int
    fired: int
    falls: tuple[Fall, ...]


@dataclass(frozen=True, slots=True)
class Ungivable:
    """Findings that a rule names and no answer gives."""

    rule: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shadowed:
    """A rule that never decides alone: whenever it fires, so does another that is as urgent or more."""

    rule: str
    by: str


@dataclass(frozen=True, slots=True)
class Reach:
    """What the answers to one question can change, those of the details that it opens included."""

    question: str
    rules: tuple[str, ...]
    urgencies: tuple[Disposition, ...]
    reassurances: tuple[str, ...]
    conditions: tuple[str, ...]
    idle: tuple[str, ...]
    """Findings it gives that nothing looks at: no rule, reassurance, condition, advice or other question."""
    nothing: bool
    """Whether all of them are idle: the question need not be asked."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that was shown of one pathway. Shadowed rules are told, not faulted: lifted rules often are."""

    version: str
    rules: tuple[Rule, ...]
    alone: tuple[Alone, ...]
    monotonicity: Monotonicity
    absences: tuple[str, ...]
    """Fields of a rule that could ask for an absent finding."""
    ungivable: tuple[Ungivable, ...]
    unreachable: tuple[str, ...]
    """Rules whose findings no single conversation can hold together."""
    shadowed: tuple[Shadowed, ...]
    reach: tuple[Reach, ...]

    @property
    def unsourced(self) -> tuple[str, ...]:
        """Return the rules that rest on nothing."""
        return tuple(r.id for r in self.rules if not r.sources)

    @property
    def holds(self) -> bool:
        """Return whether every rule has a source and can fire, and nothing lowers an urgency."""
        faults = (self.unsourced, self.ungivable, self.unreachable, self.absences, self.monotonicity.falls)
        return not any(faults)


def prove(triage: Triage, tries: Iterable[tuple[Findings, str]]) -> Proof:
    """Return the proof of a pathway, monotonicity being tried on each of these sets with one finding added."""
    pathway, answers = triage.pathway, Answers(triage.pathway)
    return Proof(
        version=pathway.version,
        rules=pathway.rules,
        alone=tuple(_alone(triage)),
        monotonicity=monotonicity(triage, tries),
        absences=tuple(sorted(fields_with_findings(Rule) - NEEDS)),
        ungivable=tuple(_ungivable(pathway, answers)),
        unreachable=tuple(r.id for r in pathway.rules if not answers.can_fire(r)),
        shadowed=tuple(_shadowed(pathway.rules)),
        reach=tuple(_reach(pathway, answers, q) for q in pathway.questions),
    )


def monotonicity(triage: Triage, tries: Iterable[tuple[Findings, str]]) -> Monotonicity:
    """Return how often an added finding left the urgency as high or higher, and every time it did not.

    Where no urgency rule had fired, a reassurance may still turn routine into self-care: that is no fall.
    """
    tried, fired, falls = 0, 0, []
    for findings, added in tries:
        tried += 1
        before, after = triage.urgency(findings), triage.urgency(findings | {added})
        if before <= Disposition.ROUTINE and not any(r.because(findings) for r in triage.pathway.rules):
            continue
        fired += 1
        if after < before:
            falls.append(Fall(tuple(sorted(findings)), added, before, after))
    return Monotonicity(tried, fired, tuple(falls))


def fields_with_findings(kind: type) -> frozenset[str]:
    """Return the fields of a value that hold findings, by their type."""
    return frozenset(name for name, hint in get_type_hints(kind).items() if _mentions_findings(hint))


@dataclass(frozen=True, slots=True)
class _Told:
    """A conversation in the making: choices taken, by question and id, and the findings they give."""

    taken: frozenset[tuple[str, str]] = frozenset()
    held: Findings = frozenset()

    def with_taken(self, question: Question, choice: Choice) -> "_Told":
        return _Told(self.taken | {(question.id, choice.id)}, self.held)

    def with_held(self, choice: Choice) -> "_Told":
        return _Told(self.taken, self.held.union(choice.gives))


class Answers:
    """Which findings one conversation can hold: what each answer gives, and what each question waits for."""

    def __init__(self, pathway: Pathway) -> None:
        self._pathway = pathway
        self._alternatives = tuple(frozenset(g.codes) for g in pathway.groups if g.kind is Kind.ONE)

    @cached_property
    def codes(self) -> Findings:
        """Every finding that some answer gives; that a member is not sure of something is an answer too."""
        return frozenset(self._ways)

    def of(self, question: Question) -> tuple[Choice, ...]:
        """Return the answers to a question: its choices and, for a red-flag question, "not sure" of each of them."""
        unsure = tuple(f"unsure_{c.item}" for c in question.choices if question.red_flag)
        if question.kind is Kind.ONE and unsure:
            return (*question.choices, Choice("unsure", unsure))
        return (*question.choices, *(Choice(code, (code,)) for code in unsure))

    def can_fire(self, rule: Rule) -> bool:
        """Return whether some conversation gives all that a rule needs.

        Of a question with one answer there is one, of a group of alternatives there is one, and a question that waits
        for a finding, or for the tick that opens it, is asked only with that.
        """
        needs = (*(frozenset({code}) for code in rule.all), *rule.any)
        return any(True for _ in self._telling(tuple(sorted(needs, key=len)), _Told()))

    @cached_property
    def _ways(self) -> dict[str, list[tuple[Question, Choice]]]:
        ways: dict[str, list[tuple[Question, Choice]]] = {}
        for question in self._pathway.questions:
            for choice in self.of(question):
                for code in choice.gives:
                    ways.setdefault(code, []).append((question, choice))
        return ways

    def _telling(self, needs: tuple[Findings, ...], told: _Told) -> Iterator[_Told]:
        """Yield the conversations, from here on, that give one finding of each of these."""
        open_needs = tuple(n for n in needs if not n & told.held)
        if not open_needs:
            yield told
            return
        for code in sorted(open_needs[0]):
            for question, choice in self._ways.get(code, ()):
                for further in self._taking(question, choice, told):
                    yield from self._telling(open_needs[1:], further)

    def _taking(self, question: Question, choice: Choice, told: _Told) -> Iterator[_Told]:
        """Yield the conversations, from here on, in which this choice is taken."""
        if (question.id, choice.id) in told.taken:
            yield told
            return
        if question.kind is Kind.ONE and any(asked == question.id for asked, _ in told.taken):
            return
        for asked in self._asking(question, told.with_taken(question, choice)):
            after = asked.with_held(choice)
            if not any(len(group & after.held) > 1 for group in self._alternatives):
                yield after

    def _asking(self, question: Question, told: _Told) -> Iterator[_Told]:
        """Yield the conversations, from here on, in which this question is asked."""
        needs = (question.when,) if question.when else ()
        if not question.detail:
            yield from self._telling(needs, told)
            return
        for opener in self._pathway.questions:
            for choice in opener.choices:
                if choice.opens == question.id:
                    for opened in self._taking(opener, choice, told):
                        yield from self._telling(needs, opened)


def _alone(triage: Triage) -> Iterator[Alone]:
    answers = Answers(triage.pathway)
    for question in triage.pathway.questions:
        if not question.red_flag:
            continue
        for code in dict.fromkeys(code for choice in answers.of(question) for code in choice.gives):
            assessed = triage.assess(frozenset({code}))
            yield Alone(code, question.id, assessed.urgency, tuple(f.rule.id for f in assessed.fired))


def _mentions_findings(hint: Any) -> bool:
    return bool(hint == Findings) or any(_mentions_findings(part) for part in get_args(hint))


def _named_by(rule: Rule) -> Findings:
    return rule.all.union(*rule.any)


def _ungivable(pathway: Pathway, answers: Answers) -> Iterator[Ungivable]:
    for rule in pathway.rules:
        if codes := _named_by(rule) - answers.codes:
            yield Ungivable(rule.id, tuple(sorted(codes)))


def _shadowed(rules: tuple[Rule, ...]) -> Iterator[Shadowed]:
    for i, rule in enumerate(rules):
        for k, other in enumerate(rules):
            if other is rule or other.urgency < rule.urgency or not _always_with(rule, other):
                continue
            # Of two that need the same, the first stays.
            if other.urgency > rule.urgency or k < i or not _always_with(other, rule):
                yield Shadowed(rule.id, other.id)
                break


def _always_with(rule: Rule, other: Rule) -> bool:
    """Return whether the other rule fires whenever this one does."""
    needs = (*(frozenset({code}) for code in rule.all), *rule.any)
    wanted = (*(frozenset({code}) for code in other.all), *other.any)
    return all(any(need <= want for need in needs) for want in wanted)


def _reach(pathway: Pathway, answers: Answers, question: Question) -> Reach:
    codes = frozenset(code for choice in answers.of(question) for code in choice.gives)
    codes = codes.union(*(pathway.leads_to[question.id, choice.id] for choice in question.choices))
    rules = tuple(r for r in pathway.rules if _named_by(r) & codes)
    idle = codes - _looked_at(pathway)
    return Reach(
        question=question.id,
        rules=tuple(r.id for r in rules),
        urgencies=tuple(sorted({r.urgency for r in rules}, reverse=True)),
        reassurances=tuple(r.id for r in pathway.reassurances if r.all.union(r.none, *r.any) & codes),
        conditions=tuple(c.id for c in pathway.conditions if _scored_by(c) & codes),
        idle=tuple(sorted(idle)),
        nothing=idle == codes,
    )


def _scored_by(condition: Condition) -> Findings:
    return condition.strong | condition.typical | condition.possible | condition.against | condition.expects


def _looked_at(pathway: Pathway) -> Findings:
    """Return every finding that something asks after."""
    return frozenset().union(
        *(_named_by(r) for r in pathway.rules),
        *(r.all.union(r.none, *r.any) for r in pathway.reassurances),
        *(_scored_by(c) for c in pathway.conditions),
        *(a.any | a.none for a in pathway.advice),
        *(q.when for q in pathway.questions),
        *pathway.not_the_hip.values(),
        pathway.hip_places,
    )
