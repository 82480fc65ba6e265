"""Changing an operator's fares."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.pricing.errors import BadFareTerms
from farebox.pricing.models import DistanceFareRow, FareTermsRow, SeatSurchargeRow
from farebox.pricing.terms import DistanceFare, FareTerms, SeatSurcharge, default_distance_fares


async def set_fare_terms(
    work: UnitOfWork,
    operator_id: UUID,
    terms: FareTerms,
    *,
    by_distance: Mapping[str, DistanceFare] | None = None,
    surcharges: Sequence[SeatSurcharge] | None = None,
) -> None:
    """Set what an operator sells under, from the next quote on; bookings that exist keep their prices.

    Args:
        by_distance: seat type -> price by distance, with one for `standard`. Not given: what it had, or, in a new
            currency, sensible ones.
        surcharges: of seats. Not given: what it had.

    Raises:
        BadFareTerms: amounts in several currencies, or no price by distance for `standard` seats.
    """
    currency = terms.currency
    before = await work.session.scalar(select(FareTermsRow.currency).where(FareTermsRow.operator_id == operator_id))
    if by_distance is None and before != currency:
        by_distance = default_distance_fares(currency)
    if surcharges is None and before not in {None, currency}:
        surcharges = ()
    _check(currency, by_distance, surcharges)
    values = {
        "version": new_id(),
        "currency": currency,
        "sells_by_distance": terms.sells_by_distance,
        "service_fee_minor": terms.service_fee.minor,
        "tax_rate_bp": terms.tax_rate_bp,
        "child_discount_bp": terms.child_discount_bp,
        "senior_discount_bp": terms.senior_discount_bp,
    }
    await work.session.execute(
        upsert(FareTermsRow)
        .values(operator_id=operator_id, feed_ids=[], **values)
        .on_conflict_do_update(index_elements=["operator_id"], set_=values)
    )
    if by_distance is not None:
        await _replace_distance_fares(work, operator_id, by_distance)
    if surcharges is not None:
        await _replace_surcharges(work, operator_id, surcharges)


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
    by_distance: Mapping[str, DistanceFare] | None,
    surcharges: Sequence[SeatSurcharge] | None,
) -> None:
    amounts = [surcharge.amount for surcharge in surcharges or ()]
    for fare in (by_distance or {}).values():
        amounts += [fare.base, fare.per_100_km, fare.minimum, fare.step]
    if any(amount.currency != currency for amount in amounts):
        raise BadFareTerms(reason=f"every amount must be in {currency}")
    if by_distance is not None and "standard" not in by_distance:
        raise BadFareTerms(reason="a price by distance for standard seats is missing")


async def _replace_distance_fares(work: UnitOfWork, operator_id: UUID, fares: Mapping[str, DistanceFare]) -> None:
    await work.session.execute(delete(DistanceFareRow).where(DistanceFareRow.operator_id == operator_id))
    rows = [
        {
            "operator_id": operator_id,
            "seat_type": seat_type,
            "base_minor": fare.base.minor,
            "per_100_km_minor": fare.per_100_km.minor,
            "minimum_minor": fare.minimum.minor,
            "step_minor": fare.step.minor,
        }
        for seat_type, fare in fares.items()
    ]
    await work.session.execute(insert(DistanceFareRow), rows)


async def _replace_surcharges(work: UnitOfWork, operator_id: UUID, surcharges: Sequence[SeatSurcharge]) -> None:
    await work.session.execute(delete(SeatSurchargeRow).where(SeatSurchargeRow.operator_id == operator_id))
    if surcharges:
        rows = [
            {
                "operator_id": operator_id,
                "seat_type": each.seat_type,
                "feature": each.feature,
                "minor": each.amount.minor,
            }
            for each in surcharges
        ]
        await work.session.execute(insert(SeatSurchargeRow), rows)
