"""Changing what was sold: other seats, another day, other names; and booking the same again."""

from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.status_codes import HTTP_200_OK

from farebox import bookings, payments
from farebox.accounts import Actor
from farebox.api.booking_wire import money_of
from farebox.api.change_wire import (
    AgainTrip,
    AgainView,
    ChangedView,
    ChangeInput,
    ChangeNow,
    ChangeQuoteView,
    PendingChange,
    RebookInput,
    RenameInput,
    Withdrawn,
)
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.whole_bookings import whole_booking
from farebox.api.wire import PRIVATE
from farebox.bookings import (
    BookingNotFound,
    ChangeNotFound,
    ChangePending,
    MixedCurrencies,
    NotChangeable,
    NothingFound,
    PassengerNotFound,
    PriceChanged,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid, NotAllowed
from farebox.inventory import HoldExpired, HoldNotFound, HoldTerms, UnitsTaken
from farebox.payments import ChangeTerms, NoWallet
from farebox.timetable import NotBoardable
from farebox.wiring import Services

QUOTE_PROBLEMS = (
    BookingNotFound,
    NotChangeable,
    NotAllowed,
    HoldNotFound,
    HoldExpired,
    MixedCurrencies,
    NotBoardable,
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
        return ChangedView.of(changed, await whole_booking(work, changed.booking, services))

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
        return ChangedView.of(changed, await whole_booking(work, changed.booking, services))

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
