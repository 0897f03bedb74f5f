"""Sealing: what is sealed opens with its key at its place, and nothing else opens at all."""

import base64
import re
import traceback
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SettingsError
from core.vault import (
    DataKey,
    KeyRing,
    KeyRingError,
    Lookup,
    Place,
    RingKey,
    Sealer,
    Unsealable,
    Wrapped,
    check_value,
    checked_key,
    new_key_text,
    opens,
)

OLD = RingKey("old", b"O" * 32)
NEW = RingKey("new", b"N" * 32)
MEMBER = "aa11bb22cc33"
DATA_KEY = DataKey.fresh()

OUR_IDS = st.text("0123456789abcdef", min_size=8, max_size=32)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
PLACES = st.builds(Place, table=NAMES, column=NAMES, member=OUR_IDS, row=OUR_IDS)
DATA_KEYS = st.builds(DataKey, id=OUR_IDS, secret=st.binary(min_size=32, max_size=32))
HERE = Place("sessions", "answers", MEMBER, "00ff00ff00ff")


def coded(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


def flipped(data: bytes, bit: int) -> bytes:
    at, mask = bit // 8 % len(data), 1 << bit % 8
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def refused(sealer: Sealer, place: Place, sealed: bytes) -> bool:
    try:
        sealer.open(place, sealed)
    except Unsealable:
        return True
    return False


# ---------------------------------------------------------------- Sealed values


@given(key=DATA_KEYS, place=PLACES, plaintext=st.binary(max_size=300))
@settings(deadline=None)
def test_what_is_sealed_opens_at_its_place(key: DataKey, place: Place, plaintext: bytes) -> None:
    assert key.open(place, key.seal(place, plaintext)) == plaintext


def test_a_sealed_value_is_laid_out_and_bound_as_promised() -> None:
    sealed = DATA_KEY.seal(HERE, b"sore")
    bound_to = f"sessions|answers|{MEMBER}|00ff00ff00ff|{DATA_KEY.id}".encode()

    assert sealed[:1] == b"\x01"
    assert len(sealed) == 1 + 12 + len(b"sore") + 16
    assert AESGCM(DATA_KEY.secret).decrypt(sealed[1:13], sealed[13:], bound_to) == b"sore"


def test_the_same_value_never_looks_the_same_twice() -> None:
    assert len({DATA_KEY.seal(HERE, b"yes") for _ in range(1000)}) == 1000


@given(place=PLACES, plaintext=st.binary(max_size=60), bit=st.integers(0, 10_000))
@settings(deadline=None)
def test_any_flipped_bit_is_refused(place: Place, plaintext: bytes, bit: int) -> None:
    sealed = DATA_KEY.seal(place, plaintext)

    assert refused(DATA_KEY, place, flipped(sealed, bit))


def test_every_single_bit_of_a_value_counts() -> None:
    sealed = DATA_KEY.seal(HERE, b"groin pain")

    assert all(refused(DATA_KEY, HERE, flipped(sealed, bit)) for bit in range(8 * len(sealed)))


def test_cut_short_or_made_longer_a_value_is_refused() -> None:
    sealed = DATA_KEY.seal(HERE, b"groin pain")

    assert all(refused(DATA_KEY, HERE, sealed[:length]) for length in range(len(sealed)))
    assert all(refused(DATA_KEY, HERE, sealed[length:]) for length in range(1, len(sealed)))
    assert refused(DATA_KEY, HERE, sealed + b"\0")


@given(forged=st.binary(max_size=100))
@settings(deadline=None)
def test_bytes_that_nobody_sealed_are_refused(forged: bytes) -> None:
    assert refused(DATA_KEY, HERE, forged)
    assert refused(DATA_KEY, HERE, b"\x01" + forged)


@given(place=PLACES, other=PLACES, parts=st.sets(st.sampled_from(["table", "column", "member", "row"]), min_size=1))
@settings(deadline=None)
def test_a_value_moved_to_any_other_place_is_refused(place: Place, other: Place, parts: set[str]) -> None:
    moved = replace(place, **{part: getattr(other, part) for part in parts})
    sealed = DATA_KEY.seal(place, b"yes")

    assert refused(DATA_KEY, moved, sealed) is (moved != place)


@pytest.mark.parametrize(
    ("part", "other"), [("table", "history"), ("column", "entry"), ("member", "bb22cc33dd44"), ("row", "11aa11aa11aa")]
)
def test_a_value_is_bound_to_each_part_of_its_place(part: str, other: str) -> None:
    assert refused(DATA_KEY, replace(HERE, **{part: other}), DATA_KEY.seal(HERE, b"yes"))


def test_two_values_that_are_swapped_are_both_refused() -> None:
    there = replace(HERE, row="11aa11aa11aa")
    here_sealed, there_sealed = DATA_KEY.seal(HERE, b"yes"), DATA_KEY.seal(there, b"no")

    assert refused(DATA_KEY, HERE, there_sealed)
    assert refused(DATA_KEY, there, here_sealed)


def test_another_data_key_opens_nothing_even_under_the_same_id_or_secret() -> None:
    sealed = DATA_KEY.seal(HERE, b"yes")
    other = DataKey.fresh()

    assert refused(other, HERE, sealed)
    assert refused(replace(other, id=DATA_KEY.id), HERE, sealed)
    assert refused(replace(other, secret=DATA_KEY.secret), HERE, sealed)


@pytest.mark.parametrize("part", ["member", "row"])
@pytest.mark.parametrize("id", ["", "abc", "ABCDEF01", "aa11bb22|33", "aa11bb22\n", "telegram:1234567", "٠١٢٣٤٥٦٧"])
def test_an_id_that_is_not_ours_has_no_place(part: str, id: str) -> None:
    with pytest.raises(ValueError, match=f"^{part} is not") as caught:
        replace(HERE, **{part: id})

    assert not id or id not in str(caught.value)


@pytest.mark.parametrize("part", ["table", "column"])
@pytest.mark.parametrize("name", ["", "a|b", "Sessions", "1st", "a b", "answers\n"])
def test_a_name_that_could_be_read_in_two_ways_has_no_place(part: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{part} is not"):
        replace(HERE, **{part: name})


# ---------------------------------------------------------------- The key ring


def test_the_first_key_writes_and_every_key_reads() -> None:
    by_old = KeyRing((OLD,)).wrap(DATA_KEY, MEMBER)
    ring = KeyRing((NEW, OLD))
    by_new = ring.wrap(ring.unwrap(by_old, MEMBER), MEMBER)

    assert (by_old.ring_key, by_new.ring_key) == ("old", "new")
    assert ring.unwrap(by_old, MEMBER) == ring.unwrap(by_new, MEMBER) == DATA_KEY
    assert (ring.needs_rewrap(by_old), ring.needs_rewrap(by_new)) == (True, False)
    assert KeyRing((NEW,)).unwrap(by_new, MEMBER) == DATA_KEY


@given(key=DATA_KEYS, member=OUR_IDS, other=OUR_IDS)
@settings(deadline=None)
def test_a_data_key_unwraps_for_its_member_only(key: DataKey, member: str, other: str) -> None:
    ring = KeyRing((NEW,))
    wrapped = ring.wrap(key, member)

    assert ring.unwrap(wrapped, member) == key
    if other != member:
        with pytest.raises(Unsealable):
            ring.unwrap(wrapped, other)


def test_every_single_bit_of_a_wrapped_key_counts() -> None:
    ring = KeyRing((NEW,))
    wrapped = ring.wrap(DATA_KEY, MEMBER)

    for bit in range(8 * len(wrapped.blob)):
        with pytest.raises(Unsealable):
            ring.unwrap(Wrapped(wrapped.ring_key, flipped(wrapped.blob, bit)), MEMBER)


def test_a_wrapped_key_is_bound_to_the_ring_key_it_names() -> None:
    twin = RingKey("twin", NEW.secret)
    wrapped = KeyRing((NEW,)).wrap(DATA_KEY, MEMBER)

    with pytest.raises(Unsealable):
        KeyRing((twin,)).unwrap(replace(wrapped, ring_key="twin"), MEMBER)


def test_a_ring_key_that_is_gone_is_named() -> None:
    wrapped = KeyRing((OLD,)).wrap(DATA_KEY, MEMBER)

    with pytest.raises(Unsealable, match="the key 'old' is not in the key ring"):
        KeyRing((NEW,)).unwrap(wrapped, MEMBER)


def test_a_member_id_that_is_not_ours_is_never_wrapped_for() -> None:
    ring = KeyRing((NEW,))

    with pytest.raises(ValueError, match=r"^member is not"):
        ring.wrap(DATA_KEY, "1|2")
    with pytest.raises(ValueError, match=r"^member is not"):
        ring.unwrap(ring.wrap(DATA_KEY, MEMBER), "1|2")


def test_keys_of_different_purposes_do_not_pass_for_each_other() -> None:
    ring = KeyRing((NEW,))
    data_key, lookup = ring.wrap(DATA_KEY, MEMBER), ring.wrap_lookup(Lookup.fresh())

    with pytest.raises(Unsealable):
        ring.unwrap(lookup, MEMBER)
    with pytest.raises(Unsealable):
        ring.unwrap_lookup(data_key)
    assert not opens(ring, b"new|" + data_key.blob)


A, B = coded(b"A" * 32), coded(b"B" * 32)
EXTRA_COMMA = "nothing is there. Take the extra comma out."
NO_FORM = "it must be of the form id:base64."
BAD_ID = "its id must be 1 to 32 characters of a-z, 0-9 and -."
NOT_BASE64 = "its secret is not base64."

BAD_KEYS: dict[str, tuple[str, list[str]]] = {
    "empty": ("", ["it holds no key. `hipwise keys new` makes one."]),
    "only spaces": (" \n", ["it holds no key. `hipwise keys new` makes one."]),
    "only a comma": (",", [f"key 1: {EXTRA_COMMA}", f"key 2: {EXTRA_COMMA}"]),
    "comma at the end": (f"a:{A},", [f"key 2: {EXTRA_COMMA}"]),
    "two commas": (f"a:{A},,b:{B}", [f"key 2: {EXTRA_COMMA}"]),
    "no id": (f":{A}", [f"key 1: {BAD_ID}"]),
    "no colon": (A, [f"key 1: {NO_FORM}"]),
    "capitals in the id": (f"Key:{A}", [f"key 1: {BAD_ID}"]),
    "other signs in the id": (f"a_b|c:{A}", [f"key 1: {BAD_ID}"]),
    "foreign digits in the id": (f"٣:{A}", [f"key 1: {BAD_ID}"]),
    "long id": (f"{'a' * 33}:{A}", [f"key 1: {BAD_ID}"]),
    "id and secret changed about": (f"{A}:a", [f"key 1: {BAD_ID}", f"key 1: {NOT_BASE64}"]),
    "no secret": ("a:", ["key 1: its secret has 0 bytes and must have 32. `hipwise keys new` makes one."]),
    "short": (f"a:{coded(b'A' * 16)}", ["key 1: its secret has 16 bytes and must have 32. `hipwise keys new` makes one."]),
    "one byte short": (
        f"a:{coded(b'A' * 31)}",
        ["key 1: its secret has 31 bytes and must have 32. `hipwise keys new` makes one."],
    ),
    "long": (f"a:{coded(b'A' * 33)}", ["key 1: its secret has 33 bytes and must have 32. `hipwise keys new` makes one."]),
    "hexadecimal": (f"a:{'ab' * 32}", ["key 1: its secret has 48 bytes and must have 32. `hipwise keys new` makes one."]),
    "cut off": (f"a:{A[:-1]}", [f"key 1: {NOT_BASE64}"]),
    "signs that base64 has not": (f"a:{A[:-4]}!?~=", [f"key 1: {NOT_BASE64}"]),
    "letters that base64 has not": (f"a:{A[:-1]}é", [f"key 1: {NOT_BASE64}"]),
    "same id": (f"a:{A},a:{B}", ["key 2: key 1 has the same id. Each key needs its own."]),
    "same secret": (f"a:{A},b:{A}", ["key 2: key 1 has the same secret. Take one of them out."]),
    "same key": (
        f"a:{A},b:{B},a:{A}",
        [
            "key 3: key 1 has the same id. Each key needs its own.",
            "key 3: key 1 has the same secret. Take one of them out.",
        ],
    ),
    "everything at once": (
        f"A:{A},b:{A},b:zz,{B}",
        [
            f"key 1: {BAD_ID}",
            "key 2: key 1 has the same secret. Take one of them out.",
            f"key 3: {NOT_BASE64}",
            "key 3: key 2 has the same id. Each key needs its own.",
            f"key 4: {NO_FORM}",
        ],
    ),
}


@pytest.mark.parametrize(("text", "problems"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_bad_keys_are_refused_with_everything_that_is_wrong(text: str, problems: list[str]) -> None:
    with pytest.raises(KeyRingError) as caught:
        KeyRing.parse(text)

    assert list(caught.value.problems) == problems
    assert str(caught.value).splitlines() == problems
    assert isinstance(caught.value, SettingsError)


def test_the_same_secret_written_differently_is_still_the_same() -> None:
    twin = A[:-2] + chr(ord(A[-2]) + 1) + "="  # the last bits of base64 that stand for nothing

    with pytest.raises(KeyRingError, match="key 1 has the same secret"):
        KeyRing.parse(f"a:{A},b:{twin}")


@pytest.mark.parametrize("between", [",", ", ", "\n", "\r\n", ",\n", "\n\n", " , "])
def test_keys_stand_after_commas_or_on_lines_of_their_own(between: str) -> None:
    ring = KeyRing.parse(f" a-1:{A}{between}b:{B}\n")

    assert ring == KeyRing((RingKey("a-1", b"A" * 32), RingKey("b", b"B" * 32)))


@given(text=st.text("ab:,=A+/ \n", max_size=60) | st.text())
@settings(deadline=None)
def test_any_text_is_a_ring_or_refused(text: str) -> None:
    try:
        ring = KeyRing.parse(text)
    except KeyRingError as error:
        told = error.problems
    else:
        told = tuple(key.id for key in ring.keys)

    assert told


def test_a_new_key_is_one_that_the_ring_reads() -> None:
    texts = [new_key_text() for _ in range(20)]

    assert all(re.fullmatch(r"[0-9a-f]{6}:[A-Za-z0-9+/]{43}=", text) for text in texts)
    assert len({KeyRing.parse(text).writer.secret for text in texts}) == 20


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33])
@pytest.mark.parametrize("made", [lambda s: RingKey("a", s), lambda s: DataKey("aa11bb22", s), Lookup])
def test_no_key_is_ever_short_or_long(made: Callable[[bytes], object], length: int) -> None:
    with pytest.raises(ValueError, match=f"^a key has 32 bytes, not {length}$"):
        made(b"s" * length)


# ---------------------------------------------------------------- Looking up


def test_a_platform_id_is_found_again_and_only_under_its_platform_and_key() -> None:
    lookup = Lookup(b"L" * 32)
    digest = lookup.of("telegram", "12345")

    assert len(digest) == 32
    assert lookup.of("telegram", "12345") == digest
    others = {lookup.of("discord", "12345"), lookup.of("telegram", "1234"), Lookup.fresh().of("telegram", "12345")}
    assert len(others | {digest}) == 4


def test_a_platform_whose_name_could_run_into_the_id_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^platform is not"):
        Lookup.fresh().of("telegram|1", "2345")


def test_the_look_up_key_is_wrapped_and_wrapped_anew() -> None:
    lookup = Lookup.fresh()
    by_old = KeyRing((OLD,)).wrap_lookup(lookup)
    ring = KeyRing((NEW, OLD))
    by_new = ring.wrap_lookup(ring.unwrap_lookup(by_old))

    assert (ring.needs_rewrap(by_old), ring.needs_rewrap(by_new)) == (True, False)
    assert KeyRing((NEW,)).unwrap_lookup(by_new) == lookup
    with pytest.raises(Unsealable, match=r"^The look-up key cannot be opened: the key 'old'"):
        KeyRing((NEW,)).unwrap_lookup(by_old)


# ---------------------------------------------------------------- The key check


def test_the_key_check_opens_with_any_ring_that_holds_its_key() -> None:
    check = check_value(KeyRing((OLD,)))

    assert checked_key(check) == "old"
    assert opens(KeyRing((OLD,)), check)
    assert opens(KeyRing((NEW, OLD)), check)
    assert not opens(KeyRing((NEW,)), check)
    assert not opens(KeyRing((RingKey("old", b"X" * 32),)), check)
    assert not opens(KeyRing((RingKey("new", OLD.secret),)), check.replace(b"old", b"new"))


def test_a_key_check_that_was_changed_opens_with_nothing() -> None:
    ring = KeyRing((OLD,))
    check = check_value(ring)

    assert not any(opens(ring, flipped(check, bit)) for bit in range(8 * len(check)))
    assert not any(opens(ring, check[:length]) for length in range(len(check)))


@pytest.mark.parametrize("blob", [b"", b"|", b"\xff\xfe|", b"Old|x", b"old\n|x"])
def test_a_key_check_without_a_readable_id_names_no_key(blob: bytes) -> None:
    assert checked_key(blob) is None
    assert not opens(KeyRing((OLD,)), blob)


# ---------------------------------------------------------------- Nothing tells a secret

SECRET = bytes(range(200, 232))
TELLING = (repr(SECRET)[2:-1], SECRET.hex(), coded(SECRET), coded(SECRET)[:-1], "groin pain")


def tells(text: str) -> bool:
    return any(telling in text for telling in TELLING)


def told_by(error: BaseException) -> str:
    """Return all that a log with the values of our own variables would hold of an error."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@pytest.mark.parametrize(
    "holder",
    [
        RingKey("a", SECRET),
        DataKey("aa11bb22", SECRET),
        Lookup(SECRET),
        KeyRing((RingKey("a", SECRET),)),
        KeyRing((RingKey("a", SECRET),)).wrap(DataKey("aa11bb22", SECRET), MEMBER),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_no_key_shows_its_secret(holder: object) -> None:
    assert tells(repr(SECRET))
    assert not any(tells(shown) for shown in (repr(holder), str(holder), f"{holder}", repr([holder])))


def test_what_cannot_be_opened_is_named_and_not_told() -> None:
    key = DataKey("aa11bb22", SECRET)
    sealed = key.seal(HERE, b"groin pain")
    with pytest.raises(Unsealable) as caught:
        key.open(replace(HERE, row="11aa11aa11aa"), sealed)

    assert str(caught.value) == ("sessions.answers of row 11aa11aa11aa cannot be opened: it is not what was sealed there")
    assert not tells(told_by(caught.value))


def test_a_key_that_cannot_be_unwrapped_is_not_told() -> None:
    ring = KeyRing((RingKey("a", SECRET),))
    wrapped = KeyRing((RingKey("a", b"X" * 32),)).wrap(DATA_KEY, MEMBER)
    with pytest.raises(Unsealable, match=f"^The data key of member {MEMBER} cannot be opened: it is not") as caught:
        ring.unwrap(wrapped, MEMBER)

    assert not tells(told_by(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        coded(SECRET),
        f"{coded(SECRET)}:a",
        f"a:{coded(SECRET)},a:{coded(SECRET)}",
        f"A:{coded(SECRET)}",
        f"a:{coded(SECRET)[:-1]}",
        f"a:{coded(SECRET)}é",
        f"a:{SECRET.hex()}",
        f"{SECRET.hex()[:32]}:{SECRET.hex()[32:]}",
    ],
)
def test_bad_keys_are_never_repeated(text: str) -> None:
    with pytest.raises(KeyRingError) as caught:
        KeyRing.parse(text)
    told = "".join(traceback.format_exception(caught.value))

    assert not tells(told)
    assert text not in told
    assert SECRET.hex()[:32] not in told
    assert caught.value.__context__ is None
