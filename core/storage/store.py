"""The store: everything the bot remembers, behind small methods that each are one transaction."""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from core import link
from core.club import Club
from core.errors import Overtaken
from core.ledger import Delivery, Going, Kind, Owed, Tallies, Wait
from core.members import Address
from core.ports import Judge, Planner, Receipt, Wanted
from core.record import Change, Erased, Record
from core.sending import Sending
from core.storage import (
    backup,
    clubs,
    diaries,
    erasure,
    export,
    health,
    inbox,
    links,
    members,
    outbox,
    reaching,
    receipts,
    retention,
    sendings,
    sql,
    tallies,
)
from core.storage.backup import Backup
from core.storage.book import Book, minute, time_of
from core.storage.database import Database
from core.storage.files import Progress
from core.storage.health import Health, Integrity
from core.storage.inbox import Received
from core.storage.rotation import rewrap
from core.storage.writer import Writer

log = logging.getLogger(__name__)

T = TypeVar("T")


AHEAD = frozenset({Kind.CHECK_IN, Kind.TIP})
"""What is planned ahead, and judged at the moment of sending."""
PLAN_AGAIN = timedelta(hours=1)
"""After which a plan that failed is tried again."""


class Store(Database):
    """What the bot remembers. `async with Store(...)` opens it.

    A method that changes something returns after its commit. One that is cancelled is still done whole.
    """

    # ---------------------------------------------------------------- turns

    async def load(self, address: Address) -> Record:
        """Return what is kept for an address; for one that is unknown, or cannot be read, nothing but the defaults."""
        if (known := self._known.take(address)) is not None:
            return known
        return await self._read(lambda book: members.load(book, address, self._default))

    async def save_turn(self, address: Address, change: Change) -> tuple[Delivery, ...]:
        """Return the deliveries of a turn, once it is kept whole: what it changed, what is owed, and its update as handled.

        A member about whom it leaves nothing to keep is not kept either.
        """
        now = self._now()
        try:
            return await self._note(lambda book: self._turn(book, address, change, now))
        except BaseException:
            self._known.clear()
            raise

    async def link(
        self, address: Address, step: link.Step, change: Callable[[link.Outcome, Record], Change], handled: str | None
    ) -> tuple[Delivery, ...]:
        """Return the deliveries of a turn, once a step of linking is taken and the turn kept, all in one commit.

        The turn is made of what came of the step and of what is kept for the address after it.
        """
        now, outcomes = self._now(), list[link.Outcome]()

        def linked(book: Book) -> tuple[Delivery, ...]:
            outcomes[:] = [links.take(book, address, step, self._default, now)]
            turn = change(outcomes[0], members.load(book, address, self._default))
            return self._turn(book, address, replace(turn, handled=handled), now)

        deliveries = await self._write(linked)
        if isinstance(outcomes[0], link.Joined | link.Parted):
            await self._empty_log()
        return deliveries

    async def plan(self, address: Address, owed: Sequence[Owed], handled: str | None = None) -> tuple[Delivery, ...]:
        """Return a delivery for each message that is newly owed: an occurrence that has its message gets no second one."""
        now = self._now()

        def planned(book: Book) -> tuple[Delivery, ...]:
            if handled is not None:
                inbox.handled(book, handled)
            return outbox.owe(book, members.enter(book, address), owed, address, now) if owed else ()

        return await self._write(planned)

    async def plan_ahead(self, member: str, owed: Sequence[Owed]) -> tuple[Delivery, ...]:
        """Return a delivery for each message that is newly owed to a member, at the address to write to.

        That is the one they used last; another of theirs only where nothing can be sent to that one. An occurrence that has
        its message gets no second one, at no address. What waits goes along when they use another, or when it is blocked.
        """
        now = self._now()

        def planned(book: Book) -> tuple[Delivery, ...]:
            to = members.to_write_to(book, member)
            return () if to is None else outbox.owe(book, to[0], owed, to[1], now)

        return await self._write(planned)

    def judged_by(self, judge: Judge) -> None:
        """Have what is planned ahead judged at the moment of sending; without this, it goes."""
        self._judge = judge

    async def plan_due(self, plan: Planner, now: datetime, limit: int) -> int:
        """Return of how many diaries was planned what is owed for them, each with its diary and its next look in one commit.

        A plan that fails is tried again in an hour, and keeps nobody else waiting.
        """

        def planned(book: Book) -> int:
            found = diaries.to_plan(book, now, limit)
            for member in found:
                self._plan(book, member, plan, now)
            return len(found)

        return await self._write(planned)

    async def next_due(self) -> datetime | None:
        """Return when next a diary is to be planned from, or what was planned is due; None: neither, as far as is known."""

        def times(book: Book) -> datetime | None:
            found = [book.one(statement) for statement in (sql.NEXT_LOOK, sql.NEXT_PLANNED)]
            return min((time_of(row[0]) for row in found if row is not None and row[0] is not None), default=None)

        return await self._read(times)

    async def elsewhere(self, delivery: Delivery) -> bool:
        """Return whether a claim that surely was not sent is open again for another address of its member."""
        return await self._write(lambda book: reaching.elsewhere(book, delivery.id, self._now()))

    async def move_address(self, old: Address, new: Address) -> bool:
        """Return whether an address was moved to the id that its platform now has for it."""

        def moved(book: Book) -> bool:
            clubs.move(book, old, new)
            return members.move(book, old, new)

        return await self._write(moved)

    async def unreachable(self, address: Address) -> None:
        """Note that nothing can be sent to an address; what is planned for it waits until its member writes again."""
        now = self._now()

        def noted(book: Book) -> None:
            if book.run(sql.UNREACHABLE, minute(now), members.digest(book, address)):
                (_, member) = book.one(sql.ADDRESS, members.digest(book, address)) or ("", "")
                reaching.follow(book, member)

        await self._write(noted)

    async def reachable(self, address: Address) -> None:
        """Note that an address can be written to again."""

        def noted(book: Book) -> None:
            at = members.door(book, address)
            if at is not None:
                book.run(sql.REACHABLE, at.row)

        await self._write(noted)

    async def add_address(self, member: str, address: Address) -> bool:
        """Return whether an address is now the member's; one that is another member's stays theirs."""

        def added(book: Book) -> bool:
            at = members.door(book, address)
            return (at or members.join(book, member, address)).member == member

        return await self._write(added)

    # ---------------------------------------------------------------- clubs

    async def clubs(self) -> tuple[Club, ...]:
        """Return all clubs that can be read."""
        return await self._read(clubs.kept)

    async def keep_club(self, club: Club) -> None:
        """Keep a club; all diaries are planned from anew, for one may follow a run that has changed."""
        now = self._now()

        def kept(book: Book) -> None:
            clubs.post_in(book, clubs.keep(book, club), club, now)
            diaries.look_at_once(book, now, later_than=now)

        await self._write(kept)

    async def end_club(self, club: Club) -> None:
        """Erase a club; all diaries are planned from anew."""
        now = self._now()

        def ended(book: Book) -> None:
            clubs.end(book, club.chat)
            diaries.look_at_once(book, now, later_than=now)

        await self._write(ended)

    async def post(self, club: Club, owed: Owed) -> tuple[Delivery, ...]:
        """Return a delivery for what is newly owed to the channel where a club posts: each occurrence has one, ever."""
        now = self._now()
        return await self._write(lambda book: clubs.owe(book, club, owed, now))

    async def look_at_all(self, now: datetime) -> None:
        """Have every diary planned from anew."""
        await self._write(lambda book: diaries.look_at_once(book, now, later_than=now))

    # ---------------------------------------------------------------- inbox

    async def receive(self, platform: str, update_id: str, raw: bytes, sender: Address | None = None) -> str | None:
        """Return the row of an update that is now kept, or None when it was there; a sender's goes when they are erased.

        What is kept about the sender is read along with it: a turn asks for that next.
        """
        now = self._now()

        def received(book: Book) -> str | None:
            row = inbox.receive(book, platform, update_id, raw, sender=sender, now=now)
            if row is not None and sender is not None and sender not in self._known:
                self._known.add(sender, members.load(book, sender, self._default))
            return row

        try:
            return await self._note(received)
        except BaseException:
            self._known.clear()
            raise

    async def unhandled(self, platform: str) -> tuple[Received, ...]:
        """Return the updates that were kept and not handled, in the order they came."""
        return await self._write(lambda book: inbox.unhandled(book, platform))

    async def handled(self, row: str) -> None:
        """Note that an update needs no more: for one that led to no turn."""
        await self._note(lambda book: inbox.handled(book, row))

    async def set_aside(self, row: str) -> None:
        """Stop handling an update that nothing can be made of."""
        await self._note(lambda book: inbox.set_aside(book, row))

    # ---------------------------------------------------------------- the ledger

    async def due(self, now: datetime, limit: int, wanted: Wanted = lambda *_: True) -> tuple[Delivery, ...]:
        """Return what is due and wanted, replies first, the oldest first. What is past its window is skipped."""
        return await self._note(lambda book: outbox.due(book, now, limit, wanted))

    async def claim(self, delivery: Delivery) -> Delivery | None:
        """Return the delivery, now the caller's to send, or None when it is not to be had: claimed, settled or erased.

        Of what was planned ahead, whoever judges that says at this moment whether it goes, waits or is left.
        """
        now = self._now()

        def claimed(book: Book) -> Delivery | None:
            may_go = delivery.kind not in AHEAD or self._judged(book, delivery, now)
            return outbox.claim(book, delivery, now) if may_go else None

        return await self._note(claimed)

    async def stands_alone(self, delivery: Delivery) -> Delivery | None:
        """Return a claim as one that changes no message any more, or None when it is not to be had."""
        return await self._note(lambda book: outbox.stand_alone(book, delivery))

    async def sent(self, delivery: Delivery, message_id: str | None) -> bool:
        """Note that the platform took a delivery; return whether it was waiting for that."""
        return await self._settled(delivery, lambda book: outbox.sent(book, delivery, message_id, self._now()))

    async def unknown(self, delivery: Delivery) -> bool:
        """Note that nobody knows what came of a claim; return whether that is so."""
        return await self._move(sql.UNKNOWN, delivery)

    async def skipped(self, delivery: Delivery) -> bool:
        """Note that a delivery was not sent because it was no longer wanted; return whether it was open or claimed."""
        return await self._move(sql.SKIP, delivery)

    async def dropped(self, delivery: Delivery) -> bool:
        """Note that a delivery cannot be sent, or not again; return whether it was unsettled."""
        return await self._move(sql.DROP, delivery)

    async def messages(self, address: Address, limit: int) -> tuple[str, ...]:
        """Return the platform's ids of the messages sent to an address lately, the newest first."""

        def sent(book: Book) -> tuple[str, ...]:
            at = members.door(book, address)
            return () if at is None else outbox.messages(book, at, limit)

        return await self._read(sent)

    async def delivery(self, id: str, address: Address) -> Delivery | None:
        """Return one of the deliveries to an address, as long as its content is kept."""

        def kept(book: Book) -> Delivery | None:
            at = members.door(book, address)
            return None if at is None else outbox.delivery(book, at, id)

        return await self._read(kept)

    async def released(self, delivery: Delivery, due: datetime) -> bool:
        """Give back a claim that the platform surely refused for now; it is open again from `due` on."""
        return await self._write(lambda book: outbox.release(book, delivery, due, self._now()))

    async def recover(self, platform: str, now: datetime) -> tuple[Delivery, ...]:
        """Return what a platform's members are to be sent first after a restart: repeats, then the replies still owed.

        Claims without an outcome become unknown.
        """

        def recovered(book: Book) -> tuple[Delivery, ...]:
            outbox.recover(book, platform, now)
            return (*outbox.repeats(book, now), *outbox.replies(book, platform, now))

        return await self._write(recovered)

    async def repeats(self, now: datetime) -> tuple[Delivery, ...]:
        """Return the deliveries of unknown outcome that `ledger.REPEATS` wants sent again."""
        return await self._write(lambda book: outbox.repeats(book, now))

    async def tallies(self) -> Tallies:
        """Return the counts of all deliveries there ever were."""
        return await self._read(tallies.tallies)

    async def sending(self, platform: str) -> Sending | None:
        """Return how sending on a platform goes, as far as that was noted."""
        return await self._read(lambda book: sendings.kept(book, platform))

    async def keep_sending(self, sending: Sending) -> None:
        """Keep how sending on a platform goes."""
        await self._note(lambda book: sendings.keep(book, sending))

    # ---------------------------------------------------------------- members

    async def enter(self, address: Address) -> str:
        """Return the member of an address; where there was none, a new one."""
        return await self._write(lambda book: members.enter(book, address).member)

    async def consents(self, member: str) -> tuple[Mapping[str, Any], ...]:
        """Return what a member agreed to and took back, the oldest first."""
        return await self._read(lambda book: members.consents(book, member))

    async def history(self, member: str) -> tuple[Mapping[str, Any], ...]:
        """Return a member's history, the oldest first."""
        return await self._read(lambda book: members.history(book, member))

    async def everything(self, member: str) -> dict[str, Any]:
        """Return all that is kept about a member as plain JSON values, for them to have."""
        return await self._read(lambda book: export.everything(book, member))

    async def forget(
        self, member: str, *, address: Address | None = None, receipt: Receipt | None = None, handled: str | None = None
    ) -> Erased:
        """Erase a member, and owe what the receipt says to the address, all in one commit; then erase the bytes.

        Before that they are on the list of who was erased.
        """
        now = self._now()

        def forgotten(book: Book) -> Erased:
            if self._erased is not None:
                # A backup from before they were linked has what was theirs under another id.
                for id in (member, *(id for id, _ in links.former(book, member))):
                    self._erased.add(id, now)
            if handled is not None:  # first: then only its digest is left, and that it came stays known
                inbox.handled(book, handled)
            addresses = members.addresses(book, member)
            clubs.leave(book, addresses)
            before, after = erasure.erase(book, member)
            owed = receipt(before, after) if receipt is not None else ()
            made = receipts.make(book, address, owed, now) if address is not None else ()
            return Erased(before, after, made, addresses)

        erased = await self._write(forgotten)
        await self._empty_log()
        return erased

    # ---------------------------------------------------------------- upkeep

    async def purge(self, now: datetime) -> dict[str, int]:
        """Erase what is older than `retention` says, and return how much of each there was."""
        counts = dict.fromkeys(retention.STEPS, 0)
        for name, step in retention.STEPS.items():
            done = retention.CHUNK
            while done == retention.CHUNK:
                done = await self._write(partial(_step, step, now))
                counts[name] += done
        if any(counts.values()):
            async with self._log_in_use:
                await self._ask(Writer.alone, erasure.empty_log)
        if self._erased is not None:
            await asyncio.to_thread(self._erased.prune, now - retention.ERASED)
        return counts

    async def rewrap(self) -> int:
        """Return how many data keys were wrapped again, under the ring's first key; after that the others can go."""
        total = 0
        while done := await self._write(rewrap):
            total += done
        if self._erased is not None:
            await asyncio.to_thread(self._erased.reseal)
        return total

    async def back_up(self, folder: Path, progress: Progress | None = None) -> Backup:
        """Return a copy of the store as it is now, checked and on disk; then remove the backups that do not stay.

        Turns go on meanwhile; an erasure waits until the copying is done. Cancelled, it leaves nothing behind.
        """
        stop = threading.Event()
        async with self._backing_up:
            now = self._now()
            try:
                async with self._log_in_use:
                    part = await _in_thread(partial(backup.copied, self._path, folder, now, progress or _untold, stop), stop)
                return await _in_thread(partial(backup.kept, part, self._path, now, self._ring, stop), stop)
            finally:
                await asyncio.to_thread(backup.prune, folder, self._path, now)

    async def keyless(self) -> int:
        """Return how many members have rows but no key, which the next purge erases."""
        return await self._read(lambda book: book.count(sql.MEMBERS_WITHOUT_KEY))

    async def health(self, now: datetime) -> Health:
        """Return how the store is, in counts and versions."""
        return await self._read(lambda book: health.health(book, now))

    async def integrity(self) -> Integrity:
        """Return what is wrong with the file. It reads all of it, and whatever else is asked for waits meanwhile."""
        return await self._read(health.integrity)

    # ---------------------------------------------------------------- below

    def _judged(self, book: Book, delivery: Delivery, now: datetime) -> bool:
        """Return whether what was planned ahead may go now; where it may not, it is left, or open again for later."""
        member = outbox.owner(book, delivery)
        if self._judge is None or member is None:
            return True
        try:
            last = outbox.last_ahead(book, member, delivery)
            going = self._judge(members.recorded(book, member, self._default), delivery, now, last)
        except Exception as error:  # noqa: BLE001 - what nobody can judge is not sent, and holds up nothing else
            log.error("delivery.not_judged", extra={"delivery": delivery.id, "error": type(error).__name__})  # noqa: TRY400
            going = Going.LEAVE
        match going:
            case Wait(until=until):
                outbox.postpone(book, delivery, until)
                return False
            case Going.LEAVE:
                outbox.leave(book, delivery, now)
                return False
            case Going.GO:
                return True

    def _plan(self, book: Book, member: str, plan: Planner, now: datetime) -> None:
        to = members.to_write_to(book, member)
        try:
            planned = plan(members.recorded(book, member, self._default), partial(outbox.went_out, book, member), now)
        except Exception as error:  # noqa: BLE001 - a diary that cannot be planned from is one member's, not everybody's
            log.error("plan.failed", extra={"error": type(error).__name__})  # noqa: TRY400 - no traceback: it may hold what was said
            diaries.look_later(book, member, now + PLAN_AGAIN)
            return
        if to is not None:
            outbox.owe(book, to[0], planned.owed, to[1], now)
        if planned.diary is not None:
            diaries.keep(book, member, planned.diary, planned.look)
        else:
            diaries.look_later(book, member, planned.look)

    def _turn(self, book: Book, address: Address, change: Change, now: datetime) -> tuple[Delivery, ...]:
        at = members.enter(book, address)
        if change.member not in (None, at.member):
            raise Overtaken
        members.save(book, at, change, default=self._default, now=now)
        deliveries = outbox.owe(book, at, change.owed, address, now)
        for other, owed in change.elsewhere:
            deliveries += outbox.owe(book, members.enter(book, other), (owed,), other, now)
        for row in (*change.also_handled, *([] if change.handled is None else [change.handled])):
            inbox.handled(book, row)
        if change.session is None:
            retention.erase_idle(book, {at.member})
        self._known.changed(at.member, address, *(other for other, _ in change.elsewhere))
        # As this turn leaves it: the next one most likely comes from here, and has nothing left to read.
        self._known.add(address, members.load(book, address, self._default))
        return deliveries

    async def _empty_log(self) -> None:
        """Leave no byte in the log of what was erased."""
        async with self._log_in_use:
            emptied = await self._ask(Writer.alone, erasure.empty_log)
        if not emptied:
            log.warning("erasure.log_busy")  # another program was reading: the next purge empties it

    async def _move(self, statement: str, delivery: Delivery) -> bool:
        return await self._settled(delivery, lambda book: outbox.move(book, statement, delivery, self._now()))

    async def _settled(self, delivery: Delivery, step: Callable[[Book], bool]) -> bool:
        """Return whether a step of a delivery was taken; a receipt of which nothing is left to send goes with it."""

        def work(book: Book) -> bool:
            taken = step(book)
            receipts.settle(book, delivery.member)
            return taken

        return await self._note(work)

    async def _write(self, work: Callable[[Book], T]) -> T:
        """Return what the work gives, once that is committed, with nothing of what was read before it left to be used."""

        def changing(book: Book) -> T:
            self._known.clear()
            return work(book)

        return await self._ask(Writer.write, changing)

    async def _note(self, work: Callable[[Book], T]) -> T:
        """Return what a work gives that changes nothing of what `load` returns, or tells `_known` itself."""
        return await self._ask(Writer.write, work)


async def _in_thread(work: Callable[[], T], stop: threading.Event) -> T:
    """Return what the work gives in a thread of its own. Cancelled, it is stopped, and has ended when this ends."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(running, return_exceptions=True)
        raise


def _untold(_done: int, _whole: int) -> None:
    """Tell nobody how far it is."""


def _step(step: retention.Step, now: datetime, book: Book) -> int:
    return step(book, now)
