"""What must hold of the records: sources are cited, articles carried and items signed, all of them there."""

from collections.abc import Iterator

from content import loader, signoff
from content.checks.material import Material, flat
from content.checks.problem import (
    ADVICE,
    ARTICLES,
    CHECKINS,
    CONDITIONS,
    DANGER,
    LOAD,
    RULE_ARRAYS,
    RULES,
    SIGNOFFS,
    TIPS,
    Problem,
    missing,
)


def cited(m: Material) -> Iterator[Problem]:
    judgements = m.library.words.table("judgements")
    known = m.library.sources.keys() | {f"judgement.{name}" for name in judgements}
    used: set[str] = set()
    for file, name, sources in _citations(m):
        used |= set(sources)
        if not sources:
            yield Problem(file, f"{name}.sources", "cites nothing")
        yield from missing(file, f"{name}.sources", "source", sources, known)
    for name in judgements:
        if f"judgement.{name}" not in used:
            yield Problem(m.file("judgements", name), name, "nothing cites this judgement")


def carried(m: Material) -> Iterator[Problem]:
    """The ledger of the articles points at things that are there."""
    known = set(signoff.items(m.library)) | {f"finding:{c}" for c in m.library.pathway.codes}
    known |= {f"danger:{kind}" for kind, _ in m.entries(DANGER)}
    for paragraph in loader.load_articles(m.root):
        yield from missing(ARTICLES, f"{paragraph.id}.carried_by", "place", paragraph.carried_by, known)


def signed(m: Material) -> Iterator[Problem]:
    items = signoff.items(m.library)
    for entry in loader.load_signoffs(m.root):
        yield from missing(SIGNOFFS, entry.item, "item", (entry.item,), items)


def _citations(m: Material) -> Iterator[tuple[str, str, list[str]]]:
    files = [CONDITIONS, ADVICE, DANGER, TIPS, LOAD, *(f"care/{shelf}.toml" for shelf in loader.SHELVES)]
    for file, array in [*((RULES, array) for array in RULE_ARRAYS), *((file, "") for file in files)]:
        for name, entry in m.entries(file, array):
            yield file, name, flat(entry.get("sources"))
    checkins = m.library.checkins
    yield CHECKINS, "scale", list(checkins.scale.sources)
    yield from ((CHECKINS, light, list(sources)) for light, sources in checkins.sources.items())
    yield from ((CHECKINS, limit.id, list(limit.sources)) for limit in checkins.limits)
