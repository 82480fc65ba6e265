"""Tables of fares. Amounts are minor units; the currency is the operator's, one for all it sells."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base


class FareTermsRow(Base):
    """What holds for everything that an operator sells.

    `version` changes with every change of any fare of the operator, and never comes again: caches go by it.
    Rates are basis points (8% is 800); `is_tax_added`: amounts are without the tax, which is added to them.
    `feed_ids` are the feeds whose fares the operator sells.
    """

    __tablename__ = "fare_terms"
    __table_args__ = (
        CheckConstraint("service_fee_minor >= 0", name="fee"),
        CheckConstraint("tax_rate_bp BETWEEN 0 AND 10000", name="tax"),
        CheckConstraint("child_discount_bp BETWEEN 0 AND 10000", name="child"),
        CheckConstraint("senior_discount_bp BETWEEN 0 AND 10000", name="senior"),
    )

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[UUID]
    currency: Mapped[str]
    sells_by_distance: Mapped[bool]
    service_fee_minor: Mapped[int] = mapped_column(BigInteger)
    tax_rate_bp: Mapped[int]
    child_discount_bp: Mapped[int]
    senior_discount_bp: Mapped[int]
    is_tax_added: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    feed_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))


class FareProductRow(Base):
    """Something a feed sells: a fare of GTFS Fares v1, a product of Fares v2. `None`: not for these passengers."""

    __tablename__ = "fare_product"
    __table_args__ = (
        CheckConstraint("adult_minor >= 0 AND child_minor >= 0 AND senior_minor >= 0", name="amounts"),
        CheckConstraint("num_nonnulls(adult_minor, child_minor, senior_minor) > 0", name="priced"),
    )

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id", ondelete="CASCADE"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    currency: Mapped[str]
    adult_minor: Mapped[int | None] = mapped_column(BigInteger)
    child_minor: Mapped[int | None] = mapped_column(BigInteger)
    senior_minor: Mapped[int | None] = mapped_column(BigInteger)


class FareRuleRow(Base):
    """Which product a ride takes. Empty columns match everything, or, where `is_exclusive`, what no other rule names.

    `origin`, `destination` and `contains` are zones of stops where `is_zonal` (Fares v1), else areas (Fares v2).
    Of the rules that match, those with the highest `priority` count.
    """

    __tablename__ = "fare_rule"
    __table_args__ = (
        ForeignKeyConstraint(
            ["feed_id", "product_code"], ["fare_product.feed_id", "fare_product.code"], ondelete="CASCADE"
        ),
        Index(None, "feed_id", "product_code"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    feed_id: Mapped[UUID]
    product_code: Mapped[str]
    operator_id: Mapped[UUID | None] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"))
    line_id: Mapped[UUID | None]
    network_id: Mapped[str | None]
    origin: Mapped[str | None]
    destination: Mapped[str | None]
    contains: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    priority: Mapped[int]
    is_zonal: Mapped[bool]
    is_exclusive: Mapped[bool]


class DistanceFareRow(Base):
    """What a ride costs where the feed names no fare for it, by type of seat."""

    __tablename__ = "fare_default"
    __table_args__ = (
        CheckConstraint("base_minor >= 0 AND per_100_km_minor >= 0 AND minimum_minor >= 0", name="amounts"),
        CheckConstraint("step_minor > 0", name="step"),
    )

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), primary_key=True)
    seat_type: Mapped[str] = mapped_column(primary_key=True)
    base_minor: Mapped[int] = mapped_column(BigInteger)
    per_100_km_minor: Mapped[int] = mapped_column(BigInteger)
    minimum_minor: Mapped[int] = mapped_column(BigInteger)
    step_minor: Mapped[int] = mapped_column(BigInteger)


class SeatSurchargeRow(Base):
    """What a better seat costs on top. An empty type or feature means any."""

    __tablename__ = "seat_surcharge"
    __table_args__ = (
        CheckConstraint("minor >= 0", name="amount"),
        Index("uq_seat_surcharge_seat", "operator_id", "seat_type", "feature", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"))
    seat_type: Mapped[str]
    feature: Mapped[str]
    minor: Mapped[int] = mapped_column(BigInteger)


class FareCellRow(Base):
    """A fare set by hand from place to place; it goes before the feed's and before the price by distance.

    An empty `seat_type` means any. `None` for a child or senior: the operator's discount off the adult's.
    """

    __tablename__ = "fare_cell"
    __table_args__ = (CheckConstraint("adult_minor >= 0 AND child_minor >= 0 AND senior_minor >= 0", name="amounts"),)

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), primary_key=True)
    from_place_id: Mapped[UUID] = mapped_column(primary_key=True)
    to_place_id: Mapped[UUID] = mapped_column(primary_key=True)
    seat_type: Mapped[str] = mapped_column(primary_key=True)
    adult_minor: Mapped[int] = mapped_column(BigInteger)
    child_minor: Mapped[int | None] = mapped_column(BigInteger)
    senior_minor: Mapped[int | None] = mapped_column(BigInteger)


class PriceRuleRow(Base):
    """What makes a fare dearer or cheaper on some departures: so many basis points more (or, negative, less).

    `kind`: `season` (days of boarding from `first_day` to `last_day`), `weekday` (`weekdays`: bit 0 is Monday), `load`
    (at least `from_load_bp` of the seats are gone), `early` (bought at least `days_ahead` days before), `round-trip`
    (with a ride back). Of each kind the one that fits most closely counts: see `rules`; one that is not `is_on` never.
    """

    __tablename__ = "price_rule"
    __table_args__ = (
        CheckConstraint("kind IN ('season', 'weekday', 'load', 'early', 'round-trip')", name="kind"),
        CheckConstraint("percent_bp BETWEEN -10000 AND 30000 AND percent_bp <> 0", name="percent"),
        CheckConstraint("kind <> 'season' OR first_day <= last_day", name="season"),
        CheckConstraint("kind <> 'weekday' OR weekdays BETWEEN 1 AND 127", name="weekday"),
        CheckConstraint("kind <> 'load' OR from_load_bp BETWEEN 1 AND 10000", name="load"),
        CheckConstraint("kind <> 'early' OR days_ahead > 0", name="early"),
        CheckConstraint("kind <> 'round-trip' OR percent_bp < 0", name="round_trip"),
        Index(None, "operator_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"))
    kind: Mapped[str]
    name: Mapped[str]
    percent_bp: Mapped[int]
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    weekdays: Mapped[int | None] = mapped_column(SmallInteger)
    from_load_bp: Mapped[int | None]
    days_ahead: Mapped[int | None]
    is_on: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class FareAuditRow(Base):
    """Who changed what an operator (or, without one, the platform) sells under. Never changed, and kept.

    `part`: what kind of thing, such as `rule`; `subject`: which of them. `before` and `after` are the thing as it was
    and as it is, in the form of its dataclass; NULL where there was none, or is none any more.
    """

    __tablename__ = "fare_audit"
    __table_args__ = (Index(None, "operator_id", "part", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    operator_id: Mapped[UUID | None]
    part: Mapped[str]
    subject: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class SaleTermsRow(Base):
    """Under which terms an operator's tickets are given back, changed and renamed: `terms.SaleTerms`, as JSON.

    An empty `seat_type` means any. Operators without a row sell under `DEFAULT_SALE_TERMS`.
    """

    __tablename__ = "sale_terms"

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), primary_key=True)
    seat_type: Mapped[str] = mapped_column(primary_key=True)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)


class PromotionRow(Base):
    """A code for a discount, of one operator or, without one, of the platform.

    `used` counts the bookings that have it now and never passes `total_limit`: one conditional UPDATE takes it.
    """

    __tablename__ = "promotion"
    __table_args__ = (
        CheckConstraint("num_nonnulls(percent_bp, amount_minor) = 1", name="worth"),
        CheckConstraint("percent_bp BETWEEN 1 AND 10000", name="percent"),
        CheckConstraint("amount_minor IS NULL OR (amount_minor > 0 AND currency IS NOT NULL)", name="amount"),
        CheckConstraint("used >= 0 AND used <= total_limit", name="used"),
        CheckConstraint("total_limit > 0 AND person_limit > 0", name="limits"),
        CheckConstraint("starts_at < ends_at", name="window"),
        CheckConstraint("minimum_minor >= 0", name="minimum"),
        Index(None, "operator_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID | None] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(unique=True)
    percent_bp: Mapped[int | None]
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    minimum_minor: Mapped[int] = mapped_column(BigInteger)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    total_limit: Mapped[int | None]
    person_limit: Mapped[int | None]
    used: Mapped[int]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]


class PromotionPersonRow(Base):
    """How often one person (a keyed digest of the contact's e-mail) has a promotion now."""

    __tablename__ = "promotion_person"
    __table_args__ = (CheckConstraint("used >= 0", name="used"),)

    promotion_id: Mapped[UUID] = mapped_column(ForeignKey("promotion.id", ondelete="CASCADE"), primary_key=True)
    person: Mapped[bytes] = mapped_column(primary_key=True)
    used: Mapped[int]
