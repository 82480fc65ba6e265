"""JSON for programs: `/api/v1`, also answered under `/api`."""

from litestar import Router
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from farebox.api.problems import answer_domain_error, answer_http_error, answer_unexpected_error
from farebox.api.trips import PlacesController, TripsController
from farebox.core.errors import DomainError

HANDLERS: list[type] = [PlacesController, TripsController]


def api_routers() -> list[Router]:
    """The contract's router, and its alias without the version, which stays out of the OpenAPI document."""
    handlers: ExceptionHandlersMap = {
        DomainError: answer_domain_error,
        HTTPException: answer_http_error,
        Exception: answer_unexpected_error,
    }
    return [
        Router("/api/v1", route_handlers=HANDLERS, exception_handlers=handlers),
        Router("/api", route_handlers=HANDLERS, exception_handlers=handlers, include_in_schema=False),
    ]
