"""Changing an operator's fares."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import cast, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.pricing.errors import BadFareTerms
from farebox.pricing.models import (
    DistanceFareRow,
    FareCellRow,
    FareTermsRow,
    PriceRuleRow,
    SaleTermsRow,
    SeatSurchargeRow,
)
from farebox.pricing.rules import EVERY_WEEKDAY, PriceRule
from farebox.pricing.sale_terms import SaleTerms
from farebox.pricing.terms import DistanceFare, FareCell, FareTerms, SeatSurcharge, default_distance_fares

_OfOperator: TypeAlias = DistanceFareRow | SeatSurchargeRow | FareCellRow | PriceRuleRow | SaleTermsRow


async def set_fare_terms(
    work: UnitOfWork,
    operator_id: UUID,
    terms: FareTerms,
    *,
    by_distance: Mapping[str, DistanceFare] | None = None,
    surcharges: Sequence[SeatSurcharge] | None = None,
    cells: Sequence[FareCell] | None = None,
    price_rules: Sequence[PriceRule] | None = None,
    sale_terms: Mapping[str, SaleTerms] | None = None,
) -> None:
    """Set what an operator sells under, from the next quote on; bookings that exist keep their prices and terms.

    What is given replaces what there was of its kind. What is not given stays, but for amounts when the currency
    changes: prices by distance become sensible ones, surcharges, fares by hand and fees for changes are dropped.

    Args:
        by_distance: seat type -> price by distance, with one for `standard`.
        surcharges: of seats.
        cells: fares from place to place.
        price_rules: what makes some departures dearer or cheaper.
        sale_terms: seat type -> terms, of any type under the empty text.

    Raises:
        BadFareTerms: amounts in several currencies, or no price by distance for `standard` seats.
    """
    currency = terms.currency
    before = await work.session.scalar(select(FareTermsRow.currency).where(FareTermsRow.operator_id == operator_id))
    is_new_currency = before not in {None, currency}
    if by_distance is None and before != currency:
        by_distance = default_distance_fares(currency)
    if is_new_currency:
        surcharges, cells = surcharges or (), cells or ()
    _check(currency, by_distance or {}, surcharges or (), cells or ())
    if by_distance is not None and "standard" not in by_distance:
        raise BadFareTerms(reason="a price by distance for standard seats is missing")
    values = {
        "version": new_id(),
        "currency": currency,
        "sells_by_distance": terms.sells_by_distance,
        "service_fee_minor": terms.service_fee.minor,
        "tax_rate_bp": terms.tax_rate_bp,
        "child_discount_bp": terms.child_discount_bp,
        "senior_discount_bp": terms.senior_discount_bp,
        "is_tax_added": terms.is_tax_added,
    }
    await work.session.execute(
        upsert(FareTermsRow)
        .values(operator_id=operator_id, feed_ids=[], **values)
        .on_conflict_do_update(index_elements=["operator_id"], set_=values)
    )
    if by_distance is not None:
        await _replace(work, DistanceFareRow, operator_id, _distance_rows(by_distance))
    if surcharges is not None:
        await _replace(work, SeatSurchargeRow, operator_id, _surcharge_rows(surcharges))
    if cells is not None:
        await _replace(work, FareCellRow, operator_id, _cell_rows(cells))
    if price_rules is not None:
        await _replace(work, PriceRuleRow, operator_id, _rule_rows(price_rules))
    if sale_terms is not None:
        rows = [{"seat_type": kind, "terms": msgspec.to_builtins(each)} for kind, each in sale_terms.items()]
        await _replace(work, SaleTermsRow, operator_id, rows)
    elif is_new_currency:
        free = SaleTermsRow.terms.op("||")(cast({"change_fee_minor": 0, "rename_fee_minor": 0}, JSONB))
        await work.session.execute(
            update(SaleTermsRow).where(SaleTermsRow.operator_id == operator_id).values(terms=free)
        )


async def sell_feed(work: UnitOfWork, operator_id: UUID, feed_id: UUID, currency: str) -> None:
    """Let an operator sell the fares of a feed, told in `currency`; in a new currency its amounts begin afresh."""
    known = await work.session.scalar(select(FareTermsRow).where(FareTermsRow.operator_id == operator_id))
    if known is None or known.currency != currency:
        terms = FareTerms(
            service_fee=Money.zero(currency),
            tax_rate_bp=known.tax_rate_bp if known else 0,
            child_discount_bp=known.child_discount_bp if known else 0,
            senior_discount_bp=known.senior_discount_bp if known else 0,
            sells_by_distance=known.sells_by_distance if known else True,
            is_tax_added=known.is_tax_added if known else False,
        )
        await set_fare_terms(work, operator_id, terms)
    await work.session.execute(
        update(FareTermsRow)
        .where(FareTermsRow.operator_id == operator_id)
        .values(
            version=new_id(), feed_ids=func.array_append(func.array_remove(FareTermsRow.feed_ids, feed_id), feed_id)
        )
    )


def _check(
    currency: str,
    by_distance: Mapping[str, DistanceFare],
    surcharges: Sequence[SeatSurcharge],
    cells: Sequence[FareCell],
) -> None:
    amounts = [surcharge.amount for surcharge in surcharges]
    for fare in by_distance.values():
        amounts += [fare.base, fare.per_100_km, fare.minimum, fare.step]
    for cell in cells:
        amounts += [amount for amount in (cell.adult, cell.child, cell.senior) if amount is not None]
    if any(amount.currency != currency for amount in amounts):
        raise BadFareTerms(reason=f"every amount must be in {currency}")


async def _replace(
    work: UnitOfWork, table: type[_OfOperator], operator_id: UUID, rows: Sequence[Mapping[str, Any]]
) -> None:
    await work.session.execute(delete(table).where(table.operator_id == operator_id))
    if rows:
        await work.session.execute(insert(table), [{"operator_id": operator_id, **row} for row in rows])


def _distance_rows(fares: Mapping[str, DistanceFare]) -> list[dict[str, Any]]:
    return [
        {
            "seat_type": seat_type,
            "base_minor": fare.base.minor,
            "per_100_km_minor": fare.per_100_km.minor,
            "minimum_minor": fare.minimum.minor,
            "step_minor": fare.step.minor,
        }
        for seat_type, fare in fares.items()
    ]


def _surcharge_rows(surcharges: Sequence[SeatSurcharge]) -> list[dict[str, Any]]:
    return [{"seat_type": each.seat_type, "feature": each.feature, "minor": each.amount.minor} for each in surcharges]


def _cell_rows(cells: Sequence[FareCell]) -> list[dict[str, Any]]:
    return [
        {
            "from_place_id": cell.from_place,
            "to_place_id": cell.to_place,
            "seat_type": cell.seat_type,
            "adult_minor": cell.adult.minor,
            "child_minor": None if cell.child is None else cell.child.minor,
            "senior_minor": None if cell.senior is None else cell.senior.minor,
        }
        for cell in cells
    ]


def _rule_rows(rules: Sequence[PriceRule]) -> list[dict[str, Any]]:
    """A condition that stands open is NULL."""
    return [
        {
            "id": new_id(),
            "kind": rule.kind,
            "name": rule.name,
            "percent_bp": rule.percent_bp,
            "first_day": None if rule.first_day == date.min else rule.first_day,
            "last_day": None if rule.last_day == date.max else rule.last_day,
            "weekdays": None if rule.weekdays == EVERY_WEEKDAY else rule.weekdays,
            "from_load_bp": rule.from_load_bp or None,
            "days_ahead": rule.days_ahead or None,
            "is_on": rule.is_on,
        }
        for rule in rules
    ]
