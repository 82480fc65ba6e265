"""Plain SQL beside a migration: functions, triggers and expression indexes, which read better as what they are."""

from importlib.resources import files

from alembic import op

SEPARATOR = "\n--;;\n"


def run_sql(name: str) -> None:
    """Run the statements of `versions/<name>`, which are separated by a line holding only `--;;`."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    for statement in (files("farebox.migrations") / "versions" / name).read_text().split(SEPARATOR):
        connection.execute(statement)  # on the driver, which leaves a `%` alone where no parameters are given
