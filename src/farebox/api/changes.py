"""Changing what was sold: other seats, another day, other names; and booking the same again."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta, field

from farebox import bookings, payments
from farebox.accounts import Actor
from farebox.api.booking_wire import LOCK_ID, BookedPlace, BookingView, PriceLineView, money_of
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.wire import PRIVATE, MoneyInput, MoneyView, Request, Wire
from farebox.bookings import (
    BookingNotFound,
    ChangeNotFound,
    ChangePending,
    ChangeWish,
    MixedCurrencies,
    NewName,
    NotChangeable,
    NothingFound,
    PassengerNotFound,
    PriceChanged,
    RenameWish,
    SeatWish,
)
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid, NotAllowed, SignInRequired
from farebox.core.i18n import N_
from farebox.inventory import HoldExpired, HoldNotFound, HoldTerms, UnitsTaken
from farebox.payments import ChangeTerms, NoWallet
from farebox.wiring import Services

CHANGE_ID = "018f6b2e-0000-7000-8000-00000000c001"
PASSENGER_ID = "018f6b2e-0000-7000-8000-00000000a001"

TotalInput = Annotated[MoneyInput | None, Meta(description="The booking's new total that you showed. Compared only.")]


class SeatWishInput(Request):
    """Somebody who changes, and which of the seats held they are to have; any that fits where none is named."""

    passenger_id: Annotated[UUID, Meta(examples=[PASSENGER_ID])]
    seat_number: Annotated[str, Meta(examples=["4A"], max_length=10)] = ""


class ChangeInput(Request):
    """First hold the new seats as any others (`POST /seats/lock`), one for each person who changes."""

    lock_id: Annotated[UUID, Meta(examples=[LOCK_ID])]
    passengers: Annotated[
        list[SeatWishInput],
        Meta(max_length=200, description="Who changes, all of one trip. None: everybody on `itemId`."),
    ] = field(default_factory=list)
    item_id: Annotated[UUID | None, Meta(description="Needed where nobody is named and there are several trips.")] = (
        None
    )
    guest_token: Annotated[
        Annotated[str, Meta(max_length=200)] | None,
        Meta(description="Of the session that holds the seats, where yours reaches one booking only."),
    ] = None

    async def wish(self, actor: Actor, services: Services) -> ChangeWish:
        return ChangeWish(
            lock_id=self.lock_id,
            holder=await _holder(self.guest_token, actor, services),
            passengers=tuple(SeatWish(each.passenger_id, each.seat_number) for each in self.passengers),
            item_id=self.item_id,
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
    def of(cls, seats: bookings.SeatChange) -> Self:
        about = seats.description
        return cls(
            trip_id=seats.offer.resource_id,
            title=about.title,
            from_=BookedPlace.of(about.origin),
            to=BookedPlace.of(about.destination) if about.destination else None,
            seat_numbers=[move.seat_number for move in seats.moves],
        )


class ChangeQuoteView(Wire):
    """What a change comes to, line by line: `totalBefore` - `linesGone` + `linesAdded` = `totalAfter`."""

    total_before: MoneyView
    total_after: MoneyView
    to_pay: MoneyView
    to_refund: MoneyView
    lines_gone: list[PriceLineView]
    lines_added: Annotated[list[PriceLineView], Meta(description="New fares, and the fee for each who changes.")]
    new_trip: NewTrip | None

    @classmethod
    def of(cls, quote: bookings.ChangeQuote) -> Self:
        return cls(
            total_before=MoneyView.of(quote.before),
            total_after=MoneyView.of(quote.after),
            to_pay=MoneyView.of(quote.owed),
            to_refund=MoneyView.of(quote.given_back),
            lines_gone=[PriceLineView.of(line) for line in quote.gone],
            lines_added=[PriceLineView.of(line) for line in quote.added],
            new_trip=NewTrip.of(quote.seats) if quote.seats else None,
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
    def of(cls, changed: payments.Changed, secrets: Secrets, *, at: datetime) -> Self:
        return cls(
            status="pending" if changed.waiting else "applied",
            booking=BookingView.of(changed.booking, secrets, at=at),
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


QUOTE_PROBLEMS = (
    BookingNotFound,
    NotChangeable,
    NotAllowed,
    HoldNotFound,
    HoldExpired,
    MixedCurrencies,
    Invalid,
)


class ChangesController(Controller):
    """Changes of confirmed bookings, under the terms of their sale."""

    path = "/bookings/{booking_id:uuid}"
    tags = ("Bookings",)
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @post(
        "/change-quote",
        summary="Ask what other seats cost",
        operation_id="quoteChange",
        status_code=HTTP_200_OK,
        responses=problems(*QUOTE_PROBLEMS, *IDEMPOTENT),
    )
    async def quote(
        self, booking_id: UUID, data: ChangeInput, work: UnitOfWork, actor: Actor, services: Services
    ) -> ChangeQuoteView:
        """Changes nothing. The new ride at today's price, and the fee of the old one's terms for each who changes."""
        wish = await data.wish(actor, services)
        quote = await bookings.quote_change(work, booking_id, wish, actor=actor, verticals=services.verticals)
        return ChangeQuoteView.of(quote)

    @post(
        "/change",
        summary="Change seats, trip or day",
        operation_id="changeSeats",
        status_code=HTTP_200_OK,
        opt={"rate": "booking"},
        responses=problems(*QUOTE_PROBLEMS, ChangePending, PriceChanged, NoWallet, *IDEMPOTENT),
    )
    async def change(
        self, booking_id: UUID, data: ChangeNow, work: UnitOfWork, actor: Actor, services: Services
    ) -> ChangedView:
        """At once where nothing is to pay; what it saves is paid back. Otherwise the new seats are kept meanwhile."""
        changed = await payments.change_booking(
            work,
            booking_id,
            await data.wish(actor, services),
            actor=actor,
            verticals=services.verticals,
            terms=ChangeTerms(
                window_seconds=services.settings.payment_window_seconds,
                expected_total=money_of(data.expected_total),
                refund_to=data.refund_to,
            ),
            signer=services.secrets,
        )
        return ChangedView.of(changed, services.secrets, at=work.now)

    @get(
        "/change",
        summary="Get the change that waits for its payment",
        operation_id="getChange",
        responses=problems(BookingNotFound, ChangeNotFound),
    )
    async def show(self, booking_id: UUID, work: UnitOfWork, actor: Actor) -> PendingChange:
        return PendingChange.of(await bookings.get_pending_change(work, booking_id, actor=actor))

    @delete(
        "/change",
        summary="Take a change back that waits for its payment",
        operation_id="withdrawChange",
        status_code=HTTP_200_OK,
        responses=problems(BookingNotFound, ChangeNotFound, *IDEMPOTENT),
    )
    async def withdraw(self, booking_id: UUID, work: UnitOfWork, actor: Actor) -> Withdrawn:
        """Its seats are free at once. Money that still arrives for it is given back."""
        await bookings.withdraw_change(work, booking_id, actor=actor)
        return Withdrawn()

    @post(
        "/passengers/{passenger_id:uuid}/rename",
        summary="Write another name on somebody's tickets",
        operation_id="renamePassenger",
        status_code=HTTP_200_OK,
        responses=problems(
            BookingNotFound,
            PassengerNotFound,
            NotChangeable,
            NotAllowed,
            ChangePending,
            PriceChanged,
            Invalid,
            *IDEMPOTENT,
        ),
    )
    async def rename(
        self,
        booking_id: UUID,
        passenger_id: UUID,
        data: RenameInput,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
    ) -> ChangedView:
        """At once where it is free, else once the fee is paid. The earlier tickets are worthless then."""
        changed = await payments.rename_passenger(
            work,
            booking_id,
            data.wish(passenger_id),
            actor=actor,
            settings=services.settings,
            secrets=services.secrets,
            expected_total=money_of(data.expected_total),
        )
        return ChangedView.of(changed, services.secrets, at=work.now)

    @post(
        "/rebook",
        summary="Find the same trips again",
        operation_id="rebook",
        status_code=HTTP_200_OK,
        opt={"rate": "booking"},
        responses=problems(BookingNotFound, NothingFound, NotAllowed, UnitsTaken, Invalid, *IDEMPOTENT),
    )
    async def rebook(
        self,
        booking_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        data: RebookInput | None = None,
    ) -> AgainView:
        """Whatever became of the booking. Held for you with the people of then, so that `POST /bookings` is next."""
        wanted = data or RebookInput()
        found = await bookings.rebook(
            work,
            booking_id,
            day=wanted.day,
            actor=actor,
            verticals=services.verticals,
            terms=HoldTerms.of(services.settings) if wanted.hold else None,
            secrets=services.secrets,
        )
        return AgainView(trips=[AgainTrip.of(each) for each in found])


async def _holder(token: str | None, actor: Actor, services: Services) -> Actor:
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
