"""What is said in a turn, over as many pages as it needs: each a message within Discord's limits. No I/O."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bots.discord.markdown import escaped

TEXT = 4000
"""Characters of all text of a message, as it is sent; counted in UTF-16, which is never less than what is meant."""
COMPONENTS = 40
"""Components of a message, with those inside of others."""
BELOW = 5
"""Components that may stand below: a line that says which page it is, and a row of three buttons."""
LINE = 60
"""Characters of that line."""
LEAST = 400
"""Characters that are worth beginning a text on a page; where fewer are left, it begins on the next."""

SHOWN, CONTAINER = 10, 17
"""Types of component: text, and what holds others."""

Component = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Block:
    """What stands in one container: a text, which may go on over pages, and what stands below it on each of them."""

    text: str
    heading: int | None
    """Which line of the text is its heading. Those above it are small print."""
    controls: tuple[Component, ...]
    colour: int | None = None
    files: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    """Name and content of each: they are on its first page."""


@dataclass(slots=True)
class Page:
    """A page as it fills."""

    components: list[Component] = field(default_factory=list)
    files: tuple[tuple[str, bytes], ...] = ()
    room: int = COMPONENTS - BELOW
    text: int = TEXT - LINE
    """Characters that there is room for."""


def paged(blocks: Sequence[Block]) -> list[Page]:
    """Return the pages: a text goes on where the page before ends, with its controls on every page that it is on."""
    pages = [Page()]
    for block in blocks:
        shown, size = _markdown(block, block.text, first=True), _size(block)
        if pages[-1].components and not _can_begin(pages[-1], size, shown):
            pages.append(Page())
        if length(shown) <= pages[-1].text:
            _put(pages[-1], block, shown, size, first=True)
        else:
            _put_piece_by_piece(pages, block, size)
    return pages


def length(text: str) -> int:
    """Return the length of a text in UTF-16."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _can_begin(page: Page, size: int, shown: str) -> bool:
    return size <= page.room and (page.text >= LEAST or length(shown) <= page.text)


def _put(page: Page, block: Block, shown: str, size: int, *, first: bool) -> None:
    """Put a text of a block on a page, with what stands below it."""
    inside = [*([{"type": SHOWN, "content": shown}] if shown.strip() else []), *block.controls]
    edge = {} if block.colour is None else {"accent_color": block.colour}
    if inside:
        page.components.append({"type": CONTAINER, **edge, "components": inside})
    page.files += block.files if first else ()
    page.text, page.room = page.text - length(shown), page.room - size


def _put_piece_by_piece(pages: list[Page], block: Block, size: int) -> None:
    """Put what fits on the last page, and the rest on new ones."""
    piece, left = _cut(block, block.text, pages[-1].text, first=True)
    _put(pages[-1], block, _markdown(block, piece, first=True), size, first=True)
    while left:
        pages.append(Page())
        piece, left = _cut(block, left, pages[-1].text, first=False)
        _put(pages[-1], block, _markdown(block, piece, first=False), size, first=False)


def _cut(block: Block, text: str, most: int, *, first: bool) -> tuple[str, str]:
    """Return as much of a text as fits, and the rest: cut between paragraphs, lines or words that leave no page half empty."""
    if length(_markdown(block, text, first=first)) <= most:
        return text, ""
    fits = bisect_right(range(len(text)), most, key=lambda n: length(_markdown(block, text[:n], first=first))) - 1
    ends = (text.rfind(gap, 1, fits + 1) for gap in ("\n\n", "\n", " "))
    at = next((end for end in ends if end > fits // 2), fits)
    return text[:at].rstrip(), text[at:].lstrip()


def _markdown(block: Block, text: str, *, first: bool) -> str:
    """Return a text as it is sent, the heading marked where this is where it begins."""
    if not first or block.heading is None:
        return escaped(text)
    lines = escaped(text).split("\n", block.heading + 1)
    return "\n".join(_headed(lines, block.heading))


def _headed(lines: Sequence[str], heading: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        mark = "-# " if number < heading else "### " if number == heading else ""
        yield f"{mark}{line}" if line.strip() else line


def _size(block: Block) -> int:
    """Return how many components a block is, with those inside of others."""
    return 1 + bool(block.text) + sum(1 + len(one.get("components", ())) for one in block.controls)
