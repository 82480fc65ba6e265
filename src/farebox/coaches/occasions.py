"""On which occasion seats are asked for: what price rules look at, the same wherever a price is shown or charged."""

from datetime import datetime
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.inventory import Hold, count_gone
from farebox.pricing import Fares, Occasion, PriceRule, load_bp
from farebox.timetable import Departure, Segment


async def rules_on(
    work: UnitOfWork, departure: Departure, stretch: Segment, fares: Fares, hold: Hold | None
) -> tuple[PriceRule, ...]:
    """The price rules that count for who has a hold on the departure, or (`None`) has none.

    Nothing is asked of the database but for operators whose prices depend on the load.
    """
    if not fares.price_rules:
        return ()
    load = await load_of(work, departure, stretch, fares, hold.id if hold else None)
    return fares.rules_for(occasion_of(stretch, at=hold.first_taken_at if hold else work.now, load=load))


async def load_of(work: UnitOfWork, departure: Departure, stretch: Segment, fares: Fares, hold_id: UUID | None) -> int:
    """How much of the vehicle was gone on a stretch before a hold was taken (`None`: is gone now), in basis points.

    Who takes seats later does not make those dearer that one has. 0 where no rule asks for it.
    """
    if not fares.looks_at_load:
        return 0
    run = departure.inventory_id, stretch.first_slot, stretch.end_slot
    return load_bp(await count_gone(work, *run, before=hold_id), len(departure.seat_plan.seats))


def occasion_of(stretch: Segment, *, at: datetime, load: int, is_round_trip: bool = False) -> Occasion:
    """A ride bought `at` an instant."""
    board = stretch.board
    return Occasion.of(board.departure, board.timezone, at=at, load_bp=load, is_round_trip=is_round_trip)
