"""Alembic's entry point: it migrates over the connection that `farebox.migrations` hands it."""

from alembic import context

from farebox.core.db import Base
from farebox.migrations import load_models

PROCRASTINATE = "procrastinate_"


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """The job queue's tables belong to Procrastinate, which makes and migrates them itself."""
    return not (kind == "table" and name is not None and name.startswith(PROCRASTINATE))


load_models()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=is_ours,
    transaction_per_migration=True,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
