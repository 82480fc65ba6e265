"""Promotion codes for those who give them out: making, listing and ending them."""

import re
from dataclasses import replace
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts import Actor, Permission, get_reached_operator, reached_operators
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid, NotAllowed
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.pricing.auditing import FareChange, NewPromotion, note_fare_changes
from farebox.pricing.errors import PromotionCodeTaken, PromotionNotFound
from farebox.pricing.models import PromotionRow
from farebox.pricing.promotions import Promotion, promotion_of, tidy_code
from farebox.pricing.terms import BASIS_POINTS

CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{2,39}")
LARGEST_LIMIT: Final = 1_000_000_000


async def make_promotion(work: UnitOfWork, new: NewPromotion, *, actor: Actor) -> Promotion:
    """Give out a new code.

    Raises:
        Invalid: what it is to be makes no sense, field by field.
        OperatorNotFound: there is no such operator, or this actor does not set its fares.
        SecondProofRequired: they do, with a second proof.
        NotAllowed: codes of the whole platform are for its admins.
        PromotionCodeTaken: somebody has given out the same code.
    """
    if new.operator_id is not None:
        await get_reached_operator(work, new.operator_id, actor=actor, permission=Permission.FARES_CHANGE)
    elif not actor.is_everywhere:
        raise NotAllowed
    code = tidy_code(new.code)
    errors = _errors(new, code)
    if errors:
        raise Invalid(errors)
    told_in = new.amount or new.minimum
    row = await work.session.scalar(
        insert(PromotionRow)
        .values(
            id=new_id(),
            operator_id=new.operator_id,
            code=code,
            percent_bp=new.percent_bp,
            amount_minor=new.amount.minor if new.amount else None,
            currency=told_in.currency if told_in else None,
            minimum_minor=new.minimum.minor if new.minimum else 0,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
            total_limit=new.total_limit,
            person_limit=new.person_limit,
            used=0,
            is_active=True,
            created_at=work.now,
        )
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(PromotionRow)
    )
    if row is None:
        raise PromotionCodeTaken(promotion_code=code)
    made = FareChange("code", str(row.id), None, replace(new, code=code))
    await note_fare_changes(work, new.operator_id, [made], actor=actor)
    return promotion_of(row)


async def list_promotions(
    work: UnitOfWork, *, actor: Actor, operator_id: UUID | None = None, limit: int = 50, offset: int = 0
) -> tuple[list[Promotion], int]:
    """A page of the codes that an actor gives out, the newest first, and how many there are.

    Args:
        operator_id: of one operator only.
    """
    theirs = _reached(actor)
    if operator_id is not None:
        theirs &= PromotionRow.operator_id == operator_id
    rows = await work.session.scalars(
        select(PromotionRow)
        .where(theirs)
        .order_by(PromotionRow.created_at.desc(), PromotionRow.id.desc())
        .limit(limit)
        .offset(offset)
    )
    count = await work.session.scalar(select(func.count()).select_from(PromotionRow).where(theirs))
    return [promotion_of(row) for row in rows], count or 0


async def get_promotion(
    work: UnitOfWork, promotion_id: UUID, *, actor: Actor, operator_id: UUID | None = None
) -> Promotion:
    """Raises: PromotionNotFound: there is none, or it is somebody else's, or not of the operator that was named."""
    row = await work.session.scalar(select(PromotionRow).where(*_one(promotion_id, operator_id, actor)))
    if row is None:
        raise PromotionNotFound
    return promotion_of(row)


async def end_promotion(
    work: UnitOfWork, promotion_id: UUID, *, actor: Actor, operator_id: UUID | None = None
) -> Promotion:
    """Nobody can take it from now on; bookings that have it keep it. Ending it again changes nothing.

    Raises:
        PromotionNotFound: as `get_promotion`.
    """
    row = await work.session.scalar(
        select(PromotionRow)
        .where(*_one(promotion_id, operator_id, actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise PromotionNotFound
    if row.is_active:
        row.is_active = False
        await work.session.flush()
        ended = FareChange("code", str(row.id), _as_made(row), None)
        await note_fare_changes(work, row.operator_id, [ended], actor=actor)
    return promotion_of(row)


def _as_made(row: PromotionRow) -> NewPromotion:
    """What was asked for when it was made."""
    currency = row.currency or ""
    return NewPromotion(
        operator_id=row.operator_id,
        code=row.code,
        percent_bp=row.percent_bp,
        amount=None if row.amount_minor is None else Money(row.amount_minor, currency),
        minimum=Money(row.minimum_minor, currency) if row.minimum_minor else None,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        total_limit=row.total_limit,
        person_limit=row.person_limit,
    )


def _reached(actor: Actor) -> ColumnElement[bool]:
    """Those of the operators whose fares an actor sets; for admins also the platform's."""
    return reached_operators(PromotionRow.operator_id, actor, Permission.FARES_CHANGE)


def _one(promotion_id: UUID, operator_id: UUID | None, actor: Actor) -> list[ColumnElement[bool]]:
    which = [PromotionRow.id == promotion_id, _reached(actor)]
    return [*which, PromotionRow.operator_id == operator_id] if operator_id else which


def _errors(new: NewPromotion, code: str) -> list[FieldError]:
    errors = []
    if not CODE.fullmatch(code):
        message = N_("A code has 3 to 40 letters, digits and hyphens.")
        errors.append(FieldError("code", "invalid-code", message))
    if (new.percent_bp is None) == (new.amount is None):
        message = N_("Give either a percentage or an amount.")
        errors.append(FieldError("percentBp", "percent-or-amount", message))
    if new.percent_bp is not None and not 1 <= new.percent_bp <= BASIS_POINTS:
        message = N_("A percentage is between 0.01% and 100%.")
        errors.append(FieldError("percentBp", "out-of-range", message))
    if new.amount is not None and new.amount.minor <= 0:
        errors.append(FieldError("amount", "out-of-range", N_("The amount must be more than nothing.")))
    if new.minimum is not None and new.minimum.minor < 0:
        errors.append(FieldError("minimum", "out-of-range", N_("The minimum must not be negative.")))
    if new.amount is not None and new.minimum is not None and new.amount.currency != new.minimum.currency:
        message = N_("Amount and minimum must be in one currency.")
        errors.append(FieldError("minimum", "other-currency", message))
    if new.starts_at is not None and new.ends_at is not None and new.ends_at <= new.starts_at:
        errors.append(FieldError("endsAt", "ends-before-start", N_("It must end after it starts.")))
    limits = {"totalLimit": new.total_limit, "personLimit": new.person_limit}
    for field, limit in limits.items():
        if limit is not None and not 1 <= limit <= LARGEST_LIMIT:
            errors.append(FieldError(field, "out-of-range", N_("A limit is a number from 1 on.")))
    return errors
