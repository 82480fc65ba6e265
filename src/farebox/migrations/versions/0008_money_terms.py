"""Each dispute of a charge by the provider's own id."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

DISPUTES = """
INSERT INTO payment_dispute (id, charge_id, provider, external_id, step, amount_minor, opened_at, updated_at)
SELECT gen_random_uuid(), charge.id, charge.provider, charge.external_id, charge.dispute,
    coalesce(least(charge.amount_minor, taken.minor), charge.amount_minor), coalesce(taken.at, charge.received_at), now()
FROM payment_charge charge
LEFT JOIN (
    SELECT payment_id, sum(amount_minor) AS minor, min(at) AS at FROM ledger_entry
    WHERE account = 'disputes' AND amount_minor > 0 GROUP BY 1
) taken ON taken.payment_id = charge.payment_id
WHERE charge.dispute IS NOT NULL"""
"""Until now a charge had one at most, and its amount was in the ledger alone. Under the charge's own id, as those are
kept whose messages name none; the next message gives it its name."""


def upgrade() -> None:
    op.create_table(
        "payment_dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("step IN ('open', 'won', 'lost')", name=op.f("ck_payment_dispute_step")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_dispute_amount")),
        sa.ForeignKeyConstraint(["charge_id"], ["payment_charge.id"], name=op.f("fk_payment_dispute_charge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_dispute")),
    )
    op.create_index(
        "uq_payment_dispute_provider_external_id", "payment_dispute", ["provider", "external_id"], unique=True
    )
    op.create_index(op.f("ix_payment_dispute_charge_id"), "payment_dispute", ["charge_id"], unique=False)
    op.execute(DISPUTES)
