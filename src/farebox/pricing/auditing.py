"""Who changed what is sold: written down in the transaction that changes it, and read by the operator's own people."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb
from sqlalchemy import select

from farebox.accounts import Actor, Permission, get_reached_operator
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.pricing.fares import FareBook
from farebox.pricing.models import FareAuditRow
from farebox.pricing.rules import PriceRule
from farebox.pricing.sale_terms import SaleTerms
from farebox.pricing.terms import DistanceFare, FareCell, FareTerms, SeatSurcharge

FarePart: TypeAlias = Literal["fare", "distance", "surcharge", "rule", "sale-terms", "money", "code", "feed"]

IMPORT: Final = "import"
"""Who changes fares by taking over a feed, which is done at the command line."""


@dataclass(frozen=True, slots=True)
class FaresOfFeed:
    """The fares that a feed has brought along: how many products."""

    products: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPromotion:
    """What a promotion is to be: see `Promotion`. `minimum` is in the currency of the bookings that it is for."""

    operator_id: UUID | None
    code: str
    percent_bp: int | None = None
    amount: Money | None = None
    minimum: Money | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    total_limit: int | None = None
    person_limit: int | None = None


Sold: TypeAlias = (
    FareCell | DistanceFare | SeatSurcharge | PriceRule | SaleTerms | FareTerms | NewPromotion | FaresOfFeed
)

_TYPES: Final[Mapping[FarePart, type[Sold]]] = {
    "fare": FareCell,
    "distance": DistanceFare,
    "surcharge": SeatSurcharge,
    "rule": PriceRule,
    "sale-terms": SaleTerms,
    "money": FareTerms,
    "code": NewPromotion,
    "feed": FaresOfFeed,
}


@dataclass(frozen=True, slots=True)
class FareChange:
    """One thing that is sold otherwise.

    Attributes:
        subject: which of its kind: a type of seat, the ends of a way, the id of a code; empty where there is one only.
        before, after: `None`: there was none, or there is none any more.
    """

    part: FarePart
    subject: str
    before: Sold | None
    after: Sold | None


@dataclass(frozen=True, slots=True)
class NotedChange:
    """The same, by whom and when. `actor`: `<kind>:<id>`, `system`, or `import`."""

    at: datetime
    actor: str
    change: FareChange


def changes_between(before: FareBook, after: FareBook) -> list[FareChange]:
    """What differs between two books, thing by thing."""
    changes = [] if before.terms == after.terms else [FareChange("money", "", before.terms, after.terms)]
    changes += _differences("distance", before.by_distance, after.by_distance)
    changes += _differences("surcharge", _by_seat(before.surcharges), _by_seat(after.surcharges))
    changes += _differences("fare", _by_way(before.cells), _by_way(after.cells))
    changes += _differences("sale-terms", before.sale_terms, after.sale_terms)
    gone = _without(before.price_rules, after.price_rules)
    new = _without(after.price_rules, before.price_rules)
    changes += [FareChange("rule", (b or a).name, a, b) for a, b in zip_longest(gone, new)]
    return changes


async def note_fare_changes(
    work: UnitOfWork, operator_id: UUID | None, changes: Sequence[FareChange], *, actor: Actor | Literal["import"]
) -> None:
    """Write down what an actor changes; kept if, and only if, this transaction commits.

    Args:
        operator_id: whose fares; `None`: the platform's codes.
    """
    if not changes:
        return
    # Nothing is read back: who may note what they do may not therefore read what others did.
    await work.execute(
        "INSERT INTO fare_audit (at, actor, operator_id, part, subject, before, after)"
        " SELECT %s, %s, %s, part, subject, before, after"
        " FROM unnest(%s::text[], %s::text[], %s::jsonb[], %s::jsonb[]) AS changed (part, subject, before, after)",
        (
            work.now,
            _name_of(actor),
            operator_id,
            [change.part for change in changes],
            [change.subject for change in changes],
            [_written(change.before) for change in changes],
            [_written(change.after) for change in changes],
        ),
    )


async def list_fare_changes(
    work: UnitOfWork, operator_id: UUID, parts: Collection[FarePart], *, actor: Actor, limit: int
) -> list[NotedChange]:
    """The latest changes of some parts of what an operator sells, for who sets its fares.

    Raises:
        OperatorNotFound: there is none, or this actor does not set its fares.
        SecondProofRequired: they do, with a second proof.
    """
    await get_reached_operator(work, operator_id, actor=actor, permission=Permission.FARES_CHANGE)
    rows = await work.session.scalars(
        select(FareAuditRow)
        .where(FareAuditRow.operator_id == operator_id, FareAuditRow.part.in_(parts))
        .order_by(FareAuditRow.id.desc())
        .limit(limit)
    )
    return [NotedChange(row.at, row.actor, _change_of(row)) for row in rows]


def _name_of(actor: Actor | Literal["import"]) -> str:
    if actor == "import":
        return actor
    return actor.kind if actor.id is None else f"{actor.kind}:{actor.id}"


def _change_of(row: FareAuditRow) -> FareChange:
    part: FarePart = row.part  # type: ignore[assignment]  # it was written here
    before, after = (None if each is None else msgspec.convert(each, _TYPES[part]) for each in (row.before, row.after))
    return FareChange(part, row.subject, before, after)


def _written(thing: Sold | None) -> Jsonb | None:
    return None if thing is None else Jsonb(msgspec.to_builtins(thing))


def _differences(part: FarePart, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[FareChange]:
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield FareChange(part, key, before.get(key), after.get(key))


def _by_seat(surcharges: Iterable[SeatSurcharge]) -> dict[str, SeatSurcharge]:
    return {f"{each.seat_type}:{each.feature}": each for each in surcharges}


def _by_way(cells: Iterable[FareCell]) -> dict[str, FareCell]:
    return {f"{cell.from_place}:{cell.to_place}:{cell.seat_type}": cell for cell in cells}


def _without(rules: Iterable[PriceRule], others: Iterable[PriceRule]) -> list[PriceRule]:
    """The rules that are not among others, each as often as it is there more often."""
    left, kept = list(others), []
    for rule in rules:
        if rule in left:
            left.remove(rule)
        else:
            kept.append(rule)
    return kept
