"""The OpenAPI document: whole, with examples, and true about credentials and refusals."""

import re

import msgspec
import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of

from farebox.api import examples
from farebox.wiring import build_services

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
async def app(settings):
    services = build_services(settings)
    yield app_of(services)
    await services.dispose()


@pytest.fixture
async def document(app):
    async with AsyncTestClient(app) as client:
        answer = await client.get("/api/v1/openapi.json")
        assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")
        return answer.json()


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
        "GET /api/v1/trips/{tripId}",
        "GET /api/v1/trips/{tripId}/seats",
        "POST /api/v1/guest-sessions",
        "POST /api/v1/seats/lock",
        "PATCH /api/v1/seats/lock/{lockId}/extend",
        "DELETE /api/v1/seats/lock/{lockId}",
        "GET /api/v1/seats/lock/{tripId}/status",
        "POST /api/v1/bookings",
        "GET /api/v1/bookings/{bookingId}",
        "POST /api/v1/bookings/{bookingId}/confirm",
        "DELETE /api/v1/bookings/{bookingId}",
        "POST /api/v1/bookings/guest/lookup",
        "POST /api/v1/bookings/guest/verify",
        "GET /api/v1/bookings/{bookingId}/e-ticket",
        "POST /api/v1/bookings/{bookingId}/email-ticket",
        "POST /api/v1/payments/create",
        "GET /api/v1/payments/{paymentId}",
        "POST /api/v1/payments/sandbox/{paymentId}",
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


def nodes(value):
    """Every object in a JSON value, with the name under which it is."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, dict):
            yield name, inner
        if isinstance(inner, dict | list):
            yield from nodes(inner)


async def test_examples_and_headers_are_as_openapi_wants_them(document):
    """Whose meta-schema knows no `id` of an example, and asks each header for its schema."""
    allowed = {"summary", "description", "value", "externalValue"}
    found = [(name, each) for name, each in nodes(document) if name in {"examples", "headers"}]
    examples = [each for name, group in found if name == "examples" for each in group.values()]
    headers = [each for name, group in found if name == "headers" for each in group.values()]
    assert [each for each in examples if not each.keys() <= allowed] == []
    assert [each for each in headers if "schema" not in each] == []
    assert (len(examples) > 500, len(headers) > 50) == (True, True)  # control: they are seen


async def test_parts_of_paths_are_named_as_the_contract_names_them(document):
    for name, operation in operations(document).items():
        parts = re.findall(r"\{([^}]+)\}", name)
        told = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
        assert sorted(told) == sorted(parts), name
        assert all(re.fullmatch("[a-z]+([A-Z][a-z]+)*", part) for part in parts), name
        named = [(each["name"], each["in"]) for each in operation.get("parameters", [])]
        assert len(set(named)) == len(named), name
    assert "GET /api/v1/users/{userId}/bookings" in operations(document)


def body_types(app):
    """Name -> type of every body that a route of the API takes."""
    found = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            data = handler.parsed_fn_signature.parameters.get("data")
            if data is not None and route.path.startswith("/api/"):
                for kind in (data.annotation, *getattr(data.annotation, "__args__", ())):
                    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                        found[kind.__name__] = kind
    return found


async def test_every_body_has_an_example_that_is_one(app, document):
    bodies = {
        name: operation["requestBody"]["content"]["application/json"]
        for name, operation in operations(document).items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert [name for name, body in bodies.items() if not body.get("example")] == []
    assert len(bodies) > 50
    types = body_types(app)
    assert types.keys() == examples.BODIES.keys()
    for name, kind in types.items():
        msgspec.convert(examples.BODIES[name], kind)
