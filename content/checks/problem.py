"""What is wrong with the content, and how the files that it may be in are named."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

QUESTIONS, RULES, PATHWAY = "hip/questions.toml", "hip/rules.toml", "hip/pathway.toml"
CONDITIONS, ADVICE, FINDINGS = "hip/conditions.toml", "hip/advice.toml", "hip/findings.toml"
ARTICLES, DANGER, GLOSSARY = "articles.toml", "danger.toml", "glossary.toml"
REGIONS, SIGNOFFS, CHECKINS = "regions.toml", "signoffs.toml", "checkins.toml"
TIPS, LOAD = "tips.toml", "load.toml"
RULE_ARRAYS = ("rule", "raise", "reassurance")
"""The arrays of tables in the file of the rules; each entry has words and sources."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the content, and where: a file below `content/` and a key in it."""

    file: str
    key: str
    says: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.says) if part)


def missing(file: str, key: str, what: str, names: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for each name of something that is not there."""
    yield from (Problem(file, key, f"there is no {what} {name!r}") for name in names if name not in known)
