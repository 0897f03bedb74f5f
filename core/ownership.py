"""What members keep in their own hands: what is kept about them, what they agreed to, a copy of it, and its end."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core import consents
from core.dialogue import Command, File, Inbound, Notice, Reply, Role, Session, Tap, Verdict, flow, typed
from core.dialogue.screens import short_version
from core.dialogue.token import MENU, Token, read
from core.dialogue.turn import Button
from core.ledger import Kind, Owed
from core.library import Library
from core.link import Agreed
from core.members import Address, Preferences
from core.ports import Now, Records
from core.record import Plain, Record

CONSENTS = ("history", "follow_up", "check_ins", "tips")
UNDER_18 = frozenset({"age_under_10", "age_10_17"})
BACKUP_DAYS = 30
"""How long a backup is kept, as PRIVACY.md asks of operators."""
CONFIRM_WITHIN = 60
"""Minutes for which "yes, erase it all" holds: an old button must not erase anything."""
FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet would take for a formula at the beginning of a value."""


Counts = Mapping[str, int]
"""How many rows there are, by table."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, and what it changes of what is agreed to."""

    replies: tuple[Reply, ...]
    consents: tuple[Plain, ...] = ()
    forget_history: bool = False


@dataclass(frozen=True, slots=True)
class Erasing:
    """That all is to be erased: what is said then, and what is said where nothing is there."""

    receipt: Callable[[Counts, Counts], Notice]
    nothing: Notice
    deletions: tuple[Owed, ...] = ()
    """Our messages on the platform, each to be deleted."""


@dataclass(frozen=True, slots=True)
class SignedOff:
    """How many items of the content a clinician has signed off, and how many not."""

    signed: int
    unsigned: int


class Ownership:
    """Answers /privacy, /about, /mydata and /forget, and says what to keep of what is agreed to."""

    def __init__(self, library: Library, records: Records, now: Now, signed_off: Callable[[Library], SignedOff]) -> None:
        self._library, self._words, self._records = library, library.words, records
        self._now, self._signed_off = now, signed_off

    async def answer(self, inbound: Inbound, record: Record, session: Session | None) -> Said | Erasing | None:
        """Return what to say and to change, or None for what is not about this. Words of danger go to the conversation."""
        match inbound:
            case Command(name=name, rest=rest, address=address) if not typed.danger_in(self._words, f"{name} {rest}"):
                return await self._command(name, address, record)
            case Tap(token=token, address=address) if (pressed := read(token)) and pressed.thread == MENU:
                return await self._pressed(pressed, address, record, session)
            case _:
                return None

    def result(self, record: Record, session: Session | None, replies: Sequence[Reply]) -> Plain | None:
        """Return a result for the history of someone who agreed to that; never of someone under 18."""
        verdict = next((r for r in replies if isinstance(r, Verdict)), None)
        if verdict is None or session is None or not self._agreed(record, "history") or self._under_18(session):
            return None
        return {
            "check": session.id,
            "urgency": verdict.urgency.value,
            "patterns": list(verdict.conditions),
            "findings": sorted(flow.findings_of(self._library, session)),
            "version": session.version,
            "time": self._now().isoformat(),
        }

    def agreed_by_both(self, older: Record, newer: Record) -> Agreed:
        """Return what holds of two members who are one from now on: what both agreed to, and nothing that only one did."""
        ends = [kind for kind in CONSENTS if self._agreed(older, kind) != self._agreed(newer, kind)]
        both = self._agreed(older, "history") and self._agreed(newer, "history")
        return Agreed(tuple(self._kept(kind, given=False) for kind in ends), history=both, ends="history" in ends)

    # ---------------------------------------------------------------- Commands and buttons

    async def _command(self, name: str, address: Address, record: Record) -> Said | Erasing | None:
        match name:
            case "privacy":
                return Said((Notice(self._words("privacy", "privacy"), (self.consents_button(),), fleeting=True),))
            case "about":
                return Said((self._about(),))
            case "mydata":
                return Said((await self._mydata(address, record.preferences),))
            case "forget":
                return Said((await self._ask_to_forget(address, record),))
            case _:
                return None

    async def _pressed(self, token: Token, address: Address, record: Record, session: Session | None) -> Said | Erasing | None:
        kind = CONSENTS[int(token.arg)] if token.arg.isdigit() and int(token.arg) < len(CONSENTS) else None
        match token.act:
            case "consents":
                return Said((self._consents(record),))
            case "consent" if kind:
                return Said((self._consent(record, kind, session),))
            case "give" if kind:
                return self._give(token, record, kind, session)
            case "withdraw" if kind:
                return self._withdraw(record, kind)
            case "export" if token.arg in ("json", "csv"):
                return Said((await self._export(address, token.arg),))
            case "forget":
                return await self._forget(token, address, record)
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
            ),
            fleeting=True,
        )

    async def _mydata(self, address: Address, preferences: Preferences) -> Notice:
        kept = await self._records.everything(address)
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
        return Notice("\n".join(lines), (*exports, self.consents_button()), fleeting=True)

    async def _export(self, address: Address, form: str) -> Reply:
        kept = await self._records.everything(address)
        if kept is None:
            return Notice(self._words("privacy", "mydata", "nothing"))
        content = _as_csv(kept) if form == "csv" else json.dumps(kept, ensure_ascii=False, indent=2)
        return File(self._words("privacy", "mydata", "export_done"), f"hipwise.{form}", content)

    # ---------------------------------------------------------------- The end of it

    async def _ask_to_forget(self, address: Address, record: Record) -> Notice:
        if await self._records.everything(address) is None:
            return Notice(self._words("privacy", "forget", "nothing"))
        now = minute_of(self._now())
        ways = ["yes", "messages"] if await self._records.messages(address) else ["yes"]
        yes = [self._button("forget", self._words("privacy", "forget", way), arg=way, step=now) for way in ways]
        no = self._button("forget", self._words("privacy", "forget", "no"), arg="no")
        ask = self._words("privacy", "forget", "ask")
        if record.linked:
            ask = f"{ask}\n{self._words('privacy', 'forget', 'linked')}"
        return Notice(ask, (*yes, no), fleeting=True)

    async def _forget(self, token: Token, address: Address, record: Record) -> Said | Erasing:
        if token.arg not in ("yes", "messages"):
            return Said((Notice(self._words("privacy", "forget", "kept")),))
        if is_over(token, self._now()):
            return Said((await self._ask_to_forget(address, record),))
        deletions = await self._deletions(address) if token.arg == "messages" else ()
        return Erasing(self._receipt, Notice(self._words("privacy", "forget", "nothing")), deletions)

    async def _deletions(self, address: Address) -> tuple[Owed, ...]:
        now = self._now()
        return tuple(Owed(Kind.DELETION, {}, now, edits=id) for id in await self._records.messages(address))

    def _receipt(self, before: Counts, after: Counts) -> Notice:
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

    def _consents(self, record: Record) -> Notice:
        given = [kind for kind in CONSENTS if self._agreed(record, kind)]
        buttons = tuple(
            self._button(
                "consent",
                self._words("privacy", "consent_on" if kind in given else "consent_off", name=self.name(kind)),
                arg=str(number),
            )
            for number, kind in enumerate(CONSENTS)
        )
        return Notice(self._words("privacy", "consents_head"), buttons, fleeting=True)

    def _consent(self, record: Record, kind: str, session: Session | None) -> Notice:
        text, number = consents.text_of(self._words, kind), str(CONSENTS.index(kind))
        if self._agreed(record, kind):
            label = self._words("privacy", "consents", kind, "withdraw")
            return Notice(text, (self._button("withdraw", label, arg=number), self.consents_button(Role.BACK)), fleeting=True)
        if self._barred(kind, session):
            return Notice(self._words("privacy", "under_18"), (self.consents_button(Role.BACK),), fleeting=True)
        label = self._words("privacy", "consents", kind, "give")
        return Notice(text, (self._button("give", label, arg=number), self.consents_button(Role.BACK)), fleeting=True)

    def _give(self, token: Token, record: Record, kind: str, session: Session | None) -> Said:
        """Take a yes to the text that was shown; where that may have been another, or is not to be had, show it again."""
        if self._barred(kind, session) or token.version != self._version or self._agreed(record, kind):
            return Said((self._consent(record, kind, session),))
        thanks = Notice(self._words("privacy", "consents", kind, "given"), (self.consents_button(Role.BACK),))
        return Said((thanks,), (self._kept(kind, given=True),))

    def _withdraw(self, record: Record, kind: str) -> Said:
        taken = consents.withdrawn(self._words, record.consents, kind, self._now())
        done = Notice(self._words("privacy", "consents", kind, "withdrawn"), (self.consents_button(Role.BACK),))
        return Said((done,), taken, forget_history=kind == "history")

    def _kept(self, kind: str, *, given: bool) -> Plain:
        return consents.as_kept(self._words, kind, self._now(), given=given)

    def _agreed(self, record: Record, kind: str) -> bool:
        return consents.agreed(self._words, record.consents, kind)

    def _barred(self, kind: str, session: Session | None) -> bool:
        return kind == "history" and session is not None and self._under_18(session)

    def _under_18(self, session: Session) -> bool:
        return bool(UNDER_18 & flow.findings_of(self._library, session))

    def name(self, kind: str) -> str:
        """Return what members call a consent."""
        return self._words("privacy", "consents", kind, "name")

    # ---------------------------------------------------------------- Buttons

    @property
    def _version(self) -> str:
        return short_version(self._library.pathway.version)

    def consents_button(self, role: Role = Role.OTHER) -> Button:
        """Return the button that shows what there is to agree to."""
        return self._button("consents", self._words("ui", "buttons", "consents"), role=role)

    def _button(self, act: str, label: str, *, arg: str = "", step: int = 0, role: Role = Role.ANSWER) -> Button:
        return Button(str(Token(self._version, MENU, step, act, arg)), label, role)


def minute_of(now: datetime) -> int:
    """Return the minute as it fits the step of a token."""
    return int(now.timestamp()) // 60 % 100_000


def is_over(token: Token, now: datetime) -> bool:
    """Return whether a button that was drawn with `minute_of` is too old to do what cannot be undone."""
    return (minute_of(now) - token.step) % 100_000 > CONFIRM_WITHIN


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
