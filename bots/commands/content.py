"""`hipwise content`: check the content, and list what nobody has signed. It needs no developer tools."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from content import checks, loader, signoff
from content.loader import ContentError
from content.signoff import Unsigned
from core.library import Library


def run(argv: list[str]) -> int:
    """Print everything that is wrong, a line each, and return 2; or 0, and say what is not signed off."""
    args = _arguments(argv)
    try:
        return _print_hash(args.root, args.hash) if args.hash else _check(args.root, every=args.unsigned)
    except ContentError as error:
        print(error)
        return 2


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hipwise content", description="Check what Hipwise knows and says.")
    parser.add_argument("--unsigned", action="store_true", help="list everything that nobody has signed off")
    parser.add_argument("--hash", metavar="ITEM", help="print the hash to sign, of an item such as rule:groin_limp")
    parser.add_argument("--root", metavar="DIR", type=Path, default=loader.HERE, help="the folder with the content")
    return parser.parse_args(argv)


def _check(root: Path, *, every: bool) -> int:
    problems = checks.check(root)
    for problem in problems:
        print(problem)
    if problems:
        print(f"\n{len(problems)} to put right. Each line says the file, the key and what is wrong.")
        return 2
    library = loader.load("en", root)
    print(_summary(library, len(loader.languages(root))))
    for line in _unsigned(signoff.unsigned(library, loader.load_signoffs(root)), every=every):
        print(line)
    return 0


def _print_hash(root: Path, item: str) -> int:
    library = loader.load("en", root)
    if item not in signoff.items(library):
        print(f"There is no {item}. An item is one of {', '.join(signoff.KINDS)}, a colon and an id: rule:groin_limp")
        return 2
    print(signoff.hash_of(library, item))
    return 0


def _summary(library: Library, languages: int) -> str:
    p = library.pathway
    rules = sum(not r.lifts for r in p.rules)
    parts = (
        f"{len(p.questions)} questions, {rules} rules, {len(p.conditions)} patterns, {len(p.advice)} pieces of advice",
        f"{len(library.pages)} care pages and {len(library.sources)} sources, in {languages} language{'s'[: languages - 1]}",
    )
    return f"The content is in order: {', '.join(parts)}."


def _unsigned(left: tuple[Unsigned, ...], *, every: bool) -> Iterator[str]:
    """Yield what is not signed: always what a change unsigned; each item if asked for, otherwise how many of each kind."""
    if not left:
        yield "All of it is signed off."
        return
    counts = Counter(u.item.partition(":")[0] for u in left)
    yield "Not signed off: " + ", ".join(f"{n} x {kind}" for kind, n in counts.items()) + "."
    yield from (f"{u.item}: {u.changed}" for u in left if u.changed)
    if every:
        yield from (u.item for u in left if not u.changed)
    else:
        yield "hipwise content --unsigned lists each of them."
