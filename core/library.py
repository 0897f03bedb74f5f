"""Everything the conversation can say: the pathway, its words, and the care pages with their search."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from core.care import CarePage, Region, Source
from core.clinical import Pathway
from core.members import Units, distance
from core.triage import Triage
from core.words import Words

SEARCH_CUTOFF = 72
"""Below this likeness (0 to 100) a page is not offered: a typo passes, another word does not."""
SEARCH_RESULTS = 5
UNKNOWN_REGION = "XX"
_DISTANCE = re.compile(r"\{km(\d+)\}")


@dataclass(frozen=True)
class Library:
    """One pathway in one language."""

    pathway: Pathway
    words: Words
    pages: tuple[CarePage, ...]
    sources: Mapping[str, Source]
    regions: Mapping[str, Region]

    @cached_property
    def triage(self) -> Triage:
        """The pathway's rules, ready to be asked."""
        return Triage(self.pathway)

    @cached_property
    def page_by_id(self) -> Mapping[str, CarePage]:
        """Care pages by id."""
        return {p.id: p for p in self.pages}

    def region(self, code: str | None) -> Region:
        """Return a region, or the one with the common numbers where it is not known."""
        return self.regions.get((code or "").upper()) or self.regions[UNKNOWN_REGION]

    def in_units(self, text: str, units: Units) -> str:
        """Return words with every `{km60}` written in the member's units."""
        return _DISTANCE.sub(lambda found: distance(int(found[1]), units), text) if "{km" in text else text

    def shelf(self, name: str) -> tuple[CarePage, ...]:
        """Return the pages of one shelf."""
        return tuple(p for p in self.pages if p.shelf == name)

    def search(self, text: str) -> tuple[CarePage, ...]:
        """Return the pages that fit what a member typed, best first, forgiving typos; empty where none does."""
        # Imported here: a conversation that searches nothing should not wait for it.
        from rapidfuzz import fuzz, process, utils

        query = utils.default_process(text)
        if len(query) < 3:
            return ()
        found = process.extract(query, self._search_terms.keys(), scorer=fuzz.WRatio, limit=40, score_cutoff=SEARCH_CUTOFF)
        best: dict[str, float] = {}
        for term, score, _ in found:
            exact = 10.0 if re.search(rf"\b{re.escape(term)}\b", query) else 0.0
            for page in self._search_terms[term]:
                best[page] = max(best.get(page, 0.0), score + exact)
        ranked = sorted(best, key=lambda id: -best[id])
        return tuple(self.page_by_id[id] for id in ranked[:SEARCH_RESULTS])

    @cached_property
    def _search_terms(self) -> Mapping[str, tuple[str, ...]]:
        terms: dict[str, list[str]] = {}
        for page in self.pages:
            for term in (self.words("care", page.id, "title"), *self.words.list("care", page.id, "keywords")):
                terms.setdefault(re.sub(r"\W+", " ", term.lower()).strip(), []).append(page.id)
        return {term: tuple(pages) for term, pages in terms.items()}
