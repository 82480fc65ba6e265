"""At the counter, over HTTP: cash for a change that waits, and some of a payment given back, told before it is done."""

import re
from html import unescape

import pytest
from tests.people import make_person, sign_in_as
from tests.staff import PROVED, Employer
from tests.web.conftest import path_of
from tests.web.test_after_sale import TestChanging, booked, hidden, sql, terms
from tests.web.test_console_prices import text_of

__all__ = ["sql", "terms"]

FORM = {"amount": "4.50", "to": "origin", "note": "The heating was cold"}


@pytest.fixture
def lines(services, coach) -> Employer:
    """Whoever runs the coach."""
    return Employer(coach.departure.operator_id, "small", services.database, services.secrets)


@pytest.fixture
async def boss(lines, visit):
    browser = visit()
    await sign_in_as(browser.client, await lines.hire("operator_admin"), proved=PROVED)
    return browser


@pytest.fixture
async def clerk(lines, visit):
    browser = visit()
    await sign_in_as(browser.client, await lines.hire("agent"), proved=PROVED)
    return browser


def till_of(lines: Employer, at: str) -> str:
    """The page of all money of a booking."""
    return f"/console/{lines.id}/till{at}"


def back_in(page: str) -> str:
    found = re.search(r'href="([^"]+/payments/[^"]+/back)"', page)
    assert found
    return unescape(found[1])


class TestCashForAChange:
    @pytest.fixture
    async def waiting(self, browser, coach, terms, sql) -> str:
        """The path of a booking whose change waits for 7 euros."""
        at = await booked(browser, coach)
        terms(change_fee_minor=700)
        page = await TestChanging().quoted(browser, coach, at)
        fields = {name: hidden(page.text, name) for name in ("lock", "passengers", "expected")}
        await browser.post(f"{at}/change/quote", **fields, method="sandbox")
        assert sql("SELECT status FROM booking_change") == ("pending",)
        return at

    async def test_it_is_told_what_it_does_and_made_at_once(self, waiting, clerk, lines, sql):
        page = await clerk.get(till_of(lines, waiting))
        told = text_of(page)
        (owed,) = sql("SELECT owed_minor FROM booking_change")
        amount = f"€{owed / 100:.2f}"
        assert f"A change waits for {amount}" in told
        assert "seats 9C" in told
        assert f"Take {amount} in cash" in told
        assert "the old tickets stop working, and new ones are mailed" in told
        assert sql("SELECT labels FROM booking_item WHERE ended_as IS NULL") == (["5A"],)
        taken = await clerk.post(f"{till_of(lines, waiting)}/cash", change=hidden(page.text, "change"))
        assert taken.headers["location"] == f"{till_of(lines, waiting)}?done=cash"
        assert sql("SELECT labels FROM booking_item WHERE ended_as IS NULL") == (["9C"],)
        after = text_of(await clerk.get(till_of(lines, waiting)))
        assert "A change waits" not in after
        again = await clerk.post(f"{till_of(lines, waiting)}/cash", change=hidden(page.text, "change"))
        assert again.status_code == 409
        assert sql("SELECT count(*) FROM payment_charge WHERE provider = 'cash'") == (1,)

    async def test_one_that_was_taken_back_takes_no_money(self, waiting, browser, clerk, lines, sql):
        change = hidden((await clerk.get(till_of(lines, waiting))).text, "change")
        await browser.post(f"{waiting}/change/waiting", withdraw="1")
        assert (await clerk.post(f"{till_of(lines, waiting)}/cash", change=change)).status_code == 409
        assert sql("SELECT count(*) FROM payment_charge WHERE provider = 'cash'") == (0,)


class TestGivingBack:
    async def test_what_it_does_is_told_first_and_it_is_done_once(self, browser, coach, boss, lines, sql):
        at = await booked(browser, coach)
        (before,) = sql("SELECT total_minor FROM booking")
        url = back_in((await boss.get(till_of(lines, at))).text)
        form = text_of(await boss.get(url))
        assert f"Amount, €{before / 100:.2f} at most" in form
        assert "Into the traveller's wallet" not in form  # a guest has none
        told = await boss.post(url, **FORM)
        says = text_of(told)
        assert f"from €{before / 100:.2f} to €{(before - 450) / 100:.2f}" in says
        assert "the tickets stay valid" in says
        assert "Why: The heating was cold" in says
        assert sql("SELECT count(*) FROM refund") == (0,)
        sent = {name: hidden(told.text, name) for name in ("amount", "to", "note", "expected")}
        done = await boss.post(url, go="1", **sent)
        assert done.headers["location"] == f"{till_of(lines, at)}?done=given"
        assert sql("SELECT amount_minor, reason FROM refund") == (450, "allowance")
        assert sql("SELECT total_minor, status FROM booking") == (before - 450, "confirmed")
        page = text_of(await boss.get(done.headers["location"]))
        assert "It is given back, and off the price." in page
        assert "Given by the operator" in page
        twice = await boss.post(url, go="1", **sent)
        assert twice.status_code == 409
        assert "The price has changed since you saw it." in text_of(twice)
        assert sql("SELECT count(*) FROM refund") == (1,)

    @pytest.mark.parametrize(
        "wrong",
        [*({"amount": each} for each in ("", "0", "-1", "1000", "much")), {"note": " "}, {"to": "wallet"}],
    )
    async def test_what_cannot_be_is_told_and_nothing_goes(self, browser, coach, boss, lines, sql, wrong):
        at = await booked(browser, coach)
        url = back_in((await boss.get(till_of(lines, at))).text)
        answer = await boss.post(url, **(FORM | wrong), go="1", expected="1")
        assert answer.status_code == 422
        assert "<title>Error:" in answer.text
        assert sql("SELECT count(*) FROM refund") == (0,)

    async def test_into_the_wallet_of_who_has_one(self, browser, services, coach, boss, lines, sql):
        await sign_in_as(browser.client, await make_person(services.database, services.secrets))
        at = await booked(browser, coach)
        url = back_in((await boss.get(till_of(lines, at))).text)
        told = await boss.post(url, **(FORM | {"to": "wallet"}))
        sent = {name: hidden(told.text, name) for name in ("amount", "to", "note", "expected")}
        assert (await boss.post(url, go="1", **sent)).status_code == 303
        assert sql("SELECT destination FROM refund") == ("wallet",)

    async def test_all_of_it_and_then_no_more(self, browser, coach, boss, lines, sql):
        at = await booked(browser, coach)
        url = back_in((await boss.get(till_of(lines, at))).text)
        (total,) = sql("SELECT total_minor FROM booking")
        told = await boss.post(url, **(FORM | {"amount": f"{total / 100:.2f}"}))
        sent = {name: hidden(told.text, name) for name in ("amount", "to", "note", "expected")}
        assert (await boss.post(url, go="1", **sent)).status_code == 303
        assert "Nothing of this payment is left" in text_of(await boss.get(url))

    async def test_it_needs_the_permission_and_a_fresh_proof(self, browser, visit, coach, boss, clerk, lines):
        at = await booked(browser, coach)
        url = back_in((await boss.get(till_of(lines, at))).text)
        assert "/back" not in (await clerk.get(till_of(lines, at))).text
        assert (await clerk.get(url)).status_code == 403
        assert (await clerk.post(url, **FORM, go="1")).status_code == 403
        tired = visit()
        chief = await lines.hire("operator_admin", email="tired@example.com")
        long_ago = lines.database.clock().replace(year=2025)
        await sign_in_as(tired.client, chief, proved=PROVED, proved_at=long_ago)
        assert path_of(await tired.get(url)) == "/account/confirm"
        assert path_of(await tired.post(url, **FORM, go="1")) == "/account/confirm"

    async def test_a_payment_of_another_booking_is_not_there(self, browser, coach, boss, lines):
        at, other = await booked(browser, coach), await booked(browser, coach, "6A")
        url = back_in((await boss.get(till_of(lines, at))).text)
        assert (await boss.get(url.replace(at, other))).status_code == 404
