"""Invoices and credit notes on paper: words in the reader's language around the facts that were frozen."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from farebox.accounts import Actor
from farebox.core.crypto import Secrets
from farebox.core.db import Database
from farebox.core.i18n import country_name, current_language, format_day, format_money, format_time, gettext, pgettext
from farebox.core.money import Money
from farebox.payments.invoice_documents import InvoiceDocument, InvoiceLine, RateTotal, Service, totals
from farebox.payments.invoices import InvoiceView, get_invoice
from farebox.pricing import describe_line
from farebox.ticketing import print_with, readable_on

TEMPLATE: Final = "invoice.typ"


async def render_invoice(
    database: Database, invoice_id: UUID, *, actor: Actor, secrets: Secrets
) -> tuple[InvoiceView, bytes]:
    """An invoice or a credit note as a PDF (A4, PDF/UA-1) in the current language.

    Args:
        database: this has a unit of work of its own, which is over before it prints.

    Raises:
        InvoiceNotFound: no such invoice, or not for this actor.
    """
    async with database.begin(reach=actor.reach) as work:
        invoice, document, buyer = await get_invoice(work, invoice_id, actor=actor, secrets=secrets)
    return invoice, await print_with(TEMPLATE, page_of(invoice, document, buyer))


def page_of(invoice: InvoiceView, document: InvoiceDocument, buyer: str) -> dict[str, Any]:
    """All that is printed, as the template reads it."""

    def money(minor: int) -> str:
        return format_money(Money(minor, invoice.total.currency))

    seller = document.seller
    brand, on_brand = readable_on(seller.color)
    kind = gettext("Invoice") if invoice.kind == "invoice" else gettext("Credit note")
    return {
        "title": f"{kind} {invoice.number}",
        "kind": kind,
        "number": invoice.number,
        "description": gettext("Booking {reference}").format(reference=document.reference),
        "language": current_language(),
        "fonts": ["Inter"],
        "words": _words(),
        "pages": gettext("Page {page} of {pages}"),
        "seller": {
            "name": seller.name,
            "brand": brand,
            "on_brand": on_brand,
            "lines": _seller_lines(document),
        },
        "buyer": [_buyer_line(line) for line in buyer.split("\n")] if buyer else [],
        "facts": _facts(invoice, document),
        "services": [_service(service, document, money) for service in document.services],
        "totals": [_total(_rate(each.rate_bp), each, money) for each in totals(document.lines)],
        "total": _total(gettext("Total"), RateTotal(None, invoice.total.minor, invoice.tax.minor), money),
        "contacts": [each for each in (seller.legal_name, seller.phone, seller.email) if each],
    }


def _words() -> dict[str, str]:
    return {
        "seller": gettext("Seller"),
        "buyer": gettext("Buyer"),
        "description": gettext("Description"),
        "tax": gettext("Tax"),
        "amount": gettext("Amount"),
        "rate": gettext("Tax rate"),
        "net": gettext("Without tax"),
        "gross": gettext("With tax"),
    }


def _seller_lines(document: InvoiceDocument) -> list[str]:
    seller = document.seller
    lines = [seller.legal_name, *seller.address.splitlines()]
    if seller.tax_number:
        lines.append(gettext("Tax number {number}").format(number=seller.tax_number))
    return [line for line in lines if line.strip()]


def _buyer_line(line: str) -> str:
    """A line of the buyer in the reader's language, where it has a word of ours (see `buyer_lines`)."""
    label, tab, value = line.partition("\t")
    if not tab:
        return line
    return country_name(value) if label == "country" else gettext("Tax number {number}").format(number=value)


def _facts(invoice: InvoiceView, document: InvoiceDocument) -> list[dict[str, str]]:
    issued = invoice.issued_at.astimezone(ZoneInfo(document.seller.timezone))
    facts = [
        (gettext("Number"), invoice.number),
        (gettext("Date"), format_day(issued, pgettext("date pattern, date", "d MMM y"))),
        (gettext("Booking"), document.reference),
    ]
    if document.corrects:
        facts.append((gettext("Corrects"), ", ".join(document.corrects)))
    return [{"label": label, "value": value} for label, value in facts]


def _service(service: Service, document: InvoiceDocument, money: Callable[[int], str]) -> dict[str, Any]:
    zone = ZoneInfo(service.timezone)
    way = service.title
    if service.destination:
        way = gettext("{origin} to {destination}").format(origin=service.origin, destination=service.destination)
    day = format_day(service.time.astimezone(zone), pgettext("date pattern, short", "EEE d MMM y"))
    return {
        "title": way,
        "detail": f"{day}, {format_time(service.time, zone)}",
        "lines": [_line(line, money) for line in document.lines if line.item_id == service.item_id],
    }


def _line(line: InvoiceLine, money: Callable[[int], str]) -> dict[str, str]:
    return {"label": describe_line(line), "rate": _rate(line.rate_bp), "amount": money(line.amount_minor)}


def _total(label: str, total: RateTotal, money: Callable[[int], str]) -> dict[str, str]:
    sums = {"net": money(total.net), "tax": money(total.tax), "gross": money(total.gross)}
    return {"label": label, "rate": label, **sums}


def _rate(rate_bp: int | None) -> str:
    """8%, 5.5%; a dash where nothing says it."""
    return "–" if rate_bp is None else gettext("{percent}%").format(percent=f"{Decimal(rate_bp) / 100:f}")
