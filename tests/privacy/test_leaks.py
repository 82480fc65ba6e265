"""After a whole journey nothing personal stands open in the database or in the log."""

import io

import httpx
import pytest
from tests.bookings.shows import scalar
from tests.people import PASSWORD, make_person, open_session_of
from tests.privacy.dump import everything_in

from farebox.core.crypto import load_secrets
from farebox.core.logs import configure_logs

API = "/api/v1"

PASSENGER = {
    "seatNumber": "A1",
    "fullName": "Nguyễn Văn An",
    "idType": "citizen_id",
    "idNumber": "001 099 012 345",
    "phone": "0912 345 678",
    "email": "An.Passenger@example.com",
}
CONTACT = {"email": "an.contact@example.com", "phone": "+84 908 765 432"}
REGISTERED = {
    "email": "an.registered@example.com",
    "password": PASSWORD,
    "firstName": "An",
    "lastName": "Nguyễn",
    "phone": "0933 111 222",
}
PERSONAL = [
    "001099012345",
    "912345678",
    "908765432",
    "933111222",
    "944555666",
    "1990-12-31",
    "passenger@example.com",
    "contact@example.com",
    "registered@example.com",
    "unknown@example.com",
    "profile@example.com",
    PASSWORD,
]


def found_in(text):
    folded = text.casefold()
    bare = folded.replace(" ", "")
    return [each for each in PERSONAL if each.casefold() in folded or each.casefold().replace(" ", "") in bare]


@pytest.fixture
def secrets(tmp_path):
    """Those of the process itself, whose jobs open what was sealed."""
    return load_secrets(tmp_path, {})


@pytest.fixture
def log(settings):
    stream = io.StringIO()
    configure_logs(settings, stream=stream)
    return stream


class Visitor:
    """Somebody who goes through everything."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    async def send(self, method, path, json=None, *, expected=(200, 201, 202), **headers):
        answer = await self.client.request(method, API + path, json=json, headers=self.headers | headers)
        assert answer.status_code in expected, answer.text
        return answer.json() if answer.content else None


async def book_and_pay(visitor, box, actor):
    hold = await box.hold(actor, await box.show())
    form = {"lockId": str(hold.id), "passengers": [PASSENGER], "contact": CONTACT}
    booking = await visitor.send("POST", "/bookings", form, **{"Idempotency-Key": "first"})
    assert await visitor.send("POST", "/bookings", form, **{"Idempotency-Key": "first"}) == booking
    at = f"/bookings/{booking['bookingId']}"
    refused = {"passengers": [PASSENGER | {"phone": "944555666944555666"}]}
    await visitor.send("PATCH", at, refused, expected=(422,), **{"Idempotency-Key": "second"})
    await visitor.send("PATCH", at, {"passengers": [PASSENGER | {"phone": "0944 555 666"}]})
    payment = await visitor.send("POST", "/payments/create", {"bookingId": booking["bookingId"], "method": "sandbox"})
    await visitor.send("POST", f"/payments/sandbox/{payment['paymentId']}", {"outcome": "succeeded"})
    lookup = {"reference": booking["bookingReference"], "contact": CONTACT["email"]}
    await visitor.send("POST", "/bookings/guest/lookup", lookup)
    await visitor.send("POST", "/bookings/guest/verify", lookup | {"code": "000000"}, expected=(422,))


async def make_an_account(visitor):
    await visitor.send("POST", "/auth/register", REGISTERED)
    await visitor.send("POST", "/auth/register", REGISTERED)
    for email in (REGISTERED["email"], "unknown@example.com"):
        await visitor.send("POST", "/auth/forgot-password", {"email": email})
        wrong = {"email": email, "password": "wrong and long enough"}
        await visitor.send("POST", "/auth/login", wrong, expected=(401, 403))


async def test_nothing_personal_stands_open(services, client, box, database, secrets, log):
    actor, token = await box.guest_with_token()
    visitor = Visitor(client, token)
    await book_and_pay(visitor, box, actor)
    await make_an_account(visitor)
    person = await make_person(database, secrets, email="an.profile@example.com", phone="+84944555666")
    session = await open_session_of(person)
    await Visitor(client, session.token).send(
        "PUT", "/users/profile", {"phoneNumber": "0944 555 666", "dateOfBirth": "1990-12-31"}
    )
    assert await scalar(database, "SELECT count(*) > 3 FROM procrastinate_jobs") is True
    assert found_in(await everything_in(database)) == []  # with the jobs that wait, and what they are told

    async with services.jobs.app.open_async():
        await services.jobs.run_worker(wait=False)

    assert await scalar(database, "SELECT count(*) > 3 FROM message WHERE status = 'kept'") is True
    assert found_in(await everything_in(database)) == []
    assert found_in(log.getvalue()) == []
    assert "request" in log.getvalue()


async def test_what_is_sealed_would_be_found_if_it_were_not(services, client, box, database, secrets):
    """The control: opened with the keys, the same dump shows it all."""
    actor, token = await box.guest_with_token()
    await book_and_pay(Visitor(client, token), box, actor)
    opened = found_in(await everything_in(database, secrets))
    numbers = ["001099012345", "912345678", "908765432", "944555666"]
    assert opened == [*numbers, "passenger@example.com", "contact@example.com"]
