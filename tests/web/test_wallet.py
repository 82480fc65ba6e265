"""Somebody's own money, on pages: put in, paid with, wholly or in part."""

import re
from datetime import UTC, datetime

import pypdfium2
import pytest
from tests.people import Somebody, make_person, sign_in_as
from tests.web.conftest import Browser, path_of
from tests.web.reading import read
from tests.web.test_after_sale import pay, sql
from tests.web.test_checkout import pending

from farebox.core.money import Money
from farebox.payments.wallet import refund_into, take

__all__ = ["sql"]

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
    assert told.text_of("list-table").endswith("(PDF) €12.50 €12.50")


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


async def test_a_wallet_that_somebody_else_empties_meanwhile_sells_nothing(home, coach, sql, monkeypatch):
    await put_in(home, "1000")
    at = await pending(home, coach)

    async def take_what_is_gone(work, wallet_id, amount):
        await work.execute("UPDATE wallet SET balance_minor = 0")
        await take(work, wallet_id, amount)

    with monkeypatch.context() as patch:
        patch.setattr("farebox.payments.wallet_paying.take", take_what_is_gone)
        refused = await home.post(f"{at}/review", terms="1", method="wallet")
    assert path_of(refused) == f"{at}/review"
    assert sql("SELECT status FROM booking") == ("pending",)
    assert sql("SELECT count(*) FROM ticket") == (0,)
    assert sql("SELECT count(*) FROM payment WHERE purpose = 'booking'") == (0,)
    assert sql("SELECT balance_minor FROM wallet") == (100_000,)


async def test_visitors_have_none(browser, coach):
    at = await pending(browser, coach)
    review = (await browser.get(f"{at}/review")).text
    assert 'value="wallet"' not in review
    assert "use_wallet" not in review
    assert (await browser.get(PATH)).status_code == 303


class TestTakingItOut:
    async def test_it_is_quoted_first_and_then_goes_the_way_it_came(self, home, sql):
        await put_in(home, "5")
        await put_in(home, "20")
        assert f'href="{PATH}/payout?currency=EUR"' in (await home.get(PATH)).text
        form = (await home.get(f"{PATH}/payout?currency=EUR")).text
        assert "You can take out €25.00 of it." in form
        assert 'value="25"' in form
        quoted = (await home.get(f"{PATH}/payout?currency=EUR&amount=21.50")).text
        told = read(quoted).text_of("price-list")
        assert told.index("€20.00") < told.index("€1.50") < told.index("Left in the wallet €3.50")
        assert sql("SELECT count(*) FROM refund") == (0,)
        done = await home.post(f"{PATH}/payout", amount="21.50", currency="EUR")
        assert done.headers["location"] == f"{PATH}?currency=EUR&said=taken-out"
        page = (await home.get(done.headers["location"])).text
        assert "The money is on its way back to you." in page
        assert "€3.50" in read(page).text_of("balances")
        assert sql("SELECT array_agg(amount_minor ORDER BY amount_minor) FROM refund") == ([150, 2000],)

    @pytest.mark.parametrize("typed", ["", "0", "-5", "twelve", "25.01"])
    async def test_what_cannot_be_taken_out_is_told_and_nothing_goes(self, home, sql, typed):
        await put_in(home, "25")
        answer = await home.post(f"{PATH}/payout", amount=typed, currency="EUR")
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        assert (await home.get(f"{PATH}/payout?currency=EUR&amount={typed or 0}")).status_code == 422
        assert sql("SELECT count(*) FROM refund") == (0,)

    async def test_what_is_sent_twice_goes_once(self, home, sql):
        await put_in(home, "25")
        quoted = (await home.get(f"{PATH}/payout?currency=EUR&amount=10")).text
        assert 'name="balance" value="2500"' in quoted
        for _ in range(2):
            answer = await home.post(f"{PATH}/payout", amount="10", currency="EUR", balance="2500")
        assert answer.status_code == 422
        assert "Your wallet has changed since you saw this page." in answer.text
        assert 'name="balance" value="1500"' in answer.text
        assert sql("SELECT count(*) FROM refund") == (1,)
        assert sql("SELECT balance_minor FROM wallet") == (1500,)

    async def test_what_somebody_else_takes_meanwhile_is_not_promised(self, home, sql, monkeypatch):
        await put_in(home, "25")

        async def take_what_is_gone(work, wallet_id, amount, *, reason):
            await work.execute("UPDATE wallet SET held_minor = 2000")
            await take(work, wallet_id, amount, reason=reason)

        monkeypatch.setattr("farebox.payments.payouts.take", take_what_is_gone)
        answer = await home.post(f"{PATH}/payout", amount="10", currency="EUR")
        assert answer.status_code == 422
        assert sql("SELECT count(*) FROM refund") == (0,)
        assert sql("SELECT refunded_minor FROM payment_charge") == (0,)
        assert sql("SELECT count(*) FROM ledger_entry WHERE kind = 'payout'") == (0,)

    async def test_what_came_back_for_a_trip_stays(self, home, services, sql):
        await put_in(home, "10")
        wallet, payment = sql("SELECT wallet_id, id FROM payment")
        async with services.database.begin() as work:
            await refund_into(work, wallet, Money(500, "EUR"), booking_id=None, payment_id=payment)
        page = (await home.get(f"{PATH}/payout?currency=EUR")).text
        assert "In your wallet: €15.00. You can take out €10.00 of it." in page
        answer = await home.post(f"{PATH}/payout", amount="10.01", currency="EUR")
        assert answer.status_code == 422
        assert "Only money that you have put into the wallet can be paid out" in answer.text

    async def test_it_needs_a_fresh_proof(self, browser, an):
        await sign_in_as(browser.client, an, proved_at=datetime(2026, 1, 1, tzinfo=UTC))
        assert path_of(await browser.get(f"{PATH}/payout?currency=EUR")) == "/account/confirm"
        assert path_of(await browser.post(f"{PATH}/payout", amount="1", currency="EUR")) == "/account/confirm"

    async def test_where_there_is_no_wallet_there_is_nothing_to_take(self, home):
        assert path_of(await home.get(f"{PATH}/payout?currency=EUR")) == PATH
        assert path_of(await home.post(f"{PATH}/payout", amount="1", currency="EUR")) == PATH
        assert path_of(await home.post(f"{PATH}/payout", amount="1", currency="no")) == PATH
        assert "/payout" not in (await home.get(PATH)).text


class TestReceipts:
    async def test_each_time_that_money_was_put_in_has_one(self, home, an, sql):
        await put_in(home, "12.50")
        page = (await home.get(PATH)).text
        found = re.search(rf'href="({PATH}/receipts/[^"]+)"', page)
        assert found
        answer = await home.get(found[1])
        (payment,) = sql("SELECT id FROM payment")
        number = f"WALLET{payment.hex[-8:].upper()}"
        assert answer.headers["content-disposition"] == f'attachment; filename="{number}.pdf"'
        assert answer.headers["cache-control"] == "private, no-store"
        printed = pypdfium2.PdfDocument(answer.content)[0].get_textpage().get_text_bounded()
        for told in (f"Receipt {number}", "€12.50", "Put into your wallet", an.email, "no tax is in it"):
            assert told in printed
        assert "Times are those of " in printed

    async def test_in_another_language_its_days_are_written_alike(self, home, sql):
        await put_in(home, "12.50")
        (payment,) = sql("SELECT id FROM payment")
        answer = await home.get(f"{PATH}/receipts/{payment}", headers={"Accept-Language": "vi"})
        printed = pypdfium2.PdfDocument(answer.content)[0].get_textpage().get_text_bounded()
        there = "received_at AT TIME ZONE 'Asia/Ho_Chi_Minh'"  # where most of those live who read it
        (day,) = sql(f"SELECT to_char({there}, 'FMDD/FMMM/YYYY') FROM payment_charge")
        assert printed.count(day) == 2
        assert "thg" not in printed

    async def test_what_did_not_come_has_none_and_nobody_gets_somebody_elses(self, home, visit, services, sql):
        begun = await home.post(PATH, amount="5", currency="EUR", method="sandbox")
        (payment,) = sql("SELECT id FROM payment")
        assert (await home.get(f"{PATH}/receipts/{payment}")).status_code == 404
        await pay(home, begun)
        assert (await home.get(f"{PATH}/receipts/{payment}")).status_code == 200
        other = visit()
        assert path_of(await other.get(f"{PATH}/receipts/{payment}")) == "/sign-in"
        await sign_in_as(other.client, await make_person(services.database, services.secrets, email="b@example.com"))
        assert (await other.get(f"{PATH}/receipts/{payment}")).status_code == 404
