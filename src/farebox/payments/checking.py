"""The job that asks providers about all payments that are due to be looked at (see `reconciling`).

Each provider is asked by itself, several payments at a time and the oldest first, until none is due or the job's time
is over; the next run goes on. One that does not answer several times in a row is left alone until then, and keeps
nobody from asking the others.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

import structlog
from sqlalchemy import select, tuple_

from farebox.core.db import Database
from farebox.payments.errors import ProviderUnavailable
from farebox.payments.models import PaymentRow
from farebox.payments.providers import Providers
from farebox.payments.reconciling import ask_about
from farebox.ticketing import Signer

log = structlog.get_logger(__name__)

AT_ONCE: Final = 8
"""How many questions one provider is asked at the same time. None has a connection of the database meanwhile."""

BATCH: Final = 200
LONGEST_RUN_SECONDS: Final = 45.0
"""After so long no more questions are begun: the job comes every minute."""

MOST_FAILURES: Final = 3
"""After so many in a row a provider is taken to be down."""

Due: TypeAlias = tuple[datetime, UUID]
"""When a payment was due to be looked at, and which one it is."""


async def check_payments(database: Database, *, providers: Providers, signer: Signer) -> int:
    """Ask about the payments that are due to be looked at; of how many it was tried."""
    until = time.monotonic() + LONGEST_RUN_SECONDS
    async with database.begin() as work:
        names = await work.session.scalars(
            select(PaymentRow.provider).where(PaymentRow.next_check_at <= work.now).distinct()
        )
        rounds = [_Round(database, name, until, providers, signer) for name in names]
    return sum(await asyncio.gather(*(each.run() for each in rounds)))


class _Round:
    """One provider's share of a run."""

    def __init__(self, database: Database, provider: str, until: float, providers: Providers, signer: Signer) -> None:
        self._database, self._provider, self._until = database, provider, until
        self._providers, self._signer = providers, signer
        self._failures = self._asked = 0

    async def run(self) -> int:
        """Ask until none is due, the time is over, or the provider is down. How many questions that were."""
        due = await self._list_due(None)
        while due and not self._is_over:
            waiting = iter(due)
            await asyncio.gather(*(self._ask_in_turn(waiting) for _ in range(AT_ONCE)))
            due = await self._list_due(due[-1])
        if self._failures >= MOST_FAILURES:
            log.warning("provider-left-alone", provider=self._provider, asked=self._asked)
        return self._asked

    @property
    def _is_over(self) -> bool:
        return self._failures >= MOST_FAILURES or time.monotonic() >= self._until

    async def _list_due(self, after: Due | None) -> Sequence[Due]:
        """The next that are due, the oldest first. What becomes due behind `after` is for the next run."""
        async with self._database.begin() as work:
            query = select(PaymentRow.next_check_at, PaymentRow.id).where(
                PaymentRow.provider == self._provider, PaymentRow.next_check_at <= work.now
            )
            if after is not None:
                query = query.where(tuple_(PaymentRow.next_check_at, PaymentRow.id) > after)
            rows = await work.session.execute(query.order_by(PaymentRow.next_check_at, PaymentRow.id).limit(BATCH))
            return [(at, payment_id) for at, payment_id in rows if at is not None]

    async def _ask_in_turn(self, waiting: Iterator[Due]) -> None:
        for _, payment_id in waiting:
            if self._is_over:
                return
            self._asked += 1
            try:
                await ask_about(
                    self._database, payment_id, providers=self._providers, signer=self._signer, is_forced=False
                )
            except ProviderUnavailable:
                log.warning("payment-check-waits", payment_id=str(payment_id))
                self._failures += 1
            except Exception:  # one that breaks us keeps nobody from asking about the others
                log.exception("payment-check-failed", payment_id=str(payment_id))
            else:
                self._failures = 0
