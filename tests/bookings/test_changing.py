"""Changes through HTTP: quoted first, then made, or kept until they are paid; names; and who may do it."""

import pytest
from tests.bookings.shows import person, scalar
from tests.bookings.test_api import Guest, guest, problem_of, visit
from tests.payments.conftest import bank, till

from farebox.accounts import open_booking_session
from farebox.core.ids import new_id

__all__ = ["bank", "guest", "till", "visit"]

RENAMED = {"fullName": "Trần Thị Bình", "idType": "passport", "idNumber": "C7654321"}


class Traveller(Guest):
    """A visitor whose bookings are paid, and who then changes them."""

    def __init__(self, guest, till):
        self.client, self.box, self.actor, self.headers = guest.client, guest.box, guest.actor, guest.headers
        self.till = till

    async def buy(self, *shows, units=(0,)):
        holds = [await self.hold(show, units) for show in shows]
        booking = await self.box.book(self.actor, *holds)
        await self.till.play(await self.till.start(booking, self.actor), "succeeded")
        return (await self.send("GET", f"/bookings/{booking.id}")).json()

    async def wish(self, show, units=(0,), *passengers, **more):
        return {"lockId": str((await self.hold(show, units)).id), "passengers": list(passengers)} | more

    async def change(self, booking, show, units=(0,), *passengers, **more):
        wish = await self.wish(show, units, *passengers, **more)
        return await self.send("POST", f"/bookings/{booking['bookingId']}/change", wish)


@pytest.fixture
def an(guest, till):
    return Traveller(guest, till)


def money(amount):
    return {"amount": amount, "currency": "EUR"}


def people_of(booking):
    return [(each["fullName"], each["seatNumber"]) for item in booking["items"] for each in item["passengers"]]


async def test_a_quote_tells_each_line_and_changes_nothing(an, box):
    booking = await an.buy(await box.show(price=1000, change_fee=50))
    wish = await an.wish(await box.show(price=1500), (2,))
    answer = await an.send("POST", f"/bookings/{booking['bookingId']}/change-quote", wish)
    assert answer.status_code == 200, answer.text
    quote = answer.json()
    assert [quote[name]["amount"] for name in ("totalBefore", "totalAfter", "toPay", "toRefund")] == [
        "11.00",
        "16.50",
        "5.50",
        "0.00",
    ]
    assert [(line["label"], line["amount"]["amount"]) for line in quote["linesGone"]] == [("Seat A1", "10.00")]
    assert [(line["label"], line["amount"]["amount"]) for line in quote["linesAdded"]] == [
        ("Seat A3", "15.00"),
        ("Seat A3, change fee", "0.50"),
    ]
    assert quote["newTrip"]["seatNumbers"] == ["A3"]
    after = await an.send("GET", f"/bookings/{booking['bookingId']}")
    assert after.json() == booking


async def test_each_change_s_fee_goes_on_naming_the_seat_that_it_was_for(an, box):
    booking = await an.buy(await box.show(price=1000, change_fee=50))
    for unit in (1, 2):
        pending = (await an.change(booking, await box.show(price=1000, change_fee=50), (unit,))).json()["change"]
        paying = {"bookingId": booking["bookingId"], "changeId": pending["changeId"], "method": "sandbox"}
        payment = (await an.send("POST", "/payments/create", paying)).json()
        await an.send("POST", f"/payments/sandbox/{payment['paymentId']}", {"outcome": "succeeded"})
    after = (await an.send("GET", f"/bookings/{booking['bookingId']}")).json()
    told = [(line["label"], line["seatNumber"], line["amount"]["amount"]) for line in after["priceLines"]]
    assert [each for each in told if each[1]] == [
        ("Seat A2, change fee", "A3", "0.50"),
        ("Seat A3", "A3", "10.00"),
        ("Seat A3, change fee", "A3", "0.50"),
    ]


async def test_a_change_at_the_same_price_is_made_at_once(an, box):
    booking, other = await an.buy(await box.show()), await box.show()
    answer = await an.change(booking, other, (1,), expectedTotal=money("13.50"))
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["change"]) == ("applied", None)
    [item] = answer.json()["booking"]["items"]
    assert (item["tripId"], item["seatNumbers"]) == (str(other.id), ["A2"])


async def test_a_dearer_trip_is_changed_once_it_is_paid(an, box):
    booking, other = await an.buy(await box.show(price=1000)), await box.show(price=1500)
    pending = (await an.change(booking, other)).json()
    assert pending["status"] == "pending"
    assert pending["booking"] == booking
    path = f"/bookings/{booking['bookingId']}/change"
    assert (await an.send("GET", path)).json() == pending["change"]
    paying = {"bookingId": booking["bookingId"], "changeId": pending["change"]["changeId"], "method": "sandbox"}
    payment = (await an.send("POST", "/payments/create", paying)).json()
    assert payment["amount"] == money("5.00")
    await an.send("POST", f"/payments/sandbox/{payment['paymentId']}", {"outcome": "succeeded"})
    after = (await an.send("GET", f"/bookings/{booking['bookingId']}")).json()
    assert [item["tripId"] for item in after["items"]] == [str(other.id)]
    assert after["total"] == money("16.00")
    assert problem_of(await an.send("GET", path), 404)["code"] == "change-not-found"


async def test_a_change_that_waits_is_taken_back(an, box):
    booking, other = await an.buy(await box.show(price=1000)), await box.show(price=1500)
    await an.change(booking, other)
    again = await an.change(booking, await box.show(price=1500))
    assert problem_of(again, 409)["code"] == "change-pending"
    path = f"/bookings/{booking['bookingId']}/change"
    assert (await an.send("DELETE", path)).json() == {"withdrawn": True}
    assert problem_of(await an.send("DELETE", path), 404)["code"] == "change-not-found"
    assert await scalar(box.database, "SELECT count(*) FROM claim WHERE inventory_id = %s", other.inventory_id) == 0


async def test_people_choose_which_of_the_new_seats_each_gets(an, box):
    booking = await an.buy(await box.show(), units=(0, 1))
    [first, second] = booking["items"][0]["passengers"]
    wishes = [
        {"passengerId": first["passengerId"], "seatNumber": "A4"},
        {"passengerId": second["passengerId"], "seatNumber": "a3"},
    ]
    after = (await an.change(booking, await box.show(), (2, 3), *wishes)).json()["booking"]
    [item] = after["items"]
    assert item["seatNumbers"] == ["A3", "A4"]


async def test_a_price_other_than_shown_changes_nothing(an, box):
    booking = await an.buy(await box.show())
    answer = await an.change(booking, await box.show(price=1500), expectedTotal=money("13.50"))
    problem = problem_of(answer, 409)
    assert (problem["code"], problem["total"]) == ("price-changed", money("16.00"))


async def test_who_changes_is_named_where_there_are_several_trips(an, box):
    booking, other = await an.buy(await box.show(), await box.show()), await box.show()
    answer = await an.change(booking, other)
    assert problem_of(answer, 422)["errors"][0]["code"] == "choose-passengers"
    mixed = [{"passengerId": item["passengers"][0]["passengerId"]} for item in booking["items"]]
    answer = await an.change(booking, await box.show(), (0, 1), *mixed)
    assert problem_of(answer, 422)["errors"][0]["code"] == "several-trips"
    answer = await an.change(booking, await box.show(), itemId=booking["items"][1]["itemId"])
    assert answer.json()["status"] == "applied"


async def test_nobody_changes_what_is_not_theirs(an, box, visit, till):
    booking = await an.buy(await box.show())
    bo = Traveller(await visit(), till)
    answer = await bo.change(booking, await box.show())
    assert problem_of(answer, 404)["code"] == "booking-not-found"


async def test_it_is_too_late_after_the_last_moment_of_the_terms(an, box):
    booking = await an.buy(await box.show(begins_in=7100))
    problem = problem_of(await an.change(booking, await box.show()), 409)
    assert (problem["code"], problem["bookingStatus"]) == ("not-changeable", "confirmed")
    assert problem["until"]


async def test_a_session_for_one_booking_changes_with_seats_that_a_guest_session_holds(an, box, visit, till):
    booking, other = await an.buy(await box.show()), await box.show()
    async with box.database.begin() as work:
        code = await open_booking_session(work, booking["bookingId"], ttl_seconds=60)
    bo = Traveller(await visit(), till)
    wish = await bo.wish(other)
    path = f"/bookings/{booking['bookingId']}/change"
    as_holder = {"Authorization": f"Bearer {code}"}
    assert problem_of(await an.send("POST", path, wish, **as_holder), 403)["code"] == "not-allowed"
    bad = wish | {"guestToken": "fbg_nobody"}
    assert problem_of(await an.send("POST", path, bad, **as_holder), 422)["errors"][0]["field"] == "guestToken"
    held = wish | {"guestToken": bo.headers["Authorization"].removeprefix("Bearer ")}
    answer = await an.send("POST", path, held, **as_holder)
    assert answer.status_code == 200, answer.text
    assert answer.json()["booking"]["items"][0]["tripId"] == str(other.id)


async def test_a_name_is_changed_for_free_with_a_new_ticket(an, box):
    booking = await an.buy(await box.show())
    [before] = booking["items"][0]["passengers"]
    old = await scalar(box.database, "SELECT token FROM ticket WHERE status = 'issued'")
    path = f"/bookings/{booking['bookingId']}/passengers/{before['passengerId']}/rename"
    answer = await an.send("POST", path, RENAMED)
    assert answer.status_code == 200, answer.text
    after = answer.json()["booking"]
    [renamed] = after["items"][0]["passengers"]
    assert renamed == before | {"fullName": "Trần Thị Bình", "idType": "passport", "idNumber": "•••••321"}
    assert (answer.json()["status"], after["total"]) == ("applied", booking["total"])
    assert await scalar(box.database, "SELECT status FROM ticket WHERE token = %s", old) == "void"
    assert await scalar(box.database, "SELECT count(*) FROM ticket WHERE status = 'issued'") == 1


async def test_a_name_with_a_fee_is_changed_once_it_is_paid(an, box, till):
    booking = await an.buy(await box.show(rename_fee=250))
    [before] = booking["items"][0]["passengers"]
    path = f"/bookings/{booking['bookingId']}/passengers/{before['passengerId']}/rename"
    answer = (await an.send("POST", path, RENAMED | {"expectedTotal": money("16.00")})).json()
    assert (answer["status"], answer["change"]["toPay"]) == ("pending", money("2.50"))
    assert people_of(answer["booking"]) == people_of(booking)
    paying = {"bookingId": booking["bookingId"], "changeId": answer["change"]["changeId"], "method": "sandbox"}
    payment = (await an.send("POST", "/payments/create", paying)).json()
    await an.send("POST", f"/payments/sandbox/{payment['paymentId']}", {"outcome": "succeeded"})
    after = (await an.send("GET", f"/bookings/{booking['bookingId']}")).json()
    assert people_of(after) == [("Trần Thị Bình", "A1")]
    assert after["priceLines"][-1]["label"] == "Seat A1, fee for another name"
    assert after["total"] == money("16.00")
    assert await scalar(box.database, "SELECT count(*) FROM booking_change WHERE quote ? 'people'") == 0


async def test_a_person_is_renamed_on_all_trips_or_on_one(an, box):
    booking = await an.buy(await box.show(), await box.show())
    [there, back] = [item["passengers"][0] for item in booking["items"]]
    path = f"/bookings/{booking['bookingId']}/passengers/"
    await an.send("POST", f"{path}{there['passengerId']}/rename", RENAMED)
    after = (await an.send("GET", f"/bookings/{booking['bookingId']}")).json()
    assert people_of(after) == [("Trần Thị Bình", "A1"), ("Trần Thị Bình", "A1")]
    one = RENAMED | {"fullName": "Lê Văn Cường", "everywhere": False}
    await an.send("POST", f"{path}{back['passengerId']}/rename", one)
    after = (await an.send("GET", f"/bookings/{booking['bookingId']}")).json()
    assert people_of(after) == [("Trần Thị Bình", "A1"), ("Lê Văn Cường", "A1")]


async def test_a_name_that_is_none_is_refused_field_by_field(an, box):
    booking = await an.buy(await box.show())
    [before] = booking["items"][0]["passengers"]
    path = f"/bookings/{booking['bookingId']}/passengers/{before['passengerId']}/rename"
    answer = await an.send("POST", path, RENAMED | {"fullName": " ", "idNumber": "1"})
    errors = problem_of(answer, 422)["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [
        ("fullName", "required"),
        ("idNumber", "invalid-id-number"),
    ]
    path = f"/bookings/{booking['bookingId']}/passengers/{new_id()}/rename"
    assert problem_of(await an.send("POST", path, RENAMED), 404)["code"] == "passenger-not-found"


async def test_what_was_booked_is_found_and_held_again_with_its_people(an, box):
    booking = await an.buy(await box.show(), units=(0, 1))
    answer = await an.send("POST", f"/bookings/{booking['bookingId']}/rebook")
    assert answer.status_code == 200, answer.text
    [trip] = answer.json()["trips"]
    assert trip["tripId"] == booking["items"][0]["tripId"]
    assert trip["seatNumbers"] == ["A3", "A4"]
    assert [each["fullName"] for each in trip["passengers"]] == ["Nguyễn Văn An"] * 2
    assert {each["idNumber"] for each in trip["passengers"]} == {"001099012345"}
    form = {"lockId": trip["lockId"], "passengers": trip["passengers"], "contact": booking["contact"]}
    made = await an.send("POST", "/bookings", form)
    assert made.status_code == 201, made.text


async def test_both_ways_are_held_again_and_asking_twice_holds_the_same(an, box):
    there, back = await box.show(begins_in=90_000), await box.show(begins_in=180_000)
    booking = await an.buy(there, back)
    for _ in range(2):
        trips = (await an.send("POST", f"/bookings/{booking['bookingId']}/rebook")).json()["trips"]
        assert [(trip["tripId"], trip["seatNumbers"]) for trip in trips] == [
            (str(there.id), ["A2"]),
            (str(back.id), ["A2"]),
        ]
        assert await scalar(box.database, "SELECT count(*) FROM hold WHERE state = 'held'") == 2


async def test_one_way_that_is_full_leaves_nothing_of_the_other(an, box):
    there, back = await box.show(begins_in=90_000), await box.show(begins_in=180_000)
    booking = await an.buy(there, back)
    await box.hold(await box.guest(), back, (1, 2, 3))
    answer = await an.send("POST", f"/bookings/{booking['bookingId']}/rebook")
    assert problem_of(answer, 404)["code"] == "nothing-found"
    assert await scalar(box.database, "SELECT count(*) FROM hold WHERE state = 'held'") == 1


async def test_a_session_for_one_booking_finds_it_again_without_seats_or_people(an, box):
    booking = await an.buy(await box.show())
    async with box.database.begin() as work:
        code = await open_booking_session(work, booking["bookingId"], ttl_seconds=60)
    path = f"/bookings/{booking['bookingId']}/rebook"
    as_holder = {"Authorization": f"Bearer {code}"}
    assert problem_of(await an.send("POST", path, **as_holder), 403)["code"] == "not-allowed"
    [trip] = (await an.send("POST", path, {"hold": False}, **as_holder)).json()["trips"]
    assert (trip["lockId"], trip["passengers"], trip["seatNumbers"]) == (None, [], ["A2"])


async def test_a_person_with_another_name_is_not_renamed_along(an, box):
    show = await box.show()
    holds = [await an.hold(show), await an.hold(await box.show())]
    people = [person("A1", hold_id=holds[0].id), person("A1", hold_id=holds[1].id, id_number="999999")]
    booking = await box.book(an.actor, *holds, passengers=people)
    await an.till.play(await an.till.start(booking, an.actor), "succeeded")
    await an.send("POST", f"/bookings/{booking.id}/passengers/{booking.passengers[0].id}/rename", RENAMED)
    after = (await an.send("GET", f"/bookings/{booking.id}")).json()
    assert people_of(after) == [("Trần Thị Bình", "A1"), ("Nguyễn Văn An", "A1")]
