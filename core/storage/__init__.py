"""The store, on SQLite: what is kept, sealed, in one file that one process writes."""

from core.errors import StorageUnavailable
from core.ledger import REPEATS, Delivery, Kind, Owed, Repeat, State, Tallies
from core.storage.backup import Backup
from core.storage.book import UnknownMember
from core.storage.copies import Copy, copies_of
from core.storage.daily import back_up_if_due
from core.storage.erased import ErasedList, lists_in, traces
from core.storage.errors import AlreadyRunning, Corrupt, DatabaseMissing, NewerSchema, WrongKey
from core.storage.health import Health, Integrity
from core.storage.inbox import Received
from core.storage.opening import can_be_written, database_exists
from core.storage.records import StoreRecords
from core.storage.restore import Restored, Step, Target, Tell, put_back
from core.storage.store import Store
from core.storage.url import backups_folder, data_folder, database_path

__all__ = [
    "REPEATS",
    "AlreadyRunning",
    "Backup",
    "Copy",
    "Corrupt",
    "DatabaseMissing",
    "Delivery",
    "ErasedList",
    "Health",
    "Integrity",
    "Kind",
    "NewerSchema",
    "Owed",
    "Received",
    "Repeat",
    "Restored",
    "State",
    "Step",
    "StorageUnavailable",
    "Store",
    "StoreRecords",
    "Tallies",
    "Target",
    "Tell",
    "UnknownMember",
    "WrongKey",
    "back_up_if_due",
    "backups_folder",
    "can_be_written",
    "copies_of",
    "data_folder",
    "database_exists",
    "database_path",
    "lists_in",
    "put_back",
    "traces",
]
