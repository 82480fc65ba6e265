"""A visitor's booking, its page, and the account that it is kept in; and the visitor's session around a sign-in."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlencode

import pytest
from tests.bookings.shows import scalar
from tests.people import PASSWORD, make_person, sign_in_as
from tests.web.conftest import Browser

from farebox.core.crypto import load_secrets
from farebox.edge.access import SESSION_COOKIE
from farebox.notifications import list_messages


@pytest.fixture
def secrets(tmp_path):
    """Those of the process itself, whose jobs open what was sealed."""
    return load_secrets(tmp_path, {})


@pytest.fixture
async def visitor(client, box):
    """A browser with a visitor's session, and who it is."""
    actor, token = await box.guest_with_token()
    client.cookies.set(SESSION_COOKIE, token, domain="farebox.example")
    return Browser(client), actor


def words(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def work_through(services):
    async with services.jobs.app.open_async():
        await services.jobs.run_worker(wait=False)


async def test_a_visitors_booking_is_kept_in_an_account(services, box, database, secrets, visitor):
    browser, guest = visitor
    booking = await box.book(guest, await box.hold(guest, await box.show()))
    at = f"/bookings/{booking.id}"
    page = await browser.get(at)
    assert "Create an account from this booking" in words(page)
    assert f'action="{at}/account"' in page.text

    weak = await browser.post(f"{at}/account", page=at, password="12345678")
    assert weak.status_code == 422
    assert 'aria-invalid="true"' in weak.text
    sent = await browser.post(f"{at}/account", page=at, password=PASSWORD)
    assert sent.status_code in {200, 201}
    assert "A mail is on its way to an.nguyen@example.com" in words(sent)
    assert f'name="next" value="{at}"' in sent.text  # when it is asked for again
    assert (await browser.get(at)).status_code == 200  # still the visitor's

    await work_through(services)
    async with database.begin() as work:
        [mail] = await list_messages(work, secrets=secrets)
    [query] = re.findall(r"/verify-email\?(\S+)", mail.text)
    confirmed = await browser.post("/verify-email", **dict(parse_qsl(query)))
    assert f'href="/sign-in?{urlencode({"next": at})}"' in confirmed.text

    person_id = await scalar(database, "SELECT id FROM person")
    assert await scalar(database, "SELECT owner FROM booking") == f"user:{person_id}"
    assert (await browser.get(at)).status_code != 200  # and no more

    form = {"email": "an.nguyen@example.com", "password": PASSWORD, "next": at}
    signed_in = await browser.post("/sign-in", page="/sign-in", **form)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, at)
    page = await browser.get(at)
    assert page.status_code == 200
    assert "Create an account from this booking" not in words(page)


async def test_an_address_that_has_an_account_is_answered_alike(box, database, secrets, visitor):
    await make_person(database, secrets, email="an.nguyen@example.com")
    browser, guest = visitor
    booking = await box.book(guest, await box.hold(guest, await box.show()))
    sent = await browser.post(f"/bookings/{booking.id}/account", page="/help", password=PASSWORD)
    assert "A mail is on its way to an.nguyen@example.com" in words(sent)
    assert await scalar(database, "SELECT owner FROM booking") == guest.owner


async def test_who_has_an_account_already_signs_in_by_the_mailed_link_and_is_back(
    services, box, database, secrets, visitor
):
    person = await make_person(database, secrets, email="an.nguyen@example.com")
    browser, guest = visitor
    booking = await box.book(guest, await box.hold(guest, await box.show()))
    at = f"/bookings/{booking.id}"
    await browser.post(f"{at}/account", page="/help", password=PASSWORD)
    await work_through(services)
    async with database.begin() as work:
        [mail] = await list_messages(work, secrets=secrets)
    [query] = re.findall(r"/sign-in\?(\S+)", mail.text)
    signed_in = await browser.post("/sign-in", email=person.email, password=PASSWORD, **dict(parse_qsl(query)))
    assert signed_in.headers["location"] == at
    assert (await browser.get(at)).status_code == 200


async def test_only_who_reaches_the_booking_can_ask(box, visitor):
    browser, _ = visitor
    booking, _, _ = await box.booked()
    answer = await browser.post(f"/bookings/{booking.id}/account", page="/help", password=PASSWORD)
    assert answer.status_code == 404


async def test_a_booking_in_an_account_is_not_offered(client, box, database, secrets):
    person = await make_person(database, secrets)
    booking = await box.book(person.actor, await box.hold(person.actor, await box.show()))
    await sign_in_as(client, person)
    answer = await client.get(f"/bookings/{booking.id}/account")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/bookings/{booking.id}")
    assert "Create an account from this booking" not in words(await client.get(f"/bookings/{booking.id}"))


async def test_signing_in_takes_seats_and_bookings_along_and_ends_the_visit(box, database, secrets, visitor):
    browser, guest = visitor
    person = await make_person(database, secrets)
    show = await box.show()
    hold = await box.hold(guest, show, [1])
    booking = await box.book(guest, await box.hold(guest, show))
    token = browser.client.cookies[SESSION_COOKIE]

    answer = await browser.post("/sign-in", page="/sign-in", email=person.email, password=PASSWORD)

    assert answer.status_code == 303
    assert browser.client.cookies[SESSION_COOKIE].startswith("fbs_")
    assert await scalar(database, "SELECT owner FROM booking WHERE id = %s", booking.id) == f"user:{person.id}"
    assert await scalar(database, "SELECT owner FROM hold WHERE id = %s", hold.id) == f"user:{person.id}"
    assert await scalar(database, "SELECT count(*) FROM guest_session") == 0
    browser.client.cookies.clear()
    old = await browser.client.get(f"/api/v1/bookings/{booking.id}", headers={"Authorization": f"Bearer {token}"})
    assert old.status_code == 401


async def test_signing_out_leaves_nothing_of_the_account_behind(box, database, secrets, visitor):
    browser, guest = visitor
    person = await make_person(database, secrets)
    booking = await box.book(guest, await box.hold(guest, await box.show()))
    await browser.post("/sign-in", page="/sign-in", email=person.email, password=PASSWORD)
    assert (await browser.get(f"/bookings/{booking.id}")).status_code == 200
    await browser.post("/sign-out")
    assert (await browser.get(f"/bookings/{booking.id}")).status_code == 403
