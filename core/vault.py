"""Sealing: what is personal is kept so that only who holds the keys can read it, and only where it was put.

A member has a data key, which seals what is theirs; the key ring, which the operator holds, wraps the data keys. Erasing
a wrapped data key makes everything sealed under it unreadable, in every copy. This module neither reads nor keeps anything.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import SettingsError

Sealed = bytes
"""One version byte (1), a random nonce of 12 bytes, then the AES-256-GCM ciphertext, which ends in a tag of 16 bytes."""

VERSION = b"\x01"
NONCE_BYTES = 12
SECRET_BYTES = 32
DATA_KEY_ID_BYTES = 8
RING_KEY_ID_BYTES = 3

CHECKED = b"hipwise key check"
OUR_ID = re.compile(r"[0-9a-f]{8,}")
NAME = re.compile(r"[a-z][a-z0-9_]*")
PLACE = re.compile(rf"{NAME.pattern}\|{NAME.pattern}\|{OUR_ID.pattern}\|{OUR_ID.pattern}")
BETWEEN_KEYS = re.compile(r"\s*,\s*|\s+")
RING_KEY_ID = re.compile(r"[a-z0-9-]{1,32}")


class KeyRingError(SettingsError):
    """The text holds no usable key ring; `problems` says everything that is wrong with it, and nothing that is in it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Unsealable(Exception):
    """What is stored is not what was sealed there: forged, cut short or moved; or its key is gone."""

    def __init__(self, what: str, why: str = "it is not what was sealed there") -> None:
        super().__init__(f"{what} cannot be opened: {why}")


# ---------------------------------------------------------------- What is a member's


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value stands. Member and row are our own random ids, so that no part can hold the `|` between them."""

    table: str
    column: str
    member: str
    row: str

    def __post_init__(self) -> None:
        # All four at one look: none that fits can hold a `|`, so together they fit only where each does.
        if not PLACE.fullmatch(f"{self.table}|{self.column}|{self.member}|{self.row}"):
            _must_match(NAME, table=self.table, column=self.column)
            _must_match(OUR_ID, member=self.member, row=self.row)

    def __str__(self) -> str:
        return f"{self.table}.{self.column} of row {self.row}"


class Sealer(Protocol):
    """Seals a member's values, each to its place."""

    def seal(self, place: Place, plaintext: bytes) -> Sealed:
        """Return the value so that it opens at this place only; twice the same value looks different each time."""
        ...

    def open(self, place: Place, sealed: Sealed) -> bytes:
        """Return the value that was sealed at this place; raise Unsealable for anything else."""
        ...


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key that seals what is one member's."""

    id: str
    secret: bytes = field(repr=False)
    _cipher: AESGCM = field(init=False, repr=False, compare=False)
    """Made once: making it costs half as much as sealing with it."""

    def __post_init__(self) -> None:
        _must_match(OUR_ID, id=self.id)
        _must_be_whole(self.secret)
        object.__setattr__(self, "_cipher", AESGCM(self.secret))

    @classmethod
    def fresh(cls) -> Self:
        """Return a new random key."""
        return cls(secrets.token_hex(DATA_KEY_ID_BYTES), secrets.token_bytes(SECRET_BYTES))

    def seal(self, place: Place, plaintext: bytes) -> Sealed:
        """Return the value so that it opens at this place and with this key only."""
        return _seal(self._cipher, plaintext, self._bound_to(place))

    def open(self, place: Place, sealed: Sealed) -> bytes:
        """Return the value that was sealed at this place with this key; raise Unsealable for anything else."""
        return _open(self._cipher, sealed, self._bound_to(place), what=str(place))

    def _bound_to(self, place: Place) -> str:
        return f"{place.table}|{place.column}|{place.member}|{place.row}|{self.id}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds a member by platform id without keeping the id: the same id gives the same digest, and none leads back."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _must_be_whole(self.secret)

    @classmethod
    def fresh(cls) -> Self:
        """Return one with a new random key, under which every digest must be computed again."""
        return cls(secrets.token_bytes(SECRET_BYTES))

    def of(self, platform: str, id: str) -> bytes:
        """Return the HMAC-SHA256 that stands for this id of this platform, 32 bytes."""
        _must_match(NAME, platform=platform)
        return hmac.digest(self.secret, f"platform id|{platform}|{id}".encode(), "sha256")


# ---------------------------------------------------------------- What is the operator's


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key that the operator keeps apart from the database. Its id is no secret."""

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _must_match(RING_KEY_ID, id=self.id)
        _must_be_whole(self.secret)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key sealed under a key of the ring, safe to be stored beside what it seals."""

    ring_key: str
    blob: Sealed


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The operator's keys: the first wraps, each opens what it once wrapped."""

    keys: tuple[RingKey, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the ring of `id:base64,...`, or of a key a line; raise KeyRingError with every problem at once."""
        entries = [_Entry.read(entry) for entry in BETWEEN_KEYS.split(text.strip())] if text.strip() else []
        if problems := list(_problems(entries)):
            raise KeyRingError(problems)
        return cls(tuple(RingKey(entry.id, entry.secret or b"") for entry in entries))

    @property
    def writer(self) -> RingKey:
        """The key that wraps what is wrapped from now on."""
        return self.keys[0]

    def key(self, id: str) -> RingKey | None:
        """Return the key with this id, if the ring has it."""
        return next((key for key in self.keys if key.id == id), None)

    def wrap(self, data_key: DataKey, member: str) -> Wrapped:
        """Return a member's data key so that it opens with this ring and for this member only."""
        _must_match(OUR_ID, member=member)
        return self._wrap(data_key.secret + data_key.id.encode(), f"data key|{member}")

    def unwrap(self, wrapped: Wrapped, member: str) -> DataKey:
        """Return the data key wrapped for a member; raise Unsealable for anything else, or where the ring key is gone."""
        _must_match(OUR_ID, member=member)
        plain = self._unwrap(wrapped, f"data key|{member}", what=f"The data key of member {member}")
        return DataKey(plain[SECRET_BYTES:].decode(), plain[:SECRET_BYTES])

    def wrap_lookup(self, lookup: Lookup) -> Wrapped:
        """Return the look-up key so that it opens with this ring only, and as a look-up key only."""
        return self._wrap(lookup.secret, "look-up key")

    def unwrap_lookup(self, wrapped: Wrapped) -> Lookup:
        """Return the wrapped look-up key; raise Unsealable for anything else, or where the ring key is gone."""
        return Lookup(self._unwrap(wrapped, "look-up key", what="The look-up key"))

    def wrap_erased(self, entry: bytes) -> Wrapped:
        """Return an entry of the list of erased members so that it opens with this ring only, and as such an entry only."""
        return self._wrap(entry, "erased member")

    def unwrap_erased(self, wrapped: Wrapped) -> bytes:
        """Return the wrapped entry; raise Unsealable for anything else, or where the ring key is gone."""
        return self._unwrap(wrapped, "erased member", what="An entry of the list of erased members")

    def needs_rewrap(self, wrapped: Wrapped) -> bool:
        """Return whether another key than the writer wrapped it, which therefore cannot leave the ring yet."""
        return wrapped.ring_key != self.writer.id

    def _wrap(self, plaintext: bytes, purpose: str) -> Wrapped:
        key = self.writer
        return Wrapped(key.id, _seal(AESGCM(key.secret), plaintext, f"{purpose}|{key.id}"))

    def _unwrap(self, wrapped: Wrapped, purpose: str, *, what: str) -> bytes:
        key = self.key(wrapped.ring_key)
        if key is None:
            raise Unsealable(what, f"the key {wrapped.ring_key!r} is not in the key ring")
        return _open(AESGCM(key.secret), wrapped.blob, f"{purpose}|{key.id}", what=what)


def new_key_text() -> str:
    """Return a new random ring key as `id:base64`, the form that KeyRing.parse reads."""
    secret = base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return f"{secrets.token_hex(RING_KEY_ID_BYTES)}:{secret}"


# ---------------------------------------------------------------- The key check


def check_value(ring: KeyRing) -> bytes:
    """Return what shows later whether a ring still holds this one's first key: its id, `|`, a sealed constant."""
    key = ring.writer
    return key.id.encode() + b"|" + _seal(AESGCM(key.secret), CHECKED, f"key check|{key.id}")


def checked_key(blob: bytes) -> str | None:
    """Return the id of the key that wrote a check value, or None where it cannot be read."""
    id = blob.partition(b"|")[0].decode("ascii", "replace")
    return id if RING_KEY_ID.fullmatch(id) else None


def opens(ring: KeyRing, blob: bytes) -> bool:
    """Return whether the ring holds the very key that wrote this check value."""
    key = ring.key(checked_key(blob) or "")
    if key is None:
        return False
    try:
        return _open(AESGCM(key.secret), blob.partition(b"|")[2], f"key check|{key.id}", what="The key check") == CHECKED
    except Unsealable:
        return False


# ---------------------------------------------------------------- Below


@dataclass(frozen=True, slots=True)
class _Entry:
    """A ring key as it was written, to be judged: no part of it may be told, for any part may be the secret."""

    text: str = field(repr=False)
    id: str = field(repr=False)
    secret: bytes | None = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        id, _, coded = text.partition(":")
        return cls(text, id, _decoded(coded))


def _problems(entries: Sequence[_Entry]) -> Iterator[str]:
    if not entries:
        yield "it holds no key. `hipwise keys new` makes one."
    for number, entry in enumerate(entries, start=1):
        earlier = entries[: number - 1]
        for fault in (*_faults(entry), *_repeats(entry, earlier)):
            yield f"key {number}: {fault}"


def _faults(entry: _Entry) -> Iterator[str]:
    """Yield what is wrong with a key by itself."""
    if ":" not in entry.text:
        yield "it must be of the form id:base64." if entry.text else "nothing is there. Take the extra comma out."
        return
    if not RING_KEY_ID.fullmatch(entry.id):
        yield "its id must be 1 to 32 characters of a-z, 0-9 and -."
    if entry.secret is None:
        yield "its secret is not base64."
    elif len(entry.secret) != SECRET_BYTES:
        yield f"its secret has {len(entry.secret)} bytes and must have {SECRET_BYTES}. `hipwise keys new` makes one."


def _repeats(entry: _Entry, earlier: Sequence[_Entry]) -> Iterator[str]:
    """Yield what a key shares with one before it."""
    for number, other in enumerate(earlier, start=1):
        if entry.id and entry.id == other.id:
            yield f"key {number} has the same id. Each key needs its own."
        if entry.secret and entry.secret == other.secret:
            yield f"key {number} has the same secret. Take one of them out."


def _decoded(coded: str) -> bytes | None:
    try:
        return base64.b64decode(coded, validate=True)
    except ValueError:
        return None


# These take a cipher and no secret, so that a crash report with the values of variables holds no key.


def _seal(cipher: AESGCM, plaintext: bytes, bound_to: str) -> Sealed:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + cipher.encrypt(nonce, plaintext, bound_to.encode())


def _open(cipher: AESGCM, sealed: object, bound_to: str, *, what: str) -> bytes:
    if not isinstance(sealed, bytes):  # whoever has the file can put anything into a column
        raise Unsealable(what)
    version, nonce, ciphertext = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    if version != VERSION or len(nonce) < NONCE_BYTES:
        raise Unsealable(what)
    try:
        return cipher.decrypt(nonce, ciphertext, bound_to.encode())
    except InvalidTag:
        raise Unsealable(what) from None


def _must_match(form: re.Pattern[str], **parts: str) -> None:
    """Raise ValueError, which names the part and not what it holds, where one could not have been made by us."""
    for name, text in parts.items():
        if not form.fullmatch(text):
            raise ValueError(f"{name} is not of the form {form.pattern}")


def _must_be_whole(secret: bytes) -> None:
    """Raise ValueError for a short key, which AES would take without a word."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a key has {SECRET_BYTES} bytes, not {len(secret)}")
