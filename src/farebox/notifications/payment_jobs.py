"""What travellers and operators are told about money: receipts, and what did not simply come or go back."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from uuid import UUID

from farebox.accounts import SYSTEM
from farebox.bookings import get_booking
from farebox.core.db import Database, UnitOfWork
from farebox.core.jobs import Jobs
from farebox.core.money import Money
from farebox.notifications.commands import Office
from farebox.notifications.views import MessageKind
from farebox.payments import top_up_number

RECEIPT: Final = "notifications.payment-completed"
CREDIT_NOTE: Final = "notifications.credit-note"
TOP_UP: Final = "notifications.wallet-topped-up"
PART_PAID: Final = "notifications.part-paid"
REFUND_FAILED: Final = "notifications.refund-failed"
DISPUTED: Final = "notifications.disputed"
WALLET_DISPUTED: Final = "notifications.wallet-disputed"

PAYMENT_REACTIONS: Final[dict[str, list[str]]] = {
    "payment.completed": [RECEIPT],
    "invoice.issued": [CREDIT_NOTE],
    "wallet.topped-up": [TOP_UP],
    "payment.partially-paid": [PART_PAID],
    "payment.refund-failed": [REFUND_FAILED],
    "payment.disputed": [DISPUTED],
    "wallet.disputed": [WALLET_DISPUTED],
}
"""Event type -> jobs, for the outbox."""

OF_DISPUTE: Final[dict[str, tuple[MessageKind, MessageKind]]] = {
    "open": (MessageKind.DISPUTE_OPENED, MessageKind.OPERATOR_DISPUTE_OPENED),
    "won": (MessageKind.DISPUTE_WON, MessageKind.OPERATOR_DISPUTE_WON),
    "lost": (MessageKind.DISPUTE_LOST, MessageKind.OPERATOR_DISPUTE_LOST),
}
"""Step -> what the traveller is told, and the operators."""

OF_WALLET_DISPUTE: Final[dict[str, MessageKind]] = {
    "open": MessageKind.WALLET_DISPUTE_OPENED,
    "won": MessageKind.WALLET_DISPUTE_WON,
    "lost": MessageKind.WALLET_DISPUTE_LOST,
}
"""Step -> what the owner of a wallet is told."""

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
        kinds, occasion = OF_DISPUTE[event["step"]], event.get("disputeId", event["chargeId"])
        if event.get("counts", True):
            await tell_both(event, kinds, occasion)
        elif event["bookingId"] is not None:
            async with database.begin() as work:
                await _tell_of_part(work, office, event, kinds[1], occasion)

    async def tell_both(event: Event, kinds: tuple[MessageKind, MessageKind], occasion: str) -> None:
        if event["bookingId"] is None:
            return  # money of a wallet: of a dispute, its owner is told on its own; of a refund, they see it there
        facts = {"amount": _money(event)}
        async with database.begin() as work:
            await office.tell_contact(work, UUID(event["bookingId"]), kinds[0], occasion, facts)
            await office.tell_operators(work, UUID(event["bookingId"]), kinds[1], occasion, facts)

    jobs.register(RECEIPT, completed)
    jobs.register(CREDIT_NOTE, partial(_send_credit_note, database, office))
    jobs.register(TOP_UP, partial(_send_top_up_receipt, database, office))
    jobs.register(PART_PAID, part_paid)
    jobs.register(REFUND_FAILED, refund_failed)
    jobs.register(DISPUTED, disputed)
    jobs.register(WALLET_DISPUTED, partial(_tell_of_wallet, database, office))


async def _send_credit_note(database: Database, office: Office, event: Event) -> None:
    if event["kind"] == "credit-note":
        async with database.begin() as work:
            await office.send_credit_note(work, UUID(event["bookingId"]), credit_note_id=UUID(event["invoiceId"]))


async def _send_top_up_receipt(database: Database, office: Office, event: Event) -> None:
    async with database.begin() as work:
        number = top_up_number(UUID(event["paymentId"]))
        facts = {"amount": _money(event), "at": work.now, "number": number}
        facts["url"] = f"/account/wallet/receipts/{event['paymentId']}"
        await office.tell_person(work, UUID(event["personId"]), MessageKind.TOP_UP_RECEIPT, event["chargeId"], facts)


async def _tell_of_wallet(database: Database, office: Office, event: Event) -> None:
    """Where nothing was held back, since that money has gone back already, there is nothing to tell."""
    if not Money.parse(event["held"], event["currency"]):
        return
    in_wallet = Money.parse(event["inWallet"], event["currency"])
    facts = {"amount": _money(event), "in_wallet": in_wallet, "url": "/account/wallet"}
    kind = OF_WALLET_DISPUTE[event["step"]]
    if kind == MessageKind.WALLET_DISPUTE_LOST and not in_wallet:
        kind = MessageKind.WALLET_DISPUTE_UNTAKEN
    async with database.begin() as work:
        await office.tell_person(work, UUID(event["personId"]), kind, event["disputeId"], facts)


async def _tell_of_part(
    work: UnitOfWork, office: Office, event: Event, to_operator: MessageKind, occasion: str
) -> None:
    """Of disputed money that does not count: the traveller is told where it was a part of what is still to be paid."""
    booking_id, facts = UUID(event["bookingId"]), {"amount": _money(event)}
    if event["step"] == "open" and (await get_booking(work, booking_id, actor=SYSTEM)).is_open:
        await office.tell_contact(work, booking_id, MessageKind.PART_DISPUTED, occasion, facts)
    await office.tell_operators(work, booking_id, to_operator, occasion, facts)


def _money(event: Event) -> Money:
    return Money.parse(event["amount"], event["currency"])
