"""A booking with trips of two operators, and what the staff of one of them try with all of it."""

from dataclasses import dataclass

import httpx
import pytest
from tests.attacks.conftest import PROVED, ask_all
from tests.bookings.shows import scalar
from tests.payments.till import Bank, Till
from tests.people import Somebody, open_session_of, sign_in_as
from tests.staff import Employer

from farebox.accounts import SYSTEM, add_member
from farebox.bookings import Booking, get_booking
from farebox.core.db import Database

API = "http://127.0.0.1:8000/api/v1"
BINH = {"fullName": "Trần Thị Bình", "idType": "passport", "idNumber": "C7654321", "phone": "+84912345679"}
CONTACT = {"email": "binh@example.com", "phone": "+84912345679"}


@dataclass
class Shared:
    """The booking, and the first operator's staff: somebody of the box office who acts for it alone."""

    booking: Booking
    database: Database
    program: httpx.AsyncClient
    clerk: Somebody

    @property
    def path(self) -> str:
        return f"{API}/bookings/{self.booking.id}"

    async def now(self) -> Booking:
        async with self.database.begin() as work:
            return await get_booking(work, self.booking.id, actor=SYSTEM)

    async def state(self) -> list[object]:
        """All that a change of the booking can touch."""
        tables = ("booking", "booking_item", "booking_passenger", "booking_price_line", "booking_audit", "hold")
        query = "SELECT string_agg(t::text, '|' ORDER BY t::text) FROM {} t"
        return [await scalar(self.database, query.format(table)) for table in tables]


@pytest.fixture
async def shared(house, box, an) -> Shared:
    ours, theirs = await box.show(), await box.show(operator="opera", begins_in=2 * 86_400)
    booking = await box.book(an.actor, await box.hold(an.actor, ours, (0, 1)), await box.hold(an.actor, theirs, (0,)))
    services = house.services
    employer = Employer(ours.operator_id, "theatre", services.database, services.secrets)
    clerk = await employer.hire("agent")
    program = house.client((await open_session_of(clerk, proved=PROVED)).token)
    return Shared(booking, services.database, program, clerk)


def seat(label, **more):
    return BINH | {"seatNumber": label, "passengerType": "adult"} | more


@pytest.mark.parametrize(
    "body",
    [
        {"contact": CONTACT},
        {"promoCode": "WELCOME10"},
        {"promoCode": ""},
        {"openReturn": True},
        {"openReturn": False},
        {"contact": CONTACT, "passengers": [seat("A1"), seat("A2")]},
        {"passengers": [seat("A1"), seat("A2", passengerType="child")]},
    ],
    ids=str,
)
@pytest.mark.parametrize("way", ["PATCH", "POST"])
async def test_nothing_is_changed_that_concerns_the_other_operator(shared, way, body):
    before = await shared.state()
    path = shared.path if way == "PATCH" else f"{shared.path}/modify"
    answer = await shared.program.request(way, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "concerns-others")
    assert "The person who booked can do it" in answer.json()["detail"]
    assert await shared.state() == before


@pytest.mark.parametrize(
    "people",
    [
        [seat("A1"), seat("A2"), seat("A1")],  # all of the booking, as who booked would send it
        [seat("A1"), seat("A2"), seat("A3")],
        [seat("A1")],
    ],
    ids=len,
)
async def test_people_on_the_other_operators_trip_are_not_named(shared, people):
    before = await shared.state()
    answer = await shared.program.patch(shared.path, json={"passengers": people})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert await shared.state() == before


async def test_a_seat_of_the_other_operator_is_not_reached_by_its_hold(shared):
    before = await shared.state()
    [theirs] = [item for item in shared.booking.items if len(item.passengers) == 1]
    people = [seat("A1", lockId=str(theirs.hold_id)), seat("A2")]
    answer = await shared.program.patch(shared.path, json={"passengers": people})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert await shared.state() == before


async def test_control_the_people_of_ones_own_trip_are_named_at_the_same_price(shared):
    before = await shared.now()
    answer = await shared.program.patch(shared.path, json={"passengers": [seat("A2"), seat("A1")]})
    assert answer.status_code == 200, answer.text
    after = await shared.now()
    assert [person.full_name for person in after.items[0].passengers] == [BINH["fullName"]] * 2
    assert [person.id for person in after.passengers] == [person.id for person in before.passengers]
    assert after.items[1] == before.items[1]
    assert (after.revision, after.lines, after.expires_at) == (before.revision, before.lines, before.expires_at)
    last = "SELECT actor || ' ' || reason FROM booking_audit ORDER BY id DESC LIMIT 1"
    assert await scalar(shared.database, last) == f"user:{shared.clerk.id} modified"


async def test_another_total_than_the_one_shown_is_told(shared):
    body = {"passengers": [seat("A1"), seat("A2")], "expectedTotal": {"amount": "1.00", "currency": "EUR"}}
    answer = await shared.program.patch(shared.path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "price-changed")
    assert answer.json()["total"]["amount"] == "39.50"


@pytest.mark.parametrize(("where", "form"), [("", {"extend": "1"}), ("/extend", {}), ("/review", {"extend": "1"})])
async def test_nobody_has_the_others_seats_kept_longer(shared, visit, where, form):
    browser = visit()
    await sign_in_as(browser.client, shared.clerk, proved=PROVED)
    before = await shared.state()
    answer = await browser.post(f"/bookings/{shared.booking.id}{where}", **form)
    assert answer.status_code == 409
    assert "The person who booked can do it" in answer.text
    assert await shared.state() == before


@pytest.mark.parametrize("alias", ["create", "intent"])
async def test_nobody_has_the_others_seats_kept_by_beginning_to_pay(shared, alias):
    before = await shared.state()
    body = {"bookingId": str(shared.booking.id), "method": "sandbox"}
    answer = await shared.program.post(f"{API}/payments/{alias}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "concerns-others")
    assert await shared.state() == before
    assert await scalar(shared.database, "SELECT count(*) FROM payment") == 0


async def test_nobody_does_so_from_the_page_either(shared, visit):
    browser = visit()
    await sign_in_as(browser.client, shared.clerk, proved=PROVED)
    before = await shared.state()
    answer = await browser.post(f"/bookings/{shared.booking.id}/review", terms="1", method="sandbox")
    assert answer.status_code == 409
    assert "The person who booked can do it" in answer.text
    assert await shared.state() == before


async def test_nobody_sells_the_others_seats_where_nothing_is_to_pay(shared):
    await scalar(shared.database, "UPDATE booking SET total_minor = 0, tax_minor = 0 RETURNING 1")
    before = await shared.state()
    answer = await shared.program.post(f"{shared.path}/confirm")
    assert (answer.status_code, answer.json()["code"]) == (409, "concerns-others")
    assert await shared.state() == before


async def test_control_who_booked_begins_to_pay(shared, home):
    answer = await home.post(f"/bookings/{shared.booking.id}/review", terms="1", method="sandbox")
    assert answer.headers["location"].startswith("/pay/sandbox/")


async def test_control_who_booked_has_more_time(shared, home):
    answer = await home.post(f"/bookings/{shared.booking.id}", extend="1")
    assert answer.status_code == 303
    used = await scalar(shared.database, "SELECT array_agg(extensions) FROM hold WHERE state = 'held'")
    assert set(used) == {1}


async def test_who_acts_for_both_may_do_all(house, shared):
    services = house.services
    async with services.database.begin() as work:
        row = await (await work.execute("SELECT id FROM operator WHERE code = 'opera'")).fetchone()
    opera = Employer(row[0], "opera", services.database, services.secrets)
    async with services.database.begin(reach="*") as work:
        await add_member(work, opera.id, shared.clerk.id, "agent", invited_by=None)
    answer = await shared.program.patch(shared.path, json={"contact": CONTACT})
    assert (answer.status_code, answer.json()["contact"]["email"]) == (200, CONTACT["email"])


async def test_what_the_other_operator_has_no_part_in_any_more_is_ones_own(house, shared, an):
    mine = house.client((await open_session_of(an, proved=PROVED)).token)
    [theirs] = shared.booking.items[1].passengers
    left = await mine.request("PUT", f"{shared.path}/cancel", json={"passengers": [str(theirs.id)]})
    assert left.status_code == 200, left.text
    answer = await shared.program.patch(shared.path, json={"contact": CONTACT})
    assert answer.status_code == 200, answer.text


async def test_another_name_stays_on_ones_own_trip(house, box, shared, an):
    """Who is on trips of both operators gets another name on the first one's, although the wish is for all."""
    services = house.services
    base_url = services.settings.base_url
    till = Till(box, Bank(services.secrets.derive("sandbox-webhook"), base_url, database=services.database))
    await till.play(await till.start(shared.booking, an.actor), "succeeded")
    person = shared.booking.items[0].passengers[0]
    name = {key: BINH[key] for key in ("fullName", "idType", "idNumber")}
    answer = await shared.program.post(f"{shared.path}/passengers/{person.id}/rename", json=name)
    assert answer.status_code == 200, answer.text
    names = [each.full_name for each in (await shared.now()).passengers]
    assert names == [BINH["fullName"], BINH["fullName"], "Nguyễn Văn An"]
    assert await ask_all(house, "SELECT count(*) FROM booking_audit WHERE reason = 'renamed'") == 1
