"""From the address on a booking to an account that has it; and what people change of themselves is noted."""

import re

import pytest
from tests.bookings.shows import scalar
from tests.people import PASSWORD, make_person, open_session_of

from farebox.accounts import list_accesses, person_subject
from farebox.core.crypto import load_secrets
from farebox.notifications import list_messages

API = "/api/v1"


@pytest.fixture
def secrets(tmp_path):
    """Those of the process itself, whose jobs open what was sealed."""
    return load_secrets(tmp_path, {})


async def work_through(services):
    async with services.jobs.app.open_async():
        await services.jobs.run_worker(wait=False)


async def test_who_confirms_the_address_of_a_booking_gets_it(services, client, box, database, secrets):
    booking, guest, _ = await box.booked()
    form = {"email": "an.nguyen@example.com", "password": PASSWORD, "firstName": "An", "lastName": "Nguyễn"}
    assert (await client.post(f"{API}/auth/register", json=form)).status_code == 202
    await work_through(services)
    owner = "SELECT owner FROM booking"
    assert await scalar(database, owner) == guest.owner  # not before the address is proved

    async with database.begin() as work:
        [mail] = await list_messages(work, secrets=secrets)
    [token] = re.findall(r"token=([\w-]+)", mail.text)
    assert (await client.post(f"{API}/auth/verify-email", json={"token": token})).status_code == 200

    person_id = await scalar(database, "SELECT id FROM person")
    assert await scalar(database, owner) == f"user:{person_id}"
    assert booking.owner == guest.owner


async def test_what_somebody_changes_of_themselves_is_noted(services, client, database, secrets):
    person = await make_person(database, secrets)
    session = await open_session_of(person)
    answer = await client.put(
        f"{API}/users/profile",
        json={"firstName": "Ân", "phoneNumber": "+84912345678"},
        headers={"Authorization": f"Bearer {session.token}"},
    )
    assert answer.status_code == 200, answer.text
    async with database.begin(reach="*") as work:
        [access], _ = await list_accesses(work, [person_subject(person.id)])
    assert (access.actor, access.action, access.fields) == (f"user:{person.id}", "changed", ("first_name", "phone"))
