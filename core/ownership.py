"""What members keep in their own hands: what is kept about them, what they agreed to, a copy of it, and its end."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.dialogue import Command, File, Inbound, Notice, Reply, Role, Session, Tap, Verdict, flow, typed
from core.dialogue.screens import short_version
from core.dialogue.token import MENU, Token, read
from core.dialogue.turn import Button
from core.library import Library
from core.members import Address, Preferences
from core.ports import Belongings, Now

CONSENTS = ("history", "follow_up", "check_ins", "tips")
WRITES_FIRST = ("check_ins", "tips")
"""The consents that /stop takes back."""
UNDER_18 = frozenset({"age_under_10", "age_10_17"})
BACKUP_DAYS = 30
"""How long a backup is kept, as PRIVACY.md asks of operators."""
CONFIRM_WITHIN = 60
"""Minutes for which "yes, erase it all" holds: an old button must not erase anything."""
FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet would take for a formula at the beginning of a value."""


@dataclass(frozen=True, slots=True)
class SignedOff:
    """How many items of the content a clinician has signed off, and how many not."""

    signed: int
    unsigned: int


class Ownership:
    """Answers /privacy, /about, /mydata and /forget, and keeps what is agreed to."""

    def __init__(self, library: Library, belongings: Belongings, now: Now, signed_off: Callable[[Library], SignedOff]) -> None:
        self._library, self._words, self._belongings = library, library.words, belongings
        self._now, self._signed_off = now, signed_off

    async def answer(self, inbound: Inbound, session: Session | None, preferences: Preferences) -> tuple[Reply, ...] | None:
        """Return what to say, or None for what is not about this. Words of danger always go to the conversation."""
        match inbound:
            case Command(name=name, rest=rest, address=address) if not typed.danger_in(self._words, f"{name} {rest}"):
                return await self._command(name, address, preferences)
            case Tap(token=token, address=address) if (pressed := read(token)) and pressed.thread == MENU:
                return await self._pressed(pressed, address, session)
            case _:
                return None

    async def noted(self, address: Address, session: Session | None, replies: Sequence[Reply]) -> None:
        """Keep a result in the history of someone who agreed to that, once; never of someone under 18."""
        verdict = next((r for r in replies if isinstance(r, Verdict)), None)
        if verdict is None or session is None or self._under_18(session) or not await self._agreed(address, "history"):
            return
        entry = {
            "check": session.id,
            "urgency": verdict.urgency.value,
            "patterns": list(verdict.conditions),
            "findings": sorted(flow.findings_of(self._library, session)),
            "version": session.version,
        }
        if entry not in [_without_time(kept) for kept in await self._belongings.history(address)]:
            await self._belongings.remember(address, {**entry, "time": self._now().isoformat()})

    async def stopped(self, address: Address) -> tuple[Reply, ...]:
        """Take back what lets the bot write first; return what to say of it."""
        return tuple([await self._withdraw(address, kind) for kind in WRITES_FIRST if await self._agreed(address, kind)])

    # ---------------------------------------------------------------- Commands and buttons

    async def _command(self, name: str, address: Address, preferences: Preferences) -> tuple[Reply, ...] | None:
        match name:
            case "privacy":
                return (Notice(self._words("privacy", "privacy"), (self._consents_button(),)),)
            case "about":
                return (self._about(),)
            case "mydata":
                return (await self._mydata(address, preferences),)
            case "forget":
                return (await self._ask_to_forget(address),)
            case _:
                return None

    async def _pressed(self, token: Token, address: Address, session: Session | None) -> tuple[Reply, ...] | None:
        kind = CONSENTS[int(token.arg)] if token.arg.isdigit() and int(token.arg) < len(CONSENTS) else None
        match token.act:
            case "consents":
                return (await self._consents(address),)
            case "consent" if kind:
                return (await self._consent(address, kind, session),)
            case "give" if kind:
                return (await self._give(token, address, kind, session),)
            case "withdraw" if kind:
                return (await self._withdraw(address, kind),)
            case "export" if token.arg in ("json", "csv"):
                return (await self._export(address, token.arg),)
            case "forget":
                return (await self._forget(token, address),)
            case _:
                return None

    # ---------------------------------------------------------------- What is known

    def _about(self) -> Notice:
        signed_off = self._signed_off(self._library)  # counted when it is asked for: it reads and hashes all content
        return Notice(
            self._words(
                "privacy",
                "about",
                version=self._library.pathway.version,
                sources=len(self._library.sources),
                signed=signed_off.signed,
                unsigned=signed_off.unsigned,
            )
        )

    async def _mydata(self, address: Address, preferences: Preferences) -> Notice:
        kept = await self._belongings.everything(address)
        if kept is None:
            return Notice(self._words("privacy", "mydata", "nothing"))
        lines = [self._words("privacy", "mydata", "head")]
        for table, count in _counts(kept).items():
            lines.append(self._words("privacy", "mydata", "line", table=self._words("privacy", "tables", table), count=count))
        if kept["sessions"]:
            lines.append(self._words("privacy", "mydata", "open_check"))
        region = self._words("regions", self._library.region(preferences.region).id)
        units = self._words("ui", "buttons", preferences.units.value)
        lines.append(self._words("privacy", "mydata", "settings_line", region=region, units=units))
        exports = (
            self._button("export", self._words("privacy", "mydata", "export_json"), arg="json"),
            self._button("export", self._words("privacy", "mydata", "export_csv"), arg="csv"),
        )
        return Notice("\n".join(lines), (*exports, self._consents_button()))

    async def _export(self, address: Address, form: str) -> Reply:
        kept = await self._belongings.everything(address)
        if kept is None:
            return Notice(self._words("privacy", "mydata", "nothing"))
        content = _as_csv(kept) if form == "csv" else json.dumps(kept, ensure_ascii=False, indent=2)
        return File(self._words("privacy", "mydata", "export_done"), f"hipwise.{form}", content)

    # ---------------------------------------------------------------- The end of it

    async def _ask_to_forget(self, address: Address) -> Notice:
        if await self._belongings.everything(address) is None:
            return Notice(self._words("privacy", "forget", "nothing"))
        yes = self._button("forget", self._words("privacy", "forget", "yes"), arg="yes", step=_minute(self._now()))
        no = self._button("forget", self._words("privacy", "forget", "no"), arg="no")
        return Notice(self._words("privacy", "forget", "ask"), (yes, no))

    async def _forget(self, token: Token, address: Address) -> Notice:
        if token.arg != "yes":
            return Notice(self._words("privacy", "forget", "kept"))
        if (_minute(self._now()) - token.step) % 100_000 > CONFIRM_WITHIN:
            return await self._ask_to_forget(address)
        receipt = await self._belongings.forget(address)
        if receipt is None:
            return Notice(self._words("privacy", "forget", "nothing"))
        before, after = receipt
        lines = [
            self._words(
                "privacy",
                "forget",
                "receipt_line",
                table=self._words("privacy", "tables", table),
                before=count,
                after=after[table],
            )
            for table, count in before.items()
            if count or after[table]
        ]
        ends = (
            self._words("privacy", "forget", "receipt_platform"),
            self._words("privacy", "forget", "receipt_backups", days=BACKUP_DAYS),
        )
        return Notice("\n".join((self._words("privacy", "forget", "receipt_head"), *lines, *ends)))

    # ---------------------------------------------------------------- Consents

    async def _consents(self, address: Address) -> Notice:
        given = [kind for kind in CONSENTS if await self._agreed(address, kind)]
        buttons = tuple(
            self._button(
                "consent",
                self._words("privacy", "consent_on" if kind in given else "consent_off", name=self._name(kind)),
                arg=str(number),
            )
            for number, kind in enumerate(CONSENTS)
        )
        return Notice(self._words("privacy", "consents_head"), buttons)

    async def _consent(self, address: Address, kind: str, session: Session | None) -> Notice:
        text, number = self._text(kind), str(CONSENTS.index(kind))
        if await self._agreed(address, kind):
            label = self._words("privacy", "consents", kind, "withdraw")
            return Notice(text, (self._button("withdraw", label, arg=number), self._consents_button(Role.BACK)))
        if kind == "history" and session is not None and self._under_18(session):
            return Notice(self._words("privacy", "under_18"), (self._consents_button(Role.BACK),))
        label = self._words("privacy", "consents", kind, "give")
        return Notice(text, (self._button("give", label, arg=number), self._consents_button(Role.BACK)))

    async def _give(self, token: Token, address: Address, kind: str, session: Session | None) -> Notice:
        """Keep a yes to the text that was shown; where that may have been another, or is not to be had, show it again."""
        barred = kind == "history" and session is not None and self._under_18(session)
        if barred or token.version != self._version or await self._agreed(address, kind):
            return await self._consent(address, kind, session)
        await self._keep(address, kind, given=True)
        return Notice(self._words("privacy", "consents", kind, "given"), (self._consents_button(Role.BACK),))

    async def _withdraw(self, address: Address, kind: str) -> Notice:
        if await self._agreed_once(address, kind):
            await self._keep(address, kind, given=False)
        if kind == "history":
            await self._belongings.forget_history(address)
        return Notice(self._words("privacy", "consents", kind, "withdrawn"), (self._consents_button(Role.BACK),))

    async def _keep(self, address: Address, kind: str, *, given: bool) -> None:
        plain = {"kind": kind, "text_hash": self._hash(kind), "language": self._words.language, "given": given}
        await self._belongings.consent(address, {**plain, "time": self._now().isoformat()})

    async def _agreed(self, address: Address, kind: str) -> bool:
        """Return whether the latest word on it is a yes to the text as it is now."""
        latest = await self._latest(address, kind)
        return latest is not None and bool(latest["given"]) and latest["text_hash"] == self._hash(kind)

    async def _agreed_once(self, address: Address, kind: str) -> bool:
        latest = await self._latest(address, kind)
        return latest is not None and bool(latest["given"])

    async def _latest(self, address: Address, kind: str) -> Mapping[str, Any] | None:
        return next((c for c in reversed(await self._belongings.consents(address)) if c["kind"] == kind), None)

    def _under_18(self, session: Session) -> bool:
        return bool(UNDER_18 & flow.findings_of(self._library, session))

    def _name(self, kind: str) -> str:
        return self._words("privacy", "consents", kind, "name")

    def _text(self, kind: str) -> str:
        return self._words("privacy", "consents", kind, "text")

    def _hash(self, kind: str) -> str:
        return hashlib.sha256(self._text(kind).encode()).hexdigest()

    # ---------------------------------------------------------------- Buttons

    @property
    def _version(self) -> str:
        return short_version(self._library.pathway.version)

    def _consents_button(self, role: Role = Role.OTHER) -> Button:
        return self._button("consents", self._words("ui", "buttons", "consents"), role=role)

    def _button(self, act: str, label: str, *, arg: str = "", step: int = 0, role: Role = Role.ANSWER) -> Button:
        return Button(str(Token(self._version, MENU, step, act, arg)), label, role)


def _minute(now: datetime) -> int:
    """Return the minute as it fits the step of a token."""
    return int(now.timestamp()) // 60 % 100_000


def _without_time(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "time"}


def _counts(kept: Mapping[str, Any]) -> dict[str, int]:
    """Return how many of each are kept, by the name of their table; what is not there is left out."""
    tables = {"received": "inbox", "deliveries": "outbox"}
    return {tables.get(name, name): len(rows) if isinstance(rows, list) else 1 for name, rows in kept.items() if rows}


def _as_csv(kept: Mapping[str, Any]) -> str:
    """Return what is kept as rows of three: what it is of, which value, and the value."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(("table", "field", "value"))
    for table, value in kept.items():
        rows.writerows((table, field, _harmless(text)) for field, text in _fields("", value))
    return written.getvalue()


def _fields(name: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for key, part in value.items():
                yield from _fields(f"{name}.{key}".lstrip("."), part)
        case list() | tuple():
            for number, part in enumerate(value, start=1):
                yield from _fields(f"{name}.{number}".lstrip("."), part)
        case None:
            pass
        case _:
            yield name, str(value)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
