"""Other seats for a booking that waits for its money, through HTTP alone."""

import asyncio

import pytest
from tests.bookings.test_changing_coaches import CONTACT, PERSON, paid, statuses
from tests.coaches.conftest import an, bo, client, coach, services, visit
from tests.coaches.visitors import Visitor, problem_of

from farebox.accounts import open_booking_session

__all__ = ["an", "bo", "client", "coach", "services", "visit"]

SECOND = PERSON | {"fullName": "Trần Thị Bình", "idNumber": "C7654321"}


async def booked(visitor, *seats, ride="ae", locks=()):
    """A pending booking of seats, An on the first and Bình on the others; also of further locks."""
    lock = await visitor.held(*seats, ride=ride)
    people = on(*lock["seatNumbers"]) + [PERSON | {"seatNumber": each["seatNumbers"][0]} for each in locks]
    form = {"lockIds": [each["lockId"] for each in (lock, *locks)], "passengers": people, "contact": CONTACT}
    made = await visitor.send("POST", "/bookings", form)
    assert made.status_code == 201, made.text
    return made.json()


def on(*seats):
    return [(SECOND if place else PERSON) | {"seatNumber": seat} for place, seat in enumerate(seats)]


def sitting(booking, trip=0):
    people = booking["items"][trip]["passengers"]
    return {person["seatNumber"]: (person["fullName"], person["passengerId"]) for person in people}


def names(booking, trip=0):
    return {seat: name.split()[-1] for seat, (name, _) in sitting(booking, trip).items()}


@pytest.mark.parametrize(("method", "end"), [("PATCH", ""), ("POST", "/modify")])
async def test_held_seats_take_the_place_of_a_pending_bookings(coach, an, bo, method, end):
    made = await booked(an, "1A", "1B")
    lock = await an.held("5A", "5B")
    answer = await an.send(method, f"/bookings/{made['bookingId']}{end}", {"lockId": lock["lockId"]})
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert names(changed) == {"5A": "An", "5B": "Bình"}
    assert [each[1] for each in sitting(changed).values()] == [each[1] for each in sitting(made).values()]
    assert changed["items"][0]["seatNumbers"] == ["5A", "5B"]
    assert {line["seatNumber"] for line in changed["priceLines"]} == {"5A", "5B"}
    assert (changed["status"], changed["total"]) == ("pending", made["total"])
    assert changed["expiresAt"] == made["expiresAt"]  # it is kept no longer than it was
    assert await statuses(bo, coach.id, "1A", "1B", "5A", "5B") == ["available", "available", "locked", "locked"]
    gone = await an.send("PATCH", f"/seats/lock/{lock['lockId']}/extend")
    assert problem_of(gone, 410)["code"] == "lock-expired"
    confirmed = await paid(an, made["bookingId"])
    assert (confirmed["status"], names(confirmed)) == ("confirmed", {"5A": "An", "5B": "Bình"})
    assert await statuses(bo, coach.id, "1A", "5A", "5B") == ["available", "occupied", "occupied"]


async def test_people_choose_among_the_new_seats_and_those_that_the_booking_has(coach, an, bo):
    made = await booked(an, "1A", "1B")
    path = f"/bookings/{made['bookingId']}"
    lock = await an.held("5A")
    changed = (await an.send("PATCH", path, {"lockId": lock["lockId"], "passengers": on("5A", "1A")})).json()
    assert names(changed) == {"5A": "An", "1A": "Bình"}
    assert await statuses(bo, coach.id, "1A", "1B", "5A") == ["locked", "available", "locked"]
    more = await an.held("6A", "6B", "6C")
    form = {"lockId": more["lockId"], "passengers": on("6C", "6A", "6B")}
    changed = (await an.send("PATCH", path, form)).json()
    assert names(changed) == {"6C": "An", "6A": "Bình", "6B": "Bình"}
    assert float(changed["total"]["amount"]) > float(made["total"]["amount"])


async def test_people_change_places(coach, an):
    made = await booked(an, "1A", "1B")
    changed = (await an.send("PATCH", f"/bookings/{made['bookingId']}", {"passengers": on("1B", "1A")})).json()
    assert names(changed) == {"1B": "An", "1A": "Bình"}
    assert changed["total"] == made["total"]


async def test_of_several_rides_the_one_changes_whose_seats_are_held(coach, an, bo):
    back = await an.send("POST", "/seats/lock", {"tripId": str(coach.return_id), "seatNumbers": ["2A"]})
    made = await booked(an, "2A", locks=[back.json()])
    path = f"/bookings/{made['bookingId']}"
    lock = await an.held("5A")
    changed = (await an.send("PATCH", path, {"lockId": lock["lockId"], "passengers": on("5A", "2A")})).json()
    assert (names(changed), names(changed, 1)) == ({"5A": "An"}, {"2A": "Bình"})
    lock = await an.held("6A")
    changed = (await an.send("PATCH", path, {"lockId": lock["lockId"]})).json()
    assert (names(changed), names(changed, 1)) == ({"6A": "An"}, {"2A": "Bình"})
    assert len(changed["priceLines"]) == len(made["priceLines"])
    assert await statuses(bo, coach.id, "2A", "5A", "6A") == ["available", "available", "locked"]
    assert await statuses(bo, coach.return_id, "2A") == ["locked"]


@pytest.mark.parametrize(
    ("seats", "ride", "form", "field", "code"),
    [
        (["5A"], "ae", {}, "lockId", "seat-count"),
        (["5A", "5B", "5C"], "ae", {}, "lockId", "seat-count"),
        (["5A", "5B"], "ac", {}, "lockId", "other-ride"),
        (["5A", "5B"], "ae", {"itemId": "018f6b2e-0000-7000-8000-00000000c001"}, "lockId", "other-ride"),
        (["5A", "5B"], "ae", {"passengers": on("5A", "9A")}, "passengers.1.seatNumber", "unknown-seat"),
        (["5A", "5B"], "ae", {"passengers": on("5A")}, "passengers", "passenger-missing"),
        (["5A", "5B"], "ae", {"passengers": on("5A", "5B", "1A")}, "lockId", "seat-count"),
    ],
)
async def test_seats_that_do_not_fit_are_refused_and_nothing_changes(coach, an, bo, seats, ride, form, field, code):
    made = await booked(an, "1A", "1B")
    path = f"/bookings/{made['bookingId']}"
    lock = await an.held(*seats, ride=ride)
    wrong = problem_of(await an.send("PATCH", path, {"lockId": lock["lockId"], **form}), 422)
    assert (field, code) in [(each["field"], each["code"]) for each in wrong["errors"]]
    assert (await an.send("GET", path)).json() == made
    assert await statuses(an, coach.id, "1A", "1B", "5A") == ["locked", "locked", "mine"]


async def test_what_does_not_cost_as_expected_or_is_nobodys_or_over_changes_nothing(coach, an, bo):
    made = await booked(an, "1A")
    path, lock = f"/bookings/{made['bookingId']}", await an.held("5A")
    wish = {"lockId": lock["lockId"], "expectedTotal": {"amount": "1.00", "currency": "EUR"}}
    assert problem_of(await an.send("PATCH", path, wish), 409)["code"] == "price-changed"
    others = await bo.held("6A")
    assert problem_of(await an.send("PATCH", path, {"lockId": others["lockId"]}), 404)["code"] == "lock-not-found"
    assert problem_of(await bo.send("PATCH", path, {"lockId": others["lockId"]}), 404)["code"] == "booking-not-found"
    async with coach.database.begin() as work:
        await work.execute("UPDATE hold SET expires_at = now() - interval '1 s' WHERE id = %s", (lock["lockId"],))
        await work.execute("UPDATE claim SET expires_at = now() - interval '1 s' WHERE hold_id = %s", (lock["lockId"],))
    assert problem_of(await an.send("PATCH", path, {"lockId": lock["lockId"]}), 410)["code"] == "lock-expired"
    assert (await an.send("GET", path)).json() == made
    await paid(an, made["bookingId"])
    lock = await an.held("7A")
    assert problem_of(await an.send("PATCH", path, {"lockId": lock["lockId"]}), 409)["code"] == "not-modifiable"
    assert await statuses(an, coach.id, "1A", "7A") == ["occupied", "mine"]


async def test_of_two_bookings_that_ask_for_one_hold_one_has_it(coach, an):
    first, second = await booked(an, "1A"), await booked(an, "2A")
    lock = await an.held("5A")
    answers = await asyncio.gather(
        *(an.send("PATCH", f"/bookings/{made['bookingId']}", {"lockId": lock["lockId"]}) for made in (first, second))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 410]
    now = [(await an.send("GET", f"/bookings/{made['bookingId']}")).json() for made in (first, second)]
    assert sorted(seat for booking in now for seat in names(booking)) in (["1A", "5A"], ["2A", "5A"])


async def test_who_reaches_one_booking_only_names_the_session_that_holds_the_seats(coach, an, bo, client):
    made = await booked(an, "1A")
    async with coach.database.begin() as work:
        looking = Visitor(client, coach, await open_booking_session(work, made["bookingId"], ttl_seconds=3600))
    lock = await bo.held("5A")
    path = f"/bookings/{made['bookingId']}"
    assert (await looking.send("PATCH", path, {"lockId": lock["lockId"]})).status_code == 403
    answer = await looking.send("PATCH", path, {"lockId": lock["lockId"], "guestToken": bo.token})
    assert (answer.status_code, names(answer.json())) == (200, {"5A": "An"})
