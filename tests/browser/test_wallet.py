"""A wallet in Chromium: money is put in, its receipt is read, and it is taken out again. Every page is looked at."""

import re

import pytest
from playwright.sync_api import expect
from tests.browser.journey import inspect, pay
from tests.browser.people import new_address, register, sign_in


@pytest.mark.parametrize("width", [360, 1280])
def test_put_in_and_taken_out(visit, width):
    visitor, mail = visit(width=width), visit().page
    page, address = visitor.page, new_address()
    clock = visitor.context.new_cdp_session(page)
    clock.send("Emulation.setTimezoneOverride", {"timezoneId": "America/New_York"})
    register(page, mail, address)
    sign_in(page, address)
    page.goto("/account/wallet")
    page.fill("#amount", "500000")
    page.select_option("#currency", "VND")
    inspect(page)
    page.get_by_role("button", name="Continue to payment").click()
    page.wait_for_url("**/pay/sandbox/**")
    pay(page)
    page.wait_for_url("**/account/wallet?**")
    expect(page.locator(".balances")).to_contain_text("500,000")
    expect(page.locator(".zone-note")).to_contain_text(re.compile("Eastern (Standard|Daylight) Time"))
    inspect(page)
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^Receipt")).click()
    assert re.fullmatch(r"WALLET[0-9A-F]{8}\.pdf", download.value.suggested_filename)

    page.get_by_role("link", name="Take money out").click()
    page.wait_for_url("**/wallet/payout?**")
    inspect(page)
    page.fill("#amount", "900000")
    page.get_by_role("button", name="See where it goes").click()
    expect(page.locator(".input__error")).to_be_visible()
    inspect(page)
    page.fill("#amount", "200000")
    page.get_by_role("button", name="See where it goes").click()
    expect(page.locator("#quote-title")).to_contain_text("200,000")
    inspect(page)
    page.get_by_role("button", name=re.compile("^Take .* out$")).click()
    page.wait_for_url("**said=taken-out")
    expect(page.locator(".balances")).to_contain_text("300,000")
    expect(page.locator(".list-table")).to_contain_text("Taken out")
    inspect(page)
    assert visitor.complaints == []
