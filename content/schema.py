"""The shape of each content file. A field that is not here is an error: a typo in a rule must not pass unnoticed."""

import datetime as dt
from typing import Literal

from msgspec import Struct, field

from core.care import Hip, Topic
from core.checkins import Sign
from core.clinical import Disposition, Kind, Stage
from core.diary import Age, Light, Place
from core.load import Load, Season


class _Strict(Struct, forbid_unknown_fields=True):
    """A table whose keys are all known."""


class GroupFile(_Strict):
    """A group of `hip/findings.toml`."""

    kind: Kind
    codes: tuple[str, ...]


class ChoiceFile(_Strict):
    """A choice of a question."""

    id: str
    gives: tuple[str, ...] = ()
    opens: str | None = None


class QuestionFile(_Strict):
    """A `[[question]]` of `hip/questions.toml`."""

    id: str
    stage: Stage
    kind: Kind
    choices: tuple[ChoiceFile, ...]
    when: tuple[str, ...] = ()
    red_flag: bool = False


class QuestionsFile(_Strict):
    """`hip/questions.toml`."""

    question: tuple[QuestionFile, ...]


class RuleFile(_Strict):
    """A `[[rule]]` of `hip/rules.toml`: present findings only. A key such as `none` is refused by this shape."""

    id: str
    urgency: Disposition
    sources: tuple[str, ...]
    all: tuple[str, ...] = ()
    any: tuple[tuple[str, ...], ...] = ()
    stop_running: bool = False
    first: tuple[str, ...] = ()
    item: str = ""


class RaiseFile(_Strict):
    """A `[[raise]]` of `hip/rules.toml`."""

    id: str
    from_: Disposition = field(name="from")
    to: Disposition
    any: tuple[tuple[str, ...], ...]
    sources: tuple[str, ...]
    stop_running: bool = False


class ReassuranceFile(_Strict):
    """A `[[reassurance]]` of `hip/rules.toml`."""

    id: str
    sources: tuple[str, ...]
    all: tuple[str, ...] = ()
    any: tuple[tuple[str, ...], ...] = ()
    none: tuple[str, ...] = ()


class RulesFile(_Strict):
    """`hip/rules.toml`."""

    sets: dict[str, tuple[str, ...]]
    rule: tuple[RuleFile, ...]
    raise_: tuple[RaiseFile, ...] = field(name="raise", default=())
    reassurance: tuple[ReassuranceFile, ...] = ()


class ConditionFile(_Strict):
    """A condition of `hip/conditions.toml`."""

    sources: tuple[str, ...]
    strong: tuple[str, ...] = ()
    typical: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    expects: tuple[str, ...] = ()
    rare: bool = False
    care: str = ""


class AdviceFile(_Strict):
    """A piece of advice of `hip/advice.toml`."""

    kind: Literal["do", "dont"]
    urgencies: tuple[Disposition, ...]
    sources: tuple[str, ...]
    any: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


class PathwayFile(_Strict):
    """`hip/pathway.toml`: the order of things that belongs to no single question or rule."""

    id: str
    version: str
    hip_places: tuple[str, ...]
    watch: tuple[str, ...]
    look_again: dict[Disposition, int]
    growing: tuple[str, ...]
    doctors: tuple[str, ...]
    skin: tuple[str, ...]
    not_the_hip: dict[str, tuple[str, ...]]


class CareFile(_Strict):
    """A page of `care/<shelf>.toml`."""

    sources: tuple[str, ...]
    changed: tuple[str, ...] = ()
    see_also: tuple[str, ...] = ()


class ScaleFile(_Strict):
    """`[scale]` of `checkins.toml`."""

    go: int
    hold: int
    places: tuple[Place, ...]
    sources: tuple[str, ...]


class WorstFile(_Strict):
    """A `[[worst]]` of `checkins.toml`: from which number on the worst pain establishes a finding."""

    from_: int = field(name="from")
    gives: str


class LimitFile(_Strict):
    """A `[[limit]]` of `checkins.toml`."""

    id: str
    urgency: Disposition
    days: int
    to: Disposition
    sources: tuple[str, ...]


class CheckInsFile(_Strict):
    """`checkins.toml`."""

    scale: ScaleFile
    places: dict[Place, tuple[str, ...]]
    signs: dict[Sign, tuple[str, ...]]
    worst: tuple[WorstFile, ...]
    lights: dict[Light, tuple[str, ...]]
    again: dict[Disposition, tuple[int, ...]]
    limit: tuple[LimitFile, ...]


class SourceFile(_Strict):
    """A source of `sources.toml`."""

    title: str
    by: str
    where: str
    read: str
    year: int | str | None = None
    note: str = ""


class RegionFile(_Strict):
    """A region of `regions.toml`."""

    emergency: str
    source: str
    date: dt.date
    urgent: str = ""


class TipFile(_Strict):
    """A tip of `tips.toml`: whom it fits. What it leaves out holds for everybody, but for the age: adults."""

    topic: Topic
    states: tuple[Hip, ...]
    sources: tuple[str, ...]
    places: tuple[Place, ...] = ()
    loads: tuple[Load, ...] = ()
    seasons: tuple[Season, ...] = ()
    ages: tuple[Age, ...] = (Age.ADULT,)


class BoundFile(_Strict):
    """A bound of `load.toml`."""

    percent: int
    days: int
    sources: tuple[str, ...]


class LoadFile(_Strict):
    """`load.toml`."""

    longest_run: BoundFile
    more: BoundFile
    building: BoundFile
    daily: BoundFile
    away: BoundFile


class ParagraphFile(_Strict):
    """A `[[paragraph]]` of `articles.toml`."""

    id: str
    carried_by: tuple[str, ...] = ()
    left_out: str = ""


class ArticlesFile(_Strict):
    """`articles.toml`."""

    paragraph: tuple[ParagraphFile, ...]


class SignOffFile(_Strict):
    """A `[[signoff]]` of `signoffs.toml`."""

    item: str
    name: str
    role: str
    date: dt.date
    hash: str


class SignOffsFile(_Strict):
    """`signoffs.toml`."""

    signoff: tuple[SignOffFile, ...] = ()
