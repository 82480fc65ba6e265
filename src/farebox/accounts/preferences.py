"""What people like when they travel. It is theirs to tell or not, and nothing that they book depends on it."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import select

from farebox.accounts.errors import PersonNotFound
from farebox.accounts.people_models import PersonRow
from farebox.accounts.profile import list_currencies, lock_person, touched
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.money import Money

MOST: Final = 20
LONGEST_WORD: Final = 40

TravelStyle: TypeAlias = Literal["budget", "comfort", "luxury"]

INTERESTS: Final = (
    "beaches",
    "mountains",
    "nature",
    "history",
    "culture",
    "food",
    "nightlife",
    "shopping",
    "festivals",
    "adventure",
    "wellness",
    "family",
)
"""Interests that we offer; people may have others."""

DIETS: Final = (
    "vegetarian",
    "vegan",
    "halal",
    "kosher",
    "gluten-free",
    "lactose-free",
    "no-nuts",
    "no-seafood",
)
"""What we offer to say about food; people may say other things."""


class BudgetRange(msgspec.Struct, frozen=True, kw_only=True):
    """What a trip may cost, in one currency. `None`: no such bound."""

    currency: str
    min_minor: int | None = None
    max_minor: int | None = None

    @property
    def least(self) -> Money | None:
        return None if self.min_minor is None else Money(self.min_minor, self.currency)

    @property
    def most(self) -> Money | None:
        return None if self.max_minor is None else Money(self.max_minor, self.currency)


class Preferences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As they are kept; `favorite_destinations` are places of the timetable."""

    favorite_destinations: tuple[UUID, ...] = ()
    budget_range: BudgetRange | None = None
    travel_style: TravelStyle | None = None
    interests: tuple[str, ...] = ()
    dietary_restrictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesChange:
    """What to change. What is not given stays.

    Attributes:
        budget: the least and the most, either of them `None`; `None`: no range at all.
    """

    favorite_destinations: Sequence[UUID] | UnsetType = UNSET
    budget: tuple[Money | None, Money | None] | UnsetType | None = UNSET
    travel_style: TravelStyle | UnsetType | None = UNSET
    interests: Sequence[str] | UnsetType = UNSET
    dietary_restrictions: Sequence[str] | UnsetType = UNSET


async def get_preferences(work: UnitOfWork, person_id: UUID) -> Preferences:
    """What somebody likes; nothing, where they have told nothing.

    Raises:
        PersonNotFound: there is no such person.
    """
    kept = await work.session.scalar(
        select(PersonRow.preferences).where(PersonRow.id == person_id, PersonRow.erased_at.is_(None))
    )
    if kept is None:
        raise PersonNotFound
    return msgspec.convert(kept, Preferences)


async def update_preferences(
    work: UnitOfWork, person_id: UUID, change: PreferencesChange, *, places: Collection[UUID]
) -> Preferences:
    """Change what somebody likes; what it is then.

    Args:
        places: those of the favourite destinations that exist.

    Raises:
        Invalid: with every rule that is broken, by the names of the wire.
        PersonNotFound: there is no such person.
    """
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    if change.favorite_destinations is not UNSET:
        values["favorite_destinations"] = _checked_places(change.favorite_destinations, places, errors)
    if change.budget is not UNSET:
        values["budget_range"] = _checked_budget(change.budget, errors)
    if change.travel_style is not UNSET:
        values["travel_style"] = change.travel_style
    if change.interests is not UNSET:
        values["interests"] = _checked_words("interests", change.interests, errors)
    if change.dietary_restrictions is not UNSET:
        values["dietary_restrictions"] = _checked_words("dietaryRestrictions", change.dietary_restrictions, errors)
    if errors:
        raise Invalid(errors)
    row = await lock_person(work, person_id)
    preferences = msgspec.structs.replace(msgspec.convert(row.preferences, Preferences), **values)
    row.preferences = msgspec.to_builtins(preferences)
    touched(work, row)
    return preferences


def _checked_places(given: Sequence[UUID], known: Collection[UUID], errors: list[FieldError]) -> tuple[UUID, ...]:
    _check_number("favoriteDestinations", given, errors)
    errors += [
        FieldError(f"favoriteDestinations.{index}", "unknown-place", N_("There is no such place."))
        for index, place_id in enumerate(given[:MOST])
        if place_id not in known
    ]
    return tuple(dict.fromkeys(given))


def _checked_budget(given: tuple[Money | None, Money | None] | None, errors: list[FieldError]) -> BudgetRange | None:
    if given is None or given == (None, None):
        return None
    least, most = given
    bounds = [bound for bound in given if bound is not None]
    currency = bounds[0].currency
    if currency not in list_currencies():
        errors.append(FieldError("budgetRange", "unknown-currency", N_("Choose a currency by its code, such as EUR.")))
    elif any(bound.currency != currency for bound in bounds):
        errors.append(FieldError("budgetRange", "mixed-currencies", N_("Both amounts are in one currency.")))
    elif any(bound.minor < 0 for bound in bounds):
        errors.append(FieldError("budgetRange", "negative", N_("An amount is nothing or more.")))
    elif least is not None and most is not None and most < least:
        errors.append(FieldError("budgetRange", "wrong-order", N_("The most is less than the least.")))
    return BudgetRange(
        currency=currency,
        min_minor=None if least is None else least.minor,
        max_minor=None if most is None else most.minor,
    )


def _checked_words(field: str, given: Sequence[str], errors: list[FieldError]) -> tuple[str, ...]:
    _check_number(field, given, errors)
    words = [" ".join(unicodedata.normalize("NFC", word).split()) for word in given[:MOST]]
    for index, word in enumerate(words):
        if not word or not word.isprintable():
            errors.append(FieldError(f"{field}.{index}", "invalid-word", N_("Write a word or two.")))
        elif len(word) > LONGEST_WORD:
            errors.append(FieldError(f"{field}.{index}", "too-long", N_("Say it shorter: a word or two.")))
    return tuple(dict.fromkeys(words))


def _check_number(field: str, given: Sequence[object], errors: list[FieldError]) -> None:
    if len(given) > MOST:
        errors.append(FieldError(field, "too-many", N_("Name {most} at most."), most=MOST))
