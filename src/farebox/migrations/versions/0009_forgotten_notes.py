"""What was typed into the audit of bookings can be forgotten; nobody is remembered for a code that they do not have."""

from collections.abc import Sequence

from farebox.migrations.sql import run_sql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    run_sql("0009_forgotten_notes.sql")
