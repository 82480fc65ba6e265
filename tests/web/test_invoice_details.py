"""Whom the invoice names, asked for on a page: from the review, and from the booking's page once it is paid."""

import re
from html import unescape

import pytest
from tests.web.test_after_sale import booked, sql
from tests.web.test_checkout import pending

__all__ = ["sql"]

COMPANY = {
    "name": "Công ty TNHH Sông Hương",
    "tax_number": "3300101234",
    "address": "12 Lê Lợi\r\nHuế",
    "country": "VN",
}


async def test_it_is_given_on_the_way_to_the_payment_which_goes_on_from_there(browser, coach):
    at = await pending(browser, coach)
    review = (await browser.get(f"{at}/review")).text
    assert f'href="{at}/invoice-details"' in review
    assert (await browser.get(f"{at}/invoice-details")).status_code == 200
    saved = await browser.post(f"{at}/invoice-details", **COMPANY)
    assert saved.headers["location"] == f"{at}/review?said=invoice-noted"
    assert "The invoice will name them" in (await browser.get(saved.headers["location"])).text
    page = unescape((await browser.get(f"{at}/invoice-details")).text)
    assert 'value="Công ty TNHH Sông Hương"' in page
    assert "12 Lê Lợi\nHuế</textarea>" in page
    assert re.search(r'<option value="VN" selected>Vietnam', page)


async def test_once_it_is_paid_the_bookings_page_names_it_and_it_can_be_changed_and_removed(browser, coach, sql):
    at = await booked(browser, coach)
    assert "Details for the invoice" in (await browser.get(at)).text
    saved = await browser.post(f"{at}/invoice-details", **COMPANY)
    assert saved.headers["location"] == f"{at}?said=invoice"
    page = (await browser.get(saved.headers["location"])).text
    assert "The new invoice is written now" in page
    assert "The invoice is for Công ty TNHH Sông Hương." in page
    form = (await browser.get(f"{at}/invoice-details")).text
    assert "is credited" in form
    removed = await browser.post(f"{at}/invoice-details", remove="1")
    assert removed.headers["location"] == f"{at}?said=invoice"
    assert sql("SELECT details, changes FROM invoice_details") == (None, 2)
    assert "The invoice is for" not in (await browser.get(at)).text


async def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(browser, coach, sql):
    at = await pending(browser, coach)
    answer = await browser.post(f"{at}/invoice-details", **COMPANY | {"name": " ", "address": "1\n2\n3\n4\n5"})
    assert answer.status_code == 422
    assert re.search(r'id="name"[^>]*aria-invalid="true"', answer.text)
    assert re.search(r'id="address"[^>]*aria-invalid="true"', answer.text)
    assert 'href="#address"' in answer.text
    assert 'value="3300101234"' in answer.text
    assert sql("SELECT count(*) FROM invoice_details") == (0,)


async def test_too_many_changes_are_told_on_the_page(browser, coach, sql):
    at = await pending(browser, coach)
    await browser.post(f"{at}/invoice-details", **COMPANY)
    sql("UPDATE invoice_details SET changes = 20")
    answer = await browser.post(f"{at}/invoice-details", **COMPANY | {"name": "Hải Vân"})
    assert answer.status_code == 409
    assert "changed 20 times already" in answer.text


@pytest.mark.parametrize(("language", "word"), [("en", "Country"), ("vi", "Quốc gia")])
async def test_it_is_asked_for_in_both_languages(browser, coach, language, word):
    at = await pending(browser, coach)
    page = await browser.get(f"{at}/invoice-details", headers={"Accept-Language": language})
    assert f">{word}</label>" in page.text
