"""A payment from its beginning to its mails, in a process that can be killed between any two steps.

A step is what a process does without a pause that others could see: one unit of work, or one request to the provider.
`Mortal` and `MortalBank` count them, which is the seam: nothing of the product knows that it may be killed here.
"""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.payments.till import Bank

from farebox import notifications, payments
from farebox.accounts import SYSTEM
from farebox.bookings import get_booking
from farebox.core.crypto import Secrets
from farebox.core.db import Database, Reach, UnitOfWork
from farebox.core.jobs import Jobs
from farebox.core.outbox import Outbox
from farebox.core.settings import load_settings
from farebox.payments import RefundAnswer, RefundOrder, Started
from farebox.payments.sandbox import recall

Step = Callable[[], None]
SECRETS = Secrets(b"s" * 32, b"k" * 32)


@dataclass(frozen=True)
class Order:
    """What a process is to do, as another process is told: pay a booking, and be killed before a step, counted from 1
    (0: never). Mail goes to the server at `smtp_url`."""

    dsn: str
    home: Path
    booking_id: UUID
    dies_before: int
    smtp_url: str


class Mortal(Database):
    """A database of which every unit of work is a step."""

    def __init__(self, url: str, step: Step) -> None:
        super().__init__(url)
        self._step = step

    @asynccontextmanager
    async def begin(self, *, reach: Reach = ()) -> AsyncIterator[UnitOfWork]:
        self._step()
        async with super().begin(reach=reach) as work:
            yield work


class MortalBank(Bank):
    """A bank: being asked is a step, and so is hearing its answer."""

    def __init__(self, step: Step, **named: Any) -> None:
        super().__init__(SECRETS.derive("sandbox-webhook"), "http://127.0.0.1", **named)
        self._step = step

    async def start(self, order: Any) -> Started:
        self._step()
        started = await super().start(order)
        self._step()
        return started

    async def refund(self, order: RefundOrder) -> RefundAnswer:
        self._step()
        answer = await super().refund(order)
        self._step()
        return answer


class Process:
    """What a server has, as far as money is concerned."""

    def __init__(self, order: Order, step: Step) -> None:
        self.settings = load_settings(
            {}, env="demo", home=order.home, database_url=order.dsn, smtp_url=order.smtp_url, rate_limits="off"
        )
        self.database = Mortal(order.dsn, step)
        self.bank = MortalBank(step, database=Database(order.dsn))  # the bank lives on
        self.providers = {"sandbox": self.bank}
        self.jobs = Jobs(self.database.dsn)
        payments.register_jobs(self.jobs, self.database, providers=self.providers, signer=SECRETS)
        notifications.register_jobs(self.jobs, database=self.database, settings=self.settings, secrets=SECRETS)
        reactions = {
            name: [*payments.REACTIONS.get(name, []), *notifications.reactions().get(name, [])]
            for name in payments.REACTIONS.keys() | notifications.reactions().keys()
        }
        known = self.jobs.app.tasks
        reactions = {name: [job for job in jobs if job in known] for name, jobs in reactions.items()}
        self.database.deliver_events_to(Outbox(self.jobs, reactions))

    async def pay(self, booking_id: UUID) -> None:
        """The traveller pays, and the bank charges them twice. What was done before is not done again."""
        async with self.database.begin() as work:
            booking = await get_booking(work, booking_id, actor=SYSTEM)
        if not booking.is_open:
            return
        payment = await payments.start_payment(
            self.database,
            booking_id,
            method="sandbox",
            actor=SYSTEM,
            providers=self.providers,
            settings=self.settings,
        )
        async with self.database.begin() as work:
            has_paid = await recall(work, payment.id)
        if not has_paid:
            await payments.play_sandbox(self.database, payment.id, "twice", providers=self.providers, signer=SECRETS)

    async def catch_up(self) -> None:
        """What a server does again and again: asks the bank, goes on with messages that wait, gives jobs of the dead
        to others."""
        async with self.database.begin() as work:
            await work.execute("UPDATE payment SET next_check_at = now() WHERE next_check_at IS NOT NULL")
            await work.execute("UPDATE payment_event SET next_attempt_at = now()")
            await work.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
        await payments.check_payments(self.database, providers=self.providers, signer=SECRETS)
        await payments.handle_waiting(self.database, signer=SECRETS)
        async with self.jobs.app.open_async():
            await self.jobs.requeue_stalled()
        await payments.make_forgotten_refunds(self.database, providers=self.providers, older_than_seconds=0)

    async def work(self) -> None:
        """Do the jobs that wait, and those that come of them."""
        async with self.jobs.app.open_async():
            for _ in range(3):
                await self.jobs.run_worker(concurrency=1, wait=False)

    async def dispose(self) -> None:
        await self.database.dispose()
        await self.bank._database.dispose()


async def live(order: Order, step: Step) -> None:
    process = Process(order, step)
    await process.pay(order.booking_id)
    await process.work()
    await process.dispose()


def live_and_die(order: Order) -> None:
    """The whole story, in a process of its own. It is killed, or ends by itself."""
    steps = itertools.count(1)

    def step() -> None:
        if next(steps) == order.dies_before:
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(live(order, step))
