"""Open returns: what they cost, and choosing the ride back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get, post
from litestar.params import QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta, field

from farebox import bookings, payments
from farebox.accounts import Actor
from farebox.api.booking_wire import LOCK_ID, PriceLineView, money_of
from farebox.api.change_wire import ChangedView, ChangeQuoteView, TotalInput, holder_of
from farebox.api.changes import QUOTE_PROBLEMS
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.whole_bookings import whole_booking
from farebox.api.wire import PRIVATE, MoneyView, Request, Wire
from farebox.bookings import (
    ChangePending,
    OpenReturnNotFound,
    OpenReturnOffer,
    PassengerType,
    PriceChanged,
    RedeemWish,
    ReturnWish,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.money import total
from farebox.inventory import HoldNotFound
from farebox.payments import ChangeTerms, NoWallet
from farebox.wiring import Services

KINDS: Final[dict[str, PassengerType]] = {"adult": "adult", "child": "child", "senior": "senior"}
TYPES = "Of the passengers (adult, child, senior), in the order of the seats, separated by commas. Default: adults."

PassengerTypes = Annotated[list[str] | None, QueryParameter(name="passengerTypes", max_items=200, description=TYPES)]


class OpenReturnOfferView(Wire):
    """The right to ride back later, for everybody on the seats held: book with `openReturn` to have it.

    A ride back must begin until `validUntil`. `refundBp` basis points are paid back of what is not used of the price.
    """

    from_: Annotated[str, Meta(examples=["Huế"])] = field(name="from")
    to: Annotated[str, Meta(examples=["Hà Nội"])]
    valid_until: datetime
    refund_bp: int
    total: MoneyView
    price_lines: list[PriceLineView]

    @classmethod
    def of(cls, offer: OpenReturnOffer) -> Self:
        lines = [line for of_one in offer.lines for line in of_one]
        return cls(
            from_=offer.origin,
            to=offer.destination,
            valid_until=offer.valid_until.astimezone(ZoneInfo(offer.timezone)),
            refund_bp=offer.refund_bp,
            total=MoneyView.of(total([line.amount for line in lines], lines[0].amount.currency)),
            price_lines=[PriceLineView.of(line) for line in lines],
        )


class OpenReturnChoice(Wire):
    """`offer` is null where the operator of the seats sells no open return."""

    offer: OpenReturnOfferView | None


class ReturnWishInput(Request):
    """Somebody's open return, and which of the seats held it is for; any that fits where none is named."""

    open_return_id: UUID
    seat_number: Annotated[str, Meta(examples=["4A"], max_length=10)] = ""


class RedeemInput(Request):
    """First hold seats on the way back as any others (`POST /seats/lock`), one for each open return."""

    lock_id: Annotated[UUID, Meta(examples=[LOCK_ID])]
    open_returns: Annotated[
        list[ReturnWishInput], Meta(max_length=200, description="Which to use. None: all of the booking.")
    ] = field(default_factory=list)
    guest_token: Annotated[
        Annotated[str, Meta(max_length=200)] | None,
        Meta(description="Of the session that holds the seats, where yours reaches one booking only."),
    ] = None

    async def wish(self, actor: Actor, services: Services) -> RedeemWish:
        return RedeemWish(
            lock_id=self.lock_id,
            holder=await holder_of(self.guest_token, actor, services),
            open_returns=tuple(ReturnWish(each.open_return_id, each.seat_number) for each in self.open_returns),
        )


class RedeemNow(RedeemInput):
    """The same, to be done."""

    expected_total: TotalInput = None
    refund_to: Annotated[
        Literal["origin", "wallet"],
        Meta(description="Where it goes what the ride costs less: the way it came, or wallet."),
    ] = "origin"


@get(
    "/seats/lock/{lock_id:uuid}/open-return",
    summary="Ask what an open return costs",
    operation_id="getOpenReturnOffer",
    tags=["Bookings"],
    opt={"access": "guest"},
    response_headers=PRIVATE,
    responses=problems(HoldNotFound, Invalid),
)
async def show_open_return(
    lock_id: UUID, work: UnitOfWork, actor: Actor, services: Services, passenger_types: PassengerTypes = None
) -> OpenReturnChoice:
    """For the seats that you hold, before they are booked."""
    types = _types(passenger_types or [])
    offer = await bookings.offer_with_hold(work, lock_id, types, actor=actor, verticals=services.verticals)
    return OpenReturnChoice(offer=OpenReturnOfferView.of(offer) if offer else None)


class OpenReturnsController(Controller):
    """Choosing the ride back that was paid for before. One that waits for its payment is a change: see there."""

    path = "/bookings/{booking_id:uuid}"
    tags = ("Bookings",)
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @post(
        "/open-return-quote",
        summary="Ask what a ride back costs beyond the open return",
        operation_id="quoteOpenReturn",
        status_code=HTTP_200_OK,
        responses=problems(*QUOTE_PROBLEMS, OpenReturnNotFound, *IDEMPOTENT),
    )
    async def quote(
        self, booking_id: UUID, data: RedeemInput, work: UnitOfWork, actor: Actor, services: Services
    ) -> ChangeQuoteView:
        """Changes nothing. The ride at today's price, less what was paid for the open return."""
        wish = await data.wish(actor, services)
        quote = await bookings.quote_redemption(work, booking_id, wish, actor=actor, verticals=services.verticals)
        return ChangeQuoteView.of(quote)

    @post(
        "/open-return",
        summary="Choose the ride back of an open return",
        operation_id="redeemOpenReturn",
        status_code=HTTP_200_OK,
        opt={"rate": "booking"},
        responses=problems(*QUOTE_PROBLEMS, OpenReturnNotFound, ChangePending, PriceChanged, NoWallet, *IDEMPOTENT),
    )
    async def redeem(
        self, booking_id: UUID, data: RedeemNow, work: UnitOfWork, actor: Actor, services: Services
    ) -> ChangedView:
        """It joins the booking: at once where nothing is to pay, else once the difference is paid, as a change.

        Until then it can be taken back as a change (`DELETE …/change`), and the open return stays as it was.
        """
        changed = await payments.redeem_open_returns(
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


def _types(given: Sequence[str]) -> list[PassengerType]:
    """Raises `Invalid` for what no passenger is."""
    try:
        return [KINDS[each.strip()] for part in given for each in part.split(",")]
    except KeyError:
        message = N_("Passengers are adults, children or seniors: adult, child, senior.")
        raise Invalid([FieldError("passengerTypes", "invalid-type", message)]) from None
