"""Members, their addresses, what they set and agreed to, their checks in progress and their history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.limits import CONSENTS, RESULTS
from core.members import Address, Preferences
from core.record import Change, Record, timeless
from core.storage import diaries, reaching, sql
from core.storage.book import Book, fresh_id, minute
from core.storage.erasure import erase_rows
from core.vault import Unsealable


@dataclass(frozen=True, slots=True)
class Door:
    """An address that has a row: which row, and whose."""

    row: str
    member: str


def door(book: Book, address: Address) -> Door | None:
    """Return the door of an address whose member is known and has a key; raise Unsealable if that key is damaged."""
    found = book.one(sql.ADDRESS, digest(book, address))
    if found is None:
        return None
    if book.keys.of(book.db, found[1]) is None:
        book.unreadable += 1
        return None
    return Door(*found)


def digest(book: Book, address: Address) -> bytes:
    """Return what an address is found by."""
    return book.lookup.of(address.platform, address.id)


def move(book: Book, old: Address, new: Address) -> bool:
    """Return whether an address is now found under its new id; where the new one is known, both stay as they are."""
    at = door(book, old)
    if at is None or door(book, new) is not None:
        return False
    book.run(sql.MOVE_ADDRESS, digest(book, new), book.seal("addresses.address", at.member, at.row, new.id), at.row)
    return True


def load(book: Book, address: Address, default: Preferences) -> Record:
    """Return what is kept for an address; what cannot be opened is as if it were not there."""
    try:
        at = door(book, address)
    except Unsealable:
        # Damaged, not erased: it is left as it is, for a backup may still have it whole.
        book.unreadable += 1
        at = None
    if at is None:
        return Record(None, None, default)
    (place,) = book.one(sql.KEPT_PLACE, at.row) or (None,)
    return replace(recorded(book, at.member, default), placed=place is not None)


def recorded(book: Book, member: str, default: Preferences) -> Record:
    """Return what is kept about a member, the same behind each of their addresses."""
    row = book.one(sql.SESSION, member)
    session = None if row is None else book.open("sessions.session", member, row[0], row[1])
    preferences = _preferences(settings(book, member), default)
    linked = book.count(sql.COUNT_ROWS["addresses"], member) > 1
    damaged = row is not None and session is None
    return Record(member, session, preferences, consents(book, member), damaged, linked, diaries.kept(book, member))


def enter(book: Book, address: Address) -> Door:
    """Return the door of an address, with a new member behind it if there was none."""
    at = door(book, address)
    if at is not None:
        return at
    before = book.one(sql.ADDRESS, digest(book, address))
    if before is not None:  # its member's key is gone, and with it all that was kept
        erase_rows(book, before[1])
    member = fresh_id()
    book.run(sql.NEW_MEMBER, member)
    book.keys.create(book.db, member)
    return join(book, member, address)


def join(book: Book, member: str, address: Address) -> Door:
    """Return the door of a further address of a member."""
    row = fresh_id()
    sealed = book.seal("addresses.address", member, row, address.id)
    book.run(sql.NEW_ADDRESS, row, member, address.platform, digest(book, address), sealed)
    return Door(row, member)


def place(book: Book, at: Door) -> str | None:
    """Return where on its platform the conversation at an address is, as far as that is kept."""
    (sealed,) = book.one(sql.KEPT_PLACE, at.row) or (None,)
    kept: str | None = book.open("addresses.place", at.member, at.row, sealed)
    return kept


def keep_place(book: Book, at: Door, where: str | None) -> None:
    """Keep where on its platform the conversation at an address is; None: nowhere any more."""
    if place(book, at) != where:
        sealed = None if where is None else book.seal("addresses.place", at.member, at.row, where)
        book.run(sql.KEEP_PLACE, sealed, at.row)


def save(book: Book, at: Door, change: Change, *, default: Preferences, now: datetime) -> None:
    """Keep what a turn changed; of the preferences, those that were ever set to something else than the default."""
    reaching.used(book, at.member, at.row)
    if change.place is not None:
        keep_place(book, at, change.place)
    _save_session(book, at, change.session, now)
    _save_settings(book, at.member, change.preferences, default)
    note_consents(book, at.member, change.consents)
    if change.forget_history:
        book.run(sql.ERASE_ROWS["history"], at.member)
    if change.result is not None:
        remember(book, at.member, change.result)
    if change.forget_diary:
        diaries.forget(book, at.member)
    elif change.diary is not None:
        diaries.keep(book, at.member, change.diary, look=now)


def consents(book: Book, member: str) -> tuple[Any, ...]:
    """Return the consents of a member, the oldest first."""
    return _opened(book, "consents.consent", member, sql.CONSENTS)


def remember(book: Book, member: str, *entries: Mapping[str, Any]) -> None:
    """Keep results in a member's history, each that is not there already."""
    kept = [timeless(entry) for entry in history(book, member)]
    for entry in entries:
        if timeless(entry) not in kept:
            _append(book, sql.NEW_ENTRY, "history.entry", member, entry, most=RESULTS)


def history(book: Book, member: str) -> tuple[Any, ...]:
    """Return the history of a member, the oldest first."""
    return tuple(sorted(_opened(book, "history.entry", member, sql.HISTORY), key=lambda entry: str(entry.get("time", ""))))


def note_consents(book: Book, member: str, consents: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a member agreed to, or took back."""
    for consent in consents:
        _append(book, sql.NEW_CONSENT, "consents.consent", member, consent, most=CONSENTS)


def take_settings(book: Book, member: str, other: str) -> None:
    """Take over what another member has set, where this one has set nothing."""
    theirs = settings(book, other)
    if theirs:
        both = theirs | settings(book, member)
        book.run(sql.SAVE_SETTINGS, member, book.seal("settings.settings", member, member, both))


def carry_session(book: Book, at: Door, address: str) -> None:
    """Have a member's check go on behind another of their doors, given as its row."""
    for row, touched, sealed in book.all(sql.SESSION_ROWS, at.member):
        session = book.open("sessions.session", at.member, row, sealed)
        book.run(sql.ERASE_SESSION, row)
        if session is not None:
            resealed = book.seal("sessions.session", at.member, address, session)
            book.run(sql.SAVE_SESSION, address, at.member, touched, resealed)


def sessions(book: Book, member: str) -> tuple[Any, ...]:
    """Return the checks that a member has in progress."""
    return _opened(book, "sessions.session", member, sql.SESSIONS)


def settings(book: Book, member: str) -> dict[str, Any]:
    """Return what a member has set."""
    row = book.one(sql.SETTINGS, member)
    kept: dict[str, Any] | None = None if row is None else book.open("settings.settings", member, member, row[0])
    return kept or {}


def addresses(book: Book, member: str) -> tuple[Address, ...]:
    """Return where a member can be reached."""
    rows = book.all(sql.ADDRESSES, member)
    opened = ((platform, book.open("addresses.address", member, row, sealed)) for row, platform, sealed in rows)
    return tuple(Address(platform, id) for platform, id in opened if id is not None)


def to_write_to(book: Book, member: str) -> tuple[Door, Address] | None:
    """Return where to write to a member first, and behind which door; where that is nowhere, where they wrote last."""
    found = book.one(sql.TO_WRITE_TO, member) or book.one(sql.USED_LAST, member)
    if found is None:
        return None
    row, platform, sealed = found
    id: str | None = book.open("addresses.address", member, row, sealed)
    return None if id is None else (Door(row, member), Address(platform, id))


def _save_session(book: Book, at: Door, session: Mapping[str, Any] | None, now: datetime) -> None:
    # A check is its member's, wherever they go on with it.
    book.run(sql.ERASE_OTHER_SESSIONS, at.member, at.row)
    if session is None:
        book.run(sql.ERASE_SESSION, at.row)
    else:
        book.run(sql.SAVE_SESSION, at.row, at.member, minute(now), book.seal("sessions.session", at.member, at.row, session))


def _save_settings(book: Book, member: str, preferences: Preferences, default: Preferences) -> None:
    kept = settings(book, member)
    before = _plain(_preferences(kept, default))
    changed = {name: value for name, value in _plain(preferences).items() if value != before[name]}
    if changed:
        book.run(sql.SAVE_SETTINGS, member, book.seal("settings.settings", member, member, kept | changed))


def _append(book: Book, statement: str, column: str, member: str, value: Mapping[str, Any], *, most: int) -> None:
    """Keep one more; of more than so many, the oldest go."""
    row = fresh_id()
    book.run(statement, row, member, book.seal(column, member, row, dict(value)), member)
    book.run(sql.TRIM[column.partition(".")[0]], member, member, most)


def _opened(book: Book, column: str, member: str, statement: str) -> tuple[Any, ...]:
    values = (book.open(column, member, row, sealed) for row, sealed in book.all(statement, member))
    return tuple(value for value in values if value is not None)


def _plain(preferences: Preferences) -> dict[str, Any]:
    return {field.name: getattr(preferences, field.name) for field in fields(preferences)}


def _preferences(kept: Mapping[str, Any], default: Preferences) -> Preferences:
    """Return the default preferences with those that were set; a value that is no longer known is as if never set."""
    values = _plain(default)
    for name in values.keys() & kept.keys():
        kind = type(values[name])
        try:
            values[name] = kind(kept[name]) if issubclass(kind, StrEnum) else kept[name]
        except ValueError:
            continue
    return Preferences(**values)
