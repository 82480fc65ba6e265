"""Open returns of coach rides: until when they are good, and what they cost."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from farebox.bookings import OpenReturnOffer, Traveller
from farebox.pricing import Fares, NotForSale, Ride, SaleTerms, price_open_return
from farebox.timetable import Departure, Segment

END_OF_DAY: Final = time(23, 59, 59)


def offer_return(
    fares: Fares, departure: Departure, ride: Segment, terms: SaleTerms, travellers: Sequence[Traveller]
) -> OpenReturnOffer | None:
    """The right to ride back later from where a ride ends to where it begins.

    It is good until the end of a day, where the way back begins, so many days after the way there arrives. `None` where
    the terms sell none, or there is no fare for the way back.
    """
    if not terms.open_return_days:
        return None
    there = ZoneInfo(ride.alight.timezone)
    arrives = ride.alight.arrival.astimezone(there).date()
    days = [arrives + timedelta(days=number) for number in range(terms.open_return_days + 1)]
    way = Ride.of(departure, ride.board, ride.alight)
    try:
        lines = tuple(
            price_open_return(fares, way, departure.seat_plan.seats[one.unit].type, one.passenger_type, days)
            for one in travellers
        )
    except NotForSale:
        return None
    return OpenReturnOffer(
        from_id=ride.alight.place_id,
        to_id=ride.board.place_id,
        origin=ride.alight.place_name,
        destination=ride.board.place_name,
        valid_until=datetime.combine(days[-1], END_OF_DAY, there),
        timezone=ride.alight.timezone,
        refund_bp=terms.open_return_refund_bp,
        lines=lines,
    )
