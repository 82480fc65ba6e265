"""The pages about one's data, in a browser without scripts."""

import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.bookings.shows import scalar
from tests.people import sign_in_as
from tests.web.conftest import Browser

from farebox.accounts import ROLES, Actor, has_consent, say_consent, unsubscribe_token
from farebox.bookings import get_booking
from farebox.core.ids import new_id

PRIVACY = "/account/privacy"


@pytest.fixture
async def browser(client, person):
    await sign_in_as(client, person)
    return Browser(client)


def words(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def test_consent_is_given_and_withdrawn_on_the_page(browser, database, person):
    answer = await browser.post(f"{PRIVACY}/consents", **{"marketing-email": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PRIVACY}?saved=1")
    page = await browser.get(f"{PRIVACY}?saved=1")
    assert "Saved." in words(page)
    assert re.findall(r'name="(marketing-\w+)" value="1"( checked)?', page.text) == [
        ("marketing-email", " checked"),
        ("marketing-sms", ""),
    ]
    await browser.post(f"{PRIVACY}/consents")
    async with database.begin() as work:
        assert not await has_consent(work, person.id, "marketing-email")


async def test_the_page_says_who_looked(house, browser, database, person):
    booking, _ = await house.paid(person)
    operator_id = await scalar(database, "SELECT id FROM operator")
    assert "Nobody so far." in words(await browser.get(PRIVACY))
    async with database.begin() as work:
        await get_booking(work, booking.id, actor=Actor("user", new_id(), grants=((operator_id, ROLES["agent"]),)))
    assert f"Somebody at Small Theatre : Opened booking {booking.reference}" in words(await browser.get(PRIVACY))
    in_vietnamese = words(await browser.get(f"{PRIVACY}?lang=vi"))
    assert f"Nhân viên của Small Theatre : Đã mở đặt chỗ {booking.reference}" in in_vietnamese


async def test_everything_is_taken_along_as_a_file(house, browser, person):
    booking = await house.travelled(person)
    answer = await browser.get(f"{PRIVACY}/export.zip")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["data.json", f"tickets/{booking.reference}.pdf"]
    assert "You : Took along all data" in words(await browser.get(PRIVACY))


@pytest.mark.parametrize("path", [f"{PRIVACY}/export.zip", f"{PRIVACY}/erase"])
async def test_who_signed_in_a_while_ago_proves_it_again_first(client, person, path):
    await sign_in_as(client, person, proved_at=datetime.now(UTC) - timedelta(minutes=11))
    answer = await Browser(client).get(path)
    place = urlsplit(answer.headers["location"])
    assert (answer.status_code, place.path, parse_qs(place.query)["next"]) == (303, "/account/confirm", [path])


async def test_the_account_is_erased_after_the_address_was_typed(house, browser, database, person):
    await house.travelled(person)
    page = words(await browser.get(f"{PRIVACY}/erase"))
    assert "stay for 10 years" in page
    wrong = await browser.post(f"{PRIVACY}/erase", email="somebody@example.com")
    assert wrong.status_code == 422
    assert "This is not the address of your account." in words(wrong)
    assert await scalar(database, "SELECT erased_at FROM person") is None

    done = await browser.post(f"{PRIVACY}/erase", email=person.email.upper())

    assert (done.status_code, done.headers["location"]) == (303, "/goodbye")
    assert await scalar(database, "SELECT erased_at IS NOT NULL FROM person") is True
    assert "Your account was erased" in words(await browser.get("/goodbye"))
    browser.client.cookies.delete("farebox_goodbye")
    assert (await browser.get("/goodbye")).headers["location"] == "/", "a link to it frightens nobody"
    assert (await browser.get(PRIVACY)).headers["location"].startswith("/sign-in")


async def test_an_account_that_is_needed_is_not_offered_to_be_erased(house, browser, database, person):
    booking, _ = await house.paid(person)
    page = await browser.get(f"{PRIVACY}/erase")
    assert "A trip of yours is still ahead" in words(page)
    assert booking.reference in words(page)
    assert 'name="email"' not in page.text
    answer = await browser.post(f"{PRIVACY}/erase", email=person.email)
    assert answer.status_code == 200
    assert await scalar(database, "SELECT erased_at FROM person") is None


async def test_a_link_in_a_mail_ends_consent_without_signing_in(client, database, secrets, person):
    async with database.begin() as work:
        for purpose in ("marketing-email", "marketing-sms"):
            await say_consent(work, person.id, purpose, is_given=True, source="account")
    link = f"/unsubscribe/{unsubscribe_token(person.id, 'marketing-email', secrets=secrets)}"
    assert "You agreed to this: “I would like to get offers and news by e-mail." in words(await client.get(link))
    async with database.begin() as work:
        assert await has_consent(work, person.id, "marketing-email")  # looking at it ends nothing

    # as a mail program does it by itself (RFC 8058): no cookie, no page before
    done = await client.post(link, data={"List-Unsubscribe": "One-Click"})

    assert done.status_code == 200
    assert "You are unsubscribed" in words(done)
    async with database.begin() as work:
        assert not await has_consent(work, person.id, "marketing-email")
        assert await has_consent(work, person.id, "marketing-sms")


async def test_a_link_that_is_none_of_ours_says_so(client):
    for answer in (await client.get("/unsubscribe/abc"), await client.post("/unsubscribe/abc")):
        assert answer.status_code == 404
        assert "This link does not work" in words(answer)


@pytest.mark.parametrize("path", [PRIVACY, f"{PRIVACY}/erase", f"{PRIVACY}/export.zip"])
async def test_the_pages_are_for_who_has_signed_in(client, path):
    answer = await client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
