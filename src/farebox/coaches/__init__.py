"""Seats on departures: what is free on a stretch, holds on seats, and coaches as something that can be booked."""

from farebox.coaches.commands import extend_lock, lock_seats, release_lock
from farebox.coaches.errors import (
    DuplicateSeats,
    LostSeat,
    SalesClosed,
    SeatsUnavailable,
    TooManyHolds,
    TooManySeats,
    TooManyWatchers,
    UnknownSeat,
)
from farebox.coaches.live import LiveMaps
from farebox.coaches.office import Office
from farebox.coaches.pictures import Message
from farebox.coaches.queries import find_nearest, get_lock, get_seat_map, list_seat_statuses, owner_of
from farebox.coaches.vertical import CoachVertical
from farebox.coaches.views import SeatLock, SeatMap, SeatStatus, SeatView
from farebox.coaches.watched import Watcher

__all__ = [
    "CoachVertical",
    "DuplicateSeats",
    "LiveMaps",
    "LostSeat",
    "Message",
    "Office",
    "SalesClosed",
    "SeatLock",
    "SeatMap",
    "SeatStatus",
    "SeatView",
    "SeatsUnavailable",
    "TooManyHolds",
    "TooManySeats",
    "TooManyWatchers",
    "UnknownSeat",
    "Watcher",
    "extend_lock",
    "find_nearest",
    "get_lock",
    "get_seat_map",
    "list_seat_statuses",
    "lock_seats",
    "owner_of",
    "release_lock",
]
