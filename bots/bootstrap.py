"""The composition root: the one place that builds things."""

import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dotenv import dotenv_values

from bots.console.days import Arrivals, Clock, Days
from bots.console.inbound import HERE, AtTheTerminal
from bots.control import Control, ask
from bots.key_file import FoundKeys, find_keys, key_folder
from bots.operations import Operations
from bots.reopening import Reopening
from bots.reopening import Tell as Say
from bots.running import Platform, Running, bounded
from bots.settings import BACKUPS, ENV_FILE, Settings, read_settings
from bots.status import Course
from content import loader, signoff
from core.coaching import Coaching
from core.companion import Companion
from core.enduring import EnduringRecords
from core.library import Library
from core.linking import Linking
from core.members import Preferences
from core.memory import MemoryClubs, MemoryRecords
from core.organising import Organising, post, told_of
from core.outages import Outages, log_over
from core.outreach import Outreach
from core.ownership import Ownership, SignedOff
from core.planning import Planning
from core.ports import Clubs, Now, Records, Rights
from core.sending import Outage
from core.storage import (
    DatabaseMissing,
    ErasedList,
    Restored,
    Store,
    StoreRecords,
    Target,
    Tell,
    backups_folder,
    can_be_written,
    database_exists,
    database_path,
    lists_in,
    put_back,
    traces,
)
from core.timetable import Timetable
from core.vault import KeyRing, new_key_text
from core.words import Words
from scheduler.jobs import planning, posting, purging, sending, upkeep, watching


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where checks are kept: in the store, yet to be opened, or in memory; and what the operator must be told, if anything."""

    store: Store | None
    notice: str | None = None


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process; raise SettingsError with everything that is wrong with them."""
    return read_settings(_given(environment), regions=loader.load_regions(), languages=loader.languages())


def companion(settings: Settings, kept: Records | None = None) -> Companion:
    """Return a companion that keeps what it must there; without a place, in memory."""
    organisers = _Organisers(settings, MemoryClubs(), {HERE.platform: AtTheTerminal()}, Timetable())
    return _companion(
        loader.load(settings.language), kept or MemoryRecords(_default(settings)), now, organisers, writes_first=False
    )


def signed_off(library: Library) -> SignedOff:
    """Return how much of the content is signed off as it stands."""
    unsigned = len({left.item for left in signoff.unsigned(library, loader.load_signoffs())})
    return SignedOff(len(signoff.items(library)) - unsigned, unsigned)


def keeping(settings: Settings, environment: Mapping[str, str] | None = None, *, terminal: bool = True) -> Keeping:
    """Return where what members tell is kept; raise SettingsError where there is no usable key.

    A key is made only where someone is at a terminal. Where a folder cannot be written there, that is no reason to refuse
    them a check: nothing is made then, and nothing kept.
    """
    place = _place(environment)
    if not settings.connected and not can_be_written(place.database):
        return Keeping(None, f"{place.database} cannot be written, so nothing is kept: what you tell is gone when you leave.")
    keys = _keys(place, terminal=terminal)
    erased = ErasedList(keys.ring, place.lists)
    return Keeping(Store(place.database, keys.ring, now, default=_default(settings), erased=erased), keys.notice)


def records(settings: Settings, store: Store) -> EnduringRecords:
    """Return what is kept in an open store, with memory to go on in while that fails."""
    return EnduringRecords(StoreRecords(store), MemoryRecords(_default(settings)))


def running(
    settings: Settings, keeping: Keeping, environment: Mapping[str, str] | None = None, *, tell: Say = print
) -> Running:
    """Return a Hipwise yet to be started, which keeps its store in order, does what operators ask, and tells what is wrong."""
    # Imported here: no other command needs a scheduler, and it takes a while to load.
    from scheduler.runner import Runner

    store, since = keeping.store, now()
    if store is None:
        return Running(companion(settings))
    library = loader.load(settings.language)
    outages = Outages(store, _connected(settings), partial(_tell_organisers, store, library.words))
    folder, outreach = backups(environment), Outreach(store, {}, now, watch=outages)
    timetable, rights = Timetable(), dict[str, Rights]({HERE.platform: AtTheTerminal()})
    planned = Planning(library, timetable)
    store.judged_by(planned.may)
    # Planned before it is sent, so that what has become due is there.
    planned_ahead = (planning(store, planned.plan, timetable), posting(store, timetable, partial(post, library)))
    jobs = (*upkeep(store, folder), watching(outages), *planned_ahead, sending(outreach))
    kept, runner = records(settings, store), Runner(jobs, now)
    operations = Operations(
        store, folder, now, library.pathway.version, lambda: Course(since, runner.last("purge"), kept.failing)
    )
    control = Control(store.path, operations.commands())
    platforms = _platforms(settings, store, outreach, library.words, rights=rights, tell=tell)
    return Running(
        _companion(library, kept, now, _Organisers(settings, store, rights, timetable), writes_first=bool(platforms)),
        (Reopening(store, tell), bounded(runner), bounded(control)),
        platforms,
    )


async def _tell_organisers(store: Store, words: Words, outage: Outage) -> None:
    """Owe the organisers of clubs one message on an outage that is over, and log it."""
    for who, owed in told_of(outage, await store.clubs(), words, now()):
        await store.plan(who, (owed,))
    await log_over(outage)


@asynccontextmanager
async def days(settings: Settings, number: int) -> AsyncIterator[Days]:
    """Give a Hipwise that lives through so many days from now on by a clock of its own. What it keeps is gone after that."""
    library, clock = loader.load(settings.language), Clock(now().replace(second=0, microsecond=0))
    ends, arrivals, timetable = clock.at + timedelta(days=number), Arrivals(clock), Timetable()
    planned = Planning(library, timetable)
    with TemporaryDirectory(prefix="hipwise-") as folder:
        ring = KeyRing.parse(new_key_text())
        async with Store(Path(folder, "hipwise.db"), ring, clock, default=_default(settings)) as store:
            store.judged_by(planned.may)
            outreach = Outreach(store, {HERE.platform: arrivals}, clock)
            jobs = (purging(store), planning(store, planned.plan, timetable), sending(outreach))
            organisers = _Organisers(settings, store, {HERE.platform: AtTheTerminal()}, timetable)
            companion = _companion(library, records(settings, store), clock, organisers, writes_first=True)
            yield Days(companion, library.words, clock, ends, store, outreach, jobs, arrivals)


def _connected(settings: Settings) -> tuple[str, ...]:
    """Return the names of the platforms that are connected."""
    platforms = {"telegram": settings.telegram, "discord": settings.discord}
    return tuple(name for name, connected in platforms.items() if connected is not None)


def _platforms(
    settings: Settings, store: Store, outreach: Outreach, words: Words, *, rights: dict[str, Rights], tell: Say
) -> tuple[Platform, ...]:
    """Return the platforms that are connected; the library of one is loaded only where it is."""
    connected: list[Platform] = []
    if settings.telegram is not None:
        from bots.telegram import platform as telegram

        connected.append(
            telegram.platform(settings.telegram, store=store, outreach=outreach, words=words, rights=rights, now=now, tell=tell)
        )
    if settings.discord is not None:
        from bots.discord import platform as discord

        connected.append(discord.platform(settings.discord, store=store, outreach=outreach, words=words, now=now, tell=tell))
    return tuple(connected)


async def operate(name: str, environment: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """Return the answer to one of `Operations`: from the Hipwise that runs, or where none does, from the store itself.

    Raise NoAnswer, SettingsError or StorageUnavailable, each with what to do.
    """
    answer = await ask(database(environment), name)
    if answer is not None:
        return answer
    async with existing_store(environment) as store:
        return await Operations(store, backups(environment), now, _content()).commands()[name]()


def database(environment: Mapping[str, str] | None = None) -> Path:
    """Return where the database is, or will be."""
    return _place(environment).database


def ring(environment: Mapping[str, str] | None = None) -> KeyRing:
    """Return the keys that are set; raise SettingsError where there are none that can be used. None is ever made."""
    return _keys(_place(environment), terminal=False).ring


def is_used(environment: Mapping[str, str] | None = None) -> bool:
    """Return whether there is a database, or something shows that there was one."""
    return _place(environment).used


def existing_store(environment: Mapping[str, str] | None = None) -> Store:
    """Return the store that is there, yet to be opened; nothing is made where there is none."""
    place = _place(environment)
    if not place.used:
        raise DatabaseMissing(
            f"There is no database at {place.database} yet. Start Hipwise once, or set DATABASE_URL to where it is."
        )
    ring = _keys(place, terminal=False).ring
    return Store(place.database, ring, now, expected=True, erased=ErasedList(ring, place.lists))


def backups(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder where backups are kept."""
    return _place(environment).backups


def restore(backup: Path, *, force: bool, tell: Tell, environment: Mapping[str, str] | None = None) -> Restored:
    """Put a backup in the place of the database; raise SettingsError or StorageUnavailable with the old one in its place."""
    place = _place(environment)
    ring = _keys(place, terminal=False, missed=True).ring
    target = Target(place.database, place.backups, ring, ErasedList(ring, place.lists))
    return put_back(backup, target, now(), force=force, tell=tell)


def now() -> datetime:
    """Return the present, aware and in UTC."""
    return datetime.now(UTC)


def fresh_id() -> str:
    """Return a new unguessable id: 64 random bits in hexadecimal."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the store is, and what belongs to it."""

    environment: Mapping[str, str]
    database: Path
    backups: Path
    lists: tuple[Path, ...]
    """Where it is kept who was erased."""

    @property
    def used(self) -> bool:
        """Whether there is a database, or something shows that there was one."""
        return database_exists(self.database) or bool(traces(self.database, self.lists))


def _place(environment: Mapping[str, str] | None) -> _Place:
    environment = _given(environment)
    database = database_path(environment.get("DATABASE_URL", "").strip(), environment)
    folder = backups_folder(environment.get(BACKUPS, "").strip(), database)
    return _Place(environment, database, folder, lists_in(folder, key_folder(environment)))


def _keys(place: _Place, *, terminal: bool, missed: bool = False) -> FoundKeys:
    """Return the keys. One is made only at a terminal and where none can be missing, nor `missed` by something else."""
    used = missed or place.used
    return find_keys(place.environment, place.database, database_exists=used, terminal=terminal, backups=place.backups)


def _given(environment: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return an environment; where none is given, that of the process, with what a `.env` file adds to it."""
    if environment is not None:
        return environment
    file = os.environ.get(ENV_FILE, "").strip() or ".env"
    added = dotenv_values(file, interpolate=False)
    return {**{name: value for name, value in added.items() if value is not None}, **os.environ}


@dataclass(frozen=True, slots=True)
class _Organisers:
    """What /club works with."""

    settings: Settings
    clubs: Clubs
    rights: Mapping[str, Rights]
    """What each platform says of who may do what; those that are connected add themselves."""
    timetable: Timetable

    def organising(self, library: Library, clock: Now) -> Organising:
        """Return what answers /club."""
        return Organising(
            library,
            self.clubs,
            self.rights,
            self.timetable,
            now=clock,
            fresh_id=fresh_id,
            languages=loader.languages(),
            region=self.settings.region,
        )


def _companion(library: Library, kept: Records, clock: Now, organisers: _Organisers, *, writes_first: bool) -> Companion:
    ownership = Ownership(library, kept, clock, signed_off)
    linking = Linking(library, ownership, clock, secrets.randbits)
    coaching = Coaching(library, organisers.timetable, writes_first=writes_first)
    organising = organisers.organising(library, clock)
    return Companion(library, kept, clock, fresh_id, ownership, linking=linking, coaching=coaching, organising=organising)


def _content() -> str:
    return loader.load_pathway().version


def _default(settings: Settings) -> Preferences:
    return Preferences(region=settings.region)
