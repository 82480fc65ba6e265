"""Promotion codes: what they take off a price, and taking one for a booking.

A code lowers the prices of seats, before tax where that is added; service fees stay. It is taken by conditional
statements that the database decides: however many ask at once, nobody gets it beyond its limits.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Final
from uuid import UUID

from sqlalchemy import select

from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_, format_money
from farebox.core.money import Money, total
from farebox.pricing.models import PromotionRow
from farebox.pricing.quotes import Quote
from farebox.pricing.terms import BASIS_POINTS

FIELD: Final = "promoCode"
"""The field that errors name."""

LABEL: Final = "promotion"
"""Of the lines of price that a code makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A code for a discount.

    Attributes:
        operator_id: whose it is; `None`: the platform's, good for every operator.
        percent_bp, amount: what it takes off; one of them.
        currency: of the bookings that it is for; `None`: of any, as only a percentage without a minimum can be.
        minimum_minor: what the seats that it is for must cost together.
        starts_at, ends_at: when it can be taken; `None`: no bound. The end is not included.
        total_limit, person_limit: how many bookings may have it at a time, and of one person; `None`: any number.
        used: how many have it.
        is_active: `False` once ended by its operator.
    """

    id: UUID
    operator_id: UUID | None
    code: str
    percent_bp: int | None
    amount: Money | None
    currency: str | None
    minimum_minor: int
    starts_at: datetime | None
    ends_at: datetime | None
    total_limit: int | None
    person_limit: int | None
    used: int
    is_active: bool
    created_at: datetime

    def is_named(self, typed: str) -> bool:
        """Whether this is the code that somebody typed."""
        return self.code == tidy_code(typed)


def tidy_code(typed: str) -> str:
    """A code as it is stored: case and blanks do not matter."""
    return "".join(typed.split()).upper()


async def find_promotion(work: UnitOfWork, typed: str) -> Promotion:
    """The promotion with a code, as typed, that can be taken now.

    Raises:
        Invalid: there is none, or not yet, or no more.
    """
    row = await work.session.scalar(
        select(PromotionRow).where(PromotionRow.code == tidy_code(typed)).execution_options(populate_existing=True)
    )
    if row is None:
        raise _refused("unknown-promo-code", N_("This code is not valid."))
    if row.starts_at is not None and work.now < row.starts_at:
        raise _refused("promo-code-not-yet", N_("This code is not valid yet."))
    if not row.is_active or (row.ends_at is not None and row.ends_at <= work.now):
        raise _refused("promo-code-expired", N_("This code is not valid any more."))
    return promotion_of(row)


async def get_taken_promotion(work: UnitOfWork, promotion_id: UUID) -> Promotion:
    """The promotion that a booking has, whatever has become of it since."""
    return promotion_of(await work.session.get_one(PromotionRow, promotion_id))


def discounted(promotion: Promotion, quotes: Sequence[Quote], operator_ids: Sequence[UUID]) -> list[Quote]:
    """What items of one booking cost with a code.

    What it is worth is rounded once, never more than the seats cost, and shared out among them in proportion to their
    prices, so that the shares add up to it exactly and each seat keeps its own when others are given up.

    Args:
        quotes: of the items, in one currency; `operator_ids`: who sells each.

    Raises:
        Invalid: the code is not for these operators or this currency, or they cost too little.
    """
    prices = {
        (index, seat): price
        for index, (quote, operator_id) in enumerate(zip(quotes, operator_ids, strict=True))
        if promotion.operator_id in {None, operator_id}
        for seat, price in quote.before_tax_is_added().items()
    }
    if not prices:
        raise _refused("promo-code-other-operator", N_("This code is for another operator."))
    currency = quotes[0].currency
    if promotion.currency not in {None, currency}:
        raise _refused("promo-code-other-currency", N_("This code is not for prices in {currency}."), currency=currency)
    whole = total(list(prices.values()), currency)
    if whole.minor < promotion.minimum_minor:
        least = format_money(Money(promotion.minimum_minor, currency))
        message = N_("This code is for bookings whose seats cost {minimum} or more.")
        raise _refused("promo-code-below-minimum", message, minimum=least)
    if promotion.amount is not None:
        worth = min(promotion.amount.minor, whole.minor)
    else:
        worth = whole.times(Fraction(promotion.percent_bp or 0, BASIS_POINTS)).minor
    shares = share_out(worth, [price.minor for price in prices.values()])
    off: list[dict[str, Money]] = [{} for _ in quotes]
    for (index, seat), share in zip(prices, shares, strict=True):
        off[index][seat] = Money(share, currency)
    facts = {"code": promotion.code}
    return [quote.less(own, LABEL, facts) for quote, own in zip(quotes, off, strict=True)]


def share_out(amount: int, weights: Sequence[int]) -> list[int]:
    """Split an amount in proportion to weights, whose sum it does not exceed, by the largest remainder.

    The parts add up to it, and none exceeds its weight. Of equal remainders the first comes first.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(amount * weights[index] % whole))
    for index in by_remainder[: amount - sum(parts)]:
        parts[index] += 1
    return parts


_TAKE: Final = """
UPDATE promotion SET used = used + 1
WHERE id = %s AND is_active AND (total_limit IS NULL OR used < total_limit)"""

_TAKE_FOR_PERSON: Final = """
INSERT INTO promotion_person AS known (promotion_id, person, used) VALUES (%(promotion_id)s, %(person)s, 1)
ON CONFLICT (promotion_id, person) DO UPDATE SET used = known.used + 1
WHERE known.used < coalesce(%(limit)s, 2147483647)"""

_RELEASE: Final = "UPDATE promotion SET used = used - 1 WHERE id = %s AND used > 0"

_RELEASE_FOR_PERSON: Final = """
UPDATE promotion_person SET used = used - 1 WHERE promotion_id = %s AND person = %s AND used > 0"""

_FORGET_UNUSED: Final = "DELETE FROM promotion_person WHERE promotion_id = %s AND person = %s AND used = 0"


async def take_promotion(work: UnitOfWork, promotion: Promotion, *, person: bytes) -> None:
    """Take a promotion for one booking of a person.

    Args:
        person: a digest by which the person is known again.

    Raises:
        Invalid: as many bookings have it as may, of all or of this person. Nothing was changed.
    """
    await work.execute("SAVEPOINT taking")
    if not (await work.execute(_TAKE, (promotion.id,))).rowcount:
        raise _refused("promo-code-used-up", N_("This code has been used as often as it may be."))
    parameters = {"promotion_id": promotion.id, "person": person, "limit": promotion.person_limit}
    if not (await work.execute(_TAKE_FOR_PERSON, parameters)).rowcount:
        await work.execute("ROLLBACK TO SAVEPOINT taking")
        raise _refused("promo-code-used-by-you", N_("You have used this code as often as one person may."))


async def pass_on_promotion(work: UnitOfWork, promotion: Promotion, *, source: bytes, target: bytes) -> None:
    """A booking that has a promotion becomes another person's.

    Raises:
        Invalid: the other person has it as often as one may. Nothing was changed.
    """
    if source == target:
        return
    parameters = {"promotion_id": promotion.id, "person": target, "limit": promotion.person_limit}
    if not (await work.execute(_TAKE_FOR_PERSON, parameters)).rowcount:
        raise _refused("promo-code-used-by-you", N_("You have used this code as often as one person may."))
    await _release_for_person(work, promotion.id, source)


async def release_promotion(work: UnitOfWork, promotion_id: UUID, *, person: bytes) -> None:
    """Give a promotion back: the booking that had it has ended unpaid. Called once for each time it was taken."""
    await work.execute(_RELEASE, (promotion_id,))
    await _release_for_person(work, promotion_id, person)


async def _release_for_person(work: UnitOfWork, promotion_id: UUID, person: bytes) -> None:
    """Who has it in no booking any more is not remembered."""
    await work.execute(_RELEASE_FOR_PERSON, (promotion_id, person))
    await work.execute(_FORGET_UNUSED, (promotion_id, person))


async def forget_promotion_people(work: UnitOfWork, promotion_id: UUID, people: Collection[bytes]) -> None:
    """Forget that these people had a promotion. It stays used as often as it was; they are counted anew."""
    await work.execute(
        "DELETE FROM promotion_person WHERE promotion_id = %s AND person = ANY(%s)", (promotion_id, list(people))
    )


async def count_promotion_again(work: UnitOfWork, promotion_id: UUID, *, person: bytes) -> None:
    """A booking that had ended was paid after all, at the price that it was promised.

    It counts again where there is room; where others have taken the last one meanwhile, the promise is kept uncounted.
    """
    if (await work.execute(_TAKE, (promotion_id,))).rowcount:
        await work.execute(_TAKE_FOR_PERSON, {"promotion_id": promotion_id, "person": person, "limit": None})


def promotion_of(row: PromotionRow) -> Promotion:
    return Promotion(
        id=row.id,
        operator_id=row.operator_id,
        code=row.code,
        percent_bp=row.percent_bp,
        amount=None if row.amount_minor is None or row.currency is None else Money(row.amount_minor, row.currency),
        currency=row.currency,
        minimum_minor=row.minimum_minor,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        total_limit=row.total_limit,
        person_limit=row.person_limit,
        used=row.used,
        is_active=row.is_active,
        created_at=row.created_at,
    )


def _refused(code: str, message: str, **facts: str) -> Invalid:
    return Invalid([FieldError(FIELD, code, message, **facts)])
