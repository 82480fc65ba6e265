"""What was typed about people, or said of them by a booking, put on the seats that are held now.

Whoever goes back to the map from naming people finds all of it again, also without scripts: what was typed is kept
sealed for an hour, for whoever holds the seats, and its id goes along in the address, as a booking's would.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import msgspec

from farebox.accounts import Actor
from farebox.bookings import (
    Again,
    Booking,
    BookingNotFound,
    Passenger,
    find_typed,
    forget_typed,
    get_booking,
    keep_typed,
)
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.web.shop.seating import Seating, place_in, seats_as_before
from farebox.web.shop.session import viewer_of
from farebox.web.views.checkout import ContactFields, PassengerFields


class TypedPerson(msgspec.Struct, frozen=True):
    """One person. `seats`: departure -> their seat on it."""

    seats: dict[UUID, str]
    full_name: str = ""
    passenger_type: str = "adult"
    id_type: str = "citizen_id"
    id_number: str = ""
    phone: str = ""
    email: str = ""
    special_needs: bool = False


class Typed(msgspec.Struct, frozen=True):
    """A form about people, and where the tickets go. `is_names_only`: the rest was left out on purpose."""

    people: list[TypedPerson]
    email: str = ""
    phone: str = ""
    is_names_only: bool = False


_FIELDS: Final = tuple(name for name in TypedPerson.__struct_fields__ if name != "seats")


def typed_of_form(people: list[PassengerFields], contact: ContactFields, seating: Seating) -> Typed:
    persons = [
        TypedPerson(
            {ride.trip_id: seat for ride, seat in zip(seating, person.seats, strict=True) if seat},
            **{name: getattr(person, name) for name in _FIELDS},
        )
        for person in people
    ]
    return Typed(persons, contact.email, contact.phone)


def typed_of_booking(booking: Booking, secrets: Secrets) -> Typed:
    """Each person of a booking once: the same name and document is the same person."""
    phone = booking.contact.phone.open(secrets)
    people: dict[tuple[str, str, str, int], TypedPerson] = {}
    for item in booking.items:
        for passenger in item.passengers:
            person = _typed(passenger, phone, secrets)
            same = (person.full_name.casefold(), person.id_type, person.id_number)
            twin = 0  # the same person twice on one ride is two
            while (*same, twin) in people and item.resource_id in people[*same, twin].seats:
                twin += 1
            people.setdefault((*same, twin), person).seats[item.resource_id] = passenger.seat_number
    return Typed(list(people.values()), booking.contact.email.open(secrets), phone)


def names_for(booking: Booking, found: Sequence[Again], secrets: Secrets) -> Typed:
    """The people of a booking on the seats that were found for them, as `names_of` it."""
    seats = {
        (again.item.resource_id, person.seat_number): (again.found.resource_id, seat.label)
        for again in found
        for person, seat in zip(again.item.passengers, again.found.seats, strict=True)
    }
    names = names_of(booking, secrets)
    people = [
        msgspec.structs.replace(person, seats=dict(seats[own] for own in person.seats.items()))
        for person in names.people
    ]
    return msgspec.structs.replace(names, people=people)


def names_of(booking: Booking, secrets: Secrets) -> Typed:
    """The people of a booking, as far as its own page shows them to everybody whom it opens to: without documents and
    phones."""
    people = [
        TypedPerson(person.seats, full_name=person.full_name, passenger_type=person.passenger_type)
        for person in typed_of_booking(booking, secrets).people
    ]
    return Typed(people, booking.contact.email.open(secrets), is_names_only=True)


def told_of(typed: Typed) -> str:
    """Why some of it is filled in and some is not."""
    if not typed.is_names_only:
        return ""
    return _("The names are those of your booking. A mailed code shows nobody's documents: enter them again.")


def contact_of(typed: Typed) -> ContactFields:
    return ContactFields(typed.email, typed.phone)


def seated(typed: Typed, seating: Seating) -> list[PassengerFields]:
    """The people on these seats: on their own where they are still there. Seats beyond them are blank."""
    people = []
    for index, (place, seats) in enumerate(seats_as_before([person.seats for person in typed.people], seating)):
        fields = PassengerFields(index, *place_in(seating, seats), seats=seats)
        if place is not None:
            person = typed.people[place]
            fields = replace(fields, **{name: getattr(person, name) for name in _FIELDS})
        people.append(fields)
    return people


async def keep(work: UnitOfWork, typed: Typed, *, holder: Actor, secrets: Secrets) -> str:
    """The id under which its holder finds it again; empty for who holds nothing."""
    owner = viewer_of(holder)
    text = msgspec.json.encode(typed).decode()
    return str(await keep_typed(work, text, owner=owner, secrets=secrets)) if owner else ""


async def find_earlier(work: UnitOfWork, people_id: UUID | None, *, actor: Actor, secrets: Secrets) -> Typed | None:
    """What an address carries along: what the actor has typed, or the people of a booking of theirs."""
    if people_id is None:
        return None
    text = await find_typed(work, people_id, owner=viewer_of(actor), secrets=secrets)
    if text is not None:
        return msgspec.json.decode(text, type=Typed)
    try:
        return typed_of_booking(await get_booking(work, people_id, actor=actor), secrets)
    except BookingNotFound:
        return None


async def forget(work: UnitOfWork, people_id: UUID | None, *, actor: Actor) -> None:
    """It is in a booking now."""
    if people_id is not None:
        await forget_typed(work, owner=viewer_of(actor), typed_id=people_id)


def _typed(passenger: Passenger, contact_phone: str, secrets: Secrets) -> TypedPerson:
    phone = passenger.phone.open(secrets)
    return TypedPerson(
        {},
        full_name=passenger.full_name,
        passenger_type=passenger.passenger_type,
        id_type=passenger.id_type,
        id_number=passenger.id_number.open(secrets),
        phone="" if phone == contact_phone else phone,
        email=passenger.email.open(secrets) if passenger.email else "",
        special_needs=passenger.special_needs,
    )
