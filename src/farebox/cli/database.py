"""Getting to the database that a command works on: the embedded one, started if need be, or the one of the settings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from farebox.core.embedded import EmbeddedPostgres
from farebox.core.errors import SetupError
from farebox.core.i18n import N_
from farebox.core.keeper import kept_alive
from farebox.core.settings import Settings


class DatabaseUnreachable(SetupError):
    code = "database-unreachable"
    message = N_("The database that FAREBOX_DATABASE_URL names ({address}) does not answer: {reason}")


class DatabaseTooOld(SetupError):
    code = "database-too-old"
    message = N_("The database runs PostgreSQL {version}; Farebox needs {oldest} or newer.")


@contextmanager
def database(settings: Settings, *, load: Callable[[], object] = lambda: None) -> Iterator[Settings]:
    """The settings with an address that answers, for the time of the block; the embedded server is kept alive.

    Args:
        load: called while the server starts; the place for imports that take their time.

    Raises:
        DatabaseNotStarted: the embedded server cannot run here.
        DatabaseUnreachable, DatabaseTooOld: the server of the settings is of no use.
    """
    settings = replace(settings, home=settings.home.absolute())
    if settings.database_url:
        load()
        for url in {settings.database_url, settings.server_url}:
            check_server(url)
        yield settings
        return
    server = EmbeddedPostgres(settings.home)
    server.start()
    try:
        load()
        address = server.wait()
        with kept_alive(server):
            yield replace(settings, database_url=address)
    finally:
        server.stop()


def check_server(url: str) -> None:
    """Raises when nobody answers, or nobody whom we can work with."""
    import psycopg  # noqa: PLC0415

    from farebox.migrations.state import OLDEST_POSTGRES  # noqa: PLC0415

    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.server_version // 10_000
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        reason = " ".join(str(error).split())
        raise DatabaseUnreachable(address=_without_password(url), reason=reason) from None
    if version < OLDEST_POSTGRES:
        raise DatabaseTooOld(version=version, oldest=OLDEST_POSTGRES)


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{login.partition(':')[0]}{at}{place}"
