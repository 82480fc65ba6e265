"""What every operation of the OpenAPI document says without its handler's doing: credentials, limits, bad input; and
its last touches.
"""

import re
from dataclasses import replace
from typing import Any

from litestar import Request
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

from farebox.api.examples import BODIES
from farebox.api.problems import problems, unreadable
from farebox.api.wire import camel
from farebox.core.errors import Busy, DomainError, Invalid, NotAllowed, SignInRequired
from farebox.edge.access import SAFE_METHODS
from farebox.edge.rate_limits import TooManyRequests

BEARER = "bearer"
"""The name of the document's security scheme."""

IN_PATH = re.compile(r"\{(\w+)\}")


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


class ContractDocument(JsonRenderPlugin):
    """The document as clients get it: in the contract's names, with examples of bodies, and by OpenAPI's rules."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, openapi_schema | {"paths": _paths(openapi_schema["paths"])})


def _paths(paths: dict[str, Any]) -> dict[str, Any]:
    return {
        IN_PATH.sub(lambda name: f"{{{camel(name[1])}}}", path): {
            method: _operation(operation) for method, operation in item.items()
        }
        for path, item in paths.items()
    }


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = _without_ids(operation)
    for parameter in told.get("parameters", []):
        if parameter["in"] == "path":
            parameter["name"] = camel(parameter["name"])
    body = told.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        kinds = [body["schema"], *body["schema"].get("oneOf", [])]
        [name] = [kind["$ref"].rpartition("/")[2] for kind in kinds if "$ref" in kind]
        body["example"] = BODIES.get(name)
    return told


def _without_ids(node: Any) -> Any:
    """A copy of it. The framework writes into examples under which key they are, where OpenAPI allows no `id`."""
    if isinstance(node, list):
        return [_without_ids(each) for each in node]
    if not isinstance(node, dict):
        return node
    copy = {key: _without_ids(each) for key, each in node.items()}
    examples = copy.get("examples")
    for example in examples.values() if isinstance(examples, dict) else ():
        example.pop("id", None)
    return copy
