"""What something rests on, as lines to read."""

from collections.abc import Iterable

from core.dialogue.result import cited
from core.library import Library


def resting_on(library: Library, sources: Iterable[str]) -> tuple[str, ...]:
    """Return a line for each source: what was read, or our cautious choice with its reason."""
    return tuple(_line(library, source) for source in sources)


def _line(library: Library, source: str) -> str:
    kind, _, name = source.partition(".")
    if kind == "judgement":
        return library.words("ui", "our_choice", reason=library.words("judgements", name))
    return cited(library.words, library.sources[source])
