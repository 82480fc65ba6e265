"""What people tell of themselves, and the languages, currencies and time zones that they can choose from."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, Final
from uuid import UUID
from zoneinfo import available_timezones

from babel.core import get_global
from msgspec import UNSET, UnsetType
from sqlalchemy import select

from farebox.accounts.actor import Actor
from farebox.accounts.errors import PersonNotFound
from farebox.accounts.people_models import PersonRow
from farebox.accounts.personal_audit import note_access, person_subject
from farebox.core.contacts import is_name, phone_number, tidy_name
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.events import Event
from farebox.core.i18n import LANGUAGES, N_

LONGEST_NAME: Final = 100
OLDEST_YEARS: Final = 120


class ProfileUpdated(Event, frozen=True, kw_only=True):
    """A person has changed what they tell of themselves: profile, picture, preferences or settings."""

    type: ClassVar[str] = "user.profile_updated"
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Choices:
    """Language, currency and time zone. What is not given stays; `None`: none is chosen."""

    language: str | UnsetType | None = UNSET
    currency: str | UnsetType | None = UNSET
    timezone: str | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ProfileChange(Choices):
    """What to change of a person, as typed. What is not given stays; `None`, or nothing but blanks, takes it away.

    Attributes:
        phone: with its country code, or of the shop's own country.
    """

    first_name: str | UnsetType = UNSET
    last_name: str | UnsetType = UNSET
    phone: str | UnsetType | None = UNSET
    birth_date: date | UnsetType | None = UNSET


async def update_profile(
    work: UnitOfWork, person_id: UUID, change: ProfileChange, *, region: str, secrets: Secrets
) -> None:
    """Change what a person tells of themselves.

    Args:
        region: ISO 3166 code of the country that phone numbers without a country code are of; empty for none.

    Raises:
        Invalid: with every rule that is broken, by the names of the wire.
        PersonNotFound: there is no such person.
    """
    errors: list[FieldError] = []
    values = _checked_names(change, errors) | checked_choices(change, errors)
    if change.phone is not UNSET:
        number = _checked_phone(change.phone or "", region, errors)
        values |= {
            "phone": secrets.encrypt(number) if number else None,
            "phone_index": secrets.blind_index(number) if number else None,
        }
    if change.birth_date is not UNSET:
        day = change.birth_date
        _check_birth_date(day, work.now.date(), errors)
        values["birth_date"] = secrets.encrypt(day.isoformat()) if day else None
    if errors:
        raise Invalid(errors)
    row = await lock_person(work, person_id)
    for name, value in values.items():
        setattr(row, name, value)
    touched(work, row)
    changed = {name for name in values if not name.endswith("_index")}
    await note_access(work, Actor("user", person_id), person_subject(person_id), "changed", changed)


async def lock_person(work: UnitOfWork, person_id: UUID) -> PersonRow:
    """The row of a person, for changing it.

    Raises:
        PersonNotFound: there is no such person, or they have been erased.
    """
    row = await work.session.scalar(
        select(PersonRow)
        .where(PersonRow.id == person_id, PersonRow.erased_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise PersonNotFound
    return row


def touched(work: UnitOfWork, row: PersonRow) -> None:
    """Tell that a person has changed."""
    row.updated_at = work.now
    work.publish(ProfileUpdated(user_id=row.id))


def checked_choices(given: Choices, errors: list[FieldError]) -> dict[str, Any]:
    """The columns for language, currency and time zone; every unknown one is added to the errors."""
    known = {
        "language": (given.language, LANGUAGES, N_("Choose one of the languages.")),
        "currency": (given.currency, list_currencies(), N_("Choose a currency by its code, such as EUR.")),
        "timezone": (
            given.timezone,
            available_timezones(),
            N_("Choose a time zone by its name, such as Asia/Bangkok."),
        ),
    }
    values: dict[str, Any] = {}
    for field, (value, all_known, message) in known.items():
        if value is UNSET:
            continue
        values[field] = value or None
        if value and value not in all_known:
            errors.append(FieldError(field, f"unknown-{field}", message))
    return values


@cache
def list_currencies() -> frozenset[str]:
    """The currencies that are money somewhere today, by their codes (CLDR)."""
    by_territory = get_global("territory_currencies").values()
    return frozenset(
        code for used in by_territory for code, _start, end, is_tender in used if end is None and is_tender
    )


@cache
def list_timezones() -> tuple[str, ...]:
    """Time zones to choose from, each place once, by their names (the time zone database's own table)."""
    lines = (files("tzdata.zoneinfo") / "zone.tab").read_text().splitlines()
    return tuple(sorted(line.split("\t")[2] for line in lines if line and not line.startswith("#")))


def _checked_names(change: ProfileChange, errors: list[FieldError]) -> dict[str, Any]:
    values = {}
    for column, field, typed in (
        ("first_name", "firstName", change.first_name),
        ("last_name", "lastName", change.last_name),
    ):
        if typed is UNSET:
            continue
        name = values[column] = tidy_name(str(typed))
        if not name and column == "first_name":
            errors.append(FieldError(field, "required", N_("Enter your first name.")))
        elif len(name) > LONGEST_NAME:
            errors.append(FieldError(field, "too-long", N_("This name is too long.")))
        elif name and not is_name(name):
            errors.append(FieldError(field, "invalid-name", N_("A name has letters, and no such signs.")))
    return values


def _checked_phone(typed: str, region: str, errors: list[FieldError]) -> str:
    if not typed.strip():
        return ""
    number = phone_number(typed, region)
    if number is None:
        message = N_("Enter the phone number with its country code, such as +84 912 345 678.")
        errors.append(FieldError("phoneNumber", "invalid-phone", message))
    return number or ""


def _check_birth_date(day: date | None, today: date, errors: list[FieldError]) -> None:
    if day is None:
        return
    if day > today:
        errors.append(FieldError("dateOfBirth", "in-future", N_("This day is still to come.")))
    elif day.year < today.year - OLDEST_YEARS:
        errors.append(FieldError("dateOfBirth", "too-long-ago", N_("This is too long ago. Check the year.")))
