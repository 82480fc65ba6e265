"""Promotion codes, for the staff who give them out."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import Parameter, QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from farebox import pricing
from farebox.accounts import Actor, Permission
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.staff import GUARDED
from farebox.api.wire import PRIVATE, Listing, MoneyInput, MoneyView, Request, Wire, listing
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.pricing import NewPromotion, PromotionCodeTaken, PromotionNotFound


class PromotionInput(Request):
    """Either a percentage or an amount, off the seats of a booking together; service fees stay."""

    code: Annotated[str, Meta(examples=["SUMMER-27"], max_length=60, description="However it is typed.")]
    operator_id: Annotated[UUID | None, Meta(description="Whose seats; null: everybody's, for admins alone.")] = None
    percent_bp: Annotated[int | None, Meta(examples=[1500], description="Basis points: 1500 is 15%.")] = None
    amount: MoneyInput | None = None
    minimum: Annotated[MoneyInput | None, Meta(description="What those seats must cost together.")] = None
    starts_at: datetime | None = None
    ends_at: Annotated[datetime | None, Meta(description="Not included.")] = None
    total_limit: Annotated[int | None, Meta(description="How many bookings may have it.")] = None
    person_limit: Annotated[int | None, Meta(description="How many of one person, by the contact's e-mail.")] = None

    def promotion(self) -> NewPromotion:
        """Raises: Invalid: an amount that its currency cannot have, a time without a zone."""
        errors: list[FieldError] = []
        amount = _money("amount", self.amount, errors)
        minimum = _money("minimum", self.minimum, errors)
        for name, instant in (("startsAt", self.starts_at), ("endsAt", self.ends_at)):
            if instant is not None and instant.tzinfo is None:
                errors.append(FieldError(name, "no-zone", N_("Write the time with its offset from UTC.")))
        if errors:
            raise Invalid(errors)
        return NewPromotion(
            operator_id=self.operator_id,
            code=self.code,
            percent_bp=self.percent_bp,
            amount=amount,
            minimum=minimum,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            total_limit=self.total_limit,
            person_limit=self.person_limit,
        )


class PromotionView(Wire):
    promotion_id: UUID
    operator_id: UUID | None
    code: Annotated[str, Meta(examples=["SUMMER-27"])]
    percent_bp: int | None
    amount: MoneyView | None
    minimum: MoneyView | None
    starts_at: datetime | None
    ends_at: datetime | None
    total_limit: int | None
    person_limit: int | None
    used: Annotated[int, Meta(description="How many bookings have it, paid or waiting for their money.")]
    active: Annotated[bool, Meta(description="False once ended by hand.")]
    created_at: datetime

    @classmethod
    def of(cls, promotion: pricing.Promotion) -> Self:
        minimum = None
        if promotion.minimum_minor and promotion.currency:
            minimum = MoneyView.of(Money(promotion.minimum_minor, promotion.currency))
        return cls(
            promotion_id=promotion.id,
            operator_id=promotion.operator_id,
            code=promotion.code,
            percent_bp=promotion.percent_bp,
            amount=MoneyView.of_optional(promotion.amount),
            minimum=minimum,
            starts_at=promotion.starts_at,
            ends_at=promotion.ends_at,
            total_limit=promotion.total_limit,
            person_limit=promotion.person_limit,
            used=promotion.used,
            active=promotion.is_active,
            created_at=promotion.created_at,
        )


class PromotionsController(Controller):
    """Codes for a discount, of an operator or, by admins, of the whole platform."""

    path = "/promotions"
    tags = ("Fares",)
    opt = {"access": "staff", "permission": Permission.FARES_CHANGE}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @post(
        "/",
        summary="Give out a code",
        operation_id="makePromotion",
        responses=problems(*GUARDED, *IDEMPOTENT, Invalid, PromotionCodeTaken),
    )
    async def make(self, data: PromotionInput, work: UnitOfWork, actor: Actor) -> PromotionView:
        """It can be taken from then on, within its window and its limits. Codes are unique on the platform."""
        return PromotionView.of(await pricing.make_promotion(work, data.promotion(), actor=actor))

    @get("/", summary="List codes", operation_id="listPromotions", responses=problems(Invalid))
    async def find(
        self,
        work: UnitOfWork,
        actor: Actor,
        operator_id: Annotated[
            UUID | None, QueryParameter(name="operatorId", description="Of one operator only.")
        ] = None,
        limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
        offset: Annotated[int, Parameter(ge=0, le=1_000_000)] = 0,
    ) -> Listing[PromotionView]:
        """Those of your operators, the newest first; admins of the platform see all."""
        found, total = await pricing.list_promotions(
            work, actor=actor, operator_id=operator_id, limit=limit, offset=offset
        )
        return listing(found, PromotionView.of, total=total, limit=limit, offset=offset)

    @get(
        "/{promotion_id:uuid}",
        summary="Get a code",
        operation_id="getPromotion",
        responses=problems(PromotionNotFound),
    )
    async def show(self, promotion_id: UUID, work: UnitOfWork, actor: Actor) -> PromotionView:
        return PromotionView.of(await pricing.get_promotion(work, promotion_id, actor=actor))

    @post(
        "/{promotion_id:uuid}/end",
        summary="End a code",
        operation_id="endPromotion",
        status_code=HTTP_200_OK,
        responses=problems(PromotionNotFound, *IDEMPOTENT),
    )
    async def end(self, promotion_id: UUID, work: UnitOfWork, actor: Actor) -> PromotionView:
        """Nobody can take it from now on; bookings that have it keep it. Again changes nothing."""
        return PromotionView.of(await pricing.end_promotion(work, promotion_id, actor=actor))


def _money(name: str, given: MoneyInput | None, errors: list[FieldError]) -> Money | None:
    if given is None:
        return None
    try:
        return given.money()
    except ValueError:
        message = N_("Write an amount of {currency}, with no more decimals than it has.")
        errors.append(FieldError(name, "invalid-amount", message, currency=given.currency))
        return None
