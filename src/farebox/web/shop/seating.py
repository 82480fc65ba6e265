"""Who sits where on each ride of a booking: one person for each seat, the same people on all rides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from farebox.bookings import Booking, BookingItem
from farebox.core.i18n import gettext as _
from farebox.web.shop.booked import places_of
from farebox.web.shop.cards import way_in_words
from farebox.web.views.checkout import PassengerFields, SeatPick
from farebox.web.views.trips import Option

NOT_THERE: Final = "-"
"""In a form: this person does not take that ride."""


@dataclass(frozen=True, slots=True)
class RideSeats:
    """The seats of one ride.

    Attributes:
        way: where it goes, in words.
        places: each seat with where it is in the vehicle, in words.
    """

    hold_id: UUID
    trip_id: UUID
    way: str
    places: tuple[tuple[str, str], ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(number for number, _place in self.places)


Seating = Sequence[RideSeats]
"""All rides of a booking."""

Seats = tuple[str, ...]
"""Somebody's seat on each ride; empty for a ride that they do not take."""


def seating_of_booking(booking: Booking) -> list[RideSeats]:
    return [_ride_of(item) for item in booking.items]


def usual_seats(seating: Seating) -> list[Seats]:
    """The first person on the first seat of each ride, and so on; as many people as the fullest ride has seats."""
    count = max(len(ride.places) for ride in seating)
    return [tuple(_at(ride.numbers, index) for ride in seating) for index in range(count)]


def read_seats(form: Mapping[str, str], seating: Seating) -> list[Seats]:
    """The seats as chosen in the form, and as usual where nothing was chosen."""
    return [
        tuple(
            _chosen(form.get(f"passengers.{index}.seats.{place}"), ride, usual)
            for place, (ride, usual) in enumerate(zip(seating, seats, strict=True))
        )
        for index, seats in enumerate(usual_seats(seating))
    ]


def seats_as_before(people: Sequence[Mapping[UUID, str]], seating: Seating) -> list[tuple[int | None, Seats]]:
    """People on these seats, by their place among them: on their own where they are still there, else on one that is
    left. Where there are fewer seats than people, those stay who have a seat of their own.

    On the first ride they stand in the order of its seats, so that nobody needs to choose there.

    Args:
        people: departure -> seat, for each person.
    """
    count = max(len(ride.places) for ride in seating)
    owned = [tuple(_own_seat(person, ride) for ride in seating) for person in people]
    staying = sorted(sorted(range(len(people)), key=lambda index: not any(owned[index]))[:count])
    table = [list(owned[index]) for index in staying]
    table += [[""] * len(seating) for _more in range(count - len(table))]
    for place, ride in enumerate(seating):
        left = [number for number in ride.numbers if number not in {seats[place] for seats in table}]
        was_there = [ride.trip_id in people[index] for index in staying]
        order = sorted(range(count), key=lambda row: not (was_there[row] if row < len(staying) else True))
        for row in order:
            if not table[row][place] and left:
                table[row][place] = left.pop(0)
    named: list[tuple[int | None, Seats]] = [
        (staying[row] if row < len(staying) else None, tuple(seats)) for row, seats in enumerate(table)
    ]
    first = seating[0].numbers
    return sorted(named, key=lambda each: first.index(each[1][0]) if each[1][0] else len(first))


def with_picks(people: Sequence[PassengerFields], seating: Seating) -> list[PassengerFields]:
    """The form's people with the seats to choose between. On a first ride with a seat for all, each has their own."""
    if len(seating) == 1:
        return list(people)
    is_fixed = len(seating[0].places) == len(people)
    return [
        replace(
            person,
            picks=tuple(
                _pick(person, place, ride, is_single=(is_fixed and place == 0) or len(people) == 1)
                for place, ride in enumerate(seating)
            ),
        )
        for person in people
    ]


def place_in(seating: Seating, seats: Seats) -> tuple[str, str]:
    """Somebody's first seat, and where it is."""
    taken = [(number, dict(ride.places)[number]) for ride, number in zip(seating, seats, strict=True) if number]
    return taken[0] if taken else ("", "")


def _pick(person: PassengerFields, place: int, ride: RideSeats, *, is_single: bool) -> SeatPick:
    own = person.seats[place]
    places = [(number, where) for number, where in ride.places if not is_single or number == own]
    options = [
        Option(number, f"{number}, {where}" if where else number, is_chosen=number == own) for number, where in places
    ]
    if not is_single and (not own or person.index >= len(ride.places)):
        options.append(Option(NOT_THERE, _("not on this trip"), is_chosen=not own))
    return SeatPick(place, ride.way, tuple(options), person.errors.get(f"seats_{place}", ""))


def _ride_of(item: BookingItem) -> RideSeats:
    places = places_of(item)
    return RideSeats(
        item.hold_id,
        item.resource_id,
        way_in_words(item.description),
        tuple((number, places.get(number, "")) for number in item.seat_numbers),
    )


def _own_seat(own: Mapping[UUID, str], ride: RideSeats) -> str:
    seat = own.get(ride.trip_id, "")
    return seat if seat in ride.numbers else ""


def _chosen(typed: str | None, ride: RideSeats, usual: str) -> str:
    if typed == NOT_THERE:
        return ""
    return typed if typed in ride.numbers else usual


def _at(numbers: Sequence[str], index: int) -> str:
    return numbers[index] if index < len(numbers) else ""
