"""Whose seats and bookings are whose, and what the cookies carry."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import psycopg
from msgspec.structs import replace as changed
from tests.web.conftest import Browser, path_of

from farebox.app import create_app
from farebox.edge.rate_limits import BUCKETS
from farebox.edge.windows import Bucket

PERSON = {
    "contact.email": "anh@example.com",
    "contact.phone": "0912 345 678",
    "passengers.0.full_name": "Nguyễn Thị Ánh",
    "passengers.0.passenger_type": "adult",
    "passengers.0.id_type": "citizen_id",
    "passengers.0.id_number": "001186004321",
}


async def hold(browser: Browser, coach, *seats: str, ride: str = "ae", **form) -> httpx.Response:
    ends = {"from": str(coach.stop(ride[0])), "to": str(coach.stop(ride[1]))}
    return await browser.post(f"/trips/{coach.id}/seats", seats=list(seats), go="1", **ends, **form)


async def pending(browser: Browser, coach, seat: str = "5A") -> str:
    """The path of a booking that waits for money."""
    held = await hold(browser, coach, seat)
    made = await browser.post(path_of(held), **PERSON)
    return path_of(made).removesuffix("/review")


async def test_the_session_begins_with_the_first_seat_in_a_cookie_that_scripts_cannot_read(browser, coach):
    assert "set-cookie" not in (await browser.get("/terms", headers={"Cookie": "farebox_csrf=x"})).headers
    answer = await hold(browser, coach, "5A")
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("farebox_session=")]
    assert re.search("HttpOnly", cookie)
    assert re.search("SameSite=lax", cookie)
    assert "Secure" not in cookie  # this site's address is http


async def test_over_https_cookies_are_secure(services, coach):
    https = replace(services, settings=changed(services.settings, base_url="https://farebox.example"))
    app: Any = create_app(https)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://farebox.example") as client:
        answer = await hold(Browser(client), coach, "5A")
    cookies = answer.headers.get_list("set-cookie")
    assert cookies
    assert all("Secure" in cookie for cookie in cookies)


async def test_beginning_to_hold_seats_counts_as_a_write_and_choosing_others_does_not(services, coach, monkeypatch):
    monkeypatch.setitem(BUCKETS, "write", Bucket("write", 2))
    app: Any = create_app(replace(services, settings=changed(services.settings, rate_limits="on")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://farebox.example") as client:
        browser = Browser(client)
        for seats in (["5A"], ["5A", "5B"], [], ["5A"], ["5C"], []):
            assert (await hold(browser, coach, *seats)).status_code < 400, seats
        assert (await hold(browser, coach, "5A")).status_code == 429
        async with coach.database.begin() as work:
            assert await (await work.execute("SELECT count(*) FROM claim")).fetchone() == (0,)


async def test_seats_are_locked_for_their_session_only(visit, coach):
    first, second = visit(), visit()
    held = await hold(first, coach, "5A")
    assert held.status_code == 303
    assert (await second.get(path_of(held))).status_code == 403
    await hold(second, coach, "6A")
    assert (await second.get(path_of(held))).status_code == 404


async def test_a_form_without_its_token_changes_nothing(browser, coach):
    await browser.get("/")
    answer = await browser.client.post(f"/trips/{coach.id}/seats", data={"seats": "5A"})
    assert answer.status_code == 403
    assert "This page is not open to you" in answer.text


async def test_a_lost_seat_is_named_and_the_others_are_kept(visit, coach):
    first, second = visit(), visit()
    await hold(first, coach, "5A")
    answer = await hold(second, coach, "5A", "6C")
    assert answer.status_code == 409
    assert "seat 5A" in answer.text
    assert re.search(r'value="6C"[^>]*checked', answer.text)
    assert 'data-mine="6C"' in answer.text
    offered = re.search(r'name="take" value="([^"]+)"', answer.text)
    assert offered
    taken = await hold(second, coach, "6C", take=offered[1])
    assert taken.status_code == 303
    page = await second.get(path_of(taken))
    assert f"Passenger in seat {offered[1]}" in page.text


async def test_the_same_seat_can_be_had_on_another_stretch(visit, coach):
    first, second = visit(), visit()
    assert (await hold(first, coach, "5A", ride="ac")).status_code == 303
    assert (await hold(second, coach, "5A", ride="ce")).status_code == 303


async def test_more_seats_than_allowed_are_refused_in_words(browser, coach):
    answer = await hold(browser, coach, "5A", "5B", "5C", "5D", "6A", "6B")
    assert answer.status_code == 200
    assert "up to 5 seats" in answer.text


async def test_scripts_get_the_part_about_the_choice_only(browser, coach):
    token = await browser.token()
    form = {"_csrf_token": token, "seats": "5A", "from": str(coach.stop("a")), "to": str(coach.stop("e"))}
    answer = await browser.client.post(f"/trips/{coach.id}/seats", data=form, headers={"HX-Request": "true"})
    assert answer.text.strip().startswith("<div")
    assert 'data-mine="5A"' in answer.text
    assert "data-clock" in answer.text


async def test_unticking_the_last_seat_gives_it_back(browser, coach):
    await hold(browser, coach, "5A")
    answer = await hold(browser, coach)
    assert 'data-mine=""' in answer.text
    assert re.search(r'data-status="available"[^>]*><input[^>]*value="5A"', answer.text)


async def test_what_was_typed_wrong_stays_and_is_explained(browser, coach):
    held = await hold(browser, coach, "5A")
    answer = await browser.post(path_of(held), **{**PERSON, "passengers.0.id_number": "1", "contact.phone": "no"})
    assert answer.status_code == 422
    assert 'href="#passenger-0-number"' in answer.text
    assert 'href="#contact-phone"' in answer.text
    assert answer.text.count('href="#passenger-0-phone"') == 0  # it is the contact's, and told there
    assert 'value="Nguyễn Thị Ánh"' in answer.text
    assert re.search(
        r'id="passenger-0-number"[^>]*aria-invalid="true"[^>]*aria-describedby="passenger-0-number-error', answer.text
    )


async def test_markup_in_a_name_stays_text(browser, coach):
    held = await hold(browser, coach, "5A")
    answer = await browser.post(path_of(held), **{**PERSON, "passengers.0.full_name": "<img src=x onerror=alert(1)>"})
    assert "<img src=x" not in answer.text
    assert "&lt;img src=x" in answer.text


async def test_a_booking_answers_its_owner_only(visit, coach):
    owner, other = visit(), visit()
    at = await pending(owner, coach)
    await hold(other, coach, "7A")
    for step in ("", "/review", "/passengers", "/return", "/failed", "/tickets.pdf", "/trip.ics"):
        assert (await other.get(at + step)).status_code == 404, step
    for step, form in (("", {"cancel": "1"}), ("/review", {"terms": "1"}), ("/seats", {}), ("/extend", {})):
        assert (await other.post(at + step, **form)).status_code == 404, step
    assert (await owner.get(f"{at}/review")).status_code == 200


async def test_pages_of_a_booking_are_kept_by_no_cache(browser, coach):
    at = await pending(browser, coach)
    for step in ("/review", "/passengers", ""):
        assert (await browser.get(at + step)).headers["cache-control"] == "no-store"


async def test_the_terms_must_be_accepted(browser, coach):
    at = await pending(browser, coach)
    answer = await browser.post(f"{at}/review", method="sandbox")
    assert answer.status_code == 422
    assert "Accept the conditions to go on." in answer.text


async def test_numbers_of_documents_are_shown_masked(browser, coach):
    at = await pending(browser, coach)
    review = (await browser.get(f"{at}/review")).text
    assert "001186004321" not in review
    assert "•••321" in review
    assert 'value="001186004321"' in (await browser.get(f"{at}/passengers")).text  # to be corrected by its owner


async def test_back_from_the_review_leads_to_the_booking_not_to_a_second_one(browser, coach):
    held = await hold(browser, coach, "5A")
    made = await browser.post(path_of(held), **PERSON)
    again = await browser.get(path_of(held))
    assert path_of(again) == path_of(made).replace("review", "passengers")
    twice = await browser.post(path_of(held), **PERSON)
    assert path_of(twice) == path_of(again)


async def test_a_booking_that_costs_nothing_is_confirmed_without_a_payment(browser, coach, settings):
    at = await pending(browser, coach)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute("UPDATE booking SET total_minor = 0, tax_minor = 0, price_revision = price_revision + 1")
    review = (await browser.get(f"{at}/review")).text
    assert "Confirm booking" in review
    assert "How would you like to pay" not in review
    assert "Pay</span>" not in review  # no such step
    done = await browser.post(f"{at}/review", terms="1")
    assert done.headers["location"] == f"{at}?booked=1"
    page = (await browser.get(done.headers["location"])).text
    assert "You are booked" in page
    assert 'class="ticket"' in page


async def test_extending_stops_where_the_hold_may_not_go_on(browser, coach):
    at = await pending(browser, coach)
    for _time in range(2):
        assert "data-extend" in (await browser.get(f"{at}/review")).text
        await browser.post(f"{at}/extend")
    assert "data-extend" not in (await browser.get(f"{at}/review")).text
    assert (await browser.post(f"{at}/extend")).status_code == 200


async def test_changing_seats_does_not_keep_them_for_ever(browser, coach, settings):
    at = await pending(browser, coach)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute("UPDATE hold SET first_taken_at = first_taken_at - interval '46 minutes'")
    answer = await browser.post(f"{at}/seats")
    assert answer.status_code == 409
    assert "cannot be kept any longer" in answer.text
    assert timedelta(seconds=settings.hold_max_total_seconds) < timedelta(minutes=46)
