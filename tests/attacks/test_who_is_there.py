"""Nobody learns who has an account: not from words, statuses and headers, and not from the work that is done."""

import re
from statistics import median
from time import perf_counter

import pytest
from tests.counting import counted_statements
from tests.people import make_person
from tests.signing.conftest import PASSWORD

OWN = ("date", "set-cookie", "content-security-policy", "x-request-id", "content-length")
"""Headers that differ from one answer to the next, for everybody."""

API = {
    "/auth/register": {"password": PASSWORD},
    "/auth/login": {"password": "not it at all"},
    "/auth/forgot-password": {},
    "/auth/resend-verification": {},
}
PAGES = {
    "/register": {"password": PASSWORD},
    "/sign-in": {"password": "not it at all"},
    "/forgot-password": {},
    "/verify-email/again": {},
}


@pytest.fixture
async def addresses(house):
    """Of all kinds of accounts, and of none. All are equally long."""
    database, secrets = house.services.database, house.services.secrets
    await make_person(database, secrets, email="known@example.com")
    await make_person(database, secrets, email="fresh@example.com", is_verified=False)
    await make_person(database, secrets, email="other@example.com", password=None)
    return ("known@example.com", "fresh@example.com", "other@example.com", "nobod@example.com")


def seen(answer, address):
    """What an answer gives away."""
    text = re.sub(r'(nonce|value)="[\w-]*"', "", answer.text.replace(address, "…"))
    headers = {name: value for name, value in answer.headers.items() if name not in OWN}
    return answer.status_code, headers, text


async def test_answers_of_the_api_are_alike(house, addresses):
    for path, body in API.items():
        answers = []
        for address in addresses:
            url = f"http://127.0.0.1:8000/api/v1{path}"
            answers.append(seen(await house.client().post(url, json={"email": address, **body}), address))
        assert answers == answers[:1] * len(addresses), path


async def test_pages_are_alike(house, visit, addresses):
    for path, form in PAGES.items():
        answers = [seen(await visit().post(path, email=address, **form), address) for address in addresses]
        assert answers == answers[:1] * len(addresses), path


async def test_the_same_is_asked_of_the_database(house, addresses):
    """The work is the same, so the time is; what differs is done by a job afterwards."""
    for path, body in API.items():
        counts = []
        for address in addresses:
            client = house.client()
            with counted_statements() as statements:
                await client.post(f"http://127.0.0.1:8000/api/v1{path}", json={"email": address, **body})
            counts.append(len(statements))
        assert counts == counts[:1] * len(addresses), path


async def test_time_tells_nothing(house, addresses):
    """Medians of many, in turns; with room for a machine that does other things too."""
    for path in ("/auth/forgot-password", "/auth/register"):
        times: dict[str, list[float]] = {address: [] for address in addresses}
        client = house.client()
        for _ in range(15):
            for address in addresses:
                begun = perf_counter()
                await client.post(f"http://127.0.0.1:8000/api/v1{path}", json={"email": address, **API[path]})
                times[address].append(perf_counter() - begun)
        medians = [median(each) for each in times.values()]
        assert max(medians) < 2 * min(medians), path


async def test_what_a_device_is_asked_for_names_nobody(house, addresses):
    """Passkeys are asked for without a name, so that the list of somebody's passkeys is told to nobody."""
    client = house.client()
    answers = [
        (await client.post("/passkeys/sign-in/options", json=body)).json()
        for body in ({}, {"email": addresses[0]}, {"email": addresses[-1]})
    ]
    for answer in answers:
        options = answer.get("publicKey", answer)
        assert not options.get("allowCredentials")
        assert addresses[0] not in str(answer)


async def test_a_booking_that_there_is_is_looked_up_like_one_that_is_none(house, box, visit):
    booking, _, _ = await box.booked()
    wishes = [
        (booking.reference, "an.nguyen@example.com"),
        (booking.reference, "somebody@example.com"),
        ("BUS20261120ZZZZZZ", "an.nguyen@example.com"),
    ]
    told, asked = [], []
    await house.client().post(
        "http://127.0.0.1:8000/api/v1/bookings/guest/lookup", json={"reference": "BUS20261120YYYYYY", "contact": "y"}
    )
    for reference, contact in wishes:
        with counted_statements() as statements:
            answer = await house.client().post(
                "http://127.0.0.1:8000/api/v1/bookings/guest/lookup", json={"reference": reference, "contact": contact}
            )
        asked.append([each for each in statements if "booking" in each or "outbox" in each or "defer" in each])
        told.append(seen(answer, reference))
        page = await visit().post("/find", reference=reference, contact=contact)
        assert page.status_code == 200
    assert told == told[:1] * 3
    assert len(asked[0]) == 3
    assert asked == asked[:1] * 3
