"""Open returns on pages: chosen on the review, redeemed from the booking over search and seats, or given up."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.coaches.coach import Coach
from tests.web.conftest import Browser, path_of
from tests.web.reading import read
from tests.web.test_after_sale import SECOND, hidden, pay, sql
from tests.web.test_checkout import PERSON, hold

from farebox.core.money import Money
from farebox.pricing import FareCell, FareTerms, SaleTerms, set_fare_terms

__all__ = ["sql"]


async def sell(coach: Coach, back: int = 1200) -> None:
    """From end to end 10.00, and `back` the other way; an open return for 30 days, 75% paid back."""
    first, last = coach.departure.calls[0].place_id, coach.departure.calls[-1].place_id
    cells = [FareCell(first, last, Money(1000, "EUR")), FareCell(last, first, Money(back, "EUR"))]
    async with coach.database.begin() as work:
        await set_fare_terms(
            work,
            coach.departure.operator_id,
            FareTerms(service_fee=Money(100, "EUR")),
            cells=cells,
            sale_terms={"": SaleTerms(open_return_days=30, open_return_refund_bp=7500)},
        )


@pytest.fixture
async def sold(coach: Coach) -> None:
    await sell(coach)


async def reviewed(browser: Browser, coach: Coach, *seats: str) -> str:
    """The path of a booking that waits to be paid."""
    held = await hold(browser, coach, *(seats or ("5A",)))
    people = {**PERSON, **(SECOND if len(seats) > 1 else {})}
    return path_of(await browser.post(path_of(held), **people)).removesuffix("/review")


async def bought(browser: Browser, coach: Coach, *seats: str) -> str:
    """The path of a booking that is paid, with an open return for everybody."""
    at = await reviewed(browser, coach, *seats)
    assert (await browser.post(f"{at}/review", open_return="on")).status_code == 200
    back = await pay(browser, await browser.post(f"{at}/review", terms="1", method="sandbox"))
    assert (await browser.get(back)).headers["location"] == f"{at}?booked=1"
    return at


async def map_for(browser: Browser, at: str, start: str = "") -> tuple[str, dict[str, str]]:
    """From the booking over the trips to the seat map: its path, and what its form carries along."""
    page = (await browser.get(start or f"{at}/way-back")).text
    url = read(page).links_in("rides-for")[0].replace("&amp;", "&")
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    seat_map = await browser.get(url)
    assert seat_map.status_code == 200
    assert f"{at}/way-back" in seat_map.text  # the way back from there
    return urlsplit(url).path, query


async def quoted(browser: Browser, at: str, *seats: str, start: str = "") -> Any:
    """The same and on to the quote."""
    path, query = await map_for(browser, at, start)
    held = await browser.post(path, seats=list(seats), go="1", **query)
    assert path_of(held) == f"{at}/way-back/quote"
    return await browser.get(held.headers["location"])


def carried(page: str) -> dict[str, str]:
    return {name: hidden(page, name) for name in ("lock", "passengers", "expected")}


class TestBuying:
    async def test_it_is_added_on_the_review_and_left_out_again(self, browser, coach, sold, sql):
        at = await reviewed(browser, coach)
        page = (await browser.get(f"{at}/review")).text
        assert "Add it for €12.00" in page
        assert "75% of what you do not use comes back" in page
        added = (await browser.post(f"{at}/review", open_return="on")).text
        assert "It is part of your booking." in added
        assert "Pay €23.00" in added
        assert sql("SELECT total_minor FROM booking") == (2300,)
        assert "Pay €11.00" in (await browser.post(f"{at}/review", open_return="off")).text
        assert sql("SELECT count(*) FROM open_return") == (0,)

    async def test_where_none_is_sold_none_is_offered(self, browser, coach, sql):
        at = await reviewed(browser, coach)
        assert "open return" not in (await browser.get(f"{at}/review")).text.casefold()
        answer = await browser.post(f"{at}/review", open_return="on")
        assert answer.status_code == 200
        assert sql("SELECT count(*) FROM open_return") == (0,)


class TestRidingBack:
    async def test_the_booking_says_what_it_is_good_for(self, browser, coach, sold):
        at = await bought(browser, coach)
        page = (await browser.get(at)).text
        assert "Choose your ride back" in page
        assert "€12.00 of its price is paid with it" in page
        assert f'href="{at}/way-back"' in page

    async def test_a_ride_is_chosen_quoted_and_taken(self, browser, coach, sold, sql):
        at = await bought(browser, coach)
        page = await quoted(browser, at, "7A")
        assert page.status_code == 200
        told = read(page.text)
        assert "7A" in told.text_of("swaps")
        assert "Take this ride" in page.text
        assert "stop working" not in page.text
        assert sql("SELECT status FROM open_return") == ("open",)
        done = await browser.post(f"{at}/way-back/quote", **carried(page.text))
        assert done.headers["location"] == f"{at}?said=returned"
        assert sql("SELECT status FROM open_return") == ("redeemed",)
        page = await browser.get(done.headers["location"])
        assert "Your ride back is booked." in page.text
        shown = read(page.text)
        assert "7A" in shown.text_of("tickets")
        assert "5A" in shown.text_of("tickets")
        assert "The ride back was chosen" in shown.text_of("story")
        assert path_of(await browser.get(f"{at}/way-back")) == at

    async def test_a_dearer_ride_is_paid_first(self, browser, coach, sold, sql):
        at = await bought(browser, coach)
        await sell(coach, back=2000)
        page = await quoted(browser, at, "7A")
        assert "Pay €8.00 and take this ride" in page.text
        begun = await browser.post(f"{at}/way-back/quote", **carried(page.text), method="sandbox")
        assert sql("SELECT status FROM open_return") == ("open",)
        assert path_of(await browser.get(f"{at}/way-back")) == f"{at}/change/waiting"
        back = await browser.get(await pay(browser, begun))
        assert back.headers["location"] == f"{at}?said=changed"
        assert sql("SELECT status FROM open_return") == ("redeemed",)

    async def test_one_of_two_rides_back(self, browser, coach, sold, sql):
        at = await bought(browser, coach, "5A", "5B")
        (one,) = sql("SELECT id FROM open_return ORDER BY id LIMIT 1")
        page = await quoted(browser, at, "7A", start=f"{at}/way-back?passengers={one}")
        await browser.post(f"{at}/way-back/quote", **carried(page.text))
        assert sql("SELECT string_agg(status, ' ' ORDER BY id) FROM open_return") == ("redeemed open",)

    async def test_too_few_seats_are_told_on_the_map_and_go_no_further(self, browser, coach, sold, sql):
        at = await bought(browser, coach, "5A", "5B")
        path, query = await map_for(browser, at)
        asked = await browser.post(path, seats="7A", go="1", **query)
        assert "Choose one more seat: 1 of 2 chosen." in asked.text
        (lock,) = sql("SELECT id::text FROM hold WHERE state = 'held'")
        page = await browser.get(f"{at}/way-back/quote", params={"lock": lock, "passengers": query["who"]})
        assert page.status_code == 422
        assert "Hold one seat for each person who changes." in page.text

    async def test_a_price_that_has_changed_is_told_first(self, browser, coach, sold, sql):
        at = await bought(browser, coach)
        page = await quoted(browser, at, "7A")
        answer = await browser.post(f"{at}/way-back/quote", **(carried(page.text) | {"expected": "1"}))
        assert answer.status_code == 409
        assert "The price has changed since you saw it." in answer.text
        assert sql("SELECT status FROM open_return") == ("open",)

    async def test_days_go_from_the_way_there_to_the_end(self, browser, coach, sold):
        at = await bought(browser, coach)
        page = (await browser.get(f"{at}/way-back?date=2000-01-01")).text
        arrives = coach.departure.calls[-1].arrival.date().isoformat()
        assert f'value="{arrives}" min="{arrives}"' in page
        assert "Day before" not in page

    async def test_no_ride_is_shown_that_leaves_before_the_way_there_has_arrived(self, browser, coach, sold, sql):
        at = await bought(browser, coach)
        trips = read((await browser.get(f"{at}/way-back")).text).links_in("rides-for")
        late = "'\"2099-01-01T00:00:00Z\"'"
        sql(f"UPDATE booking_item SET description = jsonb_set(description, '{{destination,time}}', {late})")
        assert trips
        assert read((await browser.get(f"{at}/way-back")).text).links_in("rides-for") == []

    async def test_without_one_there_is_nothing_to_choose(self, browser, coach, sold):
        at = await reviewed(browser, coach)
        await pay(browser, await browser.post(f"{at}/review", terms="1", method="sandbox"))
        assert path_of(await browser.get(f"{at}/way-back")) == at
        assert "Choose your ride back" not in (await browser.get(at)).text


class TestGivingItUp:
    async def test_it_is_quoted_and_given_up_alone(self, browser, coach, sold, sql):
        at = await bought(browser, coach)
        (which,) = sql("SELECT id FROM open_return")
        start = (await browser.get(f"{at}/cancel")).text
        assert "Open return: the ride back that is not chosen yet" in start
        page = (await browser.get(f"{at}/cancel?show=1&passengers={which}")).text
        assert "You get €9.00 back" in page
        assert "75% of what is not used." in page
        done = await browser.post(f"{at}/cancel", passengers=str(which), expected=hidden(page, "expected"))
        assert done.headers["location"] == f"{at}?said=cancelled"
        assert sql("SELECT status FROM open_return") == ("cancelled",)
        assert sql("SELECT status, total_minor FROM booking") == ("confirmed", 1400)

    async def test_with_the_seat_it_goes_too(self, browser, coach, sold, sql):
        at = await bought(browser, coach)
        (who,) = sql("SELECT id FROM booking_passenger")
        page = (await browser.get(f"{at}/cancel?show=1&passengers={who}")).text
        assert "Open return, Nguyễn Thị Ánh" in page
        await browser.post(f"{at}/cancel", passengers=str(who), expected=hidden(page, "expected"))
        assert sql("SELECT status FROM open_return") == ("cancelled",)
        assert sql("SELECT status FROM booking") == ("cancelled",)
