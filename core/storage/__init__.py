"""The store, on SQLite: what is kept, sealed, in one file that one process writes."""

from core.storage.book import UnknownMember
from core.storage.erasure import Receipt
from core.storage.errors import Corrupt, DatabaseMissing, NewerSchema, StorageUnavailable, WrongKey
from core.storage.inbox import Received
from core.storage.ledger import REPEATS, Delivery, Kind, Owed, Repeat, State, Tallies
from core.storage.members import Kept
from core.storage.opening import can_be_written, database_exists
from core.storage.sessions import StoreSessions
from core.storage.store import Store
from core.storage.url import data_folder, database_path

__all__ = [
    "REPEATS",
    "Corrupt",
    "DatabaseMissing",
    "Delivery",
    "Kept",
    "Kind",
    "NewerSchema",
    "Owed",
    "Receipt",
    "Received",
    "Repeat",
    "State",
    "StorageUnavailable",
    "Store",
    "StoreSessions",
    "Tallies",
    "UnknownMember",
    "WrongKey",
    "can_be_written",
    "data_folder",
    "database_exists",
    "database_path",
]
