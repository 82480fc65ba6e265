"""Seats on departures: what is free on a stretch, holds on seats, and coaches as something that can be booked."""

from farebox.coaches.commands import extend_lock, lock_seats, release_lock
from farebox.coaches.errors import (
    DuplicateSeats,
    LostSeat,
    SalesClosed,
    SeatsUnavailable,
    TooManySeats,
    UnknownSeat,
)
from farebox.coaches.queries import CREW, find_nearest, get_lock, get_seat_map, list_seat_statuses
from farebox.coaches.vertical import CoachVertical
from farebox.coaches.views import SeatLock, SeatMap, SeatStatus, SeatView

__all__ = [
    "CREW",
    "CoachVertical",
    "DuplicateSeats",
    "LostSeat",
    "SalesClosed",
    "SeatLock",
    "SeatMap",
    "SeatStatus",
    "SeatView",
    "SeatsUnavailable",
    "TooManySeats",
    "UnknownSeat",
    "extend_lock",
    "find_nearest",
    "get_lock",
    "get_seat_map",
    "list_seat_statuses",
    "lock_seats",
    "release_lock",
]
