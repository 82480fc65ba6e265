"""A booking's page: confirmation, tickets, and what can be done with it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter
from litestar.response import Redirect, Template
from markupsafe import Markup

from farebox.accounts import Actor
from farebox.bookings import (
    Booking,
    BookingExpired,
    BookingStatus,
    CancelReason,
    ChangeNotFound,
    NotModifiable,
    actions_of,
    extend_booking,
    get_booking,
    get_pending_change,
    list_audit,
)
from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.inventory import ExtensionLimit, HoldTerms
from farebox.notifications import Office
from farebox.payments import cancel_booking, due_for, find_invoice_to, render_invoice
from farebox.ticketing import calendar, qr_svg, render_booking_pdf, ticket_cards
from farebox.web.pages import AnyRequest, file_answer, page, see_other
from farebox.web.shop.booked import price_of, rides_of
from farebox.web.shop.cards import card_of_item, seats_url
from farebox.web.shop.clocks import clock_of_booking
from farebox.web.shop.invoice_details import INVOICE_NOTED
from farebox.web.shop.keeping import keep_view
from farebox.web.shop.methods import received
from farebox.web.shop.moneys import money_of, papers_of
from farebox.web.shop.open_return import open_return_part
from farebox.web.shop.story import former_of, story_of
from farebox.web.views.booking import BookingActions, BookingState, BookingView, MoneyLine, TicketView
from farebox.wiring import Services

STATES: dict[BookingStatus, BookingState] = {
    BookingStatus.PENDING: "pending",
    BookingStatus.PAYMENT_PROCESSING: "processing",
    BookingStatus.CONFIRMED: "confirmed",
    BookingStatus.COMPLETED: "completed",
    BookingStatus.CANCELLED: "cancelled",
    BookingStatus.REFUNDED: "refunded",
}
SAID = {
    "mailed": N_("The tickets are sent again to {email}."),
    "cancelled": N_("That was cancelled. Whatever comes back stands under the payments below."),
    "changed": N_("The change is made. The new tickets are below, and on their way to {email}."),
    "returned": N_("Your ride back is booked. Its ticket is below, and on its way to {email}."),
    "renamed": N_("The name is changed. The new tickets are below, and on their way to {email}."),
    "invoice": N_("The details are saved. The new invoice is written now, and sent to {email}."),
    "invoice-noted": INVOICE_NOTED,
    "change-failed": N_("The change could not be made, and everything is as it was. Money paid for it goes back."),
    "change-withdrawn": N_("The change was taken back. Everything is as it was; money paid for it goes back."),
}
"""What was done a moment ago, by the word in the address -> what the page tells of it."""

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class BookingController(Controller):
    """For whoever made the booking, or proved by its code that it is theirs."""

    path = "/bookings/{booking_id:uuid}"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def booking(
        self,
        request: AnyRequest,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        booking_id: UUID,
        booked: Annotated[str, Parameter(max_length=1)] = "",
        said: Annotated[str, Parameter(max_length=40)] = "",
    ) -> Template:
        booking = await get_booking(work, booking_id, actor=actor)
        view = await _view(work, booking, actor, services, just_booked=bool(booked), said=said)
        return page(request, "booking/booking.html", view, is_private=True)

    @post()
    async def act(self, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form) -> Redirect:
        """Send the tickets again, have more time, or cancel what is not paid."""
        at = f"/bookings/{booking_id}"
        if data.get("email"):
            office = Office(jobs=services.jobs, settings=services.settings, secrets=services.secrets)
            await office.resend_tickets(work, booking_id, actor=actor)
            return see_other(f"{at}?said=mailed")
        if data.get("cancel"):
            await cancel_booking(work, booking_id, actor=actor)
        elif data.get("extend"):
            with suppress(ExtensionLimit, BookingExpired, NotModifiable):  # the page says what is left
                await extend_booking(work, booking_id, actor=actor, terms=HoldTerms.of(services.settings))
        return see_other(at)

    @get("/tickets.pdf")
    async def pdf(self, actor: Actor, services: Services, booking_id: UUID) -> Response[bytes]:
        booking, content = await render_booking_pdf(
            services.database, booking_id, actor=actor, secrets=services.secrets
        )
        return file_answer(content, "application/pdf", f"{booking.reference}.pdf")

    @get("/invoices/{invoice_id:uuid}")
    async def invoice(
        self, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, invoice_id: UUID
    ) -> Response[bytes]:
        """Under the booking's address, where a code for it opens its papers, too."""
        await get_booking(work, booking_id, actor=actor)
        await work.commit()  # printing takes time, and this request must not sit on a connection meanwhile
        invoice, content = await render_invoice(services.database, invoice_id, actor=actor, secrets=services.secrets)
        return file_answer(content, "application/pdf", f"{invoice.number}.pdf")

    @get("/trip.ics")
    async def calendar_entry(
        self, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Response[bytes]:
        booking, content = await calendar(work, booking_id, actor=actor, base_url=services.settings.base_url)
        return file_answer(content, "text/calendar", f"{booking.reference}.ics")


async def _view(
    work: UnitOfWork, booking: Booking, actor: Actor, services: Services, *, just_booked: bool, said: str
) -> BookingView:
    at = f"/bookings/{booking.id}"
    cards = await ticket_cards(work, booking, secrets=services.secrets)
    has_tickets = bool(cards)
    about = booking.items[0].description
    due = await due_for(work, booking) if booking.is_open else None
    money = await money_of(work, booking, actor, services.providers)
    has_invoices = booking.is_open or booking.confirmed_at is not None
    invoice_to = await find_invoice_to(work, booking.id, secrets=services.secrets) if has_invoices else None
    return BookingView(
        reference=booking.reference,
        state="expired" if ran_out(booking) else STATES[booking.status],
        just_booked=just_booked and booking.status is BookingStatus.CONFIRMED,
        rides=rides_of(booking, services.secrets, work.now),
        # Our own drawing of our own token: no text of anybody's is in it.
        tickets=tuple(TicketView(card, Markup(qr_svg(card.token))) for card in cards),  # noqa: S704
        contact_email=booking.contact.email.open(services.secrets),
        price=price_of(booking),
        action=at,
        pdf_url=f"{at}/tickets.pdf" if has_tickets else "",
        calendar_url=f"{at}/trip.ics" if has_tickets else "",
        can_email=has_tickets,
        can_cancel=booking.status is BookingStatus.PENDING,
        pay_url=pay_url(booking),
        due=due,
        received=received(booking, due) if due else None,
        actions=_actions(booking, work.now),
        waiting_url=await _waiting_url(work, booking, actor),
        clock=await clock_of_booking(work, booking),
        said=_(SAID[said]).format(email=booking.contact.email.open(services.secrets)) if said in SAID else "",
        reason=_reason(booking, money),
        operator_contacts=tuple(filter(None, [about.operator_name, about.operator_phone, about.operator_email])),
        keep=keep_view(booking, services.secrets),
        former=former_of(booking, services.secrets),
        money=money,
        papers=await papers_of(work, booking, actor),
        invoice_to=invoice_to.name if invoice_to else "",
        invoice_details_url=f"{at}/invoice-details" if has_invoices else "",
        open_return=open_return_part(booking) if actions_of(booking, work.now).redeem else None,
        story=story_of(booking, await list_audit(work, booking.id, actor=actor)),
    )


def _actions(booking: Booking, now: datetime) -> BookingActions:
    at = f"/bookings/{booking.id}"
    possible = actions_of(booking, now)
    is_sold = booking.status is BookingStatus.CONFIRMED
    is_over = booking.status in {BookingStatus.CANCELLED, BookingStatus.REFUNDED}
    first = booking.items[0]
    return BookingActions(
        change_url=f"{at}/change" if possible.change else "",
        cancel_url=f"{at}/cancel" if is_sold and possible.cancel else "",
        rename_url=f"{at}/names" if possible.rename else "",
        again_url=f"{at}/again" if possible.rebook else "",
        seats_url=seats_url(card_of_item(first), len(first.units)) if is_over and first.starts_at > now else "",
    )


async def _waiting_url(work: UnitOfWork, booking: Booking, actor: Actor) -> str:
    """The page of a change that waits for its payment; empty where none does."""
    if booking.status is not BookingStatus.CONFIRMED:
        return ""
    with suppress(ChangeNotFound):
        change = await get_pending_change(work, booking.id, actor=actor)
        return f"/bookings/{booking.id}/change/waiting?change={change.id}"
    return ""


def pay_url(booking: Booking) -> str:
    """Where the booking is paid for, or where its payment is waited for; empty where nothing is to be paid."""
    if booking.status is BookingStatus.PENDING:
        return f"/bookings/{booking.id}/review"
    return f"/bookings/{booking.id}/return" if booking.status is BookingStatus.PAYMENT_PROCESSING else ""


def ran_out(booking: Booking) -> bool:
    """Whether it was cancelled because nobody paid in time."""
    return booking.status is BookingStatus.CANCELLED and booking.reason is CancelReason.EXPIRED


def _reason(booking: Booking, money: Sequence[MoneyLine]) -> str:
    """What happened, for a booking that has ended without a trip."""
    if booking.reason is CancelReason.DISPUTE_LOST:
        return _(
            "Your bank has taken the payment back, so this is not paid for any more. Its seats are free for others."
        )
    if booking.status is BookingStatus.REFUNDED and booking.confirmed_at is None:
        return _("The seats could not be kept until your payment arrived. All of it goes back the way it came.")
    if ran_out(booking):
        return _(
            "It was not paid in time, so its seats are free for others again. "
            "Money that comes too late goes back the way it came."
        )
    is_over = booking.status in {BookingStatus.CANCELLED, BookingStatus.REFUNDED}
    if is_over and any(line.is_back for line in money):
        return _("Its seats are free for others again. What comes back to you stands under the payments below.")
    if is_over:
        return _("Its seats are free for others again. Nothing is owed.")
    return ""
