"""Findings in, urgency out: pure, deterministic, and explained by the rules that fired."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_

from core.clinical import Assessment, Disposition, Findings, Fired, Pathway, Question, Reassurance, Rule
from core.differential import Differentiator

_LEVELS = tuple(Disposition)
_ROUTINE = Disposition.ROUTINE.level


class UnknownFinding(ValueError):
    """A code is not in the vocabulary. Ignoring it could hide an alarming answer."""

    def __init__(self, codes: Iterable[str]) -> None:
        self.codes = tuple(sorted(codes))
        super().__init__(f"unknown finding: {', '.join(self.codes)}")


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule as bit masks, so that a turn can ask hundreds of them in microseconds."""

    rule: Rule
    level: int
    all: int
    any: tuple[int, ...]

    def fires(self, mask: int) -> bool:
        if self.all & ~mask:
            return False
        for group in self.any:  # noqa: SIM110 - a generator here would cost as much as all the rest
            if not group & mask:
                return False
        return True


class Triage:
    """The rules of one pathway, ready to be asked."""

    def __init__(self, pathway: Pathway) -> None:
        self.pathway = pathway
        self._bit = {code: 1 << i for i, code in enumerate(sorted(pathway.codes))}
        self._rules = tuple(
            sorted(
                (_Compiled(r, r.urgency.level, self.mask(r.all), tuple(self.mask(g) for g in r.any)) for r in pathway.rules),
                key=lambda c: -c.level,
            )
        )
        self._never_home = frozenset(c for r in pathway.rules for c in r.first)
        self._reassurances = tuple(
            (r, self.mask(r.all), tuple(self.mask(g) for g in r.any), self.mask(r.none)) for r in pathway.reassurances
        )
        self._asks = {q.id: self.mask(self._asked_by(q)) for q in pathway.questions}
        self._gives = {q.id: self.mask(c for ch in q.choices for c in ch.gives) for q in pathway.questions}
        self.differentiator = Differentiator(pathway.conditions)

    def mask(self, codes: Iterable[str]) -> int:
        """Return the codes as a bit mask; raise UnknownFinding for any that the vocabulary lacks."""
        wanted = frozenset(codes)
        if unknown := wanted - self._bit.keys():
            raise UnknownFinding(unknown)
        total = 0
        for code in wanted:
            total |= self._bit[code]
        return total

    def asks(self, question: Question) -> int:
        """Return everything that a question asks about, the details it may open included, as a bit mask."""
        return self._asks[question.id]

    def gives(self, question: Question) -> int:
        """Return what a question's choices can give, as a bit mask."""
        return self._gives[question.id]

    def urgency(self, findings: Findings) -> Disposition:
        """Return the most urgent disposition that the findings call for."""
        return self._urgency(self.mask(findings))

    def assess(self, findings: Findings) -> Assessment:
        """Return everything that the findings call for and why; raise UnknownFinding for a code outside the vocabulary."""
        mask = self.mask(findings)
        fired = tuple(Fired(c.rule, tuple(sorted(c.rule.because(findings)))) for c in self._rules if c.fires(mask))
        urgency = self._urgency(mask)
        differential = self.differentiator.order(findings, fired)
        if urgency is Disposition.SELF_CARE:
            # What must not be missed is never left to home care, so it is not named there either: none of its rules fired.
            differential = tuple(f for f in differential if f.condition not in self._never_home)
        return Assessment(
            urgency=urgency,
            fired=_without_lifted(fired),
            reassurance=self._reassurance(mask) if not fired else None,
            differential=differential,
            advice=self._advice(findings, urgency, tuple(f.condition for f in differential[:3])),
            stop_running=any(f.rule.stop_running for f in fired),
            would_raise=self._would_raise(mask, urgency),
        )

    def what_matters(self, mask: int, remaining: int) -> int:
        """Return the findings, as a bit mask, that can still change the urgency, alone or with others in `remaining`.

        `mask` is what holds, `remaining` all that open questions can still give. It errs on the side of asking: a rule is
        open while some combination of open answers could fire it.
        """
        reachable = mask | remaining
        floor = self._fired_level(mask)
        matters = 0
        if floor < 0:
            # Where no rule fires the answer is routine already: a routine rule matters only while home care holds.
            holds = self._reassurance(mask) is not None
            floor = _ROUTINE - holds
            matters = self._undoing_home(mask, remaining) if holds else self._bringing_home(mask, reachable)
        for c in self._rules:
            if c.level <= floor:
                break
            matters |= _still_needs(c.all, c.any, mask, reachable)
        return matters & remaining

    def _fired_level(self, mask: int) -> int:
        """Return the level of the most urgent rule that fires, -1 where none does."""
        for c in self._rules:
            if c.fires(mask):
                return c.level
        return -1

    def _asked_by(self, question: Question) -> Findings:
        return frozenset().union(*(self.pathway.leads_to[question.id, c.id] for c in question.choices))

    def _urgency(self, mask: int) -> Disposition:
        level = self._fired_level(mask)
        if level >= 0:
            return _LEVELS[level]
        return Disposition.SELF_CARE if self._reassurance(mask) else Disposition.ROUTINE

    def _reassurance(self, mask: int) -> str | None:
        return next((r.id for r, _ in self._holding(mask)), None)

    def _holding(self, mask: int) -> Iterator[tuple[Reassurance, int]]:
        """Yield each reassuring pattern that holds, with what would undo it."""
        for r, needs, groups, none in self._reassurances:
            if not needs & ~mask and all(g & mask for g in groups) and not none & mask:
                yield r, none

    def _undoing_home(self, mask: int, remaining: int) -> int:
        """Return what could undo every pattern that holds, as a bit mask; 0 where one of them is beyond doubt."""
        undoing = [none & remaining for _, none in self._holding(mask)]
        return 0 if 0 in undoing else reduce(or_, undoing)

    def _bringing_home(self, mask: int, reachable: int) -> int:
        """Return what could still bring home care about, as a bit mask; 0 where it is out of reach."""
        wanted = 0
        for _, needs, groups, none in self._reassurances:
            if not none & mask:
                wanted |= _still_needs(needs, groups, mask, reachable)
        return wanted

    def _advice(self, findings: Findings, urgency: Disposition, top: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            a.id
            for a in self.pathway.advice
            if urgency in a.urgencies
            and not a.none & findings
            and (not a.needs or a.needs & findings)
            and (not (a.any or a.conditions) or a.any & findings or a.conditions & set(top))
        )

    def _would_raise(self, mask: int, urgency: Disposition) -> tuple[tuple[str, Disposition], ...]:
        bits = ((code, self._bit[code]) for code in self.pathway.watch)
        raised = ((code, self._urgency(mask | bit)) for code, bit in bits if not bit & mask)
        return tuple((code, to) for code, to in raised if to > urgency)


def _still_needs(needs: int, groups: tuple[int, ...], mask: int, reachable: int) -> int:
    """Return what a rule still needs of the findings that can be reached; 0 where it can no longer fire, or has."""
    if needs & ~reachable:
        return 0
    open_bits = needs & ~mask
    for group in groups:
        if not group & reachable:
            return 0
        if not group & mask:
            open_bits |= group
    return open_bits


def _without_lifted(fired: tuple[Fired, ...]) -> tuple[Fired, ...]:
    """Return the rules that fired, each once: a rule that was lifted a level speaks for the one below it."""
    lifted = {f.rule.lifts for f in fired}
    return tuple(f for f in fired if f.rule.id not in lifted)
