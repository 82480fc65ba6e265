"""Where money goes that comes back."""

from farebox.accounts import Actor
from farebox.bookings import Booking
from farebox.core.i18n import gettext as _
from farebox.web.views.trips import Option


def ways_back(booking: Booking, actor: Actor) -> tuple[Option, ...]:
    """The way it came, and the wallet for whoever has one: the person whose booking it is, signed in."""
    origin = Option(
        "origin",
        _("The way it was paid"),
        is_chosen=True,
        icon="card",
        detail=_("A bank takes some days to show it; what was paid in cash, you get at the counter."),
    )
    if actor.kind != "user" or actor.booking_id is not None or actor.owner != booking.owner:
        return (origin,)
    wallet = Option(
        "wallet", _("My wallet here"), icon="wallet", detail=_("At once, to pay for other trips; it does not run out.")
    )
    return (origin, wallet)
