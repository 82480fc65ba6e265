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
           string_agg((to_jsonb(rule) - 'id')::text, ' ' ORDER BY (to_jsonb(rule) - 'id')::text))),
           array_remove(array_agg(DISTINCT rule.origin), NULL),
           array_remove(array_agg(DISTINCT rule.destination), NULL),
           bool_or(rule.is_exclusive AND rule.origin IS NULL),
           bool_or(rule.is_exclusive AND rule.destination IS NULL)
      FROM fare_product product
      JOIN fare_rule rule ON rule.feed_id = product.feed_id AND rule.product_code = product.code
     WHERE product.feed_id = %s
     GROUP BY product.feed_id, product.code, rule.operator_id, rule.line_id, rule.network_id
"""


@dataclass(frozen=True, slots=True)
class SaidFare:
    """What a feed says of a product for one operator, line or network; `None`: for all.

    Attributes:
        digest: of all it says.
        origins, destinations: the areas that it names.
        has_open_origin, has_open_destination: it also means all areas that no rule of the feed names.
    """

    code: str
    currency: str
    operator_id: UUID | None
    line_id: UUID | None
    network_id: str | None
    digest: str
    origins: frozenset[str]
    destinations: frozenset[str]
    has_open_origin: bool
    has_open_destination: bool


@dataclass(frozen=True, slots=True)
class SoldFare:
    """What an operator sells of that: for these areas of its own where no rule names any, beside what is named."""

    said: SaidFare
    other_origins: frozenset[str]
    other_destinations: frozenset[str]


async def list_said(work: UnitOfWork, feed_id: UUID) -> list[SaidFare]:
    """The fares that a feed has by now. A product without a rule is none: nobody takes it."""
    rows = await (await work.execute(_SAID, (feed_id,))).fetchall()
    return [
        SaidFare(
            code, currency, operator_id, line_id, network_id, digest, frozenset(origins), frozenset(ends), *is_open
        )
        for code, currency, operator_id, line_id, network_id, digest, origins, ends, *is_open in rows
    ]


def sold_by(
    said: Iterable[SaidFare], operator_id: UUID, currency: str, lines: Sequence[LineOfFeed], areas: frozenset[str]
) -> frozenset[SoldFare]:
    """Those that an operator sells, which sells in this currency: for all, for itself, or for something of its own.

    Args:
        areas: at whose stops it calls. A rule of another operator's network that names one takes it out of what a rule
            of this one means without naming any.
    """
    in_currency = [each for each in said if each.currency == currency and each.operator_id in {None, operator_id}]
    others_from = areas.difference(*(each.origins for each in in_currency))
    others_to = areas.difference(*(each.destinations for each in in_currency))
    none: frozenset[str] = frozenset()
    own = [line for line in lines if line.operator_id == operator_id]
    line_ids = {line.id for line in own}
    networks = {network for line in own for network in line.network_ids}
    return frozenset(
        SoldFare(
            each,
            others_from if each.has_open_origin else none,
            others_to if each.has_open_destination else none,
        )
        for each in in_currency
        if (each.line_id is None or each.line_id in line_ids)
        and (each.network_id is None or each.network_id in networks)
    )


def changes_of_feed(before: frozenset[SoldFare], after: frozenset[SoldFare]) -> list[FareChange]:
    """What differs for one operator, in how many products it sells; nothing where it sells the same."""
    return [] if before == after else [FareChange("feed", "", _summed(before), _summed(after))]


def _summed(sold: frozenset[SoldFare]) -> FaresOfFeed | None:
    return FaresOfFeed(len({each.said.code for each in sold})) if sold else None
