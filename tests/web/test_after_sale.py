"""What travellers do with a booking after the sale, on pages: give up, change, rename, book again. Quoted first."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb
from tests.coaches.coach import Coach
from tests.people import make_person, sign_in_as
from tests.web.conftest import Browser, path_of
from tests.web.reading import read
from tests.web.test_checkout import PERSON, hold

from farebox.accounts import open_booking_session
from farebox.bookings import ChangePolicy, RefundTier
from farebox.core.db import Database
from farebox.edge.access import BOOKING_COOKIE

SECOND = {
    name.replace(".0.", ".1."): value.replace("Ánh", "Bình").replace("4321", "4322")
    for name, value in PERSON.items()
    if name.startswith("passengers.")
}
FAR = datetime(2100, 1, 1, tzinfo=UTC)
NAME = {"full_name": "Trần Thị Cúc", "id_type": "passport", "id_number": "C1234567"}


async def pay(browser: Browser, begun: Any, outcome: str = "pay") -> str:
    """Answer on the sandbox's page as chosen; where that leads."""
    assert path_of(begun).startswith("/pay/sandbox/"), begun.headers.get("location")
    played = await browser.post(path_of(begun), outcome=outcome)
    return str(played.headers["location"])


async def booked(browser: Browser, coach: Coach, *seats: str, **form: str) -> str:
    """The path of a booking that is paid."""
    held = await hold(browser, coach, *(seats or ("5A",)))
    people = {**PERSON, **(SECOND if len(seats) > 1 else {})}
    made = await browser.post(path_of(held), **people)
    at = path_of(made).removesuffix("/review")
    back = await pay(browser, await browser.post(f"{at}/review", terms="1", method="sandbox", **form))
    assert (await browser.get(back)).headers["location"] == f"{at}?booked=1"
    return at


@pytest.fixture
def sql(settings):
    """Runs one statement on this test's database; gives the first row."""

    def run(statement: str, *values: Any) -> Any:
        with psycopg.connect(Database(settings.database_url).dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchone() if cursor.description else None

    return run


@pytest.fixture
def terms(sql):
    """Sets the terms under which everything was sold: until shortly before it begins, unless said otherwise."""

    def sell_under(**changes: Any) -> None:
        latest = sql("SELECT min(starts_at) FROM booking_item")[0] - timedelta(minutes=5)
        facts: dict[str, Any] = {
            "cancel_until": latest,
            "change_until": latest,
            "rename_until": latest,
            "tiers": (RefundTier(until=latest, refund_bp=8000),),
        }
        sql("UPDATE booking_item SET policy = %s", Jsonb(msgspec.to_builtins(ChangePolicy(**{**facts, **changes}))))

    return sell_under


PERSON_OF_5A = ["Nguyễn", "Thị", "Ánh"]


def cell(page: str, seat: str) -> tuple[str, str]:
    """How a seat is drawn: its status, and whether its box is checked or disabled."""
    found = re.search(rf'data-status="(\w+)"[^>]*><input[^>]* value="{seat}"([^>]*)>', page)
    assert found, seat
    return found[1], " ".join(word for word in ("checked", "disabled") if f" {word}" in found[2])


def ids_of(page: str) -> list[str]:
    """The passengers that can be picked."""
    return re.findall(r'name="passengers" value="([0-9a-f-]{36})"', page)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'type="hidden" name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


class TestGivingUp:
    async def test_the_only_seat_is_quoted_at_once_and_nothing_is_cancelled_by_looking(
        self, browser, coach, terms, sql
    ):
        at = await booked(browser, coach)
        terms()
        page = await browser.get(f"{at}/cancel")
        assert page.status_code == 200
        assert "80% until" in page.text
        assert "The whole booking ends" in page.text
        assert sql("SELECT status FROM booking") == ("confirmed",)

    async def test_what_was_shown_is_what_comes_back(self, browser, coach, terms, sql):
        at = await booked(browser, coach)
        terms()
        (fares,) = sql("SELECT sum(amount_minor) FROM booking_price_line WHERE kind <> 'fee'")
        page = (await browser.get(f"{at}/cancel")).text
        assert hidden(page, "expected") == str(round(int(fares) * 8 / 10))
        done = await browser.post(
            f"{at}/cancel", passengers=hidden(page, "passengers"), expected=hidden(page, "expected"), note="Snow."
        )
        assert done.headers["location"] == f"{at}?said=cancelled"
        assert sql("SELECT status, reason FROM booking") == ("cancelled", "customer")
        assert sql("SELECT sum(amount_minor), min(destination) FROM refund") == (round(int(fares) * 8 / 10), "origin")
        shown = (await browser.get(done.headers["location"])).text
        assert "That was cancelled." in shown
        assert "What comes back to you stands under the payments below." in shown
        assert "Nothing is owed." not in shown
        assert "For what was cancelled" in shown
        assert "Snow." in read(shown).text_of("story")

    async def test_one_of_two_can_go_and_the_other_still_travels(self, browser, coach, terms, sql):
        at = await booked(browser, coach, "5A", "5B")
        terms()
        start = (await browser.get(f"{at}/cancel")).text
        one, _other = ids_of(start)
        assert "You get " not in start
        quoted = (await browser.get(f"{at}/cancel", params={"show": "1", "passengers": one})).text
        assert "the rest of the booking stays" in quoted
        await browser.post(f"{at}/cancel", passengers=one, expected=hidden(quoted, "expected"))
        assert sql("SELECT status FROM booking") == ("confirmed",)
        told = read((await browser.get(at)).text)
        assert "Nguyễn Thị Ánh" in told.text_of("former")
        assert "Cancelled on" in told.text_of("former")
        assert "5A" not in told.text_of("tickets")
        assert "5B" in told.text_of("tickets")

    async def test_all_are_picked_with_one_press_but_who_is_too_late(self, browser, coach, terms, sql):
        at = await booked(browser, coach, "5A", "5B")
        terms()
        assert 'name="all" value="1"' in (await browser.get(f"{at}/cancel")).text
        page = (await browser.get(f"{at}/cancel", params={"show": "1", "all": "1"})).text
        assert len(re.findall(r'name="passengers" value="[^"]+" checked', page)) == 2
        assert "Cancel the whole booking" in page
        await browser.post(f"{at}/cancel", passengers=hidden(page, "passengers"), expected=hidden(page, "expected"))
        assert sql("SELECT status FROM booking") == ("cancelled",)

    async def test_who_picks_nobody_is_asked_to_and_nothing_typed_is_lost(self, browser, coach, terms):
        at = await booked(browser, coach, "5A", "5B")
        terms()
        assert "Choose at least one seat." in (await browser.get(f"{at}/cancel?show=1")).text
        answer = await browser.post(f"{at}/cancel", passengers="", note="<b>because")
        assert answer.status_code == 422
        assert "Choose at least one seat." in answer.text

    async def test_less_than_was_shown_is_shown_again_and_nothing_is_done(self, browser, coach, terms, sql):
        at = await booked(browser, coach)
        terms()
        page = (await browser.get(f"{at}/cancel")).text
        terms(tiers=(RefundTier(until=FAR, refund_bp=5000),))
        answer = await browser.post(
            f"{at}/cancel",
            passengers=hidden(page, "passengers"),
            expected=hidden(page, "expected"),
            note="Snow & <ice>",
        )
        assert answer.status_code == 409
        assert "has changed since you saw it" in answer.text
        assert "50% until" in answer.text
        assert "Snow &amp; &lt;ice&gt;" in answer.text
        assert sql("SELECT status FROM booking") == ("confirmed",)

    async def test_when_it_is_too_late_the_page_says_so(self, browser, coach, terms):
        at = await booked(browser, coach)
        terms(cancel_until=None)
        page = (await browser.get(f"{at}/cancel")).text
        assert "It is too late to cancel this." in page
        assert 'name="go"' not in page
        assert f"{at}/cancel" not in (await browser.get(at)).text

    async def test_the_wallet_is_offered_to_people_with_an_account_only(self, visit, services, secrets, coach, terms):
        guest, own = visit(), visit()
        await sign_in_as(own.client, await make_person(services.database, secrets))
        for browser, seat, count in ((guest, "5A", 0), (own, "6A", 1)):
            at = await booked(browser, coach, seat)
            terms()
            assert (await browser.get(f"{at}/cancel")).text.count('value="wallet"') == count

    async def test_money_into_the_wallet_is_there_and_on_its_page(self, browser, services, secrets, coach, terms, sql):
        await sign_in_as(browser.client, await make_person(services.database, secrets))
        at = await booked(browser, coach)
        terms()
        page = (await browser.get(f"{at}/cancel")).text
        await browser.post(f"{at}/cancel", passengers=hidden(page, "passengers"), refund_to="wallet")
        assert sql("SELECT min(destination) FROM refund") == ("wallet",)

    async def test_who_gave_a_sold_booking_up_reads_so_once_all_is_settled(
        self, browser, services, secrets, coach, terms, sql
    ):
        """Not that the money came too late, as of one that was never sold; nor that what was kept was paid back."""
        await sign_in_as(browser.client, await make_person(services.database, secrets))
        at = await booked(browser, coach)
        terms()
        page = (await browser.get(f"{at}/cancel")).text
        await browser.post(f"{at}/cancel", passengers=hidden(page, "passengers"), refund_to="wallet")
        sql("UPDATE booking SET status = 'refunded'")
        shown = (await browser.get(at)).text
        assert "What comes back to you stands under the payments below." in shown
        assert "could not be kept until your payment arrived" not in shown
        for form in ("cards", "table"):
            assert "Kept:" in (await browser.get(f"/account/bookings?view={form}")).text
        sql("UPDATE booking SET confirmed_at = NULL")
        assert "could not be kept until your payment arrived" in (await browser.get(at)).text
        assert "Kept:" not in (await browser.get("/account/bookings")).text


class TestChanging:
    async def quoted(self, browser: Browser, coach: Coach, at: str, seat: str = "9C") -> Any:
        """From the booking over the seat map to the quote."""
        start = (await browser.get(f"{at}/change")).text
        url = read(start).links_in("rides-for")[0].replace("&amp;", "&")
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (await browser.get(url)).status_code == 200
        held = await browser.post(urlsplit(url).path, seats=seat, go="1", **query)
        assert path_of(held) == f"{at}/change/quote"
        return await browser.get(held.headers["location"])

    async def test_another_seat_is_quoted_first_and_then_made(self, browser, coach, terms, sql):
        at = await booked(browser, coach)
        terms()
        page = await self.quoted(browser, coach, at)
        assert page.status_code == 200
        assert sql("SELECT labels FROM booking_item WHERE ended_as IS NULL") == (["5A"],)
        told = read(page.text)
        assert "5A" in told.text_of("swaps")
        assert "9C" in told.text_of("swaps")
        fields = {name: hidden(page.text, name) for name in ("lock", "passengers", "expected")}
        done = await browser.post(f"{at}/change/quote", **fields, method="sandbox")
        if path_of(done).startswith("/pay/"):  # the new seat costs more than the old
            done = await browser.get(await pay(browser, done))
        assert done.headers["location"] == f"{at}?said=changed"
        assert sql("SELECT labels FROM booking_item WHERE ended_as IS NULL") == (["9C"],)
        shown = read((await browser.get(done.headers["location"])).text)
        assert "Changed on" in shown.text_of("former")
        assert "9C" in shown.text_of("tickets")

    async def map_for(self, browser: Browser, at: str, *people: int) -> tuple[str, dict[str, str], str]:
        """The map for some of a booking: its path, what its form carries along, and the page."""
        ids = ids_of((await browser.get(f"{at}/change")).text)
        asked = {"show": "1", "passengers": ",".join(ids[index] for index in people)}
        start = read((await browser.get(f"{at}/change", params=asked)).text)
        url = start.links_in("rides-for")[0].replace("&amp;", "&")
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        return urlsplit(url).path, query, (await browser.get(url)).text

    async def test_the_seat_that_somebody_has_is_shown_as_theirs_and_not_offered_to_them_alone(
        self, browser, coach, terms
    ):
        at = await booked(browser, coach)
        terms()
        path, query, page = await self.map_for(browser, at, 0)
        assert cell(page, "5A") == ("own", "disabled")
        assert 'aria-label="Seat 5A, window, standard seat' in page
        assert "Your seat now" in read(page).text_of("legend")
        assert "0 of 1 seat chosen" in read(page).text_of("sum")
        held = await browser.post(path, seats=["5A", "9C"], go="1", **query)
        assert path_of(held) == f"{at}/change/quote"  # a form that ticks it all the same asks for the other one

    async def test_nobody_ticks_more_seats_than_there_are_people_and_what_was_ticked_stays(
        self, browser, coach, terms, sql
    ):
        at = await booked(browser, coach)
        terms()
        path, query, _page = await self.map_for(browser, at, 0)
        query["travellers"] = "5"  # the people count, not what an address says
        refused = await browser.post(path, seats=["9C", "9D"], go="1", **query)
        assert "One seat is enough: it is for one person." in read(refused.text).text_of("sum")
        assert [cell(refused.text, seat) for seat in ("9C", "9D")] == [("available", "checked")] * 2
        assert sql("SELECT count(*) FROM hold WHERE state = 'held'") == (0,)

    async def test_who_chose_too_few_is_told_how_many_are_missing_and_keeps_what_is_held(
        self, browser, coach, terms, sql
    ):
        at = await booked(browser, coach, "5A", "5B")
        terms()
        path, query, page = await self.map_for(browser, at, 0, 1)
        assert "0 of 2 seats chosen" in read(page).text_of("sum")
        asked = await browser.post(path, seats="9C", go="1", **query)
        assert "Choose one more seat: 1 of 2 chosen." in read(asked.text).text_of("sum")
        assert cell(asked.text, "9C") == ("mine", "checked")
        assert sql("SELECT count(*) FROM hold WHERE state = 'held'") == (1,)

    async def test_of_two_one_keeps_the_seat_and_only_the_other_changes(self, browser, coach, terms, sql):
        at = await booked(browser, coach, "5A", "5B")
        terms()
        path, query, page = await self.map_for(browser, at, 0, 1)
        assert [cell(page, seat) for seat in ("5A", "5B")] == [("own", "")] * 2
        both = await browser.post(path, seats=["5A", "5B"], go="1", **query)
        assert "Everybody would keep their seat." in read(both.text).text_of("sum")
        assert [cell(both.text, seat) for seat in ("5A", "5B")] == [("own", "checked")] * 2
        seen = read((await browser.get(path, params={**query, "known": "5B"})).text)
        assert "stays yours" in seen.text_of("sum")
        held = await browser.post(path, seats=["5B", "9C"], go="1", **query)
        quote = await browser.get(held.headers["location"])
        assert read(quote.text).text_of("swaps").split() == ["Until", "now:", "5A", "New:", "9C", *PERSON_OF_5A]
        fields = {name: hidden(quote.text, name) for name in ("lock", "passengers", "expected")}
        done = await browser.post(f"{at}/change/quote", **fields, method="sandbox")
        if path_of(done).startswith("/pay/"):
            await browser.get(await pay(browser, done))
        rows = sql("SELECT array_agg(seat_number ORDER BY seat_number) FROM booking_passenger WHERE ended_as IS NULL")
        assert rows == (["5B", "9C"],)

    async def test_with_a_code_alone_the_own_seat_is_known_too(self, browser, visit, services, coach, terms):
        at = await booked(browser, coach)
        terms()
        async with services.database.begin() as work:
            token = await open_booking_session(work, UUID(at.rpartition("/")[2]), ttl_seconds=600)
        other = visit()
        other.client.cookies.set(BOOKING_COOKIE, token)
        _path, _query, page = await self.map_for(other, at, 0)
        assert cell(page, "5A")[0] == "own"

    async def test_seats_in_an_address_make_nobody_s_seat_one_s_own(self, browser, visit, coach, terms, sql):
        await booked(browser, coach)
        other = visit()
        at = await booked(other, coach, "7A")
        terms()
        path, query, _page = await self.map_for(other, at, 0)
        query["now"] = "5A,<b>,9C"
        page = (await other.get(path, params=query)).text
        assert cell(page, "9C") == ("available", "")
        assert "<b>" not in page
        refused = await other.post(path, seats="5A", go="1", **query)
        assert refused.status_code == 200  # nothing is held
        assert sql("SELECT count(*) FROM hold WHERE state = 'held'") == (0,)

    async def test_the_same_seat_is_kept_on_a_part_of_the_way(self, browser, coach, terms, sql):
        at = await booked(browser, coach)
        terms()
        assert "The same seat, a part of the way" in (await browser.get(f"{at}/change")).text
        (who,) = sql("SELECT id FROM booking_passenger")
        asked = {"passengers": str(who), "from": str(coach.stop("a")), "to": str(coach.stop("c"))}
        page = await browser.get(f"{at}/change/quote", params=asked)
        assert page.status_code == 200
        fields = {name: hidden(page.text, name) for name in ("from", "to", "passengers", "expected")}
        done = await browser.post(f"{at}/change/quote", **fields)
        assert done.headers["location"] == f"{at}?said=changed"
        row = sql("SELECT labels, first_slot, end_slot FROM booking_item WHERE ended_as IS NULL")
        assert row == (["5A"], 0, 2)
        whole = {**asked, "passengers": str(sql("SELECT id FROM booking_passenger WHERE ended_as IS NULL")[0])}
        refused = await browser.get(f"{at}/change/quote", params=whole)
        assert refused.status_code == 422
        assert "name a part of your way" in refused.text

    async def test_a_fee_is_paid_before_anything_changes(self, browser, coach, terms, sql):
        at = await booked(browser, coach)
        terms(change_fee_minor=700)
        page = await self.quoted(browser, coach, at)
        fields = {name: hidden(page.text, name) for name in ("lock", "passengers", "expected")}
        begun = await browser.post(f"{at}/change/quote", **fields, method="sandbox")
        assert sql("SELECT labels FROM booking_item WHERE ended_as IS NULL") == (["5A"],)

        declined = await browser.get(await pay(browser, begun, "decline"))
        assert "Your change waits for its payment" in declined.text
        assert "did not go through" in declined.text
        assert path_of(await browser.get(f"{at}/change")) == f"{at}/change/waiting"

        again = await browser.post(f"{at}/change/waiting", pay="1", method="sandbox")
        back = await browser.get(await pay(browser, again))
        assert back.headers["location"] == f"{at}?said=changed"
        assert sql("SELECT labels FROM booking_item WHERE ended_as IS NULL") == (["9C"],)

    async def test_a_change_that_waits_can_be_taken_back(self, browser, coach, terms, sql):
        at = await booked(browser, coach)
        terms(change_fee_minor=700)
        page = await self.quoted(browser, coach, at)
        fields = {name: hidden(page.text, name) for name in ("lock", "passengers", "expected")}
        await browser.post(f"{at}/change/quote", **fields, method="sandbox")
        back = await browser.post(f"{at}/change/waiting", withdraw="1")
        assert back.headers["location"] == f"{at}?said=change-withdrawn"
        assert "Everything is as it was" in (await browser.get(back.headers["location"])).text
        assert sql("SELECT status FROM booking_change") == ("withdrawn",)

    async def test_another_price_than_was_shown_is_shown_again(self, browser, coach, terms, sql):
        at = await booked(browser, coach)
        terms()
        page = await self.quoted(browser, coach, at)
        terms(change_fee_minor=700)
        fields = {name: hidden(page.text, name) for name in ("lock", "passengers", "expected")}
        answer = await browser.post(f"{at}/change/quote", **fields, method="sandbox")
        assert answer.status_code == 409
        assert "change fee" in answer.text
        assert sql("SELECT labels FROM booking_item WHERE ended_as IS NULL") == (["5A"],)

    async def test_seats_that_are_held_no_more_lead_back_to_the_choice(self, browser, coach, terms):
        at = await booked(browser, coach)
        terms()
        lost = await browser.get(f"{at}/change/quote?lock=00000000-0000-7000-8000-000000000000")
        assert lost.headers["location"] == f"{at}/change?said=seats-gone"
        assert "Choose again." in (await browser.get(lost.headers["location"])).text

    async def test_when_it_is_too_late_nothing_is_offered(self, browser, coach, terms):
        at = await booked(browser, coach)
        terms(change_until=None)
        page = (await browser.get(f"{at}/change")).text
        assert "cannot be changed any more" in page
        assert "Choose seats" not in page
        assert f"{at}/change" not in (await browser.get(at)).text


class TestOtherNames:
    async def test_a_name_is_shown_first_and_then_changed(self, browser, coach, terms, sql):
        at = await booked(browser, coach)
        terms()
        form = (await browser.get(f"{at}/names")).text
        passenger = re.search(r'<option value="([0-9a-f-]{36})"', form)
        assert passenger
        shown = await browser.post(f"{at}/names", passenger=passenger[1], **NAME)
        assert "Nguyễn Thị Ánh becomes Trần Thị Cúc" in shown.text
        assert sql("SELECT full_name FROM booking_passenger") == ("Nguyễn Thị Ánh",)
        fields = {name: hidden(shown.text, name) for name in ("passenger", "expected", *NAME)}
        done = await browser.post(f"{at}/names", go="1", **fields)
        assert done.headers["location"] == f"{at}?said=renamed"
        assert sql("SELECT full_name FROM booking_passenger") == ("Trần Thị Cúc",)

    async def test_a_fee_is_paid_first(self, browser, coach, terms, sql):
        at = await booked(browser, coach)
        terms(rename_fee_minor=500)
        (passenger,) = sql("SELECT id::text FROM booking_passenger")
        shown = await browser.post(f"{at}/names", passenger=passenger, **NAME)
        assert "fee for another name" in shown.text
        begun = await browser.post(
            f"{at}/names", passenger=passenger, **NAME, go="1", expected=hidden(shown.text, "expected")
        )
        assert sql("SELECT full_name FROM booking_passenger") == ("Nguyễn Thị Ánh",)
        back = await browser.get(await pay(browser, begun))
        assert back.headers["location"] == f"{at}?said=changed"
        assert sql("SELECT full_name FROM booking_passenger") == ("Trần Thị Cúc",)

    async def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(self, browser, coach, terms, sql):
        at = await booked(browser, coach)
        terms()
        (passenger,) = sql("SELECT id::text FROM booking_passenger")
        answer = await browser.post(f"{at}/names", passenger=passenger, **{**NAME, "id_number": "1"})
        assert answer.status_code == 422
        assert re.search(r'id="id-number"[^>]*aria-invalid="true"', answer.text)
        assert 'value="Trần Thị Cúc"' in answer.text


class TestBookingAgain:
    async def test_a_booking_that_was_cancelled_is_made_again_with_one_press(self, browser, coach, sql):
        held = await hold(browser, coach, "5A")
        at = path_of(await browser.post(path_of(held), **PERSON)).removesuffix("/review")
        await browser.post(at, cancel="1")
        page = (await browser.get(at)).text
        assert f'action="{at}/again"' in page
        assert "Nothing is owed." in page
        again = await browser.post(f"{at}/again")
        assert path_of(again).endswith("/review")
        assert not path_of(again).startswith(at)
        review = read((await browser.get(path_of(again))).text)
        assert "5A" in review.text_of("people")
        assert "Nguyễn Thị Ánh" in review.text_of("people")
        assert sql("SELECT count(*) FROM booking WHERE status = 'pending'") == (1,)


class TestWhose:
    async def test_nobody_else_gets_anywhere(self, visit, coach, terms):
        owner, other = visit(), visit()
        at = await booked(owner, coach)
        terms()
        await hold(other, coach, "7A")
        for step in (
            "/cancel",
            "/change",
            "/change/quote?lock=00000000-0000-7000-8000-000000000000",
            "/change/waiting",
        ):
            assert (await other.get(f"{at}{step}")).status_code == 404, step
        for step in ("/cancel", "/change/quote", "/change/waiting", "/names", "/again"):
            assert (await other.post(f"{at}{step}", go="1")).status_code == 404, step

    async def test_no_cache_keeps_these_pages(self, browser, coach, terms):
        at = await booked(browser, coach)
        terms()
        for step in ("", "/cancel", "/change", "/names"):
            assert (await browser.get(f"{at}{step}")).headers["cache-control"] == "no-store"


class TestPayingInParts:
    async def test_a_part_counts_and_the_rest_is_asked_for(self, browser, coach, sql):
        held = await hold(browser, coach, "5A")
        at = path_of(await browser.post(path_of(held), **PERSON)).removesuffix("/review")
        back = await pay(browser, await browser.post(f"{at}/review", terms="1", method="sandbox"), "part")
        page = await browser.get(back, follow_redirects=True)
        assert "have arrived and count" in page.text
        assert "Nothing was paid" not in page.text
        assert sql("SELECT count(*) FROM ticket") == (0,)

    async def test_what_the_bank_did_not_tell_is_no_failure(self, browser, coach):
        held = await hold(browser, coach, "5A")
        at = path_of(await browser.post(path_of(held), **PERSON)).removesuffix("/review")
        back = await pay(browser, await browser.post(f"{at}/review", terms="1", method="sandbox"), "silent")
        page = await browser.get(back)
        assert page.status_code in {200, 303}
        shown = page.text if page.status_code == 200 else (await browser.get(page.headers["location"])).text
        assert "did not go through" not in shown


class TestByTheCodeOfABooking:
    """Somebody who found a guest's booking with its code can do what its maker could, and no more."""

    @pytest.fixture
    async def found(self, browser, visit, services, coach, terms) -> tuple[Browser, str]:
        at = await booked(browser, coach)
        terms()
        async with services.database.begin() as work:
            token = await open_booking_session(work, UUID(at.rpartition("/")[2]), ttl_seconds=600)
        other = visit()
        other.client.cookies.set(BOOKING_COOKIE, token)
        return other, at

    async def test_it_is_read_and_given_up(self, found, sql):
        other, at = found
        page = (await other.get(at)).text
        assert "What happened" in page
        quoted = (await other.get(f"{at}/cancel")).text
        assert 'value="wallet"' not in quoted
        done = await other.post(f"{at}/cancel", passengers=hidden(quoted, "passengers"))
        assert done.headers["location"] == f"{at}?said=cancelled"
        assert sql("SELECT status FROM booking") == ("cancelled",)

    async def test_seats_for_the_same_trip_are_held_by_their_own_session(self, found, sql):
        other, at = found
        quoted = (await other.get(f"{at}/cancel")).text
        await other.post(f"{at}/cancel", passengers=hidden(quoted, "passengers"))
        assert f'action="{at}/again"' in (await other.get(at)).text
        again = await other.post(f"{at}/again", page=at)
        assert again.status_code == 303
        assert path_of(again).startswith("/checkout/")
        (owner,) = sql("SELECT owner FROM hold WHERE state = 'held'")
        assert owner.startswith("guest:")
        assert owner != sql("SELECT owner FROM booking")[0]
        other.client.cookies.delete(BOOKING_COOKIE)  # it is not sent there
        form = (await other.get(again.headers["location"])).text
        assert "Passenger in seat" in form
        assert "Nguyễn Thị Ánh" in form  # as on the booking's page
        assert "001186004321" not in form  # a code shows nobody's documents
        review = await other.post(again.headers["location"], **PERSON)
        assert path_of(review).endswith("/review")

    async def test_the_session_that_is_there_holds_them(self, found, coach, sql):
        other, at = found
        token = other.client.cookies.pop(BOOKING_COOKIE)
        await hold(other, coach, "9A")
        own = sql("SELECT owner FROM hold WHERE state = 'held'")
        other.client.cookies.set(BOOKING_COOKIE, token)
        await other.post(f"{at}/again", page=at)
        assert sql("SELECT DISTINCT owner FROM hold WHERE state = 'held'") == own

    async def test_the_wallet_of_its_owner_is_not_within_reach(self, found, sql):
        other, at = found
        quoted = (await other.get(f"{at}/cancel")).text
        refused = await other.post(f"{at}/cancel", passengers=hidden(quoted, "passengers"), refund_to="wallet")
        assert refused.status_code == 409
        assert sql("SELECT status FROM booking") == ("confirmed",)

    async def test_without_the_session_that_held_the_seats_one_chooses_again(self, found):
        other, at = found
        lost = {"lock": "00000000-0000-7000-8000-000000000000", "expected": "0"}
        for answer in (
            await other.get(f"{at}/change/quote?lock={lost['lock']}"),
            await other.post(f"{at}/change/quote", **lost),
        ):
            assert answer.headers["location"] == f"{at}/change?said=seats-gone"

    async def test_of_a_booking_that_waits_for_its_payment_it_shows_names_alone(self, browser, visit, services, coach):
        at = path_of(await browser.post(path_of(await hold(browser, coach, "5A")), **PERSON)).removesuffix("/review")
        own = (await browser.get(f"{at}/passengers")).text
        assert "001186004321" in own  # the control
        assert "912345678" in own.replace(" ", "")
        async with services.database.begin() as work:
            token = await open_booking_session(work, UUID(at.rpartition("/")[2]), ttl_seconds=600)
        other = visit()
        other.client.cookies.set(BOOKING_COOKIE, token)
        form = (await other.get(f"{at}/passengers")).text
        assert "Nguyễn Thị Ánh" in form
        assert "enter them again" in form
        assert "001186004321" not in form
        assert "912345678" not in form.replace(" ", "")  # nor the phone
