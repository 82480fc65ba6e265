"""Where requests for units are handed in. Those that come together are committed together: see `batches`.

A desk is no authority. Each process has one, as many as there are work side by side, and one that dies leaves nothing
behind but holds that run out.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from farebox.core.db import Database
from farebox.core.errors import Busy
from farebox.inventory.deciding import packed_keys
from farebox.inventory.errors import Overloaded, UnknownUnits
from farebox.inventory.lanes import LOCK_TIMEOUT_MS, Lane, Waiter
from farebox.inventory.taking import take
from farebox.inventory.views import Hold, TakeRequest, is_plausible

LONGEST_QUEUE: Final = 2000
"""Requests that may be waiting or under way; the next one is refused at once."""

PATIENCE_SECONDS: Final = 2.0
"""How long a request may wait for its turn."""

ALONE_AT_ONCE: Final = 8
"""Transactions of single requests at the same time: fewer than the pool has connections, so that others have some."""

APART_AT_ONCE: Final = 4
"""The same where most requests go in batches."""

PATIENT_AT_ONCE: Final = 2
"""And for those who have to wait for a lock, so that they do not take the turns of all others."""

LARGEST_MEMBER: Final = 512
"""Keys that one request may have to go in a batch."""


class Desk:
    """Takes units for everybody in this process.

    Args:
        group_commit: requests that come together are committed together. Else each in a unit of work of its own.
    """

    def __init__(
        self,
        database: Database,
        *,
        group_commit: bool,
        longest_queue: int = LONGEST_QUEUE,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._database = database
        self._longest_queue = longest_queue
        self._patience_seconds = patience_seconds
        self._turns = asyncio.Semaphore(APART_AT_ONCE if group_commit else ALONE_AT_ONCE)
        self._patient_turns = asyncio.Semaphore(PATIENT_AT_ONCE)
        self._lane = (
            Lane(database, patience_seconds=patience_seconds, send_apart=self._send_apart) if group_commit else None
        )
        self._present = 0
        self._apart: Counter[int] = Counter()
        self._errands: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def is_grouping(self) -> bool:
        """Whether requests that come together are committed together."""
        return self._lane is not None

    async def take(self, request: TakeRequest) -> Hold:
        """Hold units for a while, committed on return: see `taking.take`.

        Who is cancelled while waiting may have been served nevertheless; the hold then runs out.

        Raises:
            Overloaded: too many requests are waiting, this one has waited too long, or the process stops.
            UnitsTaken, UnknownUnits, NotOnSale, HoldConflict: see `taking.take`.
        """
        if self._is_closed or self._present >= self._longest_queue:
            raise Overloaded
        if not (request.wants or request.amounts) or not all(is_plausible(want) for want in request.wants):
            raise UnknownUnits
        self._present += 1
        try:
            if self._lane is None or not _fits_in_a_batch(request):
                return await self._take_alone(request, self._turns)
            if self._apart and any(want.inventory_id in self._apart for want in request.wants):
                return await self._take_apart(request)  # a batch would wait for the lock on that run, too
            return await self._lane.join(request, packed_keys(request.wants))
        finally:
            self._present -= 1

    async def dispose(self) -> None:
        """Refuse whoever waits or comes, and bring to its end what is under way."""
        self._is_closed = True
        if self._lane is not None:
            await self._lane.close()
        if self._errands:
            await asyncio.wait(self._errands, timeout=self._patience_seconds)

    async def _take_alone(
        self, request: TakeRequest, turns: asyncio.Semaphore, *, lock_timeout_ms: int | None = None
    ) -> Hold:
        async with self._turn(turns), self._database.begin() as work:
            if lock_timeout_ms is not None:
                await work.execute(f"SET LOCAL lock_timeout = {lock_timeout_ms}")
            return await take(
                work,
                request.wants,
                owner=request.owner,
                terms=request.terms,
                amounts=request.amounts,
                hold_id=request.hold_id,
                replaces=request.replaces,
                replaces_own=request.replaces_own,
            )

    async def _take_apart(self, request: TakeRequest) -> Hold:
        """The same where somebody may hold a lock for long: only who really has to wait for it waits."""
        try:
            return await self._take_alone(request, self._turns, lock_timeout_ms=LOCK_TIMEOUT_MS)
        except Busy:
            return await self._take_alone(request, self._patient_turns)

    @asynccontextmanager
    async def _turn(self, turns: asyncio.Semaphore) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience_seconds):
                await turns.acquire()
        except TimeoutError:
            raise Overloaded from None
        try:
            yield
        finally:
            turns.release()

    def _send_apart(self, waiters: Sequence[Waiter]) -> None:
        """Serve each by itself, so that only the guilty one waits or fails."""
        for waiter in waiters:
            errand = asyncio.create_task(self._serve_apart(waiter))
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)

    async def _serve_apart(self, waiter: Waiter) -> None:
        if waiter.answer.done():
            return  # its client has left
        runs = {want.inventory_id for want in waiter.request.wants}
        self._apart.update(runs)
        try:
            hold = await self._take_apart(waiter.request)
        except Exception as error:
            waiter.refuse(error)
        else:
            if not waiter.answer.done():
                waiter.answer.set_result(hold)
        finally:
            self._apart -= Counter(runs)


def _fits_in_a_batch(request: TakeRequest) -> bool:
    keys = sum(len(want.units) * (want.end_slot - want.first_slot) for want in request.wants)
    return not request.amounts and keys <= LARGEST_MEMBER
