"""Row security: what belongs to an operator is seen only by who acts for it."""

from collections.abc import Sequence

from farebox.migrations.sql import run_sql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    run_sql("0004_row_security.sql")
