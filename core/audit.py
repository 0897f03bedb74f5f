"""Vignettes against answers: how safe the rules are, in the terms of the published studies of symptom checkers.

Each vignette has a floor and a ceiling: the least and the most urgent answer that is accepted. An answer between them,
both included, is right; below the floor is under-triage; above the ceiling is over-triage, and two or more levels above it
far over. At most one level below the floor is still safe. Told routine or self-care with a floor of same-day or emergency
is a dangerous miss. Top-1 and top-3 say whether one of the vignette's patterns was named first, or among the first three.
A score counts; it validates nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.clinical import Disposition, Findings

DANGEROUS_FLOOR = Disposition.SAME_DAY
"""A patient whose floor is this or more urgent, and who is told routine or less, is a dangerous miss."""
DANGEROUS_ANSWER = Disposition.ROUTINE
NAMED_FIRST = 3


@dataclass(frozen=True, slots=True)
class Vignette:
    """A written patient, with how soon two blind raters say it should be seen."""

    id: str
    findings: Findings
    urgency: Disposition
    floor: Disposition
    """The least urgent answer that is safe."""
    ceiling: Disposition
    """The most urgent answer that is accepted."""
    conditions: Findings
    """Any of these counts as right; empty: none of ours, so not scored."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one vignette was told, held against its label."""

    vignette: Vignette
    told: Disposition
    conditions: tuple[str, ...]
    """Patterns in the order in which they were named."""

    @property
    def dangerous(self) -> bool:
        """Return whether someone who must be seen today or now was told routine or less."""
        return self.vignette.floor >= DANGEROUS_FLOOR and self.told <= DANGEROUS_ANSWER

    @property
    def under(self) -> bool:
        """Return whether the answer is less urgent than is safe."""
        return self.told < self.vignette.floor

    @property
    def over(self) -> bool:
        """Return whether the answer is more urgent than either rater accepts."""
        return self.told > self.vignette.ceiling

    @property
    def right(self) -> bool:
        """Return whether the answer lies between floor and ceiling, both included."""
        return not self.under and not self.over

    @property
    def safe(self) -> bool:
        """Return whether the answer is at, above, or at most one level below the floor (Gilbert 2020)."""
        return self.told.level >= self.vignette.floor.level - 1

    @property
    def far_over(self) -> bool:
        """Return whether the answer is two or more levels above the ceiling."""
        return self.told.level >= self.vignette.ceiling.level + 2

    @property
    def scored(self) -> bool:
        """Return whether the vignette is one of the conditions that a result may name."""
        return bool(self.vignette.conditions)

    def named_in(self, first: int) -> bool:
        """Return whether a right condition is among the first so many named."""
        return bool(self.vignette.conditions.intersection(self.conditions[:first]))

    @property
    def faults(self) -> tuple[str, ...]:
        """Return what is wrong with the answer, the worst first; nothing where all is well."""
        found = {
            "dangerous miss": self.dangerous,
            "under-triage": self.under,
            "two levels over": self.far_over,
            "over-triage": self.over and not self.far_over,
            "not in the first three": self.scored and not self.named_in(NAMED_FIRST),
        }
        return tuple(name for name, is_so in found.items() if is_so)


@dataclass(frozen=True, slots=True)
class Tally:
    """Outcomes, counted. The first seven are of `patients`, top-1 and top-3 of `scored`."""

    patients: int
    dangerous: int
    under: int
    over: int
    far_over: int
    right: int
    safe: int
    scored: int
    top_1: int
    top_3: int


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """Return the counts of some outcomes."""
    of = tuple(outcomes)
    return Tally(
        patients=len(of),
        dangerous=sum(o.dangerous for o in of),
        under=sum(o.under for o in of),
        over=sum(o.over for o in of),
        far_over=sum(o.far_over for o in of),
        right=sum(o.right for o in of),
        safe=sum(o.safe for o in of),
        scored=sum(o.scored for o in of),
        top_1=sum(o.named_in(1) for o in of),
        top_3=sum(o.named_in(NAMED_FIRST) for o in of),
    )


def by_level(outcomes: Iterable[Outcome]) -> Mapping[Disposition, Tally]:
    """Return the counts per level of the label, the most urgent first; a level without patients is left out."""
    of = tuple(outcomes)
    labels = {o.vignette.urgency for o in of}
    return {level: tally(o for o in of if o.vignette.urgency is level) for level in sorted(labels, reverse=True)}


def share(part: int, whole: int) -> float:
    """Return a part of a whole in per cent; of nothing, all is well."""
    return 100 * part / whole if whole else 100.0
