"""Promotion codes on the review: typed, told, taken off again; nothing else that was chosen is lost."""

import re

import pytest
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


@pytest.mark.parametrize("pressed", [{"go": "1"}, {}], ids=["the button that pays", "the enter key"])
async def test_a_code_that_was_typed_and_not_applied_is_not_passed_over(browser, coach, services, pressed):
    async with services.database.begin() as work:
        await make_promotion(work, NewPromotion(operator_id=None, code="HALF", percent_bp=5000), actor=SYSTEM)
    at = await pending(browser, coach)
    choice = {"terms": "1", "method": "sandbox"} | pressed
    wrong = await browser.post(f"{at}/review", promotion="Nope", **choice)
    assert (wrong.status_code, "This code is not valid." in wrong.text) == (422, True)
    lowered = await browser.post(f"{at}/review", promotion=" half ", **choice)
    assert lowered.status_code == 200  # the new price is seen before it is paid
    assert "HALF takes" in lowered.text
    assert re.search(r'id="terms"[^>]*checked', lowered.text)
    assert "/pay/sandbox/" in (await browser.post(f"{at}/review", promotion="", **choice)).headers["location"]
