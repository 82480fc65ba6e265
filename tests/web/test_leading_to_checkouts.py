"""The page that begins a payment may lead to the payment pages of the providers that are set, and nowhere else."""

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.web.conftest import Browser
from tests.web.test_checkout import pending

from farebox.app import create_app


def form_targets(answer: httpx.Response) -> list[str]:
    found = re.search(r"form-action ([^;]+)", answer.headers["content-security-policy"])
    assert found
    return found[1].split()


@pytest.fixture
async def browser_with(services):
    """A browser in a shop with the sandbox under these names, too: what a policy says depends on names alone."""
    clients: list[httpx.AsyncClient] = []

    def open_browser(*names: str) -> Browser:
        sandbox = services.providers["sandbox"]
        app: Any = create_app(replace(services, providers=dict.fromkeys(names, sandbox)))
        clients.append(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=services.settings.base_url))
        return Browser(clients[-1])

    yield open_browser
    for client in clients:
        await client.aclose()


@pytest.mark.parametrize(
    ("providers", "origins"),
    [
        (["sandbox"], []),
        (["stripe", "sandbox"], ["https://checkout.stripe.com"]),
        (["payos", "stripe"], ["https://pay.payos.vn", "https://checkout.stripe.com"]),
    ],
)
async def test_a_review_leads_to_the_providers_that_are_set(browser_with, coach, providers, origins):
    browser = browser_with(*providers)
    at = await pending(browser, coach)
    assert form_targets(await browser.get(f"{at}/review")) == ["'self'", *origins]


async def test_other_pages_lead_nowhere_else(browser_with, coach):
    browser = browser_with("stripe")
    at = await pending(browser, coach)
    for path in ("/", "/find", at, f"{at}/passengers"):
        assert form_targets(await browser.get(path)) == ["'self'"]
