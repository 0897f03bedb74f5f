"""The store, on SQLite: what is kept, sealed, in one file that one process writes."""

from core.errors import StorageUnavailable
from core.ledger import REPEATS, Delivery, Kind, Owed, Repeat, State, Tallies
from core.storage.book import UnknownMember
from core.storage.errors import AlreadyRunning, Corrupt, DatabaseMissing, NewerSchema, WrongKey
from core.storage.inbox import Received
from core.storage.opening import can_be_written, database_exists
from core.storage.records import StoreRecords
from core.storage.store import Store
from core.storage.url import data_folder, database_path

__all__ = [
    "REPEATS",
    "AlreadyRunning",
    "Corrupt",
    "DatabaseMissing",
    "Delivery",
    "Kind",
    "NewerSchema",
    "Owed",
    "Received",
    "Repeat",
    "State",
    "StorageUnavailable",
    "Store",
    "StoreRecords",
    "Tallies",
    "UnknownMember",
    "WrongKey",
    "can_be_written",
    "data_folder",
    "database_exists",
    "database_path",
]
