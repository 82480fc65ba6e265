"""Open returns: rides back that are paid for and not chosen yet."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from farebox.migrations.sql import run_sql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "open_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("passenger_id", sa.Uuid(), nullable=False),
        sa.Column("passenger_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=True),
        sa.Column("to_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("refund_bp", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('open', 'redeemed', 'cancelled', 'ended')", name=op.f("ck_open_return_status")),
        sa.CheckConstraint(
            "passenger_type IN ('adult', 'child', 'senior')", name=op.f("ck_open_return_passenger_type")
        ),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_open_return_amount")),
        sa.CheckConstraint("refund_bp BETWEEN 0 AND 10000", name=op.f("ck_open_return_refund")),
        sa.CheckConstraint("(status = 'open') = (ended_at IS NULL)", name=op.f("ck_open_return_ended")),
        sa.CheckConstraint("(status = 'redeemed') = (item_id IS NOT NULL)", name=op.f("ck_open_return_redeemed")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_open_return_booking_id")),
        sa.ForeignKeyConstraint(["item_id"], ["booking_item.id"], name=op.f("fk_open_return_item_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_open_return_operator_id")),
        sa.ForeignKeyConstraint(["passenger_id"], ["booking_passenger.id"], name=op.f("fk_open_return_passenger_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_return")),
    )
    op.create_index(op.f("ix_open_return_booking_id"), "open_return", ["booking_id"], unique=False)
    op.create_index(
        "uq_open_return_passenger_id",
        "open_return",
        ["passenger_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_open_return_valid_until",
        "open_return",
        ["valid_until"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    run_sql("0007_open_returns.sql")
