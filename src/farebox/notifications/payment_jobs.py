"""What travellers and operators are told about money: receipts, and what did not simply come or go back."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.core.money import Money
from farebox.notifications.commands import Office
from farebox.notifications.views import MessageKind

RECEIPT: Final = "notifications.payment-completed"
PART_PAID: Final = "notifications.part-paid"
REFUND_FAILED: Final = "notifications.refund-failed"
DISPUTED: Final = "notifications.disputed"

PAYMENT_REACTIONS: Final[dict[str, list[str]]] = {
    "payment.completed": [RECEIPT],
    "payment.partially-paid": [PART_PAID],
    "payment.refund-failed": [REFUND_FAILED],
    "payment.disputed": [DISPUTED],
}
"""Event type -> jobs, for the outbox."""

OF_DISPUTE: Final[dict[str, tuple[MessageKind, MessageKind]]] = {
    "open": (MessageKind.DISPUTE_OPENED, MessageKind.OPERATOR_DISPUTE_OPENED),
    "won": (MessageKind.DISPUTE_WON, MessageKind.OPERATOR_DISPUTE_WON),
    "lost": (MessageKind.DISPUTE_LOST, MessageKind.OPERATOR_DISPUTE_LOST),
}
"""Step -> what the traveller is told, and the operators."""

Event = Mapping[str, Any]


def register_payment_jobs(jobs: Jobs, database: Database, office: Office) -> None:
    """Enter the jobs that write about money, each once for an event however often it runs."""

    async def completed(event: Event) -> None:
        async with database.begin() as work:
            await office.send_receipt(
                work, UUID(event["bookingId"]), payment_id=UUID(event["paymentId"]), amount=_money(event)
            )

    async def part_paid(event: Event) -> None:
        facts = {"amount": _money(event), "missing": Money.parse(event["missing"], event["currency"])}
        occasion = f"{event['paymentId']}:{event['missing']}"
        async with database.begin() as work:
            await office.tell_contact(work, UUID(event["bookingId"]), MessageKind.PART_PAID, occasion, facts)

    async def refund_failed(event: Event) -> None:
        kinds = MessageKind.REFUND_FAILED, MessageKind.OPERATOR_REFUND_FAILED
        await tell_both(event, kinds, event["refundId"])

    async def disputed(event: Event) -> None:
        await tell_both(event, OF_DISPUTE[event["step"]], event["chargeId"])

    async def tell_both(event: Event, kinds: tuple[MessageKind, MessageKind], occasion: str) -> None:
        if event["bookingId"] is None:
            return  # money of a wallet: its owner sees it there
        facts = {"amount": _money(event)}
        async with database.begin() as work:
            await office.tell_contact(work, UUID(event["bookingId"]), kinds[0], occasion, facts)
            await office.tell_operators(work, UUID(event["bookingId"]), kinds[1], occasion, facts)

    jobs.register(RECEIPT, completed)
    jobs.register(PART_PAID, part_paid)
    jobs.register(REFUND_FAILED, refund_failed)
    jobs.register(DISPUTED, disputed)


def _money(event: Event) -> Money:
    return Money.parse(event["amount"], event["currency"])
