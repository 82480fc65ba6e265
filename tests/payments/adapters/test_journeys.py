"""From a booking to its money and back, through our front door and each provider's: the page, the messages, the end."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from tests.bookings.shows import Box, run_out, scalar
from tests.bookings.test_api import Guest
from tests.payments.adapters.loopback import answering
from tests.payments.adapters.razorpay_double import KEY_ID, KEY_SECRET, RazorpayDouble
from tests.payments.adapters.razorpay_double import WEBHOOK_SECRET as RAZORPAY_SECRET
from tests.payments.adapters.stripe_double import KEY, WEBHOOK_SECRET, StripeDouble

from farebox.accounts import SYSTEM
from farebox.bookings import Booking, CancelReason, get_booking
from farebox.core.settings import load_settings
from farebox.payments import (
    PaymentProvider,
    build_providers,
    cancel_booking,
    check_payments,
    make_forgotten_refunds,
    verify_ledger,
)
from farebox.payments.adapters.razorpay import Razorpay
from farebox.payments.adapters.stripe import Stripe
from farebox.payments.winding_up import wind_up
from farebox.wiring import Services, build_services


@dataclass
class Far:
    """A provider's double, and how it is spoken of.

    Attributes:
        provider: what is configured for it.
        ends: its words for a refund that arrived, and for one that did not.
    """

    provider: PaymentProvider
    double: Any
    method: str
    currency: str
    ends: tuple[str, str]

    @property
    def name(self) -> str:
        return self.provider.name

    def is_open(self, page: str) -> bool:
        pages = self.double.sessions if self.name == "stripe" else self.double.links
        return pages[page]["status"] in {"open", "created"}

    def dispute(self, charge: str) -> None:
        self.double.dispute(charge, *(() if self.name == "stripe" else ("created",)))

    def lose_dispute(self, charge: str) -> None:
        if self.name == "stripe":
            self.double.close_dispute("du_1", "lost")
        else:
            self.double.dispute(charge, "lost")


@pytest.fixture(params=["stripe", "razorpay"])
def far(request: pytest.FixtureRequest) -> Iterator[Far]:
    double: Any = StripeDouble() if request.param == "stripe" else RazorpayDouble()
    with answering(double.answer) as double.url:
        if request.param == "stripe":
            stripe = Stripe(secret_key=KEY, webhook_secret=WEBHOOK_SECRET, api_url=double.url)
            yield Far(stripe, double, "card", "EUR", ("succeeded", "failed"))
        else:
            razorpay = Razorpay(
                key_id=KEY_ID, key_secret=KEY_SECRET, webhook_secret=RAZORPAY_SECRET, api_url=double.url
            )
            yield Far(razorpay, double, "razorpay", "INR", ("processed", "failed"))


@pytest.fixture
async def services(settings: Any, secrets: Any, box: Box, far: Far) -> AsyncIterator[Services]:
    built = build_services(settings)
    yield replace(built, verticals=box.verticals, secrets=secrets, providers={far.name: far.provider})
    await far.provider.dispose()
    await built.dispose()


@dataclass
class Shop:
    """A guest who books and pays, and what the provider and the jobs do meanwhile."""

    guest: Guest
    far: Far
    services: Services
    booking_id: Any = None
    page: str = ""

    async def begin(self, box: Box) -> str:
        """A new booking whose payment has begun; the page's address."""
        made = await self.guest.book(await box.show(currency=self.far.currency, price=45_000, fee=1000))
        self.booking_id = made["bookingId"]
        form = {"bookingId": self.booking_id, "method": self.far.method, "returnUrl": "/thanks"}
        answer = await self.guest.send("POST", "/payments/create", form)
        assert answer.status_code == 201, answer.text
        url = str(answer.json()["checkoutUrl"])
        self.page = url.rsplit("/", 1)[1]
        return url

    async def deliver(self, *, backwards: bool = False, times: int = 1) -> None:
        """Let the provider send what it has to tell to the address that it was given."""
        sent = self.far.double.send()
        for headers, body in (sent[::-1] if backwards else sent) * times:
            path = f"/api/v1/webhooks/payments/{self.far.name}"
            answer = await self.guest.client.post(path, content=body, headers=headers)
            assert answer.status_code == 200, answer.text

    async def pay(self, box: Box) -> None:
        async with httpx.AsyncClient() as browser:
            assert (await browser.post(await self.begin(box))).status_code == 200
        await self.deliver()

    async def status(self) -> tuple[str, str]:
        """Of the booking and its payment."""
        booking = (await self.guest.send("GET", f"/bookings/{self.booking_id}")).json()
        database = self.services.database
        return booking["status"], await scalar(database, "SELECT status FROM payment ORDER BY created_at DESC LIMIT 1")

    async def booking(self) -> Booking:
        async with self.services.database.begin() as work:
            return await get_booking(work, self.booking_id, actor=SYSTEM, as_it_stands=True)

    async def cancel(self) -> None:
        """The operator cancels, and the job gives all of it back."""
        async with self.services.database.begin() as work:
            await cancel_booking(work, self.booking_id, actor=SYSTEM, reason=CancelReason.OPERATOR)
        await make_forgotten_refunds(self.services.database, providers=self.services.providers, older_than_seconds=0)

    async def check(self) -> None:
        """What the job does that asks about payments, once they are due."""
        async with self.services.database.begin() as work:
            await work.execute("UPDATE payment SET next_check_at = now() WHERE next_check_at IS NOT NULL")
        await check_payments(self.services.database, providers=self.services.providers, signer=self.services.secrets)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.services.database.begin() as work:
            return [tuple(row) for row in await (await work.execute(query)).fetchall()]

    def mistakes(self) -> list[str]:
        """What is wrong in the books."""
        return [str(verdict) for verdict in verify_ledger(self.services.database.direct_dsn) if verdict.broken]


@pytest.fixture
async def shop(client, box, far, services) -> Shop:
    return Shop(Guest(client, box, *(await box.guest_with_token())), far, services)


async def test_a_booking_is_paid_on_the_providers_page(shop, box):
    await shop.pay(box)
    assert await shop.status() == ("confirmed", "completed")
    assert await shop.rows("SELECT disposition, amount_minor, refunded_minor FROM payment_charge") == [
        ("applied", 46_000, 0)
    ]
    assert await shop.rows("SELECT status FROM ticket") == [("issued",)]
    assert shop.mistakes() == []


@pytest.mark.parametrize("backwards", [True, False])
async def test_messages_in_any_order_and_twice_count_once(shop, box, backwards):
    await shop.begin(box)
    shop.far.double.pay(shop.page)
    await shop.deliver(backwards=backwards, times=2)
    assert await shop.status() == ("confirmed", "completed")
    assert await shop.rows("SELECT outcome FROM payment_event ORDER BY received_at") == [
        ("applied",),
        ("known-charge",),
    ]
    assert await shop.rows("SELECT disposition FROM payment_charge") == [("applied",)]


async def test_a_message_that_never_comes_is_asked_for(shop, box):
    await shop.begin(box)
    shop.far.double.pay(shop.page)
    await shop.check()
    assert await shop.status() == ("confirmed", "completed")
    await shop.deliver()  # and then it comes
    assert len(await shop.rows("SELECT 1 FROM payment_charge")) == 1


async def test_a_message_that_the_provider_did_not_sign_is_refused(shop, box):
    await shop.begin(box)
    shop.far.double.pay(shop.page)
    headers, body = shop.far.double.send()[0]
    path = f"/api/v1/webhooks/payments/{shop.far.name}"
    answer = await shop.guest.client.post(path, content=body + b" ", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-signature")
    assert await shop.status() == ("payment_processing", "processing")


async def test_a_card_that_is_declined_may_be_followed_by_another(shop, box):
    await shop.begin(box)
    shop.far.double.decline(shop.page)
    await shop.deliver()
    assert await shop.status() == ("payment_processing", "processing")
    shop.far.double.pay(shop.page)
    await shop.deliver()
    assert await shop.status() == ("confirmed", "completed")


async def test_the_page_is_closed_when_the_booking_ends(shop, box):
    await shop.begin(box)
    await run_out(shop.services.database, await shop.booking())
    async with shop.services.database.begin() as work:
        await get_booking(work, shop.booking_id, actor=SYSTEM)  # whoever looks, ends it
        await wind_up(work, shop.booking_id)
    await shop.check()
    assert not shop.far.is_open(shop.page)
    await shop.deliver()
    assert await shop.status() == ("cancelled", "failed")


async def test_money_goes_back_the_way_it_came(shop, box):
    await shop.pay(box)
    await shop.cancel()
    assert await shop.status() == ("refunded", "refunded")
    assert [row["amount"] for row in shop.far.double.refunds.values()] == [46_000]
    await shop.deliver(times=2)
    assert await shop.rows("SELECT status FROM refund") == [("completed",)]
    assert shop.mistakes() == []


@pytest.mark.parametrize("is_told", [True, False])
async def test_money_on_its_way_back_is_followed_until_it_arrives(shop, box, is_told):
    await shop.pay(box)
    shop.far.double.refund_status = "pending"
    await shop.cancel()
    await shop.deliver()
    assert await shop.rows("SELECT status FROM refund") == [("pending",)]
    assert (await shop.status())[0] == "cancelled"
    [refund_id] = shop.far.double.refunds
    shop.far.double.end_refund(refund_id, shop.far.ends[0])
    await (shop.deliver() if is_told else shop.check())
    assert await shop.rows("SELECT status FROM refund") == [("completed",)]
    assert await shop.status() == ("refunded", "refunded")
    assert shop.mistakes() == []


async def test_money_that_cannot_go_back_stays_owed(shop, box):
    await shop.pay(box)
    shop.far.double.refund_status = "pending"
    await shop.cancel()
    [refund_id] = shop.far.double.refunds
    shop.far.double.end_refund(refund_id, shop.far.ends[1])
    await shop.deliver()
    assert await shop.rows("SELECT status FROM refund") == [("failed",)]
    assert (await shop.status())[0] == "cancelled"
    assert shop.mistakes() == []


async def test_a_bank_takes_money_back(shop, box):
    await shop.pay(box)
    [(charge,)] = await shop.rows("SELECT external_id FROM payment_charge")
    shop.far.dispute(charge)
    await shop.deliver()
    assert await shop.rows("SELECT dispute FROM payment_charge") == [("open",)]
    assert (await shop.status())[0] == "confirmed"
    shop.far.lose_dispute(charge)
    await shop.deliver()
    assert await shop.rows("SELECT dispute FROM payment_charge") == [("lost",)]
    assert (await shop.status())[0] in {"cancelled", "refunded"}
    assert shop.mistakes() == []


async def test_the_keys_alone_turn_the_providers_on(database, secrets, tmp_path):
    given = {
        "FAREBOX_ENV": "production",
        "FAREBOX_STRIPE_SECRET_KEY": KEY,
        "FAREBOX_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "FAREBOX_RAZORPAY_KEY_ID": KEY_ID,
        "FAREBOX_RAZORPAY_KEY_SECRET": KEY_SECRET,
        "FAREBOX_RAZORPAY_WEBHOOK_SECRET": RAZORPAY_SECRET,
    }
    providers = build_providers(load_settings(given, home=tmp_path), secrets, database=database)
    assert list(providers)[:2] == ["stripe", "razorpay"]
    assert "sandbox" not in providers
    for provider in providers.values():
        await provider.dispose()
