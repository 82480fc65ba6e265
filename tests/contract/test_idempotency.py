"""Every write of the API takes an `Idempotency-Key`, and its document says so."""

import pytest
from tests.bookings.conftest import box, client, services

__all__ = ["box", "client", "services"]

WRITES = {"post", "put", "patch", "delete"}
DECLARED = {"idempotency-mismatch", "idempotency-running"}

EXCEPTIONS = {
    "POST /api/v1/webhooks/payments/{provider}": "providers repeat their messages; the inbox knows each by its own id",
    "POST /api/v1/payments/sandbox/{paymentId}": "a stand-in for a bank's page, which programs of ours do not call",
}
"""Those with a credential that need none, and why. Without a credential a key is ignored: an answer that is kept for
nobody in particular would be told to anybody who guesses the key."""


def writes(document):
    """(operation's name, operation) of every write that asks for a credential."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in WRITES and operation.get("security"):
                yield f"{method.upper()} {path}", operation


def declared(operation):
    """The codes of the problems that an operation names."""
    return {
        name
        for answer in operation["responses"].values()
        for media in answer.get("content", {}).values()
        for name in media.get("examples", {})
    }


@pytest.fixture
async def document(client):
    return (await client.get("/api/v1/openapi.json")).json()


async def test_every_write_with_a_credential_declares_what_a_key_may_bring(document):
    found = dict(writes(document))
    assert len(found) > 30  # control: the walk sees them
    silent = {name for name, operation in found.items() if not declared(operation) >= DECLARED}
    forgotten = sorted(silent - EXCEPTIONS.keys())
    assert not forgotten, "\n".join(forgotten)


async def test_no_exception_is_older_than_its_reason(document):
    paths = {f"{method.upper()} {path}" for path, each in document["paths"].items() for method in each}
    assert EXCEPTIONS.keys() <= paths
