"""Changing the key ring: every data key is wrapped again under its first key. Cut short, it goes on where it stopped."""

from core.storage import sql
from core.storage.book import Book
from core.vault import Wrapped, check_value

CHUNK = 250


def rewrap(book: Book) -> int:
    """Return how many data keys were wrapped again; with the last of them done, what the house keeps is renewed."""
    ring = book.keys.ring
    rows = book.all(sql.KEYS_OF_OTHER_RING_KEYS, ring.writer.id, CHUNK)
    for owner, ring_key, blob in rows:
        wrapped = ring.wrap(ring.unwrap(Wrapped(ring_key, blob), owner), owner)
        book.run(sql.REWRAP, wrapped.ring_key, wrapped.blob, owner)
    if not rows:
        lookup = ring.wrap_lookup(book.lookup)
        book.run(sql.REWRAP_HOUSE, check_value(ring), lookup.ring_key, lookup.blob)
    return len(rows)
