"""Who looked at personal data, and who agreed to what, is written once."""

from collections.abc import Sequence

from farebox.migrations.sql import run_sql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    run_sql("0005_privacy.sql")
