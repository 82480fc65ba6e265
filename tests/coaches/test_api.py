"""Guest sessions and seat locks through HTTP."""

from datetime import datetime, timedelta

import pytest
from tests.coaches.visitors import API, Visitor, problem_of

from farebox.accounts import open_booking_session
from farebox.core.ids import new_id


async def test_a_guest_session_is_opened_for_an_hour(client):
    answer = await client.post(f"{API}/guest-sessions")
    assert answer.status_code == 201
    session = answer.json()
    assert set(session) == {"guestToken", "expiresAt"}
    assert session["guestToken"].startswith("fbg_")
    left = datetime.fromisoformat(session["expiresAt"]) - datetime.now().astimezone()
    assert timedelta(minutes=59) < left <= timedelta(minutes=60)


async def test_seats_are_locked_extended_and_given_back(coach, an, bo):
    lock = await an.held("1B", "1A", ride="bd")
    assert lock["seatNumbers"] == ["1A", "1B"]
    assert (lock["tripId"], lock["from"], lock["to"]) == (str(coach.id), str(coach.stop("b")), str(coach.stop("d")))
    assert lock["extensionsLeft"] == 2
    assert lock["total"]["currency"] == "EUR"
    assert float(lock["total"]["amount"]) > 0

    extended = await an.send("PATCH", f"/seats/lock/{lock['lockId']}/extend")
    assert extended.status_code == 200
    assert extended.json()["extensionsLeft"] == 1
    assert extended.json()["newExpiresAt"] > lock["expiresAt"]
    assert (await an.send("PATCH", f"/seats/lock/{lock['lockId']}/extend")).status_code == 200
    refused = await an.send("PATCH", f"/seats/lock/{lock['lockId']}/extend")
    assert problem_of(refused, 409)["code"] == "extension-limit"

    taken = problem_of(await bo.lock("1A", ride="ac"), 409)
    assert (taken["code"], taken["seats"]) == ("seats-unavailable", ["1A"])
    assert taken["statuses"] == {"1A": "locked"}
    assert set(taken["alternatives"]) == {"1A"}
    assert taken["detail"].startswith("Somebody else has just chosen seat 1A.")

    for _ in range(2):
        released = await an.send("DELETE", f"/seats/lock/{lock['lockId']}")
        assert (released.status_code, released.json()) == (200, {"released": True})
    assert (await bo.held("1A", ride="ac"))["seatNumbers"] == ["1A"]


async def test_the_whole_run_is_meant_when_no_stop_is_named(coach, an):
    answer = await an.send("POST", "/seats/lock", {"tripId": str(coach.id), "seatNumbers": ["1A"]})
    assert answer.status_code == 201
    assert (answer.json()["from"], answer.json()["to"]) == (str(coach.stop("a")), str(coach.stop("e")))


async def test_a_second_call_replaces_the_seats(coach, an):
    first = await an.held("1A", "1B")
    second = await an.held("1B", "1C")
    assert first["lockId"] != second["lockId"]
    answer = await an.send("GET", f"/seats/lock/{coach.id}/status?seatNumbers=1A,1B&seatNumbers=1C")
    assert [(seat["number"], seat["status"], seat["mine"]) for seat in answer.json()["seats"]] == [
        ("1A", "available", False),
        ("1B", "mine", True),
        ("1C", "mine", True),
    ]


async def test_the_status_of_seats_tells_who_until_when(coach, an, bo, nobody):
    lock = await an.held("1A", ride="ac")
    async with coach.database.begin() as work:
        await coach.sell(work, "ac", "1B")
        await coach.block(work, "1C")
    for viewer, status in ((an, "mine"), (bo, "locked"), (nobody, "locked")):
        answer = await viewer.send("GET", f"/seats/lock/{coach.id}/status?seatNumbers=1A,1B,1C,1D")
        assert answer.status_code == 200
        assert answer.json()["seats"] == [
            {"number": "1A", "status": status, "mine": status == "mine", "expiresAt": lock["expiresAt"]},
            {"number": "1B", "status": "occupied", "mine": False, "expiresAt": None},
            {"number": "1C", "status": "blocked", "mine": False, "expiresAt": None},
            {"number": "1D", "status": "available", "mine": False, "expiresAt": None},
        ]
    after = await bo.send(
        "GET", f"/seats/lock/{coach.id}/status?seatNumbers=1A&from={coach.stop('c')}&to={coach.stop('e')}"
    )
    assert after.json()["seats"][0]["status"] == "available"
    assert len((await bo.send("GET", f"/seats/lock/{coach.id}/status")).json()["seats"]) == 45
    unknown = await bo.send("GET", f"/seats/lock/{coach.id}/status?seatNumbers=9Z,8Z")
    assert problem_of(unknown, 422)["seats"] == ["9Z", "8Z"]


async def test_the_map_shows_what_is_mine_and_is_sent_again_only_when_it_changed(coach, an, bo):
    await an.held("1A")
    path = f"/trips/{coach.id}/seats"
    mine, theirs = await an.send("GET", path), await bo.send("GET", path)
    assert [answer.json()["seats"][0]["status"] for answer in (mine, theirs)] == ["mine", "locked"]
    assert mine.headers["etag"] != theirs.headers["etag"]
    again = await an.send("GET", path, **{"If-None-Match": mine.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    same = await an.send("GET", f"{path}?since={mine.json()['version']}")
    assert (same.json()["seats"], same.json()["version"]) == ([], mine.json()["version"])
    await bo.held("1B")
    since = await an.send("GET", f"{path}?since={mine.json()['version']}")
    assert [(seat["number"], seat["status"]) for seat in since.json()["seats"]] == [("1B", "locked")]
    changed = await an.send("GET", path, **{"If-None-Match": mine.headers["etag"]})
    assert changed.status_code == 200
    assert changed.json()["version"] != mine.json()["version"]


@pytest.mark.parametrize(
    ("seats", "code", "facts"),
    [
        (["1A", "1B", "1C", "1D", "2A", "2B"], "too-many-seats", {"limit": 5}),
        (["1A", "1a"], "duplicate-seats", {"seats": ["1A"]}),
        (["1A", "9Z"], "unknown-seat", {"seats": ["9Z"]}),
    ],
)
async def test_wrong_seats_are_named(an, seats, code, facts):
    problem = problem_of(await an.lock(*seats), 422)
    assert problem["code"] == code
    assert facts.items() <= problem.items()


async def test_rides_that_are_not_offered(coach, an):
    assert problem_of(await an.lock("1A", ride="ca"), 422)["code"] == "not-boardable"
    elsewhere = await an.lock("1A", **{"from": str(new_id())})
    assert problem_of(elsewhere, 422)["code"] == "not-boardable"
    nowhere = await an.lock("1A", tripId=str(new_id()))
    assert problem_of(nowhere, 404)["code"] == "departure-not-found"
    async with coach.database.begin() as work:
        await work.execute("UPDATE inventory SET sales_close_at = clock_timestamp()")
    assert problem_of(await an.lock("1A"), 410)["code"] == "sales-closed"


async def test_the_operators_own_limit_counts(coach, an):
    async with coach.database.begin() as work:
        await work.execute("UPDATE operator SET max_seats = 2")
    problem = problem_of(await an.lock("1A", "1B", "2A"), 422)
    assert (problem["code"], problem["limit"]) == ("too-many-seats", 2)
    await an.held("1A", "1B")
    async with coach.database.begin() as work:
        await work.execute("UPDATE operator SET max_seats = 7")
    assert len((await an.held("1A", "1B", "2A", "2B", "3A", "3B", "4A"))["seatNumbers"]) == 7
    assert problem_of(await an.lock(*(["1A"] * 8)), 422)["limit"] == 7


async def test_without_a_valid_token_nothing_is_held(coach, client, nobody):
    assert problem_of(await nobody.lock("1A"), 401)["code"] == "credential-required"
    assert problem_of(await Visitor(client, coach, "fbg_unknown").lock("1A"), 401)["code"] == "credential-required"
    async with coach.database.begin() as work:
        token = await open_booking_session(work, new_id(), ttl_seconds=3600)
    assert problem_of(await Visitor(client, coach, token).lock("1A"), 403)["code"] == "not-allowed"


async def test_somebody_elses_lock_is_not_found(an, bo):
    lock = await an.held("1A")
    for method, path in (
        ("PATCH", f"/seats/lock/{lock['lockId']}/extend"),
        ("DELETE", f"/seats/lock/{lock['lockId']}"),
    ):
        assert problem_of(await bo.send(method, path), 404)["code"] == "lock-not-found"
    for path in (f"/seats/lock/{new_id()}/extend", "/seats/lock/garbage/extend"):
        assert (await bo.send("PATCH", path)).status_code == 404


async def test_a_lock_whose_time_is_over_cannot_be_extended(coach, an):
    lock = await an.held("1A")
    async with coach.database.begin() as work:
        for table, key in (("hold", "id"), ("claim", "hold_id")):
            await work.execute(f"UPDATE {table} SET expires_at = clock_timestamp() WHERE {key} = %s", (lock["lockId"],))
    gone = await an.send("PATCH", f"/seats/lock/{lock['lockId']}/extend")
    assert problem_of(gone, 410)["code"] == "lock-expired"


async def test_the_same_request_sent_again_is_answered_again(an):
    body = {"tripId": str(an.coach.id), "seatNumbers": ["1A"]}
    first = await an.send("POST", "/seats/lock", body, **{"Idempotency-Key": "k1"})
    again = await an.send("POST", "/seats/lock", body, **{"Idempotency-Key": "k1"})
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    other = await an.send("POST", "/seats/lock", body | {"seatNumbers": ["1B"]}, **{"Idempotency-Key": "k1"})
    assert problem_of(other, 422)["code"] == "idempotency-mismatch"


async def test_the_document_describes_it_all(client):
    document = (await client.get(f"{API}/openapi.json")).json()
    lock = document["paths"]["/api/v1/seats/lock"]["post"]
    assert {"201", "404", "409", "410", "422"} <= set(lock["responses"])
    conflict = lock["responses"]["409"]["content"]["application/problem+json"]
    assert "seats-unavailable" in conflict["examples"]
    assert "/api/v1/guest-sessions" in document["paths"]
    assert "/api/v1/seats/lock/{tripId}/status" in document["paths"]


async def test_the_number_of_queries_does_not_depend_on_the_seats(an, statements):
    async def queries_of(*seats):
        statements.clear()
        await an.held(*seats)
        return len(statements)

    await an.held("9A")  # fills the caches, and leaves a lock to replace
    assert await queries_of("1A") == await queries_of("2A", "2B", "2C", "2D", "3A") < 20
