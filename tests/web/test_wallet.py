"""Somebody's own money, on pages: put in, paid with, wholly or in part."""

import pytest
from tests.people import Somebody, make_person, sign_in_as
from tests.web.conftest import Browser, path_of
from tests.web.reading import read
from tests.web.test_after_sale import pay
from tests.web.test_checkout import pending

PATH = "/account/wallet"


@pytest.fixture
async def an(services, secrets) -> Somebody:
    return await make_person(services.database, secrets)


@pytest.fixture
async def home(browser: Browser, an: Somebody) -> Browser:
    await sign_in_as(browser.client, an)
    return browser


async def put_in(browser: Browser, amount: str) -> None:
    begun = await browser.post(PATH, amount=amount, currency="EUR", method="sandbox")
    assert await pay(browser, begun) == f"{PATH}?currency=EUR"


async def test_an_empty_wallet_says_what_it_is_for(home):
    text = (await home.get(PATH)).text
    assert "Nothing yet." in text
    assert "What came and went" not in text


async def test_what_was_paid_in_is_in_it(home):
    await put_in(home, "12.50")
    told = read((await home.get(PATH)).text)
    assert "€12.50" in told.text_of("balances")
    assert "Put in €12.50 €12.50" in told.text_of("list-table")


@pytest.mark.parametrize("typed", ["", "0", "-5", "twelve", "1.234.5"])
async def test_what_is_no_amount_is_told_and_kept(home, typed):
    answer = await home.post(PATH, amount=typed, currency="EUR", method="sandbox")
    assert answer.status_code == 422
    assert 'href="#amount"' in answer.text
    assert f'value="{typed}"' in answer.text


async def test_a_booking_is_paid_out_of_it_at_once(home, coach):
    await put_in(home, "1000")
    at = await pending(home, coach)
    assert 'value="wallet"' in (await home.get(f"{at}/review")).text
    paid = await home.post(f"{at}/review", terms="1", method="wallet")
    assert path_of(paid) == f"{at}/return"
    assert (await home.get(f"{at}/return")).headers["location"] == f"{at}?booked=1"


async def test_a_part_is_paid_out_of_it_and_the_rest_another_way(home, coach):
    await put_in(home, "1")
    at = await pending(home, coach)
    review = (await home.get(f"{at}/review")).text
    assert "Use the €1.00 in my wallet first" in review
    begun = await home.post(f"{at}/review", terms="1", method="sandbox", use_wallet="1")
    back = await pay(home, begun)
    assert (await home.get(back)).headers["location"] == f"{at}?booked=1"
    assert read((await home.get(at)).text).text_of("moneys").count("Paid") == 2


async def test_visitors_have_none(browser, coach):
    at = await pending(browser, coach)
    review = (await browser.get(f"{at}/review")).text
    assert 'value="wallet"' not in review
    assert "use_wallet" not in review
    assert (await browser.get(PATH)).status_code == 303
