"""Every refusal of the domain has its HTTP status, its stable code and a text that fills in."""

import importlib
import pkgutil

import pytest
from litestar.testing import AsyncTestClient

import farebox
from farebox.api.problems import STATUS
from farebox.app import create_app
from farebox.core.errors import DomainError, SetupError
from farebox.wiring import build_services


def all_errors() -> list[type[DomainError]]:
    for module in pkgutil.walk_packages(farebox.__path__, "farebox."):
        if ".migrations." not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, waiting = [], [DomainError]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            found.append(kind)
            waiting.append(kind)
    return [kind for kind in found if kind.__module__.startswith("farebox.")]


def test_every_domain_error_has_a_status():
    missing = sorted({kind.code for kind in all_errors() if not issubclass(kind, SetupError)} - set(STATUS))
    assert missing == []
    assert len(all_errors()) > 30


def test_no_status_is_kept_for_a_code_that_is_gone():
    assert sorted(set(STATUS) - {kind.code for kind in all_errors()}) == []


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_codes_read_alike(kind):
    assert kind.code == kind.code.lower()
    assert "_" not in kind.code
    assert kind.message.endswith((".", "}", "?"))


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 50_000, b'{"reference": "\xff"}', b"\xff\xfe{\x00}\x00", b"{"],
    ids=["deep lists", "deep objects", "latin-1", "utf-16", "cut off"],
)
async def test_a_body_that_cannot_be_read_is_the_clients_mistake(settings, body):
    async with AsyncTestClient(create_app(build_services(settings))) as client:
        answer = await client.post(
            "/api/v1/bookings/guest/lookup", content=body, headers={"Content-Type": "application/json"}
        )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")
