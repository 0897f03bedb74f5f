"""The counts of all deliveries, which stay when rows and members go."""

from collections.abc import Iterable

from core.ledger import State, Tallies
from core.storage import sql
from core.storage.book import Book

GONE_AS = {
    State.OPEN: State.DROPPED,
    # In flight while its member is erased: nobody will know.
    State.CLAIMED: State.UNKNOWN,
}


def tallies(book: Book) -> Tallies:
    """Return the counts of all deliveries there ever were."""
    counts: dict[str, int] = dict.fromkeys(("planned", *State), 0)
    for name, count in (*book.all(sql.TALLIES), *book.all(sql.STATES)):
        counts[name] += count
    return Tallies(**{str(name): count for name, count in counts.items()})


def count_gone(book: Book, states: Iterable[tuple[str, int]]) -> None:
    """Count deliveries, given as states and how many are in each, whose rows are about to go."""
    for state, count in states:
        book.run(sql.COUNT_GONE, count, GONE_AS.get(State(state), state))
