"""Stripe's adapter against localstripe, which others wrote: what is said to it is understood, what it says is, too.

It has no checkouts; so payments are made past the adapter, and given back and heard of through it.
"""

import os
import queue
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from tests.payments.adapters.loopback import Asked, answering

from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import BadSignature, ProviderUnavailable, RefundOrder, RefundRefused, RunningPayment
from farebox.payments.adapters.stripe import Stripe

START_SECONDS = 60
KEY, WEBHOOK_SECRET = "sk_test_farebox", "whsec_farebox"


@pytest.fixture(scope="session")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address. It keeps what it knows in the directory for temporary files, so it has one of its own."""
    home: Path = tmp_path_factory.mktemp("localstripe")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"],
            env=os.environ | {"TMPDIR": str(home)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Until it listens."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("localstripe did not start")


@pytest.fixture
async def adapter(localstripe: str) -> AsyncIterator[Stripe]:
    stripe = Stripe(secret_key=KEY, webhook_secret=WEBHOOK_SECRET, api_url=localstripe)
    yield stripe
    await stripe.dispose()


async def paid(localstripe: str, payment_id: UUID) -> str:
    """A card is charged 13.50 euros; the id of the intent."""
    card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2040", "cvc": "123"}
    async with httpx.AsyncClient(base_url=localstripe, auth=(KEY, "")) as client:
        form = {"type": "card"} | {f"card[{name}]": value for name, value in card.items()}
        method = (await client.post("/v1/payment_methods", data=form)).json()["id"]
        form = {"amount": "1350", "currency": "eur", "payment_method": method, "confirm": "true"}
        intent = await client.post("/v1/payment_intents", data=form | {"metadata[farebox_payment]": str(payment_id)})
        assert intent.json()["status"] == "succeeded", intent.text
        return str(intent.json()["id"])


def owed(charge: str, minor: int) -> RefundOrder:
    return RefundOrder(new_id(), "", charge, Money(minor, "EUR"), "cancelled")


async def test_a_refund_is_made_once_although_it_ignores_idempotency_keys(localstripe, adapter):
    charge = await paid(localstripe, new_id())
    asked = owed(charge, 350)
    first = await adapter.refund(asked)
    assert await adapter.refund(asked) == first
    assert first.is_final
    assert await adapter.refund(owed(charge, 1000)) != first
    async with httpx.AsyncClient(base_url=localstripe, auth=(KEY, "")) as client:
        made = (await client.get("/v1/refunds", params={"payment_intent": charge})).json()["data"]
    assert sorted(refund["amount"] for refund in made) == [350, 1000]


async def test_a_refund_of_a_charge_that_it_does_not_know_is_refused(adapter):
    with pytest.raises(RefundRefused):
        await adapter.refund(owed("pi_unknown", 350))


async def test_a_checkout_which_it_does_not_have_is_asked_for_again(adapter):
    payment = RunningPayment(new_id(), "cs_test_1", Money(1350, "EUR"), "card")
    with pytest.raises(ProviderUnavailable):
        await adapter.fetch(payment)


async def test_its_messages_are_believed_and_read(localstripe, adapter):
    heard: queue.Queue[Asked] = queue.Queue()

    def hear(asked: Asked) -> tuple[int, object]:
        heard.put(asked)
        return 200, {}

    with answering(hear) as url:
        webhook = {"url": url, "secret": WEBHOOK_SECRET, "events": ["payment_intent.succeeded"]}
        async with httpx.AsyncClient() as client:
            assert (await client.post(f"{localstripe}/_config/webhooks/farebox", json=webhook)).is_success
        payment_id = new_id()
        charge = await paid(localstripe, payment_id)
        asked = heard.get(timeout=START_SECONDS)
        event = await adapter.parse_webhook(asked.headers, asked.body)
        while event.payment_id != payment_id:  # it tells everything a second late, also of the tests before
            asked = heard.get(timeout=START_SECONDS)
            event = await adapter.parse_webhook(asked.headers, asked.body)
    assert (event.kind, event.charge_id, event.amount_minor, event.currency) == ("paid", charge, 1350, "EUR")
    with pytest.raises(BadSignature):
        await adapter.parse_webhook(asked.headers, asked.body.replace(b"1350", b"9999"))
