"""The page of a bank transfer, for whoever booked and for whoever has found the booking with a mailed code."""

from uuid import UUID

import pytest
from msgspec.structs import replace as changed
from tests.web.conftest import path_of
from tests.web.test_checkout import pending

from farebox.accounts import open_booking_session
from farebox.edge.access import BOOKING_COOKIE


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
