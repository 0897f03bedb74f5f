"""/club: claims a chat for a club, sets what belongs to it, and lets members follow its runs."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from core import consents
from core.calendar import LARGEST, UnusableCalendar, read
from core.club import LONGEST_NAME, MOST_CLUBS, THREAD, Chat, Club, Standing
from core.dialogue import Command, Inbound, Missing, Notice, Prompt, Reply, Tap, Taps, Upload
from core.dialogue.token import Token
from core.dialogue.token import read as read_token
from core.diary import Diary, Run
from core.errors import CannotTell
from core.library import Library
from core.members import Address, Preferences
from core.organising.reading import Reading
from core.organising.refreshing import refresh
from core.organising.screen import FOLLOWED, Screen, start_of
from core.ports import Clubs, FreshId, Now, Rights
from core.record import Record
from core.timetable import Timetable
from core.zones import zones_named

log = logging.getLogger(__name__)

PRESSED_FOR = timedelta(days=2)
"""How long after a run the button that was posted for it still opens its check-in."""


@dataclass(frozen=True, slots=True)
class Organised:
    """What is said about a club, and what that changes for whoever asked."""

    replies: tuple[Reply, ...]
    preferences: Preferences
    diary: Diary | None = None
    """None: it stays as it is."""
    opts_in: bool = False
    """Whether they have to agree to check-ins before that does anything."""
    run: Run | None = None
    """The run whose check-in is begun at once."""


@dataclass(frozen=True, slots=True)
class _At:
    """Someone at a club: what they are there, and what is kept about them."""

    club: Club
    standing: Standing
    record: Record
    diary: Diary
    inbound: Inbound

    @property
    def channel(self) -> str | None:
        """The channel of the club's where it is, where something can be posted."""
        chat = _chat(self.inbound)
        return None if chat is None else chat.channel

    @property
    def preferences(self) -> Preferences:
        """What they have set, with the club as the one that they looked at last, and its region where they have none."""
        kept = self.record.preferences
        return replace(kept, club=self.club.id, region=kept.region or self.club.region)


class Organising:
    """Answers what organisers and members do about their club. It never tells one member of another."""

    def __init__(
        self,
        library: Library,
        clubs: Clubs,
        rights: Mapping[str, Rights],
        timetable: Timetable,
        *,
        now: Now,
        fresh_id: FreshId,
        languages: tuple[str, ...],
        region: str | None,
    ) -> None:
        self._library, self._words = library, library.words
        self._clubs, self._rights, self._timetable = clubs, rights, timetable
        self._now, self._fresh_id, self._region = now, fresh_id, region
        self._reading = Reading(library.words, library.regions, languages)
        self._one_at_a_time = asyncio.Lock()

    @staticmethod
    def concerns(inbound: Inbound) -> bool:
        """Return whether something is about a club."""
        match inbound:
            case Command(name=name):
                return name == "club"
            case Upload():
                return True
            case Tap() | Taps():
                return all(_thread_of_club(token) is not None for token in _tokens(inbound))
            case _:
                return False

    async def claimed(self, chat: Chat, who: Address) -> Club | None:
        """Return the club of a chat: claimed now where there was none and an organiser asks; None where there is none."""
        async with self._one_at_a_time:
            return await self._claimed(chat, who)

    async def answer(self, inbound: Inbound, record: Record, diary: Diary | None) -> Organised:
        """Return what to say, after what it changes of the club is kept. Who may do it is asked of the platform each time."""
        try:
            at = await self._at(inbound, record, diary or Diary())
        except CannotTell:
            return self._only(record, "cannot_tell")
        if isinstance(at, str):
            return self._only(record, at)
        # Not while the platform is asked: everybody else's club would wait for its answer.
        async with self._one_at_a_time:
            club = await self._club(at.club.id)
            return self._only(record, "gone") if club is None else await self._answered(replace(at, club=club))

    # ---------------------------------------------------------------- Whose club, and who asks

    async def _at(self, inbound: Inbound, record: Record, diary: Diary) -> _At | str:
        """Return the club that is meant with whoever asks; or the key of what is said instead."""
        chat, named = _chat(inbound), _named(inbound)
        id = record.preferences.club if named is None and chat is None else named
        club = await self._club(id)
        if club is None and id is None and chat is not None:
            club = await self.claimed(chat, inbound.address)
        if club is None:
            return "none_here" if chat is not None else "gone" if id is not None else "in_its_chat"
        if not self._can_ask(inbound.address, club, chat):
            return "in_its_chat"
        standing = await self._standing(inbound.address, club, chat)
        if standing is Standing.STRANGER:
            return "strangers"
        return _At(club, standing, record, diary, inbound)

    async def _club(self, id: str | None) -> Club | None:
        return next((club for club in await self._clubs.clubs() if club.id == id), None)

    def _can_ask(self, who: Address, club: Club, chat: Chat | None) -> bool:
        """Return whether it can be known what someone is in a club: some platforms say so only in its own chat."""
        here = chat is not None and chat.address == club.chat
        return here or (who.platform == club.chat.platform and who.platform in self._rights)

    async def _standing(self, who: Address, club: Club, chat: Chat | None) -> Standing:
        if chat is not None and chat.address == club.chat:
            return chat.standing
        return await self._rights[who.platform].standing(who, club.chat)

    async def _claimed(self, chat: Chat, who: Address) -> Club | None:
        clubs = await self._clubs.clubs()
        known = next((club for club in clubs if club.chat == chat.address), None)
        if known is not None or chat.standing is not Standing.ORGANISER or len(clubs) >= MOST_CLUBS:
            return known
        zones = zones_named(self._region) if self._region else ()
        club = Club(
            self._fresh_id()[:8],
            chat.address,
            " ".join(chat.title.split())[:LONGEST_NAME] or self._words("club", "a_club"),
            (who,),
            zone=zones[0] if len(zones) == 1 else "",
            region=self._region,
            language=self._words.language,
        )
        await self._keep(club)
        log.info("club.claimed")
        return club

    # ---------------------------------------------------------------- What they do

    async def _answered(self, at: _At) -> Organised:
        match at.inbound:
            case Upload(content=content):
                return await self._calendar(at, content)
            case Command(rest=rest) if rest and not rest.startswith("#"):
                return await self._set(at, rest)
            case Tap(token=token) | Taps(tokens=(token, *_)):
                return await self._pressed(at, read_token(token))
            case _:
                return self._shown(at)

    async def _set(self, at: _At, line: str) -> Organised:
        if at.standing is not Standing.ORGANISER:
            return self._shown(at, self._words("club", "organisers_only"))
        if line.strip().casefold() == "end":
            return Organised((self._screen(at).ending(),), at.preferences)
        changed = self._reading.changed(at.club, line)
        if changed is None:
            return self._shown(at, self._words("club", "not_caught"))
        return await self._changed(at, changed.club or at.club, changed.said)

    async def _calendar(self, at: _At, content: bytes | Missing) -> Organised:
        if at.standing is not Standing.ORGANISER:
            return self._shown(at, self._words("club", "organisers_only"))
        if not at.club.zone:
            return self._shown(at, self._words("club", "zone_first"))
        if isinstance(content, Missing):
            return Organised((Notice(self._words("club", "calendar", content)),), at.preferences)
        try:
            runs = await asyncio.to_thread(read, content[: LARGEST + 1], at.club.zone, self._now())
        except UnusableCalendar as error:
            said = self._words("club", "calendar", error.problem)
            named = self._words("club", "calendar_event", name=error.event) + "\n" if error.event else ""
            return Organised((Notice(named + said),), at.preferences)
        club = at.club.with_imported(runs)
        said = self._words("club", "same_calendar" if club.imported == at.club.imported else "imported", number=len(runs))
        return await self._changed(at, club, said)

    async def _changed(self, at: _At, club: Club, said: str) -> Organised:
        if club != at.club:
            others = tuple(one for one in club.organisers if one != at.inbound.address)
            club = replace(club, organisers=(*others, at.inbound.address)[-MOST_CLUBS:])
            await self._keep(club)
        return self._shown(replace(at, club=club), said)

    async def _keep(self, club: Club) -> None:
        await self._clubs.keep_club(club)
        await refresh(self._timetable, await self._clubs.clubs(), self._now())

    # ---------------------------------------------------------------- Presses

    async def _pressed(self, at: _At, token: Token | None) -> Organised:
        match token:
            case Token(act="follow"):
                return self._followed(at)
            case Token(act="ran", arg=arg):
                return self._opened(at, start_of(arg))
            case Token(act="post" | "end" | "endyes") if at.standing is not Standing.ORGANISER:
                return self._shown(at, self._words("club", "organisers_only"))
            case Token(act="post", arg=arg):
                return await self._posts(at, on=arg == "yes")
            case Token(act="end"):
                return Organised((self._screen(at).ending(),), at.preferences)
            case Token(act="endyes"):
                await self._clubs.end_club(at.club)
                await refresh(self._timetable, await self._clubs.clubs(), self._now())
                return Organised((Notice(self._words("club", "ended")),), replace(at.record.preferences, club=None))
            case _:
                return self._shown(at)

    async def _posts(self, at: _At, *, on: bool) -> Organised:
        chat = _chat(at.inbound)
        if on and chat is not None and chat.closed:
            return self._shown(at, self._words("club", "closed"))
        channel = chat.channel if on and chat is not None else None
        said = self._words("club", "posting" if channel else "not_posting")
        return await self._changed(at, replace(at.club, channel=channel), said)

    def _followed(self, at: _At) -> Organised:
        """Follow runs, or follow them no more; only for someone who is asked after their runs."""
        if not self._agreed(at):
            return self._opt_in(at, "opt_in")
        followed = list(at.diary.clubs)
        for token in (read_token(text) for text in _tokens(at.inbound)):
            run = None if token is None else at.club.run(token.arg)
            if run is None or token is None:
                continue
            followed = [id for id in followed if id != run.id] + ([run.id] if token.state == "+" else [])
        said = self._words("club", "following" if len(followed) > len(at.diary.clubs) else "saved")
        diary = replace(at.diary, clubs=tuple(followed[-FOLLOWED:]))
        return replace(self._shown(replace(at, diary=diary), said), diary=diary)

    def _opened(self, at: _At, minute: int | None) -> Organised:
        """Open the check-in of the run that a posted button stands for."""
        days = (day for run in at.club.runs for day in self._timetable.days.get(run.id, ()))
        run = next((day for day in days if minute is not None and int(day.start.timestamp()) // 60 == minute), None)
        if run is None or not run.start <= self._now() < run.start + PRESSED_FOR:
            return Organised((Notice(self._words("club", "run_over"), fleeting=True),), at.preferences)
        if not self._agreed(at):
            return self._opt_in(at, "opt_in_first")
        return Organised((), at.preferences, run=run)

    def _opt_in(self, at: _At, key: str) -> Organised:
        return Organised((Notice(self._words("club", key)),), at.preferences, opts_in=True)

    def _agreed(self, at: _At) -> bool:
        return consents.agreed(self._words, at.record.consents, "check_ins")

    # ---------------------------------------------------------------- What is shown

    def _screen(self, at: _At) -> Screen:
        days = self._timetable.days
        return Screen(self._library, at.club, at.standing, at.diary, days, self._now(), at.channel)

    def _shown(self, at: _At, said: str = "") -> Organised:
        before: tuple[Notice | Prompt, ...] = (Notice(said, fleeting=True),) if said else ()
        return Organised((*before, self._screen(at).drawn()), at.preferences)

    def _only(self, record: Record, key: str) -> Organised:
        return Organised((Notice(self._words("club", key)),), record.preferences)


def _chat(inbound: Inbound) -> Chat | None:
    return getattr(inbound, "at", None)


def _named(inbound: Inbound) -> str | None:
    """Return the id of the club that a button or a link names."""
    match inbound:
        case Command(rest=rest) if rest.startswith("#"):
            return rest[1:9]
        case Tap() | Taps():
            return _thread_of_club(_tokens(inbound)[0])
        case _:
            return None


def _tokens(inbound: Inbound) -> tuple[str, ...]:
    match inbound:
        case Tap(token=token):
            return (token,)
        case Taps(tokens=tokens):
            return tokens
        case _:
            return ()


def _thread_of_club(text: str) -> str | None:
    """Return the id of the club whose button that is; None for a button of anything else."""
    token = read_token(text)
    if token is None or not token.thread.startswith(THREAD) or len(token.thread) != len(THREAD) + 8:
        return None
    return token.thread[len(THREAD) :]
