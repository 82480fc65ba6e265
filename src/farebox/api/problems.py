"""Errors on the wire: RFC 9457 problem documents. The one table that gives each domain code its HTTP status."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from farebox.api.broken_fields import broken_fields
from farebox.api.wire import MoneyView, Wire, camel
from farebox.core.db import is_outage
from farebox.core.errors import DomainError, FieldError, Invalid, NotAllowed, Unavailable
from farebox.core.i18n import gettext
from farebox.core.money import Money

PROBLEM_TYPE = "https://farebox.example/problems/"

FRAMEWORK_CODES: Mapping[int, str] = {
    400: "bad-request",
    401: "credential-required",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    413: "content-too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
    500: "internal-server-error",
    503: "unavailable",
}
"""Status -> code, for the framework's own errors. Not made of their phrases, which differ from Python to Python."""

STATUS: Mapping[str, int] = {
    "already-booked": 409,
    "already-staff": 409,
    "bad-fare-terms": 422,
    "bad-feed": 422,
    "bad-picture": 422,
    "bad-query": 422,
    "bad-setting": 500,
    "bad-signature": 400,
    "booking-expired": 410,
    "booking-not-found": 404,
    "busy": 409,
    "challenge-expired": 410,
    "change-not-found": 404,
    "change-pending": 409,
    "concerns-others": 409,
    "credential-required": 401,
    "departure-not-found": 404,
    "device-not-found": 404,
    "duplicate-seats": 422,
    "email-not-verified": 403,
    "email-taken": 409,
    "extension-limit": 409,
    "factor-needed": 409,
    "factor-not-found": 404,
    "fare-not-found": 404,
    "file-not-found": 404,
    "idempotency-mismatch": 422,
    "idempotency-running": 409,
    "identity-link-expired": 410,
    "identity-not-found": 404,
    "identity-taken": 409,
    "illegal-transition": 409,
    "invalid": 422,
    "invited-too-often": 429,
    "invoice-details-fixed": 409,
    "invoice-not-found": 404,
    "invalid-credentials": 401,
    "invalid-refresh-token": 401,
    "invitation-for-another": 403,
    "invitation-not-found": 404,
    "invitation-over": 410,
    "key-not-found": 404,
    "last-operator-admin": 409,
    "last-way-in": 409,
    "link-expired": 410,
    "lock-conflict": 409,
    "lock-expired": 410,
    "lock-lost": 409,
    "lock-not-found": 404,
    "lookup-failed": 422,
    "member-not-found": 404,
    "message-not-found": 404,
    "mixed-currencies": 422,
    "moving-picture": 422,
    "not-allowed": 403,
    "not-boardable": 422,
    "not-by-hand": 409,
    "not-cancellable": 409,
    "not-changeable": 409,
    "not-enough-units": 409,
    "not-erasable": 409,
    "not-for-sale": 422,
    "not-found": 404,
    "not-grantable": 403,
    "not-modifiable": 409,
    "not-on-sale": 410,
    "no-wallet": 409,
    "not-payable": 409,
    "not-ticketed": 409,
    "nothing-found": 404,
    "nothing-to-pay": 409,
    "open-return-not-found": 404,
    "operator-not-found": 404,
    "order-refused": 422,
    "overloaded": 503,
    "pairing-failed": 422,
    "passenger-not-found": 404,
    "passkey-refused": 422,
    "passkeys-unavailable": 409,
    "payment-not-found": 404,
    "payment-required": 402,
    "person-not-found": 404,
    "picture-too-large": 413,
    "place-not-found": 404,
    "price-changed": 409,
    "price-rule-not-found": 404,
    "promotion-code-taken": 409,
    "promotion-not-found": 404,
    "proof-not-accepted": 409,
    "provider-denied": 403,
    "provider-email-unverified": 422,
    "provider-refused": 422,
    "provider-sign-in-expired": 410,
    "provider-unavailable": 503,
    "provider-unreachable": 503,
    "reference-mistyped": 404,
    "refund-changed": 409,
    "reference-used": 409,
    "refund-not-found": 404,
    "refund-refused": 409,
    "payout-too-large": 422,
    "refund-too-large": 422,
    "sales-closed": 410,
    "seats-gone": 409,
    "seats-unavailable": 409,
    "second-factor-required": 401,
    "session-not-found": 404,
    "step-up-required": 403,
    "stock-gone": 409,
    "stock-in-use": 409,
    "ticket-invalid": 422,
    "ticket-not-found": 404,
    "too-late-to-cancel": 409,
    "too-many-attempts": 429,
    "too-many-factors": 409,
    "too-many-holds": 409,
    "too-many-messages": 429,
    "too-many-of-them": 409,
    "too-many-requests": 429,
    "too-many-seats": 422,
    "too-many-watchers": 503,
    "unavailable": 503,
    "units-taken": 409,
    "unknown-identity-provider": 404,
    "unknown-payment-method": 422,
    "unknown-payment-provider": 404,
    "unknown-seat": 422,
    "unknown-units": 422,
    "unreadable-webhook": 422,
    "wallet-too-small": 409,
    "wrong-code": 422,
    "wrong-password": 422,
}
"""Domain code -> HTTP status. A test checks that every domain error has its line here."""


class FieldProblem(Wire):
    field: str
    code: str
    message: str


class Problem(Wire):
    """RFC 9457. Further members depend on the code: `seats`, `retryAfter`, `total` …"""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldProblem, ...] = ()


def status_of(error: DomainError | type[DomainError]) -> int:
    """What is not allowed is so by whatever code."""
    kind = error if isinstance(error, type) else type(error)
    return HTTPStatus.FORBIDDEN if issubclass(kind, NotAllowed) else STATUS.get(kind.code, 400)


def problems(*errors: type[DomainError]) -> dict[int, ResponseSpec]:
    """The OpenAPI responses for the domain errors that a handler declares."""
    by_status: dict[int, list[type[DomainError]]] = {}
    for error in errors:
        by_status.setdefault(status_of(error), []).append(error)
    return {
        status: ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            media_type="application/problem+json",
            description="; ".join(f"`{kind.code}`" for kind in kinds),
            examples=[Example(id=kind.code, summary=kind.code, value=_example(status, kind)) for kind in kinds],
        )
        for status, kinds in by_status.items()
    }


def unreadable() -> dict[int, ResponseSpec]:
    """The OpenAPI response for what the framework refuses: values of a wrong type, named, and broken syntax."""
    examples = [Example(id=Invalid.code, summary=Invalid.code, value=_example(HTTPStatus.BAD_REQUEST, Invalid))]
    spec = ResponseSpec(
        data_container=Problem,
        generate_examples=False,
        media_type="application/problem+json",
        description="`invalid`: `errors` names the fields that are not what they must be; `bad-request`",
        examples=examples,
    )
    return {HTTPStatus.BAD_REQUEST: spec}


def answer_domain_error(_: Request[Any, Any, Any], error: DomainError) -> Response[dict[str, Any]]:
    """A domain error as a problem document, in the reader's language."""
    status = status_of(error)
    members: dict[str, Any] = {camel(name): _on_the_wire(value) for name, value in error.fields.items()}
    if isinstance(error, Invalid):
        members["errors"] = _told(error.errors)
    headers = {"Retry-After": str(error.fields["retry_after"])} if "retry_after" in error.fields else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, error.code, error.text(), headers=headers, **members)


def answer_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """The framework's own errors (no such route, unreadable body, wrong method) in the same form."""
    if isinstance(error, ValidationException):
        errors = _told(broken_fields(request, error))
        return problem(HTTPStatus.BAD_REQUEST.value, Invalid.code, gettext(Invalid.message), errors=errors)
    phrase = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.status_code < HTTP_500_INTERNAL_SERVER_ERROR else phrase
    code = FRAMEWORK_CODES.get(error.status_code, "http-error")
    return problem(error.status_code, code, detail or phrase, headers=dict(error.headers or {}))


def answer_unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Anything else: no detail leaves the house; the log has it under the request's id."""
    if is_outage(error):
        return answer_domain_error(request, Unavailable())
    return problem(500, "internal-server-error", gettext("Something went wrong on our side. Please try again."))


def problem(
    status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
) -> Response[dict[str, Any]]:
    content = {
        "type": PROBLEM_TYPE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }
    return Response(
        content, status_code=status, media_type="application/problem+json; charset=utf-8", headers=dict(headers or {})
    )


def _told(errors: Iterable[FieldError]) -> list[dict[str, str]]:
    return [{"field": each.field, "code": each.code, "message": each.text()} for each in errors]


def _example(status: int, kind: type[DomainError]) -> dict[str, Any]:
    return {
        "type": PROBLEM_TYPE + kind.code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": kind.message,
        "code": kind.code,
    }


def _on_the_wire(value: Any) -> Any:
    return MoneyView.of(value) if isinstance(value, Money) else value
