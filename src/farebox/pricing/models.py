"""Tables of fares. Amounts are minor units; the currency is the operator's, one for all it sells."""

from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base


class FareTermsRow(Base):
    """What holds for everything that an operator sells.

    `version` changes with every change of any fare of the operator, and never comes again: caches go by it.
    Rates are basis points (8 % is 800). `feed_ids` are the feeds whose fares the operator sells.
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
