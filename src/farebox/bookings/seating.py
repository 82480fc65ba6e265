"""From holds and people to who sits where: what the holds are, one person for each seat, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from farebox.bookings.details import PassengerDetails
from farebox.bookings.errors import MixedCurrencies
from farebox.bookings.verticals import ItemOffer, SeatOffer, Traveller, Verticals
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError
from farebox.core.i18n import N_
from farebox.core.money import Money, total
from farebox.inventory import Hold, HoldNotFound
from farebox.pricing import Quote


@dataclass(frozen=True, slots=True)
class Seated:
    """A person on a seat: the position in the list sent, the item, the seat, the details."""

    position: int
    item: int
    seat: SeatOffer
    details: PassengerDetails

    @property
    def traveller(self) -> Traveller:
        return Traveller(
            position=self.position,
            item=self.item,
            seat=self.seat.label,
            unit=self.seat.unit,
            passenger_type=self.details.passenger_type,
            special_needs=self.details.special_needs,
        )


async def offers_of(work: UnitOfWork, holds: Sequence[Hold], verticals: Verticals) -> list[ItemOffer]:
    """What the holds are, in their order.

    Raises:
        HoldNotFound: a hold on something that no vertical sells, such as a seat that the crew blocked.
    """
    items: list[ItemOffer] = []
    for hold in holds:
        offered = [item for vertical in verticals.values() for item in await vertical.offer(work, hold)]
        if sum(len(item.units) for item in offered) != sum(len(want.units) for want in hold.claims):
            raise HoldNotFound
        items += offered
    return items


def seat_passengers(
    items: Sequence[ItemOffer], passengers: Sequence[PassengerDetails]
) -> tuple[list[Seated], list[FieldError]]:
    """Put each person on the seat that they name: one person a seat, no seat without a person.

    Returns:
        Who sits where, item by item in the order of its seats, and what is wrong.
    """
    free = {(index, seat.label.upper()): seat for index, item in enumerate(items) for seat in item.seats}
    taken: dict[tuple[int, str], Seated] = {}
    errors: list[FieldError] = []
    for position, person in enumerate(passengers):
        label = person.seat_number.upper()
        fitting = [key for key in free if key[1] == label and _is_of(items[key[0]], person.hold_id)]
        key = next((key for key in fitting if key not in taken), None)
        if key is not None:
            taken[key] = Seated(position, key[0], free[key], person)
            errors += _accessibility(taken[key])
        elif fitting:
            errors.append(_wrong_seat(position, "duplicate-seat", N_("Seat {seat} has two passengers."), label))
        else:
            errors.append(_wrong_seat(position, "unknown-seat", N_("Seat {seat} is not one of yours."), label))
    errors += [
        FieldError("passengers", "passenger-missing", N_("Seat {seat} has no passenger yet."), seat=seat.label)
        for key, seat in free.items()
        if key not in taken
    ]
    return [taken[key] for key in free if key in taken], errors


def check_seating(items: Sequence[ItemOffer], seated: Sequence[Seated], verticals: Verticals) -> list[FieldError]:
    """What the verticals have against it."""
    travellers = [person.traveller for person in seated]
    return [
        error
        for kind, own in _by_kind(items).items()
        for error in verticals[kind].validate([items[index] for index in own], _within(travellers, own))
    ]


async def quote_items(
    work: UnitOfWork, items: Sequence[ItemOffer], travellers: Sequence[Traveller], verticals: Verticals
) -> list[Quote]:
    """The price of each item, in order, without any promotion.

    Raises:
        MixedCurrencies: they cannot be paid together.
    """
    quotes: dict[int, Quote] = {}
    for kind, own in _by_kind(items).items():
        priced = await verticals[kind].quote(work, [items[index] for index in own], _within(travellers, own))
        quotes.update(zip(own, priced, strict=True))
    if len({quote.total.currency for quote in quotes.values()}) > 1:
        raise MixedCurrencies
    return [quotes[index] for index in range(len(items))]


def sum_of(quotes: Sequence[Quote]) -> tuple[Money, Money]:
    """The total of quotes of one currency, and the tax that it includes."""
    currency = quotes[0].total.currency
    return total([quote.total for quote in quotes], currency), total([quote.tax for quote in quotes], currency)


def _by_kind(items: Sequence[ItemOffer]) -> dict[str, list[int]]:
    positions: dict[str, list[int]] = {}
    for index, item in enumerate(items):
        positions.setdefault(item.kind, []).append(index)
    return positions


def _within(travellers: Sequence[Traveller], own: Sequence[int]) -> list[Traveller]:
    """Those of some items, counted within them."""
    places = {index: place for place, index in enumerate(own)}
    return [replace(traveller, item=places[traveller.item]) for traveller in travellers if traveller.item in places]


def _is_of(item: ItemOffer, hold_id: UUID | None) -> bool:
    return hold_id is None or item.hold_id == hold_id


def _accessibility(person: Seated) -> list[FieldError]:
    if not person.details.special_needs or person.seat.accessible:
        return []
    message = N_("Seat {seat} is not accessible. Choose a seat marked as accessible for this passenger.")
    field = f"passengers.{person.position}.specialNeeds"
    return [FieldError(field, "seat-not-accessible", message, seat=person.seat.label)]


def _wrong_seat(position: int, code: str, message: str, label: str) -> FieldError:
    return FieldError(f"passengers.{position}.seatNumber", code, message, seat=label)
