"""The end of an open return goes along where the ride there is moved to another day."""

from collections.abc import Sequence

from farebox.migrations.sql import run_sql

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    run_sql("0013_moved_ends.sql")
