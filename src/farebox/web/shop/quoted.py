"""What changes of seats and of names and the choice of a ride back have in common: the quote, shown and then taken."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Template

from farebox.accounts import Actor
from farebox.bookings import (
    Booking,
    BookingStatus,
    ChangeNotFound,
    ChangeQuote,
    ItemDescription,
    get_pending_change,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import SignInRequired
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.edge.access import SESSION_COOKIE
from farebox.inventory import HoldExpired, HoldNotFound
from farebox.payments import ChangeTerms, methods_for
from farebox.pricing import describe_line
from farebox.web.pages import AnyRequest, page
from farebox.web.shop.booked import price_of_lines
from farebox.web.shop.cards import card_of_description
from farebox.web.shop.checkouts import checkout_origins
from farebox.web.shop.methods import method_options
from farebox.web.shop.refunds import ways_back
from farebox.web.views.after import ChangeView, SeatSwap
from farebox.wiring import Services

CONFLICT: Final = 409

SEATS_GONE: Final = (HoldExpired, HoldNotFound, SignInRequired)
"""Nobody holds the new seats (any more)."""

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


async def elsewhere_of(work: UnitOfWork, booking: Booking, actor: Actor) -> str:
    """Where to go instead: a booking that cannot be changed, or a change that waits for its payment."""
    at = f"/bookings/{booking.id}"
    if booking.status is not BookingStatus.CONFIRMED:
        return at
    try:
        await get_pending_change(work, booking.id, actor=actor)
    except ChangeNotFound:
        return ""
    return f"{at}/change/waiting"


async def holder_for(request: AnyRequest, services: Services, actor: Actor) -> Actor:
    """Who holds the new seats: the visitor's own session, also where a code opens the booking.

    Raises:
        SignInRequired: there is no such session.
    """
    if actor.booking_id is None:
        return actor
    own = request.cookies.get(SESSION_COOKIE)
    if own is None:
        raise SignInRequired
    return await services.sessions.authenticate(own)


def terms_of(data: Mapping[str, str], booking: Booking, settings: Settings) -> ChangeTerms:
    """How what was shown is paid, or paid back."""
    return ChangeTerms(
        window_seconds=settings.payment_window_seconds,
        expected_total=shown_total(data, booking),
        refund_to="wallet" if data.get("refund_to") == "wallet" else "origin",
    )


def shown_total(data: Mapping[str, str], booking: Booking) -> Money | None:
    """What the page had said that the booking will cost, in minor units."""
    text = data.get("expected", "")
    return Money(int(text), booking.total.currency) if text.isdecimal() and len(text) < len(str(2**63)) else None


def view_of(
    booking: Booking,
    quote: ChangeQuote,
    actor: Actor,
    services: Services,
    *,
    title: str,
    action: str,
    hidden: tuple[tuple[str, str], ...],
    swaps: tuple[SeatSwap, ...],
    changed: str,
) -> ChangeView:
    """What it comes to, what falls away and comes, and how it is paid.

    Args:
        action: where the form goes, below the booking.
        hidden: what the form carries along beside what the booking will cost.
        changed: what is to be told where the price is another one than was shown.
    """
    at = f"/bookings/{booking.id}"
    return ChangeView(
        reference=booking.reference,
        title=title,
        action=f"{at}/{action}",
        back_url=at,
        price=price_of_lines(quote.lines, quote.after),
        gone=tuple((describe_line(line), Money(-line.amount.minor, line.amount.currency)) for line in quote.gone),
        added=tuple((describe_line(line), line.amount) for line in quote.added),
        owed=quote.owed,
        back=quote.given_back,
        hidden=(*hidden, ("expected", str(quote.after.minor))),
        swaps=swaps,
        methods=method_options(methods_for(booking.total.currency, services.providers), ""),
        ways=ways_back(booking, actor) if quote.given_back else (),
        changed=changed,
    )


def on_seats(view: ChangeView, seats: ItemDescription, expires_at: datetime | None) -> ChangeView:
    """The same for other seats, which are held so long."""
    zone = ZoneInfo(seats.origin.timezone)
    return replace(view, new=card_of_description(seats), held_until=expires_at.astimezone(zone) if expires_at else None)


def show_quote(request: AnyRequest, view: ChangeView, services: Services) -> Template:
    origins = checkout_origins(services.providers) if view.owed else ()
    status = CONFLICT if view.changed else 200
    return page(request, "after/quote.html", view, is_private=True, status=status, form_origins=origins)
