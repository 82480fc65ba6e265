"""Whom the invoices of a booking are to name: asked for before it is paid, and at any time after."""

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import Actor
from farebox.bookings import SOLD, Booking, BookingStatus, get_booking
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import N_, list_countries
from farebox.core.i18n import gettext as _
from farebox.payments import LONGEST_ADDRESS, InvoiceDetailsFixed, InvoiceTo, change_invoice_to, find_invoice_to
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.after import InvoiceDetailsView
from farebox.web.views.checkout import Problem
from farebox.web.views.trips import Option
from farebox.wiring import Services

UNREADABLE: Final = 422
CONFLICT: Final = 409
FIELDS: Final = {"name": "name", "taxNumber": "tax-number", "address": "address", "country": "country"}
"""The domain's name of a field -> the page's."""
INVOICE_NOTED: Final = N_("The details are saved. The invoice will name them.")

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class InvoiceDetailsController(Controller):
    path = "/bookings/{booking_id:uuid}/invoice-details"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Template:
        booking = await get_booking(work, booking_id, actor=actor)
        given = await find_invoice_to(work, booking_id, secrets=services.secrets)
        view = _view(booking, given or InvoiceTo(""), is_given=given is not None)
        return page(request, "after/invoice_details.html", view, is_private=True)

    @post(opt={"rate": "booking"})
    async def change(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form
    ) -> Template | Redirect:
        booking = await get_booking(work, booking_id, actor=actor)
        typed = InvoiceTo(
            name=data.get("name", "")[:LONGEST_ADDRESS],
            tax_number=data.get("tax_number", "")[:LONGEST_ADDRESS],
            address=data.get("address", "")[: 2 * LONGEST_ADDRESS],
            country=data.get("country", "")[:LONGEST_ADDRESS],
        )
        wanted = None if data.get("remove") else typed
        before = await find_invoice_to(work, booking_id, secrets=services.secrets)
        try:
            now = await change_invoice_to(work, booking_id, wanted, actor=actor, secrets=services.secrets)
        except Invalid as error:
            errors = {FIELDS[each.field.rpartition(".")[2]]: each.text() for each in error.errors}
            view = _view(booking, typed, is_given=bool(data.get("given")), errors=errors)
            return page(request, "after/invoice_details.html", view, is_private=True, status=UNREADABLE)
        except InvoiceDetailsFixed as error:
            view = _view(booking, typed, is_given=bool(data.get("given")), errors={"name": error.text()})
            return page(request, "after/invoice_details.html", view, is_private=True, status=CONFLICT)
        is_written = booking.status in SOLD and now != before
        return see_other(f"{_back_to(booking)}?said={'invoice' if is_written else 'invoice-noted'}")


def _back_to(booking: Booking) -> str:
    """The review of what is not paid, else the booking's page."""
    return f"/bookings/{booking.id}{'/review' if booking.status is BookingStatus.PENDING else ''}"


def _view(
    booking: Booking, shown: InvoiceTo, *, is_given: bool, errors: dict[str, str] | None = None
) -> InvoiceDetailsView:
    errors = errors or {}
    return InvoiceDetailsView(
        reference=booking.reference,
        action=f"/bookings/{booking.id}/invoice-details",
        back_url=_back_to(booking),
        name=shown.name,
        tax_number=shown.tax_number,
        address=shown.address,
        country=shown.country,
        countries=(Option("", _("No country")), *(Option(code, name) for code, name in list_countries())),
        is_given=is_given,
        is_sold=booking.confirmed_at is not None,
        errors=errors,
        problems=tuple(Problem(anchor, text) for anchor, text in errors.items()),
    )
