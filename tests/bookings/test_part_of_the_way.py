"""Riding a part of the way on the same seats: nothing is held, and the legs that are given up are free at once."""

import asyncio
from decimal import Decimal

from tests.bookings.test_changing_coaches import bought, code, fee, paid, statuses
from tests.coaches.conftest import an, bo, client, coach, services, visit
from tests.coaches.visitors import problem_of

from farebox.payments import verify_ledger

__all__ = ["an", "bo", "client", "coach", "code", "fee", "services", "visit"]


async def claims(visitor):
    """(claims, holds that have them) on the coach."""
    async with visitor.coach.database.begin() as work:
        cursor = await work.execute(
            "SELECT count(*), count(DISTINCT hold_id) FROM claim WHERE inventory_id = %s",
            (visitor.coach.departure.inventory_id,),
        )
        return await cursor.fetchone()


async def on(visitor, ride, *seats):
    """How seats stand between two stops."""
    ends = f"from={visitor.coach.stop(ride[0])}&to={visitor.coach.stop(ride[1])}"
    answer = await visitor.send("GET", f"/seats/lock/{visitor.coach.id}/status?seatNumbers={','.join(seats)}&{ends}")
    return [seat["status"] for seat in answer.json()["seats"]]


def assert_books_are_right(visitor):
    assert [str(each) for each in verify_ledger(visitor.coach.database.direct_dsn) if each.broken] == []


async def test_who_gets_off_earlier_keeps_the_seat_and_frees_the_rest(an, bo, fee):
    booking = await bought(an, await an.held("4A", ride="ae"))
    path = f"/bookings/{booking['bookingId']}/change"
    wish = {"to": str(an.coach.stop("c"))}
    quote = (await an.send("POST", f"{path}-quote", wish)).json()
    assert (quote["newTrip"]["to"]["place"], quote["newTrip"]["seatNumbers"]) == ("Cella", ["4A"])
    assert Decimal(quote["toRefund"]["amount"]) > 0
    assert await on(bo, "ce", "4A") == ["occupied"]
    made = (await an.send("POST", path, wish | {"expectedTotal": quote["totalAfter"]})).json()
    assert made["status"] == "applied"
    [item] = made["booking"]["items"]
    assert (item["from"]["place"], item["to"]["place"], item["seatNumbers"]) == ("Ahorn", "Cella", ["4A"])
    assert [await on(bo, ride, "4A") for ride in ("ac", "ce")] == [["occupied"], ["available"]]
    assert await claims(an) == (2, 1)
    assert (await bo.held("4A", ride="ce"))["seatNumbers"] == ["4A"]
    assert_books_are_right(an)


async def test_who_gets_on_later_does_too(an, bo, fee):
    booking = await bought(an, await an.held("4A", ride="ae"))
    wish = {"from": str(an.coach.stop("c"))}
    made = (await an.send("POST", f"/bookings/{booking['bookingId']}/change", wish)).json()
    [item] = made["booking"]["items"]
    assert (item["from"]["place"], item["to"]["place"]) == ("Cella", "Eich")
    assert [await on(bo, ride, "4A") for ride in ("ac", "ce")] == [["available"], ["occupied"]]


async def test_one_of_two_gets_off_earlier_and_later_all_is_cancelled(an, bo, fee):
    booking = await bought(an, await an.held("4A", "4B", ride="ae"))
    person = booking["items"][0]["passengers"][1]["passengerId"]
    wish = {"to": str(an.coach.stop("c")), "passengers": [{"passengerId": person}]}
    path = f"/bookings/{booking['bookingId']}"
    made = (await an.send("POST", f"{path}/change", wish)).json()
    rides = {(item["seatNumbers"][0], item["to"]["place"]) for item in made["booking"]["items"]}
    assert rides == {("4A", "Eich"), ("4B", "Cella")}
    assert await on(bo, "ce", "4A", "4B") == ["occupied", "available"]
    further = {"lockId": (await an.held("4B", ride="ce"))["lockId"]}
    who = next(item for item in made["booking"]["items"] if item["seatNumbers"] == ["4B"])["passengers"][0]
    again = await an.send("POST", f"{path}/change", further | {"passengers": [{"passengerId": who["passengerId"]}]})
    if again.json()["status"] == "pending":
        await paid(an, booking["bookingId"], changeId=again.json()["change"]["changeId"])
    assert await on(bo, "ae", "4A", "4B") == ["occupied", "occupied"]
    assert (await an.send("PUT", f"{path}/cancel")).json()["status"] == "cancelled"
    assert await claims(an) == (0, 0)
    assert_books_are_right(an)


async def test_where_the_fee_is_more_than_it_saves_it_waits_for_its_money(an, bo, fee, coach):
    booking = await bought(an, await an.held("4A", ride="ae"))
    async with coach.database.begin() as work:
        await work.execute("UPDATE booking_item SET policy = jsonb_set(policy, '{change_fee_minor}', '9000')")
    wish = {"to": str(an.coach.stop("c"))}
    path = f"/bookings/{booking['bookingId']}/change"
    waiting = (await an.send("POST", path, wish)).json()
    assert waiting["status"] == "pending"
    await an.send("DELETE", path)
    assert await on(bo, "ae", "4A") == ["occupied"]
    again = (await an.send("POST", path, wish)).json()
    after = await paid(an, booking["bookingId"], changeId=again["change"]["changeId"])
    assert after["items"][0]["to"]["place"] == "Cella"
    assert await on(bo, "ce", "4A") == ["available"]
    assert_books_are_right(an)


async def test_what_is_no_part_of_the_way_is_refused(an, fee):
    booking = await bought(an, await an.held("4A", ride="ac"))
    path = f"/bookings/{booking['bookingId']}/change-quote"
    for wish in ({}, {"to": str(an.coach.stop("e"))}, {"to": str(an.coach.stop("c"))}):
        refused = problem_of(await an.send("POST", path, wish), 422)
        assert [each["code"] for each in refused["errors"]] == ["no-part-of-the-way"]
    problem_of(await an.send("POST", path, {"to": str(an.coach.stop("a"))}), 422)
    assert await statuses(an, an.coach.id, "4A") == ["occupied"]


async def test_two_at_once_shorten_it_once_each(an, fee):
    """Whoever is second finds another seat row of the same person, and is refused."""
    booking = await bought(an, await an.held("4A", ride="ae"))
    person = booking["items"][0]["passengers"][0]["passengerId"]
    path = f"/bookings/{booking['bookingId']}/change"
    wishes = [{"to": str(an.coach.stop(stop)), "passengers": [{"passengerId": person}]} for stop in "cd"]
    done = await asyncio.gather(*(an.send("POST", path, wish) for wish in wishes))
    assert sorted(answer.status_code for answer in done) == [200, 422]
    [item] = (await an.send("GET", f"/bookings/{booking['bookingId']}")).json()["items"]
    assert await claims(an) == ({"Cella": 2, "Dorf": 3}[item["to"]["place"]], 1)
    assert_books_are_right(an)
