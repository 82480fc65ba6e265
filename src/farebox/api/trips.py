"""Places and trips: what anybody may ask."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from litestar import Controller, get
from litestar.openapi.spec import Example
from litestar.params import Parameter, QueryParameter
from msgspec import Meta, field

from farebox import search
from farebox.api.problems import problems
from farebox.api.wire import Listing, MoneyView, Wire, listing
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.search import BadQuery, TripQuery
from farebox.timetable import Call, DepartureNotFound, NotBoardable, PlaceNotFound

PLACE_ID = "018f6b2e-0000-7000-8000-00000000a001"
STOP_ID = "018f6b2e-0000-7000-8000-00000000b001"
TRIP_ID = "018f6b2e-0000-7000-8000-00000000c001"

PLACE_OR_STOP = "Id of a place, a station or a stop."

CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


class StopName(Wire):
    stop_id: Annotated[UUID, Meta(examples=[STOP_ID])]
    name: Annotated[str, Meta(examples=["Bến xe Giáp Bát"])]


class PlaceSuggestion(Wire):
    """A place to travel from or to. `stops` may be used in its stead, where only that one will do."""

    place_id: Annotated[UUID, Meta(examples=[PLACE_ID])]
    name: Annotated[str, Meta(examples=["Hà Nội"])]
    region: str
    country: Annotated[str, Meta(examples=["VN"], description="ISO 3166; empty where it is not known.")]
    stops: tuple[StopName, ...]

    @classmethod
    def of(cls, place: search.PlaceSuggestion) -> Self:
        stops = tuple(StopName(stop_id=stop.stop_id, name=stop.name) for stop in place.stops)
        return cls(place_id=place.place_id, name=place.name, region=place.region, country=place.country, stops=stops)


class OperatorName(Wire):
    operator_id: UUID
    name: Annotated[str, Meta(examples=["Trường Sơn Lines"])]


class StopTime(Wire):
    stop_id: Annotated[UUID, Meta(examples=[STOP_ID])]
    name: Annotated[str, Meta(examples=["Bến xe Giáp Bát"])]
    time: Annotated[datetime, Meta(examples=["2026-11-25T20:15:00+07:00"], description="In the stop's own zone.")]
    timezone: Annotated[str, Meta(examples=["Asia/Ho_Chi_Minh"])]

    @classmethod
    def of(cls, stop: search.StopTime) -> Self:
        return cls(stop_id=stop.stop_id, name=stop.name, time=stop.time, timezone=stop.timezone)

    @classmethod
    def at(cls, call: Call, time: datetime) -> Self:
        return cls(stop_id=call.stop_id, name=call.stop_name, time=time, timezone=call.timezone)


class VehicleName(Wire):
    code: Annotated[str, Meta(examples=["sleeper-34"])]
    name: Annotated[str, Meta(examples=["Two-deck sleeper 34"])]


class Ride(Wire):
    """A ride on a departure. `price` is that of the cheapest seat; null where the operator does not sell the ride."""

    trip_id: Annotated[UUID, Meta(examples=[TRIP_ID])]
    line: Annotated[str, Meta(examples=["Hà Nội – Huế"])]
    operator: OperatorName
    from_: StopTime = field(name="from")
    to: StopTime
    duration_minutes: Annotated[int, Meta(examples=[695])]
    vehicle: VehicleName
    amenities: tuple[str, ...]
    seats_available: Annotated[int, Meta(examples=[22], description="Free on all legs of this ride.")]
    price: MoneyView | None
    seat_types: tuple[str, ...]


class Trip(Ride):
    """A ride that can be bought."""

    @classmethod
    def of(cls, offer: search.TripOffer) -> Self:
        return cls(**_ride_fields(offer))


class OnSale(Wire):
    """The first and the last day on which something leaves between the two places."""

    first_day: date
    last_day: date


class TripListing(Wire):
    """One page of trips.

    `full` counts the departures left out because they have too few seats left; `amenities` and `seatTypes` are those of
    the day; `onSale` is told where the day has nothing.
    """

    items: tuple[Trip, ...]
    total: int
    limit: int
    offset: int
    full: int
    amenities: tuple[str, ...]
    seat_types: tuple[str, ...]
    on_sale: OnSale | None

    @classmethod
    def of(cls, page: search.TripPage) -> Self:
        return cls(
            items=tuple(map(Trip.of, page.items)),
            total=page.total,
            limit=page.limit,
            offset=page.offset,
            full=page.full,
            amenities=page.amenities,
            seat_types=page.seat_types,
            on_sale=OnSale(first_day=page.on_sale.first_day, last_day=page.on_sale.last_day) if page.on_sale else None,
        )


class CallView(Wire):
    stop_id: UUID
    name: str
    arrival: datetime
    departure: datetime
    timezone: str
    boarding: Annotated[bool, Meta(description="Whether travellers may get on here.")]
    alighting: Annotated[bool, Meta(description="Whether travellers may get off here.")]
    platform: str

    @classmethod
    def of(cls, call: Call) -> Self:
        return cls(
            stop_id=call.stop_id,
            name=call.stop_name,
            arrival=call.arrival,
            departure=call.departure,
            timezone=call.timezone,
            boarding=call.boarding,
            alighting=call.alighting,
            platform=call.platform,
        )


class RefundTier(Wire):
    """Until so many hours before boarding, so much of a seat's price is paid back; after the last, nothing."""

    hours_before: int
    refund_bp: int


class Conditions(Wire):
    """Under which terms seats of some types are given back, changed and renamed. Hours count back from boarding."""

    seat_types: tuple[str, ...]
    text: Annotated[tuple[str, ...], Meta(description="All of it in sentences.")]
    tiers: tuple[RefundTier, ...]
    fee_refundable: Annotated[bool, Meta(description="Whether the service fee is paid back, too.")]
    change_hours: Annotated[int | None, Meta(description="Until when seats may be changed; null: never.")]
    change_fee: Annotated[MoneyView, Meta(description="For each passenger.")]
    rename_hours: Annotated[int | None, Meta(description="Until when names may be changed; null: never.")]
    rename_fee: MoneyView
    open_return_days: Annotated[
        int | None, Meta(description="How long after the ride an open return is good; null: none is sold.")
    ]
    open_return_refund_bp: Annotated[int, Meta(description="How much is paid back of what is not used of its price.")]

    @classmethod
    def of(cls, conditions: search.TripConditions, currency: str) -> Self:
        terms = conditions.terms
        return cls(
            seat_types=conditions.seat_types,
            text=conditions.sentences,
            tiers=tuple(RefundTier(hours_before=hours, refund_bp=bp) for hours, bp in terms.tiers),
            fee_refundable=terms.is_fee_refundable,
            change_hours=terms.change_hours,
            change_fee=MoneyView.of(Money(terms.change_fee_minor, currency)),
            rename_hours=terms.rename_hours,
            rename_fee=MoneyView.of(Money(terms.rename_fee_minor, currency)),
            open_return_days=terms.open_return_days,
            open_return_refund_bp=terms.open_return_refund_bp,
        )


class Policy(Wire):
    """The facts of the sale. Rates are basis points: 800 is 8%."""

    on_sale: bool
    sales_close_at: datetime
    service_fee: Annotated[MoneyView, Meta(description="Added once for the departure, however many seats.")]
    tax_rate_bp: Annotated[int, Meta(description="Tax that every price includes.")]
    child_discount_bp: int
    senior_discount_bp: int
    conditions: Annotated[tuple[Conditions, ...], Meta(description="Each type of seat is in one of them.")]

    @classmethod
    def of(cls, trip: search.TripDetail) -> Self:
        currency = trip.terms.service_fee.currency
        return cls(
            on_sale=trip.is_on_sale,
            sales_close_at=trip.terms.sales_close_at,
            service_fee=MoneyView.of(trip.terms.service_fee),
            tax_rate_bp=trip.terms.tax_rate_bp,
            child_discount_bp=trip.terms.discounts_bp["child"],
            senior_discount_bp=trip.terms.discounts_bp["senior"],
            conditions=tuple(Conditions.of(each, currency) for each in trip.terms.conditions),
        )


class TripFare(Wire):
    """What one passenger pays for the cheapest seat of a type, tax included."""

    passenger_type: Annotated[str, Meta(examples=["adult"])]
    seat_type: Annotated[str, Meta(examples=["sleeper"])]
    price: MoneyView


class TripDetail(Ride):
    """A ride and the departure that it is part of."""

    headsign: str
    service_date: Annotated[date, Meta(description="The day of the timetable that it belongs to.")]
    calls: Annotated[tuple[CallView, ...], Meta(description="All of the departure's, not only those of the ride.")]
    policy: Policy
    fares: tuple[TripFare, ...]

    @classmethod
    def of(cls, trip: search.TripDetail) -> Self:
        return cls(
            **_ride_fields(trip.offer),
            headsign=trip.departure.headsign,
            service_date=trip.departure.service_date,
            calls=tuple(map(CallView.of, trip.calls)),
            policy=Policy.of(trip),
            fares=tuple(
                TripFare(passenger_type=fare.passenger_type, seat_type=fare.seat_type, price=MoneyView.of(fare.price))
                for fare in trip.fares
            ),
        )


def _ride_fields(offer: search.TripOffer) -> dict[str, Any]:
    return {
        "trip_id": offer.departure_id,
        "line": offer.line,
        "operator": OperatorName(operator_id=offer.operator.id, name=offer.operator.name),
        "from_": StopTime.of(offer.board),
        "to": StopTime.of(offer.alight),
        "duration_minutes": offer.duration_minutes,
        "vehicle": VehicleName(code=offer.vehicle.code, name=offer.vehicle.name),
        "amenities": offer.amenities,
        "seats_available": offer.seats_available,
        "price": MoneyView.of_optional(offer.price),
        "seat_types": offer.seat_types,
    }


class PlacesController(Controller):
    """Places to travel from and to."""

    path = "/places"
    tags = ("Trips",)
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)

    @get("/suggest", summary="Suggest places", operation_id="suggestPlaces", responses=problems(Invalid))
    async def suggest(
        self,
        work: UnitOfWork,
        q: Annotated[
            str,
            Parameter(
                description="What was typed. Accents, prefixes and typing errors are forgiven.",
                max_length=200,
                examples=[Example(id="prefix", value="ha n"), Example(id="typing-error", value="hnaoi")],
            ),
        ] = "",
        limit: Annotated[int, Parameter(ge=1, le=50)] = 8,
    ) -> Listing[PlaceSuggestion]:
        """The places that may be meant, best first."""
        found = await search.suggest_places(work, q, limit=limit)
        return listing(found, PlaceSuggestion.of, total=len(found), limit=limit, offset=0)


class TripsController(Controller):
    """Departures, as travellers see them."""

    path = "/trips"
    tags = ("Trips",)
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)

    @get(
        "/search",
        summary="Search trips",
        operation_id="searchTrips",
        responses=problems(PlaceNotFound, BadQuery, Invalid),
    )
    async def find(
        self,
        work: UnitOfWork,
        from_id: Annotated[UUID, QueryParameter(name="from", description=PLACE_OR_STOP)],
        to_id: Annotated[UUID, QueryParameter(name="to", description=PLACE_OR_STOP)],
        day: Annotated[date, QueryParameter(name="date", description="The local day where the ride begins.")],
        passengers: Annotated[int, Parameter(description="Departures with fewer seats left are left out.")] = 1,
        sort: search.Sort = "departure",
        max_price: Annotated[
            Decimal | None, QueryParameter(name="maxPrice", description="In the currency in which each trip is sold.")
        ] = None,
        depart_after: Annotated[
            str | None, QueryParameter(name="departAfter", description="Local time at the origin, HH:MM.")
        ] = None,
        depart_before: Annotated[
            str | None, QueryParameter(name="departBefore", description="Local time, HH:MM; 24:00 is midnight.")
        ] = None,
        amenities: Annotated[
            list[str] | None, Parameter(description="All of these; repeated, or separated by commas.")
        ] = None,
        seat_type: Annotated[str | None, QueryParameter(name="seatType")] = None,
        include_full: Annotated[
            bool, QueryParameter(name="includeFull", description="Also those with too few seats.")
        ] = False,
        limit: Annotated[int, Parameter(ge=1, le=search.MAX_LIMIT)] = 50,
        offset: Annotated[int, Parameter(ge=0, le=1_000_000)] = 0,
    ) -> TripListing:
        """The departures from one place to another on a day, with the seats left on exactly these legs and the price
        from. Departures that have left or whose sales are over are not listed.
        """
        query = TripQuery(
            from_id=from_id,
            to_id=to_id,
            date=day,
            passengers=passengers,
            sort=sort,
            max_price=max_price,
            depart_after=_clock("departAfter", depart_after),
            depart_before=None if depart_before == "24:00" else _clock("departBefore", depart_before),
            amenities=tuple(word.strip() for each in amenities or () for word in each.split(",") if word.strip()),
            seat_type=seat_type or None,
            include_full=include_full,
            limit=limit,
            offset=offset,
        )
        return TripListing.of(await search.search_trips(work, query))

    @get(
        "/{trip_id:uuid}",
        summary="Get a trip",
        operation_id="getTrip",
        responses=problems(DepartureNotFound, NotBoardable, Invalid),
    )
    async def show(
        self,
        work: UnitOfWork,
        trip_id: Annotated[UUID, Parameter(description="`tripId` of a trip that was found.")],
        from_id: Annotated[UUID | None, QueryParameter(name="from", description=PLACE_OR_STOP)] = None,
        to_id: Annotated[UUID | None, QueryParameter(name="to", description=PLACE_OR_STOP)] = None,
    ) -> TripDetail:
        """A departure with all its calls, and what the ride `from` … `to` costs on it (default: the whole run)."""
        return TripDetail.of(await search.get_trip(work, trip_id, from_id, to_id))


def _clock(field: str, text: str | None) -> time | None:
    if not text:
        return None
    if not CLOCK.fullmatch(text):
        raise BadQuery([FieldError(field, "not-a-time", N_("Write a time as 08:30."))])
    return time.fromisoformat(text)
