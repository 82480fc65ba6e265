"""Bookings: made of seat holds, read, changed while unpaid, cancelled, confirmed."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, get, patch, post
from litestar.params import Parameter, QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET

from farebox import bookings, payments
from farebox.accounts import Actor, PersonNotFound
from farebox.api.booking_wire import (
    BookingChange,
    BookingView,
    NewBooking,
    money_of,
)
from farebox.api.change_wire import holder_of
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.whole_bookings import whole_booking, whole_bookings
from farebox.api.wire import PRIVATE, Listing, listing
from farebox.bookings import (
    AlreadyBooked,
    BookingExpired,
    BookingNotFound,
    ConcernsOthers,
    MixedCurrencies,
    NotModifiable,
    OtherSeats,
    PriceChanged,
    ReferenceMistyped,
)
from farebox.coaches import SalesClosed
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import current_language
from farebox.inventory import HoldExpired, HoldNotFound
from farebox.payments import InvoiceDetailsFixed, NotPayable, PaymentRequired
from farebox.wiring import Services

Status = Annotated[
    bookings.ListedStatus | None,
    Parameter(
        description="`upcoming`: confirmed or to be paid, and not begun yet. `pending`: to be paid, begun or not."
        " `cancelled`: refunded or not. `expired`: cancelled, since its time to pay was over."
    ),
]
Sort = Annotated[
    bookings.BookingOrder,
    Parameter(description="Downwards with a hyphen before it. `date` is that of the departure, as `departure`."),
]
Search = Annotated[
    str,
    Parameter(max_length=100, description="Part of a reference; in your own bookings, of a person's or place's name."),
]
FirstDay = Annotated[date | None, QueryParameter(name="from", description="A trip begins on this day or later.")]
LastDay = Annotated[date | None, QueryParameter(name="to", description="A trip begins on this day or earlier.")]
Limit = Annotated[int, Parameter(ge=1, le=100)]
Offset = Annotated[int, Parameter(ge=0, le=1_000_000)]


REFUSALS_OF_CHANGES = (
    BookingNotFound,
    HoldNotFound,
    HoldExpired,
    SalesClosed,
    ConcernsOthers,
    InvoiceDetailsFixed,
    NotModifiable,
    PriceChanged,
    Invalid,
)


class BookingsController(Controller):
    """A guest's own bookings."""

    path = "/bookings"
    tags = ("Bookings",)
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @post(
        "/",
        summary="Book held seats",
        operation_id="createBooking",
        opt={"access": "guest", "rate": "booking", "direct": True},
        responses=problems(
            HoldNotFound, AlreadyBooked, HoldExpired, PriceChanged, MixedCurrencies, Invalid, *IDEMPOTENT
        ),
    )
    async def create(self, data: NewBooking, actor: Actor, services: Services) -> BookingView:
        """The booking adopts the holds and keeps their seats while it waits for payment. Prices are quoted here."""
        invoice_to = payments.check_invoice_to(data.invoice_to.details()) if data.invoice_to else None
        async with services.database.begin(reach=actor.reach) as work:
            booking = await bookings.create_booking(
                work,
                data.request(),
                actor=actor,
                verticals=services.verticals,
                settings=services.settings,
                secrets=services.secrets,
                language=current_language(),
            )
            if invoice_to is not None:
                await payments.change_invoice_to(work, booking.id, invoice_to, actor=actor, secrets=services.secrets)
        view = BookingView.of(booking, services.secrets, at=work.now).with_invoice_to(invoice_to)
        return view.with_money(payments.sums_of_new(booking))

    @get("/", summary="List your bookings", operation_id="listBookings", responses=problems(Invalid))
    async def list_own(
        self,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        status: Status = None,
        sort: Sort = "-created",
        q: Search = "",
        first_day: FirstDay = None,
        last_day: LastDay = None,
        limit: Limit = 20,
        offset: Offset = 0,
    ) -> Listing[BookingView]:
        """Those that your credential reaches: yours, or, for staff, those with something of their operators."""
        return await _list(
            work, actor, services, status=status, sort=sort, search=q, first_day=first_day, last_day=last_day,
            limit=limit, offset=offset,
        )  # fmt: skip

    @get("/{booking_id:uuid}", summary="Get a booking", operation_id="getBooking", responses=problems(BookingNotFound))
    async def show(self, booking_id: UUID, work: UnitOfWork, actor: Actor, services: Services) -> BookingView:
        booking = await bookings.get_booking(work, booking_id, actor=actor)
        return await whole_booking(work, booking, services)

    @get(
        "/reference/{reference:str}",
        summary="Get a booking by its reference",
        operation_id="getBookingByReference",
        responses=problems(BookingNotFound, ReferenceMistyped),
    )
    async def show_by_reference(
        self,
        reference: Annotated[str, Parameter(max_length=100)],
        work: UnitOfWork,
        actor: Actor,
        services: Services,
    ) -> BookingView:
        """Case, spaces and hyphens do not matter. A mistyped reference is told from that of nobody's booking."""
        found = await bookings.get_booking_by_reference(work, reference, actor=actor)
        return await whole_booking(work, found, services)

    @patch(
        "/{booking_id:uuid}",
        summary="Change seats, passengers, contact or code",
        operation_id="changeBooking",
        responses=problems(*REFUSALS_OF_CHANGES, *IDEMPOTENT),
    )
    async def change(
        self, booking_id: UUID, data: BookingChange, work: UnitOfWork, actor: Actor, services: Services
    ) -> BookingView:
        """Free while the booking is pending: all of it, or nothing. The price is quoted anew; the time to pay stays.
        Whom the invoices name (`invoiceTo`) is changed at any time.

        Who acts for one of several operators of a booking names the people on its trips only, each of the same type as
        before; what would touch the others' trips or the price is for who booked (`concerns-others`).
        """
        return await _change(booking_id, data, work, actor, services)

    @post(
        "/{booking_id:uuid}/modify",
        summary="Change seats, passengers, contact or code (same as PATCH)",
        operation_id="modifyBooking",
        status_code=HTTP_200_OK,
        responses=problems(*REFUSALS_OF_CHANGES, *IDEMPOTENT),
    )
    async def modify(
        self, booking_id: UUID, data: BookingChange, work: UnitOfWork, actor: Actor, services: Services
    ) -> BookingView:
        return await _change(booking_id, data, work, actor, services)

    @post(
        "/{booking_id:uuid}/confirm",
        summary="Confirm a paid booking",
        operation_id="confirmBooking",
        status_code=HTTP_200_OK,
        responses=problems(BookingNotFound, PaymentRequired, BookingExpired, NotPayable, ConcernsOthers, *IDEMPOTENT),
    )
    async def confirm(self, booking_id: UUID, work: UnitOfWork, actor: Actor, services: Services) -> BookingView:
        """Succeeds once the payment is verified on the server, or where nothing is to pay; again changes nothing."""
        confirmed = await payments.confirm_paid(work, booking_id, actor=actor, signer=services.secrets)
        return await whole_booking(work, confirmed, services)


@get(
    "/users/{user_id:uuid}/bookings",
    summary="List a person's bookings",
    operation_id="listBookingsOfUser",
    tags=["Bookings"],
    opt={"access": "booking"},
    response_headers=PRIVATE,
    responses=problems(PersonNotFound, Invalid),
)
async def list_bookings_of_user(
    user_id: UUID,
    work: UnitOfWork,
    actor: Actor,
    services: Services,
    status: Status = None,
    sort: Sort = "-created",
    q: Search = "",
    first_day: FirstDay = None,
    last_day: LastDay = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> Listing[BookingView]:
    """For the person themselves, and for staff: those with something of their operators."""
    return await _list(
        work, actor, services, person_id=user_id, status=status, sort=sort, search=q, first_day=first_day,
        last_day=last_day, limit=limit, offset=offset,
    )  # fmt: skip


async def _list(
    work: UnitOfWork, actor: Actor, services: Services, *, limit: int, offset: int, **wanted: Any
) -> Listing[BookingView]:
    found, total = await bookings.list_bookings(work, actor=actor, limit=limit, offset=offset, **wanted)
    views = {view.booking_id: view for view in await whole_bookings(work, found, services)}
    return listing(found, lambda booking: views[booking.id], total=total, limit=limit, offset=offset)


async def _change(
    booking_id: UUID, data: BookingChange, work: UnitOfWork, actor: Actor, services: Services
) -> BookingView:
    if data.invoice_to is not UNSET:
        await payments.change_invoice_to(
            work,
            booking_id,
            data.invoice_to.details() if data.invoice_to else None,
            actor=actor,
            secrets=services.secrets,
        )
    if data.is_of_invoices_alone:
        return await whole_booking(work, await bookings.get_booking(work, booking_id, actor=actor), services)
    changed = await bookings.update_passengers(
        work,
        booking_id,
        passengers=[person.details() for person in data.passengers],
        contact=data.contact.contact() if data.contact else None,
        promo_code=data.promo_code,
        open_return=data.open_return,
        seats=await _other_seats(data, actor, services),
        actor=actor,
        verticals=services.verticals,
        settings=services.settings,
        secrets=services.secrets,
        expected_total=money_of(data.expected_total),
    )
    return await whole_booking(work, changed, services)


async def _other_seats(data: BookingChange, actor: Actor, services: Services) -> OtherSeats | None:
    if data.lock_id is None:
        return None
    return OtherSeats(data.lock_id, await holder_of(data.guest_token, actor, services), data.item_id)
