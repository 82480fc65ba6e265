"""Refunds that are to be made and disputes that are open are few among many, and found without reading the others."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_refund_waiting",
        "refund",
        ["created_at", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('pending', 'failed')"),
    )
    op.create_index(
        "ix_payment_dispute_open",
        "payment_dispute",
        ["opened_at", "id"],
        unique=False,
        postgresql_where=sa.text("step = 'open'"),
    )
