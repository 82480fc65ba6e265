"""Whose fares an import changes: of a feed with several operators, those whom a rule that changed can be for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.pricing.auditing import FareChange, FaresOfFeed
from farebox.timetable import LineOfFeed

_SAID = """
    SELECT product.code, product.currency, rule.operator_id, rule.line_id, rule.network_id, md5(concat(
           to_jsonb(product)::text,
           string_agg((to_jsonb(rule) - 'id')::text, ' ' ORDER BY (to_jsonb(rule) - 'id')::text)))
      FROM fare_product product
      JOIN fare_rule rule ON rule.feed_id = product.feed_id AND rule.product_code = product.code
     WHERE product.feed_id = %s
     GROUP BY product.feed_id, product.code, rule.operator_id, rule.line_id, rule.network_id
"""


@dataclass(frozen=True, slots=True)
class SaidFare:
    """What a feed says of a product for one operator, line or network; `None`: for all. `digest`: of all it says."""

    code: str
    currency: str
    operator_id: UUID | None
    line_id: UUID | None
    network_id: str | None
    digest: str


async def list_said(work: UnitOfWork, feed_id: UUID) -> list[SaidFare]:
    """The fares that a feed has by now. A product without a rule is none: nobody takes it."""
    return [SaidFare(*row) for row in await (await work.execute(_SAID, (feed_id,))).fetchall()]


def said_for(
    said: Iterable[SaidFare], operator_id: UUID, currency: str, lines: Sequence[LineOfFeed]
) -> frozenset[SaidFare]:
    """Those that an operator sells, which sells in this currency: for all, for itself, or for something of its own."""
    own = [line for line in lines if line.operator_id == operator_id]
    line_ids = {line.id for line in own}
    networks = {network for line in own for network in line.network_ids}
    return frozenset(
        each
        for each in said
        if each.currency == currency
        and each.operator_id in {None, operator_id}
        and (each.line_id is None or each.line_id in line_ids)
        and (each.network_id is None or each.network_id in networks)
    )


def changes_of_feed(before: frozenset[SaidFare], after: frozenset[SaidFare]) -> list[FareChange]:
    """What differs for one operator, in how many products it sells; nothing where it sells the same."""
    return [] if before == after else [FareChange("feed", "", _summed(before), _summed(after))]


def _summed(said: frozenset[SaidFare]) -> FaresOfFeed | None:
    return FaresOfFeed(len({each.code for each in said})) if said else None
