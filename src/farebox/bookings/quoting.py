"""What holds would cost if they were booked together now."""

from collections.abc import Sequence
from uuid import UUID

from farebox.accounts import Actor
from farebox.bookings.seating import offers_of, quote_items
from farebox.bookings.verticals import Traveller, Verticals
from farebox.core.db import UnitOfWork
from farebox.inventory import get_hold
from farebox.pricing import Quote


async def quote_holds(work: UnitOfWork, lock_ids: Sequence[UUID], *, actor: Actor, verticals: Verticals) -> list[Quote]:
    """What each of the actor's holds costs in one booking of all of them, an adult on each seat, in their order.

    So a price rule for the way back counts, before anybody has said who travels.

    Raises:
        HoldNotFound: no such hold of this actor.
        MixedCurrencies: they cannot be paid together.
    """
    holds = [await get_hold(work, lock_id, owner=actor.owner) for lock_id in lock_ids]
    items = await offers_of(work, holds, verticals)
    travellers = [
        Traveller(position=0, item=place, seat=seat.label, unit=seat.unit, passenger_type="adult")
        for place, item in enumerate(items)
        for seat in item.seats
    ]
    return await quote_items(work, items, travellers, verticals)
