"""Receipts of money that somebody has put into their wallet, on paper. It is no supply, so it has no invoice."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from farebox.accounts import Actor, get_person
from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.core.i18n import current_language, format_day, format_money, format_time, gettext, pgettext, zone_name
from farebox.core.money import Money, total
from farebox.core.settings import Settings
from farebox.payments.errors import PaymentNotFound
from farebox.payments.models import ChargeRow
from farebox.payments.queries import get_payment
from farebox.payments.states import Disposition
from farebox.payments.top_ups import top_up_number
from farebox.payments.wallet import person_of
from farebox.ticketing import print_with

TEMPLATE: Final = "receipt.typ"
NAME: Final = "Farebox"


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money that came for a wallet through one payment, most often at once; in the person's own time.

    Attributes:
        payer: the name and the address of the account, a line each, as they are today.
    """

    payment_id: UUID
    method: str
    received: tuple[tuple[datetime, Money], ...]
    payer: tuple[str, ...]

    @property
    def number(self) -> str:
        return top_up_number(self.payment_id)


async def get_top_up(
    work: UnitOfWork, payment_id: UUID, *, actor: Actor, secrets: Secrets, zone: ZoneInfo | None = None
) -> TopUp:
    """Raises: PaymentNotFound: no such payment into a wallet of this actor's, or none of its money has come."""
    payment = await get_payment(work, payment_id, actor=actor)
    charges = await work.session.scalars(
        select(ChargeRow)
        .where(ChargeRow.payment_id == payment_id, ChargeRow.disposition == Disposition.APPLIED)
        .order_by(ChargeRow.received_at, ChargeRow.id)
    )
    came = [(charge.received_at, Money(charge.amount_minor, charge.currency)) for charge in charges]
    if payment.booking_id is not None or not came:
        raise PaymentNotFound
    person = await get_person(work, person_of(actor), secrets=secrets)
    zone = zone or ZoneInfo(person.timezone or "UTC")
    name = " ".join(filter(None, (person.first_name, person.last_name)))
    received = tuple((at.astimezone(zone), amount) for at, amount in came)
    return TopUp(payment_id, payment.method, received, tuple(filter(None, (name, person.email))))


async def render_top_up_receipt(
    database: Database,
    payment_id: UUID,
    *,
    actor: Actor,
    secrets: Secrets,
    settings: Settings,
    zone: ZoneInfo | None = None,
) -> tuple[TopUp, bytes]:
    """A receipt as a PDF (A4, PDF/UA-1) in the current language.

    Args:
        database: this has a unit of work of its own, which is over before it prints.
        zone: in which the reader sees everything else; else the one that they have chosen, or UTC.

    Raises:
        PaymentNotFound: as `get_top_up`.
    """
    async with database.begin() as work:
        top_up = await get_top_up(work, payment_id, actor=actor, secrets=secrets, zone=zone)
    return top_up, await print_with(TEMPLATE, page_of(top_up, settings))


def page_of(top_up: TopUp, settings: Settings) -> dict[str, Any]:
    """All that is printed, as the template reads it."""
    first, amount = top_up.received[0]
    pattern = pgettext("date pattern, date", "d MMM y")
    paid = total([each for _, each in top_up.received], amount.currency)
    return {
        "title": gettext("Receipt {number}").format(number=top_up.number),
        "kind": gettext("Receipt"),
        "number": top_up.number,
        "description": gettext("Put into your wallet"),
        "language": current_language(),
        "fonts": ["Inter"],
        "pages": gettext("Page {page} of {pages}"),
        "words": {
            "seller": gettext("Received by"),
            "buyer": gettext("Received from"),
            "date": gettext("Date"),
            "description": gettext("Description"),
            "amount": gettext("Amount"),
            "total": gettext("Total"),
        },
        "seller": {"name": NAME, "brand": "#15171a", "on_brand": "#ffb81c", "lines": _host(settings)},
        "buyer": list(top_up.payer),
        "facts": [
            {"label": gettext("Number"), "value": top_up.number},
            {"label": gettext("Date"), "value": format_day(first, pattern)},
        ],
        "lines": [
            {"date": f"{format_day(at, pattern)}, {format_time(at)}", "amount": format_money(each)}
            for at, each in top_up.received
        ],
        "what": gettext("Put into your wallet"),
        "total": format_money(paid),
        "notes": [
            gettext("This money is yours, for trips that you choose. Nothing was sold yet, so no tax is in it."),
            gettext("Each trip that you pay for with it has an invoice of its own."),
            gettext("Times are those of {zone}.").format(zone=zone_name(first, first.tzinfo or UTC)),
        ],
        "contacts": _host(settings),
    }


def _host(settings: Settings) -> list[str]:
    return [urlsplit(settings.base_url).netloc]
