"""Reading fares: whole operators at a time, kept in memory until they change."""

from collections import OrderedDict
from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import or_, select

from farebox.accounts import get_operator
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.core.together import Question
from farebox.pricing.fares import FareBook, FareRule, Fares
from farebox.pricing.models import (
    DistanceFareRow,
    FareCellRow,
    FareProductRow,
    FareRuleRow,
    FareTermsRow,
    PriceRuleRow,
    SaleTermsRow,
    SeatSurchargeRow,
)
from farebox.pricing.rules import PriceRule
from farebox.pricing.sale_terms import SaleTerms
from farebox.pricing.terms import (
    DistanceFare,
    FareCell,
    FareTerms,
    PassengerType,
    SeatSurcharge,
    default_distance_fares,
)

CACHED_OPERATORS = 64
"""Operators whose fares a process keeps; those not asked for longest go first."""

FARE_VERSIONS: Final[Question[UUID, UUID]] = Question(
    "SELECT operator_id, version FROM fare_terms WHERE operator_id = ANY($1::uuid[])", lambda row: row[1]
)
"""The versions of operators' fares, which change whenever the fares do; operators without terms have none."""

CELLS: Final = FareCellRow.__table__.c
"""Without objects for each row: an operator may have thousands."""

CONDITIONS: Final = ("first_day", "last_day", "weekdays", "from_load_bp", "days_ahead")
"""Of price rules: NULL in the table is a condition that stands open."""

_cache: OrderedDict[tuple[UUID, UUID | str], Fares] = OrderedDict()
"""By operator and version of its terms; where it has none, by operator and currency."""


async def load_fares(work: UnitOfWork, operator_id: UUID) -> Fares:
    """The operator's fares as they are now: one small query, and the tables only when they changed.

    An operator without terms sells by distance in its own currency.

    Raises:
        OperatorNotFound: no such operator.
    """
    found = await load_fares_of(work, [operator_id])
    if operator_id in found:
        return found[operator_id]
    return await fares_at(work, operator_id, None, currency=(await get_operator(work, operator_id)).currency)


async def load_fares_of(work: UnitOfWork, operator_ids: Collection[UUID]) -> dict[UUID, Fares]:
    """The fares of several operators in one query; operators without terms are left out (see `load_fares`)."""
    versions = await FARE_VERSIONS.ask(work, operator_ids)
    return {operator_id: await _versioned(work, operator_id, version) for operator_id, version in versions.items()}


async def fares_at(work: UnitOfWork, operator_id: UUID, version: UUID | None, *, currency: str) -> Fares:
    """The operator's fares of a version that was read just now; `None`: it has no terms, and this currency."""
    if version is not None:
        return await _versioned(work, operator_id, version)
    fares = _cached((operator_id, currency))
    if fares is None:
        fares = _keep((operator_id, currency), Fares(operator_id, unset_fare_book(currency)))
    return fares


async def fares_with(work: UnitOfWork, operator_id: UUID, book: FareBook) -> Fares:
    """The fares as they would be, were this what the operator sells under; not kept in memory."""
    row = await work.session.get(FareTermsRow, operator_id, populate_existing=True)
    return Fares(operator_id, book, await _read_rules(work, row) if row else ())


def unset_fare_book(currency: str) -> FareBook:
    """What an operator sells under that has set nothing: by distance."""
    return FareBook(terms=FareTerms(Money.zero(currency)), by_distance=default_distance_fares(currency))


async def _versioned(work: UnitOfWork, operator_id: UUID, version: UUID) -> Fares:
    fares = _cached((operator_id, version))
    if fares is None:
        # The terms may have been changed in this very unit of work, after it had read them.
        row = await work.session.get_one(FareTermsRow, operator_id, populate_existing=True)
        book = await read_fare_book(work, row)
        fares = _keep((operator_id, version), Fares(operator_id, book, await _read_rules(work, row)))
    return fares


def _cached(key: tuple[UUID, UUID | str]) -> Fares | None:
    if key in _cache:
        _cache.move_to_end(key)
    return _cache.get(key)


def _keep(key: tuple[UUID, UUID | str], fares: Fares) -> Fares:
    _cache[key] = fares
    while len(_cache) > CACHED_OPERATORS:
        _cache.popitem(last=False)
    return fares


async def read_fare_book(work: UnitOfWork, row: FareTermsRow) -> FareBook:
    """All that an operator with terms has set."""
    operator_id, currency = row.operator_id, row.currency
    distances = await work.session.scalars(select(DistanceFareRow).where(DistanceFareRow.operator_id == operator_id))
    by_distance = {
        fare.seat_type: DistanceFare(
            Money(fare.base_minor, currency),
            Money(fare.per_100_km_minor, currency),
            Money(fare.minimum_minor, currency),
            Money(fare.step_minor, currency),
        )
        for fare in distances
    }
    surcharges = await work.session.scalars(
        select(SeatSurchargeRow).where(SeatSurchargeRow.operator_id == operator_id).order_by(SeatSurchargeRow.id)
    )
    cells = await work.session.execute(select(*CELLS).where(CELLS.operator_id == operator_id))
    rules = await work.session.scalars(
        select(PriceRuleRow).where(PriceRuleRow.operator_id == operator_id).order_by(PriceRuleRow.id)
    )
    sale_terms = await work.session.scalars(select(SaleTermsRow).where(SaleTermsRow.operator_id == operator_id))
    return FareBook(
        terms=_terms(row),
        by_distance=by_distance or default_distance_fares(currency),
        surcharges=[SeatSurcharge(Money(each.minor, currency), each.seat_type, each.feature) for each in surcharges],
        cells=[_cell(each, currency) for each in cells],
        price_rules=[_price_rule(each) for each in rules],
        sale_terms={each.seat_type: msgspec.convert(each.terms, SaleTerms) for each in sale_terms},
    )


def _cell(row: Any, currency: str) -> FareCell:
    return FareCell(
        from_place=row.from_place_id,
        to_place=row.to_place_id,
        seat_type=row.seat_type,
        adult=Money(row.adult_minor, currency),
        child=None if row.child_minor is None else Money(row.child_minor, currency),
        senior=None if row.senior_minor is None else Money(row.senior_minor, currency),
    )


def _price_rule(row: PriceRuleRow) -> PriceRule:
    conditions = {name: getattr(row, name) for name in CONDITIONS}
    return PriceRule(
        kind=row.kind,  # type: ignore[arg-type]  # the table's CHECK says so
        name=row.name,
        percent_bp=row.percent_bp,
        is_on=row.is_on,
        **{name: value for name, value in conditions.items() if value is not None},
    )


def _terms(row: FareTermsRow) -> FareTerms:
    return FareTerms(
        service_fee=Money(row.service_fee_minor, row.currency),
        tax_rate_bp=row.tax_rate_bp,
        child_discount_bp=row.child_discount_bp,
        senior_discount_bp=row.senior_discount_bp,
        sells_by_distance=row.sells_by_distance,
        is_tax_added=row.is_tax_added,
    )


async def _read_rules(work: UnitOfWork, row: FareTermsRow) -> list[FareRule]:
    """The rules of the operator's feeds, without those told in a currency that the operator does not sell in."""
    products = await work.session.scalars(
        select(FareProductRow).where(FareProductRow.feed_id.in_(row.feed_ids), FareProductRow.currency == row.currency)
    )
    prices = {(product.feed_id, product.code): _prices(product) for product in products}
    columns = FareRuleRow.__table__.c
    rules = await work.session.execute(
        select(*columns).where(
            columns.feed_id.in_(row.feed_ids),
            or_(columns.operator_id.is_(None), columns.operator_id == row.operator_id),
        )
    )
    return [
        FareRule(
            feed_id=rule.feed_id,
            prices=prices[rule.feed_id, rule.product_code],
            line_id=rule.line_id,
            network=rule.network_id,
            origin=rule.origin,
            destination=rule.destination,
            contains=None if rule.contains is None else frozenset(rule.contains),
            priority=rule.priority,
            is_zonal=rule.is_zonal,
            is_exclusive=rule.is_exclusive,
        )
        for rule in rules
        if (rule.feed_id, rule.product_code) in prices
    ]


def _prices(product: FareProductRow) -> dict[PassengerType, Money]:
    amounts: dict[PassengerType, int | None] = {
        "adult": product.adult_minor,
        "child": product.child_minor,
        "senior": product.senior_minor,
    }
    return {kind: Money(minor, product.currency) for kind, minor in amounts.items() if minor is not None}
