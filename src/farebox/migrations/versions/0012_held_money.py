"""Money of wallets that banks want back is held; price rules are turned off; who changed what is sold is written down."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from farebox.migrations.sql import run_sql

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BOOKINGS = "ix_booking_promotion_id"


def upgrade() -> None:
    # While bookings are made, so outside of a transaction, and first: should it be stopped, all of this is done anew.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # waits until those are done who began before, however long that takes
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {BOOKINGS}")  # of one that was stopped, which counts for nothing
        op.create_index(
            op.f(BOOKINGS),
            "booking",
            ["promotion_id"],
            postgresql_where="promotion_id IS NOT NULL",
            postgresql_concurrently=True,
        )
        op.execute("RESET lock_timeout")
    op.add_column("wallet", sa.Column("held_minor", sa.BigInteger(), server_default="0", nullable=False))
    op.create_check_constraint(op.f("ck_wallet_held"), "wallet", "held_minor >= 0")
    op.add_column("payment_dispute", sa.Column("held_minor", sa.BigInteger(), server_default="0", nullable=False))
    op.create_check_constraint(
        op.f("ck_payment_dispute_held"), "payment_dispute", "held_minor BETWEEN 0 AND amount_minor"
    )
    op.add_column("price_rule", sa.Column("is_on", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.create_table(
        "fare_audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=True),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fare_audit")),
    )
    op.create_index(op.f("ix_fare_audit_operator_id_part_id"), "fare_audit", ["operator_id", "part", "id"])
    run_sql("0012_held_money.sql")
