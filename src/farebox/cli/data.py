"""`farebox migrate` and `farebox import-gtfs`."""

from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from farebox.cli.database import database
from farebox.cli.screen import out
from farebox.cli.start import Home, bring_up_to_date
from farebox.core.logs import configure_logs
from farebox.core.settings import load_settings


def migrate(*, home: Home = None) -> None:
    """Bring the database's schema up to date."""
    settings = load_settings(home=home)
    configure_logs(settings)
    with database(settings, load=_load) as ready:
        from farebox.cli.loading import ensure_schema  # noqa: PLC0415
        from farebox.migrations.state import head  # noqa: PLC0415

        ensure_schema(ready)
        out.print(f"The schema is at version {head()}.")


def import_gtfs(
    file: Path,
    *,
    shift_to: Annotated[
        date | None, Parameter(help="Move the calendar by whole weeks, so that most of it is in the 30 days from here.")
    ] = None,
    feed_code: Annotated[str | None, Parameter(help="By which the feed's next edition is known.")] = None,
    currency: Annotated[str | None, Parameter(help="Of the fares, where the feed does not say it (ISO 4217).")] = None,
    seat_plan: Annotated[
        str, Parameter(help="For vehicles that the feed does not describe: standard-45, limousine-9, sleeper-34.")
    ] = "standard-45",
    home: Home = None,
) -> None:
    """Import a timetable in GTFS, or its next edition, and put it on sale. All of it, or nothing.

    Parameters
    ----------
    file
        A zip, or a folder.
    """
    settings = load_settings(home=home)
    configure_logs(settings)
    with database(settings, load=_load) as ready:
        from farebox.cli.loading import read_timetable  # noqa: PLC0415

        bring_up_to_date(ready, is_ours=not settings.database_url)
        read_timetable(ready, file, feed_code=feed_code, shift_to=shift_to, currency=currency, seat_plan=seat_plan)


def _load() -> None:
    import_module("farebox.cli.loading")
