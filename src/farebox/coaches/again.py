"""Finding a ride again that was booked once: the same way, on the first day on which there is room."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from farebox.bookings import FoundAgain, ItemOffer, SeatOffer
from farebox.core.db import UnitOfWork
from farebox.inventory import availability, status
from farebox.timetable import (
    Departure,
    DepartureNotFound,
    PlaceNotFound,
    Run,
    get_departure,
    get_sites,
    list_runs,
)

DAYS_AHEAD: Final = 14
"""How many days are looked at."""


async def find_ride_again(
    work: UnitOfWork,
    item: ItemOffer,
    *,
    left_at: datetime,
    earliest: datetime,
    holder: str,
    taken: Collection[tuple[int, int]],
) -> FoundAgain | None:
    """The first ride of the same operator between the same stops, with seats for all.

    On each day that of the same line goes first, and then that whose time of day is nearest.

    Args:
        left_at: when the ride left that was booked, as the clocks said there.
        earliest, holder, taken: see `bookings.Vertical.find_again`.
    """
    assert item.from_id is not None, "a ride begins somewhere"
    assert item.to_id is not None, "and ends somewhere"
    try:
        origin, destination = await get_sites(work, [item.from_id, item.to_id])
    except PlaceNotFound:
        return None  # no timetable has these stops any more
    start = max(earliest, work.now)
    runs = await list_runs(work, origin, destination, start, start + timedelta(days=DAYS_AHEAD))
    on_sale = [run for run in runs if run.operator_id == item.operator_id and work.now < run.sales_close_at]
    ranges = [(run.inventory_id, run.board_index, run.alight_index) for run in on_sale]
    free = await availability(work, ranges)
    roomy = [run for run, seats in zip(on_sale, free, strict=True) if seats >= len(item.seats)]
    line_id = await _line_of(work, item.resource_id)
    for run in sorted(roomy, key=lambda run: _strangeness(run, line_id, left_at)):
        departure = await get_departure(work, run.departure_id)
        seats = _choose(departure, item.seats, await _gone(work, run, holder, taken))
        if seats is not None:
            return _found(departure, run, seats)
    return None


async def _line_of(work: UnitOfWork, departure_id: UUID) -> UUID | None:
    try:
        return (await get_departure(work, departure_id)).line.id
    except DepartureNotFound:
        return None  # forgotten since


def _strangeness(run: Run, line_id: UUID | None, left_at: datetime) -> tuple[int, bool, int, datetime]:
    """By which rides are ordered: the day, the line, how far off the time of day is, the instant."""
    minutes = (run.departs_at.hour - left_at.hour) * 60 + run.departs_at.minute - left_at.minute
    return run.departs_at.date().toordinal(), run.line_id != line_id, abs(minutes), run.departs_at


async def _gone(work: UnitOfWork, run: Run, holder: str, taken: Collection[tuple[int, int]]) -> set[int]:
    """The units of a run that cannot be chosen."""
    units = await status(work, run.inventory_id, run.board_index, run.alight_index)
    gone = {unit.unit for unit in units if unit.state != "held" or unit.owners != {holder}}
    return gone | {unit for inventory_id, unit in taken if inventory_id == run.inventory_id}


def _choose(departure: Departure, wanted: Sequence[SeatOffer], gone: Collection[int]) -> list[SeatOffer] | None:
    """Free seats, each as much like one that is wanted as there is; `None` where they do not suffice."""
    free = [
        SeatOffer(unit, seat.number, seat.type, seat.features, seat.accessible)
        for unit, seat in enumerate(departure.seat_plan.seats)
        if unit not in gone
    ]
    chosen: list[SeatOffer] = []
    for seat in wanted:
        # Seats for passengers with reduced mobility are left to them, unless this was one.
        fitting = [each for each in free if each.accessible <= seat.accessible]
        if not fitting:
            return None
        nearest = min(fitting, key=lambda each: _unlikeness(each, seat))
        free.remove(nearest)
        chosen.append(nearest)
    return chosen


def _unlikeness(seat: SeatOffer, wanted: SeatOffer) -> tuple[bool, bool, bool, int, int]:
    unlike = len({*wanted.features}.symmetric_difference(seat.features))
    return (
        seat.accessible != wanted.accessible,
        seat.type != wanted.type,
        seat.label != wanted.label,
        unlike,
        seat.unit,
    )


def _found(departure: Departure, run: Run, seats: Sequence[SeatOffer]) -> FoundAgain:
    return FoundAgain(
        inventory_id=run.inventory_id,
        first_slot=run.board_index,
        end_slot=run.alight_index,
        resource_id=departure.id,
        from_id=run.board_stop_id,
        to_id=run.alight_stop_id,
        seats=tuple(seats),
        starts_at=run.departs_at,
        ends_at=run.arrives_at,
    )
