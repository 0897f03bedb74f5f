"""The nouns of a symptom check. Values only: what they mean is decided in triage, differential and dialogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property, total_ordering

Findings = frozenset[str]
"""Codes of the vocabulary that hold for a member. A code that was not mentioned is absent."""


@total_ordering
class Disposition(Enum):
    """How soon someone should be seen, from least to most urgent."""

    SELF_CARE = "self_care"
    ROUTINE = "routine"
    WITHIN_DAYS = "within_days"
    SAME_DAY = "same_day"
    EMERGENCY = "emergency"

    @cached_property
    def level(self) -> int:
        """0 for self-care up to 4 for an emergency."""
        return list(Disposition).index(self)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Disposition):
            return NotImplemented
        return self.level < other.level


class Stage(StrEnum):
    """Why a question is asked, which is also when."""

    SAFETY = "safety"
    SETTING = "setting"
    URGENCY = "urgency"
    PATTERN = "pattern"


class Kind(StrEnum):
    """One answer, or as many as hold."""

    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Group:
    """A family of findings, such as the places where it hurts."""

    id: str
    kind: Kind
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to a question: the findings it gives, or the detail question that it opens."""

    id: str
    gives: tuple[str, ...] = ()
    opens: str | None = None

    @property
    def item(self) -> str:
        """What `unsure_<item>` is named for when a member is not sure about this choice."""
        return self.opens or self.gives[0]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing asked on one screen. Every question also has "none of these", which adds no finding."""

    id: str
    stage: Stage
    kind: Kind
    choices: tuple[Choice, ...]
    when: Findings = frozenset()
    red_flag: bool = False
    detail: bool = False
    fingerprint: str = ""

    def choice(self, choice_id: str) -> Choice | None:
        """Return the choice with this id, or None where content no longer has it."""
        return next((c for c in self.choices if c.id == choice_id), None)


@dataclass(frozen=True, slots=True)
class Rule:
    """An urgency rule: findings that must be present, and nothing else.

    There is no way to ask for an absent finding, so nothing that a member tells can switch a rule off: urgency only rises.
    """

    id: str
    urgency: Disposition
    all: Findings
    any: tuple[Findings, ...]
    sources: tuple[str, ...]
    stop_running: bool = False
    first: tuple[str, ...] = ()
    item: str = ""
    lifts: str = ""
    """The rule that this one is, one level up, because of what `[[raise]]` says; empty for a rule of its own."""

    def because(self, findings: Findings) -> Findings:
        """Return the findings that make the rule fire, or nothing where it does not."""
        if not self.all <= findings or not all(group & findings for group in self.any):
            return frozenset()
        return self.all | frozenset().union(*(group & findings for group in self.any))


@dataclass(frozen=True, slots=True)
class Reassurance:
    """A pattern that turns the default, routine, into self-care where no urgency rule fired. It alone may name absences."""

    id: str
    all: Findings
    any: tuple[Findings, ...]
    none: Findings
    sources: tuple[str, ...]

    def holds(self, findings: Findings) -> bool:
        """Return whether everything it asks for is there and nothing that it excludes."""
        return self.all <= findings and all(group & findings for group in self.any) and not self.none & findings


@dataclass(frozen=True, slots=True)
class Condition:
    """A pattern that answers may fit. Never a diagnosis."""

    id: str
    strong: Findings
    typical: Findings
    possible: Findings
    against: Findings
    expects: Findings
    rare: bool
    care: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """Something to do or to leave for now, and for whom it may be shown."""

    id: str
    do: bool
    urgencies: frozenset[Disposition]
    any: Findings
    conditions: frozenset[str]
    none: Findings
    needs: Findings
    """One of these must hold, whatever else does; empty: nothing is needed."""
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well one condition fits: points, and the findings for and against."""

    condition: str
    points: int
    well: bool
    supports: tuple[str, ...]
    opposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that fired and the findings that fired it."""

    rule: Rule
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a set of findings calls for, with all that it rests on."""

    urgency: Disposition
    fired: tuple[Fired, ...]
    reassurance: str | None
    differential: tuple[Fit, ...]
    advice: tuple[str, ...]
    stop_running: bool
    would_raise: tuple[tuple[str, Disposition], ...]
    """The nearest single findings that would raise the urgency, with what it would become."""


@dataclass(frozen=True)
class Pathway:
    """Everything clinical about one complaint: data, checked when it was loaded."""

    id: str
    version: str
    groups: tuple[Group, ...]
    questions: tuple[Question, ...]
    rules: tuple[Rule, ...]
    reassurances: tuple[Reassurance, ...]
    conditions: tuple[Condition, ...]
    advice: tuple[Advice, ...]
    watch: tuple[str, ...]
    """Findings in the order in which they are worth watching for."""
    hip_places: Findings
    look_again: Mapping[Disposition, int]
    """Days after a result at which to look again."""
    growing: Findings
    """The ages whose bones still grow."""
    doctors: frozenset[str]
    """Rules about trouble that a doctor sees, and no physiotherapist."""
    skin: tuple[str, ...]
    """Of the trouble that is not the hip, what is in the skin."""
    not_the_hip: Mapping[str, Findings]
    """Trouble that is not the hip, by id, and the findings that show it."""

    @cached_property
    def codes(self) -> Findings:
        """Every code of the vocabulary."""
        return frozenset(code for group in self.groups for code in group.codes)

    @cached_property
    def by_id(self) -> Mapping[str, Question]:
        """Questions by id."""
        return {q.id: q for q in self.questions}

    @cached_property
    def leads_to(self) -> Mapping[tuple[str, str], Findings]:
        """Every code that a choice may lead to, the detail it opens included, by question id and choice id."""
        return {(q.id, c.id): self._codes_of(c) for q in self.questions for c in q.choices}

    def _codes_of(self, choice: Choice) -> Findings:
        opened = self.by_id[choice.opens].choices if choice.opens else ()
        return frozenset(choice.gives).union(*(self._codes_of(c) for c in opened))
