"""What must hold of the content before a member reads it. Every problem names the file and the key."""

from collections.abc import Callable, Iterable
from pathlib import Path

from content import loader
from content.checks import logic, placeholders, prose, questions, records, screens, tips, words
from content.checks.material import Material, read_material, unreadable
from content.checks.problem import Problem
from content.checks.words import TABLES
from content.loader import HERE

__all__ = ["TABLES", "Problem", "check"]

Check = Callable[[Material], Iterable[Problem]]

LOGIC: tuple[Check, ...] = (
    *(logic.codes_known, logic.once, logic.references, logic.check_ins),
    *(questions.leads_on, questions.all_reached, questions.unsure_counts),
    *(records.cited, records.carried, records.signed),
    *(tips.fits_somebody, tips.fits_no_child),
)
WORDED: tuple[Check, ...] = (
    *(words.worded, words.owned, words.asked_for),
    *(placeholders.filled, placeholders.gives_number),
    words.typed_is_plain,
)
ENGLISH: tuple[Check, ...] = (
    tips.short,
    *(prose.clean, prose.about_weight, prose.says_what_changed),
    *(prose.short_at_first, prose.easy_to_read, prose.terms_used),
)


def check(root: Path = HERE) -> tuple[Problem, ...]:
    """Return everything that is wrong, in every language; raise ContentError for a file that cannot be read.

    Screens are drawn only once ids and words are in order, as others cannot be drawn.
    """
    if wrong := tuple(unreadable(root)) or tuple(logic.values_allowed(root)):
        return wrong
    english = read_material(root, "en")
    problems = _found((*LOGIC, *WORDED), english) or [*screens.fits(english)]
    problems += _found(ENGLISH, english)
    for language in loader.languages(root):
        if language != "en":
            problems += _translated(read_material(root, language), english)
    return tuple(dict.fromkeys(problems))


def _found(checks: Iterable[Check], material: Material) -> list[Problem]:
    return [problem for each in checks for problem in each(material)]


def _translated(other: Material, english: Material) -> list[Problem]:
    problems = [*words.same_keys(other, english), *placeholders.filled(other), *words.typed_is_plain(other)]
    return [*(problems or screens.fits(other)), *prose.clean(other)]
