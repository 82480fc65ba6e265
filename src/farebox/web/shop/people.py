"""The passengers' form: read as typed, drawn again as typed, with what is wrong at each field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from farebox.bookings import Contact, PassengerDetails, PassengerType
from farebox.core.errors import FieldError
from farebox.core.i18n import gettext as _
from farebox.web.labels import ID_TYPES, PASSENGER_TYPES
from farebox.web.shop.seating import Seating, Seats, place_in, read_seats, usual_seats
from farebox.web.views.checkout import ContactFields, PassengerFields, Problem
from farebox.web.views.trips import Option

LONGEST = 300
"""Characters of a field that are looked at; the rules of the domain are stricter and say so."""

PASSENGER_TYPE: Mapping[str, PassengerType] = {code: code for code in get_args(PassengerType)}

_capital = re.compile(r"(?<=[a-z])([A-Z])")
_FIELD_IDS = {
    "full_name": "name",
    "passenger_type": "type",
    "id_type": "document",
    "id_number": "number",
    "special_needs": "needs",
}


def blank_people(seating: Seating) -> list[PassengerFields]:
    return [_seated(index, seats, seating) for index, seats in enumerate(usual_seats(seating))]


def read_people(form: Mapping[str, str], seating: Seating) -> list[PassengerFields]:
    """What was typed for each person, and which seats they take."""

    def typed(index: int, name: str) -> str:
        return form.get(f"passengers.{index}.{name}", "")[:LONGEST]

    return [
        replace(
            _seated(index, seats, seating),
            full_name=typed(index, "full_name"),
            passenger_type=_one_of(typed(index, "passenger_type"), PASSENGER_TYPES),
            id_type=_one_of(typed(index, "id_type"), ID_TYPES),
            id_number=typed(index, "id_number"),
            phone=typed(index, "phone"),
            email=typed(index, "email"),
            special_needs=typed(index, "special_needs") == "1",
        )
        for index, seats in enumerate(read_seats(form, seating))
    ]


def read_contact(form: Mapping[str, str]) -> ContactFields:
    return ContactFields(form.get("contact.email", "")[:LONGEST], form.get("contact.phone", "")[:LONGEST])


def details_of(
    people: Sequence[PassengerFields], contact: ContactFields, seating: Seating
) -> tuple[tuple[PassengerDetails, ...], Contact]:
    """As the booking takes them: each person once for each ride. Who gave no phone is reached at the contact's."""
    passengers = tuple(
        PassengerDetails(
            seat_number=person.seats[place],
            full_name=person.full_name,
            id_type="passport" if person.id_type == "passport" else "citizen_id",
            id_number=person.id_number,
            phone=person.phone.strip() or contact.phone,
            email=person.email.strip() or None,
            passenger_type=PASSENGER_TYPE[person.passenger_type],
            special_needs=person.special_needs,
            hold_id=seating[place].hold_id,
        )
        for person, place in _sent(people, seating)
    )
    return passengers, Contact(contact.email, contact.phone)


def with_errors(
    people: Sequence[PassengerFields], contact: ContactFields, errors: Sequence[FieldError], seating: Seating
) -> tuple[list[PassengerFields], ContactFields, tuple[Problem, ...]]:
    """The form with each error at its field, and the summary of them all in the order of the page."""
    sent = _sent(people, seating)
    for error in errors:
        head, _dot, name = error.field.rpartition(".")
        name = _capital.sub(lambda match: f"_{match[1].lower()}", name)
        if head == "contact":
            contact.errors.setdefault(name, error.text())
        elif head.startswith("passengers."):
            person, place = sent[min(int(head.removeprefix("passengers.")), len(sent) - 1)]
            if name == "phone" and not person.phone.strip():
                continue  # it is the contact's, and told there
            if name == "seat_number":
                name = f"seats_{place}" if len(seating) > 1 else "passenger_type"
            person.errors.setdefault(name, error.text())
        elif error.field == "passengers":
            _tell_whose_seat(people, seating, error)
    problems = [Problem(f"contact-{name}", text) for name, text in contact.errors.items()]
    for person in people:
        for name, text in person.errors.items():
            told = (
                _("Seat {seat}: {problem}").format(seat=person.seat, problem=text)
                if len(seating) == 1
                else _("Passenger {number}: {problem}").format(number=person.index + 1, problem=text)
            )
            problems.append(Problem(f"passenger-{person.index}-{_FIELD_IDS.get(name, name)}", told))
    return list(people), contact, tuple(problems)


def passenger_types() -> tuple[Option, ...]:
    return tuple(Option(code, _(label)) for code, label in PASSENGER_TYPES.items())


def id_types() -> tuple[Option, ...]:
    return tuple(Option(code, _(label)) for code, label in ID_TYPES.items())


def _one_of(typed: str, known: Mapping[str, str]) -> str:
    return typed if typed in known else next(iter(known))


def _seated(index: int, seats: Seats, seating: Seating) -> PassengerFields:
    return PassengerFields(index, *place_in(seating, seats), seats=seats)


def _sent(people: Sequence[PassengerFields], seating: Seating) -> list[tuple[PassengerFields, int]]:
    """Each person with each ride that they take, in the order in which the booking is told of them."""
    return [(person, place) for place in range(len(seating)) for person in people if person.seats[place]]


def _tell_whose_seat(people: Sequence[PassengerFields], seating: Seating, error: FieldError) -> None:
    """A seat without a passenger is told where somebody else was put on no seat, or on one that is not theirs alone."""
    for place, ride in enumerate(seating):
        missing = set(ride.numbers) - {person.seats[place] for person in people}
        idle = next((person for person in people if not person.seats[place]), None)
        if missing and idle and error.facts.get("seat") in missing:
            idle.errors.setdefault(f"seats_{place}", error.text())
