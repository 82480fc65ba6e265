"""Changing one part of what an operator sells under: a fare, a rule, the terms of a type of seat. The rest stays.

All are checked as the whole document is, under names of its fields (`cells.3.adult`), and hold from the next price on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from farebox.accounts import Actor
from farebox.core.db import UnitOfWork
from farebox.pricing.errors import FareNotFound, PriceRuleNotFound
from farebox.pricing.fare_books import change_fare_book
from farebox.pricing.fares import FareBook
from farebox.pricing.rules import PriceRule
from farebox.pricing.sale_terms import SaleTerms
from farebox.pricing.terms import DistanceFare, FareCell, FareTerms, SeatSurcharge


async def set_fare(work: UnitOfWork, operator_id: UUID, cell: FareCell, *, actor: Actor) -> None:
    """Set a fare by hand, in the place of what there is between these two places for this type of seat."""

    def change(book: FareBook) -> FareBook:
        return replace(book, cells=[*(each for each in book.cells if not _is_alike(each, cell)), cell])

    await change_fare_book(work, operator_id, change, actor=actor)


async def end_fare(
    work: UnitOfWork, operator_id: UUID, from_place: UUID, to_place: UUID, seat_type: str, *, actor: Actor
) -> FareCell:
    """End a fare that was set by hand: the feed's counts again, or the one by distance.

    Returns:
        The fare that there was.

    Raises:
        FareNotFound: there is none.
    """
    ended: list[FareCell] = []

    def change(book: FareBook) -> FareBook:
        wanted = from_place, to_place, seat_type
        ended[:] = [each for each in book.cells if (each.from_place, each.to_place, each.seat_type) == wanted]
        if not ended:
            raise FareNotFound
        return replace(book, cells=[each for each in book.cells if each not in ended])

    await change_fare_book(work, operator_id, change, actor=actor)
    return ended[0]


async def change_price_rule(
    work: UnitOfWork, operator_id: UUID, before: PriceRule | None, after: PriceRule | None, *, actor: Actor
) -> None:
    """Put one rule in the place of another; without `before` it is added, without `after` it is taken out.

    Raises:
        PriceRuleNotFound: there is no such rule any more; somebody may have changed it meanwhile.
    """
    await change_fare_book(work, operator_id, lambda book: with_price_rule(book, before, after), actor=actor)


def with_price_rule(book: FareBook, before: PriceRule | None, after: PriceRule | None) -> FareBook:
    """The same, of what an operator sells under. Raises `PriceRuleNotFound`."""
    rules = list(book.price_rules)
    new = [after] if after else []
    if before is None:
        return replace(book, price_rules=[*rules, *new])
    if before not in rules:
        raise PriceRuleNotFound
    at = rules.index(before)
    return replace(book, price_rules=[*rules[:at], *new, *rules[at + 1 :]])


async def set_sale_terms(
    work: UnitOfWork, operator_id: UUID, seat_type: str, terms: SaleTerms | None, *, actor: Actor
) -> None:
    """Set the terms for a type of seat, or (empty) for any; `None`: it has none of its own any more."""

    def change(book: FareBook) -> FareBook:
        others = {kind: each for kind, each in book.sale_terms.items() if kind != seat_type}
        return replace(book, sale_terms=others | ({seat_type: terms} if terms else {}))

    await change_fare_book(work, operator_id, change, actor=actor)


async def set_general_terms(
    work: UnitOfWork,
    operator_id: UUID,
    change_terms: Callable[[FareTerms], FareTerms],
    *,
    by_distance: Mapping[str, DistanceFare] | None = None,
    surcharges: Sequence[SeatSurcharge] | None = None,
    actor: Actor,
) -> None:
    """Set what holds for everything that an operator sells; what is not given stays as it is, in the same currency."""

    def change(book: FareBook) -> FareBook:
        return replace(
            book,
            terms=change_terms(book.terms),
            by_distance=book.by_distance if by_distance is None else by_distance,
            surcharges=book.surcharges if surcharges is None else surcharges,
        )

    await change_fare_book(work, operator_id, change, actor=actor)


def _is_alike(one: FareCell, other: FareCell) -> bool:
    return (one.from_place, one.to_place, one.seat_type) == (other.from_place, other.to_place, other.seat_type)
