"""What was typed about people is kept while other seats are chosen."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "typed_people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("typed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_typed_people")),
    )
    op.create_index(op.f("ix_typed_people_owner"), "typed_people", ["owner"], unique=False)
    op.create_index(op.f("ix_typed_people_expires_at"), "typed_people", ["expires_at"], unique=False)
