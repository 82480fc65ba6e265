"""Changes of bookings on the wire: what clients send, and what they are told."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from msgspec import Meta, field

from farebox import bookings, payments
from farebox.accounts import Actor
from farebox.api.booking_wire import LOCK_ID, BookedPlace, BookingView, PriceLineView
from farebox.api.wire import MoneyInput, MoneyView, Request, Wire
from farebox.bookings import ChangeWish, NewName, RenameWish, SeatWish
from farebox.core.errors import FieldError, Invalid, SignInRequired
from farebox.core.i18n import N_
from farebox.wiring import Services

CHANGE_ID = "018f6b2e-0000-7000-8000-00000000c001"
PASSENGER_ID = "018f6b2e-0000-7000-8000-00000000a001"

TotalInput = Annotated[MoneyInput | None, Meta(description="The booking's new total that you showed. Compared only.")]


class SeatWishInput(Request):
    """Somebody who changes, and which of the seats held they are to have; any that fits where none is named."""

    passenger_id: Annotated[UUID, Meta(examples=[PASSENGER_ID])]
    seat_number: Annotated[str, Meta(examples=["4A"], max_length=10)] = ""


class ChangeInput(Request):
    """First hold the new seats as any others (`POST /seats/lock`), one for each person who changes.

    To ride further on the same seat, hold it on the legs that are missing. To ride a part of the way, hold nothing, and
    name where it begins or ends then.
    """

    lock_id: Annotated[
        UUID | None, Meta(examples=[LOCK_ID], description="None: the same seats, a part of the way.")
    ] = None
    passengers: Annotated[
        list[SeatWishInput],
        Meta(max_length=200, description="Who changes, all of one trip. None: everybody on `itemId`."),
    ] = field(default_factory=list)
    item_id: Annotated[UUID | None, Meta(description="Needed where nobody is named and there are several trips.")] = (
        None
    )
    from_: Annotated[UUID | None, Meta(description="Without a hold: where to board now. None: as before.")] = field(
        name="from", default=None
    )
    to: Annotated[UUID | None, Meta(description="Without a hold: where to get off now. None: as before.")] = None
    guest_token: Annotated[
        Annotated[str, Meta(max_length=200)] | None,
        Meta(description="Of the session that holds the seats, where yours reaches one booking only."),
    ] = None

    async def wish(self, actor: Actor, services: Services) -> ChangeWish:
        return ChangeWish(
            lock_id=self.lock_id,
            holder=await holder_of(self.guest_token, actor, services),
            passengers=tuple(SeatWish(each.passenger_id, each.seat_number) for each in self.passengers),
            item_id=self.item_id,
            from_id=self.from_,
            to_id=self.to,
        )


class ChangeNow(ChangeInput):
    """The same, to be done."""

    expected_total: TotalInput = None
    refund_to: Annotated[
        Literal["origin", "wallet"],
        Meta(description="Where it goes what the change saves: the way it came, or wallet."),
    ] = "origin"


class RenameInput(Request):
    """Who travels instead. The type of passenger stays, and with it the fare."""

    full_name: Annotated[str, Meta(examples=["Nguyễn Văn An"], max_length=1000)]
    id_type: Literal["citizen_id", "passport"]
    id_number: Annotated[str, Meta(examples=["001099012345"], max_length=100)]
    phone: Annotated[Annotated[str, Meta(max_length=100)] | None, Meta(description="None: as before.")] = None
    email: Annotated[Annotated[str, Meta(max_length=1000)] | None, Meta(description="None: as before.")] = None
    everywhere: Annotated[bool, Meta(description="On the person's other trips of the booking, too.")] = True
    expected_total: TotalInput = None

    def wish(self, passenger_id: UUID) -> RenameWish:
        name = NewName(self.full_name, self.id_type, self.id_number, self.phone, self.email)
        return RenameWish(passenger_id, name, everywhere=self.everywhere)


class RebookInput(Request):
    day: Annotated[date | None, Meta(description="Of the first trip; none: its own, or from now on.")] = field(
        default=None, name="date"
    )
    hold: Annotated[bool, Meta(description="Hold the seats; else they are only looked for.")] = True


class NewTrip(Wire):
    """What the new seats are on."""

    trip_id: UUID
    title: str
    from_: BookedPlace = field(name="from")
    to: BookedPlace | None
    seat_numbers: list[str]

    @classmethod
    def of(cls, seats: bookings.NewSeats) -> Self:
        about = seats.description
        return cls(
            trip_id=seats.offer.resource_id,
            title=about.title,
            from_=BookedPlace.of(about.origin),
            to=BookedPlace.of(about.destination) if about.destination else None,
            seat_numbers=[move.seat_number for move in seats.moves],
        )


class ChangeQuoteView(Wire):
    """What a change comes to, line by line: `totalBefore` - `linesGone` + `linesAdded` = `totalAfter`.

    Where the new seats cost less, as much of the difference is paid back as a cancellation would pay back now.
    """

    total_before: MoneyView
    total_after: MoneyView
    to_pay: MoneyView
    to_refund: MoneyView
    lines_gone: list[PriceLineView]
    lines_added: Annotated[
        list[PriceLineView],
        Meta(description="New fares, the fee for each who changes, and what is kept where the new seats cost less."),
    ]
    new_trip: NewTrip | None
    open_return_valid_until: Annotated[
        datetime | None, Meta(description="Of the open returns of who changes, which end so many days after this trip.")
    ]

    @classmethod
    def of(cls, quote: bookings.ChangeQuote) -> Self:
        return cls(
            total_before=MoneyView.of(quote.before),
            total_after=MoneyView.of(quote.after),
            to_pay=MoneyView.of(quote.owed),
            to_refund=MoneyView.of(quote.given_back),
            lines_gone=[PriceLineView.of(line) for line in quote.gone],
            lines_added=[PriceLineView.of(line) for line in quote.added],
            new_trip=NewTrip.of(quote.new_seats) if quote.new_seats else None,
            open_return_valid_until=quote.seats.open_returns_until if quote.seats else None,
        )


class PendingChange(Wire):
    """A change that waits: begin a payment with this `changeId`. At `expiresAt` its seats are free again."""

    change_id: Annotated[UUID, Meta(examples=[CHANGE_ID])]
    to_pay: MoneyView
    expires_at: datetime
    quote: ChangeQuoteView

    @classmethod
    def of(cls, change: bookings.Change) -> Self:
        return cls(
            change_id=change.id,
            to_pay=MoneyView.of(change.owed),
            expires_at=change.expires_at,
            quote=ChangeQuoteView.of(change.quote),
        )


class ChangedView(Wire):
    """`status`: `applied`, and `booking` is as it is now; or `pending`, and it is as it was until `change` is paid."""

    status: Literal["applied", "pending"]
    booking: BookingView
    quote: ChangeQuoteView
    change: PendingChange | None

    @classmethod
    def of(cls, changed: payments.Changed, booking: BookingView) -> Self:
        return cls(
            status="pending" if changed.waiting else "applied",
            booking=booking,
            quote=ChangeQuoteView.of(changed.quote),
            change=PendingChange.of(changed.waiting) if changed.waiting else None,
        )


class Withdrawn(Wire):
    withdrawn: bool = True


class AgainPassenger(Wire):
    """As `POST /bookings` takes them."""

    seat_number: str
    full_name: str
    id_type: Literal["citizen_id", "passport"]
    id_number: str
    phone: str
    email: str | None
    passenger_type: Literal["adult", "child", "senior"]
    special_needs: bool
    lock_id: UUID | None

    @classmethod
    def of(cls, person: bookings.PassengerDetails) -> Self:
        return cls(
            seat_number=person.seat_number,
            full_name=person.full_name,
            id_type=person.id_type,
            id_number=person.id_number,
            phone=person.phone,
            email=person.email,
            passenger_type=person.passenger_type,
            special_needs=person.special_needs,
            lock_id=person.hold_id,
        )


class AgainTrip(Wire):
    """A trip found again. `from` and `to` are what `POST /seats/lock` takes, should others be liked better."""

    item_id: UUID
    trip_id: UUID
    from_id: UUID | None = field(name="from")
    to_id: UUID | None = field(name="to")
    departure: datetime
    arrival: datetime
    seat_numbers: list[str]
    lock_id: Annotated[UUID | None, Meta(examples=[LOCK_ID])]
    expires_at: datetime | None
    passengers: Annotated[list[AgainPassenger], Meta(description="For the booking's owner alone.")]

    @classmethod
    def of(cls, again: bookings.Again) -> Self:
        found = again.found
        return cls(
            item_id=again.item.id,
            trip_id=found.resource_id,
            from_id=found.from_id,
            to_id=found.to_id,
            departure=found.starts_at,
            arrival=found.ends_at,
            seat_numbers=[seat.label for seat in found.seats],
            lock_id=again.hold.id if again.hold else None,
            expires_at=again.hold.expires_at if again.hold else None,
            passengers=[AgainPassenger.of(person) for person in again.people],
        )


class AgainView(Wire):
    """What to book: all `lockId`s and all `passengers` together make a new booking."""

    trips: list[AgainTrip]


async def holder_of(token: str | None, actor: Actor, services: Services) -> Actor:
    """Who holds the new seats: the caller, or the visitor whose session's token they have, too."""
    if token is None:
        return actor
    try:
        holder = await services.sessions.authenticate(token)
    except SignInRequired:
        holder = None
    if holder is None or holder.kind != "guest" or holder.booking_id is not None:
        message = N_("This is not the token of a guest session.")
        raise Invalid([FieldError("guestToken", "unknown-session", message)])
    return holder
