"""A booking's people, seats and prices as the pages show them."""

from farebox.bookings import Booking, BookingItem
from farebox.core.crypto import Secrets
from farebox.core.i18n import gettext as _
from farebox.pricing import describe_line
from farebox.web.labels import ID_TYPES, PASSENGER_TYPES, seat_place
from farebox.web.shop.cards import card_of_item
from farebox.web.views.checkout import PassengerRow, Price
from farebox.web.views.seats import PriceRow
from farebox.web.views.trips import TripCard

BOOKED_BY = "booking:"
"""How the owner of a hold begins once a booking has adopted it."""


def cards_of(booking: Booking) -> tuple[TripCard, ...]:
    return tuple(card_of_item(item) for item in booking.items)


def price_of(booking: Booking) -> Price:
    """The lines as last quoted; lines of nothing are left out."""
    lines = [line for line in booking.lines if line.amount or not booking.total]
    rows = tuple(PriceRow(describe_line(line), line.amount) for line in lines)
    return Price(rows, booking.total, booking.tax or None)


def people_of(booking: Booking, secrets: Secrets) -> tuple[PassengerRow, ...]:
    """Names and seats; numbers of documents masked."""
    return tuple(
        PassengerRow(
            name=person.full_name,
            seat=person.seat_number,
            seat_place=place,
            type_label=_(PASSENGER_TYPES[person.passenger_type]),
            id_label=_(ID_TYPES[person.id_type]),
            id_masked=person.id_number.masked(secrets),
            special_needs=person.special_needs,
        )
        for item in booking.items
        for person in item.passengers
        for place in [places_of(item).get(person.seat_number, "")]
    )


def places_of(item: BookingItem) -> dict[str, str]:
    """Seat number -> where it is, in words."""
    return {seat.label: seat_place(seat.features) for seat in item.description.seats}
