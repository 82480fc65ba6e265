"""Holding seats answers as the document says for whatever is asked of trips and holds that are really there."""

import httpx
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.contract.test_document import CHECKS

LOCK = "/api/v1/seats/lock"
JSON = "application/json"

quickly = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def operations(shop):
    return schemathesis.openapi.from_url(f"{shop.url}/api/v1/openapi.json")


@pytest.fixture(scope="module")
def guest(shop):
    token = httpx.post(f"{shop.url}/api/v1/guest-sessions").json()["guestToken"]
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def trip(shop):
    """A departure on sale: its id, its stops in order, its seats."""
    with psycopg.connect(shop.database_url) as connection:
        row = connection.execute(
            "SELECT d.id::text, (SELECT array_agg(c.stop_id::text ORDER BY c.position) FROM call c"
            " WHERE c.journey_id = d.journey_id), jsonb_path_query_array(p.document, '$.seats[*].number')"
            " FROM departure d JOIN seat_plan p ON p.id = d.seat_plan_id"
            " WHERE d.base_at > now() + interval '1 day' ORDER BY d.id LIMIT 1"
        ).fetchone()
    assert row is not None
    return row


def bodies(trip):
    """Requests of which each part may be right, nearly right, or anything at all."""
    trip_id, stops, seats = trip
    stop = st.sampled_from(stops) | st.none() | st.uuids().map(str) | garbage
    seat = st.sampled_from(seats) | st.sampled_from(["9Z", " ", "", "1a", "\x00", "A" * 41]) | garbage
    wanted = st.lists(st.sampled_from(seats), min_size=1, max_size=6) | st.lists(seat, max_size=130) | garbage
    return st.fixed_dictionaries(
        {"tripId": st.just(trip_id) | st.uuids().map(str) | garbage, "seatNumbers": wanted},
        optional={"from": stop, "to": stop, "lockId": garbage},
    )


def test_whatever_is_asked_for(operations, guest, trip):
    statuses = set()

    @settings(quickly, max_examples=150)
    @given(body=bodies(trip) | garbage)
    @example(body={"tripId": trip[0], "seatNumbers": trip[2][:2]})
    @example(body={"tripId": trip[0], "seatNumbers": ["1A"] * 60_000})
    @example(body={"tripId": "garbage", "seatNumbers": ["1A"]})
    def ask(body):
        case = operations[LOCK]["POST"].Case(body=body, media_type=JSON)
        statuses.add(case.call_and_validate(headers=guest, checks=CHECKS).status_code)

    ask()
    assert {201, 400, 404, 422} <= statuses


def test_whatever_seats_are_looked_at(operations, guest, trip):
    statuses = set()
    trip_id, stops, seats = trip

    @settings(quickly, max_examples=40)
    @given(
        numbers=st.lists(st.sampled_from(seats) | st.text(max_size=8), max_size=210),
        ends=st.tuples(st.sampled_from(stops) | st.text(max_size=8), st.sampled_from(stops) | st.uuids().map(str)),
    )
    @example(numbers=seats[:2], ends=(stops[0], stops[-1]))
    @example(numbers=["1A"] * 300, ends=(stops[0], stops[-1]))
    def ask(numbers, ends):
        query = {"seatNumbers": numbers, "from": ends[0], "to": ends[1]}
        case = operations[f"{LOCK}/{{tripId}}/status"]["GET"].Case(path_parameters={"tripId": trip_id}, query=query)
        statuses.add(case.call_and_validate(headers=guest, checks=CHECKS).status_code)

    ask()
    assert {200, 400, 422} <= statuses


def test_a_hold_through_its_whole_life(shop, operations, trip):
    token = httpx.post(f"{shop.url}/api/v1/guest-sessions").json()["guestToken"]
    guest = {"Authorization": f"Bearer {token}"}

    def send(method, path, lock_id):
        case = operations[f"{LOCK}/{{lockId}}{path}"][method].Case(path_parameters={"lockId": lock_id})
        return case.call_and_validate(headers=guest, checks=CHECKS).status_code

    looked_at = operations[f"{LOCK}/{{tripId}}/status"]["GET"].Case(path_parameters={"tripId": trip[0]})
    seats = looked_at.call_and_validate(checks=CHECKS).json()["seats"]
    body = {"tripId": trip[0], "seatNumbers": [seat["number"] for seat in seats if seat["status"] == "available"][:2]}
    held = operations[LOCK]["POST"].Case(body=body, media_type=JSON).call_and_validate(headers=guest, checks=CHECKS)
    assert held.status_code == 201
    lock_id = held.json()["lockId"]
    told = [send("PATCH", "/extend", lock_id) for _ in range(3)] + [send("DELETE", "", lock_id) for _ in range(2)]
    assert told == [200, 200, 409, 200, 200]
    assert send("PATCH", "/extend", lock_id) == 410
    for unknown in ("00000000-0000-7000-8000-000000000000", "garbage", "9" * 300):
        assert [send("PATCH", "/extend", unknown), send("DELETE", "", unknown)] == [404, 404]
