"""Errors of the database that say: not now. Waits that took too long, and a server that cannot be reached."""

from typing import Any, Final

import psycopg
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from farebox.core.errors import Busy

_WAITED_IN_VAIN = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)

_OUTAGES = (
    PoolExhausted,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.IdleInTransactionSessionTimeout,
)

_LOST_TWICE: Final = "This connection is closed"
"""What SQLAlchemy's pool says when the connection that it makes instead of a lost one is lost at once, too."""


def raise_busy(context: ExceptionContext) -> None:
    """What `bounded_waits` does, for what goes through SQLAlchemy (its `handle_error` hook)."""
    if isinstance(context.original_exception, _WAITED_IN_VAIN):
        raise Busy from context.original_exception


class bounded_waits:  # noqa: N801  (reads as a statement)
    """Turns PostgreSQL's lock timeout, deadlock and serialisation failures into `Busy`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, _WAITED_IN_VAIN):
            raise Busy from error


def is_outage(error: BaseException) -> bool:
    """Whether an error says that the database cannot be reached now, or has no connection left for us."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_outage(each) for each in error.exceptions)
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, _OUTAGES) or (isinstance(cause, InvalidRequestError) and str(cause) == _LOST_TWICE)
