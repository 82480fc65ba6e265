"""Seat maps that change while people look at them.

A process keeps one state for each run that somebody watches. It is read anew when a signal names the run, when the next
hold on it runs out, and every few seconds in any case: a signal may be lost, the truth is not. What has changed is
worked out once for each stretch, encoded once, and handed to all who watch it.
"""

import asyncio
import heapq
import random
from collections import Counter
from collections.abc import Callable, Collection
from uuid import UUID

import structlog

from farebox.coaches.errors import TooManyWatchers
from farebox.coaches.pictures import Message
from farebox.coaches.watched import NEVER, WatchedRun, Watcher
from farebox.core.db import Database, UnitOfWork
from farebox.core.metrics import WATCHERS
from farebox.core.signals import Signals
from farebox.inventory import read_runs
from farebox.timetable import DepartureNotFound, departure_of, list_departure_stamps, segment

log = structlog.get_logger(__name__)

PACE_SECONDS = 0.08
"""A run is read at most this often, however many signals name it."""

SAFETY_SECONDS = 4.0
"""And at least this often."""

DEAF_SECONDS = 0.6
"""At least that often while signals of other processes cannot be heard."""

SHARE_OF_TIME = 0.25
"""The part of the time that reading unasked may take; with very many runs its pace slackens instead."""

MARGIN_SECONDS = 0.005
"""So long after a hold's end its run is read: then it has ended by the database's clock, too."""

RUNS_AT_ONCE = 50
PUSHES_AT_ONCE = 500
"""After so many, others get their turn."""

PAUSE_SECONDS = 0.5
"""Between tries while the database does not answer."""


class LiveMaps:
    """Everything that this process shows live. Uses one database connection at a time, however many watch.

    Args:
        database: for this alone; disposed of with this.
        limit: how many watchers there may be.
        limit_of_address: how many of them from one address.
    """

    def __init__(self, database: Database, signals: Signals, *, limit: int, limit_of_address: int) -> None:
        self._database = database
        self._signals = signals
        self._limit = limit
        self._limit_of_address = limit_of_address
        self._addresses: Counter[str] = Counter()
        self._watchers = 0
        self._runs: dict[UUID, WatchedRun] = {}
        self._topics: dict[str, WatchedRun] = {}
        self._agenda: list[tuple[float, str]] = []
        self._wake = asyncio.Event()
        self._opening = asyncio.Lock()
        self._seconds_a_run = 0.0
        signals.subscribe(self._on_signal)

    @property
    def count(self) -> int:
        """How many watch."""
        return self._watchers

    @property
    def is_idle(self) -> bool:
        """Whether nobody watches, and nothing is kept."""
        return not (self._watchers or self._runs or self._topics or self._addresses)

    async def admit(
        self,
        departure_id: UUID,
        from_id: UUID | None,
        to_id: UUID | None,
        *,
        owner: str | None,
        address: str,
        kind: str,
    ) -> Watcher:
        """Let somebody watch. They are shown nothing before `begin`, and whoever was admitted must `leave`.

        Raises:
            DepartureNotFound, NotBoardable: no such ride.
            TooManyWatchers: this process, or this address, has as many as it may.
        """
        if self._watchers >= self._limit or self._addresses[address] >= self._limit_of_address:
            raise TooManyWatchers
        self._count(address, kind, 1)
        try:
            run = self._runs.get(departure_id) or await self._open(departure_id)
            run.watchers += 1
        except BaseException:
            self._count(address, kind, -1)
            raise
        watcher = Watcher(run, (0, 0), owner, address, kind)
        try:
            ride = segment(run.departure, from_id, to_id)
        except BaseException:
            self.leave(watcher)
            raise
        watcher.stretch = ride.first_slot, ride.end_slot
        return watcher

    def begin(self, watcher: Watcher, push: Callable[[Message], None], end: Callable[[bool], object]) -> None:
        """Push a snapshot, and from then on every change.

        Args:
            push, end: must neither wait nor raise. `end` is told that this is not the map any more: that there is no
                such departure (true), or that it has changed so much that the watcher must begin anew (false).
        """
        watcher.push, watcher.end = push, end
        push(watcher.run.show(watcher))

    def show_again(self, watcher: Watcher) -> None:
        """Push a snapshot once more."""
        if watcher.picture is not None:
            watcher.push(watcher.picture.snapshot())

    def leave(self, watcher: Watcher) -> None:
        """Forget a watcher, and with the last one of a run its state."""
        run = watcher.run
        run.hide(watcher)
        run.watchers -= 1
        self._count(watcher.address, watcher.kind, -1)
        if not run.watchers:
            self._forget(run)

    async def dispose(self) -> None:
        await self._database.dispose()

    async def keep_current(self) -> None:
        """Read and tell, until cancelled."""
        is_failing = False
        while True:
            runs = self._take_due()
            if not runs:
                await self._wait()
                continue
            try:
                await self._read(runs)
            except Exception as error:
                if not is_failing:
                    log.warning("live-maps-stale", error=type(error).__name__)
                is_failing = True
                for run in runs:
                    self._schedule(run, 0)
                await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
            else:
                is_failing = False

    async def _open(self, departure_id: UUID) -> WatchedRun:
        async with self._opening:
            if departure_id in self._runs:
                return self._runs[departure_id]
            async with self._database.begin() as work:
                stamps = await list_departure_stamps(work, [departure_id])
                if departure_id not in stamps:
                    raise DepartureNotFound
                departure = await departure_of(work, stamps[departure_id])
                states = await read_runs(work, [departure.inventory_id])
            run = WatchedRun(stamps[departure_id], departure, states[departure.inventory_id])
            self._runs[departure_id] = self._topics[run.topic] = run
            self._schedule(run, 0)  # while it was being read, nobody listened for it
            return run

    async def _read(self, runs: list[WatchedRun]) -> None:
        now = asyncio.get_running_loop().time
        begun = now()
        for run in runs:
            run.due, run.read_at = NEVER, begun  # a signal from now on asks for the next reading
        async with self._database.begin() as work:
            await self._end_other_maps(work, runs)
            states = await read_runs(work, [run.departure.inventory_id for run in runs])
        ended = now()
        self._seconds_a_run = (ended - begun) / len(runs)
        for run in runs:
            if self._topics.get(run.topic) is run:
                state = states[run.departure.inventory_id]
                self._schedule(run, ended + self._safety_seconds())
                if state.ends_in is not None:
                    self._schedule(run, ended + state.ends_in + MARGIN_SECONDS)
                await self._tell(run.change_to(state))

    async def _end_other_maps(self, work: UnitOfWork, runs: list[WatchedRun]) -> None:
        """Send those away whose departure is gone, or has other seats or stops since a timetable was imported."""
        stamps = await list_departure_stamps(work, [run.departure.id for run in runs])
        for run in runs:
            stamp = stamps.get(run.departure.id)
            if stamp is not None and stamp != run.stamp:
                departure = await departure_of(work, stamp)
                if run.is_drawn_like(departure):
                    run.stamp, run.departure = stamp, departure
            if stamp != run.stamp:
                self._forget(run)
                for watcher in run.all_watchers():
                    watcher.end(stamp is None)

    def _forget(self, run: WatchedRun) -> None:
        """Keep a run no longer; whoever still has it leaves in a moment, and the next to come begins anew."""
        if self._topics.get(run.topic) is run:
            del self._runs[run.departure.id], self._topics[run.topic]

    async def _tell(self, news: list[tuple[Message, list[Watcher]]]) -> None:
        pushed = 0
        for message, watchers in news:
            for watcher in watchers:
                watcher.push(message)
                pushed += 1
                if pushed % PUSHES_AT_ONCE == 0:
                    await asyncio.sleep(0)

    def _on_signal(self, topics: Collection[str] | None) -> None:
        runs = self._topics.values() if topics is None else map(self._topics.get, topics)
        for run in runs:
            if run is not None:
                self._schedule(run, run.read_at + PACE_SECONDS)

    def _schedule(self, run: WatchedRun, at: float) -> None:
        """Read a run at the loop's time `at`, unless it is to be read sooner."""
        if at < run.due:
            run.due = at
            heapq.heappush(self._agenda, (at, run.topic))
            if self._agenda[0][0] == at:
                self._wake.set()

    def _take_due(self) -> list[WatchedRun]:
        now = asyncio.get_running_loop().time()
        runs: dict[str, WatchedRun] = {}
        while self._agenda and self._agenda[0][0] <= now and len(runs) < RUNS_AT_ONCE:
            at, topic = heapq.heappop(self._agenda)
            run = self._topics.get(topic)
            if run is not None and run.due == at:
                runs[topic] = run
        return list(runs.values())

    async def _wait(self) -> None:
        """Until something is due."""
        self._wake.clear()
        due = self._agenda[0][0] if self._agenda else None
        try:
            async with asyncio.timeout_at(due):
                await self._wake.wait()
        except TimeoutError:
            return

    def _safety_seconds(self) -> float:
        wanted = SAFETY_SECONDS if self._signals.is_whole else DEAF_SECONDS
        possible = self._seconds_a_run * len(self._runs) / SHARE_OF_TIME
        return max(wanted, possible) * random.uniform(0.75, 1.25)  # noqa: S311

    def _count(self, address: str, kind: str, change: int) -> None:
        self._watchers += change
        self._addresses[address] += change
        if not self._addresses[address]:
            del self._addresses[address]
        WATCHERS.labels(kind).inc(change)
