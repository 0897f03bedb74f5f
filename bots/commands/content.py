"""`hipwise content`: check the content, and list what nobody has signed off. It needs no developer tools."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from content import checks, loader, signoff
from content.loader import ContentError
from core.library import Library


def run(argv: list[str]) -> int:
    """Print everything that is wrong, a line each, and return 2; or what is not signed off, and return 0."""
    args = _arguments(argv)
    try:
        code, lines = _hash(args.root, args.hash) if args.hash else _check(args.root, every=args.unsigned)
    except ContentError as error:
        code, lines = 2, [str(error)]
    print("\n".join(lines))
    return code


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hipwise content", description="Check what Hipwise knows and says.")
    parser.add_argument("--unsigned", action="store_true", help="list everything that nobody has signed off")
    parser.add_argument("--hash", metavar="ITEM", help="print the hash to sign, of an item such as rule:groin_limp")
    parser.add_argument("--root", metavar="DIR", type=Path, default=loader.HERE, help="the folder with the content")
    return parser.parse_args(argv)


def _check(root: Path, *, every: bool) -> tuple[int, list[str]]:
    if problems := checks.check(root):
        lines = [str(problem) for problem in problems]
        return 2, [*lines, "", f"To put right: {len(problems)}. Each line says the file, the key and what is wrong."]
    library = loader.load("en", root)
    return 0, [_summary(library, loader.languages(root)), *_unsigned(library, root, every=every)]


def _hash(root: Path, item: str) -> tuple[int, list[str]]:
    library = loader.load("en", root)
    if item in signoff.items(library):
        return 0, [signoff.hash_of(library, item)]
    return 2, [f"There is no {item!r}. An item is {', '.join(signoff.KINDS)}, then a colon and an id: rule:groin_limp"]


def _summary(library: Library, languages: tuple[str, ...]) -> str:
    p = library.pathway
    counts = (
        f"{len(p.questions)} questions",
        f"{sum(not r.lifts for r in p.rules)} rules",
        f"{len(p.conditions)} patterns",
        f"{len(p.advice)} pieces of advice",
        f"{len(library.pages)} care pages",
        f"{len(library.tips)} tips",
        f"{len(library.sources)} sources",
    )
    return f"The content is in order: {', '.join(counts)}; languages: {', '.join(languages)}."


def _unsigned(library: Library, root: Path, *, every: bool) -> Iterator[str]:
    """Yield what is not signed off: always what a change unsigned; the rest each by name, or how many of each kind."""
    left = signoff.unsigned(library, loader.load_signoffs(root))
    counts = Counter(u.item.partition(":")[0] for u in left)
    yield "Not signed off: " + (", ".join(f"{kind} {n}" for kind, n in counts.items()) or "nothing") + "."
    yield from (f"{u.item}: {u.changed}" for u in left if u.changed)
    if every:
        yield from (u.item for u in left if not u.changed)
    elif left:
        yield "hipwise content --unsigned names each of them."
