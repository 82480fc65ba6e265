"""Giving up a booking, or some seats of it: what comes back is shown first, then it is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import Actor
from farebox.bookings import (
    Booking,
    BookingItem,
    BookingStatus,
    CancellationQuote,
    NotCancellable,
    RefundChanged,
    RefundLine,
    TooLateToCancel,
    get_booking,
    is_cancellable,
    quote_cancellation,
)
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.payments import Destination, NoWallet, cancel_booking
from farebox.pricing import describe_line
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.shop.cards import way_in_words
from farebox.web.shop.conditions import moment, share
from farebox.web.shop.picking import ids_in, joined, picked_in, returns_to_pick, rides_to_pick
from farebox.web.shop.refunds import ways_back
from farebox.web.shop.story import zone_of
from farebox.web.views.after import BackRow, CancelQuote, CancelView
from farebox.web.views.checkout import Problem
from farebox.wiring import Services

LONGEST_NOTE: Final = 255
CONFLICT: Final = 409
UNREADABLE: Final = 422
EVERYTHING: Final = 10_000

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose seats, as ticked, or all of them; what was typed; what is to be told about it."""

    passengers: Sequence[UUID]
    is_all: bool = False
    note: str = ""
    changed: str = ""
    problem: str = ""


class CancelController(Controller):
    path = "/bookings/{booking_id:uuid}/cancel"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def quote(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Template | Redirect:
        booking = await get_booking(work, booking_id, actor=actor)
        if not _is_open_to_it(booking):
            return see_other(f"/bookings/{booking_id}")
        asked = _Asked(picked_in(request), is_all="all" in request.query_params)
        if "show" in request.query_params and not (asked.passengers or asked.is_all):
            asked = _Asked((), problem=_("Choose at least one seat."))
        return await _page(request, work, booking, actor, services, asked)

    @post(opt={"rate": "booking"})
    async def cancel(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form
    ) -> Template | Redirect:
        booking = await get_booking(work, booking_id, actor=actor)
        if not _is_open_to_it(booking):
            return see_other(f"/bookings/{booking_id}")
        chosen, note = ids_in(data.get("passengers", "")), data.get("note", "")[:LONGEST_NOTE].strip()
        if not chosen:
            return await _page(
                request, work, booking, actor, services, _Asked((), note=note, problem=_("Choose at least one seat."))
            )
        to: Destination = "wallet" if data.get("refund_to") == "wallet" else "origin"
        seats, returns = _named(booking, chosen)
        try:
            await cancel_booking(
                work,
                booking_id,
                actor=actor,
                passengers=seats,
                open_returns=returns,
                note=note,
                refund_to=to,
                expected_refund=_amount(data.get("expected", ""), booking),
            )
        except (RefundChanged, TooLateToCancel, NotCancellable, NoWallet) as error:
            asked = _Asked(chosen, note=note, changed=error.text())
            return await _page(request, work, booking, actor, services, asked)
        return see_other(f"/bookings/{booking_id}?said=cancelled")


def _is_open_to_it(booking: Booking) -> bool:
    return booking.is_open or booking.status is BookingStatus.CONFIRMED


async def _page(
    request: AnyRequest, work: UnitOfWork, booking: Booking, actor: Actor, services: Services, asked: _Asked
) -> Template:
    def closed(item: BookingItem) -> str:
        return "" if booking.is_open or is_cancellable(item, work.now) else _("too late to cancel")

    open_seats = [person.id for item in booking.items if not closed(item) for person in item.passengers]
    open_seats += [each.id for each in booking.open_returns]
    chosen = open_seats if asked.is_all else [each for each in asked.passengers if each in open_seats]
    if len(open_seats) == 1 and not asked.problem:  # nothing to choose
        chosen = open_seats
    quote, changed = None, asked.changed
    if chosen:
        seats, returns = _named(booking, chosen)
        try:
            quote = await quote_cancellation(work, booking.id, actor=actor, passengers=seats, open_returns=returns)
        except (NotCancellable, TooLateToCancel) as error:
            changed = error.text()
    elif not open_seats:
        changed = changed or TooLateToCancel().text()
    view = CancelView(
        reference=booking.reference,
        action=f"/bookings/{booking.id}/cancel",
        back_url=f"/bookings/{booking.id}",
        rides=rides_to_pick(booking, chosen, closed, services.secrets),
        returns=returns_to_pick(booking, chosen, services.secrets),
        quote=_quote_view(booking, quote, actor, work.now) if quote else None,
        note=asked.note,
        changed=changed,
        problems=(Problem("passengers", asked.problem),) if asked.problem else (),
    )
    status = UNREADABLE if asked.problem else CONFLICT if asked.changed else 200
    return page(request, "after/cancel.html", view, is_private=True, status=status)


def _named(booking: Booking, chosen: Sequence[UUID]) -> tuple[list[UUID] | None, list[UUID] | None]:
    """What was ticked, as it is cancelled: seats by their passengers, and open returns; `None` for none of them."""
    known = {each.id for each in booking.open_returns}
    seats = [each for each in chosen if each not in known]
    returns = [each for each in chosen if each in known]
    return seats or None, returns or None


def _quote_view(booking: Booking, quote: CancellationQuote, actor: Actor, now: datetime) -> CancelQuote:
    is_paid = not booking.is_open
    return CancelQuote(
        rows=tuple(_row(line, booking) for line in quote.lines),
        price=quote.price,
        back=quote.refund,
        is_whole=quote.is_whole,
        is_paid=is_paid,
        holds_until=moment(quote.until, zone_of(booking)) if quote.until and quote.until > now else "",
        ways=ways_back(booking, actor) if is_paid and quote.refund else (),
        chosen=joined(quote.passenger_ids),
        expected=str(quote.refund.minor) if is_paid else "",
    )


def _row(line: RefundLine, booking: Booking) -> BackRow:
    """What a line is for, and why so much of it comes back."""
    if line.passenger_id is not None and line.seat_number is None:
        name = next(person.full_name for person in booking.passengers if person.id == line.passenger_id)
        note = _("{share} of what is not used.").format(share=share(line.refund_bp))
        return BackRow(f"{describe_line(line)}, {name}", line.price, line.refund, "" if booking.is_open else note)
    item = next(item for item in booking.items if item.id == line.item_id)
    person = next((each for each in item.passengers if each.id == line.passenger_id), None)
    label = describe_line(line)
    if person:
        label = f"{label}, {person.full_name}"
    if len(booking.items) > 1:
        label = f"{label}, {way_in_words(item.description)}"
    return BackRow(label, line.price, line.refund, _why(line, item))


def _why(line: RefundLine, item: BookingItem) -> str:
    if line.refund_bp == EVERYTHING and line.until is None:
        return ""
    if line.passenger_id is None:
        return _("Paid back with the last seat.") if line.refund_bp else _("Not paid back.")
    if line.until is None or not line.refund_bp:
        return _("It is too late for anything to come back.")
    text = _("{share} until {moment}.")
    return text.format(share=share(line.refund_bp), moment=moment(line.until, item.description.origin.timezone))


def _amount(text: str, booking: Booking) -> Money | None:
    """What the page had shown, in minor units; nothing where nothing was paid yet."""
    return Money(int(text), booking.total.currency) if text.isdecimal() and len(text) < len(str(2**63)) else None
