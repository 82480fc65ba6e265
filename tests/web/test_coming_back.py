"""Steps back on the way to a booking, after which what was typed and ticked is there again."""

import re
from html import unescape

from tests.web.conftest import path_of
from tests.web.test_checkout import PERSON, pending
from tests.web.test_invoice_details import kept, ticked

NAME = "Nguyễn Thị Ánh"


async def test_who_changes_passengers_finds_the_review_as_they_left_it(browser, coach):
    at = await pending(browser, coach)
    review = (await browser.get(f"{at}/review")).text
    assert len(re.findall(r'<button [^>]*name="passengers" value="1"[^>]*formnovalidate', review)) == 2
    assert f'href="{at}/passengers"' not in review
    away = await browser.post(f"{at}/review", passengers="1", terms="1", method="sandbox", promotion="TẾT 2027")
    assert path_of(away) == f"{at}/passengers"
    assert kept(browser) == [f"{at}/review"]
    form = unescape((await browser.get(path_of(away))).text)
    for typed in (NAME, "001186004321", "anh@example.com"):
        assert f'value="{typed}"' in form
    wrong = await browser.post(path_of(away), **PERSON | {"passengers.0.full_name": ""})
    assert wrong.status_code == 422
    saved = await browser.post(path_of(away), **PERSON | {"passengers.0.full_name": "Trần Văn Bình"})
    back = await browser.get(path_of(saved))
    assert "Trần Văn Bình" in back.text
    assert ticked(back) == ({"terms": "1", "method": "sandbox"}, "TẾT 2027")
    assert kept(browser) == []


async def test_who_changes_no_passenger_after_all_finds_it_as_well(browser, coach):
    at = await pending(browser, coach)
    away = await browser.post(f"{at}/review", passengers="1", terms="1", method="sandbox")
    assert f'href="{at}/review"' in (await browser.get(path_of(away))).text
    assert ticked(await browser.get(f"{at}/review")) == ({"terms": "1", "method": "sandbox"}, "")


async def test_who_starts_again_to_find_a_booking_types_its_reference_once(browser):
    asked = await browser.post("/find", reference="BUS20261120K7QM2X", contact="x@example.com")
    wrong = await browser.post("/find/code", reference="BUS20261120K7QM2X", contact="x@example.com", code="000000")
    assert (asked.status_code, wrong.status_code) == (200, 422)
    for page in (asked, wrong):
        again = re.search(r'href="([^"]+)">Start again<', page.text)
        assert again
        assert again[1] == "/find?reference=BUS20261120K7QM2X"  # and nobody's address
        assert 'value="BUS20261120K7QM2X"' in (await browser.get(again[1])).text


async def test_what_is_typed_as_a_reference_stays_in_its_place(browser):
    typed = {"reference": 'BUS"&next=//evil.example', "contact": "x@example.com", "code": "000000"}
    again = re.search(r'href="([^"]+)">Start again<', (await browser.post("/find/code", **typed)).text)
    assert again
    assert again[1] == "/find?reference=BUS%22%26next%3D%2F%2Fevil.example"
