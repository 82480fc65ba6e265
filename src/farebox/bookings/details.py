"""What travellers type about themselves: checked, and brought into one form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from farebox.bookings.verticals import PassengerType
from farebox.bookings.views import IdType
from farebox.core.contacts import LONGEST_PHONE, is_name, phone_number, tidy_name
from farebox.core.errors import FieldError
from farebox.core.i18n import N_

LONGEST_NAME: Final = 255
LONGEST_EMAIL: Final = 254

_ID_NUMBER: Final = re.compile(r"[A-Z0-9]{6,20}")
_ID_SEPARATORS: Final = re.compile(r"[\s.\-/]")


@dataclass(frozen=True, slots=True, repr=False)
class Contact:
    """Where messages about the booking go. No `repr`, so that it does not end in a log."""

    email: str
    phone: str


@dataclass(frozen=True, slots=True, repr=False)
class PassengerDetails:
    """One person for one seat, as typed.

    Attributes:
        seat_number: label of the seat that this person takes.
        hold_id: which hold the seat is of; needed only where two holds of one booking have a seat of that label and
            the people are not listed hold by hold.
    """

    seat_number: str
    full_name: str
    id_type: IdType
    id_number: str
    phone: str
    email: str | None = None
    passenger_type: PassengerType = "adult"
    special_needs: bool = False
    hold_id: UUID | None = None


def check_passengers(
    passengers: Sequence[PassengerDetails], *, region: str
) -> tuple[list[PassengerDetails], list[FieldError]]:
    """The people in one form (names composed, numbers bare, phones as E.164), and every rule that is broken.

    Args:
        region: ISO 3166 code of the country that phone numbers without a country code are of; empty for none.
    """
    clean, errors = [], []
    for position, given in enumerate(passengers):
        checks = _Checks(f"passengers.{position}.")
        clean.append(
            PassengerDetails(
                seat_number=given.seat_number.strip(),
                full_name=checks.name("fullName", given.full_name),
                id_type=given.id_type,
                id_number=checks.id_number("idNumber", given.id_number),
                phone=checks.phone("phone", given.phone, region),
                email=checks.email("email", given.email) if given.email and given.email.strip() else None,
                passenger_type=given.passenger_type,
                special_needs=given.special_needs,
                hold_id=given.hold_id,
            )
        )
        errors += checks.errors
    return clean, errors


def check_contact(contact: Contact, *, region: str) -> tuple[Contact, list[FieldError]]:
    """The contact in one form, and every rule that is broken."""
    checks = _Checks("contact.")
    clean = Contact(email=checks.email("email", contact.email), phone=checks.phone("phone", contact.phone, region))
    return clean, checks.errors


def contact_key(typed: str, *, region: str) -> str:
    """An e-mail address or a phone number in the form under which it is indexed; never fails."""
    if "@" in typed:
        return typed.strip()[:LONGEST_EMAIL].casefold()
    return phone_number(typed, region) or typed.strip()[:LONGEST_PHONE]


class _Checks:
    """Reads fields and collects what is wrong with them."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.errors: list[FieldError] = []

    def name(self, field: str, typed: str) -> str:
        name = tidy_name(typed)
        if not name:
            self._wrong(field, "required", N_("Enter the full name as it is written on the document."))
        elif len(name) > LONGEST_NAME:
            self._wrong(field, "too-long", N_("This name is too long."))
        elif not is_name(name):
            self._wrong(field, "invalid-name", N_("Enter the full name as it is written on the document."))
        return name

    def id_number(self, field: str, typed: str) -> str:
        number = _ID_SEPARATORS.sub("", typed).upper()
        if not number:
            self._wrong(field, "required", N_("Enter the number of the document."))
        elif not _ID_NUMBER.fullmatch(number):
            self._wrong(field, "invalid-id-number", N_("A document number has 6 to 20 letters and digits."))
        return number

    def phone(self, field: str, typed: str, region: str) -> str:
        if not typed.strip():
            self._wrong(field, "required", N_("Enter a phone number."))
            return ""
        number = phone_number(typed, region)
        if number is None:
            self._wrong(
                field, "invalid-phone", N_("Enter the phone number with its country code, such as +84 912 345 678.")
            )
        return number or ""

    def email(self, field: str, typed: str) -> str:
        address = typed.strip()
        if not address:
            self._wrong(field, "required", N_("Enter an e-mail address."))
            return ""
        try:
            # Whether the domain takes mail is not asked here: that is a network call, and the mail itself will tell.
            return validate_email(address, check_deliverability=False, test_environment=True).normalized
        except EmailNotValidError:
            self._wrong(field, "invalid-email", N_("Enter an e-mail address such as name@example.com."))
            return ""

    def _wrong(self, field: str, code: str, message: str) -> None:
        self.errors.append(FieldError(self._prefix + field, code, message))
