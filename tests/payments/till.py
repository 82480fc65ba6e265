"""What the tests of payments share: a provider that can be out of order, and short ways to pay and to look after it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from tests.bookings.shows import Box, Show, scalar

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import Booking, get_booking, list_audit
from farebox.core.db import Database
from farebox.core.ids import new_id
from farebox.payments import (
    PaymentOrder,
    PaymentView,
    ProviderEvent,
    ProviderUnavailable,
    RefundAnswer,
    RefundOrder,
    RefundRefused,
    RunningPayment,
    Sandbox,
    Started,
    balances,
    get_payment,
    make_forgotten_refunds,
    play_sandbox,
    receive_webhook,
    start_payment,
)
from farebox.payments.sandbox import SandboxMessage, remember


class Bank(Sandbox):
    """The sandbox, with a telephone line that can be cut, and a memory of what it was asked."""

    is_down = False
    refuses = False
    is_slow = False
    """Refunds are on their way for days."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.started: list[PaymentOrder] = []
        self.refunds: list[RefundOrder] = []
        self.asked: list[RunningPayment] = []
        self.closed: list[RunningPayment] = []

    async def start(self, order: PaymentOrder) -> Started:
        self.started.append(order)
        if self.is_down:
            raise ProviderUnavailable
        return await super().start(order)

    async def refund(self, order: RefundOrder) -> RefundAnswer:
        self.refunds.append(order)
        if self.is_down:
            raise ProviderUnavailable from ConnectionError("no line")
        if self.refuses:
            raise RefundRefused from ValueError("the card is closed")
        answer = await super().refund(order)
        return RefundAnswer(answer.external_id, is_final=not self.is_slow)

    async def fetch(self, payment: RunningPayment) -> Sequence[ProviderEvent]:
        self.asked.append(payment)
        if self.is_down:
            raise ProviderUnavailable
        return await super().fetch(payment)

    async def do(self, message: SandboxMessage) -> None:
        """Something happens at the bank, and its message is lost."""
        async with self._database.begin() as work:
            remember(work, [message])

    async def close(self, payment: RunningPayment) -> None:
        self.closed.append(payment)
        await super().close(payment)


class Till:
    """Takes money for a box office's bookings."""

    def __init__(self, box: Box, bank: Bank) -> None:
        self.box, self.bank = box, bank
        self.events: list[Any] = []
        self.watch(box.database)

    @property
    def database(self) -> Database:
        return self.box.database

    @property
    def providers(self) -> dict[str, Bank]:
        return {"sandbox": self.bank}

    def watch(self, database: Database) -> None:
        """Remember the events of a database's units of work that commit."""

        async def collect(work: Any, events: list[Any]) -> None:
            self.events += events

        database.deliver_events_to(collect)

    def told(self) -> list[str]:
        """The types of the events since the last time."""
        types = [event.type for event in self.events]
        self.events.clear()
        return types

    async def start(self, booking: Booking, actor: Actor, **more: Any) -> PaymentView:
        return await start_payment(
            self.database,
            booking.id,
            actor=actor,
            providers=self.providers,
            settings=self.box.settings,
            **({"method": "sandbox"} | more),
        )

    async def paying(self, units: tuple[int, ...] = (0,), **show: Any) -> tuple[Booking, Actor, Show, PaymentView]:
        """A booking in a new show, whose payment has begun. Events up to here are forgotten."""
        booking, actor, programme = await self.box.booked(units, **show)
        payment = await self.start(booking, actor)
        self.events.clear()
        return booking, actor, programme, payment

    async def deliver(self, message: SandboxMessage) -> None:
        body = msgspec.json.encode(message)
        await receive_webhook(
            self.database,
            "sandbox",
            self.bank.sign(body),
            body,
            providers=self.providers,
            signer=self.box.secrets,
        )

    async def play(self, payment: PaymentView, outcome: Any) -> PaymentView:
        return await play_sandbox(self.database, payment.id, outcome, providers=self.providers, signer=self.box.secrets)

    async def make_refunds(self) -> int:
        """What the jobs do after the events."""
        return await make_forgotten_refunds(self.database, providers=self.providers, older_than_seconds=0)

    async def booking(self, booking: Booking, *, as_it_stands: bool = False) -> Booking:
        async with self.database.begin() as work:
            return await get_booking(work, booking.id, actor=SYSTEM, as_it_stands=as_it_stands)

    async def payment(self, payment: PaymentView) -> PaymentView:
        async with self.database.begin() as work:
            return await get_payment(work, payment.id, actor=SYSTEM)

    async def steps(self, booking: Booking) -> list[str]:
        """The reasons in the audit, in order."""
        async with self.database.begin() as work:
            return [entry.reason for entry in await list_audit(work, booking.id, actor=SYSTEM)]

    async def ledger(self, booking: Booking) -> dict[str, int]:
        """The balances that are not zero, operators by the name `sales`."""
        async with self.database.begin() as work:
            found = await balances(work, booking_id=booking.id)
        return {account.split(":")[0]: minor for (account, _), minor in found.items() if minor}

    async def charges(self) -> list[tuple[str, int, int]]:
        """(disposition, amount, promised back) of each charge, the oldest first."""
        async with self.database.begin() as work:
            cursor = await work.execute(
                "SELECT disposition, amount_minor, refunded_minor FROM payment_charge ORDER BY received_at, id"
            )
            return [tuple(row) for row in await cursor.fetchall()]

    async def inbox(self) -> list[str | None]:
        """The outcome of each message, the oldest first."""
        async with self.database.begin() as work:
            cursor = await work.execute("SELECT outcome FROM payment_event ORDER BY received_at, id")
            return [row[0] for row in await cursor.fetchall()]

    async def tickets(self) -> int:
        return int(await scalar(self.database, "SELECT count(*) FROM ticket WHERE status = 'issued'"))


def paid(payment: PaymentView, /, **facts: Any) -> SandboxMessage:
    """The message that a payment's money was taken, a new one each time, about the same charge."""
    known: dict[str, Any] = {
        "id": f"evt_{new_id()}",
        "type": "charge.succeeded",
        "payment": payment.id,
        "charge": f"ch_{payment.id}",
        "amount": payment.amount.minor,
        "currency": payment.amount.currency,
    }
    return SandboxMessage(**(known | facts))


def declined(payment: PaymentView) -> SandboxMessage:
    return SandboxMessage(id=f"evt_{new_id()}", type="charge.failed", payment=payment.id, failure="declined")


def disputed(payment: PaymentView, /, step: str, **facts: Any) -> SandboxMessage:
    """A payer's bank wants the payment's money back (`opened`), got it (`lost`), or did not (`won`)."""
    known: dict[str, Any] = {
        "id": f"evt_{new_id()}",
        "type": f"dispute.{step}",
        "payment": payment.id,
        "charge": f"ch_{payment.id}",
        "amount": payment.amount.minor,
        "currency": payment.amount.currency,
    }
    return SandboxMessage(**(known | facts))


def about_refund(payment: PaymentView, refund_id: UUID | None, kind: str = "failed", **facts: Any) -> SandboxMessage:
    """The message that a refund of a payment was made (`succeeded`), or came back (`failed`)."""
    known: dict[str, Any] = {
        "id": f"evt_{new_id()}",
        "type": f"refund.{kind}",
        "payment": payment.id,
        "charge": f"ch_{payment.id}",
        "refund": refund_id,
        "failure": "account-closed" if kind == "failed" else "",
    }
    return SandboxMessage(**(known | facts))
