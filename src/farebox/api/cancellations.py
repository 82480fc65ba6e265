"""Cancelling: what is paid back is quoted first, for a whole booking or for some of its passengers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import Parameter, QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from farebox import payments
from farebox.accounts import Actor, Permission
from farebox.api.booking_wire import BOOKING_ID, LONGEST_NOTE, BookingView, money_of
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.whole_bookings import whole_booking
from farebox.api.wire import PRIVATE, MoneyInput, MoneyView, Request, Wire
from farebox.bookings import (
    BookingNotFound,
    CancellationQuote,
    CancelReason,
    NotCancellable,
    OpenReturnNotFound,
    RefundChanged,
    RefundLine,
    TooLateToCancel,
    quote_cancellation,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid, NotAllowed
from farebox.core.i18n import N_
from farebox.payments import NoWallet
from farebox.pricing import describe_line
from farebox.wiring import Services

RefundTo = Literal["origin", "wallet"]

PASSENGERS = "`passengerId`s, separated by commas, or repeated. Default: all whose seats can still be given up."
REFUND_TO = "`origin`: the way the money came. `wallet`: of the person whose booking it is, signed in."
EXPECTED = "What your quote said is paid back. Compared, never used."

OPEN_RETURNS = "`openReturnId`s, separated by commas, or repeated. They go with the seat on the way there, too."
OpenReturnIds = Annotated[list[str] | None, QueryParameter(name="openReturns", max_items=200, description=OPEN_RETURNS)]
PassengerIds = Annotated[list[str] | None, QueryParameter(name="passengers", max_items=200, description=PASSENGERS)]


class RefundLineView(Wire):
    """One seat, or what is paid once for a trip. Until `until`, `refundBp` basis points of its price are paid back."""

    item_id: UUID
    passenger_id: UUID | None
    seat_number: str | None
    label: Annotated[str, Meta(examples=["Seat 4A"])]
    price: MoneyView
    refund: MoneyView
    kept: MoneyView
    refund_bp: int
    until: datetime | None

    @classmethod
    def of(cls, line: RefundLine) -> Self:
        return cls(
            item_id=line.item_id,
            passenger_id=line.passenger_id,
            seat_number=line.seat_number,
            label=describe_line(line),
            price=MoneyView.of(line.price),
            refund=MoneyView.of(line.refund),
            kept=MoneyView.of(line.kept),
            refund_bp=line.refund_bp,
            until=line.until,
        )


class CancellationQuoteView(Wire):
    """What giving up these seats comes to. Of a booking that was not paid, `refund` is what comes off its price.

    `whole`: nobody is left, so the booking is over. `until`: the last instant at which the quote holds.
    """

    booking_id: Annotated[UUID, Meta(examples=[BOOKING_ID])]
    passenger_ids: list[UUID]
    open_return_ids: list[UUID]
    whole: bool
    price: MoneyView
    refund: MoneyView
    kept: MoneyView
    lines: list[RefundLineView]
    until: datetime | None

    @classmethod
    def of(cls, booking_id: UUID, quote: CancellationQuote) -> Self:
        return cls(
            booking_id=booking_id,
            passenger_ids=list(quote.passenger_ids),
            open_return_ids=list(quote.open_return_ids),
            whole=quote.is_whole,
            price=MoneyView.of(quote.price),
            refund=MoneyView.of(quote.refund),
            kept=MoneyView.of(quote.kept),
            lines=[RefundLineView.of(line) for line in quote.lines],
            until=quote.until,
        )


class CancellationView(CancellationQuoteView):
    """What it came to: `paidBack` is on its way to `refundTo`."""

    paid_back: MoneyView
    refund_to: RefundTo


class CancelledBookingView(BookingView, kw_only=True):
    """The booking as it is now, and what its cancellation came to."""

    cancellation: CancellationView

    @classmethod
    def after(cls, done: payments.Cancelled, booking: BookingView) -> Self:
        quote = CancellationQuoteView.of(done.booking.id, done.quote)
        paid_back = MoneyView.of(done.refund)
        return cls(
            **msgspec.structs.asdict(booking),
            cancellation=CancellationView(
                **msgspec.structs.asdict(quote), paid_back=paid_back, refund_to=done.refund_to
            ),
        )


class Cancelling(Request):
    """What to cancel, and why in your own words. Without `passengers` and `openReturns`: all that can be given up."""

    reason: Annotated[str, Meta(max_length=LONGEST_NOTE)] = ""
    passengers: Annotated[list[UUID], Meta(max_length=200)] = msgspec.field(default_factory=list)
    open_returns: Annotated[list[UUID], Meta(max_length=200)] = msgspec.field(default_factory=list)
    refund_to: Annotated[RefundTo, Meta(description=REFUND_TO)] = "origin"
    expected_refund: Annotated[MoneyInput | None, Meta(description=EXPECTED)] = None


QUOTE_PROBLEMS = (BookingNotFound, OpenReturnNotFound, NotCancellable, TooLateToCancel, NotAllowed, Invalid)
QUOTE_REFUSALS = problems(*QUOTE_PROBLEMS)
REFUSALS = problems(*QUOTE_PROBLEMS, RefundChanged, NoWallet, *IDEMPOTENT)


class CancellationsController(Controller):
    """A booking is given up under the terms of its sale; its seats are free at once, and its money goes back."""

    path = "/bookings/{booking_id:uuid}"
    tags = ("Bookings",)
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @get(
        "/cancellation-quote",
        summary="Quote a cancellation",
        operation_id="quoteCancellation",
        responses=QUOTE_REFUSALS,
    )
    async def quote(
        self,
        booking_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        passengers: PassengerIds = None,
        open_returns: OpenReturnIds = None,
    ) -> CancellationQuoteView:
        """What is paid back if these seats or open returns are given up now, line by line. Changes nothing."""
        quote = await quote_cancellation(
            work, booking_id, actor=actor, passengers=_ids(passengers), open_returns=_ids(open_returns, "openReturns")
        )
        return CancellationQuoteView.of(booking_id, quote)

    @delete(
        "/",
        summary="Cancel a booking, or some of its passengers",
        operation_id="cancelBooking",
        status_code=HTTP_200_OK,
        responses=REFUSALS,
    )
    async def cancel(
        self,
        booking_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        passengers: PassengerIds = None,
        open_returns: OpenReturnIds = None,
        reason: Annotated[str, Parameter(max_length=LONGEST_NOTE, description="In your own words.")] = "",
        refund_to: Annotated[RefundTo, QueryParameter(name="refundTo", description=REFUND_TO)] = "origin",
    ) -> CancelledBookingView:
        """Its seats are free at once. What was paid goes back as quoted; what still arrives goes back, too."""
        done = await payments.cancel_booking(
            work,
            booking_id,
            actor=actor,
            passengers=_ids(passengers),
            open_returns=_ids(open_returns, "openReturns"),
            note=reason,
            refund_to=refund_to,
        )
        return CancelledBookingView.after(done, await whole_booking(work, done.booking, services))

    @put(
        "/cancel",
        summary="Cancel a booking, or some of its passengers (same as DELETE)",
        operation_id="putBookingCancel",
        responses=REFUSALS,
    )
    async def cancel_by_put(
        self,
        booking_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        data: Cancelling | None = None,
        reason: Annotated[str, Parameter(max_length=LONGEST_NOTE, description="Where the body gives none.")] = "",
    ) -> CancelledBookingView:
        """With a body, `expectedRefund` makes sure that what is paid back is what you were shown."""
        wanted = data or Cancelling()
        wanted.reason = wanted.reason or reason
        return await _cancel(booking_id, wanted, CancelReason.CUSTOMER, work, actor, services)

    @get(
        "/operator-cancellation",
        summary="Quote a cancellation that the operator is the cause of",
        operation_id="quoteOperatorCancellation",
        opt={"access": "staff", "permission": Permission.PAYMENTS_REFUND},
        responses=QUOTE_REFUSALS,
    )
    async def quote_for_operator(
        self, booking_id: UUID, work: UnitOfWork, actor: Actor, passengers: PassengerIds = None
    ) -> CancellationQuoteView:
        """Everything is paid back for the seats on the operator's own trips, whatever the terms of their sale."""
        quote = await quote_cancellation(
            work, booking_id, actor=actor, passengers=_ids(passengers), reason=CancelReason.OPERATOR
        )
        return CancellationQuoteView.of(booking_id, quote)

    @post(
        "/operator-cancellation",
        summary="Cancel a booking since the operator cannot carry its passengers",
        operation_id="cancelForOperator",
        status_code=HTTP_200_OK,
        opt={"access": "staff", "permission": Permission.PAYMENTS_REFUND, "step_up": True},
        responses=REFUSALS,
    )
    async def cancel_for_operator(
        self, booking_id: UUID, data: Cancelling, work: UnitOfWork, actor: Actor, services: Services
    ) -> CancelledBookingView:
        """Everything is paid back for the seats on the operator's own trips; the traveller is told."""
        return await _cancel(booking_id, data, CancelReason.OPERATOR, work, actor, services)


async def _cancel(
    booking_id: UUID, data: Cancelling, reason: CancelReason, work: UnitOfWork, actor: Actor, services: Services
) -> CancelledBookingView:
    done = await payments.cancel_booking(
        work,
        booking_id,
        actor=actor,
        passengers=data.passengers or None,
        open_returns=data.open_returns or None,
        reason=reason,
        note=data.reason,
        refund_to=data.refund_to,
        expected_refund=money_of(data.expected_refund, "expectedRefund"),
    )
    return CancelledBookingView.after(done, await whole_booking(work, done.booking, services))


def _ids(given: Sequence[str] | None, name: str = "passengers") -> list[UUID] | None:
    """Raises `Invalid` for what is no id."""
    if given is None:
        return None
    try:
        return [UUID(each.strip()) for part in given for each in part.split(",")]
    except ValueError:
        message = N_("Name what you mean by its id, several with commas between them.")
        raise Invalid([FieldError(name, "invalid-id", message)]) from None
