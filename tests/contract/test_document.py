"""The running API answers as its OpenAPI document says, whatever it is asked."""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def document(shop):
    return schemathesis.openapi.from_url(f"{shop.url}/api/v1/openapi.json")


@pytest.fixture(scope="module")
def token(shop):
    return httpx.post(f"{shop.url}/api/v1/guest-sessions").json()["guestToken"]


def test_it_answers_as_the_document_says(document, token):
    wrong = {}
    asked = 0
    for operation in (found.ok() for found in document.get_all_operations()):
        if not operation.path.startswith("/api/v1/"):
            continue

        @settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def answers(case):
            case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

        try:
            answers()
        except (AssertionError, BaseExceptionGroup) as error:
            wrong[operation.label] = str(error)
        asked += 1
    assert wrong == {}
    assert asked > 25
