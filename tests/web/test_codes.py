"""Promotion codes on the review: typed, told, taken off again; nothing else that was chosen is lost."""

import re

from tests.web.reading import read
from tests.web.test_checkout import pending

from farebox.accounts import SYSTEM
from farebox.pricing import NewPromotion, make_promotion


async def test_a_code_that_is_none_is_told_at_its_field_and_kept(browser, coach):
    at = await pending(browser, coach)
    answer = await browser.post(f"{at}/review", apply="1", promotion="Nope 1", terms="1", method="sandbox")
    assert answer.status_code == 422
    assert "This code is not valid." in answer.text
    assert re.search(r'id="promotion"[^>]*value="Nope 1"[^>]*aria-invalid="true"', answer.text)
    assert re.search(r'id="terms"[^>]*checked', answer.text)


async def test_a_code_lowers_the_price_and_can_be_taken_off_again(browser, coach, services):
    async with services.database.begin() as work:
        await make_promotion(work, NewPromotion(operator_id=None, code="HALF", percent_bp=5000), actor=SYSTEM)
    at = await pending(browser, coach)
    before = read((await browser.get(f"{at}/review")).text).text_of("is-total")
    applied = await browser.post(f"{at}/review", apply="1", promotion="half", terms="1")
    assert applied.status_code == 200
    assert "HALF takes" in applied.text
    assert read(applied.text).text_of("is-total") != before
    assert re.search(r'id="terms"[^>]*checked', applied.text)
    removed = await browser.post(f"{at}/review", promotion_off="1")
    assert read(removed.text).text_of("is-total") == before
