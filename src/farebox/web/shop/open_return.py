"""What an open return is good for, in the words of the pages."""

from collections.abc import Sequence

from farebox.bookings import Booking, OpenReturn, OpenReturnOffer
from farebox.core.i18n import format_money
from farebox.core.i18n import gettext as _
from farebox.core.money import Money, total
from farebox.web.shop.conditions import moment, share
from farebox.web.views.booking import OpenReturnPart
from farebox.web.views.checkout import OpenReturnChoice


def open_return_part(booking: Booking) -> OpenReturnPart | None:
    """The rides back of a booking that are not chosen yet, if there are any."""
    returns = booking.open_returns
    if not returns:
        return None
    names = {person.id: person.full_name for person in booking.passengers}
    at = f"/bookings/{booking.id}"
    return OpenReturnPart(
        way=way_of(returns[0]),
        told=told_of(returns),
        people=tuple(names[each.passenger_id] for each in returns),
        url=f"{at}/way-back",
        cancel_url=f"{at}/cancel",
    )


def way_of(found: OpenReturn | OpenReturnOffer) -> str:
    """Vinh – Hà Nội."""
    return f"{found.origin} – {found.destination}"


def told_of(returns: Sequence[OpenReturn]) -> tuple[str, ...]:
    """What open returns are good for: until when, what was paid, what comes back."""
    first = returns[0]
    paid = total([each.price for each in returns], first.price.currency)
    return told(first, paid)


def told(found: OpenReturn | OpenReturnOffer, price: Money) -> tuple[str, ...]:
    """The same of one that may not be bought yet."""
    return (
        _("Ride back on any trip of this operator that begins until {moment}.").format(
            moment=moment(found.valid_until, found.timezone)
        ),
        _("{amount} of its price is paid with it; if the trip costs more, you pay the difference.").format(
            amount=format_money(price)
        ),
        _("{share} of what you do not use comes back: if the trip costs less, or if you do not ride.").format(
            share=share(found.refund_bp)
        ),
    )


def choice_of(offer: OpenReturnOffer | None, booking: Booking) -> OpenReturnChoice | None:
    """An open return to be bought with a booking, or dropped again; `None` where none is sold with it."""
    if offer is None:
        return None
    price = total([line.amount for lines in offer.lines for line in lines], booking.total.currency)
    return OpenReturnChoice(way_of(offer), price, told(offer, price), is_chosen=bool(booking.open_returns))
