"""What every operation of the OpenAPI document says without its handler's doing: credentials, limits, bad input."""

from dataclasses import replace

from litestar.openapi.datastructures import ResponseSpec
from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

from farebox.api.problems import problems, unreadable
from farebox.core.errors import Busy, DomainError, Invalid, NotAllowed, SignInRequired
from farebox.edge.access import SAFE_METHODS
from farebox.edge.rate_limits import TooManyRequests

BEARER = "bearer"
"""The name of the document's security scheme."""


class DocumentAccess(ReceiveRoutePlugin):
    """Documents what the access rule, the rate limits and the reading of the body of an API route may answer."""

    def receive_route(self, route: BaseRoute) -> None:
        if not isinstance(route, HTTPRoute) or not route.path.startswith("/api/"):
            return
        for handler in route.route_handlers:
            refusals: list[type[DomainError]] = []
            if handler.opt.get("access") not in {"public", None}:
                refusals += [SignInRequired, NotAllowed]
                handler.security = [{BEARER: []}]
            if not SAFE_METHODS.issuperset(map(str, handler.http_methods)):
                refusals += [TooManyRequests, Busy]
            if "data" in handler.parsed_fn_signature.parameters:
                refusals.append(Invalid)
            own = dict(handler.responses or {})
            told = {example.id for answer in own.values() for example in answer.examples or []}
            more = problems(*(each for each in refusals if each.code not in told)) | unreadable()
            handler.responses = _joined(own, more)


def _joined(own: dict[int, ResponseSpec], more: dict[int, ResponseSpec]) -> dict[int, ResponseSpec]:
    """Both; where both have answers of one status, that answer has the examples of both."""
    joined = own | more
    for status in own.keys() & more.keys():
        joined[status] = replace(
            own[status],
            description=f"{own[status].description}; {more[status].description}",
            examples=[*(own[status].examples or []), *(more[status].examples or [])],
        )
    return joined
