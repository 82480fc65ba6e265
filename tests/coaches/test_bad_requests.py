"""Requests for seats that make no sense: each is told what is wrong with it, early, and none is a mishap of ours."""

import pytest
from tests.coaches.visitors import API, problem_of


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"tripId": 7}, "tripId"),
        ({"tripId": None}, "tripId"),
        ({"tripId": "x" * 41}, "tripId"),
        ({"seatNumbers": "1A"}, "seatNumbers"),
        ({"seatNumbers": {"1A": True}}, "seatNumbers"),
        ({"seatNumbers": [1]}, "seatNumbers.0"),
        ({"seatNumbers": ["1A", "A" * 41]}, "seatNumbers.1"),
        ({"seatNumbers": [""]}, "seatNumbers.0"),
        ({"from": 7}, "from"),
        ({"from": "ahorn"}, "from"),
        ({"to": []}, "to"),
        ({"personId": "me"}, "personId"),
        ({"extra": [1]}, "extra"),
    ],
)
async def test_a_value_of_a_wrong_type_is_named(an, wrong, field):
    problem = problem_of(await an.lock("1A", **wrong), 400)
    assert problem["code"] == "invalid"
    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["errors"][0]["message"]


async def test_who_a_client_says_it_is_does_not_matter(an):
    for said in ("somebody else", None):
        assert (await an.lock("1A", userId=said)).status_code == 201


async def test_what_is_missing_is_named(an):
    for body, field in (({"seatNumbers": ["1A"]}, "tripId"), ({"tripId": str(an.coach.id)}, "seatNumbers")):
        problem = problem_of(await an.send("POST", "/seats/lock", body), 400)
        assert [error["field"] for error in problem["errors"]] == [field]


async def test_no_seat_at_all_is_refused_at_its_field(an):
    problem = problem_of(await an.lock(), 422)
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("seatNumbers", "no-seats")]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b'"1A"', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(client, an, body):
    headers = {"Authorization": f"Bearer {an.token}", "Content-Type": "application/json"}
    problem_of(await client.post(f"{API}/seats/lock", content=body, headers=headers), 400)


@pytest.mark.parametrize("trip_id", ["x", "", "1A", "00000000-0000-0000-0000-00000000000g"])
async def test_an_id_that_none_can_have_is_not_found(an, trip_id):
    assert problem_of(await an.lock("1A", tripId=trip_id), 404)["code"] == "departure-not-found"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/seats/lock/garbage/extend"),
        ("PATCH", f"/seats/lock/{'9' * 400}/extend"),
        ("DELETE", "/seats/lock/garbage"),
        ("GET", "/seats/lock/garbage/status"),
        ("GET", "/seats/lock/018f6b2e-0000-7000-8000-00000000e001/status"),
    ],
)
async def test_garbage_in_the_address_is_not_found(an, method, path):
    problem_of(await an.send(method, path), 404)


async def test_a_huge_list_is_refused_before_anything_is_looked_up(an, statements):
    await an.lock("9A")
    statements.clear()
    problem = problem_of(await an.lock(*(["1A"] * 50_000)), 422)
    assert (problem["code"], problem["limit"]) == ("too-many-seats", 5)
    assert len(statements) == 1  # who is asking
    many = "&".join(["seatNumbers=1A"] * 201)
    assert problem_of(await an.send("GET", f"/seats/lock/{an.coach.id}/status?{many}"), 422)["limit"] == 200
    assert problem_of(await an.lock(*(["A" * 40] * 15_000)), 413)["code"] == "content-too-large"
