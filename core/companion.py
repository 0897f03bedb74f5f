"""The one door in: every adapter hands what a member did to `Companion` and sends what comes back."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from core.club import Chat, Club
from core.coaching import Coaching, Proposal, Told
from core.dialogue import (
    Command,
    Inbound,
    Notice,
    Reply,
    Session,
    Turn,
    UnreadableSession,
    advance,
    begun,
    beside,
    from_json,
    to_json,
)
from core.dialogue import typed as typed_words
from core.dialogue.screens import safely
from core.diary import Diary, UnreadableDiary
from core.diary import from_json as diary_of
from core.diary import to_json as diary_plain
from core.errors import Overtaken, StorageUnavailable
from core.ledger import Delivery, Kind, Owed
from core.library import Library
from core.limits import REMEMBERED, Allowance
from core.link import Outcome
from core.linking import Linked, Linking
from core.members import Address, Preferences
from core.organising import Organised, Organising
from core.ownership import Counts, Erasing, Ownership, Said
from core.ports import FreshId, Now, Records
from core.record import Change, Record
from core.replies import owed

log = logging.getLogger(__name__)

Owe = Callable[[Sequence[Reply]], Sequence[Owed]]
"""How a platform owes the replies of a turn: as which messages, due when, and which message of its own one may change."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to an inbound, and the deliveries by which it is owed; none where nothing could be kept."""

    replies: tuple[Reply, ...]
    deliveries: tuple[Delivery, ...] = ()
    elsewhere: tuple[Delivery, ...] = ()
    """Deliveries to other addresses that it led to, to be sent as they are."""
    kept: bool = True
    open: bool = True
    """Whether a check may be open after it."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """An inbound, and how its answer is to be owed."""

    inbound: Inbound
    owe: Owe | None
    handled: str | None
    place: str | None = None
    apart: bool = False
    proposal: Proposal | None = None
    """What was proposed by the answer before, if anything."""

    def owed(self, replies: Sequence[Reply]) -> tuple[Owed, ...]:
        return () if self.owe is None else tuple(self.owe(replies))


class Companion:
    """Answers members, one turn at a time for each of them."""

    def __init__(
        self,
        library: Library,
        records: Records,
        now: Now,
        fresh_id: FreshId,
        ownership: Ownership | None = None,
        *,
        linking: Linking | None = None,
        coaching: Coaching | None = None,
        organising: Organising | None = None,
    ) -> None:
        self._ownership, self._linking, self._coaching, self._organising = ownership, linking, coaching, organising
        self._library, self._records, self._now, self._fresh_id = library, records, now, fresh_id
        self._allowance = Allowance()
        self._told: set[Address] = set()
        # In memory alone: nothing is kept of someone who has agreed to nothing.
        self._proposals: dict[Address, Proposal] = {}
        # Weak, so that a member who has gone leaves nothing behind.
        self._locks: WeakValueDictionary[Address | str, asyncio.Lock] = WeakValueDictionary()

    async def handle(self, inbound: Inbound) -> tuple[Reply, ...]:
        """Return what to say to this inbound, where that is shown at once and nothing of it is owed."""
        return (await self.answer(inbound)).replies

    async def answer(
        self,
        inbound: Inbound,
        owe: Owe | None = None,
        handled: str | None = None,
        place: str | None = None,
        *,
        apart: bool = False,
    ) -> Answer:
        """Return what to say to this inbound, after the turn, what is owed and its update as handled were kept together.

        Two inbounds of one member are taken one after the other. A failure keeps the session as it was and is answered
        with a kind sentence and the safety line; the log has the kind of error and nothing that was said.
        `apart` says that it was done elsewhere than in the conversation in which its member is written to.
        """
        async with self._locks.setdefault(inbound.address, asyncio.Lock()):
            asked = _Asked(inbound, owe, handled, place, apart, self._proposals.pop(inbound.address, None))
            try:
                return await self._in_turn(asked)
            except Exception as error:  # noqa: BLE001 - the member must get an answer whatever went wrong
                # No traceback: its locals may hold what was said.
                log.error("turn.failed", extra={"error": type(error).__name__})  # noqa: TRY400
                return await self._failed(asked)

    def unreadable(self) -> Notice:
        """Return the answer to something that no adapter can make sense of."""
        return self._safe("unreadable")

    # ---------------------------------------------------------------- A turn

    async def _in_turn(self, asked: _Asked) -> Answer:
        try:
            return await self._alone(asked)
        except Overtaken:
            return await self._alone(asked)

    async def _alone(self, asked: _Asked) -> Answer:
        """Take a turn alone; a member with several addresses takes one at a time, whichever they are at."""
        record = await self._records.load(asked.inbound.address)
        if not record.linked or record.member is None:
            return await self._turn(asked, record)
        async with self._locks.setdefault(record.member, asyncio.Lock()):
            return await self._turn(asked, await self._records.load(asked.inbound.address))

    async def _turn(self, asked: _Asked, record: Record) -> Answer:
        inbound, session = asked.inbound, _readable(record)
        if not self._in_time(inbound, session):
            return await self._told_only(asked, (replace(self._safe("too_fast"), fleeting=True),))
        if self._organising is not None and self._organising.concerns(inbound) and not self._dangerous(inbound):
            return await self._organise(self._organising, asked, record, session)
        if (told := self._coached(asked, record, session)) is not None:
            return await self._tell(asked, record, session, told)
        own = await self._own(inbound, record, session)
        match own:
            case Erasing():
                return await self._erase(asked, own)
            case Linked():
                return await self._link(asked, own)
            case Said():
                return await self._beside(asked, record, session, own)
            case None:
                return await self._advance(asked, record, session)

    def _coached(self, asked: _Asked, record: Record, session: Session | None) -> Told | None:
        """Return what is said about check-ins and tips; nothing where the diary cannot be read: it stays as it is."""
        if self._coaching is None:
            return None
        try:
            diary = _diary(record)
        except UnreadableDiary:
            log.warning("diary.unreadable")
            return None
        return self._coaching.answer(
            asked.inbound,
            record,
            diary,
            session,
            now=self._now(),
            fresh=self._fresh_id(),
            proposal=asked.proposal,
            apart=asked.apart,
        )

    async def _organise(self, organising: Organising, asked: _Asked, record: Record, session: Session | None) -> Answer:
        """Return what is said about a club, and where that begins something for whoever asks, that too."""
        try:
            diary = _diary(record)
        except UnreadableDiary:
            log.warning("diary.unreadable")
            return await self._told_only(asked, (self._safe("error"),))
        try:
            own = await organising.answer(asked.inbound, record, diary)
        except StorageUnavailable:
            return await self._told_only(asked, (self._safe("club_again"),))
        told = self._begun_by(own, asked, record, session) or Told((), own.diary)
        return await self._tell(asked, replace(record, preferences=own.preferences), session, told.after(*own.replies))

    def _begun_by(self, own: Organised, asked: _Asked, record: Record, session: Session | None) -> Told | None:
        """Return the check-in, or the offer of check-ins, that something about a club leads to, if to any."""
        if self._coaching is not None and own.run is not None:
            diary = _diary(record) or Diary()
            return self._coaching.was_on(own.run, record, diary, now=self._now(), fresh=self._fresh_id())
        if own.opts_in:
            return self._coached(replace(asked, inbound=Command(asked.inbound.address, "checkins")), record, session)
        return None

    async def claimed(self, chat: Chat, who: Address) -> Club | None:
        """Return the club of a chat, claimed for it now where an organiser asks and there was none; None: there is none."""
        return None if self._organising is None else await self._organising.claimed(chat, who)

    async def _own(self, inbound: Inbound, record: Record, session: Session | None) -> Said | Erasing | Linked | None:
        own = None if self._ownership is None else await self._ownership.answer(inbound, record, session)
        return self._linking.answer(inbound) if own is None and self._linking is not None else own

    async def _advance(self, asked: _Asked, record: Record, session: Session | None) -> Answer:
        turn = advance(self._library, session, record.preferences, asked.inbound, now=self._now(), fresh=self._fresh_id())
        change = Change(None if turn.session is None else to_json(turn.session), turn.preferences, member=record.member)
        replies = (*self._gone(record, session), *self._offered(turn, record))
        if self._ownership is not None:
            change = replace(change, result=self._ownership.result(record, turn.session, turn.replies))
        if _stops(asked.inbound, turn):
            stopped = self._stopped(record)
            change = _with_diary(replace(change, consents=stopped.consents), stopped.diary)
            replies = (*replies, *stopped.replies)
        return await self._keep(asked, change, replies)

    def _offered(self, turn: Turn, record: Record) -> tuple[Reply, ...]:
        """Return what a turn says, a result with the offer to be asked about it again."""
        if self._coaching is None:
            return turn.replies
        try:
            return self._coaching.offered(turn.replies, record, _diary(record), turn.session, now=self._now())
        except UnreadableDiary:
            return turn.replies

    def _stopped(self, record: Record) -> Told:
        """Return what takes back that anything is written first, also where the diary cannot be read."""
        if self._coaching is None:
            return Told(())
        try:
            diary = _diary(record)
        except UnreadableDiary:
            diary = None
        told = self._coaching.stopped(record, diary, now=self._now())
        return told if diary is not None else replace(told, diary=None)

    async def _beside(self, asked: _Asked, record: Record, session: Session | None, own: Said) -> Answer:
        change, replies = self._stand_beside(record, session, own.replies)
        change = replace(change, consents=own.consents, forget_history=own.forget_history)
        return await self._keep(asked, change, replies)

    async def _tell(self, asked: _Asked, record: Record, session: Session | None, told: Told) -> Answer:
        """Return what is said about check-ins, and the check of the hip that it may begin."""
        change, replies = self._stand_beside(record, session, told.replies)
        if told.begins or told.given:
            turn = begun(self._library, session, record.preferences, told.given, now=self._now(), fresh=self._fresh_id())
            change = replace(change, session=None if turn.session is None else to_json(turn.session))
            replies = (*told.replies, *turn.replies)
        self._proposed(asked.inbound.address, told.proposes)
        return await self._keep(asked, _with_diary(replace(change, consents=told.consents), told.diary), replies)

    def _proposed(self, address: Address, proposal: Proposal | None) -> None:
        if proposal is None:
            return
        self._proposals[address] = proposal
        if len(self._proposals) > REMEMBERED:
            del self._proposals[next(iter(self._proposals))]

    def _stand_beside(
        self, record: Record, session: Session | None, said: tuple[Reply, ...]
    ) -> tuple[Change, tuple[Reply, ...]]:
        """Return what stands beside an open check, and how that is kept meanwhile."""
        turn = beside(self._library, session, record.preferences, said, now=self._now())
        plain = None if turn.session is None else to_json(turn.session)
        return Change(plain, record.preferences, member=record.member), (*self._gone(record, session), *turn.replies)

    async def _link(self, asked: _Asked, own: Linked) -> Answer:
        """Return what came of a step of linking, once that is kept; or that it must be asked for again."""
        said: list[Reply] = []

        def change(outcome: Outcome, record: Record) -> Change:
            told = own.tell(outcome)
            change, said[:] = self._stand_beside(record, _readable(record), told.replies)  # in place: it may be asked again
            elsewhere = tuple((address, owed(reply, self._now())) for address, reply in told.elsewhere)
            return replace(change, owed=asked.owed(said), elsewhere=elsewhere)

        here = asked.inbound.address
        try:
            deliveries = await self._records.link(here, own.step, change, asked.handled)
        except StorageUnavailable:
            return Answer((self._safe("link_again"),), kept=False)
        ours = tuple(delivery for delivery in deliveries if delivery.address == here)
        return Answer(tuple(said), ours, tuple(delivery for delivery in deliveries if delivery not in ours))

    async def _keep(self, asked: _Asked, change: Change, replies: tuple[Reply, ...]) -> Answer:
        """Return the answer, once the change is kept; where that cannot be, it says so."""
        change = replace(change, owed=asked.owed(replies), handled=asked.handled, place=asked.place)
        deliveries = await self._records.save(asked.inbound.address, change)
        if deliveries is not None:
            self._told.discard(asked.inbound.address)
            return Answer(replies, deliveries, open=change.session is not None)
        return Answer((*replies, *self._not_kept(asked.inbound)), kept=False)

    async def _told_only(self, asked: _Asked, replies: tuple[Reply, ...]) -> Answer:
        """Return an answer that changes nothing."""
        if asked.owe is None and asked.handled is None:
            return Answer(replies)
        deliveries = await self._records.owe(asked.inbound.address, asked.owed(replies), asked.handled)
        return Answer(replies, deliveries or (), kept=deliveries is not None)

    async def _erase(self, asked: _Asked, own: Erasing) -> Answer:
        """Return the receipt of an erasure, or that it must be asked for again."""
        said: list[Reply] = []

        def receipt(before: Counts, after: Counts) -> Sequence[Owed]:
            said[:] = [own.receipt(before, after)]  # in place: the store may have to begin again
            receipts = [replace(one, kind=Kind.RECEIPT, edits=None, claimed=False) for one in asked.owed(said)]
            return (*own.deletions, *receipts) if receipts else ()

        try:
            erased = await self._records.forget(asked.inbound.address, receipt, asked.handled)
        except StorageUnavailable:
            return Answer((self._safe("forget_again"),), kept=False)
        if erased is None:
            return await self._told_only(asked, (own.nothing,))
        return Answer(tuple(said), erased.deliveries, open=False)

    async def _failed(self, asked: _Asked) -> Answer:
        replies = (self._safe("error"),)
        try:
            return await self._told_only(asked, replies)
        except Exception as error:  # noqa: BLE001 - then it is said without being kept
            log.error("turn.not_owed", extra={"error": type(error).__name__})  # noqa: TRY400
            return Answer(replies, kept=False)

    # ---------------------------------------------------------------- Below

    def _in_time(self, inbound: Inbound, session: Session | None) -> bool:
        """Return whether there is a turn left. An answer in a check, or a word of danger, never waits."""
        if session is not None and session.asking is not None:
            return True
        if self._allowance.takes(inbound.address, self._now()):
            return True
        return self._dangerous(inbound)

    def _dangerous(self, inbound: Inbound) -> bool:
        said = f"{inbound.name} {inbound.rest}" if isinstance(inbound, Command) else getattr(inbound, "text", "")
        return typed_words.danger_in(self._library.words, said) is not None

    def _gone(self, record: Record, session: Session | None) -> tuple[Notice, ...]:
        """Return that there was a check that cannot be read, where that is so: what is kept next takes its place."""
        lost = record.damaged or (record.session is not None and session is None)
        return (self._safe("damaged"),) if lost else ()

    def _not_kept(self, inbound: Inbound) -> tuple[Notice, ...]:
        """Return what is said when nothing can be kept: of /stop each time, of the rest once for each member."""
        if isinstance(inbound, Command) and inbound.name == "stop":
            return (self._safe("stop_again"),)
        if inbound.address in self._told:
            return ()
        self._told.add(inbound.address)
        return (self._safe("not_kept"),)

    def _safe(self, key: str) -> Notice:
        return safely(self._library, Preferences(), self._library.words("ui", key))


def _readable(record: Record) -> Session | None:
    if record.session is None:
        return None
    try:
        return from_json(record.session)
    except UnreadableSession:
        log.warning("session.unreadable")
        return None


def _diary(record: Record) -> Diary | None:
    """Return what is kept of someone's runs; raise UnreadableDiary."""
    return None if record.diary is None else diary_of(record.diary)


def _with_diary(change: Change, diary: Diary | None) -> Change:
    """Return a change that leaves this diary, or it as it was; one in which nothing stands is not kept."""
    if diary is None:
        return change
    return replace(change, forget_diary=True) if diary == Diary() else replace(change, diary=diary_plain(diary))


def _stops(inbound: Inbound, turn: Turn) -> bool:
    return isinstance(inbound, Command) and inbound.name == "stop" and turn.session is None
