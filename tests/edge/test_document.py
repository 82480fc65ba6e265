"""The OpenAPI document: whole, with examples, and true about credentials and refusals."""

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of

from farebox.wiring import build_services

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
async def document(settings):
    services = build_services(settings)
    async with AsyncTestClient(app_of(services)) as client:
        answer = await client.get("/api/v1/openapi.json")
        assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")
        yield answer.json()
    await services.dispose()


def operations(document):
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def codes(operation) -> set[str]:
    """The codes of refusals that an operation tells with status 401."""
    problem = operation["responses"].get("401", {}).get("content", {}).get("application/problem+json", {})
    return set(problem.get("examples", ()))


async def test_the_document_is_openapi_3_1_and_holds_the_contract(document):
    assert document["openapi"].startswith("3.1")
    contract = {
        "GET /api/v1/places/suggest",
        "GET /api/v1/trips/search",
        "GET /api/v1/trips/{trip_id}",
        "GET /api/v1/trips/{trip_id}/seats",
        "POST /api/v1/guest-sessions",
        "POST /api/v1/seats/lock",
        "PATCH /api/v1/seats/lock/{lock_id}/extend",
        "DELETE /api/v1/seats/lock/{lock_id}",
        "GET /api/v1/seats/lock/{trip_id}/status",
        "POST /api/v1/bookings",
        "GET /api/v1/bookings/{booking_id}",
        "POST /api/v1/bookings/{booking_id}/confirm",
        "DELETE /api/v1/bookings/{booking_id}",
        "POST /api/v1/bookings/guest/lookup",
        "POST /api/v1/bookings/guest/verify",
        "GET /api/v1/bookings/{booking_id}/e-ticket",
        "POST /api/v1/bookings/{booking_id}/email-ticket",
        "POST /api/v1/payments/create",
        "GET /api/v1/payments/{payment_id}",
        "POST /api/v1/payments/sandbox/{payment_id}",
        "POST /api/v1/webhooks/payments/{provider}",
    }
    assert contract - set(operations(document)) == set()


async def test_each_operation_has_a_summary_and_a_tag(document):
    assert [name for name, operation in operations(document).items() if not operation.get("summary")] == []
    assert [name for name, operation in operations(document).items() if not operation.get("tags")] == []


async def test_guarded_operations_tell_of_the_credential(document):
    guarded = {name for name, operation in operations(document).items() if operation.get("security")}
    assert "POST /api/v1/seats/lock" in guarded
    assert "GET /api/v1/trips/search" not in guarded
    told = {name for name, operation in operations(document).items() if "credential-required" in codes(operation)}
    assert told == guarded


async def test_a_status_with_two_reasons_shows_both(document):
    lock = operations(document)["POST /api/v1/seats/lock"]["responses"]["409"]
    assert {"seats-unavailable", "busy"} <= set(lock["content"]["application/problem+json"]["examples"])


async def test_problem_examples_have_the_members_of_rfc_9457(document):
    for operation in operations(document).values():
        for answer in operation["responses"].values():
            for example in answer.get("content", {}).get("application/problem+json", {}).get("examples", {}).values():
                assert {"type", "title", "status", "detail", "code"} <= set(example["value"])
