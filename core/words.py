"""The words of one language, by key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class MissingWords(KeyError):
    """A key has no words in this language; `hipwise content` finds these before a member does."""

    def __str__(self) -> str:
        return f"no words for {self.args[0]!r}"


@dataclass(frozen=True)
class Words:
    """Every sentence of a language: `words("questions", "night", "ask")`."""

    language: str
    tree: Mapping[str, Any]
    _cache: dict[tuple[str, ...], str] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, *path: str, **values: object) -> str:
        """Return the words at this path, with `{name}` filled from values; raise MissingWords where there are none."""
        text = self._cache.get(path)
        if text is None:
            found = self.find(*path)
            if not isinstance(found, str):
                raise MissingWords(".".join(path))
            text = self._cache[path] = found
        return text.format(**values) if values else text

    def find(self, *path: str) -> Any:
        """Return whatever stands at this path (words, a list, a table), or None."""
        node: Any = self.tree
        for step in path:
            if not isinstance(node, Mapping):
                return None
            node = node.get(step)
        return node

    def list(self, *path: str) -> tuple[str, ...]:
        """Return the list of words at this path, empty where there is none."""
        found = self.find(*path)
        return tuple(found) if isinstance(found, (list, tuple)) else ()

    def table(self, *path: str) -> Mapping[str, Any]:
        """Return the table at this path, empty where there is none."""
        found = self.find(*path)
        return found if isinstance(found, Mapping) else {}

    def every(self) -> Iterator[tuple[str, str]]:
        """Yield every (dotted key, words) of the language."""
        yield from _walk("", self.tree)


def _walk(prefix: str, node: Any) -> Iterator[tuple[str, str]]:
    match node:
        case str():
            yield prefix, node
        case Mapping():
            for key, value in node.items():
                yield from _walk(f"{prefix}.{key}" if prefix else str(key), value)
        case list() | tuple():
            for i, value in enumerate(node):
                yield from _walk(f"{prefix}.{i}", value)
        case _:
            pass
