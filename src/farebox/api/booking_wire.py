"""Bookings on the wire: what clients send, and what they are told."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import replace

from farebox import bookings
from farebox.api.money_wire import BookedPayment, InvoiceToInput, InvoiceToView, PaymentStatus
from farebox.api.wire import MoneyInput, MoneyView, Request, UserId, Wire
from farebox.bookings import BookingRequest, Contact, PassengerDetails, PlaceTime
from farebox.core.crypto import Secrets
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.payments import BookingSums, InvoiceTo
from farebox.pricing import PriceLine, describe_line

BOOKING_ID = "018f6b2e-0000-7000-8000-00000000d001"
LOCK_ID = "018f6b2e-0000-7000-8000-00000000e001"
REFERENCE = "BUS20261120K7QM2XA"
LONGEST_NOTE = 255


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
    open_return: Annotated[
        bool, Meta(description="An open return for everybody, too; with one trip whose operator sells them.")
    ] = False
    invoice_to: InvoiceToInput | None = None
    user_id: UserId = None

    def request(self) -> BookingRequest:
        lock_ids = self.lock_ids if self.lock_id is UNSET else [self.lock_id, *self.lock_ids]
        return BookingRequest(
            lock_ids=tuple(lock_ids),
            passengers=tuple(person.details() for person in self.passengers),
            contact=self.contact.contact(),
            expected_total=money_of(self.expected_total),
            promo_code=self.promo_code or "",
            open_return=self.open_return,
        )


class BookingChange(Request):
    """What to change: seats, all people, the contact, the code, whom the invoices name, or some of these.

    For other seats, hold them first as any others (`POST /seats/lock`), from and to the stops that are booked. They
    take the place of those that the booking has on that ride, but for seats of its own that `passengers` name again;
    without `passengers`, its people move. Without `lockId`, people change places as `passengers` say.
    """

    lock_id: Annotated[UUID | None, Meta(examples=[LOCK_ID], description="Of the new seats. None: as before.")] = None
    item_id: Annotated[
        UUID | None, Meta(description="Whose seats those are; needed only where a ride is booked twice.")
    ] = None
    guest_token: Annotated[
        Annotated[str, Meta(max_length=200)] | None,
        Meta(description="Of the session that holds the seats, where yours reaches one booking only."),
    ] = None
    passengers: Annotated[
        list[PassengerInput], Meta(max_length=200, description="One for each seat. None: as before.")
    ] = field(default_factory=list)
    contact: ContactInput | None = None
    promo_code: Annotated[str, Meta(max_length=100, description="Empty: without one.")] | None = None
    open_return: Annotated[bool | None, Meta(description="With or without open returns. None: as before.")] = None
    expected_total: MoneyInput | None = None
    invoice_to: Annotated[
        InvoiceToInput | UnsetType | None, Meta(description="Also once it is sold. Null: who booked.")
    ] = UNSET

    @property
    def is_of_invoices_alone(self) -> bool:
        return self.invoice_to is not UNSET and self == BookingChange(invoice_to=self.invoice_to)


class PriceLineView(Wire):
    """One line of the price, tax included. `label` is in the reader's language."""

    kind: Literal["fare", "seat", "surcharge", "discount", "fee", "tax"]
    label: Annotated[str, Meta(examples=["Seat 4A"])]
    seat_number: str | None
    amount: MoneyView
    tax_included: MoneyView

    @classmethod
    def of(cls, line: bookings.BookedLine | PriceLine) -> Self:
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


class FormerSeatView(Wire):
    """A seat that was given up while the booking lives on: cancelled, or changed for something else."""

    item_id: UUID
    operator: str
    title: str
    from_: BookedPlace = field(name="from")
    to: BookedPlace | None
    passenger: PassengerView
    ended_as: Literal["cancelled", "changed"]
    ended_at: datetime

    @classmethod
    def of(cls, seat: bookings.FormerSeat, secrets: Secrets) -> Self:
        about = seat.description
        return cls(
            item_id=seat.item_id,
            operator=about.operator_name,
            title=about.title,
            from_=BookedPlace.of(about.origin),
            to=BookedPlace.of(about.destination) if about.destination else None,
            passenger=PassengerView.of(seat.passenger, secrets),
            ended_as=seat.ended_as,
            ended_at=seat.ended_at,
        )


class OpenReturnView(Wire):
    """Somebody's right to ride back later. Until `validUntil`, a ride back must begin; its price is in the total.

    `passengerId` is who has it, by their seat on the way there. `refundBp` basis points are paid back of what is not
    used of `paid`: where it is given up, ends unused, or the ride back costs less.
    """

    open_return_id: UUID
    passenger_id: UUID
    passenger_type: Literal["adult", "child", "senior"]
    from_: Annotated[str, Meta(examples=["Huế"])] = field(name="from")
    to: Annotated[str, Meta(examples=["Hà Nội"])]
    paid: MoneyView
    refund_bp: int
    valid_until: datetime
    timezone: str

    @classmethod
    def of(cls, found: bookings.OpenReturn) -> Self:
        return cls(
            open_return_id=found.id,
            passenger_id=found.passenger_id,
            passenger_type=found.passenger_type,
            from_=found.origin,
            to=found.destination,
            paid=MoneyView.of(found.price),
            refund_bp=found.refund_bp,
            valid_until=found.valid_until.astimezone(ZoneInfo(found.timezone)),
            timezone=found.timezone,
        )


class ActionsView(Wire):
    """What can be done with the booking now: until when, or `null`. A quote says for which of several trips."""

    pay: datetime | None
    modify: Annotated[datetime | None, Meta(description="Exchange its passengers, free of charge.")]
    cancel: datetime | None
    change: datetime | None
    rename: datetime | None
    redeem: Annotated[datetime | None, Meta(description="Choose the ride back of an open return.")]
    rebook: Annotated[bool, Meta(description="Whether its trips can be looked for again.")]

    @classmethod
    def of(cls, actions: bookings.Actions) -> Self:
        return cls(
            pay=actions.pay,
            modify=actions.modify,
            cancel=actions.cancel,
            change=actions.change,
            rename=actions.rename,
            redeem=actions.redeem,
            rebook=actions.rebook,
        )


class ContactView(Wire):
    email: str
    phone: str


class BookingView(Wire):
    """A booking as it is now. `reason` says why it was cancelled; `expiresAt` until when it can be paid.

    `total` is what is owed for it as it stands: of one that was cancelled after it was paid, what is kept. `former` is
    what was given up of it.
    """

    booking_id: Annotated[UUID, Meta(examples=[BOOKING_ID])]
    booking_reference: Annotated[str, Meta(examples=[REFERENCE])]
    confirmation_code: Annotated[str, Meta(examples=[REFERENCE], description="The same as `bookingReference`.")]
    status: Literal["pending", "payment_processing", "confirmed", "completed", "cancelled", "refunded"]
    reason: Literal["expired", "customer", "operator", "payment_failed", "dispute_lost"] | None
    expires_at: datetime | None
    total: MoneyView
    tax: Annotated[MoneyView, Meta(description="The tax that the total includes.")]
    price_lines: list[PriceLineView]
    items: list[BookedItem]
    former: list[FormerSeatView]
    open_returns: Annotated[list[OpenReturnView], Meta(description="Rides back that are paid for and not chosen yet.")]
    actions: ActionsView
    contact: ContactView
    language: str
    created_at: datetime
    confirmed_at: datetime | None
    cancelled_at: datetime | None
    invoice_to: Annotated[
        InvoiceToView | UnsetType | None,
        Meta(description="Null: who booked. Not told where a booking is a part of something else."),
    ] = UNSET

    cancellation_reason: Annotated[
        str | UnsetType | None, Meta(description="Why it was cancelled, in the traveller's own words.")
    ] = UNSET
    paid: MoneyView | UnsetType = UNSET
    due: MoneyView | UnsetType = UNSET
    payment_status: Annotated[
        PaymentStatus | UnsetType, Meta(description="Of all its payments; of a free booking, `completed`.")
    ] = UNSET
    payments: Annotated[list[BookedPayment] | UnsetType, Meta(description="The latest first.")] = UNSET

    def with_money(self, sums: BookingSums, cancellation_reason: str | None = None) -> Self:
        return replace(
            self,
            cancellation_reason=cancellation_reason,
            paid=MoneyView.of(sums.paid),
            due=MoneyView.of(sums.due),
            payment_status=sums.status.value,
            payments=[BookedPayment.of(each) for each in sums.payments],
        )

    def with_invoice_to(self, given: InvoiceTo | None) -> Self:
        return replace(self, invoice_to=InvoiceToView.of(given) if given else None)

    @classmethod
    def of(cls, booking: bookings.Booking, secrets: Secrets, *, at: datetime) -> Self:
        """Args: at: the instant for which `actions` are told."""
        return cls(
            booking_id=booking.id,
            booking_reference=booking.reference,
            confirmation_code=booking.reference,
            status=booking.status.value,
            reason=booking.reason.value if booking.reason else None,
            expires_at=booking.expires_at,
            total=MoneyView.of(booking.total),
            tax=MoneyView.of(booking.tax),
            price_lines=[PriceLineView.of(line) for line in booking.lines],
            items=[BookedItem.of(item, secrets) for item in booking.items],
            former=[FormerSeatView.of(seat, secrets) for seat in booking.former],
            open_returns=[OpenReturnView.of(each) for each in booking.open_returns],
            actions=ActionsView.of(bookings.actions_of(booking, at)),
            contact=ContactView(email=booking.contact.email.open(secrets), phone=booking.contact.phone.open(secrets)),
            language=booking.language,
            created_at=booking.created_at,
            confirmed_at=booking.confirmed_at,
            cancelled_at=booking.cancelled_at,
        )


def money_of(given: MoneyInput | None, field_name: str = "expectedTotal") -> Money | None:
    """Raises `Invalid` for an amount that its currency cannot have."""
    if given is None:
        return None
    try:
        return given.money()
    except ValueError:
        message = N_("This is not an amount of money.")
        raise Invalid([FieldError(field_name, "invalid-amount", message)]) from None
