"""Whom the invoice names, asked for on a page: from the review, and from the booking's page once it is paid."""

import re
from html import unescape

import pytest
from tests.web.test_after_sale import booked, sql
from tests.web.test_checkout import pending
from tests.web.test_wallet import an, home, put_in

from farebox.web.shop.ticked import TICKED_COOKIE

__all__ = ["an", "home", "sql"]

COMPANY = {
    "name": "Công ty TNHH Sông Hương",
    "tax_number": "3300101234",
    "address": "12 Lê Lợi\r\nHuế",
    "country": "VN",
}


async def test_it_is_given_on_the_way_to_the_payment_which_goes_on_from_there(browser, coach):
    at = await pending(browser, coach)
    review = (await browser.get(f"{at}/review")).text
    assert 'name="invoice" value="1"' in review
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


async def test_what_was_ticked_and_chosen_on_the_review_is_there_again_after(home, coach):
    await put_in(home, "1000")
    at = await pending(home, coach)
    away = await home.post(f"{at}/review", invoice="1", terms="1", method="wallet", promotion="TẾT 2027")
    assert (away.status_code, away.headers["location"]) == (303, f"{at}/invoice-details")
    assert kept(home) == [f"{at}/review"]
    assert re.search(r"farebox_ticked=.*HttpOnly.*SameSite=lax", away.headers["set-cookie"])
    assert (await home.post(f"{at}/invoice-details", **COMPANY | {"name": " "})).status_code == 422
    saved = await home.post(f"{at}/invoice-details", **COMPANY)
    back = await home.get(saved.headers["location"])
    assert ticked(back) == ({"terms": "1", "method": "wallet"}, "TẾT 2027")


async def test_a_part_out_of_the_wallet_stays_chosen_too_for_whoever_leaves_all_as_it_is(home, coach):
    await put_in(home, "1")
    at = await pending(home, coach)
    away = await home.post(f"{at}/review", invoice="1", method="sandbox", use_wallet="1")
    page = (await home.get(away.headers["location"])).text
    assert f'href="{at}/review"' in page
    assert ticked(await home.get(f"{at}/review")) == ({"method": "sandbox", "use_wallet": "1"}, "")


async def test_nothing_is_ticked_that_was_not_and_it_is_kept_for_one_time(browser, coach):
    at = await pending(browser, coach)
    first = ({"method": "sandbox"}, "")
    assert ticked(await browser.get(f"{at}/review")) == first
    await browser.post(f"{at}/review", invoice="1", method="sandbox")
    assert ticked(await browser.get(f"{at}/review")) == first
    await browser.post(f"{at}/review", invoice="1", terms="1", method="sandbox")
    assert ticked(await browser.get(f"{at}/review"))[0]["terms"] == "1"
    assert kept(browser) == []
    assert ticked(await browser.get(f"{at}/review")) == first
    assert ticked(await browser.get(f"{at}/review?terms=1&invoice=1")) == first


async def test_what_was_ticked_for_one_booking_or_made_up_is_ticked_for_no_other(browser, coach):
    at, other = await pending(browser, coach), await pending(browser, coach, "5B")
    await browser.post(f"{at}/review", invoice="1", terms="1")
    assert "terms" not in ticked(await browser.get(f"{other}/review"))[0]
    [cookie] = [each for each in browser.client.cookies.jar if each.name == TICKED_COOKIE]
    for value in (cookie.value, "terms=1", "dGVybXM9MQ==", "%C3%A9"):
        answer = await browser.get(
            f"{other}/review", headers={"Cookie": f"{_session(browser)}; {TICKED_COOKIE}={value}"}
        )
        assert (answer.status_code, "terms" in ticked(answer)[0]) == (200, False)


def ticked(answer):
    """What is ticked or chosen on a review, and the code that is typed there."""
    on = [each for each in re.findall(r"<input [^>]*>", answer.text) if " checked" in each]
    chosen = dict(re.findall(r'name="(\w+)" value="([^"]*)"', " ".join(on)))
    typed = re.search(r'<input id="promotion"[^>]* value="([^"]*)"', answer.text)
    return chosen, unescape(typed[1]) if typed else ""


def kept(browser):
    """The pages to which the browser brings along what was ticked."""
    return [each.path for each in browser.client.cookies.jar if each.name == TICKED_COOKIE]


def _session(browser):
    return f"farebox_session={browser.client.cookies['farebox_session']}"
