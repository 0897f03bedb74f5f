"""Which patterns fit a set of findings, best first. It orders names; it never decides how soon."""

from collections import Counter
from collections.abc import Iterable

from core.clinical import Condition, Disposition, Findings, Fired, Fit, Question

_ROUTINE = Disposition.ROUTINE.level
FITS_WELL = 6
FITS_A_BIT = 3


class Differentiator:
    """The scoring of a pathway's conditions, indexed by finding."""

    def __init__(self, conditions: tuple[Condition, ...]) -> None:
        self._conditions = conditions
        self._rank = {c.id: i for i, c in enumerate(conditions)}
        self._by_id = {c.id: c for c in conditions}
        self._points: dict[str, list[tuple[str, int]]] = {}
        for condition in conditions:
            for points, codes in (
                (3, condition.strong),
                (2, condition.typical),
                (1, condition.possible),
                (-2, condition.against),
            ):
                for code in codes:
                    self._points.setdefault(code, []).append((condition.id, points))

    def order(self, findings: Findings, fired: Iterable[Fired] = ()) -> tuple[Fit, ...]:
        """Return the patterns that fit, best first.

        A condition that a fired rule names comes before all others, the most urgent rule's first: what must not be
        missed is read first, however well something harmless fits.
        """
        points = self._score(findings)
        pinned: dict[str, int] = {}
        for f in fired:
            for condition in f.rule.first:
                pinned[condition] = max(pinned.get(condition, 0), f.rule.urgency.level)
        if any(level > _ROUTINE for level in pinned.values()):
            # "Never at home" alone names its condition first; beside anything more urgent it adds nothing.
            pinned = {condition: level for condition, level in pinned.items() if level > _ROUTINE}
        named = [c for c, p in points.items() if p >= FITS_A_BIT or c in pinned]
        named += [c for c in pinned if c not in points]
        named.sort(key=lambda c: (-pinned.get(c, 0), -points.get(c, 0), self._rank[c]))
        return tuple(self._fit(c, points.get(c, 0), findings) for c in named)

    def worth_asking(self, findings: Findings, question: Question) -> int:
        """Return how much a question can change which patterns come first: 2 for each answer that would change the first,
        1 for each that would change the first three, 0 where it changes nothing.
        """
        before = self._leaders(self._score(findings))
        worth = 0
        for choice in question.choices:
            after = self._leaders(self._score(findings.union(choice.gives)))
            worth += 2 if after[:1] != before[:1] else set(after) != set(before)
        return worth

    def _leaders(self, points: Counter[str]) -> list[str]:
        named = [c for c, p in points.items() if p >= FITS_A_BIT]
        return sorted(named, key=lambda c: (-points[c], self._rank[c]))[:3]

    def _score(self, findings: Findings) -> Counter[str]:
        points: Counter[str] = Counter()
        for code in findings:
            for condition, worth in self._points.get(code, ()):
                points[condition] += worth
        for condition in points:
            c = self._by_id[condition]
            points[condition] -= c.rare + (4 if c.expects and not c.expects & findings else 0)
        return points

    def _fit(self, condition: str, points: int, findings: Findings) -> Fit:
        c = self._by_id[condition]
        return Fit(
            condition=condition,
            points=points,
            well=points >= FITS_WELL,
            supports=tuple(sorted((c.strong | c.typical | c.possible) & findings)),
            opposes=tuple(sorted(c.against & findings)),
        )
