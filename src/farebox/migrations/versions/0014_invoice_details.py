"""Travellers say whom their invoices are to name, before or after they were written."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "invoice_details",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("changes", sa.SmallInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_invoice_details_booking_id_booking")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_invoice_details")),
    )
    op.create_index(
        op.f("ix_invoice_details_changed_at"),
        "invoice_details",
        ["changed_at"],
        unique=False,
        postgresql_where=sa.text("details IS NOT NULL"),
    )
    op.add_column("invoice", sa.Column("buyer_changes", sa.SmallInteger(), server_default="0", nullable=False))
    op.drop_index("uq_invoice_occasion", table_name="invoice")
    op.create_index(
        "uq_invoice_occasion",
        "invoice",
        ["booking_id", "operator_id", "price_revision", "buyer_changes", "kind"],
        unique=True,
    )
