"""Invoices and credit notes of a booking, as a list and as PDFs."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from litestar import Controller, Response, get
from msgspec import Meta

from farebox import payments
from farebox.accounts import Actor
from farebox.api.documents import NAMED, PDF, pdf_answer
from farebox.api.problems import problems
from farebox.api.wire import PRIVATE, MoneyView, Wire
from farebox.bookings import BookingNotFound
from farebox.core.db import UnitOfWork
from farebox.payments import InvoiceNotFound
from farebox.wiring import Services


class InvoiceView(Wire):
    """A document of an operator's. The amounts of a credit note are not negative: it is what was taken off."""

    invoice_id: UUID
    number: Annotated[str, Meta(examples=["INV-2026-000042"], description="Without a gap for each operator and year.")]
    kind: Literal["invoice", "credit-note"]
    operator_id: UUID
    corrects_id: Annotated[UUID | None, Meta(description="Of a credit note, the first invoice that it corrects.")]
    total: MoneyView
    tax: Annotated[MoneyView, Meta(description="What the total includes.")]
    issued_at: datetime

    @classmethod
    def of(cls, invoice: payments.InvoiceView) -> Self:
        return cls(
            invoice_id=invoice.id,
            number=invoice.number,
            kind=invoice.kind,
            operator_id=invoice.operator_id,
            corrects_id=invoice.corrects_id,
            total=MoneyView.of(invoice.total),
            tax=MoneyView.of(invoice.tax),
            issued_at=invoice.issued_at,
        )


class Invoices(Wire):
    items: list[InvoiceView]


class InvoicesController(Controller):
    """For whoever reaches the booking; staff reach their own operator's documents alone."""

    tags = ("Invoices",)
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @get(
        "/bookings/{booking_id:uuid}/invoices",
        summary="List invoices and credit notes",
        operation_id="listInvoices",
        responses=problems(BookingNotFound),
    )
    async def list_of_booking(self, booking_id: UUID, work: UnitOfWork, actor: Actor) -> Invoices:
        """The oldest first. They are written some seconds after a booking was paid, changed or cancelled."""
        found = await payments.list_invoices(work, booking_id, actor=actor)
        return Invoices(items=[InvoiceView.of(invoice) for invoice in found])

    @get(
        "/invoices/{invoice_id:uuid}/pdf",
        summary="Get an invoice or a credit note as a PDF",
        operation_id="getInvoicePdf",
        responses={200: PDF, **problems(InvoiceNotFound)},
        response_headers=NAMED,
    )
    async def pdf(self, invoice_id: UUID, actor: Actor, services: Services) -> Response[bytes]:
        """In the reader's language; its facts are those of the day on which it was written."""
        invoice, content = await payments.render_invoice(
            services.database, invoice_id, actor=actor, secrets=services.secrets
        )
        return pdf_answer(content, invoice.number)
