"""Trips between two places on a day."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from farebox.accounts import OperatorView, list_operators
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError
from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.inventory import availability
from farebox.pricing import Fares, Occasion, PriceRule, Ride, load_bp, load_fares, load_fares_of
from farebox.search.errors import BadQuery
from farebox.search.views import (
    MAX_LIMIT,
    MAX_PASSENGERS,
    SORTS,
    DayPrice,
    OnSale,
    OperatorName,
    StopTime,
    TripOffer,
    TripPage,
    TripQuery,
    VehicleName,
)
from farebox.timetable import (
    RideFacts,
    RideKey,
    Run,
    Site,
    find_first_and_last_run,
    get_sites,
    list_ride_facts,
    list_runs,
)

FIRST_YEAR, LAST_YEAR = 1970, 2999

MAX_DAYS = 31
"""Neighbouring days that may be asked for at once."""


@dataclass(frozen=True, slots=True)
class Seller:
    operator: OperatorView
    fares: Fares


@dataclass(frozen=True, slots=True)
class Asked:
    """What prices go by besides the run: between which places one travels, and when that is asked."""

    from_place: UUID
    to_place: UUID
    at: datetime


async def search_trips(work: UnitOfWork, query: TripQuery) -> TripPage:
    """The departures that carry `query.passengers` from one place to the other on the day, sales open, seats left.

    Where a departure calls at several stops of a place, the offer is the shortest ride, as `timetable.segment` chooses.

    Raises:
        PlaceNotFound: one of the ids is unknown.
        BadQuery: nothing can be answered; says why, field by field.
    """
    _check(query)
    origin, destination = await _get_ends(work, query.from_id, query.to_id)
    start, end = _bounds(origin, query.date, query.date)
    runs = await list_runs(work, origin, destination, start, end)
    open_runs = [run for run in runs if work.now < run.sales_close_at]
    facts = await list_ride_facts(work, map(RideKey.of, open_runs))
    asked = Asked(origin.place_id, destination.place_id, work.now)
    offers = await _offers(work, _timely(open_runs, query), facts, asked, query.seat_type)
    fitting = [offer for offer in offers if _fits(offer, query)]
    seated = [offer for offer in fitting if offer.seats_available >= query.passengers]
    listed = sorted(fitting if query.include_full else seated, key=SORT_KEYS[query.sort])
    return TripPage(
        items=tuple(listed[query.offset : query.offset + query.limit]),
        total=len(listed),
        limit=query.limit,
        offset=query.offset,
        full=len(fitting) - len(listed),
        amenities=_all_of(fact.vehicle.amenities for fact in facts.values()),
        seat_types=_all_of(fact.vehicle.seat_types for fact in facts.values()),
        on_sale=None if open_runs else await _days_on_sale(work, origin, destination),
    )


async def neighbouring_days(
    work: UnitOfWork, from_id: UUID, to_id: UUID, day: date, *, before: int = 3, after: int = 3, passengers: int = 1
) -> list[DayPrice]:
    """The days around a day, each with what can be bought on it. As many statements as for one day.

    Raises:
        PlaceNotFound: one of the ids is unknown.
        BadQuery: as in `search_trips`.
    """
    if before < 0 or after < 0 or before + after >= MAX_DAYS:
        raise BadQuery([FieldError("days", "out-of-range", N_("Ask for at most {limit} days."), limit=MAX_DAYS)])
    _check_day(day)
    origin, destination = await _get_ends(work, from_id, to_id)
    days = [day + timedelta(days=n) for n in range(-before, after + 1)]
    start, end = _bounds(origin, days[0], days[-1])
    runs = await list_runs(work, origin, destination, max(start, work.now), end)
    runs = [run for run in runs if work.now < run.sales_close_at]
    # what differs in its day only is looked up once
    rides: dict[RideKey, list[tuple[Run, int]]] = {}
    for run, seats in zip(runs, await availability(work, [_range(run) for run in runs]), strict=True):
        if seats >= passengers:
            rides.setdefault(RideKey.of(run), []).append((run, seats))
    facts = await list_ride_facts(work, rides)
    fares = await _load_fares(work, {run.operator_id for run in runs})
    asked = Asked(origin.place_id, destination.place_id, work.now)
    zone = ZoneInfo(origin.timezone)
    by_day: dict[date, list[Money | None]] = {each: [] for each in days}
    for key, same in rides.items():
        own = fares[same[0][0].operator_id]
        ride = _ride(same[0][0], facts[key], asked)
        for run, seats in same:
            rules = _rules(run, facts[key], own, asked, seats)
            price = own.lowest_on(ride, facts[key].seat_plan, rules=rules)
            by_day[run.departs_at.astimezone(zone).date()].append(price)
    return [DayPrice(each, _lowest(found), len(found)) for each, found in by_day.items()]


def _check(query: TripQuery) -> None:
    errors = []
    if query.sort not in SORTS:
        errors.append(FieldError("sort", "unknown", N_("Sort by one of: {sorts}."), sorts=", ".join(SORTS)))
    if not 1 <= query.passengers <= MAX_PASSENGERS:
        message = N_("Search for 1 to {most} passengers.")
        errors.append(FieldError("passengers", "out-of-range", message, most=MAX_PASSENGERS))
    if not 1 <= query.limit <= MAX_LIMIT:
        errors.append(FieldError("limit", "out-of-range", N_("Ask for 1 to {most} at a time."), most=MAX_LIMIT))
    if query.offset < 0:
        errors.append(FieldError("offset", "out-of-range", N_("The list begins at 0.")))
    if query.max_price is not None and not (query.max_price.is_finite() and query.max_price >= 0):
        errors.append(FieldError("maxPrice", "out-of-range", N_("Write a price as 12.50.")))
    if errors:
        raise BadQuery(errors)
    _check_day(query.date)


def _check_day(day: date) -> None:
    """Days far from any timetable are refused, since arithmetic with the calendar's own ends fails."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadQuery(
            [
                FieldError(
                    "date",
                    "out-of-range",
                    N_("Choose a day between {first} and {last}."),
                    first=FIRST_YEAR,
                    last=LAST_YEAR,
                )
            ]
        )


async def _get_ends(work: UnitOfWork, from_id: UUID, to_id: UUID) -> tuple[Site, Site]:
    """Both ends of the ride, checked to have no stop in common: nobody travels from a stop to itself."""
    origin, destination = await get_sites(work, [from_id, to_id])
    if origin.place_id == destination.place_id and (
        origin.stop_ids is None or destination.stop_ids is None or set(origin.stop_ids) & set(destination.stop_ids)
    ):
        raise BadQuery([FieldError("to", "same-place", N_("Choose a destination that is not where you start."))])
    return origin, destination


def _bounds(origin: Site, first: date, last: date) -> tuple[datetime, datetime]:
    """The instants between which the local days lie: 23 or 25 hours a day where the clocks change."""
    zone = ZoneInfo(origin.timezone)
    return datetime.combine(first, time.min, zone), datetime.combine(last + timedelta(days=1), time.min, zone)


def _timely(runs: Iterable[Run], query: TripQuery) -> list[Run]:
    after, before = query.depart_after or time.min, query.depart_before
    return [
        run for run in runs if after <= run.departs_at.time() and (before is None or run.departs_at.time() < before)
    ]


async def _offers(
    work: UnitOfWork, runs: Sequence[Run], facts: dict[RideKey, RideFacts], asked: Asked, seat_type: str | None
) -> list[TripOffer]:
    free = await availability(work, [_range(run) for run in runs])
    sellers = await _load_sellers(work, {run.operator_id for run in runs})
    return [
        _offer(run, facts[RideKey.of(run)], sellers[run.operator_id], asked, seats, seat_type)
        for run, seats in zip(runs, free, strict=True)
    ]


def _offer(run: Run, facts: RideFacts, seller: Seller, asked: Asked, seats: int, seat_type: str | None) -> TripOffer:
    board, alight, vehicle = facts.board, facts.alight, facts.vehicle
    rules = _rules(run, facts, seller.fares, asked, seats)
    return TripOffer(
        departure_id=run.departure_id,
        line=facts.line.name,
        operator=OperatorName(seller.operator.id, seller.operator.name),
        board=StopTime(board.id, board.name, run.departs_at, board.timezone),
        alight=StopTime(alight.id, alight.name, run.arrives_at, alight.timezone),
        duration_minutes=run.duration_minutes,
        vehicle=VehicleName(vehicle.code, vehicle.name),
        amenities=vehicle.amenities,
        seats_available=seats,
        price=seller.fares.lowest_on(_ride(run, facts, asked), facts.seat_plan, seat_type=seat_type, rules=rules),
        seat_types=vehicle.seat_types,
    )


def _ride(run: Run, facts: RideFacts, asked: Asked) -> Ride:
    return Ride(
        feed_id=facts.line.feed_id,
        line_id=facts.line.id,
        networks=facts.line.network_ids,
        from_zone=facts.board.zone_id,
        to_zone=facts.alight.zone_id,
        zones=facts.zone_ids,
        from_areas=facts.board.area_ids,
        to_areas=facts.alight.area_ids,
        metres=run.distance_m,
        seconds=int((run.arrives_at - run.departs_at).total_seconds()),
        from_place=asked.from_place,
        to_place=asked.to_place,
    )


def _rules(run: Run, facts: RideFacts, fares: Fares, asked: Asked, free: int) -> tuple[PriceRule, ...]:
    """The price rules that count for who takes a seat now."""
    if not fares.price_rules:
        return ()
    seats = len(facts.seat_plan.seats)
    load = load_bp(seats - free, seats)
    return fares.rules_for(Occasion.of(run.departs_at, facts.board.timezone, at=asked.at, load_bp=load))


async def _load_sellers(work: UnitOfWork, operator_ids: set[UUID]) -> dict[UUID, Seller]:
    if not operator_ids:
        return {}
    operators = await list_operators(work, list(operator_ids))
    fares = await _load_fares(work, operator_ids)
    return {operator_id: Seller(operators[operator_id], fares[operator_id]) for operator_id in operator_ids}


async def _load_fares(work: UnitOfWork, operator_ids: set[UUID]) -> dict[UUID, Fares]:
    if not operator_ids:
        return {}
    found = await load_fares_of(work, operator_ids)
    missing = operator_ids - found.keys()
    return found | {operator_id: await load_fares(work, operator_id) for operator_id in missing}


def _fits(offer: TripOffer, query: TripQuery) -> bool:
    if query.seat_type is not None and query.seat_type not in offer.seat_types:
        return False
    if query.max_price is not None and (offer.price is None or offer.price.amount > query.max_price):
        return False
    return all(amenity in offer.amenities for amenity in query.amenities)


async def _days_on_sale(work: UnitOfWork, origin: Site, destination: Site) -> OnSale | None:
    span = await find_first_and_last_run(work, origin, destination, work.now)
    if span is None:
        return None
    zone = ZoneInfo(origin.timezone)
    first, last = (instant.astimezone(zone).date() for instant in span)
    return OnSale(first, last)


def _range(run: Run) -> tuple[int, int, int]:
    return run.inventory_id, run.board_index, run.alight_index


def _all_of(words: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({word for each in words for word in each}))


def _lowest(prices: Iterable[Money | None]) -> Money | None:
    return min((price for price in prices if price is not None), key=lambda price: price.minor, default=None)


def _by_price(offer: TripOffer) -> tuple[bool, str, Decimal]:
    """Prices of one currency together, since nobody here can tell what another is worth; no price comes last."""
    if offer.price is None:
        return True, "", Decimal(0)
    return False, offer.price.currency, offer.price.amount


SORT_KEYS: dict[str, Callable[[TripOffer], tuple[Any, ...]]] = {
    "departure": lambda offer: (offer.board.time, offer.alight.time, offer.departure_id),
    "price": lambda offer: (*_by_price(offer), offer.board.time, offer.departure_id),
    "duration": lambda offer: (offer.duration_minutes, offer.board.time, offer.departure_id),
    "arrival": lambda offer: (offer.alight.time, offer.board.time, offer.departure_id),
}
