"""What is checked: the files as they stand, and what the loader makes of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import tomli

from content import loader
from content.checks.problem import Problem
from content.loader import ContentError
from core.library import Library

TYPED = ("keywords", "phrases", "typed")
"""Lists of what members may type: matched, never shown, so no style applies to them."""

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a language: its file, its path in the words, and what it says."""

    file: str
    path: Keys
    says: str

    @property
    def key(self) -> str:
        """The key in its file."""
        return key_of(self.path)


@dataclass(frozen=True)
class Material:
    """What is checked: the files of the logic as they stand, the library in one language, and each of its texts."""

    root: Path
    library: Library
    texts: tuple[Text, ...]

    def table(self, file: str) -> Mapping[str, Any]:
        """Return a file of the logic as it stands."""
        return read_table(self.root / file)

    def entries(self, file: str, array: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield (id, table) of an array of tables, or of the file's own tables."""
        yield from entries_of(self.table(file), array)

    @cached_property
    def shown(self) -> tuple[Text, ...]:
        """The texts that members read; the others are what they may type."""
        return tuple(t for t in self.texts if not set(TYPED) & set(t.path))

    @cached_property
    def file_by_path(self) -> Mapping[Keys, str]:
        """The file of each text, a list being one."""
        return {_whole(t.path): t.file for t in self.texts}

    def file(self, *path: str) -> str:
        """Return the file in which the words of a path stand, or should stand."""
        return self.file_by_path.get(path) or f"locale/{self.library.words.language}/{self._place(path)}"

    def _place(self, path: Keys) -> str:
        if path[0] == "care":
            return f"care/{next((p.shelf for p in self.library.pages if p.id == path[1]), '*')}.toml"
        return "judgements/*.toml" if path[0] == "judgements" else f"{path[0]}.toml"


def read_material(root: Path, language: str) -> Material:
    """Return all that is checked in one language; raise ContentError for the first thing that cannot be used."""
    return Material(root, loader.load(language, root), tuple(_texts(root, language)))


def unreadable(root: Path) -> Iterator[Problem]:
    """Yield the files that nothing can be read from; checked first, as nothing can be loaded with one."""
    for path in sorted(root.rglob("*.toml")):
        try:
            read_table(path)
        except ValueError as error:  # not TOML, or not UTF-8
            yield Problem(path.relative_to(root).as_posix(), "", f"cannot be read: {error}")


def read_table(path: Path) -> dict[str, Any]:
    """Return a file as it stands; raise ContentError where there is none."""
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContentError(f"{path}: file not found") from None


def entries_of(table: Mapping[str, Any], array: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (id, table) of an array of tables, or of the file's own tables; the loader complains of anything else."""
    rows = table.get(array) if array else [{"id": name, **row} for name, row in table.items() if isinstance(row, dict)]
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            yield str(row.get("id", "?")), row


def key_of(path: Sequence[str]) -> str:
    """Return the key of a path in its file."""
    return ".".join(path[1:])


def flat(value: Any) -> list[str]:
    """Return every text in a list of lists, or in anything else that a file may have in its place."""
    match value:
        case str():
            return [value]
        case list() | tuple():
            return [text for part in value for text in flat(part)]
        case _:
            return []


def _texts(root: Path, language: str) -> Iterator[Text]:
    folder = root / "locale" / language
    for path in sorted(folder.rglob("*.toml")):
        table = path.stem if path.parent == folder else path.parent.name
        yield from _texts_of(path.relative_to(root).as_posix(), table, path.read_text(encoding="utf-8"))


@lru_cache(maxsize=128)
def _texts_of(file: str, table: str, toml: str) -> tuple[Text, ...]:
    return tuple(Text(file, path, says) for path, says in _leaves((table,), _parsed(toml)))


def _leaves(path: Keys, node: Any) -> Iterator[tuple[Keys, str]]:
    match node:
        case str():
            yield path, node
        case dict():
            for key, value in node.items():
                yield from _leaves((*path, key), value)
        case list():
            for i, value in enumerate(node):
                yield from _leaves((*path, str(i)), value)
        case _:
            pass  # a number or a date is no text; where a text is needed, it is missing


def _whole(path: Keys) -> Keys:
    """Return the path of the list that a text is an element of, or its own."""
    return path[:-1] if path[-1].isdigit() else path


@lru_cache(maxsize=128)
def _parsed(text: str) -> dict[str, Any]:
    return tomli.loads(text)
