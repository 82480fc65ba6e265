"""The passengers' form: read as typed, drawn again as typed, with what is wrong at each field."""

import re
from collections.abc import Mapping, Sequence
from typing import get_args

from farebox.bookings import Booking, Contact, PassengerDetails, PassengerType
from farebox.core.crypto import Secrets
from farebox.core.errors import FieldError
from farebox.core.i18n import gettext as _
from farebox.web.labels import ID_TYPES, PASSENGER_TYPES
from farebox.web.views.checkout import ContactFields, PassengerFields, Problem
from farebox.web.views.trips import Option

Places = Sequence[tuple[str, str]]
"""Seat numbers and where they are, in words."""

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


def blank_people(seats: Places) -> list[PassengerFields]:
    return [PassengerFields(index, number, place) for index, (number, place) in enumerate(seats)]


def people_of_booking(booking: Booking, seats: Places, secrets: Secrets) -> list[PassengerFields]:
    """The booking's people on these seats, in order; seats beyond them are blank."""
    contact_phone = booking.contact.phone.open(secrets)
    filled = []
    for index, (number, place) in enumerate(seats):
        if index >= len(booking.passengers):
            filled.append(PassengerFields(index, number, place))
            continue
        person = booking.passengers[index]
        phone = person.phone.open(secrets)
        filled.append(
            PassengerFields(
                index=index,
                seat=number,
                seat_place=place,
                full_name=person.full_name,
                passenger_type=person.passenger_type,
                id_type=person.id_type,
                id_number=person.id_number.open(secrets),
                phone="" if phone == contact_phone else phone,
                email=person.email.open(secrets) if person.email else "",
                special_needs=person.special_needs,
            )
        )
    return filled


def contact_of_booking(booking: Booking, secrets: Secrets) -> ContactFields:
    return ContactFields(booking.contact.email.open(secrets), booking.contact.phone.open(secrets))


def read_people(form: Mapping[str, str], seats: Places) -> list[PassengerFields]:
    """What was typed for each seat."""

    def typed(index: int, name: str) -> str:
        return form.get(f"passengers.{index}.{name}", "")[:LONGEST]

    return [
        PassengerFields(
            index=index,
            seat=number,
            seat_place=place,
            full_name=typed(index, "full_name"),
            passenger_type=_one_of(typed(index, "passenger_type"), PASSENGER_TYPES),
            id_type=_one_of(typed(index, "id_type"), ID_TYPES),
            id_number=typed(index, "id_number"),
            phone=typed(index, "phone"),
            email=typed(index, "email"),
            special_needs=typed(index, "special_needs") == "1",
        )
        for index, (number, place) in enumerate(seats)
    ]


def read_contact(form: Mapping[str, str]) -> ContactFields:
    return ContactFields(form.get("contact.email", "")[:LONGEST], form.get("contact.phone", "")[:LONGEST])


def details_of(
    people: Sequence[PassengerFields], contact: ContactFields
) -> tuple[tuple[PassengerDetails, ...], Contact]:
    """As the booking takes them. Who gave no phone is reached at the contact's."""
    passengers = tuple(
        PassengerDetails(
            seat_number=person.seat,
            full_name=person.full_name,
            id_type="passport" if person.id_type == "passport" else "citizen_id",
            id_number=person.id_number,
            phone=person.phone.strip() or contact.phone,
            email=person.email.strip() or None,
            passenger_type=PASSENGER_TYPE[person.passenger_type],
            special_needs=person.special_needs,
        )
        for person in people
    )
    return passengers, Contact(contact.email, contact.phone)


def with_errors(
    people: Sequence[PassengerFields], contact: ContactFields, errors: Sequence[FieldError]
) -> tuple[list[PassengerFields], ContactFields, tuple[Problem, ...]]:
    """The form with each error at its field, and the summary of them all in the order of the page."""
    for error in errors:
        head, _dot, name = error.field.rpartition(".")
        name = _capital.sub(lambda match: f"_{match[1].lower()}", name)
        if head == "contact":
            contact.errors.setdefault(name, error.text())
        elif head.startswith("passengers."):
            person = people[min(int(head.removeprefix("passengers.")), len(people) - 1)]
            if name == "phone" and not person.phone.strip():
                continue  # it is the contact's, and told there
            if name == "seat_number":
                name = "passenger_type"
            person.errors.setdefault(name, error.text())
    problems = [Problem(f"contact-{name}", text) for name, text in contact.errors.items()]
    for person in people:
        for name, text in person.errors.items():
            told = _("Seat {seat}: {problem}").format(seat=person.seat, problem=text)
            problems.append(Problem(f"passenger-{person.index}-{_FIELD_IDS.get(name, name)}", told))
    return list(people), contact, tuple(problems)


def passenger_types() -> tuple[Option, ...]:
    return tuple(Option(code, _(label)) for code, label in PASSENGER_TYPES.items())


def id_types() -> tuple[Option, ...]:
    return tuple(Option(code, _(label)) for code, label in ID_TYPES.items())


def _one_of(typed: str, known: Mapping[str, str]) -> str:
    return typed if typed in known else next(iter(known))
