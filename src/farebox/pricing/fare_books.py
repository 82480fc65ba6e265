"""An operator's fares as one document: what its staff reads and sets, checked as a whole."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Final
from uuid import UUID

from farebox.accounts import Actor, Permission, get_reached_operator
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.pricing.auditing import changes_between, note_fare_changes
from farebox.pricing.commands import set_fare_terms
from farebox.pricing.fares import FareBook, Fares
from farebox.pricing.models import FareTermsRow
from farebox.pricing.queries import fares_with, read_fare_book, unset_fare_book
from farebox.pricing.rules import EVERY_WEEKDAY, PriceRule, RuleKind
from farebox.pricing.sale_terms import SaleTerms
from farebox.pricing.terms import BASIS_POINTS, FareCell
from farebox.timetable import list_places

LONGEST_NAME: Final = 60
LARGEST_PERCENT_BP: Final = 30_000
LONGEST_AHEAD: Final = 1000
"""Days before a departure, and far more than anybody sells ahead; hours in terms of sale are bounded alike."""


async def get_fare_book(work: UnitOfWork, operator_id: UUID, *, actor: Actor) -> FareBook:
    """All that an operator sells under, but for what its feeds say.

    Raises:
        OperatorNotFound: there is none, or this actor does not set its fares.
        SecondProofRequired: they do, with a second proof.
    """
    operator = await get_reached_operator(work, operator_id, actor=actor, permission=Permission.FARES_CHANGE)
    row = await work.session.get(FareTermsRow, operator_id, populate_existing=True)
    return await read_fare_book(work, row) if row else unset_fare_book(operator.currency)


async def set_fare_book(work: UnitOfWork, operator_id: UUID, book: FareBook, *, actor: Actor) -> None:
    """Set all of it, from the next quote on; bookings that exist keep their prices and terms.

    Raises:
        OperatorNotFound, SecondProofRequired: as for reading.
        Invalid: it makes no sense, field by field: `cells.3.adult`, `priceRules.0.lastDay`.
    """
    await _lock(work, operator_id)
    before = await get_fare_book(work, operator_id, actor=actor)
    await _set(work, operator_id, before, book, actor=actor)


async def change_fare_book(
    work: UnitOfWork, operator_id: UUID, change: Callable[[FareBook], FareBook], *, actor: Actor
) -> None:
    """Change a part of it; the rest stays as it is, also where two change different parts at once.

    Raises:
        OperatorNotFound, SecondProofRequired, Invalid: as for setting all of it.
    """
    await _lock(work, operator_id)
    before = await get_fare_book(work, operator_id, actor=actor)
    await _set(work, operator_id, before, change(before), actor=actor)


async def _lock(work: UnitOfWork, operator_id: UUID) -> None:
    """Whoever changes an operator's fares waits in one line, so that each knows what there was before."""
    await work.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"fares of {operator_id}"])


async def _set(work: UnitOfWork, operator_id: UUID, before: FareBook, book: FareBook, *, actor: Actor) -> None:
    await _refuse_nonsense(work, book)
    await set_fare_terms(
        work,
        operator_id,
        book.terms,
        by_distance=book.by_distance,
        surcharges=book.surcharges,
        cells=book.cells,
        price_rules=book.price_rules,
        sale_terms=book.sale_terms,
    )
    await note_fare_changes(work, operator_id, changes_between(before, book), actor=actor)


async def try_fare_book(work: UnitOfWork, operator_id: UUID, book: FareBook, *, actor: Actor) -> Fares:
    """The fares as they would be with it, to look at before it is set. Raises: as for setting it."""
    await get_reached_operator(work, operator_id, actor=actor, permission=Permission.FARES_CHANGE)
    await _refuse_nonsense(work, book)
    return await fares_with(work, operator_id, book)


async def _refuse_nonsense(work: UnitOfWork, book: FareBook) -> None:
    errors = [*_wrong_amounts(book), *_repeated(book), *await _unknown_places(work, book.cells)]
    for index, rule in enumerate(book.price_rules):
        errors += _wrong_rule(f"priceRules.{index}", rule)
    for index, terms in enumerate(book.sale_terms.values()):
        errors += _wrong_terms(f"saleTerms.{index}", terms)
    if errors:
        raise Invalid(errors)


def _wrong_amounts(book: FareBook) -> Iterable[FieldError]:
    amounts = {"serviceFee": book.terms.service_fee}
    for index, distance in enumerate(book.by_distance.values()):
        at = f"byDistance.{index}"
        amounts |= {f"{at}.base": distance.base, f"{at}.per100Km": distance.per_100_km}
        amounts |= {f"{at}.minimum": distance.minimum}
        if distance.step.minor <= 0:
            yield FieldError(f"{at}.step", "out-of-range", N_("Prices are rounded to steps of more than nothing."))
    amounts |= {f"surcharges.{index}.amount": each.amount for index, each in enumerate(book.surcharges)}
    for index, cell in enumerate(book.cells):
        own = {"adult": cell.adult, "child": cell.child, "senior": cell.senior}
        amounts |= {f"cells.{index}.{kind}": amount for kind, amount in own.items() if amount is not None}
    for field, amount in amounts.items():
        if amount.minor < 0:
            yield FieldError(field, "out-of-range", N_("An amount must not be negative."))
    if "standard" not in book.by_distance:
        message = N_("Say what standard seats cost by distance; it counts for all types without their own.")
        yield FieldError("byDistance", "standard-missing", message)


def _repeated(book: FareBook) -> Iterable[FieldError]:
    """What is said twice, where only one can count."""
    keys: dict[str, list[tuple[object, ...]]] = {
        "surcharges": [(each.seat_type, each.feature) for each in book.surcharges],
        "cells": [(cell.from_place, cell.to_place, cell.seat_type) for cell in book.cells],
    }
    for name, of_rows in keys.items():
        seen = set()
        for index, key in enumerate(of_rows):
            if key in seen:
                yield FieldError(f"{name}.{index}", "repeated", N_("This is there twice."))
            seen.add(key)


async def _unknown_places(work: UnitOfWork, cells: Iterable[FareCell]) -> list[FieldError]:
    ends = [
        (f"cells.{index}.{field}", place)
        for index, cell in enumerate(cells)
        for field, place in (("fromPlaceId", cell.from_place), ("toPlaceId", cell.to_place))
    ]
    known = await list_places(work, list({place for _, place in ends})) if ends else {}
    message = N_("We do not know this place.")
    return [FieldError(field, "unknown-place", message) for field, place in ends if place not in known]


_OPEN: Final = {
    "first_day": date.min,
    "last_day": date.max,
    "weekdays": EVERY_WEEKDAY,
    "from_load_bp": 0,
    "days_ahead": 0,
}
"""Conditions of price rules that stand open."""

_CONDITIONS: Final[dict[RuleKind, tuple[str, ...]]] = {
    "season": ("first_day", "last_day"),
    "weekday": ("weekdays",),
    "load": ("from_load_bp",),
    "early": ("days_ahead",),
    "round-trip": (),
}

_WIRE: Final = {
    "first_day": "firstDay",
    "last_day": "lastDay",
    "weekdays": "weekdays",
    "from_load_bp": "fromLoadBp",
    "days_ahead": "daysAhead",
}


def _wrong_rule(at: str, rule: PriceRule) -> Iterable[FieldError]:
    if not rule.name.strip() or len(rule.name) > LONGEST_NAME:
        message = N_("Name the rule, in at most {most} characters: travellers read it.")
        yield FieldError(f"{at}.name", "invalid-name", message, most=LONGEST_NAME)
    if not -BASIS_POINTS <= rule.percent_bp <= LARGEST_PERCENT_BP or rule.percent_bp == 0:
        message = N_("A rule takes off up to 100%, or adds up to 300%.")
        yield FieldError(f"{at}.percentBp", "out-of-range", message)
    elif rule.kind == "round-trip" and rule.percent_bp > 0:
        yield FieldError(f"{at}.percentBp", "out-of-range", N_("There and back is cheaper, not dearer."))
    yield from _wrong_conditions(at, rule)


def _wrong_conditions(at: str, rule: PriceRule) -> Iterable[FieldError]:
    for condition, is_open in _OPEN.items():
        stands_open = getattr(rule, condition) == is_open
        if condition in _CONDITIONS[rule.kind] and stands_open:
            yield FieldError(f"{at}.{_WIRE[condition]}", "required", N_("Say when the rule counts."))
        if condition not in _CONDITIONS[rule.kind] and not stands_open:
            yield FieldError(f"{at}.{_WIRE[condition]}", "not-of-this-kind", N_("This kind of rule has no such thing."))
    if rule.last_day < rule.first_day:
        yield FieldError(f"{at}.lastDay", "ends-before-start", N_("It must end after it starts."))
    if not 0 < rule.weekdays <= EVERY_WEEKDAY:
        yield FieldError(f"{at}.weekdays", "out-of-range", N_("Say when the rule counts."))
    if not 0 <= rule.from_load_bp <= BASIS_POINTS:
        yield FieldError(f"{at}.fromLoadBp", "out-of-range", N_("A vehicle is at most 100% full."))
    if not 0 <= rule.days_ahead <= LONGEST_AHEAD:
        message = N_("Name a number from 0 to {most}.")
        yield FieldError(f"{at}.daysAhead", "out-of-range", message, most=LONGEST_AHEAD)


def _wrong_open_return(at: str, terms: SaleTerms) -> Iterable[FieldError]:
    if terms.open_return_days is not None and not 1 <= terms.open_return_days <= LONGEST_AHEAD:
        message = N_("Name a number from 0 to {most}.")
        yield FieldError(f"{at}.openReturnDays", "out-of-range", message, most=LONGEST_AHEAD)
    if not 0 <= terms.open_return_refund_bp <= BASIS_POINTS:
        yield FieldError(f"{at}.openReturnRefundBp", "out-of-range", N_("Between nothing and 100% is paid back."))


def _wrong_terms(at: str, terms: SaleTerms) -> Iterable[FieldError]:
    yield from _wrong_open_return(at, terms)
    for index, (hours, refund_bp) in enumerate(terms.tiers):
        field = f"{at}.tiers.{index}"
        if not 0 <= hours <= LONGEST_AHEAD:
            message = N_("Name a number from 0 to {most}.")
            yield FieldError(f"{field}.hoursBefore", "out-of-range", message, most=LONGEST_AHEAD)
        if not 0 <= refund_bp <= BASIS_POINTS:
            yield FieldError(f"{field}.refundBp", "out-of-range", N_("Between nothing and 100% is paid back."))
    for index, ((earlier, more), (later, less)) in enumerate(zip(terms.tiers, terms.tiers[1:], strict=False), 1):
        if later >= earlier or less >= more:
            message = N_("Each step is later than the one before, and pays back less.")
            yield FieldError(f"{at}.tiers.{index}", "out-of-order", message)
    for field, hours_before in (("changeHours", terms.change_hours), ("renameHours", terms.rename_hours)):
        if hours_before is not None and not 0 <= hours_before <= LONGEST_AHEAD:
            message = N_("Name a number from 0 to {most}.")
            yield FieldError(f"{at}.{field}", "out-of-range", message, most=LONGEST_AHEAD)
    for field, fee in (("changeFee", terms.change_fee_minor), ("renameFee", terms.rename_fee_minor)):
        if fee < 0:
            yield FieldError(f"{at}.{field}", "out-of-range", N_("An amount must not be negative."))
