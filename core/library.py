"""Everything the conversation can say: the pathway, its words, the care pages with their search, and the tips."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from core.care import CarePage, Region, Source, Tip
from core.checkins import CheckIns
from core.clinical import Pathway
from core.load import Bounds
from core.members import Units, distance
from core.triage import Triage
from core.words import Words

SEARCH_CUTOFF = 80
"""Below this likeness (0 to 100) two words are not the same: a typo passes, another word does not."""
SHORTEST_SEARCHED = 3
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
    checkins: CheckIns
    tips: tuple[Tip, ...]
    bounds: Bounds

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
        """Return the pages that fit what a member typed, best first, forgiving typos; empty where none does.

        A title in full finds its page alone. Else word by word: a page fits when it has at least half of the words that some
        page has, each at most a typo away.
        """
        titled = self._page_titled.get(text.strip().casefold())
        if titled is not None:
            return (titled,)
        # Imported here: a conversation that searches nothing should not wait for it.
        from rapidfuzz import fuzz, process

        words = [w for w in re.findall(r"\w+", text.casefold()) if len(w) >= SHORTEST_SEARCHED]
        worth: Counter[str] = Counter()
        for word in words:
            likes = process.extract(word, self._search_words.keys(), scorer=fuzz.ratio, limit=5, score_cutoff=SEARCH_CUTOFF)
            best: dict[str, float] = {}
            for term, score, _ in likes:
                for page, weight in self._search_words[term].items():
                    best[page] = max(best.get(page, 0.0), score * weight)
            worth.update({page: round(score) for page, score in best.items()})
        top = worth.most_common(1)
        if not top or top[0][1] < SEARCH_CUTOFF * len(words) / 2:
            return ()
        ranked = sorted(worth, key=lambda id: -worth[id])
        return tuple(self.page_by_id[id] for id in ranked[:SEARCH_RESULTS] if worth[id] * 2 >= top[0][1])

    @cached_property
    def _page_titled(self) -> Mapping[str, CarePage]:
        return {self.words("care", page.id, "title").casefold(): page for page in self.pages}

    @cached_property
    def _search_words(self) -> Mapping[str, Mapping[str, float]]:
        """Every word of the titles and keywords, and the pages it stands for; in a keyword of its own it weighs most."""
        found: dict[str, dict[str, float]] = {}
        for page in self.pages:
            for term in (self.words("care", page.id, "title"), *self.words.list("care", page.id, "keywords")):
                words = re.findall(r"\w+", term.casefold())
                for word in words:
                    weight = 1.2 if len(words) == 1 else 1.0
                    found.setdefault(word, {})[page.id] = max(weight, found.get(word, {}).get(page.id, 0.0))
        return found
