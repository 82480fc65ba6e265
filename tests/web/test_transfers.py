"""The page of a bank transfer, for whoever booked and for whoever has found the booking with a mailed code."""

import re
from uuid import UUID

import pytest
from msgspec.structs import replace as changed
from tests.bookings.shows import scalar
from tests.web.conftest import path_of
from tests.web.test_checkout import pending

from farebox.accounts import SYSTEM, open_booking_session
from farebox.core.money import Money
from farebox.edge.access import BOOKING_COOKIE
from farebox.payments import note_received


@pytest.fixture
def settings(settings):
    return changed(settings, bank_iban="DE89370400440532013000", bank_name="Ahorn Coaches", bank_transfer_hours=1)


async def test_a_code_opens_the_transfer_since_it_stands_under_the_booking(browser, visit, coach, services):
    at = await pending(browser, coach)
    begun = path_of(await browser.post(f"{at}/review", terms="1", method="bank-transfer"))
    assert begun.startswith(f"{at}/transfer/")
    assert "DE89 3704 0044 0532 0130 00" in (await browser.get(begun)).text
    async with services.database.begin() as work:
        token = await open_booking_session(work, UUID(at.rpartition("/")[2]), ttl_seconds=600)
    other = visit()
    other.client.cookies.set(BOOKING_COOKIE, token, path=at)  # as browsers are told to send it
    assert "DE89 3704 0044 0532 0130 00" in (await other.get(begun)).text
    waiting = (await other.get(f"{at}/return")).text
    assert f'href="{begun}"' in waiting
    elsewhere = f"/pay/bank/{begun.rpartition('/')[2]}"
    assert (await other.get(elsewhere)).status_code == 403  # control: out of the reach of that cookie
    assert (await browser.get(elsewhere)).status_code == 200


async def test_who_waits_for_a_transfer_is_told_what_to_do_and_not_that_it_takes_long(browser, coach, database):
    at = await pending(browser, coach)
    begun = path_of(await browser.post(f"{at}/review", terms="1", method="bank-transfer"))
    await scalar(database, "UPDATE payment SET created_at = created_at - interval '1 hour' RETURNING 1")
    waiting = (await browser.get(f"{at}/return")).text
    assert "Transfer the money if you have not done so yet." in waiting
    assert "longer than usual" not in waiting
    assert re.search(rf'href="{begun}">See the account and the reference<', waiting)


async def test_when_a_part_has_come_the_booking_asks_for_the_rest(browser, coach, services, database):
    at = await pending(browser, coach)
    begun = path_of(await browser.post(f"{at}/review", terms="1", method="bank-transfer"))
    total = await scalar(database, "SELECT total_minor FROM booking")
    whole, rest = (f"Pay €{amount / 100:.2f}" for amount in (total, total - 500))
    before = (await browser.get(at)).text
    assert whole in before
    assert "have arrived and count" not in before
    async with services.database.begin() as work:
        payment_id = UUID(begun.rpartition("/")[2])
        await note_received(work, payment_id, Money(500, "EUR"), "FT-1", actor=SYSTEM, signer=services.secrets)
    after = (await browser.get(at)).text
    assert rest in after
    assert whole not in after
    assert "€5.00 have arrived and count" in after
