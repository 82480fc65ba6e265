"""What is asked of the search, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from farebox.core.money import Money
from farebox.pricing import PassengerType, SaleTerms
from farebox.timetable import Call, Departure

Sort: TypeAlias = Literal["departure", "price", "duration", "arrival"]
SORTS: tuple[Sort, ...] = get_args(Sort)

MAX_LIMIT = 200
MAX_PASSENGERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class TripQuery:
    """Trips from one place (or station, or stop) to another on a day.

    Attributes:
        date: the local day at the stop where the ride begins.
        passengers: how many seats are wanted; departures with fewer left are left out unless `include_full`.
        sort: one of `SORTS`; departures without a price come last by price.
        max_price: dearest "price from" that is wanted, in major units of whatever currency the operator sells in.
        depart_after, depart_before: local times at the origin; at or after the one, before the other.
        amenities: all of these on board.
        seat_type: has seats of this type; the price is then that of such a seat.
        limit: 1 to `MAX_LIMIT`.
    """

    from_id: UUID
    to_id: UUID
    date: date
    passengers: int = 1
    sort: str = "departure"
    max_price: Decimal | None = None
    depart_after: time | None = None
    depart_before: time | None = None
    amenities: tuple[str, ...] = ()
    seat_type: str | None = None
    include_full: bool = False
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class StopTime:
    """When a ride leaves or reaches a stop: an instant in the stop's own zone."""

    stop_id: UUID
    name: str
    time: datetime
    timezone: str


@dataclass(frozen=True, slots=True)
class OperatorName:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class VehicleName:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class TripOffer:
    """A ride that can be bought.

    Attributes:
        duration_minutes: between the instants, whatever the clocks on the way show.
        seats_available: free on all legs of the ride.
        price: of the cheapest seat for an adult, tax included; `None` where the operator does not sell the ride.
    """

    departure_id: UUID
    line: str
    operator: OperatorName
    board: StopTime
    alight: StopTime
    duration_minutes: int
    vehicle: VehicleName
    amenities: tuple[str, ...]
    seats_available: int
    price: Money | None
    seat_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OnSale:
    """The days on sale between two places, both included."""

    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class TripPage:
    """A page of offers.

    Attributes:
        total: offers that fit, on all pages.
        full: departures left out only because they have too few seats left.
        amenities, seat_types: what the day's departures have, before filtering: what can be filtered by.
        on_sale: where nothing was found, the days on which something leaves; `None` where nothing ever does.
    """

    items: tuple[TripOffer, ...]
    total: int
    limit: int
    offset: int
    full: int
    amenities: tuple[str, ...]
    seat_types: tuple[str, ...]
    on_sale: OnSale | None


@dataclass(frozen=True, slots=True)
class DayPrice:
    """A day in the strip above the results: departures that can be bought, and the lowest price among them."""

    date: date
    price: Money | None
    trips: int


@dataclass(frozen=True, slots=True)
class TripFare:
    """What one passenger pays for the cheapest seat of a type, tax included, service fee not."""

    passenger_type: PassengerType
    seat_type: str
    price: Money


@dataclass(frozen=True, slots=True)
class TripConditions:
    """Under which terms seats of some types are given back, changed and renamed: as facts, and said in sentences."""

    seat_types: tuple[str, ...]
    terms: SaleTerms
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TripTerms:
    """The facts of the sale.

    Attributes:
        sales_close_at: when sales for this ride end.
        service_fee: added once a departure, whatever the number of seats, with tax.
        tax_rate_bp: the tax that all prices include, in basis points.
        discounts_bp: off the adult fare, by type of passenger, in basis points; the feed's own fares go first.
        conditions: what holds when plans change; each type of seat is in one of them.
    """

    sales_close_at: datetime
    service_fee: Money
    tax_rate_bp: int
    discounts_bp: Mapping[PassengerType, int]
    conditions: tuple[TripConditions, ...]


@dataclass(frozen=True, slots=True)
class TripDetail:
    """All there is to say about a ride on a departure.

    Attributes:
        is_on_sale: whether it may still be bought.
        calls: all of the departure's, not only those of the ride.
        fares: by type of passenger and of seat; a combination that is not sold is left out.
    """

    departure: Departure
    offer: TripOffer
    board: Call
    alight: Call
    calls: tuple[Call, ...]
    is_on_sale: bool
    fares: tuple[TripFare, ...]
    terms: TripTerms
