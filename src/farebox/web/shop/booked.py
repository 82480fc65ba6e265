"""A booking's people, seats and prices as the pages show them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from farebox.bookings import BookedLine, Booking, BookingItem, ItemDescription, Passenger
from farebox.core.crypto import Secrets
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.pricing import describe_line
from farebox.web.labels import ID_TYPES, PASSENGER_TYPES, seat_place
from farebox.web.shop.cards import card_of_item
from farebox.web.shop.conditions import conditions_of
from farebox.web.shop.price_notes import note_of, way_of_line
from farebox.web.views.checkout import PassengerRow, Price, Ride
from farebox.web.views.seats import PriceRow
from farebox.web.views.trips import TripCard

BOOKED_BY = "booking:"
"""How the owner of a hold begins once a booking has adopted it."""


def is_guest(booking: Booking) -> bool:
    """Whether it is in nobody's account, so that its reference is the way back to it."""
    return booking.owner.startswith("guest:")


def cards_of(booking: Booking) -> tuple[TripCard, ...]:
    return tuple(card_of_item(item) for item in booking.items)


def price_of(booking: Booking) -> Price:
    """What it costs, as last quoted."""
    return replace(price_of_lines(booking.lines, booking.total, booking.items), tax=booking.tax or None)


def price_of_lines(lines: Sequence[BookedLine], total: Money, items: tuple[BookingItem, ...] = ()) -> Price:
    """A price line by line, each with what it is for; lines of nothing are left out."""
    shown = [line for line in lines if line.amount or not total]
    rows = [PriceRow(describe_line(line), line.amount, note_of(line), way_of_line(line, items)) for line in shown]
    return Price(tuple(rows), total)


def rides_of(booking: Booking, secrets: Secrets, now: datetime) -> tuple[Ride, ...]:
    """Each trip with its people, numbers of documents masked, and its conditions."""
    return tuple(
        Ride(
            trip=card_of_item(item),
            people=tuple(person_row(person, item.description, secrets) for person in item.passengers),
            conditions=conditions_of(item, booking.total.currency, now),
        )
        for item in booking.items
    )


def person_row(person: Passenger, about: ItemDescription, secrets: Secrets) -> PassengerRow:
    return PassengerRow(
        name=person.full_name,
        seat=person.seat_number,
        seat_place=_places(about).get(person.seat_number, ""),
        type_label=_(PASSENGER_TYPES[person.passenger_type]),
        id_label=_(ID_TYPES[person.id_type]),
        id_masked=person.id_number.masked(secrets),
        special_needs=person.special_needs,
    )


def places_of(item: BookingItem) -> dict[str, str]:
    """Seat number -> where it is, in words."""
    return _places(item.description)


def _places(about: ItemDescription) -> dict[str, str]:
    return {seat.label: seat_place(seat.features) for seat in about.seats}
