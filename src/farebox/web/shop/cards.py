"""Trips of the search and the timetable as the pages show them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from farebox.accounts import OperatorView
from farebox.bookings import BookingItem, ItemDescription, PlaceTime
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.search import TripDetail, TripOffer
from farebox.timetable import Call, Departure, Segment
from farebox.web.views.trips import CallRole, CallRow, StopTime, TripCard


def card_of_offer(offer: TripOffer, colors: Mapping[UUID, str]) -> TripCard:
    """A result. Its links name the exact stops, so that what is opened is what was shown."""
    board, alight = offer.board, offer.alight
    return TripCard(
        id=str(offer.departure_id),
        from_id=str(board.stop_id),
        to_id=str(alight.stop_id),
        line=offer.line,
        operator=offer.operator.name,
        board=StopTime(_there(board.time, board.timezone), board.name, "", board.timezone),
        alight=StopTime(
            _there(alight.time, alight.timezone),
            alight.name,
            "",
            alight.timezone,
            days_later(board.time, board.timezone, alight.time, alight.timezone),
        ),
        minutes=offer.duration_minutes,
        vehicle=_(offer.vehicle.name),
        amenities=offer.amenities,
        seats_available=offer.seats_available,
        price=offer.price,
        seat_types=offer.seat_types,
        brand=colors.get(offer.operator.id, ""),
    )


def card_of_detail(trip: TripDetail, operator: OperatorView) -> TripCard:
    """One trip with the towns of its stops."""
    ride = Segment(trip.board, trip.alight)
    return card_of_ride(trip.departure, ride, operator, seats=trip.offer.seats_available, price=trip.offer.price)


def card_of_ride(
    departure: Departure, ride: Segment, operator: OperatorView, *, seats: int, price: Money | None = None
) -> TripCard:
    """A ride on a departure."""
    board, alight = ride.board, ride.alight
    return TripCard(
        id=str(departure.id),
        from_id=str(board.stop_id),
        to_id=str(alight.stop_id),
        line=departure.line.name,
        operator=operator.name,
        board=_stop_of_call(board, board.departure, 0),
        alight=_stop_of_call(
            alight, alight.arrival, days_later(board.departure, board.timezone, alight.arrival, alight.timezone)
        ),
        minutes=ride.duration_minutes,
        vehicle=_(departure.vehicle.name),
        amenities=departure.vehicle.amenities,
        seats_available=seats,
        price=price,
        seat_types=departure.vehicle.seat_types,
        brand=operator.brand_color,
    )


def card_of_item(item: BookingItem) -> TripCard:
    """What was booked, from the facts frozen at the sale."""
    return replace(
        card_of_description(item.description),
        id=str(item.resource_id),
        from_id=str(item.from_id or ""),
        to_id=str(item.to_id or ""),
        seats_available=len(item.units),
    )


def card_of_description(about: ItemDescription) -> TripCard:
    """What is or was going to be booked, in words alone: it leads nowhere."""
    end = about.destination or about.origin
    minutes = round((end.time - about.origin.time).total_seconds() / 60)
    return TripCard(
        id="",
        from_id="",
        to_id="",
        line=about.title,
        operator=about.operator_name,
        board=_stop_of_place(about.origin, 0),
        alight=_stop_of_place(end, days_later(about.origin.time, about.origin.timezone, end.time, end.timezone)),
        minutes=minutes,
        vehicle=_(about.setting) if about.setting else "",
        amenities=about.amenities,
        seats_available=len(about.seats),
        price=None,
        seat_types=tuple(dict.fromkeys(seat.type for seat in about.seats)),
        brand=about.operator_color,
    )


def way_in_words(about: ItemDescription) -> str:
    """Where it goes: Hà Nội – Vinh."""
    ends = [about.origin, *([about.destination] if about.destination else [])]
    return " – ".join(end.place or end.name for end in ends)


def call_rows(trip: TripDetail) -> tuple[CallRow, ...]:
    """All calls of the departure, those of the ride told apart; the zone is named where it changes."""
    rows = []
    zone = trip.calls[0].departure.utcoffset() if trip.calls else None
    for call in trip.calls:
        time = call.arrival if call.index >= trip.alight.index else call.departure
        there = _there(time, call.timezone)
        names_zone = there.utcoffset() != zone
        zone = there.utcoffset()
        rows.append(
            CallRow(there, call.stop_name, call.place_name, call.timezone, _role(call, trip), call.platform, names_zone)
        )
    return tuple(rows)


def seats_url(card: TripCard, travellers: int) -> str:
    query = {"from": card.from_id, "to": card.to_id, "travellers": travellers}
    return f"/trips/{card.id}/seats?{urlencode({name: value for name, value in query.items() if value})}"


def search_url(board: StopTime, alight: StopTime, travellers: int) -> str:
    """The results that a trip stands in: town to town, on its day."""
    query = {
        "from": board.place or board.stop,
        "to": alight.place or alight.stop,
        "date": board.time.date().isoformat(),
        "travellers": travellers,
    }
    return f"/search?{urlencode(query)}"


def days_later(start: datetime, start_zone: str, end: datetime, end_zone: str) -> int:
    """How many calendar days after the start the end is, each in its own zone."""
    return (_there(end, end_zone).date() - _there(start, start_zone).date()).days


def _stop_of_call(call: Call, time: datetime, offset: int) -> StopTime:
    return StopTime(_there(time, call.timezone), call.stop_name, call.place_name, call.timezone, offset, call.platform)


def _stop_of_place(place: PlaceTime, offset: int) -> StopTime:
    return StopTime(_there(place.time, place.timezone), place.name, place.place, place.timezone, offset, place.platform)


def _there(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone))


def _role(call: Call, trip: TripDetail) -> CallRole:
    if call.index == trip.board.index:
        return "board"
    if call.index == trip.alight.index:
        return "alight"
    if call.index < trip.board.index:
        return "before"
    return "between" if call.index < trip.alight.index else "after"
