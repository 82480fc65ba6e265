"""Bookings: made of seat holds, read, changed while unpaid, cancelled, confirmed; and found again without a sign-in."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, Response, delete, get, patch, post, put
from litestar import Request as HTTPRequest
from litestar.datastructures import ResponseHeader
from litestar.params import Parameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED
from msgspec import UNSET, Meta, UnsetType, field

from farebox import bookings, payments
from farebox.accounts import Actor
from farebox.api.problems import answer_domain_error, problems
from farebox.api.wire import Listing, MoneyInput, MoneyView, Request, Wire, listing
from farebox.bookings import (
    BookingExpired,
    BookingNotFound,
    BookingRequest,
    Contact,
    LookupFailed,
    MixedCurrencies,
    NotCancellable,
    NotModifiable,
    PassengerDetails,
    PlaceTime,
    PriceChanged,
)
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_, current_language
from farebox.core.idempotency import IdempotencyMismatch, IdempotencyRunning
from farebox.core.money import Money
from farebox.inventory import HoldExpired, HoldNotFound
from farebox.payments import NotPayable, PaymentRequired
from farebox.pricing import describe_line
from farebox.wiring import Services

BOOKING_ID = "018f6b2e-0000-7000-8000-00000000d001"
LOCK_ID = "018f6b2e-0000-7000-8000-00000000e001"
REFERENCE = "BUS20261120K7QM2X"
LONGEST_NOTE = 255

PRIVATE = [ResponseHeader(name="Cache-Control", value="private, no-store", documentation_only=False)]

IDEMPOTENT = (IdempotencyMismatch, IdempotencyRunning)
"""What any write may answer to an `Idempotency-Key`."""


class PassengerInput(Request):
    """One person for one seat."""

    seat_number: Annotated[str, Meta(examples=["4A"], max_length=10)]
    full_name: Annotated[str, Meta(examples=["Nguyễn Văn An"], max_length=1000)]
    id_type: Literal["citizen_id", "passport"]
    id_number: Annotated[str, Meta(examples=["001099012345"], max_length=100)]
    phone: Annotated[str, Meta(examples=["+84 912 345 678"], max_length=100)]
    email: Annotated[str, Meta(examples=["an@example.com"], max_length=1000)] | None = None
    passenger_type: Literal["adult", "child", "senior"] = "adult"
    special_needs: bool = False
    lock_id: Annotated[
        UUID | None, Meta(description="Needed where two holds have a seat of this number and people are in no order.")
    ] = None

    def details(self) -> PassengerDetails:
        return PassengerDetails(
            seat_number=self.seat_number,
            full_name=self.full_name,
            id_type=self.id_type,
            id_number=self.id_number,
            phone=self.phone,
            email=self.email,
            passenger_type=self.passenger_type,
            special_needs=self.special_needs,
            hold_id=self.lock_id,
        )


class ContactInput(Request):
    """Where messages about the booking go."""

    email: Annotated[str, Meta(examples=["an@example.com"], max_length=1000)]
    phone: Annotated[str, Meta(examples=["+84 912 345 678"], max_length=100)]

    def contact(self) -> Contact:
        return Contact(email=self.email, phone=self.phone)


Passengers = Annotated[list[PassengerInput], Meta(max_length=200)]


class NewBooking(Request):
    """One hold (`lockId`) or several (`lockIds`), and a passenger for each seat."""

    passengers: Passengers
    contact: ContactInput
    lock_id: Annotated[UUID | UnsetType, Meta(examples=[LOCK_ID])] = UNSET
    lock_ids: Annotated[list[UUID], Meta(max_length=20)] = field(default_factory=list)
    promo_code: Annotated[str, Meta(max_length=100)] | None = None
    expected_total: Annotated[MoneyInput | None, Meta(description="What you showed. Compared, never used.")] = None

    def request(self) -> BookingRequest:
        lock_ids = self.lock_ids if self.lock_id is UNSET else [self.lock_id, *self.lock_ids]
        return BookingRequest(
            lock_ids=tuple(lock_ids),
            passengers=tuple(person.details() for person in self.passengers),
            contact=self.contact.contact(),
            expected_total=_money(self.expected_total),
            promo_code=self.promo_code or "",
        )


class BookingChange(Request):
    """What to change: all people, or the contact, or both."""

    passengers: Passengers = field(default_factory=list)
    contact: ContactInput | None = None
    expected_total: MoneyInput | None = None


class Cancelling(Request):
    reason: Annotated[str, Meta(max_length=LONGEST_NOTE)] = ""


class LookupRequest(Request):
    """A booking's reference, and its e-mail address or phone number."""

    reference: Annotated[str, Meta(examples=[REFERENCE], max_length=100)]
    contact: Annotated[str, Meta(examples=["an@example.com"], max_length=1000)]


class LookupVerification(LookupRequest):
    code: Annotated[str, Meta(examples=["123456"], max_length=100)]


class PriceLineView(Wire):
    """One line of the price, tax included. `label` is in the reader's language."""

    kind: Literal["fare", "seat", "discount", "fee", "tax"]
    label: Annotated[str, Meta(examples=["Seat 4A"])]
    seat_number: str | None
    amount: MoneyView
    tax_included: MoneyView

    @classmethod
    def of(cls, line: bookings.BookedLine) -> Self:
        return cls(
            kind=line.kind,
            label=describe_line(line),
            seat_number=line.seat_number,
            amount=MoneyView.of(line.amount),
            tax_included=MoneyView.of(line.tax_included),
        )


class BookedPlace(Wire):
    """A place and when, in the place's own zone."""

    name: str
    place: str
    time: datetime
    timezone: str
    platform: str

    @classmethod
    def of(cls, at: PlaceTime) -> Self:
        time = at.time.astimezone(ZoneInfo(at.timezone))
        return cls(name=at.name, place=at.place, time=time, timezone=at.timezone, platform=at.platform)


class PassengerView(Wire):
    """A passenger. Of the document's number only the end is told."""

    passenger_id: UUID
    seat_number: str
    full_name: str
    id_type: Literal["citizen_id", "passport"]
    id_number: Annotated[str, Meta(examples=["•••••••••345"])]
    phone: str
    email: str | None
    passenger_type: Literal["adult", "child", "senior"]
    special_needs: bool

    @classmethod
    def of(cls, person: bookings.Passenger, secrets: Secrets) -> Self:
        return cls(
            passenger_id=person.id,
            seat_number=person.seat_number,
            full_name=person.full_name,
            id_type=person.id_type,
            id_number=person.id_number.masked(secrets),
            phone=person.phone.open(secrets),
            email=person.email.open(secrets) if person.email else None,
            passenger_type=person.passenger_type,
            special_needs=person.special_needs,
        )


class BookedItem(Wire):
    """One trip of a booking, as it was when it was sold."""

    item_id: UUID
    kind: Annotated[str, Meta(examples=["coach"])]
    trip_id: UUID
    operator: str
    title: str
    vehicle: str
    from_: BookedPlace = field(name="from")
    to: BookedPlace | None
    seat_numbers: list[str]
    passengers: list[PassengerView]

    @classmethod
    def of(cls, item: bookings.BookingItem, secrets: Secrets) -> Self:
        about = item.description
        return cls(
            item_id=item.id,
            kind=item.kind,
            trip_id=item.resource_id,
            operator=about.operator_name,
            title=about.title,
            vehicle=about.setting,
            from_=BookedPlace.of(about.origin),
            to=BookedPlace.of(about.destination) if about.destination else None,
            seat_numbers=list(item.seat_numbers),
            passengers=[PassengerView.of(person, secrets) for person in item.passengers],
        )


class ContactView(Wire):
    email: str
    phone: str


class BookingView(Wire):
    """A booking as it is now. `reason` says why it was cancelled; `expiresAt` until when it can be paid."""

    booking_id: Annotated[UUID, Meta(examples=[BOOKING_ID])]
    booking_reference: Annotated[str, Meta(examples=[REFERENCE])]
    status: Literal["pending", "payment_processing", "confirmed", "completed", "cancelled", "refunded"]
    reason: Literal["expired", "customer", "operator", "payment_failed"] | None
    expires_at: datetime | None
    total: MoneyView
    tax: Annotated[MoneyView, Meta(description="The tax that the total includes.")]
    price_lines: list[PriceLineView]
    items: list[BookedItem]
    contact: ContactView
    language: str
    created_at: datetime
    confirmed_at: datetime | None
    cancelled_at: datetime | None

    @classmethod
    def of(cls, booking: bookings.Booking, secrets: Secrets) -> Self:
        return cls(
            booking_id=booking.id,
            booking_reference=booking.reference,
            status=booking.status.value,
            reason=booking.reason.value if booking.reason else None,
            expires_at=booking.expires_at,
            total=MoneyView.of(booking.total),
            tax=MoneyView.of(booking.tax),
            price_lines=[PriceLineView.of(line) for line in booking.lines],
            items=[BookedItem.of(item, secrets) for item in booking.items],
            contact=ContactView(email=booking.contact.email.open(secrets), phone=booking.contact.phone.open(secrets)),
            language=booking.language,
            created_at=booking.created_at,
            confirmed_at=booking.confirmed_at,
            cancelled_at=booking.cancelled_at,
        )


class LookupSent(Wire):
    """Alike for a hit and a miss."""

    verification: Literal["sent"] = "sent"


class LookupOpened(Wire):
    """The booking, and a token that reaches it and nothing else."""

    booking: BookingView
    guest_token: str


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
        opt={"access": "guest", "rate": "booking"},
        responses=problems(HoldNotFound, HoldExpired, PriceChanged, MixedCurrencies, Invalid, *IDEMPOTENT),
    )
    async def create(self, data: NewBooking, work: UnitOfWork, actor: Actor, services: Services) -> BookingView:
        """The booking adopts the holds and keeps their seats while it waits for payment. Prices are quoted here."""
        booking = await bookings.create_booking(
            work,
            data.request(),
            actor=actor,
            verticals=services.verticals,
            settings=services.settings,
            secrets=services.secrets,
            language=current_language(),
        )
        return BookingView.of(booking, services.secrets)

    @get("/", summary="List your bookings", operation_id="listBookings")
    async def list_own(
        self,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        status: Literal["upcoming", "pending", "completed", "cancelled"] | None = None,
        limit: Annotated[int, Parameter(ge=1, le=100)] = 20,
        offset: Annotated[int, Parameter(ge=0)] = 0,
    ) -> Listing[BookingView]:
        """The latest first."""
        found, total = await bookings.list_bookings(work, actor=actor, status=status, limit=limit, offset=offset)
        secrets = services.secrets
        return listing(found, lambda each: BookingView.of(each, secrets), total=total, limit=limit, offset=offset)

    @get("/{booking_id:uuid}", summary="Get a booking", operation_id="getBooking", responses=problems(BookingNotFound))
    async def show(self, booking_id: UUID, work: UnitOfWork, actor: Actor, services: Services) -> BookingView:
        return BookingView.of(await bookings.get_booking(work, booking_id, actor=actor), services.secrets)

    @get(
        "/reference/{reference:str}",
        summary="Get a booking by its reference",
        operation_id="getBookingByReference",
        responses=problems(BookingNotFound),
    )
    async def show_by_reference(
        self,
        reference: Annotated[str, Parameter(max_length=100)],
        work: UnitOfWork,
        actor: Actor,
        services: Services,
    ) -> BookingView:
        """Case, spaces and hyphens do not matter."""
        found = await bookings.get_booking_by_reference(work, reference, actor=actor)
        return BookingView.of(found, services.secrets)

    @patch(
        "/{booking_id:uuid}",
        summary="Change passengers or contact",
        operation_id="changeBooking",
        responses=problems(BookingNotFound, NotModifiable, PriceChanged, Invalid, *IDEMPOTENT),
    )
    async def change(
        self, booking_id: UUID, data: BookingChange, work: UnitOfWork, actor: Actor, services: Services
    ) -> BookingView:
        """Free while the booking is pending. The price is quoted anew."""
        return await _change(booking_id, data, work, actor, services)

    @post(
        "/{booking_id:uuid}/modify",
        summary="Change passengers or contact (same as PATCH)",
        operation_id="modifyBooking",
        status_code=HTTP_200_OK,
        responses=problems(BookingNotFound, NotModifiable, PriceChanged, Invalid, *IDEMPOTENT),
    )
    async def modify(
        self, booking_id: UUID, data: BookingChange, work: UnitOfWork, actor: Actor, services: Services
    ) -> BookingView:
        return await _change(booking_id, data, work, actor, services)

    @delete(
        "/{booking_id:uuid}",
        summary="Cancel an unpaid booking",
        operation_id="cancelBooking",
        status_code=HTTP_200_OK,
        responses=problems(BookingNotFound, NotCancellable, *IDEMPOTENT),
    )
    async def cancel(
        self,
        booking_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        reason: Annotated[str, Parameter(max_length=LONGEST_NOTE, description="In your own words.")] = "",
    ) -> BookingView:
        """Its seats are free at once. Money that still arrives for it is given back."""
        cancelled = await bookings.cancel_booking(work, booking_id, actor=actor, note=reason)
        return BookingView.of(cancelled, services.secrets)

    @put(
        "/{booking_id:uuid}/cancel",
        summary="Cancel an unpaid booking (same as DELETE)",
        operation_id="putBookingCancel",
        responses=problems(BookingNotFound, NotCancellable, *IDEMPOTENT),
    )
    async def cancel_by_put(
        self, booking_id: UUID, work: UnitOfWork, actor: Actor, services: Services, data: Cancelling | None = None
    ) -> BookingView:
        note = data.reason if data else ""
        cancelled = await bookings.cancel_booking(work, booking_id, actor=actor, note=note)
        return BookingView.of(cancelled, services.secrets)

    @post(
        "/{booking_id:uuid}/confirm",
        summary="Confirm a paid booking",
        operation_id="confirmBooking",
        status_code=HTTP_200_OK,
        responses=problems(BookingNotFound, PaymentRequired, BookingExpired, NotPayable, *IDEMPOTENT),
    )
    async def confirm(self, booking_id: UUID, work: UnitOfWork, actor: Actor, services: Services) -> BookingView:
        """Succeeds once the payment is verified on the server, or where nothing is to pay; again changes nothing."""
        confirmed = await payments.confirm_paid(work, booking_id, actor=actor, signer=services.secrets)
        return BookingView.of(confirmed, services.secrets)


class LookupController(Controller):
    """Your booking without a sign-in: reference, contact, and a code that is mailed to the contact."""

    path = "/bookings/guest"
    tags = ("Bookings",)
    opt = {"access": "public", "rate": "lookup"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @post(
        "/lookup",
        summary="Ask for a code",
        operation_id="requestLookup",
        status_code=HTTP_202_ACCEPTED,
    )
    async def request(self, data: LookupRequest, work: UnitOfWork, services: Services) -> LookupSent:
        """If there is such a booking, a six-digit code goes to its e-mail address; it works for ten minutes."""
        await bookings.request_lookup(
            work, data.reference, data.contact, settings=services.settings, secrets=services.secrets
        )
        return LookupSent()

    @post(
        "/verify",
        summary="Open a booking with its code",
        operation_id="verifyLookup",
        status_code=HTTP_200_OK,
        responses=problems(LookupFailed),
    )
    async def verify(
        self, request: HTTPRequest[Any, Any, Any], data: LookupVerification, work: UnitOfWork, services: Services
    ) -> Response[LookupOpened] | Response[dict[str, Any]]:
        """A code can be tried five times."""
        verified = await bookings.verify_lookup(
            work, data.reference, data.contact, data.code, settings=services.settings, secrets=services.secrets
        )
        if verified is None:
            return answer_domain_error(request, LookupFailed())  # not raised, so that the try stays counted
        view = BookingView.of(verified.booking, services.secrets)
        return Response(LookupOpened(booking=view, guest_token=verified.token))

    @get(
        "/lookup",
        summary="Get the booking that your code opened",
        operation_id="getLookedUpBooking",
        opt={"access": "booking"},
        responses=problems(BookingNotFound),
    )
    async def show(
        self,
        reference: Annotated[str, Parameter(max_length=100, description="The booking's reference.")],
        work: UnitOfWork,
        actor: Actor,
        services: Services,
    ) -> BookingView:
        found = await bookings.get_booking_by_reference(work, reference, actor=actor)
        return BookingView.of(found, services.secrets)


async def _change(
    booking_id: UUID, data: BookingChange, work: UnitOfWork, actor: Actor, services: Services
) -> BookingView:
    changed = await bookings.update_passengers(
        work,
        booking_id,
        passengers=[person.details() for person in data.passengers],
        contact=data.contact.contact() if data.contact else None,
        actor=actor,
        verticals=services.verticals,
        settings=services.settings,
        secrets=services.secrets,
        expected_total=_money(data.expected_total),
    )
    return BookingView.of(changed, services.secrets)


def _money(given: MoneyInput | None) -> Money | None:
    if given is None:
        return None
    try:
        return given.money()
    except ValueError:
        message = N_("This is not an amount of money.")
        raise Invalid([FieldError("expectedTotal", "invalid-amount", message)]) from None
