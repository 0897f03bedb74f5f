"""Runs the jobs of a table when they are due, for as long as it is open."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from core.ports import Now
from scheduler.jobs import Job, due

log = logging.getLogger(__name__)

TICK = timedelta(seconds=30)
"""How often it is asked what is due: so late is a job at most, also after the clock was set or the machine slept."""


class Runner:
    """`async with` runs the jobs. A job that fails is tried again at the next tick, and none runs twice at the same time.

    When a job was last done is kept in memory; `last` says what is known of that from before.
    """

    def __init__(
        self, jobs: Sequence[Job], now: Now, *, last: Mapping[str, datetime] | None = None, tick: timedelta = TICK
    ) -> None:
        self._jobs, self._now, self._last = jobs, now, dict(last or {})
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ticker = _Ticker(tick)
        self._ticker.add_job(
            self._start_due,
            "interval",
            seconds=tick.total_seconds(),
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # late is better than never
        )

    def last(self, name: str) -> datetime | None:
        """Return when a job was last begun that was then done; None: not since the start."""
        return self._last.get(name)

    async def __aenter__(self) -> Self:
        self._ticker.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ticker.shutdown(wait=False)
        self._jobs = ()  # a tick that is on its way already finds nothing to begin
        running = tuple(self._running.values())
        for task in running:
            task.cancel()
        # The ticker, too, ends only when the event loop comes round to it.
        await asyncio.gather(*running, asyncio.sleep(0), return_exceptions=True)

    async def _start_due(self) -> None:
        now = self._now()
        for job in due(self._jobs, self._last, now):
            if job.name not in self._running:
                self._running[job.name] = asyncio.create_task(self._do(job, now))

    async def _do(self, job: Job, now: datetime) -> None:
        began = time.monotonic()
        try:
            await job.what(now)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the other jobs and the next tick go on
            log.error("job.failed", extra={"job": job.name, "error": type(error).__name__})  # noqa: TRY400 - no text of it
        else:
            self._last[job.name] = now
            log.info("job.done", extra={"job": job.name, "seconds": time.monotonic() - began})
        finally:
            del self._running[job.name]


class _Ticker(AsyncIOScheduler):  # type: ignore[misc]  # it ships no types
    """Wakes by a steady timer, but asks the clock whether a tick is due: with the clock put back an hour it would miss an hour.

    With the clock put forward it would go through each tick that was missed. So a tick that is far off is due now.
    """

    def __init__(self, tick: timedelta) -> None:
        super().__init__(timezone=UTC)  # its jobs are kept in memory unless it is told otherwise
        self._tick = tick

    def wakeup(self) -> None:
        """Look for what is due."""
        now = datetime.now(UTC)
        for job in self.get_jobs():
            if abs(job.next_run_time - now) > self._tick:
                job.modify(next_run_time=now)
        super().wakeup()
