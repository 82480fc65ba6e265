"""The money of a booking, as its page tells it: what came, what is on its way, what goes back, and the papers."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from farebox.accounts import Actor
from farebox.bookings import Booking
from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.payments import (
    PaymentStatus,
    PaymentView,
    Providers,
    RefundView,
    list_came,
    list_invoices,
    list_payments,
    list_refunds,
)
from farebox.web.shop.methods import method_label
from farebox.web.shop.story import zone_of
from farebox.web.views.booking import MoneyLine, Paper

Kind = Literal["", "good", "warn", "bad"]

PAYMENTS: Final[dict[PaymentStatus, tuple[str, Kind]]] = {
    PaymentStatus.PENDING: (N_("On its way"), "warn"),
    PaymentStatus.PROCESSING: (N_("On its way"), "warn"),
    PaymentStatus.COMPLETED: (N_("Paid"), "good"),
    PaymentStatus.FAILED: (N_("Not paid"), "bad"),
    PaymentStatus.REFUNDED: (N_("Paid, then paid back"), ""),
    PaymentStatus.PARTIALLY_REFUNDED: (N_("Paid, partly paid back"), ""),
}
CAME: Final = frozenset({PaymentStatus.COMPLETED, PaymentStatus.REFUNDED, PaymentStatus.PARTIALLY_REFUNDED})

REFUNDS: Final[dict[str, tuple[str, Kind]]] = {
    "pending": (N_("On its way"), "warn"),
    "completed": (N_("Paid back"), "good"),
    "failed": (N_("Refused by the bank; we look after it"), "bad"),
}
"""Status of a refund -> tag. One that another replaced is left out."""

REASONS: Final = {
    "cancelled": N_("For what was cancelled"),
    "changed": N_("What a change saved"),
    "change-not-made": N_("For a change that was not made"),
    "duplicate": N_("It was paid twice"),
    "late": N_("It came when the seats had gone"),
    "mismatched": N_("It was another amount than asked for"),
    "unwanted": N_("Nothing was to be paid any more"),
    "rest-unpaid": N_("The rest was not paid in time"),
    "cancelled-before-rest": N_("For what was cancelled"),
}
"""Why money goes back; for other words of ours, nothing more than that it does."""

INTO: Final = {
    "origin": N_("back the way it was paid"),
    "wallet": N_("into the wallet"),
    "hand": N_("by hand, from the operator"),
}


async def money_of(work: UnitOfWork, booking: Booking, actor: Actor, providers: Providers) -> tuple[MoneyLine, ...]:
    """Payments and refunds, the oldest first; attempts that another one took the place of are left out."""
    zone = ZoneInfo(zone_of(booking))
    lines: list[MoneyLine] = []
    payments = await list_payments(work, booking.id, actor=actor)
    came = await list_came(work, [each.id for each in payments])
    for payment in reversed(payments):
        if payment.failure == "superseded":
            continue
        lines.append(_payment(payment, amount_of(payment, came), booking, providers, zone))
        if payment.status in CAME:
            lines += _refunds(await list_refunds(work, payment.id, actor=actor), zone)
    return tuple(lines)


def amount_of(payment: PaymentView, came: Mapping[UUID, Money]) -> Money:
    """What a payment has brought, once it is over: often what was asked for; that, as long as it is not."""
    return came.get(payment.id, payment.amount) if payment.status in CAME else payment.amount


async def papers_of(work: UnitOfWork, booking: Booking, actor: Actor) -> tuple[Paper, ...]:
    """Invoices and credit notes."""
    labels = {"invoice": _("Invoice {number}"), "credit-note": _("Credit note {number}")}
    return tuple(
        Paper(labels[invoice.kind].format(number=invoice.number), f"/bookings/{booking.id}/invoices/{invoice.id}")
        for invoice in await list_invoices(work, booking.id, actor=actor)
    )


def _payment(payment: PaymentView, amount: Money, booking: Booking, providers: Providers, zone: ZoneInfo) -> MoneyLine:
    state, kind = PAYMENTS[payment.status]
    at = payment.completed_at or payment.created_at
    label = method_label(payment.method, booking.total.currency, providers)
    return MoneyLine(at.astimezone(zone), label, amount, _(state), kind)


def _refunds(refunds: Sequence[RefundView], zone: ZoneInfo) -> list[MoneyLine]:
    return [
        MoneyLine(
            at=(refund.completed_at or refund.created_at).astimezone(zone),
            label=", ".join(filter(None, [_(REASONS.get(refund.reason, "")), _(INTO.get(refund.destination, ""))])),
            amount=refund.amount,
            state=_(REFUNDS[refund.status][0]),
            kind=REFUNDS[refund.status][1],
            is_back=True,
        )
        for refund in refunds
        if refund.status in REFUNDS
    ]
