"""Several trips in one checkout: a round trip, a connection; the same people on all; nothing lost, nothing doubled."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import psycopg
import pytest
from tests.coaches.coach import Coach
from tests.coaches.test_prices_agree import BACK, set_rules
from tests.people import make_person, sign_in_as
from tests.web.conftest import Browser, path_of
from tests.web.reading import read
from tests.web.test_checkout import PERSON

from farebox.accounts import SYSTEM, open_booking_session
from farebox.core.db import Database
from farebox.edge.access import BOOKING_COOKIE
from farebox.pricing import NewPromotion, make_promotion

SECOND = {
    "passengers.1.full_name": "Lê Minh Khôi",
    "passengers.1.passenger_type": "adult",
    "passengers.1.id_type": "passport",
    "passengers.1.id_number": "C1234567",
}
LOST = "Not all seats are held any more."


@pytest.fixture
def sql(settings):
    """Runs one statement on this test's database; gives all rows."""

    def run(statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(Database(settings.database_url).dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def run_out(sql):
    """As if the time of the seats on a departure had gone by."""

    def run(trip_id: object) -> None:
        inventory = "(SELECT inventory_id FROM departure WHERE id = %s)"
        late = "now() - interval '1 second'"
        sql(
            f"UPDATE hold SET expires_at = {late} WHERE state = 'held' AND wants->0->0 = to_jsonb({inventory})", trip_id
        )
        sql(f"UPDATE claim SET expires_at = {late} WHERE inventory_id = {inventory}", trip_id)

    return run


def where(answer: httpx.Response) -> str:
    return str(answer.headers["location"])


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def link(page: str, start: str) -> str:
    """The first link of a page that begins so."""
    found = re.search(rf'href="({re.escape(start)}[^"]*)"', page)
    assert found, start
    return unescape(found[1])


def pressed(page: str, name: str) -> str:
    """The value of a button of a page."""
    found = re.search(rf'<button[^>]*name="{name}" value="([^"]+)"', page)
    assert found, name
    return found[1]


async def take(browser: Browser, url: str, *seats: str) -> httpx.Response:
    """Choose seats on a map and go on."""
    return await browser.post(url, seats=list(seats), go="1", **query_of(url))


async def round_trip(browser: Browser, coach: Coach, there: list[str], back: list[str]) -> str:
    """From the search to the page of the people."""
    day = coach.departure.calls[0].departure.date().isoformat()
    asked = {"from": "Ahorn", "to": "Eich", "date": day, "way": "round", "return": day, "travellers": len(there)}
    found = await browser.get("/search", params=asked)
    assert "then the way back" in found.text
    held = await take(browser, link(found.text, f"/trips/{coach.id}/seats"), *there)
    assert path_of(held) == "/search"
    asked_back = query_of(where(held))
    assert (asked_back["from"], asked_back["to"], asked_back["date"]) == ("Eich", "Ahorn", day)
    assert asked_back["travellers"] == str(len(there))
    found = await browser.get(where(held))
    assert "Your trip so far" in found.text
    held = await take(browser, link(found.text, f"/trips/{coach.return_id}/seats"), *back)
    assert path_of(held).endswith("/passengers")
    return where(held)


async def test_no_way_back_is_shown_that_begins_before_the_way_there_has_ended(browser, coach):
    day = coach.departure.calls[0].departure.date().isoformat()
    asked = {"from": "Eich", "to": "Ahorn", "date": day, "way": "round", "return": day, "travellers": 1}
    found = await browser.get("/search", params=asked)
    held = await take(browser, link(found.text, f"/trips/{coach.return_id}/seats"), "5A")
    earlier = f"/trips/{coach.id}/seats"
    assert earlier not in (await browser.get(where(held))).text
    as_any_other = query_of(where(held))
    del as_any_other["back"]
    assert earlier in (await browser.get("/search", params=as_any_other)).text


async def test_who_asks_for_a_way_back_before_arriving_is_shown_the_day_of_arrival(browser, coach):
    people = await round_trip(browser, coach, ["5A"], ["6A"])
    lock = query_of(people)["with"]
    asked = {"from": "Ahorn", "to": "Eich", "travellers": "1", "with": lock}
    arrives = coach.departure.calls[-1].arrival.date()
    early = asked | {"date": (arrives - timedelta(days=1)).isoformat(), "back": arrives.isoformat()}
    found = await browser.get("/search", params=early)
    assert query_of(found.headers["location"])["date"] == arrives.isoformat()


async def review_of(browser: Browser, coach: Coach, **form: str) -> str:
    """The path of a pending booking of a round trip for two."""
    people = await round_trip(browser, coach, ["5A", "5B"], ["6A", "6B"])
    made = await browser.post(people, **PERSON, **SECOND, **form)
    assert path_of(made).endswith("/review"), made.text
    return path_of(made).removesuffix("/review")


class TestARoundTrip:
    async def test_is_one_booking_with_one_payment_and_each_person_named_once(self, browser, coach, sql):
        people = await round_trip(browser, coach, ["5A", "5B"], ["6A", "6B"])
        form = (await browser.get(people)).text
        assert form.count('name="passengers.0.full_name"') == 1
        assert 'name="passengers.2.full_name"' not in form
        made = await browser.post(people, **PERSON, **SECOND)
        at = path_of(made).removesuffix("/review")
        review = (await browser.get(path_of(made))).text
        assert "Trip 1" in review
        assert "Trip 2" in review
        paid = await browser.post(f"{at}/review", terms="1", method="sandbox")
        played = await browser.post(path_of(paid), outcome="pay")
        assert where(await browser.get(where(played))) == f"{at}?booked=1"
        assert sql("SELECT count(*) FROM booking") == [(1,)]
        assert sql("SELECT count(*) FROM payment") == [(1,)]
        assert sql(
            "SELECT i.position, p.seat_number, p.full_name FROM booking_passenger p"
            " JOIN booking_item i ON i.id = p.item_id ORDER BY 1, 2"
        ) == [
            (0, "5A", "Nguyễn Thị Ánh"),
            (0, "5B", "Lê Minh Khôi"),
            (1, "6A", "Nguyễn Thị Ánh"),
            (1, "6B", "Lê Minh Khôi"),
        ]

    async def test_everybody_may_have_another_seat_on_the_way_back(self, browser, coach, sql):
        await review_of(browser, coach, **{"passengers.0.seats.1": "6B", "passengers.1.seats.1": "6A"})
        rows = sql("SELECT seat_number FROM booking_passenger WHERE full_name = 'Nguyễn Thị Ánh' ORDER BY 1")
        assert rows == [("5A",), ("6B",)]

    async def test_a_seat_for_two_is_told_at_its_field_and_nothing_typed_is_lost(self, browser, coach, sql):
        people = await round_trip(browser, coach, ["5A", "5B"], ["6A", "6B"])
        same = {"passengers.0.seats.1": "6A", "passengers.1.seats.1": "6A"}
        answer = await browser.post(people, **PERSON, **SECOND, **same)
        assert answer.status_code == 422
        assert 'href="#passenger-1-seats_1"' in answer.text
        assert re.search(r'id="passenger-1-seats_1"[^>]*aria-invalid="true"', answer.text)
        assert 'value="Lê Minh Khôi"' in answer.text
        assert read(answer.text).loose_ends == []
        assert sql("SELECT count(*) FROM booking") == [(0,)]

    async def test_the_way_back_makes_it_cheaper_and_the_pages_say_so_before_anything_is_booked(self, browser, coach):
        await set_rules(coach, BACK)
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        assert "There and back saves you €2.00." in read((await browser.get(people)).text).text_of("basket__saved")
        made = await browser.post(people, **PERSON)
        review = read((await browser.get(path_of(made))).text)
        assert "There and back saves you €2.00." in review.text_of("basket__saved")
        assert "€18.00" in review.text_of("clock__sum")

    async def test_seats_like_those_on_the_way_there_are_offered(self, browser, coach):
        people = await round_trip(browser, coach, ["5A", "5B"], ["6A"])
        ids = [urlsplit(people).path.split("/")[2], query_of(people)["with"]]
        back = f"/trips/{coach.return_id}/seats?with={ids[0]}&travellers=2"
        await browser.post(back, **{"with": ids[0]})  # gives the seat on the way back away again
        page = (await browser.get(back)).text
        assert "Take seats 5A, 5B" in page

    async def test_where_one_of_them_is_gone_others_that_are_together_and_no_dearer_are_offered(
        self, visit, coach, services
    ):
        browser, other = visit(), visit()
        people = await round_trip(browser, coach, ["5A", "5B"], ["6A"])
        out = urlsplit(people).path.split("/")[2]
        back = f"/trips/{coach.return_id}/seats?with={out}&travellers=2"
        await browser.post(back, **{"with": out})
        await take(other, f"/trips/{coach.return_id}/seats", "5A")
        page = (await browser.get(back)).text
        found = re.search(r"Take seats (\w+), (\w+)<", page)
        assert found
        assert (found[1], found[2]) == ("3A", "3B")  # the first row without extra legroom

    async def test_a_day_before_the_way_there_is_refused_at_its_field(self, browser, coach):
        asked = {"from": "Ahorn", "to": "Eich", "date": "2031-01-02", "way": "round", "return": "2031-01-01"}
        answer = await browser.get("/search", params=asked)
        assert answer.status_code == 422
        assert re.search(r'id="search-return"[^>]*aria-describedby="search-return-error"', answer.text)
        one_way = await browser.get("/search", params=asked | {"way": "one"})
        assert one_way.status_code == 200

    async def test_who_has_an_account_need_not_type_where_the_tickets_go(self, browser, coach, services):
        person = await make_person(services.database, services.secrets)
        await sign_in_as(browser.client, person)
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        assert f'value="{person.email}"' in (await browser.get(people)).text


class TestLosingOne:
    async def test_it_is_named_the_rest_is_kept_and_what_was_typed_stays(self, browser, coach, run_out, sql):
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        run_out(coach.id)
        page = (await browser.get(people)).text
        told = read(page)
        assert "The time for seat 5A is over. It is free again." in told.text_of("chosen--lost")
        assert "6A" not in told.text_of("chosen--lost")
        refused = await browser.post(people, **PERSON)
        assert refused.status_code == 422
        assert LOST in refused.text
        assert sql("SELECT count(*) FROM booking") == [(0,)]
        again = await browser.post(people, **PERSON, take=pressed(page, "take"))
        assert again.status_code == 200
        assert 'value="Nguyễn Thị Ánh"' in again.text
        assert "chosen--lost" not in again.text
        made = await browser.post(people, **PERSON)  # the address is the old one; the seats are followed
        assert path_of(made).endswith("/review")
        assert sql("SELECT count(*) FROM booking_item") == [(2,)]

    async def test_one_that_somebody_else_has_now_leads_to_another_seat_near_it(self, visit, coach, run_out):
        first, second = visit(), visit()
        people = await round_trip(first, coach, ["5A"], ["6A"])
        run_out(coach.id)
        await take(second, f"/trips/{coach.id}/seats?from={coach.stop('a')}&to={coach.stop('e')}", "5A")
        page = (await first.get(people)).text
        assert "somebody else has it now" in read(page).text_of("chosen--lost")
        taken = await first.post(people, **PERSON, take=pressed(page, "take"))
        assert "chosen--lost" not in taken.text
        assert 'value="Nguyễn Thị Ánh"' in taken.text

    async def test_it_can_be_left_out(self, browser, coach, run_out, sql):
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        run_out(coach.id)
        page = (await browser.get(people)).text
        left = await browser.post(people, **PERSON, remove=pressed(page, "remove"))
        assert "Passenger in seat 6A" in left.text
        assert 'value="Nguyễn Thị Ánh"' in left.text
        made = await browser.post(re.search(r'action="(/checkout/[^"]+)"', left.text)[1], **PERSON)  # type: ignore[index]
        assert path_of(made).endswith("/review")
        assert sql("SELECT labels FROM booking_item") == [(["6A"],)]

    async def test_on_the_map_of_the_other_it_is_told_too(self, browser, coach, run_out):
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        out = urlsplit(people).path.split("/")[2]
        run_out(coach.id)
        page = read((await browser.get(f"/trips/{coach.return_id}/seats?with={out}&travellers=1")).text)
        assert "The time for seat 5A is over." in page.text_of("sum__lost")

    async def test_all_or_nothing(self, browser, coach, run_out, sql):
        """Should the time run out in the very moment of booking, nothing is booked."""
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        run_out(coach.return_id)
        await browser.post(people, **PERSON)
        assert sql("SELECT count(*) FROM booking") == [(0,)]
        assert sql("SELECT count(*) FROM hold WHERE owner LIKE 'booking:%%'") == [(0,)]


class TestTheReview:
    async def test_a_trip_is_left_out_and_the_people_stay(self, browser, coach, sql):
        at = await review_of(browser, coach)
        without = await browser.post(f"{at}/seats", page=f"{at}/review", remove="0")
        assert path_of(without).endswith("/review")
        assert not path_of(without).startswith(at)
        review = read((await browser.get(path_of(without))).text)
        assert "6A" in review.text_of("people")
        assert "5A" not in review.text_of("people")
        assert "Lê Minh Khôi" in review.text_of("people")
        assert sql("SELECT count(*) FROM booking WHERE status = 'pending'") == [(1,)]
        assert sql("SELECT count(*) FROM hold WHERE state = 'held'") == [(1,)]

    async def test_a_promotion_code_stays_with_what_is_left(self, browser, coach, services):
        async with services.database.begin() as work:
            await make_promotion(work, NewPromotion(operator_id=None, code="HALF", percent_bp=5000), actor=SYSTEM)
        at = await review_of(browser, coach)
        await browser.post(f"{at}/review", apply="1", promotion="half")
        without = await browser.post(f"{at}/seats", page=f"{at}/review", remove="1")
        review = read((await browser.get(path_of(without))).text)
        assert "HALF takes €36.00 off." in review.text_of("promotion__applied")
        assert "€36.00" in review.text_of("clock__sum")

    async def test_who_came_by_a_code_is_offered_no_choice_that_holds_seats(self, browser, visit, coach, services):
        at = await review_of(browser, coach)
        async with services.database.begin() as work:
            token = await open_booking_session(work, UUID(at.rpartition("/")[2]), ttl_seconds=600)
        other = visit()
        other.client.cookies.set(BOOKING_COOKIE, token, path=at)
        for client, offers in ((browser, True), (other, False)):
            review = (await client.get(f"{at}/review")).text
            assert ("Add another trip" in review) is offers
            assert ("Change seats" in review) is offers

    async def test_the_only_trip_is_not_left_out_but_cancelled(self, browser, coach, sql):
        at = await review_of(browser, coach)
        one = path_of(await browser.post(f"{at}/seats", page=f"{at}/review", remove="0")).removesuffix("/review")
        assert path_of(await browser.post(f"{one}/seats", page=f"{one}/review", remove="0")) == f"{one}/review"
        assert sql("SELECT count(*) FROM booking WHERE status = 'pending'") == [(1,)]

    async def test_other_seats_on_the_way_back_and_everything_else_stays(self, browser, coach):
        at = await review_of(browser, coach)
        chosen = await browser.post(f"{at}/seats", page=f"{at}/review", trip="1")
        assert path_of(chosen) == f"/trips/{coach.return_id}/seats"
        people = await take(browser, where(chosen), "6A", "7D")
        form = (await browser.get(where(people))).text
        assert 'value="Lê Minh Khôi"' in form
        assert 'value="anh@example.com"' in form
        assert re.search(r'<option value="7D" selected>', form)
        assert "5A" in form

    async def test_a_further_trip_begins_where_the_last_one_ends(self, browser, coach):
        at = await review_of(browser, coach)
        more = await browser.post(f"{at}/seats", page=f"{at}/review", more="1")
        asked = query_of(where(more))
        assert asked["from"] == "Ahorn"
        assert asked["travellers"] == "2"
        home = (await browser.get(where(more))).text
        assert "Where to next?" in home
        assert read(home).text_of("basket__rides").count("Change seats") == 2
        day = coach.departure.calls[0].departure.date().isoformat()
        found = await browser.get("/search", params=asked | {"to": "Cella", "date": day})
        people = await take(browser, link(found.text, f"/trips/{coach.id}/seats"), "8A", "8B")
        assert path_of(people).endswith("/passengers")  # on the same departure: the choice of it is changed
        form = (await browser.get(where(people))).text
        assert 'value="Lê Minh Khôi"' in form

    async def test_going_back_to_a_review_that_was_given_up_goes_on_with_the_choice(self, browser, coach):
        at = await review_of(browser, coach)
        await browser.post(f"{at}/seats", page=f"{at}/review", more="1")
        back = await browser.get(f"{at}/review")
        assert path_of(back).startswith("/checkout/")
        assert 'value="Lê Minh Khôi"' in (await browser.get(where(back))).text

    async def test_people_are_changed_for_all_trips_at_once(self, browser, coach, sql):
        at = await review_of(browser, coach)
        form = (await browser.get(f"{at}/passengers")).text
        assert form.count("Nguyễn Thị Ánh") == 1
        changed = {**PERSON, **SECOND, "passengers.0.full_name": "Nguyễn Thị Ánh Nguyệt"}
        done = await browser.post(f"{at}/passengers", page=f"{at}/review", **changed)
        assert path_of(done) == f"{at}/review"
        assert sql("SELECT count(*) FROM booking_passenger WHERE full_name = 'Nguyễn Thị Ánh Nguyệt'") == [(2,)]


class TestWindowsAndBack:
    async def test_back_from_the_review_leads_to_the_booking_not_to_a_second_one(self, browser, coach, sql):
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        made = await browser.post(people, **PERSON)
        again = await browser.get(people)
        assert path_of(again) == path_of(made).replace("review", "passengers")
        twice = await browser.post(people, **PERSON)
        assert path_of(twice) == path_of(again)
        assert sql("SELECT count(*) FROM booking") == [(1,)]

    async def test_other_seats_chosen_in_another_window_are_followed(self, browser, coach):
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        await take(browser, f"/trips/{coach.id}/seats?from={coach.stop('a')}&to={coach.stop('e')}", "9C")
        page = read((await browser.get(people)).text)
        assert "9C" in page.text_of("chosen__seats")
        assert "5A" not in page.text_of("chosen__seats")

    async def test_a_trip_that_was_booked_alone_in_another_window_is_told(self, browser, coach):
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        alone = f"{urlsplit(people).path}"
        await browser.post(alone, **PERSON)
        page = (await browser.get(people)).text
        assert "You went on with seat 5A in another window." in read(page).text_of("chosen--lost")
        assert "Go to the booking" in page

    async def test_more_time_is_for_all_seats(self, browser, coach, sql):
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        sql("UPDATE hold SET expires_at = now() + interval '3 minutes'")
        sql("UPDATE claim SET expires_at = now() + interval '3 minutes'")
        page = (await browser.get(people)).text
        assert "is-ending" not in page
        extended = await browser.post(people, **PERSON, extend="1")
        assert 'value="Nguyễn Thị Ánh"' in extended.text
        assert sql("SELECT count(*) FROM hold WHERE expires_at > now() + interval '10 minutes'") == [(2,)]

    async def test_a_ride_is_left_out_while_the_way_back_is_looked_for(self, browser, coach, sql):
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        out, back = urlsplit(people).path.split("/")[2], query_of(people)["with"]
        here = f"/search?from=Eich&to=Ahorn&with={out},{back}"
        kept = await browser.post(f"/checkout/{out}/rides?with={back}", here=here, remove=out)
        assert query_of(where(kept))["with"] == back
        assert sql("SELECT count(*) FROM hold WHERE state = 'held'") == [(1,)]
        none = await browser.post(f"/checkout/{back}/rides", here=here, remove=back)
        assert path_of(none) == "/search"
        assert "with" not in query_of(where(none))

    async def test_nobody_is_led_elsewhere(self, browser, coach):
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        out = urlsplit(people).path.split("/")[2]
        led = await browser.post(f"/checkout/{out}/rides", here="https://evil.example/", extend="1")
        assert where(led) == "/"


class TestWhose:
    async def test_rides_of_somebody_else_are_no_part_of_it(self, visit, coach, sql):
        owner, other = visit(), visit()
        people = await round_trip(owner, coach, ["5A"], ["6A"])
        await take(other, f"/trips/{coach.id}/seats?from={coach.stop('a')}&to={coach.stop('e')}", "9C")
        out, back = urlsplit(people).path.split("/")[2], query_of(people)["with"]
        assert (await other.get(people)).status_code == 404
        assert (await other.post(f"/checkout/{out}/rides?with={back}", remove=back)).status_code == 404
        assert (await other.post(f"/checkout/{out}/extend?with={back}")).status_code == 404
        found = await other.get("/search", params={"from": "Eich", "to": "Ahorn", "with": f"{out},{back}"})
        assert "Your trip" not in found.text
        assert sql("SELECT count(*) FROM hold WHERE state = 'held'") == [(3,)]
        assert (await owner.get(people)).status_code == 200

    async def test_rubbish_in_the_address_does_no_harm(self, browser, coach):
        people = await round_trip(browser, coach, ["5A"], ["6A"])
        out = urlsplit(people).path.split("/")[2]
        for rubbish in ("x", ",,", out, "00000000-0000-7000-8000-000000000000", "x" * 3000):
            page = await browser.get(f"/checkout/{out}/passengers", params={"with": rubbish, "people": rubbish})
            assert page.status_code == 200, rubbish
            assert "Passenger in seat 5A" in page.text
