"""What members agree to: to which text, and whether the latest word on it is a yes. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from core.record import Plain
from core.words import Words


def text_of(words: Words, kind: str) -> str:
    """Return exactly what is agreed to."""
    return words("privacy", "consents", kind, "text")


def agreed(words: Words, consents: Sequence[Plain], kind: str) -> bool:
    """Return whether the latest word on it is a yes to the text as it is now."""
    last = latest(consents, kind)
    return last is not None and bool(last["given"]) and last["text_hash"] == _hash(words, kind)


def as_kept(words: Words, kind: str, now: datetime, *, given: bool) -> Plain:
    """Return a yes or a no as it is kept: to which text, in which language, and when."""
    text = {"kind": kind, "text_hash": _hash(words, kind), "language": words.language}
    return {**text, "given": given, "time": now.isoformat()}


def withdrawn(words: Words, consents: Sequence[Plain], kind: str, now: datetime) -> tuple[Plain, ...]:
    """Return what takes a consent back; nothing where it was taken back before.

    Where nothing is known of it, it may be that nothing can be read: a no is kept all the same.
    """
    last = latest(consents, kind)
    return (as_kept(words, kind, now, given=False),) if last is None or last["given"] else ()


def latest(consents: Sequence[Plain], kind: str) -> Plain | None:
    """Return the latest word on a consent, if there is any."""
    return next((consent for consent in reversed(consents) if consent["kind"] == kind), None)


def _hash(words: Words, kind: str) -> str:
    return hashlib.sha256(text_of(words, kind).encode()).hexdigest()
