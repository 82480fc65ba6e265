"""Coaches as something that can be booked: what bookings ask of a departure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from farebox.accounts import OPERATORS, OperatorView
from farebox.bookings import (
    ChangePolicy,
    FoundAgain,
    ItemDescription,
    ItemOffer,
    OpenReturnOffer,
    PlaceTime,
    RefundTier,
    SeatDescription,
    SeatOffer,
    Traveller,
)
from farebox.coaches.again import find_ride_again
from farebox.coaches.errors import SalesClosed
from farebox.coaches.occasions import load_of, occasion_of
from farebox.coaches.returns import offer_return
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError
from farebox.core.i18n import N_
from farebox.inventory import Hold, Want
from farebox.pricing import FARE_VERSIONS, Fares, PriceRule, Quote, SaleTerms, fares_at, load_fares, quote_seats
from farebox.timetable import (
    DEPARTURE_OF_RUN,
    SELLER_OF_RUN,
    STAMPS,
    Call,
    Departure,
    Segment,
    departure_of,
    get_departure,
)

KIND: Final = "coach"

BOARDING_NOTE = N_("Be at the stop 15 minutes before departure.")


class RideFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a ride with its booking: enough to print its ticket when the timetable is long another one.

    Attributes:
        taken_at, load_bp: when its seats were first taken, and how much was gone before: what its price goes by, also
            when people are changed later. See `occasions`.
        sale_terms: under which its seats were sold.
    """

    operator_name: str
    operator_phone: str
    operator_email: str
    operator_color: str
    line: str
    headsign: str
    vehicle: str
    amenities: tuple[str, ...]
    origin: PlaceTime
    destination: PlaceTime
    taken_at: datetime
    load_bp: int
    sale_terms: SaleTerms


class CoachVertical:
    """Implements `bookings.Vertical` for seats on departures."""

    kind = KIND

    async def offer(self, work: UnitOfWork, hold: Hold) -> list[ItemOffer]:
        """Raises: SalesClosed when the departure is cancelled or has left the stop of boarding."""
        sales = [(want, await _find_sale(work, want.inventory_id)) for want in hold.claims]
        return [await _offer(work, hold, want, sale) for want, sale in sales if sale is not None]

    def validate(self, items: Sequence[ItemOffer], travellers: Sequence[Traveller]) -> list[FieldError]:
        """Coaches have no rules of their own: any passenger may sit on any seat that is fit for them."""
        return []

    async def quote(
        self,
        work: UnitOfWork,
        items: Sequence[ItemOffer],
        travellers: Sequence[Traveller],
        *,
        is_way_back: bool = False,
    ) -> list[Quote]:
        """Raises: NotForSale when the operator has no fare for the ride."""
        departures = [await get_departure(work, item.resource_id) for item in items]
        rides = [one.ride(item.first_slot, item.end_slot) for one, item in zip(departures, items, strict=True)]
        fares_of = {seller: await load_fares(work, seller) for seller in {item.operator_id for item in items}}
        ways = [(item.operator_id, *_places(ride)) for item, ride in zip(items, rides, strict=True)]
        quotes = []
        for position, (item, departure, ride) in enumerate(zip(items, departures, rides, strict=True)):
            fares = fares_of[item.operator_id]
            operator, origin, destination = ways[position]
            has_way_back = is_way_back or (operator, destination, origin) in ways
            own = sorted(
                (one for one in travellers if one.item == position), key=lambda one: item.units.index(one.unit)
            )
            seats = [(departure.seat_plan.seats[one.unit], one.passenger_type) for one in own]
            quotes.append(quote_seats(fares, departure, ride, seats, _rules(fares, item, ride, has_way_back)))
        return quotes

    async def offer_open_return(
        self, work: UnitOfWork, item: ItemOffer, travellers: Sequence[Traveller]
    ) -> OpenReturnOffer | None:
        """By the terms under which the seats were held, and the fares of today."""
        departure = await get_departure(work, item.resource_id)
        fares = await load_fares(work, item.operator_id)
        ride = departure.ride(item.first_slot, item.end_slot)
        return offer_return(fares, departure, ride, _facts(item).sale_terms, travellers)

    async def stretch_of(
        self, work: UnitOfWork, item: ItemOffer, from_id: UUID | None, to_id: UUID | None
    ) -> tuple[int, int]:
        """Raises: NotBoardable: the departure does not call there in this order, or not for that."""
        departure = await get_departure(work, item.resource_id)
        ride = departure.segment(from_id or item.from_id, to_id or item.to_id)
        return ride.board.index, ride.alight.index

    async def ends_of(self, work: UnitOfWork, item: ItemOffer) -> tuple[UUID | None, UUID | None]:
        departure = await get_departure(work, item.resource_id)
        return _places(departure.ride(item.first_slot, item.end_slot))

    def describe(self, item: ItemOffer) -> ItemDescription:
        facts = _facts(item)
        return ItemDescription(
            operator_name=facts.operator_name,
            operator_phone=facts.operator_phone,
            operator_email=facts.operator_email,
            operator_color=facts.operator_color,
            title=facts.line,
            headsign=facts.headsign,
            setting=facts.vehicle,
            origin=facts.origin,
            destination=facts.destination,
            seats=tuple(
                SeatDescription(label=seat.label, type=seat.type, features=seat.features) for seat in item.seats
            ),
            note=BOARDING_NOTE,
            amenities=facts.amenities,
        )

    def change_policy(self, item: ItemOffer) -> ChangePolicy:
        facts = _facts(item)
        terms, leaves = facts.sale_terms, facts.origin.time
        tiers = [RefundTier(until=leaves - timedelta(hours=hours), refund_bp=bp) for hours, bp in terms.tiers]
        return ChangePolicy(
            cancel_until=tiers[-1].until if tiers else leaves,
            change_until=_before(leaves, terms.change_hours),
            rename_until=_before(leaves, terms.rename_hours),
            tiers=tuple(tiers) or (RefundTier(until=leaves, refund_bp=0),),
            is_fee_refundable=terms.is_fee_refundable,
            change_fee_minor=terms.change_fee_minor,
            rename_fee_minor=terms.rename_fee_minor,
        )

    def completed_at(self, item: ItemOffer) -> datetime:
        return _facts(item).destination.time

    async def find_again(
        self,
        work: UnitOfWork,
        item: ItemOffer,
        *,
        earliest: datetime,
        holder: str = "",
        taken: Collection[tuple[int, int]] = (),
    ) -> FoundAgain | None:
        origin = _facts(item).origin
        left_at = origin.time.astimezone(ZoneInfo(origin.timezone))
        return await find_ride_again(work, item, left_at=left_at, earliest=earliest, holder=holder, taken=taken)


@dataclass(frozen=True, slots=True)
class _Sale:
    """A departure, and who sells it under what."""

    departure: Departure
    operator: OperatorView
    fares: Fares


async def _find_sale(work: UnitOfWork, inventory_id: int) -> _Sale | None:
    """What a run is, read in one round trip; `None`: no departure."""
    questions = (STAMPS, DEPARTURE_OF_RUN), (OPERATORS, SELLER_OF_RUN), (FARE_VERSIONS, SELLER_OF_RUN)
    found = await work.send([question.about_found(run, inventory_id) for question, run in questions])
    stamp = next(iter(STAMPS.read(found[0]).values()), None)
    if stamp is None:
        return None
    STAMPS.learn(work, found[0], [stamp.id])
    operator = OPERATORS.read(found[1]).get(stamp.operator_id)
    if operator is None:
        return None  # taken back between the questions
    version = FARE_VERSIONS.learn(work, found[2], [operator.id]).get(operator.id)
    departure = await departure_of(work, stamp)
    return _Sale(departure, operator, await fares_at(work, operator.id, version, currency=operator.currency))


async def _offer(work: UnitOfWork, hold: Hold, want: Want, sale: _Sale) -> ItemOffer:
    departure, operator, fares = sale.departure, sale.operator, sale.fares
    stretch = departure.ride(want.first_slot, want.end_slot)
    if departure.status != "scheduled" or work.now >= stretch.board.departure:
        raise SalesClosed
    seats = tuple(_seat_offer(departure, unit) for unit in sorted(want.units))
    facts = RideFacts(
        operator_name=operator.name,
        operator_phone=operator.phone,
        operator_email=operator.email,
        operator_color=operator.brand_color,
        line=departure.line.name,
        headsign=departure.headsign,
        vehicle=departure.vehicle.name,
        amenities=departure.vehicle.amenities,
        origin=_place_time(stretch.board, stretch.board.departure),
        destination=_place_time(stretch.alight, stretch.alight.arrival),
        taken_at=hold.first_taken_at,
        load_bp=await load_of(work, departure, stretch, fares, hold.id),
        sale_terms=fares.sale_terms({seat.type for seat in seats}),
    )
    return ItemOffer(
        kind=KIND,
        hold_id=hold.id,
        inventory_id=want.inventory_id,
        first_slot=want.first_slot,
        end_slot=want.end_slot,
        resource_id=departure.id,
        operator_id=departure.operator_id,
        seats=seats,
        from_id=stretch.board.stop_id,
        to_id=stretch.alight.stop_id,
        snapshot=msgspec.to_builtins(facts),
    )


def _seat_offer(departure: Departure, unit: int) -> SeatOffer:
    seat = departure.seat_plan.seats[unit]
    return SeatOffer(unit, seat.number, seat.type, seat.features, seat.accessible)


def _place_time(call: Call, time: datetime) -> PlaceTime:
    return PlaceTime(
        name=call.stop_name,
        place=call.place_name,
        time=time,
        timezone=call.timezone,
        platform=call.platform,
        lat=call.lat,
        lon=call.lon,
    )


def _rules(fares: Fares, item: ItemOffer, ride: Segment, has_way_back: bool) -> tuple[PriceRule, ...]:
    """The price rules that count: those that counted when the seats were taken, and now also for the way back."""
    if not fares.price_rules:
        return ()
    facts = _facts(item)
    return fares.rules_for(occasion_of(ride, at=facts.taken_at, load=facts.load_bp, is_round_trip=has_way_back))


def _places(ride: Segment) -> tuple[UUID, UUID]:
    return ride.board.place_id, ride.alight.place_id


def _before(leaves: datetime, hours: int | None) -> datetime | None:
    return None if hours is None else leaves - timedelta(hours=hours)


def _facts(item: ItemOffer) -> RideFacts:
    return msgspec.convert(item.snapshot, RideFacts)
