"""All there is to say about a ride on one departure."""

from collections.abc import Iterable
from datetime import datetime
from typing import get_args
from uuid import UUID

from farebox.accounts import get_operator
from farebox.core.db import UnitOfWork
from farebox.inventory import availability
from farebox.pricing import (
    Fares,
    Occasion,
    PassengerType,
    PriceRule,
    Ride,
    SaleTerms,
    describe_sale_terms,
    load_bp,
    load_fares,
)
from farebox.search.views import (
    OperatorName,
    StopTime,
    TripConditions,
    TripDetail,
    TripFare,
    TripOffer,
    TripTerms,
    VehicleName,
)
from farebox.timetable import Call, Departure, Segment, get_departure, segment


async def get_trip(
    work: UnitOfWork, departure_id: UUID, from_id: UUID | None = None, to_id: UUID | None = None
) -> TripDetail:
    """A departure with its calls, and what the ride from `from_id` to `to_id` costs on it (default: the whole run).

    Departures that are over, cancelled or full are told too: links to them live on.

    Raises:
        DepartureNotFound: no such departure.
        NotBoardable: it does not carry anybody between these two.
    """
    departure = await get_departure(work, departure_id)
    ride = segment(departure, from_id, to_id)
    operator = await get_operator(work, departure.operator_id)
    fares = await load_fares(work, departure.operator_id)
    (seats,) = await availability(work, [(departure.inventory_id, ride.first_slot, ride.end_slot)])
    rules = _rules(departure, ride, fares, seats, work.now)
    offer = TripOffer(
        departure_id=departure.id,
        line=departure.line.name,
        operator=OperatorName(operator.id, operator.name),
        board=_stop_time(ride.board, ride.board.departure),
        alight=_stop_time(ride.alight, ride.alight.arrival),
        duration_minutes=ride.duration_minutes,
        vehicle=VehicleName(departure.vehicle.code, departure.vehicle.name),
        amenities=departure.vehicle.amenities,
        seats_available=seats,
        price=fares.lowest(departure, ride.board, ride.alight, rules=rules),
        seat_types=departure.vehicle.seat_types,
    )
    return TripDetail(
        departure=departure,
        offer=offer,
        board=ride.board,
        alight=ride.alight,
        calls=departure.calls,
        is_on_sale=departure.is_on_sale(ride.board, work.now),
        fares=tuple(_fares(fares, departure, Ride.of(departure, ride.board, ride.alight), rules)),
        terms=TripTerms(
            sales_close_at=departure.sales_close_at(ride.board),
            service_fee=fares.terms.whole_service_fee,
            tax_rate_bp=fares.terms.tax_rate_bp,
            discounts_bp={"child": fares.terms.child_discount_bp, "senior": fares.terms.senior_discount_bp},
            conditions=tuple(_conditions(fares, departure.vehicle.seat_types)),
        ),
    )


def _rules(departure: Departure, ride: Segment, fares: Fares, free: int, at: datetime) -> tuple[PriceRule, ...]:
    """The price rules that count for who takes a seat now."""
    if not fares.price_rules:
        return ()
    seats = len(departure.seat_plan.seats)
    board, load = ride.board, load_bp(seats - free, seats)
    return fares.rules_for(Occasion.of(board.departure, board.timezone, at=at, load_bp=load))


def _fares(fares: Fares, departure: Departure, ride: Ride, rules: tuple[PriceRule, ...]) -> list[TripFare]:
    types: tuple[PassengerType, ...] = get_args(PassengerType)
    found = []
    for passenger_type in types:
        for seat_type in departure.vehicle.seat_types:
            price = fares.lowest_on(ride, departure.seat_plan, passenger_type, seat_type=seat_type, rules=rules)
            if price is not None:
                found.append(TripFare(passenger_type, seat_type, price))
    return found


def _conditions(fares: Fares, seat_types: Iterable[str]) -> list[TripConditions]:
    """The terms of sale, types of seats with the same ones together."""
    together: dict[SaleTerms, list[str]] = {}
    for seat_type in seat_types:
        together.setdefault(fares.sale_terms([seat_type]), []).append(seat_type)
    return [
        TripConditions(tuple(types), terms, tuple(describe_sale_terms(terms, fares.currency)))
        for terms, types in together.items()
    ]


def _stop_time(call: Call, time: datetime) -> StopTime:
    return StopTime(call.stop_id, call.stop_name, time, call.timezone)
