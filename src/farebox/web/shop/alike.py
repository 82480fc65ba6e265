"""Seats on one ride that are like those on another: the same ones where it is the same vehicle, else together."""

from collections.abc import Sequence

from farebox.coaches import SeatLock, SeatMap, SeatView
from farebox.core.money import Money
from farebox.timetable import Seat

_Strangeness = tuple[int, int, int, int]


def find_alike(seats: SeatMap, lock: SeatLock) -> list[str]:
    """Free seats for as many people as hold seats on the other ride; none where there is no room for all.

    Of other vehicles, those that lie closest together go first, of the type and the kind of price of the old ones, so
    that nobody is talked into a dearer seat.
    """
    plan = {seat.number: seat for seat in lock.departure.seat_plan.seats}
    wanted = [plan[number] for number in lock.seat_numbers]
    free = {seat.number: seat for seat in seats.seats if seat.status == "available" and seat.price}
    if lock.departure.seat_plan.id == seats.plan.id and all(number in free for number in lock.seat_numbers):
        return list(lock.seat_numbers)
    dearer = {line.seat_number for line in lock.quote.lines if line.kind == "seat"}
    groups = [_gather(first, list(free.values()), wanted, dearer) for first in free.values()]
    whole = [group for group in groups if group]
    if not whole:
        return []
    _strangeness, found = min(whole, key=lambda group: (group[0], [seat.unit for seat in group[1]]))
    return [seat.number for seat in found]


def _gather(
    first: SeatView, free: Sequence[SeatView], wanted: Sequence[Seat], dearer: set[str | None]
) -> tuple[_Strangeness, list[SeatView]] | None:
    """A seat and the nearest to it, one for each that is wanted, and how strange they are together."""
    lowest = {kind: min(_price(seat) for seat in free if seat.type == kind) for kind in {seat.type for seat in free}}
    found: list[SeatView] = []
    total = (0, 0, 0, 0)
    for seat in wanted:
        near = found[-1] if found else first
        fitting = [each for each in (free if found else [first]) if each not in found]
        scored = [
            (
                _strangeness(each, seat, near, is_dearer=_price(each) > lowest[each.type], was=seat.number in dearer),
                each,
            )
            for each in fitting
            if each.accessible <= seat.accessible
        ]
        if not scored:
            return None
        strangeness, nearest = min(scored, key=lambda pair: (pair[0], pair[1].unit))
        found.append(nearest)
        total = tuple(a + b for a, b in zip(total, strangeness, strict=True))  # type: ignore[assignment]  # four of each
    return total, found


def _strangeness(seat: SeatView, wanted: Seat, near: SeatView, *, is_dearer: bool, was: bool) -> _Strangeness:
    way = (seat.row - near.row) ** 2 + (seat.column - near.column) ** 2 + 100 * (seat.deck != near.deck)
    unlike = len({*wanted.features}.symmetric_difference(seat.features))
    return seat.type != wanted.type, is_dearer != was, way, unlike


def _price(seat: SeatView) -> int:
    price: Money | None = seat.price
    return price.minor if price else 0
