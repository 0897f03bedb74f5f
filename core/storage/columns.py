"""Every column of every table, and whether it is sealed. What is in clear says why it may be."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from core.storage import sql


@dataclass(frozen=True, slots=True)
class Clear:
    """Readable by whoever has the file, for a reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """Noise without the keys, which are never kept beside the database."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A keyed digest: it can be looked up with the key, and says nothing without."""


Column = Clear | Sealed | Digest

_OUR_ID = Clear("a random id of ours, known to no platform")
_RING_KEY = Clear("the id of the key of the ring that wraps it; no secret")
_ORDER = Clear("a count, to keep the order")
_PLATFORM = Clear("the name of the platform, one of a few")
_STATE = Clear("where it stands, from a short list")

COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "house": {"id": _OUR_ID, "key_check": Sealed(), "lookup_ring_key": _RING_KEY, "lookup": Sealed()},
    "keys": {"owner": _OUR_ID, "ring_key": _RING_KEY, "wrapped": Sealed()},
    "members": {"id": _OUR_ID, "position": _ORDER},
    "addresses": {
        "id": _OUR_ID,
        "member": _OUR_ID,
        "platform": _PLATFORM,
        "digest": Digest(),
        "address": Sealed(),
        "place": Sealed(),
        "unreachable": Clear("since when nothing can be sent there, to the minute, so that nothing is tried"),
        "used": _ORDER,
    },
    "links": {
        "id": _OUR_ID,
        "member": _OUR_ID,
        "address": _OUR_ID,
        "code_digest": Digest(),
        "until": Clear("when its code ends, to the minute, so that it goes in time"),
        "joiner": _OUR_ID,
    },
    "former_members": {
        "id": _OUR_ID,
        "member": _OUR_ID,
        "joined": Clear("when the two became one, to the minute, so that it goes in time"),
    },
    "settings": {"member": _OUR_ID, "settings": Sealed()},
    "consents": {"id": _OUR_ID, "member": _OUR_ID, "position": _ORDER, "consent": Sealed()},
    "sessions": {
        "address": _OUR_ID,
        "member": _OUR_ID,
        "touched": Clear("when it was last saved, to the minute, so that it expires without a key"),
        "session": Sealed(),
    },
    "history": {"id": _OUR_ID, "member": _OUR_ID, "position": _ORDER, "entry": Sealed()},
    "diaries": {
        "member": _OUR_ID,
        "look": Clear("when it is to be planned from again, to the minute, so that one query finds who is next"),
        "diary": Sealed(),
    },
    "inbox": {
        "id": _OUR_ID,
        "position": _ORDER,
        "platform": _PLATFORM,
        "update_digest": Digest(),
        "sender_digest": Digest(),
        "state": _STATE,
        "received": Clear("when it came, to the minute, so that it expires without a key"),
        "raw": Sealed(),
    },
    "outbox": {
        "id": _OUR_ID,
        "member": _OUR_ID,
        "address": _OUR_ID,
        "position": _ORDER,
        "state": _STATE,
        "attempt": Clear("how often it was tried"),
        "scheduled": Clear("1 if it was planned ahead: replies go first"),
        "due": Clear("when it is due, to the minute, so that one query finds what is"),
        "until": Clear("when its window ends, to the minute, so that it is skipped without a key"),
        "changed": Clear("when its state changed, to the minute, so that it expires without a key"),
        "occurrence_digest": Digest(),
        "owed": Sealed(),
        "message": Sealed(),
    },
    "receipts": {
        "member": _OUR_ID,
        "made": Clear("when the erasure was, to the minute, so that its receipt goes in time"),
    },
    "clubs": {"member": _OUR_ID, "chat_digest": Digest(), "club": Sealed()},
    "zones": {"version": Clear("which version of the zone database was planned with")},
    "sendings": {
        "platform": _PLATFORM,
        "alive": Clear("when Hipwise last ran, to the minute; about nobody"),
        "since": Clear("since when nothing could be sent there, to the minute; about nobody"),
        "until": Clear("until when that was last so, to the minute; about nobody"),
    },
    "tallies": {"name": Clear("the name of a count"), "count": Clear("a count over all members, gone ones too")},
}


def undeclared(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return each table.column of the database that is not declared here."""
    return tuple(
        f"{table}.{column}" for table, column in db.execute(sql.SCHEMA_COLUMNS) if column not in COLUMNS.get(table, {})
    )
